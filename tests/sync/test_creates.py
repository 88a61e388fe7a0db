"""Creates against a small X and a real ledger that tells when something has become durable."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest

from profilectl.errors import LedgerRefused, RateLimited
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Account, Agent, Brand, Kind, LocalTime, Picture, PreparedPicture, Profile, Roster
from profilectl.plan.builder import build
from profilectl.plan.intents import Observation
from profilectl.sync.apply import apply
from profilectl.sync.outcomes import Status
from profilectl.sync.ports import BrandTarget, Stop

PICTURE = Picture("a.png", "sha256:aa", 1)
PREPARED = {PICTURE.digest: PreparedPicture(b"bytes", "image/png", PICTURE.digest)}
START = 1_800_000_000_000
AGENTS = 40


class X:
    """Makes whatever it is asked for, and counts; `before` may look at every call first, and raise."""

    def __init__(self, before=lambda kind, name: None):
        self.before = before
        self.time_ms = START
        self.counts = Counter()
        self.busy = self.busiest = 0
        self.profiles = {}
        self.ids = itertools.count(1)
        self.lock = threading.Lock()

    def now_ms(self):
        return self.time_ms

    def local_time(self):
        return LocalTime("a start", self.time_ms - START)

    @contextmanager
    def _call(self, kind, name=None):
        with self.lock:
            self.counts[kind] += 1
            self.busy += 1
            self.busiest = max(self.busiest, self.busy)
        try:
            self.before(kind, name)
            yield
        finally:
            with self.lock:
                self.busy -= 1

    def upload(self, content, media_type):
        with self._call("upload"):
            return "77"

    def create_profile(self, name, media_id, leaves_by_ms=None):
        with self._call("create", name), self.lock:
            one = Profile(str(next(self.ids)), name, "https://pbs.example/x", self.time_ms)
            self.profiles[one.id] = one
            return one


class Watched:
    """A ledger that counts its commits, and may fail at one."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.commits = 0
        self.durable = set()  # names of intents
        self.fails_at = None
        self.pending = []
        self.promises = threading.Semaphore(1)  # one for each durable intent, and one for the first picture

    def __getattr__(self, deed):
        return getattr(self.ledger, deed)

    def writes(self):
        """Say whether the batch that is open has changed something."""
        return self.ledger._batch.execute is not None

    def begin_intent(self, user_id, intent):
        self.ledger.begin_intent(user_id, intent)
        self.pending.append(intent.name)

    @contextmanager
    def batch(self):
        with self.ledger.batch():
            yield
            if self.writes() and self.commits == self.fails_at:
                raise LedgerRefused("disk full")
            self.commits += self.writes()
        self.durable |= set(self.pending)
        for _ in self.pending:
            self.promises.release()
        self.pending = []


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


@pytest.fixture
def records(path):
    with open_for_writing(path) as ledger:
        ledger.register_account("acme", Account("1", "acmecare", "api.x.com"), START)
        yield Watched(ledger)


def steps(records, x, *, jobs=1, agents=AGENTS, stop=None, wait=lambda seconds, why: True):
    """Apply the plan that makes so many agents."""
    wanted = tuple(Agent(f"a{n}", "acme", f"Agent {n}", "a.png", Kind.HUMAN) for n in range(agents))
    roster = Roster((Brand("acme", "acmecare"),), wanted)
    observation = Observation("acme", tuple(x.profiles.values()), x.now_ms(), records.state_of("1"), "1")
    plan = build(roster, {"a.png": PICTURE}, [observation], today=date(2027, 1, 1))
    return apply(
        plan,
        {"acme": BrandTarget("1", x, observation)},
        records,
        PREPARED,
        jobs=jobs,
        stop=stop or Stop(),
        wait=wait,
        prune_at_once=False,
    )


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_an_intent_is_durable_before_its_create_leaves(records, path, jobs):
    """Whoever looks at the moment of a create, from another connection, finds its intent."""
    missing = []

    def look(kind, name):
        if kind == "create":
            with open_for_reading(path) as ledger:
                known = {one.name for one in ledger.state_of("1").intents}
            missing.extend({name} - known)

    list(steps(records, X(look), jobs=jobs))

    assert [] == missing


def test_an_intent_knows_what_made_its_picture(records, monkeypatch):
    """So that the record can say it of a profile that is bound by a later run, too."""
    marked = PreparedPicture(b"bytes", "image/png", PICTURE.digest, made_by="trainedAlgorithmicMedia")
    monkeypatch.setitem(PREPARED, PICTURE.digest, marked)
    intents, begin = [], records.begin_intent
    records.begin_intent = lambda user_id, intent: intents.append(intent) or begin(user_id, intent)
    list(steps(records, X(), agents=2))

    assert ["trainedAlgorithmicMedia"] * 2 == [intent.made_by for intent in intents]


@pytest.mark.parametrize("jobs", [1, 8])
def test_an_outcome_is_told_when_it_is_durable(records, path, jobs):
    """Whoever hears of a profile finds it in the ledger."""
    for outcome in steps(records, X(), jobs=jobs):
        with open_for_reading(path) as ledger:
            assert outcome.profile_id == ledger.state_of("1").binding(outcome.change.agent).profile_id


def test_one_job_writes_once_for_each_agent(records):
    """What came back and what is promised next are one transaction: one for each agent, and the first promise."""
    list(steps(records, X()))

    assert AGENTS + 1 == records.commits


def test_many_jobs_never_write_more_than_twice_for_each_agent(records):
    """A promise and a result of the same agent can't be one transaction; those of several agents can."""
    x = X()
    list(steps(records, x, jobs=8))

    assert AGENTS / 8 <= records.commits <= 2 * AGENTS
    assert {"upload": AGENTS, "create": AGENTS} == x.counts


@pytest.mark.parametrize("jobs", [1, 8])
def test_no_more_calls_at_once_than_jobs(records, jobs):
    """Pictures that are sent ahead take no connection of their own."""
    x = X()
    list(steps(records, x, jobs=jobs))

    assert x.busiest <= jobs


@pytest.mark.parametrize("jobs", [1, 8])
@pytest.mark.parametrize("commit", [0, 1, 5])
def test_a_commit_that_fails_is_told_and_nothing_leaves_after_it(records, jobs, commit):
    """Profiles that X made are named, no create leaves without a durable intent, and the rest is for the next run."""
    x = X(lambda kind, name: kind == "upload" or name in records.durable or pytest.fail(f"{name} wasn't promised"))
    records.fails_at = commit
    told = []
    with pytest.raises(LedgerRefused) as caught:
        told += steps(records, x, jobs=jobs)

    bound = {one.profile_id for one in records.state_of("1").bindings}
    unbound = [one for one in x.profiles.values() if one.id not in bound]
    assert {one.name for one in unbound} <= {one.name for one in records.state_of("1").intents}
    assert not bound or jobs > 1 or len(bound) == commit - 1
    assert (caught.value.hint is None) == (commit == 0) or jobs > 1
    assert {outcome.profile_id for outcome in told} <= bound


def test_the_hint_names_what_was_made(records):
    """With one job it is the profile of the first agent that the second commit couldn't take in."""
    records.fails_at = 1
    with pytest.raises(LedgerRefused) as caught:
        list(steps(records, X()))

    assert "X made profile 1 for a0; the next sync binds it by itself" == caught.value.hint


def test_a_promise_that_waited_too_long_is_renewed(records, path):
    """The next picture takes a minute, in which a promise grows old, so it is given again before its create leaves."""
    x = X()
    left = []  # milliseconds that the ledger gives a create, when it leaves

    def before(kind, name):
        if kind == "upload":
            assert records.promises.acquire(timeout=60)
            x.time_ms += 60_000
            return
        with open_for_reading(path) as ledger:
            left.extend(one.attempted_ms - x.time_ms for one in ledger.state_of("1").intents if one.name == name)

    x.before = before
    list(steps(records, x, agents=3))

    what = Counter(record.event.what for record in records.events())
    assert {"claimed": 1, "intended": 3, "reattempted": 2, "created": 3} == what
    assert [True] * 3 == [30_000 <= one <= 40_000 for one in left]


class Slow(Watched):
    """A ledger on a disk that takes nine seconds for every commit."""

    def __init__(self, ledger, x, stop, stops_at):
        super().__init__(ledger)
        self.x, self.stop, self.stops_at = x, stop, stops_at

    @contextmanager
    def batch(self):
        with super().batch():
            yield
            self.x.time_ms += 9_000 * self.writes()
        assert self.commits < 50, "the run goes on for ever"
        self.stop.requested |= self.commits >= self.stops_at


@pytest.mark.parametrize(("stops_at", "made"), [(99, 4), (2, 1), (1, 0)])
def test_a_disk_slower_than_a_promise_lasts_holds_up_nothing_for_ever(records, stops_at, made):
    """A promise that is renewed lasts twice as long; who wants to stop needs no renewal, and nothing stays open."""
    x, stop = X(), Stop()
    slow = Slow(records.ledger, x, stop, stops_at)
    list(steps(slow, x, agents=4, stop=stop))

    assert (made, ()) == (len(x.profiles), slow.state_of("1").intents)


@pytest.mark.parametrize("jobs", [1, 8])
def test_a_limit_takes_back_what_was_promised(records, jobs):
    """When X wants no more creates today, no intent stays open, and everybody who is left knows why."""
    tomorrow = datetime.fromtimestamp(START / 1000 + 86_400, UTC)

    def before(kind, name):
        if kind == "create" and x.counts["create"] > 5:
            raise RateLimited("over", retry_at=tomorrow)

    x = X(before)
    outcomes = list(steps(records, x, jobs=jobs, wait=lambda seconds, why: False))

    assert ((), 5) == (records.state_of("1").intents, len(records.state_of("1").bindings))
    assert {tomorrow} == {one.error.retry_at for one in outcomes if one.status is Status.SKIPPED}
    assert x.counts["create"] <= 5 + jobs


def test_a_stop_leaves_nothing_open(records):
    """What is uploaded is still made, nothing else is begun."""
    stop = Stop()

    def before(kind, name):
        stop.requested |= kind == "create"

    x = X(before)
    list(steps(records, x, jobs=4, stop=stop))

    assert () == records.state_of("1").intents
    assert x.counts["upload"] == x.counts["create"] < AGENTS


def test_nothing_to_create_writes_nothing(records):
    """A plan without creates opens no transaction."""
    x = X()
    list(steps(records, x, agents=1))
    before = records.commits
    list(steps(records, x, agents=1))

    assert before == records.commits
