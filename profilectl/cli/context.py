"""The only place that wires services together: options, environment and configuration, and what they make us open."""

from __future__ import annotations

import math
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from profilectl.access.policy import Authority
from profilectl.cli.options import Options
from profilectl.errors import AvatarRefused, InputRefused, LedgerRefused, ProfilectlError, UsageError
from profilectl.model import Agent, Brand, Picture, PreparedPicture, Prices, Roster
from profilectl.render.console import Output, info, progress
from profilectl.system.cache import cache_file
from profilectl.system.files import read_named
from profilectl.system.host import expand_home, today
from profilectl.text.escape import visible
from profilectl.toml.document import LARGEST, decode

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.api.clock import Clock
    from profilectl.api.retry import Deadline, WaitBudget
    from profilectl.audit.kept_tree import TreeFiles
    from profilectl.cli.local_sandbox import LocalX
    from profilectl.config import Config
    from profilectl.credentials.keyring import Keychain
    from profilectl.credentials.sources import Sources
    from profilectl.ledger.accounts import UnknownAccount
    from profilectl.ledger.address import PostgresAddress
    from profilectl.ledger.heads import KeptHeads
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.pictures.preparation import Preparation, PreparedCache
    from profilectl.pictures.stat_cache import PictureStatCache
    from profilectl.roster.facts import ProfileFacts
    from profilectl.secret import Credentials, Secret

DEFAULT_API_URL = "https://api.x.com"
DEFAULT_TIMEOUT = 600.0  # seconds: long enough for a thousand creates, short enough for cron
STATE_FOLDER = ".profilectl"


class Context(Struct, frozen=True, dict=True):
    """What one command works with; everything is opened when it is first asked for."""

    options: Options = field(default_factory=Options)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    stack: ExitStack = field(default_factory=ExitStack)  # closes what was opened, when the command ends
    secrets: list[Secret] = field(default_factory=list)  # in use so far, kept out of the log
    logins: dict[str, Credentials] = field(default_factory=dict)  # those that were needed so far, by handle
    deeds: list[str] = field(default_factory=list)  # for which the policy was asked: they act on no other roster
    writers: list[Ledger] = field(default_factory=list)  # ledgers opened for writing so far; the last one is in use

    def overridden_by(self, later: Options) -> Context:
        """Return the context of a command whose own options win over those before its name."""
        return replace(self, options=self.options.overridden_by(later))

    def reread(self) -> Context:
        """Return a context that reads roster, pictures, configuration and the ledger's place anew, as they are by now.

        Its deadline begins when it first asks X; the clock, the local X and the credentials stay the same.
        """
        fresh = replace(self)
        fresh.__dict__.update({name: self.__dict__[name] for name in ("clock", "local_x") if name in self.__dict__})
        return fresh

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
        # Only what was typed: what stands in the environment holds for the next command, too.
        words = ["--sandbox"] if self.options.sandbox else []
        if self.options.roster is not None:
            words += ["--roster", str(self.options.roster)]
        if self.options.credentials_file is not None:
            words += ["--credentials-file", str(self.options.credentials_file)]
        return "".join(f" {shlex.quote(word)}" for word in words)

    @property
    def roster_path(self) -> Path:
        """The roster: ``--roster``, then the environment, then ./roster.toml."""
        return self.options.roster or expand_home(self.environ.get("PROFILECTL_ROSTER") or "roster.toml")

    def with_brands(self, brands: Sequence[Brand]) -> Context:
        """Return a context with a roster that has these brands and no agents, for what is done before there is one."""
        other = self.reread()
        other.__dict__["roster"] = Roster(tuple(brands), ())
        return other

    def read_roster(self) -> bytes:
        """Return the roster's bytes; InputRefused when there is none to read."""
        try:
            return read_named(self.roster_path, "the roster", LARGEST)
        except InputRefused as error:
            from profilectl.roster.place import reading_hint

            raise error.with_hint(reading_hint(self.roster_path)) from None

    @cached_property
    def roster(self) -> Roster:
        """The roster, without errors; RosterRefused holds every problem otherwise."""
        from profilectl.roster.brands import decorated_agents
        from profilectl.roster.consent import as_agreed
        from profilectl.roster.parser import parse

        _ = self.uses_sandbox  # an unclear PROFILECTL_SANDBOX is refused by every command, also where X isn't asked
        roster = parse(self._roster_text, str(self.roster_path), today)
        if self.deeds:
            self._require_pinned(roster)
        roster = as_agreed(roster, today(roster.policy.timezone))
        return replace(roster, agents=decorated_agents(roster.agents, roster.brands))

    def _require_pinned(self, roster: Roster) -> None:
        """Raise InputRefused where the policy names another roster, or wants a stricter one."""
        from profilectl.access.policy_file import read_pinned_roster
        from profilectl.roster.disclosure import MARKERS

        authority, shown = self.authority, visible(str(self.roster_path))
        authority.require_policy(roster.policy, shown, MARKERS)
        # The bytes count, not the path, which could lead elsewhere by the time it is read.
        if authority.roster and decode(read_pinned_roster(authority), authority.roster) != self._roster_text:
            raise InputRefused(
                f"{shown} isn't the roster that {authority.file} names",
                hint=f"--roster {shlex.quote(authority.roster)} is what it names, and only an admin changes that",
                rule="another roster than the policy file's",
            )

    def broken_pins(self) -> InputRefused | None:
        """Return why `sync` and `send` would refuse this roster by the machine's policy file; None when they don't."""
        try:
            self._require_pinned(self.roster)
        except InputRefused as error:
            return error
        return None

    @cached_property
    def roster_commit(self) -> str | None:
        """The commit that the roster is of, None where it is in no repository of git's."""
        from profilectl.roster.git_commit import commit_of

        return commit_of(self.roster_path, self.read_roster())

    def profile_facts(self, user_ids: Mapping[str, str]) -> ProfileFacts:
        """Return what the record holds of the profiles of these accounts, given by brand, beside names and pictures."""
        from profilectl.roster.facts import profile_facts

        return profile_facts(self.roster, user_ids, commit=self.roster_commit)

    def policy_digest(self) -> str:
        """Return the digest of this machine's policy file, empty where there is none or it doesn't count."""
        from profilectl.access.policy_file import POLICY, digest_of_policy

        return "" if self.uses_sandbox else digest_of_policy(POLICY)

    @cached_property
    def _roster_text(self) -> str:
        return decode(self.read_roster(), str(self.roster_path))

    @cached_property
    def picture_cache(self) -> PictureStatCache:
        """What an earlier `sync` has kept of the roster's pictures."""
        from profilectl.pictures.stat_cache import PictureStatCache

        roster = self.roster_path.absolute()
        return PictureStatCache(roster.parent, cache_file(str(roster), "pictures"))

    @cached_property
    def prepared_cache(self) -> PreparedCache:
        """What earlier commands have kept of pictures that take long to decode."""
        from profilectl.pictures.preparation import PreparedCache

        return PreparedCache(self.roster_path.absolute().parent)

    def inspect_pictures(self, agents: Iterable[Agent], cache: PictureStatCache | None = None) -> dict[str, Picture]:
        """Read every picture these agents name, unless it is known; RosterRefused with every one they may not use."""
        from profilectl.pictures.loader import inspect_all

        agents = tuple(agents)
        pictures, refusals = inspect_all(self.roster_path.parent, agents, cache)
        self._require_usable(agents, pictures, refusals)
        return pictures

    def prepare_pictures(self, pictures: Iterable[Picture]) -> dict[str, PreparedPicture]:
        """Decode and normalise pictures, by the digest of their file; RosterRefused with every bad one."""
        from profilectl.pictures.loader import prepare_all

        prepared, refusals = prepare_all(self.prepared_cache.prepare, pictures)
        self.refuse_pictures(refusals)
        return prepared

    def preparation(self) -> Preparation:
        """Return what prepares pictures in the background; RosterRefused with every bad one that is asked for."""
        from profilectl.pictures.preparation import Preparation

        return Preparation(self.prepared_cache.prepare, self.refuse_pictures, progress)

    def refuse_pictures(self, refusals: Mapping[str, AvatarRefused]) -> None:
        """Raise RosterRefused with every one of these refusals, by path, that an agent's picture has."""
        self._require_usable(self.roster.agents, {}, refusals)

    def load_pictures(self, agents: Iterable[Agent]) -> dict[str, PreparedPicture]:
        """Return the agents' pictures as they are uploaded, by the avatar as the roster writes it."""
        pictures = self.inspect_pictures(agents)
        # Two paths may name one file's content, which is decoded once.
        prepared = self.prepare_pictures({picture.digest: picture for picture in pictures.values()}.values())
        return {avatar: prepared[picture.digest] for avatar, picture in pictures.items()}

    def _require_usable(
        self, agents: Iterable[Agent], pictures: Mapping[str, Picture], refusals: Mapping[str, AvatarRefused]
    ) -> None:
        from profilectl.pictures.loader import judge, refusal

        objections = judge(agents, pictures, refusals, self.roster.policy)
        refused = refusal(objections, self._roster_text, str(self.roster_path))
        if refused is not None:
            raise refused

    def brands(self) -> tuple[Brand, ...]:
        """Return the brands that a ``diff`` or ``sync`` is about: the chosen ones, or all."""
        from profilectl.roster.brands import select_brands

        return select_brands(self.roster.brands, self.chosen_brands(), str(self.roster_path))

    def the_brand(self) -> Brand:
        """Return the only brand that a command is about; never a guess between two."""
        from profilectl.roster.brands import only_brand

        return only_brand(self.meant(self.brands()))

    def meant(self, brands: Sequence[Brand]) -> Sequence[Brand]:
        """Return the user's default brand where it is one of these and no brand was named; else all of them."""
        if len(brands) < 2 or self.chosen_brands():
            return brands
        return [brand for brand in brands if brand.key == self.config.brand] or brands

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
    def ledger_place(self) -> Path | PostgresAddress:
        """Where the ledger is, which needn't exist; the sandbox has one of its own, always a file."""
        # One beside the roster, as older versions had it, is read there until `ledger_for_writing` moves it: a command
        # that only looks changes no file.
        if self.uses_sandbox:
            return self.sandbox_folder / "ledger.db"  # or a rehearsal would count as what is at X
        from profilectl.ledger.move import path_to_read

        return self._chosen_ledger or path_to_read(*self._ledger_places)

    @property
    def _chosen_ledger(self) -> Path | PostgresAddress | None:
        """The place that a person gave for the real X's ledger, or None."""
        from profilectl.ledger.address import is_same_place, parse_place

        chosen = self.environ.get("PROFILECTL_LEDGER") or self.config.ledger
        place, authority = parse_place(chosen) if chosen else None, self.authority
        if not authority.ledger:
            return place
        pinned = parse_place(authority.ledger)
        if place is None or is_same_place(place, pinned):
            return pinned if place is None else place
        raise LedgerRefused(
            visible(f"{place} isn't the ledger that {authority.file} names"),
            hint="leave out PROFILECTL_LEDGER, and the key ledger in profilectl's config.toml",
            rule="another ledger than the policy file's",
        )

    @property
    def _ledger_places(self) -> tuple[Path, Path, str]:
        """Where older versions kept the ledger, where this one does, and the host of X that it is about."""
        from profilectl.api.urls import parse_address
        from profilectl.ledger.location import default_ledger_path

        old = (self.state_folder / "ledger.db").absolute()
        return old, default_ledger_path(self.environ, self.api_host), parse_address(self.api_url).host

    @cached_property
    def kept_heads(self) -> KeptHeads:
        """How far the ledgers of X's accounts have come, as this user's commands left them."""
        from profilectl.ledger.heads import KeptHeads
        from profilectl.ledger.location import heads_folder

        return KeptHeads(None if self.uses_sandbox else heads_folder(self.environ, self.api_host))

    @cached_property
    def kept_trees(self) -> TreeFiles:
        """How far this user's commands have computed the trees over the ledgers' records."""
        from profilectl.audit.kept_tree import TreeFiles
        from profilectl.ledger.location import trees_folder

        return TreeFiles(None if self.uses_sandbox else trees_folder(self.environ, self.api_host))

    @property
    def anchor_folder(self) -> Path | None:
        """The folder that gets the record's checkpoints, None without one; rehearsals have one of their own in it."""
        chosen = self.environ.get("PROFILECTL_AUDIT_ANCHOR") or self.config.audit.anchor
        folder = expand_home(chosen).absolute() if chosen else None
        return folder / "sandbox" if folder is not None and self.uses_sandbox else folder

    def ledger_for_reading(self) -> LedgerReader:
        """Open the ledger without ever writing to it; a missing one is empty."""
        return self.stack.enter_context(self.open_ledger())

    def open_ledger(self) -> LedgerReader:
        """Do the same; the caller closes the ledger."""
        from profilectl.ledger.opening import open_for_reading

        place = self.ledger_place
        ledger = open_for_reading(place, find_password=self._ledger_password)
        if place != self.ledger_place:  # another command moved it between the look and the opening
            ledger.close()
            place = self.ledger_place
            ledger = open_for_reading(place, find_password=self._ledger_password)
        with ExitStack() as on_error:
            on_error.callback(ledger.close)
            self.kept_heads.check(ledger, place)
            on_error.pop_all()
        return ledger

    def _require_world(self) -> None:
        """Open the local X before its ledger, which lies beside it: it says best what is wrong with their folder."""
        if self.uses_sandbox and self.sandbox_folder.exists():
            _ = self.local_x

    def ledger_for_writing(self, *, is_thorough: bool = False) -> Ledger:
        """Open the ledger, made anew when it is missing; its newest records are checked, more when `is_thorough`."""
        from profilectl.ledger.heads import NEWEST, THOROUGH, require_whole
        from profilectl.ledger.opening import open_for_writing

        if not self.uses_sandbox and self._chosen_ledger is None:
            from profilectl.ledger.move import move_old_ledger

            sentence = move_old_ledger(*self._ledger_places, "profilectl", self.announce_wait)
            if sentence is not None:
                info(sentence)
        self._require_world()
        place = self.ledger_place
        ledger = self.stack.enter_context(open_for_writing(place, find_password=self._ledger_password))
        self.kept_heads.check(ledger, place)
        require_whole(ledger, THOROUGH if is_thorough else NEWEST)
        ledger.at_close(partial(self._keep_head, ledger, place))
        self.writers.append(ledger)
        return ledger

    def _ledger_password(self) -> Secret | None:
        return self.ledger_password(self.ledger_place)

    def ledger_password(self, place: Path | PostgresAddress) -> Secret | None:
        """Return what the keyring holds for a ledger's database, None when there is nothing."""
        from profilectl.credentials.keyring import Keychain

        password = Keychain(attended=self.may_ask, environ=self.environ).ledger_password(str(place))
        if password is not None:
            self.secrets.append(password)
        return password

    def _seconds_held(self) -> float:
        """Return for how long this command may still write to X: as long as its ledger's lock surely holds."""
        return self.writers[-1].seconds_held() if self.writers else math.inf

    def _keep_head(self, ledger: Ledger, place: Path | PostgresAddress) -> None:
        try:
            self.kept_heads.keep(ledger, place)
        except (OSError, ProfilectlError) as error:  # what was asked for is done: this is no reason to call it failed
            self.remark(
                f"warning: can't write down how far the ledger is, so an older copy would go unnoticed: {error}"
            )

    def warn_of(self, account: UnknownAccount) -> None:
        """Say in one line that the ledger may not be the right one for an account, and what can be done about it."""
        ways_on = account.ways_on(self.again(), is_sandbox=self.uses_sandbox)
        info(f"warning: {account.describe(str(self.ledger_place))}: {ways_on}")

    def require_known(self, unknown: Sequence[UnknownAccount]) -> None:
        """Raise LedgerRefused for the first account of which the ledger isn't known to be the right one."""
        for account in unknown:
            ways_on = account.ways_on(self.again(), is_sandbox=self.uses_sandbox)
            raise LedgerRefused(f"nothing was changed: {account.describe(str(self.ledger_place))}", hint=ways_on)

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

    def credentials(self, brand: Brand) -> Credentials:
        """Return the credentials of one brand, from the first source that is configured; asked once a command."""
        if brand.handle not in self.logins:  # a keyring or a credential command may ask its owner each time
            self.logins[brand.handle] = self._find_credentials(brand)
        return self.logins[brand.handle]

    def _find_credentials(self, brand: Brand) -> Credentials:
        if self.uses_sandbox:
            return self.local_x.credentials(brand.handle)
        from profilectl.credentials.keyring import Keychain
        from profilectl.credentials.renamed_accounts import find_or_repair

        keychain = Keychain(attended=self.may_ask, environ=self.environ)
        credentials, former = find_or_repair(
            brand.handle,
            self.credential_sources(self.api_host, keychain),
            claimed=[other.handle for other in self.roster.brands],
            ask=lambda candidate: self.client(candidate).verify_credentials(),
            now=datetime.now(UTC),
        )
        if former is not None:
            info(f"@{visible(former.handle)} is called @{visible(brand.handle)} at X now: its login was moved along")
        return credentials

    def credential_sources(self, host: str, keychain: Keychain) -> Sources:
        """Return everything that is set up to give credentials for a host."""
        from profilectl.credentials.sources import Sources

        return Sources(host, self.config, keychain, self.options.credentials_file, self.environ)

    def connect(self, brand: Brand, *, jobs: int = 1, max_wait: float | WaitBudget = 0) -> XClient:
        """Return a client that speaks to X as one brand."""
        return self.client(self.credentials(brand), jobs=jobs, max_wait=max_wait)

    def client(self, credentials: Credentials, *, jobs: int = 1, max_wait: float | WaitBudget = 0) -> XClient:
        """Return a client for these credentials, closed when the command ends."""
        from profilectl.api.client import XClient
        from profilectl.api.transport import Transport
        from profilectl.credentials.renewal import renewal

        self.secrets.extend(credentials.secrets())  # before the first call, which the log may show
        if self.options.verbose:
            from profilectl.cli.crash_log import log_calls

            log_calls(self.secrets)
        local = self.local_x if self.uses_sandbox else None
        return self.stack.enter_context(
            XClient(
                credentials,
                Transport(
                    local.url if local is not None else self.api_url,
                    transport=local.transport() if local is not None else None,
                    jobs=jobs,
                    deadline=self.deadline,
                    max_wait=max_wait,
                    announce=self.announce_wait,
                    seconds_held=self._seconds_held,
                ),
                renewal=renewal(credentials, self.roster.brands if "roster" in self.__dict__ else ()),
            )
        )

    def fetcher(self, jobs: int) -> Callable[[str], bytes]:
        """Return what fetches pictures at addresses that a person's list names; X itself isn't called."""
        from profilectl.api.transport import Transport

        transport = Transport(self.api_url, jobs=jobs, deadline=self.deadline, announce=self.announce_wait)
        self.stack.callback(transport.close)
        return transport.download

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

    def require_admin(self, action: str) -> None:
        """Raise InputRefused where whoever runs this is no admin; the action is named as in "bob may not sync"."""
        from profilectl.access.policy_file import current_operator

        self.authority.require_admin(current_operator(), action)
        self.deeds.append(action)
        if "roster" in self.__dict__:  # read before anybody knew what for
            self._require_pinned(self.roster)
