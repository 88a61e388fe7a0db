"""Where the names for completion come from: a roster and its ledger, read once after every change of either."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.access import policy_file
from profilectl.access.policy_file import read_policy
from profilectl.api.urls import DEFAULT_URL, parse_address
from profilectl.config import config_path, read_config
from profilectl.errors import InputRefused, ProfilectlError
from profilectl.ledger.location import default_ledger_path
from profilectl.ledger.move import path_to_read
from profilectl.ledger.sqlite import open_for_reading
from profilectl.messaging.correspondence import handles
from profilectl.model import Agent, Brand, Event, LedgerState
from profilectl.roster.parser import parse_partially
from profilectl.system.files import read_named
from profilectl.system.host import expand_home
from profilectl.text.escape import visible
from profilectl.toml.document import LARGEST

if TYPE_CHECKING:
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.messaging.correspondence import RecordReader

Name = tuple[str, str, str, str]  # kind, brand, name and description, as a row of the cache has them
_LATEST_RECORDS = 3000  # that are looked through for handles, as TAB mustn't wait
_LATELY_MS = 3 * 86_400_000  # how long a forgotten profile is offered: a busy brand's audit trail is long to read


def ledger_path(roster: str, *, uses_sandbox: bool) -> str:
    """Return the absolute path of the ledger that commands use for a roster; empty when it is no file, or unknown."""
    folder = Path(roster).parent / ".profilectl"
    if uses_sandbox:
        return str(folder / "sandbox" / "ledger.db")
    try:
        # where the machine's policy names a ledger, commands use no other
        pinned = read_policy(policy_file.POLICY).ledger
        chosen = pinned or os.environ.get("PROFILECTL_LEDGER") or read_config(config_path()).ledger
        if chosen:
            return "" if "://" in chosen else str(expand_home(chosen).absolute())
        address = parse_address(os.environ.get("PROFILECTL_API_URL") or DEFAULT_URL)
        default = default_ledger_path(os.environ, address.url.partition("://")[2])
        return str(path_to_read((folder / "ledger.db").absolute(), default, address.host))
    except ProfilectlError:
        return ""


def read_names(roster: str, ledger: str) -> tuple[list[Name] | None, bool]:
    """Return the names of a roster and its ledger, and whether the roster has errors; None when it can't be read."""
    try:
        readable = parse_partially(read_named(Path(roster), "the roster", LARGEST), "")
    except InputRefused:
        return None, True
    states = _ledger_states(ledger, readable.brands)
    names = [
        (kind, brand.key, name, _plain(description))
        for brand in readable.brands
        for kind, name, description in (
            *_names(brand, readable.agents, states[brand].state),
            *_profiles(states[brand].state, states[brand].forgotten),
            *_customers(states[brand].handles, brand),
        )
    ]
    return names, any(problem.severity == "error" for problem in readable.problems)


class _Known(Struct, frozen=True):
    """What a ledger knows of a brand's account."""

    state: LedgerState = LedgerState()
    forgotten: tuple[Event, ...] = ()  # of the profiles that it has forgotten lately
    handles: tuple[tuple[str, str], ...] = ()  # of customers, behind their ids, the latest first


def _ledger_states(path: str, brands: Iterable[Brand]) -> dict[Brand, _Known]:
    """Return what the ledger holds of each brand."""
    states = {brand: _Known() for brand in brands}
    if not path:
        return states
    # A ledger that can't be read adds no names: at TAB there is nobody to report it to, the command itself will.
    with suppress(ProfilectlError), open_for_reading(Path(path)) as ledger:
        accounts = {brand: ledger.account_of(brand.key) for brand in states}
        for brand, account in accounts.items():
            if account is not None:
                user_id = account.user_id
                forgotten = tuple(_forgotten(ledger, user_id))
                states[brand] = _Known(ledger.state_of(user_id), forgotten, _handles(ledger, user_id))
    return states


def _handles(ledger: RecordReader, user_id: str) -> tuple[tuple[str, str], ...]:
    """Return the customers whom an account wrote to of late; none of a damaged record."""
    with suppress(ProfilectlError):
        return tuple(handles(ledger, user_id, _LATEST_RECORDS).items())
    return ()


def _forgotten(ledger: LedgerReader, user_id: str) -> Iterable[Event]:
    """Return the events of profiles whose last event is that they were forgotten; none of a damaged trail."""
    # The last event of each: a profile that was forgotten and adopted again isn't forgotten.
    last: dict[str | None, Event] = {}
    since_ms = int(time.time() * 1000) - _LATELY_MS
    with suppress(ProfilectlError):
        last = {event.profile_id: event for event in ledger.recent_profile_events(user_id, since_ms)}
    return [event for event in last.values() if event.what == "forgotten"]


def _names(brand: Brand, agents: Iterable[Agent], state: LedgerState) -> Iterator[tuple[str, str, str]]:
    """Yield kind, name and description of a brand and its agents."""
    yield "brands", brand.key, f"@{brand.handle}"
    people = {agent.key: f"{agent.name} · {agent.kind}" for agent in agents if agent.brand == brand.key}
    people |= {key: f"{people[key]} · offboarded" for key in state.blocked & people.keys()}
    # Agents who left the roster as well: `offboard` and `profiles forget` are about those.
    gone = dict.fromkeys(sorted(state.blocked), "offboarded")
    gone |= {retired.agent: f"{retired.name} · retired" for retired in state.retired}
    gone |= {binding.agent: f"{binding.name} · not in the roster" for binding in state.bindings}
    yield from (("agents", key, description) for key, description in (gone | people).items())


def _customers(handles: Iterable[tuple[str, str]], brand: Brand) -> Iterator[tuple[str, str, str]]:
    """Yield kind, handle and description of those whom a brand wrote to."""
    for user_id, handle in handles:
        yield "customers", handle, f"{user_id} · written to as @{brand.handle}"


def _profiles(state: LedgerState, forgotten: Iterable[Event]) -> Iterator[tuple[str, str, str]]:
    """Yield kind, id and description of the profiles that no agent uses: those are the ones that commands take."""
    for retired in state.retired:
        yield f"profiles {retired.agent}", retired.profile_id, f"{retired.name} · retired, was {retired.agent}'s"
    ours = {binding.profile_id for binding in state.bindings} | {retired.profile_id for retired in state.retired}
    for event in forgotten:
        if event.profile_id and event.profile_id not in ours:  # events of two clocks may say otherwise
            yield "profiles", event.profile_id, f"{event.detail['name']} · forgotten, was {event.agent}'s"


def _plain(description: str) -> str:
    # Tabs and line ends would be read as more fields or rows of the cache.
    return "".join(char if char.isprintable() else " " if char.isspace() else "" for char in visible(description))
