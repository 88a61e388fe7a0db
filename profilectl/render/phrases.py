"""Plans and outcomes in words, shared by tables, plain lines and error messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from profilectl.errors import CreditsUsedUp, RateLimited
from profilectl.ledger.location import KNOWN_ELSEWHERE
from profilectl.plan.changes import Action, Reason
from profilectl.plan.namesakes import is_unbound, lost_brands, lost_ledger, recover_command
from profilectl.plan.notices import Notice, NoticeKind
from profilectl.render.moments import distance, moment
from profilectl.sync.outcomes import Status, count, limits
from profilectl.sync.quota import CALLS_A_DAY, UPLOADS, WINDOW
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from signal import Signals

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
    Action.RENAME: "→",
    Action.BLOCKED: "!",
}
_MOST_HANDLES = 3  # that are named in a summary
_WORK = 600  # seconds that the calls themselves may take, beside the waits

_REASONS = {
    Reason.NEW: "new",
    Reason.LOST: "gone from X",
    Reason.NAME: "name",
    Reason.AVATAR: "picture",
    Reason.CONSENT: "consent is missing or has ended",
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
    Reason.MOVED: "the key was changed",
    Reason.BOTH: "both its keys have a profile",
    Reason.DIVIDED: "one of its keys was offboarded",
}


def reason(change: Change) -> str:
    """Return why a change is planned: the fields that differ, or the cause."""
    if change.action is Action.RENAME:
        return f"was {visible(change.former or '')}"
    return ", ".join(_REASONS[why] for why in change.why)


_MOST_NOTICES = 20  # of a kind; --json has all


def notice_lines(notices: Iterable[Notice]) -> Iterator[str]:
    """Yield a line for each thing that a plan leaves as it is; of many of one kind the first, and how many more."""
    counter: Counter[NoticeKind] = Counter()
    for notice in notices:
        counter[notice.kind] += 1
        if counter[notice.kind] <= _MOST_NOTICES:
            yield f"{notice.brand}: {_notice(notice)}"
    for kind, number in counter.items():
        if number > _MOST_NOTICES:
            yield f"and {number - _MOST_NOTICES:,} more that are {kind.value}; --json has all"


def _notice(notice: Notice) -> str:
    who, profile_id = visible(notice.agent), notice.profile_id
    former = f"{who}'s former profile {profile_id}"
    if notice.kind is NoticeKind.RETIRED and notice.at_ms is not None:
        goes = datetime.fromtimestamp(notice.at_ms / 1000, UTC)
        return f"{former} goes with the first sync after {goes:%Y-%m-%d %H:%M} UTC"
    if notice.kind is NoticeKind.SETTLING and notice.at_ms is not None:
        return f"X doesn't list {who}'s profile {profile_id}, made a moment ago; {settling(notice.at_ms)}"
    if notice.kind is NoticeKind.UPCOMING and profile_id is not None:
        return f"{who}'s first day is {notice.day}, and profile {profile_id}, which is at X already, stays"
    field = "picture" if notice.field == "avatar" else notice.field
    return {
        NoticeKind.UPCOMING: f"{who}'s first day is {notice.day}; until then nothing is made",
        NoticeKind.ENDED: f"{who}'s last day was {notice.day}",
        NoticeKind.PROTECTED: f"{who} isn't in the roster any more, and stays: profile {profile_id} is protected",
        NoticeKind.PROTECTED_ENDED: f"{who}'s last day was {notice.day}, and protected profile {profile_id} stays",
        NoticeKind.MUTED: f"{who} has another {field}, which --except leaves out of this run",
        NoticeKind.RETIRED: f"{former} stays until X lists the new one",
    }[notice.kind]


def settling(until_ms: int) -> str:
    """Return until when nothing is decided about a young profile that X doesn't list, in local time."""
    until = datetime.fromtimestamp(until_ms / 1000, UTC)
    return f"settling until {moment(until, until)}"


def picture_change(change: Change) -> bool | None:
    """Return whether customers get to see another picture; None for what shows them no new profile."""
    if not change.creates:
        return None
    # SWAPPED: the roster names the same file as before, but X serves another picture.
    if change.before is None or Reason.SWAPPED in change.why:
        return True
    if change.action is Action.REPLACE:  # beside a new name: a file that was saved anew shows the same picture
        return Reason.AVATAR in change.why
    return change.before.avatar != change.goal.avatar


def place(handles: Sequence[str], host: str | None) -> str:
    """Return where a plan would be applied, such as ``@acmecare on api.x.com``; the host is None on the local X."""
    who = ", ".join(f"@{visible(handle)}" for handle in handles[:_MOST_HANDLES])
    if len(handles) > _MOST_HANDLES:
        who += f" and {len(handles) - _MOST_HANDLES} more"
    return f"{who} on {'the local X' if host is None else visible(host)}"


def steps(plan: Plan) -> str:
    """Return what a plan does, counted: ``1 create, 4 replace, 1 delete``; empty where it does nothing."""
    counts = plan.summary()
    words = ("rename", "create", "replace", "adopt", "delete", "destroy")
    return ", ".join(f"{counts[word]:,} {word}" for word in words if counts[word])


def deletions(plan: Plan) -> str:
    """Return the part of a plan's steps that takes somebody's face away, as `steps` counts it; empty without any."""
    number = plan.summary()["delete"]
    return f"{number:,} delete" if number else ""


def summary(plan: Plan, where: str = "") -> str:
    """Return a plan's counts in one line, "unchanged" also where it is 0; `where` is a `place`, if it is told."""
    counts = plan.summary()
    others = [f"{counts['blocked']:,} blocked"] if counts["blocked"] else []
    others.append(f"{counts['unchanged']:,} unchanged")
    if counts["unmanaged"]:
        others.append(f"{counts['unmanaged']:,} not ours")
    return f"{steps(plan) or 'nothing to do'}{where and f' at {where}'}; {', '.join(others)}"


def result(
    outcomes: Sequence[Outcome], now: datetime, again: datetime | None, where: str = "", seconds: float | None = None
) -> str:
    """Return a sync's counts in one line, with when to run again; where a limit of X ended it, also with what is left.

    `now` is X's time; `again` is when another run can do more, None when that isn't known. Both are aware. `where` is a
    `place`; `seconds` is how long the steps took. Both are left out where they aren't given.
    """
    stopped = [outcome for outcome in outcomes if is_limited(outcome)]
    counts = count(outcome for outcome in outcomes if not is_limited(outcome))
    parts = [f"{number:,} {status}" for status, number in counts.items() if number]
    after = "" if again is None else f"after {moment(again, now)} ({distance(again, now)})"
    if not stopped:
        took = "" if seconds is None or not parts else f" in {seconds:.0f} s"
        then = f"; run the same command again {after}" if after else ""
        return f"{', '.join(parts) or 'nothing to do'}{took}{where and f' at {where}'}{then}"
    # Each reason once, though a limit stops hundreds of steps.
    reasons = "; ".join(sorted({visible(str(error)) for error in limits(stopped).values()}))
    left = f"{', '.join((*parts, f'{len(stopped):,} left'))}: {reasons}"
    if any(isinstance(error, CreditsUsedUp) for error in limits(stopped).values()):
        return f"{left}; add credits in X's developer console, then run the same command again"
    return f"{left}; run the same command again {after or 'in some minutes'}"


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
    return moment(datetime.fromtimestamp(milliseconds / 1000, UTC), now)


def obstacles(changes: Iterable[Change], options: str) -> Iterator[str]:
    """Yield what the blocked agents wait for, a line each; of a brand whose ledger was lost one line for all.

    No two lines propose the same profile. `options` are those with which a command means the same roster and X, with a
    space before them.
    """
    blocked = [change for change in changes if change.is_blocked]
    lost = lost_brands(blocked)
    for brand, number in lost.items():
        command = visible(recover_command(brand, options))
        yield f"{lost_ledger(brand, number)}: {KNOWN_ELSEWHERE} `{command}` binds them"
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
    if not {Reason.BOTH, Reason.DIVIDED}.isdisjoint(change.why):
        return _moved_obstacle(change, adopt)
    if Reason.OFFBOARDED in change.why:
        return f"{change.agent} was offboarded, so nothing is made: take the entry out of the roster, or run: {adopt}"
    if Reason.REUSED in change.why:
        return (
            f"{change.agent}: profile {change.profile_id} at X was made at another time than {change.agent}'s; "
            f"look at it with `profilectl profiles list`, and if it is {change.agent}'s, run: {adopt}"
        )
    what = "X hasn't shown yet whether an earlier create was done"
    if Reason.UNCONFIRMED in change.why:
        what = f"X doesn't list profile {change.profile_id}, and doesn't say that it is gone"
    return f"{change.agent}: {what}; run the same command again later"


def _moved_obstacle(change: Change, command: str | None) -> str:
    what = f"{change.agent} was {change.former}, says the roster's [[moved]]"
    if Reason.BOTH in change.why:
        return (
            f"{what}, and each has a profile; to keep {change.agent}'s, take that entry out, and the next sync "
            f"destroys {change.profile_id}; to keep {change.profile_id}, run: {command}"
        )
    if change.profile_id is None:
        return f"{what}, but {change.former} was offboarded; take that entry out, or block both, and run: {command}"
    return f"{what}, but {change.agent} was offboarded; choose another key, or if they are one person, run: {command}"


def remedy(change: Change, options: str) -> str | None:
    """Return the command that helps a blocked agent; None when time is all it takes. `options` as for `obstacle`."""
    if change.waits:
        return None
    # A path in the options may hold anything, and the command is read on a terminal before it is pasted.
    target = f"--brand {change.brand}{visible(options)}"
    if Reason.DIVIDED in change.why and change.profile_id is None:
        return f"profilectl offboard {change.agent} {target}"
    if not {Reason.OFFBOARDED, Reason.DIVIDED}.isdisjoint(change.why):
        return f"profilectl offboard --undo {change.agent} {target}"
    return f"profilectl profiles adopt {change.agent} {change.profile_id} {target}"


def spellings(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield a line for each new profile whose name X spells otherwise; what customers see is X's spelling."""
    for outcome in outcomes:
        if outcome.name_shown is not None and outcome.change.after is not None:
            names = f'"{visible(outcome.name_shown)}" at X, and "{visible(outcome.change.after.name)}" in the roster'
            yield f"{outcome.change.brand}: {outcome.change.agent}'s name is {names}"


def failures(outcomes: Iterable[Outcome], *, stopped_by: Signals | None = None) -> Iterator[str]:
    """Yield what became of the steps that didn't end well, one line for all of a brand that failed alike.

    Where the run was `stopped_by` a signal, Ctrl-C among them, that is why steps weren't tried.
    """
    alike: dict[tuple[str, str, str], list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.status is not Status.DONE and not is_limited(outcome):
            change = outcome.change
            alike.setdefault((change.brand, change.action, _fate(outcome, stopped_by)), []).append(outcome)
    for (brand, action, fate), those in alike.items():
        first = those[0].change.agent
        who = first if len(those) == 1 else f"{len(those):,} agents, {first} first"
        yield f"{brand}: {who}: {action} {fate}"


def _fate(outcome: Outcome, stopped_by: Signals | None) -> str:
    if outcome.status is Status.UNKNOWN:
        cause = f" ({outcome.error})" if outcome.error is not None else ""
        return f"in doubt{cause}; nothing is lost: the next sync settles it from X's list"
    if outcome.error is None:
        return f"not tried: {_why_not_tried(stopped_by)}"
    hint = f" ({outcome.error.hint})" if outcome.error.hint else ""
    return f"{outcome.status.value}: {outcome.error}{hint}"


def _why_not_tried(stopped_by: Signals | None) -> str:
    if stopped_by is None:
        return "another step of this brand failed"
    # SIGINT is Ctrl-C; of any other signal the person who reads this may know nothing.
    return "you stopped the run" if stopped_by.name == "SIGINT" else f"{stopped_by.name} stopped the run"
