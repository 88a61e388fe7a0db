"""The checks of one account: its credentials, and what X lets it do."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from profilectl.doctor.account_checks import check_allowlists_again, run_checks
from profilectl.doctor.report import Check, State
from profilectl.errors import CredentialsRefused
from profilectl.sandbox.model.faults import Fault, Kind
from profilectl.secret import Secret
from tests.doctor.test_machine_checks import states


def test_a_revoked_token(surroundings):
    """X's own word is told, with what to do; what a token is needed for is skipped."""
    surroundings.credentials = replace(surroundings.credentials, token=Secret("4242-somethingelse"))
    report, results = surroundings.check()
    skipped = dict.fromkeys((Check.ACCESS, Check.ALLOWLIST, Check.QUOTA), State.SKIPPED)

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

    assert ({Check.ALLOWLIST: State.FAILED}, 4) == (states(results), report.exit_code)


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
