"""Where a command's ledger is, and its opening: to look at it, or to write."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from profilectl.cli.wiring.settings import Settings
from profilectl.errors import LedgerRefused, ProfilectlError
from profilectl.render.console import info
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.audit.kept_tree import TreeFiles
    from profilectl.ledger.accounts import UnknownAccount
    from profilectl.ledger.address import PostgresAddress
    from profilectl.ledger.heads import KeptHeads
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.secret import Secret


class LedgerAccess(Settings, frozen=True, dict=True):
    """The ledger of one command."""

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
            hint=f"leave out PROFILECTL_LEDGER, and the key ledger in {self.config_file}",
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
        """Return what the keyring holds for a ledger's database, None when there is nothing.

        Raises:
            LedgerRefused: there is no keyring, or it can't be asked: the advice of its own errors is about X's values.
        """
        from profilectl.credentials.keyring import Keychain, KeychainError
        from profilectl.ledger.address import HOW_TO_LOG_IN

        try:
            password = Keychain(attended=self.may_ask, environ=self.environ).ledger_password(str(place))
        except KeychainError as error:
            what = f"no password for the ledger {visible(str(place))}: {error.message}"
            raise LedgerRefused(what, hint=HOW_TO_LOG_IN) from error
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
        info(f"warning: {account.describe(str(self.ledger_place))}: {self._ways_on(account)}")

    def require_known(self, unknown: Sequence[UnknownAccount]) -> None:
        """Raise LedgerRefused for the first account of which the ledger isn't known to be the right one."""
        for account in unknown:
            ways_on = self._ways_on(account)
            raise LedgerRefused(f"nothing was changed: {account.describe(str(self.ledger_place))}", hint=ways_on)

    def _ways_on(self, account: UnknownAccount) -> str:
        return account.ways_on(self.again(), is_sandbox=self.uses_sandbox, ledger=str(self.ledger_place))
