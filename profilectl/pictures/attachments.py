"""A picture that goes along with a message: what it shows leaves the machine, without the metadata of its file.

Only the mark of a machine-made picture stays: whoever gets it should learn that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from profilectl.errors import AvatarRefused, InputRefused
from profilectl.model import ShortRepr
from profilectl.pictures.decode import decode, millions, plain, refusal, resizable, save
from profilectl.pictures.metadata import gif_blocks
from profilectl.pictures.provenance import MACHINE_MADE, find_mark, with_mark

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_FILE: Final = 20_000_000  # bytes that are read: a telephone's photograph is made to fit, an animation isn't
LARGEST_IMAGE: Final = 5_242_880  # bytes, X's limit for media in messages
LARGEST_ANIMATION: Final = 15_728_640  # bytes, the same
JPEG_QUALITY: Final = 90
_SMALLER: Final = 0.75  # of the sides, as often as needed
_TYPES: Final = {b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG", b"GIF8": "GIF"}
_LOOPS: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")  # the applications whose data makes an animation go round


class Attachment(ShortRepr, frozen=True):
    """What is uploaded for a message."""

    unshown = frozenset({"content"})

    content: bytes
    media_type: str  # "image/jpeg", "image/png" or "image/gif"
    category: str  # X's ``media_category``: "dm_image", or "dm_gif" for an animation
    name: str = ""  # the file's, for people; X never gets it


def prepare(content: bytes, name: str) -> Attachment:
    """Return what is uploaded of a file of at most `LARGEST_FILE` bytes; `name` is what refusals call it.

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
    # Encoded anew, whole and upright, so that a customer learns no place, device or serial number of its sender.
    image, mark = decode(content, name, _whole), find_mark(content)
    encoded = _encode(image, kind, mark)
    while len(encoded[0]) > LARGEST_IMAGE:
        image = image.resize((max(1, int(image.width * _SMALLER)), max(1, int(image.height * _SMALLER))))
        encoded = _encode(image, kind, mark)
    return Attachment(*encoded, "dm_image", name)


def _whole(source: Image) -> Image:
    source.load()  # before anything else: a PNG's orientation may stand behind its pixels
    return plain(resizable(source), source)


def _encode(image: Image, kind: str, mark: str) -> tuple[bytes, str]:
    """Return a file and its media type."""
    # PNG keeps the letters of a screenshot sharp, and is the only one with transparency.
    if kind != "JPEG" or image.mode == "RGBA":
        lossless = _marked(save(image, "PNG"), mark)
        if len(lossless) <= LARGEST_IMAGE or image.mode == "RGBA":
            return lossless, "image/png"
    return _marked(save(image, "JPEG", quality=JPEG_QUALITY), mark), "image/jpeg"


def _marked(content: bytes, mark: str) -> bytes:
    return with_mark(content, mark) if mark in MACHINE_MADE else content


def _animation(content: bytes, name: str) -> bytes:
    """Return an animation without its metadata, nothing for a GIF with one frame."""
    # Only looked at: the frames stay byte for byte, as encoding anew would cost their timing and colours.
    decode(content, name, lambda source: source.copy())
    bare, frames = bytearray(), 0  # no list of blocks: a file can have millions of three bytes each
    try:
        for block in gif_blocks(content):
            frames += block[:1] == b"\x2c"
            bare += b"" if _is_metadata(block) else block
    except IndexError:
        raise refusal(name, "is damaged or cut off", "export or copy it anew") from None
    if frames < 2:
        return b""
    marked = _marked(bytes(bare), find_mark(content))
    if len(marked) > LARGEST_ANIMATION:
        figures = f"{millions(len(marked))} MB, at most {millions(LARGEST_ANIMATION)}"
        raise refusal(name, f"is an animation of {figures}", "save it smaller or shorter")
    return marked


def _is_metadata(block: bytes) -> bool:
    """Return whether a block is a comment, plain text, or an application's data (such as XMP) other than its loop."""
    if block[:2] == b"\x21\xff":
        return block[3:14] not in _LOOPS
    return block[:2] in {b"\x21\xfe", b"\x21\x01"}
