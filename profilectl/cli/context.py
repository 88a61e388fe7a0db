"""The only place that wires services together: options, environment and configuration, and what they make us open."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from profilectl.cli.options import Options
from profilectl.errors import UsageError
from profilectl.render.console import Output, info
from profilectl.system.cache import cache_file
from profilectl.system.files import read_named
from profilectl.text.escape import visible
from profilectl.toml.document import LARGEST, decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from profilectl.api.client import XClient
    from profilectl.api.retry import Deadline, WaitBudget
    from profilectl.cli.local_sandbox import LocalX
    from profilectl.config import Config
    from profilectl.errors import AvatarRefused
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.model import Agent, Brand, Picture, PreparedPicture, Roster
    from profilectl.pictures.stat_cache import PictureStatCache
    from profilectl.secret import Credentials, Secret

DEFAULT_API_URL = "https://api.x.com"
DEFAULT_TIMEOUT = 600.0  # seconds: long enough for a thousand creates, short enough for cron
STATE_FOLDER = ".profilectl"
LARGEST_RECORD = 30_000_000  # bytes


@dataclass(frozen=True)
class Context:
    """What one command works with; everything is opened when it is first asked for."""

    options: Options = field(default_factory=Options)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    stack: ExitStack = field(default_factory=ExitStack)  # closes what was opened, when the command ends
    secrets: list[Secret] = field(default_factory=list, repr=False)  # in use so far, kept out of the log

    def overridden_by(self, later: Options) -> Context:
        """Return the context of a command whose own options win over those before its name."""
        return replace(self, options=self.options.overridden_by(later))

    # Options

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
        return Output(self.wants_json, self.is_quiet)

    @property
    def uses_sandbox(self) -> bool:
        """Whether X is the one in this process; UsageError when PROFILECTL_SANDBOX is neither 0 nor 1."""
        setting = self.environ.get("PROFILECTL_SANDBOX", "")
        if setting not in {"", "0", "1"}:
            raise UsageError(f"PROFILECTL_SANDBOX is {visible(setting)}", hint="1 means the local X, 0 the real one")
        return bool(self.options.sandbox) or setting == "1"

    @property
    def may_ask(self) -> bool:
        """Whether there is a terminal to ask on, and asking is allowed."""
        return not self.options.no_input and sys.stdin.isatty() and sys.stderr.isatty()

    @cached_property
    def deadline(self) -> Deadline:
        """The moment at which this command gives up waiting."""
        from profilectl.api.retry import Deadline

        return Deadline(self.options.timeout or DEFAULT_TIMEOUT)

    def again(self) -> str:
        """Return the options that make another command use the same roster and the same X."""
        words = ["--sandbox"] if self.options.sandbox else []
        if self.options.roster is not None:
            words += ["--roster", str(self.options.roster)]
        if self.options.credentials_file is not None:
            words += ["--credentials-file", str(self.options.credentials_file)]
        return "".join(f" {shlex.quote(word)}" for word in words)

    # The roster

    @property
    def roster_path(self) -> Path:
        """The roster: ``--roster``, then the environment, then ./roster.toml."""
        return self.options.roster or Path(self.environ.get("PROFILECTL_ROSTER") or "roster.toml")

    def read_roster(self) -> bytes:
        """Return the roster's bytes; InputRefused when there is none to read."""
        hint = "`profilectl init` writes one to start from; --roster PATH names another"
        return read_named(self.roster_path, "the roster", LARGEST, hint)

    @cached_property
    def roster(self) -> Roster:
        """The roster, without errors; RosterRefused holds every problem otherwise.

        A text that an earlier run has found to be without errors isn't judged again.
        """
        from profilectl.roster.record import load
        from profilectl.system.files import read_private

        record = read_private(self._roster_record, LARGEST_RECORD)
        known = None if record is None else load(record, self._roster_text, self._roster_origin)
        if known is not None:
            return known
        from profilectl.roster.parser import parse

        return parse(self._roster_text, str(self.roster_path))

    @cached_property
    def _roster_text(self) -> str:
        return decode(self.read_roster(), str(self.roster_path))

    @cached_property
    def _roster_origin(self) -> str:
        from profilectl.roster.record import origin_of

        status = self.roster_path.stat()
        stamp = f"{status.st_dev}:{status.st_ino}:{status.st_ctime_ns}"
        return origin_of(str(self.roster_path), stamp)

    def remember_roster(self) -> None:
        """Keep what the roster's text means for the next command, beside the ledger that was opened for writing."""
        if self.ledger_path.parent.absolute() != self._own_folder.absolute():
            return  # only the ledger's own folder has been judged
        from profilectl.roster.record import dump
        from profilectl.system.files import keep_private, read_private

        record = dump(self.roster, self._roster_text, self._roster_origin)
        if read_private(self._roster_record, LARGEST_RECORD) != record:
            keep_private(self._roster_record, record)

    @property
    def _roster_record(self) -> Path:
        return self._own_folder / "roster.json"

    @cached_property
    def picture_cache(self) -> PictureStatCache:
        """What an earlier `sync` has kept of the roster's pictures, so that untouched ones needn't be read again."""
        from profilectl.pictures.stat_cache import PictureStatCache

        roster = self.roster_path.absolute()
        return PictureStatCache(roster.parent, cache_file(str(roster), "pictures"))

    def inspect_pictures(self, agents: Iterable[Agent], cache: PictureStatCache | None = None) -> dict[str, Picture]:
        """Read and hash every picture these agents name, unless it is known; RosterRefused with every bad one."""
        from profilectl.pictures.loader import inspect_all

        pictures, refusals = inspect_all(self.roster_path.parent, agents, cache)
        self._require_usable(refusals)
        return pictures

    def prepare_pictures(self, pictures: Iterable[Picture]) -> dict[str, PreparedPicture]:
        """Decode and normalise pictures, by the digest of their file; RosterRefused with every bad one."""
        from profilectl.pictures.loader import prepare_all

        prepared, refusals = prepare_all(self.roster_path.parent, pictures)
        self._require_usable(refusals)
        return prepared

    def _require_usable(self, refusals: Mapping[str, AvatarRefused]) -> None:
        if refusals:
            from profilectl.pictures.loader import refusal

            name = str(self.roster_path)
            raise refusal(refusals, self.roster.agents, decode(self.read_roster(), name), name)

    # The brands

    def brands(self) -> tuple[Brand, ...]:
        """Return the brands that a ``diff`` or ``sync`` is about: the chosen ones, or all."""
        chosen = self._chosen_brands()
        known = {brand.key: brand for brand in self.roster.brands}
        for key in chosen:
            if key not in known:
                raise UsageError(
                    f"there is no brand {visible(key)} in {visible(str(self.roster_path))}",
                    hint="it has: " + ", ".join(known),
                )
        return tuple(brand for brand in self.roster.brands if not chosen or brand.key in chosen)

    def the_brand(self) -> Brand:
        """Return the one brand that a command is about; never a guess between two."""
        brands = self.meant(self.brands())
        if len(brands) == 1:
            return brands[0]
        raise UsageError("which brand?", hint="say --brand with one of: " + ", ".join(b.key for b in brands))

    def meant(self, brands: Sequence[Brand]) -> Sequence[Brand]:
        """Return the user's default brand where it is one of these and no brand was named; else all of them."""
        if len(brands) < 2 or self._chosen_brands():
            return brands
        return [brand for brand in brands if brand.key == self.config.brand] or brands

    def _chosen_brands(self) -> tuple[str, ...]:
        default = self.environ.get("PROFILECTL_BRAND")
        return self.options.brand or ((default,) if default else ())

    # The ledger

    @property
    def state_folder(self) -> Path:
        """Where ledger and sandbox live: beside the roster."""
        return self.roster_path.parent / STATE_FOLDER

    @property
    def ledger_path(self) -> Path:
        """The ledger's file; the sandbox has one of its own."""
        if self.uses_sandbox:
            return self._own_folder / "ledger.db"
        said = self.environ.get("PROFILECTL_LEDGER") or self.config.ledger
        if said and "://" in said:
            raise UsageError(
                f"this version keeps its ledger in a file, not at {said.split('://', 1)[0]}://…",
                hint="PROFILECTL_LEDGER takes a path",
            )
        return Path(said) if said else self._own_folder / "ledger.db"

    @property
    def _own_folder(self) -> Path:
        """Where what belongs to one X lies, unless it was moved: the real one's, or the sandbox's."""
        return self.state_folder / "sandbox" if self.uses_sandbox else self.state_folder

    def ledger_for_reading(self) -> LedgerReader:
        """Open the ledger without ever writing to it; a missing one is empty."""
        from profilectl.ledger.sqlite import open_for_reading

        return self.stack.enter_context(open_for_reading(self.ledger_path))

    def ledger_for_writing(self) -> Ledger:
        """Open the ledger, made anew when it is missing."""
        from profilectl.ledger.sqlite import open_for_writing

        return self.stack.enter_context(open_for_writing(self.ledger_path))

    # X

    @cached_property
    def config(self) -> Config:
        """The machine-written configuration of this user."""
        from profilectl.config import config_path, read_config

        return read_config(config_path(self.environ))

    @cached_property
    def local_x(self) -> LocalX:
        """The X in this process, with its world beside the ledger."""
        from profilectl.cli.local_sandbox import LocalX

        return self.stack.enter_context(LocalX(self.state_folder / "sandbox"))

    @property
    def api_url(self) -> str:
        """Where X is."""
        return self.environ.get("PROFILECTL_API_URL") or DEFAULT_API_URL

    @property
    def api_host(self) -> str:
        """Host and port of X, under which credentials are kept: a test server never gets those of another one."""
        from profilectl.api.urls import parse_address

        return parse_address(self.api_url).url.partition("://")[2]

    def credentials(self, brand: Brand) -> Credentials:
        """Find the credentials of one brand, from the first source that is configured."""
        if self.uses_sandbox:
            return self.local_x.credentials(brand.handle)
        from profilectl.cli.renamed_accounts import credentials_of

        return credentials_of(self, brand)

    def connect(self, brand: Brand, *, jobs: int = 1, max_wait: float | WaitBudget = 0) -> XClient:
        """Return a client that speaks to X as one brand."""
        return self.client(self.credentials(brand), jobs=jobs, max_wait=max_wait)

    def client(self, credentials: Credentials, *, jobs: int = 1, max_wait: float | WaitBudget = 0) -> XClient:
        """Return a client for these credentials, closed when the command ends."""
        from profilectl.api.client import XClient

        self.secrets.extend(credentials.secrets())
        if self.options.verbose:
            from profilectl.cli.crash_log import log_calls

            log_calls(self.secrets)
        local = self.local_x if self.uses_sandbox else None
        return self.stack.enter_context(
            XClient(
                credentials,
                base_url=local.url if local is not None else self.api_url,
                transport=local.transport() if local is not None else None,
                jobs=jobs,
                deadline=self.deadline,
                max_wait=max_wait,
                announce=self.announce_wait,
            )
        )

    def announce_wait(self, seconds: float, why: str) -> None:
        """Say why nothing happens for a while."""
        if not self.is_quiet:
            info(f"waiting {seconds:.0f} s {why}")
