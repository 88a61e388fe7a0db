"""The canonical form of a TOML text: its meaning, its order and its comments stay, its white space becomes even.

One statement a line, without indentation; one space around equals signs and behind commas; two before a comment behind
a value; one blank line above each header and its comment, at most one anywhere else; line feeds, and one at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from profilectl.toml.layout import Token, plain_key, tokens
from profilectl.toml.spelling import spelled_key

_INDENT = "    "


def formatted(text: str) -> str:
    """Return the canonical form of a text that tomli accepts; the form of what it returns is the same."""
    lines = [*_Formatter(text.replace("\r\n", "\n")).lines()]
    return "".join(f"{line}\n" for line in _spaced(lines))


def _spaced(lines: Sequence[str | None]) -> Iterator[str]:
    """Yield the lines with one blank one above each header; None is a blank line of the text."""
    block: list[str] = []  # comments, which belong to what follows them
    is_first, blank = True, False
    for line in lines:
        if line is None:
            if block:
                yield from _begun(block, blank=blank and not is_first)
                is_first, block = False, []
            blank = True
            continue
        if line.startswith("#"):
            block.append(line)
            continue
        is_header = line.startswith("[")
        yield from _begun([*block, line], blank=(blank or is_header) and not is_first)
        is_first, blank, block = False, False, []
    if block:
        yield from _begun(block, blank=blank and not is_first)


def _begun(lines: Sequence[str], *, blank: bool) -> Iterator[str]:
    if blank:
        yield ""
    yield from lines


class _Formatter:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [token for token in tokens(text) if token.kind != "space"]
        self._place = 0

    def lines(self) -> Iterator[str | None]:
        """Yield each statement and comment as a line, and None for each blank line."""
        is_line_begun = False
        while self._place < len(self._tokens):
            token = self._peek()
            if token.kind == "newline":
                self._next()
                if not is_line_begun:
                    yield None
                is_line_begun = False
            elif token.kind == "comment":
                yield self._next().text.rstrip()
                is_line_begun = True
            else:
                statement = self._header() if token.text == "[" else self._pair("")
                if self._place < len(self._tokens) and self._peek().kind == "comment":
                    statement += f"  {self._next().text.rstrip()}"
                yield statement
                is_line_begun = True

    def _peek(self) -> Token:
        return self._tokens[self._place]

    def _next(self) -> Token:
        self._place += 1
        return self._tokens[self._place - 1]

    def _header(self) -> str:
        bracket = self._next()
        is_entry = self._peek().text == "[" and self._peek().start == bracket.end
        if is_entry:
            self._next()
        key = self._key("]")
        if is_entry:
            self._next()
        return f"[[{key}]]" if is_entry else f"[{key}]"

    def _key(self, closing: str) -> str:
        parts = []
        while True:
            parts.append(spelled_key(plain_key(self._next())))
            if self._next().text == closing:
                return ".".join(parts)

    def _pair(self, indent: str) -> str:
        return f"{self._key('=')} = {self._value(indent)}"

    def _value(self, indent: str) -> str:
        token = self._next()
        if token.text == "[":
            return self._array(indent)
        if token.text == "{":
            return self._inline_table(indent)
        end = token.end
        while self._place < len(self._tokens) and not self._ends_value(self._peek()):
            end = self._next().end
        return self._text[token.start : end]

    def _ends_value(self, token: Token) -> bool:
        return token.kind in {"newline", "comment"} or token.text in {",", "]", "}"}

    def _inline_table(self, indent: str) -> str:
        pairs = []
        while self._peek().text != "}":
            if self._peek().text == ",":
                self._next()
            else:
                pairs.append(self._pair(indent))
        self._next()
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"

    def _array(self, indent: str) -> str:
        """Return an array on one line, or, where it has lines or comments, with a line for each item and comment."""
        inner = indent + _INDENT
        rows: list[str] = []  # items and comments
        is_long, is_behind_item = False, False
        while (token := self._peek()).text != "]":
            if token.kind == "newline":
                self._next()
                is_long, is_behind_item = True, False
            elif token.kind == "comment":
                comment = self._next().text.rstrip()
                if is_behind_item and rows and not rows[-1].startswith("#"):
                    rows[-1] += f"  {comment}"
                else:
                    rows.append(comment)
                is_behind_item = False
            elif token.text == ",":
                self._next()
            else:
                rows.append(f"{self._value(inner)},")
                is_behind_item = True
        self._next()
        if not rows:
            return "[]"
        if not is_long and not any("\n" in row for row in rows):
            return f"[{' '.join(rows).removesuffix(',')}]"
        return "\n".join(["[", *(f"{inner}{row}" for row in rows), f"{indent}]"])
