"""The credentials of one brand, even when its account was renamed at X since it logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profilectl.credentials import sources
from profilectl.credentials.keyring import Keychain, KeychainError, State
from profilectl.render.console import info
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.cli.context import Context
    from profilectl.model import Brand
    from profilectl.secret import Credentials


def credentials_of(context: Context, brand: Brand) -> Credentials:
    """Find the credentials of one brand, from the first source that is configured.

    When the keyring has no entry for its handle, X is asked whether one of the accounts that are logged in bears that
    handle today; if so, keyring and list are mended.

    Raises:
        CredentialsError: the source doesn't give them.
    """
    keychain = Keychain(attended=context.may_ask, environ=context.environ)
    try:
        return _find(context, brand, keychain)
    except KeychainError as error:
        if error.state is not State.NO_ENTRY or not _mend(context, brand, keychain):
            raise
    return _find(context, brand, keychain)


def _find(context: Context, brand: Brand, keychain: Keychain) -> Credentials:
    return sources.find(
        brand.handle,
        context.api_host,
        credentials_file=context.options.credentials_file,
        environ=context.environ,
        config=context.config,
        keychain=keychain,
    )


def _mend(context: Context, brand: Brand, keychain: Keychain) -> bool:
    from datetime import UTC, datetime

    from profilectl.credentials.renamed_accounts import find_renamed

    former = find_renamed(
        brand.handle,
        context.api_host,
        claimed=[one.handle for one in context.roster.brands],
        ask=lambda credentials: context.client(credentials).verify_credentials(),
        store=keychain,
        config=context.config,
        now=datetime.now(UTC),
    )
    if former is not None:
        info(f"@{visible(former.handle)} is called @{visible(brand.handle)} at X now: its login was moved along")
    return former is not None
