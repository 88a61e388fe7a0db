"""Where in a TOML text a key stands, which tomli doesn't return.

A small scanner that relies on tomli having accepted the text: it knows strings, comments, headers, dotted keys,
inline tables and arrays, and skips every other value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from profilectl.toml.paths import Path, spelled_key

_TOKEN = re.compile(
    # Possessive, because the engine keeps a record of every place that it may come back to: 100 bytes for a character.
    r'''(?P<space>[ \t\r\ufeff]+|\#[^\n]*)
      | (?P<newline>\n(?:[ \t\r\n]++|\#[^\n]*+)*+)
      | (?P<string>"""(?:[^"\\]++|\\.|"{1,2}+(?!"))*+"""{1,3} | \'\'\'.*?\'\'\'{1,3}
        | "(?:[^"\\\n]++|\\.)*+" | '[^'\n]*')
      | (?P<mark>[][{}=,.])
      | (?P<bare>[^\s\#"'\[\]{}=,.]+)''',
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str | None
    text: str
    offset: int


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "space":
            yield _Token(match.lastgroup, match[0], match.start())


@dataclass(slots=True)
class _Open:
    """A value that hasn't ended yet."""

    path: Path
    index: int | None  # of an array's next item; None: an inline table
    has_value: bool = False  # the current item has begun, whatever follows belongs to it


class _Scanner:
    """Reads the tokens once and notes where each path begins."""

    def __init__(self, text: str, keeps: Callable[[Path], bool]) -> None:
        self.offsets: dict[Path, int] = {}
        self._keeps = keeps
        self._tokens = _tokens(text)
        self._lengths: dict[Path, int] = {}  # of arrays of tables
        self._table: Path = ()
        self._open: list[_Open] = []

    def scan(self) -> dict[Path, int]:
        """Return the offset of every key, header and array item that is kept."""
        for token in self._tokens:
            if token.text == "[":
                self._header(token)
            elif token.kind in {"bare", "string"}:
                self._value_of(self._key(token, self._table))
                # The rest of a number or date looks like dotted keys.
                next((rest for rest in self._tokens if rest.kind == "newline"), None)
        return self.offsets

    def _note(self, path: Path, offset: int) -> None:
        if self._keeps(path):
            self.offsets.setdefault(path, offset)

    def _header(self, bracket: _Token) -> None:
        """Read ``[a.b]`` or ``[[a.b]]``; every table it opens stands at its bracket."""
        token = next(self._tokens)
        is_array = token.text == "["
        if is_array:
            token = next(self._tokens)
        path: Path = ()
        while True:
            path = (*path, _plain(token))
            if next(self._tokens).text == "]":
                break
            self._note(path, bracket.offset)
            path = self._current_item(path)
            token = next(self._tokens)
        if is_array:
            next(self._tokens)
            self._note(path, bracket.offset)
            self._lengths[path] = self._lengths.get(path, 0) + 1
        self._table = self._current_item(path)
        if self._keeps(self._table):
            self.offsets[self._table] = bracket.offset  # a child's header may have come before

    def _current_item(self, path: Path) -> Path:
        """Return `path`, or the newest table under it when it names an array of tables."""
        length = self._lengths.get(path)
        return path if length is None else (*path, length - 1)

    def _key(self, token: _Token, base: Path) -> Path:
        """Read a dotted key up to its equals sign, noting each of its parts."""
        while True:
            base = (*base, _plain(token))
            self._note(base, token.offset)
            if next(self._tokens).text == "=":
                return base
            token = next(self._tokens)

    def _value_of(self, path: Path) -> None:
        # With a stack of its own: tomli accepts nesting up to Python's limit, which a second recursion would pass.
        self._begin(path, next(self._tokens))
        while self._open:
            token = next(self._tokens)
            inner = self._open[-1]
            if token.text in {"]", "}"}:
                self._open.pop()
            elif token.text == ",":
                inner.index = None if inner.index is None else inner.index + 1
                inner.has_value = False
            elif token.kind != "newline" and not inner.has_value:
                inner.has_value = True
                if inner.index is None:
                    self._begin(self._key(token, inner.path), next(self._tokens))
                else:
                    self._begin((*inner.path, inner.index), token)

    def _begin(self, path: Path, token: _Token) -> None:
        self._note(path, token.offset)
        if token.text in {"[", "{"}:
            self._open.append(_Open(path, 0 if token.text == "[" else None))


def _plain(token: _Token) -> str:
    """Return the key that a bare or quoted token spells."""
    return spelled_key(token.text, is_bare=token.kind == "bare")


class Positions:
    """Lines and columns of what stands in one TOML text that tomli accepts.

    Args:
        text: of the file.
        keeps: says of each path whether anybody will ask for it; else everything is kept, which takes twenty times the
            memory of the text.
    """

    def __init__(self, text: str, keeps: Callable[[Path], bool] = lambda _path: True) -> None:
        text = text.replace("\r\n", "\n")  # as tomli does, whose columns these must equal
        self._places = _places(text, _Scanner(text, keeps).scan())

    def find(self, path: Path) -> tuple[int, int] | None:
        """Return line and column of exactly this key or header, counted from 1 in code points."""
        return self._places.get(path)

    def nearest(self, path: Path) -> tuple[int, int]:
        """Return the position of `path` or of what it would stand in; (0, 0), the whole file, for the root."""
        while path:
            if place := self.find(path):
                return place
            path = path[:-1]
        return 0, 0


def _places(text: str, offsets: Mapping[Path, int]) -> dict[Path, tuple[int, int]]:
    """Return the line and column of each path; the lines are counted once, from one to the next."""
    places: dict[Path, tuple[int, int]] = {}
    line, begin, seen = 1, 0, 0
    for path, offset in sorted(offsets.items(), key=itemgetter(1)):
        if passed := text.count("\n", seen, offset):
            line += passed
            begin = text.rindex("\n", seen, offset) + 1
        seen = offset
        places[path] = line, offset - begin + 1
    return places


def locate(text: str, path: str | Sequence[str]) -> tuple[int, int]:
    """Return line and column to name when something is wrong with the value at `path`, (0, 0) when nothing fits.

    `path` may be one string of keys joined with dots, such as ``agents.alice.avatar``. For an agent's field that
    another layer supplies, that layer's key is taken; a field that stands nowhere falls back to the agent's header.
    """
    parts = tuple(path.split(".")) if isinstance(path, str) else tuple(path)
    positions = _positions(text)
    for layer in _layers(parts):
        if place := positions.find(layer):
            return place
    return positions.nearest(parts)


@lru_cache(maxsize=1)  # one bad default picture asks once for every agent
def _positions(text: str) -> Positions:
    return Positions(text, lambda path: path[0] in {"agents", "brands", "defaults"} and type(path[-1]) is str)


def _layers(path: Path) -> Iterator[Path]:
    """Yield the places a field may come from, in the order in which they win."""
    yield path
    if len(path) >= 3 and path[0] == "agents":
        below, field = path[2:-1], path[-1]
        yield (*path[:2], field)
        yield ("defaults", *below, field)
        yield ("defaults", field)
