"""A message in the making: written in an editor, whose draft is kept until the message is out."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING

from profilectl.cli.message_input import edit, find_editor, kept_text
from profilectl.errors import IdentityNotEchoed, InputRefused
from profilectl.messaging.drafts import Draft, DraftStore, recipient_of
from profilectl.render.console import info
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from profilectl.cli.context import Context
    from profilectl.messaging.identity import Sender


def drafts_of(context: Context) -> DraftStore:
    """Return where this user's drafts to people at one X are kept: with that X's ledger, or the sandbox's."""
    from profilectl.ledger.location import default_ledger_path

    folder = (
        context.sandbox_folder
        if context.uses_sandbox
        else default_ledger_path(context.environ, context.api_host).parent
    )
    return DraftStore((folder / "drafts").absolute())


class Writer:
    """Opens the user's editor on one message, as often as they want.

    Args:
        context: whose editor and folders are used.
        sender: the agent who writes, and the brand.
        recipient: as the command line names them.
        about: who writes to whom, for the notes in the editor.
    """

    def __init__(self, context: Context, sender: Sender, recipient: str, about: str) -> None:
        self._context, self._sender, self._recipient, self._about = context, sender, recipient, about
        self._store = drafts_of(context)
        self._draft: Draft | None = None

    def write(self, start: str | None) -> str:
        """Return what the user writes; with None it begins with what was kept of an earlier message to the same one.

        Raises:
            UsageError: there is no terminal or no editor.
            InputRefused: the editor failed, or what it left can't be read.
            Declined: nothing was written.
        """
        editor = find_editor(self._context)
        draft = self._begin(goes_on=start is None)
        if start is None and (kept := kept_text(draft)) is not None:
            info("Your draft, which wasn't sent, is opened again.")
            self._name_later(draft.path)
            start = kept
        return edit(draft, start or "", editor, self._about)

    def _begin(self, *, goes_on: bool) -> Draft:
        if self._draft is None:
            self._name_others()
            begun = self._store.begin(self._sender.brand.key, self._recipient, goes_on=goes_on)
            self._draft = self._context.stack.enter_context(begun)
        return self._draft

    def _name_others(self) -> None:
        for path in self._store.kept():
            to = recipient_of(path)
            if to != self._recipient.casefold() and kept_text(Draft(path)) is not None:
                where = visible(shlex.quote(str(path)))
                info(f"A draft to {to} is kept, too: --edit --file {where} begins with it; remove it to forget it.")

    def _name_later(self, opened: Path) -> None:
        for path in self._kept_to_them():
            if path != opened:
                where = visible(shlex.quote(str(path)))
                info(f"Another draft to {self._recipient} is kept: --edit --file {where} begins with it.")

    def sent(self) -> None:
        """Remove the draft: its message is out."""
        if self._draft is not None:
            self._draft.remove()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Say where the draft is, when anything but success ends the block."""
        try:
            yield
        except IdentityNotEchoed:  # it is out, although not as it should be
            self.sent()
            raise
        except BaseException:
            self.remind()
            raise

    def remind(self) -> None:
        """Say that a draft is kept, and where, if there is one."""
        path = None if self._draft is None else self._draft.path
        if path is None or not _is_written(path):
            return
        brand = "".join(f" --brand {key}" for key in self._context.options.brand)
        words = f"--as {self._sender.agent.key} --to {self._recipient} --edit{brand}{self._context.again()}"
        kept = f"Your text is kept in {visible(str(path))}; `profilectl send {words}"
        [opened, *_] = (*self._kept_to_them(), path)
        if opened == path:
            info(f"{kept}` opens it again.")
            return
        file = f"--file {visible(shlex.quote(str(path)))}"
        info(f"{kept} {file}` begins with it. Without --file your earlier draft {visible(str(opened))} is opened.")

    def _kept_to_them(self) -> tuple[Path, ...]:
        """Return the drafts to the recipient in which something was written, the one that is opened next first."""
        return tuple(filter(_is_written, self._store.kept_for(self._sender.brand.key, self._recipient)))


def _is_written(path: Path) -> bool:
    try:
        return kept_text(Draft(path)) is not None
    except InputRefused:  # whatever is there can't be read, which is no reason to call it nothing
        return True
