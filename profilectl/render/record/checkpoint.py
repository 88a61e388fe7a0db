"""A checkpoint, and what checkpoints with their timestamps show of a record: documents and sentences."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from profilectl.audit.anchors import Contradiction
from profilectl.render.json_documents import Document, timestamp
from profilectl.render.record.answers import counted
from profilectl.system.extras import how_to_install
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.audit.comparison import Verdict
    from profilectl.audit.kept_tree import GrownTree
    from profilectl.audit.notes import SignedCheckpoint


def checkpoint(
    place: str, grown: GrownTree, signed: SignedCheckpoint, public: str, path: Path | None, token: Path | None
) -> Document:
    """``profilectl.checkpoint/1``: what was signed, with which key, and where it was kept."""
    return {
        "schema": "profilectl.checkpoint/1",
        "place": place,
        "origin": grown.origin,
        "records": grown.tree.size,
        "root": base64.b64encode(signed.checkpoint.root).decode(),
        "head": {"seq": grown.seq, "hash": grown.hash},
        "key": public,
        "note": signed.note(),
        "file": None if path is None else str(path),
        "timestamp": None if token is None else str(token),
    }


class Timestamps(Struct, frozen=True):
    """What the timestamps beside checkpoints that count have shown."""

    good: int = 0
    newest_ms: int | None = None  # of the moments that they name
    is_traced: bool = False  # to certificates that are believed; else who signed them wasn't looked at
    lacking: int = 0  # checkpoints without one, where others have one
    unread: int = 0  # as the library isn't installed
    refused: tuple[tuple[str, str], ...] = ()  # checkpoints whose timestamps count for nothing, and why


class Checkpoints(Struct, frozen=True):
    """What a comparison with checkpoints has shown."""

    fits: int
    contradiction: Contradiction | None
    refused: tuple[tuple[str, str], ...]  # files that count for nothing, and why
    size: int  # of the largest one that counts
    timestamps: Timestamps = Timestamps()


def compared_checkpoints(checkpoints: Checkpoints | None, *, is_whole: bool) -> Document:
    """Return what `verify` adds to its document where it was compared with checkpoints, or with none."""
    if checkpoints is None:
        return {"whole": is_whole, "checkpoints": None}
    wrong = checkpoints.contradiction
    contradiction = None if wrong is None else {**asdict(wrong)}
    refused = [{"file": file, "why": why} for file, why in checkpoints.refused]
    fits = {"fits": checkpoints.fits, "records": checkpoints.size}
    timestamps = _timestamps(checkpoints.timestamps)
    shown = {**fits, "contradiction": contradiction, "refused": refused, "timestamps": timestamps}
    return {"whole": is_whole, "checkpoints": shown}


def _timestamps(timestamps: Timestamps) -> Document:
    return {
        "good": timestamps.good,
        "newest": None if timestamps.newest_ms is None else timestamp(timestamps.newest_ms),
        "traced": timestamps.is_traced,
        "lacking": timestamps.lacking,
        "unread": timestamps.unread,
        "refused": [{"file": file, "why": why} for file, why in timestamps.refused],
    }


def checkpoint_faults(checkpoints: Checkpoints | None, shown: str | None) -> Iterator[str]:
    """Yield what isn't as it was signed, and which checkpoints prove nothing."""
    if checkpoints is None:
        return
    wrong = checkpoints.contradiction
    if wrong is not None:
        which = f"record {wrong.first}" if wrong.first == wrong.last else f"records {wrong.first} to {wrong.last}"
        file = "" if wrong.file == shown else f"{visible(wrong.file)} in "
        signed = f"{file}{shown} was signed about {counted(wrong.size, 'record')}"
        if wrong.is_missing:
            yield f"{which} missing at the end: {signed}"
        elif wrong.first == wrong.last:
            yield f"{which} isn't the one that was signed: {signed}"
        else:
            yield f"one of {which} isn't the one that was signed: {signed}"
    for file, why in checkpoints.refused:
        yield f"the checkpoint {visible(file)} proves nothing: {why}"
    for file, why in checkpoints.timestamps.refused:
        yield f"the timestamp of the checkpoint {visible(file)} proves nothing: {why}"


def compared_lines(verdict: Verdict, against: str | None, checkpoints: Checkpoints | None) -> Iterator[str]:
    """Yield what was proven by what it was compared with, sentence by sentence; nothing of an empty record."""
    if verdict.head is None or against is None:
        return
    if checkpoints is None:
        yield f"{counted(verdict.compared, 'record')} of {against} compared: each is here, as it was"
        return
    newer = verdict.records - checkpoints.size
    later = f"; the last {counted(newer, 'record')} came later" if newer else ""
    yield f"{counted(checkpoints.fits, 'checkpoint')} of {against}: all that was signed is here, as it was{later}"
    yield from _timestamp_lines(checkpoints.timestamps)


def _timestamp_lines(timestamps: Timestamps) -> Iterator[str]:
    if timestamps.unread:
        reason = f"rfc3161-client isn't installed ({how_to_install('timestamp')})"
        yield f"{counted(timestamps.unread, 'timestamp')} not looked at: {reason}"
    if timestamps.newest_ms is not None:
        proof = f"the newest proves that its checkpoint was there on {timestamp(timestamps.newest_ms)}"
        if not timestamps.is_traced:
            proof = (
                f"the newest, of {timestamp(timestamps.newest_ms)}, is of its checkpoint, "
                "but who signed it wasn't checked: [audit] timestamp_ca in config.toml names whose word counts"
            )
        lacking = f"; {counted(timestamps.lacking, 'checkpoint')} without" if timestamps.lacking else ""
        yield f"{counted(timestamps.good, 'timestamp')}{lacking}: {proof}"
