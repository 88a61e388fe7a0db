"""Two logins that end together both stay in the list."""

from __future__ import annotations

import threading

import pytest

from profilectl.config import Config, LoggedIn, read_config, write_config
from profilectl.errors import InputRefused, TryLater
from profilectl.system import config_lock
from tests.patience import join


def test_no_line_is_lost(tmp_path):
    """Eight threads add an account each."""
    path = tmp_path / "new" / "config.toml"

    def add(number):
        with config_lock.hold_config(path):
            write_config(read_config(path).with_account(LoggedIn(f"user{number}", str(number), "api.x.com")))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    join(*threads)
    assert {one.handle for one in read_config(path).accounts} == {f"user{number}" for number in range(8)}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_who_waits_too_long_is_told(tmp_path, monkeypatch):
    """Exit 75: the other one ends soon."""
    monkeypatch.setattr(config_lock, "_SECONDS", 0.01)
    path = tmp_path / "config.toml"
    with (
        config_lock.hold_config(path),
        pytest.raises(TryLater, match="another login or logout is under way"),
        config_lock.hold_config(path),
    ):
        pass


def test_a_folder_that_can_not_be_made_is_told(tmp_path):
    """Before anything is asked."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputRefused, match="can't be used"),
        config_lock.hold_config(Config(tmp_path / "file" / "config.toml").path),
    ):
        pass
