"""Which lines of a roster speak of one agent, so that a person can be told what to remove."""

from __future__ import annotations

import re

import tomli

_HEADER = re.compile(r"[ \t]*(\[[^\[\]]+\]|\[\[[^\[\]]+\]\])[ \t]*(#.*)?")


def entry_lines(text: str, agent: str) -> tuple[tuple[int, int], ...]:
    """Return the first and last line of every table of an agent, counted from 1.

    Empty when removing whole tables wouldn't take out exactly the agent, as with an inline table or dotted keys.

    Args:
        text: a roster that `parse` accepts.
        agent: the agent's key.
    """
    lines = text.split("\n")
    headers = [(number, path) for number, line in enumerate(lines, 1) if (path := _path(line))]
    ends = [number - 1 for number, _ in headers[1:]] + [len(lines)]
    spans = tuple(
        (first, _without_tail(lines, first, last))
        for (first, path), last in zip(headers, ends, strict=True)
        if path[:2] == ("agents", agent)
    )
    return spans if _removes(lines, spans, agent) else ()


def _path(line: str) -> tuple[str, ...]:
    """Return the keys of a table's header, nothing for any other line."""
    header = _HEADER.fullmatch(line.rstrip("\r"))
    if header is None:
        return ()
    try:
        inner = tomli.loads(header[1])
    except tomli.TOMLDecodeError:  # a line of a multi-line string or array
        return ()
    path = []
    while isinstance(inner, dict) and inner:
        ((key, inner),) = inner.items()
        path.append(key)
    return tuple(path)


def _without_tail(lines: list[str], first: int, last: int) -> int:
    """Leave blank lines and comments at a table's end to the table that follows."""
    while last > first and (not (line := lines[last - 1].strip()) or line.startswith("#")):
        last -= 1
    return last


def _removes(lines: list[str], spans: tuple[tuple[int, int], ...], agent: str) -> bool:
    """Tell whether the roster without these lines is the roster without this agent."""
    rest = [line for number, line in enumerate(lines, 1) if not any(a <= number <= b for a, b in spans)]
    expected = tomli.loads("\n".join(lines))
    expected.get("agents", {}).pop(agent, None)
    try:
        got = tomli.loads("\n".join(rest))
    except tomli.TOMLDecodeError:
        return False
    return got.get("agents", {}) == expected.get("agents", {}) and {**got, "agents": 0} == {**expected, "agents": 0}
