"""A roster's picture files, read and prepared on all cores; why some can't be used is a value."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Mapping
from itertools import islice
from pathlib import Path

from profilectl.errors import AvatarRefused, RosterRefused
from profilectl.model import Agent, Picture, PreparedPicture, Problem
from profilectl.pictures.avatars import prepare
from profilectl.pictures.stat_cache import PictureStatCache
from profilectl.system.threads import begin
from profilectl.text.escape import visible
from profilectl.toml.positions import locate
from profilectl.toml.problems import MOST


def inspect_all(
    folder: Path, agents: Iterable[Agent], cache: PictureStatCache | None = None
) -> tuple[dict[str, Picture], dict[str, AvatarRefused]]:
    """Read and hash the pictures that agents name; return them, and the refusals, by their paths as written."""
    cache = cache or PictureStatCache(folder)
    pictures = {path: cache.recall(path) for path in dict.fromkeys(agent.avatar for agent in agents)}
    refusals: dict[str, AvatarRefused] = {}
    unread = [path for path, picture in pictures.items() if picture is None]
    queue = iter(unread)  # shared: each thread takes the next path when it is done with one

    def work() -> None:
        for path in queue:
            try:
                pictures[path] = cache.read(path)
            except AvatarRefused as error:
                refusals[path] = error

    # Not a pool, whose threads would keep a process alive that was interrupted at a slow file system.
    helpers = [begin(work) for _ in range(min(os.cpu_count() or 1, len(unread)) - 1)]
    work()
    for helper in helpers:
        helper.result()
    usable = {path: picture for path, picture in pictures.items() if picture is not None}
    # In the roster's order, whichever thread was first.
    return usable, {path: refusals[path] for path in unread if path in refusals}


def prepare_all(
    folder: Path, pictures: Iterable[Picture]
) -> tuple[dict[str, PreparedPicture], dict[str, AvatarRefused]]:
    """Decode and normalise pictures; return them by the digest of their file, and the refusals by their paths."""
    from concurrent.futures import ThreadPoolExecutor

    prepared: dict[str, PreparedPicture] = {}
    refusals: dict[str, AvatarRefused] = {}
    with ThreadPoolExecutor(thread_name_prefix="picture") as pool:
        futures = {picture.path: pool.submit(prepare, folder, picture) for picture in pictures}
        for path, future in futures.items():
            try:
                result = future.result()
            except AvatarRefused as error:
                refusals[path] = error
            else:
                prepared[result.source_digest] = result
    return prepared, refusals


def find_refusals(folder: Path, agents: Iterable[Agent], proven: Container[str] = ()) -> dict[str, AvatarRefused]:
    """Return why some of the pictures that agents name can't be used; `proven` holds digests of usable files."""
    pictures, unreadable = inspect_all(folder, agents)
    unproven = [picture for picture in pictures.values() if picture.digest not in proven]
    _, unusable = prepare_all(folder, unproven) if unproven else ({}, {})
    return unreadable | unusable


def problems(
    refusals: Mapping[str, AvatarRefused], agents: Iterable[Agent], text: str, file: str
) -> tuple[Problem, ...]:
    """Return a problem for each agent whose picture is refused, at its line of the roster's `text`, called `file`.

    Of more than `profilectl.toml.problems.MOST` the first, and a line that says so.
    """
    # Once for an agent of several brands that takes the same picture in all of them.
    concerned = {(agent.key, agent.avatar): agent for agent in agents if agent.avatar in refusals}
    listed = tuple(
        Problem(
            file,
            *locate(text, ("agents", agent.key, "brands", agent.brand, "avatar")),
            f"agents.{agent.key}.avatar",
            refusals[agent.avatar].message,
        )
        for agent in islice(concerned.values(), MOST)
    )
    if len(concerned) <= MOST:
        return listed
    message = f"{len(concerned)} agents whose picture can't be used; the first {MOST} are told"
    return (Problem(file, 0, 0, "", message, "warning"), *listed)


def refusal(refusals: Mapping[str, AvatarRefused], agents: Iterable[Agent], text: str, file: str) -> RosterRefused:
    """Return the refusal of a roster whose pictures can't all be used; the arguments are those of `problems`."""
    count = "1 picture" if len(refusals) == 1 else f"{len(refusals)} pictures"
    return RosterRefused(
        f"{visible(file)}: {count} can't be used",
        problems=problems(refusals, agents, text, file),
        hint=next(iter(refusals.values())).hint,
    )
