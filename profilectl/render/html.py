"""What customers will see, as one HTML page to pass around: no script, no network, nothing outside of the file."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from profilectl.plan.changes import Action
from profilectl.render.phrases import SYMBOLS, reason, remedy, summary
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.plan.builder import Plan
    from profilectl.plan.changes import Change
    from profilectl.render.bubble import AgentCard


_TEMPLATES: Final = Path(__file__).parent / "templates"
_TELEPHONE: Final = Path(__file__).parent.parent / "telephone"  # the look that the sandbox's pages have, too


class Pictured(Protocol):
    """Whatever has a picture."""

    @property
    def picture(self) -> bytes | None:
        """Encoded, or None."""

    @property
    def media_type(self) -> str | None:
        """Of the picture."""


def preview_page(handle: str, faces: Sequence[AgentCard]) -> str:
    """Return a page with one telephone per agent, as the brand's customers will see them.

    The agent's key and kind stand beneath the telephone, for the person who looks after the roster; customers are
    shown neither.

    Args:
        handle: the brand's, without @.
        faces: in the order of the page.
    """
    return fill("preview.html", handle=handle, faces=faces)


def fill(template: str, **values: object) -> str:
    """Return a page made from a template; every string is escaped, and what can't be seen in it is spelled out."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([_TEMPLATES, _TELEPHONE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=visible, message=_message, portrait=_portrait)
    environment.tests["a_bot"] = _bot_name().search
    return environment.get_template(template).render(values)


@cache
def _bot_name() -> re.Pattern[str]:
    return re.compile((_TELEPHONE / "bot_name.regex").read_text(encoding="utf-8"), re.IGNORECASE | re.VERBOSE)


def _portrait(shown: Pictured) -> str:
    """The picture inside of its own address; empty when there is none."""
    if not shown.picture:
        return ""
    return f"data:{shown.media_type};base64,{base64.b64encode(shown.picture).decode()}"


def _message(text: str) -> str:
    return "\n".join(visible(line) for line in text.replace("\r\n", "\n").split("\n"))


_SAMPLE_TEXT = "Hello! How can I help you today?"
_NOBODY_BEFORE = {
    Action.CREATE: "Nobody yet",
    Action.ADOPT: "Nobody yet",
    Action.BLOCKED: "X hasn't shown yet what became of an earlier create",
}
_GONE = "Nobody any more: the profile is gone from X"


@dataclass(frozen=True, slots=True)
class ShownAppearance:
    """What customers see of an agent at one moment.

    Attributes:
        name: public.
        picture: encoded; None when it couldn't be had.
        media_type: of `picture`.
        note: for the person who reviews, about this appearance.
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
    """One change with what customers see before and after it; None where nobody is seen."""

    change: Change
    handle: str  # the brand's, without @
    before: ShownAppearance | None
    after: ShownAppearance | None
    remedy: str | None = None  # the command that helps a blocked agent

    @property
    def nobody_before(self) -> str:
        """What stands where nobody is seen before the change."""
        return _GONE if self.change.is_repair else _NOBODY_BEFORE.get(self.change.action, _GONE)

    @property
    def nobody_after(self) -> str:
        """What stands where nobody is seen after the change."""
        return "Nobody any more"


def compare(
    change: Change, handle: str, before: ShownAppearance | None, after: ShownAppearance | None, options: str
) -> Comparison:
    """Put before and after beside each other; `options` make a command speak of the same roster and X."""
    command = remedy(change, options) if change.is_blocked else None
    return Comparison(change, handle, before, after, command)


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
        reasons={comparison.change: reason(comparison.change) for comparison in comparisons},
        symbols=SYMBOLS,
        text=_SAMPLE_TEXT,
    )
