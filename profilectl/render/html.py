"""What customers will see, as one HTML page to pass around: no script, no network, nothing outside of the file."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from profilectl.errors import InputRefused
from profilectl.model import ShortRepr
from profilectl.plan.changes import Action, Reason
from profilectl.render.phrases import SYMBOLS, reason, remedy, summary
from profilectl.text.escape import visible
from profilectl.text.initials import capital, initials

if TYPE_CHECKING:
    from profilectl.plan.builder import Plan
    from profilectl.plan.changes import Change
    from profilectl.render.bubbles.bubble import AgentCard


_TEMPLATES: Final = Path(__file__).parent / "templates"
_PIECES: Final = 1000  # of a page that are put together at a time: a long plan has millions of them
_TELEPHONE: Final = Path(__file__).parent.parent / "telephone"  # the look that the sandbox's pages have, too
_SPACES: Final = re.compile(r"(\s+)")
_SAMPLE_TEXT: Final = "Hello! How can I help you today?"
_NOBODY_BEFORE: Final = {
    Action.CREATE: "Nobody yet",
    Action.ADOPT: "Nobody yet",
    Action.RENAME: "Nobody",
    Action.BLOCKED: "X hasn't shown yet what became of an earlier create",
}
LARGEST_PICTURES: Final = 15_000_000
"""Bytes of all pictures on a page, which has one for each agent: one file and a long roster would make gigabytes."""

_GONE: Final = "Nobody any more: the profile is gone from X"


def preview_page(handle: str, cards: Sequence[AgentCard]) -> str:
    """Return a page with a telephone for each agent, as customers of the brand `handle` (without @) will see it.

    Raises:
        InputRefused: their pictures are more than `LARGEST_PICTURES`.
    """
    _require_room(cards)
    return fill("preview.html", handle=handle, cards=cards)


def sheet_page(handle: str, cards: Sequence[AgentCard], day: date, file: str, digest: str) -> str:
    """Return a page with the picture and name of every agent, to be printed and approved.

    `file` is the roster and `digest` that of its text; InputRefused as for `preview_page`.
    """
    _require_room(cards)
    return fill("sheet.html", handle=handle, cards=cards, day=day.isoformat(), file=file, digest=digest)


def _require_room(cards: Sequence[AgentCard]) -> None:
    size = sum(len(card.picture or b"") for card in cards)
    if size > LARGEST_PICTURES:
        figures = f"{size // 1_000_000:,} MB of pictures, at most {LARGEST_PICTURES // 1_000_000}"
        raise InputRefused(
            f"the page of {len(cards):,} agents would have {figures}", hint="make one for each brand, or for each agent"
        )


def fill(template: str, **values: object) -> str:
    """Return a page made from a template; every string is escaped, and what can't be seen in it is spelled out."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([_TEMPLATES, _TELEPHONE]),
        autoescape=True,  # names come from people's files and from X: each could hold markup
        undefined=StrictUndefined,  # else a misspelt value would be an empty place on the page, and no error
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=visible, message=_message, portrait=_portrait)
    environment.tests["a_bot"] = _bot_name().search
    pieces = environment.get_template(template).stream(values)
    pieces.enable_buffering(_PIECES)
    return "".join(pieces)


@cache
def _bot_name() -> re.Pattern[str]:
    return re.compile((_TELEPHONE / "bot_name.regex").read_text(encoding="utf-8"), re.IGNORECASE | re.VERBOSE)


def _portrait(shown: AgentCard | ShownAppearance) -> str:
    # The picture inside of its own address: the page must show it without a network, and when it is passed on alone.
    if not shown.picture:
        return ""
    return f"data:{shown.media_type};base64,{base64.b64encode(shown.picture).decode()}"


def _message(text: str) -> str:
    return "\n".join(visible(line) for line in text.replace("\r\n", "\n").split("\n"))


class ShownAppearance(ShortRepr, frozen=True):
    """A plan's `Appearance` with its picture instead of the picture's digest."""

    unshown = frozenset({"picture"})

    name: str  # public
    picture: bytes | None = None  # encoded; None when it couldn't be had
    media_type: str | None = None  # of `picture`
    note: str = ""  # about this appearance, for the person who reviews

    @property
    def initials(self) -> str:
        """Up to two letters in the place of a picture."""
        return "".join(map(capital, initials(self.name)[:2]))


class ShownChange(Struct, frozen=True):
    """One change with what customers see before and after it; None where nobody is seen."""

    change: Change
    handle: str  # the brand's, without @
    before: ShownAppearance | None
    after: ShownAppearance | None
    remedy: str | None = None  # the command that helps a blocked agent

    @property
    def changed_words(self) -> tuple[tuple[str, bool], ...]:
        """The name that customers see afterwards in pieces, each with whether it wasn't there before.

        Empty where there is nothing to compare, or the name stays.
        """
        if self.before is None or self.after is None or self.before.name == self.after.name:
            return ()
        from difflib import SequenceMatcher

        former, latter = (_SPACES.split(shown.name) for shown in (self.before, self.after))
        pieces = []
        for step, _, _, begin, end in SequenceMatcher(None, former, latter, autojunk=False).get_opcodes():
            if text := "".join(latter[begin:end]):
                pieces.append((text, step != "equal" and not text.isspace()))
        return tuple(pieces)

    @property
    def has_new_picture(self) -> bool:
        """Whether customers who know the agent will see another picture."""
        reasons = {Reason.AVATAR, Reason.SWAPPED}
        return self.before is not None and self.after is not None and not reasons.isdisjoint(self.change.why)

    @property
    def nobody_before(self) -> str:
        """What stands where nobody is seen before the change."""
        # A repair creates as well, but of a profile that customers have seen.
        return _GONE if self.change.is_repair else _NOBODY_BEFORE.get(self.change.action, _GONE)


def compare(
    change: Change, handle: str, before: ShownAppearance | None, after: ShownAppearance | None, options: str
) -> ShownChange:
    """Put before and after beside each other; `options` are those with which a command means the same roster and X."""
    return ShownChange(change, handle, before, after, remedy(change, options) if change.is_blocked else None)


def plan_page(plan: Plan, changes: Sequence[ShownChange], where: str = "") -> str:
    """Return a page with a plan's summary, its digest, what speaks against it, and its changes in their order.

    `where` is a `phrases.place`.
    """
    return fill(
        "plan.html",
        summary=summary(plan, where),
        refused=plan.refused,
        digest=plan.digest,
        changes=changes,
        reasons={shown.change: reason(shown.change) for shown in changes},
        symbols=SYMBOLS,
        text=_SAMPLE_TEXT,
    )
