"""``auth logout --revoke``: the token ends at X, then here."""

from __future__ import annotations

import pytest

from profilectl.sandbox.model.errors import Refused
from profilectl.sandbox.model.faults import Fault
from tests.cli.auth import collection


def is_alive(desktop):
    try:
        desktop.world.tokens.find(desktop.brand.access_token)
    except Refused:
        return False
    return True


def test_a_token_ends_at_x(desktop):
    """Whoever has a copy can't use it any more, and nobody needs to go to X's settings."""
    desktop.log_in()
    done = desktop.run("auth", "logout", "--revoke")
    sentences = (
        f"logged out @AcmeCare at {desktop.host}: its token is revoked, and nothing of it is left in Secret Service\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, sentences, "")
    assert not is_alive(desktop)
    assert (collection.entries(desktop.bus), desktop.accounts("list")) == ({}, [])
    done = desktop.run("auth", "logout", "--revoke", "--handle", "acmecare")
    assert (done.returncode, "wasn't logged in" in done.stdout) == (0, True)


def test_without_revoke_it_still_works(desktop):
    """Other machines may use it; the hint says how to end it."""
    desktop.log_in()
    done = desktop.run("auth", "logout")
    assert "revoke it in the account's settings at X" in done.stderr
    assert is_alive(desktop)


def test_one_that_is_revoked_already_is_forgotten(desktop):
    """Somebody did it in X's settings."""
    desktop.log_in()
    desktop.world.tokens.revoke(desktop.brand.access_token)
    assert desktop.run("auth", "logout", "--revoke").returncode == 0
    assert collection.entries(desktop.bus) == {}


@pytest.mark.parametrize(
    ("fault", "code"),
    [({"kind": "error-before", "times": None}, 75), ({"kind": "refuse", "status": 403, "code": 64}, 4)],
    ids=["out of order", "refused"],
)
def test_what_x_refuses_is_kept(desktop, fault, code):
    """It says so, and what to do; the entry stays, so that it can be tried again."""
    desktop.log_in()
    desktop.world.faults.add(Fault.from_plain({"call": "invalidate", **fault}))
    before = collection.entries(desktop.bus)
    done = desktop.run("auth", "logout", "--revoke", "--timeout", "3")
    assert (done.returncode, done.stdout) == (code, "")
    assert "nothing was forgotten, so run it again" in done.stderr
    assert collection.entries(desktop.bus) == before
    assert [account["usable"] for account in desktop.accounts("list")] == [True]
