"""A file that somebody dropped into a folder becomes a picture that may be uploaded.

Two steps, because most runs need only the first: `inspect` reads and hashes, which tells whether a picture changed;
`prepare` decodes behind guards and encodes anew. Nothing of the source survives but its pixels: no EXIF, no GPS
position, no comment, no colour profile, no bytes behind the image's end.

Both may be called from several threads at once.

`read` and `FolderStats` are for `stat_cache`, which knows when not even reading is needed.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from profilectl.digests import digest_of_bytes
from profilectl.errors import AvatarRefused
from profilectl.model import Picture, PreparedPicture
from profilectl.pictures.decode import decode, millions, plain, refusal, resizable, save

if TYPE_CHECKING:
    from io import BufferedReader

    from PIL.Image import Image

LARGEST_FILE: Final = 20_000_000  # bytes: 20 MB as file managers count them
LARGEST_SIDE: Final = 400  # pixels: what X shows of an account's picture
JPEG_QUALITY: Final = 88
_BLOCK: Final = 1 << 22  # bytes that are hashed at once: for smaller ones threads would only hinder each other


class Identity(NamedTuple):
    """Which file it is, and in which state: when any of this differs, it may hold something else; times in ns."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        """Return the identity of a file that was looked at."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Reading(NamedTuple):
    """A picture, the file's identity before it was read, and this machine's time before that, epoch nanoseconds."""

    picture: Picture
    identity: Identity
    begun_ns: int


def inspect(folder: Path, relative: str) -> Picture:
    """Read and hash a picture without decoding it.

    Args:
        folder: the roster's folder; symbolic links may lead anywhere inside of it.
        relative: the file as the roster writes it, relative to `folder`.

    Raises:
        AvatarRefused: outside of the folder, missing, no regular file, empty, or over `LARGEST_FILE`.
    """
    return read(folder, relative).picture


def read(folder: Path, relative: str) -> Reading:
    """Do what `inspect` does, and say which file it was."""
    begun_ns = time.time_ns()
    with _opened(folder, relative) as file:
        identity = Identity.of(os.fstat(file.fileno()))
        digest, size = hashlib.sha256(), 0
        while block := file.read1(min(_BLOCK, LARGEST_FILE + 1 - size)):
            digest.update(block)
            size += len(block)
    _require_usable(relative, size, identity.size)
    return Reading(Picture(relative, "sha256:" + digest.hexdigest(), size), identity, begun_ns)


class FolderStats:
    """Identifies the pictures of a roster's folder without opening them; folders in it are resolved once, so be quick.

    What another process slips in meanwhile shows in the identity, so that no way has to be walked step by step.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[str, str] = {}  # where the folders that pictures are in really are

    def identify(self, relative: str) -> Identity | None:
        """Return which file a picture is; None when `read` has to take a closer look, and to say what is wrong."""
        parent, _, name = relative.rpartition("/")
        if name in {"", ".", ".."} or relative.startswith("/"):
            return None
        try:
            if parent not in self._places:
                self._places[parent] = _resolve(self._folder, parent)[1]
            status = os.lstat(f"{self._places[parent]}/{name}")
            if stat.S_ISLNK(status.st_mode):
                status = os.lstat(_resolve(self._folder, relative)[1])
        except (AvatarRefused, OSError, ValueError):
            return None
        return Identity.of(status) if stat.S_ISREG(status.st_mode) else None


def prepare(folder: Path, picture: Picture, size: int = LARGEST_SIDE) -> PreparedPicture:
    """Turn an inspected picture into what is uploaded; the same file always gives the same bytes.

    The middle square is kept, at most `size` pixels wide, never enlarged; JPEG when it is opaque, else PNG.

    Raises:
        AvatarRefused: as `inspect` does; or the file has changed since, or is no usable image.
    """
    content = _read(folder, picture.path)
    if digest_of_bytes(content) != picture.digest:
        raise refusal(picture.path, "changed while it was being used", "leave the file alone and run this again")
    return normalise(content, picture.path, size)


def normalise(content: bytes, name: str, size: int = LARGEST_SIDE) -> PreparedPicture:
    """Do with a picture's bytes, such as those that X serves, as `prepare` does; `name` is for the AvatarRefused."""
    square = decode(content, name, lambda source: _square(source, size))
    return PreparedPicture(*_encode(square), digest_of_bytes(content))


def square(content: bytes, name: str) -> Image:
    """Return the middle square of a picture, at most `LARGEST_SIDE` pixels wide, in RGB or RGBA.

    Raises:
        AvatarRefused: it is no usable image; `name` is what the message calls it.
    """
    return decode(content, name, lambda source: _square(source, LARGEST_SIDE))


def _read(folder: Path, relative: str) -> bytes:
    with _opened(folder, relative) as file:
        content, size = file.read(LARGEST_FILE + 1), os.fstat(file.fileno()).st_size
    _require_usable(relative, len(content), size)
    return content


@contextmanager
def _opened(folder: Path, relative: str) -> Iterator[BufferedReader]:
    """Open a file with every way out of the folder closed, opening nothing that could block or have a side effect."""
    try:
        with open(_open_inside(folder, relative), "rb") as file:
            yield file
    except FileNotFoundError as error:
        raise refusal(relative, "doesn't exist", "its path is relative to the roster's folder") from error
    except (OSError, ValueError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise refusal(relative, f"can't be read: {reason}") from error


def _require_usable(relative: str, read: int, size: int) -> None:
    """Refuse a file by how much of it could be read, and how large it says it is, in bytes."""
    if read > LARGEST_FILE:
        figures = f"{millions(max(size, read))} MB, at most {millions(LARGEST_FILE)}"
        raise refusal(relative, f"has {figures}", "save it smaller")
    if not read:
        raise refusal(relative, "is an empty file")


def _resolve(folder: Path, relative: str) -> tuple[str, str]:
    """Return where the folder and the file really are; AvatarRefused when the one isn't in the other."""
    home = os.path.realpath(folder)
    target = os.path.realpath(os.path.join(home, relative))  # noqa: PTH118 - pathlib would drop what makes a path odd
    if os.path.isabs(relative) or os.path.commonpath([home, target]) != home:  # noqa: PTH117 - as above
        raise refusal(relative, "is outside of the roster's folder", "copy it into the folder")
    return home, target


def _open_inside(folder: Path, relative: str) -> int:
    """Open a regular file below the folder, walking step by step so that no link can be slipped in between."""
    home, target = _resolve(folder, relative)
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
        raise refusal(relative, "is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise refusal(relative, "isn't a regular file", "use an ordinary file, no pipe, socket or device")


def _square(source: Image, size: int) -> Image:
    """Crop to the middle, shrink, turn upright, bring into sRGB: the order that touches the fewest pixels."""
    from PIL import Image

    source.draft(None, (2 * size, 2 * size))  # lets a large JPEG decode at a fraction of its size
    source.load()
    side = min(source.size)
    left, top = (source.width - side) // 2, (source.height - side) // 2
    middle = (left, top, left + side, top + side)
    square = resizable(source)
    if side > size:
        square = square.resize((size, size), Image.Resampling.LANCZOS, middle, reducing_gap=3.0)
    else:
        square = square.crop(middle)
    return plain(square, source)


def _encode(square: Image) -> tuple[bytes, str]:
    if square.mode == "RGBA":
        return save(square, "PNG"), "image/png"
    return save(square, "JPEG", quality=JPEG_QUALITY), "image/jpeg"
