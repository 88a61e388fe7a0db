"""``audit verify``: whether the record is as it was written."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.audit.queries import read_entry
from profilectl.audit.replay import differences, replay
from profilectl.cli.audit.against import Look, look
from profilectl.cli.audit.anchor import forget_tree
from profilectl.cli.context import Context
from profilectl.cli.ledger.files import (
    open_existing,
    open_writable,
    place_of,
)
from profilectl.cli.options import option
from profilectl.cli.prompts import require_consent
from profilectl.errors import ExitCode, LedgerRefused, TryLater, UsageError
from profilectl.render.console import info, show_error
from profilectl.render.record import answers as render
from profilectl.render.record.checkpoint import checkpoint_faults, compared_checkpoints, compared_lines
from profilectl.system.host import now_ms
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.ledger.store import StoreReader


def verify(
    context: Context,
    against: Annotated[str | None, option("--against PATH", "What was kept of it earlier; - is stdin.")] = None,
    accept_break: Annotated[bool, option("--accept-break", "Go on behind a record that was changed.")] = False,
    yes: Annotated[bool, option("--yes", "Accept it without asking.")] = False,
) -> None:
    """Check that no record was changed and none is missing.

    Reads the whole chain, compares it with what commands have seen on this host, and the ledger's rows with what the
    events leave of them: who is bound, retired, offboarded, protected, and which messages are on their way. A broken
    chain stops every command that writes; --accept-break lets them go on, and is itself recorded.

    PATH proves that all it has is still there: the folder of checkpoints, or one of them; an export of the ledger or of
    the record, what `audit verify --json` printed, or a file below heads/ in the state folder. Keep one where nobody
    who writes the ledger can change it: a chain that was rewritten as a whole looks sound by itself. A checkpoint
    counts if it is signed by a key in the file that [audit] signers names in config.toml (in ssh-keygen's form);
    without such a file, by your own. A timestamp counts if the certificates in [audit] timestamp_ca stand behind it.
    """
    if accept_break and against is not None:
        what = "--accept-break and --against exclude each other"
        raise UsageError(what, hint="compare first, then decide whether to go on")
    place = place_of(context)
    shown = None if against is None else "stdin" if against == "-" else visible(against)
    with closing(open_existing(context, place)) as ledger:
        seen = look(context, ledger, against)
        if accept_break:
            seen = _accept_breaks(context, ledger, seen, yes=yes)
        verdict = seen.verdict
        setbacks = context.kept_heads.setbacks(ledger)
        untrue = [] if verdict.broken is not None else _untrue(ledger)
        accepted = sorted(seq for seq, _ in ledger.accepted_breaks())
    faults = [*render.faults(verdict, shown, setbacks), *checkpoint_faults(seen.checkpoints, shown), *untrue]
    if seen.outgrown:
        faults.append(render.outgrown(seen.outgrown))
    document = render.verify(str(place), verdict, against, setbacks, untrue, accepted)
    context.output.show(
        {**document, **compared_checkpoints(seen.checkpoints, is_whole=not faults)},
        lines=[]
        if faults
        else [*render.verified(verdict, accepted), *compared_lines(verdict, shown, seen.checkpoints)],
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


def _accept_breaks(context: Context, ledger: StoreReader, seen: Look, *, yes: bool) -> Look:
    """Let a person go on behind each record that is broken, one after the other; see `_accept_break`."""
    while True:
        former, seen = seen.verdict.broken, _accept_break(context, ledger, seen, yes=yes)
        # one that is still broken after it was accepted is being changed right now
        if seen.verdict.broken in {None, former}:
            return seen


def _accept_break(context: Context, ledger: StoreReader, seen: Look, *, yes: bool) -> Look:
    """Let a person go on behind the first record that is broken, and return what a further look shows."""
    context.require_admin("accept a changed record")
    verdict = seen.verdict
    if verdict.broken is None:
        context.remark("no record is broken, so there is nothing to accept")
        return seen
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
                context.remark(f"warning: can't write down how far the ledger is: {error.strerror}")
    forget_tree(context, ledger)
    return look(context, ledger)
