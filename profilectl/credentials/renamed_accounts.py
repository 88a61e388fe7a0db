"""Accounts that were renamed at X after they had logged in: recognised by user id, and listed under the new handle."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from profilectl.config import LoggedIn
from profilectl.credentials.formats import from_entry, to_entry
from profilectl.credentials.keyring import KeychainError, State
from profilectl.credentials.login import store_entry
from profilectl.errors import CredentialsError
from profilectl.model import Account
from profilectl.system.locks import hold_config

if TYPE_CHECKING:
    from profilectl.config import Config
    from profilectl.credentials.login import Store
    from profilectl.credentials.sources import Sources
    from profilectl.secret import Credentials


def find_or_repair(
    handle: str,
    sources: Sources,
    *,
    store: Store,
    claimed: Collection[str],
    ask: Callable[[Credentials], Account],
    now: datetime,
) -> tuple[Credentials, LoggedIn | None]:
    """Return an account's credentials, even when it was renamed at X since it logged in.

    Only when the keyring has no entry for the handle, keyring and list are repaired.

    Args:
        handle: the account, with or without @.
        sources: everything that is set up.
        store: the keyring of the sources.
        claimed: handles of the roster, which mean other brands.
        ask: asks X whose credentials they are.
        now: becomes a moved entry's creation time; aware.

    Returns:
        The credentials, and the account as it was listed before it was repaired; None when nothing was.

    Raises:
        CredentialsError: the source doesn't give them.
    """
    try:
        return sources.find(handle), None
    except KeychainError as error:
        if error.state is not State.NO_ENTRY:
            raise
        former = repair(handle, sources.host, claimed=claimed, ask=ask, store=store, config=sources.config, now=now)
        if former is None:
            raise
    return sources.find(handle), former


def repair(
    handle: str,
    host: str,
    *,
    claimed: Collection[str],
    ask: Callable[[Credentials], Account],
    store: Store,
    config: Config,
    now: datetime,
) -> LoggedIn | None:
    """Move the login of the account that X calls `handle` today, and return it as it was listed before.

    Only X knows: every listed account whose handle nobody claims is asked for its name with its own token. The user id
    must be the one of the login.

    Args:
        handle: as the roster has it; no entry bears it.
        host: API host, with the port when there is one.
        claimed: handles of the roster, which mean other brands.
        ask: asks X whose credentials they are.
        store: the keyring.
        config: lists the accounts.
        now: becomes the moved entry's creation time; aware.

    Raises:
        CredentialsError: the keyring fails.
        InputRefused: the list can't be written.
        ProfilectlError: what `ask` raises, unless it is that X refuses a token.
    """
    taken = {other.casefold() for other in claimed}
    for former, credentials in _candidates(host, taken, store, config):
        try:
            account = ask(credentials)
        except CredentialsError:  # a token that X refuses tells nothing about who was renamed
            continue
        if account.user_id != former.user_id or account.handle.casefold() != handle.casefold():
            continue
        entry = to_entry(credentials, host=host, handle=account.handle, user_id=account.user_id, created=now)
        with hold_config(config.path):
            store_entry(LoggedIn(account.handle, account.user_id, host), entry, store=store, config=config)
        return former
    return None


def _candidates(
    host: str, taken: Collection[str], store: Store, config: Config
) -> Iterator[tuple[LoggedIn, Credentials]]:
    for account in config.accounts:
        if account.host != host or account.handle.casefold() in taken:
            continue
        entry = store.get(host, account.handle)
        if entry is None:
            continue
        try:
            yield account, from_entry(entry, host=host)
        except CredentialsError:  # damaged, which matters to nobody but the account that it is listed for
            continue
