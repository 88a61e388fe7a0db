"""Small changes of a TOML text: a value is set, a pair or a table taken out, a table put in; the rest isn't touched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from msgspec import Struct

from profilectl.toml.layout import Pair, Section, Span, Value, read_layout
from profilectl.toml.paths import Path, dotted
from profilectl.toml.spelling import spelled, spelled_key

_BLANK = re.compile(r"[ \t\r\n]*")


class CannotSplice(Exception):
    """A change that can't be made without touching more than that; the message says what is in its way."""


class Place(Struct, frozen=True):
    """A pair, and what it stands in: a section, or an inline table within one."""

    pair: Pair
    section: Section
    base: Path  # of the table that its key starts from
    inline: Value | None = None

    def prefix_of(self, path: Path) -> Span | None:
        """Return where the parts of a dotted key that spell the rest of `path` stand; None where it isn't dotted so."""
        depth = len(path) - len(self.base)
        is_below = self.pair.path[: len(path)] == path and 0 < depth < len(self.pair.keys)
        return (self.pair.start, self.pair.keys[depth][0]) if is_below else None


class Table(Struct, frozen=True):
    """A table that is to come."""

    path: Path
    lines: Sequence[str]  # of its fields
    is_entry: bool = False  # of an array of tables

    @property
    def header(self) -> str:
        """The line that it begins with."""
        return f"[[{joined(self.path)}]]" if self.is_entry else f"[{joined(self.path)}]"


class Text:
    """A text that tomli accepts, and its layout; each change returns the text that is to follow."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sections = read_layout(text)

    @cached_property
    def places(self) -> list[Place]:
        """Every pair of the text, those in inline tables behind the one that holds them."""
        return [place for section in self.sections for place in _places(section, section.path, section.pairs, None)]

    def find(self, path: Path) -> Place | None:
        """Return the pair that gives exactly this path its value."""
        return next((place for place in self.places if place.pair.path == path), None)

    def has_table(self, path: Path) -> bool:
        """Say whether there are headers or dotted keys at or below a path."""
        size = len(path)
        return any(section.path[:size] == path for section in self.sections) or any(
            place.pair.path[:size] == path for place in self.places
        )

    def replaced(self, *splices: tuple[int, int, str]) -> str:
        """Return the text with other words in some spans, which don't overlap."""
        text = self.text
        for start, end, words in sorted(splices, reverse=True):
            text = text[:start] + words + text[end:]
        return text

    # Values

    def with_value(self, path: Path, value: Any) -> str:
        """Set the value at a path, where it stands or where it belongs."""
        place = self.find(path)
        if place is None:
            if self.has_table(path):
                raise CannotSplice(f"{dotted(path)} is a table of its own; set what is in it")
            return self._with_new_value(path, value)
        old = place.pair.value
        if old.kind == "array" and isinstance(value, list):
            return self._with_array(place, old, value)
        return self.replaced((old.start, old.end, spelled(value)))

    def _with_array(self, place: Place, old: Value, value: list[Any]) -> str:
        import tomli

        items = tomli.loads(f"items = {self.text[old.start : old.end]}")["items"]
        if items and items == value[: len(items)]:  # what is there stays, with the comments beside it
            more = value[len(items) :]
            end = old.items[-1].end
            if not old.has_comment and "\n" not in self.text[old.start : old.end]:
                return self.replaced((end, end, "".join(f", {spelled(item)}" for item in more)))
            start = old.items[-1].start
            gap = self.text[self.text.rfind("\n", 0, start) + 1 : start]
            if more and not gap.strip():  # each item has a line of its own
                newline = newline_at(self.text, start)
                return self.replaced((end, end, "".join(f",{newline}{gap}{spelled(item)}" for item in more)))
        if old.has_comment:
            raise CannotSplice(f"the comments in {dotted(place.pair.path)} would be lost")
        return self.replaced((old.start, old.end, spelled(value)))

    def _with_new_value(self, path: Path, value: Any) -> str:
        parent, key = path[:-1], str(path[-1])
        line = f"{spelled_key(key)} = {spelled(value)}"
        section = next((section for section in self.sections if section.path == parent), None)
        if section is not None:
            return self._with_line(section, line)
        holder = self.find(parent)
        if holder is not None:
            if holder.pair.value.kind != "inline":
                what = (
                    "lists brands, and holds nothing that differs in one" if parent[-1] == "brands" else "is no table"
                )
                raise CannotSplice(f"{dotted(parent)} {what}")
            return self._in_braces(holder.pair.value, line)
        beside = [(place, span) for place in self.places if (span := place.prefix_of(parent))]
        if beside:
            place, (start, end) = beside[-1]
            return self._beside(place, self.text[start:end] + line)
        below = [section for section in self.sections if section.path[: len(parent)] == parent]
        own = [section for section in self.sections if section.path[:2] == path[:2]]
        if own and _is_brand_table(path) and isinstance(value, dict):
            return self.with_sections([Table(path, lines_of(value))], after=own[-1].content_end)
        if below:
            start, newline = below[0].start, newline_at(self.text, below[0].start)
            return self.replaced((start, start, f"[{joined(parent)}]{newline}{line}{newline}{newline}"))
        return self._with_new_value(parent, {key: value})

    def _with_line(self, section: Section, line: str) -> str:
        """Put a line behind the last pair of a section, indented alike, or right behind its header."""
        if not section.pairs:
            if not section.keys:
                return self.replaced((0, 0, f"{line}{newline_at(self.text, 0)}"))
            return self._with_line_after(section.end, line)
        last = section.pairs[-1]
        return self._with_line_after(last.value.end, self._indentation(last.start) + line)

    def _beside(self, place: Place, line: str) -> str:
        end = place.pair.value.end
        if place.inline is not None:
            return self.replaced((end, end, f", {line}"))
        return self._with_line_after(end, self._indentation(place.pair.start) + line)

    def _in_braces(self, table: Value, line: str) -> str:
        if table.pairs:
            end = table.pairs[-1].value.end
            return self.replaced((end, end, f", {line}"))
        return self.replaced((table.start, table.end, f"{{ {line} }}"))

    # What goes

    def without_value(self, path: Path) -> str:
        """Take out what gives a path its value, or all that stands below it."""
        text, size = self, len(path)
        while True:
            section = next((section for section in text.sections if section.path[:size] == path), None)
            if section is not None:
                text = Text(text._without_section(section))
                continue
            place = next((place for place in text.places if place.pair.path[:size] == path), None)
            if place is None:
                return text.text
            text = Text(text._without_pair(place))

    def without_entry(self, path: Path) -> str:
        """Take out one entry of an array of tables, or of an array."""
        for section in self.sections:
            if section.path == path:
                return self._without_section(section)
        holder = self.find(path[:-1])
        if holder is None or not isinstance(path[-1], int):
            raise CannotSplice(f"there is no {dotted(path)}")
        array = holder.pair.value
        if len(array.items) == 1:
            return self._without_pair(holder)
        if array.has_comment:
            raise CannotSplice(f"the comments in {dotted(path[:-1])} would be lost")
        spans = [(item.start, item.end) for item in array.items]
        return self.replaced((*_with_comma(spans, path[-1]), ""))

    def _without_pair(self, place: Place) -> str:
        pair = place.pair
        if place.inline is None:
            return self.replaced((*lines_at(self.text, pair.start, pair.value.end), ""))
        others = place.inline.pairs
        if len(others) == 1:
            return self.replaced((place.inline.start, place.inline.end, "{}"))
        spans = [(other.start, other.value.end) for other in others]
        return self.replaced((*_with_comma(spans, others.index(pair)), ""))

    def _without_section(self, section: Section) -> str:
        start, end = span_of_table(self.text, section.start, section.content_end)
        return self.replaced((start, end, ""))

    # Tables that come

    def with_sections(self, tables: Sequence[Table], *, after: int | None) -> str:
        """Put tables behind the line that a place is on, or at the end of the file."""
        place = len(self.text) if after is None else self._end_of_remarks(lines_at(self.text, after, after)[1])
        newline = newline_at(self.text, place)
        words = f"{newline}{newline}".join(newline.join([table.header, *table.lines]) for table in tables)
        before, following = self.text[:place], self.text[place:]
        if not before.endswith("\n") and before:  # the file's last line has no end, and goes on without
            return f"{before}{newline}{newline}{words}"
        gap = "" if _ends_blank(before, len(before)) else newline
        is_crowded = following.strip() and following.lstrip(" \t\r")[:1] != "\n"
        return f"{before}{gap}{words}{newline}{newline if is_crowded else ''}{following}"

    def _end_of_remarks(self, place: int) -> int:
        """Return where comment lines end that stand right behind a table's last value, and not right before another."""
        end = place
        while self.text[end:].lstrip(" \t").startswith("#"):
            end = lines_at(self.text, end, end)[1]
        following = self.text[end:].lstrip(" \t\r")
        return end if not following or following.startswith("\n") else place

    # Lines

    def _with_line_after(self, offset: int, line: str) -> str:
        newline, end = newline_at(self.text, offset), self.text.find("\n", offset)
        if end == -1:
            return f"{self.text}{newline}{line}"
        return self.replaced((end + 1, end + 1, f"{line}{newline}"))

    def _indentation(self, start: int) -> str:
        before = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        return before if not before.strip(" \t") else ""


def _places(section: Section, base: Path, pairs: list[Pair], inline: Value | None) -> Iterator[Place]:
    for pair in pairs:
        yield Place(pair, section, base, inline)
        yield from _inner(section, pair.path, pair.value)


def _inner(section: Section, path: Path, value: Value) -> Iterator[Place]:
    if value.kind == "inline":
        yield from _places(section, path, value.pairs, value)
    for number, item in enumerate(value.items):
        yield from _inner(section, (*path, number), item)


def _with_comma(spans: list[Span], place: int) -> Span:
    """Return one of several items with the comma that goes with it."""
    if place < len(spans) - 1:
        return spans[place][0], spans[place + 1][0]
    return spans[place - 1][1], spans[place][1]


def _is_brand_table(path: Path) -> bool:
    """Say whether a path is of what differs for an agent in one brand."""
    return len(path) == 4 and path[0] == "agents" and path[2] == "brands"


def lines_at(text: str, start: int, end: int) -> Span:
    """Return the whole lines that a span is on."""
    last = text.find("\n", end)
    return text.rfind("\n", 0, start) + 1, len(text) if last == -1 else last + 1


def newline_at(text: str, offset: int) -> str:
    """Return how the lines around a place end: as the one before, else as the one that it is on."""
    place = text.rfind("\n", 0, offset)
    place = text.find("\n") if place == -1 else place
    return "\r\n" if place > 0 and text[place - 1] == "\r" else "\n"


def span_of_table(text: str, start: int, end: int) -> Span:
    """Return the lines of a table that goes, from its header to its last value, and the blank ones on one of its sides.

    Comments behind its last value aren't its own.
    """
    start, end = lines_at(text, start, end)
    rest = _BLANK.match(text, end)
    following = end if rest is None else rest.end()
    if following == len(text):  # the last of the file
        kept = len(text[:start].rstrip(" \t\r\n"))
        return (lines_at(text, kept, kept)[1] if kept else 0), len(text)
    return start, max(end, text.rfind("\n", end, following) + 1) if _ends_blank(text, start) else end


def _ends_blank(text: str, place: int) -> bool:
    """Say whether a text ends with a blank line at a place, or begins there."""
    last = text.rfind("\n", 0, place)
    former = text.rfind("\n", 0, max(last, 0))
    return place == 0 or (last != -1 and not text[last + 1 : place].strip() and not text[former + 1 : last].strip())


def joined(path: Path) -> str:
    """Return a path as a header spells it."""
    return ".".join(spelled_key(str(part)) for part in path)


def lines_of(fields: Mapping[str, Any]) -> list[str]:
    """Return a table's fields as lines."""
    return [f"{spelled_key(key)} = {spelled(value)}" for key, value in fields.items()]
