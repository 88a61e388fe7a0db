"""Which accounts an ``auth`` command is about, what is known of them, and how that is shown."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from profilectl.config import LoggedIn, read_config
from profilectl.credentials.formats import account_name
from profilectl.credentials.keyring import Keychain
from profilectl.credentials.sources import AccountStatus
from profilectl.errors import CredentialsError, InputRefused, LedgerRefused, TryLater, UsageError
from profilectl.model import Brand
from profilectl.render import json_documents
from profilectl.render.console import info, is_terminal
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.cli.context import Context
    from profilectl.render.json_documents import Document
    from profilectl.secret import Credentials

SANDBOX = "sandbox"
SEE_STATUS = "`profilectl auth status` shows where credentials come from"


def host_of(context: Context) -> str:
    """Return the API host with its port, which is part of a keyring entry's name."""
    return "localhost" if context.uses_sandbox else context.api_host


def attended_keychain(context: Context) -> Keychain:
    """Return the keyring; it may open its dialog when a person is there, even one who pipes something in."""
    return Keychain(attended=not context.options.no_input and is_terminal(sys.stderr), environ=context.environ)


def unattended_keychain(context: Context) -> Keychain:
    """Return a keyring that opens no dialog and answers or fails within 3 seconds."""
    return Keychain(environ=context.environ)


def refuse_sandbox(context: Context) -> None:
    """Refuse a login or logout in the sandbox."""
    if context.uses_sandbox:
        raise UsageError(
            "the sandbox knows no logins: it makes credentials of its own for every brand",
            hint="leave out --sandbox (and PROFILECTL_SANDBOX) to log in or out at X",
        )


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
    except InputRefused:  # a command that needs the roster says so
        return []


def named_account(context: Context, handle: str | None) -> str | None:
    """Return ``--handle``, if it is one, or else the handle of the chosen or only brand; None when there is neither."""
    if handle is None and context.options.brand:
        return context.the_brand().handle
    if handle is None:
        chosen = brands(context)  # the first of several would be a guess about whose token is replaced
        return chosen[0].handle if len(chosen) == 1 else None
    try:
        account_name(handle)
    except CredentialsError as error:
        raise UsageError(error.message, hint=error.hint) from None
    return handle.removeprefix("@")


def logged_in(context: Context) -> Sequence[LoggedIn]:
    """Return the accounts that are logged in, at every host; in the sandbox, the brands that exist there."""
    if not context.uses_sandbox:
        return context.config.accounts
    if not context.sandbox_folder.exists():
        return ()
    accounts = context.local_x.world.accounts.all()
    host = host_of(context)
    return [LoggedIn(account.handle, account.user_id, host, SANDBOX) for account in accounts if account.is_brand]


def renamed_logins(context: Context, brands: Sequence[Brand], host: str) -> dict[str, LoggedIn]:
    """Return the logins of brands whose account X has renamed since, by the handle in the roster, in small letters.

    By the user id that the ledger knows of a brand, as X isn't asked; without a ledger that knows it, nothing.
    """
    if context.uses_sandbox:
        return {}
    taken = {handle.casefold() for handle in claimed_handles(context)}
    logins = [login for login in logged_in(context) if login.host == host]
    named = {login.handle.casefold() for login in logins}
    unclaimed = {login.user_id: login for login in logins if login.handle.casefold() not in taken}
    missing = [brand for brand in brands if brand.handle.casefold() not in named]
    if not (unclaimed and missing):
        return {}
    try:
        with context.open_ledger() as ledger:
            accounts = {brand.handle.casefold(): ledger.account_of(brand.key) for brand in missing}
    except (LedgerRefused, TryLater, UsageError):  # `doctor` tells of it; where credentials are, is told without one
        return {}
    return {
        handle: unclaimed[account.user_id]
        for handle, account in accounts.items()
        if account is not None and account.user_id in unclaimed
    }


def describe(context: Context, handle: str, host: str, keychain: Keychain) -> AccountStatus:
    """Return where an account's credentials would come from and whether they could be used; X isn't asked."""
    if context.uses_sandbox:  # which makes the account of a brand when it is first used
        return AccountStatus(handle, host, SANDBOX, None, usable=True)
    return context.credential_sources(host, keychain).describe(handle)


def describe_anonymous(context: Context, host: str, keychain: Keychain) -> AccountStatus | None:
    """Return the same of credentials that were set up without a name of an account."""
    return None if context.uses_sandbox else context.credential_sources(host, keychain).describe_anonymous()


def find_credentials(context: Context, handle: str, keychain: Keychain) -> Credentials:
    """Return the credentials of a handle, empty when nobody has named an account; X isn't asked about renames."""
    if context.uses_sandbox:
        return context.local_x.credentials(handle)
    # A source that doesn't belong to one account doesn't look at the handle, but there must be one.
    return context.credential_sources(context.api_host, keychain).find(handle or "unnamed")


def document(context: Context, statuses: Iterable[AccountStatus]) -> Document:
    """Return ``profilectl.auth/1`` about accounts."""
    return json_documents.accounts(statuses, read_config(context.config.path))  # as it is after a login


def warn(message: str, hint: str | None = None) -> None:
    """Write a warning to stderr."""
    info(f"warning: {visible(message)}")
    give_hint(hint)


def give_hint(hint: str | None) -> None:
    """Write to stderr what to do next, if there is something to do."""
    for line in (hint or "").splitlines():
        info(f"hint: {visible(line)}")
