"""Is the live picture still the one that was uploaded? For ``--verify-avatars``; nothing is written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from profilectl.errors import AvatarRefused, RemoteError
from profilectl.plan.changes import Action
from profilectl.render.console import info

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from profilectl.plan.builder import Plan
    from profilectl.sync.session import SyncSession


class _Face(NamedTuple):
    """A live profile of an agent for which nothing is to be done, as far as its name and its file tell."""

    brand: str
    agent: str
    profile_id: str
    avatar_url: str
    digest: str  # of the roster's file, which is the one that was uploaded


def find_swapped(session: SyncSession, plan: Plan, today: date) -> frozenset[str]:
    """Download the live picture of every agent that the plan leaves as it is, and compare it with the roster's.

    What can't be had is no change: it is told on stderr, agent by agent.

    Returns:
        ids of the profiles whose picture is another one.

    Raises:
        RosterRefused: a picture of the roster is no image.
    """
    faces = tuple(_unchanged(session, plan, today))
    digests = {face.digest for face in faces}
    chosen = {picture.digest: picture for picture in session.pictures.values() if picture.digest in digests}
    prepared = session.context.prepare_pictures(chosen.values())
    with ThreadPoolExecutor(session.jobs, thread_name_prefix="face") as pool:
        uploaded = (prepared[face.digest].content for face in faces)
        verdicts = tuple(pool.map(partial(_is_swapped, session), faces, uploaded))
    problems = [(face, verdict) for face, verdict in zip(faces, verdicts, strict=True) if isinstance(verdict, str)]
    for face, problem in problems:
        info(f"warning: {face.brand}: {face.agent}: the live picture can't be verified: {problem}")
    if problems:
        info("1 picture not verified" if len(problems) == 1 else f"{len(problems):,} pictures not verified")
    return frozenset(face.profile_id for face, verdict in zip(faces, verdicts, strict=True) if verdict is True)


def _unchanged(session: SyncSession, plan: Plan, today: date) -> Iterator[_Face]:
    """Yield whose pictures are worth a call: what will be replaced or removed anyway isn't."""
    only, roster = session.selection.agents, session.context.roster
    decided = {(change.brand, change.agent) for change in plan.changes if change.action is not Action.DESTROY}
    for brand, target in session.targets.items():
        listed = {profile.id: profile for profile in target.observation.profiles}
        bound = {binding.agent: binding.profile_id for binding in target.observation.ledger_state.bindings}
        for agent in roster.agents_of(brand):
            profile = listed.get(bound.get(agent.key, ""))
            is_over = agent.until is not None and agent.until < today
            is_left_out = (brand, agent.key) in decided or (only and agent.key not in only)
            if profile is not None and not is_over and not is_left_out:
                digest = session.pictures[agent.avatar].digest
                yield _Face(brand, agent.key, profile.id, profile.avatar_url, digest)


def _is_swapped(session: SyncSession, face: _Face, uploaded: bytes) -> bool | str:
    """Say whether another picture is live, or why that can't be said."""
    from profilectl.pictures.similarity import LARGEST_DISTANCE, distance

    try:
        live = session.clients[face.brand].download(face.avatar_url)
        return distance(uploaded, live, face.avatar_url) > LARGEST_DISTANCE
    except (RemoteError, AvatarRefused) as error:
        return error.message
