"""Which accounts an ``auth`` command is about, what is known of them, and how that is told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from profilectl.errors import CredentialsError, InputRefused, UsageError
from profilectl.render import documents
from profilectl.render.console import draw, info, is_terminal, out, write_rows
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from profilectl.cli.context import Context
    from profilectl.config import Config, LoggedIn
    from profilectl.credentials.keyring import Keychain
    from profilectl.credentials.sources import AccountStatus
    from profilectl.model import Brand

SANDBOX = "sandbox"
SEE_STATUS = "`profilectl auth status` shows where credentials come from"


def host_of(context: Context) -> str:
    """Return the API host with its port, which is part of every keyring entry's address."""
    return "localhost" if context.uses_sandbox else context.api_host


def attended_keychain(context: Context) -> Keychain:
    """Return the keyring; it may open its dialog when a person is there, even one who pipes something in."""
    from profilectl.credentials.keyring import Keychain

    return Keychain(attended=not context.options.no_input and is_terminal(sys.stderr), environ=context.environ)


def unattended_keychain(context: Context) -> Keychain:
    """Return the keyring, which then opens no dialog and answers or fails within 3 seconds."""
    from profilectl.credentials.keyring import Keychain

    return Keychain(environ=context.environ)


def refuse_sandbox(context: Context) -> None:
    """Refuse a login or logout where there is none."""
    if context.uses_sandbox:
        raise UsageError(
            "the sandbox knows no logins: it makes credentials of its own for every brand",
            hint="leave out --sandbox (and PROFILECTL_SANDBOX) to log in or out at X",
        )


# Which accounts


def brands(context: Context) -> tuple[Brand, ...]:
    """Return the brands that are meant; none when the roster can't say and nobody named a brand."""
    try:
        return context.brands()
    except (InputRefused, UsageError) as error:
        if context.options.brand:
            raise
        if context.roster_path.exists() or context.options.roster is not None:
            warn(f"the roster's brands aren't known: {error.message}", error.hint)
        return ()


def claimed_handles(context: Context) -> list[str]:
    """Return the handles that the roster uses; none when there is no roster that says."""
    try:
        return [brand.handle for brand in context.roster.brands]
    except InputRefused:  # told by whoever needs the roster
        return []


def named_account(context: Context, handle: str | None) -> str | None:
    """Return the handle that was named: with ``--handle``, or as the chosen or only brand; None when nothing says.

    Raises:
        UsageError: it is no handle, or ``--brand`` isn't one brand of the roster.
    """
    from profilectl.credentials.formats import account_name

    if handle is None and context.options.brand:
        return context.the_brand().handle
    if handle is None:
        meant = brands(context)
        return meant[0].handle if len(meant) == 1 else None
    try:
        account_name(handle)
    except CredentialsError as error:
        raise UsageError(error.message, hint=error.hint) from None
    return handle.removeprefix("@")


def logged_in(context: Context) -> Sequence[LoggedIn]:
    """Return the accounts that are logged in, at every host; in the sandbox, the brands that exist there."""
    if not context.uses_sandbox:
        return context.config.accounts
    from profilectl.config import LoggedIn

    if not (context.state_folder / SANDBOX).exists():
        return ()
    accounts = context.local_x.world.accounts.all()
    return [LoggedIn(one.handle, one.user_id, host_of(context), SANDBOX) for one in accounts if one.is_brand]


# What is known of them


def describe(context: Context, handle: str, host: str, keychain: Keychain) -> AccountStatus:
    """Say where an account's credentials would come from and whether they could be used; X isn't asked."""
    from profilectl.credentials import sources

    if context.uses_sandbox:  # which makes the account of a brand when it is first used
        return sources.AccountStatus(handle, host, SANDBOX, None, usable=True)
    return sources.describe(
        handle,
        host,
        credentials_file=context.options.credentials_file,
        environ=context.environ,
        config=context.config,
        keychain=keychain,
    )


def describe_anonymous(context: Context, host: str) -> AccountStatus | None:
    """Say the same of credentials that somebody has set up without naming an account."""
    from profilectl.credentials import sources

    if context.uses_sandbox:
        return None
    return sources.describe_anonymous(
        host, credentials_file=context.options.credentials_file, environ=context.environ, config=context.config
    )


# How it is told


def print_rows(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on a terminal, tab-separated lines elsewhere."""
    if rows and is_terminal(sys.stdout):
        from profilectl.render.tables import listing

        draw(listing(headers, rows))
    else:
        write_rows(rows)


def print_json(context: Context, found: Iterable[AccountStatus]) -> bool:
    """Print ``profilectl.auth/1`` when that is wanted, and say whether it was."""
    from profilectl.config import read_config

    if context.wants_json:
        config = read_config(context.config.path)  # as it is after a login
        document = documents.accounts(_document(one, config) for one in found)
        out(documents.dump(document | {"default_brand": config.brand}))
    return context.wants_json


def _document(one: AccountStatus, config: Config) -> documents.Document:
    known = config.account(one.handle, one.host)
    return {
        "handle": one.handle or None,
        "host": one.host,
        "source": one.source,
        "backend": one.backend,
        "usable": one.usable,
        "problem": one.problem,
        "hint": one.hint,
        "token_tail": one.token_tail,
        "user_id": None if known is None else known.user_id,
    }


def announce(context: Context, line: str) -> None:
    """Tell what was done: on stdout, unless that is one JSON document; nowhere with ``--quiet``."""
    if not context.is_quiet:
        (info if context.wants_json else out)(line)


def warn(message: str, hint: str | None = None) -> None:
    """Tell of something that doesn't stop the command."""
    info(f"warning: {visible(message)}")
    give_hint(hint)


def give_hint(hint: str | None) -> None:
    """Tell what to do next, if there is something to do."""
    for line in (hint or "").splitlines():
        info(f"hint: {visible(line)}")
