"""Logging in: nothing is asked before the keyring works, nothing stored before X has agreed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from profilectl.config import LoggedIn, read_config, write_config
from profilectl.credentials.formats import account_name, from_entry, to_entry
from profilectl.credentials.keyring import Keychain
from profilectl.errors import CredentialsError, ProfilectlError, WrongAccount
from profilectl.model import Account
from profilectl.system.locks import hold_config
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.config import Config
    from profilectl.secret import Credentials, Secret


MESSAGE_LEVELS: Final = frozenset({"read-write-directmessages", "read-write-privatemessages"})
_PERMISSION: Final = (
    "in X's developer portal set the app's permissions to read, write and Direct Messages, "
    "then regenerate the access token: one that exists keeps its old permission"
)


class Login(Struct, frozen=True):
    """A login that succeeded."""

    account: LoggedIn
    backend: str
    replaced: bool  # another token of this account was stored before
    warnings: tuple[str, ...] = ()


def login(
    *,
    host: str,
    expected: str | None,
    read: Callable[[], Credentials],
    verify: Callable[[Credentials], Account],
    store: Keychain,
    config: Config,
    now: datetime,
    claimed: Collection[str] = (),
) -> Login:
    """Log in: test the store, read, verify, store, read back, list.

    When a step before storing fails, whatever was stored before stays; when a later step fails, it is put back.

    Args:
        host: API host, with the port when there is one.
        expected: the handle that it must turn out to be, or was at the login before; None takes any.
        read: gets the credentials; called once the store has proven to work.
        verify: asks X whose they are.
        store: the keyring.
        config: says which file lists the accounts.
        now: becomes the entry's creation time; aware.
        claimed: handles that the roster uses.

    Raises:
        CredentialsError: at any step; when it is the keyring's, the message says at which.
        WrongAccount: they belong to another account than `expected`.
        InputRefused: the config can't be read or written.
        TryLater: another login is under way.
        ProfilectlError: whatever else `verify` raises.
    """
    # Before anything is asked: nobody should copy four values from X to learn that they can't be kept.
    with hold_config(config.path), step("testing the keyring"):
        store.self_test(host)
    credentials = read()
    account = verify(credentials)
    former = read_config(config.path).account_of(account.user_id, host)
    handle = _handle(account, former, expected, claimed)
    warnings = _check_level(account)
    if handle != account.handle:
        other = visible(account.handle)
        warnings = (f"@{handle} is called @{other} at X now: change the handle in the roster", *warnings)
    entry = to_entry(credentials, host=host, handle=handle, user_id=account.user_id, created=now)
    listed = LoggedIn(handle, account.user_id, host)
    with hold_config(config.path):
        replaced = store_entry(listed, entry, store=store, config=config)
    return Login(listed, store.backend_name, replaced, warnings)


def _handle(account: Account, former: LoggedIn | None, expected: str | None, claimed: Collection[str]) -> str:
    """Return the handle under which the account is kept; WrongAccount when neither of its names is the expected one."""
    # X's, or the former one for as long as the roster uses it: a rename at X must not stop the next sync.
    now, before = account_name(account.handle), former and account_name(former.handle)
    used = {account_name(handle) for handle in ([expected] if expected is not None else claimed)}
    if former is not None and before in used and now not in used:
        return former.handle
    if expected is None or now in used:
        return account.handle
    name, other = account_name(expected), visible(account.handle)
    message = f"these credentials belong to @{other}, not to @{name}"
    raise WrongAccount(message, hint=f"log in with the token of @{name}, or say --handle {other}")


def _check_level(account: Account) -> tuple[str, ...]:
    if account.access_level is None:
        return ("X didn't say whether this token may send Direct Messages",)
    if account.access_level not in MESSAGE_LEVELS:
        level = visible(account.access_level)
        raise CredentialsError(f"this token of @{account.handle} may only {level}", hint=_PERMISSION)
    return ()


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Add what was being done to the message of an error."""
    try:
        yield
    except ProfilectlError as error:
        raise error.with_message(f"{error.message} (while {doing})") from error.__cause__


def store_entry(account: LoggedIn, entry: Secret, *, store: Keychain, config: Config) -> bool:
    """Store an account's entry, list the account, and remove the entry of an earlier handle; put all back on failure.

    The caller holds `locks.hold_config`. Returns whether credentials of this account were there before.

    Raises:
        WrongAccount: the handle's entry belongs to another account, which had that handle before.
        CredentialsError: the keyring fails; the message says at which step.
        InputRefused: the config can't be read or written.
    """
    with step("looking at what is stored"):
        before = _entries(account, store, config)
    try:
        with step("storing the credentials"):
            store.set(account.host, account.handle, entry)
        with step("reading the credentials back"):
            _read_back(store, account, entry)
        with step("listing the account"):
            write_config(read_config(config.path).with_account(account))
        for former in before.keys() - {account_name(account.handle)}:
            with step(f"forgetting the entry of @{former}"):
                store.delete(account.host, former)
    except BaseException:  # Ctrl-C as well
        _put_back(store, account, before)
        raise
    return any(entry is not None for entry in before.values())


def _entries(account: LoggedIn, store: Keychain, config: Config) -> dict[str, Secret | None]:
    """Return what is stored for the account, by handle: the one it has, and the one it had at its last login."""
    known = read_config(config.path).account_of(account.user_id, account.host)
    handles = dict.fromkeys(account_name(handle) for handle in (account.handle, *([known.handle] if known else [])))
    before = {handle: store.get(account.host, handle) for handle in handles}
    owner = _owner(before[account_name(account.handle)], account.host)
    if owner not in {None, account.user_id}:
        message = f"the entry of @{account.handle} holds the token of another account (id {owner}), which was renamed"
        hint = f"`profilectl auth logout --handle {account.handle}` forgets that one; then log in again"
        raise WrongAccount(message, hint=hint)
    return before


def _owner(entry: Secret | None, host: str) -> str | None:
    try:
        return from_entry(entry, host=host).user_id if entry is not None else None
    except CredentialsError:  # damaged: nothing that could be lost
        return None


def _read_back(store: Keychain, account: LoggedIn, entry: Secret) -> None:
    if store.get(account.host, account.handle) != entry:
        message = f"{store.backend_name} gave back something else than what was stored in it"
        raise CredentialsError(message, hint="what was there before was put back")


def _put_back(store: Keychain, account: LoggedIn, before: Mapping[str, Secret | None]) -> None:
    try:
        for handle, entry in before.items():
            if entry is None:
                store.delete(account.host, handle)
            else:
                store.set(account.host, handle, entry)
    except CredentialsError as error:
        message = f"the earlier credentials of @{account.handle} couldn't be put back: {error.message}"
        raise CredentialsError(message, hint="log in again once the keyring works") from None
