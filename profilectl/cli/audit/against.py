"""What ``audit verify --against`` names: a file that says something of records, or checkpoints."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct

from profilectl.audit.anchor_folder import LARGEST_TIMESTAMP, AnchorFolder, Note, timestamp_of
from profilectl.audit.anchors import Comparison, Signed
from profilectl.audit.comparison import NoMarks, Verdict, examine, read_marks
from profilectl.audit.kept_tree import origin_of_ledger
from profilectl.audit.notes import LARGEST, NoNote, is_note, parse_note
from profilectl.cli.audit import timestamps
from profilectl.cli.audit.anchor import signers
from profilectl.cli.ledger.files import readable_file
from profilectl.errors import InputRefused
from profilectl.render.record.checkpoint import Checkpoints
from profilectl.system.files import read_named
from profilectl.system.host import expand_home
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.audit.comparison import Mark
    from profilectl.cli.context import Context
    from profilectl.ledger.store import StoreReader

_LONGEST = 8 * 1024 * 1024  # bytes of a line, as in an export of the ledger
_MOST_FOLDERS = 3  # named in a hint


class Look(Struct, frozen=True):
    """What was seen of a whole chain: by itself, beside what was kept elsewhere, and beside what this host has kept."""

    verdict: Verdict
    checkpoints: Checkpoints | None = None  # None where it wasn't compared with any
    outgrown: int = 0  # how many records this host had a tree over that isn't theirs; 0 where all is well


def look(context: Context, ledger: StoreReader, against: str | None = None) -> Look:
    """Read a ledger's whole chain beside a file or a folder, where one is named.

    Raises:
        InputRefused: that can't be read, or nothing of the record is in it.
        UsageError: there are checkpoints, and no public key is known to check their signatures.
    """
    if against is None:
        return _look(context, ledger, ())
    folder = expand_home(against)
    if against != "-" and folder.is_dir():
        kept = AnchorFolder(folder)
        notes = list(kept.notes())
        if not notes:
            raise InputRefused(f"no checkpoint is in {visible(against)}", hint=_place_of_notes(folder))
        return _beside_checkpoints(context, ledger, notes, kept.leaves())
    with readable_file(against) as file:
        shown = "stdin" if against == "-" else visible(against)
        beginning = file.read(LARGEST + 1)
        try:
            if is_note(beginning):
                note = Note(shown, parse_note(beginning), content=beginning, timestamp=_beside(against))
                return _beside_checkpoints(context, ledger, [note], {})
            return _look(context, ledger, read_marks(_lines_of(beginning, file)))
        except (NoMarks, NoNote) as error:
            raise error.with_message(f"{shown}: {error.message}") from None


def _place_of_notes(folder: Path) -> str:
    """Return a hint where checkpoints are: those of rehearsals lie in folders of their own below."""
    rehearsals = sorted({path.parent for path in folder.glob("sandbox/*/*.checkpoint")})
    if rehearsals:
        named = " or ".join(visible(shlex.quote(str(path))) for path in rehearsals[:_MOST_FOLDERS])
        return f"those of rehearsals on the local X are below it: name {named}"
    return "name the folder itself; `profilectl audit checkpoint` and every sync add to the one that is configured"


def _look(context: Context, ledger: StoreReader, marks: Iterable[Mark], comparison: Comparison | None = None) -> Look:
    own = Comparison(_kept(context, ledger), {})
    compared = own if comparison is None else comparison  # one tree is enough, and who signed is stronger
    verdict = examine(compared.passing(ledger.events()), marks, ledger.accepted_breaks())
    if verdict.broken is None:  # what was read to its end
        compared.end()
    return Look(verdict, None, 0 if own.contradiction is None else own.contradiction.size)


def _kept(context: Context, ledger: StoreReader) -> list[Signed]:
    """Return how far this host had computed the tree over a ledger's records, where it has."""
    origin = origin_of_ledger(ledger)
    kept = None if origin is None else context.kept_trees.load(origin)
    return [] if kept is None else [Signed("", kept.checkpoint)]


def _beside_checkpoints(
    context: Context, ledger: StoreReader, notes: Sequence[Note], leaves: Mapping[int, str]
) -> Look:
    # each is judged by the keys for its own ledger, and by its origin when it is compared
    signed, refused, believed = [], [], []
    origins = {note.signed.checkpoint.origin for note in notes if note.signed is not None}
    known = {origin: signers(context, origin) for origin in origins}
    for note in notes:
        if note.signed is None:
            refused.append((note.file, note.problem))
            continue
        checkpoint = note.signed.checkpoint
        refusal = known[checkpoint.origin].refusal(note.signed)
        if refusal is None:
            signed.append(Signed(note.file, checkpoint))
            believed.append(note)
        else:
            refused.append((note.file, refusal))
    comparison = Comparison(signed, leaves)
    seen = _look(context, ledger, (), comparison)
    largest = max((known.checkpoint.size for known in signed), default=0)
    dated = timestamps.judge(context, believed)
    checkpoints = Checkpoints(comparison.fits, comparison.contradiction, tuple(refused), largest, dated)
    return Look(seen.verdict, checkpoints, seen.outgrown)


def _beside(against: str) -> bytes | None:
    """Return the timestamp that lies beside a checkpoint's own file, None where none does."""
    if against == "-":
        return None
    path = expand_home(against)
    beside = path.with_name(timestamp_of(path.name))
    return read_named(beside, "the timestamp", LARGEST_TIMESTAMP) if beside.exists() else None


def _lines_of(beginning: bytes, file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file whose beginning was read; NoMarks for one that no record has, as in endless input."""
    lines = beginning.splitlines(keepends=True)
    last = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
    rest = iter(partial(file.readline, _LONGEST), b"")
    if last:
        lines.append(last + next(rest, b""))
    for line in itertools.chain(lines, rest):
        if len(line) >= _LONGEST:
            raise NoMarks(f"a line of more than {_LONGEST} bytes is in it, and no record is as long")
        yield line
