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

    faces = {"acmecare": {"Alice": ("afast",), "*": ()}}
    assert (("root", "profilectl"), faces) == (one.admins, one.accounts)
    assert ("/srv/profilectl/roster.toml", "enforce") == (one.roster, one.disclosure)


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
    """Run as themselves, with a roster of their own: they may not even read the roster that counts."""
    office.machine.write("/srv/mine.toml", _ROSTER)
    words = ["/usr/local/bin/profilectl", "send", "--as=alice", "--to=12345", "Hi", "--roster=/srv/mine.toml"]
    afast, bob = office.machine.run(*words, uid=_AFAST), office.machine.run(*words, uid=_BOB)
    synced = office.machine.run(*words[:1], "sync", "--yes", *words[-1:], uid=_AFAST)

    refusal = "the roster that /etc/profilectl/policy.toml names, can't be read: Permission denied"
    assert [(5, True)] * 2 == [(done.returncode, refusal in done.stderr) for done in (afast, bob)]
    assert (5, True) == (synced.returncode, "afast may not sync" in synced.stderr)


_PINNED = """version = 1
admins = ["root"]
roster = "/srv/profilectl/roster.toml"
ledger = "LEDGER"
disclosure = "enforce"
[accounts.acmecare]
"Alice" = ["profilectl"]
"""


@pytest.fixture
def pinned(office):
    """The office, in which the token's holder is no admin, and root's policy pins roster, ledger and faces."""
    ledger = next(path for path in office.machine.at(_HOME).rglob("ledger.db") if "heads" not in path.parts)
    place = f"{_HOME}/{ledger.relative_to(office.machine.at(_HOME))}"
    office.machine.write("/etc/profilectl/policy.toml", _PINNED.replace("LEDGER", place))
    office.machine.write("/srv/profilectl/roster.toml", _ROSTER)
    os.chown(office.machine.at("/srv/profilectl"), 0, 0)
    office.machine.at("/srv/profilectl").chmod(0o755)
    return office


def speak(office, agent="alice", roster="/srv/profilectl/roster.toml", **environ):
    words = ["send", f"--as={agent}", "--to=12345", "--human-wrote-this", "Hi", f"--roster={roster}"]
    command = ["/usr/local/bin/profilectl", *words, f"--credentials-file={_TOKEN}"]
    return office.machine.run(*command, uid=_SERVICE, **({"HOME": _HOME} | environ))


def test_who_may_speak_as_alice_speaks_as_nobody_else(pinned):
    """With the policy's ledger, wherever HOME and XDG_STATE_HOME lead; not as Bob."""
    elsewhere = speak(pinned, XDG_STATE_HOME="/tmp/elsewhere", HOME="/tmp")
    as_bob = speak(pinned, "bob")

    assert 0 == elsewhere.returncode, elsewhere.stderr
    assert (5, 1) == (as_bob.returncode, len(pinned.sent()))
    assert as_bob.stderr.startswith("error: profilectl may not send as Bob (profile ")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('name = "Bob"', 'name = "Bob (bot)"\nkind = "bot"', "isn't the roster that"),
        (
            "[agents.alice]",
            '[policy]\ndisclosure = "warn"\n[agents.alice]',
            'disclosure is "warn", and has to be "enforce"',
        ),
        ("[agents.bob]", "[agents.carol]", "isn't the roster that"),
    ],
)
def test_another_roster_does_not_loosen_the_policy(pinned, before, after, expected):
    """A copy with another kind, disclosure or key is refused, through a link as well; an unchanged copy isn't."""
    pinned.machine.write("/srv/mine/roster.toml", _ROSTER.replace(before, after), uid=_SERVICE)
    pinned.machine.at("/srv/mine/link.toml").symlink_to("roster.toml")
    pinned.machine.write("/srv/mine/copy.toml", _ROSTER, uid=_SERVICE)

    for name in ("roster.toml", "link.toml"):
        done = speak(pinned, roster=f"/srv/mine/{name}")
        assert (5, True) == (done.returncode, expected in done.stderr), done.stderr
    assert [] == pinned.sent()
    assert 0 == speak(pinned, roster="/srv/mine/copy.toml").returncode


def test_another_ledger_does_not_loosen_the_policy(pinned):
    """Neither by the variable nor by a configuration of one's own."""
    pinned.machine.write(
        "/srv/mine/profilectl/config.toml", 'version = 1\nledger = "/srv/mine/l.db"\n', 0o600, _SERVICE
    )
    for environ in ({"PROFILECTL_LEDGER": "/srv/mine/l.db"}, {"XDG_CONFIG_HOME": "/srv/mine"}):
        done = speak(pinned, **environ)

        assert (5, True) == (done.returncode, "isn't the ledger that /etc/profilectl/policy.toml" in done.stderr)
    assert [] == pinned.sent()


def test_a_roster_that_its_reader_can_change_is_not_pinned(pinned):
    """Whoever owns it, or its folder, and is no admin could write another kind into it."""
    os.chown(pinned.machine.at("/srv/profilectl/roster.toml"), _SERVICE, _SERVICE)
    done = speak(pinned)

    assert (5, True) == (done.returncode, "others than root and the admins can change" in done.stderr)


def test_what_the_policy_cannot_stop(pinned):
    """A namespace with an /etc of its own: the message is sent, and the record shows the map of that namespace."""
    empty = 'mount -t tmpfs -o mode=755 tmpfs /etc/profilectl && exec "$@"'
    words = ["send", "--as=bob", "--to=12345", "--human-wrote-this", "Hi", "--roster=/srv/profilectl/roster.toml"]
    command = ["/usr/local/bin/profilectl", *words, f"--credentials-file={_TOKEN}"]
    wrapped = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", empty, "sh", *command]
    done = pinned.machine.run(*wrapped, uid=_SERVICE, HOME=_HOME)

    assert 0 == done.returncode, done.stderr
    pinned.machine.write(
        "/etc/profilectl/policy.toml", _PINNED.replace('"root"', '"profilectl"').replace("\nledger", "\n# ")
    )
    log = pinned.machine.run("/usr/local/bin/profilectl", "ledger", "export", uid=_SERVICE, HOME=_HOME)
    assert f"uid map 0 {_SERVICE} 1" in log.stdout


def test_a_wildcard_is_no_boundary(office):
    """Why there is a wrapper: sudo's star takes the token itself along; another agent is refused as a second --as."""
    weak = "afast ALL = (profilectl) NOPASSWD: /usr/local/bin/profilectl send --as alice *\n"
    office.machine.write("/etc/sudoers.d/weak", weak, 0o440)
    words = profilectl("send", "--as", "alice", "--to=12345", "--human-wrote-this")

    as_bob = office.sudo(_AFAST, *words, "--as=bob", "-")
    with_token = office.sudo(_AFAST, *words, f"--file={_TOKEN}")

    assert (2, 0) == (as_bob.returncode, with_token.returncode), as_bob.stderr + with_token.stderr
    assert "--as is given twice" in as_bob.stderr
    assert [True] == ["consumer_secret" in text for text, _ in office.sent()]


def test_the_readme_names_every_part():
    """Whoever sets it up finds each file, and the overview finds the folder."""
    for path in _FOLDER.iterdir():
        assert path.name == "README.md" or f"]({path.name})" in text_of("README.md")
    assert "](authority/)" in (EXAMPLES / "README.md").read_text()
    assert os.access(_FOLDER / "send-as-alice", os.X_OK)
