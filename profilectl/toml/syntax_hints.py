"""What is wrong with a line that isn't TOML, in the words of a person, and what to do about it."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from profilectl.text.escape import describe, excerpt, is_hidden

# Outside of these, TOML 1.0 is ASCII only.
_QUIET = re.compile(r""""{3}.*?(?:"{3}|$)|'{3}.*?(?:'{3}|$)|"(?:[^"\\]|\\.)*"|'[^']*'|\#.*$""")
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_QUOTES = frozenset("\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a\u2032\u2033\uff02\uff07")
_PAIR = re.compile(r"""^\s*(?P<key>[A-Za-z0-9_."' -]+?)\s*=\s*(?P<value>[^\s#][^#]*?)\s*(?:\#.*)?$""")
_DATE = re.compile(r"(?![0-9]{4}-[0-9]{2}-[0-9]{2})[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}")
_WORDS = {"True": "true", "False": "false", "yes": "true", "no": "false", "on": "true", "off": "false"}
_COLON = re.compile(r"""^\s*[A-Za-z0-9_.-]+\s*:""")
_UNCLOSED = re.compile(r"""(?:[^"'#]|"(?:[^"\\]|\\.)*"|'[^']*')*?(?P<quote>["'])""")

# Keys whose value may be repeated: others hold legal names, or secrets that somebody wrote into the wrong file.
_PUBLIC = frozenset({"handle", "kind", "name", "title", "language", "avatar", "fallback", "timezone", "disclosure"})
_LONGEST_LINE = 10_000  # code points that are looked at; expressions take longer than a person waits for more
_UNCLOSED_HERE = "the quote that opens here isn't closed on this line"
_NO_DATE = "no date: write year, month and day with two digits, such as 2027-01-31"


class Hint(NamedTuple):
    """A better place and message for what a TOML reader refused."""

    line: int
    column: int
    message: str


def hint(text: str, message: str, line: int, column: int) -> Hint | None:
    """Return what to tell about a text that tomli refuses with a message at a place, None where that says enough."""
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        return None
    row = lines[line - 1].removesuffix("\r")[:_LONGEST_LINE]
    if message.startswith("Illegal character"):
        return _illegal(row, line, column)
    foreign = _foreign(row)
    if foreign is not None:
        return Hint(line, foreign + 1, _about(row[foreign]))
    if message.startswith('Expected "\'"'):  # up to the end of the file
        before = text[: text.rindex("'")]
        return Hint(before.count("\n") + 1, len(before) - before.rfind("\n"), _UNCLOSED_HERE)
    return _about_pair(row, message, line, column)


def _about_pair(row: str, message: str, line: int, column: int) -> Hint | None:
    pair = _PAIR.match(row)
    if pair is not None and _DATE.match(pair["value"]):
        return Hint(line, pair.start("value") + 1, _NO_DATE)
    if message.startswith("Invalid value"):
        return _unquoted(row, line, column)
    if _COLON.match(row):
        return Hint(line, row.index(":") + 1, 'write "=" between a key and its value')
    return None


def _foreign(row: str) -> int | None:
    quiet = [match.span() for match in _QUIET.finditer(row)]
    places = (match.start() for match in _FOREIGN.finditer(row))
    return next((at for at in places if not any(begin <= at < end for begin, end in quiet)), None)


def _about(char: str) -> str:
    named, plain = describe(char), unicodedata.normalize("NFKC", char)
    if char in _QUOTES:
        return f"""{named} is no quote in TOML: write " or ' instead"""
    if unicodedata.category(char) == "Zs":
        return f"{named} is no space in TOML: write an ordinary one"
    if is_hidden(char, 0):
        return f"{named} shows nothing and isn't TOML: remove it"
    if plain.isascii() and plain.isprintable():
        return f'{named} isn\'t TOML: write "{plain}"'
    return f"{named} stands outside of quotes: put the text or key in quotes"


def _illegal(row: str, line: int, column: int) -> Hint | None:
    if column > len(row):  # the end of the line, within a string
        opening = _UNCLOSED.match(row)
        at = opening.start("quote") + 1 if opening else column
        return Hint(line, at, _UNCLOSED_HERE)
    named = describe(row[column - 1])
    return Hint(line, column, f"{named} can't stand in a TOML file as it is: remove it")


def _unquoted(row: str, line: int, column: int) -> Hint | None:
    pair = _PAIR.match(row)
    if pair is None:
        bare = row[column - 1 :].strip()
        return Hint(line, column, "a value is missing here") if not bare or bare.startswith("#") else None
    key, value = pair["key"], pair["value"]
    if value in _WORDS:
        return Hint(line, column, f"write {_WORDS[value]}, in small letters and without quotes")
    if not value[0].isalpha() and value[0] not in "@/~.$":
        return None
    shown = excerpt(value) if key in _PUBLIC and not set(value) & set("\"'\\") else "…"
    return Hint(line, column, f'put the text in quotes: {excerpt(key)} = "{shown}"')
