"""Plans and outcomes in words, shared by tables, plain lines and error messages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from profilectl.errors import CreditsUsedUp, RateLimited
from profilectl.plan.changes import Action, Reason
from profilectl.plan.namesakes import is_unbound, lost_brands, lost_ledger, recover_command
from profilectl.sync.outcomes import Status, count, limits
from profilectl.sync.quota import CALLS_A_DAY, UPLOADS, WINDOW
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.plan.builder import Plan
    from profilectl.plan.changes import Change
    from profilectl.sync.outcomes import Outcome
    from profilectl.sync.quota import Budget, Forecast

SYMBOLS = {
    Action.CREATE: "+",
    Action.REPLACE: "±",
    Action.ADOPT: "=",
    Action.DELETE: "-",
    Action.DESTROY: "-",
    Action.BLOCKED: "!",
}
STRANGER = "?"
_WORK = 600  # seconds that the calls themselves may take, beside the waits

_REASONS = {
    Reason.NEW: "new",
    Reason.LOST: "gone from X",
    Reason.NAME: "name",
    Reason.AVATAR: "picture",
    Reason.CONSENT: "neutral, for want of consent",
    Reason.SWAPPED: "another picture is live",
    Reason.REMOVED: "left the roster",
    Reason.UNTIL: "last day is over",
    Reason.REPLACED: "replaced earlier",
    Reason.UNANSWERED: "made by a create that X never answered",
    Reason.NAMESAKE: "a profile of that name exists",
    Reason.AMBIGUOUS: "it isn't sure which profile is the one",
    Reason.UNSETTLED: "an earlier create is still in doubt",
    Reason.UNCONFIRMED: "not listed, and X doesn't say that it is gone",
    Reason.REUSED: "another profile has its id",
    Reason.LATE: "made late, by a create that was taken for lost",
    Reason.OFFBOARDED: "was offboarded",
}


def reason(change: Change) -> str:
    """Return why a change is planned: the fields that differ, or the cause."""
    return ", ".join(_REASONS[why] for why in change.why)


def picture_change(change: Change) -> bool | None:
    """Return whether customers get to see another picture; None for what shows them no new profile."""
    if not change.creates:
        return None
    # SWAPPED: the roster names the same file as before, but X serves another picture.
    return change.before is None or change.before.avatar != change.goal.avatar or Reason.SWAPPED in change.why


def summary(plan: Plan) -> str:
    """Return a plan's counts in one line, "unchanged" also where it is 0."""
    counts = plan.summary()
    words = ("create", "replace", "adopt", "delete", "destroy")
    parts = [f"{counts[word]} to {word}" for word in words if counts[word]]
    if counts["blocked"]:
        parts.append(f"{counts['blocked']} blocked")
    parts.append(f"{counts['unchanged']} unchanged")
    if counts["unmanaged"]:
        parts.append(f"{counts['unmanaged']} not ours")
    return ", ".join(parts)


def result(outcomes: Sequence[Outcome], now: datetime, again: datetime | None) -> str:
    """Return a sync's counts in one line: where a limit of X ended it, with what is left and when to run again.

    `now` is X's time; `again` is when another run can do more, None when that isn't known. Both are aware.
    """
    stopped = [outcome for outcome in outcomes if is_limited(outcome)]
    counts = count(outcome for outcome in outcomes if not is_limited(outcome))
    parts = [f"{number:,} {status}" for status, number in counts.items() if number]
    if not stopped:
        return ", ".join(parts) or "nothing to do"
    # Each reason once, though a limit stops hundreds of steps.
    reasons = "; ".join(sorted({visible(str(error)) for error in limits(stopped).values()}))
    left = f"{', '.join((*parts, f'{len(stopped):,} left'))}: {reasons}"
    if any(isinstance(error, CreditsUsedUp) for error in limits(stopped).values()):
        return f"{left}; add credits in X's developer console, then run the same command again"
    when = "in some minutes" if again is None else f"after {_moment(again, now)} ({_distance(again, now)})"
    return f"{left}; run the same command again {when}"


def is_limited(outcome: Outcome) -> bool:
    """Return whether a step waits for a limit of X; `result` sums all of these up."""
    return outcome.status in {Status.SKIPPED, Status.FAILED} and isinstance(outcome.error, RateLimited)


def limit_lines(forecast: Forecast) -> Iterator[str]:
    """Yield what X's limits mean for a brand's share of a plan, one line each; nothing where they don't matter."""
    now = datetime.fromtimestamp(forecast.at_ms / 1000, UTC)
    yield from _shortage(forecast.brand, "creates", "makes", forecast.creates, now)
    yield from _shortage(forecast.brand, "destroys", "does", forecast.destroys, now)
    if forecast.wait_seconds:
        minutes = forecast.wait_seconds // 60
        yield (
            f"{forecast.brand}: X takes {UPLOADS} pictures in {WINDOW // 60} minutes, "
            f"so {forecast.creates.now:,} creates take "
            f"about {minutes} minutes: sync needs --max-wait {minutes}m --timeout {forecast.wait_seconds + _WORK}, "
            f"or several runs"
        )


def _shortage(brand: str, noun: str, verb: str, budget: Budget, now: datetime) -> Iterator[str]:
    if budget.rest:
        since = "" if budget.since_ms is None else f" and {budget.used:,} were used since {_at(budget.since_ms, now)}"
        yield (
            f"{brand}: {budget.planned:,} {noun} planned; X allows {CALLS_A_DAY:,} a day{since}: "
            f"this run {verb} {budget.now:,}, the rest after {_at(budget.free_ms, now)}"
        )


def _at(milliseconds: int, now: datetime) -> str:
    return _moment(datetime.fromtimestamp(milliseconds / 1000, UTC), now)


def _moment(moment: datetime, now: datetime) -> str:
    # Rounded up to the minute, as a run at the minute before would still be refused; the day only where it isn't today.
    there, here = (moment + timedelta(seconds=59)).astimezone(), now.astimezone()
    days = (there.date() - here.date()).days
    day = {0: "", 1: " tomorrow", -1: " yesterday"}.get(days, f" on {there:%Y-%m-%d}")
    return f"{there:%H:%M}{day}"


def _distance(moment: datetime, now: datetime) -> str:
    # At least one second: a moment that has come since then is still "soon", not "in 0 s" or less.
    seconds = max(1, math.ceil((moment - now).total_seconds()))
    if seconds <= 90:
        return f"in {seconds} s"
    minutes = math.ceil(seconds / 60)
    return f"in {minutes} min" if minutes <= 90 else f"in {round(minutes / 60)} h"


def obstacles(changes: Iterable[Change], options: str) -> Iterator[str]:
    """Yield what the blocked agents wait for, a line each; of a brand whose ledger was lost one line for all.

    No two lines propose the same profile. `options` are those with which a command means the same roster and X, with a
    space before them.
    """
    blocked = [change for change in changes if change.is_blocked]
    lost = lost_brands(blocked)
    for brand, number in lost.items():
        yield f"{lost_ledger(brand, number)}: `{visible(recover_command(brand, options))}` binds them"
    proposed: dict[tuple[str, str | None], str] = {}  # the agent by brand and profile
    for change in blocked:
        if Reason.NAMESAKE not in change.why:
            yield obstacle(change, change.goal.name, options)
        elif not (is_unbound(change) and change.brand in lost):
            first = proposed.setdefault((change.brand, change.profile_id), change.agent)
            if first == change.agent:
                yield obstacle(change, change.goal.name, options)
            else:
                yield f"{change.agent}: waits until it is decided whether profile {change.profile_id} is {first}'s"


def obstacle(change: Change, name: str, options: str) -> str:
    """Return what a blocked agent waits for, `name` being in the way, and the command that helps.

    `options` are those with which the command means the same roster and X, with a space before them.
    """
    adopt = remedy(change, options)
    if Reason.NAMESAKE in change.why:
        return (
            f'{change.agent}: X has a profile "{visible(name)}" ({change.profile_id}) that this ledger doesn\'t know; '
            f"if it is {change.agent}'s, run: {adopt}"
        )
    if Reason.AMBIGUOUS in change.why:
        return (
            f"{change.agent}: it isn't sure which of X's new profiles a create for \"{visible(name)}\" made; look at "
            f"them with `profilectl profiles list`, then run: {adopt}"
        )
    if Reason.OFFBOARDED in change.why:
        return f"{change.agent} was offboarded, so nothing is made: take the entry out of the roster, or run: {adopt}"
    if Reason.UNCONFIRMED in change.why:
        return (
            f"{change.agent}: X doesn't list profile {change.profile_id}, and doesn't say that it is gone; "
            "run the same command again later"
        )
    if Reason.REUSED in change.why:
        return (
            f"{change.agent}: profile {change.profile_id} at X was made at another time than {change.agent}'s; "
            f"look at it with `profilectl profiles list`, and if it is {change.agent}'s, run: {adopt}"
        )
    return f"{change.agent}: X hasn't shown yet whether an earlier create was done; run the same command again later"


def remedy(change: Change, options: str) -> str | None:
    """Return the command that helps a blocked agent; None when time is all it takes. `options` as for `obstacle`."""
    if change.waits:
        return None
    # A path in the options may hold anything, and the command is read on a terminal before it is pasted.
    target = f"--brand {change.brand}{visible(options)}"
    if Reason.OFFBOARDED in change.why:
        return f"profilectl offboard --undo {change.agent} {target}"
    return f"profilectl profiles adopt {change.agent} {change.profile_id} {target}"


def spellings(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield a line for each new profile whose name X spells otherwise; what customers see is X's spelling."""
    for outcome in outcomes:
        if outcome.name_shown is not None and outcome.change.after is not None:
            names = f'"{visible(outcome.name_shown)}" at X, and "{visible(outcome.change.after.name)}" in the roster'
            yield f"{outcome.change.brand}: {outcome.change.agent}'s name is {names}"


def failures(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield what became of the steps that didn't end well, one line for all of a brand that failed alike."""
    alike: dict[tuple[str, str, str], list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.status is not Status.DONE and not is_limited(outcome):
            change = outcome.change
            alike.setdefault((change.brand, change.action, _fate(outcome)), []).append(outcome)
    for (brand, action, fate), those in alike.items():
        first = those[0].change.agent
        who = first if len(those) == 1 else f"{len(those):,} agents, {first} first"
        yield f"{brand}: {who}: {action} {fate}"


def _fate(outcome: Outcome) -> str:
    if outcome.status is Status.UNKNOWN:
        cause = f" ({outcome.error})" if outcome.error is not None else ""
        return f"in doubt{cause}; nothing is lost: the next sync settles it from X's list"
    if outcome.error is None:
        return "not tried, because another step of this brand didn't end well"
    hint = f" ({outcome.error.hint})" if outcome.error.hint else ""
    return f"{outcome.status.value}: {outcome.error}{hint}"
