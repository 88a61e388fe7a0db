"""Any history of deeds, compared with a ledger made of dictionaries."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from profilectl.audit.chain import verify
from profilectl.errors import LedgerConflict
from profilectl.ledger.protocol import WITHDRAWN_MS
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Binding, Intent, LedgerState, LocalTime, Profile, Retired, WithdrawnIntent

AGENTS = st.sampled_from(["alice", "bob"])
IDS = st.sampled_from(["100", "101", "102", "103"])
LISTED = st.frozensets(IDS)
NTH = st.integers(0, 5)


class Refused(Exception):
    """The dictionaries say no."""


class Simple:
    """The same deeds, too simple to be wrong."""

    def __init__(self):
        self.bindings, self.intents, self.retired, self.events = {}, {}, {}, 0
        self.withdrawn, self.blocked = {}, set()  # the former by nonce

    def state_of(self):
        return LedgerState(
            tuple(sorted(self.bindings.values(), key=lambda one: one.agent)),
            tuple(sorted(self.intents.values(), key=lambda one: (one.begun_ms, one.agent))),
            tuple(sorted(self.retired.values(), key=lambda one: (one.since_ms, one.profile_id))),
            tuple(sorted(self.withdrawn.values(), key=lambda late: (late.intent.begun_ms, late.intent.nonce))),
            frozenset(self.blocked),
        )

    def need(self, condition):
        if not condition:
            raise Refused

    def knows(self, id):
        return id in self.retired or any(one.profile_id == id for one in self.bindings.values())

    def begin_intent(self, intent):
        self.need(intent.agent not in self.intents and intent.agent not in self.blocked)
        self.intents[intent.agent] = intent

    def attempt(self, nonce, now, *, counts):
        intent = self.open_intent(nonce)
        times = {"attempted_ms": now, "boot": "a start", "attempted_local_ms": now + 1}
        self.intents[intent.agent] = replace(intent, attempt=intent.attempt + counts, **times)

    def open_intent(self, nonce):
        self.need(any(intent.nonce == nonce for intent in self.intents.values()))
        return next(intent for intent in self.intents.values() if intent.nonce == nonce)

    def close(self, nonce):
        """Forget an intent, open or withdrawn, and return it."""
        if nonce in self.withdrawn:
            return self.withdrawn.pop(nonce).intent
        return self.intents.pop(self.open_intent(nonce).agent)

    def bind(self, binding):
        self.need(not self.knows(binding.profile_id))
        if former := self.bindings.pop(binding.agent, None):
            self.retired[former.profile_id] = Retired(
                former.profile_id, former.agent, former.name, binding.bound_ms, "replaced"
            )
        self.bindings[binding.agent] = binding

    def adopt(self, binding):
        former = self.retired.get(binding.profile_id)
        if former is not None and former.agent == binding.agent:
            del self.retired[binding.profile_id]
        self.bind(binding)
        self.intents.pop(binding.agent, None)
        self.events += binding.agent in self.blocked  # the record that the block was lifted
        self.blocked.discard(binding.agent)

    def finish_intent(self, nonce, profile, now):
        self.need(not self.knows(profile.id))
        intent = self.close(nonce)
        shown = intent.protected, "url", profile.name
        self.bind(Binding(intent.agent, profile.id, intent.name, intent.avatar, profile.created_ms, now, *shown))
        if intent.agent in self.blocked:
            self.retire(intent.agent, now)
            self.events += 1

    def retire_late(self, nonce, profile, now):
        self.need(not self.knows(profile.id))
        intent = self.close(nonce)
        self.retired[profile.id] = Retired(profile.id, intent.agent, intent.name, now, "removed")

    def cancel_intent(self, nonce, now):
        intent = self.close(self.open_intent(nonce).nonce)
        self.withdrawn[nonce] = WithdrawnIntent(intent, now)
        self.withdrawn = {
            nonce: late for nonce, late in self.withdrawn.items() if now - late.withdrawn_ms <= WITHDRAWN_MS
        }

    def note_shown(self, id, name):
        for agent, binding in self.bindings.items():
            if binding.profile_id == id:
                self.bindings[agent] = replace(binding, name_as_shown=name)

    def unblock(self, agent):
        self.events += agent in self.blocked
        self.blocked.discard(agent)

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
        except LedgerConflict:
            assert not expected
        else:
            assert expected

    def nonce(self, nth):
        """Return the nonce of an intent, open or withdrawn, or of none."""
        nonces = [*(intent.nonce for intent in self.simple.intents.values()), *self.simple.withdrawn, "unknown"]
        return nonces[nth % len(nonces)]

    @rule(agent=AGENTS, listed=LISTED, protected=st.booleans())
    def begin_intent(self, agent, listed, protected):
        times = self.now, 1, self.now
        intent = Intent(
            str(self.now), agent, agent.title(), "sha256:a", listed, *times, protected, "picture", "an earlier start", 5
        )
        self.both(lambda: self.simple.begin_intent(intent), lambda: self.ledger.begin_intent("1", intent))

    @rule(nth=NTH)
    def reattempt(self, nth):
        nonce, now, local = self.nonce(nth), self.now, LocalTime("a start", self.now + 1)
        self.both(
            lambda: self.simple.attempt(nonce, now, counts=True), lambda: self.ledger.reattempt("1", nonce, now, local)
        )

    @rule(nth=NTH)
    def mark_unknown(self, nth):
        nonce, now, local = self.nonce(nth), self.now, LocalTime("a start", self.now + 1)
        self.both(
            lambda: self.simple.attempt(nonce, now, counts=False),
            lambda: self.ledger.mark_unknown("1", nonce, now, local),
        )

    @rule(nth=NTH, id=IDS, adopted=st.booleans())
    def finish_intent(self, nth, id, adopted):
        nonce, now, profile = self.nonce(nth), self.now, Profile(id, "X", "url", self.now)
        self.both(
            lambda: self.simple.finish_intent(nonce, profile, now),
            lambda: self.ledger.finish_intent("1", nonce, profile, now, adopted=adopted),
        )

    @rule(nth=NTH, id=IDS)
    def retire_late(self, nth, id):
        nonce, now, profile = self.nonce(nth), self.now, Profile(id, "X", "url", self.now)
        self.both(
            lambda: self.simple.retire_late(nonce, profile, now),
            lambda: self.ledger.retire_late("1", nonce, profile, now),
        )

    @rule(nth=NTH)
    def cancel_intent(self, nth):
        nonce, now = self.nonce(nth), self.now
        self.both(
            lambda: self.simple.cancel_intent(nonce, now),
            lambda: self.ledger.cancel_intent("1", nonce, "lost", now, was_sent=True),
        )

    @rule(days=st.sampled_from([1, 2]))
    def days_pass(self, days):
        self.now += days * WITHDRAWN_MS // 2

    @rule(id=IDS, name=st.sampled_from(["X", "Y &amp; Z"]))
    def note_shown(self, id, name):
        self.both(lambda: self.simple.note_shown(id, name), lambda: self.ledger.note_shown("1", id, name), events=0)

    @rule(agent=AGENTS)
    def block(self, agent):
        now = self.now
        self.both(lambda: self.simple.blocked.add(agent), lambda: self.ledger.block("1", agent, now))

    @rule(agent=AGENTS)
    def unblock(self, agent):
        now = self.now
        self.both(lambda: self.simple.unblock(agent), lambda: self.ledger.unblock("1", agent, now), events=0)

    @rule(agent=AGENTS, id=IDS)
    def adopt(self, agent, id):
        now, profile = self.now, Profile(id, "X", "url", self.now)
        binding = Binding(agent, id, "Agent's", "sha256:b", now, now, False, "url", "X")
        self.both(
            lambda: self.simple.adopt(binding),
            lambda: self.ledger.adopt(
                "1", agent, profile, name="Agent's", avatar="sha256:b", protected=False, now_ms=now
            ),
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
        intents = [*self.simple.intents.values(), *(late.intent for late in self.simple.withdrawn.values())]
        assert len({intent.listed for intent in intents}) == kept

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
