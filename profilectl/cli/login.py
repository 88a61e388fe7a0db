"""``auth login`` and ``auth import``: credentials that are typed, piped, got by PIN, or borrowed from another tool."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli import accounts
from profilectl.cli.accounts import announce, describe, host_of, print_json, warn
from profilectl.cli.consent import ask
from profilectl.cli.context import Context
from profilectl.errors import CredentialsRefused, RemoteError, UsageError
from profilectl.names import visible
from profilectl.render.consoles import talk

if TYPE_CHECKING:
    from collections.abc import Callable

    from profilectl.api.pin import PinLogin
    from profilectl.credentials.keychain import Keychain
    from profilectl.credentials.login import Login
    from profilectl.model import Account
    from profilectl.secret import Credentials, Secret

_PIPE = (
    "pipe a JSON object with consumer_key, consumer_secret, access_token and access_token_secret "
    "into `profilectl auth login --with-token`"
)
_COPY_AGAIN = (
    "copy all four values again from the app's keys and tokens in X's developer portal: "
    "regenerating one there ends the old one"
)

Handle = Annotated[str | None, typer.Option("--handle", metavar="HANDLE", help="The account; else the brand's.")]


def login(
    context: Context,
    handle: Handle = None,
    with_token: Annotated[bool, typer.Option("--with-token", help="Read the four values as JSON from stdin.")] = False,
    pin: Annotated[bool, typer.Option("--pin", help="Get the token with a PIN that X shows in a browser.")] = False,
) -> None:
    """Check credentials at X, and keep them in the keyring.

    Asks for consumer key, consumer secret, access token and access token secret, without showing what is typed.
    """
    accounts.refuse_sandbox(context)
    read = _reader(context, with_token=with_token, pin=pin)
    log_in(context, accounts.named_account(context, handle), read)


def log_in(context: Context, wanted: str | None, read: Callable[[], Credentials]) -> None:
    """Get credentials, check them at X, keep them in the keyring, and tell about it.

    Args:
        context: says which X.
        wanted: the handle that it must turn out to be; None takes any.
        read: gets the credentials, once the keyring has proven to work.
    """
    from datetime import UTC, datetime

    from profilectl.credentials import login as room

    keychain = accounts.attended_keychain(context)
    doubts: list[RemoteError] = []
    done = room.login(
        host=host_of(context),
        wanted=wanted,
        read=read,
        verify=lambda credentials: _verify(context, credentials, doubts),
        store=keychain,
        config=context.config,
        now=datetime.now(UTC),
        claimed=accounts.claimed_handles(context),
    )
    _tell(context, done, doubts, keychain)


def _tell(context: Context, done: Login, doubts: list[RemoteError], keychain: Keychain) -> None:
    replaced = ", in place of the token that was there" if done.replaced else ""
    name = f"@{visible(done.account.handle)} ({visible(done.account.user_id)})"
    announce(context, f"logged in as {name}, stored in {done.backend}{replaced}")
    for remark in done.warnings:
        warn(remark)
    for doubt in doubts:
        warn(doubt.message, doubt.hint)
    found = describe(context, done.account.handle, done.account.host, keychain)
    if found.source != "keyring":
        warn(f"{found.source} credentials come before the keyring, so this login isn't used", accounts.SEE_STATUS)
    print_json(context, [found])


# Where the four values come from


def _reader(context: Context, *, with_token: bool, pin: bool) -> Callable[[], Credentials]:
    """Return what gets the four values in the chosen way; UsageError when that can't be done here."""
    from profilectl.credentials.asking import read_token

    if context.options.credentials_file is not None:
        path = visible(str(context.options.credentials_file))
        raise UsageError("a login reads no credentials file", hint=f"profilectl auth login --with-token < {path}")
    if with_token and pin:
        raise UsageError("--with-token and --pin exclude each other", hint="leave one of them out")
    if with_token and sys.stdin.isatty():
        raise UsageError("--with-token reads stdin, but nothing is piped into it", hint=_PIPE)
    if not with_token and not context.may_ask:
        raise UsageError("nobody can be asked for the credentials here", hint=_PIPE)
    return read_token if with_token else lambda: _ask_person(context, pin=pin)


def _ask_person(context: Context, *, pin: bool) -> Credentials:
    from profilectl.credentials import asking

    talk(f"Logging in at {host_of(context)}. X's developer portal has the values under the app's keys and tokens.")
    if not pin:
        return asking.ask_values(_ask)
    return asking.ask_pin(_ask, begin=lambda *app: _begin(context, *app), show=_show, ask_openly=ask)


def _ask(label: str) -> str:
    return ask(f"{label} (hidden)", hidden=True)


def _begin(context: Context, consumer_key: Secret, consumer_secret: Secret) -> PinLogin:
    """Open a PIN login without a deadline: a person with a browser takes the time that it takes."""
    from profilectl.api.pin import PinLogin

    return PinLogin(consumer_key, consumer_secret, base_url=context.api_url)


def _show(url: str) -> None:
    for line in ("Open this address in a browser, signed in as the brand, and authorise the app:", "", f"  {url}", ""):
        talk(line)


# Asking X


def _verify(context: Context, credentials: Credentials, doubts: list[RemoteError]) -> Account:
    """Ask X whose credentials they are, and whether custom profiles are allowed, which is no condition for a login."""
    client = context.client(credentials)
    try:
        account = client.verify_credentials()
    except CredentialsRefused as error:
        if error.status == 401 and error.code != 135:  # 135 is about the clock, and its hint says so
            error.hint = _COPY_AGAIN
        raise
    try:
        client.list_profiles()
    except RemoteError as error:
        doubts.append(error)
    return account
