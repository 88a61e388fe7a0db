"""A real Secret Service, in every state in which a person or a cron job may meet it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import LONGEST, group

_HERE = Path(__file__).parent
_PROGRAMS = ("bash", "dbus-run-session", "dbus-send", "gnome-keyring-daemon")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param("round_trip", id="what is stored comes back, per host, and can be deleted"),
        pytest.param("self_test", id="a self-test leaves nothing behind"),
        pytest.param("locked", id="locked is said at once, and no window opened"),
        pytest.param("absent", id="no bus means no keyring"),
        pytest.param("no_keyring_yet", id="a service without a keyring isn't asked to make one"),
        pytest.param("alias_that_fails_once", id="the alias of the keyring is asked again and then left alone"),
        pytest.param("frozen", id="frozen times out once, then is left alone"),
        pytest.param("killed", id="killed comes back locked"),
        pytest.param("cron", id="the bus is found without its variable"),
        pytest.param("login_and_logout", id="one item per account, however often it logs in"),
        pytest.param("nothing_in_plain_text", id="no file holds a secret"),
    ],
)
def test_keyring(case, require):
    """The case of `inside_keyring.py` holds with a keyring of its own."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    require("keyring", not missing, f"{', '.join(missing)} not installed")
    command = ["bash", _HERE.parent / "with-keyring.sh", sys.executable, _HERE / "inside_keyring.py", case]
    with group(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        output, _ = child.communicate(timeout=LONGEST)
    assert child.returncode == 0, output


@pytest.mark.parametrize(("command", "status"), [([], 64), (["bash", "-c", "exit 37"], 37)])
def test_wrapper_passes_the_exit_status_on(command, status, require):
    """The wrapper ends as its command did, so a failing test fails."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    require("keyring", not missing, f"{', '.join(missing)} not installed")
    command = ["bash", _HERE.parent / "with-keyring.sh", *command]
    with group(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        child.communicate(timeout=LONGEST)
    assert child.returncode == status
