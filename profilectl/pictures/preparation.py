"""Pictures that a run will upload, each decoded once, in the background and on all cores; and what is kept of them.

Kept because a telephone's photograph takes 50 ms to decode: `roster check`, `diff` and `sync` would each take five
seconds for two hundred, where they are read in 30 ms.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from profilectl.digests import digest_of, digest_of_bytes
from profilectl.errors import AvatarRefused
from profilectl.model import Picture, PreparedPicture, undecorated
from profilectl.pictures import avatars
from profilectl.pictures.loader import FEWEST_WATCHED, Watch, unwatched
from profilectl.pictures.provenance import MACHINE_MADE
from profilectl.system.cache import cache_folder, read_cache, trim_folder, write_cache
from profilectl.system.threads import begin

if TYPE_CHECKING:
    from concurrent.futures import Future

LARGEST_FOLDER: Final = 200_000_000
"""Bytes of all kept pictures: those of eight thousand agents."""

SMALLEST_KEPT: Final = 1_000_000
"""Pixels of a file: less is decoded in less than ten milliseconds."""

_VERSION: Final = 2  # to be raised when pictures are prepared in another way
_LARGEST_FILE: Final = 2_000_000  # bytes: 400x400 as PNG are 640 kB at most
_LINE: Final = b"\n"
_DIGEST_LENGTH: Final = 71  # characters, see `digests`


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    """What a kept picture says of itself, beside its bytes."""

    key: str
    media_type: str
    signature: str
    pixels: str
    made_by: str


class PreparedCache:
    """Prepared pictures of this user's rosters, by what they were made from. May be used from several threads at once.

    Whatever is wrong with it, it counts as empty, and pictures are decoded.
    """

    def __init__(self, roster_folder: Path) -> None:
        self._roster_folder = roster_folder
        self._folder = cache_folder("prepared")
        self._has_grown = False

    def prepare(self, picture: Picture) -> PreparedPicture:
        """Return what `avatars.prepare` does; AvatarRefused likewise. Nothing is kept."""
        return self._recall(picture) or avatars.prepare(self._roster_folder, picture)

    def prepare_and_keep(self, picture: Picture) -> PreparedPicture:
        """Return what `avatars.prepare` does, and keep it where that can be written; AvatarRefused likewise."""
        kept = self._recall(picture)
        if kept is not None:
            return kept
        prepared = avatars.prepare(self._roster_folder, picture)
        self.keep(picture, prepared)
        return prepared

    def look(self, picture: Picture) -> PreparedPicture | None:
        """Return what `prepare` does where that takes long or shows more than whether a picture can be used; else None.

        AvatarRefused likewise. Nothing is kept.
        """
        if _tells_more(picture):
            return self.prepare(picture)
        avatars.require_decodable(self._roster_folder, picture)
        return None

    def look_and_keep(self, picture: Picture) -> PreparedPicture | None:
        """Return what `look` does, and keep what takes long where that can be written; AvatarRefused likewise."""
        if _tells_more(picture):
            return self.prepare_and_keep(picture)
        avatars.require_decodable(self._roster_folder, picture)
        return None

    def keep(self, picture: Picture, prepared: PreparedPicture) -> None:
        """Keep a picture for the next command, if it takes long to decode; see `trim`."""
        if _is_large(picture):
            path = self._path(picture)
            if not os.path.lexists(path):
                write_cache(path, _dump(_key(picture), prepared), levels=3)
                self._has_grown = True

    def trim(self) -> None:
        """Remove what was kept first, where there is too much of it."""
        if self._has_grown:
            trim_folder(self._folder, LARGEST_FOLDER)

    def _recall(self, picture: Picture) -> PreparedPicture | None:
        if not _is_large(picture):
            return None
        return _parse(read_cache(self._path(picture), _LARGEST_FILE), picture)

    def _path(self, picture: Picture) -> str:
        return f"{self._folder}/{_key(picture).removeprefix('sha256:')}"


def _is_large(picture: Picture) -> bool:
    return picture.shape.width * picture.shape.height >= SMALLEST_KEPT


def _tells_more(picture: Picture) -> bool:
    # Whether transparency shows is known of the pixels alone, and a badge is drawn on them.
    return _is_large(picture) or picture.shape.has_alpha or undecorated(picture.path)[0] is not None


def _key(picture: Picture) -> str:
    """Return the digest of all that decides about what `avatars.prepare` returns."""
    from PIL import __version__

    decoration, _ = undecorated(picture.path)
    side = avatars.LARGEST_SIDE if decoration is None else decoration.size
    return digest_of([_VERSION, __version__, picture.digest, picture.mark, side, avatars.JPEG_QUALITY])


def _dump(key: str, prepared: PreparedPicture) -> bytes:
    head = _Head(key, prepared.media_type, prepared.signature, prepared.pixels, prepared.made_by)
    body = msgspec.json.encode(head) + _LINE + prepared.content
    return digest_of_bytes(body).encode() + _LINE + body


def _parse(content: bytes, picture: Picture) -> PreparedPicture | None:
    """Return what `_dump` wrote of a picture, None for anything else."""
    digest, body = content[:_DIGEST_LENGTH], content[_DIGEST_LENGTH + 1 :]
    if not body or digest != digest_of_bytes(body).encode():
        return None
    line, _, encoded = body.partition(_LINE)
    try:
        head = msgspec.json.decode(line, type=_Head)
    except msgspec.DecodeError:
        return None
    made_by = picture.mark if picture.mark in MACHINE_MADE else ""
    if (head.key, head.made_by) != (_key(picture), made_by):
        return None
    return PreparedPicture(encoded, head.media_type, picture.digest, head.signature, made_by, head.pixels)


class Preparation:
    """The pictures of one run, prepared ahead of their use; used from one thread.

    Args:
        prepare: returns what is uploaded of a picture, or raises AvatarRefused; called from several threads at once.
        refuse: raises what is to be told of the refusals of pictures, which come by their paths.
        watch: shows how far it is with many pictures, by their paths.
    """

    def __init__(
        self,
        prepare: Callable[[Picture], PreparedPicture],
        refuse: Callable[[Mapping[str, AvatarRefused]], None],
        watch: Watch = unwatched,
    ) -> None:
        self._prepare = prepare
        self._refuse = refuse
        self._watch = watch
        self._results: dict[str, Future[PreparedPicture]] = {}  # by the picture's digest
        self._waiting: deque[tuple[Picture, Future[PreparedPicture]]] = deque()
        self._free = os.cpu_count() or 1  # threads that may be begun
        self._lock = threading.Lock()  # a thread that ends must not be counted on for what is added meanwhile

    def begin(self, pictures: Iterable[Picture]) -> None:
        """Prepare pictures from now on, in this order, after those that were begun before; doesn't wait."""
        from concurrent.futures import Future  # it brings logging along, which a check does without

        with self._lock:
            for picture in pictures:
                if picture.digest not in self._results:
                    self._results[picture.digest] = Future()
                    self._waiting.append((picture, self._results[picture.digest]))
            threads = min(self._free, len(self._waiting))
            self._free -= threads
        # Not a pool, whose threads would keep a process alive that was interrupted.
        for _ in range(threads):
            begin(self._work)

    def futures(self, pictures: Iterable[Picture]) -> Iterator[tuple[str, Future[PreparedPicture]]]:
        """Yield where each picture will be, or its AvatarRefused, with the digest of its file.

        Whoever goes on to the next one has waited for it.
        """
        pictures = tuple(pictures)
        self.begin(pictures)
        with self._watching(pictures) as advance:
            for picture in pictures:
                yield picture.digest, self._results[picture.digest]
                advance(undecorated(picture.path)[1])

    def _watching(self, pictures: Sequence[Picture]) -> AbstractContextManager[Callable[[str], None]]:
        unready = sum(not self._results[picture.digest].done() for picture in pictures)
        names = [undecorated(picture.path)[1] for picture in pictures]
        return self._watch(names) if unready >= FEWEST_WATCHED else unwatched(())

    def usable(self, pictures: Iterable[Picture]) -> dict[str, PreparedPicture]:
        """Wait for pictures, and return those that can be used, by the digests of their files."""
        return self._collect(pictures)[0]

    def require(self, pictures: Iterable[Picture]) -> dict[str, PreparedPicture]:
        """Wait for pictures, and return them by the digests of their files.

        Raises:
            RosterRefused: with every one that can't be used.
        """
        prepared, refusals = self._collect(pictures)
        if refusals:
            self._refuse(refusals)
        return prepared

    def _collect(self, pictures: Iterable[Picture]) -> tuple[dict[str, PreparedPicture], dict[str, AvatarRefused]]:
        pictures = tuple(pictures)
        prepared: dict[str, PreparedPicture] = {}
        refusals: dict[str, AvatarRefused] = {}
        for picture, (digest, result) in zip(pictures, self.futures(pictures), strict=True):
            try:
                prepared[digest] = result.result()
            except AvatarRefused as error:
                refusals[picture.path] = error
        return prepared, refusals

    def _work(self) -> None:
        while (item := self._take()) is not None:
            picture, result = item
            try:
                result.set_result(self._prepare(picture))
            except BaseException as error:  # noqa: BLE001 - it is raised again where the picture is waited for
                result.set_exception(error)

    def _take(self) -> tuple[Picture, Future[PreparedPicture]] | None:
        """Return the next picture; None, once, to a thread that ends."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._free += 1
            return None
