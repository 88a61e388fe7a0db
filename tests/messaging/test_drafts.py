"""A draft is one process's while it is written, and everybody's own afterwards."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack

import pytest

from profilectl.errors import InputRefused
from profilectl.messaging.drafts import Correspondence, DraftStore, agent_of, recipient_of

HOLD = """
import sys
from pathlib import Path
from profilectl.messaging.drafts import Correspondence, DraftStore
with DraftStore(Path(sys.argv[1])).begin(Correspondence("77", "alice", "12", "@ada (12)"), goes_on=True) as draft:
    draft.write(b"theirs")
    print(draft.path, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path):
    return DraftStore(tmp_path / "state" / "drafts")


def to(recipient="12", agent="alice"):
    names = ("@ada", recipient) if recipient == "12" else (recipient,)
    return Correspondence("77", agent, recipient, "@ada (12)", tuple(("acme", name) for name in names))


def write(store, text, recipient="12", *, agent="alice", goes_on=True):
    with store.begin(to(recipient, agent), goes_on=goes_on) as draft:
        draft.write(text)
        return draft.path


def test_what_was_kept_is_gone_on_with(store):
    """To the same recipient; for a new text it stays beside."""
    path = write(store, b"one")
    beside = write(store, b"two", goes_on=False)

    with store.begin(to(), goes_on=True) as draft:
        assert (path, b"one") == (draft.path, draft.read(100))
    assert (b"one", b"two", {"12"}) == (path.read_bytes(), beside.read_bytes(), set(map(recipient_of, store.kept())))


def test_a_draft_is_the_agent_s_who_wrote_it(store):
    """Two on one desk who write to one customer don't get each other's; one of an earlier version is nobody's."""
    own, other = write(store, b"Alice's"), write(store, b"Bruno's", agent="bruno")
    old = store.folder / "acme.@ada.2" / "MESSAGE"
    old.parent.mkdir(mode=0o700)
    old.write_bytes(b"of before")

    assert {own: "alice", other: "bruno", old: None} == {path: agent_of(path) for path in store.kept()}
    assert {"12", "@ada"} == set(map(recipient_of, store.kept()))
    assert (own,) == store.kept_for(to())
    with store.begin(to(agent="chidi"), goes_on=True) as draft:
        assert None is draft.read(100)


def test_a_draft_that_was_sent_goes_with_what_the_editor_left(store):
    """Nothing stays of it, and nothing of a folder in which nothing was written."""
    with store.begin(to(), goes_on=True) as draft:
        draft.write(b"Hi")
        (draft.path.parent / "MESSAGE~").write_text("Hi")
        draft.remove()
    with store.begin(to("12345"), goes_on=True):
        pass

    assert ([], ()) == (list(store.folder.iterdir()), store.kept())


def test_a_draft_that_another_process_writes_is_left_alone(store):
    """A second editor to the same person gets a file of its own; after a kill the first one's draft is free."""
    command = [sys.executable, "-c", HOLD, str(store.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        theirs = other.stdout.readline().strip()
        with store.begin(to(), goes_on=True) as draft:
            assert theirs != str(draft.path)
            assert draft.read(100) is None
        other.kill()
    with store.begin(to(), goes_on=True) as draft:
        assert (theirs, b"theirs") == (str(draft.path), draft.read(100))


def test_links_and_folders_of_others_hold_no_draft(store, tmp_path):
    """A folder that somebody else may enter isn't written to, nor is one behind a link."""
    write(store, b"one").parent.chmod(0o755)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (store.folder / "77.13.as-alice").symlink_to(tmp_path / "elsewhere")

    assert "77.12.as-alice.2" == write(store, b"two").parent.name
    with pytest.raises(InputRefused), store.begin(to("13"), goes_on=True):
        pass
    assert [] == list((tmp_path / "elsewhere").iterdir())


def test_a_folder_that_is_full_of_drafts_is_told(store):
    """Twenty to one recipient are enough; the folder is named."""
    with ExitStack() as stack:
        for _ in range(20):
            write(store, b"x", goes_on=False)
        with pytest.raises(InputRefused, match=r"20 drafts to @ada \(12\) are kept already"):
            stack.enter_context(store.begin(to(), goes_on=False))


@pytest.mark.parametrize("name", ["acme.@ada.as-alice", "acme.12.as-alice", "acme.@ada.as-alice.2"])
def test_a_draft_of_an_earlier_version_is_gone_on_with(store, name):
    """It lies under what was typed then, a handle or an id; a new text doesn't go there."""
    old = store.folder / name / "MESSAGE"
    store.folder.mkdir(parents=True, mode=0o700)
    old.parent.mkdir(mode=0o700)
    old.write_bytes(b"of before")
    beside = write(store, b"new", goes_on=False)
    beside.unlink()

    with store.begin(to(), goes_on=True) as draft:
        assert (old, b"of before") == (draft.path, draft.read(100))
    assert ("77.12.as-alice", (old,)) == (beside.parent.name, store.kept_for(to()))
