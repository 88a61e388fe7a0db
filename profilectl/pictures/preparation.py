"""Pictures that a run will upload, each decoded once, in the background and on all cores."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future

from profilectl.errors import AvatarRefused
from profilectl.model import Picture, PreparedPicture
from profilectl.system.threads import begin


class Preparation:
    """The pictures of one run, prepared ahead of their use; used from one thread.

    Args:
        prepare: returns what is uploaded of a picture, or raises AvatarRefused; called from several threads at once.
        refuse: raises what is to be told of the refusals of pictures, which come by their paths.
    """

    def __init__(
        self,
        prepare: Callable[[Picture], PreparedPicture],
        refuse: Callable[[Mapping[str, AvatarRefused]], None],
    ) -> None:
        self._prepare = prepare
        self._refuse = refuse
        self._results: dict[str, Future[PreparedPicture]] = {}  # by the picture's digest
        self._waiting: deque[tuple[Picture, Future[PreparedPicture]]] = deque()
        self._free = os.cpu_count() or 1  # threads that may be begun
        self._lock = threading.Lock()  # a thread that ends must not be counted on for what is added meanwhile

    def begin(self, pictures: Iterable[Picture]) -> None:
        """Prepare pictures from now on, in this order, after those that were begun before; doesn't wait."""
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

    def futures(self, pictures: Iterable[Picture]) -> list[tuple[str, Future[PreparedPicture]]]:
        """Return where each picture will be, or its AvatarRefused, with the digest of its file."""
        pictures = tuple(pictures)
        self.begin(pictures)
        return [(picture.digest, self._results[picture.digest]) for picture in pictures]

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
        self.begin(pictures)
        prepared: dict[str, PreparedPicture] = {}
        refusals: dict[str, AvatarRefused] = {}
        for picture in pictures:
            try:
                prepared[picture.digest] = self._results[picture.digest].result()
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
