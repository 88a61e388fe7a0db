"""``auth import``: the accounts that twurl, t and xurl know already, without typing four values again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli import accounts
from profilectl.cli.accounts import give_hint, host_of, print_json, print_rows, warn
from profilectl.cli.consent import ask
from profilectl.cli.context import Context
from profilectl.cli.login import log_in
from profilectl.errors import CredentialsError, UsageError
from profilectl.names import visible
from profilectl.render.consoles import talk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from profilectl.credentials.foreign import Offer, Offers
    from profilectl.credentials.sources import AccountStatus
    from profilectl.secret import Credentials

_HEADERS = ("account", "file", "complete", "problem")
_LIST = "`profilectl auth import --list` shows what there is"
_TOOLS = "looked for ~/.twurlrc (twurl), ~/.xurl (xurl) and ~/.trc (t); --from FILE names another"


def import_(
    context: Context,
    account: Annotated[
        str | None, typer.Option("--account", metavar="HANDLE", help="The account to import, or xurl's app.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--from", metavar="FILE", help="Only this file of such a tool.")] = None,
    only_list: Annotated[bool, typer.Option("--list", help="Only show which accounts there are.")] = False,
) -> None:
    """Import an account from twurl, t or xurl.

    The credentials go the way of a login: checked at X, then kept in the keyring. The tool's file stays as it is.
    """
    accounts.refuse_sandbox(context)
    if context.options.credentials_file is not None:
        raise UsageError("an import reads no credentials file", hint="--from names a file of twurl, t or xurl")
    files = _read(file)
    offers = [offer for one in files for offer in one.found]
    if only_list:
        _show(context, offers)
        return
    if not offers:
        raise CredentialsError("there is no OAuth 1.0a account to import", hint=_TOOLS)
    wanted = context.the_brand().handle if context.options.brand else None
    name = account or wanted
    if name is None and not context.may_ask:
        names = ", ".join(dict.fromkeys(visible(offer.name) for offer in offers))
        raise UsageError("which account?", hint=f"say --account with one of: {names}")
    picked = [] if name is None else [_named(offers, name)]
    log_in(context, wanted, lambda: _values(picked or _choose(offers, picked)))
    _tell_of_plain_text(picked[0], files)


def _read(file: Path | None) -> list[Offers]:
    """Read the named file, or every usual one; one of those that can't be read is told and left out."""
    from profilectl.credentials import foreign

    if file is not None:
        return [foreign.read_offers(file)]
    files = []
    for path in foreign.usual_files(Path.home()):
        try:
            files.append(foreign.read_offers(path))
        except CredentialsError as error:
            warn(error.message, error.hint)
    return files


# Which one


def _named(offers: Sequence[Offer], name: str) -> Offer:
    bare = name.removeprefix("@").casefold()
    found = [offer for offer in offers if offer.name.casefold() == bare]
    if not found:
        raise UsageError(f"there is no account {visible(name)} to import", hint=_LIST)
    usable = [offer for offer in found if offer.credentials is not None] or found
    if len({offer.credentials and offer.credentials.secrets() for offer in usable}) > 1:
        where = ", ".join(visible(str(offer.path)) for offer in usable)
        hint = f"--from FILE names one of: {where}; in a terminal you are asked"
        raise UsageError(f"there are {len(usable)} different tokens of {visible(name)}", hint=hint)
    return usable[0]


def _choose(offers: Sequence[Offer], picked: list[Offer]) -> list[Offer]:
    """Let a person choose, and note what was chosen."""
    for number, offer in enumerate(offers, start=1):
        talk("  ".join([f"{number:>3}", *filter(None, _cells(offer))]))
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


# How it is told


def _show(context: Context, offers: Sequence[Offer]) -> None:
    if not print_json(context, [_status(context, offer) for offer in offers]):
        print_rows(_HEADERS, [_cells(offer) for offer in offers])
    if not offers:
        talk("there is no OAuth 1.0a account to import")
        give_hint(_TOOLS)


def _cells(offer: Offer) -> tuple[str, ...]:
    name = f"@{offer.handle}" if offer.handle else f"app {offer.app}"
    complete = "complete" if offer.credentials else "incomplete"
    default = "its default" if offer.chosen else ""
    return tuple(map(visible, (name, str(offer.path), complete, offer.problem or default)))


def _status(context: Context, offer: Offer) -> AccountStatus:
    from profilectl.credentials.sources import AccountStatus

    return AccountStatus(
        offer.handle or "",
        host_of(context),
        str(offer.path),
        None,
        usable=offer.credentials is not None,
        problem=offer.problem,
        token_tail=offer.credentials.token.tail() if offer.credentials else None,
    )


def _tell_of_plain_text(offer: Offer, files: Sequence[Offers]) -> None:
    """Say what a keyring can't mend: that the file still is where it is, and who else can read it."""
    name = visible(str(offer.path))
    warn(f"{name} still holds this token in plain text", "delete it there when nothing else uses it")
    exposure = next(one.exposure for one in files if one.path == offer.path)
    if exposure is not None:
        warn(exposure.message, exposure.hint)
