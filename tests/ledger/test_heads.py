"""A ledger that went backwards, or that isn't the one that was used last, is noticed by what is kept beside it."""

from __future__ import annotations

import shutil

import pytest

from profilectl.errors import LedgerRefused, TryLater
from profilectl.ledger import sqlite
from profilectl.ledger.accounts import FormerLedger
from profilectl.ledger.heads import KeptHeads
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Account, Event

ACME = Account("1", "acmecare", "api.x.com")
OTHER = Account("2", "globexcare", "api.x.com")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "profilectl" / "api.x.com" / "ledger.db"


@pytest.fixture
def heads(tmp_path):
    return KeptHeads(tmp_path / "profilectl" / "heads" / "api.x.com")


def write(path, heads, *, events=3, account=ACME, at_ms=10):
    """Do what a command does that writes."""
    with open_for_writing(path) as ledger:
        heads.check(ledger, path)
        ledger.register_account(account.handle, account, 1)
        for number in range(events):
            ledger.record(Event("sent", account.user_id, at_ms + number))
        heads.keep(ledger, path)


def check(path, heads):
    with open_for_reading(path) as ledger:
        heads.check(ledger, path)


def test_the_head_is_that_of_the_newest_record(path, heads, tmp_path):
    """It is kept for every account of the ledger, privately."""
    write(path, heads)
    write(path, heads, account=OTHER)
    with open_for_reading(path) as ledger:
        assert [(8, ledger.hash_of(8), str(path))] * 2 == [
            (head.seq, head.hash, head.ledger) for head in (heads.of_account("1"), heads.of_account("2"))
        ]
    folder = tmp_path / "profilectl" / "heads" / "api.x.com"
    assert [0o700, 0o600, 0o600] == [one.stat().st_mode & 0o777 for one in (folder, *sorted(folder.iterdir()))]


def test_the_same_ledger_goes_on(path, heads):
    """Who reads and who writes find it as it was left, and in the hands of an older program it may be ahead."""
    write(path, heads)
    write(path, heads)
    with open_for_writing(path) as ledger:
        ledger.record(Event("sent", "1", 50))  # and was killed before the head was kept
    check(path, heads)
    write(path, heads)
    assert 11 == heads.of_account("1").seq


def test_an_older_one_in_its_place(path, heads, tmp_path):
    """A backup that was put back is refused, with what is missing, and both ways on."""
    write(path, heads)
    shutil.copyfile(path, tmp_path / "backup.db")
    write(path, heads)
    (tmp_path / "backup.db").replace(path)
    path.chmod(0o600)
    before = path.read_bytes()
    for look in (check, write):
        with pytest.raises(LedgerRefused, match="went backwards: its record 7 is missing") as refusal:
            look(path, heads)
        assert "restore the newer one" in refusal.value.hint
    assert before == path.read_bytes()
    assert "`profilectl ledger accept-restore` goes on with this one" in refusal.value.hint


def test_a_person_goes_on_with_an_older_one(path, heads, tmp_path):
    """What is missing is told, and recorded; from then on its head is the one that counts."""
    write(path, heads)
    shutil.copyfile(path, tmp_path / "backup.db")
    write(path, heads, at_ms=70)
    (tmp_path / "backup.db").replace(path)
    path.chmod(0o600)
    with open_for_writing(path) as ledger:
        (setback,) = heads.setbacks(ledger)
        assert ("1", 7, 72, True) == (setback.user_id, setback.head.seq, setback.head.at_ms, setback.is_missing)
        heads.accept(ledger, path, [setback], 99)
        (event,) = (record.event for record in ledger.events(after=4))
        assert ("restored", "1", 99) == (event.what, event.account, event.at_ms)
        assert (7, 4) == (event.detail["seen"], event.detail["last"])
        assert () == heads.setbacks(ledger)
    check(path, heads)
    assert 5 == heads.of_account("1").seq


def test_a_head_that_an_earlier_version_kept(path, heads):
    """It has no time, and counts all the same."""
    write(path, heads)
    head = heads._folder / "1"
    head.write_text(head.read_text().replace(',"at_ms":12', ""))
    assert (4, 0) == (heads.of_account("1").seq, heads.of_account("1").at_ms)
    check(path, heads)


def test_another_one_in_its_place(path, heads, tmp_path):
    """A ledger with a record of its own is refused, however long that is; the right one is named."""
    write(path, heads)
    other = tmp_path / "other" / "ledger.db"
    write(other, KeptHeads(None), events=9, at_ms=70)
    with pytest.raises(LedgerRefused, match=r"isn't the ledger that was used last.*record 4 is another one") as refusal:
        check(other, heads)
    assert f"PROFILECTL_LEDGER={path}" in refusal.value.hint


def test_a_new_one_takes_over(path, heads):
    """What registers the account anew has been agreed to elsewhere; from then on the former one is another."""
    write(path, heads, events=9)
    path.rename(path.with_name("former.db"))
    write(path, heads, events=1, at_ms=70)
    assert FormerLedger(str(path), 2) == heads.ledger_of("1")
    with pytest.raises(LedgerRefused, match="record 2 is another one"):
        check(path.with_name("former.db"), heads)


def test_who_writes_nothing_keeps_nothing(path, heads):
    """A run with nothing to do writes no file."""
    write(path, heads)
    head = heads._folder / "1"
    before = head.stat().st_mtime_ns, head.stat().st_ino
    write(path, heads, events=0)
    check(path, heads)
    assert before == (head.stat().st_mtime_ns, head.stat().st_ino)


def test_a_slower_process_never_puts_an_older_head(path, heads, monkeypatch):
    """What is kept is what is true while nobody else can write."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.05)
    with open_for_writing(path) as slow, open_for_writing(path) as quick:
        slow.register_account("acme", ACME, 1)
        quick.record(Event("sent", "1", 10))
        heads.keep(quick, path)
        heads.keep(slow, path)
        assert 2 == heads.of_account("1").seq
        with quick.held_still(), pytest.raises(TryLater):
            heads.keep(slow, path)


def test_a_reader_beside_a_writer(path, heads):
    """A head that is kept between two looks of a reader belongs to records that it sees."""
    write(path, heads)

    class Late(KeptHeads):
        def of_account(self, user_id):
            head = super().of_account(user_id)
            write(path, heads, events=1)
            return head

    check(path, Late(heads._folder))


@pytest.mark.parametrize("content", [b"{}", b"[1]", b'{"seq": "1", "hash": "a", "ledger": ""}', b"\xff" * 20_000])
def test_a_damaged_head(path, heads, content):
    """It is named, as it can't be told what it said."""
    write(path, heads)
    head = heads._folder / "1"
    head.write_bytes(content)
    with pytest.raises(LedgerRefused, match=f"{head}, which says how far the ledger is, is damaged"):
        check(path, heads)


def test_a_head_that_a_power_cut_left_empty(path, heads):
    """It says nothing, and the next command that writes keeps it again."""
    write(path, heads)
    (heads._folder / "1").write_bytes(b"")
    write(path, heads)
    assert 7 == heads.of_account("1").seq


def test_an_account_id_is_a_name_within_the_folder(path, heads):
    """A forged ledger can't name another file."""
    write(path, heads, account=Account("../../x", "acmecare", "api.x.com"))
    assert [".._.._x".replace(".", "_")] == [one.name for one in heads._folder.iterdir()]


def test_of_a_sandbox_nothing_is_kept(path, tmp_path):
    """Who plays with it begins anew at will."""
    write(path, KeptHeads(None))
    path.unlink()
    write(path, KeptHeads(None))
    assert KeptHeads(None).of_account("1") is None
    assert not (tmp_path / "profilectl" / "heads").exists()
