"""One ledger for each account: found from any copy of the roster, and moved out of the checkout once."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from profilectl.ledger.location import default_ledger_path
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Event


@pytest.fixture
def team(desk, served):
    """A desk at a served X, with the ledger where it is by default, and two agents."""
    del desk.env["PROFILECTL_LEDGER"]
    desk.served = served
    return desk.write(("alice", "Alice"), ("bruno", "Bruno"))


def place(team):
    return default_ledger_path(os.environ, team.served.url.partition("://")[2])


def beside(team):
    return team.folder / ".profilectl" / "ledger.db"


def bound(path):
    with open_for_reading(path) as ledger:
        return [binding.agent for binding in ledger.state_of(ledger.account_of("acme").user_id).bindings]


def old_ledger(team):
    """Let an older version have synced."""
    team.env["PROFILECTL_LEDGER"] = str(beside(team))
    assert 0 == team.run("sync", "--yes").code
    del team.env["PROFILECTL_LEDGER"]


def in_folder(team, folder):
    return replace(team, folder=folder)


def test_every_copy_of_the_roster_uses_one_ledger(team, tmp_path_factory):
    """A second checkout, a git worktree and another working directory see what was done from the first."""
    if shutil.which("git") is None:
        pytest.skip("git isn't installed")
    aside = tmp_path_factory.mktemp("aside")

    def git(*words):
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        subprocess.run(["git", *who, *words], cwd=team.folder, check=True, capture_output=True)

    git("init", "--quiet")
    git("add", "roster.toml", "avatars")
    git("commit", "--quiet", "--message", "Agents")
    git("clone", "--quiet", ".", str(aside / "clone"))
    git("worktree", "add", "--quiet", str(aside / "worktree"))
    assert 0 == team.run("sync", "--yes").code
    (aside / "empty").mkdir()

    for folder in (team.folder, aside / "clone", aside / "worktree"):
        assert 0 == in_folder(team, folder).run("diff", "--exit-code").code
    roster = str(team.folder / "roster.toml")
    assert 0 == in_folder(team, aside / "empty").run("diff", "--exit-code", "--roster", roster).code
    assert ["alice", "bruno"] == bound(place(team))
    assert not beside(team).exists()


def test_an_old_ledger_is_read_where_it_is_and_moved_by_who_writes(team):
    """`diff` leaves it, `sync` moves it and says so once, and nobody gets another profile."""
    old_ledger(team)
    live = team.served.live()
    looked = team.run("diff", "--exit-code")
    assert (0, True, False) == (looked.code, beside(team).exists(), place(team).exists())
    moved, again = team.run("sync", "--yes"), team.run("sync", "--yes")

    assert (0, 0, live) == (moved.code, again.code, team.served.live())
    assert f"the ledger was moved from {beside(team)} to {place(team)}" in moved.err.replace("\n", "")
    assert "moved" not in again.err
    assert (False, ["alice", "bruno"]) == (beside(team).exists(), bound(place(team)))


def test_two_commands_that_start_at_once(team):
    """They share one ledger afterwards, and make no profile twice."""
    old_ledger(team)
    live = team.served.live()
    runs = [team.start("sync", "--yes", "--max-wait", "60s") for _ in range(2)]
    ends = [(*run.communicate(timeout=120), run.returncode) for run in runs]

    assert [0, 0] == [code for _, _, code in ends], ends
    assert (live, ["alice", "bruno"]) == (team.served.live(), bound(place(team)))


def test_two_ledgers_are_named_and_left(team):
    """Who has one at each place decides; until then nothing is read, written or asked of X."""
    old_ledger(team)
    shutil.copyfile(beside(team), team.folder / "copy.db")
    assert 0 == team.run("sync", "--yes").code
    (team.folder / "copy.db").rename(beside(team))
    beside(team).chmod(0o600)
    with open_for_writing(beside(team)) as ledger:
        ledger.record(Event("sent", "1", 5))
    before = beside(team).read_bytes(), place(team).read_bytes()

    for words in (("diff",), ("sync", "--yes")):
        refused = team.run(*words)
        assert 5 == refused.code
        assert str(beside(team)) in refused.err.replace("\n", "")
        assert str(place(team)) in refused.err.replace("\n", "")
    assert before == (beside(team).read_bytes(), place(team).read_bytes())


def test_a_ledger_that_git_tracks_is_named_and_left(team):
    """It would come back with the next checkout; nobody reads it either, as others can write it."""
    if shutil.which("git") is None:
        pytest.skip("git isn't installed")
    old_ledger(team)
    for words in (("init", "--quiet"), ("add", "--force", str(beside(team)))):
        subprocess.run(["git", *words], cwd=team.folder, check=True, capture_output=True)
    refused = team.run("sync", "--yes")

    assert (5, True, False) == (refused.code, beside(team).exists(), place(team).exists())
    assert "is tracked by git" in refused.err
    for words in (("diff",), ("profiles", "list"), ("send", "--as", "alice", "--to", "1", "--dry-run", "Hello")):
        refused = team.run(*words)
        assert (5, "") == (refused.code, refused.out)
        assert "is tracked by git" in refused.err


def test_a_path_that_a_person_chose_wins(team):
    """PROFILECTL_LEDGER before the config's `ledger`, and both before any default; ~ is the home folder in each."""
    home = Path(os.environ["HOME"])
    (home / "away").mkdir()
    (team.folder / "roster.toml").rename(home / "away" / "roster.toml")
    (team.folder / "avatars").rename(home / "away" / "avatars")
    team.env["PROFILECTL_ROSTER"] = "~/away/roster.toml"
    config = home / ".config" / "profilectl" / "config.toml"
    config.parent.mkdir(parents=True, mode=0o700)
    config.write_text('ledger = "~/by config.db"\n')
    config.chmod(0o600)
    assert 0 == team.run("sync", "--yes").code
    assert 0 == team.run("diff", "--exit-code").code
    team.env["PROFILECTL_LEDGER"] = "~/by variable.db"

    assert "2 not ours" in team.run("diff").err
    assert (["alice", "bruno"], False) == (bound(home / "by config.db"), place(team).exists())


def test_credentials_at_home(team):
    """A leading ~ is the home folder for the file of credentials, too."""
    team.env["PROFILECTL_CREDENTIALS_FILE"] = "~/token.json"
    refused = team.run("diff")
    assert str(Path(os.environ["HOME"], "token.json")) in refused.err.replace("\n", "")


@pytest.mark.parametrize("folder", ["inside", "outside"])
@pytest.mark.usefixtures("served")
def test_nothing_but_the_ledger_lies_in_a_checkout(desk, tmp_path_factory, folder):
    """Caches and heads are in this user's folders, wherever PROFILECTL_LEDGER puts the ledger; git ignores that."""
    place = desk.folder / "state" if folder == "inside" else tmp_path_factory.mktemp("elsewhere")
    desk.env["PROFILECTL_LEDGER"] = str(place / "ledger.db")
    desk.write(("alice", "Alice"))
    subprocess.run(["git", "init", "-q"], cwd=desk.folder, check=True)
    subprocess.run(["git", "add", "roster.toml", "avatars"], cwd=desk.folder, check=True)
    assert 0 == desk.run("sync", "--yes").code
    for words in (("diff",), ("roster", "check"), ("profiles", "list"), ("audit", "verify")):
        assert 0 == desk.run(*words).code
    assert 0 == desk.run("send", "--as", "alice", "--to", "@customer", "Hello").code
    words = ["git", "status", "--porcelain", "-uall", "--ignored"]
    listed = subprocess.run(words, cwd=desk.folder, check=True, capture_output=True, text=True)

    untracked = {line[3:] for line in listed.stdout.splitlines() if line[:2] in {"??", "!!"}}
    ledger = {f"state/{name}" for name in (".gitignore", "ledger.db", "ledger.db.lock")}
    assert (ledger if folder == "inside" else set()) == untracked
