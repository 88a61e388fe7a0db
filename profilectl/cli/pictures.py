"""The roster's picture files, read and prepared for a command; bad ones are problems of the roster at their lines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from profilectl.errors import AvatarRefused, RosterRefused
from profilectl.model import Problem
from profilectl.names import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from profilectl.cli.context import Context
    from profilectl.model import Agent, Picture, PreparedPicture


def inspect_all(context: Context, agents: Iterable[Agent]) -> dict[str, Picture]:
    """Read and hash every picture these agents name, by its path as written.

    Raises:
        RosterRefused: with every bad one.
    """
    from profilectl.avatars import inspect

    pictures: dict[str, Picture] = {}
    refusals: dict[str, AvatarRefused] = {}
    for avatar in dict.fromkeys(agent.avatar for agent in agents):
        try:
            pictures[avatar] = inspect(context.roster_path.parent, avatar)
        except AvatarRefused as error:
            refusals[avatar] = error
    _refuse(context, refusals)
    return pictures


def prepare_all(context: Context, pictures: Iterable[Picture]) -> dict[str, PreparedPicture]:
    """Decode and normalise pictures on all cores, by the digest of their file.

    Raises:
        RosterRefused: with every bad one.
    """
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
    _refuse(context, refusals)
    return prepared


def _refuse(context: Context, refusals: Mapping[str, AvatarRefused]) -> None:
    """Tell of bad pictures as problems of the roster, at the lines that name them."""
    if not refusals:
        return
    from profilectl.roster.document import decode
    from profilectl.roster.locate import locate

    name = str(context.roster_path)
    text = decode(context.read_roster(), name)
    problems = []
    concerned = {(agent.key, agent.avatar): agent for agent in context.roster.agents if agent.avatar in refusals}
    for agent in concerned.values():
        line, column = locate(text, ("agents", agent.key, "brands", agent.brand, "avatar"))
        message = refusals[agent.avatar].message
        problems.append(Problem(name, line, column, f"agents.{agent.key}.avatar", message))
    count = "1 picture" if len(refusals) == 1 else f"{len(refusals)} pictures"
    hint = next(iter(refusals.values())).hint
    raise RosterRefused(f"{visible(name)}: {count} can't be used", problems=problems, hint=hint)
