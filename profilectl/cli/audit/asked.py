"""What the commands of the ``audit`` group are asked: the ledger, the accounts, a period, who and what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

from profilectl.audit.periods import ALWAYS_MS, Period
from profilectl.audit.queries import EVENTS, Readable, ids_of_handle
from profilectl.cli.context import Context
from profilectl.cli.ledger.files import (
    open_sound,
    place_of,
)
from profilectl.cli.options import option
from profilectl.errors import LedgerRefused, UsageError
from profilectl.render.console import info
from profilectl.render.record import answers as render
from profilectl.system.host import host_name, uid_of
from profilectl.system.local_time import Moment, parse_moment
from profilectl.text.escape import visible
from profilectl.text.suggest import did_you_mean

if TYPE_CHECKING:
    from profilectl.ledger.store import StoreReader
    from profilectl.model import LedgerAccount

Since = Annotated[str | None, option("--since WHEN", "From this day or time on.")]
Until = Annotated[str | None, option("--until WHEN", "Up to the end of this day or time.")]
To = Annotated[list[str] | None, option("--to RECIPIENT", "Only what went to this id or @handle; repeatable.")]
Actor = Annotated[list[str] | None, option("--actor USER", "Only what this OS user did; repeatable.")]
Csv = Annotated[bool, option("--csv", "Print lines of CSV, for a spreadsheet.")]


@contextmanager
def opened_ledger(context: Context) -> Iterator[StoreReader]:
    """Yield the ledger that is there, and that didn't go backwards."""
    with closing(open_sound(context, place_of(context))) as ledger:
        yield ledger


def chosen_accounts(context: Context, accounts: Sequence[LedgerAccount]) -> tuple[LedgerAccount, ...]:
    """Return the accounts of the brands that are named, by what the ledger calls them; all where none is."""
    keys = context.chosen_brands()
    known = [brand for account in accounts for brand in account.brands]
    for key in keys:
        if key not in known:
            what = f"this ledger has no brand {visible(key)}{did_you_mean(key, known)}"
            raise UsageError(what, hint=f"it has: {visible(', '.join(known)) or 'none yet'}")
    return tuple(account for account in accounts if not keys or not set(keys).isdisjoint(account.brands))


def brands_of(accounts: Sequence[LedgerAccount]) -> render.Brands:
    """Return the keys of each account's brands, by its user id."""
    return {account.user_id: account.brands for account in accounts}


def user_ids(context: Context, accounts: Sequence[LedgerAccount]) -> frozenset[str] | None:
    """Return the user ids of the accounts that are meant; None where none is named, so that no record is left out."""
    chosen = chosen_accounts(context, accounts)
    return frozenset(account.user_id for account in chosen) if context.chosen_brands() else None


def the_account(context: Context, accounts: Sequence[LedgerAccount]) -> LedgerAccount:
    """Return the only account that is meant; never a guess between two."""
    chosen = chosen_accounts(context, accounts)
    if len(chosen) > 1 and not context.chosen_brands():  # the user's default brand, where they have one
        chosen = tuple(account for account in chosen if context.config.brand in account.brands) or chosen
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        raise LedgerRefused("the ledger knows no brand yet", hint="the first `profilectl sync` registers it")
    brands = ", ".join(brand for account in chosen for brand in account.brands)
    raise UsageError("which brand?", hint=f"name one with --brand: {visible(brands)}")


def asked_period(context: Context, since: str | None, until: str | None) -> tuple[Period, str | None]:
    """Return what two options say, and the time zone in which they were read, which is told."""
    first, last = (
        None if text is None else asked_moment(name, text) for name, text in (("--since", since), ("--until", until))
    )
    begin = -ALWAYS_MS if first is None else first.begin_ms
    end = ALWAYS_MS if last is None else last.end_ms
    if begin >= end:
        raise UsageError("--until is before --since", hint="the earlier one belongs to --since")
    zones = dict.fromkeys(moment.zone for moment in (first, last) if moment is not None and moment.zone is not None)
    if not zones:
        return Period(begin, end), None
    zone = " and ".join(zones)  # such as summer time and winter time
    context.remark(f"days and times are in this machine's time zone, {zone}")
    return Period(begin, end), zone


def asked_moment(name: str, text: str) -> Moment:
    """Return the day or time that an option says; UsageError where it is none."""
    try:
        return parse_moment(text)
    except ValueError as error:
        raise UsageError(f"{name} {error}") from None


def known_events(events: Sequence[str] | None) -> Sequence[str]:
    """Return the events that --event names; UsageError where nothing is recorded as one."""
    for event in events or ():
        if event not in EVENTS:
            what = f"--event: nothing is recorded as {visible(event)}{did_you_mean(event, EVENTS)}"
            raise UsageError(what, hint=f"events are {', '.join(EVENTS)}")
    return events or ()


def recipients_of(context: Context, readable: Readable, recipients: Sequence[str] | None) -> frozenset[str]:
    """Return the ids that --to names, those of a handle as the record has them; UsageError for one that it hasn't."""
    ids: set[str] = set()
    for recipient in recipients or ():
        ids.update(_ids_of(context, readable, recipient) if recipient.startswith("@") else (recipient,))
    return frozenset(ids)


def _ids_of(context: Context, readable: Readable, recipient: str) -> Sequence[str]:
    ids = ids_of_handle(readable.events(), recipient[1:])
    if not ids:
        what = f"--to: the record has no message to {visible(recipient)} under that name"
        raise UsageError(what, hint="X isn't asked, and pruned records have no names; an id works, too")
    if len(ids) > 1:
        context.remark(f"{visible(recipient)} was the name of {len(ids)} accounts, so all are shown: {', '.join(ids)}")
    return ids


def asked_actors(names: Sequence[str] | None) -> frozenset[str]:
    """Return whom --actor names: the account that ran a command, or who had logged in on this machine."""
    actors = set(names or ())
    for name in names or ():
        uid = uid_of(name.removesuffix(f"@{host_name()}"))
        if uid is not None:
            actors.add(f"uid:{uid}@{host_name()}")
    return frozenset(actors)


def require_one_form(context: Context, *, csv: bool) -> None:
    """Raise UsageError where two forms of output are asked for."""
    if csv and context.wants_json:
        raise UsageError("--csv and --json exclude each other", hint="leave one of them out")


def show_left_out(readable: Readable) -> None:
    """Say which records aren't part of the answer, as they can't be read."""
    for seq in readable.left_out:
        info(f"record {seq} can't be read, and is left out: somebody changed it, and a person went on (break-accepted)")
