"""Decode foreign bytes behind guards, and encode pixels into a file without metadata; everything from any thread.

Every picture that leaves the machine is encoded here: no EXIF, no GPS position, no comment, no colour profile.
Only the mark of a machine-made picture is added afterwards, see `provenance`.
"""

from __future__ import annotations

import io
import math
import re
import threading
import warnings
from collections.abc import Callable
from contextlib import closing, suppress
from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar

from profilectl.errors import AvatarRefused
from profilectl.system.threads import Budget
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from PIL.Image import Image

T = TypeVar("T")

LARGEST_IMAGE: Final = 52_000_000  # pixels: telephones' 50 megapixels pass; 200 would be over 20 MB as a file anyway
LARGEST_WHOLE: Final = 12_500_000  # pixels that are decoded in full: telephones' usual 12 megapixels, 4K screens
MEMORY: Final = 200_000_000  # bytes, of all pictures that are being decoded, so that a process stays below 300 MB
_WHOLE_BYTES: Final = 16  # a pixel; measured: WebP 16, PNG with transparency 12, others less
_KEPT_BYTES: Final = 8  # a pixel; a JPEG of several scans keeps the coefficients of up to four channels in full

_M_TRIM_THRESHOLD: Final = -1  # glibc's malloc.h
_M_MMAP_THRESHOLD: Final = -3
_KEPT_FREE: Final = 4_000_000
"""Bytes: blocks from here on go back to the system at once, and as much may stay with each thread.

With glibc's 128 KiB, pages were given back and asked for again: 1.6 of the 5.3 ms that a picture of 400x400 takes, and
0.3 of the 10 s of two hundred photographs.
"""

_memory = Budget(MEMORY)
"""What every decoding takes its part of: a header of 40 bytes can ask for as much as a photograph."""

_filters_lock = threading.Lock()
_DAMAGED: Final = ("is damaged or cut off", "export or copy it anew")
_OURS: Final = re.compile(rb"\xff\xd8\xff|\x89PNG|GIF8|RIFF....WEBP", re.DOTALL)
_FOREIGN: Final = {
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"BM": "BMP",
    b"%!PS": "EPS",
    b"\xc5\xd0\xd3\xc6": "EPS",
    b"%PDF": "PDF",
    b"\xff\x0a": "JPEG XL",
    b"<svg": "SVG",
    b"<?xml": "SVG or other XML",
}
_FOREIGN_BRANDS: Final = {b"hei": "HEIC", b"hev": "HEIC", b"mif1": "HEIC", b"msf1": "HEIC", b"avi": "AVIF"}


def refusal(path: str, reason: str, hint: str | None = None) -> AvatarRefused:
    """Return what to raise about a picture; `path` is its foreign name, `reason` follows it: "is an empty file"."""
    return AvatarRefused(f"picture {visible(path)} {reason}", hint=hint)


def decode(content: bytes, path: str, use: Callable[[Image], T], side: int | None = None) -> T:
    """Return what `use` makes of an opened image that isn't loaded yet; `path` is what refusals call the file.

    The opened image is closed afterwards, so it mustn't be what is returned.

    A JPEG comes at a fraction of its size: at least `side` pixels wide and high, or, where that is None, so that it
    has at most `LARGEST_WHOLE` pixels. It waits while other threads decode, as all share `MEMORY`.

    Raises:
        AvatarRefused: neither JPEG, PNG, GIF nor WEBP, damaged, or with too many pixels for its format.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        _silence_pillow()
        _return_memory()
        # Pillow has decoders for dozens of formats, and that of EPS starts another program.
        source = Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "GIF", "WEBP"))
        # closed before the next thread takes its part, as its pixels live as long
        with _memory.hold(_required_memory(source, content, path, side)), closing(source):
            return use(source)
    except AvatarRefused:
        raise
    except UnidentifiedImageError as error:
        if _OURS.match(content):
            raise refusal(path, *_DAMAGED) from error
        raise refusal(path, f"is {_foreign_format(content)}", "use a JPEG, PNG, WEBP or GIF image") from error
    except Image.DecompressionBombError as error:
        raise refusal(path, f"has far more than {millions(LARGEST_IMAGE)} megapixels", "save it smaller") from error
    except MemoryError as error:
        raise refusal(path, "needs more memory than there is", "save it smaller") from error
    except Exception as error:  # decoders of foreign bytes stumble in every way there is; the cause stays attached
        raise refusal(path, *_DAMAGED) from error


def millions(count: int) -> str:
    """Return a count in millions with one digit, rounded up, so that too much never looks like just enough."""
    return f"{math.ceil(count / 100_000) / 10:g}"


def resizable(image: Image) -> Image:
    """Return the image without a palette, single bits or 16 bits a channel, which can't be resized well."""
    # Pillow cuts 16 bits off at 255 instead of scaling them, which makes a photograph white.
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode == "RGBA" or (image.mode in {"L", "RGB", "CMYK"} and not image.has_transparency_data):
        return image  # and no copy of it, which would be the largest thing in memory
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def plain(image: Image, source: Image) -> Image:
    """Return a `resizable` image as it is saved: upright, in sRGB, without an alpha channel that shows nothing.

    Orientation and colour profile are those of the `source` that it was made from.
    """
    return _without_idle_alpha(_in_srgb(_upright(image, source), source.info.get("icc_profile")))


def save(image: Image, kind: str, **options: int | bool) -> bytes:
    """Return a picture's file, "JPEG" or "PNG": its pixels and nothing else."""
    from PIL import Image

    pixels = Image.new(image.mode, image.size)  # a new image: what the encoder finds in `image.info` it would write
    pixels.paste(image)
    buffer = io.BytesIO()
    pixels.save(buffer, kind, **options)
    return buffer.getvalue()


def _silence_pillow() -> None:
    # Not `catch_warnings`: it restores the filters of the whole process, while another thread may be decoding.
    silence = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
    with _filters_lock:
        if silence not in warnings.filters:
            warnings.filterwarnings("ignore", module=r"PIL\.")


@cache
def _return_memory() -> None:
    """Have the C library give large pictures' memory back to the system at once, where it is glibc."""
    # It learns from the first large block that is freed to keep such blocks, in an arena for each thread: eight PNGs
    # of 12.5 megapixels then hold 440 MB, although only one is decoded at a time; 190 MB with this.
    import ctypes

    with suppress(OSError, AttributeError, TypeError):  # no such function, or no C library to be had by this name
        for parameter in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD):
            ctypes.CDLL(None).mallopt(parameter, _KEPT_FREE)


def _required_memory(source: Image, content: bytes, path: str, side: int | None) -> int:
    """Return the bytes that decoding takes at most, by the size in the header, before any are taken for pixels."""
    width, height = source.size
    is_jpeg = source.format in {"JPEG", "MPO"}  # a telephone's JPEG may have a second picture behind it: MPO
    keeps_all = is_jpeg and _has_several_scans(source, content)
    if is_jpeg and side is not None:
        source.draft(None, (side, side))
    elif is_jpeg and width * height > LARGEST_WHOLE:
        source.draft(None, (max(1, width // 2), max(1, height // 2)))
    share = source.width * source.height / (width * height)  # of the pixels that will be decoded
    pixel_bytes = _WHOLE_BYTES * share + _KEPT_BYTES * keeps_all
    limit = min(LARGEST_IMAGE, int(MEMORY / pixel_bytes))
    if width * height > limit:
        figures = f"{width}x{height} is {millions(width * height)} megapixels, at most {limit // 100_000 / 10:g}"
        kind = "progressive JPEG" if keeps_all else source.format if not is_jpeg else ""
        raise refusal(path, f"is too large: {figures}{f' as {kind}' if kind else ''}", _smaller(limit))
    return min(MEMORY, math.ceil(width * height * pixel_bytes))


def _smaller(limit: int) -> str:
    return "save it smaller" if limit == LARGEST_IMAGE else "save it smaller, or as an ordinary JPEG"


def _has_several_scans(source: Image, content: bytes) -> bool:
    # libjpeg keeps all coefficients of such a file, however small it decodes it: of a progressive one, and of one whose
    # first scan lacks a channel. A structure that isn't understood counts as one.
    at = 2
    while content[at : at + 1] == b"\xff" and content[at + 1 : at + 2] != b"\xda":
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    in_first_scan = content[at + 4] if at + 4 < len(content) else 0
    return "progressive" in source.info or in_first_scan != getattr(source, "layers", None)


def _foreign_format(content: bytes) -> str:
    head = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")  # a byte order mark and spaces may stand before XML
    media_brand = head[8:] if head[4:8] == b"ftyp" else b""
    for start, formats in ((head, _FOREIGN), (media_brand, _FOREIGN_BRANDS)):
        for mark, name in formats.items():
            if start.startswith(mark):
                return f"{name}, which isn't accepted"
    return "no image, or none that is known here"


def _upright(image: Image, source: Image) -> Image:
    """Turn as EXIF says (tag 0x0112, values 2 to 8); a broken EXIF is no reason to refuse a photograph."""
    from PIL.Image import Transpose

    try:
        orientation = source.getexif().get(0x0112)
    except Exception:  # noqa: BLE001 - the parser of a damaged block raises whatever it trips over
        return image
    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


def _in_srgb(image: Image, profile: bytes | None) -> Image:
    # Without a usable profile colours count as sRGB, as in every browser.
    target = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        from PIL import ImageCms

        try:
            ours = ImageCms.createProfile("sRGB")
            theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, theirs, ours, outputMode=target)
        except (ImageCms.PyCMSError, OSError):
            return image.convert(target)
        return converted if converted is not None else image
    return image.convert(target)


def _without_idle_alpha(image: Image) -> Image:
    # A photograph that was saved as PNG often has one, and becomes a JPEG without it.
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    return image
