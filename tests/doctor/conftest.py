"""What the checks look at: a sandbox on a port, a roster and a ledger in a folder, and a keyring in memory."""

from __future__ import annotations

import contextlib
import signal
import time

import pytest

from profilectl.api.client import XClient
from profilectl.api.probe import probe
from profilectl.api.retry import Deadline
from profilectl.api.transport import Transport
from profilectl.credentials.keyring import Keychain
from profilectl.credentials.sources import AccountStatus
from profilectl.doctor.account_checks import Accounts, run_checks
from profilectl.doctor.machine_checks import Machine
from profilectl.ledger.sqlite import open_for_reading
from profilectl.roster.parser import parse
from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model.world import World
from profilectl.secret import Credentials, Secret
from tests.credentials.conftest import MemoryBackend

VALUES = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
ROSTER = '[agents.alice]\nname = "Alice"\nkind = "human"\navatar = "face.png"\n'


class Surroundings:
    """Everything is well at first; a test changes one thing and looks what the report says."""

    def __init__(self, folder, world, url):
        self.folder = folder
        self.world = world
        self.url = url
        self.roster = ROSTER
        self.keyring = Keychain(backend=MemoryBackend())
        self.source = "environment"
        self.credentials = self.credentials_of("acmecare")
        self.stack = contextlib.ExitStack()

    def credentials_of(self, handle):
        account = self.world.ensure_brand(handle)
        return Credentials(*(Secret(getattr(account, name)) for name in VALUES), source=self.source)

    def read_roster(self):
        return parse(f'version = 1\n[brands.acme]\nhandle = "acmecare"\n{self.roster}', "roster.toml")

    def machine(self):
        return Machine(
            api_url=self.url,
            uses_sandbox=False,
            timeout=20,
            deadline=Deadline(20),
            keyring=self.keyring,
            probe=lambda seconds: probe(self.url, transport=None, seconds=seconds),
            roster_path=self.folder / "roster.toml",
            read_roster=self.read_roster,
            brands=lambda: self.read_roster().brands,
            inspect_pictures=lambda agents: {},
            ledger_place=lambda: self.folder / "ledger.db",
            open_ledger=lambda: open_for_reading(self.folder / "ledger.db"),
            former_ledger=lambda user_id: None,
        )

    def accounts(self):
        return Accounts(
            host=lambda: "127.0.0.1",
            logged_in=list,
            describe=lambda handle: AccountStatus(handle, "127.0.0.1", self.source, None, usable=True),
            describe_anonymous=lambda: AccountStatus("", "127.0.0.1", self.source, None, usable=True),
            find_credentials=lambda handle: self.credentials,
            connect=lambda credentials: self.stack.enter_context(XClient(credentials, Transport(self.url))),
            wait_command="profilectl doctor --wait 2h",
        )

    def check(self):
        """Return the report, and its results by check."""
        report, _ = run_checks(self.machine(), self.accounts())
        return report, {finding.check: finding.result for finding in report.findings}


@pytest.fixture
def ahead():
    """Seconds that this machine's clock is ahead of X's."""
    return 0


@pytest.fixture
def surroundings(tmp_path, ahead):
    sigterm = signal.getsignal(signal.SIGTERM)
    with (
        contextlib.closing(World(now=lambda: time.time() - ahead)) as world,
        SandboxServer(SandboxApp(world)) as server,
    ):
        world.ensure_brand("acmecare", user_id="4242")
        surroundings = Surroundings(tmp_path, world, server.url)
        with surroundings.stack:
            yield surroundings
    signal.signal(signal.SIGTERM, sigterm)
