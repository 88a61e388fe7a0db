"""From bytes to TOML tables: encoding and syntax, with the place where either breaks."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from typing import Any

from profilectl.errors import RosterRefused
from profilectl.model import Problem
from profilectl.text.escape import excerpt, visible

LARGEST = 8_000_000  # bytes of a document: a roster of 20,000 agents, each of 400 bytes
_PLACE = r"\s*\((?:at line (\d+), column (\d+)|at end of document)\)$"
_MOST_PARTS = 16  # of one key; tomli takes quadratic memory for them, and 100 kB would fill a machine
_MOST_NESTED = 16  # tables and arrays in one another; a roster has five
_LONGEST_NUMBER = 1000  # characters; the expressions that read numbers take a hundred bytes for each
_LONGEST_MESSAGE = 200  # code points of a reader's message, which may quote a key

# Bytes that tomli and what it returns take for each of them, as measured: it keeps a record of every table and array.
_MEMORY = {"[": 1000, "{": 800, ".": 1000, "=": 300, ",": 300, "\n": 100}
_MOST_MEMORY = 250_000_000  # bytes: those of 20,000 agents with a dozen fields

_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{_MOST_PARTS}}}"
_LONG_NUMBER = rf"(?<![0-9A-Fa-f_.])[0-9A-Fa-f_.]{{{_LONGEST_NUMBER + 1}}}"
_TOO_DEEP = f"more than {_MOST_NESTED} tables and arrays in one another"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def decode(content: bytes, file: str) -> str:
    """Return the text of a file without its byte order mark; RosterRefused, with line and column, when it isn't UTF-8.

    Line endings stay as they are.
    """
    try:
        return content.removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        hint = "; it looks like UTF-16" if content.startswith(_UTF16_MARKS) else ""
        message = f"not UTF-8: byte 0x{error.object[error.start]:02x}{hint}"
        # The byte order mark isn't in `error.object`.
        line, column = _end_of(error.object[: error.start].decode("utf-8"))
        raise _refused(file, line, column, message, "encoding") from None


def load(text: str, file: str) -> dict[str, Any]:
    """Return the tables of a text.

    What it takes is bounded before it is taken: 300 MB and a few seconds for any text of `LARGEST` bytes.

    Raises:
        RosterRefused: it isn't TOML, with the line and column that tomli names; or it holds more tables, keys and items
            than 20,000 agents have, a key of more than 16 parts, a number of more than 1,000 characters, or more than
            16 tables and arrays in one another.
    """
    import tomli

    _refuse_crowds(text, file)
    _refuse_long_tokens(text, file)
    try:
        tables = tomli.loads(text)
    except ValueError as error:  # TOMLDecodeError, and Python's own limit on the digits of a number
        from profilectl.toml.syntax_hints import Hint, hint  # only a file that isn't TOML needs its expressions

        message = str(error)
        place = re.search(_PLACE, message)
        line, column = (int(place[1]), int(place[2])) if place and place[1] else _end_of(text)
        better = hint(text, message, line, column)
        problem = better or Hint(line, column, f"not valid TOML: {_sentence(message)}")
        raise _refused(file, *problem) from None
    except RecursionError:
        raise _refused(file, 0, 0, _TOO_DEEP) from None
    if _is_too_deep(tables):
        raise _refused(file, 0, 0, _TOO_DEEP)
    return tables


def _refuse_crowds(text: str, file: str) -> None:
    # Marks in strings and comments count as well: there is room for them.
    if sum(text.count(mark) * memory for mark, memory in _MEMORY.items()) > _MOST_MEMORY:
        message = "more tables, keys and list items than one file may hold; 20,000 agents with a dozen fields fit"
        raise _refused(file, 0, 0, message)


def _refuse_long_tokens(text: str, file: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") >= _MOST_PARTS and (key := re.search(_LONG_KEY, line)):
            raise _refused(file, number, key.start() + 1, f"a key of more than {_MOST_PARTS} parts")
        if len(line) > _LONGEST_NUMBER and (digits := re.search(_LONG_NUMBER, line)):
            message = f"a number of more than {_LONGEST_NUMBER} characters"
            raise _refused(file, number, digits.start() + 1, message)


def _is_too_deep(tables: dict[str, Any]) -> bool:
    level: list[Any] = [tables]
    for _ in range(_MOST_NESTED + 1):
        level = [
            value
            for outer in level
            for value in (outer.values() if type(outer) is dict else outer)
            if type(value) in {dict, list}
        ]
        if not level:
            return False
    return True


def refusal(problems: tuple[Problem, ...], file: str) -> RosterRefused:
    """Return the exception that carries all `problems` of `file`; its message counts the errors."""
    count = sum(problem.severity == "error" for problem in problems)
    return RosterRefused(
        f"{visible(file)} has {count} {'error' if count == 1 else 'errors'}",
        problems=problems,
        hint="`profilectl roster check` lists every problem with its line",
    )


def _refused(file: str, line: int, column: int, message: str, rule: str = "toml") -> RosterRefused:
    return refusal((Problem(file, line, column, "", message, rule=rule),), file)


def _end_of(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def _sentence(message: str) -> str:
    phrase = excerpt(re.sub(_PLACE, "", message), _LONGEST_MESSAGE)
    return phrase[:1].lower() + phrase[1:]
