"""The JSON documents of ``--json``: versioned, only ever added to, ids as strings, times RFC 3339 in UTC, ASCII."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from profilectl.errors import ExitCode, GuardRefused, ProfilectlError, RosterRefused
from profilectl.model import Message
from profilectl.text.pasteable import pasteable

if TYPE_CHECKING:
    from signal import Signals

    from profilectl.config import Config
    from profilectl.credentials.sources import AccountStatus
    from profilectl.messaging.compose import SendStatus
    from profilectl.model import Problem
    from profilectl.profiles.manual_changes import UnusedProfile
    from profilectl.profiles.matching import Finding
    from profilectl.profiles.offboarding import OffboardResult
    from profilectl.profiles.ownership import ClassifiedProfile
    from profilectl.sync.outcomes import Outcome

Document = dict[str, Any]


def dump(document: Document) -> str:
    """Return the document as one line of ASCII."""
    import json  # compiles patterns, for who prints no document as well

    # ASCII holds in a pipe of any encoding, and what could hide in a name is spelled out.
    return json.dumps(document, ensure_ascii=True)


def about_local_x(document: Document, *, is_local: bool) -> Document:
    """Return a document that says whether it is about the local X: ``"sandbox": true`` behind its name, or nothing."""
    if not is_local:
        return document
    return {"schema": document["schema"], "sandbox": True} | document


def timestamp(milliseconds: int) -> str:
    """Return epoch milliseconds as RFC 3339 in UTC, to the second."""
    return rfc3339(datetime.fromtimestamp(milliseconds // 1000, UTC))


def rfc3339(moment: datetime) -> str:
    """Return an aware moment as RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sync(
    digest: str,
    outcomes: Sequence[Outcome],
    exit_code: ExitCode,
    requests: Mapping[str, int],
    retry_at: datetime | None = None,
    left: Mapping[str, ProfilectlError] = MappingProxyType({}),
    options: str = "",
    *,
    stopped_by: Signals | None = None,
) -> Document:
    """``profilectl.sync/1``: what became of every step, the calls it took, and when another run can do more.

    `left` are the brands that couldn't be looked at, and why. With `options` a person may run what helps a blocked
    agent.
    """
    from profilectl.render.phrases import remedy
    from profilectl.sync.outcomes import count

    return {
        "schema": "profilectl.sync/1",
        "digest": digest,
        "exit_code": int(exit_code),
        "results": [
            {
                "brand": outcome.change.brand,
                "agent": outcome.change.agent,
                "action": outcome.change.action.value,
                "why": [reason.value for reason in outcome.change.why],
                "status": outcome.status.value,
                "profile_id": outcome.profile_id,
                "error": None if outcome.error is None else problem(outcome.error),
                "command": remedy(outcome.change, options) if outcome.change.is_blocked else None,
            }
            for outcome in outcomes
        ],
        "summary": count(outcomes),
        "requests": dict(requests),
        "retry_at": None if retry_at is None else rfc3339(retry_at),
        "left_out": left_out(left),
        "stopped_by": None if stopped_by is None else stopped_by.name,
    }


def left_out(brands: Mapping[str, ProfilectlError]) -> list[Document]:
    """Return the brands that couldn't be looked at, and why, as part of a document."""
    return [{"brand": brand, "error": problem(error)} for brand, error in brands.items()]


def error(failure: ProfilectlError, exit_code: ExitCode) -> Document:
    """``profilectl.error/1``: why the command ended without its result."""
    problems = failure.problems if isinstance(failure, RosterRefused) else ()
    counted = failure.agents if isinstance(failure, GuardRefused) else ()
    return {
        "schema": "profilectl.error/1",
        "error": {"code": int(exit_code)}
        | problem(failure)
        | {
            "problems": [_at_its_place(each) for each in problems],
            "agents": [{"brand": brand, "agent": agent} for brand, agent in counted],
        },
    }


def _at_its_place(each: Problem) -> Document:
    table, _, rest = each.path.partition(".")
    return {
        "file": each.file,
        "line": each.line,
        "column": each.column,
        "path": each.path,
        "agent": rest.partition(".")[0] if table == "agents" and rest else None,
        "severity": each.severity,
        "message": each.message,
        "rule": each.rule,
        "hint": each.hint,
    }


def problem(failure: ProfilectlError) -> Document:
    """Return an error as a part of a document."""
    # The message as it is: a program gets the text, and JSON escapes what a terminal would act upon.
    return {
        "kind": failure.kind,
        "message": failure.message,
        "hint": None if failure.hint is None else pasteable(failure.hint),
        "retry_at": None if failure.retry_at is None else rfc3339(failure.retry_at),
    }


def send(
    message: Message,
    recipient_id: str | None,
    *,
    status: SendStatus,
    event_id: str | None = None,
    verified: bool = False,
    error: ProfilectlError | None = None,
    cost: Document | None = None,
) -> Document:
    """``profilectl.send/1``: one message, whether X has it with the identity, and in a dry run what it costs."""
    return {
        "schema": "profilectl.send/1",
        "agent": message.agent,
        "brand": message.brand,
        "recipient_id": recipient_id,
        "event_id": event_id,
        "custom_profile_id": message.profile_id,
        "verified": verified,
        "status": status.value,
        "error": None if error is None else problem(error),
        "cost": cost,
    }


def profiles(classified: Iterable[ClassifiedProfile]) -> Document:
    """``profilectl.profiles/1``: what is at X, and whose it is."""
    rows = [
        {
            "id": entry.profile.id,
            "name": entry.profile.name,
            "status": entry.status.value,
            "brand": entry.brand,
            "agent": entry.agent,
            "created": timestamp(entry.profile.created_ms),
            "avatar_url": entry.profile.avatar_url,
        }
        for entry in classified
    ]
    return {"schema": "profilectl.profiles/1", "profiles": rows}


def accounts(statuses: Iterable[AccountStatus], config: Config) -> Document:
    """``profilectl.auth/1``: where credentials come from and whether they can be used."""
    rows = []
    for status in statuses:
        login = config.account(status.handle, status.host)
        # Only a login has asked X for the id; of other sources it isn't known without a call.
        user_id = None if login is None else login.user_id
        rows.append(asdict(status) | {"handle": status.handle or None, "user_id": user_id})
    return {"schema": "profilectl.auth/1", "accounts": rows, "default_brand": config.brand}


def adopt(*, brand: str, agent: str, profile_id: str, name: str) -> Document:
    """``profilectl.adopt/1``: the profile that is the agent's now."""
    return {"schema": "profilectl.adopt/1", "brand": brand, "agent": agent, "profile_id": profile_id, "name": name}


def adopt_command(brand: str, agent: str, profile_id: str, options: str) -> str:
    """Return the command that binds a profile to an agent, with the `options` that name the same roster and X."""
    return f"profilectl profiles adopt {agent} {profile_id} --brand {brand}{options}"


def forget(*, brand: str, agent: str, profile_id: str, name: str, undo: str) -> Document:
    """``profilectl.forget/1``: the profile that isn't managed any more, and the command that binds it again."""
    identity = adopt(brand=brand, agent=agent, profile_id=profile_id, name=name)
    return identity | {"schema": "profilectl.forget/1", "undo": undo}


def destroy(destroyed: UnusedProfile) -> Document:
    """``profilectl.destroy/1``: the profile that is gone, and whose it was: ``retired`` or ``unmanaged``."""
    return {
        "schema": "profilectl.destroy/1",
        "brand": destroyed.brand.key,
        "agent": None if destroyed.retired is None else destroyed.retired.agent,
        "profile_id": destroyed.profile_id,
        "name": destroyed.name,
        "was": destroyed.status.value,
    }


def offboard(
    agent: str,
    at_ms: int,
    exit_code: ExitCode,
    results: Sequence[OffboardResult],
    lines: Sequence[tuple[int, int]] | None,
) -> Document:
    """``profilectl.offboard/1``: the receipt; `lines` of the roster still name the agent, None when it doesn't."""
    rows = [
        {
            "brand": result.brand,
            "profile_id": result.profile_id,
            "name": result.name,
            "status": result.status.value,
            "error": None if result.error is None else problem(result.error),
        }
        for result in results
    ]
    return {
        "schema": "profilectl.offboard/1",
        "agent": agent,
        "at": timestamp(at_ms),
        "exit_code": int(exit_code),
        "results": rows,
        "summary": _by_status(rows, ("destroyed", "failed", "unsettled", "unconfirmed")),
        "roster_lines": None if lines is None else [list(span) for span in lines],
    }


def recover(exit_code: ExitCode, findings: Iterable[Finding], options: str, others: int = 0) -> Document:
    """``profilectl.recover/1``: which profile became whose, and with `options` what a person may run.

    `others` counts the profiles that stay nobody's.
    """
    rows = [_finding(finding, options) for finding in findings]
    return {
        "schema": "profilectl.recover/1",
        "exit_code": int(exit_code),
        "results": rows,
        "summary": _by_status(rows, ("bound", "doubtful", "absent")),
        "unmanaged": others,
    }


def _finding(finding: Finding, options: str) -> Document:
    agent, sure = finding.agent, finding.sure
    return {
        "brand": agent.brand,
        "agent": agent.key,
        "name": agent.name,
        "status": finding.status.value,
        "profile_id": None if sure is None else sure.profile.id,
        "why": finding.doubt,
        "candidates": [
            {
                "profile_id": candidate.profile.id,
                "name": candidate.profile.name,
                "created": timestamp(candidate.profile.created_ms),
                "avatar_url": candidate.profile.avatar_url,
                # To one digit: further ones differ from one version of Pillow to the next.
                "distance": None if candidate.distance is None else round(candidate.distance, 1),
                "problem": candidate.problem,
                "adopt": adopt_command(agent.brand, agent.key, candidate.profile.id, options),
            }
            for candidate in finding.candidates
        ],
    }


def _by_status(rows: Sequence[Document], statuses: Sequence[str]) -> Document:
    # Zeros included: a script may read `.summary.failed` without asking whether it is there.
    return {status: sum(row["status"] == status for row in rows) for status in statuses}


def sandbox(url: str, pages: str, accounts: Sequence[Document]) -> Document:
    """``profilectl.sandbox/1``: where a sandbox listens, and its accounts with their credentials."""
    return {"schema": "profilectl.sandbox/1", "url": url, "pages": pages, "accounts": list(accounts)}


def reset(url: str | None, folder: str | None) -> Document:
    """``profilectl.reset/1``: the sandbox that is as new, by its address or by the folder of its world."""
    return {"schema": "profilectl.reset/1", "url": url, "folder": folder}


def faults(rules: Sequence[Document], url: str | None, folder: str | None) -> Document:
    """``profilectl.faults/1``: the rules that are armed, in their order, and in which sandbox, as in `reset`."""
    return {"schema": "profilectl.faults/1", "url": url, "folder": folder, "faults": list(rules)}
