"""What a lost ledger knew, concluded from the names and the pictures of the profiles at X.

A finding is sure only when nothing contradicts it: a wrong binding shows one person's picture beside another's words.
"""

from __future__ import annotations

import enum
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.errors import AvatarRefused, RemoteError, TryLater
from profilectl.ledger.accounts import check_account
from profilectl.model import Account, Agent, Brand, Event, LedgerState, PreparedPicture, Profile
from profilectl.pictures.similarity import LARGEST_DISTANCE
from profilectl.plan.intents import known_ids

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.ledger.protocol import Ledger, LedgerReader

JOBS = 8  # pictures that are fetched at once
_MAX_WAIT = 60.0  # seconds that binding waits for another run to end


class Candidate(Struct, frozen=True):
    """A profile that bears an agent's name, and how far its picture is from the roster's, see `pictures.similarity`."""

    profile: Profile
    distance: float | None  # None when the live picture can't be had, for the reason in `problem`
    problem: str | None = None

    @property
    def is_close(self) -> bool:
        """Whether the picture is the agent's, as far as its pixels can tell."""
        return self.distance is not None and self.distance <= LARGEST_DISTANCE


class Doubt(enum.StrEnum):
    """Why a person has to decide."""

    SHARED_NAME = "shared-name"  # several agents are called so
    SEVERAL = "several"  # several profiles are called so
    NO_PICTURE = "no-picture"
    OTHER_PICTURE = "other-face"


class FindingStatus(enum.StrEnum):
    """What follows for an agent."""

    BOUND = "bound"  # the profile is the agent's, for sure
    DOUBTFUL = "doubtful"  # a person has to decide
    ABSENT = "absent"  # X has no profile of that name


class Finding(Struct, frozen=True):
    """What was concluded about one agent; without candidates there is nothing to bind."""

    agent: Agent
    candidates: tuple[Candidate, ...] = ()
    doubt: Doubt | None = None

    @property
    def sure(self) -> Candidate | None:
        """The one profile that is the agent's, if that is sure."""
        return self.candidates[0] if self.candidates and self.doubt is None else None

    @property
    def status(self) -> FindingStatus:
        """What follows from it."""
        if self.doubt is not None:
            return FindingStatus.DOUBTFUL
        return FindingStatus.BOUND if self.candidates else FindingStatus.ABSENT


def search(
    agents: Iterable[Agent], profiles: Sequence[Profile], ledger_state: LedgerState
) -> tuple[tuple[Agent, tuple[Profile, ...]], ...]:
    """Return every agent without a binding, each with the profiles of exactly its name that nobody owns."""
    known = known_ids(ledger_state)
    # Who was offboarded must not come back with a lost binding; an open intent is settled by `sync`, from better proofs
    # than a name.
    settled_elsewhere = {binding.agent for binding in ledger_state.bindings} | ledger_state.blocked
    settled_elsewhere |= {intent.agent for intent in ledger_state.intents}
    unowned = [profile for profile in profiles if profile.id not in known]
    return tuple(
        (agent, tuple(profile for profile in unowned if _nfc(profile.name) == _nfc(agent.name)))
        for agent in agents
        if agent.key not in settled_elsewhere
    )


def conclude(matches_by_agent: Iterable[tuple[Agent, tuple[Candidate, ...]]]) -> tuple[Finding, ...]:
    """Return what is sure and what is doubtful, for all the agents of one brand at once."""
    known = tuple(matches_by_agent)
    # Two agents of one name might each take the other's profile, however alike the pictures are.
    name_counts = Counter(_nfc(agent.name) for agent, _ in known)
    return tuple(
        Finding(agent, candidates, _doubt(candidates, is_shared=name_counts[_nfc(agent.name)] > 1))
        for agent, candidates in known
    )


def _doubt(candidates: tuple[Candidate, ...], *, is_shared: bool) -> Doubt | None:
    if not candidates:
        return None
    if is_shared:
        return Doubt.SHARED_NAME
    if len(candidates) > 1:
        return Doubt.SEVERAL
    if candidates[0].distance is None:
        return Doubt.NO_PICTURE
    return None if candidates[0].is_close else Doubt.OTHER_PICTURE


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


class BrandFindings(Struct, frozen=True):
    """What was concluded about one brand."""

    brand: Brand
    account: Account
    client: XClient
    ledger_state: LedgerState  # as it was then
    findings: tuple[Finding, ...]
    pictures: Mapping[str, PreparedPicture]  # prepared as for an upload, by the avatar as the roster writes it

    @property
    def sure(self) -> list[tuple[Agent, Candidate]]:
        """The agents whose profile is sure, each with it."""
        return [(finding.agent, finding.sure) for finding in self.findings if finding.sure is not None]


def examine(
    brand: Brand,
    agents: Iterable[Agent],
    client: XClient,
    ledger: LedgerReader,
    load_pictures: Callable[[list[Agent]], Mapping[str, PreparedPicture]],
) -> BrandFindings:
    """List a brand's profiles, and compare the pictures of those that bear an agent's name.

    The client takes `JOBS` calls at once; the pictures are prepared, by the avatar as the roster writes it.

    Raises:
        WrongAccount: the credentials belong to somebody else.
        RosterRefused: a picture of the roster can't be used.
        RemoteError: X doesn't answer as it should; a picture at X that can't be had is a doubt instead.
    """
    from concurrent.futures import ThreadPoolExecutor

    account = client.verify_credentials()
    check_account(brand, account, ledger)
    ledger_state = ledger.state_of(account.user_id)
    matches = search(agents, client.list_profiles(), ledger_state)
    pictures = load_pictures([agent for agent, profiles in matches if profiles])
    with ThreadPoolExecutor(JOBS, thread_name_prefix="picture") as pool:
        pending = [
            (agent, [pool.submit(_compare, client, profile, pictures[agent.avatar]) for profile in profiles])
            for agent, profiles in matches
        ]
        matches_by_agent = [(agent, tuple(future.result() for future in futures)) for agent, futures in pending]
    return BrandFindings(brand, account, client, ledger_state, conclude(matches_by_agent), pictures)


def _compare(client: XClient, profile: Profile, picture: PreparedPicture) -> Candidate:
    from profilectl.pictures.similarity import distance

    try:
        return Candidate(profile, distance(picture.content, client.download(profile.avatar_url), profile.avatar_url))
    except (RemoteError, AvatarRefused) as error:
        return Candidate(profile, None, error.message)


def bind(ledger: Ledger, examined: Sequence[BrandFindings], announce: Callable[[float, str], None]) -> None:
    """Bind what is sure, in all brands.

    Raises:
        WrongAccount: the credentials belong to somebody else.
        TryLater: the ledger has changed since it was read, or another run doesn't end.
    """
    with ledger.lock(_MAX_WAIT, "profilectl recover", announce):
        # All are checked before any is written, so that a refusal leaves the ledger as it was.
        for brand_findings in examined:
            check_account(brand_findings.brand, brand_findings.account, ledger)
            if ledger.state_of(brand_findings.account.user_id) != brand_findings.ledger_state:
                raise TryLater(
                    f"the ledger of brand {brand_findings.brand.key} has changed meanwhile", hint="run recover again"
                )
        for brand_findings in examined:
            if brand_findings.sure:
                _bind_brand(ledger, brand_findings)


def _bind_brand(ledger: Ledger, examined: BrandFindings) -> None:
    user_id, now_ms = examined.account.user_id, examined.client.now_ms()
    ledger.register_account(examined.brand.key, examined.account, now_ms)
    for agent, candidate in examined.sure:
        ledger.adopt(
            user_id,
            agent.key,
            candidate.profile,
            name=agent.name,
            avatar=examined.pictures[agent.avatar].source_digest,
            protected=agent.protected,
            now_ms=now_ms,
        )
    doubtful = sum(finding.doubt is not None for finding in examined.findings)
    ledger.record(Event("recovered", user_id, now_ms, detail={"bound": len(examined.sure), "doubtful": doubtful}))
