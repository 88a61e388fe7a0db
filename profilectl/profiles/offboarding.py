"""An agent's way out of some brands: blocked first and without X, then every face destroyed, brand by brand."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from profilectl.errors import CredentialsError, ExitCode, ProfilectlError, TryLater
from profilectl.model import Event
from profilectl.render import documents
from profilectl.render.console import info, out
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.cli.context import Context
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.model import Brand, Intent

_MAX_WAIT = 600.0  # seconds that the destroying half waits for a sync to end
AGAIN = "run the same command again: it goes on where it stopped"


@dataclass
class Leaving:
    """One agent's way out of some brands; `rows` tell what became of each profile."""

    context: Context
    agent: str
    brands: tuple[Brand, ...]
    rows: list[documents.Document] = field(default_factory=list)

    def accounts(self, knowledge: LedgerReader) -> dict[Brand, str]:
        """Return the brands, with their user ids, in which the agent has something, or may get it."""
        accounts = {brand: knowledge.account_of(brand.key) for brand in self.brands}
        ids = {brand: account.user_id for brand, account in accounts.items() if account is not None}
        return {brand: user_id for brand, user_id in ids.items() if self._is_there(knowledge, brand, user_id)}

    def _is_there(self, knowledge: LedgerReader, brand: Brand, user_id: str) -> bool:
        ledger_state = knowledge.state_of(user_id)
        is_named = any(one.key == self.agent for one in self.context.roster.agents_of(brand.key))
        if is_named and self.agent not in ledger_state.blocked:
            return True
        agents = [one.agent for one in ledger_state.bindings] + [one.agent for one in ledger_state.retired]
        return self.agent in agents or self.agent in {one.agent for one in ledger_state.intents}

    def unclaimed(self, knowledge: LedgerReader) -> list[Brand]:
        """Return the brands that the ledger doesn't know yet, and in which the roster names the agent."""
        named = {one.brand for one in self.context.roster.agents if one.key == self.agent}
        return [one for one in self.brands if one.key in named and knowledge.account_of(one.key) is None]

    def _claim(self, ledger: Ledger, brand: Brand) -> None:
        """Ask X which account a brand is, because a block belongs to an account."""
        from profilectl.ledger.accounts import check_account

        try:
            client = self.context.connect(brand)
            account = client.verify_credentials()
            check_account(brand, account, ledger)
            ledger.register_account(brand.key, account, client.now_ms())
        except CredentialsError:
            info(f"nobody can send for {brand.key} here: there are no usable credentials, so there is nothing to block")
        except ProfilectlError as error:
            self.rows.append(_row(brand, "failed", error=error))

    def question(self, knowledge: LedgerReader) -> str:
        """Ask for what can't be undone."""
        where = ", ".join(brand.key for brand in (*self.accounts(knowledge), *self.unclaimed(knowledge)))
        return f"Block sending as {visible(self.agent)} and destroy every profile of theirs ({where})?"

    def carry_out(self, ledger: Ledger) -> None:
        """Block at once, even while a sync runs; destroy when that has ended."""
        self._block(ledger)
        for brand in self.unclaimed(ledger):
            self._claim(ledger, brand)
        where = ", ".join(brand.key for brand in self._block(ledger))
        if where and not self.context.is_quiet:
            info(f"nobody can send as {visible(self.agent)} any more ({where})")
        wait = min(_MAX_WAIT, self.context.deadline.remaining())
        try:
            with ledger.lock(wait, "profilectl offboard", self.context.announce_wait):
                self._block(ledger)  # a sync may have bound a new profile meanwhile
                for brand, user_id in self.accounts(ledger).items():
                    self._leave(ledger, brand, user_id)
        except TryLater as error:
            error.hint = f"sending is blocked, the profiles are still there; {AGAIN}"
            raise

    def _block(self, ledger: Ledger) -> list[Brand]:
        """Block the agent wherever the ledger knows the account; return the brands in which nobody can speak now."""
        blocked = []
        for brand in self.brands:
            account = ledger.account_of(brand.key)
            if account is None:
                continue
            is_there = self._is_there(ledger, brand, account.user_id)
            ledger_state = ledger.state_of(account.user_id)
            if is_there and self.agent not in ledger_state.blocked:
                ledger.block(account.user_id, self.agent, now_ms())
            if ledger_state.binding(self.agent) is not None:
                ledger.retire(account.user_id, self.agent, now_ms())
            if is_there or self.agent in ledger_state.blocked:
                blocked.append(brand)
        return blocked

    def undo(self, ledger: Ledger) -> None:
        """Lift the block in every brand that has one."""
        accounts = {brand: ledger.account_of(brand.key) for brand in self.brands}
        blocked = {
            brand: account.user_id
            for brand, account in accounts.items()
            if account is not None and self.agent in ledger.state_of(account.user_id).blocked
        }
        for user_id in blocked.values():
            ledger.unblock(user_id, self.agent, now_ms())
        where = ", ".join(brand.key for brand in blocked)
        if self.context.wants_json:
            rows = [_row(brand, "allowed") for brand in blocked]
            out(documents.dump(documents.offboard(self.agent, now_ms(), ExitCode.DONE, rows, None)))
        elif not where:
            info(f"{visible(self.agent)} isn't blocked in any brand, so nothing changed")
        elif not self.context.is_quiet:
            info(f"{visible(self.agent)} is allowed again ({where}); `profilectl sync` makes the profile")

    def _leave(self, ledger: Ledger, brand: Brand, user_id: str) -> None:
        """Destroy every profile of the agent in one brand, and leave a receipt in the audit trail."""
        rows = self._destroy_all(ledger, brand, user_id)
        destroyed = sum(row["status"] == "destroyed" for row in rows)
        detail = {"brand": brand.key, "destroyed": destroyed, "left": len(rows) - destroyed}
        ledger.record(Event("offboarded", user_id, now_ms(), self.agent, detail=detail))
        self.rows += rows

    def _destroy_all(self, ledger: Ledger, brand: Brand, user_id: str) -> list[documents.Document]:
        from profilectl.ledger.accounts import check_account

        rows = []
        try:
            client = self.context.connect(brand)
            check_account(brand, client.verify_credentials(), ledger)
            if any(not self._settle(client, ledger, brand, user_id, one) for one in self._intents(ledger, user_id)):
                rows.append(_row(brand, "unsettled"))
        except ProfilectlError as error:
            rows += [_row(brand, "unsettled", error=error) for _ in self._intents(ledger, user_id)]
            return rows + [_row(brand, "failed", *one, error) for one in self._retired(ledger, user_id)]
        for profile_id, name in self._retired(ledger, user_id):
            try:
                client.destroy_profile(profile_id)
                ledger.drop(user_id, profile_id, client.now_ms())
                rows.append(_row(brand, "destroyed", profile_id, name))
            except ProfilectlError as error:
                rows.append(_row(brand, "failed", profile_id, name, error))
        return rows

    def _settle(self, client: XClient, ledger: Ledger, brand: Brand, user_id: str, intent: Intent) -> bool:
        """Find out what an unanswered create made, so that no face is left behind; False when X can't tell yet."""
        from profilectl.plan.intents import IntentStatus, resolve
        from profilectl.sync.engine import observe

        settle_after = self.context.roster.policy.settle_after
        observation = observe(brand.key, user_id, client, ledger.state_of(user_id), settle_after, None)
        verdict, candidates = resolve(intent, observation, settle_after)
        if verdict is IntentStatus.CREATED:
            ledger.finish_intent(user_id, intent.nonce, candidates[0], client.now_ms(), adopted=True)
            ledger.retire(user_id, self.agent, client.now_ms())
        elif verdict is IntentStatus.NOT_CREATED:
            ledger.cancel_intent(user_id, intent.nonce, "offboarded", client.now_ms())
        return verdict in {IntentStatus.CREATED, IntentStatus.NOT_CREATED}

    def _intents(self, ledger: Ledger, user_id: str) -> list[Intent]:
        return [one for one in ledger.state_of(user_id).intents if one.agent == self.agent]

    def _retired(self, ledger: Ledger, user_id: str) -> list[tuple[str, str]]:
        return [(one.profile_id, one.name) for one in ledger.state_of(user_id).retired if one.agent == self.agent]


def now_ms() -> int:
    """Return this machine's time, epoch milliseconds."""
    return int(time.time() * 1000)


def _row(
    brand: Brand,
    status: str,
    profile_id: str | None = None,
    name: str | None = None,
    error: ProfilectlError | None = None,
) -> documents.Document:
    problem = None if error is None else documents.problem(error)
    return {"brand": brand.key, "profile_id": profile_id, "name": name, "status": status, "error": problem}
