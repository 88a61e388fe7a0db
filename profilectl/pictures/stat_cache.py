"""What was read in picture files that nobody has touched since, so that they needn't be read again.

Kept because a thousand photographs are gigabytes to read, and cron runs every half hour. Whatever is wrong with the
cache, it counts as empty, and every file is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from msgspec.structs import astuple

from profilectl.digests import is_digest
from profilectl.model import Picture, Shape
from profilectl.pictures import avatars
from profilectl.pictures.avatars import FileIdentity, Reading
from profilectl.pictures.decoration import files_of
from profilectl.system.cache import read_cache, write_cache

MARGIN_NS: Final = 3_000_000_000
"""How old a change must be when a file is read, nanoseconds: FAT, the coarsest file system, counts in 2 s."""

_VERSION: Final = 3  # also to be raised when `provenance` learns to find more
_LARGEST: Final = 30_000_000  # bytes: the pictures of a hundred thousand agents
_FIELDS: Final = [str, str, int, int, bool, bool, *(int for _ in FileIdentity._fields)]


class Entry(NamedTuple):
    """What a file held when it was read, and which state of which file that was."""

    digest: str
    mark: str
    shape: Shape
    identity: FileIdentity


class PictureStatCache:
    """The pictures of one roster, known from earlier or read now. May be used from several threads at once.

    Args:
        folder: the roster's.
        path: of the cache, see `cache_file`; None for one that begins empty and isn't kept.
    """

    def __init__(self, folder: Path, path: str | None = None) -> None:
        self._folder = folder
        self._path = path
        self._stats = avatars.FolderStats(folder)
        self._kept = parse(read_cache(path, _LARGEST)) if path is not None else {}
        self._latest: dict[str, Entry | None] = {}  # of this run; None: changed too lately to be kept

    def recall(self, relative: str) -> Picture | None:
        """Return what `avatars.inspect` would, without opening the file; None unless it is known and untouched."""
        entry = self._kept.get(relative)
        # As git does it: the change time, unlike the modification time, can't be set by anybody.
        if entry is None or self._stats.identify(relative) != entry.identity:
            return None
        return Picture(relative, entry.digest, entry.identity.size, entry.mark, entry.shape)

    def read(self, relative: str) -> Picture:
        """Return what `avatars.inspect` does, and know the picture from now on."""
        reading = avatars.read(self._folder, relative)
        picture, identity = reading.picture, reading.identity
        entry = Entry(picture.digest, picture.mark, picture.shape, identity)
        self._latest[relative] = entry if is_settled(reading) else None
        return picture

    def save(self, named: Iterable[str]) -> None:
        """Keep what is known of the pictures that the roster names for the next command, where that can be written."""
        # Also of brands that this command didn't look at, or `--brand` would make every other brand's files be read.
        latest = self._kept | self._latest
        paths = dict.fromkeys(path for avatar in named for path in files_of(avatar))
        entries = {path: entry for path in paths if (entry := latest.get(path)) is not None}
        if self._path is not None and entries != self._kept:
            write_cache(self._path, dump(entries))

    def clear(self) -> None:
        """Let the next command read every picture, because one isn't what it was taken for."""
        if self._path is not None:
            write_cache(self._path, b"")


def is_settled(reading: Reading) -> bool:
    """Return whether every later change of a file that was read must show in its times."""
    # A file may be written twice within one tick of its file system's clock: git's "racy" files.
    changed_ns = max(reading.identity.modified_ns, reading.identity.changed_ns)
    return reading.picture.size == reading.identity.size and changed_ns + MARGIN_NS <= reading.begun_ns


def dump(entries: Mapping[str, Entry]) -> bytes:
    """Return the entries as JSON."""
    pictures = {
        path: [entry.digest, entry.mark, *astuple(entry.shape), *entry.identity] for path, entry in entries.items()
    }
    return json.dumps({"version": _VERSION, "pictures": pictures}, separators=(",", ":")).encode("ascii")


def parse(content: bytes) -> dict[str, Entry]:
    """Return what `dump` wrote; empty for anything else."""
    try:
        document = json.loads(content)
        rows = document["pictures"].items() if document["version"] == _VERSION else ()
        if not all([type(field) for field in row] == _FIELDS and is_digest(row[0]) for _, row in rows):
            return {}
        return {
            path: Entry(digest, mark, Shape(*rest[:4]), FileIdentity(*rest[4:])) for path, (digest, mark, *rest) in rows
        }
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return {}
