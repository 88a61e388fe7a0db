"""Accounts that were renamed at X after they had logged in: recognised by user id, and listed under the new handle."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
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
    from profilectl.credentials.sources import Sources
    from profilectl.secret import Credentials


def find_or_repair(
    handle: str,
    sources: Sources,
    *,
    claimed: Collection[str],
    ask: Callable[[Credentials], Account],
    now: datetime,
) -> tuple[Credentials, LoggedIn | None]:
    """Return an account's credentials, and how it was listed before `repair` had to move it, None when it hadn't.

    Raises:
        CredentialsError: the source doesn't give them.
    """
    try:
        return sources.find(handle), None
    except KeychainError as error:
        if error.state is not State.NO_ENTRY:
            raise
        former = repair(handle, sources, claimed=claimed, ask=ask, now=now)
        if former is None:
            raise
    return sources.find(handle), former


def repair(
    handle: str,
    sources: Sources,
    *,
    claimed: Collection[str],
    ask: Callable[[Credentials], Account],
    now: datetime,
) -> LoggedIn | None:
    """Move the login of the account that X calls `handle` today, and return it as it was listed before.

    Args:
        handle: as the roster has it; no entry has this name.
        sources: with the host, the keyring and the list of accounts that are meant.
        claimed: handles of the roster, which mean other brands.
        ask: asks X whose credentials they are.
        now: becomes the moved entry's creation time; aware.

    Raises:
        CredentialsError: the keyring fails.
        InputRefused: the list can't be written.
        ProfilectlError: what `ask` raises, unless it is that X refuses a token.
    """
    # Only X knows: every listed account whose handle nobody claims is asked for its name with its own token.
    store, config, host = sources.keychain, sources.config, sources.host
    for former, credentials in _candidates(sources, {other.casefold() for other in claimed}):
        try:
            account = ask(credentials)
        except CredentialsError:  # a token that X refuses can't show who was renamed
            continue
        # By the id of the login: a handle that somebody gave up can be taken by anybody.
        if account.user_id != former.user_id or account.handle.casefold() != handle.casefold():
            continue
        entry = to_entry(credentials, host=host, handle=account.handle, user_id=account.user_id, created=now)
        with hold_config(config.path):
            store_entry(LoggedIn(account.handle, account.user_id, host), entry, store=store, config=config)
        return former
    return None


def _candidates(sources: Sources, taken: Collection[str]) -> Iterator[tuple[LoggedIn, Credentials]]:
    for account in sources.config.accounts:
        if account.host != sources.host or account.handle.casefold() in taken:
            continue
        entry = sources.keychain.get(sources.host, account.handle)
        # A damaged entry matters to nobody but the account that it is listed for.
        with suppress(CredentialsError):
            if entry is not None:
                yield account, from_entry(entry, host=sources.host)
