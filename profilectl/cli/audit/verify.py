"""``audit verify``: whether the record is as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from profilectl.audit.comparison import NoMarks, Verdict, examine, read_marks
from profilectl.audit.queries import read_entry
from profilectl.audit.replay import differences, replay
from profilectl.cli.context import Context
from profilectl.cli.ledger_files import (
    open_existing,
    open_writable,
    place_of,
    readable_file,
)
from profilectl.cli.options import option
from profilectl.cli.prompts import require_consent
from profilectl.errors import ExitCode, LedgerRefused, TryLater, UsageError
from profilectl.render import audit as render
from profilectl.render.console import info, show_error
from profilectl.system.host import now_ms
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.ledger.store import StoreReader

_LONGEST = 8 * 1024 * 1024  # bytes of a line, as in an export of the ledger


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
        verdict = verdict_of(ledger, against, shown)
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
    return verdict_of(ledger, None, None)


def verdict_of(ledger: StoreReader, against: str | None, shown: str | None) -> Verdict:
    """Read the whole chain, beside a file where one is named, and return what that has shown."""
    accepted = ledger.accepted_breaks()
    if against is None:
        return examine(ledger.events(), accepted=accepted)
    with readable_file(against) as file:
        try:
            return examine(ledger.events(), read_marks(_lines_of(file)), accepted)
        except NoMarks as error:
            raise error.with_message(f"{shown}: {error.message}") from None


def _lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file; NoMarks for one that no record has, such as that of input without end."""
    for line in iter(partial(file.readline, _LONGEST), b""):
        if len(line) == _LONGEST:
            raise NoMarks(f"a line of more than {_LONGEST} bytes is in it, and no record is as long")
        yield line
