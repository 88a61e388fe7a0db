"""What a command was started with: options, environment and configuration, and the clocks and places that follow."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from profilectl.access.policy import Authority
from profilectl.cli.options import Options
from profilectl.errors import ProfilectlError, UsageError
from profilectl.model import Prices
from profilectl.render.console import Output, info
from profilectl.system.host import expand_home
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.api.clock import Clock
    from profilectl.api.retry import Deadline
    from profilectl.cli.local_sandbox import LocalX
    from profilectl.config import Config
    from profilectl.ledger.protocol import Ledger
    from profilectl.secret import Credentials, Secret

DEFAULT_API_URL = "https://api.x.com"
DEFAULT_TIMEOUT = 600.0  # seconds: long enough for a thousand creates, short enough for cron
STATE_FOLDER = ".profilectl"


class Settings(Struct, frozen=True, dict=True):
    """What one command was started with; everything is opened when it is first asked for."""

    options: Options = field(default_factory=Options)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    stack: ExitStack = field(default_factory=ExitStack)  # closes what was opened, when the command ends
    secrets: list[Secret] = field(default_factory=list)  # in use so far, kept out of the log
    logins: dict[str, Credentials] = field(default_factory=dict)  # those that were needed so far, by handle
    deeds: list[str] = field(default_factory=list)  # for which the policy was asked: they act on no other roster
    writers: list[Ledger] = field(default_factory=list)  # ledgers opened for writing so far; the last one is in use

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is printed when nothing changed."""
        return bool(self.options.quiet)

    @property
    def wants_json(self) -> bool:
        """Whether stdout is one JSON document."""
        return bool(self.options.json)

    @property
    def output(self) -> Output:
        """How this command shows its result."""
        return Output(self.wants_json, self.is_quiet, self.uses_sandbox)

    @property
    def uses_sandbox(self) -> bool:
        """Whether X is the one in this process; UsageError when PROFILECTL_SANDBOX is neither 0 nor 1."""
        setting = self.environ.get("PROFILECTL_SANDBOX", "")
        # Taking "true" or "yes" for a no would send a rehearsal to the real X.
        if setting not in {"", "0", "1"}:
            raise UsageError(f"PROFILECTL_SANDBOX is {visible(setting)}", hint="1 means the local X, 0 the real one")
        return bool(self.options.sandbox) or setting == "1"

    @property
    def on_local_x(self) -> str:
        """What receipts and questions add where they are about the local X, with a space before it; else nothing."""
        return " on the local X" if self.uses_sandbox else ""

    @property
    def may_ask(self) -> bool:
        """Whether there is a terminal to ask on, and asking is allowed."""
        return not self.options.no_input and sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def cannot_ask(self) -> str:
        """Why nobody can be asked, as a clause: whoever uses a pipe on a terminal isn't told that there is none."""
        if self.options.no_input:
            return "--no-input says that nobody is asked"
        streams = [name for name in ("stdin", "stderr") if not getattr(sys, name).isatty()]
        if len(streams) == 1:
            return f"{streams[0]} isn't a terminal, so nobody can be asked"
        return "there is no terminal to ask on"

    @cached_property
    def deadline(self) -> Deadline:
        """The moment at which this command gives up waiting."""
        from profilectl.api.retry import Deadline

        return Deadline(self.options.timeout or DEFAULT_TIMEOUT)

    @cached_property
    def clock(self) -> Clock:
        """This machine's clocks, in one place, so that a test's clock is everybody's."""
        from profilectl.api.clock import Clock

        return Clock()

    def again(self) -> str:
        """Return the options that make another command use the same roster and the same X."""
        return self.options.repeated().words(("--sandbox", "--roster", "--credentials-file"))

    @property
    def roster_path(self) -> Path:
        """The roster: ``--roster``, then the environment, then ./roster.toml."""
        return self.options.roster or expand_home(self.environ.get("PROFILECTL_ROSTER") or "roster.toml")

    def chosen_brands(self) -> tuple[str, ...]:
        """Return the keys of the brands that the command line names, or else the environment."""
        default = self.environ.get("PROFILECTL_BRAND")
        return self.options.brand or ((default,) if default else ())

    @property
    def state_folder(self) -> Path:
        """The folder beside the roster, in which the sandbox is; older versions kept the ledger there as well."""
        return self.roster_path.parent / STATE_FOLDER

    @property
    def sandbox_folder(self) -> Path:
        """The folder of the local X and of its ledger."""
        return self.state_folder / "sandbox"

    @property
    def anchor_folder(self) -> Path | None:
        """The folder that gets the record's checkpoints, None without one; rehearsals have one of their own in it."""
        chosen = self.environ.get("PROFILECTL_AUDIT_ANCHOR") or self.config.audit.anchor
        folder = expand_home(chosen).absolute() if chosen else None
        return folder / "sandbox" if folder is not None and self.uses_sandbox else folder

    @property
    def prices(self) -> Prices:
        """What X's calls cost: as the configuration says, else as far as X has published it.

        A rehearsal on the local X reads no configuration, so that one that is broken can't stop it.
        """
        from profilectl.plan.prices import KNOWN

        return KNOWN if self.uses_sandbox else self.config.prices or KNOWN

    @cached_property
    def config(self) -> Config:
        """The machine-written configuration of this user."""
        from profilectl.config import config_path, read_config

        return read_config(config_path(self.environ))

    @property
    def config_file(self) -> str:
        """Where this user's configuration is, or would be, as it is shown."""
        from profilectl.config import config_path

        return visible(str(config_path(self.environ)))  # which isn't read: it may be broken

    @contextmanager
    def naming_config(self) -> Iterator[None]:
        """Put the path of this user's config.toml into the hints of errors that are raised inside and only name it."""
        try:
            yield
        except ProfilectlError as error:
            if error.hint is None:
                raise
            raise error.with_hint(error.hint.replace("config.toml", self.config_file)) from error.__cause__

    @cached_property
    def local_x(self) -> LocalX:
        """The X in this process, with its world beside the ledger."""
        from profilectl.cli.local_sandbox import LocalX

        return self.stack.enter_context(LocalX(self.sandbox_folder))

    @property
    def api_url(self) -> str:
        """Where X is."""
        return self.environ.get("PROFILECTL_API_URL") or DEFAULT_API_URL

    @property
    def api_host(self) -> str:
        """Host and port of X, under which credentials are kept."""
        from profilectl.api.urls import parse_address

        # The port belongs to it, so that a test server never gets the credentials of another one.
        return parse_address(self.api_url).url.partition("://")[2]

    def wait(self, seconds: float, why: str) -> bool:
        """Wait, and return True; False at once when that would be longer than the command may take."""
        if seconds > self.deadline.remaining():
            return False
        self.announce_wait(seconds, why)
        (self.clock.sleep or time.sleep)(seconds)
        return True

    def announce_wait(self, seconds: float, why: str) -> None:
        """Say why nothing happens for a while."""
        self.remark(f"waiting {seconds:.0f} s {why}")

    def remark(self, line: str) -> None:
        """Write to stderr what a person may want to know; left out when quiet."""
        if not self.is_quiet:
            info(line)

    @property
    def authority(self) -> Authority:
        """Who may do what; InputRefused when `read_policy` refuses the policy file."""
        from profilectl.access.policy_file import POLICY, read_policy, uid_of

        # The sandbox has no customers to protect, so there the roster alone decides.
        return Authority(uid_of) if self.uses_sandbox else read_policy(POLICY)
