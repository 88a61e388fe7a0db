"""Checkpoints as files: C2SP tlog-checkpoint and signed-note (c2sp.org).

A checkpoint says of a ledger, by its origin, how many records it has and what the root of their tree is. A signed note
is that text, an empty line, and a line for each signature.
"""

from __future__ import annotations

import base64
import binascii

from msgspec import Struct

from profilectl.errors import InputRefused

LARGEST = 65_536
"""Bytes of a note; the specification wants room for 16 signatures of up to 5 kB."""

_DASH = "\N{EM DASH} "


class NoNote(InputRefused):
    """A text that is no signed checkpoint."""


class Checkpoint(Struct, frozen=True):
    """What is signed: whose records, how many of them, and the root of their tree."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the text that is signed, its last line ended."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class Signature(Struct, frozen=True):
    """A signature line: the key's name, its id (4 bytes), and the signature itself."""

    name: str
    key_id: bytes
    content: bytes

    def line(self) -> str:
        """Return it as it is written, its end included."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.content).decode()}\n"


class SignedCheckpoint(Struct, frozen=True):
    """A checkpoint with what was signed, byte for byte, and by whom."""

    checkpoint: Checkpoint
    text: str
    signatures: tuple[Signature, ...]

    def note(self) -> str:
        """Return the signed note."""
        return f"{self.text}\n{''.join(signature.line() for signature in self.signatures)}"


def origin_of(first_hash: str) -> str:
    """Return the origin of the ledger whose first record has that hash; no two ledgers have the same."""
    return f"profilectl/ledger/{first_hash[:32]}"


def key_id(name: str, kind: bytes, key: bytes) -> bytes:
    """Return the id of a key: `kind` is its signature type, and `key` its public half as that type encodes it."""
    import hashlib

    return hashlib.sha256(name.encode() + b"\n" + kind + key).digest()[:4]


def is_note(content: bytes) -> bool:
    """Say whether a file may be a signed note; it isn't judged."""
    return b"\n\n" + _DASH.encode() in content


def parse_note(content: bytes) -> SignedCheckpoint:
    """Return the checkpoint of a signed note; NoNote where it is none."""
    try:
        whole = content.decode()
    except UnicodeDecodeError:
        raise NoNote("isn't text") from None
    if any(character < " " and character != "\n" for character in whole):
        raise NoNote("has a control character in it")
    text, divider, lines = whole.rpartition("\n\n")
    if not divider or not lines.endswith("\n"):
        raise NoNote("has no signature below an empty line")
    signatures = tuple(_signature(line) for line in lines.removesuffix("\n").split("\n"))
    return SignedCheckpoint(_checkpoint(f"{text}\n"), f"{text}\n", signatures)


def _checkpoint(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0]:
        raise NoNote("is no checkpoint: its first lines are an origin, a size and a root")
    size = lines[1]
    if not (size.isascii() and size.isdecimal()) or (size.startswith("0") and size != "0") or len(size) > 18:
        raise NoNote("says no size in its second line")
    root = _decoded(lines[2])
    if root is None or len(root) != 32:
        raise NoNote("says no root in its third line")
    return Checkpoint(lines[0], int(size), root)


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    content = _decoded(encoded)
    if not line.startswith(_DASH) or not name or content is None or len(content) < 5:
        raise NoNote("has a line below the empty one that is no signature")
    return Signature(name, content[:4], content[4:])


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
