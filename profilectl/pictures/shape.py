"""What the head of a picture file says of its size, frames and transparency, without decoding it.

Total: a damaged file gives what stands before the damage. Formats: JPEG (ITU T.81, B.2.2), PNG (W3C, with APNG),
GIF89a, WEBP (its container specification).
"""

from __future__ import annotations

import struct
from typing import Final

from profilectl.model import Shape

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_MOST_PARTS: Final = 10_000  # segments, chunks or blocks that are looked at
_FRAME_MARKERS: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # of a JPEG: start of frame
_BARE_MARKERS: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # without a length


def shape_of(content: bytes) -> Shape:
    """Return the shape of a JPEG, PNG, GIF or WEBP; an empty one for anything else."""
    try:
        if content.startswith(b"\xff\xd8"):
            return _jpeg(content)
        if content.startswith(_PNG):
            return _png(content)
        if content.startswith((b"GIF87a", b"GIF89a")):
            return _gif(content)
        if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            return _webp(content)
    except (struct.error, IndexError):  # cut off
        pass
    return Shape()


def _jpeg(content: bytes) -> Shape:
    at = 2
    for _ in range(_MOST_PARTS):
        marker = content[at + 1]
        if content[at] != 0xFF:
            break
        if marker == 0xFF:  # padding
            at += 1
        elif marker in _FRAME_MARKERS:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return Shape(width, height)
        else:
            at += 2 + (0 if marker in _BARE_MARKERS else int.from_bytes(content[at + 2 : at + 4], "big"))
    return Shape()


def _png(content: bytes) -> Shape:
    width, height, _, colour = struct.unpack_from(">IIBB", content, 16)
    is_animated, has_alpha, at = False, bool(colour & 4), 8
    for _ in range(_MOST_PARTS):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if kind in {b"IDAT", b"IEND", b""}:  # what is asked for stands before the pixels
            break
        if kind == b"acTL":
            is_animated = int.from_bytes(content[at + 8 : at + 12], "big") > 1
        has_alpha = has_alpha or kind == b"tRNS"
        at += 12 + length
    return Shape(width, height, is_animated, has_alpha)


def _gif(content: bytes) -> Shape:
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    at = 13 + _colours(flags)
    frames, has_alpha = 0, False
    for _ in range(_MOST_PARTS):
        kind = content[at : at + 1]
        if kind == b"!":
            is_of_first = frames == 0 and content[at + 1] == 0xF9  # a graphic control extension
            has_alpha = has_alpha or (is_of_first and bool(content[at + 3] & 1))
            at = _behind_blocks(content, at + 2)
        elif kind == b"," and frames == 0:
            frames = 1
            at = _behind_blocks(content, at + 11 + _colours(content[at + 9]))
        else:
            frames += kind == b","
            break
    return Shape(width, height, frames > 1, has_alpha)


def _colours(flags: int) -> int:
    """Return the bytes of a colour table."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _behind_blocks(content: bytes, at: int) -> int:
    while content[at]:
        at += 1 + content[at]
    return at + 1


def _webp(content: bytes) -> Shape:
    kind = content[12:16]
    if kind == b"VP8X":
        flags = content[20]
        width, height = (int.from_bytes(content[place : place + 3], "little") + 1 for place in (24, 27))
        return Shape(width, height, bool(flags & 0x02), bool(flags & 0x10))
    if kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return Shape((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, has_alpha=bool(bits >> 28 & 1))
    width, height = struct.unpack_from("<HH", content, 26)
    return Shape(width & 0x3FFF, height & 0x3FFF)
