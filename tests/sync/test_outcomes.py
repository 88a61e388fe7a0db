"""What the steps of a sync add up to."""

from __future__ import annotations

import pytest

from profilectl.errors import CredentialsRefused, ExitCode, Refused, Unreachable
from profilectl.plan.changes import Action, Change, Reason
from profilectl.sync.outcomes import Outcome, Status, exit_code


def step(status, error=None, *, action=Action.CREATE, why=(Reason.NEW,)):
    return Outcome(Change("acme", "alice", action, why), status, error=error)


DONE = step(Status.DONE)
LATER = step(Status.FAILED, Unreachable("down"))
UNKNOWN = step(Status.UNKNOWN)
UNSETTLED = step(Status.SKIPPED, action=Action.BLOCKED, why=(Reason.UNSETTLED,))
FAILED = step(Status.FAILED, Refused("no"))
NAMESAKE = step(Status.SKIPPED, action=Action.BLOCKED, why=(Reason.NAMESAKE,))
REVOKED = step(Status.FAILED, CredentialsRefused("revoked"))


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], ExitCode.DONE),
        ([DONE], ExitCode.DONE),
        ([DONE, LATER], ExitCode.TRY_LATER),
        ([DONE, UNKNOWN], ExitCode.TRY_LATER),
        ([DONE, UNSETTLED], ExitCode.TRY_LATER),
        ([DONE, LATER, FAILED], ExitCode.PARTIAL),
        ([FAILED, NAMESAKE], ExitCode.PERSON),
        ([FAILED, NAMESAKE, REVOKED, LATER], ExitCode.CREDENTIALS),
        ([DONE, REVOKED], ExitCode.CREDENTIALS),
    ],
)
def test_the_gravest_step_decides(outcomes, code):
    """Refused credentials outweigh a person's work, which outweighs a partial result, which outweighs "later"."""
    assert code == exit_code(outcomes)
