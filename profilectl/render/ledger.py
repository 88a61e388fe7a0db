"""How the ledger itself is shown: rows for terminals and pipes, documents for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from profilectl.render.json_documents import Document, problem, timestamp

if TYPE_CHECKING:
    from profilectl.errors import ProfilectlError
    from profilectl.ledger.grants import Roles
    from profilectl.model import LedgerSummary
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


def grants(roles: Roles, schema: str, sql: Sequence[str]) -> Document:
    """``profilectl.grants/1``: the statements that give three roles their rights in a schema."""
    return {"schema": "profilectl.grants/1", "roles": asdict(roles), "schema_name": schema, "sql": list(sql)}
