"""The service user, the wrapper and root's policy: tried by those whom they are to stop, with a real sudo."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from profilectl.access import policy_file
from profilectl.access.policy_file import read_policy
from tests.examples.conftest import EXAMPLES
from tests.private_machine import PrivateMachine, why_not

if TYPE_CHECKING:
    from profilectl.sandbox.model.world import World

_FOLDER = EXAMPLES / "authority"
_WRAPPER = "/usr/local/bin/send-as-alice"
_HOME = "/var/lib/profilectl"
_TOKEN = "/var/lib/profilectl/token.json"
_SERVICE, _AFAST, _BOB = 6100, 6101, 6102
_ROSTER = """version = 1
[brands.acme]
handle = "AcmeCare"
[defaults]
kind = "human"
avatar = "face.png"
[agents.alice]
name = "Alice"
[agents.bob]
name = "Bob"
"""


def text_of(name):
    return (_FOLDER / name).read_text(encoding="utf-8")


def test_the_policy_says_what_it_is_for(tmp_path, monkeypatch):
    """The service user does everything, alice is afast's, and the rest is nobody's."""
    (tmp_path / "policy.toml").write_text(text_of("policy.toml"))
    monkeypatch.setattr(policy_file, "_ROOT", os.geteuid())
    one = read_policy(tmp_path / "policy.toml")

    assert (("root", "profilectl"), {"alice": ("afast",), "*": ()}) == (one.admins, one.operators)


def test_sudo_understands_the_sudoers_file(require):
    """Without an error, and without a warning about an alias that nobody uses."""
    visudo = shutil.which("visudo", path=f"{os.environ['PATH']}:/usr/sbin")
    require("sudo", visudo is not None, "visudo isn't installed")
    done = subprocess.run(
        [visudo, "-c", "-s", "-f", _FOLDER / "sudoers"], capture_output=True, text=True, check=False, timeout=60
    )

    assert (0, "") == (done.returncode, done.stderr)


def test_there_is_no_wildcard_in_it():
    """Neither in the sudoers file nor around it: each rule names one program."""
    rules = [line for line in text_of("sudoers").splitlines() if line and not line.startswith("#")]

    assert [] == [line for line in rules if set("*?[") & set(line)]


@pytest.fixture
def wrapper(machine):
    """The wrapper with a `profilectl` that only tells how it was started."""
    machine.install("profilectl", '#!/bin/sh\npwd\nfor word; do echo "$word"; done\necho ---\nenv\ncat >&2\n')
    script = text_of("send-as-alice").replace("/usr/local/bin/", f"{machine.programs}/")
    machine.install("send-as-alice", script)
    return lambda *words, **environ: machine.run("send-as-alice", *words, stdin="Hello", **environ)


@pytest.mark.parametrize("words", [["@ada"], ["1", "--human-wrote-this"]])
def test_the_wrapper_passes_on_a_recipient_and_a_text(wrapper, words):
    """Nothing of the environment arrives, nor the folder in which it was started."""
    done = wrapper(*words, PROFILECTL_API_URL="http://127.0.0.1:1", PYTHONPATH="/tmp", EDITOR="sh")
    told, _, environ = done.stdout.partition("---\n")

    files = ["--roster=/srv/profilectl/roster.toml", f"--credentials-file={_TOKEN}"]
    assert ["/", "send", "--as=alice", f"--to={words[0]}", *words[1:], *files, "-"] == told.splitlines()
    assert {"HOME", "PATH", "LANG", "PWD"} >= {line.partition("=")[0] for line in environ.splitlines()} - {"_"}
    assert (0, "Hello") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    "words",
    [
        [],
        [""],
        ["@"],
        ["--as=bob"],
        ["1 --as bob"],
        ["1\n"],
        ["é"],
        ["@ada", "--as=bob"],
        ["@ada", "--roster=mine.toml"],
        ["@ada", "--human-wrote-this", f"--file={_TOKEN}"],
        ["@ada", "Hello"],
        ["@ada", ""],
    ],
    ids=repr,
)
def test_the_wrapper_takes_nothing_else(wrapper, words):
    """Whatever more a caller adds ends in exit 2, and profilectl isn't started."""
    done = wrapper(*words)

    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("usage: send-as-alice ")


@dataclass
class Office:
    """The machine of the README: set up as it says, with X on loopback."""

    machine: PrivateMachine
    world: World

    def sudo(self, uid, *words, **environ):
        return self.machine.run("sudo", "-n", "-u", "profilectl", *words, uid=uid, stdin="Hello!", **environ)

    def sent(self):
        return [(one.text, one.profile_id) for one in self.world.messages.all()]


@pytest.fixture
def office(machine, require):
    """Set it up, and let the service user sync once."""
    reason = why_not()
    require("namespaces", reason is None, str(reason))
    require("sudo", shutil.which("sudo") is not None, "sudo isn't installed")
    one = PrivateMachine(machine.root / "private")
    one.add_user("profilectl", _SERVICE, _HOME)
    for name, uid in {"afast": _AFAST, "bob": _BOB, "cindy": 6103}.items():
        one.add_user(name, uid)
    for handle, user_id in {"ada": "12345", "customer": "23456"}.items():
        machine.world.accounts.ensure(handle, is_brand=False, user_id=user_id)
    one.write(_TOKEN, machine.token, 0o600, _SERVICE)
    one.write("/srv/profilectl/roster.toml", _ROSTER)
    Image.new("RGB", (64, 64), (20, 120, 200)).save(one.at("/srv/profilectl/face.png"))
    for folder, mode in {"/srv/profilectl": 0o750, "/var/lib/profilectl": 0o700}.items():
        one.at(folder).chmod(mode)
        os.chown(one.at(folder), _SERVICE, _SERVICE)
    one.write("/etc/profilectl/policy.toml", text_of("policy.toml"))
    one.write("/etc/sudoers.d/profilectl", text_of("sudoers"), 0o440)
    one.write(_WRAPPER, text_of("send-as-alice"), 0o755)
    one.write("/usr/local/bin/profilectl", (machine.programs / "profilectl").read_text(), 0o755)
    done = one.run(*profilectl("sync", "--yes", "--no-input"), uid=_SERVICE, HOME=_HOME)
    assert done.returncode == 0, done.stderr
    return Office(one, machine.world)


def profilectl(*words):
    roster, token = "--roster=/srv/profilectl/roster.toml", f"--credentials-file={_TOKEN}"
    return ["/usr/local/bin/profilectl", *words, roster, token]


def test_afast_sends_as_alice(office):
    """Through sudo and the wrapper; what afast's environment says arrives nowhere."""
    lies = {"PROFILECTL_ROSTER": "/tmp/mine.toml", "PROFILECTL_API_URL": "http://127.0.0.1:1", "PYTHONPATH": "/tmp"}
    done = office.sudo(_AFAST, _WRAPPER, "12345", "--human-wrote-this", **lies)

    assert 0 == done.returncode, done.stderr
    (alice,) = (one["id"] for one in office.world.state()["profiles"] if one["name"] == "Alice")
    assert [("Hello!", alice)] == office.sent()


def test_a_script_has_to_vouch_for_a_human(office):
    """Without the word, nobody at a terminal is nobody."""
    done = office.sudo(_AFAST, _WRAPPER, "12345")

    assert (5, []) == (done.returncode, office.sent())
    assert "--human-wrote-this" in done.stderr


def test_what_afast_cannot_do(office):
    """Speak as bob, run anything else as the service user, smuggle a variable in, or read the token or the roster."""
    attempts = [
        office.sudo(_AFAST, "/usr/local/bin/send-as-bob", "12345"),
        office.sudo(_AFAST, *profilectl("send", "--as=bob", "--to=12345", "-")),
        office.sudo(_AFAST, "/bin/cat", _TOKEN),
        office.sudo(_AFAST, "PROFILECTL_API_URL=http://127.0.0.1:1", _WRAPPER, "12345", "--human-wrote-this"),
        office.machine.run("cat", _TOKEN, uid=_AFAST),
        office.machine.run("cat", "/srv/profilectl/roster.toml", uid=_AFAST),
        office.sudo(_AFAST, _WRAPPER, "12345", "--as=bob"),
        office.sudo(_BOB, _WRAPPER, "12345", "--human-wrote-this"),
    ]

    assert [] == [done.args for done in attempts if done.returncode == 0 or "consumer" in done.stdout]
    assert [] == office.sent()


def test_who_has_no_token_and_no_rule_is_told_so(office):
    """Run as themselves, with a roster of their own: afast lacks the token, and bob root's word as well."""
    office.machine.write("/srv/mine.toml", _ROSTER)
    words = ["/usr/local/bin/profilectl", "send", "--as=alice", "--to=12345", "Hi", "--roster=/srv/mine.toml"]
    afast, bob = office.machine.run(*words, uid=_AFAST), office.machine.run(*words, uid=_BOB)
    synced = office.machine.run(*words[:1], "sync", "--yes", *words[-1:], uid=_AFAST)

    assert 0 != afast.returncode
    assert "may not" not in afast.stderr
    assert (5, "error: bob may not send as alice") == (bob.returncode, bob.stderr.splitlines()[0])
    assert (5, True) == (synced.returncode, "afast may not sync" in synced.stderr)


def test_a_wildcard_is_no_boundary(office):
    """Why there is a wrapper: sudo's star takes another agent along, and the token itself."""
    weak = "afast ALL = (profilectl) NOPASSWD: /usr/local/bin/profilectl send --as alice *\n"
    office.machine.write("/etc/sudoers.d/weak", weak, 0o440)
    words = profilectl("send", "--as", "alice", "--to=12345", "--human-wrote-this")

    as_bob = office.sudo(_AFAST, *words, "--as=bob", "-")
    with_token = office.sudo(_AFAST, *words, f"--file={_TOKEN}")

    assert (0, 0) == (as_bob.returncode, with_token.returncode), as_bob.stderr + with_token.stderr
    (bob,) = (one["id"] for one in office.world.state()["profiles"] if one["name"] == "Bob")
    assert [("Hello!", bob), True] == [office.sent()[0], "consumer_secret" in office.sent()[1][0]]


def test_the_readme_names_every_part():
    """Whoever sets it up finds each file, and the overview finds the folder."""
    for path in _FOLDER.iterdir():
        assert path.name == "README.md" or f"]({path.name})" in text_of("README.md")
    assert "](authority/)" in (EXAMPLES / "README.md").read_text()
    assert os.access(_FOLDER / "send-as-alice", os.X_OK)
