"""What is proposed where the roster can't be read."""

from __future__ import annotations

import errno
import os

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
