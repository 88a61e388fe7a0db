"""A ledger as lines of JSON, for any engine: written, judged, and read into an empty ledger again.

The first line says which tables with which columns follow, the last one how many rows there were and the digest of all
bytes before it, so that a file that was cut off is noticed. Between them each row is a line, table by table in the
order of `schema.TABLES`, and by the table's key. Every line is the one canonical JSON of its content (ASCII, keys
sorted, no spaces), so the same ledger is the same file, byte for byte, whichever engine keeps it.

What is about the place and not about the content stays where it is: see `PLACE_TABLES` and `PLACE_NAMES`.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

from msgspec import Struct
from msgspec.json import decode

from profilectl.audit import chain
from profilectl.errors import LedgerRefused
from profilectl.ledger import schema

if TYPE_CHECKING:
    from profilectl.ledger.schema import Row, Value
    from profilectl.ledger.store import Engine, Execute

NAME: Final = "profilectl.ledger-export/1"
PLACE_TABLES: Final = frozenset({"leases"})
"""Tables about who holds a ledger; they aren't part of what it knows."""

PLACE_NAMES: Final = frozenset({"moved_to", "arriving_from"})
"""Rows of ``meta`` that say where a ledger went, or came from."""

_PAGE: Final = 500  # rows that are in memory at a time
_LONGEST: Final = 8 * 1024 * 1024  # bytes of a line; the longest has the ids of all profiles, 200,000 at most
_BITS: Final = {"INTEGER": 31, "BIGINT": 63}  # what PostgreSQL keeps; SQLite keeps 63 in either
_MOST_PROBLEMS: Final = 100  # a file of another kind has one in every line


class Sink(Protocol):
    """Takes an export piece by piece: a file, or what only computes."""

    def write(self, data: bytes, /) -> object:
        """Take some more bytes."""


class Extent(Struct, frozen=True):
    """How much an export holds."""

    rows: int
    digest: str  # of all lines but the last


class Problem(Struct, frozen=True):
    """What is wrong in a line, counted from 1."""

    line: int
    message: str


class Verdict(Struct, frozen=True):
    """What a file was found to be; it may be read into a ledger only without problems."""

    extent: Extent
    problems: tuple[Problem, ...]


class Column(Struct, frozen=True):
    """A column of a table; `bits` of its numbers, 0 for a text."""

    name: str
    bits: int
    is_nullable: bool


class Table(Struct, frozen=True):
    """A table as its statement in `schema.TABLES` makes it."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]  # further columns that no two rows share
    references: tuple[tuple[str, str], ...]  # a column, and the table whose key it holds

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]


@functools.cache
def tables() -> tuple[Table, ...]:
    """Return the tables that an export has, read from `schema.TABLES`."""
    made = (_table(" ".join(text.split())) for text in schema.TABLES if text.startswith("CREATE TABLE"))
    return tuple(table for table in made if table.name not in PLACE_TABLES)


def _table(statement: str) -> Table:
    name, body = re.fullmatch(r"CREATE TABLE (\w+) \((.*)\)", statement).groups()  # type: ignore[union-attr]  # ours
    parts = re.split(r", (?![^(]*\))", body)
    groups = {kind: [_words(part) for part in parts if part.startswith(kind)] for kind in ("PRIMARY KEY", "UNIQUE")}
    columns = [part for part in parts if not part.startswith(("PRIMARY KEY", "UNIQUE"))]
    own_key = [tuple(part.split()[:1]) for part in columns if part.endswith("PRIMARY KEY")]
    references = [(part.split()[0], part.partition("REFERENCES ")[2].split()[0]) for part in columns if "REFER" in part]
    return Table(
        name,
        tuple(Column(part.split()[0], _BITS.get(part.split()[1], 0), "NOT NULL" not in part) for part in columns),
        (*own_key, *groups["PRIMARY KEY"])[0],
        tuple(groups["UNIQUE"]),
        tuple(references),
    )


def _words(part: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", part.partition("(")[2]))


def write(execute: Execute, sink: Sink) -> Extent:
    """Write all that a ledger knows, within one moment of it, and return how much that is."""
    counting = _Counting(sink)
    counting.write(_canonical({"format": schema.FORMAT, "schema": NAME, "tables": _layout()}))
    rows = 0
    for table in tables():
        for page in _pages(execute, table):
            kept = [_as_of_now(table, row) for row in page if not _is_of_place(table, row)]
            counting.write(b"".join(_line(table, row) for row in kept))
            rows += len(kept)
    extent = Extent(rows, counting.digest)
    sink.write(_canonical({"digest": extent.digest, "rows": rows}))
    return extent


class _Counting:
    """Passes bytes on, and digests them."""

    def __init__(self, sink: Sink | None = None) -> None:
        import hashlib

        self._sink = sink
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._hash.update(data)
        if self._sink is not None:
            self._sink.write(data)

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


class Nowhere:
    """A sink for who only wants to know the extent."""

    def write(self, data: bytes, /) -> None:
        """Forget the bytes."""


def _layout() -> dict[str, list[str]]:
    return {table.name: table.names for table in tables()}


def _pages(execute: Execute, table: Table) -> Iterator[list[Row]]:
    """Yield the rows of a table by its key, some at a time."""
    # the parts are names of our own tables and columns
    select = f"SELECT {', '.join(table.names)} FROM {table.name}"  # noqa: S608
    key = ", ".join(table.key)
    behind = f"({key}) > ({', '.join(f':{name}' for name in table.key)})"
    where = ""
    last: dict[str, Value] = {}
    while page := execute(f"{select}{where} ORDER BY {key} LIMIT :most", most=_PAGE, **last):
        yield page
        where, last = f" WHERE {behind}", {name: page[-1][table.names.index(name)] for name in table.key}


def _as_of_now(table: Table, row: Row) -> Row:
    """Return a row as this version writes it: a reader doesn't bring the tables of an earlier format up."""
    return ("format", str(schema.FORMAT)) if table.name == "meta" and row[0] == "format" else row


def _is_of_place(table: Table, row: Row) -> bool:
    return table.name == "meta" and row[0] in PLACE_NAMES


def _line(table: Table, row: Row) -> bytes:
    return _canonical({"row": dict(zip(table.names, row, strict=True)), "table": table.name})


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def judge(file: BinaryIO, pipe: BinaryIO | None = None) -> Verdict:
    """Read an export from its beginning to its end and return every problem in it; nothing is kept in memory but keys.

    The audit trail's chain is verified as well, see `chain.verify`. What comes through a `pipe` is copied into the file
    as far as it is judged, so that endless input, which has nothing of an export, fills no disk.
    """
    file.seek(0)
    judged = _Judge()
    for line in iter(functools.partial((pipe or file).readline, _LONGEST), b""):
        if pipe is not None:
            file.write(line)
        judged.take(line)
        if judged.is_hopeless:
            break
    else:
        judged.end()
        judged.problems += _broken_chain(file) if not judged.problems else ()
    problems = sorted(judged.problems, key=lambda problem: problem.line)
    return Verdict(Extent(judged.rows, judged.digest), tuple(problems[:_MOST_PROBLEMS]))


def is_header(line: bytes) -> bool:
    """Say whether a line may be the first one of an export, of this version or another one."""
    content = _content(line)
    return content is not None and content.get("schema") == NAME


class _Judge:
    """Takes the lines of an export one after the other."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.rows = 0
        self.is_hopeless = False  # what follows would only be more of the same
        self._number = 0
        self._counting = _Counting()
        self._is_over = False
        self._place = 0  # of the table, among `tables`
        self._last_key: tuple[Any, ...] = ()
        self._keys: dict[tuple[str, tuple[str, ...]], set[tuple[Any, ...]]] = {}

    @property
    def digest(self) -> str:
        return self._counting.digest

    def take(self, line: bytes) -> None:
        """Judge the next line."""
        self._number += 1
        content = _content(line)
        if self._is_over:
            self._note("comes after the last line of the export")
            self.is_hopeless = True
        elif self._number == 1:
            self._take_header(content)
            self._counting.write(line)
        elif content is None:
            self._note("isn't a line that an export has")
        elif content.keys() == {"digest", "rows"}:
            self._take_footer(content)
        else:
            self._take_row(content)
            self._counting.write(line)
        self.is_hopeless = self.is_hopeless or len(self.problems) >= _MOST_PROBLEMS

    def end(self) -> None:
        """Judge that no line is left."""
        if not self._is_over:
            self._number += 1
            self._note("is missing, and with it the count and the digest: the file was cut off")

    def _note(self, message: str) -> None:
        self.problems.append(Problem(self._number, message))

    def _take_header(self, header: dict[str, Any] | None) -> None:
        self.is_hopeless = True
        if header is None or header.get("schema") != NAME:
            self._note(f"isn't the first line of a ledger's export, which names {NAME}")
        elif header.get("format") != schema.FORMAT:
            which = f"was written with tables of format {header.get('format')}; this version has {schema.FORMAT}"
            self._note(f"{which}: export the ledger once more, with this version")
        elif header.get("tables") != _layout():
            self._note("names other tables or columns than this version has")
        else:
            self.is_hopeless = False

    def _take_footer(self, footer: dict[str, Any]) -> None:
        self._is_over = True
        if footer["rows"] != self.rows:
            self._note(f"counts {footer['rows']} rows, but {self.rows} are there")
        if footer["digest"] != self.digest:
            self._note("has another digest than the lines above it: one of them was changed")

    def _take_row(self, content: dict[str, Any]) -> None:
        self.rows += 1
        table = next((table for table in tables() if table.name == content.get("table")), None)
        row = content.get("row")
        if table is None or not isinstance(row, dict) or len(content) != 2:
            self._note("isn't a row of a table that this version has")
        elif sorted(row) != sorted(table.names):
            self._note(f"has other columns than {table.name}")
        elif wrong := [column.name for column in table.columns if not _fits(row[column.name], column)]:
            self._note(f"has a value that {table.name} can't hold in {', '.join(wrong)}")
        elif table.name == "meta" and row["name"] in PLACE_NAMES:
            self._note(f"says {row['name']}, which isn't part of what a ledger knows")
        else:
            self._judge_place(table, row)

    def _judge_place(self, table: Table, row: dict[str, Any]) -> None:
        """Judge a row by those before it."""
        place, key = tables().index(table), tuple(row[name] for name in table.key)
        if place < self._place or (place == self._place and key <= self._last_key):
            self._note(f"isn't where its key belongs in {table.name}, or is there twice")
        self._place, self._last_key = place, key
        for names in table.unique:
            values = tuple(row[name] for name in names)
            if values in self._known(table.name, names):
                self._note(f"has the {' and '.join(names)} of an earlier row of {table.name}")
            self._known(table.name, names).add(values)
        if any(goal == table.name for other in tables() for _, goal in other.references):
            self._known(table.name, table.key).add(key)
        for name, goal in table.references:
            if (row[name],) not in self._known(goal, _key_of(goal)):
                self._note(f"names a {name} that {goal} doesn't have")

    def _known(self, table: str, names: tuple[str, ...]) -> set[tuple[Any, ...]]:
        return self._keys.setdefault((table, names), set())


def _key_of(name: str) -> tuple[str, ...]:
    return next(table.key for table in tables() if table.name == name)


def _content(line: bytes) -> dict[str, Any] | None:
    """Return what a line says; None unless it is the canonical text of an object."""
    try:
        content = json.loads(line)
        return content if isinstance(content, dict) and _canonical(content) == line else None
    except (ValueError, RecursionError):
        return None


def _fits(value: object, column: Column) -> bool:
    if value is None:
        return column.is_nullable
    if column.bits:
        return type(value) is int and -(2**column.bits) <= value < 2**column.bits
    # PostgreSQL keeps no NUL, and neither engine half of a surrogate pair
    return isinstance(value, str) and "\0" not in value and not re.search("[\ud800-\udfff]", value)


def _broken_chain(file: BinaryIO) -> list[Problem]:
    """Return the line at which the audit trail isn't what was once written, if there is one."""
    number = 0

    def records() -> Iterator[chain.Record]:
        nonlocal number
        file.seek(0)
        for number, line in enumerate(file, start=1):  # noqa: B007 - the last one is told
            content = decode(line)
            if content.get("table") == "audit":
                yield chain.Record(**content["row"])

    def understood(accepted: frozenset[tuple[int, str]]) -> Iterator[chain.Record]:
        for record in records():
            if (record.seq, record.mark) not in accepted:
                _ = record.event  # LedgerRefused where it can't be understood
            yield record

    try:
        accepted = chain.accepted_breaks(records())
        seq = chain.verify(understood(accepted), accepted=accepted)
    except LedgerRefused as error:
        return [Problem(number, error.message)]
    return [] if seq is None else [Problem(number, f"breaks the chain of the audit trail at record {seq}")]


def is_empty(execute: Execute) -> bool:
    """Say whether a ledger knows nothing yet."""
    contents = (table for table in tables() if table.name != "meta")
    return not any(execute(f"SELECT 1 FROM {table.name} LIMIT 1") for table in contents)  # noqa: S608 - our table


def clear(execute: Execute) -> None:
    """Delete all that a ledger knows; its place stays."""
    for table in reversed(tables()):
        if table.name != "meta":
            execute(f"DELETE FROM {table.name}")  # noqa: S608 - our table


def load(execute: Execute, file: BinaryIO) -> Extent:
    """Write the rows of an export without problems into an empty ledger, within a transaction; return what was read.

    That the file is still the one that was judged is for the caller to compare, before the transaction ends.
    """
    for name in execute("SELECT name FROM meta"):
        if name[0] not in PLACE_NAMES:
            execute("DELETE FROM meta WHERE name = :name", name=name[0])
    counting, rows = _Counting(), 0
    for table, page in _read_pages(file, counting):
        execute(_insertion(table, len(page)), **_numbered(table, page))
        rows += len(page)
    return Extent(rows, counting.digest)


def _read_pages(file: BinaryIO, counting: _Counting) -> Iterator[tuple[Table, list[dict[str, Value]]]]:
    file.seek(0)
    known = {table.name: table for table in tables()}
    name = ""
    page: list[dict[str, Value]] = []
    for number, line in enumerate(file):
        content = decode(line)
        if content.keys() == {"digest", "rows"}:
            break
        counting.write(line)
        if number == 0:
            continue
        if page and (content["table"] != name or len(page) == _PAGE):
            yield known[name], page
            page = []
        name = content["table"]
        page.append(content["row"])
    if page:
        yield known[name], page


def _insertion(table: Table, count: int) -> str:
    groups = (", ".join(f":{name}_{number}" for name in table.names) for number in range(count))
    values = ", ".join(f"({group})" for group in groups)
    return f"INSERT INTO {table.name} ({', '.join(table.names)}) VALUES {values}"  # noqa: S608 - our names


def _numbered(table: Table, page: list[dict[str, Value]]) -> dict[str, Value]:
    return {f"{name}_{number}": row[name] for number, row in enumerate(page) for name in table.names}


def import_into(engine: Engine, file: BinaryIO, judged: Extent) -> None:
    """Write an export, which was judged to have no problems, into an empty ledger, whole or not at all.

    Raises:
        LedgerRefused: the ledger isn't empty, or the file has changed since it was judged.
    """
    with engine.transaction() as execute:
        if not is_empty(execute):
            raise LedgerRefused("the ledger isn't empty, so nothing is imported into it")
        if load(execute, file) != judged:
            raise LedgerRefused("the file has changed while it was read", hint="run the command again")
