"""``offboard``: an agent leaves. Sending ends first and without X, then the faces go, brand by brand."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.authority import require_admin
from profilectl.cli.consent import require_consent
from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.errors import ExitCode, ProfilectlError, TryLater
from profilectl.model import Event
from profilectl.names import visible
from profilectl.render import documents
from profilectl.render.consoles import draw, is_terminal, talk, write, write_rows

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.ledger.base import Ledger, LedgerReader
    from profilectl.model import Brand, Intent

_HEADERS = ("result", "brand", "profile", "name", "error")
_MAX_WAIT = 600.0  # seconds that the destroying half waits for a sync to end
_AGAIN = "run the same command again: it goes on where it stopped"


def register(app: typer.Typer) -> None:
    """Add ``offboard``."""
    app.command("offboard")(command(offboard))


def offboard(
    context: Context,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Who leaves; in the roster or not.")],
    yes: Annotated[bool, typer.Option("--yes", help="Offboard without asking.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Allow the agent again; the next sync makes a profile.")] = False,
) -> None:
    """Block sending as an agent at once, and destroy its faces.

    Sending is blocked in every brand before X is asked anything, so that works offline. Then every profile of the
    agent is destroyed, protected or not; a brand that can't be reached doesn't stop the others (exit 6, and the same
    command again finishes). The roster isn't touched, and the agent stays blocked: while the roster goes on naming
    them, sync makes nothing for them and says so (exit 7), so the lines to remove are printed. --undo allows them
    again. Only --brand narrows it down; PROFILECTL_BRAND doesn't.
    """
    require_admin(context, "offboard anybody")
    brands = context.brands() if context.options.brand else context.roster.brands
    knowledge = context.ledger_for_reading()
    _require_known(context, knowledge, agent)
    leaving = _Leaving(context, agent, brands)
    if undo:
        leaving.undo(context.ledger_for_writing())
        return
    if leaving.accounts(knowledge):
        require_consent(context, leaving.question(knowledge), "offboarded", yes=yes)
        leaving.carry_out(context.ledger_for_writing())
    code = ExitCode.PARTIAL if any(row["status"] != "destroyed" for row in leaving.rows) else ExitCode.DONE
    _report(context, agent, brands, leaving.rows, code)
    raise typer.Exit(code)


def _require_known(context: Context, knowledge: LedgerReader, key: str) -> None:
    """Refuse a key that neither the roster nor the audit trail has ever named."""
    from profilectl.cli.gathering import unknown_agent

    known = {agent.key for agent in context.roster.agents}
    if key not in known:
        known |= {agent for record in knowledge.events() if (agent := record.event.agent) is not None}
    if key not in known:
        raise unknown_agent(key, known)


@dataclass
class _Leaving:
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
        holdings = knowledge.holdings(user_id)
        is_named = any(one.key == self.agent for one in self.context.roster.agents_of(brand.key))
        if is_named and self.agent not in holdings.blocked:
            return True
        agents = [one.agent for one in holdings.bindings] + [one.agent for one in holdings.retired]
        return self.agent in agents or self.agent in {one.agent for one in holdings.intents}

    def question(self, knowledge: LedgerReader) -> str:
        """Ask for what can't be undone."""
        where = ", ".join(brand.key for brand in self.accounts(knowledge))
        return f"Block sending as {visible(self.agent)} and destroy every profile of theirs ({where})?"

    def carry_out(self, ledger: Ledger) -> None:
        """Block at once, even while a sync runs; destroy when that has ended."""
        where = ", ".join(brand.key for brand in self.accounts(ledger))
        self._block(ledger)
        if not self.context.is_quiet:
            talk(f"nobody can send as {visible(self.agent)} any more ({where})")
        wait = min(_MAX_WAIT, self.context.deadline.remaining())
        try:
            with ledger.lock(wait, "profilectl offboard", self.context.announce_wait):
                self._block(ledger)  # a sync may have bound a new profile meanwhile
                for brand, user_id in self.accounts(ledger).items():
                    self._leave(ledger, brand, user_id)
        except TryLater as error:
            error.hint = f"sending is blocked, the profiles are still there; {_AGAIN}"
            raise

    def _block(self, ledger: Ledger) -> None:
        for user_id in self.accounts(ledger).values():
            if self.agent not in ledger.holdings(user_id).blocked:
                ledger.block(user_id, self.agent, _now_ms())
            if ledger.holdings(user_id).binding(self.agent) is not None:
                ledger.retire(user_id, self.agent, _now_ms())

    def undo(self, ledger: Ledger) -> None:
        """Lift the block in every brand that has one."""
        accounts = {brand: ledger.account_of(brand.key) for brand in self.brands}
        blocked = {
            brand: account.user_id
            for brand, account in accounts.items()
            if account is not None and self.agent in ledger.holdings(account.user_id).blocked
        }
        for user_id in blocked.values():
            ledger.unblock(user_id, self.agent, _now_ms())
        where = ", ".join(brand.key for brand in blocked)
        if self.context.wants_json:
            rows = [_row(brand, "allowed") for brand in blocked]
            write(documents.dump(documents.offboard(self.agent, _now_ms(), ExitCode.DONE, rows, None)))
        elif not where:
            talk(f"{visible(self.agent)} isn't blocked in any brand, so nothing changed")
        elif not self.context.is_quiet:
            talk(f"{visible(self.agent)} is allowed again ({where}); `profilectl sync` makes the profile")

    def _leave(self, ledger: Ledger, brand: Brand, user_id: str) -> None:
        """Destroy every profile of the agent in one brand, and leave a receipt in the audit trail."""
        rows = self._destroy_all(ledger, brand, user_id)
        destroyed = sum(row["status"] == "destroyed" for row in rows)
        detail = {"brand": brand.key, "destroyed": destroyed, "left": len(rows) - destroyed}
        ledger.record(Event("offboarded", user_id, _now_ms(), self.agent, detail=detail))
        self.rows += rows

    def _destroy_all(self, ledger: Ledger, brand: Brand, user_id: str) -> list[documents.Document]:
        from profilectl.cli.gathering import check_account

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
        from profilectl.settlement import Verdict, judge
        from profilectl.sync import observe

        settle_after = self.context.roster.policy.settle_after
        situation = observe(brand.key, user_id, client, ledger, settle_after, None)
        verdict, candidates = judge(intent, situation, settle_after)
        if verdict is Verdict.MADE:
            ledger.settle(user_id, intent.nonce, candidates[0], client.now_ms(), adopted=True)
            ledger.retire(user_id, self.agent, client.now_ms())
        elif verdict is Verdict.NOT_MADE:
            ledger.withdraw(user_id, intent.nonce, "offboarded", client.now_ms())
        return verdict in {Verdict.MADE, Verdict.NOT_MADE}

    def _intents(self, ledger: Ledger, user_id: str) -> list[Intent]:
        return [one for one in ledger.holdings(user_id).intents if one.agent == self.agent]

    def _retired(self, ledger: Ledger, user_id: str) -> list[tuple[str, str]]:
        return [(one.profile_id, one.name) for one in ledger.holdings(user_id).retired if one.agent == self.agent]


def _now_ms() -> int:
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


def _report(
    context: Context, agent: str, brands: tuple[Brand, ...], rows: list[documents.Document], code: ExitCode
) -> None:
    lines = _roster_lines(context, agent, brands)
    if context.wants_json:
        write(documents.dump(documents.offboard(agent, _now_ms(), code, rows, lines)))
    else:
        cells = [[row["status"], row["brand"], row["profile_id"] or "", row["name"] or "", _why(row)] for row in rows]
        _show(cells)
    if context.is_quiet and not rows:
        return
    if not rows:
        talk(f"this ledger knows no profile of {visible(agent)}: nothing to destroy")
    if code is ExitCode.PARTIAL:
        talk(f"not every profile of {visible(agent)} is gone; {_AGAIN}")
    if lines is not None:
        _tell_lines(context, agent, lines)


def _why(row: documents.Document) -> str:
    if row["error"] is not None:
        return str(row["error"]["message"])
    return "X hasn't shown yet whether an earlier create was done" if row["status"] == "unsettled" else ""


def _show(cells: list[list[str]]) -> None:
    if not is_terminal(sys.stdout):
        write_rows(cells)
    elif cells:
        from profilectl.render.tables import listing

        draw(listing(_HEADERS, cells))


def _roster_lines(context: Context, agent: str, brands: tuple[Brand, ...]) -> tuple[tuple[int, int], ...] | None:
    """Return the lines that would bring the agent back; None when nothing would, empty when they aren't whole lines."""
    from profilectl.roster.document import decode
    from profilectl.roster.excerpt import entry_lines

    named = {one.brand for one in context.roster.agents if one.key == agent}
    if not named & {brand.key for brand in brands}:
        return None
    if not named <= {brand.key for brand in brands}:
        return ()  # the agent goes on speaking for another brand
    return entry_lines(decode(context.read_roster(), str(context.roster_path)), agent)


def _tell_lines(context: Context, agent: str, lines: tuple[tuple[int, int], ...]) -> None:
    from profilectl.roster.document import decode

    file = visible(str(context.roster_path))
    if not lines:
        talk(f"{file} still names {agent} here: take it out, or every sync says that {agent} is blocked")
        return
    text = decode(context.read_roster(), file).split("\n")
    talk(f"{file} still names {agent}: remove these lines, or every sync says that {agent} is blocked")
    for first, last in lines:
        for number in range(first, last + 1):
            talk(f"{file}:{number}: {visible(text[number - 1].rstrip())}")
