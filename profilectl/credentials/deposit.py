"""Putting an account's entry into the keyring so that a failure, or a kill, at any step loses nothing.

The entry that is there stays until the new one, which X has agreed to, takes its place in one write. What fails after
that is put back; what is killed after that leaves the new entry, which works.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from profilectl.credentials.blob import account_name, unseal
from profilectl.credentials.config import read_config, write_config
from profilectl.errors import CredentialsError, ProfilectlError, WrongAccount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from profilectl.credentials.config import Config, LoggedIn
    from profilectl.secret import Secret


class Store(Protocol):
    """What a login needs of a `Keychain`; every method raises `CredentialsError`."""

    @property
    def backend_name(self) -> str:
        """The store's name for people."""

    def rehearse(self, host: str) -> None:
        """Store, read and delete a throw-away entry."""

    def get(self, host: str, handle: str) -> Secret | None:
        """Return an account's entry, or None."""

    def set(self, host: str, handle: str, entry: Secret) -> None:
        """Store an account's entry, in place of the one that is there."""

    def delete(self, host: str, handle: str) -> bool:
        """Remove an account's entry; False when there was none."""


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Let a failure say what was being done when it happened."""
    try:
        yield
    except ProfilectlError as error:
        error.message = f"{error.message} (while {doing})"
        error.args = (error.message,)
        raise


def deposit(account: LoggedIn, entry: Secret, *, store: Store, config: Config) -> bool:
    """Store an account's entry, read it back, list the account, and remove the entry of an earlier handle.

    On any failure, even Ctrl-C, everything is put back. The caller holds `lock.held`.

    Returns:
        Whether credentials of this account were there before.

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
    except BaseException:
        _put_back(store, account, before)
        raise
    return any(found is not None for found in before.values())


def _entries(account: LoggedIn, store: Store, config: Config) -> dict[str, Secret | None]:
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
        return unseal(entry, host=host).user_id if entry is not None else None
    except CredentialsError:  # damaged: nothing that could be lost
        return None


def _read_back(store: Store, account: LoggedIn, entry: Secret) -> None:
    if store.get(account.host, account.handle) != entry:
        message = f"{store.backend_name} gave back something else than what was stored in it"
        raise CredentialsError(message, hint="what was there before was put back")


def _put_back(store: Store, account: LoggedIn, before: Mapping[str, Secret | None]) -> None:
    try:
        for handle, entry in before.items():
            if entry is None:
                store.delete(account.host, handle)
            else:
                store.set(account.host, handle, entry)
    except CredentialsError as error:
        message = f"the earlier credentials of @{account.handle} couldn't be put back: {error.message}"
        raise CredentialsError(message, hint="log in again once the keyring works") from None
