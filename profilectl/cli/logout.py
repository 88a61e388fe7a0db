"""``auth logout``: nothing of an account is left here, and with ``--revoke`` nothing of its token at X."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli import accounts
from profilectl.cli.accounts import announce, describe, give_hint, host_of, print_json, warn
from profilectl.cli.context import Context
from profilectl.cli.login import Handle
from profilectl.errors import RemoteError, UsageError
from profilectl.names import visible

if TYPE_CHECKING:
    from profilectl.credentials.logout import Logout
    from profilectl.secret import Credentials

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

    accounts.refuse_sandbox(context)
    host, keychain = host_of(context), accounts.attended_keychain(context)
    name = accounts.named_account(context, handle) or _only_account(context, host)
    if name is None:
        announce(context, f"nobody is logged in at {host}, so nothing changed")
        print_json(context, [])
        return
    end = (lambda credentials: _revoke(context, credentials)) if revoke else None
    done = room.logout(name, host, store=keychain, config=context.config, revoke=end)
    _tell(context, f"@{name}", done, keychain.backend_name)
    found = describe(context, name, host, keychain)
    if found.usable:
        warn(f"commands still find {found.source} credentials for @{name}", accounts.SEE_STATUS)
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
