"""What a command applies is what is true once it holds the lock: after a wait for it, and after every question."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager

import pytest
from filelock import FileLock

from profilectl.ledger.location import default_ledger_path
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from tests.patience import LONGEST, cut_short, next_line

ALICE, BRUNO, CHIDI = ("alice", "Alice"), ("bruno", "Bruno"), ("chidi", "Chidi")
CHANGED = "the plan has changed since you were asked"


@pytest.fixture
def team(desk, served):
    """A desk at a served X where Alice has a profile, and Bruno is to get one."""
    desk.served = served
    assert 0 == desk.write(ALICE).run("sync", "--yes").code
    return desk.write(ALICE, BRUNO)


def ledger_path(team):
    return team.folder / team.env["PROFILECTL_LEDGER"]


def state_of(team):
    with open_for_reading(ledger_path(team)) as ledger:
        return ledger.state_of(ledger.account_of("acme").user_id)


def edit_the_roster(team):
    team.write(ALICE, CHIDI)


def draw_another_picture(team):
    team.draw("face.png", colour=(200, 20, 20))


def offboard_alice(team):
    with open_for_writing(ledger_path(team)) as ledger:
        user_id = ledger.account_of("acme").user_id
        ledger.block(user_id, "alice", 1)
        ledger.retire(user_id, "alice", 1)


def destroy_at_x(team):
    profile_id = state_of(team).binding("alice").profile_id
    with team.client(team.served.url) as client:
        client.destroy_profile(profile_id)


# what happens meanwhile: the exit code of the sync, and who is live after it
EVENTS = {
    edit_the_roster: (0, ["Alice", "Chidi"]),
    draw_another_picture: (0, ["Alice", "Alice", "Bruno"]),  # the old one in its grace
    offboard_alice: (7, ["Bruno"]),
    destroy_at_x: (0, ["Alice", "Bruno"]),
}


@contextmanager
def held(path):
    """Hold a ledger's lock, as a run does."""
    with FileLock(path.with_name(f"{path.name}.lock")):
        yield


def end_of(process):
    with cut_short(process):
        out, err = process.communicate(timeout=LONGEST)
    return process.returncode, out, err


@pytest.mark.parametrize("event", EVENTS)
def test_a_sync_that_waited_applies_what_is_true_then(team, event):
    """Roster, picture, ledger and X are those after the wait for the lock."""
    with held(ledger_path(team)):
        process = team.start("sync", "--yes", "--json")
        assert next_line(process, process.stderr).startswith("waiting 600 s at most: the ledger is held by ")
        event(team)
    code, out, err = end_of(process)

    assert EVENTS[event] == (code, team.served.live()), err
    requests = json.loads(out)["requests"]
    # a loss is looked at twice; before a destroy the welcome messages are looked through
    others = 2 if event is offboard_alice else 1
    assert event is destroy_at_x or (1, others) == (requests["list"], requests["other"])


@pytest.mark.parametrize("event", EVENTS)
def test_a_sync_asks_again_when_the_plan_has_changed(team, event):
    """What a person agreed to isn't what would be done by then, so the new plan is shown and asked about."""

    def first():
        event(team)
        return b"y\n"

    code, screen = team.watch("sync", at_questions=[first, lambda: b"y\n"])

    assert EVENTS[event] == (code, team.served.live()), screen
    assert 1 == screen.count(CHANGED)


def test_a_plan_that_still_holds_is_asked_about_once(team):
    """The second look costs another list, and no other question."""
    code, screen = team.watch("sync", "--json", at_questions=[lambda: b"y\n"])
    requests = json.loads(screen[screen.index('{"schema"') :].partition("\n")[0])["requests"]

    assert (0, 1) == (code, screen.count("[y/N]"))
    assert (2, 1, 1) == (requests["list"], requests["upload"], requests["create"])
    assert ["Alice", "Bruno"] == team.served.live()


def test_no_to_the_new_plan_changes_nothing(team):
    """The yes was to another plan."""

    def first():
        edit_the_roster(team)
        return b"y\n"

    code, screen = team.watch("sync", at_questions=[first, lambda: b"n\n"])

    assert (130, ["Alice"]) == (code, team.served.live())
    assert "Chidi" in screen


def test_the_lock_is_free_while_a_question_stands(team):
    """Another sync does the work meanwhile, and nothing is left to ask or to do."""

    def first():
        assert 0 == team.run("sync", "--yes", "--max-wait", "0s").code
        return b"y\n"

    code, screen = team.watch("sync", at_questions=[first])

    assert (0, ["Alice", "Bruno"]) == (code, team.served.live())
    assert "nothing to do" in screen


def test_a_saved_plan_is_checked_again_after_the_question(team):
    """It was reviewed, and agreed to, and isn't true any more: 5, and nothing is done."""
    team.run("diff", "--out", "plan.json")

    def first():
        edit_the_roster(team)
        return b"y\n"

    code, screen = team.watch("sync", "--plan", "plan.json", at_questions=[first])

    assert (5, ["Alice"]) == (code, team.served.live())
    assert "the roster" in screen


def test_a_plan_that_never_stands_still_ends_for_later(team):
    """After five questions it is 75; a person can say no to each of them."""
    names = iter("ABCDEFG")

    def change():
        team.write(ALICE, ("bruno", f"Bruno {next(names)}"))
        return b"y\n"

    code, screen = team.watch("sync", at_questions=[change] * 6)

    assert (75, ["Alice"]) == (code, team.served.live())
    assert 5 == screen.count("[y/N]")
    assert "the plan changed during each of 5 questions" in screen.replace("\n", " ")


def test_a_broken_roster_is_refused_before_any_wait(team):
    """Nobody waits ten minutes to learn of a typing error."""
    (team.folder / "roster.toml").write_text("version = 1\nbrand = 3\n")
    with held(ledger_path(team)):
        assert 5 == team.run("sync", "--yes", timeout=30).code


def test_missing_credentials_are_told_before_the_wait(team):
    """The lock is held by somebody else, and this run could do nothing anyway."""
    for name in ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET"):
        del team.env[f"PROFILECTL_{name}"]
    with held(ledger_path(team)):
        assert 4 == team.run("sync", "--yes", timeout=30).code


# The ledger moves


def test_a_ledger_that_moved_to_the_state_folder_during_the_wait_is_the_one(desk, served):
    """Another command moves it out of the checkout while this one waits for it."""
    old = desk.folder / ".profilectl" / "ledger.db"
    desk.env["PROFILECTL_LEDGER"] = str(old)
    assert 0 == desk.write(ALICE).run("sync", "--yes").code
    del desk.env["PROFILECTL_LEDGER"]
    new = default_ledger_path(os.environ, served.url.partition("://")[2])
    with held(old):
        process = desk.start("sync", "--yes")
        assert next_line(process, process.stderr).startswith("waiting ")
        new.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        old.rename(new)
    code, _, err = end_of(process)

    assert (0, ["Alice"]) == (code, served.live()), err
    assert not old.exists()


def test_a_ledger_that_was_taken_away_during_the_wait_is_missed(team):
    """What was opened before the wait isn't the ledger any more: 75, and nothing is done."""
    path = ledger_path(team)
    with held(path):
        process = team.start("sync", "--yes")
        assert next_line(process, process.stderr).startswith("waiting ")
        path.rename(path.with_name("elsewhere.db"))
    code, _, err = end_of(process)

    assert (75, ["Alice"]) == (code, team.served.live())
    assert "was moved or replaced meanwhile" in err


def test_a_ledger_that_moved_at_the_question_is_found(team):
    """The configuration names its new place by then, and the plan is the same."""
    path = ledger_path(team)
    del team.env["PROFILECTL_LEDGER"]
    config = team.folder / "home" / "profilectl" / "config.toml"
    config.parent.mkdir(parents=True, mode=0o700)
    team.env["XDG_CONFIG_HOME"] = str(config.parent.parent)

    def place(where):
        config.write_text(f"ledger = {json.dumps(str(where))}\n")
        config.chmod(0o600)

    def move():
        elsewhere = path.with_name("elsewhere.db")
        path.rename(elsewhere)
        place(elsewhere)
        return b"y\n"

    place(path)
    code, screen = team.watch("sync", at_questions=[move])

    assert (0, ["Alice", "Bruno"]) == (code, team.served.live()), screen
    assert not path.exists()


# An offboarding between a sync's steps


@pytest.mark.parametrize("call", ["upload", "create"])
def test_who_is_offboarded_between_a_sync_s_steps_stays_gone(desk, served, call):
    """The block doesn't wait for the sync; whatever that makes can't be used, and is destroyed."""
    desk.write(BRUNO).run("sync", "--yes")
    desk.write(BRUNO, ALICE)
    served.fault(call=call, kind="hold", times=None, seconds=60)
    process = desk.start("sync", "--yes")
    served.wait_for(lambda: served.ask("GET", "faults")["faults"][0]["seen"])
    blocked = desk.run("offboard", "alice", "--yes", "--timeout", "1")
    served.ask("DELETE", "faults")
    code, out, err = end_of(process)
    refused = desk.run("send", "--as", "alice", "--to", "@customer", "Hello")

    assert (75, 5) == (blocked.code, refused.code)
    assert code in {0, 6, 7, 75}, (out, err)
    assert desk.run("offboard", "alice", "--yes").code == 0
    assert ["Bruno"] == served.live()
