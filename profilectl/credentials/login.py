"""Logging in and out: nothing is asked before the keyring works, nothing stored before X has agreed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, TypeVar

from profilectl.credentials.blob import account_name, parse, seal, secret_value
from profilectl.credentials.config import LoggedIn, read_config, write_config
from profilectl.credentials.files import read_stdin
from profilectl.errors import CredentialsError, ProfilectlError, WrongAccount
from profilectl.names import visible
from profilectl.secret import Credentials, Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from profilectl.credentials.config import Config
    from profilectl.model import Account

RequestToken = TypeVar("RequestToken")

MESSAGE_LEVELS: Final = frozenset({"read-write-directmessages", "read-write-privatemessages"})
_PERMISSION: Final = (
    "in X's developer portal set the app's permissions to read, write and Direct Messages, "
    "then regenerate the access token: one that exists keeps its old permission"
)


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


class PinFlow(Protocol[RequestToken]):
    """The three steps of OAuth 1.0a without a callback ("out of band"), for one app's key and secret."""

    def request_token(self) -> RequestToken:
        """Return a token that is good for one login."""

    def authorize_url(self, request_token: RequestToken) -> str:
        """Return the address where the account's owner gets a PIN."""

    def access_token(self, request_token: RequestToken, pin: str) -> Credentials:
        """Return the credentials that the PIN stands for; a PIN works once."""


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


@dataclass(frozen=True, slots=True)
class Logout:
    """What a logout removed, and what it can't do.

    Attributes:
        entry: a keyring entry was there.
        listed: the config knew the account.
        remark: what is left to a person.
    """

    entry: bool
    listed: bool
    remark: str = (
        "the token itself still works: revoke it in the account's settings at X, under connected apps, "
        "or regenerate it in the developer portal"
    )


def ask_values(ask: Callable[[str], str]) -> Credentials:
    """Return the four values that a person types.

    Args:
        ask: shows a label and returns what was typed without showing it.
    """
    return Credentials(
        _ask(ask, "Consumer key"),
        _ask(ask, "Consumer secret"),
        _ask(ask, "Access token"),
        _ask(ask, "Access token secret"),
        source="prompt",
    )


def read_token(stream: BinaryIO | None = None) -> Credentials:
    """Return the credentials in the JSON object on stdin, for ``--with-token``; see `blob.parse`."""
    return parse(read_stdin(stream), "stdin")


def ask_pin(
    ask: Callable[[str], str],
    *,
    begin: Callable[[Secret, Secret], AbstractContextManager[PinFlow[RequestToken]]],
    show: Callable[[str], None],
    ask_openly: Callable[[str], str],
) -> Credentials:
    """Return the credentials of whoever opens an address in a browser, on any machine, and types the PIN here.

    Args:
        ask: shows a label and returns what was typed without showing it.
        begin: opens the flow for an app's consumer key and secret.
        show: shows the address.
        ask_openly: as `ask`, but shows what is typed: a PIN is copied by hand from another screen, and works once.
    """
    with begin(_ask(ask, "Consumer key"), _ask(ask, "Consumer secret")) as flow:
        request_token = flow.request_token()
        show(flow.authorize_url(request_token))
        return flow.access_token(request_token, "".join(ask_openly("PIN").split()))


def login(
    *,
    host: str,
    wanted: str | None,
    read: Callable[[], Credentials],
    verify: Callable[[Credentials], Account],
    store: Store,
    config: Config,
    now: datetime,
) -> Login:
    """Store an account's credentials: rehearse, read, verify, store, read back, list.

    Until everything has succeeded, what was stored before stays; when a later step fails, it is put back.

    Args:
        host: API host, with the port when there is one.
        wanted: the handle that it must turn out to be; None takes any.
        read: gets the credentials; called once the store has proven to work.
        verify: asks X whose they are.
        store: the keyring.
        config: says which file lists the accounts.
        now: becomes the entry's creation time; aware.

    Raises:
        CredentialsError: at any step; when it is the keyring's, the message says at which.
        WrongAccount: they belong to another account than `wanted`.
        ProfilectlError: whatever else `verify` raises.
    """
    with _step("testing the keyring"):
        store.rehearse(host)
    credentials = read()
    account = verify(credentials)
    _check_handle(account, wanted)
    warnings = _check_level(account)
    entry = seal(credentials, host=host, handle=account.handle, user_id=account.user_id, created=now)
    listed = LoggedIn(account.handle, account.user_id, host)
    with _step("storing the credentials"):
        replaced = _replace(store, config, listed, entry)
    return Login(listed, store.backend_name, replaced, warnings)


def logout(handle: str, host: str, *, store: Store, config: Config) -> Logout:
    """Remove an account's keyring entry and its line in the config; neither being there is fine.

    Raises:
        CredentialsError: the keyring can't be used; the config is left as it was.
        InputRefused: the config can't be read or written.
    """
    entry = store.delete(host, handle)
    known = read_config(config.path)
    listed = known.account(account_name(handle), host) is not None
    if listed:
        write_config(known.without_account(account_name(handle), host))
    return Logout(entry, listed)


def _ask(ask: Callable[[str], str], label: str) -> Secret:
    return secret_value(ask(label), label.lower(), "the prompt")


def _check_handle(account: Account, wanted: str | None) -> None:
    if wanted is not None and account_name(account.handle) != account_name(wanted):
        other = visible(account.handle)
        message = f"these credentials belong to @{other}, not to @{account_name(wanted)}"
        raise WrongAccount(message, hint=f"log in with the token of @{account_name(wanted)}, or say --handle {other}")


def _check_level(account: Account) -> tuple[str, ...]:
    if account.access_level is None:
        return ("X didn't say whether this token may send Direct Messages",)
    if account.access_level not in MESSAGE_LEVELS:
        level = visible(account.access_level)
        raise CredentialsError(f"this token of @{account.handle} may only {level}", hint=_PERMISSION)
    return ()


def _replace(store: Store, config: Config, account: LoggedIn, entry: Secret) -> bool:
    """Store, read back and list; on any failure, even Ctrl-C, put back what was there. Return whether there was."""
    before = store.get(account.host, account.handle)
    try:
        store.set(account.host, account.handle, entry)
        _read_back(store, account, entry)
        write_config(read_config(config.path).with_account(account))
    except BaseException:
        _put_back(store, account, before)
        raise
    return before is not None


def _read_back(store: Store, account: LoggedIn, entry: Secret) -> None:
    if store.get(account.host, account.handle) != entry:
        message = f"{store.backend_name} gave back something else than what was stored in it"
        raise CredentialsError(message, hint="what was there before was put back")


def _put_back(store: Store, account: LoggedIn, before: Secret | None) -> None:
    try:
        if before is None:
            store.delete(account.host, account.handle)
        else:
            store.set(account.host, account.handle, before)
    except CredentialsError as error:
        message = f"the earlier credentials of @{account.handle} couldn't be put back: {error.message}"
        raise CredentialsError(message, hint="log in again once the keyring works") from None


@contextmanager
def _step(doing: str) -> Iterator[None]:
    try:
        yield
    except ProfilectlError as error:
        error.message = f"{error.message} (while {doing})"
        error.args = (error.message,)
        raise
