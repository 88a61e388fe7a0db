"""Logging out: the token may be revoked at X first, then nothing of it is left here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.config import read_config, write_config
from profilectl.credentials.formats import account_name, from_entry
from profilectl.credentials.keyring import Keychain
from profilectl.credentials.login import step
from profilectl.system.locks import hold_config

if TYPE_CHECKING:
    from profilectl.config import Config
    from profilectl.secret import Credentials


class Logout(Struct, frozen=True):
    """What a logout removed."""

    entry: bool
    listed: bool  # in the config
    revoked: bool = False  # at X


def logout(
    handle: str, host: str, *, store: Keychain, config: Config, revoke: Callable[[Credentials], None] | None = None
) -> Logout:
    """Remove an account's keyring entry and its line in the config; neither being there is fine.

    Args:
        handle: the account, with or without @.
        host: API host, with the port when there is one.
        store: the keyring.
        config: says which file lists the accounts.
        revoke: asks X to forget a token; nothing is removed when it raises.

    Raises:
        CredentialsError: the keyring can't be used, or the entry to be revoked is damaged; nothing was removed.
        InputRefused: the config can't be read or written.
    """
    name = account_name(handle)
    with hold_config(config.path):
        known = read_config(config.path)
        # First, so that a second logout can try again: without the entry nobody could revoke the token any more.
        revoked = revoke is not None and _revoke(revoke, name, host, store)
        entry = store.delete(host, name)
        listed = known.account(name, host) is not None
        if listed:
            write_config(known.without_account(name, host))
    return Logout(entry, listed, revoked)


def _revoke(revoke: Callable[[Credentials], None], handle: str, host: str, store: Keychain) -> bool:
    with step("reading the token to revoke"):
        entry = store.get(host, handle)
        credentials = from_entry(entry, host=host) if entry is not None else None
    if credentials is not None:
        revoke(credentials)
    return credentials is not None
