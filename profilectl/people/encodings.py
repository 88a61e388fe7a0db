"""Which encoding a spreadsheet was saved in: told from the bytes alone, and named for a person."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE

from msgspec import Struct

_MARKS = (
    (BOM_UTF8, "utf-8", "UTF-8 with a byte order mark"),
    (BOM_UTF16_LE, "utf-16-le", "UTF-16 (little-endian)"),
    (BOM_UTF16_BE, "utf-16-be", "UTF-16 (big-endian)"),
)
_SAMPLE = 4096  # bytes in which NULs give UTF-16 away; an even number
_HALF = 0.5  # of the bytes of a list in Latin letters are NULs in UTF-16, all on the same side


class Decoded(Struct, frozen=True):
    """The text of a file, and what its encoding is called."""

    text: str
    encoding: str


class NotDecodable(Exception):
    """Bytes that no encoding gives a text for; `line` and `column` of the first, both from 1, and a message."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.message = message


def decode(content: bytes) -> Decoded:
    """Return the text of a list of people: UTF-8, UTF-16, or the Windows-1252 that Excel in the West writes.

    A byte order mark decides. Without one, NULs on one side of every pair of bytes are UTF-16; what isn't UTF-8 is
    taken for Windows-1252, which can't be told from its neighbours: so the name is there to be shown to a person.

    Raises:
        NotDecodable: it is none of these.
    """
    for mark, codec, name in _MARKS:
        if content.startswith(mark):
            return Decoded(_decoded(content[len(mark) :], codec, name), name)
    unmarked = _unmarked_utf16(content[:_SAMPLE])
    if unmarked is not None:
        name = "UTF-16 without a byte order mark"
        return Decoded(_decoded(content, unmarked, name), name)
    try:
        return Decoded(content.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError:
        return Decoded(_decoded(content, "cp1252", "UTF-8, UTF-16 or Windows-1252"), "Windows-1252")


def _unmarked_utf16(sample: bytes) -> str | None:
    if not sample or len(sample) % 2:
        return None
    even, odd = sample[0::2], sample[1::2]
    if odd.count(0) > _HALF * len(odd) and not even.count(0):
        return "utf-16-le"
    if even.count(0) > _HALF * len(even) and not odd.count(0):
        return "utf-16-be"
    return None


def _decoded(content: bytes, codec: str, name: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(codec, "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"not {name}: byte 0x{content[error.start]:02x}"
        raise NotDecodable(line, column, message) from None
