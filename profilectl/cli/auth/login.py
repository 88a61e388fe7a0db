"""``auth login`` and ``auth import``: credentials that are typed, piped, got by PIN, or imported from another tool."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from profilectl.cli.auth import accounts
from profilectl.cli.auth.accounts import SEE_STATUS, describe, document, give_hint, host_of, warn
from profilectl.cli.auth.on_record import record
from profilectl.cli.context import Context
from profilectl.cli.options import option
from profilectl.cli.prompts import ask
from profilectl.credentials import importers, prompts
from profilectl.credentials import login as credentials_login
from profilectl.credentials.sources import AccountStatus
from profilectl.errors import CredentialsError, CredentialsRefused, RemoteError, UsageError
from profilectl.model import Account, Detail
from profilectl.render.console import info
from profilectl.system.host import home_folder
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.api.pin_login import PinLogin
    from profilectl.credentials.importers import Offer, Offers
    from profilectl.secret import Credentials, Secret


_PIPE = (
    "pipe a JSON object with consumer_key, consumer_secret, access_token and access_token_secret "
    "into `profilectl auth login --with-token`"
)
_COPY_AGAIN = (
    "copy all four values again from the app's keys and tokens in X's developer portal: "
    "regenerating one there ends the old one"
)

Handle = Annotated[str | None, option("--handle HANDLE", "The account; else the brand's.")]


def login(
    context: Context,
    handle: Handle = None,
    with_token: Annotated[bool, option("--with-token", "Read the four values as JSON from stdin.")] = False,
    pin: Annotated[bool, option("--pin", "Get the token with a PIN that X shows in a browser.")] = False,
) -> None:
    """Check credentials at X, and keep them in the keyring.

    Asks for consumer key, consumer secret, access token and access token secret, without showing what is typed.
    """
    accounts.refuse_sandbox(context)
    context.require_admin("change credentials")
    read = _reader(context, with_token=with_token, pin=pin)
    log_in(context, accounts.named_account(context, handle), read)


def log_in(context: Context, expected: str | None, read: Callable[[], Credentials]) -> None:
    """Get credentials of the expected handle or of any, check them at X, keep them in the keyring, and report it."""
    # `read` is called once the keyring has proven to work: nobody types four values for nothing.
    keychain = accounts.attended_keychain(context)
    doubts: list[RemoteError] = []
    result = credentials_login.login(
        host=host_of(context),
        expected=expected,
        read=read,
        verify=partial(_verify, context, doubts),
        store=keychain,
        config=context.config,
        now=datetime.now(UTC),
        claimed=accounts.claimed_handles(context),
    )
    replaced = ", in place of the token that was there" if result.replaced else ""
    name = f"@{visible(result.account.handle)} ({visible(result.account.user_id)})"
    context.output.announce(f"logged in as {name}, stored in {result.backend}{replaced}")
    detail: Detail = {"handle": result.account.handle, "backend": result.backend, "replaced": result.replaced}
    record(context, "logged-in", result.account.user_id, detail)
    for remark in result.warnings:
        warn(remark)
    for doubt in doubts:
        warn(doubt.message, doubt.hint)
    account = describe(context, result.account.handle, result.account.host, keychain)
    if account.source != "keyring":
        warn(f"{account.source} credentials come before the keyring, so this login isn't used", SEE_STATUS)
    context.output.show(partial(document, context, [account]))


def _reader(context: Context, *, with_token: bool, pin: bool) -> Callable[[], Credentials]:
    """Return what gets the four values in the chosen way; UsageError when that can't be done here."""
    if context.options.credentials_file is not None:
        path = visible(shlex.quote(str(context.options.credentials_file)))
        hint = f"`profilectl auth login --with-token < {path}` reads it"
        raise UsageError("auth login takes no --credentials-file", hint=hint)
    if with_token and pin:
        raise UsageError("--with-token and --pin exclude each other", hint="leave one of them out")
    if with_token and sys.stdin.isatty():
        raise UsageError("--with-token reads stdin, but nothing is piped into it", hint=_PIPE)
    if not with_token and not context.may_ask:
        raise UsageError(f"no credentials were kept: {context.cannot_ask}", hint=_PIPE)
    return prompts.read_token if with_token else lambda: _ask_person(context, pin=pin)


def _ask_person(context: Context, *, pin: bool) -> Credentials:
    info(f"Logging in at {host_of(context)}. X's developer portal has the values under the app's keys and tokens.")
    if not pin:
        return prompts.ask_values(_ask)
    return prompts.ask_pin(_ask, begin=lambda *app: _begin(context, *app), show=_show_login, ask_openly=ask)


def _ask(label: str) -> str:
    return ask(f"{label} (hidden)", hidden=True)


def _begin(context: Context, consumer_key: Secret, consumer_secret: Secret) -> PinLogin:
    from profilectl.api.pin_login import PinLogin
    from profilectl.api.transport import Transport

    # Without a deadline: a person with a browser takes the time that it takes.
    return PinLogin(consumer_key, consumer_secret, Transport(context.api_url))


def _show_login(url: str) -> None:
    for line in ("Open this address in a browser, signed in as the brand, and authorise the app:", "", f"  {url}", ""):
        info(line)


def _verify(context: Context, doubts: list[RemoteError], credentials: Credentials) -> Account:
    """Return whose credentials they are; that X doesn't allow custom profiles yet is a doubt, not a failure."""
    client = context.client(credentials)
    try:
        account = client.verify_credentials()
    except CredentialsRefused as error:
        if error.status == 401 and error.code != 135:  # 135 is about the clock, and its hint says so
            raise error.with_hint(_COPY_AGAIN) from error.__cause__
        raise
    # No condition for a login, because X allows a brand only after it has asked for it.
    try:
        client.list_profiles()
    except RemoteError as error:
        doubts.append(error)
    return account


_HEADERS = ("account", "file", "complete", "problem")
_LIST = "`profilectl auth import --list` shows what there is"
_TOOLS = "looked for ~/.twurlrc (twurl), ~/.xurl (xurl) and ~/.trc (t); --from FILE names another"


def import_(
    context: Context,
    account: Annotated[str | None, option("--account HANDLE", "The account to import, or xurl's app.")] = None,
    path: Annotated[Path | None, option("--from FILE", "Only this file of such a tool.")] = None,
    only_list: Annotated[bool, option("--list", "Only show which accounts there are.")] = False,
) -> None:
    """Import an account from twurl, t or xurl.

    Its credentials are checked at X and kept in the keyring, as with a login. The tool's file stays as it is.
    """
    accounts.refuse_sandbox(context)
    if not only_list:
        context.require_admin("change credentials")
    if context.options.credentials_file is not None:
        raise UsageError("auth import takes no --credentials-file", hint="--from names a file of twurl, t or xurl")
    files = _read(path)
    offers = [offer for file in files for offer in file.offers]
    if only_list:
        _show(context, offers)
        return
    if not offers:
        raise CredentialsError("there is no OAuth 1.0a account to import", hint=_TOOLS)
    expected = context.the_brand().handle if context.options.brand else None
    name = account or expected
    if name is None and not context.may_ask:
        names = ", ".join(dict.fromkeys(visible(offer.name) for offer in offers))
        what = f"which account to import isn't clear, and {context.cannot_ask}"
        raise UsageError(what, hint=f"say --account with one of: {names}")
    # Who is asked is asked once the keyring has proven to work, as at a login: by `read`, which then fills the list.
    picked = [] if name is None else [_named(offers, name)]
    log_in(context, expected, lambda: _values(picked or _choose(offers, picked)))
    _warn_of_plain_text(picked[0], files)


def _read(path: Path | None) -> list[Offers]:
    """Read the named file, or every usual one; of these, one that can't be read is a warning only."""
    if path is not None:
        return [importers.read_offers(path)]
    files = []
    for usual in importers.usual_files(home_folder()):
        try:
            files.append(importers.read_offers(usual))
        except CredentialsError as error:
            warn(error.message, error.hint)
    return files


def _named(offers: Sequence[Offer], name: str) -> Offer:
    bare = name.removeprefix("@").casefold()
    candidates = [offer for offer in offers if offer.name.casefold() == bare]
    if not candidates:
        raise UsageError(f"there is no account {visible(name)} to import", hint=_LIST)
    usable = [offer for offer in candidates if offer.credentials is not None] or candidates
    # twurl, t and xurl may all hold the same token, which is no reason to ask.
    if len({offer.credentials and offer.credentials.secrets() for offer in usable}) > 1:
        where = ", ".join(visible(str(offer.path)) for offer in usable)
        hint = f"--from FILE names one of: {where}; in a terminal you are asked"
        raise UsageError(f"there are {len(usable)} different tokens of {visible(name)}", hint=hint)
    return usable[0]


def _choose(offers: Sequence[Offer], picked: list[Offer]) -> list[Offer]:
    """Let a person choose, and add the choice to `picked`."""
    for number, offer in enumerate(offers, start=1):
        info("  ".join([f"{number:>3}", *filter(None, _cells(offer))]))
    answer = ask("Which account (number)").strip()
    if not answer.isdecimal() or not 1 <= int(answer) <= len(offers):
        raise UsageError(f"{visible(answer)!r} is no number of the list")
    picked.append(offers[int(answer) - 1])
    return picked


def _values(picked: Sequence[Offer]) -> Credentials:
    offer = picked[0]
    if offer.credentials is None:
        raise CredentialsError(offer.problem or "incomplete", hint=_LIST)
    return offer.credentials


def _show(context: Context, offers: Sequence[Offer]) -> None:
    statuses = [_status(context, offer) for offer in offers]
    context.output.show(partial(document, context, statuses), _HEADERS, [_cells(offer) for offer in offers])
    if not offers:
        info("there is no OAuth 1.0a account to import")
        give_hint(_TOOLS)


def _cells(offer: Offer) -> tuple[str, ...]:
    name = f"@{offer.handle}" if offer.handle else f"app {offer.app}"
    complete = "complete" if offer.credentials else "incomplete"
    default = "its default" if offer.chosen else ""
    return name, str(offer.path), complete, offer.problem or default


def _status(context: Context, offer: Offer) -> AccountStatus:
    handle, host, usable = offer.handle or "", host_of(context), offer.credentials is not None
    tail = offer.credentials.token.tail() if offer.credentials else None
    return AccountStatus(handle, host, str(offer.path), None, usable=usable, problem=offer.problem, token_tail=tail)


def _warn_of_plain_text(offer: Offer, files: Sequence[Offers]) -> None:
    # Only a warning: another tool may still need its file, so it isn't ours to change.
    name = visible(str(offer.path))
    warn(f"{name} still holds this token in plain text", "delete it there when nothing else uses it")
    exposure = next(file.exposure for file in files if file.path == offer.path)
    if exposure is not None:
        warn(exposure.message, exposure.hint)
