"""Where everything of a TOML text begins and ends, so that one thing can be changed and every other byte stays.

A text that tomli accepts is cut into its statements: headers, and pairs of keys and values, those of inline tables
included. What lies between them, such as comments and blank lines, belongs to nobody and is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec import Struct

from profilectl.toml.paths import Path, spelled_key

TOKEN = re.compile(
    # Possessive, because the engine keeps a record of every place that it may come back to: 100 bytes for a character.
    r'''(?P<space>[ \t\ufeff]++)
      | (?P<comment>\#[^\n]*+)
      | (?P<newline>\r?\n)
      | (?P<string>"""(?:[^"\\]++|\\.|"{1,2}+(?!"))*+"""{1,3} | \'\'\'.*?\'\'\'{1,3}
        | "(?:[^"\\\n]++|\\.)*+" | '[^'\n]*+')
      | (?P<mark>[][{}=,.])
      | (?P<bare>[^\s\#"'\[\]{}=,.]++)''',
    re.VERBOSE | re.DOTALL,
)
"""One token of a text that tomli accepts; a comment may end with a carriage return."""

Span = tuple[int, int]
"""Where something begins, and where what follows it begins."""


class Token(Struct, frozen=True):
    """A piece of a text; `kind` is the name of its group in `TOKEN`."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where what follows begins."""
        return self.start + len(self.text)


def tokens(text: str) -> Iterator[Token]:
    """Yield a text's tokens, white space and comments included."""
    for match in TOKEN.finditer(text):
        yield Token(match.lastgroup or "", match[0], match.start())


def plain_key(token: Token) -> str:
    """Return the key that a bare or quoted token spells."""
    return spelled_key(token.text, is_bare=token.kind == "bare")


@dataclass(slots=True)
class Value:
    """A value: its place, and of an array or an inline table what is in it."""

    start: int
    end: int = 0
    kind: str = "scalar"  # "scalar" | "array" | "inline"
    pairs: list[Pair] = field(default_factory=list)  # of an inline table
    items: list[Value] = field(default_factory=list)  # of an array
    has_comment: bool = False


@dataclass(slots=True)
class Pair:
    """A key with its value."""

    path: Path  # from the root, tables included
    keys: tuple[Span, ...]  # of each part of the key as it is written here
    value: Value

    @property
    def start(self) -> int:
        """Where the key begins."""
        return self.keys[0][0]


@dataclass(slots=True)
class Section:
    """A header with the pairs under it; the first section of a text has no header."""

    path: Path  # with the index of the entry where it is one of an array of tables
    start: int = 0  # of the bracket
    end: int = 0  # of the header
    keys: tuple[Span, ...] = ()
    pairs: list[Pair] = field(default_factory=list)
    is_entry: bool = False  # of an array of tables

    @property
    def content_end(self) -> int:
        """Where the last value ends, or the header where there is none."""
        return self.pairs[-1].value.end if self.pairs else self.end


def read_layout(text: str) -> list[Section]:
    """Return the sections of a text that tomli accepts, in file order."""
    return _Reader(text).sections()


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = [token for token in tokens(text) if token.kind != "space"]
        self._place = 0
        self._lengths: dict[Path, int] = {}  # of arrays of tables

    def sections(self) -> list[Section]:
        sections = [Section(())]
        while (token := self._skip_blank()) is not None:
            if token.text == "[":
                sections.append(self._header())
            else:
                sections[-1].pairs.append(self._pair(sections[-1].path))
        return sections

    def _skip_blank(self) -> Token | None:
        while self._place < len(self._tokens) and self._tokens[self._place].kind in {"newline", "comment"}:
            self._place += 1
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _next(self) -> Token:
        self._place += 1
        return self._tokens[self._place - 1]

    def _header(self) -> Section:
        bracket = self._next()
        is_entry = self._tokens[self._place].text == "[" and self._tokens[self._place].start == bracket.end
        if is_entry:
            self._next()
        names, spans = self._keys("]")
        path: Path = ()
        for number, name in enumerate(names):
            path = (*path, name)
            if is_entry and number == len(names) - 1:
                self._lengths[path] = self._lengths.get(path, 0) + 1
            length = self._lengths.get(path)
            path = path if length is None else (*path, length - 1)
        end = self._next().end if is_entry else self._tokens[self._place - 1].end
        return Section(path, bracket.start, end, spans, is_entry=is_entry)

    def _keys(self, closing: str) -> tuple[list[str], tuple[Span, ...]]:
        names, spans = [], []
        while True:
            token = self._next()
            names.append(plain_key(token))
            spans.append((token.start, token.end))
            if self._next().text == closing:
                return names, tuple(spans)

    def _pair(self, table: Path) -> Pair:
        names, spans = self._keys("=")
        path = (*table, *names)
        return Pair(path, spans, self._value(path))

    def _value(self, path: Path) -> Value:
        token = self._next()
        value = Value(token.start, token.end)
        if token.text == "[":
            value.kind = "array"
            self._array(value, path)
        elif token.text == "{":
            value.kind = "inline"
            while (token := self._next()).text != "}":
                if token.text != ",":
                    self._place -= 1
                    value.pairs.append(self._pair(path))
            value.end = token.end
        else:
            while self._place < len(self._tokens) and not self._ends_value(self._tokens[self._place]):
                value.end = self._next().end  # the rest of a number or a date
        return value

    def _array(self, value: Value, path: Path) -> None:
        while (token := self._next()).text != "]":
            if token.kind == "comment":
                value.has_comment = True
            elif token.kind != "newline" and token.text != ",":
                self._place -= 1
                item = self._value((*path, len(value.items)))
                value.has_comment |= item.has_comment
                value.items.append(item)
        value.end = token.end

    def _ends_value(self, token: Token) -> bool:
        return token.kind in {"newline", "comment"} or token.text in {",", "]", "}"}
