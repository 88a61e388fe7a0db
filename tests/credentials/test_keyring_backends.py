"""Only backends that keep secrets are built, and nothing else is even imported."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from profilectl.credentials.keyring_backends import (
    SECRET_SERVICE,
    TRUSTED,
    NotThere,
    Untrusted,
    build_backend,
    chosen_backend,
    find_session_bus,
)

HOSTILE = [
    "keyring.backends.null.Keyring",
    "keyring.backends.fail.Keyring",
    "keyring.backends.chainer.ChainerBackend",
    "keyrings.alt.file.PlaintextKeyring",
    "keyrings.cryptfile.cryptfile.CryptFileKeyring",
    "keyring.backends.SecretService",
    "nonsense",
]


@pytest.mark.parametrize("name", TRUSTED)
def test_trusted_backends_may_be_chosen(name):
    """`PYTHON_KEYRING_BACKEND` picks one of the five by its full name."""
    assert chosen_backend({"PYTHON_KEYRING_BACKEND": name}) == name


@pytest.mark.parametrize("name", HOSTILE)
def test_other_backends_are_refused_by_name(name):
    """Backends that throw secrets away, keep them in plain text, or are unknown."""
    with pytest.raises(Untrusted, match=name):
        chosen_backend({"PYTHON_KEYRING_BACKEND": name})


@pytest.mark.parametrize(
    ("platform", "expected"),
    [("linux", "Secret Service"), ("darwin", "macOS Keychain"), ("win32", "Windows Credential Manager")],
)
def test_every_system_has_its_own(monkeypatch, platform, expected):
    """Without a choice, or with an empty one, the system's own store is taken."""
    monkeypatch.setattr(sys, "platform", platform)
    assert [expected] * 2 == [TRUSTED[chosen_backend(environ)] for environ in ({}, {"PYTHON_KEYRING_BACKEND": ""})]


def test_a_bus_of_ours_is_found(tmp_path):
    """The first folder with a socket named `bus` gives the address, escaped as D-Bus wants it."""
    empty, runtime = tmp_path / "empty", tmp_path / "run,1"
    empty.mkdir()
    runtime.mkdir()
    with socket.socket(socket.AF_UNIX) as bus:
        bus.bind(str(runtime / "bus"))
        address = find_session_bus([tmp_path / "absent", empty, runtime])
    assert address == f"unix:path={tmp_path}/run%2C1/bus"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_bus_of_somebody_else_is_not_used(tmp_path):
    """Whoever owns the bus reads what goes over it."""
    with socket.socket(socket.AF_UNIX) as bus:
        bus.bind(str(tmp_path / "bus"))
        os.chown(tmp_path / "bus", 12345, -1)
        assert find_session_bus([tmp_path]) is None


def test_a_plain_file_is_no_bus(tmp_path):
    """Something else named `bus` is passed over."""
    (tmp_path / "bus").touch()
    assert find_session_bus([tmp_path]) is None


def test_no_bus_is_said(monkeypatch):
    """Without an address and without a socket there is no keyring."""
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    monkeypatch.setattr("profilectl.credentials.keyring_backends.find_session_bus", lambda folders: None)
    with pytest.raises(NotThere, match="no D-Bus session bus"):
        build_backend(SECRET_SERVICE)


def test_third_party_backends_are_not_imported():
    """Neither the rating of all installed backends nor keyring's configuration file takes place."""
    home = Path(os.environ["HOME"])
    (home / ".config" / "python_keyring").mkdir(parents=True)
    (home / ".config" / "python_keyring" / "keyringrc.cfg").write_text("[backend]\ndefault-keyring=nonsense.Keyring\n")
    code = (
        "import sys; from profilectl.credentials.keyring import Keychain, KeychainError, State\n"
        "assert 'keyring' not in sys.modules\n"
        "try: Keychain().probe()\n"
        "except KeychainError as error: assert error.state is State.ABSENT, error\n"
        "print(*sorted(name for name in sys.modules if name.startswith('keyring.backends.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("\n", "")


def test_a_bus_without_any_store_is_said(monkeypatch):
    """Neither a Secret Service nor KWallet: that is no keyring, and nothing else takes its place."""
    monkeypatch.setattr("profilectl.credentials.keyring_backends._has_secret_service", lambda: False)
    with pytest.raises(NotThere, match="no Secret Service on the session bus"):
        build_backend(SECRET_SERVICE)
