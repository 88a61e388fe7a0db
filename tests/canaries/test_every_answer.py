"""Every way in which X, or somebody in its place, may fail an answer, while it quotes the secrets it was sent."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

import pytest

from tests.canaries.answers import answers, quotable
from tests.canaries.conftest import set_scene
from tests.canaries.gate import Gate
from tests.canaries.house import House, world_of
from tests.canaries.scenarios import SCENARIOS, STRANGER
from tests.canaries.traces import Canaries

pytestmark = pytest.mark.usefixtures("impatient")

_ANSWERS = answers(all_refusals=True)
_RUDEST = (
    "401 v1",
    "403 code 87",
    "429",
    "500 text",
    "200 text",
    "200 everything",
    "no status line",
    "no header",
    "302",
    "307",
    "reset",
)
_CALLS = {
    "/account/verify_credentials": "profiles list",
    "/custom_profiles/list": "diff",
    "/media/upload": "sync --yes",
    "/custom_profiles/new": "sync --yes",
    "/custom_profiles/destroy": "sync --yes",
    f"/custom_profiles/{STRANGER}": f"profiles adopt dora {STRANGER} --yes",
    "/users/by/username": "send --as emil --to @customer Hello",
    "/direct_messages/events/new": "send --as emil --to 7007 Hello",
    "/feedback/events": "feedback report",
    "/_sandbox/media": "recover --yes --roster lost/roster.toml",
}
"""What stands in the first line of a request, and a command that sends it."""

_THOROUGHLY = "/account/verify_credentials"  # this one meets every code that X refuses with


_LEDGER = {"PROFILECTL_LEDGER": "ledger/ledger.db"}  # by default it depends on the port, which each act has anew


class Theatre:
    """A scene that is set once, and put back after every act."""

    def __init__(self, root) -> None:
        self.canaries = Canaries.fresh()
        self.root = root
        self.kept = House(root / "kept", self.canaries)
        with world_of(self.canaries, root / "kept.db") as world, Gate(world) as gate:
            self.kept.environ |= self.canaries.variables() | {"PROFILECTL_API_URL": gate.url, **_LEDGER}
            set_scene(self.kept)

    @contextmanager
    def act(self):
        """Yield a house and a gate of its own; nothing of it is left for the next act."""
        shutil.copytree(self.kept.root, self.root / "act")
        shutil.copyfile(self.root / "kept.db", self.root / "act.db")
        try:
            with world_of(self.canaries, self.root / "act.db") as world, Gate(world) as gate:
                house = House(self.root / "act", self.canaries, excluded={self.root / "act" / "home" / ".twurlrc"})
                house.environ |= self.canaries.variables() | {"PROFILECTL_API_URL": gate.url, **_LEDGER}
                yield house, gate
        finally:
            shutil.rmtree(self.root / "act")
            for name in ("act.db", "act.db-wal", "act.db-shm"):
                self.root.joinpath(name).unlink(missing_ok=True)

    def play(self, line, call, name):
        """Run a command that gets this answer to this call; return what shows of the secrets."""
        with self.act() as (house, gate):
            gate.ambushed = call
            gate.answer = lambda head: _ANSWERS[name](quotable(self.canaries, head))
            house.run_here(f"{line} -v --timeout 30")
            assert any(call in one for one in gate.asked), f"{line} never asked for {call}: {house.said()}"
            quoted = [one for one in gate.asked if "quoted" in one]
            return [f"{line} after {name}: {leak}" for leak in house.leaks()] + quoted


@pytest.fixture(scope="module")
def theatre(tmp_path_factory):
    return Theatre(tmp_path_factory.mktemp("theatre"))


@pytest.mark.parametrize("call", _CALLS, ids=lambda call: call.strip("/").replace("/", " "))
def test_no_answer_to_a_call_makes_a_secret_show(call, theatre):
    """Refusals with each code, limits, trouble, redirects, cut and garbled answers, and answers that look fine."""
    names = answers(all_refusals=call == _THOROUGHLY)
    leaks = [leak for name in names for leak in theatre.play(_CALLS[call], call, name)]

    assert [] == leaks


@pytest.mark.parametrize("name", [name for name, one in SCENARIOS.items() if one.asks_x])
def test_no_command_shows_a_secret_that_x_quotes(name, theatre):
    """Whatever a command makes of the rudest answers to all of its calls, and of redirects, it doesn't quote them."""
    line = SCENARIOS[name].lines[0]

    assert [] == [leak for answer in _RUDEST for leak in theatre.play(line, "/", answer)]
