"""An agent leaves some brands: sending is blocked first and without X, then every profile is destroyed, brand by brand.

The roster isn't touched; a person is told which of its lines would bring the agent back.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.audit.queries import Readable, read_entry
from profilectl.errors import CredentialsError, InputRefused, OutcomeUnknown, ProfilectlError, TryLater
from profilectl.ledger.accounts import check_account
from profilectl.model import Binding, Brand, Event, Intent, Move, Retired, Roster
from profilectl.plan.intents import IntentStatus, resolve
from profilectl.plan.moves import follow
from profilectl.roster.lookup import unknown_agent
from profilectl.sync import removals
from profilectl.sync.engine import observe
from profilectl.sync.renames import follow_moves

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.sync.ports import Wait

_MAX_WAIT = 600.0  # seconds that the destroying half waits for a sync to end
AGAIN = "run the same command again: it goes on where it stopped"
_HEADER = re.compile(r"[ \t]*(\[[^\[\]]+\]|\[\[[^\[\]]+\]\])[ \t]*(#.*)?")


class OffboardStatus(enum.StrEnum):
    """What became of one profile, or of an agent in one brand."""

    DESTROYED = "destroyed"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"  # X was told, and nobody knows whether the profile is gone
    UNSETTLED = "unsettled"  # X hasn't shown yet what became of an earlier create
    ALLOWED = "allowed"  # the block was lifted


class OffboardResult(Struct, frozen=True):
    """What became of one profile; `profile_id` and `name` are None where the result is about the whole brand."""

    brand: str
    status: OffboardStatus
    profile_id: str | None = None
    name: str | None = None
    error: ProfilectlError | None = None


class Blocked(Struct, frozen=True):
    """The brands in which nobody can send as the agent any more."""

    brands: tuple[Brand, ...]
    failures: tuple[OffboardResult, ...] = ()  # brands of which nobody knows whose account they are
    warnings: tuple[str, ...] = ()


class Offboarding(Struct, frozen=True):
    """One agent, by its key, and the brands that it leaves; the roster may name it or not."""

    roster: Roster
    agent: str
    brands: tuple[Brand, ...]
    connect: Callable[[Brand], XClient]
    now_ms: Callable[[], int]  # this machine's time: what works offline can't ask for X's

    def registered(self, ledger: LedgerReader) -> dict[Brand, str]:
        """Return the brands, with their user ids, in which the agent has something, or may get it."""
        ids = self._user_ids(ledger)
        return {brand: user_id for brand, user_id in ids.items() if self._is_there(ledger, brand, user_id)}

    def _user_ids(self, ledger: LedgerReader) -> dict[Brand, str]:
        accounts = {brand: ledger.account_of(brand.key) for brand in self.brands}
        return {brand: account.user_id for brand, account in accounts.items() if account is not None}

    def _is_there(self, ledger: LedgerReader, brand: Brand, user_id: str) -> bool:
        ledger_state = follow(ledger.state_of(user_id), self._moves).state
        is_named = any(member.key == self.agent for member in self.roster.agents_of(brand.key))
        if is_named and self.agent not in ledger_state.blocked:
            return True
        agents = {binding.agent for binding in ledger_state.bindings} | {
            intent.agent for intent in ledger_state.intents
        }
        return self.agent in agents | {profile.agent for profile in ledger_state.retired}

    @property
    def _moves(self) -> list[Move]:
        return [move for move in self.roster.moved if move.new == self.agent]

    def unregistered(self, ledger: LedgerReader) -> list[Brand]:
        """Return the brands that the ledger doesn't know yet, and in which the roster names the agent."""
        named = {entry.brand for entry in self.roster.agents if entry.key == self.agent}
        return [brand for brand in self.brands if brand.key in named and ledger.account_of(brand.key) is None]

    def block(self, ledger: Ledger) -> Blocked:
        """Let nobody send as the agent, even while a sync runs; X is asked only about brands that the ledger lacks."""
        self._block_known(ledger)  # first what needs no network
        failures, warnings = [], []
        for brand in self.unregistered(ledger):
            try:  # a block belongs to an account, so X is asked which one the brand is
                client = self.connect(brand)
                account = client.verify_credentials()
                check_account(brand, account, ledger)
                ledger.register_account(brand.key, account, client.now_ms())
            except CredentialsError:  # whoever has no credentials can't send either
                warnings.append(
                    f"nobody can send for {brand.key} here: "
                    "there are no usable credentials, so there is nothing to block"
                )
            except ProfilectlError as error:
                failures.append(OffboardResult(brand.key, OffboardStatus.FAILED, error=error))
        return Blocked(self._block_known(ledger), tuple(failures), tuple(warnings))

    def _block_known(self, ledger: Ledger, allowed: Sequence[Brand] = ()) -> tuple[Brand, ...]:
        """Block the agent wherever the ledger knows the account; return the brands in which nobody can send now.

        Brands in which somebody has just allowed the agent again are left as they are.
        """
        blocked = []
        ids = {brand: user_id for brand, user_id in self._user_ids(ledger).items() if brand not in allowed}
        for brand, user_id in ids.items():
            # the second call of a run also follows a former key that has a profile beside the agent's own
            ledger_state = follow_moves(ledger, user_id, self.roster.moved, self.now_ms(), self.agent)
            is_there = self._is_there(ledger, brand, user_id)
            if is_there and self.agent not in ledger_state.blocked:
                ledger.block(user_id, self.agent, self.now_ms())
            if ledger_state.binding(self.agent) is not None:
                ledger.retire(user_id, self.agent, self.now_ms())
            if is_there or self.agent in ledger_state.blocked:
                blocked.append(brand)
        return tuple(blocked)

    def destroy(
        self,
        ledger: Ledger,
        blocked: tuple[Brand, ...],
        max_wait: float,
        announce: Callable[[float, str], None],
        wait: Wait,
    ) -> tuple[OffboardResult, ...]:
        """Destroy every profile of the agent, once no sync runs any more; a brand that fails doesn't stop the others.

        Args:
            ledger: it is locked meanwhile.
            blocked: the brands in which `block` has blocked the agent; one of them where somebody has lifted that is
                left as it is.
            max_wait: seconds to wait for a sync at most.
            announce: called once before that wait.
            wait: waits for messages that carry one of the profiles.

        Raises:
            TryLater: the sync doesn't end within `max_wait` seconds, nor within `_MAX_WAIT`.
        """
        results: list[OffboardResult] = []
        try:
            with ledger.lock(min(_MAX_WAIT, max_wait), "profilectl offboard", announce):
                allowed = self._allowed_again(ledger, blocked)
                results += [self._refused(brand) for brand in allowed]
                self._block_known(ledger, allowed)  # a sync may have bound a new profile meanwhile
                for brand, user_id in self.registered(ledger).items():
                    if brand not in allowed:
                        results += self._offboard_brand(ledger, brand, user_id, wait)
        except TryLater as error:
            raise error.with_hint(f"sending is blocked, the profiles are still there; {AGAIN}") from error
        return tuple(results)

    def _allowed_again(self, ledger: LedgerReader, blocked: tuple[Brand, ...]) -> list[Brand]:
        ids = self._user_ids(ledger)
        return [brand for brand in blocked if self.agent not in ledger.state_of(ids[brand]).blocked]

    def _refused(self, brand: Brand) -> OffboardResult:
        error = InputRefused(f"nothing was destroyed: somebody allowed {self.agent} again meanwhile")
        return OffboardResult(brand.key, OffboardStatus.FAILED, error=error)

    def unblock(self, ledger: Ledger) -> tuple[OffboardResult, ...]:
        """Lift the block in every brand that has one, and return those."""
        ids = self._user_ids(ledger)
        states = {
            brand: follow_moves(ledger, user_id, self.roster.moved, self.now_ms(), self.agent)
            for brand, user_id in ids.items()
        }
        blocked = {brand: user_id for brand, user_id in ids.items() if self.agent in states[brand].blocked}
        for user_id in blocked.values():
            ledger.unblock(user_id, self.agent, self.now_ms())
        return tuple(OffboardResult(brand.key, OffboardStatus.ALLOWED) for brand in blocked)

    def _offboard_brand(self, ledger: Ledger, brand: Brand, user_id: str, wait: Wait) -> list[OffboardResult]:
        """Destroy every profile of the agent in one brand, and record how many."""
        results = self._destroy_all(ledger, brand, user_id, wait)
        destroyed = sum(result.status is OffboardStatus.DESTROYED for result in results)
        left = len(results) - destroyed
        counts: dict[str, str | int] = {"brand": brand.key, "destroyed": destroyed, "left": left}
        ledger.record(Event("offboarded", user_id, self.now_ms(), self.agent, detail=counts))
        return results

    def _destroy_all(self, ledger: Ledger, brand: Brand, user_id: str, wait: Wait) -> list[OffboardResult]:
        results = []
        # An open create may become a profile after the block, so it is settled before anything is destroyed.
        try:
            client = self.connect(brand)
            check_account(brand, client.verify_credentials(), ledger)
            intents = self._intents(ledger, user_id)
            if not all(self._settle(client, ledger, brand, user_id, intent) for intent in intents):
                results.append(OffboardResult(brand.key, OffboardStatus.UNSETTLED))
        except ProfilectlError as error:
            unsettled = OffboardResult(brand.key, OffboardStatus.UNSETTLED, error=error)
            results += [unsettled for _ in self._intents(ledger, user_id)]
            return results + [_result(brand, profile, error) for profile in self._retired(ledger, user_id)]
        for profile in self._retired(ledger, user_id):
            try:
                removals.await_sends(ledger, user_id, profile.profile_id, client, wait)
                removals.destroy(client, profile.profile_id)
                ledger.drop(user_id, profile.profile_id, client.now_ms())
                results.append(_result(brand, profile))
            except ProfilectlError as error:
                results.append(_result(brand, profile, error))
        return results

    def _settle(self, client: XClient, ledger: Ledger, brand: Brand, user_id: str, intent: Intent) -> bool:
        """Return whether it is known what an unanswered create made; if it made a profile, that is retired."""
        settle_after = self.roster.policy.settle_after
        observation = observe(brand.key, user_id, client, ledger.state_of(user_id), settle_after, None)
        verdict, candidates = resolve(intent, observation, settle_after)
        if verdict is IntentStatus.CREATED:
            kept = ledger.finish_intent(user_id, intent.nonce, candidates[0], client.now_ms(), adopted=True)
            if isinstance(kept, Binding):  # a block retires it at once
                ledger.retire(user_id, self.agent, client.now_ms())
        elif verdict is IntentStatus.NOT_CREATED:
            ledger.cancel_intent(user_id, intent.nonce, "offboarded", client.now_ms(), was_sent=True)
        return verdict in {IntentStatus.CREATED, IntentStatus.NOT_CREATED}

    def _intents(self, ledger: Ledger, user_id: str) -> list[Intent]:
        return [intent for intent in ledger.state_of(user_id).intents if intent.agent == self.agent]

    def _retired(self, ledger: Ledger, user_id: str) -> list[Retired]:
        return [profile for profile in ledger.state_of(user_id).retired if profile.agent == self.agent]


def _result(brand: Brand, profile: Retired, error: ProfilectlError | None = None) -> OffboardResult:
    status = OffboardStatus.DESTROYED if error is None else OffboardStatus.FAILED
    if isinstance(error, OutcomeUnknown):
        status = OffboardStatus.UNCONFIRMED
    return OffboardResult(brand.key, status, profile.profile_id, profile.name, error)


def require_known(key: str, roster: Roster, ledger: LedgerReader) -> None:
    """Raise UsageError for a key that neither the roster nor the ledger has ever named as that of an agent."""
    known = {agent.key for agent in roster.agents}
    if key not in known:  # whom the roster names needs no record
        known |= _agents_in(ledger)
    if key not in known:
        raise unknown_agent(key, known)


def _agents_in(ledger: LedgerReader) -> set[str]:
    """Return the keys of all agents that a ledger had a profile, a create or a block of."""
    # what is recorded of messages says no more: who sent one had a profile, and who was refused may not exist
    readable = Readable(ledger, ledger.accepted_breaks())
    records = (record for user_id in ledger.user_ids() for record in readable.profile_records(user_id))
    return {agent for record in records if (agent := read_entry(record).event.agent) is not None}


def roster_lines(
    agent: str, brands: tuple[Brand, ...], roster: Roster, read_text: Callable[[], str]
) -> tuple[tuple[int, int], ...] | None:
    """Return the roster's lines that would bring the agent back, first and last of each table, counted from 1.

    None when nothing would, empty when they aren't whole tables, or the agent stays at another brand.
    """
    named = {entry.brand for entry in roster.agents if entry.key == agent}
    keys = {brand.key for brand in brands}
    if not named & keys:
        return None
    return entry_lines(read_text(), agent) if named <= keys else ()


def entry_lines(text: str, agent: str) -> tuple[tuple[int, int], ...]:
    """Return the first and last line of every table of an agent in a roster that `parse` accepts, counted from 1.

    Empty when removing whole tables wouldn't take out exactly the agent, as with an inline table or dotted keys.
    """
    lines = text.split("\n")
    headers = [(number, path) for number, line in enumerate(lines, 1) if (path := _path(line))]
    ends = [number - 1 for number, _ in headers[1:]] + [len(lines)]
    spans = tuple(
        (first, _without_tail(lines, first, last))
        for (first, path), last in zip(headers, ends, strict=True)
        if path[:2] == ("agents", agent)
    )
    return spans if _removes(lines, spans, agent) else ()


def _path(line: str) -> tuple[str, ...]:
    """Return the keys of a table's header, nothing for any other line."""
    import tomli

    header = _HEADER.fullmatch(line.rstrip("\r"))
    if header is None:
        return ()
    try:
        inner = tomli.loads(header[1])
    except tomli.TOMLDecodeError:  # a line of a multi-line string or array
        return ()
    path = []
    while isinstance(inner, dict) and inner:
        ((key, inner),) = inner.items()
        path.append(key)
    return tuple(path)


def _without_tail(lines: list[str], first: int, last: int) -> int:
    # Blank lines and comments at a table's end belong to the table that follows.
    while last > first and (not (line := lines[last - 1].strip()) or line.startswith("#")):
        last -= 1
    return last


def _removes(lines: list[str], spans: tuple[tuple[int, int], ...], agent: str) -> bool:
    """Return whether the roster without these lines is the roster without this agent."""
    import tomli

    # A header may stand within a multi-line string, which no pattern sees, so the outcome itself is compared.
    rest = [line for number, line in enumerate(lines, 1) if not any(a <= number <= b for a, b in spans)]
    without = tomli.loads("\n".join(lines))
    without.get("agents", {}).pop(agent, None)
    try:
        got = tomli.loads("\n".join(rest))
    except tomli.TOMLDecodeError:
        return False
    return got.get("agents", {}) == without.get("agents", {}) and {**got, "agents": 0} == {**without, "agents": 0}
