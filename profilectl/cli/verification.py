"""Is the live picture still the one that was uploaded? For ``--verify-avatars``; nothing is written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from profilectl.changes import Action
from profilectl.errors import AvatarRefused, RemoteError
from profilectl.render.consoles import talk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from profilectl.cli.gathering import Gathering
    from profilectl.plan import Plan


class _Face(NamedTuple):
    """A live profile of an agent for which nothing is to be done, as far as its name and its file tell."""

    brand: str
    agent: str
    profile_id: str
    avatar_url: str
    digest: str  # of the roster's file, which is the one that was uploaded


def find_swapped(gathering: Gathering, plan: Plan, today: date) -> frozenset[str]:
    """Download the live picture of every agent that the plan leaves as it is, and compare it with the roster's.

    What can't be had is no change: it is told on stderr, agent by agent.

    Returns:
        ids of the profiles whose picture is another one.

    Raises:
        RosterRefused: a picture of the roster is no image.
    """
    faces = tuple(_unchanged(gathering, plan, today))
    digests = {face.digest for face in faces}
    chosen = {picture.digest: picture for picture in gathering.pictures.values() if picture.digest in digests}
    prepared = gathering.context.prepare_pictures(chosen.values())
    with ThreadPoolExecutor(gathering.jobs, thread_name_prefix="face") as pool:
        uploaded = (prepared[face.digest].content for face in faces)
        verdicts = tuple(pool.map(partial(_is_swapped, gathering), faces, uploaded))
    problems = [(face, verdict) for face, verdict in zip(faces, verdicts, strict=True) if isinstance(verdict, str)]
    for face, problem in problems:
        talk(f"warning: {face.brand}: {face.agent}: the live picture can't be verified: {problem}")
    if problems:
        talk("1 picture not verified" if len(problems) == 1 else f"{len(problems):,} pictures not verified")
    return frozenset(face.profile_id for face, verdict in zip(faces, verdicts, strict=True) if verdict is True)


def _unchanged(gathering: Gathering, plan: Plan, today: date) -> Iterator[_Face]:
    """Yield whose pictures are worth a call: what will be replaced or removed anyway isn't."""
    only, roster = gathering.selection.agents, gathering.context.roster
    decided = {(change.brand, change.agent) for change in plan.changes if change.action is not Action.DESTROY}
    for brand, station in gathering.stations.items():
        listed = {profile.id: profile for profile in station.situation.profiles}
        bound = {binding.agent: binding.profile_id for binding in station.situation.holdings.bindings}
        for agent in roster.agents_of(brand):
            profile = listed.get(bound.get(agent.key, ""))
            is_over = agent.until is not None and agent.until < today
            is_left_out = (brand, agent.key) in decided or (only and agent.key not in only)
            if profile is not None and not is_over and not is_left_out:
                digest = gathering.pictures[agent.avatar].digest
                yield _Face(brand, agent.key, profile.id, profile.avatar_url, digest)


def _is_swapped(gathering: Gathering, face: _Face, uploaded: bytes) -> bool | str:
    """Say whether another picture is live, or why that can't be said."""
    from profilectl.likeness import LARGEST_DISTANCE, distance

    try:
        live = gathering.clients[face.brand].download(face.avatar_url)
        return distance(uploaded, live, face.avatar_url) > LARGEST_DISTANCE
    except (RemoteError, AvatarRefused) as error:
        return error.message
