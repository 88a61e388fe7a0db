"""What is proposed where the roster can't be read."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from profilectl.errors import InputRefused
from profilectl.roster.place import reading_hint
from profilectl.system.files import read_named


def test_a_folder_is_told_from_a_file(tmp_path):
    """Whoever names the folder meant the roster in it, quoted for the shell."""
    folder = tmp_path / "my roster"
    folder.mkdir()
    assert "`profilectl init` writes one to start from; --roster PATH names another, such as '" in reading_hint(folder)

    (folder / "roster.toml").write_text("version = 1\n")
    assert f"did you mean --roster '{folder}/roster.toml'?" == reading_hint(folder)
    with pytest.raises(InputRefused, match=r"the roster .*my roster is a folder"):
        read_named(folder, "the roster", 10)


def test_a_missing_roster_is_one_to_begin_with(tmp_path):
    """A new one can be written; a name that no file can have is no traceback."""
    start = "`profilectl init` writes one to start from; --roster PATH names another"
    assert start == reading_hint(tmp_path / "none.toml")
    assert start == reading_hint(tmp_path / "nul\0")


@pytest.mark.parametrize(
    ("place", "start", "missing", "hint"),
    [
        ("roster.toml", "avatars", "roster.toml", "did you mean --roster ../roster.toml? Or `cd ..` first"),
        (
            "my team/roster.toml",
            ".",
            "roster.toml",
            "did you mean --roster 'my team/roster.toml'? Or `cd 'my team'` first",
        ),
        ("roster.toml", ".", "team.toml", "did you mean --roster roster.toml?"),
    ],
)
def test_a_roster_nearby_is_named(tmp_path, monkeypatch, place, start, missing, hint):
    """Whoever stands one folder too deep, or not deep enough, shouldn't begin another roster."""
    for folder in {tmp_path / start, (tmp_path / place).parent}:
        folder.mkdir(exist_ok=True)
    (tmp_path / place).touch()
    monkeypatch.chdir(tmp_path / start)

    assert hint == reading_hint(Path(missing))


def test_several_rosters_nearby_are_named(tmp_path, monkeypatch):
    """None of them is likelier than the others; what lies in a hidden folder is a program's."""
    for name in ("d", "c", "b", "a", ".git"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "roster.toml").touch()
    monkeypatch.chdir(tmp_path)
    names = "--roster a/roster.toml, --roster b/roster.toml, --roster c/roster.toml and 1 more"

    assert f"did you mean one of these? {names}" == reading_hint(Path("roster.toml"))


def test_a_roster_that_may_not_be_read_names_who_may(tmp_path, monkeypatch):
    """Mode and owner say whom to ask."""

    def refuse(*_arguments, **_settings):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    path = tmp_path / "roster.toml"
    path.touch(mode=0o600)
    monkeypatch.setattr(os, "open", refuse)  # root may read everything
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputRefused, match=r"Permission denied \(mode 600, owner \S+\)$"):
        read_named(path, "the roster", 10)
    assert "ask its owner to let you read it; --roster PATH names another" == reading_hint(path)
