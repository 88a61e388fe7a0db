"""X takes custom profiles away after they had worked: told once, nothing lost, and sending can go on, signed."""

from __future__ import annotations

import pytest

from profilectl.ledger.sqlite import open_for_reading

TO = ("send", "--as", "alice", "--to", "@customer", "--human-wrote-this")
SIGN_OFF = 'settle_after = "0s"\nwhen_withdrawn = "sign-off"'
ALICE = ("alice", "Alice F.", 'first = "Alice"', 'last = "Fast"')
REFUSALS = {
    "87": {"kind": "refuse", "code": 87, "status": 403},
    "453": {"kind": "refuse", "code": 453, "status": 403},
    "34": {"kind": "refuse", "code": 34, "status": 404},
    "251": {"kind": "refuse", "code": 251, "status": 410},
}


@pytest.fixture
def alice(desk, served):
    """A desk whose agent Alice has her face at X, last seen there a while ago."""
    desk.write(ALICE)
    assert 0 == desk.run("sync", "--yes").code
    served.ask("POST", "advance", {"seconds": 200})
    return desk


@pytest.fixture
def allow(served):
    """A function that puts the account on X's allowlist, or takes it off."""
    return lambda allowed: served.ask("POST", "allowlist", {"handle": "acmecare", "allowlisted": allowed})


def ledger_of(desk):
    return open_for_reading(desk.folder / desk.env["PROFILECTL_LEDGER"])


def events(desk):
    """Return what the record holds about X's permission, oldest first."""
    with ledger_of(desk) as ledger:
        return [record.event.what for record in ledger.events() if record.event.what.startswith("profiles-")]


def bound(desk):
    """Return the agents who have a profile, by the ledger."""
    with ledger_of(desk) as ledger:
        return [binding.agent for user_id in ledger.user_ids() for binding in ledger.state_of(user_id).bindings]


def texts(served):
    return [message["text"] for message in served.ask("GET", "state")["messages"]]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_timer_hears_of_it_once(alice, served, refusal):
    """The first run says what happened and what can be done; later ones are quiet under -q, and fail as it did."""
    served.fault(call="list", times=None, message="No.", **REFUSALS[refusal])
    runs = [alice.run("sync", "--yes", "-q") for _ in range(3)]
    status = REFUSALS[refusal]["status"]

    assert [4, 4, 4] == [run.code for run in runs]
    assert (
        f"error: X refuses @acmecare custom profiles, which it had allowed before (HTTP {status}, code {refusal}: No.)"
    ) == runs[0].err.splitlines()[0]
    assert 'when_withdrawn = "sign-off"' in runs[0].err
    assert ["", ""] == [run.err + run.out for run in runs[1:]]
    assert (["profiles-refused"], ["alice"]) == (events(alice), bound(alice))
    assert ["Alice F."] == served.live()


def test_whoever_asks_gets_an_answer_every_time(alice, allow):
    """Without -q each run says it, with its beginning; --json always holds the error; `diff` writes nothing down."""
    allow(False)
    assert 4 == alice.run("diff").code
    assert [] == events(alice)
    assert 4 == alice.run("sync", "--yes").code
    again, document = alice.run("sync", "--yes"), alice.run("sync", "--yes", "-q", "--json").document

    assert 4 == again.code
    assert "custom profiles since 20" in again.err
    assert ("withdrawn", 4) == (document["error"]["kind"], document["error"]["code"])


def test_it_comes_back(alice, allow, served):
    """Said once, even with -q; then all is as before, and nobody is made anew."""
    allow(False)
    assert 4 == alice.run("sync", "--yes", "-q").code
    allow(True)
    shown = alice.run("diff")
    runs = [alice.run("sync", "--yes", "-q") for _ in range(2)]

    assert "acme: X allows custom profiles again, which it had refused since 20" in shown.err
    assert [0, 0] == [run.code for run in runs]
    assert "acme: X allows custom profiles again" in runs[0].err
    assert "" == runs[1].err + runs[1].out
    assert ["profiles-refused", "profiles-allowed"] == events(alice)
    assert (["Alice F."], ["alice"]) == (served.live(), bound(alice))


def test_who_never_had_any_waits_as_before(desk, served, allow):
    """Without a profile in the ledger it is no withdrawal, but the wait for X's permission."""
    allow(False)
    result = desk.write(ALICE).run("sync", "--yes", "--json")

    assert (4, "allowlist") == (result.code, result.document["error"]["kind"])


def test_a_proxy_withdraws_nothing(alice, served):
    """What isn't X's own no is trouble on the way, and ends with "later"."""
    served.fault(call="list", kind="foreign-before", status=410, times=None)

    assert 75 == alice.run("sync", "--yes").code
    assert [] == events(alice)


def test_the_doctor_tells_it_once_to_a_timer(desk, served, allow):
    """Its line says what X took away; with -q only until a sync has noted it, and its exit code stays."""
    assert 0 == desk.write(ALICE).run("sync", "--yes").code
    allow(False)
    first = desk.run("doctor", "-q")
    assert 4 == desk.run("sync", "--yes", "-q").code
    quiet, asked = desk.run("doctor", "-q"), desk.run("doctor")

    assert [4, 4, 4] == [first.code, quiet.code, asked.code]
    assert "failed\tX refuses @acmecare custom profiles, which it had allowed before" in first.out
    assert "" == quiet.out + quiet.err
    assert "X refuses @acmecare custom profiles since 20" in asked.out
    assert 'when_withdrawn = "sign-off"' in asked.err


def test_several_brands_go_on_without_it(desk):
    """The other brand is synced; the one that X refuses is named, and the exit code says "partly"."""
    brands = {"acme": "acmecare", "beta": "betacare"}
    desk.env |= {"PROFILECTL_SANDBOX": "1"}
    desk.write(ALICE, brands=brands)
    assert 0 == desk.run("sync", "--yes").code
    rule = '{"call": "list", "kind": "refuse", "code": 87, "status": 403}'  # of the brand whose list is read first
    assert 0 == desk.run("sandbox", "faults", rule).code
    first = desk.run("sync", "--yes", "-q")

    again = desk.run("sync", "--yes", "-q")

    assert (6, 0) == (first.code, again.code)
    assert 1 == first.err.count("is left out, and nothing of it is changed: X refuses @")
    assert 1 == again.err.count("X allows custom profiles again")


def test_sending_goes_on_signed(alice, allow, served):
    """With the policy a message goes out under the brand, also before a sync has noticed, and the receipt says so."""
    allow(False)
    refused = alice.run(*TO, "Hello")
    alice.write(ALICE, policy=SIGN_OFF)
    sent = alice.run(*TO, "Hello")

    assert (4, 0) == (refused.code, sent.code)
    assert ["Hello ^AF"] == texts(served)
    assert "X doesn't show alice's face at present" in sent.out


def test_a_retired_endpoint_is_told_from_a_profile_that_is_gone(alice, served):
    """34 on a profile's page means either; the list decides."""
    alice.write(ALICE, policy=SIGN_OFF)
    served.fault(call="show", times=None, **REFUSALS["34"])
    gone = alice.run(*TO, "Hello")
    served.fault(call="list", times=None, **REFUSALS["34"])
    retired = alice.run(*TO, "Hello")

    assert (5, 0) == (gone.code, retired.code)
    assert "is gone from X" in gone.err
    assert ["Hello ^AF"] == texts(served)


def test_newcomers_and_new_names_are_signed_too(alice, allow, served):
    """Once a sync has noted the withdrawal, nobody has to wait for a profile that X doesn't make."""
    alice.write(
        ("alice", "Alice Anew", *ALICE[2:]), ("bea", "Bea G.", 'first = "Bea"', 'last = "Gold"'), policy=SIGN_OFF
    )
    before = alice.run(*TO, "Hello", "--dry-run")
    allow(False)
    assert 4 == alice.run("sync", "--yes", "-q").code
    rehearsed = alice.run(*TO, "Hello", "--dry-run")
    codes = [alice.run("send", "--as", agent, *TO[3:], "Hello").code for agent in ("alice", "bea")]
    allow(True)
    again = alice.run(*TO, "Hello once more")

    assert (5, 0, [0, 0]) == (before.code, rehearsed.code, codes)
    assert "under the brand, signed off" in rehearsed.out
    assert ["Hello ^AF", "Hello ^BG"] == texts(served)
    assert (5, "X allows brand acme to use profiles again") == (again.code, again.err[len("error: ") :].splitlines()[0])


def test_a_name_that_is_withheld_signs_nothing(alice, allow, served):
    """Her consent has ended: what goes out under the brand has the initials of the neutral name, and not hers."""
    expired = "consent = { name = true, photo = true, given = 2020-01-01, expires = 2020-12-31 }"
    alice.write((*ALICE, 'title = "Care Specialist"', expired), policy=SIGN_OFF)
    before = alice.run(*TO, "Hello")
    allow(False)
    assert 4 == alice.run("sync", "--yes", "-q").code
    signed = alice.run(*TO, "Hello")

    assert (5, 0) == (before.code, signed.code), signed.err
    assert "own name may not be shown any more" in before.err
    assert ["Hello ^CS"] == texts(served)


def test_a_brand_s_fallback_is_for_who_never_had_a_profile(alice, allow, served):
    """Whoever has one waits for the policy's word; a colleague without one is signed."""
    alice.write(ALICE, ("bea", "Bea G.", 'first = "Bea"', 'last = "Gold"'))
    roster = alice.folder / "roster.toml"
    roster.write_text(roster.read_text().replace("[policy]", 'fallback = "sign-off"\n[policy]', 1))
    allow(False)
    refused = alice.run(*TO, "Hello")
    signed = alice.run("send", "--as", "bea", *TO[3:], "Hello")

    assert (4, 0) == (refused.code, signed.code), signed.err
    assert ["Hello ^BG"] == texts(served)


def test_the_face_returns_with_the_permission(alice, allow, served):
    """A message carries the profile again as soon as X allows it, whatever the last sync noted."""
    alice.write(ALICE, policy=SIGN_OFF)
    allow(False)
    assert 4 == alice.run("sync", "--yes", "-q").code
    allow(True)
    result = alice.run(*TO, "Hello")

    assert (0, ["Hello"]) == (result.code, texts(served))
    assert "identity confirmed by X" in result.out
