"""Guards against mass accidents: a truncated roster must not delete the profiles of a whole team."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from msgspec import Struct

from profilectl.model import Policy


class Refusal(Struct, frozen=True):
    """Why a guard stops the whole plan, and the option that allows it (None when nothing does)."""

    guard: str
    message: str
    allow: str | None
    limit: str = ""  # the key of [policy] that was met; empty where an option has taken its place, or there is none
    agents: tuple[tuple[str, str], ...] = ()  # (brand, agent) of those whom the guard has counted

    @property
    def ways_on(self) -> str | None:
        """What a person may do about it, in one line; None where nothing allows the plan."""
        if self.allow is None:
            return None
        first = f"`{self.allow}` allows this plan"
        if self.guard == "lost":
            return f"{first}, if they are really gone: `profilectl profiles list` names them"
        if self.guard == "unrecorded":
            return f"{first}; `profilectl audit verify` says whether the record was changed"
        policy = f"a larger {self.limit} in the roster's [policy] such plans from now on" if self.limit else ""
        return f"{first}{policy and f', {policy}'}; `--agent KEY` leaves out whom it doesn't name"


def guard_deletes(policy: Policy, deletes: Sequence[tuple[str, int, int]], allow_deletes: int | None) -> Refusal | None:
    """Refuse deletions that look like an accident; one deletion per brand is always allowed.

    Args:
        policy: `max_deletes` and `max_delete_ratio` (of the brand's bound agents) are both respected.
        deletes: (brand, agents that would be deleted, agents bound) for every brand of the plan.
        allow_deletes: how many deletions per brand a person has agreed to; replaces both limits.
    """
    for brand, count, bound in deletes:
        refused = _excess(policy, count, bound) if allow_deletes is None else _disagreement(count, allow_deletes)
        if refused is not None:
            guard, limit = refused
            # the most that any brand needs, so that one option is enough for all
            message = f"brand {brand}: {count} of {bound} agents would be deleted, {limit}"
            allow = f"--allow-deletes {max(n for _, n, _ in deletes)}"
            return Refusal(guard, message, allow, guard if allow_deletes is None else "")
    return None


def guard_losses(policy: Policy, losses: Sequence[tuple[str, int, int]], allow_lost: int | None) -> Refusal | None:
    """Refuse to make many profiles anew at once because X no longer shows them; one per brand is always allowed.

    Args:
        policy: the bounds are those of deletions.
        losses: (brand, bound profiles that X no longer has, agents bound) for every brand of the plan.
        allow_lost: how many per brand a person has agreed to; replaces both limits.
    """
    for brand, count, bound in losses:
        if count > max(allow_lost, 1) if allow_lost is not None else _excess(policy, count, bound) is not None:
            limit = f"--allow-lost says {allow_lost}" if allow_lost is not None else "which looks like another account"
            message = f"brand {brand}: {count} of {bound} profiles are gone from X, {limit}"
            return Refusal("lost", message, f"--allow-lost {max(n for _, n, _ in losses)}")
    return None


def guard_unrecorded_destroys(
    policy: Policy, destroys: Sequence[tuple[str, int, int]], allow_deletes: int | None
) -> Refusal | None:
    """Refuse to destroy many retired profiles that no run is known to have retired; one per brand is always allowed.

    Rows of a ledger that somebody forged, or changed by hand, would else end profiles that agents use.

    Args:
        policy: the bounds are those of deletions.
        destroys: (brand, retired profiles without a record of it that would be destroyed, agents bound) by brand.
        allow_deletes: how many deletions per brand a person has agreed to; replaces both limits.
    """
    for brand, count, bound in destroys:
        refused = _excess(policy, count, bound) if allow_deletes is None else _disagreement(count, allow_deletes)
        if refused is not None:
            what = f"{count} retired profiles would be destroyed, beside {bound} bound ones"
            message = f"brand {brand}: {what}, and nothing is on record of their retirement; {refused[1]}"
            return Refusal("unrecorded", message, f"--allow-deletes {max(n for _, n, _ in destroys)}")
    return None


def _excess(policy: Policy, count: int, bound: int) -> tuple[str, str] | None:
    if count <= 1:  # somebody leaves a small team: no ratio would ever allow that
        return None
    if count > policy.max_deletes:
        return "max_deletes", f"the policy allows {policy.max_deletes} at once"
    if count > Fraction(str(policy.max_delete_ratio)) * bound:  # a float would call 29 of 100 more than 0.29
        return "max_delete_ratio", f"the policy allows {policy.max_delete_ratio:.0%} of them at once"
    return None


def _disagreement(count: int, allow_deletes: int) -> tuple[str, str] | None:
    return ("max_deletes", f"--allow-deletes says {allow_deletes}") if count > max(allow_deletes, 1) else None
