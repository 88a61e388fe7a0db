"""The file that a roster means, though the file system spells its name otherwise.

macOS keeps names in NFD where people type NFC, and on Windows and macOS a name's case makes no difference; on Linux
every difference counts, so a roster from one machine would miss its pictures on another.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path

MOST_ENTRIES = 20_000
"""Names of one folder that are compared: those of a roster of the largest size."""


class AmbiguousName(Exception):
    """Several files have names that differ in form or case only, and none is spelled as asked for."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def as_spelled(folder: str, relative: str) -> str:
    """Return a path below a folder as its file system spells it; as it came, where nothing there is meant by it.

    Raises:
        AmbiguousName: more than one name of a folder could be meant.
    """
    parts = relative.split("/")
    for at, part in enumerate(parts):
        parent = "/".join([folder, *parts[:at]])
        if part not in {"", os.curdir, os.pardir} and not os.path.lexists(f"{parent}/{part}"):
            parts[at] = _entry(parent, part) or part
    return "/".join(parts)


def _entry(folder: str, name: str) -> str | None:
    """Return the only name in a folder that differs from `name` in form and case at most, None without one."""
    try:
        changed_ns = Path(folder).stat().st_mtime_ns
    except OSError:
        return None
    names = _names(folder, changed_ns).get(_folded(name), ())
    composed = unicodedata.normalize("NFC", name)
    same_form = [entry for entry in names if unicodedata.normalize("NFC", entry) == composed]
    meant = same_form if len(same_form) == 1 else [*names]
    if len(meant) > 1:
        raise AmbiguousName(meant)
    return meant[0] if meant else None


@lru_cache(maxsize=32)  # a Mac's folder of 5,000 pictures would be read 5,000 times
def _names(folder: str, changed_ns: int) -> Mapping[str, list[str]]:
    """Return the names in a folder, as it is since a moment, by their folded form."""
    del changed_ns  # only tells one state of the folder from the next
    names: dict[str, list[str]] = {}
    try:
        with os.scandir(folder) as entries:
            for name in sorted(entry.name for entry in islice(entries, MOST_ENTRIES)):
                names.setdefault(_folded(name), []).append(name)
    except OSError:
        return {}
    return names


def _folded(name: str) -> str:
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
