"""The ``auth`` group, and its ``status`` and ``list``: whose credentials are where, and whether they can be used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli import auth_accounts
from profilectl.cli.auth_accounts import announce, describe, give_hint, host_of, print_json, print_rows, warn
from profilectl.cli.auth_login import Handle, import_, login
from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.errors import ExitCode, RemoteError, UsageError
from profilectl.render.console import info, out
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from profilectl.credentials.logout import Logout
    from profilectl.credentials.sources import AccountStatus
    from profilectl.model import Brand
    from profilectl.secret import Credentials


_STATUS_HEADERS = ("handle", "host", "source", "backend", "usable", "problem")
_LIST_HEADERS = ("handle", "user id", "host", "storage")


def register(app: typer.Typer) -> None:
    """Add the ``auth`` group."""
    group = typer.Typer(help="Credentials: which accounts profilectl can speak for.", no_args_is_help=True)
    group.command("login")(command(login))
    group.command("import")(command(import_))
    group.command("status")(command(status))
    group.command("list")(command(listing))
    group.command("default")(command(default))
    group.command("logout")(command(logout))
    app.add_typer(group, name="auth")


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
    host, keychain = host_of(context), auth_accounts.unattended_keychain(context)
    handles = {brand.handle.casefold(): brand.handle for brand in auth_accounts.brands(context)}
    if not context.options.brand:
        known = [one.handle for one in auth_accounts.logged_in(context) if one.host == host]
        handles |= {handle.casefold(): handle for handle in known}
    for handle in handles.values():
        yield describe(context, handle, host, keychain)
    anonymous = None if handles else auth_accounts.describe_anonymous(context, host)
    if anonymous is not None:
        yield anonymous


def _cells(one: AccountStatus) -> tuple[str, ...]:
    usable = "usable" if one.usable else "unusable"
    return (one.handle, one.host, one.source, one.backend or "", usable, one.problem or "")


def listing(context: Context) -> None:
    """List the accounts that are logged in, at every host."""
    known, keychain = auth_accounts.logged_in(context), auth_accounts.unattended_keychain(context)
    if not print_json(context, (describe(context, one.handle, one.host, keychain) for one in known)):
        print_rows(_LIST_HEADERS, [(one.handle, one.user_id, one.host, one.storage) for one in known])
    if not known:
        _say_nobody(context)


def _say_nobody(context: Context) -> None:
    if context.uses_sandbox:
        info("the sandbox has no account yet: it makes one for every brand that is used")
        return
    info(f"nobody is logged in at {host_of(context)}")
    give_hint("`profilectl auth login` logs in; `profilectl demo` shows the whole thing without an account")


_STILL_WORKS = (
    "the token itself still works: revoke it in the account's settings at X, under connected apps, or regenerate it in "
    "the developer portal; next time, --revoke ends it at X first"
)
_NOT_REVOKED = (
    "nothing was forgotten, so run it again; without --revoke the token is forgotten here, and ends in the account's "
    "settings at X, under connected apps"
)


def logout(
    context: Context,
    handle: Handle = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="End the token at X first.")] = False,
) -> None:
    """Forget an account's credentials.

    Its keyring entry, and its line in the configuration. X is asked for nothing, unless --revoke ends the token there.
    """
    from profilectl.credentials import logout as room

    auth_accounts.refuse_sandbox(context)
    host, keychain = host_of(context), auth_accounts.attended_keychain(context)
    name = auth_accounts.named_account(context, handle) or _only_account(context, host)
    if name is None:
        announce(context, f"nobody is logged in at {host}, so nothing changed")
        print_json(context, [])
        return
    end = (lambda credentials: _revoke(context, credentials)) if revoke else None
    done = room.logout(name, host, store=keychain, config=context.config, revoke=end)
    _tell(context, f"@{name}", done, keychain.backend_name)
    found = describe(context, name, host, keychain)
    if found.usable:
        warn(f"commands still find {found.source} credentials for @{name}", auth_accounts.SEE_STATUS)
    print_json(context, [found])


def _only_account(context: Context, host: str) -> str | None:
    handles = [one.handle for one in context.config.accounts if one.host == host]
    if len(handles) > 1:
        raise UsageError("which account?", hint="say --handle with one of: " + visible(", ".join(handles)))
    return handles[0] if handles else None


def _revoke(context: Context, credentials: Credentials) -> None:
    try:
        context.client(credentials).invalidate_token()
    except RemoteError as error:
        error.hint = f"{error.hint}; {_NOT_REVOKED}" if error.hint else _NOT_REVOKED
        raise


def _tell(context: Context, name: str, done: Logout, backend: str) -> None:
    host = host_of(context)
    if not (done.entry or done.listed):
        announce(context, f"{name} wasn't logged in at {host}, so nothing changed")
        return
    revoked = "its token is revoked, and " if done.revoked else ""
    announce(context, f"logged out {name} at {host}: {revoked}nothing of it is left in {backend}")
    if not done.revoked:
        give_hint(_STILL_WORKS)


def default(
    context: Context,
    key: Annotated[str | None, typer.Argument(metavar="[BRAND]", help="Its key in the roster.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Have none any more.")] = False,
) -> None:
    """Show or choose the brand that is meant when none is named.

    For commands about one brand, such as send; diff and sync are about all, unless --brand or PROFILECTL_BRAND names
    some. Both of these win over the default.
    """
    if key is not None and clear:
        raise UsageError("a brand and --clear exclude each other", hint="leave one of them out")
    if key is not None:
        _write(context, _known(context, key).key)
        announce(context, f"the default brand is {visible(key)}")
    elif clear:
        _write(context, None)
        announce(context, "there is no default brand any more")
    elif not context.wants_json:
        _show(context.config.brand)
    print_json(context, [])


def _known(context: Context, key: str) -> Brand:
    found = next((one for one in context.roster.brands if one.key == key), None)
    if found is None:
        raise UsageError(
            f"there is no brand {visible(key)} in {visible(str(context.roster_path))}",
            hint="it has: " + ", ".join(one.key for one in context.roster.brands),
        )
    return found


def _write(context: Context, brand: str | None) -> None:
    from profilectl.config import read_config, write_config
    from profilectl.system.locks import hold_config

    path = context.config.path
    with hold_config(path):
        write_config(replace(read_config(path), brand=brand))


def _show(brand: str | None) -> None:
    if brand is None:
        info("there is no default brand")
    else:
        out(visible(brand))
