"""How the ledger itself is shown: rows for terminals and pipes, documents for scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from profilectl.render.json_documents import Document, adopt_command, problem, timestamp

if TYPE_CHECKING:
    from profilectl.errors import ProfilectlError
    from profilectl.ledger.grants import Roles
    from profilectl.ledger.heads import Setback
    from profilectl.model import LedgerSummary
    from profilectl.profiles.ownership import Namesake
    from profilectl.system.locks import Holder

KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_COUNTS = ("bindings", "intents", "withdrawn", "retired", "dispatches", "records")


def show(
    place: str,
    kind: str,
    summary: LedgerSummary | None,
    holder: Holder | None,
    refusal: ProfilectlError | None,
) -> Document:
    """``profilectl.ledger/1``: a ledger in numbers; the summary is None where there is no ledger yet."""
    counts = dict.fromkeys(_COUNTS, 0) if summary is None else {name: getattr(summary, name) for name in _COUNTS}
    accounts = () if summary is None else summary.accounts
    return {
        "schema": "profilectl.ledger/1",
        "place": place,
        "kind": kind,
        "exists": summary is not None,
        "format": None if summary is None else summary.format,
        "accounts": [asdict(account) | {"brands": list(account.brands)} for account in accounts],
        "counts": counts,
        "last_record": None if summary is None else _last_record(summary),
        "holder": None if holder is None else asdict(holder),
        "problem": None if refusal is None else problem(refusal),
    }


def _last_record(summary: LedgerSummary) -> Document | None:
    return {"seq": summary.last_seq, "at": timestamp(summary.last_ms)} if summary.last_seq else None


def rows(place: str, kind: str, summary: LedgerSummary, holder: Holder | None) -> list[tuple[str, str]]:
    """Return the same as pairs of what it is and its value; there is a row for each account."""
    last = f"{summary.last_seq} of {timestamp(summary.last_ms)}" if summary.last_seq else "none"
    return [
        ("place", place),
        ("kind", KINDS[kind]),
        ("format", summary.format),
        *(
            ("account", f"@{who.handle}, user id {who.user_id} at {who.host}, brand {', '.join(who.brands)}")
            for who in summary.accounts
        ),
        ("bindings", str(summary.bindings)),
        ("open intents", str(summary.intents)),
        ("withdrawn intents", str(summary.withdrawn)),
        ("retired profiles", str(summary.retired)),
        ("dispatches", str(summary.dispatches)),
        ("audit records", str(summary.records)),
        ("newest record", last),
        ("held by", "nobody" if holder is None else holder.describe()),
    ]


def copy(deed: str, source: str, target: str, rows: int | None, digest: str | None) -> Document:
    """``profilectl.copy/1``: what was copied from where to where; None where a copy isn't counted."""
    return {
        "schema": "profilectl.copy/1",
        "deed": deed,
        "source": source,
        "target": target,
        "rows": rows,
        "digest": digest,
    }


def unlock(place: str, holder: Holder | None, *, ended: bool) -> Document:
    """``profilectl.unlock/1``: who held the ledger, if anybody did, and whether that was ended."""
    return {
        "schema": "profilectl.unlock/1",
        "place": place,
        "holder": None if holder is None else asdict(holder),
        "ended": ended,
    }


def restored(
    place: str,
    summary: LedgerSummary,
    setbacks: Sequence[Setback],
    candidates: Sequence[Namesake],
    failure: ProfilectlError | None,
    options: str,
) -> Document:
    """``profilectl.restored/1``: how far a ledger had gone back, and with `options` what a person may adopt."""
    return {
        "schema": "profilectl.restored/1",
        "place": place,
        "accepted": bool(setbacks),
        "last_record": _last_record(summary),
        "accounts": [
            {
                "user_id": setback.user_id,
                "seen_record": {"seq": setback.head.seq, "at": _time_or_none(setback.head.at_ms)},
                "is_missing": setback.is_missing,
            }
            for setback in setbacks
        ],
        "candidates": [
            {
                "brand": candidate.agent.brand,
                "agent": candidate.agent.key,
                "profile_id": candidate.profile.id,
                "name": candidate.profile.name,
                "created": timestamp(candidate.profile.created_ms),
                "adopt": _adopt(candidate, options),
            }
            for candidate in candidates
        ],
        "not_listed": None if failure is None else problem(failure),
    }


def setbacks(summary: LedgerSummary, setbacks: Sequence[Setback]) -> Iterator[str]:
    """Yield for each account how far a ledger went back."""
    handles = {account.user_id: f"@{account.handle}" for account in summary.accounts}
    last = f"{summary.last_seq} of {timestamp(summary.last_ms)}" if summary.last_seq else "none"
    for setback in setbacks:
        at = _time_or_none(setback.head.at_ms)
        seen = f"{setback.head.seq}" + (f" of {at}" if at else "")
        what = "is missing" if setback.is_missing else "is another one in it"
        yield f"{handles[setback.user_id]}: record {seen} was seen on this host and {what}; the ledger's last is {last}"


def candidate_row(candidate: Namesake, options: str) -> tuple[str, ...]:
    """Return a profile that a person may adopt as cells, the command last."""
    agent, profile = candidate.agent, candidate.profile
    command = _adopt(candidate, options)
    return (agent.brand, agent.key, profile.id, profile.name, timestamp(profile.created_ms), command)


def _adopt(candidate: Namesake, options: str) -> str:
    return adopt_command(candidate.agent.brand, candidate.agent.key, candidate.profile.id, options)


def _time_or_none(milliseconds: int) -> str | None:
    return timestamp(milliseconds) if milliseconds else None


def grants(roles: Roles, schema: str, sql: Sequence[str]) -> Document:
    """``profilectl.grants/1``: the statements that give three roles their rights in a schema."""
    return {"schema": "profilectl.grants/1", "roles": asdict(roles), "schema_name": schema, "sql": list(sql)}
