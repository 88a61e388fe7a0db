"""What follows from the results of checks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from profilectl.doctor.report import (
    Check,
    CheckResult,
    Finding,
    Report,
    State,
    access_result,
    clock_result,
    failed,
    failed_need,
    lacks_only_allowlist,
    ok,
    quota_result,
    skipped,
    warning,
)
from profilectl.errors import CredentialsError, ExitCode, Unreachable

BAD = failed(CredentialsError("no", hint="do this"))


def findings_of(*triples):
    return [Finding(check, brand, result) for check, brand, result in triples]


def test_what_needs_a_failed_layer_is_in_its_way():
    """The layer that failed is named, not the one that was skipped because of it."""
    findings = findings_of((Check.NETWORK, None, BAD), (Check.TOKEN, "acme", skipped(Check.NETWORK)))

    assert Check.NETWORK is failed_need(findings, Check.CLOCK, None)
    assert Check.NETWORK is failed_need(findings, Check.ALLOWLIST, "acme")
    assert failed_need(findings, Check.LEDGER, None) is None


def test_another_brands_failure_is_no_obstacle():
    """Each brand stands and falls with its own credentials."""
    findings = findings_of((Check.CREDENTIALS, "acme", BAD), (Check.CREDENTIALS, "beta", ok("there")))

    assert Check.CREDENTIALS is failed_need(findings, Check.TOKEN, "acme")
    assert failed_need(findings, Check.TOKEN, "beta") is None


def test_a_warning_is_no_obstacle():
    """What works, works."""
    assert failed_need(findings_of((Check.CLOCK, None, warning("40 s ahead"))), Check.TOKEN, "acme") is None


def test_the_first_failure_in_the_order_of_the_lines_decides():
    """A report is read from its top, in whatever order the layers were looked at."""
    network = failed(Unreachable("nobody answers"))
    report = Report.of(findings_of((Check.ROSTER, None, BAD), (Check.NETWORK, None, network)))

    assert ExitCode.TRY_LATER is report.exit_code
    assert Check.NETWORK is report.first_failure.check
    assert [Check.NETWORK, Check.ROSTER] == [finding.check for finding in report.findings]


def test_warnings_and_what_was_skipped_are_no_failures():
    """Only what failed makes the exit code."""
    report = Report.of(findings_of((Check.CLOCK, None, warning("odd")), (Check.QUOTA, None, skipped(Check.TOKEN))))

    assert ExitCode.DONE is report.exit_code
    assert {State.OK: 0, State.WARNING: 1, State.FAILED: 0, State.SKIPPED: 1} == report.counts()


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
    result = clock_result(skew)

    assert (state, text) == (result.state, result.text)
    assert (state is State.FAILED) == (result.exit_code is ExitCode.CREDENTIALS)


@pytest.mark.parametrize(
    ("level", "state"), [("read-write", State.FAILED), (None, State.WARNING), ("everything", State.OK)]
)
def test_access(level, state):
    """A token that may not send Direct Messages is useless here; silence isn't proof."""
    assert state is access_result(level, frozenset({"everything"})).state


def quota(**remaining):
    limits = {
        f"/custom_profiles/{name}": {"limit": 180, "remaining": left, "reset": 60} for name, left in remaining.items()
    }
    return quota_result(limits, "0 creates", {60: datetime(2026, 11, 22, 21, tzinfo=UTC)})


def test_quota():
    """What is left is told; little of it is a warning, nothing a reason to come back later."""
    assert ok("list 179 of 180 left, show 18 of 180 left; 0 creates") == quota(show=18, list=179)
    assert State.WARNING is quota(show=17, list=179).state
    assert (State.FAILED, ExitCode.TRY_LATER) == (quota(list=0).state, quota(list=0).exit_code)
    assert "X counts anew from 21:00:00 UTC on: run again then" == quota(list=0).hint


@pytest.mark.parametrize(
    "limits", [{}, {"/custom_profiles/list": {}}, {"/custom_profiles/list": {"limit": 0, "remaining": 0}}]
)
def test_quota_that_x_is_silent_about(limits):
    """A silent X is no failure."""
    assert State.OK is quota_result(limits, "0 creates", {}).state


def test_waiting_makes_sense_for_the_allowlist_alone():
    """Whoever has another failure, too, would wait in vain."""
    allowlist = (Check.ALLOWLIST, "acme", BAD)

    assert lacks_only_allowlist(Report.of(findings_of(allowlist)), ["acme"])
    assert not lacks_only_allowlist(Report.of(findings_of(allowlist)), [])
    assert not lacks_only_allowlist(Report.of(findings_of(allowlist, (Check.ROSTER, None, BAD))), ["acme"])
    assert not lacks_only_allowlist(Report.of(findings_of(allowlist, (Check.ALLOWLIST, "beta", BAD))), ["acme"])
    assert not lacks_only_allowlist(Report.of([]), [])


def test_a_layer_that_was_looked_at_again():
    """The new judgement takes the place of the old one, of that brand only."""
    report = Report.of(findings_of((Check.ALLOWLIST, "acme", BAD), (Check.ALLOWLIST, "beta", BAD)))
    better = report.with_result(Check.ALLOWLIST, "acme", ok("allowed"))

    assert [CheckResult(State.OK, "allowed"), BAD] == [finding.result for finding in better.findings]
