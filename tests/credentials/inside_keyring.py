"""What profilectl does with a real Secret Service; run one case by name inside ``tests/with-keyring.sh``.

Each case is a process of its own with a keyring of its own, so it may lock, freeze or kill it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import secretstorage

from profilectl.config import Config, config_path, read_config
from profilectl.credentials.keyring import Keychain, KeychainError, State
from profilectl.credentials.login import login
from profilectl.credentials.logout import logout
from profilectl.credentials.sources import Sources
from profilectl.model import Account
from profilectl.secret import Credentials, Secret, scrub

HOST = "api.x.com"
CANARIES = tuple(f"{name}-{os.urandom(8).hex()}" for name in ("key", "secret", "token", "tokensecret"))


def made_up() -> Credentials:
    key, secret, token, token_secret = map(Secret, CANARIES)
    return Credentials(key, secret, token, token_secret, source="prompt")


def log_in() -> None:
    login(
        host=HOST,
        expected="AcmeCare",
        read=made_up,
        verify=lambda _: Account("42", "AcmeCare", HOST, "read-write-directmessages"),
        store=Keychain(),
        config=Config(config_path()),
        now=datetime(2026, 11, 22, 10, tzinfo=UTC),
    )


def labels() -> list[str]:
    with closing(secretstorage.dbus_init()) as bus:
        return [item.get_label() for item in secretstorage.get_default_collection(bus).get_all_items()]


def lock() -> None:
    with closing(secretstorage.dbus_init()) as bus:
        secretstorage.get_default_collection(bus).lock()


def failure_of(keychain: Keychain) -> tuple[KeychainError, float]:
    """Return how a read fails, and after how many seconds."""
    begun = time.monotonic()
    try:
        keychain.get(HOST, "acmecare")
    except KeychainError as error:
        return error, time.monotonic() - begun
    raise AssertionError("the keyring could be read")


def round_trip() -> None:
    keychain = Keychain()
    keychain.probe()
    assert keychain.get(HOST, "acmecare") is None
    keychain.set(HOST, "@AcmeCare", Secret("an entry with ünïcode"))
    assert keychain.get(HOST, "acmecare") == Secret("an entry with ünïcode")
    assert keychain.get("127.0.0.1:8080", "acmecare") is None
    assert keychain.backend_name == "Secret Service"
    assert [keychain.delete(HOST, "acmecare"), keychain.delete(HOST, "acmecare")] == [True, False]


def self_test() -> None:
    Keychain().self_test(HOST)
    assert labels() == []


def locked() -> None:
    log_in()
    lock()
    error, seconds = failure_of(Keychain())
    assert (error.state, error.exit_code) == (State.LOCKED, 4)
    assert seconds < 20
    error, _ = failure_of(Keychain(attended=True))
    assert error.state is State.LOCKED
    status = Sources(HOST, read_config(config_path()), Keychain(), environ={}).describe("acmecare")
    assert (status.usable, status.backend) == (False, "Secret Service")
    assert "locked" in status.problem


def absent() -> None:
    os.environ["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nonexistent/bus"
    error, seconds = failure_of(Keychain())
    assert error.state is State.ABSENT
    assert seconds < 20


def no_keyring_yet() -> None:
    with closing(secretstorage.dbus_init()) as bus:
        secretstorage.get_default_collection(bus).delete()
    error, _ = failure_of(Keychain())
    assert error.state is State.ABSENT


def alias_that_fails_once() -> None:
    real, calls = secretstorage.get_collection_by_alias, []

    def failing_once(bus: object, alias: str) -> object:
        calls.append(alias)
        if len(calls) == 1:
            raise secretstorage.ItemNotFoundException
        return real(bus, alias)

    secretstorage.get_collection_by_alias = failing_once
    secretstorage.get_default_collection = None  # nothing else goes by the alias, and nothing is made
    keychain = Keychain()
    keychain.set(HOST, "acmecare", Secret("an entry"))
    assert keychain.get(HOST, "acmecare") == Secret("an entry")
    assert calls == ["default"] * 3


def frozen() -> None:
    keychain = Keychain()
    keychain.probe()
    os.kill(int(os.environ["KEYRING_TEST_PID"]), signal.SIGSTOP)
    error, seconds = failure_of(keychain)
    assert error.state is State.TIMED_OUT
    assert seconds < 20
    error, seconds = failure_of(keychain)
    assert error.state is State.TIMED_OUT
    assert seconds < 1, "a second account must not wait again"


def killed() -> None:
    log_in()
    os.kill(int(os.environ["KEYRING_TEST_PID"]), signal.SIGKILL)
    error, seconds = failure_of(Keychain())
    assert error.state in {State.LOCKED, State.ABSENT}, error
    assert seconds < 20


def cron() -> None:
    socket = os.environ.pop("DBUS_SESSION_BUS_ADDRESS").removeprefix("unix:path=").partition(",")[0]
    Path(os.environ["XDG_RUNTIME_DIR"], "bus").symlink_to(socket)
    Keychain().probe()


def login_and_logout() -> None:
    log_in()
    log_in()
    config = read_config(config_path())
    assert labels() == ["Password for '@acmecare' on 'profilectl:api.x.com'"]
    assert [(account.handle, account.user_id) for account in config.accounts] == [("AcmeCare", "42")]
    stored = Sources(HOST, config, Keychain(), environ={}).find("acmecare")
    assert stored.secrets() == made_up().secrets()
    status = Sources(HOST, config, Keychain(), environ={}).describe("acmecare")
    assert (status.usable, status.token_tail) == (True, CANARIES[2][-4:])
    gone = logout("@acmecare", HOST, store=Keychain(), config=config)
    assert (gone.entry, gone.listed) == (True, True)
    gone = logout("@acmecare", HOST, store=Keychain(), config=config)
    assert (gone.entry, gone.listed) == (False, False)
    assert labels() == []


def nothing_in_plain_text() -> None:
    log_in()
    folders = [Path(os.environ[name]) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")]
    files = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    assert len(files) >= 2, "config and keyring"
    for path in files:
        text = path.read_bytes().decode("latin-1")
        assert text == scrub(text, made_up().secrets()), path


if __name__ == "__main__":
    globals()[sys.argv[1]]()
