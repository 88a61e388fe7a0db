"""What a ledger promises whatever its engine: the contract of `protocol`, over each engine of the `engine` fixture."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from profilectl.audit.chain import verify
from profilectl.errors import LedgerConflict, LedgerRefused, WrongAccount
from profilectl.ledger.protocol import WITHDRAWN_MS
from profilectl.model import (
    Account,
    Binding,
    Event,
    Intent,
    LedgerState,
    LocalTime,
    Profile,
    Retired,
    WithdrawnIntent,
)
from profilectl.plan.intents import REMEMBERED_MS

ACME = Account("1", "acmecare", "api.x.com", "read-write-directmessages")
LOCAL = LocalTime("a start", 7)


def intent(agent="alice", nonce="n1", **changes):
    values = {"name": f"{agent} A.", "avatar": "sha256:aa", "listed": frozenset({"7", "8"}), "begun_ms": 10}
    return Intent(nonce, agent, **{**values, "attempted_ms": 10, **changes})


def profile(id, name="alice A."):
    return Profile(id, name, f"https://pbs.example/{id}.jpg", created_ms=20)


def bind(ledger, agent="alice", id="100", now_ms=30):
    ledger.begin_intent("1", intent(agent, f"n{id}"))
    return ledger.finish_intent("1", f"n{id}", profile(id), now_ms, adopted=False)


def happened(reader):
    return [record.event.what for record in reader.events()]


def test_new_ledger_is_empty(engine, ledger):
    """A new ledger knows nobody, and says so with an empty value."""
    assert (None, LedgerState(), []) == (ledger.account_of("acme"), ledger.state_of("1"), list(ledger.events()))


def test_claim_is_remembered(engine, ledger):
    """A claimed brand gives back its account, without the access level, which belongs to the token."""
    ledger.register_account("acme", ACME, 5)
    with engine.reader() as reader:
        assert Account("1", "acmecare", "api.x.com") == reader.account_of("acme")


def test_claim_again_writes_nothing(ledger):
    """The same account claimed again leaves one record, whatever X says about its token or its badge by then."""
    ledger.register_account("acme", ACME, 5)
    ledger.register_account("acme", ACME, 6)
    ledger.register_account("acme", replace(ACME, access_level=None, verified=True), 7)
    assert ["claimed"] == happened(ledger)


def test_renamed_handle(ledger):
    """A handle may change; the user id says that it is the same account."""
    ledger.register_account("acme", ACME, 5)
    ledger.register_account("acme", Account("1", "acmehelp", "api.x.com"), 6)
    assert ledger.account_of("acme").handle == "acmehelp"


def test_renamed_brand_keeps_its_bindings(ledger):
    """Rows belong to the user id, so another key for the same account finds them."""
    ledger.register_account("acme", ACME, 5)
    bind(ledger)
    ledger.register_account("acme-eu", ACME, 6)
    assert "100" == ledger.state_of(ledger.account_of("acme-eu").user_id).binding("alice").profile_id


@pytest.mark.parametrize(
    ("brand", "account"),
    [
        ("acme", Account("2", "other", "api.x.com")),
        ("acme", Account("1", "acmecare", "localhost")),
        ("elsewhere", Account("1", "acmecare", "localhost")),
    ],
    ids=["another user", "another host", "another brand's user at another host"],
)
def test_wrong_account(engine, ledger, brand, account):
    """Credentials of somebody else are refused by writer and reader, both accounts are named, nothing is written."""
    ledger.register_account("acme", ACME, 5)
    with pytest.raises(WrongAccount) as refusal:
        ledger.register_account(brand, account, 6)
    assert (
        f"brand acme is @acmecare (id 1 at api.x.com) in this ledger, but the credentials belong to @{account.handle}"
        in (refusal.value.message)
    )
    assert "PROFILECTL_LEDGER" in refusal.value.hint
    assert ["claimed"] == happened(ledger)
    with engine.reader() as reader, pytest.raises(WrongAccount):
        reader.check_account(brand, account)


def test_recognise_accepts_the_known_and_the_unknown(ledger):
    """A brand that is new, or known with these credentials, may be used."""
    ledger.check_account("acme", ACME)
    ledger.register_account("acme", ACME, 5)
    ledger.check_account("acme", ACME)


def test_intent_is_durable(engine, ledger):
    """When `intend` returns, another process sees the whole intent."""
    promised = intent(protected=True, attempt=1)
    ledger.begin_intent("1", promised)
    with engine.reader() as reader:
        assert LedgerState(intents=(promised,)) == reader.state_of("1")


def test_accounts_are_separate(ledger):
    """One account's rows are invisible to another, even with the same agent, nonce and ids."""
    bind(ledger)
    ledger.begin_intent("2", intent(nonce="n100"))
    assert (1, 0) == (len(ledger.state_of("1").bindings), len(ledger.state_of("1").intents))
    assert (0, 1) == (len(ledger.state_of("2").bindings), len(ledger.state_of("2").intents))


def test_second_intent_for_an_agent(ledger):
    """An agent has at most one open intent."""
    ledger.begin_intent("1", intent())
    with pytest.raises(LedgerConflict, match="alice has an open intent already"):
        ledger.begin_intent("1", intent(nonce="n2"))
    assert 1 == len(ledger.state_of("1").intents)


def test_nothing_is_intended_for_a_blocked_agent(ledger):
    """Who was offboarded meanwhile gets no profile, until somebody says otherwise."""
    ledger.block("1", "alice", 5)
    with pytest.raises(LedgerConflict, match="alice was offboarded meanwhile, so nothing is made"):
        ledger.begin_intent("1", intent())
    ledger.unblock("1", "alice", 6)
    ledger.begin_intent("1", intent())

    assert ["blocked", "unblocked", "intended"] == happened(ledger)


def test_nonce_used_twice(ledger):
    """A nonce that is taken is the engine's refusal, in our words, with nothing left behind."""
    ledger.begin_intent("1", intent())
    with pytest.raises(LedgerRefused):
        ledger.begin_intent("1", intent("bob"))
    assert ["intended"] == happened(ledger)


def test_reattempt(ledger):
    """One more attempt counts, and moves the moment by both clocks."""
    ledger.begin_intent("1", intent(boot="an earlier start", attempted_local_ms=3))
    ledger.reattempt("1", "n1", 99, LOCAL)
    assert (intent(attempt=2, attempted_ms=99, boot="a start", attempted_local_ms=7),) == ledger.state_of("1").intents


def test_mark_unknown(ledger):
    """Doubt moves the moment by both clocks, and counts nothing."""
    ledger.begin_intent("1", intent(picture="of alice"))
    ledger.mark_unknown("1", "n1", 99, LOCAL)
    expected = intent(picture="of alice", attempted_ms=99, boot="a start", attempted_local_ms=7)
    assert ((expected,), ["intended", "unanswered"]) == (ledger.state_of("1").intents, happened(ledger))


def test_settle_binds(ledger):
    """Settling turns the intent into a binding that carries what was asked for and what X made of it."""
    ledger.begin_intent("1", intent(protected=True))
    binding = ledger.finish_intent("1", "n1", profile("100", "X's spelling"), 30, adopted=False)
    assert binding == Binding(
        agent="alice",
        profile_id="100",
        name="alice A.",
        avatar="sha256:aa",
        created_ms=20,
        bound_ms=30,
        protected=True,
        avatar_url="https://pbs.example/100.jpg",
        name_as_shown="X's spelling",
    )
    assert LedgerState(bindings=(binding,)) == ledger.state_of("1")


def test_settle_retires_the_former_profile(ledger):
    """A replacement binds the new profile and retires the old one in the same moment."""
    bind(ledger, id="100")
    bind(ledger, id="101", now_ms=40)
    held = ledger.state_of("1")
    assert ["101"] == [one.profile_id for one in held.bindings]
    assert (Retired("100", "alice", "alice A.", 40, "replaced"),) == held.retired


@pytest.mark.parametrize(("adopted", "what"), [(False, "created"), (True, "adopted")])
def test_settle_tells_how_it_was_found(ledger, adopted, what):
    """The audit record tells a profile that X confirmed from one that was found in its list."""
    ledger.begin_intent("1", intent())
    ledger.finish_intent("1", "n1", profile("100"), 30, adopted=adopted)
    record = list(ledger.events())[-1]
    detail = {"name": "alice A.", "avatar": "sha256:aa", "replaced": None, "nonce": "n1"}
    assert (Event(what, "1", 30, "alice", "100", detail), "ann@desk") == (record.event, record.actor)


def test_withdraw(ledger):
    """An intent that made nothing isn't open any more, but remembered, with the reason in the audit trail."""
    whole = intent(attempt=2, protected=True, picture="of alice", boot="a start", attempted_local_ms=7)
    ledger.begin_intent("1", whole)
    ledger.cancel_intent("1", "n1", "refused: code 88", 30, was_sent=True)
    assert LedgerState(withdrawn=(WithdrawnIntent(whole, 30),)) == ledger.state_of("1")
    assert "refused: code 88" == list(ledger.events())[-1].event.detail["why"]


@pytest.mark.parametrize(("later", "kept"), [(WITHDRAWN_MS, {"n1", "n2"}), (WITHDRAWN_MS + 1, {"n2"})])
def test_withdrawn_intents_are_kept_for_two_days(ledger, later, kept):
    """The next one that is withdrawn after that takes them along, also another account's, with their listings."""
    ledger.begin_intent("2", intent(listed=frozenset({"9"})))
    ledger.cancel_intent("2", "n1", "lost", 30, was_sent=True)
    ledger.begin_intent("1", intent(nonce="n2"))
    ledger.cancel_intent("1", "n2", "lost", 30 + later, was_sent=True)
    remembered = (*ledger.state_of("1").withdrawn, *ledger.state_of("2").withdrawn)

    assert kept == {late.intent.nonce for late in remembered}
    assert len(kept) == listings(ledger)
    assert (2 * 24 * 3600 * 1000, WITHDRAWN_MS) == (WITHDRAWN_MS, REMEMBERED_MS)


def listings(ledger):
    (kept,) = ledger._engine.execute("SELECT count(*) FROM listings")[0]
    return kept


def test_a_withdrawn_intent_that_made_something_is_finished(ledger):
    """Late, but as if it had been open; nothing of it is kept apart."""
    ledger.begin_intent("1", intent(protected=True))
    ledger.cancel_intent("1", "n1", "lost", 30, was_sent=True)
    binding = ledger.finish_intent("1", "n1", profile("100"), 40, adopted=True)

    assert ("100", True, LedgerState(bindings=(binding,))) == (
        binding.profile_id,
        binding.protected,
        ledger.state_of("1"),
    )
    assert (0, ["intended", "withdrawn", "adopted"]) == (listings(ledger), happened(ledger))


def test_what_a_withdrawn_intent_made_is_retired(ledger):
    """It is ours, and nobody's: it waits for its end beside the agent's own profile."""
    ledger.begin_intent("1", intent())
    ledger.cancel_intent("1", "n1", "lost", 30, was_sent=True)
    bind(ledger, id="101")
    retired = ledger.retire_late("1", "n1", profile("100", "X's spelling"), 40)
    state = ledger.state_of("1")

    assert Retired("100", "alice", "alice A.", 40, "removed") == retired
    assert ("101", (retired,), ()) == (state.binding("alice").profile_id, state.retired, state.withdrawn)
    record = list(ledger.events())[-1].event
    detail = {"name": "alice A.", "why": "removed", "nonce": "n1"}
    assert (Event("retired", "1", 40, "alice", "100", detail), 0) == (record, listings(ledger))


@pytest.mark.parametrize("taken", ["bound", "retired"])
def test_what_somebody_has_is_not_retired_as_late(ledger, taken):
    """Neither bound nor retired profiles, whoever's they are."""
    bind(ledger, "bob", "100")
    if taken == "retired":
        ledger.retire("1", "bob", 40)
    ledger.begin_intent("1", intent())
    ledger.cancel_intent("1", "n1", "lost", 50, was_sent=True)
    before = ledger.state_of("1")
    with pytest.raises(LedgerConflict, match=f"profile 100 is {taken} already, for agent bob"):
        ledger.retire_late("1", "n1", profile("100"), 60)
    assert before == ledger.state_of("1")


def test_what_was_made_for_a_blocked_agent_is_retired(ledger):
    """It is ours, so it isn't left behind; nobody can send with it, and it goes with the next removals."""
    ledger.begin_intent("1", intent())
    ledger.block("1", "alice", 20)
    kept = ledger.finish_intent("1", "n1", profile("100"), 30, adopted=False)

    assert Retired("100", "alice", "alice A.", 30, "removed") == kept
    assert LedgerState(retired=(kept,), blocked=frozenset({"alice"})) == ledger.state_of("1")
    assert (["intended", "blocked", "created", "retired"], None) == (happened(ledger), verify(ledger.events()))


def test_both_faces_of_a_blocked_agent_are_retired(ledger):
    """The one that was replaced, and the one that would have replaced it."""
    bind(ledger, id="100")
    ledger.begin_intent("1", intent(nonce="n2"))
    ledger.block("1", "alice", 35)
    ledger.finish_intent("1", "n2", profile("101"), 40, adopted=True)
    state = ledger.state_of("1")

    assert ((), ["100", "101"]) == (state.bindings, [retired.profile_id for retired in state.retired])


def test_note_shown(ledger):
    """How X spells a name is kept beside what was asked for, without a record; of an unknown profile, nothing is."""
    bind(ledger)
    records = happened(ledger)
    ledger.note_shown("1", "100", "Alice &amp; Co")
    ledger.note_shown("1", "999", "Nobody")
    binding = ledger.state_of("1").binding("alice")

    assert ("alice A.", "Alice &amp; Co", records) == (binding.name, binding.name_as_shown, happened(ledger))


@pytest.mark.parametrize("taken", ["bound", "retired"])
def test_profile_that_is_taken(ledger, taken):
    """A profile that the ledger knows is never bound a second time, neither by `adopt` nor by `settle`."""
    bind(ledger, "bob", "100")
    if taken == "retired":
        ledger.retire("1", "bob", 40)
    ledger.begin_intent("1", intent())
    before = ledger.state_of("1")
    with pytest.raises(LedgerConflict, match=f"profile 100 is {taken} already, for agent bob"):
        ledger.finish_intent("1", "n1", profile("100"), 50, adopted=True)
    with pytest.raises(LedgerConflict, match=f"profile 100 is {taken} already, for agent bob"):
        ledger.adopt("1", "alice", profile("100"), name="A", avatar="", protected=False, now_ms=50)
    assert before == ledger.state_of("1")


def test_adopt(ledger):
    """A person's word binds a profile under the agent's name, X's kept beside it, and retires the former one."""
    bind(ledger, id="100")
    theirs = profile("200", "Alice &amp; Co")
    binding = ledger.adopt("1", "alice", theirs, name="Alice & Co", avatar="sha256:bb", protected=True, now_ms=50)
    assert ("200", "Alice & Co", "Alice &amp; Co") == (binding.profile_id, binding.name, binding.name_as_shown)
    assert binding.protected
    held = ledger.state_of("1")
    assert ((binding,), ["100"]) == (held.bindings, [one.profile_id for one in held.retired])


def test_adopt_overrules_an_open_intent(ledger):
    """Nothing that is settled later may replace the profile that a person chose."""
    ledger.begin_intent("1", intent())
    ledger.adopt("1", "alice", profile("200"), name="alice A.", avatar="", protected=False, now_ms=50)
    assert () == ledger.state_of("1").intents
    assert "n1" == list(ledger.events())[-1].event.detail["nonce"]


def test_retire(ledger):
    """A removed agent is unbound, and its profile waits for its end."""
    bind(ledger)
    retired = ledger.retire("1", "alice", 60)
    assert Retired("100", "alice", "alice A.", 60, "removed") == retired
    assert LedgerState(retired=(retired,)) == ledger.state_of("1")


@pytest.mark.parametrize("state", ["retired", "bound", "unknown"])
def test_drop(ledger, state):
    """A profile that X destroyed leaves no row, in whatever state it was, and leaves a record."""
    if state != "unknown":
        bind(ledger)
    if state == "retired":
        ledger.retire("1", "alice", 60)
    ledger.drop("1", "100", 70)
    assert LedgerState() == ledger.state_of("1")
    event = list(ledger.events())[-1].event
    assert ("destroyed", "100", None if state == "unknown" else "alice") == (
        event.what,
        event.profile_id,
        event.agent,
    )


def test_forget(ledger):
    """A forgotten profile is neither bound nor retired: it stays at X, a stranger."""
    bind(ledger)
    ledger.forget("1", "alice", 60)
    assert LedgerState() == ledger.state_of("1")
    assert "forgotten" == happened(ledger)[-1]


def test_protect(ledger):
    """Protection can be given and taken."""
    bind(ledger)
    ledger.protect("1", "alice", protected=True)
    assert ledger.state_of("1").binding("alice").protected
    ledger.protect("1", "alice", protected=False)
    assert not ledger.state_of("1").binding("alice").protected


@pytest.mark.parametrize(
    "deed",
    [
        lambda ledger: ledger.reattempt("1", "n9", 5, LOCAL),
        lambda ledger: ledger.mark_unknown("1", "n9", 5, LOCAL),
        lambda ledger: ledger.retire_late("1", "n9", profile("100"), 5),
        lambda ledger: ledger.finish_intent("1", "n9", profile("100"), 5, adopted=False),
        lambda ledger: ledger.cancel_intent("1", "n9", "why", 5, was_sent=True),
        lambda ledger: ledger.retire("1", "zoe", 5),
        lambda ledger: ledger.forget("1", "zoe", 5),
        lambda ledger: ledger.protect("1", "zoe", protected=True),
    ],
    ids=["reattempt", "doubt", "late", "settle", "withdraw", "retire", "forget", "protect"],
)
def test_unknown_nonce_or_agent(ledger, deed):
    """What isn't there can't be changed; the refusal says what is missing and leaves no record."""
    with pytest.raises(LedgerConflict, match=r"no open intent n9|agent zoe has no profile"):
        deed(ledger)
    assert [] == happened(ledger)


def test_outside_events(engine, ledger):
    """Messages and refusals join the same chain, and readers can begin anywhere in it."""
    sent = Event("sent", "1", 5, "alice", "100", {"sha256": "ab", "length": 12})
    for _ in range(3):
        ledger.record(sent)
    with engine.reader() as reader:
        assert [2, 3] == [record.seq for record in reader.events(after=1)]
        assert sent == next(reader.events()).event


def test_long_trail(ledger):
    """More records than are read at a time come all, in order, and make a whole chain."""
    for number in range(1101):
        ledger.record(Event("sent", "1", number))
    assert list(range(1101)) == [record.event.at_ms for record in ledger.events()]
    assert verify(ledger.events()) is None


def test_everything_survives_closing(engine):
    """What was written is there after closing and opening, chain included."""
    with engine.writer() as ledger:
        bind(ledger, "alice", "100")
        ledger.begin_intent("1", intent("bob"))
        before = ledger.state_of("1")
    with engine.writer() as ledger:
        assert before == ledger.state_of("1")
        ledger.cancel_intent("1", "n1", "lost", 50, was_sent=True)
        ledger.begin_intent("1", intent("bob"))
        assert replace(before, withdrawn=(WithdrawnIntent(intent("bob"), 50),)) == ledger.state_of("1")
        assert verify(ledger.events()) is None


def test_listing_is_kept_once(engine, ledger):
    """A thousand intents that share one listing of a thousand ids take its space once, and free it at the end."""
    listed, empty = frozenset(str(1190000000000000000 + number) for number in range(1000)), engine.size()
    other = intent("zoe", "other", listed=frozenset({"5"}))
    ledger.begin_intent("1", other)
    for number in range(1000):
        ledger.begin_intent("1", intent(f"agent{number}", f"n{number}", listed=listed))
    held = ledger.state_of("1").intents
    assert {listed, other.listed} == {one.listed for one in held}
    with ledger.batch():
        for one in held:
            if one != other:
                ledger.cancel_intent("1", one.nonce, "enough", 50, was_sent=True)
    assert ((other,), 2) == (ledger.state_of("1").intents, listings(ledger))
    ledger.cancel_intent("1", "other", "enough", 51 + WITHDRAWN_MS, was_sent=True)
    assert 1 == listings(ledger)
    ledger.close()
    assert engine.size() < 2_000_000 + empty


DEEDS = {
    "claim": lambda ledger: ledger.register_account("acme-eu", ACME, 50),
    "intend": lambda ledger: ledger.begin_intent("1", intent("carol", "n5")),
    "reattempt": lambda ledger: ledger.reattempt("1", "n2", 50, LOCAL),
    "doubt": lambda ledger: ledger.mark_unknown("1", "n2", 50, LOCAL),
    "late": lambda ledger: ledger.retire_late("1", "n3", profile("103"), 50),
    "late adoption": lambda ledger: ledger.finish_intent("1", "n3", profile("103"), 50, adopted=True),
    "made for a blocked agent": lambda ledger: ledger.finish_intent("1", "n4", profile("104"), 50, adopted=True),
    "shown": lambda ledger: ledger.note_shown("1", "100", "Alice!"),
    "block": lambda ledger: ledger.block("1", "alice", 50),
    "settle": lambda ledger: ledger.finish_intent("1", "n2", profile("101"), 50, adopted=False),
    "withdraw": lambda ledger: ledger.cancel_intent("1", "n2", "lost", 50, was_sent=True),
    "adopt": lambda ledger: ledger.adopt("1", "alice", profile("102"), name="A", avatar="", protected=False, now_ms=50),
    "retire": lambda ledger: ledger.retire("1", "alice", 50),
    "drop": lambda ledger: ledger.drop("1", "100", 50),
    "forget": lambda ledger: ledger.forget("1", "alice", 50),
    "protect": lambda ledger: ledger.protect("1", "alice", protected=True),
    "record": lambda ledger: ledger.record(Event("sent", "1", 50)),
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_failure_at_every_statement(engine, ledger, monkeypatch, deed):
    """Whichever statement of a deed fails, nothing of it remains, and the same deed succeeds afterwards."""
    ledger.register_account("acme", ACME, 5)
    bind(ledger, id="100")
    ledger.begin_intent("1", intent(nonce="n3"))
    ledger.cancel_intent("1", "n3", "lost", 5, was_sent=True)
    ledger.begin_intent("1", intent(nonce="n2"))
    ledger.begin_intent("1", intent("dora", nonce="n4"))
    ledger.block("1", "dora", 5)
    before = state(ledger)
    execute, left = ledger._engine.execute, 0

    def failing(statement, /, **values):
        nonlocal left
        if left == 0:
            raise engine.failure
        left -= 1
        return execute(statement, **values)

    failures = 0
    while True:
        left = failures
        monkeypatch.setattr(ledger._engine, "execute", failing)
        try:
            deed(ledger)
            break
        except LedgerRefused as refusal:
            failures += "disk I/O error" in refusal.message
        finally:
            monkeypatch.setattr(ledger._engine, "execute", execute)
        assert before == state(ledger)
    assert failures >= 1 + (deed is not DEEDS["shown"])  # which has no record
    assert before != state(ledger)


def state(ledger):
    return ledger.account_of("acme-eu"), ledger.state_of("1"), list(ledger.events())


def test_batch_is_one_transaction(engine, ledger):
    """Nobody else sees a part of it, the writer sees all of it, and the audit chain goes on."""
    with ledger.batch():
        ledger.begin_intent("1", intent())
        ledger.finish_intent("1", "n1", profile("100"), 6, adopted=False)
        ledger.begin_intent("1", intent("bruno", "n2"))
        with engine.reader() as reader:
            seen = reader.state_of("1")
        own = ledger.state_of("1")
    with engine.reader() as reader:
        assert (LedgerState(), own) == (seen, reader.state_of("1"))
        assert (["intended", "created", "intended"], None) == (happened(reader), verify(reader.events()))


def test_batch_that_an_error_leaves(ledger):
    """Nothing of it is kept, whoever raised the error, and the ledger goes on."""

    def fail():
        with ledger.batch():
            ledger.begin_intent("1", intent())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    ledger.begin_intent("1", intent("alice", "n2"))

    assert ["n2"] == [one.nonce for one in ledger.state_of("1").intents]


def test_batch_in_which_a_change_failed(engine, ledger):
    """A failed change takes the others of its batch along even when its error was caught: half of it may be written."""

    def fail():
        with ledger.batch():
            ledger.begin_intent("1", intent())
            with pytest.raises(engine.duplicate, match=r"(?i)unique"):
                ledger.begin_intent("1", intent("bruno"))  # with the same nonce, which only the engine notices

    with pytest.raises(LedgerRefused, match="a change of this batch has failed"):
        fail()

    assert LedgerState() == ledger.state_of("1")


CONFLICTS = {
    "intend": lambda ledger: ledger.begin_intent("1", intent("bruno", "n8")),
    "intend for a blocked agent": lambda ledger: ledger.begin_intent("1", intent("dora", "n8")),
    "reattempt": lambda ledger: ledger.reattempt("1", "n9", 5, LOCAL),
    "doubt": lambda ledger: ledger.mark_unknown("1", "n9", 5, LOCAL),
    "settle": lambda ledger: ledger.finish_intent("1", "n9", profile("200"), 5, adopted=False),
    "settle with what is bound": lambda ledger: ledger.finish_intent("1", "n2", profile("100"), 5, adopted=False),
    "late": lambda ledger: ledger.retire_late("1", "n2", profile("100"), 5),
    "withdraw": lambda ledger: ledger.cancel_intent("1", "n9", "why", 5, was_sent=True),
    "adopt": lambda ledger: ledger.adopt("1", "zoe", profile("100"), name="", avatar="", protected=False, now_ms=5),
    "retire": lambda ledger: ledger.retire("1", "zoe", 5),
    "forget": lambda ledger: ledger.forget("1", "zoe", 5),
    "protect": lambda ledger: ledger.protect("1", "zoe", protected=True),
}


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
@pytest.mark.parametrize("deed", CONFLICTS.values(), ids=CONFLICTS)
def test_a_change_that_is_refused_before_it_began_leaves_the_batch_whole(ledger, deed, is_first):
    """One agent's conflict isn't another's: what came before and comes after is kept, and nothing of it."""
    bind(ledger, id="100")
    ledger.begin_intent("1", intent("bruno", "n2"))
    ledger.block("1", "dora", 5)
    before, records = ledger.state_of("1"), happened(ledger)
    with ledger.batch():
        if not is_first:
            ledger.block("1", "first", 6)
        with pytest.raises(LedgerConflict):
            deed(ledger)
        ledger.block("1", "last", 7)

    expected = {"dora", "last"} if is_first else {"dora", "first", "last"}
    assert replace(before, blocked=frozenset(expected)) == ledger.state_of("1")
    assert ([*records, *["blocked"] * (len(expected) - 1)], None) == (happened(ledger), verify(ledger.events()))


def test_batch_that_writes_nothing(engine, ledger):
    """It opens no transaction, so it can't keep another writer waiting."""
    with ledger.batch(), engine.writer() as other:
        assert LedgerState() == ledger.state_of("1")
        other.begin_intent("1", intent())
        assert (intent(),) == ledger.state_of("1").intents


def test_batch_within_a_batch(ledger):
    """What would be durable when the inner one ends, nobody could say."""
    with ledger.batch(), pytest.raises(LedgerRefused, match="part of another"), ledger.batch():
        pass
