"""The commands of the ``auth`` group, and its ``status`` and ``list``: whose credentials are where, and if usable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from profilectl.cli.auth import accounts
from profilectl.cli.auth.accounts import describe, document, give_hint, host_of, warn
from profilectl.cli.auth.login import Handle, import_, login
from profilectl.cli.auth.on_record import record
from profilectl.cli.context import Context
from profilectl.cli.options import add_group, argument, option
from profilectl.config import choose_brand
from profilectl.credentials import logout as credentials_logout
from profilectl.errors import ExitCode, RemoteError, UsageError
from profilectl.render.console import info
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.credentials.logout import Logout
    from profilectl.credentials.sources import AccountStatus
    from profilectl.secret import Credentials


_STATUS_HEADERS = ("handle", "host", "source", "backend", "state", "problem")
_LIST_HEADERS = ("handle", "user id", "host", "storage")
_NOT_TRIED = frozenset({"command", "stdin"})  # asking them may open a window, or ends them
_STILL_WORKS = (
    "the token itself still works: revoke it in the account's settings at X, under connected apps, or regenerate it in "
    "the developer portal; next time, --revoke ends it at X first"
)
_NOT_REVOKED = (
    "nothing was forgotten, so run it again; without --revoke the token is forgotten here, and ends in the account's "
    "settings at X, under connected apps"
)


def register(app: typer.Typer, word: str | None) -> None:
    """Add the ``auth`` group."""
    add_group(
        app,
        "auth",
        "Credentials: which accounts profilectl can speak for.",
        {"login": login, "import": import_, "status": status, "list": listing, "default": default, "logout": logout},
        word,
    )


def status(context: Context) -> None:
    """Say where credentials come from, and if they are usable.

    For every account; X isn't asked.
    """
    statuses = list(_statuses(context))
    rows = [_status_row(account, statuses) for account in statuses]
    context.output.show(partial(document, context, statuses), _STATUS_HEADERS, rows)
    if not statuses:
        _show_no_login(context)
    for hint in dict.fromkeys(account.hint for account in statuses):  # ten accounts without a keyring: one hint
        give_hint(hint)
    if not context.uses_sandbox and not (statuses and all(account.usable for account in statuses)):
        raise typer.Exit(ExitCode.CREDENTIALS)


def _status_row(account: AccountStatus, statuses: Sequence[AccountStatus]) -> tuple[str, ...]:
    usable = _usability(account, statuses)
    return (account.handle, account.host, account.source, account.backend or "", usable, account.problem or "")


def _usability(account: AccountStatus, statuses: Sequence[AccountStatus]) -> str:
    """Return what is known of an account's credentials without asking X, or anybody else who might be disturbed."""
    if not account.usable:
        return "unusable"
    if account.source in _NOT_TRIED:
        return "configured, not tried"
    # A token belongs to one account: where one source gives the same to several, it isn't that of all of them.
    login = (account.source, account.token_tail)
    twins = [other for other in statuses if (other.source, other.token_tail) == login and other.handle]
    return "configured, not tried" if len(twins) > 1 and account.token_tail else "usable"


def _statuses(context: Context) -> Iterator[AccountStatus]:
    """Yield the state of every account that is a brand of the roster or logged in at this host."""
    host, keychain = host_of(context), accounts.unattended_keychain(context)
    # X's handles have no case, so @Acme of the roster and a login as @acme are one account.
    brands = accounts.brands(context)
    handles = {brand.handle.casefold(): brand.handle for brand in brands}
    renamed = accounts.renamed_logins(context, brands, host)
    if not context.options.brand:
        former = {login.handle for login in renamed.values()}  # the same accounts, under their new handles
        logins = [login.handle for login in accounts.logged_in(context) if login.host == host]
        handles |= {handle.casefold(): handle for handle in logins if handle not in former}
    for key, handle in handles.items():
        status = describe(context, handle, host, keychain)
        if key in renamed and not status.usable and status.source == "keyring":
            login = renamed[key]
            status = replace(describe(context, login.handle, host, keychain), handle=handle)
            context.remark(
                f"@{visible(handle)} is logged in as @{visible(login.handle)}, its former handle; "
                "the next command that asks X moves the login along"
            )
        yield status
    # Credentials from the environment or a file work without any name, so they are shown where nothing has one.
    anonymous = None if handles else accounts.describe_anonymous(context, host, keychain)
    if anonymous is not None:
        yield anonymous


def listing(context: Context) -> None:
    """List the accounts that are logged in, at every host."""
    logins, keychain = accounts.logged_in(context), accounts.unattended_keychain(context)
    statuses = (describe(context, login.handle, login.host, keychain) for login in logins)
    rows = [(login.handle, login.user_id, login.host, login.storage) for login in logins]
    context.output.show(partial(document, context, statuses), _LIST_HEADERS, rows)
    if not logins:
        _show_no_login(context)


def _show_no_login(context: Context) -> None:
    if context.uses_sandbox:
        info("the sandbox has no account yet: it makes one for every brand that is used")
        return
    info(f"nobody is logged in at {host_of(context)}")
    give_hint("`profilectl auth login` logs in; `profilectl demo` shows the whole thing without an account")


def logout(
    context: Context,
    handle: Handle = None,
    revoke: Annotated[bool, option("--revoke", "End the token at X first.")] = False,
) -> None:
    """Forget an account's credentials.

    Its keyring entry, and its line in the configuration. X is asked for nothing, unless --revoke ends the token there.
    """
    accounts.refuse_sandbox(context)
    if revoke:  # ends the token for everybody; what is in one's own keyring everybody may forget
        context.require_admin("revoke a token")
    host, keychain = host_of(context), accounts.attended_keychain(context)
    name = accounts.named_account(context, handle) or _only_account(context, host)
    if name is None:
        context.output.announce(f"nobody is logged in at {host}, so nothing changed")
        context.output.show(partial(document, context, []))
        return
    listed = context.config.account(name, host)
    result = credentials_logout.logout(
        name, host, store=keychain, config=context.config, revoke=partial(_revoke, context) if revoke else None
    )
    _report_logout(context, f"@{name}", result, keychain.backend_name)
    if listed is not None:
        record(context, "logged-out", listed.user_id, {"handle": listed.handle, "revoked": result.revoked})
    # Who logs out expects that nothing can send any more, which a file or a variable would belie.
    account = describe(context, name, host, keychain)
    if account.usable:
        warn(f"commands still find {account.source} credentials for @{name}", accounts.SEE_STATUS)
    context.output.show(partial(document, context, [account]))


def _only_account(context: Context, host: str) -> str | None:
    handles = [login.handle for login in context.config.accounts if login.host == host]
    if len(handles) > 1:
        raise UsageError("which account?", hint="say --handle with one of: " + visible(", ".join(handles)))
    return handles[0] if handles else None


def _revoke(context: Context, credentials: Credentials) -> None:
    try:
        context.client(credentials).invalidate_token()
    except RemoteError as error:
        raise error.with_hint(f"{error.hint}; {_NOT_REVOKED}" if error.hint else _NOT_REVOKED) from error.__cause__


def _report_logout(context: Context, name: str, result: Logout, backend: str) -> None:
    host = host_of(context)
    if not (result.entry or result.listed):
        context.output.announce(f"{name} wasn't logged in at {host}, so nothing changed")
        return
    revoked = "its token is revoked, and " if result.revoked else ""
    context.output.announce(f"logged out {name} at {host}: {revoked}nothing of it is left in {backend}")
    if not result.revoked:
        give_hint(_STILL_WORKS)


def default(
    context: Context,
    key: Annotated[str | None, argument("[BRAND]", "Its key in the roster.")] = None,
    clear: Annotated[bool, option("--clear", "Choose none any more.")] = False,
) -> None:
    """Show or choose the brand that is meant when none is named.

    For commands about one brand, such as send; diff and sync are about all, unless --brand or PROFILECTL_BRAND names
    some. Both of these win over the default.
    """
    if key is not None and clear:
        raise UsageError("a brand and --clear exclude each other", hint="leave one of them out")
    shown = ""
    if key is not None:
        _require_brand(context, key)
        choose_brand(context.config.path, key)
        context.output.announce(f"the default brand is {visible(key)}")
    elif clear:
        choose_brand(context.config.path, None)
        context.output.announce("there is no default brand any more")
    elif context.config.brand is None:
        info("there is no default brand")
    else:
        shown = context.config.brand
    context.output.show(
        partial(document, context, []), rows=[(shown,)] if shown else None, table=lambda: visible(shown)
    )


def _require_brand(context: Context, key: str) -> None:
    keys = [brand.key for brand in context.roster.brands]
    if key not in keys:
        where = visible(str(context.roster_path))
        raise UsageError(f"there is no brand {visible(key)} in {where}", hint="it has: " + ", ".join(keys))
