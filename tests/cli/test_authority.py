"""Which commands ask the policy of the machine, and that nobody gets past a real one."""

from __future__ import annotations

import os
import sys

import pytest

from profilectl.access import policy_file
from profilectl.access.policy import Authority
from profilectl.access.policy_file import uid_of
from profilectl.cli.context import Context
from profilectl.cli.main import run
from profilectl.errors import InputRefused
from tests.private_machine import PrivateMachine, why_not

POLICY = """\
version = 1
admins = ["root", "cindy"]
[operators]
alice = ["afast", "uid:1001"]
"*" = []
"""


@pytest.fixture
def policy(tmp_path, monkeypatch):
    """The path of a policy whose root is whoever runs the tests."""
    path = tmp_path / "etc" / "policy.toml"
    path.parent.mkdir(mode=0o755)
    monkeypatch.setattr(policy_file, "_ROOT", os.geteuid())
    monkeypatch.setattr(policy_file, "POLICY", path)
    return path


def put(path, text):
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)


ADMINS_ONLY = {
    "sync --yes": "sync",
    "profiles adopt alice 1 --yes": "adopt profiles",
    "profiles forget alice --yes": "forget profiles",
    "profiles destroy 1 --yes": "destroy profiles",
    "offboard alice --yes": "offboard anybody",
    "recover --yes": "recover the ledger",
    "ledger export": "export the ledger",
    "ledger import none.jsonl": "import a ledger",
    "ledger backup copy.db": "back up the ledger",
    "ledger migrate other.db --yes": "move the ledger",
    "ledger unlock --yes": "unlock the ledger",
    "ledger accept-restore --yes": "accept a restored ledger",
    "auth login --with-token": "change credentials",
    "auth import --from none": "change credentials",
    "auth logout --revoke": "revoke a token",
}


@pytest.mark.parametrize(("line", "deed"), ADMINS_ONLY.items())
def test_commands_for_admins(policy, capsys, line, deed, tmp_path, monkeypatch):
    """They refuse before they look at roster, ledger or X; no environment variable helps."""
    put(policy, 'version = 1\nadmins = ["no-such-user"]')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    assert 5 == run(line.split())
    error = capsys.readouterr().err
    assert f" may not {deed}: that is for the admins" in error
    assert "no-such-user (unknown on this machine)" in error
    assert not (tmp_path / ".profilectl").exists()


LATER = (
    *("can't read the roster", "no credentials", "there is no ledger", "can't read none.jsonl"),
    *("nobody holds", "nothing to accept", "nobody is logged in", "credentials file none: No such file"),
    *("keyring", "no access token"),
)  # fmt: skip


@pytest.mark.parametrize("line", [*ADMINS_ONLY, "diff", "profiles list", "roster list", "auth logout"])
def test_admins_get_past_the_policy(policy, capsys, line, tmp_path, monkeypatch):
    """And commands that only look ask nobody; here each of them ends later, for there is no roster and no ledger."""
    admin = f"uid:{os.getuid()}" if line in ADMINS_ONLY else "no-such-user"
    put(policy, f'version = 1\nadmins = ["{admin}"]')
    monkeypatch.chdir(tmp_path)

    run(line.split())

    captured = capsys.readouterr()
    assert any(reason in captured.out + captured.err for reason in LATER)
    assert "may not" not in captured.err


def test_nobody_needs_an_admin_in_the_sandbox(policy, monkeypatch):
    """Where no customer is, everybody may rehearse; the roster's own word holds there as well."""
    put(policy, 'version = 1\nadmins = ["no-such-user"]')
    monkeypatch.setenv("PROFILECTL_SANDBOX", "1")

    Context().require_admin("sync")
    assert Authority(uid_of) == Context().authority
    monkeypatch.delenv("PROFILECTL_SANDBOX")
    with pytest.raises(InputRefused):
        Context().require_admin("sync")


@pytest.fixture
def machine(tmp_path, require):
    """A machine with three people, of whom one has two names, and a policy in its /etc."""
    reason = why_not()
    require("namespaces", reason is None, str(reason))
    private = PrivateMachine(tmp_path)
    for name, uid in {"afast": 6101, "ally": 6101, "bob": 6102, "cindy": 6103}.items():
        private.add_user(name, uid)
    private.write("/etc/profilectl/policy.toml", POLICY)
    private.write("/srv/roster.toml", 'version = 1\n[brands.acme]\nhandle = "a"\n')
    return private


def try_sync(machine, uid, **environ):
    done = machine.run(sys.executable, "-m", "profilectl", "sync", "--yes", uid=uid, **environ)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr.splitlines()[0]


def test_the_real_file_of_a_real_root(machine):
    """Other users in other processes: only an admin's uid gets past root's word, whatever the environment says."""
    claims = {"USER": "root", "LOGNAME": "cindy", "SUDO_UID": "0", "PROFILECTL_POLICY": "/dev/null"}
    refusal = "may not sync: that is for the admins whom /etc/profilectl/policy.toml names"

    assert (5, f"error: afast {refusal}") == try_sync(machine, 6101, **claims)
    assert (5, f"error: uid:6109 {refusal}") == try_sync(machine, 6109, **claims)
    assert "can't read the roster" in try_sync(machine, 6103)[1]
    assert "can't read the roster" in try_sync(machine, 0)[1]


@pytest.mark.parametrize(("mode", "expected"), [(0o666, "has mode 666"), (0o600, "can't be read: Permission denied")])
def test_a_real_file_that_root_must_mend(machine, mode, expected):
    """One that all can write, and one that only root can read, stop even an admin."""
    machine.at("/etc/profilectl/policy.toml").chmod(mode)

    code, error = try_sync(machine, 6103)

    assert (5, True) == (code, expected in error)


def test_a_real_file_of_somebody_else(machine):
    """A policy that another user owns may be anybody's word."""
    os.chown(machine.at("/etc/profilectl/policy.toml"), 6103, 6103)

    assert (5, "error: /etc/profilectl/policy.toml belongs to uid 6103, not to root") == try_sync(machine, 6103)
