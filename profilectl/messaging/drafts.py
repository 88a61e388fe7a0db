"""Messages that were written in an editor and haven't been sent: each kept in a private folder until it has been.

A draft is an agent's: whoever writes to the same customer as somebody else doesn't get it. It is kept under the ids of
the account and the customer, since a customer is named in several ways. Those of the earliest versions are nobody's,
so nobody goes on with them unasked.

The editor writes there itself, so what it has saved outlives a kill of this program, or of both.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from profilectl.errors import InputRefused
from profilectl.system.files import opened, read_regular, write_private
from profilectl.system.folders import LinkRefused, make_private_folder
from profilectl.system.locks import hold_folder
from profilectl.text.escape import visible

_NAME: Final = "MESSAGE"
_MOST: Final = 20  # drafts of one agent to one recipient that are kept or being written
_AGENT: Final = "as-"  # begins the part of a folder's name that is about the agent
_OTHERS: Final = 0o077


class Draft(Struct, frozen=True):
    """A message's file, which no other process writes meanwhile."""

    path: Path

    def read(self, largest: int) -> bytes | None:
        """Return what was kept there, at most `largest` bytes; None where nothing was.

        Raises:
            InputRefused: it can't be read.
        """
        try:
            file = read_regular(self.path, largest)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputRefused(f"the draft {visible(str(self.path))} can't be read: {error.strerror}") from None
        return None if file is None else file[0]

    def write(self, content: bytes) -> None:
        """Put a text in the place of what was kept, whole or not at all; InputRefused when the disk refuses."""
        try:
            write_private(self.path, content, durable=True)
        except OSError as error:
            raise InputRefused(f"no draft can be written to {visible(str(self.path))}: {error.strerror}") from None

    def remove(self) -> None:
        """Remove the text and whatever the editor has left beside it."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self.path.parent)


class Correspondence(Struct, frozen=True):
    """Who writes to whom, which is what a draft is kept under."""

    account: str  # its id, or the brand's key where that isn't known yet
    agent: str
    recipient: str  # an id
    name: str  # of the recipient, as people read it
    earlier: tuple[tuple[str, str], ...] = ()  # brands' keys and recipients as typed: earlier versions kept it so

    def folders(self, folder: Path) -> list[str]:
        """Return the names of all folders that these drafts may have; earlier versions' only where a text is there."""
        kept = (name for words in self.earlier for name in _names(*words, self.agent))
        return [*_names(self.account, self.recipient, self.agent), *filter(lambda name: _has_text(folder, name), kept)]


def _has_text(folder: Path, name: str) -> bool:
    return os.path.lexists(folder / name / _NAME)


class DraftStore(Struct, frozen=True):
    """The drafts of one user at one X."""

    folder: Path

    @contextmanager
    def begin(self, correspondence: Correspondence, *, goes_on: bool) -> Iterator[Draft]:
        """Yield an agent's draft to a recipient: what was kept where it `goes_on` and something was, else a new one.

        A folder in which nothing was written goes at the end of the block.

        Raises:
            InputRefused: no private folder can be made or held there.
        """
        with ExitStack() as stack:
            try:
                make_private_folder(self.folder)
                names = correspondence.folders(self.folder)
                names.sort(key=lambda name: not (goes_on and _has_text(self.folder, name)))
                drafts = (self._held(name, goes_on, stack) for name in names)
                draft = next(draft for draft in drafts if draft is not None)
            except StopIteration:
                where, taken = (
                    visible(str(self.folder)),
                    f"{_MOST} drafts to {visible(correspondence.name)} are kept already",
                )
                if not self.kept_for(correspondence):
                    taken = f"no draft can be kept in {where}: its folders can be entered by other users"
                raise InputRefused(taken, hint=f"look into {where}, and remove what isn't needed") from None
            except OSError as error:
                hint = error.hint if isinstance(error, LinkRefused) else "set XDG_STATE_HOME to a folder of yours"
                where = visible(str(self.folder))
                raise InputRefused(f"no draft can be kept in {where}: {error.strerror}", hint=hint) from None
            try:
                yield draft
            finally:
                with suppress(OSError):  # it isn't empty
                    draft.path.parent.rmdir()

    def kept_for(self, correspondence: Correspondence) -> tuple[Path, ...]:
        """Return the texts of an agent to one recipient, in the order in which `begin` goes on with them."""
        names = correspondence.folders(self.folder)
        return tuple(self.folder / name / _NAME for name in names if _has_text(self.folder, name))

    def kept(self) -> tuple[Path, ...]:
        """Return the texts that are kept, the newest first; none where the folder can't be read."""
        try:
            texts = [(path.stat().st_mtime_ns, path) for path in self.folder.glob(f"*/{_NAME}")]
        except OSError:
            return ()
        return tuple(path for _, path in sorted(texts, reverse=True))

    def _held(self, name: str, goes_on: bool, stack: ExitStack) -> Draft | None:
        """Return the draft of that name if no process holds it, and nothing is kept there unless it `goes_on`."""
        folder = self.folder / name
        make_private_folder(folder)
        with ExitStack() as attempt:
            descriptor = attempt.enter_context(opened(folder, os.O_DIRECTORY | os.O_NOFOLLOW))
            status = os.fstat(descriptor)
            if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & _OTHERS or not hold_folder(descriptor):
                return None
            draft = Draft(folder / _NAME)
            is_there = os.path.lexists(folder) and os.path.samestat(status, folder.lstat())  # nobody removed it since
            if not is_there or (os.path.lexists(draft.path) and not goes_on):
                return None
            stack.push(attempt.pop_all())
            return draft


def recipient_of(path: Path) -> str:
    """Return the id to whom a kept text of `DraftStore.kept` was written, or the @handle of an earlier version's."""
    return path.parent.name.partition(".")[2].partition(".")[0]


def agent_of(path: Path) -> str | None:
    """Return the agent as whom a kept text was written, None for one of an earlier version."""
    part = path.parent.name.partition(".")[2].partition(".")[2].partition(".")[0]
    return part.removeprefix(_AGENT) if part.startswith(_AGENT) else None


def _names(account: str, recipient: str, agent: str) -> list[str]:
    # Ids, keys and handles are plain words already; a folder's name can't come from anything else.
    words = (account, recipient, f"{_AGENT}{agent}")
    stem = ".".join(re.sub(r"[^A-Za-z0-9_@-]", "_", word.casefold()) for word in words)
    return [stem, *(f"{stem}.{number}" for number in range(2, _MOST + 1))]
