"""``audit log`` and its kin: what the record answers, read only, without X, credentials or a roster."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Generic, TypeVar

import typer

from profilectl.audit.comparison import NoMarks, Verdict, examine, read_marks
from profilectl.audit.evidence import Evidence
from profilectl.audit.faces import Face, named
from profilectl.audit.periods import ALWAYS_MS, Period
from profilectl.audit.queries import EVENTS, Selection, faces_of, messages, read_entry
from profilectl.audit.replay import differences, replay
from profilectl.cli.context import Context
from profilectl.cli.ledger_files import (
    new_file,
    open_existing,
    open_sound,
    open_writable,
    place_of,
    pour,
    readable_file,
)
from profilectl.cli.options import add_group, argument, option
from profilectl.cli.prompts import require_consent
from profilectl.cli.reconcile import reconcile_record
from profilectl.errors import ExitCode, LedgerRefused, TryLater, UsageError
from profilectl.render import audit as render
from profilectl.render.console import info, out_all, show_error
from profilectl.render.json_documents import Document, about_local_x, dump
from profilectl.system.host import expand_home, now_ms
from profilectl.system.local_time import Moment, parse_moment
from profilectl.text.escape import visible
from profilectl.text.suggest import did_you_mean

if TYPE_CHECKING:
    from profilectl.audit.chain import Record
    from profilectl.ledger.store import StoreReader
    from profilectl.model import LedgerAccount

Item = TypeVar("Item")

_LONGEST = 8 * 1024 * 1024  # bytes of a line, as in an export of the ledger

Since = Annotated[str | None, option("--since WHEN", "From this day or time on.")]
Until = Annotated[str | None, option("--until WHEN", "Up to the end of this day or time.")]
To = Annotated[list[str] | None, option("--to RECIPIENT", "Only what went to this id at X; repeatable.")]
Csv = Annotated[bool, option("--csv", "Print lines of CSV, for a spreadsheet.")]


def register(app: typer.Typer) -> None:
    """Add the ``audit`` group."""
    add_group(
        app,
        "audit",
        "The record: who changed and sent what, as whom.",
        {"log": log, "who": who, "sent": sent, "verify": verify, "reconcile": reconcile_record, "export": export},
    )


def log(
    context: Context,
    agent: Annotated[list[str] | None, option("--agent AGENT", "Only what is about this agent; repeatable.")] = None,
    actor: Annotated[list[str] | None, option("--actor USER", "Only what this OS user did; repeatable.")] = None,
    since: Since = None,
    until: Until = None,
    event: Annotated[list[str] | None, option("--event EVENT", "Only events such as created; repeatable.")] = None,
    to: To = None,
    csv: Csv = False,
) -> None:
    """List what was recorded, oldest first.

    Every record by default. Days and times are this machine's, unless they end with Z or with an offset such as
    +02:00. USER is a name, or ann@host. X isn't asked, so RECIPIENT is an id and no @handle.
    """
    _require_one_form(context, csv=csv)
    asked, zone = _period(context, since, until)
    words = [frozenset(values or ()) for values in (agent, actor, _known_events(event), _ids(to))]
    with _ledger(context) as ledger:
        accounts = ledger.accounts()
        selection = Selection(asked, _user_ids(context, accounts), *words)
        brands = _brands(accounts)
        entries = _Counted(selection.entries(ledger.events()))
        if context.wants_json:
            _pour_document(
                about_local_x(render.log_head(asked, zone), is_local=context.uses_sandbox),
                "records",
                (render.log_record(e, brands) for e in entries),
            )
        elif csv:
            _out_csv(render.LOG_CELLS, (render.log_cells(entry, brands) for entry in entries))
        else:
            context.output.show_many(
                render.LOG_HEADERS,
                entries,
                row=lambda entry: render.log_row(entry, brands),
                cells=lambda entry: render.log_cells(entry, brands),
            )
    if not entries.count:
        context.remark("no record is like that; `profilectl audit log` without options lists all")


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
    moment = None if at is None else _moment("--at", at)
    now = now_ms()
    asked = Period(now, now + 1) if moment is None else Period(moment.begin_ms, moment.end_ms)
    with _ledger(context) as ledger:
        account = _the_account(context, ledger.accounts())
        faces = faces_of(ledger, account.user_id)
    same = named(faces, name)
    shown = [face for face in same if face.is_in(asked)]
    zone = None if moment is None else moment.zone
    when = "now" if moment is None else f"at {moment.describe()}"
    context.remark(f'"{name}" of {", ".join(account.brands)} {when}: {render.counted(len(shown), "face")}')
    context.output.show(
        lambda: render.who(name, account, asked, zone, shown),
        rows=[render.who_cells(face, asked) for face in shown],
        table=lambda: render.who_table(shown, asked),
    )
    if not shown:
        info(_nobody(name, same, faces))


def _nobody(name: str, same: Sequence[Face], faces: Sequence[Face]) -> str:
    """Say why nobody is shown: when somebody had that name, or which name may have been meant."""
    if same:
        return f"nobody was seen under that name then; at other times it was {'; '.join(map(render.span, same))}"
    return f"nobody ever had that name in the record{did_you_mean(name, {face.name for face in faces if face.name})}"


def sent(
    context: Context,
    as_: Annotated[list[str] | None, option("--as AGENT", "Only messages of this agent; repeatable.")] = None,
    to: To = None,
    since: Since = None,
    until: Until = None,
    csv: Csv = False,
) -> None:
    """List the messages that were sent, and as whom.

    When, to whom, with which face, whether X confirmed that, and who wrote it where that was recorded. What a message
    said is shown only where the policy has the record keep it (audit_text). Days and times are this machine's, unless
    they end with Z or with an offset such as +02:00.
    """
    _require_one_form(context, csv=csv)
    asked, zone = _period(context, since, until)
    agents, recipients = frozenset(as_ or ()), frozenset(_ids(to))
    with _ledger(context) as ledger:
        accounts = ledger.accounts()
        selection = Selection(asked, _user_ids(context, accounts), agents, recipients=recipients)
        brands = _brands(accounts)
        outgoing = _Counted(messages(ledger.events(), selection))
        if context.wants_json:
            _pour_document(
                about_local_x(render.sent_head(asked, zone), is_local=context.uses_sandbox),
                "messages",
                (render.sent_message(e, brands) for e in outgoing),
            )
        elif csv:
            _out_csv(render.SENT_CELLS, (render.sent_cells(message, brands) for message in outgoing))
        else:
            context.output.show_many(
                render.SENT_HEADERS,
                outgoing,
                row=lambda message: render.sent_row(message, brands),
                cells=lambda message: render.sent_cells(message, brands),
            )
        if not outgoing.count:
            context.remark(f"no message is like that{_other_agents(ledger, as_ or ())}")


def _other_agents(ledger: StoreReader, keys: Sequence[str]) -> str:
    known = {face.agent for account in ledger.accounts() for face in faces_of(ledger, account.user_id) if face.agent}
    return "".join(
        f"; the record has no agent {visible(key)}{did_you_mean(key, sorted(known))}"
        for key in keys
        if key not in known
    )


def verify(
    context: Context,
    against: Annotated[str | None, option("--against FILE", "What was kept of it earlier; - is stdin.")] = None,
    accept_break: Annotated[bool, option("--accept-break", "Go on behind a record that was changed.")] = False,
    yes: Annotated[bool, option("--yes", "Accept it without asking.")] = False,
) -> None:
    """Check that no record was changed and none is missing.

    Reads the whole chain, compares it with what commands have seen on this host, and the ledger's rows with what the
    events leave of them: who is bound, retired, offboarded, protected, and which messages are on their way. A broken
    chain stops every command that writes; --accept-break lets them go on, and is itself recorded.

    FILE proves that all it has is still there: an export of the ledger or of the record, what `audit verify --json`
    printed, or a head from the state folder. Keep one where nobody who writes the ledger can change it: a chain that
    was rewritten as a whole looks sound by itself.
    """
    if accept_break and against is not None:
        what = "--accept-break and --against exclude each other"
        raise UsageError(what, hint="compare first, then decide whether to go on")
    place = place_of(context)
    shown = None if against is None else "stdin" if against == "-" else visible(against)
    with closing(open_existing(context, place)) as ledger:
        verdict = _verdict(ledger, against, shown)
        if accept_break:
            verdict = _accept_break(context, ledger, verdict, yes=yes)
        setbacks = context.kept_heads.setbacks(ledger)
        untrue = [] if verdict.broken is not None else _untrue(ledger)
        accepted = sorted(seq for seq, _ in ledger.accepted_breaks())
    faults = [*render.faults(verdict, shown, setbacks), *untrue]
    context.output.show(
        render.verify(str(place), verdict, against, setbacks, untrue, accepted),
        lines=[] if faults else render.verified(verdict, shown, accepted),
    )
    if faults:
        hint = "find out who wrote to it, and compare it with a backup: `profilectl audit verify --against FILE`"
        for number, fault in enumerate(faults, start=1):
            show_error(LedgerRefused(f"{place}: {fault}", hint=hint if number == len(faults) else None))
        raise typer.Exit(ExitCode.REFUSED)


def _untrue(ledger: StoreReader) -> list[str]:
    """Return what the ledger's rows and its record disagree about."""
    accepted = dict(ledger.accepted_breaks())  # what a person has accepted may be no record at all
    image, last_seq = replay(()), 0
    while True:
        for record in ledger.events(after=last_seq):
            last_seq = record.seq
            if accepted.get(record.seq) != record.mark or record.is_readable:
                image.take(read_entry(record).event)
        sentences = [
            sentence
            for user_id in sorted({*ledger.user_ids(), *image.accounts()})
            for sentence in differences(image, user_id, ledger.state_of(user_id), ledger.open_dispatches(user_id))
        ]
        if ledger.last_seq() <= last_seq:  # a row and its event are written at once, so nothing lies in between
            return sentences


def _accept_break(context: Context, ledger: StoreReader, verdict: Verdict, *, yes: bool) -> Verdict:
    """Let a person go on behind the first record that is broken, and return what a further look shows."""
    context.require_admin("accept a changed record")
    if verdict.broken is None:
        context.remark("no record is broken, so there is nothing to accept")
        return verdict
    info(f"record {verdict.broken} isn't as it was written")
    require_consent(context, f"Go on behind record {verdict.broken} as it is now?", "accepted", yes=yes)
    broken = next(ledger.events(after=verdict.broken - 1))
    place = place_of(context)
    went_backwards = bool(context.kept_heads.setbacks(ledger))  # which only `ledger accept-restore` accepts
    with open_writable(context, place) as writable:
        if next(writable.events(after=broken.seq - 1), None) != broken:
            raise TryLater("the record has changed meanwhile, so nothing was accepted", hint="run it once more")
        writable.accept_break(broken, now_ms())
        if not went_backwards:
            try:
                context.kept_heads.keep(writable, place)
            except OSError as error:
                context.remark(f"warning: how far the ledger is couldn't be kept: {error.strerror}")
    return _verdict(ledger, None, None)


def _verdict(ledger: StoreReader, against: str | None, shown: str | None) -> Verdict:
    accepted = ledger.accepted_breaks()
    if against is None:
        return examine(ledger.events(), accepted=accepted)
    with readable_file(against) as file:
        try:
            return examine(ledger.events(), read_marks(_lines_of(file)), accepted)
        except NoMarks as error:
            raise error.with_message(f"{shown}: {error.message}") from None


def export(
    context: Context,
    since: Annotated[str, option("--since WHEN", "From this day or time on.")],
    until: Annotated[str, option("--until WHEN", "Up to the end of this day or time.")],
    folder: Annotated[Path, argument("[FOLDER]", "Where to; else here.")] = Path(),
    force: Annotated[bool, option("--force", "Replace the files where they are.")] = False,
) -> None:
    """Write the record of a period to two files.

    Lines of JSON that a program can check: each record as it is stored, with its hashes, and a last line with their
    count and digest. And a page for people, which loads nothing: faces, messages by agent, changes. Both name customers
    and agents, so they are for your eyes only. A record whose chain is broken is refused.
    """
    from profilectl.render import record_page  # brings the pages along, which the other commands do without

    context.require_admin("export the record")
    asked, zone = _period(context, since, until)
    base = expand_home(str(folder)) / f"record-{_in_name(since)}-to-{_in_name(until)}"
    lines, page = base.with_name(f"{base.name}.jsonl"), base.with_name(f"{base.name}.html")
    place = place_of(context)
    with ExitStack() as stack:
        ledger = stack.enter_context(_ledger(context))
        accounts = _chosen(context, ledger.accounts())
        verdict = _verdict(ledger, None, None)
        if verdict.broken is not None:
            hint = "`profilectl audit verify` says more"
            raise LedgerRefused(f"nothing was exported: the chain is broken at record {verdict.broken}", hint=hint)
        draft, page_draft = (stack.enter_context(new_file(path, force=force)) for path in (lines, page))
        evidence = Evidence(Selection(asked, frozenset(account.user_id for account in accounts)))
        with draft.open("wb") as file:
            sink = record_page.LineSink(file, asked, zone, accounts)
            for record in _up_to(verdict, ledger.events()):
                entry = read_entry(record)
                if evidence.take(entry):
                    sink.add(record, entry.event.at_ms)
            sink.end(verdict.head)
        evidence.end()
        brands = _brands(accounts)
        facts = record_page.facts(accounts, asked, zone, verdict.head, lines.name, sink)
        handles = ", ".join(f"@{account.handle}" for account in accounts)
        text = record_page.page(f"The record of {handles}, {since} to {until}", facts, evidence, brands)
        with page_draft.open("w", encoding="utf-8") as page_file:
            page_file.write(text)
    document = render.export(str(place), str(lines), str(page), sink.count, sink.digest, verdict)
    confirmation = f"exported {render.counted(sink.count, 'record')} to {visible(str(lines))} and {visible(str(page))}"
    context.output.show(document, lines=[confirmation])


def _up_to(verdict: Verdict, records: Iterable[Record]) -> Iterator[Record]:
    """Yield the records that were examined, and none that was added meanwhile."""
    last = 0 if verdict.head is None else verdict.head.seq
    return takewhile(lambda record: record.seq <= last, records)


def _lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file; NoMarks for one that no record has, such as that of input without end."""
    for line in iter(partial(file.readline, _LONGEST), b""):
        if len(line) == _LONGEST:
            raise NoMarks(f"a line of more than {_LONGEST} bytes is in it, and no record is as long")
        yield line


# What was asked for


@contextmanager
def _ledger(context: Context) -> Iterator[StoreReader]:
    with closing(open_sound(context, place_of(context))) as ledger:
        yield ledger


def _chosen(context: Context, accounts: Sequence[LedgerAccount]) -> tuple[LedgerAccount, ...]:
    """Return the accounts of the brands that are named, by what the ledger calls them; all where none is."""
    keys = context.chosen_brands()
    known = [brand for account in accounts for brand in account.brands]
    for key in keys:
        if key not in known:
            what = f"this ledger has no brand {visible(key)}{did_you_mean(key, known)}"
            raise UsageError(what, hint=f"it has: {visible(', '.join(known)) or 'none yet'}")
    return tuple(account for account in accounts if not keys or not set(keys).isdisjoint(account.brands))


def _brands(accounts: Sequence[LedgerAccount]) -> render.Brands:
    return {account.user_id: account.brands for account in accounts}


def _user_ids(context: Context, accounts: Sequence[LedgerAccount]) -> frozenset[str] | None:
    """Return the user ids of the accounts that are meant; None where none is named, so that no record is left out."""
    chosen = _chosen(context, accounts)
    return frozenset(account.user_id for account in chosen) if context.chosen_brands() else None


def _the_account(context: Context, accounts: Sequence[LedgerAccount]) -> LedgerAccount:
    """Return the only account that is meant; never a guess between two."""
    chosen = _chosen(context, accounts)
    if len(chosen) > 1 and not context.chosen_brands():  # the user's default brand, where they have one
        chosen = tuple(account for account in chosen if context.config.brand in account.brands) or chosen
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        raise LedgerRefused("the ledger knows no brand yet", hint="the first `profilectl sync` registers it")
    brands = ", ".join(brand for account in chosen for brand in account.brands)
    raise UsageError("which brand?", hint=f"name one with --brand: {visible(brands)}")


def _period(context: Context, since: str | None, until: str | None) -> tuple[Period, str | None]:
    """Return what two options say, and the time zone in which they were read, which is told."""
    first, last = (
        None if text is None else _moment(name, text) for name, text in (("--since", since), ("--until", until))
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


def _moment(name: str, text: str) -> Moment:
    try:
        return parse_moment(text)
    except ValueError as error:
        raise UsageError(f"{name} {error}") from None


def _known_events(events: Sequence[str] | None) -> Sequence[str]:
    for event in events or ():
        if event not in EVENTS:
            what = f"--event: nothing is recorded as {visible(event)}{did_you_mean(event, EVENTS)}"
            raise UsageError(what, hint=f"events are {', '.join(EVENTS)}")
    return events or ()


def _ids(recipients: Sequence[str] | None) -> Sequence[str]:
    for recipient in recipients or ():
        if recipient.startswith("@"):
            hint = "the record has ids, and X isn't asked; `profilectl send` prints the id"
            raise UsageError(f"--to takes an id, not {visible(recipient)}", hint=hint)
    return recipients or ()


def _require_one_form(context: Context, *, csv: bool) -> None:
    if csv and context.wants_json:
        raise UsageError("--csv and --json exclude each other", hint="leave one of them out")


def _in_name(moment: str) -> str:
    """Return what was typed as a part of a file's name."""
    return moment.replace(":", "").replace(" ", "T")


# How it is shown


class _Counted(Generic[Item]):
    """Passes items on, and counts them."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.count = 0
        self._items = items

    def __iter__(self) -> Iterator[Item]:
        for item in self._items:
            self.count += 1
            yield item


def _out_csv(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from profilectl.render.spreadsheets import csv_lines

    out_all(csv_lines(headers, rows))


def _pour_document(head: Document, key: str, parts: Iterable[Document]) -> None:
    """Write a document whose last key holds many parts: whole or, where one can't be read, not at all."""
    with tempfile.TemporaryFile() as spool:
        spool.write(dump({**head, key: []}).removesuffix("]}").encode())
        for number, part in enumerate(parts):
            spool.write(f"{', ' if number else ''}{json.dumps(part, ensure_ascii=True)}".encode())
        spool.write(b"]}\n")
        pour(spool)
