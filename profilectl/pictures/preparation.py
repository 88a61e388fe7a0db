"""Pictures that a run will upload, each decoded once, in the background and on all cores."""

from __future__ import annotations

import os
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
        self._working: list[Future[None]] = []

    def begin(self, pictures: Iterable[Picture]) -> None:
        """Prepare pictures from now on, in this order, after those that were begun before; doesn't wait."""
        for picture in pictures:
            if picture.digest not in self._results:
                self._results[picture.digest] = Future()
                self._waiting.append((picture, self._results[picture.digest]))
        self._working = [work for work in self._working if not work.done()]
        free = (os.cpu_count() or 1) - len(self._working)
        # Not a pool, whose threads would keep a process alive that was interrupted.
        self._working += [begin(self._work) for _ in range(min(free, len(self._waiting)))]

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
        while self._waiting:
            try:
                picture, result = self._waiting.popleft()
            except IndexError:  # another thread took the last one
                return
            try:
                result.set_result(self._prepare(picture))
            except BaseException as error:  # noqa: BLE001 - it is raised again where the picture is waited for
                result.set_exception(error)
