"""The order of events is the order of their times, whatever clocks, runs and machines do to a record."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from profilectl.audit import chain
from profilectl.errors import ProfilectlError
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Account, Dispatch, Event, Intent, Profile

EXAMPLES = int(os.environ.get("PROFILECTL_TEST_HISTORIES", "40"))
"""How many histories are drawn; PROFILECTL_TEST_HISTORIES=20000 draws as many as the issue asks for."""

START = 1_900_000_000_000
USER = "7001"
AGENTS = st.sampled_from(["alice", "bruno", "chidi"])
NUMBERS = st.integers(100_001, 100_006).map(str)
JUMPS = st.one_of(
    st.integers(0, 5_000),
    st.integers(-40_000, 0),  # a clock that is corrected
    st.sampled_from([-86_400_000, 86_400_000, -(10**11), 10**11]),  # one that is set by hand
)


class Clocks:
    """X's clock and this machine's, each of which goes as a history says."""

    def __init__(self):
        self.x_ms = self.local_ms = START


def create(ledger, agent, profile_id, clocks, number):
    """Promise a profile, and make it; where it is somebody's, it wasn't made."""
    nonce, at_ms = f"n{number}", clocks.x_ms
    ledger.begin_intent(USER, Intent(nonce, agent, agent.title(), "sha256:a", frozenset(), at_ms))
    try:
        made = Profile(profile_id, agent.title(), "https://pbs.example/1.jpg", at_ms)
        ledger.finish_intent(USER, nonce, made, at_ms + 1000, adopted=False)
    except ProfilectlError:
        ledger.cancel_intent(USER, nonce, "the profile is somebody's", at_ms, was_sent=False)


def promise(ledger, agent, _profile_id, clocks, number):
    """Promise a message whose end nobody learns."""
    dispatch = Dispatch(f"k{number}", f"d{number}", agent, "12345", "sha256:f", None, clocks.x_ms)
    return ledger.begin_send(USER, dispatch, None, lambda: clocks.x_ms)


def send(ledger, agent, profile_id, clocks, number):
    """Promise a message, and send it."""
    dispatch = promise(ledger, agent, profile_id, clocks, number)
    event = Event("sent", USER, clocks.x_ms, agent, None, {"nonce": dispatch.nonce})
    ledger.finish_send(USER, replace(dispatch, event_id=f"9{number}"), event)


def note(ledger, _agent, _profile_id, clocks, number):
    """Record something about the account, with a note of it."""
    detail = {"roster": str(number)}
    ledger.record(Event("roster-changed", USER, clocks.x_ms, detail=detail), ("roster", str(number)))


DEED = {
    "create": create,
    "retire": lambda ledger, agent, _profile_id, clocks, _number: ledger.retire(USER, agent, clocks.x_ms),
    "drop": lambda ledger, _agent, profile_id, clocks, _number: ledger.drop(USER, profile_id, clocks.x_ms),
    "send": send,
    "unknown": promise,
    "protect": lambda ledger, agent, _profile_id, _clocks, number: ledger.protect(
        USER, agent, protected=number % 2 == 0
    ),
    "block": lambda ledger, agent, _profile_id, clocks, _number: ledger.block(USER, agent, clocks.x_ms),
    "unblock": lambda ledger, agent, _profile_id, clocks, _number: ledger.unblock(USER, agent, clocks.x_ms),
    "note": note,
    "new run": lambda *_: None,
}


def carry_out(ledger, deed, clocks, number):
    """Do one thing; what can't be done changes nothing."""
    what, agent, profile_id = deed
    DEED[what](ledger, agent, profile_id, clocks, number)


HISTORIES = st.lists(
    st.tuples(st.tuples(st.sampled_from(sorted(DEED)), AGENTS, NUMBERS), JUMPS, JUMPS, st.booleans()),
    min_size=1,
    max_size=25,
)


def write(path, history):
    """Let a history happen, by one run or by several on machines of their own."""
    clocks, ledger = Clocks(), None
    try:
        for number, (deed, x_jump, local_jump, in_batch) in enumerate(history):
            clocks.x_ms += x_jump
            clocks.local_ms += local_jump
            if ledger is None or deed[0] == "new run":
                if ledger is not None:
                    ledger.close()
                ledger = open_for_writing(path, actor="ann@desk")
                ledger._now_ms = lambda: clocks.local_ms
                ledger.register_account("acme", Account(USER, "acmecare", "api.x.com"), clocks.x_ms)
            try:
                if in_batch:
                    with ledger.batch():
                        carry_out(ledger, deed, clocks, number)
                else:
                    carry_out(ledger, deed, clocks, number)
            except ProfilectlError:
                continue
    finally:
        if ledger is not None:
            ledger.close()


@pytest.mark.timeout(600 + EXAMPLES)  # seconds
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORIES)
def test_the_order_of_events_is_the_order_of_their_times(tmp_path_factory, history):
    """Of the time at which each was written, which is named beside X's; numbers have no gap, and the chain is whole."""
    folder = tmp_path_factory.mktemp("order")
    path = folder / "state" / "ledger.db"
    write(path, history)
    with open_for_reading(path) as ledger:
        records = list(ledger.events())
    written = [record.written_ms for record in records]
    assert written == sorted(written)
    assert list(range(1, len(records) + 1)) == [record.seq for record in records]
    assert chain.verify(records) is None
    promised = {}
    for record in records:  # what announces a deed stands before it
        nonce = record.event.detail.get("nonce")
        if record.event.what in {"promised", "intended"}:
            promised[nonce] = record.seq
        elif record.event.what in {"sent", "created"}:
            assert promised[nonce] < record.seq
