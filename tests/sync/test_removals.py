"""A profile ends after the messages that carry it, and only when X says so."""

from __future__ import annotations

import itertools

import pytest

from profilectl.errors import InputRefused, NotFound, OutcomeUnknown, TryLater, Unreachable
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Account, Agent, Brand, Dispatch, Event, Kind, LocalTime, Profile, Roster
from profilectl.plan.builder import Plan
from profilectl.plan.changes import Action, Change, Reason
from profilectl.plan.fingerprint import Basis
from profilectl.plan.intents import Observation
from profilectl.profiles import manual_changes
from profilectl.profiles.offboarding import Offboarding
from profilectl.sync import removals
from profilectl.sync.apply import apply
from profilectl.sync.outcomes import ExitCode, Status, exit_code
from profilectl.sync.ports import BrandTarget, Stop
from profilectl.sync.removals import LONGEST_SEND_MS

START = 1_900_000_000_000
ACME = Brand("acme", "acmecare")
ACCOUNT = Account("1", "acmecare", "api.x.com")
ROSTER = Roster((ACME,), (Agent("alice", "acme", "Alice", "a.png", Kind.HUMAN),))
PROMISE = Dispatch("k", "n1", "alice", "7007", "sha256:f", "9", START)


def face(profile_id):
    return Profile(profile_id, "Alice", "https://pbs.example/1.jpg", START - 1000)


class SmallX:
    """An X with profiles, to whom messages can be sent; `answer` is what a destroy gets."""

    def __init__(self, *ids):
        self.profiles = {profile_id: face(profile_id) for profile_id in ids}
        self.time_ms = START
        self.skew_ms = 0  # of what the Date headers say
        self.answers = []  # to the next destroys: (is it applied, what it gets)
        self.looks = None  # an error that every look gets
        self.sent = []
        self.destroys = 0

    def now_ms(self):
        return self.time_ms + self.skew_ms

    def local_time(self):
        return LocalTime("a start", self.time_ms - START)

    def verify_credentials(self):
        return ACCOUNT

    def list_profiles(self):
        if self.looks is not None:
            raise self.looks
        return tuple(self.profiles.values())

    def show_profile(self, profile_id):
        if profile_id not in self.profiles:
            raise NotFound("no such profile", status=404, code=34)
        return self.profiles[profile_id]

    def destroy_profile(self, profile_id):
        self.destroys += 1
        is_applied, error = self.answers.pop(0) if self.answers else (True, None)
        if is_applied:
            self.profiles.pop(profile_id, None)
        if error is not None:
            raise error

    def send(self, profile_id):
        assert profile_id in self.profiles, "a message left with a profile that was destroyed"
        self.sent.append(profile_id)


@pytest.fixture
def x():
    return SmallX("9")


@pytest.fixture
def ledger(tmp_path):
    with open_for_writing(tmp_path / "state" / "ledger.db") as ledger:
        ledger.register_account("acme", ACCOUNT, START)
        ledger.adopt("1", "alice", face("9"), avatar="sha256:a", protected=False, now_ms=START)
        yield ledger


class Waits:
    """A `Wait` on X's clock, with what happens meanwhile."""

    def __init__(self, x, meanwhile=lambda: None, *, allowed=True):
        self.x, self.meanwhile, self.allowed = x, meanwhile, allowed
        self.reasons = []

    def __call__(self, seconds, why):
        self.reasons.append(why)
        if not self.allowed:
            return False
        self.x.time_ms += int(seconds * 1000)
        self.meanwhile()
        return True


def finish(ledger):
    ledger.finish_send("1", Dispatch("k", "n1", "alice", "7007", "sha256:f", "9", START, "900"), Event("sent", "1", 2))


# One removal, and the messages before it


def test_nothing_is_waited_for_without_a_message(x, ledger):
    """Other profiles' messages and finished ones don't count."""
    ledger.begin_send("1", PROMISE, None)
    finish(ledger)
    waits = Waits(x)
    removals.await_sends(ledger, "1", "9", x, waits)

    assert ([], {}) == (waits.reasons, ledger.open_sends("1"))


def test_a_message_on_its_way_is_waited_for_until_it_is_over(x, ledger):
    """The wait ends with the message, not with its deadline."""
    ledger.begin_send("1", PROMISE, None)
    waits = Waits(x, lambda: finish(ledger))
    removals.await_sends(ledger, "1", "9", x, waits)

    assert ["for a message with profile 9 to be over"] == waits.reasons
    assert START + 1000 == x.time_ms


def test_a_message_whose_end_nobody_knows_is_waited_for_until_its_deadline(x, ledger):
    """A send that was killed can't hold a profile for ever."""
    ledger.begin_send("1", PROMISE, None)
    removals.await_sends(ledger, "1", "9", x, Waits(x))

    assert START + LONGEST_SEND_MS == x.time_ms
    assert {"9": START} == ledger.open_sends("1")


@pytest.mark.parametrize("jump_ms", [LONGEST_SEND_MS, -86_400_000])
def test_a_date_header_that_jumps_makes_no_message_over_and_keeps_none(x, ledger, jump_ms):
    """X's clock says once how long a message may take; this machine's counts it."""
    ledger.begin_send("1", PROMISE, None)
    waits = Waits(x, lambda: setattr(x, "skew_ms", jump_ms))
    removals.await_sends(ledger, "1", "9", x, waits)

    assert START + LONGEST_SEND_MS == x.time_ms


def test_a_promise_of_a_later_time_is_waited_for_no_longer_than_a_message_takes(x, ledger):
    """X's clock was set back since; what was promised before the profile was unbound is over by then."""
    ledger.begin_send("1", PROMISE, None)
    x.skew_ms = -86_400_000
    removals.await_sends(ledger, "1", "9", x, Waits(x))

    assert START + LONGEST_SEND_MS == x.time_ms


def test_without_time_for_a_wait_it_is_for_later(x, ledger):
    """The error says whose message it is, and who destroys the profile."""
    ledger.begin_send("1", PROMISE, None)
    with pytest.raises(TryLater, match="a message with profile 9 is on its way") as refusal:
        removals.await_sends(ledger, "1", "9", x, Waits(x, allowed=False))
    assert "the next sync destroys it" == refusal.value.hint


@pytest.mark.parametrize("is_applied", [True, False])
def test_an_unknown_answer_is_settled_by_what_x_has(x, is_applied):
    """Gone is what neither the list nor the profile's own page has; anything else stays unknown."""
    x.answers = [(is_applied, OutcomeUnknown("HTTP 502"))]
    if is_applied:
        removals.destroy(x, "9")
    else:
        with pytest.raises(OutcomeUnknown, match="HTTP 502"):
            removals.destroy(x, "9")
    assert is_applied == ("9" not in x.profiles)


def test_a_list_alone_is_no_proof(x, monkeypatch):
    """X's list may be short of a profile that X still has."""
    x.answers = [(False, OutcomeUnknown("HTTP 502"))]
    monkeypatch.setattr(x, "list_profiles", lambda: ())
    with pytest.raises(OutcomeUnknown, match="HTTP 502"):
        removals.destroy(x, "9")


def test_the_answer_to_the_deed_counts_when_x_can_t_be_looked_at(x):
    """A look that fails proves nothing, and hides nothing."""
    x.answers, x.looks = [(True, OutcomeUnknown("HTTP 502"))], Unreachable("down")
    with pytest.raises(OutcomeUnknown, match="HTTP 502"):
        removals.destroy(x, "9")


# Whoever destroys


def by_sync(x, ledger, wait):
    """Let a sync remove the agent; return its only outcome."""
    is_bound = ledger.state_of("1").binding("alice") is not None
    action, why = (Action.DELETE, Reason.REMOVED) if is_bound else (Action.DESTROY, Reason.REPLACED)
    plan = Plan((Change("acme", "alice", action, (why,), "9"),), Basis("", "", "", ""))
    observation = Observation("acme", tuple(x.profiles.values()), START, ledger.state_of("1"), "1")
    target = BrandTarget("1", x, observation)
    [outcome] = apply(plan, {"acme": target}, ledger, {}, jobs=1, stop=Stop(), wait=wait, prune_at_once=False)
    return outcome


def by_offboard(x, ledger, wait):
    """Offboard the agent; return the only result."""
    offboarding = Offboarding(ROSTER, "alice", (ACME,), lambda _brand: x, x.now_ms)
    blocked = offboarding.block(ledger)
    [result] = offboarding.destroy(ledger, blocked.brands, 1, lambda *_: None, wait)
    return result


def by_hand(x, ledger, wait):
    """Destroy the profile once it is retired."""
    if ledger.state_of("1").binding("alice") is not None:
        ledger.retire("1", "alice", START)
    unused = manual_changes.find_unused(x, ledger, ACME, "9")
    return manual_changes.destroy(x, ledger, unused, lambda *_: None, wait)


def test_a_sync_that_may_not_wait_leaves_the_profile_to_the_next_one(x, ledger):
    """The step is skipped with 75, nobody can send with the profile any more, and the next run destroys it."""
    ledger.begin_send("1", PROMISE, None)
    outcome = by_sync(x, ledger, Waits(x, allowed=False))

    assert (Status.SKIPPED, ExitCode.TRY_LATER) == (outcome.status, exit_code([outcome]))
    assert (["9"], None) == (list(x.profiles), ledger.state_of("1").binding("alice"))
    with pytest.raises(InputRefused, match="nothing was sent"):
        ledger.begin_send("1", Dispatch("l", "n2", "alice", "7007", "sha256:g", "9", START), None)
    finish(ledger)
    assert (Status.DONE, {}) == (by_sync(x, ledger, Waits(x)).status, x.profiles)
    assert () == ledger.state_of("1").retired


def test_a_sync_doesn_t_call_an_unknown_answer_done(x, ledger):
    """The row stays retired, and the outcome is unknown: the next run goes on."""
    x.answers = [(False, OutcomeUnknown("HTTP 502"))]
    outcome = by_sync(x, ledger, Waits(x))

    assert (Status.UNKNOWN, ExitCode.TRY_LATER) == (outcome.status, exit_code([outcome]))
    assert ["9"] == [retired.profile_id for retired in ledger.state_of("1").retired]
    assert Status.DONE == by_sync(x, ledger, Waits(x)).status


@pytest.mark.parametrize(("is_applied", "status"), [(True, "destroyed"), (False, "unconfirmed")])
def test_an_offboarding_confirms_an_unknown_answer_or_says_that_it_can_t(x, ledger, is_applied, status):
    """What isn't confirmed stays retired."""
    x.answers = [(is_applied, OutcomeUnknown("HTTP 403, an HTML page"))]
    result = by_offboard(x, ledger, Waits(x))

    assert status == result.status.value
    assert is_applied == (not ledger.state_of("1").retired)


def test_an_offboarding_leaves_whom_somebody_has_allowed_again(x, ledger):
    """Between the block and the lock of the destroying half lies a wait."""
    offboarding = Offboarding(ROSTER, "alice", (ACME,), lambda _brand: x, x.now_ms)
    blocked = offboarding.block(ledger)
    offboarding.unblock(ledger)
    [result] = offboarding.destroy(ledger, blocked.brands, 1, lambda *_: None, Waits(x))

    assert ("failed", ["9"]) == (result.status.value, list(x.profiles))
    assert "allowed alice again" in result.error.message
    assert frozenset() == ledger.state_of("1").blocked


# Send and destroy, interleaved at each step


class Interleaved:
    """A ledger or an X; `at` is called before and after each of its deeds that matter."""

    DEEDS = ("retire", "open_sends", "drop", "destroy_profile", "block")

    def __init__(self, real, at):
        self.real, self.at = real, at

    def __getattr__(self, name):
        deed = getattr(self.real, name)
        if name not in self.DEEDS:
            return deed

        def watched(*words, **more):
            self.at()
            result = deed(*words, **more)
            self.at()
            return result

        return watched


class Sender:
    """A `send` in another process: at given moments it is promised, leaves, and is finished."""

    def __init__(self, ledger, x, moments):
        self.ledger, self.x = ledger, x
        self.steps = list(zip(moments, (self.promise, self.leave, self.finish), strict=True))
        self.moment = 0
        self.is_promised = False

    def at(self):
        while self.steps and self.steps[0][0] <= self.moment:
            self.steps.pop(0)[1]()
        self.moment += 1

    def promise(self):
        try:
            self.ledger.begin_send("1", PROMISE, None)
        except InputRefused:
            return
        self.is_promised = True

    def leave(self):
        if self.is_promised:
            self.x.send("9")

    def finish(self):
        if self.is_promised:
            finish(self.ledger)


# when it is promised, how much later it leaves, and how much later still it is finished, if at all
STEPS = [(at, at + rest, at + rest + way) for at, rest, way in itertools.product(range(5), (0, 3, 7), (0, 99))]


@pytest.mark.parametrize("moments", STEPS)
@pytest.mark.parametrize("destroyer", [by_sync, by_offboard, by_hand])
@pytest.mark.parametrize("is_replaced", [False, True])
def test_no_message_leaves_with_a_profile_that_is_destroyed(x, ledger, moments, destroyer, is_replaced):
    """However the steps of both fall together: a message that was promised finds its profile, and the profile goes."""
    sender = Sender(ledger, x, moments)
    sender.at()
    if is_replaced:  # the agent has a new face, and the old one is to go
        x.profiles["10"] = face("10")
        ledger.adopt("1", "alice", face("10"), avatar="sha256:a", protected=False, now_ms=START)
        ledger.retire("1", "alice", START)
        ledger.drop("1", "10", START)
        del x.profiles["10"]
    destroyer(Interleaved(x, sender.at), Interleaved(ledger, sender.at), Waits(x, sender.at))
    for _ in range(120):
        sender.at()

    assert (["9"] if sender.is_promised else []) == x.sent
    assert ({}, ()) == (x.profiles, ledger.state_of("1").retired)
