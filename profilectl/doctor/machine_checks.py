"""What the doctor checks once for all brands: the machine, the way to X, the files. Nothing is written or asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from profilectl import __version__
from profilectl.api.urls import parse_address
from profilectl.doctor.report import (
    Check,
    CheckResult,
    Finding,
    Report,
    clock_result,
    failed,
    failed_need,
    ok,
    skipped,
    warning,
)
from profilectl.errors import CredentialsError, InputRefused, LedgerRefused, ProfilectlError, RosterRefused, TryLater
from profilectl.ledger.heads import THOROUGH, first_broken
from profilectl.ledger.location import check_writable
from profilectl.ledger.schema import FORMAT
from profilectl.model import Agent, Brand, Event, Picture, Roster
from profilectl.sync.quota import DAY_MS
from profilectl.sync.removals import LONGEST_SEND_MS
from profilectl.system.host import now_ms
from profilectl.system.threads import run_with_deadline
from profilectl.text.escape import visible
from profilectl.toml.problems import format_problem

if TYPE_CHECKING:
    from profilectl.api.probe import ProbeResult
    from profilectl.api.retry import Deadline
    from profilectl.credentials.keyring import Keychain
    from profilectl.ledger.accounts import FormerLedger
    from profilectl.ledger.address import PostgresAddress
    from profilectl.ledger.protocol import LedgerReader

T = TypeVar("T")

_LIBRARIES = ("typer", "rich", "httpx", "oauthlib", "keyring", "pillow")
_LONGEST_CONNECT = 10.0  # seconds: what a connection may take elsewhere, too
_SHOWN = 3  # problems that are written out


class Machine(Struct, frozen=True):
    """What the checks of the machine look at; a function is called when its check begins, and may raise."""

    api_url: str
    uses_sandbox: bool
    timeout: float  # seconds for all checks together, as they were chosen
    deadline: Deadline
    keyring: Keychain  # an unattended one
    probe: Callable[[float], ProbeResult]  # one unsigned request, each step of which may take so many seconds
    roster_path: Path
    read_roster: Callable[[], Roster]
    brands: Callable[[], tuple[Brand, ...]]  # those that are meant
    inspect_pictures: Callable[[Iterable[Agent]], Mapping[str, Picture]]
    ledger_place: Callable[[], Path | PostgresAddress]
    open_ledger: Callable[[], AbstractContextManager[LedgerReader]]  # for reading; a missing one is empty
    former_ledger: Callable[[str], FormerLedger | None]  # that was used last for a user id, if it is remembered


class MachineChecks:
    """The checks of everything that isn't a brand's own; collects all findings, those of the brands too."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.findings: list[Finding] = []
        self.reached: ProbeResult | None = None
        self.user_ids: list[str] = []  # of the accounts that X has named so far

    @property
    def report(self) -> Report:
        """The findings so far, in their order."""
        return Report.of(self.findings)

    @cached_property
    def brands(self) -> tuple[Brand, ...]:
        """The roster's brands that are meant; none when the roster can't say. UsageError for one it doesn't have."""
        try:
            return self.within_deadline(self.machine.brands)
        except (InputRefused, TryLater):  # the check of the roster says so
            return ()

    @cached_property
    def recent_calls(self) -> Mapping[str, Sequence[Event]]:
        """What the ledger knows of calls that X limits, by account: of a day and more, as X's clock may be another."""
        with self.machine.open_ledger() as ledger:
            return ledger.recent_limited_calls(now_ms() - 2 * DAY_MS)

    def run(
        self,
        check: Check,
        examine: Callable[[], CheckResult],
        brand: str | None = None,
        needs: tuple[Check, ...] | None = None,
    ) -> None:
        """Add the finding of a check, which is skipped when one that it needs has failed."""
        because = failed_need(self.findings, check, brand, needs)
        try:
            result = examine() if because is None else skipped(because)
        except ProfilectlError as error:
            result = failed(error)
        self.findings.append(Finding(check, brand, result))

    def within_deadline(self, function: Callable[[], T]) -> T:
        """Return what the function returns; TryLater when that takes longer than there is time."""
        try:
            # A tenth of a second at least: after one slow check the others still say what they know at once.
            return run_with_deadline(max(0.1, self.machine.deadline.remaining()), function)
        except TimeoutError:
            message = f"no answer within {self.machine.timeout:g} s"
            raise TryLater(message, hint="allow more time with --timeout") from None

    def check_connection(self) -> None:
        """Check versions, network, clock and proxy."""
        self.run(Check.VERSIONS, check_versions)
        self.run(Check.NETWORK, self._check_network)
        self.run(Check.CLOCK, lambda: clock_result(self.reached.skew if self.reached else None))
        self.run(Check.PROXY, self._check_proxy)

    def _check_network(self) -> CheckResult:
        if self.machine.uses_sandbox:
            self.reached = self.machine.probe(_LONGEST_CONNECT)
            return ok("the sandbox in this process: no network, no TLS")
        address = parse_address(self.machine.api_url)
        seconds = max(0.1, min(_LONGEST_CONNECT, self.machine.deadline.remaining()))
        reached = self.reached = self.within_deadline(lambda: self.machine.probe(seconds))
        line = f"{reached.tls}, certificate verified" if reached.tls else "loopback, no TLS"
        peer = f" ({reached.peer})" if reached.peer and reached.peer != address.host else ""
        text = f"{address.url}{peer} answers: {line}"
        if reached.status >= 500:
            return warning(f"{text}, but X is in trouble (HTTP {reached.status})", "run this again later")
        return ok(text)

    def _check_proxy(self) -> CheckResult:
        from profilectl.api.probe import proxy_for

        if self.machine.uses_sandbox or parse_address(self.machine.api_url).is_loopback:
            return ok("none: what runs on this machine is called directly")
        proxy = proxy_for(self.machine.api_url)
        return ok("none" if proxy is None else f"{proxy.shown} (from {proxy.origin})")

    def check_keyring(self, needed: bool | None) -> None:
        """Check the keyring; `needed` says whether credentials come from it, None when there are none at all."""
        self.run(Check.KEYRING, lambda: self._check_keyring(needed))

    def _check_keyring(self, needed: bool | None) -> CheckResult:
        if self.machine.uses_sandbox:
            return ok("not used: the sandbox has credentials of its own")
        try:
            self.machine.keyring.probe()
        except CredentialsError as error:
            if needed:
                raise
            if needed is None:  # whoever is about to log in should know
                return warning(error.message, error.hint)
            return ok(f"not needed: credentials come from elsewhere ({error.message})")
        return ok(f"{self.machine.keyring.backend_name}, open" + ("" if needed is not False else ", but not needed"))

    def check_files(self) -> None:
        """Check roster, pictures and ledger."""
        self.run(Check.ROSTER, lambda: self.within_deadline(self._check_roster))
        self.run(Check.PICTURES, lambda: self.within_deadline(self._check_pictures))
        self.run(Check.LEDGER, lambda: self.within_deadline(self._check_ledger))

    def _check_roster(self) -> CheckResult:
        path = visible(str(self.machine.roster_path))
        try:
            roster = self.machine.read_roster()
        except RosterRefused as error:
            errors = [format_problem(problem) for problem in error.problems if problem.severity == "error"]
            raise _shortened(errors, error, "`profilectl roster check` shows all") from None
        agents = _counted(len({agent.key for agent in roster.agents}), "agent")
        text = f"{path}: {agents} in {_counted(len(roster.brands), 'brand')}"
        if roster.warnings:
            problems = "; ".join(format_problem(problem) for problem in roster.warnings[:_SHOWN])
            count = _counted(len(roster.warnings), "warning")
            return warning(f"{text}, {count}: {problems}", "`profilectl roster check`")
        return ok(text)

    def _check_pictures(self) -> CheckResult:
        chosen = {brand.key for brand in self.brands}
        agents = self.machine.read_roster().agents
        try:
            pictures = self.machine.inspect_pictures(agent for agent in agents if agent.brand in chosen)
        except RosterRefused as error:
            problems = [f"{problem.path}: {problem.message}" for problem in error.problems]
            raise _shortened(problems, error, error.hint) from None
        size = sum(picture.size for picture in pictures.values())
        return ok(f"{_counted(len(pictures), 'picture')}, {size:,} bytes, all of them readable")

    def _check_ledger(self) -> CheckResult:
        place = self.machine.ledger_place()
        shown = visible(str(place))
        with self.machine.open_ledger() as ledger:
            if isinstance(place, Path) and not place.exists():
                self._require_never_made(place)
                check_writable(place)
                return ok(f"{shown}: none yet, the first sync makes it")
            records, broken = ledger.last_seq(), first_broken(ledger, THOROUGH, ledger.accepted_breaks())
            rows, promises = self._count_rows(ledger), self._open_promises(ledger)
        text = f"{shown}: format {FORMAT}, {rows}, {_counted(records, 'audit record')}"
        if broken is not None:
            hint = "somebody changed the ledger behind profilectl's back: restore a backup, and find out who"
            raise InputRefused(f"{text}, whose chain is broken at record {broken}", hint=hint)
        if isinstance(place, Path):
            check_writable(place)
        text = f"{text}{_wholeness(records)}"
        if promises:
            hint = "look whether they have arrived; the same `send` once more finds out, and sends nothing twice"
            return warning(f"{text}; nobody knows whether X has {'; '.join(promises)}", hint)
        return ok(text)

    def _require_never_made(self, place: Path) -> None:
        """Raise LedgerRefused for a missing ledger in which this host has seen an account."""
        for former in map(self.machine.former_ledger, self.user_ids):
            if former is not None and former.is_gone and former.place == str(place.absolute()):
                raise LedgerRefused(
                    former.describe_loss(), hint="restore its backup; without one, `profilectl recover`"
                )

    def _open_promises(self, ledger: LedgerReader) -> list[str]:
        """Return the messages that were promised, and whose end is in no record, in words."""
        accounts = (ledger.account_of(brand.key) for brand in self.brands)
        user_ids = sorted({account.user_id for account in accounts if account is not None})
        over_ms = now_ms() - LONGEST_SEND_MS  # what is younger may be on its way right now
        open_dispatches = [
            dispatch
            for user_id in user_ids
            for dispatch in ledger.open_dispatches(user_id)
            if dispatch.begun_ms < over_ms
        ]
        sentences = [
            f"{visible(dispatch.agent)}'s message to {visible(dispatch.recipient_id)} of {_moment(dispatch.begun_ms)}"
            for dispatch in open_dispatches[:_SHOWN]
        ]
        more = len(open_dispatches) - _SHOWN
        return [*sentences, f"{more:,} more"] if more > 0 else sentences

    def _count_rows(self, ledger: LedgerReader) -> str:
        """Count what the ledger holds for the roster's brands."""
        accounts = (ledger.account_of(brand.key) for brand in self.brands)
        user_ids = {account.user_id for account in accounts if account is not None}
        known = [ledger.state_of(user_id) for user_id in user_ids]
        bindings = _counted(sum(len(state.bindings) for state in known), "binding")
        retired = sum(len(state.retired) for state in known)
        intents = sum(len(state.intents) for state in known)
        doubt = f", {_counted(intents, 'create')} in doubt until the next sync" if intents else ""
        return f"{bindings}, {retired} retired{doubt}"


def check_versions() -> CheckResult:
    """Say what is running, for whoever is asked for help."""
    import platform

    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    installed = {name: _version(name) for name in _LIBRARIES}
    libraries = ", ".join(f"{name} {number}" for name, number in installed.items() if number)
    text = f"profilectl {__version__}, Python {platform.python_version()}, {system}; {libraries}"
    if missing := [name for name, number in installed.items() if not number]:
        return warning(f"{text}; not installed: {', '.join(missing)}", "install profilectl anew")
    return ok(text)


def _moment(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _shortened(lines: Iterable[str], error: InputRefused, hint: str | None) -> InputRefused:
    """Return the error with its first problems in its one line."""
    problems = list(lines)
    if not problems:
        return InputRefused(error.message, hint=error.hint)
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return InputRefused(f"{error.message}: {'; '.join(problems[:_SHOWN])}{more}", hint=hint)


def _wholeness(records: int) -> str:
    """Say how much of a record was found whole: of a long one only what a sync checks as well, as all takes seconds."""
    if records <= THOROUGH:
        return ", chain whole" if records else ""
    return f", the newest {THOROUGH:,} whole (`profilectl audit verify` checks all)"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
