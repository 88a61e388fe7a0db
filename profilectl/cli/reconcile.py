"""``audit reconcile``: X's own list of messages beside the record; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from profilectl.audit.faces import Entry
from profilectl.audit.queries import Readable, Selection, faces_of
from profilectl.audit.reconcile import GAPS, SHOWN_AFTER_MS, Reconciliation, reconcile
from profilectl.cli.context import Context
from profilectl.cli.ledger.files import open_sound, place_of
from profilectl.cli.options import option
from profilectl.errors import PersonNeeded
from profilectl.ledger.accounts import check_account
from profilectl.ledger.store import StoreReader
from profilectl.model import Brand
from profilectl.render.console import show_error
from profilectl.render.record import answers as render

MOST_DAYS = 30  # that X's list goes back (X: GET direct_messages/events/list)
_DAY_MS = 24 * 3600 * 1000


def reconcile_record(
    context: Context,
    days: Annotated[int, option("--days COUNT", "How far back; X lists 30 days.", min=1, max=MOST_DAYS)] = MOST_DAYS,
) -> None:
    """Compare X's own list of messages with the record.

    Messages that X has with a face of ours and that the record doesn't have were sent past this ledger, with the
    brand's token, or before the ledger was restored from a backup; those that the record has as sent and X doesn't
    list were deleted, or never there. Ends with 7 where there are any. X lets an account read 15 pages in a quarter of
    an hour; where that isn't far enough, the answer says since when everything was compared.
    """
    results: dict[str, Reconciliation] = {}
    ledger = context.stack.enter_context(open_sound(context, place_of(context)))
    for brand in context.brands():
        results[brand.key] = _of_brand(context, ledger, brand, days)
    rows = [cells for key, result in results.items() for cells in render.reconciliation_rows(key, result)]
    context.output.show(render.reconciliation(results), render.RECONCILE_HEADERS, rows)
    for key, result in results.items():
        context.remark(render.reconciled(key, result))
    if not all(result.is_agreed for result in results.values()):
        error = PersonNeeded("X's list and the record differ", hint=_hint(results))
        show_error(error)
        raise typer.Exit(error.exit_code)


def _hint(results: Mapping[str, Reconciliation]) -> str:
    gaps = [render.gap(key, result.gap, MOST_DAYS) for key, result in results.items() if result.unknown and result.gap]
    thief = "find out who else has the brand's token; `profilectl audit verify` says whether the record was changed"
    return "; ".join([*gaps, f"for what is newer, {thief}" if gaps else thief])


def _of_brand(context: Context, ledger: StoreReader, brand: Brand, days: int) -> Reconciliation:
    client = context.connect(brand)
    account = client.verify_credentials()
    check_account(brand, account, ledger)
    # X's list first: what is recorded meanwhile is then in the record, and not missing there
    asked_ms = client.now_ms() - days * _DAY_MS
    listed, since_ms = client.messages(asked_ms)
    until_ms = client.now_ms() - SHOWN_AFTER_MS
    readable = Readable(ledger, ledger.accepted_breaks())
    faces = {face.profile_id for face in faces_of(readable, account.user_id)}
    entries = _entries(readable, account.user_id)
    return reconcile(listed, entries, faces, account.user_id, (asked_ms, since_ms, until_ms))


def _entries(readable: Readable, user_id: str) -> list[Entry]:
    selection = Selection(accounts=frozenset({user_id}), events=GAPS | {"sent"})
    return list(selection.entries(readable.events()))
