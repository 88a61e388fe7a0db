"""Comparing live pictures with those that were uploaded, for ``--verify-avatars``; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.errors import AvatarRefused, RemoteError
from profilectl.model import Picture, PreparedPicture, Roster
from profilectl.plan.changes import Action

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.plan.builder import Plan
    from profilectl.sync.ports import BrandTarget


class LivePicture(Struct, frozen=True):
    """The picture of an agent for which nothing is to be done, as far as name and file show."""

    brand: str
    agent: str
    profile_id: str
    url: str
    digest: str  # of the roster's file, which is the one that was uploaded


class Verification(Struct, frozen=True):
    """Ids of the profiles whose picture is another one, and a warning for every picture that couldn't be had."""

    swapped: frozenset[str]
    warnings: tuple[str, ...]


def unchanged_pictures(
    plan: Plan, roster: Roster, pictures: Mapping[str, Picture], targets: Mapping[str, BrandTarget], today: date
) -> Iterator[LivePicture]:
    """Yield the pictures that are worth a call: what will be replaced or removed anyway isn't."""
    passing = {Action.DESTROY, Action.RENAME}  # what these are about says nothing of the agent's picture
    decided = {(change.brand, change.agent) for change in plan.changes if change.action not in passing}
    for brand, target in targets.items():
        listed = {profile.id: profile for profile in target.observation.profiles}
        bound = {binding.agent: binding.profile_id for binding in target.observation.ledger_state.bindings}
        for agent in roster.agents_of(brand):
            profile = listed.get(bound.get(agent.key, ""))
            is_over = agent.until is not None and agent.until < today
            if profile is not None and not is_over and (brand, agent.key) not in decided:
                yield LivePicture(brand, agent.key, profile.id, profile.avatar_url, pictures[agent.avatar].digest)


def find_swapped(
    live: Sequence[LivePicture], prepared: Mapping[str, PreparedPicture], clients: Mapping[str, XClient], jobs: int
) -> Verification:
    """Download live pictures, at most `jobs` at once, and compare each with the one that was uploaded.

    What was uploaded is looked up by the digest of its source file, the client by brand.
    """
    with ThreadPoolExecutor(jobs, thread_name_prefix="picture") as pool:
        uploaded = (prepared[picture.digest].content for picture in live)
        results = tuple(pool.map(partial(_is_swapped, clients), live, uploaded))
    # a picture that can't be had isn't swapped: replacing it would spend a create on what may be a broken connection
    warnings = [
        f"warning: {picture.brand}: {picture.agent}: the live picture can't be verified: {result}"
        for picture, result in zip(live, results, strict=True)
        if isinstance(result, str)
    ]
    if warnings:
        warnings.append("1 picture not verified" if len(warnings) == 1 else f"{len(warnings):,} pictures not verified")
    swapped = {picture.profile_id for picture, result in zip(live, results, strict=True) if result is True}
    return Verification(frozenset(swapped), tuple(warnings))


def _is_swapped(clients: Mapping[str, XClient], picture: LivePicture, uploaded: bytes) -> bool | str:
    """Say whether another picture is live, or why that can't be said."""
    from profilectl.pictures.similarity import LARGEST_DISTANCE, distance

    try:
        # X encodes every picture anew, so bytes can't be compared
        live = clients[picture.brand].download(picture.url)
        return distance(uploaded, live, picture.url) > LARGEST_DISTANCE
    except (RemoteError, AvatarRefused) as error:
        return error.message
