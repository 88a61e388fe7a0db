"""Profiles that X has become agents of a new roster: looked at without the lock, and written and bound under it.

Nothing is created, changed or destroyed at X. A profile of which no sound agent can be made is left out, with the
reason as a comment in the roster, and stays what it was: a stranger that nothing touches.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from profilectl.digests import digest_of_bytes
from profilectl.errors import AvatarRefused, InputRefused, RemoteError
from profilectl.ledger.accounts import check_account, require_distinct
from profilectl.model import Account, Brand, Kind, LedgerState, Profile
from profilectl.people.entries import as_written
from profilectl.people.keys import slug
from profilectl.people.photos import FOLDER
from profilectl.profiles.matching import bound_name
from profilectl.roster.disclosure import MARKERS, Disclosure, markers_for
from profilectl.roster.editing.splices import lines_of
from profilectl.text.escape import excerpt, visible
from profilectl.text.names import name_problems, normalise

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.ledger.protocol import Ledger, LedgerReader

JOBS: Final = 8  # pictures that are fetched at once
_SUFFIXES: Final = ((b"\x89PNG", "png"), (b"GIF8", "gif"), (b"RIFF", "webp"))


class LiveAgent(Struct, frozen=True):
    """A profile as an agent."""

    key: str
    name: str  # as customers read it
    kind: Kind
    profile: Profile
    picture: bytes  # as X serves it
    is_protected: bool = False

    @property
    def path(self) -> str:
        """Where the picture is stored, relative to the roster."""
        suffix = next((suffix for start, suffix in _SUFFIXES if self.picture.startswith(start)), "jpg")
        return f"{FOLDER}/{self.key}.{suffix}"


class LeftOut(Struct, frozen=True):
    """A profile that no agent was made of, and why."""

    key: str  # that its agent would have
    profile: Profile
    reason: str


class LiveBrand(Struct, frozen=True):
    """The profiles of one account, as the roster and the ledger will know them."""

    brand: Brand
    account: Account
    profiles: tuple[Profile, ...]  # all that X lists
    ledger_state: LedgerState
    agents: tuple[LiveAgent, ...]
    left_out: tuple[LeftOut, ...]

    def agrees_with(self, profiles: Iterable[Profile], ledger_state: LedgerState) -> bool:
        """Say whether X and the ledger are still as they were looked at."""
        return self.ledger_state == ledger_state and set(self.profiles) == set(profiles)


def look(brand: Brand, client: XClient, ledger: LedgerReader, others: Sequence[LiveBrand] = ()) -> LiveBrand:
    """List a brand's profiles, fetch their pictures, and make an agent of each that can be one.

    Args:
        brand: whose key may be changed to the one that the ledger has for the account.
        client: takes `JOBS` calls at once.
        ledger: keeps the keys that it knows.
        others: the brands that were looked at before; their keys are taken.

    Raises:
        WrongAccount: the credentials belong to somebody else, or to another brand.
        InputRefused: a create of another roster is still unanswered.
        RemoteError: X doesn't answer as it should.
    """
    account = client.verify_credentials()
    brands = [*(other.brand for other in others), brand]
    require_distinct({other.brand.key: other.account for other in others} | {brand.key: account}, brands)
    brand = _as_registered(brand, account, ledger)
    check_account(brand, account, ledger)
    ledger_state = ledger.state_of(account.user_id)
    if ledger_state.intents:
        named = ", ".join(intent.agent for intent in ledger_state.intents[:5])
        message = f"a create of @{visible(account.handle)} is still without X's answer: {named}"
        raise InputRefused(message, hint="`profilectl sync` with the roster that it was for settles it")
    profiles = tuple(sorted(client.list_profiles(), key=lambda profile: (profile.created_ms, int(profile.id))))
    taken = {agent.key for other in others for agent in other.agents} | ledger_state.blocked
    keys = _keys(profiles, ledger_state, taken)
    retired = {profile.profile_id for profile in ledger_state.retired}
    with ThreadPoolExecutor(JOBS, thread_name_prefix="picture") as pool:
        pictures = list(pool.map(lambda profile: _picture(client, profile), profiles))
    agents: list[LiveAgent] = []
    left_out: list[LeftOut] = []
    protected = {binding.profile_id for binding in ledger_state.bindings if binding.protected}
    disclosure = Disclosure(brand.language, markers_for(brand.language, MARKERS))
    for profile, picture in zip(profiles, pictures, strict=True):
        key, name = keys[profile.id], normalise(html.unescape(profile.name))
        kind = _kind(name, disclosure)
        reason = "it was replaced, and goes with its agent's next sync" if profile.id in retired else None
        reason = reason or _objection(name, kind, picture, disclosure)
        if reason is not None or isinstance(picture, str) or kind is None:
            left_out.append(LeftOut(key, profile, reason or "nobody can tell whether it is a person or a bot"))
        else:
            agents.append(LiveAgent(key, name, kind, profile, picture, profile.id in protected))
    return LiveBrand(brand, account, profiles, ledger_state, tuple(agents), tuple(left_out))


def _as_registered(brand: Brand, account: Account, ledger: LedgerReader) -> Brand:
    """Return the brand with the key under which the ledger knows its account, if it does."""
    brands = [key for known in ledger.accounts() if known.user_id == account.user_id for key in known.brands]
    return Brand(brands[0], brand.handle, brand.language) if len(brands) == 1 else brand


def _keys(profiles: Sequence[Profile], ledger_state: LedgerState, taken: Collection[str]) -> dict[str, str]:
    """Return a key for each profile, by its id: the ledger's, else one made of the name; never one that is taken."""
    keys = {binding.profile_id: binding.agent for binding in ledger_state.bindings}
    reserved = {*taken, *keys.values()}
    usual = {
        profile.id: slug(html.unescape(profile.name).partition(",")[0])
        for profile in profiles
        if profile.id not in keys
    }
    counts = Counter(usual.values())
    for profile_id, key in usual.items():
        is_own = len(key) > 1 and counts[key] == 1 and key not in reserved
        keys[profile_id] = key if is_own else f"{key[:40] if len(key) > 1 else 'agent'}-{profile_id}"
    return keys


def _picture(client: XClient, profile: Profile) -> bytes | str:
    """Return the picture as X serves it, or why it can't be used."""
    from profilectl.pictures.avatars import normalise as prepare

    try:
        content = client.download(profile.avatar_url)
        prepare(content, f"of profile {profile.id}")
    except (RemoteError, AvatarRefused) as error:
        return error.message
    return content


def _kind(name: str, disclosure: Disclosure) -> Kind | None:
    """Return who speaks, as the name says it; None where it breaks the rules for either."""
    return next((kind for kind in (Kind.HUMAN, Kind.BOT) if disclosure.problem(name, kind) is None), None)


def _objection(name: str, kind: Kind | None, picture: bytes | str, disclosure: Disclosure) -> str | None:
    from profilectl.pictures.provenance import MACHINE_MADE, find_mark

    wrong = name_problems(name)
    if wrong:
        return f"its name {'; '.join(wrong)}"
    if kind is None:
        return f"its name {disclosure.problem(name, Kind.HUMAN)}, and {disclosure.problem(name, Kind.BOT)}"
    if isinstance(picture, str):
        return f"its picture can't be had: {picture}"
    if kind is Kind.HUMAN and find_mark(picture) in MACHINE_MADE:
        return "its picture is marked as machine-made, and its name is a person's"
    return None


def roster_text(head: str, brands: Sequence[LiveBrand]) -> str:
    """Return the roster: after its head an entry for each agent, and a comment for each profile that was left out."""
    text = head
    for live in brands:
        for agent in live.agents:
            values: dict[str, object] = {"name": as_written(agent.name), "avatar": agent.path}
            if agent.kind is not Kind.HUMAN:
                values["kind"] = agent.kind.value
            if agent.is_protected:
                values["protected"] = True
            if len(brands) > 1:
                values["brands"] = [live.brand.key]
            text += f"\n[agents.{agent.key}]\n" + "".join(f"{line}\n" for line in lines_of(values))
        for other in live.left_out:
            text += f"\n# Left out: profile {other.profile.id} of {live.brand.key}, {_shown(other)}\n"
    return text


def _shown(other: LeftOut) -> str:
    """Return a profile that was left out, on one line whatever it is called."""
    return visible(f'"{excerpt(other.profile.name)}": {other.reason}')


def describe(other: LeftOut) -> str:
    """Return why a profile was left out, as a sentence."""
    return f"profile {other.profile.id} {_shown(other)}"


def bind(ledger: Ledger, brands: Sequence[LiveBrand], now_ms: Mapping[str, Callable[[], int]]) -> None:
    """Bind every agent to its profile, in all brands or none, under the lock under which X was listed.

    `now_ms` returns X's clock, by the brands' keys.

    Raises:
        LedgerConflict: a profile is another agent's by now.
    """
    with ledger.batch():
        for live in brands:
            user_id, now = live.account.user_id, now_ms[live.brand.key]()
            ledger.register_account(live.brand.key, live.account, now)
            bound = {binding.profile_id: binding for binding in live.ledger_state.bindings}
            for agent in live.agents:
                if agent.profile.id in bound:  # with the digest of a file that may be lost
                    ledger.forget(user_id, agent.key, now)
                ledger.adopt(
                    user_id,
                    agent.key,
                    agent.profile,
                    name=bound_name(agent.name, agent.profile),
                    avatar=digest_of_bytes(agent.picture),
                    protected=agent.is_protected,
                    now_ms=now,
                )
