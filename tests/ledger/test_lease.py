"""The right to change a ledger's bindings: one run has it, and who lost it can change nothing."""

from __future__ import annotations

import time

import pytest

from profilectl.errors import LedgerRefused, TryLater
from profilectl.ledger import lease, schema
from profilectl.ledger.store import Store
from profilectl.model import Event
from tests.patience import until

HOLD = 0, "profilectl sync"


@pytest.fixture
def other(engine, ledger):
    """Another run's ledger."""
    with engine.writer() as other:
        yield other


# a file's lock is the kernel's, and can't be lost
shared = pytest.mark.parametrize("engine", ["postgres", "pooler"], indirect=True)


def take_over(store: Store) -> None:
    """Let another run have the lease, as when this one was frozen for too long."""
    with store._engine.transaction() as execute:
        lease.take(execute, "profilectl sync", 1_700_000_000_000)


def test_a_second_run_is_told_who_holds_it(ledger, other):
    """By command, process, machine, user and start; and it gets its turn afterwards."""
    with ledger.lock(*HOLD), pytest.raises(TryLater, match=r"profilectl sync \(pid \d+ on .*, user .*\) since 20"):
        other.lock(*HOLD).__enter__()
    with other.lock(*HOLD):
        other.record(Event("sent", "1", 5))


def test_a_reader_sees_the_holder(engine, ledger):
    """While it holds the ledger, and no longer."""
    with engine.reader() as reader:
        assert reader.holder() is None
        with ledger.lock(*HOLD):
            assert "profilectl sync" == reader.holder().command
        assert reader.holder() is None


def test_a_wait_is_announced_once(ledger, other):
    """With the holder's name, whatever is looked at in between."""
    waits = []
    with ledger.lock(*HOLD), pytest.raises(TryLater):
        other.lock(1.2, "profilectl sync", lambda *wait: waits.append(wait)).__enter__()
    assert [1.2] == [seconds for seconds, _ in waits]
    assert "held by profilectl sync (pid " in waits[0][1]


def test_each_run_has_the_next_epoch(ledger, other):
    """Whoever it is, from its first change on."""
    epochs = []
    for store in (ledger, other, ledger):
        with store.lock(*HOLD):
            store.record(Event("sent", "1", 5))
            epochs.append(store._engine.read(lease.read_all)[0].epoch)
    assert [1, 2, 3] == epochs


def test_who_lost_it_can_change_nothing(ledger, other):
    """Not one row, not in a batch either, and it is told to whom."""
    with ledger.lock(*HOLD):
        ledger.record(Event("sent", "1", 5))
        take_over(other)
        for change in (lambda: ledger.record(Event("sent", "1", 6)), ledger.require_held):
            with pytest.raises(TryLater, match=r"taken over by profilectl sync \(pid .*paused or cut off"):
                change()
        with pytest.raises(TryLater), ledger.batch():
            ledger.record(Event("sent", "1", 7))
    assert [5] == [record.event.at_ms for record in ledger.events()]


def test_a_message_needs_no_lease(ledger, other):
    """Whoever sends never waits for a run."""
    with ledger.lock(*HOLD):
        other.record(Event("sent", "1", 5))
    assert 1 == ledger.last_seq()


@shared
def test_a_lease_that_is_not_renewed_is_taken(ledger, other, monkeypatch):
    """After its time, by the server's clock, without anybody's help."""
    monkeypatch.setattr(lease, "TTL", 0.3)
    with ledger.lock(*HOLD):
        with other.lock(5, "profilectl offboard"):
            assert "profilectl offboard" == other.holder().command
        with pytest.raises(TryLater, match="taken over by"):
            ledger.require_held()


@shared
def test_a_lease_is_renewed_while_nothing_is_written(ledger, other, monkeypatch):
    """A run that waits for X for longer than the lease lasts keeps it."""
    monkeypatch.setattr(lease, "TTL", 1.0)
    monkeypatch.setattr(lease, "RENEWAL", 0.2)
    with ledger.lock(*HOLD):
        with pytest.raises(TryLater, match="is held by profilectl sync"):
            other.lock(2.5, "profilectl offboard").__enter__()
        assert 0 < ledger.seconds_held() <= 1
        ledger.record(Event("sent", "1", 5))


@shared
def test_a_lease_that_is_over_comes_back_in_the_queue_only(ledger, other, monkeypatch):
    """A renewal beside the queue might meet a run that is just taking it; a change of ours proves that nobody has."""
    monkeypatch.setattr(lease, "RENEWAL", 0.1)
    with ledger.lock(*HOLD):
        with other._engine.transaction() as execute:
            execute("UPDATE leases SET expires_ms = 1")
        until(lambda: ledger.seconds_held() < 0, "a renewal that finds the lease over")
        assert other.holder() is None
        ledger.record(Event("sent", "1", 5))
        assert ledger.seconds_held() > 0


@shared
def test_a_run_whose_lease_was_ended_notices_it_soon(ledger, other, monkeypatch):
    """With the next renewal, before anything else leaves for X."""
    monkeypatch.setattr(lease, "RENEWAL", 0.1)
    with ledger.lock(*HOLD):
        other.unlock(other.holder())
        until(lambda: ledger.seconds_held() < 0, "a renewal that finds the lease gone")

        with pytest.raises(TryLater):
            ledger.require_held()


@shared
def test_a_proof_within_a_batch_ends_no_transaction(ledger):
    """What the batch has written so far goes when the batch fails afterwards."""

    def fail():
        with ledger.batch():
            ledger.record(Event("sent", "1", 5))
            ledger.require_held()
            raise ZeroDivisionError

    with ledger.lock(*HOLD):
        with pytest.raises(ZeroDivisionError):
            fail()
        assert 0 == ledger.last_seq()


@shared
def test_unlock_ends_the_lease_of_whoever_holds_it(ledger, other):
    """The next run begins at once, and the one that held it can change nothing any more."""
    with ledger.lock(*HOLD):
        other.unlock(other.holder())
        with other.lock(*HOLD):
            pass
        with pytest.raises(TryLater, match="taken over by"):
            ledger.record(Event("sent", "1", 5))


@shared
def test_an_epoch_that_a_restored_ledger_gives_out_again_is_another_run_s(ledger, other):
    """A dump knows nothing of the runs since: the next one counts from there, and neither is taken for the other."""
    with ledger.lock(*HOLD):
        with ledger._engine.transaction() as execute:
            epoch = lease.read_all(execute)[0].epoch
            execute(schema.DELETE_LEASE, account=lease.ALL)
        time.sleep(0.01)  # by the server's clock, too
        with other.lock(*HOLD):
            other.record(Event("sent", "1", 5))
            assert epoch == other._engine.read(lease.read_all)[0].epoch
            with pytest.raises(TryLater, match="taken over by profilectl sync"):
                ledger.record(Event("sent", "1", 6))
            assert 1 == other.last_seq()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_file_s_lock_ends_with_its_process(ledger):
    """So nobody can take it from there, and the refusal says what can be done."""
    with ledger.lock(*HOLD), pytest.raises(LedgerRefused, match="ends with its process"):
        ledger.unlock(ledger.holder())


def test_without_a_lock_nothing_can_be_lost(ledger):
    """A command that takes none, such as send, isn't bound by a time."""
    assert float("inf") == ledger.seconds_held()


@shared
def test_runs_about_other_accounts_go_on(ledger, other):
    """Each has its own account's lease; one about all of them waits for both, and both for it."""
    with ledger.lock(*HOLD, None, {"1", "2"}), other.lock(*HOLD, None, {"3"}):
        ledger.record(Event("sent", "1", 5))
        other.record(Event("sent", "3", 6))
        ledger.require_held()
    for mine, theirs in (({"1"}, {"1", "3"}), ({"1"}, ()), ((), {"1"})):
        with ledger.lock(*HOLD, None, mine), pytest.raises(TryLater, match="is held by"):
            other.lock(*HOLD, None, theirs).__enter__()


@shared
def test_one_account_that_is_lost_is_enough(ledger, other):
    """Who had several and lost one of them can change nothing any more."""
    with ledger.lock(*HOLD, None, {"1", "2"}):
        with other._engine.transaction() as execute:
            lease.take(execute, "profilectl sync", 1_700_000_000_000, accounts={"2"})
        with pytest.raises(TryLater, match="taken over by"):
            ledger.record(Event("sent", "1", 5))


@shared
def test_unlock_leaves_other_runs_alone(ledger, other):
    """Only the run that was named ends; asked about one that has ended meanwhile, it does nothing."""
    with ledger.lock(*HOLD, None, {"1"}):
        with other.lock(0, "profilectl offboard", None, {"2"}):
            named = other.holder()
            assert "profilectl offboard" == named.command
            other.unlock(named)
            with pytest.raises(TryLater, match="taken over by"):
                other.require_held()
        with pytest.raises(TryLater, match="doesn't hold it any more"):
            other.unlock(named)
        ledger.record(Event("sent", "1", 5))
