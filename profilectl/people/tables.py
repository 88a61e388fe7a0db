"""Tables of people: CSV as spreadsheets save it, and JSON lines; every cell knows its line and column.

What is wrong with a file is collected, and listed all at once. Everything is bounded before it is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from profilectl.errors import RosterRefused
from profilectl.model import Problem
from profilectl.people.encodings import NotDecodable, decode
from profilectl.text.escape import excerpt, visible

LARGEST: Final = 20_000_000  # bytes of a file: 20,000 people with a kilobyte each
MOST_ROWS: Final = 20_000  # as many agents as a roster may have
MOST_COLUMNS: Final = 300  # directories export some sixty
LONGEST_CELL: Final = 4_000  # characters: an address has at most 2,000, and notes are nobody's name
MOST_PROBLEMS: Final = 1000  # of one file that are listed
_DEEPEST: Final = 4  # objects in one another in a line of JSON: {"profile": {"name": {"first": …}}}

_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}
_SEPARATOR_LINE: Final = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)  # which Excel reads, and some exports write
_GUARDED: Final = re.compile(r"'+\s*[=+\-@|%＝＋－＠]")  # noqa: RUF001 - as `render.spreadsheets` guards its cells
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # XLSX and ODS are ZIP files, XLS is a compound file
_END: Final = re.compile(r"\r\n|\n|\r|\Z")

Place = tuple[int, int]
"""Line and column, both from 1."""


class Row(Struct, frozen=True):
    """One person of a list: the cells that hold something, by header, and where they stand."""

    line: int
    cells: Mapping[str, str]
    places: Mapping[str, Place]

    def place(self, header: str | None) -> Place:
        """Return where a cell stands; where the row begins for one that it hasn't."""
        return self.places.get(header or "", (self.line, 1))


class Table(Struct, frozen=True):
    """A list of people without errors in its form."""

    file: str
    form: str  # for people: "CSV with semicolons"
    encoding: str  # for people: "Windows-1252"
    headers: tuple[str, ...]
    rows: tuple[Row, ...]


class Problems:
    """What is wrong with a list of people, at its places."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._noted: list[Problem] = []
        self._names: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._noted)

    def note(self, place: Place, path: str, message: str) -> None:
        """Note one thing; `path` is the column or the agent that it is about, or empty."""
        name = self._names.get(path.partition(".")[0])
        whose = "" if name is None else f' (the row of "{excerpt(name, 40)}")'
        self._noted.append(Problem(self.file, *place, visible(path), f"{message}{whose}"))

    def call(self, key: str, name: str) -> None:
        """Have everything noted of an agent from now on say the name as well: nobody can find the key in the list."""
        self._names[key] = name

    def refuse(self) -> None:
        """Raise RosterRefused with everything that was noted, in file order; nothing when there is nothing."""
        if self._noted:
            raise self.refusal()

    def refusal(self) -> RosterRefused:
        """Return the exception that tells everything that was noted."""
        ordered = sorted(self._noted, key=lambda problem: (problem.line, problem.column))
        listed = ordered[:MOST_PROBLEMS]
        if len(ordered) > len(listed):
            message = f"{len(ordered)} problems; the first {MOST_PROBLEMS} are listed, mend those and look again"
            listed.append(Problem(self.file, 0, 0, "", message, "warning"))
        count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
        message = f"{visible(self.file)} has {count}; nothing was written"
        return RosterRefused(message, problems=tuple(listed), hint="mend the list, or its columns with --map")


def table_of(entries: Iterable[Mapping[str, Any]], file: str, form: str) -> Table:
    """Return people whom a directory has answered with, as a list; the number of each stands for its line.

    Raises:
        RosterRefused: a cell is longer than `LONGEST_CELL`.
    """
    problems = Problems(file)
    rows = []
    for number, entry in enumerate(entries, 1):
        texts = ((key, text) for key, text in _flat(entry, "") if text)
        cells = {key: text for key, text in texts if _is_short(text, (number, 1), key, problems)}
        rows.append(Row(number, cells, {}))
    problems.refuse()
    headers = dict.fromkeys(key for row in rows for key in row.cells)
    return Table(file, form, "UTF-8", tuple(headers), tuple(rows))


def read_table(content: bytes, file: str) -> Table:
    """Return the people of a CSV file or of JSON lines; the first character says which of both.

    Args:
        content: of the file, at most `LARGEST` bytes.
        file: what problems call it.

    Raises:
        RosterRefused: `problems` holds everything that is wrong with its form, each with line and column.
    """
    problems = Problems(file)
    if content.startswith(_WORKBOOKS):
        problems.note((1, 1), "", "a workbook of a spreadsheet: save it as CSV (UTF-8), and name that file")
        raise problems.refusal()
    try:
        decoded = decode(content)
    except NotDecodable as error:
        problems.note((error.line, error.column), "", error.message)
        raise problems.refusal() from None
    text = decoded.text
    if (at := text.find("\0")) >= 0:
        problems.note(_place(text, at), "", "a NUL character, which no list of people holds")
        raise problems.refusal()
    if text.lstrip()[:1] in {"{", "["}:
        headers, rows = _json_rows(text, problems)
        form = "JSON lines"
    else:
        delimiter, start = _delimiter(text)
        headers, rows = _csv_rows(text, delimiter, start, problems)
        form = f"CSV with {_DELIMITERS[delimiter]}"
    if not rows and not problems:
        problems.note((1, 1), "", "no people: a list has a line of column names, and a line for each person")
    problems.refuse()
    return Table(file, form, decoded.encoding, headers, tuple(rows))


def _place(text: str, at: int) -> Place:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


# CSV


def _delimiter(text: str) -> tuple[str, int]:
    """Return what separates the cells, and where the header begins: by Excel's own line, else the most frequent one."""
    named = _SEPARATOR_LINE.match(text)
    if named is not None:
        return named[1], named.end()
    line = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").partition("\n")[0])
    return max(_DELIMITERS, key=lambda mark: (line.count(mark), mark == ",")), 0


class _Record(Struct, frozen=True):
    line: int
    cells: tuple[tuple[str, Place], ...]


def _records(text: str, delimiter: str, start: int, problems: Problems) -> Iterator[_Record]:
    """Yield the lines of a CSV text (RFC 4180) that hold anything; quoted cells may hold line ends."""
    plain = re.compile(f"[^{delimiter}\r\n]*")
    quoted = re.compile(r'"((?:[^"]|"")*+)"')
    at, line, line_start = start, text.count("\n", 0, start) + 1, start
    while at < len(text):
        cells: list[tuple[str, Place]] = []
        first_line = line
        while True:
            place = line, at - line_start + 1
            cell, end = _cell(text, at, quoted, plain, place, problems)
            if (breaks := text.count("\n", at, end)) > 0:
                line += breaks
                line_start = text.rfind("\n", at, end) + 1
            cells.append((cell, place))
            at = end
            if text[at : at + 1] != delimiter:
                break
            at += 1
        ending = _END.match(text, at)
        at = ending.end() if ending is not None else len(text)
        line, line_start = line + 1, at
        if any(cell for cell, _ in cells):
            yield _Record(first_line, tuple(cells))


def _cell(
    text: str, at: int, quoted: re.Pattern[str], plain: re.Pattern[str], place: Place, problems: Problems
) -> tuple[str, int]:
    """Return the cell that begins at an offset, and where it ends."""
    if text[at : at + 1] == '"':
        match = quoted.match(text, at)
        if match is None:
            problems.note(place, "", "the quote that opens here isn't closed")
            return "", len(text)
        rest = plain.match(text, match.end())
        if rest is not None and rest[0].strip():
            problems.note(place, "", 'text after the closing quote; write a quote inside of a cell twice: ""')
        return match[1].replace('""', '"').strip(), rest.end() if rest is not None else match.end()
    match = plain.match(text, at)
    return (match[0].strip(), match.end()) if match is not None else ("", at)


def _csv_rows(text: str, delimiter: str, start: int, problems: Problems) -> tuple[tuple[str, ...], list[Row]]:
    records = _records(text, delimiter, start, problems)
    head = next(records, None)
    if head is None:
        return (), []
    headers = _headers(head, problems)
    rows: list[Row] = []
    for record in records:
        if len(rows) == MOST_ROWS:
            problems.note((record.line, 1), "", f"more than {MOST_ROWS} people")
            break
        extra = [place for cell, place in record.cells[len(headers) :] if cell]
        if extra:
            problems.note(extra[0], "", f"{len(record.cells)} cells, but the header names {len(headers)} columns")
        if 1 < len(record.cells) < len(headers):
            message = f"{len(record.cells)} cells, but the header names {len(headers)} columns"
            problems.note((record.line, 1), "", message)
        cells, places = {}, {}
        for header, (cell, place) in zip(headers, record.cells, strict=False):
            if header and cell and _is_short(cell, place, header, problems):
                cells[header], places[header] = _unguarded(cell), place
        if cells:
            rows.append(Row(record.line, cells, places))
    return tuple(header for header in headers if header), rows


def _headers(head: _Record, problems: Problems) -> list[str]:
    headers: list[str] = []
    if len(head.cells) > MOST_COLUMNS:
        problems.note((head.line, 1), "", f"{len(head.cells)} columns, at most {MOST_COLUMNS}")
        raise problems.refusal()
    for cell, place in head.cells:
        if cell and cell in headers:
            problems.note(place, "", f'two columns are called "{excerpt(cell, 40)}"')
        if cell and not _is_short(cell, place, "", problems):
            continue
        headers.append(cell)
    return headers


def _is_short(cell: str, place: Place, header: str, problems: Problems) -> bool:
    if len(cell) <= LONGEST_CELL:
        return True
    problems.note(place, header, f"{len(cell)} characters in one cell, at most {LONGEST_CELL}")
    return False


def _unguarded(cell: str) -> str:
    """Return a cell without the apostrophe that keeps a spreadsheet from calculating it."""
    return cell[1:] if _GUARDED.match(cell) else cell


# JSON lines


def _json_rows(text: str, problems: Problems) -> tuple[tuple[str, ...], list[Row]]:
    headers: dict[str, None] = {}
    rows: list[Row] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if len(rows) == MOST_ROWS:
            problems.note((number, 1), "", f"more than {MOST_ROWS} people")
            break
        cells = _json_cells(line, number, problems)
        if cells:
            headers |= dict.fromkeys(cells)
            rows.append(Row(number, cells, {}))
    if len(headers) > MOST_COLUMNS:
        problems.note((1, 1), "", f"{len(headers)} keys, at most {MOST_COLUMNS}")
    return tuple(headers), rows


def _json_cells(line: str, number: int, problems: Problems) -> dict[str, str]:
    def no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        for key in dict.fromkeys(key for key in keys if keys.count(key) > 1):
            problems.note((number, 1), "", f'the key "{excerpt(key, 40)}" twice')
        return dict(pairs)

    try:
        entry = json.loads(line, object_pairs_hook=no_twins)
    except json.JSONDecodeError as error:
        problems.note((number, error.colno), "", f"not JSON: {error.msg.lower()}; each line is one person's object")
        return {}
    except (RecursionError, ValueError):
        problems.note((number, 1), "", "not JSON that can be read: too deep, or a number without end")
        return {}
    if not isinstance(entry, dict):
        problems.note((number, 1), "", 'expected an object such as {"name": "Alice F."}')
        return {}
    texts = ((key, text) for key, text in _flat(entry, "") if text)
    return {key: text for key, text in texts if _is_short(text, (number, 1), key, problems)}


def _flat(entry: Mapping[str, Any], before: str, depth: int = 1) -> Iterator[tuple[str, str]]:
    """Yield the texts of an object and of those in it, by their names with dots between."""
    for key, value in entry.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _flat(value, f"{name}.", depth + 1)
        elif isinstance(value, bool):
            yield name, str(value).lower()
        elif isinstance(value, str):
            yield name, value.strip()
        elif isinstance(value, int | float):
            yield name, str(value)
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            yield name, " ".join(value)
