"""The ``auth`` group, and its ``status`` and ``list``: whose credentials are where, and whether they can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from profilectl.cli import accounts
from profilectl.cli.accounts import describe, give_hint, host_of, print_json, print_rows
from profilectl.cli.context import Context
from profilectl.cli.default import default
from profilectl.cli.imports import import_
from profilectl.cli.login import login
from profilectl.cli.logout import logout
from profilectl.cli.options import command
from profilectl.errors import ExitCode
from profilectl.render.consoles import talk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from profilectl.credentials.sources import AccountStatus

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
