"""``auth login``, ``status``, ``list`` and ``logout``: whose credentials are where, and whether they can be used."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli import accounts
from profilectl.cli.accounts import announce, describe, give_hint, host_of, print_json, print_rows, warn
from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.errors import CredentialsRefused, ExitCode, RemoteError, UsageError
from profilectl.names import visible
from profilectl.render.consoles import talk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from profilectl.api.pin import PinLogin
    from profilectl.credentials.sources import AccountStatus
    from profilectl.model import Account
    from profilectl.secret import Credentials, Secret

_STATUS_HEADERS = ("handle", "host", "source", "backend", "usable", "problem")
_LIST_HEADERS = ("handle", "user id", "host", "storage")
_PIPE = (
    "pipe a JSON object with consumer_key, consumer_secret, access_token and access_token_secret "
    "into `profilectl auth login --with-token`"
)
_COPY_AGAIN = (
    "copy all four values again from the app's keys and tokens in X's developer portal: "
    "regenerating one there ends the old one"
)
_SEE_STATUS = "`profilectl auth status` shows where credentials come from"

Handle = Annotated[str | None, typer.Option("--handle", metavar="HANDLE", help="The account; else the brand's.")]


def register(app: typer.Typer) -> None:
    """Add the ``auth`` group."""
    group = typer.Typer(help="Credentials: which accounts profilectl can speak for.", no_args_is_help=True)
    group.command("login")(command(login))
    group.command("status")(command(status))
    group.command("list")(command(listing))
    group.command("logout")(command(logout))
    app.add_typer(group, name="auth")


# Logging in


def login(
    context: Context,
    handle: Handle = None,
    with_token: Annotated[bool, typer.Option("--with-token", help="Read the four values as JSON from stdin.")] = False,
    pin: Annotated[bool, typer.Option("--pin", help="Get the token with a PIN that X shows in a browser.")] = False,
) -> None:
    """Check credentials at X, and keep them in the keyring.

    Asks for consumer key, consumer secret, access token and access token secret, without showing what is typed.
    """
    from datetime import UTC, datetime

    from profilectl.credentials import login as room

    _refuse_sandbox(context)
    read = _reader(context, with_token=with_token, pin=pin)
    keychain = accounts.attended_keychain(context)
    doubts: list[RemoteError] = []
    done = room.login(
        host=host_of(context),
        wanted=accounts.named_account(context, handle),
        read=read,
        verify=lambda credentials: _verify(context, credentials, doubts),
        store=keychain,
        config=context.config,
        now=datetime.now(UTC),
    )
    replaced = ", in place of the token that was there" if done.replaced else ""
    name = f"@{visible(done.account.handle)} ({visible(done.account.user_id)})"
    announce(context, f"logged in as {name}, stored in {done.backend}{replaced}")
    for remark in done.warnings:
        warn(remark)
    for doubt in doubts:
        warn(doubt.message, doubt.hint)
    found = describe(context, done.account.handle, done.account.host, keychain)
    if found.source != "keyring":
        warn(f"{found.source} credentials come before the keyring, so this login isn't used", _SEE_STATUS)
    print_json(context, [found])


def _reader(context: Context, *, with_token: bool, pin: bool) -> Callable[[], Credentials]:
    """Return what gets the four values in the chosen way; UsageError when that can't be done here."""
    from profilectl.credentials.login import read_token

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
    from profilectl.credentials import login as room

    talk(f"Logging in at {host_of(context)}. X's developer portal has the values under the app's keys and tokens.")
    if not pin:
        return room.ask_values(_ask)
    return room.ask_pin(_ask, begin=lambda *app: _begin(context, *app), show=_show, ask_openly=_ask_openly)


def _ask(label: str) -> str:
    answer: str = typer.prompt(f"{label} (hidden)", hide_input=True, err=True)
    return answer


def _ask_openly(label: str) -> str:
    with contextlib.redirect_stdout(sys.stderr):  # or a blank of the prompt would go where the JSON goes
        answer: str = typer.prompt(label, err=True)
    return answer


def _begin(context: Context, consumer_key: Secret, consumer_secret: Secret) -> PinLogin:
    """Open a PIN login without a deadline: a person with a browser takes the time that it takes."""
    from profilectl.api.pin import PinLogin

    return PinLogin(consumer_key, consumer_secret, base_url=context.api_url)


def _show(url: str) -> None:
    for line in ("Open this address in a browser, signed in as the brand, and authorise the app:", "", f"  {url}", ""):
        talk(line)


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


# Looking


def status(context: Context) -> None:
    """Say where credentials come from, and if they are usable.

    For every account; X isn't asked.
    """
    found = list(_statuses(context))
    if not print_json(context, found):
        print_rows(_STATUS_HEADERS, [_cells(one) for one in found])
    if not found:
        _say_nobody(context)
    for hint in dict.fromkeys(one.hint for one in found):
        give_hint(hint)
    if not context.uses_sandbox and not any(one.usable for one in found):
        raise typer.Exit(ExitCode.CREDENTIALS)


def _statuses(context: Context) -> Iterator[AccountStatus]:
    """Describe every account that is a brand of the roster or logged in at this host."""
    host, keychain = host_of(context), accounts.unattended_keychain(context)
    handles = {brand.handle.casefold(): brand.handle for brand in accounts.brands(context)}
    if not context.options.brand:
        known = [one.handle for one in accounts.logged_in(context) if one.host == host]
        handles |= {handle.casefold(): handle for handle in known}
    for handle in handles.values():
        yield describe(context, handle, host, keychain)
    anonymous = None if handles else accounts.describe_anonymous(context, host)
    if anonymous is not None:
        yield anonymous


def _cells(one: AccountStatus) -> tuple[str, ...]:
    usable = "usable" if one.usable else "unusable"
    return (one.handle, one.host, one.source, one.backend or "", usable, one.problem or "")


def listing(context: Context) -> None:
    """List the accounts that are logged in, at every host."""
    known, keychain = accounts.logged_in(context), accounts.unattended_keychain(context)
    if not print_json(context, (describe(context, one.handle, one.host, keychain) for one in known)):
        print_rows(_LIST_HEADERS, [(one.handle, one.user_id, one.host, one.storage) for one in known])
    if not known:
        _say_nobody(context)


def _say_nobody(context: Context) -> None:
    if context.uses_sandbox:
        talk("the sandbox has no account yet: it makes one for every brand that is used")
        return
    talk(f"nobody is logged in at {host_of(context)}")
    give_hint("`profilectl auth login` logs in; `profilectl demo` shows the whole thing without an account")


# Logging out


def logout(context: Context, handle: Handle = None) -> None:
    """Forget an account's credentials.

    Its keyring entry, and its line in the configuration; X isn't asked.
    """
    from profilectl.credentials import login as room

    _refuse_sandbox(context)
    host, keychain = host_of(context), accounts.attended_keychain(context)
    name = accounts.named_account(context, handle) or _only_account(context, host)
    if name is None:
        announce(context, f"nobody is logged in at {host}, so nothing changed")
        print_json(context, [])
        return
    done = room.logout(name, host, store=keychain, config=context.config)
    if done.entry or done.listed:
        announce(context, f"logged out @{name} at {host}: nothing of it is left in {keychain.backend_name}")
        give_hint(done.remark)
    else:
        announce(context, f"@{name} wasn't logged in at {host}, so nothing changed")
    found = describe(context, name, host, keychain)
    if found.usable:
        warn(f"commands still find {found.source} credentials for @{name}", _SEE_STATUS)
    print_json(context, [found])


def _only_account(context: Context, host: str) -> str | None:
    handles = [one.handle for one in context.config.accounts if one.host == host]
    if len(handles) > 1:
        raise UsageError("which account?", hint="say --handle with one of: " + visible(", ".join(handles)))
    return handles[0] if handles else None


def _refuse_sandbox(context: Context) -> None:
    if context.uses_sandbox:
        raise UsageError(
            "the sandbox knows no logins: it makes credentials of its own for every brand",
            hint="leave out --sandbox (and PROFILECTL_SANDBOX) to log in or out at X",
        )
