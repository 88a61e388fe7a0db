"""A lost ledger's bindings, rebuilt from what X shows: the pictures are fetched here, `matching` concludes.

The caller looks once without the lock, where a person has to be asked, and once under it before anything is bound.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from profilectl.errors import AvatarRefused, RemoteError, RosterRefused
from profilectl.ledger.accounts import check_account, require_distinct
from profilectl.model import Account, Agent, Brand, Event, Move, PreparedPicture, Profile
from profilectl.plan.intents import known_ids
from profilectl.plan.moves import follow
from profilectl.profiles.matching import (
    Candidate,
    Finding,
    FindingStatus,
    bound_name,
    conclude,
    current_agents,
    search,
)
from profilectl.roster.consent import as_before

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.pictures.similarity import Template
    from profilectl.profiles.matching import Candidates, Search

JOBS = 8  # pictures that are fetched at once


class Match(Struct, frozen=True):
    """A profile that becomes an agent's; a person agrees to equal matches only."""

    brand: str
    agent: str
    name: str  # of the roster
    profile: Profile
    avatar: str  # digest of the roster's file, whose picture the profile shows
    protected: bool


class BrandFindings(Struct, frozen=True):
    """What was concluded about one brand."""

    brand: Brand
    account: Account
    findings: tuple[Finding, ...]
    pictures: Mapping[str, str]  # digests of the roster's files that were compared, by their path as written
    others: int = 0  # profiles that X lists, and that are neither in the ledger nor a candidate, such as former ones
    is_anew: bool = False  # whether the ledger hadn't known the account, so that it doesn't know who was offboarded

    @property
    def sure(self) -> tuple[Match, ...]:
        """The agents whose profile is sure, each with it."""
        return tuple(self._match(finding, finding.sure) for finding in self.findings if finding.sure is not None)

    @property
    def renamed(self) -> tuple[Match, ...]:
        """The agents whose picture a profile of another name shows, each with it: a person has to agree."""
        return tuple(self._match(finding, finding.renamed) for finding in self.findings if finding.renamed is not None)

    def agreeing(self, matches: Collection[Match]) -> BrandFindings:
        """Return the findings with those of another name sure that a person has agreed to."""
        agreed = {match.agent for match in self.renamed if match in matches}
        findings = (finding.agreed() if finding.agent.key in agreed else finding for finding in self.findings)
        return replace(self, findings=tuple(findings))

    def _match(self, finding: Finding, candidate: Candidate) -> Match:
        agent = finding.agent
        digest = self.pictures[agent.avatar]
        return Match(agent.brand, agent.key, agent.name, candidate.profile, digest, agent.protected)


def examine(
    brand: Brand,
    agents: Sequence[Agent],
    client: XClient,
    ledger: LedgerReader,
    load_pictures: Callable[[list[Agent]], Mapping[str, PreparedPicture]],
    others: Iterable[BrandFindings] = (),
    moves: Sequence[Move] = (),
) -> BrandFindings:
    """List a brand's profiles, and compare the pictures of those that may be an agent's.

    Of whom no profile has the neutral name that consent asks for, the one with the former name is looked for as well:
    the consent may have ended since the last sync, which then replaces it.

    The client takes `JOBS` calls at once; the pictures are prepared, by the avatar as the roster writes it. `others`
    are the findings about other brands so far, `moves` the keys that the roster has changed.

    Raises:
        WrongAccount: the credentials belong to somebody else, or to another brand.
        RosterRefused: a picture of the roster can't be used.
        RemoteError: X doesn't answer as it should; a picture at X that can't be had is a doubt instead.
    """
    first = _examine(brand, agents, client, ledger, load_pictures, others, moves)
    absent = {finding.agent.key for finding in first.findings if finding.status is FindingStatus.ABSENT}
    hidden = {agent.key for agent in agents if agent.withheld and agent.key in absent}
    if not hidden:
        return first
    before = [as_before(agent) if agent.key in hidden else agent for agent in agents]
    try:
        second = _examine(brand, before, client, ledger, load_pictures, others, moves)
    except RosterRefused:  # a photo that can't be used any more, so nothing can be told from it
        return first
    is_better = any(finding.agent.key in hidden and finding.candidates for finding in second.findings)
    return second if is_better else first


def _examine(
    brand: Brand,
    agents: Sequence[Agent],
    client: XClient,
    ledger: LedgerReader,
    load_pictures: Callable[[list[Agent]], Mapping[str, PreparedPicture]],
    others: Iterable[BrandFindings],
    moves: Sequence[Move],
) -> BrandFindings:
    account = client.verify_credentials()
    brands = [*(other.brand for other in others), brand]
    require_distinct({other.brand.key: other.account for other in others} | {brand.key: account}, brands)
    check_account(brand, account, ledger)
    # before the list, so that what is bound meanwhile isn't a stranger
    ledger_state = follow(ledger.state_of(account.user_id), moves).state
    profiles = client.list_profiles()
    searched = search(agents, profiles, ledger_state)
    compared = {agent.key: agent for _, those in searched.comparisons() for agent in those}
    pictures = load_pictures(list(compared.values()))
    digests = {avatar: picture.source_digest for avatar, picture in pictures.items()}
    current = current_agents(agents, {profile.id for profile in profiles}, ledger_state, digests)
    findings = conclude(searched, _compare_all(client, searched, pictures), current)
    known = known_ids(ledger_state) | {each.profile.id for finding in findings for each in finding.candidates}
    strangers = sum(profile.id not in known for profile in profiles)
    return BrandFindings(brand, account, findings, digests, strangers, is_anew=not ledger.knows(account.user_id))


def _compare_all(client: XClient, searched: Search, pictures: Mapping[str, PreparedPicture]) -> Candidates:
    from concurrent.futures import ThreadPoolExecutor

    from profilectl.pictures.similarity import template

    templates = {avatar: template(picture.content, avatar) for avatar, picture in pictures.items()}
    # A thousand strangers and a thousand agents are a million pairs, of which hardly any matters.
    strangers = {profile.id for profile in searched.strangers}
    with ThreadPoolExecutor(JOBS, thread_name_prefix="picture") as pool:
        pending = [
            pool.submit(_compare, client, profile, agents, templates, all_pairs=profile.id not in strangers)
            for profile, agents in searched.comparisons()
        ]
        return {pair: candidate for future in pending for pair, candidate in future.result().items()}


def _compare(
    client: XClient,
    profile: Profile,
    agents: Sequence[Agent],
    templates: Mapping[str, Template],
    *,
    all_pairs: bool,
) -> Candidates:
    """Fetch a profile's picture once, and compare it with those of the agents; without the far ones unless asked."""
    from profilectl.pictures.similarity import distances

    try:
        live = client.download(profile.avatar_url)
        apart = distances((templates[agent.avatar] for agent in agents), live, profile.avatar_url)
    except (RemoteError, AvatarRefused) as error:
        return {(agent.key, profile.id): Candidate(profile, None, error.message) for agent in agents}
    candidates = {
        (agent.key, profile.id): Candidate(profile, distance) for agent, distance in zip(agents, apart, strict=True)
    }
    return {pair: candidate for pair, candidate in candidates.items() if all_pairs or not candidate.is_far}


def bind(ledger: Ledger, examined: Sequence[BrandFindings], now_ms: Callable[[str], int]) -> None:
    """Bind what is sure, in all brands, under the lock under which it was examined.

    `now_ms` returns X's clock for a brand's key.
    """
    with ledger.batch():  # all of it or nothing: whoever is interrupted starts as before
        for brand_findings in examined:
            if brand_findings.sure:
                _bind_brand(ledger, brand_findings, now_ms(brand_findings.brand.key))


def _bind_brand(ledger: Ledger, examined: BrandFindings, now_ms: int) -> None:
    user_id, matches = examined.account.user_id, examined.sure
    ledger.register_account(examined.brand.key, examined.account, now_ms)
    for match in matches:
        ledger.adopt(
            user_id,
            match.agent,
            match.profile,
            name=bound_name(match.name, match.profile),
            avatar=match.avatar,
            protected=match.protected,
            now_ms=now_ms,
        )
    doubtful = sum(finding.doubt is not None for finding in examined.findings)
    ledger.record(Event("recovered", user_id, now_ms, detail={"bound": len(matches), "doubtful": doubtful}))
