"""The commit that a roster is of, as git itself names it."""

from __future__ import annotations

import os
import subprocess

import pytest

from profilectl.roster.git_commit import commit_of

TEXT = b"version = 1\n"


def git(folder, *words):
    settings = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, env=os.environ | settings, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def roster(tmp_path):
    """A roster in a folder of a repository, committed."""
    git(tmp_path, "init", "-q")
    path = tmp_path / "team" / "roster.toml"
    path.parent.mkdir()
    path.write_bytes(TEXT)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "The team")
    return path


def test_the_commit_and_whether_the_file_is_as_in_it(roster):
    """What was read counts, not what lies there by now."""
    commit = git(roster.parent, "rev-parse", "HEAD")
    assert commit == commit_of(roster, TEXT)
    assert f"{commit}, changed since" == commit_of(roster, TEXT + b"# not committed\n")


def test_a_repository_that_only_surrounds_the_roster_has_no_commit_of_it(roster):
    """As a home folder kept in git, where the roster was never added."""
    assert commit_of(roster.with_name("other.toml"), TEXT) is None


def test_without_a_repository_or_a_commit_there_is_none(tmp_path):
    """A folder of its own, and a repository in which nothing is committed yet."""
    assert commit_of(tmp_path / "roster.toml", TEXT) is None
    git(tmp_path, "init", "-q")
    assert commit_of(tmp_path / "roster.toml", TEXT) is None


def test_a_git_that_is_missing_is_no_error(roster, monkeypatch):
    """The record does without."""
    monkeypatch.setenv("PATH", str(roster.parent))
    assert commit_of(roster, TEXT) is None


def test_no_program_that_a_repository_names_is_started(roster):
    """Its configuration may come from anybody."""
    mark = roster.parent / "started"
    git(roster.parent, "config", "core.fsmonitor", f"touch {mark}")
    git(roster.parent, "config", "filter.x.clean", f"touch {mark}")
    (roster.parent / ".gitattributes").write_text("*.toml filter=x\n")
    assert commit_of(roster, TEXT) is not None
    assert not mark.exists()
