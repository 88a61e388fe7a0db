"""A message in the making: written in an editor, whose draft is kept until the message is out."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from profilectl.cli.message_input import chosen_editor, edit, find_editor
from profilectl.errors import IdentityNotEchoed, InputRefused
from profilectl.messaging.draft_text import kept_below, kept_text, noted_recipient
from profilectl.messaging.drafts import Correspondence, Draft, DraftStore, agent_of, recipient_of
from profilectl.render.console import info
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """

    def __init__(self, context: Context, sender: Sender, recipient: str) -> None:
        self._context, self._sender, self._recipient = context, sender, recipient
        self._store = drafts_of(context)
        self._draft: Draft | None = None
        self._correspondence: Correspondence | None = None  # of the draft
        self._below = ""  # what stands below the scissors, and isn't sent

    def write(self, start: str | None, correspondence: Correspondence) -> str:
        """Return what the user writes; with None it begins with what was kept of the agent's earlier message to them.

        Args:
            start: what stands in the editor first.
            correspondence: who writes to whom, which doesn't change until the message is sent.

        Raises:
            UsageError: there is no terminal or no editor.
            InputRefused: the editor failed, or what it left can't be read.
            Declined: nothing was written.
        """
        editor = find_editor(self._context)
        if self._draft is None and not chosen_editor(self._context):
            info(f"Opening {_named(editor[0])}: neither VISUAL nor EDITOR names an editor.")
        draft = self._begin(correspondence, goes_on=start is None)
        if start is None and (kept := kept_text(draft)) is not None:
            info("Your draft is opened again: X hasn't confirmed it. If it may have arrived, read the thread first.")
            self._name_later(draft.path, correspondence)
            start, self._below = kept, kept_below(draft)
        agent = self._sender.agent
        about = f"To {correspondence.name}, as {agent.key} ({agent.name})"
        text = edit(draft, start or "", editor, about, self._below)
        self._below = kept_below(draft)
        if self._below:
            info("What stands below the line with the scissors isn't sent: it is kept for another message.")
        return text

    def _begin(self, correspondence: Correspondence, *, goes_on: bool) -> Draft:
        if self._draft is None:
            self._name_others(correspondence)
            self._correspondence = correspondence
            self._draft = self._context.stack.enter_context(self._store.begin(correspondence, goes_on=goes_on))
        return self._draft

    def _name_others(self, correspondence: Correspondence) -> None:
        key, own = self._sender.agent.key, self._store.kept_for(correspondence)
        for path in self._store.kept():
            if path not in own and kept_text(Draft(path)) is not None:
                agent, where = agent_of(path), visible(shlex.quote(str(path)))
                whose = "A draft" if agent in {None, key.casefold()} else f"{agent}'s draft"
                to = noted_recipient(Draft(path)) or recipient_of(path)
                info(f"{whose} to {to} is kept, too: --edit --file {where} begins with it; remove it to forget it.")

    def _name_later(self, opened: Path, correspondence: Correspondence) -> None:
        for path in self._kept_to_them():
            if path != opened:
                where = visible(shlex.quote(str(path)))
                info(f"Another draft to {correspondence.name} is kept: --edit --file {where} begins with it.")

    def sent(self) -> None:
        """Remove the draft: its message is out, and only what stood below the scissors is kept."""
        if self._draft is None:
            return
        if not self._below:
            self._draft.remove()
            return
        self._draft.write(self._below.encode())
        self.remind()

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
        if self._correspondence is None:
            return ()
        return tuple(filter(_is_written, self._store.kept_for(self._correspondence)))


def _named(editor: str) -> str:
    """Return an editor's path, with what it leads to: a system's `editor` is a link to one."""
    path = Path(editor)
    leads_to = path.resolve().name
    return visible(editor if leads_to == path.name else f"{editor} ({leads_to})")


def _is_written(path: Path) -> bool:
    try:
        return kept_text(Draft(path)) is not None
    except InputRefused:  # whatever is there can't be read, which is no reason to call it nothing
        return True
