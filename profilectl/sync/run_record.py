"""What a sync puts on the record about itself, before it changes anything.

Namely what it was made from, and which guards a person has overridden for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.model import Event
from profilectl.plan.changes import Action

if TYPE_CHECKING:
    from profilectl.ledger.protocol import Ledger
    from profilectl.plan.builder import Plan
    from profilectl.plan.changes import Change
    from profilectl.plan.saved import Selection


class Sources(Struct, frozen=True):
    """What a run was told what to do by; digests are ``sha256:`` and 64 hexadecimal digits."""

    roster: str  # digest of its text
    policy: str  # digest of this machine's policy file; empty where there is none
    find_commit: Callable[[], str | None]  # of the roster; asked only where it is recorded


def record_sources(ledger: Ledger, user_ids: Collection[str], sources: Sources, now_ms: int) -> None:
    """Record for each account that another roster or policy counts than in the run before, where that is so."""
    pairs = (("roster", sources.roster), ("policy", sources.policy))
    for user_id in user_ids:
        for what, digest in pairs:
            name = f"{what}:{user_id}"
            former = ledger.note(name)
            if digest == (former or ""):
                continue
            commit = {"commit": sources.find_commit()} if what == "roster" else {}
            detail = {what: digest or None, "former": former or None, **commit}
            ledger.record(Event(f"{what}-changed", user_id, now_ms, detail=detail), (name, digest))


def record_overrides(
    ledger: Ledger,
    plan: Plan,
    user_ids: Mapping[str, str],
    selection: Selection,
    begun: Collection[str],
    now_ms: int,
) -> None:
    """Record for each account which guards a person has overridden, where that let the plan do anything.

    Args:
        ledger: gets an event for each account.
        plan: what is carried out.
        user_ids: of the accounts, by the brand's key.
        selection: what the person agreed to.
        begun: user ids of accounts that a person has agreed to take for new ones.
        now_ms: X's time.
    """
    for brand, user_id in user_ids.items():
        changes = [change for change in plan.changes if change.brand == brand]
        options = [*_used(selection, changes), *(["--new-ledger"] if user_id in begun else [])]
        if options:
            detail = {"options": ", ".join(options), "plan": plan.digest}
            ledger.record(Event("overridden", user_id, now_ms, detail=detail))


def _used(selection: Selection, changes: Collection[Change]) -> Iterator[str]:
    if selection.allow_deletes is not None and any(change.removes for change in changes):
        yield f"--allow-deletes {selection.allow_deletes}"
    if selection.allow_lost is not None and any(change.is_repair for change in changes):
        yield f"--allow-lost {selection.allow_lost}"
    if selection.prune_now and any(change.action in {Action.REPLACE, Action.DESTROY} for change in changes):
        yield "--prune-now"
