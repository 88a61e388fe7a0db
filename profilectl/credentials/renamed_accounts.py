"""Accounts that were renamed at X after they had logged in: found by their user id, and listed under the new handle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profilectl.config import LoggedIn
from profilectl.credentials.formats import seal, unseal
from profilectl.credentials.login import deposit
from profilectl.errors import CredentialsError
from profilectl.system.locks import hold_config

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import datetime

    from profilectl.config import Config
    from profilectl.credentials.login import Store
    from profilectl.model import Account
    from profilectl.secret import Credentials


def find_renamed(
    handle: str,
    host: str,
    *,
    claimed: Collection[str],
    ask: Callable[[Credentials], Account],
    store: Store,
    config: Config,
    now: datetime,
) -> LoggedIn | None:
    """Find the account that X calls `handle` today, mend keyring and list, and return it as it was listed before.

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
    taken = {one.casefold() for one in claimed}
    for former, credentials in _candidates(host, taken, store, config):
        account = _answer(ask, credentials)
        if account is None or account.user_id != former.user_id or account.handle.casefold() != handle.casefold():
            continue
        entry = seal(credentials, host=host, handle=account.handle, user_id=account.user_id, created=now)
        with hold_config(config.path):
            deposit(LoggedIn(account.handle, account.user_id, host), entry, store=store, config=config)
        return former
    return None


def _candidates(
    host: str, taken: Collection[str], store: Store, config: Config
) -> Iterator[tuple[LoggedIn, Credentials]]:
    for one in config.accounts:
        if one.host != host or one.handle.casefold() in taken:
            continue
        entry = store.get(host, one.handle)
        if entry is None:
            continue
        try:
            yield one, unseal(entry, host=host)
        except CredentialsError:  # damaged, which matters to nobody but the account that it is listed for
            continue


def _answer(ask: Callable[[Credentials], Account], credentials: Credentials) -> Account | None:
    try:
        return ask(credentials)
    except CredentialsError:  # a token that X refuses tells nothing about who was renamed
        return None
