"""The programs of the user's that we start, real ones: an editor and a credential command."""

from __future__ import annotations

import json
import sys

import pytest

TELL = """
import json, os, pathlib, sys
links = [pathlib.Path(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if int(name) > 2]
files = [os.readlink(link) for link in links if link.is_symlink()]  # the one that listed them is closed by now
seen = {"variables": dict(os.environ), "words": sys.argv, "files": files}
pathlib.Path(sys.argv[1]).write_text(json.dumps(seen))
"""
EDIT = TELL + "pathlib.Path(sys.argv[2]).write_text('Good morning')\n"
ANSWER = TELL + "print(pathlib.Path(sys.argv[1] + '.json').read_text())\n"
NAMES = ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")


@pytest.fixture
def team(desk, served):
    """A synced brand whose environment holds everything that children mustn't have."""
    desk.write(("alice", "Alice"))
    desk.env |= {"PGPASSWORD": "s3cret-of-postgres", "OP_SERVICE_ACCOUNT_TOKEN": "its own"}
    assert 0 == desk.run("sync", "--yes").code
    return desk


def require_clean(desk, path):
    """Fail unless a child had neither variables, files nor arguments of ours with a secret."""
    seen = json.loads(path.read_text())
    secrets = {desk.env[f"PROFILECTL_{name}"] for name in NAMES} | {desk.env["PGPASSWORD"]}

    assert not [name for name in seen["variables"] if name.startswith("PROFILECTL_") or name == "PGPASSWORD"]
    assert not [secret for secret in secrets if secret in path.read_text()]
    assert [] == seen["files"]
    assert "its own" == seen["variables"]["OP_SERVICE_ACCOUNT_TOKEN"]


def test_an_editor_gets_no_secrets(team):
    """It gets the file to be edited, and what an editor needs."""
    editor, seen = team.folder / "editor.py", team.folder / "seen"
    editor.write_text(EDIT)
    team.env["EDITOR"] = f"{sys.executable} {editor} {seen}"
    code, screen = team.watch("send", "--as", "alice", "--to", "@customer", "--edit", "--dry-run")

    assert (0, True) == (code, "would send 12 characters" in screen), screen
    require_clean(team, seen)


def test_a_credential_command_gets_no_secrets(team, tmp_path):
    """It is told by its arguments whose credentials are wanted, and finds its own secrets in its own variables."""
    command, seen, config = team.folder / "command.py", team.folder / "seen", tmp_path / "config" / "profilectl"
    command.write_text(ANSWER)
    (team.folder / "seen.json").write_text(json.dumps({n.lower(): team.env[f"PROFILECTL_{n}"] for n in NAMES}))
    config.mkdir(parents=True)
    argv = json.dumps([sys.executable, str(command), str(seen), "{handle}"])
    (config / "config.toml").write_text(f"credential_command = {argv}\n")
    (config / "config.toml").chmod(0o600)
    team.env["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    result = team.run("profiles", "list")

    assert (0, True) == (result.code, "Alice" in result.out), result.err
    assert "acmecare" == json.loads(seen.read_text())["words"][-1]
    require_clean(team, seen)
