"""What a command keeps of the roster for the next one, and what it never believes."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def synced(desk):
    """A desk in the sandbox whose roster is recorded."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(("alice", "Alice F."))
    assert desk.run("sync", "--yes").code == 0
    return desk


def record(desk):
    return desk.folder / ".profilectl" / "sandbox" / "roster.json"


def forge(desk, name):
    """Write another name into the record, as nobody but the user could."""
    path = record(desk)
    plain = json.loads(path.read_text())
    plain["agents"][0]["name"] = name
    path.write_text(json.dumps(plain))


def names(desk):
    return [row[3] for row in desk.run("roster", "list").rows]


def test_an_unchanged_roster_is_not_judged_again(synced):
    """The record is private, and is what the next command goes by."""
    forge(synced, "from the record")

    assert (["from the record"], 0o600) == (names(synced), record(synced).stat().st_mode & 0o777)


def test_an_edit_counts_at_once(synced):
    """A record is of one text; the next sync replaces it."""
    synced.write(("alice", "Ally F."))

    assert ["Ally F."] == names(synced)
    assert synced.run("sync", "--yes").code == 0
    assert "Ally F." in record(synced).read_text()


@pytest.mark.parametrize("spoil", ["open to others", "a link", "damaged", "gone"])
def test_only_a_private_file_of_ours_is_believed(synced, spoil):
    """Nobody else can write such a file here."""
    forge(synced, "forged")
    path = record(synced)
    if spoil == "open to others":
        path.chmod(0o644)
    elif spoil == "a link":
        path.rename(path.with_name("elsewhere"))
        path.symlink_to("elsewhere")
    elif spoil == "damaged":
        path.write_text(path.read_text()[:-1])
    else:
        path.unlink()

    assert ["Alice F."] == names(synced)


def test_a_record_that_came_along_with_its_roster_is_not_believed(synced):
    """A copy of the same text is another file, whose stamp only the kernel gives: archives keep modes and times."""
    forge(synced, "brought along")
    roster = synced.folder / "roster.toml"
    copy = synced.folder / "copy.toml"
    copy.write_bytes(roster.read_bytes())
    copy.replace(roster)

    assert ["Alice F."] == names(synced)


def test_commands_that_only_look_write_no_record(synced):
    """Diff, list and check leave the folder as it is."""
    record(synced).unlink()
    for words in (
        ("diff",),
        ("roster", "list"),
        ("roster", "check"),
        ("send", "--as", "alice", "--to", "1", "--dry-run", "x"),
    ):
        synced.run(*words)

    assert not record(synced).exists()
