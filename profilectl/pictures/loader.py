"""The roster's picture files, read and prepared for a command; bad ones are problems of the roster at their lines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from profilectl.errors import AvatarRefused, RosterRefused
from profilectl.model import Picture, Problem
from profilectl.text.escape import visible

_LARGEST_RECORD = 30_000_000  # bytes: the pictures of a hundred thousand agents

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from pathlib import Path

    from profilectl.cli.context import Context
    from profilectl.model import Agent, PreparedPicture
    from profilectl.pictures.stat_cache import PictureMemory


Refusals = Mapping[str, AvatarRefused]
"""Why pictures can't be used, by their paths as written."""


def find_problems(context: Context, agents: Iterable[Agent], proven: Container[str] = ()) -> tuple[Problem, ...]:
    """Read every picture these agents name, decode those that aren't proven, and return all that is wrong with them.

    Args:
        context: knows where the roster is.
        agents: whose pictures are judged.
        proven: digests of files that are known to be good.
    """
    agents = tuple(agents)
    pictures, unread = _inspect(context, agents)
    new = [picture for picture in pictures.values() if picture.digest not in proven]
    _, undecoded = _prepare(context, new) if new else ({}, {})
    return _problems(context, agents, {**unread, **undecoded})


def recollect(context: Context) -> PictureMemory:
    """Return what an earlier `sync` has kept of the roster's pictures, so that untouched ones needn't be read again."""
    from profilectl.pictures.stat_cache import PictureMemory, parse
    from profilectl.system.files import read_private

    return PictureMemory(context.roster_path.parent, parse(read_private(_record(context), _LARGEST_RECORD)))


def remember(context: Context, memory: PictureMemory) -> None:
    """Keep what is known of the pictures for the next command; only for one that has opened the ledger to write."""
    from profilectl.pictures.stat_cache import dump
    from profilectl.system.files import keep_private

    news = memory.news(agent.avatar for agent in context.roster.agents)
    if news is not None:
        keep_private(_record(context), dump(news))


def forget(context: Context) -> None:
    """Let the next command read every picture again: one wasn't what was remembered of it."""
    with suppress(OSError):
        _record(context).unlink(missing_ok=True)


def _record(context: Context) -> Path:
    return context.ledger_path.with_name("pictures.json")


def inspect_all(context: Context, agents: Iterable[Agent], memory: PictureMemory | None = None) -> dict[str, Picture]:
    """Read and hash on all cores every picture these agents name, by its path as written.

    Args:
        context: knows where the roster is.
        agents: whose pictures are wanted.
        memory: knows those that needn't be read; it isn't written.

    Raises:
        RosterRefused: with every bad one.
    """
    pictures, refusals = _inspect(context, agents, memory)
    _refuse(context, refusals)
    return pictures


def prepare_all(context: Context, pictures: Iterable[Picture]) -> dict[str, PreparedPicture]:
    """Decode and normalise pictures on all cores, by the digest of their file.

    Raises:
        RosterRefused: with every bad one.
    """
    prepared, refusals = _prepare(context, pictures)
    _refuse(context, refusals)
    return prepared


def _inspect(
    context: Context, agents: Iterable[Agent], memory: PictureMemory | None = None
) -> tuple[dict[str, Picture], Refusals]:
    from profilectl.pictures.stat_cache import PictureMemory

    memory = memory or PictureMemory(context.roster_path.parent)
    found: dict[str, Picture | AvatarRefused | None] = {agent.avatar: None for agent in agents}
    found |= {avatar: memory.recall(avatar) for avatar in found}
    unknown = [avatar for avatar, picture in found.items() if picture is None]
    rest = iter(unknown)  # shared: whoever has time takes the next one

    def work() -> None:
        for avatar in rest:
            try:
                found[avatar] = memory.read(avatar)
            except AvatarRefused as error:
                found[avatar] = error

    _share(work, min(os.cpu_count() or 1, len(unknown)))
    pictures = {avatar: one for avatar, one in found.items() if isinstance(one, Picture)}
    return pictures, {avatar: one for avatar, one in found.items() if isinstance(one, AvatarRefused)}


def _share(work: Callable[[], None], workers: int) -> None:
    """Let that many workers do something, this thread being one of them."""
    if workers > 1:
        from profilectl.system.threads import begin

        helpers = [begin(work) for _ in range(workers - 1)]
        work()
        for helper in helpers:
            helper.result()
    else:
        work()


def _prepare(context: Context, pictures: Iterable[Picture]) -> tuple[dict[str, PreparedPicture], Refusals]:
    from concurrent.futures import ThreadPoolExecutor

    from profilectl.pictures.avatars import prepare

    prepared: dict[str, PreparedPicture] = {}
    refusals: dict[str, AvatarRefused] = {}
    with ThreadPoolExecutor(thread_name_prefix="picture") as pool:
        waiting = {one.path: pool.submit(prepare, context.roster_path.parent, one) for one in pictures}
        for path, future in waiting.items():
            try:
                picture = future.result()
            except AvatarRefused as error:
                refusals[path] = error
            else:
                prepared[picture.source_digest] = picture
    return prepared, refusals


def _refuse(context: Context, refusals: Refusals) -> None:
    """Tell of bad pictures as problems of the roster."""
    if not refusals:
        return
    count = "1 picture" if len(refusals) == 1 else f"{len(refusals)} pictures"
    raise RosterRefused(
        f"{visible(str(context.roster_path))}: {count} can't be used",
        problems=_problems(context, context.roster.agents, refusals),
        hint=next(iter(refusals.values())).hint,
    )


def _problems(context: Context, agents: Iterable[Agent], refusals: Refusals) -> tuple[Problem, ...]:
    """Return a problem for each agent whose picture is refused, at the line that names it."""
    if not refusals:
        return ()
    from profilectl.toml.document import decode
    from profilectl.toml.positions import locate

    name = str(context.roster_path)
    text = decode(context.read_roster(), name)
    problems = []
    concerned = {(agent.key, agent.avatar): agent for agent in agents if agent.avatar in refusals}
    for agent in concerned.values():
        line, column = locate(text, ("agents", agent.key, "brands", agent.brand, "avatar"))
        message = refusals[agent.avatar].message
        problems.append(Problem(name, line, column, f"agents.{agent.key}.avatar", message))
    return tuple(problems)
