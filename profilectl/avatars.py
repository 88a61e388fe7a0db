"""A file that somebody dropped into a folder becomes a picture that may leave the house.

Two deeds, because most runs need only the first: `inspect` reads and hashes, which tells whether a picture changed;
`prepare` decodes behind guards and encodes anew. Nothing of the source survives but its pixels: no EXIF, no GPS
position, no comment, no colour profile, no bytes behind the image's end.

Both may be called from several threads at once.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import re
import stat
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

from profilectl.errors import AvatarRefused
from profilectl.model import Picture, PreparedPicture
from profilectl.names import visible

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_FILE: Final = 20_000_000  # bytes: 20 MB as file managers count them
LARGEST_IMAGE: Final = 40_000_000  # pixels: the photographs of today's telephones pass, bombs don't
LARGEST_SIDE: Final = 400  # pixels: what X shows of an account's picture
JPEG_QUALITY: Final = 88

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


def inspect(folder: Path, relative: str) -> Picture:
    """Read and hash a picture without decoding it.

    Args:
        folder: the roster's folder; symbolic links may lead anywhere inside of it.
        relative: the file as the roster writes it, relative to `folder`.

    Raises:
        AvatarRefused: outside of the folder, missing, no regular file, empty, or over `LARGEST_FILE`.
    """
    content = _read(folder, relative)
    return Picture(path=relative, digest=_digest(content), size=len(content))


def prepare(folder: Path, picture: Picture, size: int = LARGEST_SIDE) -> PreparedPicture:
    """Turn an inspected picture into what is uploaded; the same file always gives the same bytes.

    The middle square is kept, at most `size` pixels wide, never enlarged; JPEG when it is opaque, else PNG.

    Raises:
        AvatarRefused: as `inspect` does; or the file has changed since, or is no usable image.
    """
    content = _read(folder, picture.path)
    if _digest(content) != picture.digest:
        raise _refusal(picture.path, "changed while it was being used", "leave the file alone and run this again")
    return normalise(content, picture.path, size)


def normalise(content: bytes, name: str, size: int = LARGEST_SIDE) -> PreparedPicture:
    """Do with a picture's bytes, such as those that X serves, as `prepare` does; `name` is for the AvatarRefused."""
    square = _decode(content, name, size)
    return PreparedPicture(*_encode(square), _digest(content), _difference_hash(square))


def square(content: bytes, name: str) -> Image:
    """Return the middle square of a picture, at most `LARGEST_SIDE` pixels wide, in RGB or RGBA.

    Raises:
        AvatarRefused: it is no usable image; `name` is what the message calls it.
    """
    return _decode(content, name, LARGEST_SIDE)


def _refusal(path: str, reason: str, hint: str | None = None) -> AvatarRefused:
    return AvatarRefused(f"picture {visible(path)} {reason}", hint=hint)


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _read(folder: Path, relative: str) -> bytes:
    """Read a file with every way out of the folder closed, opening nothing that could block or have a side effect."""
    try:
        with open(_open_inside(folder, relative), "rb") as file:
            content, size = file.read(LARGEST_FILE + 1), os.fstat(file.fileno()).st_size
    except FileNotFoundError as error:
        raise _refusal(relative, "doesn't exist", "its path is relative to the roster's folder") from error
    except (OSError, ValueError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise _refusal(relative, f"can't be read: {reason}") from error
    if len(content) > LARGEST_FILE:
        figures = f"{_millions(max(size, len(content)))} MB, at most {_millions(LARGEST_FILE)}"
        raise _refusal(relative, f"has {figures}", "save it smaller")
    if not content:
        raise _refusal(relative, "is an empty file")
    return content


def _open_inside(folder: Path, relative: str) -> int:
    """Open a regular file below the folder, walking step by step so that no link can be slipped in between."""
    home = os.path.realpath(folder)
    target = os.path.realpath(os.path.join(home, relative))  # noqa: PTH118 - pathlib would drop what makes a path odd
    if os.path.isabs(relative) or os.path.commonpath([home, target]) != home:  # noqa: PTH117 - as above
        raise _refusal(relative, "is outside of the roster's folder", "copy it into the folder")
    *parents, name = Path(target).relative_to(home).parts or (os.curdir,)
    place = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for parent in parents:
            place, left = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place), place
            os.close(left)
        _require_regular(os.stat(name, dir_fd=place, follow_symlinks=False), relative)
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
    finally:
        os.close(place)
    try:
        _require_regular(os.fstat(descriptor), relative)
    except AvatarRefused:
        os.close(descriptor)
        raise
    return descriptor


def _require_regular(status: os.stat_result, relative: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise _refusal(relative, "is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise _refusal(relative, "isn't a regular file", "use an ordinary file, no pipe, socket or device")


def _decode(content: bytes, path: str, size: int) -> Image:
    """Let foreign bytes meet Pillow, here and nowhere else."""
    from PIL import Image, UnidentifiedImageError

    try:
        _silence_pillow()
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "GIF", "WEBP")) as source:
            _require_decodable(source, path)
            return _square(source, size)
    except AvatarRefused:
        raise
    except UnidentifiedImageError as error:
        if _OURS.match(content):
            raise _refusal(path, *_DAMAGED) from error
        raise _refusal(path, f"is {_foreign_format(content)}", "use a JPEG, PNG, WEBP or GIF image") from error
    except Image.DecompressionBombError as error:
        raise _refusal(path, f"has far more than {_millions(LARGEST_IMAGE)} megapixels", "save it smaller") from error
    except MemoryError as error:
        raise _refusal(path, "needs more memory than there is", "save it smaller") from error
    except Exception as error:  # decoders of foreign bytes stumble in every way there is; the cause stays attached
        raise _refusal(path, *_DAMAGED) from error


def _silence_pillow() -> None:
    """Keep Pillow's remarks on odd metadata from the terminal, for good: what matters of them is checked here.

    `warnings.catch_warnings` would be no help, as it isn't made for threads that come and go in any order.
    """
    silence = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
    with _filters_lock:
        if silence not in warnings.filters:
            warnings.filterwarnings("ignore", module=r"PIL\.")


def _require_decodable(source: Image, path: str) -> None:
    pixels = source.width * source.height
    if pixels > LARGEST_IMAGE:
        figures = f"{source.width}x{source.height} is {_millions(pixels)} megapixels"
        raise _refusal(path, f"is too large: {figures}, at most {_millions(LARGEST_IMAGE)}", "save it smaller")


def _millions(count: int) -> str:
    return f"{math.ceil(count / 100_000) / 10:g}"  # rounded up, so that too much never looks like just enough


def _foreign_format(content: bytes) -> str:
    head = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    for mark, name in _FOREIGN.items():
        if head.startswith(mark):
            return f"{name}, which isn't accepted"
    for brand, name in _FOREIGN_BRANDS.items():
        if head[4:8] == b"ftyp" and head[8:].startswith(brand):
            return f"{name}, which isn't accepted"
    return "no image, or none that is known here"


def _square(source: Image, size: int) -> Image:
    """Crop to the middle, shrink, turn upright, bring into sRGB: the order that touches the fewest pixels."""
    from PIL import Image

    source.draft(None, (2 * size, 2 * size))  # lets a large JPEG decode at a fraction of its size
    source.load()
    side = min(source.size)
    left, top = (source.width - side) // 2, (source.height - side) // 2
    middle = (left, top, left + side, top + side)
    square = _resizable(source)
    if side > size:
        square = square.resize((size, size), Image.Resampling.LANCZOS, middle, reducing_gap=3.0)
    else:
        square = square.crop(middle)
    return _without_idle_alpha(_in_srgb(_upright(square, source), source.info.get("icc_profile")))


def _resizable(image: Image) -> Image:
    """Leave palettes, single bits and 16 bits behind; transparency stays."""
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in {"L", "RGB", "CMYK"} and not image.has_transparency_data:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


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
    """Convert from the embedded colour profile; without a usable one colours count as sRGB, as in every browser."""
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
    """Drop a transparency that is nowhere used, so that a photograph saved as PNG becomes JPEG."""
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    return image


def _encode(square: Image) -> tuple[bytes, str]:
    from PIL import Image

    pixels = Image.new(square.mode, square.size)  # a new image: what the encoder finds in `square.info` it would write
    pixels.paste(square)
    buffer = io.BytesIO()
    if pixels.mode == "RGBA":
        pixels.save(buffer, "PNG")
        return buffer.getvalue(), "image/png"
    pixels.save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return buffer.getvalue(), "image/jpeg"


def _difference_hash(square: Image) -> int:
    """64 bits: is a pixel of the 9x8 miniature brighter than its right neighbour; survives X's own re-encoding."""
    from PIL import Image

    miniature = square.convert("L").resize((9, 8), Image.Resampling.LANCZOS).tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            here = 9 * row + column
            bits = bits << 1 | (miniature[here] > miniature[here + 1])
    return bits
