"""What people have agreed to show of themselves, and what customers see in its place.

Who hasn't agreed to a photograph gets initials on a colour; who hasn't agreed to the name gets a neutral one as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from msgspec.structs import replace

from profilectl.digests import digest_of_bytes
from profilectl.model import DRAWN, Agent, Consent, Kind, Move, Policy, Roster, undecorated
from profilectl.roster.moves import first_key
from profilectl.text.names import name_problems, normalise
from profilectl.text.word_matching import Phrase, Words
from profilectl.toml.paths import Path

WARNED: Final = timedelta(days=30)
"""How long before a consent ends it is warned of."""

_PHOTO, _NAME = "photo", "name"


def as_agreed(roster: Roster, today: date) -> Roster:
    """Return the roster as customers may see it on that day."""
    return replace(roster, agents=agreed_agents(roster.agents, roster.policy, today, roster.moved))


def agreed_agents(
    agents: Iterable[Agent], policy: Policy, today: date, moves: Sequence[Move] = ()
) -> tuple[Agent, ...]:
    """Return agents, with neutral names and pictures for those whose own aren't agreed to on that day.

    A key that was changed, by `moves`, makes the same name and picture as before.
    """
    return tuple(
        _agreed(agent, withheld(agent, policy, today), policy, first_key(agent.key, moves)) for agent in agents
    )


def withheld(agent: Agent, policy: Policy, today: date) -> str:
    """Return what may not be shown of an agent: nothing, "photo", or "name", which means both."""
    if policy.consent == "off" or agent.kind is Kind.BOT:
        return ""
    consent = agent.consent
    if consent is None:
        return _NAME if policy.consent == "require" else ""
    has_begun = consent.given is None or consent.given <= today
    has_ended = consent.expires is not None and consent.expires < today
    if has_ended or not has_begun or not consent.name:
        return _NAME
    return "" if consent.photo else _PHOTO


def consent_warnings(agents: Iterable[Agent], policy: Policy, today: date) -> Iterator[tuple[Path, str]]:
    """Yield what a person should know of the consents on that day, each with its path in the roster."""
    neutral = "customers see a neutral name and picture"
    for agent in {agent.key: agent for agent in agents}.values():  # once for all brands
        path: Path = ("agents", agent.key, "consent")
        consent = agent.consent
        is_over = agent.until is not None and agent.until < today  # then nothing of the agent is shown at all
        if policy.consent == "off" or agent.kind is Kind.BOT or is_over:
            continue
        if consent is None:
            if policy.consent == "require":
                yield path, f"missing, and the policy requires it: {neutral}"
        elif not consent.name:
            continue  # the name isn't shown on any day, so no day changes anything
        elif consent.expires is not None and consent.expires < today:
            yield (*path, "expires"), f"ended on {consent.expires}: {neutral}"
        elif consent.given is not None and consent.given > today:
            yield (*path, "given"), f"begins on {consent.given}; until then {neutral}"
        elif consent.expires is not None and consent.expires - today <= WARNED:
            days = (consent.expires - today).days
            left = "today is the last day" if days == 0 else f"{days} days are left" if days > 1 else "1 day is left"
            yield (*path, "expires"), f"{left}; from the day after {consent.expires} {neutral}"


def describe_end(agent: Agent, today: date) -> str:
    """Return why something of an agent is withheld on a day, as a clause such as "the consent ended on 2027-01-31"."""
    consent = agent.consent
    if consent is None:
        return "the roster has no consent"
    if consent.expires is not None and consent.expires < today:
        return f"the consent ended on {consent.expires}"
    if consent.given is not None and consent.given > today:
        return f"the consent begins on {consent.given}"
    return f"the consent says {'name' if not consent.name else 'photo'} = false"


def describe_consent(agent: Agent, policy: Policy) -> str:
    """Return what an agent has agreed to and what follows from it, for the record; the agent is an agreed one."""
    if agent.kind is Kind.BOT:
        return "none needed: a bot"
    consent = agent.consent
    if policy.consent == "off":
        return 'not kept here: the policy has consent = "off"'
    words = ["none in the roster"] if consent is None else [*_terms(consent)]
    if agent.withheld:
        shown = "a drawn picture" if agent.withheld == _PHOTO else "a neutral name and a drawn picture"
        words.append(f"customers see {shown}")
    return ", ".join(words)


def _terms(consent: Consent) -> Iterator[str]:
    agreed = [word for word, is_given in ((_NAME, consent.name), (_PHOTO, consent.photo)) if is_given]
    yield f"{consent.ref or 'no reference'}: {' and '.join(agreed) or 'neither name nor photo'}"
    if consent.given is not None:
        yield f"given {consent.given}"
    if consent.expires is not None:
        yield f"until {consent.expires}"


def _agreed(agent: Agent, what: str, policy: Policy, key: str) -> Agent:
    if not what:
        return agent
    name = agent.name if what == _PHOTO else _neutral_name(agent, policy, key)
    own_name = "" if what == _PHOTO else agent.name
    drawn = drawn_picture(key, name)
    return replace(agent, name=name, avatar=drawn, withheld=what, own_name=own_name, own_avatar=agent.avatar)


def as_before(agent: Agent) -> Agent:
    """Return an agent as customers saw it, or would have seen it, with consent."""
    if not agent.withheld:
        return agent
    own_name = agent.own_name or agent.name
    return replace(agent, name=own_name, avatar=agent.own_avatar, withheld="", own_name="", own_avatar="")


def drawn_picture(key: str, name: str) -> str:
    """Return what stands in place of a file's path for initials that are drawn: no roster can name a file so."""
    return f"{DRAWN}{key},{name}"


def shown_picture(agent: Agent) -> str:
    """Return what people read for an agent's picture: its path, or that initials are drawn."""
    _, avatar = undecorated(agent.avatar)
    return "drawn initials" if avatar.startswith(DRAWN) else avatar


def _neutral_name(agent: Agent, policy: Policy, key: str) -> str:
    # The code tells colleagues of one title apart. It is made of what customers don't know as well, as a digest of the
    # key alone, which is a first name mostly, is guessed at once.
    ref = "" if agent.consent is None else agent.consent.ref or ""
    private = "\0".join((key, agent.first or "", agent.last or "", agent.legal_name or "", ref))
    code = digest_of_bytes(private.encode("utf-8", "surrogatepass"))[7:13].upper()
    name = f"{agent.title or 'Agent'} {code}"
    return f"Agent {code}" if name_problems(name) or _tells(agent, policy) else normalise(name)


def _tells(agent: Agent, policy: Policy) -> bool:
    """Say whether a title names the person, or would pass for a bot's."""
    title = Words(agent.title or "")
    shown = agent.name.partition(",")[0].split()  # what follows a comma is a title itself
    own = [part for part in (agent.first, agent.last, agent.legal_name, *shown) if part]
    markers = [marker for words in policy.bot_markers.values() for marker in words]
    return any(Phrase(text).found_in(title) for text in (*own, *markers) if Words(text).list)
