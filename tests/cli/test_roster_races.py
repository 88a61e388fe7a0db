"""Several programs at one roster: what each wrote is there, or it says that it wrote nothing."""

from __future__ import annotations

import contextlib
import fcntl
import signal

import pytest

from tests.patience import until


@contextlib.contextmanager
def held(desk):
    """Hold the roster as an edit does while it writes."""
    with (desk.folder / "roster.toml").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ended(process):
    """Return a process's exit code and what it said."""
    _, said = process.communicate(timeout=120)
    return process.returncode, said


def text(desk):
    return (desk.folder / "roster.toml").read_text(encoding="utf-8")


def test_edits_wait_for_each_other(desk):
    """All are there at the end, whoever was first."""
    desk.write(*((key, key.title()) for key in ("alice", "bruno", "chidi", "dora")))
    with held(desk):
        edits = [desk.start("roster", "set", key, "title=Lead") for key in ("alice", "bruno")]
        edits += [desk.start("roster", "remove", "chidi"), desk.start("roster", "add", "emre", "--name", "Emre")]
        assert [None] * 4 == [edit.poll() for edit in edits]
    assert [0] * 4 == [code for code, _ in map(ended, edits)]
    assert (2, 0, 1) == tuple(map(text(desk).count, ('title = "Lead"', "[agents.chidi]", "[agents.emre]")))
    assert 0 == desk.run("roster", "check").code


def test_who_waits_too_long_has_written_nothing(desk):
    """It says who is in the way, and that it can be tried again (75)."""
    desk.write(("alice", "Alice"))
    before = text(desk)
    with held(desk):
        done = desk.run("roster", "set", "alice", "title=Lead")
    assert (75, True, before) == (done.code, "another program holds roster.toml" in done.err, text(desk))


@pytest.fixture
def importing(desk):
    """An import that has replaced alice's picture and waits for the roster, and what lets go of it."""
    desk.draw("alice.jpg")
    desk.write(("alice", "Alice", 'avatar = "avatars/alice.jpg"'))
    (desk.folder / "faces").mkdir()
    desk.draw("../faces/alice.png", colour=(200, 0, 0))
    (desk.folder / "people.csv").write_text("key,name,title\nalice,Alice,Lead\n")
    former = picture(desk)
    with contextlib.ExitStack() as stack:
        stack.enter_context(held(desk))
        process = desk.start("roster", "import", "people.csv", "--photos", "faces")
        until(lambda: picture(desk) != former, "the new picture")
        yield process, stack.close


def picture(desk):
    return (desk.folder / "avatars" / "alice.jpg").read_bytes()


def test_an_import_that_comes_too_late_puts_the_picture_back(desk, importing):
    """An editor has written meanwhile: its words stay, and so does the picture that they are about."""
    process, let_go = importing
    (desk.folder / "roster.toml").write_text(f"{text(desk)}# mine\n", encoding="utf-8")
    let_go()
    code, said = ended(process)

    assert (75, True) == (code, "has changed meanwhile, so nothing was written" in said), said
    assert (0, True, True) == (text(desk).count("Lead"), text(desk).endswith("# mine\n"), is_first(desk))


def is_first(desk):
    """Say whether alice's picture is the one that was there before the import."""
    return picture(desk) == desk.draw("again.jpg").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_import_that_is_ended_puts_the_picture_back(desk, importing, number):
    """Ctrl-C and SIGTERM leave nothing half done."""
    process, _ = importing
    process.send_signal(number)

    assert (128 + number, 0, True) == (ended(process)[0], text(desk).count("Lead"), is_first(desk))


def test_an_import_that_has_waited_writes_both(desk, importing):
    """The roster was only locked, not changed."""
    process, let_go = importing
    let_go()

    assert (0, 1, False) == (ended(process)[0], text(desk).count('title = "Lead"'), is_first(desk))
