"""``ledger export`` and ``ledger import`` as people use them: pipes, files, mistakes."""

from __future__ import annotations

import stat

import pytest

from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Event
from tests.ledger.filled import USER, fill


@pytest.fixture
def path(desk):
    return desk.folder / "ledger.db"


@pytest.fixture
def filled(desk, path):
    with open_for_writing(path, actor="ann@desk") as ledger:
        fill(ledger)
    desk.env["PROFILECTL_LEDGER"] = str(path)
    return desk


def elsewhere(desk):
    desk.env["PROFILECTL_LEDGER"] = str(desk.folder / "other.db")
    return desk


def test_a_copy_over_a_pipe(filled, path):
    """Stdout and stdin, from one ledger into another, and the copy exports the same."""
    before = filled.run("ledger", "export")
    piped = filled.shell("profilectl ledger export -q | PROFILECTL_LEDGER=other.db profilectl ledger import -")
    after = elsewhere(filled).run("ledger", "export")

    assert (0, 0, before.out) == (before.code, piped.code, after.out)
    assert f"exported {len(before.out.splitlines()) - 2} rows of {path}" in before.err
    assert f"into {filled.folder}/other.db" in piped.out
    with open_for_reading(filled.folder / "other.db") as copy, open_for_reading(path) as ledger:
        assert ledger.state_of(USER) == copy.state_of(USER)


def test_a_copy_in_a_file(filled, path):
    """It is for this user's eyes only, and says the same as stdout."""
    result = filled.run("ledger", "export", "copy.jsonl", "--json")
    copy = filled.folder / "copy.jsonl"

    assert (0, "export", str(path), "copy.jsonl") == (
        result.code,
        *(result.document[key] for key in ("deed", "source", "target")),
    )
    assert 0o600 == stat.S_IMODE(copy.stat().st_mode)
    assert filled.run("ledger", "export").out == copy.read_text("ascii")
    imported = elsewhere(filled).run("ledger", "import", "copy.jsonl", "--json").document
    assert (result.document["rows"], result.document["digest"]) == (imported["rows"], imported["digest"])


def test_a_file_is_never_written_over_unasked(filled):
    """Not without --force; and a link is neither followed nor replaced."""
    victim, copy = filled.folder / "victim", filled.folder / "copy.jsonl"
    victim.write_text("mine")
    copy.symlink_to(victim)
    refused = filled.run("ledger", "export", "copy.jsonl")
    assert (5, "") == (refused.code, refused.out)
    assert "copy.jsonl exists already" in refused.err
    assert "--force" in refused.err
    forced = filled.run("ledger", "export", "copy.jsonl", "--force")
    assert (5, "mine", True) == (forced.code, victim.read_text(), copy.is_symlink())
    assert "copy.jsonl can't be written: copy.jsonl is a symbolic link" in forced.err


def test_a_nightly_export_never_forgets(filled, path):
    """The same name every night: an earlier export is replaced, and the last one of a lost ledger isn't."""
    copy = filled.folder / "copy.jsonl"
    copy.write_text("no export")
    first = filled.run("ledger", "export", "copy.jsonl", "--force", "-q")
    with open_for_writing(path) as ledger:
        ledger.record(Event("sent", USER, 5))
    second = filled.run("ledger", "export", "copy.jsonl", "--force", "-q")
    assert [(0, "", "")] * 2 == [(result.code, result.out, result.err) for result in (first, second)]
    assert 1 == copy.read_text().count('"at_ms\\":5,')
    before = copy.read_bytes()
    for file in filled.folder.glob("ledger.db*"):
        file.unlink()
    with open_for_writing(path) as ledger:
        fill(ledger)
    lost = filled.run("ledger", "export", "copy.jsonl", "--force")

    assert (5, before) == (lost.code, copy.read_bytes())
    assert f"copy.jsonl stays, as it isn't an earlier export of {path}: it has records up to" in lost.err
    assert "another name keeps both" in lost.err
    assert [] == [file.name for file in filled.folder.iterdir() if file.name.endswith(".new")]


@pytest.mark.parametrize("name", ["ledger.db", "./ledger.db", "ledger.db-wal", "ledger.db.lock", "link"])
def test_never_over_the_ledger_itself(filled, path, name):
    """Nor over what lies beside it; --force doesn't mean that."""
    (filled.folder / "link").hardlink_to(path)
    before = path.read_bytes()
    refused = filled.run("ledger", "export", name, "--force")

    assert (2, before) == (refused.code, path.read_bytes())
    assert "is the ledger itself" in refused.err


@pytest.mark.parametrize("name", ["avatars", "missing/copy.jsonl"])
def test_where_nothing_can_be_written(filled, name):
    """The file is named, and nothing is left behind."""
    before = sorted(filled.folder.rglob("*"))
    refused = filled.run("ledger", "export", name)

    assert (5, "", before) == (refused.code, refused.out, sorted(filled.folder.rglob("*")))
    assert name in refused.err


def test_json_is_for_files(filled):
    """The export is one itself."""
    refused = filled.run("ledger", "export", "--json")

    assert 2 == refused.code
    assert "name a FILE" in refused.err


def test_a_reader_who_leaves(filled):
    """Is no failure."""
    result = filled.shell("profilectl ledger export -q | head -c 10")

    assert (0, '{"format":') == (result.code, result.out)
    assert "" == result.err


def test_there_is_nothing_to_export(desk):
    """A newcomer reads where the ledger would be."""
    desk.env["PROFILECTL_LEDGER"] = "none.db"
    refused = desk.run("ledger", "export")

    assert 5 == refused.code
    assert f"there is no ledger at {desk.folder}/none.db" in refused.err
    assert not (desk.folder / "none.db").exists()


def test_only_an_empty_ledger_takes_one(filled, path):
    """Nothing changes, and both ways on are named."""
    filled.run("ledger", "export", "copy.jsonl")
    before = path.read_bytes()
    refused = filled.run("ledger", "import", "copy.jsonl")

    assert (5, before) == (refused.code, path.read_bytes())
    assert f"{path} isn't empty" in refused.err
    assert "PROFILECTL_LEDGER=ADDRESS" in refused.err


def test_a_file_with_problems(filled):
    """Each is named by its line, and no ledger is made."""
    filled.run("ledger", "export", "copy.jsonl")
    copy = filled.folder / "copy.jsonl"
    *lines, _ = copy.read_text("ascii").splitlines()
    copy.write_text("\n".join([*lines[:3], "{}", *lines[3:]]) + "\n")
    refused = elsewhere(filled).run("ledger", "import", "copy.jsonl")

    assert 5 == refused.code
    assert "copy.jsonl:4: isn't a row of a table" in refused.err
    assert f"copy.jsonl:{len(lines) + 2}: is missing" in refused.err
    assert "nothing was imported: copy.jsonl has 2 problems, the first in line 4" in refused.err
    assert [] == list(filled.folder.glob("other*"))


@pytest.mark.parametrize("name", ["nothing.jsonl", "avatars"])
def test_a_file_that_can_t_be_read(desk, name):
    """It is named, and no ledger is made."""
    desk.env["PROFILECTL_LEDGER"] = "other.db"
    refused = desk.run("ledger", "import", name)

    assert 5 == refused.code
    assert f"can't read {name}" in refused.err
    assert not (desk.folder / "other.db").exists()


def test_a_copy_that_knows_less_than_this_host_has_seen(desk, served):
    """It is imported, and said to have gone backwards: the next commands refuse it until a person agrees."""
    assert served
    desk.write(("alice", "Alice")).run("sync", "--yes")
    desk.run("ledger", "export", "copy.jsonl")
    desk.write(("alice", "Ally")).run("sync", "--yes")
    imported = elsewhere(desk).run("ledger", "import", "copy.jsonl")

    assert 0 == imported.code
    assert "went backwards" in imported.err
    assert 5 == desk.run("diff").code
