"""The checks of one account: its credentials, and what X lets it do."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from profilectl.api.client import XClient
from profilectl.api.transport import Transport
from profilectl.doctor.account_checks import check_allowlists_again, run_checks
from profilectl.doctor.report import Check, State
from profilectl.errors import CredentialsRefused
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Account, Profile
from profilectl.pictures.placeholders import initials_portrait
from profilectl.sandbox.model.faults import Fault, Kind
from profilectl.secret import Secret
from tests.doctor.conftest import ROSTER
from tests.doctor.test_machine_checks import states


def test_a_revoked_token(surroundings):
    """X's own word is told, with what to do; what a token is needed for is skipped."""
    surroundings.credentials = replace(surroundings.credentials, token=Secret("4242-somethingelse"))
    report, results = surroundings.check()
    skipped = dict.fromkeys((Check.ACCESS, Check.ALLOWLIST, Check.QUOTA, Check.PROFILES), State.SKIPPED)

    assert (skipped | {Check.TOKEN: State.FAILED}, 4) == (states(results), report.exit_code)
    assert "auth login" in results[Check.TOKEN].hint


def test_a_token_that_may_not_send_messages(surroundings):
    """The permission is told, and how to change it."""
    surroundings.world.accounts.set_access_level("acmecare", "read-write")
    report, results = surroundings.check()

    assert "read-write: may not send Direct Messages" == results[Check.ACCESS].text
    assert "developer console" in results[Check.ACCESS].hint
    assert report.exit_code == 4


def test_credentials_of_another_account(surroundings):
    """They work, but for somebody else."""
    surroundings.credentials = surroundings.credentials_of("betacare")
    report, results = surroundings.check()

    assert (State.FAILED, 5) == (results[Check.TOKEN].state, report.exit_code)
    assert "these credentials belong to @betacare" in results[Check.TOKEN].text


def test_x_in_trouble(surroundings):
    """A call that keeps failing is a reason to come back later, and the next checks say for themselves how they are."""
    surroundings.world.faults.add(Fault(kind=Kind.REFUSE, call="list", status=403, code=64, times=None))
    report, results = surroundings.check()
    expected = {Check.ALLOWLIST: State.FAILED, Check.PROFILES: State.SKIPPED}

    assert (expected, 4) == (states(results), report.exit_code)


@pytest.fixture
def refused(surroundings):
    """A report in which X's allowlist is all that is missing, and the checks of its account."""
    surroundings.world.accounts.allow("acmecare", False)
    return run_checks(surroundings.machine(), surroundings.accounts())


def test_an_allowlist_that_is_checked_again(surroundings, refused):
    """The report has the new result as soon as X agrees, and the account isn't asked about any more."""
    report, accounts = refused
    connect = surroundings.accounts().connect

    assert report == check_allowlists_again(report, accounts, connect)
    surroundings.world.accounts.allow("acmecare", True)
    assert check_allowlists_again(report, accounts, connect).exit_code == 0
    assert [None] == [account.refusal for account in accounts]


def test_another_refusal_when_the_allowlist_is_checked_again(surroundings, refused):
    """It isn't an answer about the allowlist, so it goes to whoever asks."""
    report, accounts = refused
    surroundings.world.accounts.allow("acmecare", True)
    surroundings.world.faults.add(Fault(kind=Kind.REFUSE, call="list", status=403, code=64, times=None))
    with pytest.raises(CredentialsRefused):
        check_allowlists_again(report, accounts, surroundings.accounts().connect)


def stranger(surroundings, name):
    """Make a profile that no ledger of ours knows, and return its id."""
    with XClient(surroundings.credentials, Transport(surroundings.url)) as client:
        media_id = client.upload(initials_portrait("A"), "image/png")
        return client.create_profile(name, media_id)


def test_a_stranger_with_a_bound_agents_name(surroundings):
    """A warning with its id, and what may be done about it: a person looks before a customer does."""
    bound, other = stranger(surroundings, "Alice"), stranger(surroundings, "Alice")
    with open_for_writing(surroundings.folder / "ledger.db") as ledger:
        account = Account("4242", "acmecare", "127.0.0.1")
        ledger.register_account("acme", account, 1)
        ledger.adopt("4242", "alice", bound, avatar="sha256:a", protected=False, now_ms=1)
    _, results = surroundings.check()
    result = results[Check.PROFILES]

    assert State.WARNING is result.state
    assert f"profile {other.id} has alice's name \"Alice\", and this ledger doesn't know it" in result.text
    assert [f"profilectl profiles {verb} {other.id} --brand acme" for verb in ("adopt alice", "destroy")] == (
        result.hint.splitlines()
    )


def test_a_ledger_that_never_knew_the_account(surroundings):
    """It ends as each sync does, with the three ways on, although no name is an agent's."""
    stranger(surroundings, "Somebody Else")
    report, results = surroundings.check()
    result = results[Check.PROFILES]

    assert (State.FAILED, 5, 5) == (result.state, result.exit_code, report.exit_code)
    assert "doesn't know @acmecare, and X lists 1 profile of it" in result.text
    assert all(way in result.hint for way in ("recover", "PROFILECTL_LEDGER", "sync --new-ledger"))


def test_a_lost_ledger_points_to_recover(surroundings):
    """One line for all, with nothing else to do."""
    names = ("Alice", "Bruno", "Chidi")
    surroundings.roster = "".join(ROSTER.replace("alice", name.lower()).replace("Alice", name) for name in names)
    for name in names:
        stranger(surroundings, name)
    with open_for_writing(surroundings.folder / "ledger.db") as ledger:
        account = Account("4242", "acmecare", "127.0.0.1")
        ledger.register_account("acme", account, 1)
        ledger.adopt("4242", "zoe", stranger(surroundings, "Zoe"), avatar="sha256:a", protected=False, now_ms=1)
    _, results = surroundings.check()

    assert "3 agents of brand acme have profiles at X that this ledger doesn't know" in results[Check.PROFILES].text
    assert "profilectl recover --brand acme" == results[Check.PROFILES].hint


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (0, "X lists none of the 2 profiles that the ledger binds, as if all were deleted, or X's list is wrong"),
        (1, "X doesn't list 1 of the 2 profiles that the ledger binds: "),
    ],
)
def test_profiles_that_the_ledger_binds_and_x_doesn_t_list(surroundings, made, text):
    """A warning with the way on: nothing else here would tell it before the next sync."""
    with open_for_writing(surroundings.folder / "ledger.db") as ledger:
        ledger.register_account("acme", Account("4242", "acmecare", "127.0.0.1"), 1)
        for number in range(2):
            profile = stranger(surroundings, "Old") if number < made else Profile(f"77{number}", "Old", "", 1)
            ledger.adopt("4242", f"old{number}", profile, avatar="sha256:a", protected=False, now_ms=1)
    _, results = surroundings.check()
    result = results[Check.PROFILES]

    assert (State.WARNING, True) == (result.state, text in result.text)
    assert ["profilectl profiles list --brand acme", "profilectl diff --brand acme"] == result.hint.splitlines()


def test_profiles_of_nobody_s_name_are_counted(surroundings):
    """They are nobody's business here."""
    stranger(surroundings, "Somebody Else")
    with open_for_writing(surroundings.folder / "ledger.db") as ledger:
        ledger.begin_account("4242", 1, 1)
    _, results = surroundings.check()

    assert (State.OK, "0 bound, 0 retired, 1 not ours") == (results[Check.PROFILES].state, results[Check.PROFILES].text)
