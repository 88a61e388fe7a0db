"""``audit log``, ``who`` and ``sent``: what the record answers, read only, without X, credentials or a roster."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Annotated, Generic, TypeVar

from msgspec import Struct

from profilectl.audit.faces import Face, named
from profilectl.audit.periods import Period
from profilectl.audit.queries import Readable, Selection, faces_of, messages
from profilectl.cli.audit.asked import (
    Actor,
    Csv,
    Since,
    To,
    Until,
    asked_actors,
    asked_moment,
    asked_period,
    brands_of,
    known_events,
    opened_ledger,
    recipients_of,
    require_one_form,
    show_left_out,
    the_account,
    user_ids,
)
from profilectl.cli.audit.beginning import begin_of, is_before, tell_begin
from profilectl.cli.audit.meant import meant_name, unknown_sentence, unknown_words
from profilectl.cli.context import Context
from profilectl.cli.ledger.files import (
    pour,
)
from profilectl.cli.options import argument, option
from profilectl.errors import UsageError
from profilectl.render.console import info, info_aside, is_terminal, out_all
from profilectl.render.json_documents import Document, about_local_x, dump
from profilectl.render.record import answers as render
from profilectl.system.host import now_ms

Item = TypeVar("Item")


def log(
    context: Context,
    agent: Annotated[list[str] | None, option("--agent AGENT", "Only what is about this agent; repeatable.")] = None,
    actor: Actor = None,
    since: Since = None,
    until: Until = None,
    event: Annotated[list[str] | None, option("--event EVENT", "Only events such as created; repeatable.")] = None,
    to: To = None,
    csv: Csv = False,
) -> None:
    """List what was recorded, oldest first.

    Every record by default. Days and times are this machine's, unless they end with Z or with an offset such as
    +02:00. USER is a name, or ann@host; it may be who had logged in. RECIPIENT is an id, or a @handle under which
    somebody was written to: X isn't asked. An unknown EVENT is refused with a list of all.
    """
    require_one_form(context, csv=csv)
    asked, zone = asked_period(context, since, until)
    agents, events, actors = frozenset(agent or ()), frozenset(known_events(event)), asked_actors(actor)
    with opened_ledger(context) as ledger:
        accounts = ledger.accounts()
        brands = brands_of(accounts)
        readable = Readable(ledger, ledger.accepted_breaks())
        people = recipients_of(context, readable, to)
        selection = Selection(asked, user_ids(context, accounts), agents, actors, events, people)
        begin_ms = begin_of(readable, selection.accounts)
        answer = _Counted(selection.entries(readable.events()))
        head = partial(render.log_head, asked, zone, begin_ms)
        _show(context, answer, _LOG, brands, head, csv=csv)
        show_left_out(readable)
        if not answer.count and not is_before(asked, begin_ms):
            unknown = unknown_words(accounts, readable, agent or (), actor or (), option_name="--agent")
            context.remark(unknown_sentence("No record matches", unknown))
    tell_begin(context, asked, begin_ms)
    _tell_how_sure(context)


def who(
    context: Context,
    name: Annotated[str, argument("NAME", "The public name that customers saw.")],
    at: Annotated[str | None, option("--at WHEN", "On this day, or at this time; else now.")] = None,
) -> None:
    """Say who somebody was at X on a day.

    Which agent's face a public name was, since when and until when, with which picture, and who recorded it. A profile
    that was replaced stays visible until it is destroyed, so there may be several. Days and times are this machine's,
    unless they end with Z or with an offset such as +02:00.
    """
    if not name.strip():
        raise UsageError("NAME is empty", hint='such as `profilectl audit who "Alice F."`')
    moment = None if at is None else asked_moment("--at", at)
    now = now_ms()
    asked = Period(now, now + 1) if moment is None else Period(moment.begin_ms, moment.end_ms)
    with opened_ledger(context) as ledger:
        account = the_account(context, ledger.accounts())
        readable = Readable(ledger, ledger.accepted_breaks())
        faces = faces_of(readable, account.user_id)
        begin_ms = begin_of(readable, frozenset({account.user_id}))
    show_left_out(readable)
    same = named(faces, name)
    shown = [face for face in same if face.is_in(asked)]
    zone = None if moment is None else moment.zone
    when = "now" if moment is None else f"at {moment.describe()}"
    context.remark(f'"{name}" of {", ".join(account.brands)} {when}: {render.counted(len(shown), "face")}')
    context.output.show(
        lambda: render.who(name, account, asked, zone, shown, begin_ms),
        rows=[render.who_cells(face, asked) for face in shown],
        table=lambda: render.who_table(shown, asked),
    )
    if asked.from_ms > now:
        context.remark("that is still to come: the answer is what the record says today")
    if not shown:
        if not is_before(asked, begin_ms):
            info(_nobody(name, same, faces))
        tell_begin(context, asked, begin_ms)
    _tell_how_sure(context)


def _nobody(name: str, same: Sequence[Face], faces: Sequence[Face]) -> str:
    """Say why nobody is shown: when somebody had that name, or which name may have been meant."""
    if same:
        return f"Nobody had that name then. At other times: {'; '.join(map(render.span, same))}"
    return f"Nobody ever had that name, by the record{meant_name(name, faces)}"


def sent(
    context: Context,
    as_: Annotated[list[str] | None, option("--as AGENT", "Only messages of this agent; repeatable.")] = None,
    actor: Actor = None,
    to: To = None,
    since: Since = None,
    until: Until = None,
    csv: Csv = False,
) -> None:
    """List the messages that were sent, and as whom.

    When, to whom, with which face, whether X confirmed that, by which OS user (after sudo also who had logged in), and
    who wrote it where that was recorded. What a message said is shown only where the policy has the record keep it
    (audit_text). Days and times are this machine's, unless they end with Z or with an offset such as +02:00. USER is a
    name, or ann@host; it may be who had logged in. RECIPIENT is an id, or a @handle under which somebody was written
    to: X isn't asked.
    """
    require_one_form(context, csv=csv)
    asked, zone = asked_period(context, since, until)
    with opened_ledger(context) as ledger:
        accounts = ledger.accounts()
        brands = brands_of(accounts)
        readable = Readable(ledger, ledger.accepted_breaks())
        people = recipients_of(context, readable, to)
        selection = Selection(
            asked, user_ids(context, accounts), frozenset(as_ or ()), asked_actors(actor), recipients=people
        )
        begin_ms = begin_of(readable, selection.accounts)
        answer = _Counted(messages(readable.events(), selection))
        head = partial(render.sent_head, asked, zone, begin_ms)
        _show(context, answer, _SENT, brands, head, csv=csv)
        show_left_out(readable)
        if not answer.count and not is_before(asked, begin_ms):
            unknown = unknown_words(accounts, readable, as_ or (), actor or (), option_name="--as")
            context.remark(unknown_sentence("No message matches", unknown))
    tell_begin(context, asked, begin_ms)
    _tell_how_sure(context)


# How it is shown


def _tell_how_sure(context: Context) -> None:
    """Say below an answer that a person reads which command checks the record that it comes from."""
    # Not done here: the check hashes every record, also those that the question isn't about.
    if is_terminal(sys.stdout) and not (context.wants_json or context.is_quiet):
        info_aside("answered from the record as it is; `profilectl audit verify` checks that nobody changed it")


class _Counted(Generic[Item]):
    """Passes items on, and counts them."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.count = 0
        self._items = items

    def __iter__(self) -> Iterator[Item]:
        for item in self._items:
            self.count += 1
            yield item


class _Form(Struct, Generic[Item], frozen=True):
    """How the items of one question are shown."""

    key: str  # in the document
    part: Callable[[Item, render.Brands], Document]
    headers: Sequence[str]
    row: Callable[[Item, render.Brands], Sequence[str]]  # for people
    names: Sequence[str]  # of the cells
    cells: Callable[[Item, render.Brands], Sequence[str]]  # for programs


_LOG = _Form(
    key="records",
    part=render.log_record,
    headers=render.LOG_HEADERS,
    row=render.log_row,
    names=render.LOG_CELLS,
    cells=render.log_cells,
)
_SENT = _Form(
    "messages", render.sent_message, render.SENT_HEADERS, render.sent_row, render.SENT_CELLS, render.sent_cells
)


def _show(
    context: Context,
    items: Iterable[Item],
    form: _Form[Item],
    brands: render.Brands,
    head: Callable[[], Document],
    *,
    csv: bool,
) -> None:
    """Write the items as a document that begins with its head, as CSV, or as a table or lines with tabs."""
    if context.wants_json:
        start = about_local_x(head(), is_local=context.uses_sandbox)
        _pour_document(start, form.key, (form.part(item, brands) for item in items))
    elif csv:
        _out_csv(form.names, (form.cells(item, brands) for item in items))
    else:
        context.output.show_many(
            form.headers,
            items,
            row=lambda item: form.row(item, brands),
            cells=lambda item: form.cells(item, brands),
        )


def _out_csv(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from profilectl.render.spreadsheets import csv_lines

    out_all(csv_lines(headers, rows))


def _pour_document(head: Document, key: str, parts: Iterable[Document]) -> None:
    """Write a document whose last key holds many parts: whole or, where one can't be read, not at all."""
    import tempfile

    with tempfile.TemporaryFile() as spool:
        spool.write(dump({**head, key: []}).removesuffix("]}").encode())
        for number, part in enumerate(parts):
            spool.write(f"{', ' if number else ''}{json.dumps(part, ensure_ascii=True)}".encode())
        spool.write(b"]}\n")
        pour(spool)
