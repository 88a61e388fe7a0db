"""A ledger that moves: whole or not at all, and whatever cuts it short, never two of them are in use."""

from __future__ import annotations

import io
import itertools
import re
import shlex

import pytest

from profilectl.errors import LedgerRefused, TryLater
from profilectl.ledger import export, relocation, schema, sqlite
from profilectl.ledger.address import parse_place
from profilectl.ledger.opening import open_for_reading, open_for_writing
from profilectl.model import Dispatch, Event
from tests.ledger.filled import USER, fill

_NUMBERS = itertools.count(1)


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "old" / "ledger.db"
    with open_for_writing(path, actor="ann@desk") as ledger:
        fill(ledger)
    return path


@pytest.fixture(params=["to a file", "to a server", "to a pooler"])
def new(request, tmp_path):
    if request.param == "to a file":
        return tmp_path / "new" / "ledger.db"
    front = request.getfixturevalue("postgres" if request.param == "to a server" else "pooler")
    return parse_place(front.address(query=f"schema=moved_{next(_NUMBERS)}"))


def is_missing(place):
    with open_for_reading(place, even_moved=True) as ledger:
        return ledger.engine.read(export.is_empty)


def move(old, new):
    """Do what the command does."""
    with open_for_writing(old) as source:
        extent = relocation.migrate(source.engine, lambda: marked(new), io.BytesIO(), str(old), str(new))
    finish(old, new)
    return extent


def finish(old, new):
    with open_for_reading(old, even_moved=True) as source, marked(new) as target:
        return relocation.finish(source.engine, target.engine, str(old), str(new))


def marked(path):
    return open_for_writing(path, even_moved=True)


def exported(path):
    file = io.BytesIO()
    with open_for_reading(path, even_moved=True) as ledger:
        ledger.engine.read(lambda execute: export.write(execute, file))
    return file.getvalue()


def usable(*paths):
    """Return which of these ledgers commands use."""
    usable = []
    for path in paths:
        try:
            with open_for_writing(path):
                usable.append(path)
        except LedgerRefused:
            with pytest.raises(LedgerRefused):
                open_for_reading(path)
    return usable


def test_the_copy_is_the_ledger_from_then_on(old, new):
    """Byte for byte, and the old one names it."""
    before = exported(old)
    extent = move(old, new)

    assert (before, before) == (exported(new), exported(old))
    assert extent.rows == before.count(b"\n") - 2
    assert [new] == usable(old, new)
    with pytest.raises(LedgerRefused, match=re.escape(f"was moved to {new}")) as refusal:
        open_for_reading(old)
    assert f"PROFILECTL_LEDGER={shlex.quote(str(new))}" in refusal.value.hint
    assert "config.toml" in refusal.value.hint


def test_who_had_it_open_can_write_nothing_more(old, new):
    """A sender that began before the move promises nothing in a ledger that nobody reads."""
    with open_for_writing(old) as sender:
        move(old, new)
        before = exported(old)
        with pytest.raises(LedgerRefused, match="was moved to"):
            sender.begin_send(USER, Dispatch("k9", "d9", "ann", "5", "print", "100", 80), None)
        with pytest.raises(LedgerRefused, match="was moved to"), sender.batch():
            sender.record(Event("sent", USER, 80))

    assert before == exported(old)


def test_what_is_sent_while_it_is_copied(old, new):
    """It is in the copy."""

    def during():
        with open_for_writing(old) as sender:
            sender.record(Event("sent", USER, 80))
        return marked(new)

    with open_for_writing(old) as source:
        before = source.last_seq()
        extent = relocation.migrate(source.engine, during, io.BytesIO(), str(old), str(new))
    finish(old, new)
    with open_for_reading(new) as ledger:
        assert (before + 1, extent) == (ledger.last_seq(), relocation.extent_of(ledger.engine))


def test_nobody_sends_at_the_end(old, new, monkeypatch):
    """While it is made sure that the copy is complete: a message of that moment would be missing in it."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.05)
    fill_copy, tried = relocation._fill, []

    class Trying(export.Nowhere):
        def write(self, data):
            tried.append(data)
            with pytest.raises(TryLater), open_for_writing(old) as sender:
                sender.record(Event("sent", USER, 80))

    def fill_and_try(*values):
        fill_copy(*values)
        monkeypatch.setattr(export, "Nowhere", Trying)

    monkeypatch.setattr(relocation, "_fill", fill_and_try)
    with open_for_writing(old) as source:
        relocation.migrate(source.engine, lambda: marked(new), io.BytesIO(), str(old), str(new))
    assert tried


class PowerCutError(BaseException):
    """The process ends here."""


def cut(monkeypatch, owner, name, *, before=True):
    """Let the process end at a call, or right after it."""
    real = getattr(owner, name)

    def ending(*values, **more):
        if not before:
            real(*values, **more)
        raise PowerCutError

    monkeypatch.setattr(owner, name, ending)


@pytest.mark.parametrize("is_used", [False, True], ids=["untouched", "used meanwhile"])
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (export, "write"),
        (export, "judge"),
        (export, "load"),
        (relocation, "_require_free"),
        (relocation, "_require_same"),
    ],
)
def test_cut_short_before_the_old_one_is_marked(old, new, monkeypatch, owner, name, is_used):
    """The old one stays in use, the copy isn't; the next attempt makes it anew, with what came since."""
    with monkeypatch.context() as patch:
        cut(patch, owner, name)
        with pytest.raises(PowerCutError):
            move(old, new)
    if name == "_require_same":
        assert [old] == usable(old, new)
        with pytest.raises(LedgerRefused, match=f"unfinished move from {old}"):
            open_for_reading(new)
        with pytest.raises(LedgerRefused, match=f"unfinished move from {old}"):
            open_for_writing(new)
    else:
        assert old in usable(old)
    if is_used:
        with open_for_writing(old) as ledger:
            ledger.record(Event("sent", USER, 80))
    before = exported(old)
    move(old, new)

    assert (before, [new]) == (exported(new), usable(old, new))


def test_cut_short_after_the_old_one_is_marked(old, new, monkeypatch):
    """Neither is used until the same command has finished it."""
    with monkeypatch.context() as patch:
        cut(patch, relocation, "finish")
        with pytest.raises(PowerCutError):
            move(old, new)
    assert [] == usable(old, new)
    assert finish(old, new)
    assert ([new], exported(old)) == (usable(old, new), exported(new))
    assert not finish(old, new)


def test_an_unfinished_copy_that_was_changed(old, new, monkeypatch):
    """It doesn't take over."""
    with monkeypatch.context() as patch:
        cut(patch, relocation, "finish")
        with pytest.raises(PowerCutError):
            move(old, new)
    with marked(new) as target, target.engine.transaction() as execute:
        execute("DELETE FROM blocked")
    with pytest.raises(LedgerRefused, match="isn't the same ledger"):
        finish(old, new)
    assert [] == usable(old, new)


def test_another_ledger_at_the_new_place(old, new):
    """It stays, and so does the old one."""
    with open_for_writing(new) as ledger:
        ledger.record(Event("sent", "2", 1))
    before = exported(new)
    with pytest.raises(LedgerRefused, match=re.escape(f"{new} has a ledger already")):
        move(old, new)

    assert (before, [old, new]) == (exported(new), usable(old, new))


def test_a_copy_on_its_way_from_elsewhere(old, new, tmp_path):
    """Somebody else's unfinished move isn't taken over."""
    with marked(new) as target, target.engine.transaction() as execute:
        execute(schema.SET_MARK, name="arriving_from", value=str(tmp_path / "third.db"))
    with pytest.raises(LedgerRefused, match=r"has a ledger already, arriving from .*third.db"):
        move(old, new)
    with pytest.raises(LedgerRefused, match="unfinished move from"):
        finish(old, new)
    assert [old] == usable(old, new)


def test_back_again(old, new):
    """Where it was there is the old one still, which has to be moved away first."""
    move(old, new)
    with pytest.raises(LedgerRefused, match=re.escape(f"{old} has a ledger already, moved to {new}")):
        move(new, old)
    old.rename(old.with_name("former.db"))
    before = exported(new)
    move(new, old)

    assert ([old], before) == (usable(old, new), exported(old))


def test_a_ledger_whose_record_was_changed(old, new):
    """It isn't moved as if it were sound."""
    with open_for_writing(old) as ledger, ledger.engine.transaction() as execute:
        execute("UPDATE audit SET hash = :hash WHERE seq = 3", hash="0" * 64)
    with pytest.raises(LedgerRefused, match="breaks the chain of the audit trail at record 3"):
        move(old, new)
    assert is_missing(new)
    assert [old] == usable(old)


def test_two_admins_move_it_at_once(old, new, tmp_path):
    """The second one, who waited for the first, is told where it went, and makes no second ledger in use."""
    elsewhere = tmp_path / "elsewhere.db"
    with open_for_writing(old) as second:
        move(old, new)
        with pytest.raises(LedgerRefused, match="was moved to"):
            relocation.migrate(second.engine, lambda: marked(elsewhere), io.BytesIO(), str(old), str(elsewhere))
    assert [new] == usable(old, new)
    assert not elsewhere.exists()


def test_a_copy_that_was_lost_since_is_no_ledger(old, new):
    """An empty one in its place, as after a database was made anew, isn't called the ledger; nothing is changed."""
    move(old, new)
    with marked(new) as target, target.engine.transaction() as execute:
        export.clear(execute)
    with pytest.raises(LedgerRefused, match="what is there now lacks it") as refusal:
        finish(old, new)
    assert f"PROFILECTL_LEDGER={shlex.quote(str(old))} profilectl ledger export" in refusal.value.hint
