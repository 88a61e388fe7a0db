"""Where picture files keep what is said of them: XMP, IPTC and C2PA blocks, cut out of JPEG, PNG, WEBP and GIF.

Pixels and comments are never looked at. Total: a damaged file gives what stands before the damage, and everything is
bounded by the file's size and `MOST_INFLATED`.
"""

from __future__ import annotations

import enum
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

MOST_INFLATED: Final = 8_000_000
"""Bytes that the compressed texts of one PNG are inflated to, all together."""

_MOST_TAGS: Final = 1000  # of a TIFF directory; cameras write some dozens
_XMP_TAG, _IPTC_TAG, _PHOTOSHOP_TAG = 0x02BC, 0x83BB, 0x8649  # of TIFF
_XMP_HEADER: Final = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_EXTENSION: Final = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP: Final = b"Photoshop 3.0\0"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_XMP: Final = b"XML:com.adobe.xmp"
_PNG_PROFILE: Final = b"Raw profile type "  # ImageMagick's: a block of another format in hexadecimal digits
_GIF_XMP: Final = b"XMP DataXMP"
_GIF_C2PA: Final = b"C2PA_GIF\x01\x00\x00"
_GIF_XMP_END: Final = b"\x01\xff\xfe\xfd"  # begins the 258 bytes that lead a reader of sub-blocks to the block's end
_SCAN: Final = frozenset({0xDA, 0xD9})  # JPEG's start of scan, behind which pixels are, and its end of image
_PADDING: Final = re.compile(rb"\xff+")
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})


class BlockKind(enum.Enum):
    """What a block is written in."""

    XMP = enum.auto()
    IPTC = enum.auto()  # a value of IPTC's older, binary form
    C2PA = enum.auto()  # JUMBF boxes


class Block(NamedTuple):
    """A part of a file that says something of the picture."""

    kind: BlockKind
    content: bytes


def blocks(content: bytes) -> Iterator[Block]:
    """Yield the blocks of a picture file; nothing for a file of another format."""
    if content.startswith(b"\xff\xd8"):
        yield from _jpeg(content)
    elif content.startswith(_PNG):
        yield from _png(content)
    elif content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        yield from _webp(content)
    elif content.startswith((b"GIF87a", b"GIF89a")):
        yield from _gif(content)


def _jpeg(content: bytes) -> Iterator[Block]:
    extensions: defaultdict[bytes, list[tuple[int, bytes]]] = defaultdict(list)  # XMP that is too long for one segment
    boxes: defaultdict[bytes, list[tuple[int, bytes]]] = defaultdict(list)
    resources: list[bytes] = []
    for marker, segment in _segments(content):
        if marker == 0xE1 and segment.startswith(_XMP_EXTENSION):
            at = len(_XMP_EXTENSION)
            offset = int.from_bytes(segment[at + 36 : at + 40], "big")  # behind a GUID and the length of all
            extensions[segment[at : at + 32]].append((offset, segment[at + 40 :]))
        elif marker == 0xE1:
            yield from _app1(segment)
        elif marker == 0xEB and segment.startswith(b"JP"):
            number = int.from_bytes(segment[4:8], "big")
            boxes[segment[2:4]].append((number, segment[8:]))
        elif marker == 0xED and segment.startswith(_PHOTOSHOP):
            resources.append(segment[len(_PHOTOSHOP) :])
    for parts in extensions.values():
        yield Block(BlockKind.XMP, b"".join(part for _, part in sorted(parts)))
    for parts in boxes.values():
        yield Block(BlockKind.C2PA, _joined_boxes([part for _, part in sorted(parts)]))
    yield from _photoshop(b"".join(resources))


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield a JPEG's segments up to its pixels, each with its marker."""
    at = 2
    while content[at : at + 1] == b"\xff" and at + 1 < len(content):
        marker = content[at + 1]
        if marker in _SCAN:
            return
        if marker == 0xFF:  # padding
            padding = _PADDING.match(content, at)
            at = padding.end() - 1 if padding else at + 1
            continue
        if marker in _WITHOUT_LENGTH:
            at += 2
            continue
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(content):
            return
        yield marker, content[at + 4 : at + 2 + length]
        at += 2 + length


def _joined_boxes(parts: list[bytes]) -> bytes:
    """Return a box that was cut into segments, each of which repeats the box's header."""
    header = 16 if parts[0].startswith(b"\0\0\0\x01") else 8
    return b"".join([parts[0], *(part[header:] for part in parts[1:])])


def _app1(segment: bytes) -> Iterator[Block]:
    if segment.startswith(_XMP_HEADER):
        yield Block(BlockKind.XMP, segment[len(_XMP_HEADER) :])
    elif segment.startswith(b"Exif\0"):
        yield from _exif(segment[6:])


def _exif(content: bytes) -> Iterator[Block]:
    """Yield the blocks that stand in the first directory of a TIFF structure."""
    if content[:4] not in {b"II*\0", b"MM\0*"}:
        return

    def number(at: int, size: int) -> int:
        return int.from_bytes(content[at : at + size], "little" if content[:1] == b"I" else "big")

    awaited, first = {_XMP_TAG, _IPTC_TAG, _PHOTOSHOP_TAG}, number(4, 4)
    for at in range(first + 2, first + 2 + 12 * min(number(first, 2), _MOST_TAGS), 12):
        tag, kind, count = number(at, 2), number(at + 2, 2), number(at + 4, 4)
        if tag not in awaited:
            continue
        awaited.remove(tag)  # once: a thousand entries could all point to the same megabytes
        size = count * {1: 1, 2: 1, 4: 4, 7: 1}.get(kind, 0)
        value = content[number(at + 8, 4) :][:size] if size > 4 else b""
        if tag == _XMP_TAG:
            yield Block(BlockKind.XMP, value)
        elif tag == _IPTC_TAG:
            yield from _iptc(value)
        else:
            yield from _photoshop(value)


def _photoshop(content: bytes) -> Iterator[Block]:
    """Yield the blocks of Photoshop's image resources."""
    at = 0
    while content[at : at + 4] == b"8BIM" and at + 12 <= len(content):
        resource = int.from_bytes(content[at + 4 : at + 6], "big")
        start = at + 6 + ((content[at + 6] + 2) & ~1) + 4  # behind a padded name and the length
        size = int.from_bytes(content[start - 4 : start], "big")
        value = content[start : start + size]
        if resource == 0x0404:
            yield from _iptc(value)
        elif resource == 0x0424:
            yield Block(BlockKind.XMP, value)
        at = start + size + size % 2


def _iptc(content: bytes) -> Iterator[Block]:
    """Yield the values of IPTC's application record, without those that describe: title, headline, caption."""
    at = 0
    while content[at : at + 1] == b"\x1c" and at + 5 <= len(content):
        record, dataset, length = content[at + 1], content[at + 2], int.from_bytes(content[at + 3 : at + 5], "big")
        if length >= 0x8000:  # a longer form, which nothing of interest needs
            return
        if record == 2 and dataset not in {5, 105, 120}:
            yield Block(BlockKind.IPTC, content[at + 5 : at + 5 + length])
        at += 5 + length


def _png(content: bytes) -> Iterator[Block]:
    at, left = len(_PNG), MOST_INFLATED
    while at + 12 <= len(content):
        size, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if kind == b"IEND":
            return
        if kind in {b"tEXt", b"zTXt", b"iTXt"}:
            keyword, value, is_deflated = _png_text(kind, content[at + 8 : at + 8 + size])
            if keyword == _PNG_XMP or keyword.startswith(_PNG_PROFILE):
                if is_deflated:
                    value = _inflate(value, left)
                    left -= len(value)
                yield from _png_value(keyword, value)
        elif kind == b"caBX":
            yield Block(BlockKind.C2PA, content[at + 8 : at + 8 + size])
        elif kind == b"eXIf":
            yield from _exif(content[at + 8 : at + 8 + size])
        at += 12 + size


def _png_text(kind: bytes, chunk: bytes) -> tuple[bytes, bytes, bool]:
    """Return the keyword of a text chunk, its value, and whether that is compressed."""
    keyword, _, value = chunk.partition(b"\0")
    if kind == b"iTXt":  # two flags, and a language and a translated keyword that each end with a zero
        return keyword, value[2:].split(b"\0", 2)[-1], value[:1] == b"\x01"
    return keyword, value[1:] if kind == b"zTXt" else value, kind == b"zTXt"


def _inflate(content: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(content, most) if most > 0 else b""
    except zlib.error:
        return b""


def _png_value(keyword: bytes, value: bytes) -> Iterator[Block]:
    if keyword == _PNG_XMP:
        yield Block(BlockKind.XMP, value)
        return
    words = value.split(None, 2)  # a name, the length, the digits
    try:
        profile = bytes.fromhex(words[2].decode("ascii")) if len(words) == 3 else b""
    except ValueError:  # of other letters, too
        return
    if profile.startswith(b"8BIM"):
        yield from _photoshop(profile)
    elif profile.startswith(b"\x1c"):
        yield from _iptc(profile)
    elif keyword.endswith(b"xmp"):
        yield Block(BlockKind.XMP, profile)
    else:
        yield from _app1(profile)


def _webp(content: bytes) -> Iterator[Block]:
    at = 12
    while at + 8 <= len(content):
        kind, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        chunk = slice(at + 8, at + 8 + size)
        if kind == b"XMP ":
            yield Block(BlockKind.XMP, content[chunk])
        elif kind == b"C2PA":
            yield Block(BlockKind.C2PA, content[chunk])
        elif kind == b"EXIF":
            yield from _exif(content[chunk].removeprefix(b"Exif\0\0"))
        at += 8 + size + size % 2


def _gif(content: bytes) -> Iterator[Block]:
    if _GIF_XMP not in content and _GIF_C2PA not in content:
        return  # a file can have millions of blocks of three bytes, each of which would be looked at
    try:
        for block in gif_blocks(content):
            if block.startswith(b"\x21\xff\x0b" + _GIF_XMP):
                # The packet stands there as it is: the lengths of sub-blocks are its own letters. Some write real ones.
                packet = block[14:].partition(_GIF_XMP_END)[0]
                is_plain = re.match(rb"\s*(?:\xef\xbb\xbf)?<", packet) is not None
                yield Block(BlockKind.XMP, packet if is_plain else _joined(block[14:]))
            elif block.startswith(b"\x21\xff\x0b" + _GIF_C2PA):
                yield Block(BlockKind.C2PA, _joined(block[14:]))
    except IndexError:
        return


def _joined(chain: bytes) -> bytes:
    """Return the content of a chain of sub-blocks."""
    parts, at = [], 0
    while at < len(chain) and (length := chain[at]):
        parts.append(chain[at + 1 : at + 1 + length])
        at += 1 + length
    return b"".join(parts)


def gif_blocks(content: bytes) -> Iterator[bytes]:
    """Yield a GIF's header with its palette, then every block up to the trailer; IndexError for a damaged file."""
    # GIF89a 17 to 27. Bytes behind the trailer belong to no block.
    at = 13 + _palette(content[10])
    yield content[:at]
    while (mark := content[at]) != 0x3B:
        if mark == 0x2C:
            data = at + 10 + _palette(content[at + 9]) + 1  # behind the descriptor, its palette and the code size
        elif mark == 0x21:
            data = at + 2
        else:
            raise IndexError(at)
        while length := content[data]:  # the chain of sub-blocks ends with an empty one
            data += 1 + length
        yield content[at : data + 1]
        at = data + 1
    yield b"\x3b"


def _palette(flags: int) -> int:
    """Return the bytes of the palette that a descriptor's bit 7 announces; the lowest three bits are its size."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
