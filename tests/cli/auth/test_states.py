"""A real keyring in every state in which a cron job may meet it: each is named within four seconds, and exits 4."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.auth import collection
from tests.cli.auth.shell import ROSTER
from tests.patience import LONGEST


@contextmanager
def screen():
    """Start a display that nobody looks at; yield its name."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as number:
        try:
            assert select.select([number], [], [], LONGEST)[0], "the display never came up"
            yield f":{number.readline().strip()}"
        finally:
            process.kill()
            process.wait(LONGEST)


def timed(desktop, *words, **variables):
    begun = time.monotonic()
    done = desktop.run(*words, **variables)
    assert time.monotonic() - begun < 20  # seconds; D-Bus gives up after 25
    return done


def check_refusal(desktop, message, **variables):
    """Both `auth status` and a command that needs the token say what is wrong and what to do, in time, with exit 4."""
    for words in (["auth", "status"], ["profiles", "list"]):
        done = timed(desktop, *words, **variables)
        assert done.returncode == 4
        assert message in done.stdout + done.stderr
        assert "hint: " in done.stderr
        assert "PROFILECTL_CREDENTIALS_FILE" in done.stderr


@pytest.fixture
def logged_in(desktop):
    desktop.folder.joinpath("roster.toml").write_text(ROSTER)
    desktop.log_in()
    return desktop


def test_round_trip(logged_in):
    """What was stored is found and accepted."""
    assert timed(logged_in, "auth", "status").returncode == 0
    assert timed(logged_in, "profiles", "list").returncode == 0


def test_locked(logged_in):
    """Nobody is asked to open it."""
    collection.lock(logged_in.bus)
    check_refusal(logged_in, "the keyring is locked")


def test_absent(logged_in):
    """There is no session bus, as on most servers."""
    check_refusal(logged_in, "this machine has no keyring", DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent/bus")


def test_frozen(logged_in):
    """The daemon takes calls and never answers."""
    os.kill(logged_in.keyring_process, signal.SIGSTOP)
    check_refusal(logged_in, "the keyring didn't answer in time")


def test_killed(logged_in):
    """The bus starts it anew, locked."""
    os.kill(logged_in.keyring_process, signal.SIGKILL)
    check_refusal(logged_in, "keyring")


def test_a_prompt_that_nobody_answers(logged_in, require):
    """On a locked desktop at night, cron opens no window; one that a person's command opens is given up in the end."""
    require("keyring", shutil.which("Xvfb") is not None, "Xvfb not installed")
    collection.lock(logged_in.bus)
    with screen() as display:
        update = ["dbus-update-activation-environment", f"DISPLAY={display}"]
        subprocess.run(update, env=logged_in.environ, check=True, capture_output=True, timeout=60)
        check_refusal(logged_in, "the keyring is locked", DISPLAY=display)
        assert not collection.has_prompt(logged_in.bus)

        wait = "from profilectl.credentials.keyring import Keychain\n"
        wait += "Keychain(attended=True, seconds=2).get('api.x.com', 'acmecare')"
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", wait],
            env=logged_in.environ | {"DISPLAY": display},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert time.monotonic() - begun < 20
        assert collection.has_prompt(logged_in.bus)
        assert "the keyring wasn't unlocked within 2 s" in done.stderr


def test_from_cron(logged_in, tmp_path_factory):
    """An empty environment, no terminal, no address of the bus: it is found, and the token with it."""
    runtime = tmp_path_factory.mktemp("runtime")
    runtime.joinpath("bus").symlink_to(logged_in.bus.removeprefix("unix:path=").partition(",")[0])
    kept = {name: logged_in.environ[name] for name in ("HOME", "XDG_CONFIG_HOME", "PROFILECTL_API_URL")}
    variables = {**kept, "PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": str(runtime)}

    def run(*words, **more):
        program = [sys.executable, "-m", "profilectl", *words]
        done = subprocess.run(
            ["env", "-i", *(f"{name}={value}" for name, value in (variables | more).items()), *program],
            cwd=logged_in.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            timeout=30,
            check=False,
        )
        logged_in.check(done.stdout + done.stderr)
        return done

    assert run("auth", "status").returncode == 0
    done = run("profiles", "list")
    assert (done.returncode, done.stderr[:21]) == (0, "X has no profiles of ")
    if not Path(f"/run/user/{os.getuid()}/bus").exists():  # the machine's own is nobody's business here
        done = run("profiles", "list", XDG_RUNTIME_DIR="")
        assert (done.returncode, "no D-Bus session bus" in done.stderr) == (4, True)


@pytest.mark.parametrize("backend", ["keyring.backends.null.Keyring", "keyrings.alt.file.PlaintextKeyring"])
def test_an_untrusted_backend(logged_in, backend):
    """One that throws secrets away, or writes them down, is named and not used."""
    done = timed(logged_in, "auth", "status", PYTHON_KEYRING_BACKEND=backend)
    assert done.returncode == 4
    assert f"the keyring backend {backend} isn't trusted with secrets" in done.stdout
    assert "hint: unset PYTHON_KEYRING_BACKEND, or set it to one of keyring.backends.SecretService" in done.stderr


def test_a_configuration_of_keyring_is_not_followed(logged_in):
    """It may name any folder and any class, which would then see the token."""
    folder = Path(logged_in.environ["XDG_CONFIG_HOME"], "python_keyring")
    folder.mkdir()
    folder.joinpath("spy.py").write_text(f"open({str(folder / 'seen')!r}, 'w')\nclass Keyring: pass\n")
    setting = f"[backend]\ndefault-keyring=spy.Keyring\nkeyring-path={folder}\n"
    folder.joinpath("keyringrc.cfg").write_text(setting)
    assert timed(logged_in, "profiles", "list").returncode == 0
    assert not folder.joinpath("seen").exists()
