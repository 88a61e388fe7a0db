"""A ledger that git tracks is refused before it is opened, by who reads and by who writes."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from profilectl.errors import LedgerRefused
from profilectl.ledger import git_tracking
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.system import child


def git(folder, *words):
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path):
    """A git repository with a ledger in it that git doesn't track."""
    if shutil.which("git") is None:
        pytest.skip("git isn't installed")
    git(tmp_path, "init", "--quiet")
    open_for_writing(tmp_path / "state" / "ledger.db").close()
    return tmp_path


def refused(path, match):
    before = path.read_bytes()
    for opening in (open_for_reading, open_for_writing):
        with pytest.raises(LedgerRefused, match=match):
            opening(path)
    assert before == path.read_bytes()


def test_in_a_repository_that_does_not_track_it(checkout):
    """That is where a ledger lies whose roster is in git."""
    path = checkout / "state" / "ledger.db"
    assert () == git_tracking.tracked_files(path)
    open_for_reading(path).close()
    open_for_writing(path).close()


@pytest.mark.parametrize("mode", [0o644, 0o600], ids=["umask 022", "umask 077"])
def test_in_a_clone(checkout, tmp_path_factory, mode):
    """What a checkout brought is refused, whatever rights it got."""
    git(checkout, "add", "--force", "state/ledger.db")
    git(checkout, "commit", "--quiet", "--message", "A ledger")
    clone = tmp_path_factory.mktemp("clone")
    git(clone, "clone", "--quiet", str(checkout), ".")
    (clone / "state").chmod(0o700)
    (clone / "state" / "ledger.db").chmod(mode)
    refused(clone / "state" / "ledger.db", r"is tracked by git \(ledger.db\)")


def test_staged_is_tracked_already(checkout):
    """It goes to everybody with the next push."""
    git(checkout, "add", "--force", "state/ledger.db")
    refused(checkout / "state" / "ledger.db", "is tracked by git")
    git(checkout, "rm", "--quiet", "--cached", "state/ledger.db")
    git_tracking._ask_git.cache_clear()
    open_for_writing(checkout / "state" / "ledger.db").close()


def test_log_beside_a_ledger_that_is_missing(checkout):
    """A log that came with a checkout isn't read into the ledger that is about to be made."""
    (checkout / "state" / "ledger.db").unlink()
    (checkout / "state" / "ledger.db-wal").touch(0o600)
    git(checkout, "add", "--force", "state/ledger.db-wal")
    with pytest.raises(LedgerRefused, match=r"is tracked by git \(ledger.db-wal\)"):
        open_for_writing(checkout / "state" / "ledger.db")


def test_name_that_git_would_take_for_a_pattern(checkout):
    """A path is a path."""
    (checkout / "state" / "ledger.db").rename(checkout / "state" / "[a-z]*.db")
    (checkout / "state" / "a.db").touch()
    git(checkout, "add", "--force", "state/a.db")
    assert () == git_tracking.tracked_files(checkout / "state" / "[a-z]*.db")


def test_outer_repository(checkout):
    """A repository within another one is no hiding place."""
    git(checkout, "add", "--force", "state/ledger.db")
    git(checkout / "state", "init", "--quiet")
    refused(checkout / "state" / "ledger.db", "is tracked by git")


def test_git_that_can_not_be_asked(checkout, monkeypatch):
    """The real X's ledger is refused then; the sandbox's, which only concerns rehearsals, isn't."""
    monkeypatch.setenv("PATH", "/nonexistent")
    git_tracking._ask_git.cache_clear()
    refused(checkout / "state" / "ledger.db", "may be tracked by git, which can't be asked")
    open_for_writing(checkout / ".profilectl" / "sandbox" / "ledger.db").close()
    open_for_reading(checkout / ".profilectl" / "sandbox" / "ledger.db").close()


def test_the_sandbox_too(checkout):
    """A tracked ledger of the sandbox is refused like any other."""
    path = checkout / ".profilectl" / "sandbox" / "ledger.db"
    open_for_writing(path).close()
    git(checkout, "add", "--force", str(path))
    git_tracking._ask_git.cache_clear()
    refused(path, "is tracked by git")


def test_without_a_repository_nobody_asks(tmp_path, monkeypatch):
    """No process is started for a ledger outside of a repository."""
    monkeypatch.setattr(child, "run", lambda *_, **__: pytest.fail("git was asked"))
    assert not any(os.path.lexists(parent / ".git") for parent in tmp_path.parents)
    open_for_writing(tmp_path / "ledger.db").close()
    open_for_reading(tmp_path / "ledger.db").close()
