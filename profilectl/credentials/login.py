"""Logging in: nothing is asked before the keyring works, nothing stored before X has agreed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from profilectl.credentials.blob import account_name, seal
from profilectl.credentials.config import LoggedIn, read_config
from profilectl.credentials.deposit import deposit, step
from profilectl.credentials.lock import held
from profilectl.errors import CredentialsError, WrongAccount
from profilectl.names import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from profilectl.credentials.config import Config
    from profilectl.credentials.deposit import Store
    from profilectl.model import Account
    from profilectl.secret import Credentials

MESSAGE_LEVELS: Final = frozenset({"read-write-directmessages", "read-write-privatemessages"})
_PERMISSION: Final = (
    "in X's developer portal set the app's permissions to read, write and Direct Messages, "
    "then regenerate the access token: one that exists keeps its old permission"
)


@dataclass(frozen=True, slots=True)
class Login:
    """A login that succeeded.

    Attributes:
        account: as it stands in the config now.
        backend: the keyring's name.
        replaced: another token of this account was stored before.
        warnings: what a person should know, each one line.
    """

    account: LoggedIn
    backend: str
    replaced: bool
    warnings: tuple[str, ...] = ()


def login(
    *,
    host: str,
    wanted: str | None,
    read: Callable[[], Credentials],
    verify: Callable[[Credentials], Account],
    store: Store,
    config: Config,
    now: datetime,
    claimed: Collection[str] = (),
) -> Login:
    """Log in: test the store, read, verify, store, read back, list.

    When a step before storing fails, whatever was stored before stays; when a later step fails, it is put back.

    Args:
        host: API host, with the port when there is one.
        wanted: the handle that it must turn out to be, or was at the login before; None takes any.
        read: gets the credentials; called once the store has proven to work.
        verify: asks X whose they are.
        store: the keyring.
        config: says which file lists the accounts.
        now: becomes the entry's creation time; aware.
        claimed: handles that the roster uses. An account that was renamed at X keeps one of them here, until the roster
            follows.

    Raises:
        CredentialsError: at any step; when it is the keyring's, the message says at which.
        WrongAccount: they belong to another account than `wanted`.
        InputRefused: the config can't be read or written.
        TryLater: another login is under way.
        ProfilectlError: whatever else `verify` raises.
    """
    with held(config.path), step("testing the keyring"):
        store.rehearse(host)
    credentials = read()
    account = verify(credentials)
    former = read_config(config.path).account_of(account.user_id, host)
    handle = _handle(account, former, wanted, claimed)
    warnings = _check_level(account)
    if handle != account.handle:
        other = visible(account.handle)
        warnings = (f"@{handle} is called @{other} at X now: change the handle in the roster", *warnings)
    entry = seal(credentials, host=host, handle=handle, user_id=account.user_id, created=now)
    listed = LoggedIn(handle, account.user_id, host)
    with held(config.path):
        replaced = deposit(listed, entry, store=store, config=config)
    return Login(listed, store.backend_name, replaced, warnings)


def _handle(account: Account, former: LoggedIn | None, wanted: str | None, claimed: Collection[str]) -> str:
    """Return the handle under which the account is kept: X's, or the former one for as long as it is asked for.

    Raises:
        WrongAccount: it is neither of them that is wanted.
    """
    now, before = account_name(account.handle), former and account_name(former.handle)
    used = {account_name(handle) for handle in ([wanted] if wanted is not None else claimed)}
    if former is not None and before in used and now not in used:
        return former.handle
    if wanted is None or now in used:
        return account.handle
    name, other = account_name(wanted), visible(account.handle)
    message = f"these credentials belong to @{other}, not to @{name}"
    raise WrongAccount(message, hint=f"log in with the token of @{name}, or say --handle {other}")


def _check_level(account: Account) -> tuple[str, ...]:
    if account.access_level is None:
        return ("X didn't say whether this token may send Direct Messages",)
    if account.access_level not in MESSAGE_LEVELS:
        level = visible(account.access_level)
        raise CredentialsError(f"this token of @{account.handle} may only {level}", hint=_PERMISSION)
    return ()
