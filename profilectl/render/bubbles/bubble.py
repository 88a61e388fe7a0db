"""What a customer sees of an agent, drawn for a terminal: round picture, bubble, and the public name beneath."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from profilectl.model import Link, ShortRepr, Survey
from profilectl.render.layout import folded, is_disputed
from profilectl.text.escape import isolated, visible

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment
    from rich.text import Text

    from profilectl.pictures.attachments import Attachment
    from profilectl.render.bubbles.images import ImageProtocol

_MOST_ROWS: Final = 8
_DRAFT_ROWS: Final = 4  # of a portrait above a question: text and question have to be seen together
_WIDEST: Final = 72  # columns of picture and bubble together: a line that is pleasant to read
_GAPS: Final = 3  # columns around the picture and behind the bubble
_FRAME: Final = 4  # columns of a frame and of the blanks within
_PLACEHOLDER: Final = (207, 217, 222)  # a disc in X's own grey, where there is no picture
_CARDS: Final = {
    Survey.CSAT: "followed by X's feedback card: how satisfied, 1 to 5",
    Survey.NPS: "followed by X's feedback card: how likely to recommend, 0 to 10",
}
_FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "animated GIF"}

Pixel = tuple[int, int, int]  # red, green, blue
Row = list[Pixel | None]


class AgentCard(ShortRepr, frozen=True):
    """One agent as one brand shows it, and a message from it."""

    unshown = frozenset({"picture"})

    agent: str  # the key; for the person who looks after the roster, never shown to customers
    name: str  # public
    kind: str  # "human" | "bot"; for the same person, as customers learn it from the name alone
    handle: str  # the brand's, without @
    picture: bytes | None  # as prepared for upload
    media_type: str | None  # of `picture`
    text: str


def bubble(
    card: AgentCard, width: int, graphics: ImageProtocol | None = None, *, most_rows: int = _MOST_ROWS
) -> RenderableType:
    """Draw a message as X does, in `width` columns: the picture beside it, one line with the name beneath.

    Without `graphics` the picture is drawn in half blocks; it shrinks and goes where there are few columns, and it has
    at most so many rows.
    """
    from rich.console import Group
    from rich.constrain import Constrain
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from profilectl.render.bubbles.images import place

    # An even number, as two pixels share a character cell; below 32 columns the text needs all of them.
    side = min(16 if width >= 56 else 10 if width >= 32 else 0, 2 * most_rows)
    room = min(width, _WIDEST) - side - _GAPS if side else width
    message = framed(_lines(card.text), room, "bright_black")
    name = Text.assemble((isolated(visible(card.name)), "bold"), "  ", (f"@{visible(card.handle)}", "dim"))
    bubble_and_name = Group(message, Padding(name, (0, 0, 0, 2)))
    if side == 0:
        return Constrain(bubble_and_name, width)
    grid = Table.grid(padding=(0, 1))
    grid.width = min(width, _WIDEST)
    grid.add_column(width=side, no_wrap=True, vertical="bottom")
    grid.add_column(ratio=1, vertical="bottom", overflow="fold")
    if graphics is None or not card.picture:
        grid.add_row(_Portrait(_disc(card.picture, side)), bubble_and_name)
        return grid
    # Rich would count the sequence as columns, so it lays out blanks, and the picture is drawn over them.
    grid.add_row(Text("\n".join([" " * side] * (side // 2))), bubble_and_name)
    return Group(grid, _Overlay(place(card.picture, graphics, side, side // 2)))


def framed(lines: Sequence[str], room: int, colour: str) -> RenderableType:
    """Return lines of a message that are safe to print in a frame of at most `room` columns.

    The frame is open at its right where terminals disagree about the width of a line: its edge would be crooked there.
    """
    from rich.box import ROUNDED, Box
    from rich.panel import Panel
    from rich.text import Text

    rows = folded(lines, max(room - _FRAME, 1))
    is_open = any(map(is_disputed, rows))
    box = Box("\n".join(row[:3] + " " for row in str(ROUNDED).splitlines())) if is_open else ROUNDED
    return Panel.fit(Text("\n".join(map(isolated, rows)), no_wrap=True), box=box, border_style=colour)


class _Portrait(Struct, frozen=True):
    """Rows of pixels, in the colours that the terminal has."""

    rows: list[Row]

    def __rich_console__(self, console: Console, _options: ConsoleOptions) -> Iterator[RenderableType]:
        yield _half_blocks(self.rows, console.color_system)


class _Overlay(Struct, frozen=True):
    """A sequence for the terminal that takes no place among the lines."""

    sequence: str

    def __rich_console__(self, _console: Console, _options: ConsoleOptions) -> Iterator[Segment]:
        from rich.segment import ControlType, Segment

        # Any control code will do: Rich writes the text of a control segment as it is, and doesn't measure it.
        yield Segment(self.sequence, None, [(ControlType.CARRIAGE_RETURN,)])


def plain_bubble(card: AgentCard) -> str:
    """Return the same in plain lines, for pipes and for terminals without colour: the message, then the name."""
    message = [f"| {line}".rstrip() for line in _lines(card.text)]
    return "\n".join([*message, f"  {visible(card.name)}  @{visible(card.handle)}"])


def _lines(text: str) -> list[str]:
    return [visible(line) for line in text.replace("\r\n", "\n").split("\n")]


def _disc(picture: bytes | None, side: int) -> list[Row]:
    """Return rows of pixels inside of a circle; None where the terminal's own background stays."""
    rows: list[Row] = _pixels(picture, side) if picture else [[_PLACEHOLDER] * side for _ in range(side)]
    middle = (side - 1) / 2
    for y, row in enumerate(rows):
        for x in range(side):
            if (x - middle) ** 2 + (y - middle) ** 2 > (side / 2) ** 2:
                row[x] = None
    return rows


def _pixels(picture: bytes, side: int) -> list[Row]:
    from PIL import Image

    with Image.open(io.BytesIO(picture), formats=("JPEG", "PNG")) as image:
        small = image.convert("RGBA").resize((side, side), Image.Resampling.LANCZOS).tobytes()
    flat: Row = [
        (red, green, blue) if alpha >= 128 else None
        for red, green, blue, alpha in zip(small[::4], small[1::4], small[2::4], small[3::4], strict=True)
    ]
    return [flat[start : start + side] for start in range(0, len(flat), side)]


def _half_blocks(rows: list[Row], colours: str | None) -> Text:
    """Put two rows of pixels into each line, the upper one as foreground of ``▀``, the lower one as background."""
    from rich.text import Text

    lines = zip(rows[::2], rows[1::2], strict=True)
    return Text("\n").join(Text.assemble(*_cells(upper, lower, colours)) for upper, lower in lines)


def _cells(upper: Row, lower: Row, colours: str | None) -> Iterator[tuple[str, str]]:
    for above, below in zip(upper, lower, strict=True):
        # A pixel that isn't there has no style either, so that the terminal's own background shows.
        styles = [_style(pixel, colours) for pixel in (above, below) if pixel]
        yield "▀" if above else "▄" if below else " ", " on ".join(styles)


def _style(pixel: Pixel, colours: str | None) -> str:
    """Return Rich's name of a pixel's colour, of one that the terminal has."""
    if colours in {"256", "standard", "windows"}:
        from profilectl.render.bubbles.colours import nearest

        return f"color({nearest(pixel, is_standard=colours != '256')})"
    return "#{:02x}{:02x}{:02x}".format(*pixel)


class Draft(Struct, frozen=True):
    """A message that hasn't been sent; every string may hold anything."""

    card: AgentCard
    recipient: str  # "@ada (12345)" or "12345", for people
    attachment: Attachment | None = None
    quick_replies: tuple[str, ...] = ()  # labels that the customer may tap
    links: tuple[Link, ...] = ()  # buttons beneath the message
    survey: Survey | None = None  # what a feedback card asks after it
    before: tuple[tuple[str, ...], ...] = ()
    """The customer's last words and who answered, or why they aren't shown: lines in parts, of which each may be
    written in another direction."""


def draft_bubble(draft: Draft, width: int) -> RenderableType:
    """Draw a message that hasn't been sent, in `width` columns; its strings are made visible, never read as markup."""
    from rich.console import Group
    from rich.constrain import Constrain
    from rich.text import Text

    recipient = Text.assemble(("to ", "dim"), (visible(draft.recipient), "bold"))
    parts: list[RenderableType] = [Text(line, "dim") for line in folded(_before(draft), width)]
    parts += [recipient, bubble(_seen_card(draft), width, most_rows=_DRAFT_ROWS)]
    if draft.attachment is not None and draft.card.text:
        parts.append(Text.assemble(("with ", "dim"), _attached(draft.attachment)))
    parts += [
        Text.assemble(
            ("[ ", "cyan"), (visible(link.label), "bold cyan"), (" ]", "cyan"), (f" {visible(link.url)}", "dim")
        )
        for link in draft.links
    ]
    if draft.quick_replies:
        parts.append(Text("to tap:", "dim"))
        chips = [f"({visible(label)})" for label in draft.quick_replies]
        parts += [Text(line, "cyan", overflow="fold") for line in _draft_lines(chips, width)]
    if draft.survey is not None:
        parts.append(Text(_CARDS[draft.survey], "dim"))
    return Constrain(Group(*parts), width)


def plain_draft(draft: Draft) -> str:
    """Return the same in plain lines, for terminals that understand no more than that."""
    lines = [*_before(draft), f"to {visible(draft.recipient)}", plain_bubble(_seen_card(draft))]
    if draft.attachment is not None and draft.card.text:
        lines.append(f"with {_attached(draft.attachment)}")
    lines += [f"[ {visible(link.label)} ] {visible(link.url)}" for link in draft.links]
    if draft.quick_replies:
        lines += ["to tap:", "  ".join(f"({visible(label)})" for label in draft.quick_replies)]
    if draft.survey is not None:
        lines.append(_CARDS[draft.survey])
    return "\n".join(lines)


def _before(draft: Draft) -> list[str]:
    """Return the lines above a message, safe to print, in which every part keeps its place."""
    return ["".join(isolated(visible(part)) for part in line) for line in draft.before]


def _seen_card(draft: Draft) -> AgentCard:
    """Return what the bubble shows: in the place of a text that isn't there, the picture that goes out alone."""
    if draft.card.text or draft.attachment is None:
        return draft.card
    return replace(draft.card, text=_attached(draft.attachment))


def _attached(attachment: Attachment) -> str:
    size = len(attachment.content)
    amount = f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"
    return f"{visible(attachment.name)} ({_FORMATS[attachment.media_type]}, {amount})"


def _draft_lines(chips: list[str], width: int) -> list[str]:
    """Put as many chips on a line as fit, so that none is broken which has room on a line of its own."""
    from rich.cells import cell_len

    lines: list[str] = []
    for chip in chips:
        if lines and cell_len(lines[-1]) + 2 + cell_len(chip) <= width:
            lines[-1] += f"  {chip}"
        else:
            lines.append(chip)
    return lines
