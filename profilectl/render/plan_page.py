"""A plan as one HTML page: for each change both faces side by side, as customers see them before and after."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from profilectl.changes import Action
from profilectl.render.pages import fill
from profilectl.render.wording import SYMBOLS, reason, remedy, summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from profilectl.changes import Change
    from profilectl.plan import Plan

_SAID = "Hello! How can I help you today?"
_NOBODY_BEFORE = {
    Action.CREATE: "Nobody yet",
    Action.ADOPT: "Nobody yet",
    Action.BLOCKED: "X hasn't shown yet what became of an earlier create",
}
_GONE = "Nobody any more: the profile is gone from X"


@dataclass(frozen=True, slots=True)
class Sight:
    """What customers see of an agent at one moment.

    Attributes:
        name: public.
        picture: encoded; None when it couldn't be had.
        media_type: of `picture`.
        note: for the person who reviews, about this face.
    """

    name: str
    picture: bytes | None = field(default=None, repr=False)
    media_type: str | None = None
    note: str = ""

    @property
    def initials(self) -> str:
        """Up to two letters or digits in the place of a picture."""
        words = ("".join(filter(str.isalnum, word)) for word in self.name.partition(",")[0].split())
        return "".join(word[0] for word in words if word)[:2].upper()


@dataclass(frozen=True, slots=True)
class Comparison:
    """One change with both of its faces; None where nobody is seen."""

    change: Change
    handle: str  # the brand's, without @
    before: Sight | None
    after: Sight | None
    remedy: str | None = None  # the command that helps a blocked agent

    @property
    def nobody_before(self) -> str:
        """What stands in the place of an earlier face."""
        return _GONE if self.change.is_repair else _NOBODY_BEFORE.get(self.change.action, _GONE)

    @property
    def nobody_after(self) -> str:
        """What stands in the place of a later face."""
        return "Nobody any more"


def compare(change: Change, handle: str, before: Sight | None, after: Sight | None, options: str) -> Comparison:
    """Put two faces beside each other; `options` are what a command needs to speak of the same roster and X."""
    helps = remedy(change, options) if change.action is Action.BLOCKED else None
    return Comparison(change, handle, before, after, helps)


def plan_page(plan: Plan, comparisons: Sequence[Comparison]) -> str:
    """Return a page that needs no network and runs nothing; names are escaped, and what hides in them is spelled out.

    Args:
        plan: for its summary, its digest, and what speaks against it.
        comparisons: one per change, in the order of the plan.
    """
    return fill(
        "plan.html",
        summary=summary(plan),
        refused=plan.refused,
        digest=plan.digest,
        comparisons=comparisons,
        reasons={one.change: reason(one.change) for one in comparisons},
        symbols=SYMBOLS,
        said=_SAID,
    )
