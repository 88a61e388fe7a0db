"""A picture that goes along with a message: what it shows leaves the machine, and nothing of what it says beside that.

Photographs and screenshots are encoded anew, whole and upright: a customer learns no place, device or serial number of
whoever sent them. JPEG stays JPEG; PNG and a GIF that doesn't move become PNG, so that a screenshot's letters
stay sharp. An animation isn't encoded anew, which would cost its timing and colours: its frames stay byte for byte, and
the blocks that hold words (comments, XMP, other applications' data) are left out, with anything after its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from profilectl.errors import AvatarRefused, InputRefused
from profilectl.pictures.decode import decode, millions, plain, refusal, resizable, save

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_FILE: Final = 20_000_000  # bytes that are read: a telephone's photograph is made to fit, an animation isn't
LARGEST_IMAGE: Final = 5_242_880  # bytes, X's limit (x-api.md 3.2)
LARGEST_ANIMATION: Final = 15_728_640  # bytes, the same
JPEG_QUALITY: Final = 90
_SMALLER: Final = 0.75  # of the sides, as often as needed
_TYPES: Final = {b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG", b"GIF8": "GIF"}
_LOOPS: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")  # the applications whose data makes an animation go round


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is uploaded for a message.

    Attributes:
        media_type: "image/jpeg", "image/png" or "image/gif".
        category: X's ``media_category``: "dm_image", or "dm_gif" for an animation.
        name: the file's, for people; X never gets it.
    """

    content: bytes = field(repr=False)
    media_type: str
    category: str
    name: str = ""


def prepare(content: bytes, name: str) -> Attachment:
    """Make a file ready to be uploaded.

    Args:
        content: the whole file, at most `LARGEST_FILE`; its first bytes say what it is, its name doesn't.
        name: what refusals call it.

    Raises:
        InputRefused: no JPEG, PNG or GIF, damaged, with too many pixels, or an animation over `LARGEST_ANIMATION`.
    """
    try:
        kind = _TYPES.get(content[:3]) or _TYPES.get(content[:4])
        if kind is None:
            raise refusal(name, "is no JPEG, PNG or GIF", "X takes no other picture in a message")
        if kind == "GIF" and len(frames := _animation(content, name)) > 0:
            return Attachment(frames, "image/gif", "dm_gif", name)
        return _still(content, name, kind)
    except AvatarRefused as error:
        raise InputRefused(error.message, hint=error.hint) from error


def _still(content: bytes, name: str, kind: str) -> Attachment:
    image = decode(content, name, _whole)
    encoded = _encode(image, kind)
    while len(encoded[0]) > LARGEST_IMAGE:
        image = image.resize((max(1, int(image.width * _SMALLER)), max(1, int(image.height * _SMALLER))))
        encoded = _encode(image, kind)
    return Attachment(*encoded, "dm_image", name)


def _whole(source: Image) -> Image:
    source.load()
    return plain(resizable(source), source)


def _encode(image: Image, kind: str) -> tuple[bytes, str]:
    """Encode without loss where the source was and X's limit allows it; transparency needs PNG in any case."""
    if kind != "JPEG" or image.mode == "RGBA":
        lossless = save(image, "PNG")
        if len(lossless) <= LARGEST_IMAGE or image.mode == "RGBA":
            return lossless, "image/png"
    return save(image, "JPEG", quality=JPEG_QUALITY), "image/jpeg"


def _animation(content: bytes, name: str) -> bytes:
    """Return an animation without its words, nothing for a GIF with one frame."""
    decode(content, name, _first_frame)
    try:
        blocks = list(_blocks(content))
    except IndexError:
        raise refusal(name, "is damaged or cut off", "export or copy it anew") from None
    if sum(block[:1] == b"\x2c" for block in blocks) < 2:
        return b""
    bare = b"".join(block for block in blocks if not _speaks(block))
    if len(bare) > LARGEST_ANIMATION:
        figures = f"{millions(len(bare))} MB, at most {millions(LARGEST_ANIMATION)}"
        raise refusal(name, f"is an animation of {figures}", "save it smaller or shorter")
    return bare


def _first_frame(source: Image) -> Image:
    source.load()
    return source.copy()


def _speaks(block: bytes) -> bool:
    """Say whether a block holds words: a comment, plain text, or an application's data other than its loop."""
    if block[:2] == b"\x21\xff":
        return block[3:14] not in _LOOPS
    return block[:2] in {b"\x21\xfe", b"\x21\x01"}


def _blocks(content: bytes) -> Iterator[bytes]:
    """Yield a GIF's header with its palette, then every block up to the trailer (GIF89a 17 to 27).

    Raises:
        IndexError: it ends before its trailer, or holds what is no block.
    """
    at = 13 + _palette(content[10])
    yield content[:at]
    while (mark := content[at]) != 0x3B:
        if mark == 0x2C:
            data = at + 10 + _palette(content[at + 9]) + 1  # behind the descriptor, its palette and the code size
        elif mark == 0x21:
            data = at + 2
        else:
            raise IndexError(at)
        end = _behind_data(content, data)
        yield content[at:end]
        at = end
    yield b"\x3b"


def _palette(flags: int) -> int:
    """Return the bytes of the palette that a screen or image descriptor announces."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _behind_data(content: bytes, at: int) -> int:
    """Return where a chain of sub-blocks ends; an empty one is its last."""
    while length := content[at]:
        at += 1 + length
    return at + 1
