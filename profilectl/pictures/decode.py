"""Decode foreign bytes behind guards, and encode pixels into a file without metadata; everything from any thread.

Every picture that leaves the machine is encoded here: no EXIF, no GPS position, no comment, no colour profile.
"""

from __future__ import annotations

import io
import math
import re
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from profilectl.errors import AvatarRefused
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_IMAGE: Final = 40_000_000  # pixels: the photographs of today's telephones pass, bombs don't

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


def decode(content: bytes, path: str, use: Callable[[Image], Image]) -> Image:
    """Return what `use` makes of an opened image that isn't loaded yet; `path` is what refusals call the file.

    Raises:
        AvatarRefused: neither JPEG, PNG, GIF nor WEBP, damaged, or over `LARGEST_IMAGE`.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        _silence_pillow()
        # Pillow has decoders for dozens of formats, and that of EPS starts another program.
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "GIF", "WEBP")) as source:
            _require_decodable(source, path)
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
    if image.mode in {"L", "RGB", "CMYK"} and not image.has_transparency_data:
        return image
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


def _require_decodable(source: Image, path: str) -> None:
    # By the size in its header, before memory is taken for the pixels.
    pixels = source.width * source.height
    if pixels > LARGEST_IMAGE:
        figures = f"{source.width}x{source.height} is {millions(pixels)} megapixels"
        raise refusal(path, f"is too large: {figures}, at most {millions(LARGEST_IMAGE)}", "save it smaller")


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
