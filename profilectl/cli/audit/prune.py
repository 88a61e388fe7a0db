"""``audit prune``: texts and recipients of older messages go, and what is left stays provable."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

from profilectl.audit.pruning import Pruning
from profilectl.cli.audit.against import look
from profilectl.cli.audit.asked import asked_moment, chosen_accounts
from profilectl.cli.context import Context
from profilectl.cli.ledger.files import open_sound, open_writable, place_of
from profilectl.cli.options import option
from profilectl.cli.prompts import require_consent
from profilectl.errors import LedgerRefused, UsageError
from profilectl.ledger.address import PostgresAddress
from profilectl.ledger.heads import require_whole
from profilectl.render.record import pruned as render
from profilectl.render.record.answers import counted
from profilectl.system.cache import cache_file, write_cache
from profilectl.system.host import now_ms
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.ledger.store import StoreReader


def prune(
    context: Context,
    before: Annotated[str, option("--before WHEN", "Of what is older than this day or time.")],
    yes: Annotated[bool, option("--yes", "Remove them without asking.")] = False,
) -> None:
    """Remove texts and recipients from older records, for good.

    Removes who got a message, what it said, and the digests of that. Who sent it, as whom, when, and X's id of it
    stay, and so do the hashes: `profilectl audit verify` and earlier checkpoints hold as before. Messages whose end
    nobody knows keep their recipient. What `send --key` knows of that time goes as well.

    Asks on a terminal; elsewhere it needs --yes. It is recorded. Backups and exports that you made before still have
    what is removed here. The day begins in this machine's time zone; 2026-01-31T00:00Z is in UTC.
    """
    context.require_admin("prune the record")
    moment = asked_moment("--before", before)
    if moment.begin_ms > now_ms():
        raise UsageError(f"--before {visible(before)} is in the future", hint="name a day up to today")
    place = place_of(context)
    with closing(open_sound(context, place)) as ledger:
        user_ids, records = _sight(context, ledger, moment.begin_ms)
    if not records:
        context.output.show(render.pruned(str(place), before, None), lines=[])
        context.remark(f"nothing to remove: no record before {moment.describe()} has a text or a recipient")
        return
    question = f"Remove texts and recipients from {counted(records, 'record')} before {moment.describe()}, for good?"
    require_consent(context, question, "removed", yes=yes)
    with open_writable(context, place) as ledger:
        require_whole(ledger, ledger.last_seq())
        event = ledger.prune(user_ids, moment.begin_ms, now_ms(), before)
        context.kept_heads.keep(ledger, place)
    _empty_names(context)
    context.output.show(render.pruned(str(place), before, event), lines=[render.sentence(event)])
    if isinstance(place, PostgresAddress):
        context.remark("PostgreSQL keeps what was removed until its next VACUUM; run VACUUM to have it gone now")
    context.remark("backups and exports from before still have it, and so have drafts that weren't sent")


def _empty_names(context: Context) -> None:
    """Forget which customers TAB offers; other users' caches follow at their next TAB, as the ledger has changed."""
    for kind in ("names", "sandbox.names"):
        write_cache(cache_file(os.path.abspath(context.roster_path), kind), b"")  # noqa: PTH100 - as TAB does


def _sight(context: Context, ledger: StoreReader, before_ms: int) -> tuple[frozenset[str], int]:
    """Return the accounts that are meant, and how many of their records would be pruned."""
    broken = look(context, ledger).verdict.broken
    if broken is not None:
        hint = "`profilectl audit verify` shows more"
        raise LedgerRefused(f"nothing was removed: the record is broken at {broken}", hint=hint)
    user_ids = frozenset(account.user_id for account in chosen_accounts(context, ledger.accounts()))
    is_open = {dispatch.nonce for user_id in user_ids for dispatch in ledger.open_dispatches(user_id)}
    pruning = Pruning(user_ids, before_ms, is_open)
    return user_ids, sum(1 for _ in pruning.left(ledger.events(), ledger.last_seq() + 1))
