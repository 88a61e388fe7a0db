"""Agents' picture files: `inspect` reads, `prepare` decodes and encodes for upload; both from any thread.

Most runs need only the first, which shows whether a picture changed.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from profilectl.digests import digest_of, digest_of_bytes
from profilectl.errors import AvatarRefused
from profilectl.model import DRAWN, Picture, PreparedPicture, undecorated
from profilectl.pictures.decode import decode, millions, plain, refusal, resizable, save
from profilectl.pictures.decoration import Badge, badge_refusal, digest_with, draw, read_badge
from profilectl.pictures.file_names import AmbiguousName, as_spelled
from profilectl.pictures.signature import signature
from profilectl.system.threads import Budget
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from io import BufferedReader

    from PIL.Image import Image

LARGEST_FILE: Final = 20_000_000  # bytes: 20 MB as file managers count them
LARGEST_SIDE: Final = 400  # pixels: what X shows of an account's picture
JPEG_QUALITY: Final = 88

_contents = Budget(LARGEST_FILE + LARGEST_FILE // 4)
"""Bytes of files that are in memory; taken before a part of the pixels' memory, never after."""


class FileIdentity(NamedTuple):
    """Which file it is, and in which state: when any of this differs, it may hold something else; times in ns."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileIdentity:
        """Return the identity in a file's status."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Reading(NamedTuple):
    """A picture, the file's identity before it was read, and this machine's time before that, epoch nanoseconds."""

    picture: Picture
    identity: FileIdentity
    begun_ns: int


def inspect(folder: Path, relative: str) -> Picture:
    """Read a picture of the roster's folder without decoding it; links may lead anywhere inside of it.

    It is hashed, and searched for what its metadata says of its origin.

    Raises:
        AvatarRefused: outside of the folder, missing, no regular file, empty, or over `LARGEST_FILE`.
    """
    return read(folder, relative).picture


def read(folder: Path, relative: str) -> Reading:
    """Return what `inspect` does, and which file it was."""
    from profilectl.pictures.provenance import find_mark  # a run in which no picture has changed reads none
    from profilectl.pictures.shape import shape_of

    if relative.startswith(DRAWN):
        recipe = relative.encode()
        return Reading(Picture(relative, digest_of_bytes(recipe), len(recipe)), FileIdentity(0, 0, 0, 0, 0), 0)
    # Clock, then identity, then bytes: whatever changes the file later shows against one of the first two.
    begun_ns = time.time_ns()
    with _opened(folder, relative) as file:
        identity = FileIdentity.of(os.fstat(file.fileno()))
        kept = min(identity.size, LARGEST_FILE)
        with _contents.hold(kept):
            content = file.read(kept + 1)
            if len(content) > kept:  # it grows, or is too large
                content += file.read(LARGEST_FILE + 1 - len(content))
            _require_usable(relative, len(content), identity.size)
            picture = Picture(relative, digest_of_bytes(content), len(content), find_mark(content), shape_of(content))
    return Reading(picture, identity, begun_ns)


class FolderStats:
    """Identifies the pictures of a roster's folder without opening them; for one command: folders are resolved once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._resolved: dict[str, str] = {}  # real paths of the folders that pictures are in

    def identify(self, relative: str) -> FileIdentity | None:
        """Return which file a picture is; None when `read` has to look, and to raise what is wrong with it."""
        # No walk as in `_open_inside` is needed: what is slipped in meanwhile has another identity.
        parent, _, name = relative.rpartition("/")
        if name in {"", ".", ".."} or relative.startswith("/"):
            return None
        try:
            if parent not in self._resolved:
                self._resolved[parent] = _resolve(self._folder, parent)[1]
            try:
                status = os.lstat(f"{self._resolved[parent]}/{name}")
            except FileNotFoundError:  # or it is spelled otherwise
                status = os.lstat(_resolve(self._folder, relative)[1])
            if stat.S_ISLNK(status.st_mode):
                status = os.lstat(_resolve(self._folder, relative)[1])
        except (AvatarRefused, OSError, ValueError):
            return None
        return FileIdentity.of(status) if stat.S_ISREG(status.st_mode) else None


def prepare(folder: Path, picture: Picture, size: int | None = None) -> PreparedPicture:
    """Return what is uploaded of a picture: its middle square, as JPEG when opaque, or PNG.

    It is at most `size` pixels wide, and no wider than its brand has it, or else `LARGEST_SIDE`. What its brand draws
    on pictures is on it. Of its metadata only the mark of a machine-made picture stays.

    Raises:
        AvatarRefused: as `inspect` does; or the file has changed since, or is no usable image.
        BadgeRefused: likewise, of the brand's badge.
    """
    decoration, path = undecorated(picture.path)
    largest = LARGEST_SIDE if decoration is None else decoration.size
    side = largest if size is None else min(size, largest)
    # The badge is read and decoded before the picture's part of the budgets is taken.
    badge = None if decoration is None or decoration.badge is None else _badge(folder, decoration.badge)
    with _content(folder, path) as (content, digest):
        adorn, source = None, digest
        if decoration is not None:
            adorn = partial(draw, decoration=decoration, badge=badge)
            source = digest_with(decoration, digest, "" if badge is None else badge.digest)
        # The plan names the digest that was inspected: nothing else may be uploaded in its name.
        what = "changed" if badge is None else "or the brand's badge has changed"
        _require_unchanged(path, source, picture.digest, what)
        return _marked(_prepared(square(content, path, side), source, adorn), picture.mark)


def _require_unchanged(path: str, digest: str, inspected: str, what: str = "changed") -> None:
    if digest != inspected:
        raise refusal(path, f"{what} while it was being used", "leave the file alone and run this again")


@contextmanager
def _content(folder: Path, relative: str) -> Iterator[tuple[bytes, str]]:
    """Give a picture's bytes, and the digest that it is known by."""
    if relative.startswith(DRAWN):
        from profilectl.pictures.placeholders import initials_portrait

        key, _, name = relative.removeprefix(DRAWN).partition(",")
        # Known by the recipe: another Pillow may draw other bytes.
        yield initials_portrait(name, colour_of=key), digest_of_bytes(relative.encode())
        return
    with _opened(folder, relative) as file:
        file_size = os.fstat(file.fileno()).st_size
        kept = min(file_size, LARGEST_FILE)
        with _contents.hold(kept):
            content = file.read(kept + 1)
            _require_usable(relative, len(content), file_size)
            yield content, digest_of_bytes(content)


def _badge(folder: Path, relative: str) -> Badge:
    try:
        with _content(folder, relative) as (content, digest):
            return read_badge(content, relative, digest)
    except AvatarRefused as error:
        raise badge_refusal(error) from error


def normalise(
    content: bytes, name: str, size: int = LARGEST_SIDE, adorn: Callable[[Image], Image] | None = None
) -> PreparedPicture:
    """Return what `prepare` does, of bytes such as those that X serves, unmarked; `name` is for the AvatarRefused.

    `adorn` draws on the square.
    """
    return _prepared(square(content, name, size), digest_of_bytes(content), adorn)


def _prepared(image: Image, source: str, adorn: Callable[[Image], Image] | None) -> PreparedPicture:
    if adorn is not None:
        image = adorn(image)
    if image.mode == "RGBA":
        encoded, media_type = save(image, "PNG"), "image/png"
    else:
        encoded, media_type = save(image, "JPEG", quality=JPEG_QUALITY), "image/jpeg"
    return PreparedPicture(encoded, media_type, source, signature(image), pixels=_pixels(image))


def _pixels(image: Image) -> str:
    head = f"{image.mode} {image.width}x{image.height} ".encode()  # or a wide picture could pass for a high one
    return digest_of_bytes(head + image.tobytes())


def _marked(prepared: PreparedPicture, mark: str) -> PreparedPicture:
    from profilectl.pictures.provenance import MACHINE_MADE, with_mark

    if mark not in MACHINE_MADE:
        return prepared
    # What a machine made is another upload than a photograph of the same pixels.
    pixels = digest_of([prepared.pixels, mark])
    return replace(prepared, content=with_mark(prepared.content, mark), made_by=mark, pixels=pixels)


def square(content: bytes, name: str, size: int = LARGEST_SIDE) -> Image:
    """Return a picture's middle square, at most `size` pixels wide, in RGB or RGBA; AvatarRefused names it `name`."""
    return decode(content, name, lambda source: _square(source, size), _drafted(size))


def require_decodable(folder: Path, picture: Picture) -> None:
    """Decode an undecorated picture, and keep nothing of it; a small one takes a third of what `prepare` takes.

    Raises:
        AvatarRefused: as `prepare` does.
    """
    with _content(folder, picture.path) as (content, digest):
        _require_unchanged(picture.path, digest, picture.digest)
        decode(content, picture.path, _load, _drafted(LARGEST_SIDE))


def _load(source: Image) -> None:
    source.load()


def _drafted(size: int) -> int:
    # A large JPEG is decoded at a fraction of its size, but not below 1.5 times of what is shown. With twice of it, a
    # telephone's 12 megapixels take 89 instead of 52 ms; with 1.75 times of it, 1200x1600 take 30 instead of 14. What
    # it changes is 50 dB below the picture, and saving that as a JPEG changes more (36 dB).
    return 3 * size // 2


@contextmanager
def _opened(folder: Path, relative: str) -> Iterator[BufferedReader]:
    """Open a regular file inside of the folder; AvatarRefused for anything else."""
    try:
        with open(_open_inside(folder, relative), "rb") as file:
            yield file
    except FileNotFoundError as error:
        raise refusal(relative, "doesn't exist", "its path is relative to the roster's folder") from error
    except (OSError, ValueError) as error:
        # open() raises ValueError for NUL alone, and Python's words for it change from version to version
        reason = "its name has a NUL character" if isinstance(error, ValueError) else (error.strerror or "").lower()
        raise refusal(relative, f"can't be read: {reason}") from error


def _require_usable(relative: str, read: int, size: int) -> None:
    # By both, as a file may grow while it is read.
    if read > LARGEST_FILE:
        figures = f"{millions(max(size, read))} MB, at most {millions(LARGEST_FILE)}"
        raise refusal(relative, f"has {figures}", "save it smaller")
    if not read:
        raise refusal(relative, "is an empty file")


def _resolve(folder: Path, relative: str) -> tuple[str, str]:
    """Return the real paths of the folder and the file; AvatarRefused when the file isn't in the folder."""
    base = os.path.realpath(folder)
    target = os.path.realpath(os.path.join(base, relative))  # noqa: PTH118 - pathlib would drop what makes a path odd
    if not os.path.lexists(target) and not os.path.isabs(relative):  # noqa: PTH117 - as above
        target = os.path.realpath(f"{base}/{_spelled(base, relative)}")
    if os.path.isabs(relative) or os.path.commonpath([base, target]) != base:  # noqa: PTH117 - as above
        raise refusal(relative, "is outside of the roster's folder", "copy it into the folder")
    return base, target


def _spelled(base: str, relative: str) -> str:
    try:
        return as_spelled(base, relative)
    except AmbiguousName as error:
        names = " and ".join(map(visible, error.names[:2]))
        raise refusal(relative, f"could be {names}", "write the name as one of them is spelled") from None


def _open_inside(folder: Path, relative: str) -> int:
    """Return a descriptor of a regular file below the folder."""
    base, target = _resolve(folder, relative)
    *parents, name = Path(target).relative_to(base).parts or (os.curdir,)
    current = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Step by step, as a folder of the resolved path may have become a link since.
        for parent in parents:
            current, left = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=current), current
            os.close(left)
        # Looked at before it is opened: opening a device may do something, and a pipe would wait for its writer.
        _require_regular(os.stat(name, dir_fd=current, follow_symlinks=False), relative)
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=current)
    finally:
        os.close(current)
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
    from PIL import Image

    # Crop, shrink, turn upright, bring into sRGB: the order that touches the fewest pixels.
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
