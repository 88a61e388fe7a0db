"""Second witnesses: what X's list alone doesn't prove is looked up by id, and in the pictures that X serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from profilectl.errors import AvatarRefused, NotFound, RemoteError, Unreachable
from profilectl.plan.intents import Observation, missing_bindings, newer_profiles, remembered, weigh

if TYPE_CHECKING:
    from profilectl.model import Intent, Profile
    from profilectl.sync.ports import Remote

MOST_SHOWN = 180
"""Profiles that X is asked about by id in one run: its limit on such calls, for a quarter of an hour."""

MOST_PICTURES = 200  # that are fetched in one run: a create that is in doubt has a handful of candidates
_JOBS = 8  # calls at once


def confirm_losses(observation: Observation, remote: Remote, settle_after: int) -> Observation:
    """Ask X about the bound profiles that its list lacks, at most `MOST_SHOWN`, and note those that it has no more.

    Raises:
        Unreachable: X has one of them, so its list isn't complete, and nothing can be concluded from it.
    """
    missing = missing_bindings(observation, settle_after)[:MOST_SHOWN]
    if not missing:
        return observation
    from concurrent.futures import ThreadPoolExecutor

    # alone: where the list lies it mostly lacks all of them, and one answer is enough to know that
    gone = [profile_id for profile_id in missing[:1] if _is_gone(remote, observation.brand, profile_id)]
    with ThreadPoolExecutor(_JOBS, thread_name_prefix="show") as pool:
        answers = pool.map(lambda profile_id: _is_gone(remote, observation.brand, profile_id), missing[1:])
        gone += [profile_id for profile_id, is_gone in zip(missing[1:], answers, strict=True) if is_gone]
    return replace(observation, gone=frozenset(gone))


def _is_gone(remote: Remote, brand: str, profile_id: str) -> bool:
    """Say whether X itself says that it has no such profile; False when nobody knows."""
    try:
        remote.show_profile(profile_id)
    except NotFound:
        return True
    except RemoteError:  # what can't be asked now is asked by the next run, and the agent waits for it
        return False
    raise Unreachable(
        f"brand {brand}: X's list lacks profile {profile_id}, which X has: it isn't complete, so nothing was changed",
        hint="run the same command again in a few minutes",
    )


def confirm_candidates(observation: Observation, remote: Remote) -> Observation:
    """Ask X by id about the profiles that would be adopted, as a list may be another account's.

    Of what X has, nothing changes; what it doesn't have, is left out; and what nobody knows about, stays in doubt.
    """
    intents = (*observation.ledger_state.intents, *remembered(observation))
    candidates = {profile.id for intent in intents for profile in weigh(intent, observation).proven}
    for profile_id in sorted(candidates)[:MOST_SHOWN]:
        try:
            remote.show_profile(profile_id)
        except NotFound:
            profiles = tuple(profile for profile in observation.profiles if profile.id != profile_id)
            observation = replace(observation, profiles=profiles)
        except RemoteError:
            pairs = {pair: same for pair, same in observation.same_picture.items() if pair[1] != profile_id}
            observation = replace(observation, same_picture=pairs)
    return observation


def compare_pictures(observation: Observation, remote: Remote) -> Observation:
    """Compare the pictures of profiles that unanswered creates may have made with those that were uploaded."""
    known = observation.same_picture
    pairs = [
        (intent, profile)
        for intent in (*observation.ledger_state.intents, *remembered(observation))
        for profile in (newer_profiles(intent, observation) if intent.picture else ())
        if (intent.nonce, profile.id) not in known
    ]
    urls = list(dict.fromkeys(profile.avatar_url for _, profile in pairs))[:MOST_PICTURES]
    if not urls:
        return observation
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_JOBS, thread_name_prefix="picture") as pool:
        pictures = dict(zip(urls, pool.map(lambda url: _download(remote, url), urls), strict=True))
    return replace(observation, same_picture={**known, **_compared(pairs, pictures)})


def _download(remote: Remote, url: str) -> bytes | None:
    try:
        return remote.download(url)
    except RemoteError:  # without its picture a candidate stays in doubt, which is what the plan then says
        return None


def _compared(pairs: list[tuple[Intent, Profile]], pictures: dict[str, bytes | None]) -> dict[tuple[str, str], bool]:
    from profilectl.pictures.similarity import shows

    same: dict[tuple[str, str], bool] = {}
    for intent, profile in pairs:
        picture = pictures.get(profile.avatar_url)
        if picture is not None:
            try:
                same[intent.nonce, profile.id] = shows(intent.picture, picture, profile.avatar_url)
            except AvatarRefused:  # no image at all: in doubt, like one that can't be had
                continue
    return same
