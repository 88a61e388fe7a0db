"""The results of the doctor's checks, and what follows from them: pure values, nothing is looked at here.

Where a check has failed, those that need it are skipped: their failure would say nothing new.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.errors import ExitCode, ProfilectlError, ProfilesWithdrawn
from profilectl.ledger.location import KNOWN_ELSEWHERE
from profilectl.plan.namesakes import MANY, lost_ledger, recover_command
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.plan.namesakes import Namesake

_CLOCK_REFUSED = 300.0  # seconds that a clock may be off before X refuses every signature (code 135)
_CLOCK_DOUBTFUL = 30.0  # seconds that no clock under NTP is ever off
_SHOWN = 3  # profiles with an agent's name that are named one by one
_SCARCE = 0.1  # the part of a limit that is little to have left
_SET_CLOCK = "set this machine's clock, best by NTP: X refuses signatures that are more than 5 minutes off"
_PERMISSION = (
    "in X's developer console set the app's permissions to read, write and Direct Messages, regenerate the access "
    "token, then run `profilectl auth login`: a token keeps the permission it was made with"
)


class Check(enum.StrEnum):
    """One line of the report; the order is the report's, roughly that in which they depend on each other."""

    VERSIONS = "versions"
    CLOCK = "clock"
    NETWORK = "network"
    PROXY = "proxy"
    KEYRING = "keyring"
    CREDENTIALS = "credentials"
    TOKEN = "token"  # noqa: S105 - the name of a check, not a token
    ACCESS = "access"
    ALLOWLIST = "allowlist"
    QUOTA = "quota"
    ROSTER = "roster"
    PICTURES = "pictures"
    LEDGER = "ledger"
    PROFILES = "profiles"


NEEDS: Mapping[Check, tuple[Check, ...]] = {
    Check.CLOCK: (Check.NETWORK,),
    Check.TOKEN: (Check.NETWORK, Check.CLOCK, Check.CREDENTIALS),
    Check.ACCESS: (Check.TOKEN,),
    Check.ALLOWLIST: (Check.TOKEN,),
    Check.QUOTA: (Check.TOKEN,),
    Check.PICTURES: (Check.ROSTER,),
    Check.PROFILES: (Check.ALLOWLIST, Check.ROSTER),
}
"""The checks that must have succeeded before another one makes sense."""


class State(enum.StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class CheckResult(Struct, frozen=True):
    """How a check ended, in one line."""

    state: State
    text: str
    hint: str | None = None  # what to do about it
    exit_code: ExitCode = ExitCode.DONE
    because: Check | None = None  # the check that failed, when this one was skipped
    is_old: bool = False  # an earlier run has told it already


class Finding(Struct, frozen=True):
    """A check's result at its place."""

    check: Check
    brand: str | None  # None where the check has nothing to do with one
    result: CheckResult

    @property
    def state(self) -> State:
        """How the check ended."""
        return self.result.state


class Report(Struct, frozen=True):
    """All results, in the order of the checks and, within one, of the brands."""

    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Report:
        """Put findings into their order."""
        places = {check: place for place, check in enumerate(Check)}
        return cls(tuple(sorted(findings, key=lambda finding: places[finding.check])))

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What failed; what was skipped because of it doesn't count."""
        return tuple(finding for finding in self.findings if finding.state is State.FAILED)

    @property
    def first_failure(self) -> Finding | None:
        """What a person should look at first."""
        return next(iter(self.failures), None)

    @property
    def exit_code(self) -> ExitCode:
        """That of the first failure."""
        first = self.first_failure
        return ExitCode.DONE if first is None else first.result.exit_code

    def counts(self) -> dict[State, int]:
        """Return how many findings there are in each state."""
        return {state: sum(finding.state is state for finding in self.findings) for state in State}

    def with_result(self, check: Check, brand: str | None, result: CheckResult) -> Report:
        """Return the report after one check was repeated."""
        changed = Finding(check, brand, result)
        return Report(tuple(changed if (old.check, old.brand) == (check, brand) else old for old in self.findings))


def failed_need(
    findings: Sequence[Finding], check: Check, brand: str | None, needs: tuple[Check, ...] | None = None
) -> Check | None:
    """Return the check whose failure makes another one pointless, None when nothing does.

    Args:
        findings: the results so far.
        check: the one that is about to begin.
        brand: whose it is.
        needs: what it needs, `NEEDS` by default.
    """
    for needed in NEEDS.get(check, ()) if needs is None else needs:
        for finding in findings:
            # One brand's bad token doesn't keep another brand from being checked.
            if finding.check is not needed or finding.brand not in {None, brand}:
                continue
            if finding.state is State.FAILED:
                return needed
            if finding.state is State.SKIPPED:
                return finding.result.because  # the first cause, not the chain of what was skipped
    return None


def ok(text: str) -> CheckResult:
    """Return the result of a check that brought out nothing wrong."""
    return CheckResult(State.OK, text)


def warning(text: str, hint: str | None = None) -> CheckResult:
    """Return the result for something that works, and should be looked at all the same."""
    return CheckResult(State.WARNING, text, hint)


def failed(error: ProfilectlError) -> CheckResult:
    """Return the result of a check that ended with an error."""
    is_old = isinstance(error, ProfilesWithdrawn) and error.since is not None
    return CheckResult(State.FAILED, error.message, error.hint, error.exit_code, is_old=is_old)


def skipped(because: Check) -> CheckResult:
    """Return the result of a check that another one's failure makes pointless."""
    return CheckResult(State.SKIPPED, f"not looked at: {because.value} has to work first", because=because)


def clock_result(skew: float | None) -> CheckResult:
    """Judge the seconds that this machine is ahead of X (negative: behind), None when X's answer had no date."""
    if skew is None:
        return warning("X's answer doesn't tell the time")
    if abs(skew) < 1:
        return ok("agrees with X's to the second")
    text = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} X's"
    if abs(skew) > _CLOCK_REFUSED:
        return CheckResult(State.FAILED, text, _SET_CLOCK, ExitCode.CREDENTIALS)
    return warning(text, _SET_CLOCK) if abs(skew) > _CLOCK_DOUBTFUL else ok(text)


def access_result(level: str | None, sufficient: frozenset[str]) -> CheckResult:
    """Judge what X lets a token do: its ``x-access-level``, None when X doesn't say."""
    if level is None:
        return warning("X doesn't say whether this token may send Direct Messages")
    if level in sufficient:
        return ok(f"{level}: may send Direct Messages")
    return CheckResult(State.FAILED, f"{level}: may not send Direct Messages", _PERMISSION, ExitCode.CREDENTIALS)


def quota_result(limits: Mapping[str, Mapping[str, int]], creates: str, moments: Mapping[int, datetime]) -> CheckResult:
    """Judge what is left of X's limits on reading calls.

    Args:
        limits: ``limit``, ``remaining`` and ``reset`` by X's name of the call.
        creates: what is known of the profiles made in the last 24 hours, in words.
        moments: the aware UTC moments of the ``reset`` figures (epoch seconds).
    """
    ours = {name.rpartition("/")[2]: limits[name] for name in sorted(limits) if name.startswith("/custom_profiles/")}
    known = {name: limit for name, limit in ours.items() if "remaining" in limit and limit.get("limit")}
    if not known:
        return ok(f"X doesn't report what is left for list and show; {creates}")
    parts = [f"{name} {limit['remaining']} of {limit['limit']} left" for name, limit in known.items()]
    text = f"{', '.join(parts)}; {creates}"
    scarcest = min(known.values(), key=lambda limit: limit["remaining"] / limit["limit"])
    resets = moments.get(scarcest.get("reset", 0))
    until = f"X counts anew from {resets:%H:%M:%S} UTC on" if resets else "X counts anew every 15 minutes"
    if scarcest["remaining"] <= 0:
        return CheckResult(State.FAILED, text, f"{until}: run again then", ExitCode.TRY_LATER)
    return warning(text, until) if scarcest["remaining"] < _SCARCE * scarcest["limit"] else ok(text)


def profiles_result(
    brand: str, namesakes: Iterable[Namesake], counts: str, options: str, lost_bindings: int = 0, bindings: int = 0
) -> CheckResult:
    """Judge the profiles of a brand that bear an agent's name and that the ledger doesn't know, and those that X lacks.

    Args:
        brand: its key.
        namesakes: every such profile.
        counts: how many profiles there are, in words.
        options: those with which a command means the same roster and X, with a space before them.
        lost_bindings: how many profiles the ledger binds that X should list and doesn't.
        bindings: how many the ledger binds.
    """
    strangers = tuple(namesakes)
    lost = {namesake.agent.key for namesake in strangers if namesake.bound_id is None}
    texts, commands = [], []
    if lost_bindings:
        target = f" --brand {brand}{options}"
        listing, diff = f"profilectl profiles list{target}", f"profilectl diff{target}"
        texts.append(f"{_missing(lost_bindings, bindings)}: `{listing}` names them, and `{diff}` what a sync would do")
        commands += [listing, diff]
    if len(lost) >= MANY:
        command = recover_command(brand, options)
        texts.append(f"{lost_ledger(brand, len(lost))}: {KNOWN_ELSEWHERE} `{command}` binds them")
        commands.append(command)
        strangers = tuple(namesake for namesake in strangers if namesake.bound_id is not None)
    for namesake in strangers[:_SHOWN]:
        adopt, destroy = _ways_on(namesake, options)
        shown = f'profile {namesake.profile.id} has {namesake.agent.key}\'s name "{visible(namesake.agent.name)}"'
        texts.append(
            f"{shown}, and this ledger doesn't know it: `{adopt}` if it is {namesake.agent.key}'s, or `{destroy}`"
        )
        commands += [adopt, destroy]
    if len(strangers) > _SHOWN:
        texts.append(f"and {len(strangers) - _SHOWN:,} more such profiles: `profilectl profiles list{options}`")
    return warning("; ".join(texts), "\n".join(commands)) if texts else ok(counts)


def _missing(lost: int, bindings: int) -> str:
    ours = "the profile" if bindings == 1 else f"the {bindings:,} profiles"
    if lost < bindings:
        return f"X doesn't list {lost:,} of {ours} that the ledger binds"
    return f"X lists none of {ours} that the ledger binds, as if all were deleted, or X's list is wrong for now"


def _ways_on(namesake: Namesake, options: str) -> tuple[str, str]:
    target = f"{namesake.profile.id} --brand {namesake.agent.brand}{options}"
    return f"profilectl profiles adopt {namesake.agent.key} {target}", f"profilectl profiles destroy {target}"


def lacks_only_allowlist(report: Report, refused: Iterable[str | None]) -> bool:
    """Say whether X's allowlist is all that is missing; `refused` are the brands that X refuses with code 87."""
    waiting = {(Check.ALLOWLIST, brand) for brand in refused}
    return bool(waiting) and {(finding.check, finding.brand) for finding in report.failures} == waiting
