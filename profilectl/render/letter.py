"""A message before it goes out: the bubble as the customer will see it, with all that hangs on it, and who gets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from profilectl.names import visible
from profilectl.render.face import bubble, plain_bubble

if TYPE_CHECKING:
    from rich.console import RenderableType

    from profilectl.model import Link
    from profilectl.render.face import Face


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A picture that goes along."""

    name: str  # the file's, as the person named it
    media_type: str
    size: int  # bytes that are uploaded


def draft_bubble(
    face: Face,
    recipient: str,
    width: int,
    *,
    enclosure: Enclosure | None = None,
    quick_replies: tuple[str, ...] = (),
    links: tuple[Link, ...] = (),
) -> RenderableType:
    """Draw a message that hasn't been sent; every string is made visible and never read as markup.

    Args:
        face: who speaks, and what they say.
        recipient: "@ada", "12345", or both, for people.
        width: columns that may be used.
        enclosure: the picture that goes along.
        quick_replies: labels that the customer may tap.
        links: buttons beneath the message, each with where it leads.
    """
    from rich.console import Group
    from rich.constrain import Constrain
    from rich.text import Text

    parts: list[RenderableType] = [Text.assemble(("to ", "dim"), (visible(recipient), "bold")), bubble(face, width)]
    if enclosure is not None:
        parts.append(Text.assemble(("with ", "dim"), _enclosed(enclosure)))
    parts += [
        Text.assemble(
            ("[ ", "cyan"), (visible(link.label), "bold cyan"), (" ]", "cyan"), (f" {visible(link.url)}", "dim")
        )
        for link in links
    ]
    if quick_replies:
        parts.append(Text("to tap:", "dim"))
        chips = [f"({visible(label)})" for label in quick_replies]
        parts += [Text(line, "cyan", overflow="fold") for line in _lines(chips, width)]
    return Constrain(Group(*parts), width)


def plain_draft(
    face: Face,
    recipient: str,
    *,
    enclosure: Enclosure | None = None,
    quick_replies: tuple[str, ...] = (),
    links: tuple[Link, ...] = (),
) -> str:
    """Say the same in plain lines, for terminals that understand no more than that."""
    lines = [f"to {visible(recipient)}", plain_bubble(face)]
    if enclosure is not None:
        lines.append(f"with {_enclosed(enclosure)}")
    lines += [f"[ {visible(link.label)} ] {visible(link.url)}" for link in links]
    if quick_replies:
        lines += ["to tap:", "  ".join(f"({visible(label)})" for label in quick_replies)]
    return "\n".join(lines)


def _enclosed(enclosure: Enclosure) -> str:
    kind = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "animated GIF"}[enclosure.media_type]
    amount = f"{enclosure.size / 1e6:.1f} MB" if enclosure.size >= 1e6 else f"{max(1, round(enclosure.size / 1e3))} kB"
    return f"{visible(enclosure.name)} ({kind}, {amount})"


def _lines(chips: list[str], width: int) -> list[str]:
    """Put as many chips on a line as fit, so that none is broken which has room on a line of its own."""
    from rich.cells import cell_len

    lines: list[str] = []
    for chip in chips:
        if lines and cell_len(lines[-1]) + 2 + cell_len(chip) <= width:
            lines[-1] += f"  {chip}"
        else:
            lines.append(chip)
    return lines
