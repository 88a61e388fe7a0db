"""What a C2PA manifest says of a picture's origin: its JUMBF boxes, and the CBOR and JSON in them.

Signatures aren't checked: whoever wants to hide where a picture comes from leaves the manifest out. Total: damaged
or huge boxes are searched for the two addresses that matter, and nothing else of them is believed.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

SOURCE_TYPE: Final = "digitalsourcetype"  # the last word of the key, whatever its prefix and case
_ADDRESS: Final = re.compile(rb"://[a-z0-9./-]{1,80}/digitalsourcetype/([A-Za-z]{1,60})")
_MOST_BOXES: Final = 10_000  # that hold something; a manifest has some dozens
_DEEPEST: Final = 32  # boxes in boxes, and values in values; a manifest has less than ten
_ARGUMENTS: Final = {24: "B", 25: ">H", 26: ">I", 27: ">Q"}  # by the head's low bits
_INDEFINITE: Final = 31


def is_manifest(boxes: bytes) -> bool:
    """Return whether JUMBF boxes are a C2PA manifest store, by the kind that they are described with."""
    return b"jumdc2pa" in boxes[:40]


def source_types(boxes: bytes, most: int) -> Iterator[str]:
    """Yield the digital source types that JUMBF boxes name, as they are written; `most` bytes of them are decoded."""
    for kind, content in islice(_leaves(boxes), _MOST_BOXES):
        most -= len(content)
        try:
            document = _decode(kind, content) if most >= 0 else content
        except (ValueError, TypeError, IndexError, RecursionError, struct.error):
            document = content
        if document is content:
            yield from (match[1].decode("ascii") for match in _ADDRESS.finditer(content))
        else:
            yield from _named(document)


def _leaves(boxes: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the boxes that hold CBOR or JSON; thumbnails and other files are left out."""
    pending = [(0, len(boxes), 0)]
    while pending:
        at, end, depth = pending.pop()
        while at + 8 <= end:
            length, kind, start = int.from_bytes(boxes[at : at + 4], "big"), boxes[at + 4 : at + 8], at + 8
            if length == 1:
                length, start = int.from_bytes(boxes[at + 8 : at + 16], "big"), at + 16
            stop = min(at + length, end) if length else end  # a box that was cut off is looked at as far as it goes
            if stop < start:
                break
            if kind == b"jumb" and depth < _DEEPEST:
                pending.append((start, stop, depth + 1))
            elif kind in {b"cbor", b"json"}:
                yield kind, boxes[start:stop]
            at = stop


def _decode(kind: bytes, content: bytes) -> Any:
    return _decode_cbor(content) if kind == b"cbor" else json.loads(content)


def _named(document: Any) -> Iterator[str]:
    """Yield the texts that stand at a key for the source type, anywhere in a document."""
    pending: list[tuple[Any, bool]] = [(document, False)]  # with whether the value is such a key's
    while pending:
        value, is_meant = pending.pop()
        if isinstance(value, dict):  # JSON-LD may wrap a text as {"@id": …}
            pending += ((inner, is_meant or _is_source_type(key)) for key, inner in value.items())
        elif isinstance(value, list):
            pending += ((inner, is_meant) for inner in value)
        elif is_meant and isinstance(value, str):
            yield value


def _is_source_type(key: Any) -> bool:
    return isinstance(key, str) and re.split("[:/#]", key)[-1].casefold() == SOURCE_TYPE


def _decode_cbor(content: bytes) -> Any:
    """Return a CBOR item (RFC 8949) as far as it is text: dictionaries, lists, strings, integers; the rest is None.

    Raises:
        ValueError, IndexError, TypeError, struct.error: it is damaged, or nested too deeply.
    """
    return _Cbor(content).item(0)


class _Cbor:
    """Reads one item after the other."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def item(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError(depth)
        head = self._content[self._at]
        self._at += 1
        major, low = head >> 5, head & 31
        count = None if low == _INDEFINITE else self._argument(low)
        if major in {2, 3}:
            return self._string(major, count)
        if major == 4:
            return [self.item(depth + 1) for _ in self._items(count)]
        if major == 5:
            # Pairs as they come; a key that can't be one in Python, such as a list, has no name that matters.
            pairs = [(self.item(depth + 1), self.item(depth + 1)) for _ in self._items(count)]
            return {key if isinstance(key, str | int) else place: value for place, (key, value) in enumerate(pairs)}
        if major == 6:
            return self.item(depth + 1)
        if count is None:
            raise ValueError(head)
        return count if major == 0 else None

    def _argument(self, low: int) -> int:
        if low < 24:
            return low
        shape = _ARGUMENTS.get(low, "")
        if not shape:
            raise ValueError(low)
        (value,) = struct.unpack_from(shape, self._content, self._at)
        self._at += struct.calcsize(shape)
        return int(value)

    def _string(self, major: int, length: int | None) -> Any:
        if length is None:
            parts = []
            while self._content[self._at] != 0xFF:
                head = self._content[self._at]
                if head >> 5 != major or head & 31 == _INDEFINITE:
                    raise ValueError(head)
                self._at += 1
                parts.append(self._bytes(self._argument(head & 31)))
            self._at += 1
            content = b"".join(parts)
        else:
            content = self._bytes(length)
        return content.decode("utf-8", "replace") if major == 3 else None

    def _bytes(self, length: int) -> bytes:
        if length > len(self._content) - self._at:
            raise IndexError(length)
        self._at += length
        return self._content[self._at - length : self._at]

    def _items(self, count: int | None) -> Iterator[None]:
        """Yield once for each item that follows; damage is noticed by what reads it."""
        if count is not None:
            for _ in range(count):
                yield
            return
        while self._content[self._at] != 0xFF:
            yield
        self._at += 1
