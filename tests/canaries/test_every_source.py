"""The secrets come in through each source of credentials, well-formed or not, and don't come out again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import LONGEST, group, next_line

_PROGRAMS = ("bash", "dbus-run-session", "dbus-send", "gnome-keyring-daemon")
_WITH_KEYRING = Path(__file__).parent.parent / "with-keyring.sh"


def environment(house):
    """The four variables: as the scene has it."""


def file(house):
    use_file(house, house.canaries.document(handle="acmecare"))


def use_file(house, text):
    path = house.home / "token.json"
    path.write_text(text)
    path.chmod(0o600)
    house.excluded.add(path)
    house.environ["PROFILECTL_CREDENTIALS_FILE"] = str(path)


def systemd(house):
    folder = house.home / "credentials"
    folder.mkdir(mode=0o700)
    path = folder / "profilectl"
    path.write_text(house.canaries.document())
    path.chmod(0o400)
    house.excluded.add(path)
    house.environ["CREDENTIALS_DIRECTORY"] = str(folder)


def command(house):
    use_command(house, house.canaries.document())


def use_command(house, text):
    """Let a program print the text, which it reads from a file, and as much again to stderr."""
    path = house.home / "vault"
    path.write_text(text)
    house.excluded.add(path)
    script = f"import sys; text = open({str(path)!r}).read(); sys.stderr.write(text); print(text)"
    config = house.home / ".config" / "profilectl" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f"credential_command = {json.dumps([sys.executable, '-c', script])}\n")
    config.chmod(0o600)


@pytest.mark.parametrize("source", [environment, file, systemd, command])
def test_a_source_shows_nothing_of_what_it_gives(source, scene, gate):
    """Status, plan, sync and a message, with -v: they use the secrets, and keep them."""
    if source is not environment:
        for name in scene.canaries.variables():
            del scene.environ[name]
    source(scene)

    assert scene.run("auth status --brand acme -v") == 0, scene.said()
    assert scene.run("sync --yes -v") == 0, scene.said()
    assert scene.run_here("diff --json -v") == 0, scene.said()
    assert scene.run_here("send --as alice --to 7007 Hello -v") == 0, scene.said()
    assert any("POST /1.1/direct_messages" in line for line in gate.asked)
    assert [] == scene.leaks()


def test_stdin_shows_nothing_of_what_it_gives(scene, gate):
    """The same for what is piped in."""
    token = scene.canaries.document()
    for name in scene.canaries.variables():
        del scene.environ[name]

    assert scene.run("sync --yes -v --credentials-file -", stdin=token) == 0, scene.said()
    assert scene.run("auth status -v --credentials-file -", stdin=token) == 0, scene.said()
    assert gate.asked
    assert [] == scene.leaks()


@pytest.fixture
def session(scene, require):
    """The scene in a session with a real keyring, whose own files are searched as well."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    require("keyring", not missing, f"{', '.join(missing)} not installed")
    for name in scene.canaries.variables():
        del scene.environ[name]
    tell = 'printf "%s\\n" "$DBUS_SESSION_BUS_ADDRESS"; read -r _ || :'
    with group(
        ["bash", _WITH_KEYRING, "bash", "-c", tell],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"TMPDIR": str(scene.root)},
    ) as keyring:
        scene.environ["DBUS_SESSION_BUS_ADDRESS"] = next_line(keyring).strip()
        yield scene
        keyring.communicate(timeout=LONGEST)


def test_a_real_keyring_shows_nothing_of_what_it_keeps(session):
    """From login to logout; the keyring's file is below the house, too."""
    assert session.run("auth login --with-token -v", stdin=session.canaries.document()) == 0, session.said()
    assert session.run("auth login --with-token --json", stdin=session.canaries.document()) == 0, session.said()
    assert session.run("auth status --json -v") == 0, session.said()
    assert session.run("sync --yes -v") == 0, session.said()
    assert [] == session.leaks()
    assert session.run("auth logout -v") == 0, session.said()
    assert [] == session.leaks()


MALFORMED = {
    "cut": lambda canaries: canaries.document()[:-20],
    "no braces": lambda canaries: canaries.document().strip("{}"),
    "a list": lambda canaries: json.dumps([*canaries.plain().values()]),
    "nested": lambda canaries: json.dumps({"credentials": canaries.plain()}),
    "lists in it": lambda canaries: json.dumps({name: [value] for name, value in canaries.plain().items()}),
    "turned round": lambda canaries: json.dumps({value: name for name, value in canaries.plain().items()}),
    "one missing": lambda canaries: json.dumps({**canaries.plain(), "access_token": None}),
    "variables": lambda canaries: "".join(f"{name}={value}\n" for name, value in canaries.variables().items()),
    "a blank": lambda canaries: json.dumps({name: f"{value} {value}" for name, value in canaries.plain().items()}),
    "too long": lambda canaries: canaries.document() * 1000,
    "no text": lambda canaries: canaries.document().encode("utf-16").decode("latin-1"),
    "a secret for a handle": lambda canaries: canaries.document(handle=canaries.access_token),
    "a secret for a user id": lambda canaries: canaries.document(user_id=canaries.consumer_secret),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("malformed", MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.parametrize("use", [use_file, use_command], ids=["file", "command"])
def test_what_is_malformed_is_not_quoted(use, malformed, scene):
    """The message says what is wrong with it, and leaves out what it is."""
    use(scene, malformed(scene.canaries))

    for line in ("auth status", "auth status --json", "profiles list -v", "auth list"):
        scene.run_here(line)

    assert [] == scene.leaks()


@pytest.mark.usefixtures("impatient")
def test_credentials_in_the_place_of_a_path_are_not_quoted(scene):
    """A CI variable that holds the file's content, where its path is wanted, is a mistake that many make once."""
    scene.environ["PROFILECTL_CREDENTIALS_FILE"] = scene.canaries.document()

    assert scene.run_here("auth status") == 4
    assert scene.run_here("profiles list -v") == 4
    assert [] == scene.leaks()
