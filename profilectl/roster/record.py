"""A roster as plain values and back, so that a text which was judged before needn't be judged again."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from profilectl import __version__
from profilectl.model import Agent, Brand, Kind, Policy, Problem, Roster

if TYPE_CHECKING:
    from collections.abc import Mapping


def origin_of(file: str, stamp: str) -> str:
    """Return what a record must be of, besides the text: these rules, and a file that was here when it was made.

    Args:
        file: what warnings call the roster.
        stamp: what only this machine's kernel gives a file, so that nobody can bring a record along with a roster.
    """
    return f"{__version__}, Unicode {unicodedata.unidata_version}, {stamp}, {file}"


def dump(roster: Roster, text: str, origin: str) -> bytes:
    """Return the record of a roster: JSON, bound to the rules that the roster keeps, and to its file.

    Args:
        roster: what `parse.parse` returned.
        text: what it was made from.
        origin: see `origin_of`.
    """
    plain = {"origin": origin, "text": text} | asdict(roster)
    return json.dumps(plain, default=date.isoformat).encode()


def load(record: bytes, text: str, origin: str) -> Roster | None:
    """Return the roster of a record; None when it isn't one of these rules and of this very file.

    Args:
        record: what `dump` returned, or anything else.
        text: the file's text as it is now.
        origin: see `origin_of`.
    """
    try:
        plain = json.loads(record)
        if (plain["origin"], plain["text"]) != (origin, text):
            return None
        return Roster(
            tuple(Brand(**brand) for brand in plain["brands"]),
            tuple(_agent(**agent) for agent in plain["agents"]),
            _policy(**plain["policy"]),
            tuple(Problem(**problem) for problem in plain["warnings"]),
            plain["digest"],
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _agent(*, kind: str, operators: list[str], until: str | None, **rest: Any) -> Agent:
    last_day = None if until is None else date.fromisoformat(until)
    return Agent(kind=Kind(kind), operators=tuple(operators), until=last_day, **rest)


def _policy(*, test_recipients: list[str], bot_markers: Mapping[str, list[str]], **rest: Any) -> Policy:
    markers = {language: tuple(words) for language, words in bot_markers.items()}
    return Policy(test_recipients=tuple(test_recipients), bot_markers=markers, **rest)
