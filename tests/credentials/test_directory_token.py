"""The token of a directory comes from one private place, and is one word."""

from __future__ import annotations

import sys

import pytest

from profilectl.credentials.directory_token import find_token
from profilectl.errors import CredentialsError


class Keychain:
    """A keyring with one token, or none."""

    def __init__(self, token=None):
        self.token = token

    def directory_token(self, kind):
        return self.token and f"{kind}-{self.token}"


def test_a_private_file_holds_it(tmp_path):
    """Without the line end that an editor adds."""
    path = tmp_path / "token"
    path.write_text("secret-token\n")
    path.chmod(0o600)

    assert "secret-token" == find_token("okta", path, (), Keychain()).reveal()


def test_a_file_that_others_can_read_is_refused(tmp_path):
    """As every file of credentials."""
    path = tmp_path / "token"
    path.write_text("secret-token\n")
    path.chmod(0o644)

    with pytest.raises(CredentialsError, match="has mode 644"):
        find_token("okta", path, (), Keychain())


def test_a_command_prints_it():
    """As cloud command lines do for access tokens."""
    assert "t0" == find_token("entra", None, (sys.executable, "-c", "print('t0')"), Keychain()).reveal()


def test_the_keyring_comes_last():
    """And where it has nothing, the other two ways are named."""
    assert "okta-x" == find_token("okta", None, (), Keychain("x"))
    with pytest.raises(CredentialsError) as error:
        find_token("okta", None, (), Keychain())

    assert "token_file or a token_command" in error.value.hint


@pytest.mark.parametrize("content", ["", "two words", "line\nbreak", "é", "x" * 70_000, "a\x00b"])
def test_what_is_no_token_is_refused(tmp_path, content):
    """It would break the header that carries it, and isn't shown."""
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(CredentialsError, match="holds no token") as error:
        find_token("okta", path, (), Keychain())
    assert not content or content not in error.value.message
