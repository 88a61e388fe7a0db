"""The digests of picture files that nobody has touched since they were read, so that they needn't be read again.

A file counts as untouched while device, inode, size and both of its times are what they were; its change time, unlike
the modification time, can't be set by anybody (a program that holds the file in its memory may still write past it,
which preparing the picture finds out). Because a file may be written twice within one tick of its file system's
clock, one that was changed right before it was read isn't remembered at all: git's "racy" files.

The memory is a convenience. Whatever is wrong with it, it is empty then, and every file is read.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from profilectl.model import Picture
from profilectl.pictures import avatars
from profilectl.pictures.avatars import Identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from profilectl.pictures.avatars import Reading

MARGIN_NS: Final = 3_000_000_000
"""How old a change must be when a file is read, nanoseconds: FAT, the coarsest file system, counts in 2 s."""

_VERSION: Final = 1
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_FIELDS: Final = [str, *(int for _ in Identity._fields)]


class Known(NamedTuple):
    """What a file held when it was read, and which state of which file that was."""

    digest: str
    identity: Identity


class PictureMemory:
    """The pictures of one roster, known from earlier or read now. May be used from several threads at once.

    Args:
        folder: the roster's.
        known: by the path as the roster writes it, relative to the folder.
    """

    def __init__(self, folder: Path, known: Mapping[str, Known] | None = None) -> None:
        self._folder = folder
        self._shelf = avatars.Shelf(folder)
        self._earlier = dict(known or {})
        self._seen: dict[str, Known | None] = {}  # None: read, but too fresh to be remembered

    def recall(self, relative: str) -> Picture | None:
        """Return what `avatars.inspect` would, without opening the file; None unless it is known and untouched."""
        known = self._earlier.get(relative)
        if known is None or self._shelf.identify(relative) != known.identity:
            return None
        self._seen[relative] = known
        return Picture(relative, known.digest, known.identity.size)

    def read(self, relative: str) -> Picture:
        """Do what `avatars.inspect` does, and know the picture from now on."""
        reading = avatars.read(self._folder, relative)
        self._seen[relative] = Known(reading.picture.digest, reading.identity) if is_settled(reading) else None
        return reading.picture

    def news(self, named: Iterable[str]) -> dict[str, Known] | None:
        """Return what is worth remembering, None when that is what was known already.

        Args:
            named: every path that the roster names; pictures of brands that weren't looked at stay known.
        """
        latest = {path: self._seen.get(path, self._earlier.get(path)) for path in named}
        worthy = {path: known for path, known in latest.items() if known is not None}
        return worthy if worthy != self._earlier else None


def is_settled(reading: Reading) -> bool:
    """Say whether every later change of a file that was read must show in its times."""
    changed_ns = max(reading.identity.modified_ns, reading.identity.changed_ns)
    return reading.picture.size == reading.identity.size and changed_ns + MARGIN_NS <= reading.begun_ns


def dump(known: Mapping[str, Known]) -> bytes:
    """Return a memory as JSON."""
    pictures = {path: [one.digest, *one.identity] for path, one in known.items()}
    return json.dumps({"version": _VERSION, "pictures": pictures}, separators=(",", ":")).encode("ascii")


def parse(content: bytes | None) -> dict[str, Known]:
    """Return what `dump` wrote; empty for nothing, or for anything else."""
    try:
        document = json.loads(content or b"")
        return {path: _known(entry) for path, entry in document["pictures"].items() if document["version"] == _VERSION}
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return {}


def _known(entry: list[Any]) -> Known:
    digest, *identity = entry
    if [type(field) for field in entry] != _FIELDS or not _DIGEST.fullmatch(digest):
        raise ValueError("no digest and identity of a file")
    return Known(digest, Identity(*identity))
