"""An X that lies over a real socket: no command ends unexpectedly, makes anything twice, or destroys what lives."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from profilectl.api import retry
from profilectl.cli import main
from profilectl.ledger.sqlite import open_for_reading
from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model.faults import Fault, Kind
from profilectl.sandbox.model.rate_limits import Limits
from profilectl.sandbox.model.world import World
from tests import schemas

HOUR, YEAR = 3600.0, 366 * 86_400.0
HEAD = """version = 1
[brands.acme]
handle = "acmecare"
[policy]
settle_after = "0s"
disclosure = "warn"
[defaults]
kind = "human"
avatar = "face.png"
"""
LIES = {
    "packed": Fault(kind=Kind.PACKED, times=None),
    "headers without end": Fault(kind=Kind.ENDLESS_HEAD, times=None),
    "1xx without end": Fault(kind=Kind.ENDLESS_HINTS, times=None),
    "a drip": Fault(kind=Kind.DRIP, times=None, seconds=0.5),
    "NaN": Fault(kind=Kind.JSON_NAN, times=None),
    "keys twice": Fault(kind=Kind.JSON_TWICE, times=None),
    "half characters": Fault(kind=Kind.JSON_SURROGATE, times=None),
    "long texts": Fault(kind=Kind.JSON_LONG, times=None),
    "pictures in this network": Fault(kind=Kind.PICTURE_ADDRESS, times=None),
    "pictures at no address": Fault(kind=Kind.PICTURE_ADDRESS, times=None, message="https://[::1"),
    "pictures of a million letters": Fault(kind=Kind.PICTURE_ADDRESS, times=None, message="https://" + "a" * 1_000_000),
    "a year ahead": Fault(kind=Kind.DATE_JUMP, times=None, seconds=YEAR),
    "a year behind": Fault(kind=Kind.DATE_JUMP, times=None, seconds=-YEAR),
}
COMMANDS = {
    "diff": ("diff",),
    "diff with pictures": ("diff", "--verify-avatars"),
    "sync": ("sync", "--yes"),
    "send": ("send", "--as", "alice", "--to", "@customer", "Hello"),
    "send with a picture": ("send", "--as", "alice", "--to", "@customer", "--media", "face.png", "Look"),
    "thread": ("thread", "@customer"),
    "inbox": ("inbox",),
    "profiles list": ("profiles", "list"),
    "profiles adopt": ("profiles", "adopt", "carol", "1", "--yes"),
    "doctor": ("doctor",),
    "preview": ("preview",),
    "recover": ("recover", "--yes"),
    "offboard": ("offboard", "bob", "--yes"),
    "feedback report": ("feedback", "report"),
    "auth status": ("auth", "status"),
}
ENDS = {0, 4, 5, 6, 7, 75}  # of the table: neither an unexpected failure nor a wrong word


@dataclass
class Scene:
    """A folder with a roster and a ledger, and an X on a socket."""

    folder: Path
    world: World
    environ: dict[str, str]
    capsys: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def run(self, *words):
        """Run a command line in this process; return its code and what it said to people."""
        self.capsys.readouterr()
        for name, value in self.environ.items():
            self.patch.setenv(name, value)
        with contextlib.chdir(self.folder):
            code = main.run([*words, "--no-input", "--timeout", "2"])
        out, talk = self.capsys.readouterr()
        schemas.check_output(words, out)
        return code, talk

    def events(self):
        with open_for_reading(self.folder / "ledger.db") as ledger:
            return list(ledger.recent(self.world.ensure_brand("acmecare").user_id, 0))

    def live(self):
        return Counter(profile["name"] for profile in self.world.state()["profiles"] if profile["is_live"])

    def messages(self):
        return [message["text"] for message in self.world.state()["messages"]]

    def write(self, **names):
        agents = "".join(f'[agents.{key}]\nname = "{name}"\n' for key, name in names.items())
        (self.folder / "roster.toml").write_text(HEAD + agents)

    def lie(self, fault):
        self.world.faults.clear()
        self.world.faults.add(fault)


@contextlib.contextmanager
def served(folder, capsys, patch):
    with World(folder / "world.db", limits=Limits.generous()) as world, SandboxServer(SandboxApp(world)) as server:
        brand = world.ensure_brand("acmecare")
        names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        environ = {f"PROFILECTL_{name.upper()}": getattr(brand, name) for name in names}
        environ |= {"PROFILECTL_API_URL": server.url, "PROFILECTL_LEDGER": str(folder / "ledger.db")}
        yield Scene(folder, world, environ, capsys, patch)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder in which alice and bob were made, beside a stranger; the roster has carol as well."""
    return tmp_path_factory.mktemp("prepared")


@pytest.fixture
def scene(prepared, tmp_path, capsys, monkeypatch):
    if not (prepared / "world.db").exists():
        Image.new("RGB", (64, 64), "teal").save(prepared / "face.png")
        with served(prepared, capsys, monkeypatch) as first:
            first.world.ensure_customer("customer")
            media = first.world.media.add(first.world.ensure_brand("acmecare").user_id, _stripes())
            first.world.profiles.create(first.world.ensure_brand("acmecare").user_id, "Stranger", media.id)
            first.write(alice="Alice", bob="Bob")
            code, talk = first.run("sync", "--yes", "--new-ledger")
            assert 0 == code, talk
            first.write(alice="Alice", bob="Bob", carol="Carol")
    monkeypatch.setattr(retry, "SHORTEST_PAUSE", 0.0)  # between attempts, all of which get the same answer
    monkeypatch.setattr(retry, "LONGEST_PAUSE", 0.0)
    for name in ("world.db", "ledger.db", "roster.toml", "face.png"):
        shutil.copy2(prepared / name, tmp_path / name)
    with served(tmp_path, capsys, monkeypatch) as copied:
        yield copied


def _stripes():
    import io

    target = io.BytesIO()
    Image.new("RGB", (64, 64), "orange").save(target, "PNG")
    return target.getvalue()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("lie", LIES)
def test_no_command_ends_unexpectedly(scene, lie, command):
    """Whatever every answer of X is like: a code of the table, a sentence of a readable length, and nobody is lost."""
    scene.world.faults.add(LIES[lie])
    code, talk = scene.run(*COMMANDS[command])

    assert code in ENDS, talk
    assert code == 0 or talk.strip()
    assert max(map(len, talk.splitlines()), default=0) <= 1000
    assert {"Alice", "Stranger"} <= scene.live().keys() <= {"Alice", "Bob", "Carol", "Stranger"}
    assert "Bob" in scene.live() or command == "offboard"
    assert 1 == max(scene.live().values())
    assert len(scene.messages()) <= 1


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie != "a drip"])  # a write is waited for half a minute
def test_the_next_run_ends_what_a_lie_left_open(scene, lie):
    """A create and a message that were answered so are there once, however often the commands are run."""
    for call in ("create", "send"):
        scene.world.faults.add(Fault(**{**LIES[lie].to_plain(), "kind": LIES[lie].kind, "call": call, "times": 1}))
    words = ("send", "--as", "alice", "--to", "@customer", "Hello")
    for _ in range(3):
        codes = [scene.run("sync", "--yes"), scene.run(*words)]

    assert [0, 0] == [code for code, _ in codes], codes
    assert scene.live() == Counter(["Alice", "Bob", "Carol", "Stranger"])
    assert ["Hello"] == scene.messages()


@pytest.mark.parametrize("seconds", [HOUR, YEAR, -HOUR, -YEAR])
@pytest.mark.parametrize("lies_first", [True, False], ids=["while it is replaced", "after that"])
def test_a_false_date_ends_no_grace(scene, seconds, lies_first):
    """A profile that was replaced a moment ago stays, whichever of the two runs is lied to about the time."""
    lie, truth = (Fault(kind=Kind.DATE_JUMP, times=None, seconds=shift) for shift in (seconds, 0.001))
    scene.write(alice="Alicia", bob="Bob")
    for fault in (lie, truth) if lies_first else (truth, lie):
        scene.lie(fault)
        code, talk = scene.run("sync", "--yes")
        assert 0 == code, talk

    assert scene.live() == Counter(["Alice", "Alicia", "Bob", "Stranger"])


@pytest.mark.parametrize("seconds", [YEAR, -YEAR])
def test_a_false_date_makes_no_message_twice(scene, seconds):
    """The same words to the same customer are one message for five minutes, by a clock that can be X's."""
    words = ("send", "--as", "alice", "--to", "@customer", "Hello")
    scene.lie(Fault(kind=Kind.DATE_JUMP, times=None, seconds=seconds))
    codes = [scene.run(*words)[0]]
    scene.world.faults.clear()
    codes.append(scene.run(*words)[0])

    assert ([0, 0], ["Hello"]) == (codes, scene.messages())


def test_a_false_date_uses_up_no_quota(scene):
    """What the ledger noted under a false date counts for a day, not for a year."""
    scene.lie(Fault(kind=Kind.DATE_JUMP, times=None, seconds=YEAR))
    assert 0 == scene.run("sync", "--yes")[0]
    moments = [event.at_ms / 1000 for event in scene.events()]

    assert max(moments) - min(moments) < HOUR
