"""Any history of deeds, compared with a ledger made of dictionaries."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from profilectl.audit.chain import verify
from profilectl.errors import LedgerRefused
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Binding, Intent, LedgerState, Profile, Retired

AGENTS = st.sampled_from(["alice", "bob"])
IDS = st.sampled_from(["100", "101", "102", "103"])
LISTED = st.frozensets(IDS)


class Refused(Exception):
    """The dictionaries say no."""


class Simple:
    """The same deeds, too simple to be wrong."""

    def __init__(self):
        self.bindings, self.intents, self.retired, self.events = {}, {}, {}, 0

    def state_of(self):
        return LedgerState(
            tuple(sorted(self.bindings.values(), key=lambda one: one.agent)),
            tuple(sorted(self.intents.values(), key=lambda one: (one.begun_ms, one.agent))),
            tuple(sorted(self.retired.values(), key=lambda one: (one.since_ms, one.profile_id))),
        )

    def need(self, condition):
        if not condition:
            raise Refused

    def knows(self, id):
        return id in self.retired or any(one.profile_id == id for one in self.bindings.values())

    def begin_intent(self, intent):
        self.need(intent.agent not in self.intents)
        self.intents[intent.agent] = intent

    def reattempt(self, agent, now):
        self.need(agent in self.intents)
        intent = self.intents[agent]
        self.intents[agent] = replace(intent, attempt=intent.attempt + 1, attempted_ms=now)

    def bind(self, binding):
        self.need(not self.knows(binding.profile_id))
        if former := self.bindings.pop(binding.agent, None):
            self.retired[former.profile_id] = Retired(
                former.profile_id, former.agent, former.name, binding.bound_ms, "replaced"
            )
        self.bindings[binding.agent] = binding
        self.intents.pop(binding.agent, None)

    def adopt(self, binding):
        former = self.retired.get(binding.profile_id)
        if former is not None and former.agent == binding.agent:
            del self.retired[binding.profile_id]
        self.bind(binding)

    def finish_intent(self, agent, profile, now):
        self.need(agent in self.intents)
        intent = self.intents[agent]
        self.bind(
            Binding(agent, profile.id, intent.name, intent.avatar, profile.created_ms, now, intent.protected, "url")
        )

    def cancel_intent(self, agent):
        self.need(agent in self.intents)
        del self.intents[agent]

    def retire(self, agent, now):
        self.need(agent in self.bindings)
        former = self.bindings.pop(agent)
        self.retired[former.profile_id] = Retired(former.profile_id, agent, former.name, now, "removed")

    def drop(self, id):
        self.retired.pop(id, None)
        self.bindings = {agent: one for agent, one in self.bindings.items() if one.profile_id != id}

    def forget(self, agent):
        self.need(agent in self.bindings)
        del self.bindings[agent]

    def protect(self, agent, protected):
        self.need(agent in self.bindings)
        self.bindings[agent] = replace(self.bindings[agent], protected=protected)


class Histories(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.db"
        self.ledger = open_for_writing(self.path, actor="a@b")
        self.simple = Simple()
        self.now = 0

    def both(self, simply, really, events=1):
        self.now += 1
        try:
            simply()
        except Refused:
            expected = False
        else:
            expected = True
            self.simple.events += events
        try:
            really()
        except LedgerRefused:
            assert not expected
        else:
            assert expected

    def nonce(self, agent):
        intent = self.simple.intents.get(agent)
        return intent.nonce if intent else "unknown"

    @rule(agent=AGENTS, listed=LISTED, protected=st.booleans())
    def begin_intent(self, agent, listed, protected):
        intent = Intent(str(self.now), agent, agent.title(), "sha256:a", listed, self.now, 1, self.now, protected)
        self.both(lambda: self.simple.begin_intent(intent), lambda: self.ledger.begin_intent("1", intent))

    @rule(agent=AGENTS)
    def reattempt(self, agent):
        nonce, now = self.nonce(agent), self.now
        self.both(lambda: self.simple.reattempt(agent, now), lambda: self.ledger.reattempt("1", nonce, now))

    @rule(agent=AGENTS, id=IDS, adopted=st.booleans())
    def finish_intent(self, agent, id, adopted):
        nonce, now, profile = self.nonce(agent), self.now, Profile(id, "X", "url", self.now)
        self.both(
            lambda: self.simple.finish_intent(agent, profile, now),
            lambda: self.ledger.finish_intent("1", nonce, profile, now, adopted=adopted),
        )

    @rule(agent=AGENTS)
    def cancel_intent(self, agent):
        nonce, now = self.nonce(agent), self.now
        self.both(lambda: self.simple.cancel_intent(agent), lambda: self.ledger.cancel_intent("1", nonce, "lost", now))

    @rule(agent=AGENTS, id=IDS)
    def adopt(self, agent, id):
        now, profile = self.now, Profile(id, "X", "url", self.now)
        binding = Binding(agent, id, "X", "sha256:b", now, now, False, "url")
        self.both(
            lambda: self.simple.adopt(binding),
            lambda: self.ledger.adopt("1", agent, profile, avatar="sha256:b", protected=False, now_ms=now),
        )

    @rule(agent=AGENTS)
    def retire(self, agent):
        now = self.now
        self.both(lambda: self.simple.retire(agent, now), lambda: self.ledger.retire("1", agent, now))

    @rule(id=IDS)
    def drop(self, id):
        now = self.now
        self.both(lambda: self.simple.drop(id), lambda: self.ledger.drop("1", id, now))

    @rule(agent=AGENTS)
    def forget(self, agent):
        now = self.now
        self.both(lambda: self.simple.forget(agent), lambda: self.ledger.forget("1", agent, now))

    @rule(agent=AGENTS, protected=st.booleans())
    def protect(self, agent, protected):
        self.both(
            lambda: self.simple.protect(agent, protected),
            lambda: self.ledger.protect("1", agent, protected=protected),
            events=0,
        )

    @rule()
    def reopen(self):
        self.ledger.close()
        self.ledger = open_for_writing(self.path, actor="a@b")

    @invariant()
    def same(self):
        with open_for_reading(self.path) as reader:
            assert self.simple.state_of() == self.ledger.state_of("1") == reader.state_of("1")
        records = list(self.ledger.events())
        assert (self.simple.events, None) == (len(records), verify(records))

    @invariant()
    def listings_are_those_in_use(self):
        (kept,) = self.ledger._engine.execute("SELECT count(*) FROM listings")[0]
        assert len({intent.listed for intent in self.simple.intents.values()}) == kept

    def teardown(self):
        self.ledger.close()
        self.folder.cleanup()


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    database=None,
    derandomize=True,
    deadline=None,
    max_examples=30,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow],
)
