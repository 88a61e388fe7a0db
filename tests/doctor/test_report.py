"""What follows from what a doctor finds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from profilectl.doctor.report import (
    Diagnosis,
    Finding,
    Judgement,
    Layer,
    State,
    doubtful,
    failed,
    fine,
    judge_access,
    judge_clock,
    judge_quota,
    obstacle,
    pending,
    skipped,
)
from profilectl.errors import CredentialsError, ExitCode, Unreachable

BAD = failed(CredentialsError("no", hint="do this"))


def found(*pairs):
    return [Finding(layer, brand, judgement) for layer, brand, judgement in pairs]


def test_what_needs_a_failed_layer_is_in_its_way():
    """The layer that failed is named, not the one that was skipped because of it."""
    findings = found((Layer.NETWORK, None, BAD), (Layer.TOKEN, "acme", skipped(Layer.NETWORK)))

    assert Layer.NETWORK is obstacle(findings, Layer.CLOCK, None)
    assert Layer.NETWORK is obstacle(findings, Layer.ALLOWLIST, "acme")
    assert obstacle(findings, Layer.LEDGER, None) is None


def test_another_brands_failure_is_no_obstacle():
    """Each brand stands and falls with its own credentials."""
    findings = found((Layer.CREDENTIALS, "acme", BAD), (Layer.CREDENTIALS, "beta", fine("there")))

    assert Layer.CREDENTIALS is obstacle(findings, Layer.TOKEN, "acme")
    assert obstacle(findings, Layer.TOKEN, "beta") is None


def test_a_warning_is_no_obstacle():
    """What works, works."""
    assert obstacle(found((Layer.CLOCK, None, doubtful("40 s ahead"))), Layer.TOKEN, "acme") is None


def test_the_first_failure_in_the_order_of_the_lines_decides():
    """A report is read from its top, in whatever order the layers were looked at."""
    network = failed(Unreachable("nobody answers"))
    diagnosis = Diagnosis.of(found((Layer.ROSTER, None, BAD), (Layer.NETWORK, None, network)))

    assert ExitCode.TRY_LATER is diagnosis.exit_code
    assert Layer.NETWORK is diagnosis.first_failure.layer
    assert [Layer.NETWORK, Layer.ROSTER] == [one.layer for one in diagnosis.findings]


def test_warnings_and_what_was_skipped_are_no_failures():
    """Only what failed makes the exit code."""
    diagnosis = Diagnosis.of(found((Layer.CLOCK, None, doubtful("odd")), (Layer.QUOTA, None, skipped(Layer.TOKEN))))

    assert ExitCode.DONE is diagnosis.exit_code
    assert {State.OK: 0, State.WARNING: 1, State.FAILED: 0, State.SKIPPED: 1} == diagnosis.counts()


@pytest.mark.parametrize(
    ("skew", "state", "text"),
    [
        (0.0, State.OK, "agrees with X's to the second"),
        (-12.0, State.OK, "12 s behind X's"),
        (30.0, State.OK, "30 s ahead of X's"),
        (31.0, State.WARNING, "31 s ahead of X's"),
        (-300.0, State.WARNING, "300 s behind X's"),
        (301.0, State.FAILED, "301 s ahead of X's"),
        (None, State.WARNING, "X's answer doesn't tell the time"),
    ],
)
def test_clock(skew, state, text):
    """Half a minute is odd, five minutes are what X refuses."""
    judgement = judge_clock(skew)

    assert (state, text) == (judgement.state, judgement.text)
    assert (state is State.FAILED) == (judgement.exit_code is ExitCode.CREDENTIALS)


@pytest.mark.parametrize(
    ("level", "state"), [("read-write", State.FAILED), (None, State.WARNING), ("everything", State.OK)]
)
def test_access(level, state):
    """A token that may not send Direct Messages is useless here; silence isn't proof."""
    assert state is judge_access(level, frozenset({"everything"})).state


def quota(**remaining):
    limits = {
        f"/custom_profiles/{name}": {"limit": 180, "remaining": left, "reset": 60} for name, left in remaining.items()
    }
    return judge_quota(limits, "0 creates", {60: datetime(2026, 11, 22, 21, tzinfo=UTC)})


def test_quota():
    """What is left is told; little of it is a warning, nothing a reason to come back later."""
    assert fine("list 179 of 180 left, show 18 of 180 left; 0 creates") == quota(show=18, list=179)
    assert State.WARNING is quota(show=17, list=179).state
    assert (State.FAILED, ExitCode.TRY_LATER) == (quota(list=0).state, quota(list=0).exit_code)
    assert "X counts anew from 21:00:00 UTC on: run again then" == quota(list=0).hint


@pytest.mark.parametrize(
    "limits", [{}, {"/custom_profiles/list": {}}, {"/custom_profiles/list": {"limit": 0, "remaining": 0}}]
)
def test_quota_that_x_is_silent_about(limits):
    """A silent X is no failure."""
    assert State.OK is judge_quota(limits, "0 creates", {}).state


def test_waiting_makes_sense_for_the_allowlist_alone():
    """Whoever has another failure, too, would wait in vain."""
    allowlist = (Layer.ALLOWLIST, "acme", BAD)

    assert pending(Diagnosis.of(found(allowlist)), ["acme"])
    assert not pending(Diagnosis.of(found(allowlist)), [])
    assert not pending(Diagnosis.of(found(allowlist, (Layer.ROSTER, None, BAD))), ["acme"])
    assert not pending(Diagnosis.of(found(allowlist, (Layer.ALLOWLIST, "beta", BAD))), ["acme"])
    assert not pending(Diagnosis.of([]), [])


def test_a_layer_that_was_looked_at_again():
    """The new judgement takes the place of the old one, of that brand only."""
    diagnosis = Diagnosis.of(found((Layer.ALLOWLIST, "acme", BAD), (Layer.ALLOWLIST, "beta", BAD)))
    better = diagnosis.with_judgement(Layer.ALLOWLIST, "acme", fine("allowed"))

    assert [Judgement(State.OK, "allowed"), BAD] == [one.judgement for one in better.findings]
