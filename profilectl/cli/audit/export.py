"""``audit export``: a period of the record, as lines for programs and a page for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from profilectl.audit.comparison import Verdict
from profilectl.audit.evidence import Evidence
from profilectl.audit.queries import Readable, Selection, read_entry
from profilectl.cli.audit.against import look
from profilectl.cli.audit.asked import asked_period, brands_of, chosen_accounts, opened_ledger, show_left_out
from profilectl.cli.audit.beginning import begin_of, tell_begin
from profilectl.cli.context import Context
from profilectl.cli.ledger.files import (
    new_file,
    place_of,
)
from profilectl.cli.options import argument, option
from profilectl.errors import LedgerRefused
from profilectl.render.record import answers as render
from profilectl.system.host import expand_home
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.audit.chain import Record
    from profilectl.ledger.store import StoreReader


def export(
    context: Context,
    since: Annotated[str, option("--since WHEN", "From this day or time on.")],
    until: Annotated[str, option("--until WHEN", "Up to the end of this day or time.")],
    folder: Annotated[Path, argument("[FOLDER]", "Where to; else here.")] = Path(),
    force: Annotated[bool, option("--force", "Replace the files where they are.")] = False,
) -> None:
    """Write the record of a period to two files.

    Lines of JSON that a program can check: each record as it is stored, with its hashes, and a last line with their
    count and digest. And a page for people, which loads nothing: faces, messages by agent, changes. Both name
    customers and agents, so only you can read them. A record whose chain is broken is refused.
    """
    from profilectl.render.record import (
        page as record_page,  # brings the pages along, which the other commands do without
    )

    context.require_admin("export the record")
    asked, zone = asked_period(context, since, until)
    base = expand_home(str(folder)) / f"record-{_in_name(since)}-to-{_in_name(until)}"
    lines, page = base.with_name(f"{base.name}.jsonl"), base.with_name(f"{base.name}.html")
    place = place_of(context)
    with ExitStack() as stack:
        ledger = stack.enter_context(opened_ledger(context))
        accounts = chosen_accounts(context, ledger.accounts())
        verdict = _sound_verdict(context, ledger)
        readable = Readable(ledger, ledger.accepted_breaks())
        begin_ms = begin_of(readable, frozenset(account.user_id for account in accounts))
        draft, page_draft = (stack.enter_context(new_file(path, force=force)) for path in (lines, page))
        evidence = Evidence(Selection(asked, frozenset(account.user_id for account in accounts)))
        with draft.open("wb") as file:
            sink = record_page.LineSink(file, asked, zone, accounts)
            for record in _up_to(verdict, readable.events()):
                entry = read_entry(record)
                if evidence.take(entry):
                    sink.add(record, entry.event.at_ms)
            sink.end(verdict.head)
        evidence.end()
        brands = brands_of(accounts)
        facts = record_page.facts(accounts, asked, zone, verdict.head, lines.name, sink)
        handles = ", ".join(f"@{account.handle}" for account in accounts)
        text = record_page.page(f"The record of {handles}, {since} to {until}", facts, evidence, brands)
        with page_draft.open("w", encoding="utf-8") as page_file:
            page_file.write(text)
    document = render.export(str(place), str(lines), str(page), sink.count, sink.digest, verdict)
    confirmation = f"exported {render.counted(sink.count, 'record')} to {visible(str(lines))} and {visible(str(page))}"
    show_left_out(readable)
    context.output.show(document, lines=[confirmation])
    tell_begin(context, asked, begin_ms)


def _sound_verdict(context: Context, ledger: StoreReader) -> Verdict:
    verdict = look(context, ledger).verdict
    if verdict.broken is not None:
        hint = "`profilectl audit verify` says more"
        raise LedgerRefused(f"nothing was exported: the chain is broken at record {verdict.broken}", hint=hint)
    return verdict


def _up_to(verdict: Verdict, records: Iterable[Record]) -> Iterator[Record]:
    """Yield the records that were examined, and none that was added meanwhile."""
    last = 0 if verdict.head is None else verdict.head.seq
    return takewhile(lambda record: record.seq <= last, records)


def _in_name(moment: str) -> str:
    """Return what was typed as a part of a file's name."""
    return moment.replace(":", "").replace(" ", "T")
