"""The roster is judged every time, by its text alone."""

from __future__ import annotations

import pytest


@pytest.fixture
def synced(desk):
    """A desk in the sandbox whose roster was synced."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(("alice", "Alice F."))
    assert desk.run("sync", "--yes").code == 0
    return desk


def names(desk):
    return [row[3] for row in desk.run("roster", "list").rows]


def test_an_edit_counts_at_once(synced):
    """The next command goes by the new text."""
    synced.write(("alice", "Ally F."))

    assert ["Ally F."] == names(synced)


def test_nothing_is_kept_of_the_roster(synced):
    """A file beside the ledger that claims to hold the roster's meaning isn't believed, and sync makes none."""
    record = synced.folder / ".profilectl" / "sandbox" / "roster.json"
    assert not record.exists()
    record.write_text('{"agents": [{"name": "forged"}]}')
    record.chmod(0o600)

    assert ["Alice F."] == names(synced)


@pytest.mark.parametrize(
    "words",
    [("diff",), ("roster", "list"), ("roster", "check"), ("send", "--as", "alice", "--to", "1", "--dry-run", "x")],
    ids=" ".join,
)
def test_commands_that_only_look_leave_the_folder_as_it_is(synced, words):
    """Diff, list, check and a dry run keep nothing for the next command."""
    state = synced.folder / ".profilectl" / "sandbox"
    before = {path.name for path in state.iterdir()}
    synced.run(*words)

    assert before == {path.name for path in state.iterdir()}
