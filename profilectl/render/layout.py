"""Rows on a terminal: a table where there is room for it, blocks of lines elsewhere; nothing is padded at its end.

Terminals disagree about the width of some names (emoji sequences, Indic clusters). So names come last in their row or
have lines to themselves, where a width that was guessed wrong moves nothing else.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.style import Style
    from rich.text import Text

NARROW = 90
"""Columns of a terminal below which there are blocks instead of tables."""

_GAP = 2  # columns between two cells
_LEAST_ROOM = 24  # columns for the last cell; with less, its text would be cut into slivers
_INDENT = 4  # columns before the lines of a block


_JOINER = "\u200d"
_JOINS = frozenset(f"{_JOINER}\u200c\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")  # and five skin tones
_SELECTOR = "\ufe0f"  # asks for the coloured form of a symbol, which is two columns wide


class Unpadded(Struct, frozen=True):
    """What Rich draws, without the spaces that it puts at the end of each line.

    They show nothing, go along into what is copied, and break a line where a terminal takes a name for wider.
    """

    drawing: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the drawing's segments; spaces wait until something follows them on their line."""
        from rich.segment import Segment

        spaces: list[Segment] = []
        for segment in console.render(self.drawing, options):
            if segment.control:
                yield segment
                continue
            for part in segment.text.splitlines(keepends=True):
                text = part.rstrip("\n")
                shown = text.rstrip(" ") if _is_bare(segment.style) else text
                if shown:
                    yield from spaces
                    yield Segment(shown, segment.style)
                    spaces = []
                spaces.append(Segment(text[len(shown) :], segment.style))
                if part.endswith("\n"):
                    yield Segment.line()
                    spaces = []


def _is_bare(style: Style | None) -> bool:
    """Say whether a space in this style shows nothing."""
    return style is None or not (style.bgcolor or style.underline or style.reverse or style.strike)


class Cell(Struct, frozen=True):
    """What stands under one heading: lines that are safe to print, and how Rich styles them."""

    lines: tuple[str, ...]
    style: str = ""

    @staticmethod
    def of(text: str, style: str = "") -> Cell:
        """Return a cell with one line, or without any for an empty text."""
        return Cell((text,) if text else (), style)


class Rows(Struct, frozen=True):
    """Cells under headings; Rich draws it as a table or as blocks, by the room that there is.

    Columns without any content are left out. In a block the first `leading` cells share a line, and the others follow
    below, each with its heading, but for `unlabelled` ones.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    leading: int = 1
    unlabelled: frozenset[str] = frozenset()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield one `Text` for each line."""
        shown = [place for place, _ in enumerate(self.headings) if any(row[place].lines for row in self.rows)]
        rows = [[row[place] for place in shown] for row in self.rows]
        headings = [self.headings[place] for place in shown]
        leading = sum(place < self.leading for place in shown)
        widths = _widths(headings, rows)
        room = options.max_width - sum(widths[:-1]) - _GAP * len(widths[:-1])
        # Two columns are facts below one another, which is what blocks would be as well.
        is_table = len(shown) <= 2 or (options.max_width >= NARROW and room >= min(_LEAST_ROOM, widths[-1]))
        if is_table:
            yield from _table(headings, rows, widths, max(room, _LEAST_ROOM))
        else:
            yield from self._blocks(headings, rows, leading, options.max_width)

    def _blocks(
        self, headings: Sequence[str], rows: Sequence[Sequence[Cell]], leading: int, width: int
    ) -> Iterator[Text]:
        for row in rows:
            yield _joined([(line, cell.style) for cell in row[:leading] for line in cell.lines[:1]], " ")
            labels = [
                "" if heading in self.unlabelled else heading
                for heading, cell in zip(headings, row, strict=True)
                if cell.lines
            ]
            column = max((len(label) for label in labels[leading:]), default=0)
            for heading, cell in zip(headings[leading:], row[leading:], strict=True):
                label = "" if heading in self.unlabelled else heading
                before = " " * _INDENT + (f"{label:<{column}}" + " " * _GAP if label else "")
                yield from _wrapped(cell, before, width)


def _table(headings: Sequence[str], rows: Sequence[Sequence[Cell]], widths: Sequence[int], room: int) -> Iterator[Text]:
    if any(headings):
        yield _joined(
            [
                *((_padded(word, width), "bold") for word, width in zip(headings, widths[:-1], strict=False)),
                (headings[-1], "bold"),
            ],
            " " * _GAP,
        )
    for row in rows:
        last = folded(row[-1].lines, room)
        height = max([len(cell.lines) for cell in row[:-1]] + [len(last), 1])
        for number in range(height):
            cells = [
                (_padded(_line(cell.lines, number), width), cell.style)
                for cell, width in zip(row[:-1], widths[:-1], strict=True)
            ]
            ending = _line(last, number)
            yield _joined([*cells, (ending, row[-1].style)], " " * _GAP)


def _line(lines: Sequence[str], number: int) -> str:
    return lines[number] if number < len(lines) else ""


def _joined(parts: Sequence[tuple[str, str]], gap: str) -> Text:
    """Return a line of styled parts, without spaces at its end."""
    from rich.text import Text

    line = Text(end="\n", overflow="ignore", no_wrap=True)
    for number, (text, style) in enumerate(parts):
        line.append(f"{gap if number else ''}{text}", style=style or None)
    line.rstrip()
    return line


def _wrapped(cell: Cell, before: str, width: int) -> Iterator[Text]:
    from rich.text import Text

    for number, line in enumerate(folded(cell.lines, max(width - len(before), _LEAST_ROOM))):
        lead = before if number == 0 else " " * len(before)
        text = Text(end="\n", overflow="ignore", no_wrap=True)
        text.append(lead, style="dim")
        text.append(line, style=cell.style or None)
        text.rstrip()
        yield text


def folded(lines: Sequence[str], room: int) -> list[str]:
    """Return lines that fit into so many columns of any terminal, broken at spaces where there are some."""
    rows: list[str] = []
    for line in lines:
        if most_cells(line) <= room:
            rows.append(line)
            continue
        text = line.lstrip(" ")
        current = " " * (len(line) - len(text))
        for word in text.split(" "):
            longer = f"{current} {word}" if current.strip() else current + word
            if most_cells(longer) <= room:
                current = longer
                continue
            if current.strip():
                rows.append(current)
            *full, current = _chopped(word, room)
            rows += full
        rows.append(current)
    return rows


def most_cells(text: str) -> int:
    """Return the columns of a text in the terminal that gives it most of them: without sequences of several characters.

    Terminals disagree about emoji of several parts, flags, and the vowel signs of Indic scripts; none shows more.
    """
    return len(text) if text.isascii() else sum(map(_most_cells_of, text))


def _most_cells_of(char: str) -> int:
    if char == _SELECTOR:
        return 1
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    is_wide = unicodedata.east_asian_width(char) in {"W", "F"} or char >= "\U0001f000"
    return 2 if is_wide else 1


def is_disputed(text: str) -> bool:
    """Say whether terminals disagree about how wide a text is, so that nothing may stand behind it in a column."""
    from rich.cells import cell_len

    return not text.isascii() and (
        _SELECTOR in text
        or most_cells(text) != cell_len(text)
        or any(unicodedata.category(char) == "Mc" for char in text)
    )


def _chopped(word: str, room: int) -> list[str]:
    """Return a word in parts of so many columns at most; no letter is parted from its marks, no emoji cut in two."""
    parts = [""]
    columns = 0
    for cluster in _clusters(word):
        wide = most_cells(cluster)
        if parts[-1] and columns + wide > room:
            parts.append("")
            columns = 0
        parts[-1] += cluster
        columns += wide
    return parts


def _clusters(word: str) -> Iterator[str]:
    """Yield what a person takes for a letter: a character with its marks, an emoji with its parts, a flag."""
    cluster = ""
    for char in word:
        is_flag = _is_region(char) and len(cluster) == 1 and _is_region(cluster)
        goes_on = unicodedata.category(char)[0] == "M" or char in _JOINS or cluster.endswith(_JOINER)
        if cluster and not (goes_on or is_flag):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


def _is_region(char: str) -> bool:
    """Say whether a character is half of a flag."""
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _padded(text: str, width: int) -> str:
    from rich.cells import cell_len

    return text + " " * (width - cell_len(text))


def _widths(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[int]:
    from rich.cells import cell_len

    return [
        max([cell_len(heading), *(cell_len(line) for row in rows for line in row[place].lines)])
        for place, heading in enumerate(headings)
    ]
