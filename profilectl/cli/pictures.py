"""The roster's picture files, read and prepared for a command; bad ones are problems of the roster at their lines."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from profilectl.errors import AvatarRefused, RosterRefused
from profilectl.model import Problem
from profilectl.names import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from profilectl.cli.context import Context
    from profilectl.model import Agent, Picture, PreparedPicture


Refusals = Mapping[str, AvatarRefused]
"""Why pictures can't be used, by their paths as written."""


def find_problems(context: Context, agents: Iterable[Agent]) -> tuple[Problem, ...]:
    """Read and decode every picture these agents name, and return all that is wrong with them."""
    agents = tuple(agents)
    pictures, unread = _inspect(context, agents)
    _, undecoded = _prepare(context, pictures.values())
    return _problems(context, agents, {**unread, **undecoded})


def inspect_all(context: Context, agents: Iterable[Agent]) -> dict[str, Picture]:
    """Read and hash every picture these agents name, by its path as written.

    Raises:
        RosterRefused: with every bad one.
    """
    pictures, refusals = _inspect(context, agents)
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


def _inspect(context: Context, agents: Iterable[Agent]) -> tuple[dict[str, Picture], Refusals]:
    from profilectl.avatars import inspect

    pictures: dict[str, Picture] = {}
    refusals: dict[str, AvatarRefused] = {}
    for avatar in dict.fromkeys(agent.avatar for agent in agents):
        try:
            pictures[avatar] = inspect(context.roster_path.parent, avatar)
        except AvatarRefused as error:
            refusals[avatar] = error
    return pictures, refusals


def _prepare(context: Context, pictures: Iterable[Picture]) -> tuple[dict[str, PreparedPicture], Refusals]:
    from profilectl.avatars import prepare

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
    from profilectl.roster.document import decode
    from profilectl.roster.locate import locate

    name = str(context.roster_path)
    text = decode(context.read_roster(), name)
    problems = []
    concerned = {(agent.key, agent.avatar): agent for agent in agents if agent.avatar in refusals}
    for agent in concerned.values():
        line, column = locate(text, ("agents", agent.key, "brands", agent.brand, "avatar"))
        message = refusals[agent.avatar].message
        problems.append(Problem(name, line, column, f"agents.{agent.key}.avatar", message))
    return tuple(problems)
