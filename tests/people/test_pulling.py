"""The memory of what was pulled last: a private file that is read as it was written, or refused."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from profilectl.errors import GuardRefused, InputRefused
from profilectl.people.mapping import map_columns
from profilectl.people.photos import PhotoSource
from profilectl.people.pulling import Known, memory_path, plan_pull, read_memory, write_memory
from profilectl.people.tables import table_of

HEAD = b'version = 1\n[brands.a]\nhandle = "a"\n[defaults]\nkind = "human"\navatar = "a.png"\n'
MEMORY = {"7": Known("alice", {"name": "Alice \u202e"}), "8": Known("bo", {})}


def plan(people, memory=None, roster=HEAD, **settings):
    """Return what these people of a directory change."""
    table = table_of(people, "https://x.example", "Okta")
    source = PhotoSource(Path("nowhere"), None, None, lambda url: b"")
    mapping = map_columns(table.headers, ())
    return plan_pull(roster, "roster.toml", table, mapping, memory or {}, source, **{"max_deletes": 5, **settings})


def test_what_is_written_is_what_is_read(tmp_path):
    """And nobody else can read it."""
    path = tmp_path / "people" / "x.json"
    write_memory(path, MEMORY)

    assert (MEMORY, 0o600) == (read_memory(path), stat.S_IMODE(path.stat().st_mode))


def test_before_the_first_time_nothing_is_known(tmp_path):
    """No file, no memory."""
    assert {} == read_memory(tmp_path / "x.json")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"version": 1}', '{"version": 1, "people": {"7": {}}}', '{"version": 2, "people": {}}']
)
def test_what_is_no_memory_is_refused(tmp_path, content):
    """To take it for an empty one would take every difference for an edit by hand."""
    path = tmp_path / "x.json"
    path.write_text(content)

    with pytest.raises(InputRefused):
        read_memory(path)


def test_each_roster_and_directory_has_a_memory_of_its_own(tmp_path):
    """Below the user's state folder, whatever the folder from which the roster is named."""
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    paths = {memory_path(environ, Path(name), kind) for name in ("a.toml", "b.toml") for kind in ("okta", "entra")}

    assert (4, {tmp_path / "profilectl" / "people"}) == (len(paths), {path.parent for path in paths})
    assert memory_path(environ, Path("a.toml"), "okta") == memory_path(environ, Path("a.toml").absolute(), "okta")


@pytest.mark.parametrize("ids", [["", "2"], ["1", "1"]])
def test_people_without_an_id_of_their_own_are_refused(ids):
    """Nobody could tell them apart the next time."""
    with pytest.raises(InputRefused, match="without an id"):
        plan([{"id": each, "name": f"Person {at}"} for at, each in enumerate(ids)])


def test_the_guard_counts_who_would_really_go():
    """Neither those whom a hand has removed already, nor those who are protected."""
    roster = HEAD + b'[agents.alice]\nname = "Alice"\n[agents.bo]\nname = "Bo"\nprotected = true\n'
    memory = {str(at): Known(key, {}) for at, key in enumerate(("alice", "bo", "carla"))}

    assert ("alice",) == plan([{"id": "9", "name": "Dora"}], memory, roster, max_deletes=1).change.comparison.removed
    with pytest.raises(GuardRefused):
        plan([{"id": "9", "name": "Dora"}], memory, roster, max_deletes=0)


def test_what_is_remembered_is_what_the_directory_said():
    """Not what the roster says, or an edit by hand would be taken for the directory's next time."""
    roster = HEAD + b'[agents.alice]\nname = "Ali"\n'
    result = plan([{"id": "7", "name": "Alice"}], {"7": Known("alice", {"name": "Alice"})}, roster)

    assert ({"7": Known("alice", {"name": "Alice"})}, (("alice", "name"),), roster.decode()) == (
        result.memory,
        result.kept,
        result.change.text,
    )


def test_who_has_another_key_is_still_followed():
    """A rename was taken for a removal by hand, so that nobody noticed when the person left."""
    roster = HEAD + b'[agents.alice]\nname = "Alice"\n[[moved]]\nfrom = "afast"\nto = "alice"\n'
    memory = {"7": Known("afast", {"name": "Alice"})}
    pull = plan([{"id": "7", "name": "Alice F."}], memory, roster)
    left = plan([{"id": "9", "name": "Dora"}], memory, roster)

    assert ((), ["alice"]) == (pull.stay_out, [change.agent for change in pull.change.comparison.changes])
    assert ({"7": "alice"}, ("alice",)) == (
        {each: person.key for each, person in pull.memory.items()},
        left.change.comparison.removed,
    )
