"""From bytes to TOML tables: encoding and syntax, with the place where either breaks."""

from __future__ import annotations

import re
from typing import Any

from profilectl.errors import RosterRefused
from profilectl.model import Problem
from profilectl.text.escape import visible

LARGEST = 20_000_000  # bytes of a document: a roster of a hundred thousand agents
_PLACE = re.compile(r"\s*\((?:at line (\d+), column (\d+)|at end of document)\)$")
_MOST_DOTS = 200  # in one key; tomli takes quadratic memory for them, and 100 kB would fill a machine
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def decode(content: bytes, file: str) -> str:
    """Return the text of a file without its byte order mark; RosterRefused, with line and column, when it isn't UTF-8.

    Line endings stay as they are.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        hint = "; it looks like UTF-16" if content.startswith(_UTF16_MARKS) else ""
        message = f"not UTF-8: byte 0x{error.object[error.start]:02x}{hint}"
        # The codec has cut the byte order mark off `error.object` already.
        line, column = _end_of(error.object[: error.start].decode("utf-8"))
        raise _refused(file, line, column, message) from None


def load(text: str, file: str) -> dict[str, Any]:
    """Return the tables of a text; RosterRefused, with the line and column that tomli names, when it isn't TOML."""
    import tomli

    _refuse_endless_keys(text, file)
    try:
        return tomli.loads(text)
    except ValueError as error:  # TOMLDecodeError, and Python's own limit on the digits of a number
        message = str(error)
        place = _PLACE.search(message)
        line, column = (int(place[1]), int(place[2])) if place and place[1] else _end_of(text)
        raise _refused(file, line, column, f"not valid TOML: {_sentence(message)}") from None
    except RecursionError:
        raise _refused(file, 0, 0, "not valid TOML: nested too deeply") from None


def _refuse_endless_keys(text: str, file: str) -> None:
    # Each part between equals signs by itself, as a line of an inline table may hold many values with dots.
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _MOST_DOTS and max(part.count(".") for part in line.split("=")) > _MOST_DOTS:
            raise _refused(file, number, 1, f"more than {_MOST_DOTS} dots in one line")


def refusal(problems: tuple[Problem, ...], file: str) -> RosterRefused:
    """Return the exception that carries all `problems` of `file`; its message counts the errors."""
    count = sum(problem.severity == "error" for problem in problems)
    return RosterRefused(
        f"{visible(file)} has {count} {'error' if count == 1 else 'errors'}",
        problems=problems,
        hint="`profilectl roster check` lists every problem with its line",
    )


def _refused(file: str, line: int, column: int, message: str) -> RosterRefused:
    return refusal((Problem(file, line, column, "", message),), file)


def _end_of(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def _sentence(message: str) -> str:
    phrase = visible(_PLACE.sub("", message))
    return phrase[:1].lower() + phrase[1:]
