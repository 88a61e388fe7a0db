"""A shell without a keyring, and one in a session with a real one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model.world import World
from tests.cli.auth.shell import Shell
from tests.patience import LONGEST, group, next_line

_WITH_KEYRING = Path(__file__).parents[2] / "with-keyring.sh"
_PROGRAMS = ("bash", "dbus-run-session", "dbus-send", "gnome-keyring-daemon")


@pytest.fixture
def shell(tmp_path, preloaded):
    """A shell without any keyring."""
    with World() as world, SandboxServer(SandboxApp(world)) as server:
        yield Shell(tmp_path, server, world.ensure_brand("AcmeCare", user_id="4242"), preloaded)


@pytest.fixture
def desktop(shell, require):
    """The same shell in a session with a real, empty keyring."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    require("keyring", not missing, f"{', '.join(missing)} not installed")
    tell = 'printf "%s\\n" "$DBUS_SESSION_BUS_ADDRESS" "$KEYRING_TEST_PID"; read -r _ || :'
    command = ["bash", _WITH_KEYRING, "bash", "-c", tell]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with group(command, **pipes, text=True) as session:
        shell.bus = shell.environ["DBUS_SESSION_BUS_ADDRESS"] = next_line(session).strip()
        shell.keyring_process = int(next_line(session))
        yield shell
        session.communicate(timeout=LONGEST)
