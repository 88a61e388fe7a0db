"""SIGKILL at every step of a login and of a logout, with a real keyring and an X that checks signatures."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest

from profilectl.sandbox.model.accounts import MESSAGES
from profilectl.sandbox.model.errors import Refused
from tests.cli.auth import collection
from tests.cli.auth.shell import ROSTER

_KILLED = Path(__file__).with_name("killed.py")
_ENOUGH = 60  # steps: no login has so many


@pytest.fixture
def killed(desktop):
    """Run profilectl until its n-th step; return whether it was killed there, and the steps that it has passed."""
    trace = desktop.folder / "trace"
    shutil.copy(_KILLED, desktop.folder)
    desktop.folder.joinpath("roster.toml").write_text(ROSTER)

    def run(number, *words, stdin=""):
        trace.write_text("")
        done = desktop.run_module("killed", str(number), str(trace), *words, stdin=stdin)
        collection.settle(desktop.bus)
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr
        return done.returncode != 0, trace.read_text().splitlines()

    return run


def new_token(desktop):
    """Let X issue one more token for the brand: the values of `--with-token`."""
    world = desktop.world
    token = world.tokens._issue(world.accounts.require("AcmeCare"), MESSAGES)
    return {"access_token": token.token, "access_token_secret": token.secret}


def speaks(desktop):
    """Whether another command finds credentials, and X takes them."""
    return desktop.run("profiles", "list").returncode == 0


def check_that_only_the_login_is_left(desktop):
    """Nothing that a killed login has dropped is there any more."""
    assert set(collection.entries(desktop.bus)) == {"@acmecare"}
    folder = Path(desktop.environ["XDG_CONFIG_HOME"], "profilectl")
    assert {path.name for path in folder.iterdir()} == {"config.toml", ".lock"}
    assert [account["usable"] for account in desktop.accounts("list")] == [True]


def test_a_rotation_killed_at_any_step_leaves_credentials_that_work(desktop, killed):
    """The old pair until the new one takes its place in one write, then the new pair; never neither."""
    pairs = [new_token(desktop), new_token(desktop)]
    assert desktop.run("auth", "login", "--with-token", stdin=desktop.token(**pairs[0])).returncode == 0
    names = set()
    for number in range(1, _ENOUGH):
        old = collection.token(desktop.bus)
        new = next(pair for pair in pairs if pair["access_token"] != old)
        was_killed, steps = killed(number, "auth", "login", "--with-token", stdin=desktop.token(**new))
        names.add(steps[-1])
        left = collection.token(desktop.bus)
        assert left in {old, new["access_token"]}
        if steps.count("before set_password") < 2:  # the first is the keyring's self-test
            assert left == old, steps[-1]
        if steps.count("after set_password") == 2:
            assert left == new["access_token"], steps[-1]
        assert speaks(desktop), steps[-1]
        if not was_killed:
            break
    else:
        pytest.fail("a login never ends")
    deeds = ("set_password", "get_password", "delete_password", "read_token", "verify_credentials", "list_profiles")
    assert {f"{side} {deed}" for side in ("before", "after") for deed in (*deeds, "fsync", "replace")} <= names
    check_that_only_the_login_is_left(desktop)


def test_a_first_login_killed_at_any_step_leaves_nothing_or_all(desktop, killed):
    """Either nobody is logged in, and that is said; or the brand can speak. The next login cleans up."""
    config = Path(desktop.environ["XDG_CONFIG_HOME"], "profilectl", "config.toml")
    for number in range(1, _ENOUGH):
        was_killed, steps = killed(number, "auth", "login", "--with-token", stdin=desktop.token())
        assert speaks(desktop) == (collection.token(desktop.bus) is not None), steps[-1]
        if steps.count("before set_password") < 2:
            assert collection.token(desktop.bus) is None, steps[-1]
        if not was_killed:
            break
        others = {user: text for user, text in collection.entries(desktop.bus).items() if user != "@acmecare"}
        assert desktop.brand.access_token_secret not in json.dumps(others)
        if number % 2:  # half of the time the next login finds what this one has left
            collection.clear(desktop.bus)
            config.unlink(missing_ok=True)
    else:
        pytest.fail("a login never ends")
    check_that_only_the_login_is_left(desktop)


def test_a_logout_killed_at_any_step_is_ended_by_the_next(desktop, killed):
    """Whatever was left, the same command again revokes the token and forgets it."""
    for number in range(1, _ENOUGH):
        pair = new_token(desktop)
        assert desktop.run("auth", "login", "--with-token", stdin=desktop.token(**pair)).returncode == 0
        was_killed, steps = killed(number, "auth", "logout", "--revoke")
        assert desktop.run("auth", "logout", "--revoke").returncode == 0, steps[-1]
        assert collection.entries(desktop.bus) == {}, steps[-1]
        assert desktop.accounts("list") == []
        with pytest.raises(Refused, match="BAD_TOKEN"):
            desktop.world.tokens.find(pair["access_token"])
        if not was_killed:
            break
    else:
        pytest.fail("a logout never ends")
