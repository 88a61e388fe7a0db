"""A plan as GitHub-flavoured Markdown, for pull requests.

Whatever came from a file or from X stands in code spans: GitHub reads no markup, mention, reference or address there.
The addresses of pictures are the exception, each in an element of its own, encoded so that nothing ends it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import Struct

from profilectl.api.urls import check_picture_url
from profilectl.errors import Refused
from profilectl.ledger.location import KNOWN_ELSEWHERE
from profilectl.plan.namesakes import is_unbound, lost_brands, lost_ledger, recover_command
from profilectl.render.phrases import SYMBOLS, picture_change, reason, remedy, summary
from profilectl.text.escape import isolated, visible

if TYPE_CHECKING:
    from profilectl.plan.builder import Plan
    from profilectl.plan.changes import Change

_HEADERS = ("", "brand", "agent", "change", "why", "name", "picture changed")
_FACES = ("now", "new")
_SIDE = 64  # pixels


class Faces(Struct, frozen=True):
    """Where the pictures of one change can be seen: addresses, None where there is no picture to see."""

    now: str | None
    new: str | None


def plan_document(plan: Plan, options: str, faces: Mapping[Change, Faces] | None = None, where: str = "") -> str:
    """Return a title with the summary, what speaks against the plan, its changes as a table, and its digest.

    `options` are those with which a command means the same roster and X, with a space before them. With `faces` the
    table shows two pictures for each change, from https addresses only. `where` is a `phrases.place`.
    """
    parts = [f"### Custom profiles: {summary(plan, code(where))}"]
    if plan.refused is not None:
        allow = f" {plan.refused.ways_on}." if plan.refused.ways_on else ""
        parts.append(f"> **Refused:** {code(plan.refused.message)}.{allow}")
    if plan.changes:
        parts.append("\n".join(_table(plan, faces)))
    blocked = [*_blocked(plan, options)]
    if blocked:
        parts.append("\n".join(["**Blocked**", "", *blocked]))
    parts.append(f"Plan {code(plan.digest)}")
    return "\n\n".join(parts)


def code(text: str) -> str:
    """Return foreign text as a code span (GFM 6.3); empty text has none."""
    shown = visible(text)
    if not shown:
        return ""
    # A fence that is longer than any row of backticks inside: no shorter row ends the span.
    fence = "`" * (1 + max((len(row) for row in re.findall("`+", shown)), default=0))
    # GFM strips one space at each end, so a text that begins or ends with one, or with a backtick, gets one more.
    pad = " " if shown.strip(" ") and (shown[0] in "` " or shown[-1] in "` ") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _cell(text: str) -> str:
    # A table is split at pipes before code spans are read (GFM 4.10), so those are escaped even inside of a span.
    return re.sub(r"(\\*)\|", lambda match: match[1] * 2 + r"\|", code(text))


def _table(plan: Plan, faces: Mapping[Change, Faces] | None) -> Iterator[str]:
    headers = _HEADERS if faces is None else (*_HEADERS, *_FACES)
    yield f"| {' | '.join(headers)} |"
    yield "|" + " --- |" * len(headers)
    for change in plan.changes:
        cells = (
            f"`{SYMBOLS[change.action]}`",
            _cell(change.brand),
            _cell(change.agent),
            change.action.value,
            reason(change),
            _names(change),
            {None: "", True: "yes", False: "no"}[picture_change(change)],
            *(() if faces is None else map(image, (faces[change].now, faces[change].new))),
        )
        yield f"| {' | '.join(cells)} |"


def image(address: str | None) -> str:
    """Return an image as an HTML element that can stand in a table; empty for no address, or one that isn't https."""
    try:
        checked = check_picture_url(address or "")
    except Refused:
        return ""
    if not checked.startswith("https://"):  # a page on https shows no others
        return ""
    # pipes, quotes, backticks, white space and brackets are percent-encoded, what is encoded already stays
    encoded = quote(checked, safe="%/:?=&+,;~@!$()*'")
    return f'<img src="{html.escape(encoded)}" width="{_SIDE}" alt="">'


def _names(change: Change) -> str:
    names = [side.name for side in (change.before, change.after) if side is not None]
    # Below one another, and each for itself: a name that is written from right to left would turn the arrow around.
    return "<br>→ ".join(isolated(_cell(name)) for name in dict.fromkeys(names))


def _blocked(plan: Plan, options: str) -> Iterator[str]:
    lost = lost_brands(plan.changes)
    for brand, number in lost.items():
        command = code(recover_command(brand, options))
        yield f"- {lost_ledger(code(brand), number)}: {KNOWN_ELSEWHERE} {command} binds them"
    for change in plan.changes:
        if change.is_blocked and not (is_unbound(change) and change.brand in lost):
            yield _obstacle(change, options)


def _obstacle(change: Change, options: str) -> str:
    who = f"- {code(change.agent)} of {code(change.brand)}: {reason(change)}"
    command = remedy(change, options)
    if command is None:
        return f"{who}; run the same command again later"
    return f"{who} ({code(change.profile_id or '')}); if it is the agent's, run {code(command)}"
