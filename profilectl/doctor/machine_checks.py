"""What the doctor looks at once for all brands: the machine, the way to X, the files. Nothing is written or asked."""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, TypeVar

from profilectl import __version__
from profilectl.cli import auth_accounts
from profilectl.doctor.report import (
    NEEDS,
    Diagnosis,
    Finding,
    Judgement,
    Layer,
    State,
    doubtful,
    failed,
    fine,
    judge_clock,
    obstacle,
    skipped,
)
from profilectl.errors import InputRefused, ProfilectlError, RosterRefused, TryLater
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from profilectl.api.probe import ProbeResult
    from profilectl.cli.read_only_context import ReadOnlyContext
    from profilectl.credentials.keyring import Keychain
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.model import Brand

T = TypeVar("T")

_LIBRARIES = ("typer", "rich", "httpx", "oauthlib", "keyring", "pillow")
_LONGEST_KNOCK = 10.0  # seconds: what a connection may take elsewhere, too
_SHOWN = 3  # problems that are told in full


class Examination:
    """One look at everything that isn't a brand's own; collects findings."""

    def __init__(self, context: ReadOnlyContext) -> None:
        self.context = context
        self.findings: list[Finding] = []
        self.reached: ProbeResult | None = None

    @property
    def diagnosis(self) -> Diagnosis:
        """What was found so far, in its order."""
        return Diagnosis.of(self.findings)

    @cached_property
    def keychain(self) -> Keychain:
        """The keyring, which opens no dialog and isn't asked again once it was silent."""
        return auth_accounts.unattended_keychain(self.context)

    @cached_property
    def brands(self) -> tuple[Brand, ...]:
        """The roster's brands that are meant; none when the roster can't say. UsageError for one it doesn't have."""
        try:
            return self.within(self.context.brands)
        except (InputRefused, TryLater):
            return ()

    def look(
        self,
        layer: Layer,
        judge: Callable[[], Judgement],
        brand: str | None = None,
        needs: tuple[Layer, ...] | None = None,
    ) -> None:
        """Judge a layer, unless one that it needs has failed."""
        because = obstacle(self.findings, layer, brand, NEEDS.get(layer, ()) if needs is None else needs)
        if because is not None:
            judgement = skipped(because)
        else:
            try:
                judgement = judge()
            except ProfilectlError as error:
                judgement = failed(error)
        self.findings.append(Finding(layer, brand, judgement))

    def within(self, deed: Callable[[], T]) -> T:
        """Return what the deed returns; TryLater when that takes longer than there is time."""
        from profilectl.system.threads import run_with_deadline

        try:
            return run_with_deadline(max(0.1, self.context.deadline.remaining()), deed)
        except TimeoutError:
            seconds = self.context.options.timeout or 0
            raise TryLater(f"no answer within {seconds:g} s", hint="allow more time with --timeout") from None

    # The machine, and the way to X

    def look_around(self) -> None:
        """Judge versions, network, clock and proxy."""
        self.look(Layer.VERSIONS, judge_versions)
        self.look(Layer.NETWORK, self._judge_network)
        self.look(Layer.CLOCK, lambda: judge_clock(self.reached.skew if self.reached else None))
        self.look(Layer.PROXY, self._judge_proxy)

    def _judge_network(self) -> Judgement:
        from profilectl.api.probe import probe
        from profilectl.api.urls import parse_address

        if self.context.uses_sandbox:
            local = self.context.local_x
            self.reached = probe(local.url, transport=local.transport(), seconds=_LONGEST_KNOCK)
            return fine("the sandbox in this process: no network, no TLS")
        url = self.context.api_url
        address = parse_address(url)
        seconds = max(0.1, min(_LONGEST_KNOCK, self.context.deadline.remaining()))
        reached = self.reached = self.within(lambda: probe(url, transport=None, seconds=seconds))
        line = f"{reached.tls}, certificate verified" if reached.tls else "loopback, no TLS"
        peer = f" ({reached.peer})" if reached.peer and reached.peer != address.host else ""
        text = f"{address.url}{peer} answers: {line}"
        if reached.status >= 500:
            return doubtful(f"{text}, but X is in trouble (HTTP {reached.status})", "run this again later")
        return fine(text)

    def _judge_proxy(self) -> Judgement:
        from profilectl.api.probe import proxy_for
        from profilectl.api.urls import parse_address

        if self.context.uses_sandbox or parse_address(self.context.api_url).is_loopback:
            return fine("none: what runs on this machine is called directly")
        proxy = proxy_for(self.context.api_url)
        return fine("none" if proxy is None else f"{proxy.shown} (from {proxy.origin})")

    # The keyring

    def look_at_keyring(self, needed: bool | None) -> None:
        """Judge the keyring.

        Args:
            needed: whether credentials come from it; None when none have been set up at all.
        """
        self.look(Layer.KEYRING, lambda: self._judge_keyring(needed))

    def _judge_keyring(self, needed: bool | None) -> Judgement:
        from profilectl.errors import CredentialsError

        if self.context.uses_sandbox:
            return fine("not used: the sandbox has credentials of its own")
        try:
            self.keychain.probe()
        except CredentialsError as error:
            if needed:
                raise
            if needed is None:
                return doubtful(error.message, error.hint)
            return fine(f"not needed: credentials come from elsewhere ({error.message})")
        return fine(f"{self.keychain.backend_name}, open" + ("" if needed is not False else ", but not needed"))

    # The files

    def look_at_files(self) -> None:
        """Judge roster, pictures and ledger."""
        self.look(Layer.ROSTER, lambda: self.within(self._judge_roster))
        self.look(Layer.PICTURES, lambda: self.within(self._judge_pictures))
        self.look(Layer.LEDGER, lambda: self.within(self._judge_ledger))

    def _judge_roster(self) -> Judgement:
        from profilectl.toml.problems import format_problem

        path = visible(str(self.context.roster_path))
        try:
            roster = self.context.roster
        except RosterRefused as error:
            errors = [format_problem(one) for one in error.problems if one.severity == "error"]
            raise _shortened(errors, error, "`profilectl roster check` shows all") from None
        agents = _counted(len({agent.key for agent in roster.agents}), "agent")
        text = f"{path}: {agents} in {_counted(len(roster.brands), 'brand')}"
        if roster.warnings:
            told = "; ".join(format_problem(one) for one in roster.warnings[:_SHOWN])
            return doubtful(f"{text}, {_counted(len(roster.warnings), 'warning')}: {told}", "`profilectl roster check`")
        return fine(text)

    def _judge_pictures(self) -> Judgement:
        chosen = {brand.key for brand in self.brands}
        try:
            pictures = self.context.inspect_pictures(a for a in self.context.roster.agents if a.brand in chosen)
        except RosterRefused as error:
            bad = [f"{one.path}: {one.message}" for one in error.problems]
            raise _shortened(bad, error, error.hint) from None
        size = sum(picture.size for picture in pictures.values())
        return fine(f"{_counted(len(pictures), 'picture')}, {size:,} bytes, all of them readable")

    def _judge_ledger(self) -> Judgement:
        from profilectl.audit.chain import verify
        from profilectl.ledger.location import check_writable
        from profilectl.ledger.schema import FORMAT
        from profilectl.ledger.sqlite import open_for_reading

        path = self.context.ledger_path
        shown = visible(str(path))
        with open_for_reading(path) as ledger:
            if not path.exists():
                check_writable(path)
                return fine(f"{shown}: none yet, the first sync makes it")
            records = tuple(ledger.events())
            rows = self._rows(ledger)
        broken = verify(records)
        text = f"{shown}: format {FORMAT}, {rows}, {_counted(len(records), 'audit record')}"
        if broken is not None:
            hint = "somebody changed the ledger behind profilectl's back: restore a backup, and find out who"
            error = InputRefused(f"{text}, whose chain is broken at record {broken}", hint=hint)
            return failed(error)
        check_writable(path)
        return fine(f"{text}, chain whole" if records else text)

    def _rows(self, ledger: LedgerReader) -> str:
        """Count what the ledger holds for the roster's brands."""
        known = (ledger.account_of(brand.key) for brand in self.brands)
        held = [ledger.state_of(user_id) for user_id in {one.user_id for one in known if one is not None}]
        bindings = _counted(sum(len(one.bindings) for one in held), "binding")
        retired = sum(len(one.retired) for one in held)
        intents = sum(len(one.intents) for one in held)
        doubt = f", {_counted(intents, 'create')} in doubt until the next sync" if intents else ""
        return f"{bindings}, {retired} retired{doubt}"


def judge_versions() -> Judgement:
    """Say what is running, for whoever is asked for help."""
    import platform

    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    found = {name: _version(name) for name in _LIBRARIES}
    libraries = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    text = f"profilectl {__version__}, Python {platform.python_version()}, {system}; {libraries}"
    if missing := [name for name, number in found.items() if not number]:
        return Judgement(State.WARNING, f"{text}; not installed: {', '.join(missing)}", "install profilectl anew")
    return fine(text)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _shortened(lines: Iterable[str], error: InputRefused, hint: str | None) -> InputRefused:
    """Return the error with its first problems in its one line."""
    listed = list(lines)
    more = f"; and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    told = "; ".join(listed[:_SHOWN]) + more
    return InputRefused(f"{error.message}: {told}" if told else error.message, hint=hint if told else error.hint)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
