"""Timestamps of checkpoints: asked for where the config names a server, and judged by the certificates it names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from profilectl.audit.anchor_folder import AnchorFolder, Note, name_of
from profilectl.errors import InputRefused, ProfilectlError
from profilectl.render.console import info
from profilectl.render.record.checkpoint import Timestamps
from profilectl.system.files import read_named
from profilectl.system.host import expand_home
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from profilectl.audit.notes import Checkpoint
    from profilectl.cli.context import Context

_LARGEST = 1_048_576  # bytes of certificates


def require_library(context: Context) -> None:
    """Raise UsageError where timestamps are configured and can't be read."""
    if _server(context) is not None:
        from profilectl.audit import timestamps

        timestamps.require_library()


def add(context: Context, folder: AnchorFolder, checkpoint: Checkpoint) -> Path | None:
    """Ask for a timestamp of a checkpoint in the folder, unless it has one, and return the file that was written.

    What goes wrong is a warning: the checkpoint is good without it, and that after the next sync covers these records.
    """
    server, name = _server(context), name_of(checkpoint.size, checkpoint.root)
    if server is None or folder.timestamp(name) is not None:
        return None
    try:
        note = folder.note(name)
        if note.signed is None:
            raise InputRefused(f"it {note.problem}")
        return folder.add_timestamp(name, _ask(context, server, note.content))
    except (ProfilectlError, OSError) as error:
        hint = getattr(error, "hint", None)
        advice = f" ({hint})" if hint else ""
        info(f"warning: the checkpoint {visible(name)} has no timestamp: {error}{advice}; the next one covers it")
        return None


def judge(context: Context, notes: Sequence[Note]) -> Timestamps:
    """Look at the timestamps of checkpoints that a known key has signed.

    Raises:
        UsageError: certificates are configured, and the library that follows them isn't installed.
        InputRefused: the certificates can't be read.
    """
    dated = [(note, note.timestamp) for note in notes if note.timestamp is not None]
    if not dated:
        return Timestamps()
    from profilectl.audit import timestamps

    if not timestamps.has_library():
        if context.config.audit.timestamp_ca is not None:
            timestamps.require_library()
        return Timestamps(unread=len(dated))
    authorities, moments, refused = _authorities(context), [], []
    for note, answer in dated:
        try:
            moments.append(int(timestamps.moment_of(answer, note.content, authorities).timestamp() * 1000))
        except timestamps.NoTimestamp as error:
            refused.append((note.file, error.message))
    return Timestamps(
        good=len(moments),
        newest_ms=max(moments, default=None),
        is_traced=authorities is not None,
        lacking=len(notes) - len(dated),
        refused=tuple(refused),
    )


def _server(context: Context) -> str | None:
    return None if context.uses_sandbox else context.config.audit.timestamp  # a rehearsal asks nobody


def _ask(context: Context, server: str, note: bytes) -> bytes:
    from profilectl.api.timestamps.client import ask
    from profilectl.audit import timestamps

    timestamps.require_library()
    query = timestamps.query_about(note)
    with context.naming_config():
        answer = ask(server, query.content)
    try:
        timestamps.moment_of(answer, note, _authorities(context), query.nonce)  # what is written stays, so it is judged
    except timestamps.NoTimestamp as error:
        raise error.with_message(f"what {visible(server)} answers can't be used: {error.message}") from None
    return answer


def _authorities(context: Context) -> Sequence[Certificate] | None:
    chosen = context.config.audit.timestamp_ca
    if chosen is None:
        return None
    from profilectl.audit.timestamps import read_authorities

    hint = f"{context.config_file} names it: [audit] timestamp_ca"
    content = read_named(expand_home(chosen), "the certificates of timestamps", _LARGEST, hint)
    try:
        with context.naming_config():
            return read_authorities(content)
    except InputRefused as error:
        raise error.with_message(f"{visible(chosen)} {error.message}") from None
