"""A stateful model: rosters, admins, strangers, faults and crashes in any order, against a real ledger on disk.

`PROFILECTL_TEST_EXAMPLES=20000` looks further than the 300 examples of every run, and at other ones each time.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from msgspec.structs import replace

from profilectl.errors import ExitCode, ProfilectlError
from profilectl.pictures.similarity import shows
from profilectl.sync.outcomes import exit_code
from tests.resilience.model_desk import RETIRE_AFTER, SETTLE_AFTER, TODAY, Desk
from tests.resilience.model_line import HOUR_MS
from tests.resilience.model_trouble import FAULTS, Fault, Script
from tests.resilience.model_x import STRANGER, ModelX, hold

if TYPE_CHECKING:
    from collections.abc import Callable

USUAL_EXAMPLES = 300
EXAMPLES = int(os.environ.get("PROFILECTL_TEST_EXAMPLES", str(USUAL_EXAMPLES)))
FOLDER = Path("/dev/shm") if Path("/dev/shm").is_dir() else None  # a crash of the model is no power cut
AGENTS = ("alice", "bruno", "chidi", "dana")
NAMES = ("Alex", "Bea", "Cleo & Co")
LAGS_MS = (0, 5_000, 59_900)

agents, names, pictures = st.sampled_from(AGENTS), st.sampled_from(NAMES), st.sampled_from(("a.png", "b.png"))
lags = st.sampled_from(LAGS_MS)
kinds = st.sampled_from([(call, how) for call, ways in FAULTS.items() for how in ways])
faults = st.builds(lambda kind, nth, lag: Fault(kind[0], nth, kind[1], lag), kinds, st.integers(0, 3), lags)
scripts = st.builds(
    Script,
    faults=st.lists(faults, max_size=3),
    crash_at=st.none() | st.integers(0, 40),
    dice=st.integers(0, 99).map(random.Random),
    jobs=st.sampled_from((1, 3)),
    slack_ms=st.sampled_from((0, 400, 999)),
    patient=st.booleans(),
)


class Survival(RuleBasedStateMachine):
    """One account, two admins with a ledger each, a colleague who shares ours, and strangers."""

    tally: Callable[[], None]

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=FOLDER))
        self.x = ModelX()
        self.desk = Desk("ours", self.x, self.place_of("ours"))
        self.other = Desk("theirs", self.x, self.place_of("theirs"))

    def place_of(self, name):
        """Return where a desk's ledger is."""
        return self.folder / f"{name}.db"

    @initialize(first=names, second=names)
    def start(self, first, second):
        self.desk.put("alice", first)
        self.desk.put("bruno", second)
        self.desk.sync(Script())

    @rule(key=agents, name=names, avatar=pictures)
    def write_entry(self, key, name, avatar):
        self.desk.put(key, name, avatar)

    @rule(key=agents, name=names)
    def rename(self, key, name):
        if key in self.desk.agents:
            self.desk.agents[key] = replace(self.desk.agents[key], name=name)

    @rule(key=agents)
    def remove_entry(self, key):
        self.desk.agents.pop(key, None)

    @rule(key=agents, protected=st.booleans())
    def protect(self, key, protected):
        if key in self.desk.agents:
            self.desk.agents[key] = replace(self.desk.agents[key], protected=protected)

    @rule(key=agents, days=st.sampled_from((-1, 0)))
    def limit(self, key, days):
        if key in self.desk.agents:
            self.desk.agents[key] = replace(self.desk.agents[key], until=TODAY + timedelta(days=days))

    @rule(prune=st.booleans())
    def choose_grace(self, prune):
        self.desk.prune = prune

    @rule(script=scripts)
    def sync(self, script):
        self.run(script)

    @rule(script=scripts)
    def sync_after_a_change(self, script):
        """A run that surely has something to do."""
        self.desk.put("alice", *self.another_look())
        self.run(script)

    @rule(script=scripts, lag=lags)
    def sync_beside_a_namesake(self, script, lag):
        """Somebody makes a namesake while we upload, and our create is lost before it is applied."""
        self.desk.put("alice", *self.another_look())
        script.faults[:0] = [Fault("upload", 0, "namesake before", lag), Fault("create", 0, "unknown")]
        self.run(script)

    @rule(key=agents, name=names)
    def other_admin(self, key, name):
        self.other.put(key, name, "theirs.png")  # two ledgers whose pictures are the same, too, can't be told apart
        self.other.sync(Script())
        check(self.other)

    @rule(key=agents, name=names, script=scripts)
    def colleague(self, key, name, script):
        """Somebody with an older copy of the roster, in which one entry differs, runs on our ledger."""
        ours, self.desk.agents = self.desk.agents, dict(self.desk.agents)
        self.desk.put(key, name)
        self.run(script)
        self.desk.agents = ours

    @rule(name=names, lag=lags)
    def namesake(self, name, lag):
        self.x.make(STRANGER, None, name, lag)

    @precondition(lambda self: self.x.live())
    @rule(data=st.data())
    def destroyed_elsewhere(self, data):
        self.x.end(data.draw(st.sampled_from([one.id for one in self.x.live()])), STRANGER)

    @rule(spells=st.booleans())
    def names_change(self, spells):
        """From now on X writes names its own way, or no longer."""
        self.x.spells = spells

    @rule(seconds=st.sampled_from((1, 20, 59, 61, RETIRE_AFTER, 7200)))
    def time_passes(self, seconds):
        self.x.advance(seconds * 1000)
        check(self.desk)  # a request of a killed run may have arrived meanwhile

    def another_look(self):
        old = self.desk.agents.get("alice")
        return NAMES[(NAMES.index(old.name) + 1) % len(NAMES)] if old else NAMES[0], "a.png"

    def run(self, script):
        script.interlude = lambda: self.other.sync(Script())
        content = contented(self.desk)
        try:
            outcomes = self.desk.sync(script)
        except ProfilectlError:
            outcomes = None
        bound = {binding.agent: binding.profile_id for binding in self.desk.state_of().bindings}
        hold(content.items() <= bound.items(), f"replaced for nothing: {content} became {bound}")
        check(self.desk)
        if outcomes is not None and exit_code(outcomes) is ExitCode.DONE and not script.stop.requested:
            hold_done(self.desk)

    def teardown(self):
        try:
            for desk in (self.other, self.desk):
                if desk.agents or desk.live():
                    recover(desk)
        finally:
            shutil.rmtree(self.folder)
        self.tally()


def contented(desk):
    """Return the live profiles of those about whom nothing is to be done: they keep them, whatever a list says."""
    looks = {key: (agent.name, f"sha256:{agent.avatar}") for key, agent in desk.wanted().items()}
    ledger_state = desk.state_of()
    doubtful = {intent.agent for intent in ledger_state.intents}  # who may get what an earlier run has begun
    return {
        binding.agent: binding.profile_id
        for binding in ledger_state.bindings
        if looks.get(binding.agent) == (binding.name, binding.avatar)
        and binding.agent not in doubtful
        and desk.x.made[binding.profile_id].is_live
    }


def check(desk):
    """Every live profile of a desk is bound, retired, or promised, and what is bound lives unless others ended it."""
    ledger_state = desk.state_of()
    bound = {one.profile_id for one in ledger_state.bindings}
    retired = {one.profile_id for one in ledger_state.retired}
    withdrawn = {row.intent.name for row in ledger_state.withdrawn}
    for one in desk.live():
        promised = one.name in withdrawn or any(
            intent.name == one.name and one.created_ms >= intent.begun_ms and one.id not in intent.listed
            for intent in (*ledger_state.intents, *(late.intent for late in ledger_state.withdrawn))
        )
        # what X applies late is recognised by a later run, see `recover`
        hold(one.id in bound | retired or promised or one.is_late, f"orphan: {one}")
    for one in ledger_state.bindings:
        hold(desk.x.made[one.profile_id].ended_by != desk.name, f"{one.agent} points at a profile that we destroyed")


def hold_done(desk):
    """Exit 0 means: the ledger is what the roster says."""
    ledger_state = desk.state_of()
    hold(not ledger_state.intents, f"done, but there are open intents: {ledger_state.intents}")
    looks = {one.agent: (one.name, one.avatar) for one in ledger_state.bindings}
    for key, agent in desk.wanted().items():
        hold(looks.get(key) == (agent.name, f"sha256:{agent.avatar}"), f"done, but {key} is {looks.get(key)}")


def recover(desk):
    """Clean runs bring everybody back, and then there is nothing left to write."""
    desk.x.advance(2 * HOUR_MS)  # until then the latest create has arrived
    for _ in range(3):
        desk.x.advance((RETIRE_AFTER + SETTLE_AFTER) * 1000)
        desk.sync(Script())
    check(desk)
    events, made, live = desk.events(), len(desk.x.made), len(desk.x.live())
    desk.sync(Script())
    hold((events, made, live) == (desk.events(), len(desk.x.made), len(desk.x.live())), "a further run wrote something")
    ledger_state = desk.state_of()
    retired = {one.profile_id for one in ledger_state.retired}
    known = retired | {one.profile_id for one in ledger_state.bindings}
    strangers = {one.name for one in desk.x.live() if one.id not in known}
    late = {one.id for one in desk.x.live() if one.is_late and one.id not in known}
    unknown = [one for one in desk.x.live() if one.id not in known]
    # of two that look alike and that nobody knows, only a person can tell which one was made too late for whom
    doubtful = {
        one.id
        for one in unknown
        if one.is_late and any(one.id != other.id and looks_alike(one, other) for other in unknown)
    }
    for intent in ledger_state.intents:  # only a person can tell what a create made from what it may have made
        newer = [one for one in desk.x.live() if one.created_ms >= intent.begun_ms and one.id not in known]
        candidates = [one for one in newer if one.name == intent.name or is_shown(intent.picture, one.picture)]
        hold(bool(candidates), f"nothing is ambiguous about {intent}")
    ambiguous = {intent.agent for intent in ledger_state.intents}
    for key, agent in desk.wanted().items():
        if key in ambiguous or agent.name in {intent.name for intent in ledger_state.intents}:
            continue  # for a person to decide, or of a name that one more profile would make harder to decide about
        faces = desk.faces(key)
        waiting = late if ambiguous else set()  # nothing is destroyed while a person has to say whose something is
        if agent.name in strangers:  # it waits for a person, and keeps what it had: retired ones too
            hold(len([one for one in faces if one.id not in retired | doubtful | waiting]) <= 1, f"{key} has {faces}")
        else:
            kept = (retired if ambiguous else set()) | waiting | doubtful
            looks = [one.name for one in faces if one.id not in kept]
            hold([agent.name] == looks, f"{key} wants {agent.name}, has {faces}")
    stay = {one.agent for one in ledger_state.bindings if one.protected}
    for one in desk.live():
        is_open = bool(ambiguous) or one.id in doubtful
        hold(is_open or one.agent in desk.wanted() or one.agent in stay, f"nobody wants {one}")


def looks_alike(one, other):
    return one.name == other.name or one.picture == other.picture


@cache
def is_shown(signature, picture):
    return shows(signature, picture, "face")


@pytest.fixture(autouse=True)
def _counted(tally):
    """Count the histories that have come to their end."""
    Survival.tally = staticmethod(tally)


pytestmark = [pytest.mark.scoreboard("model examples"), pytest.mark.timeout(max(900, 3 * EXAMPLES))]  # seconds

TestSurvival = Survival.TestCase
TestSurvival.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=25,
    deadline=None,
    database=None,
    print_blob=True,
    derandomize="PROFILECTL_TEST_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
