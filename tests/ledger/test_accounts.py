"""Whether a ledger may be the one for an account, and whether two brands are one."""

from __future__ import annotations

import pytest

from profilectl.errors import (
    CredentialsRefused,
    NotAllowlisted,
    NotFound,
    RateLimited,
    Refused,
    Unreachable,
    WrongAccount,
)
from profilectl.ledger.accounts import FormerLedger, as_withdrawal, require_distinct, unknown_account
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Account, Event, Intent, Profile

ACME = Account("1", "acmecare", "api.x.com")
PROFILE = Profile("100", "Alice", "url", 3)


@pytest.mark.parametrize(
    ("listed", "former", "is_known", "is_odd"),
    [
        (0, None, False, False),  # the first sync of an account that has nothing yet
        (3, None, False, True),
        (0, FormerLedger("/state/ledger.db", 7), False, True),  # X's list may be a lie
        (3, FormerLedger("/state/ledger.db", 7), False, True),
        (3, FormerLedger("/state/ledger.db", 7), True, False),
        (0, None, True, False),
    ],
)
def test_a_ledger_that_never_knew_the_account(listed, former, is_known, is_odd):
    """It is odd where there are profiles, or was another ledger."""
    unknown = unknown_account(ACME, listed, former, is_known=is_known)
    assert is_odd == (unknown is not None)


@pytest.mark.parametrize(("listed", "is_odd"), [(0, False), (1, True)])
def test_a_first_sync_that_made_nothing_is_no_other_ledger(listed, is_odd):
    """The account is registered there and the kept head is its own, so only profiles at X speak against it."""
    unknown = unknown_account(ACME, listed, FormerLedger("/state/ledger.db", 7), is_known=False, is_registered=True)
    assert is_odd == (unknown is not None)


def test_the_three_ways_on():
    """All three are named as they are typed; the sandbox's ledger has no other address."""
    unknown = unknown_account(ACME, 40, None, is_known=False)
    assert "the ledger /l.db doesn't know @acmecare, and X lists 40 profiles of it" == unknown.describe("/l.db")
    ways_on = unknown.ways_on(" --roster team.toml", is_sandbox=False, ledger="/l.db")
    for way in (
        "recover --roster team.toml`",
        "PROFILECTL_LEDGER=PATH ",
        "profilectl sync --new-ledger --ro",
    ):
        assert way in ways_on
    assert "PROFILECTL_LEDGER" not in unknown.ways_on("", is_sandbox=True, ledger="/l.db")


@pytest.mark.parametrize(
    ("bindings", "hint"),
    [
        (2, "PROFILECTL_LEDGER={place} names the right one (2 bindings)"),
        (0, "PROFILECTL_LEDGER=PATH names the right one (that of last time, {place}, has no bindings)"),
    ],
)
def test_the_former_ledger_is_named_where_it_helps(tmp_path, bindings, hint):
    """With how much it knows of the account: one that was begun by a slip knows nothing."""
    place = tmp_path / "ledger.db"
    with open_for_writing(place) as ledger:
        for number in range(bindings):
            profile = Profile(str(number + 1), "Zo", "", 1)
            ledger.adopt(ACME.user_id, f"zo{number}", profile, avatar="sha256:a", protected=False, now_ms=1)
    unknown = unknown_account(ACME, 0, FormerLedger(str(place), 7), is_known=False)

    assert "another ledger was used for it before" in unknown.describe("/l.db")
    assert hint.format(place=place) in unknown.ways_on("", is_sandbox=False, ledger="/l.db")


@pytest.mark.parametrize(("listed", "lists"), [(0, "no profile"), (1, "1 profile"), (1200, "1,200 profiles")])
def test_a_former_ledger_that_is_gone(tmp_path, listed, lists):
    """How much is lost is said first, and its backup is the first way on."""
    place = tmp_path / "ledger.db"
    unknown = unknown_account(ACME, listed, FormerLedger(str(place), 27), is_known=False)

    assert f"the ledger {place} is gone; it had 27 records, and X lists {lists} of @acmecare" == unknown.describe("/l")
    ways_on = unknown.ways_on("", is_sandbox=False, ledger="/l")
    assert ways_on.startswith("restore its backup; `profilectl recover` ")
    assert "PROFILECTL_LEDGER=PATH names the right one" in ways_on


def test_a_database_is_proposed_without_being_asked():
    """It might want a password, and a hint isn't worth a question."""
    unknown = unknown_account(ACME, 0, FormerLedger("postgresql://db.example.com/acme", 7), is_known=False)
    ways_on = unknown.ways_on("", is_sandbox=False, ledger="/l.db")

    assert "PROFILECTL_LEDGER=postgresql://db.example.com/acme names the right one; " in ways_on


def test_the_ledger_in_use_is_never_proposed():
    """One that was lost and begun anew stands where the former one was."""
    unknown = unknown_account(ACME, 0, FormerLedger("/l.db", 7), is_known=False)
    assert "PROFILECTL_LEDGER=PATH names the right one; " in unknown.ways_on("", is_sandbox=False, ledger="/l.db")


class Known:
    """A ledger that has known an account's profiles, or not, and may have noted a refusal."""

    def __init__(self, since_ms=None, *, knows=True):
        self.since_ms = since_ms
        self._knows = knows

    def knows(self, _user_id):
        return self._knows

    def refused_since(self, _user_id):
        return self.since_ms


@pytest.mark.parametrize(
    ("error", "is_one"),
    [
        (NotAllowlisted("no", status=403, code=87), True),
        (CredentialsRefused("no", status=403, code=453), True),
        (NotFound("no", status=404, code=34), True),
        (Refused("no", status=410, code=251), True),
        (Refused("no", status=410), True),
        (CredentialsRefused("no", status=401, code=89), False),
        (Refused("no", status=400, code=214), False),
        (Unreachable("no", status=410), False),
        (RateLimited("no", status=429, code=88), False),
    ],
)
def test_what_a_withdrawal_is(error, is_one):
    """X's own no to the list, as one who may not have it; never a limit, a token or a proxy."""
    withdrawal = as_withdrawal(error, ACME, Known())

    assert is_one == (withdrawal is not None)
    assert as_withdrawal(error, ACME, Known(knows=False)) is None


def test_a_withdrawal_that_was_told():
    """It has the moment of the first time, in its words as well."""
    error = NotAllowlisted("no", status=403, code=87)
    new, old = as_withdrawal(error, ACME, Known()), as_withdrawal(error, ACME, Known(1_790_000_000_000))

    assert (None, "1") == (new.since, new.user_id)
    assert "custom profiles since 2026-09-21 14:13 UTC" in old.message


def test_two_brands_of_one_account():
    """Both are named; several brands with an account each are none of it."""
    beta = Account("2", "betacare", "api.x.com")
    require_distinct({"acme": ACME, "beta": beta})
    with pytest.raises(WrongAccount, match=r"brands acme and shop are one account at X, @acmecare \(user id 1\)"):
        require_distinct({"acme": ACME, "beta": beta, "shop": ACME})


def bind(ledger):
    ledger.begin_intent("1", Intent("n", "alice", "Alice", "sha256:a", frozenset(), 2))
    ledger.finish_intent("1", "n", PROFILE, 4, adopted=False)


@pytest.mark.parametrize(
    ("deed", "is_known"),
    [
        (lambda ledger: None, False),
        (lambda ledger: ledger.register_account("acme", ACME, 1), False),
        (lambda ledger: ledger.block("1", "alice", 1), False),
        (lambda ledger: ledger.record(Event("destroyed-stranger", "1", 1, profile_id="7")), False),
        (lambda ledger: ledger.record(Event("sent", "1", 1, "alice", "7", {"text": '"what":"created"}'})), False),
        (lambda ledger: ledger.record(Event("created", "11", 1, "alice", "7")), False),
        (lambda ledger: ledger.begin_intent("1", Intent("n", "alice", "Alice", "a", frozenset(), 2)), True),
        (bind, True),
        (lambda ledger: ledger.begin_account("1", 40, 1), True),
    ],
    ids=["nothing", "registered", "blocked", "stranger destroyed", "sent", "of another", "intent", "bound", "begun"],
)
def test_what_a_ledger_knows(ledger, engine, deed, is_known):
    """Only what was about profiles of ours counts: a send under the brand, or a block, doesn't."""
    deed(ledger)
    with engine.reader() as reader:
        assert (is_known, is_known) == (ledger.knows("1"), reader.knows("1"))


def test_what_is_over_is_known_nevertheless(ledger):
    """An account whose profiles are all gone again was this ledger's."""
    bind(ledger)
    ledger.drop("1", "100", 5)
    assert ledger.knows("1")


def test_retirements_on_record(ledger, engine):
    """Replaced, removed, or replaced by an adoption; nothing that only looks like it, and none of another account."""
    bind(ledger)
    ledger.begin_intent("1", Intent("m", "alice", 'X "replaced":"666"', "sha256:b", frozenset(), 5))
    ledger.finish_intent("1", "m", Profile("101", "X", "url", 6), 7, adopted=False)
    ledger.adopt("1", "alice", Profile("102", "Al", "url", 8), name="Al", avatar="b", protected=False, now_ms=9)
    ledger.retire("1", "alice", 10)
    ledger.record(Event("retired", "2", 11, "bob", "900"))
    ledger.record(Event("sent", "1", 12, "alice", "103", {"text": '"replaced":"666"'}))
    with engine.reader() as reader:
        assert {"100", "101", "102"} == reader.recorded_retirements("1")
