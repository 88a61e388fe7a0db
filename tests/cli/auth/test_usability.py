"""What `auth status` says of credentials without asking X: no more than it knows."""

from __future__ import annotations

from profilectl.cli.auth.group import _usability
from profilectl.credentials.sources import AccountStatus


def status(handle, source, tail=None, *, usable=True):
    return AccountStatus(handle, "api.x.com", source, None, usable=usable, token_tail=tail)


def test_what_would_have_to_be_started_was_not_tried():
    """A credential command may open a window, and may be `false`."""
    account = status("acme", "command")
    assert "configured, not tried" == _usability(account, [account])


def test_one_login_for_two_accounts_is_at_most_one_of_theirs():
    """A token belongs to one account; which one, only X could say."""
    both = [status("acme", "environment", "wxyz"), status("beta", "environment", "wxyz")]
    assert ["configured, not tried"] * 2 == [_usability(account, both) for account in both]


def test_what_is_known_to_be_there_is_usable():
    """Each account with a token of its own; what lacks one is unusable."""
    accounts = [
        status("acme", "keyring", "wxyz"),
        status("beta", "keyring", "abcd"),
        status("eve", "keyring", usable=False),
    ]
    assert ["usable", "usable", "unusable"] == [_usability(account, accounts) for account in accounts]
