"""The only place that wires services together: options, environment and configuration, and what they make us open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from profilectl.cli.options import Options
from profilectl.cli.wiring.rosters import RosterAccess
from profilectl.model import Brand, Roster
from profilectl.render.console import info
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.api.retry import WaitBudget
    from profilectl.credentials.keyring import Keychain
    from profilectl.credentials.sources import Sources
    from profilectl.secret import Credentials


class Context(RosterAccess, frozen=True, dict=True):
    """What one command works with; everything is opened when it is first asked for."""

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

    def with_brands(self, brands: Sequence[Brand]) -> Context:
        """Return a context with a roster that has these brands and no agents, for what is done before there is one."""
        other = self.reread()
        other.__dict__["roster"] = Roster(tuple(brands), ())
        return other

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
