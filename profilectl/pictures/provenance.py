"""What made a picture, as far as its file says it: marks of machine-made pictures in XMP, IPTC and C2PA.

IPTC keeps the words (cv.iptc.org/newscodes/digitalsourcetype); they count where a field for them says them, never in a
caption or among the pixels. Pure and total: damaged metadata is searched as far as it can be read.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Final

from profilectl.pictures.content_credentials import SOURCE_TYPE, is_manifest, source_types
from profilectl.pictures.metadata import Block, BlockKind, blocks

TRAINED: Final = "trainedAlgorithmicMedia"  # made by a model
COMPOSITE: Final = "compositeWithTrainedAlgorithmicMedia"  # in part
MACHINE_MADE: Final = (TRAINED, COMPOSITE)
UNSPECIFIED: Final = "c2pa"
"""A C2PA manifest that names no source: cameras, editors and generators all sign with such."""

_VOCABULARY: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_IN_WORDS: Final = {mark.casefold(): mark for mark in MACHINE_MADE}
_MOST_BLOCKS: Final = 10_000
_LARGEST: Final = 4_000_000  # bytes of a block that are decoded; depth maps have as many
_MOST_DECODED: Final = {BlockKind.XMP: 2 * _LARGEST, BlockKind.C2PA: 1_000_000, BlockKind.IPTC: 1_000_000}
"""Bytes of each that are decoded, all blocks together: far more than anything has that says the source."""

_LONGEST: Final = 300  # characters of a value
_WRITTEN: Final = re.compile(
    r"""DigitalSourceType\s{0,9}=\s{0,9}["']([^"'<>]{1,300})["']
      | <[\w.-]{0,40}:?DigitalSourceType(?:\s[^<>]{0,300})?>\s{0,99}(?:<[^<>]{1,99}>\s{0,99}){0,4}([^<>]{1,300})<
      | <[\w.-]{0,40}:?DigitalSourceType\s[^<>]{0,300}?resource\s{0,9}=\s{0,9}["']([^"'<>]{1,300})["']""",
    re.VERBOSE | re.IGNORECASE,
)
_WHOLE: Final = re.compile(
    rf"(https?://cv\.iptc\.org/newscodes/digitalsourcetype/|digsrctype:)?({'|'.join(MACHINE_MADE)})"
)
_PACKET: Final = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:DigitalSourceType="{}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)


def find_mark(content: bytes) -> str:
    """Return what a picture file says of its origin: `TRAINED`, else `COMPOSITE`, else `UNSPECIFIED`, else nothing."""
    marks, left = set(), dict(_MOST_DECODED)
    for block in islice(blocks(content), _MOST_BLOCKS):
        most = min(_LARGEST, left[block.kind])
        values = list(_values(block, most))
        left[block.kind] -= min(most, len(block.content))
        marks |= {_mark_of(value) for value in values}
        if block.kind is BlockKind.C2PA and not values and is_manifest(block.content):
            marks.add(UNSPECIFIED)
        if TRAINED in marks:
            break
    return next((mark for mark in (*MACHINE_MADE, UNSPECIFIED) if mark in marks), "")


def _values(block: Block, most: int) -> Iterator[str]:
    """Yield the source types that a block names; `most` bytes of it are decoded."""
    if block.kind is BlockKind.C2PA:
        yield from source_types(block.content, most)
    elif block.kind is BlockKind.XMP:
        yield from _xmp_values(block.content[:most])
    else:  # which has no field for the source, so that only a value that is nothing else counts
        value = block.content[:_LONGEST].decode("utf-8", "replace").strip()
        if _WHOLE.fullmatch(value):
            yield value


def _mark_of(value: str) -> str:
    """Return the mark that a value means: an address, a short code, or the bare word; empty for any other."""
    word = re.split("[/#:]", value[:_LONGEST].strip().rstrip("/"))[-1]
    return _IN_WORDS.get("".join(word.split()).casefold(), "")


def _xmp_values(packet: bytes) -> list[str]:
    from xml.parsers.expat import ExpatError

    packet = packet.strip(b"\0 \t\r\n")
    for start, encoding in ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")):  # without the byte order mark
        if packet.startswith(start):
            packet = packet.decode(encoding, "replace").encode()
    reader = _XmpReader()
    try:
        reader.read(packet)
    except (ExpatError, ValueError, LookupError):  # damaged, or with a document type, which XMP never has
        return reader.values + _written_values(packet)
    return reader.values


def _written_values(packet: bytes) -> list[str]:
    """Return the source types in a packet that is no whole XML."""
    import html  # its table of names is for damaged files alone

    text = packet.decode("utf-8", "replace")
    for start, end in (("<![CDATA[", "]]>"), ("<!--", "-->")):
        first, *others = text.split(start)
        text = first + "".join(other.partition(end)[2] for other in others)
    return [html.unescape(value) for match in _WRITTEN.finditer(text) for value in match.groups() if value]


class _XmpReader:
    """Collects the values of the source type: as an attribute, as an element's text, or as a resource."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self._depth = 0  # within an element for the source type
        self._text: list[str] = []

    def read(self, packet: bytes) -> None:
        """Read a packet; ExpatError or ValueError where it isn't XML, or declares what XMP has no use for."""
        from xml.parsers.expat import ParserCreate

        parser = ParserCreate()
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._add
        parser.StartDoctypeDeclHandler = self._refuse
        parser.Parse(packet, True)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._flush()
        if self._depth or _local(name) == SOURCE_TYPE:
            self._depth += 1
        for key, value in attributes.items():
            if _local(key) == SOURCE_TYPE or (self._depth and _local(key) == "resource"):
                self.values.append(value)

    def _end(self, _name: str) -> None:
        self._flush()
        self._depth = max(0, self._depth - 1)

    def _add(self, text: str) -> None:
        if self._depth:
            self._text.append(text)

    def _flush(self) -> None:
        if self._text:
            self.values.append("".join(self._text))
            self._text.clear()

    def _refuse(self, name: str, *_: object) -> None:
        raise ValueError(name)


def _local(name: str) -> str:
    return name.rpartition(":")[2].casefold()


def with_mark(content: bytes, mark: str) -> bytes:
    """Return a JPEG, PNG or GIF that was encoded here with a `MACHINE_MADE` mark in XMP, its only metadata."""
    packet = _PACKET.format(_VOCABULARY + mark).encode()
    if content.startswith(b"\xff\xd8"):
        segment = b"http://ns.adobe.com/xap/1.0/\0" + packet
        # Behind the JFIF header, which has to be the first.
        at = 4 + int.from_bytes(content[4:6], "big") if content[2:4] == b"\xff\xe0" else 2
        return content[:at] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + content[at:]
    if content.startswith(b"GIF"):
        trailer = bytes([1, *range(255, -1, -1), 0])  # leads readers of sub-blocks out of the packet
        return content[:-1] + b"\x21\xff\x0bXMP DataXMP" + packet + trailer + content[-1:]
    chunk = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + packet
    header = 33  # the signature and IHDR, before everything else
    length, check = (len(chunk) - 4).to_bytes(4, "big"), zlib.crc32(chunk).to_bytes(4, "big")
    return content[:header] + length + chunk + check + content[header:]
