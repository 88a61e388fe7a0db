"""The folder of checkpoints that somebody else keeps, such as a checkout or a mounted bucket with object lock.

Each checkpoint is a file of its own, named by size and root, that is written once and never changed. Beside it lie the
hashes of the records since the checkpoint before, so that a record that was changed later can be named, and the
timestamp of the note, where an authority was asked for one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from profilectl.audit.notes import LARGEST, NoNote, SignedCheckpoint, parse_note
from profilectl.errors import InputRefused
from profilectl.system.files import create_shared, read_regular
from profilectl.text.escape import visible

MOST_LEAVES: Final = 100_000
"""How many hashes are kept beside a checkpoint; with more records since the one before, none are."""

LARGEST_TIMESTAMP: Final = 65_536
"""Bytes of a timestamp that is read."""

_NAME: Final = re.compile(r"([0-9]{12,18})-([0-9a-f]{16})\.checkpoint")
_LEAF: Final = re.compile(r"([1-9][0-9]{0,17}) ([0-9a-f]{64})")


class AnchorRefused(InputRefused):
    """A folder of checkpoints that can't be read or written."""


class Note(Struct, frozen=True):
    """A file of the folder: its name, and what it says or why it says nothing."""

    file: str
    signed: SignedCheckpoint | None
    problem: str = ""
    content: bytes = b""  # the note, byte for byte
    timestamp: bytes | None = None  # what lies beside it


class AnchorFolder:
    """Reads checkpoints, and adds to them."""

    def __init__(self, folder: Path) -> None:
        self.path = folder

    def names(self) -> list[str]:
        """Return the names of the checkpoints, the smallest first; AnchorRefused where the folder can't be read."""
        try:
            names = [path.name for path in self.path.iterdir() if _NAME.fullmatch(path.name)]
        except OSError as error:
            raise self.refused("be read", error) from None
        return sorted(names, key=lambda name: (_size(name), name))

    def notes(self) -> Iterator[Note]:
        """Yield every checkpoint, the smallest first, each with the timestamp beside it."""
        for name in self.names():
            yield replace(self.note(name), timestamp=self.timestamp(name))

    def leaves(self) -> dict[int, str]:
        """Return the hashes that were kept beside the checkpoints, by the place of their record, counted from 1."""
        leaves: dict[int, str] = {}
        for name in self.names():
            content = self._read(_leaves_of(name), MOST_LEAVES * 90) or b""
            pairs = (_LEAF.fullmatch(line) for line in content.decode("ascii", "replace").splitlines())
            for pair in pairs:
                if pair is not None:
                    leaves.setdefault(int(pair[1]), pair[2])
        return leaves

    def add(self, signed: SignedCheckpoint, leaves: Mapping[int, str]) -> Path | None:
        """Write a checkpoint, and return its file; None where it is there already. AnchorRefused where it can't be."""
        checkpoint = signed.checkpoint
        path = self.path / name_of(checkpoint.size, checkpoint.root)
        lines = "".join(f"{place} {leaf}\n" for place, leaf in sorted(leaves.items()))
        try:
            if os.path.lexists(path):
                return None
            beside = path.with_name(_leaves_of(path.name))
            if leaves and len(leaves) <= MOST_LEAVES and not os.path.lexists(beside):  # a kill came in between
                create_shared(beside, lines.encode())
            create_shared(path, signed.note().encode())
        except FileExistsError:
            return None  # another run was quicker
        except OSError as error:
            raise self.refused("be written", error) from None
        return path

    def timestamp(self, name: str) -> bytes | None:
        """Return the timestamp beside a checkpoint; None where there is none, empty where it can't be read."""
        beside = timestamp_of(name)
        if not os.path.lexists(self.path / beside):
            return None
        return self._read(beside, LARGEST_TIMESTAMP) or b""

    def add_timestamp(self, name: str, token: bytes) -> Path:
        """Write a timestamp beside a checkpoint, unless one is there, and return its file."""
        path = self.path / timestamp_of(name)
        try:
            create_shared(path, token)
        except FileExistsError:
            return path  # another run was quicker
        except OSError as error:
            raise self.refused("be written", error) from None
        return path

    def has(self, size: int, root: bytes) -> bool:
        """Say whether that checkpoint is there."""
        return os.path.lexists(self.path / name_of(size, root))

    def note(self, name: str) -> Note:
        """Return what one of the files says."""
        content = self._read(name, LARGEST)
        if content is None:
            return Note(name, None, "can't be read")
        try:
            return Note(name, parse_note(content), content=content)
        except NoNote as error:
            return Note(name, None, error.message)

    def _read(self, name: str, largest: int) -> bytes | None:
        try:
            file = read_regular(self.path / name, largest)
        except OSError:
            return None
        return None if file is None else file[0]

    def refused(self, deed: str, error: OSError) -> AnchorRefused:
        """Return what to raise where something couldn't be done with the folder, such as "be read"."""
        what = f"the folder of checkpoints {visible(str(self.path))} can't {deed}: {error.strerror}"
        return AnchorRefused(what, hint="make it, or mount it; PROFILECTL_AUDIT_ANCHOR or [audit] anchor names it")


def name_of(size: int, root: bytes) -> str:
    """Return the name of the file that has a checkpoint."""
    return f"{size:012d}-{root.hex()[:16]}.checkpoint"


def timestamp_of(name: str) -> str:
    """Return the name of the file with a checkpoint's timestamp, given that of the checkpoint."""
    return f"{name.removesuffix('.checkpoint')}.tsr"


def _size(name: str) -> int:
    return int(name.partition("-")[0])


def _leaves_of(name: str) -> str:
    return name.replace(".checkpoint", ".leaves")
