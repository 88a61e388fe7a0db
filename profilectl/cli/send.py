"""``send``: one Direct Message as an agent, and the proof that it carries the agent's face."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.cli.prompts import require_consent
from profilectl.errors import InputRefused, UsageError
from profilectl.messaging.compose import Contents
from profilectl.messaging.policy import Occasion, require_privacy
from profilectl.model import Survey
from profilectl.render.console import info
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.messaging.identity import Speaker
    from profilectl.messaging.sender import Sending
    from profilectl.model import Link, Message
    from profilectl.pictures.attachments import Attachment

To = Annotated[str, typer.Option("--to", metavar="ID|@HANDLE", help="Who is written to.")]
As = Annotated[
    str | None, typer.Option("--as", metavar="AGENT", help="Who speaks; else the one whose operators name you.")
]
Text = Annotated[str | None, typer.Argument(metavar="TEXT", help="The message; - reads stdin.")]
File = Annotated[Path | None, typer.Option("--file", metavar="PATH", help="Read the message from a file.")]
Edit = Annotated[bool, typer.Option("--edit", help="Write the message in your editor.")]
Media = Annotated[Path | None, typer.Option("--media", metavar="PATH", help="Send a picture along: JPEG, PNG or GIF.")]
QuickReplies = Annotated[
    list[str] | None, typer.Option("--quick-reply", metavar="LABEL", help="An answer to tap; repeatable.")
]
Buttons = Annotated[
    list[str] | None, typer.Option("--cta", metavar="LABEL=URL", help="A button that opens an address; repeatable.")
]
Typing = Annotated[bool, typer.Option("--typing", help="Show the customer that somebody types, first.")]
AskFor = Annotated[
    Survey | None, typer.Option("--ask", help="Follow up with X's feedback card; it has an allowlist of its own.")
]
Key = Annotated[str | None, typer.Option("--key", metavar="KEY", help="Send at most once under this key, for ever.")]
HumanWroteThis = Annotated[
    bool, typer.Option("--human-wrote-this", help="Vouch that a person wrote what a script sends.")
]
AllowPrivate = Annotated[
    bool, typer.Option("--allow-private", help="Agree to a name that the public name keeps private.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Send without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")]

_LONGEST_KEY = 200  # code points


def register(app: typer.Typer) -> None:
    """Add ``send``."""
    app.command("send")(command(send))


def send(
    context: Context,
    to: To,
    agent: As = None,
    text: Text = None,
    file: File = None,
    edit: Edit = False,
    media: Media = None,
    quick_reply: QuickReplies = None,
    cta: Buttons = None,
    typing: Typing = False,
    ask: AskFor = None,
    key: Key = None,
    human_wrote_this: HumanWroteThis = False,
    allow_private: AllowPrivate = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Send one Direct Message as an agent.

    It counts as sent only when X confirms that it carries the agent's profile. The same words to the same person
    within five minutes are one message: a repeat finds the first receipt, and sends nothing.
    """
    from profilectl.access.policy_file import current_operator
    from profilectl.cli.authority import authority_for
    from profilectl.cli.message_input import read_media, read_text
    from profilectl.cli.send_output import show_dry_run
    from profilectl.messaging.identity import find_speaker
    from profilectl.messaging.sender import Sending

    recipient = _check_recipient(to)
    operator, authority = current_operator(), authority_for(context)
    speaker = find_speaker(context, agent, operator, authority)
    authority.require_operator(speaker.agent, operator)
    replies, buttons = _extras(quick_reply, cta) if quick_reply or cta else ((), ())
    attachment = None if media is None else read_media(media)
    about = f"To {to}, as {speaker.agent.key} ({speaker.agent.name})"
    words = read_text(text, file, edit, context, about=about) if _has_words(text, file, edit, media) else ""
    _keep_private(context, speaker, (words, *replies, *(one.label for one in buttons)), allowed=allow_private, yes=yes)
    contents = Contents(words, _digest(attachment), replies, buttons)
    occasion = Occasion(context.may_ask, human_wrote_this=human_wrote_this)
    sending = Sending(context, speaker, operator, contents, attachment, _check_key(key), occasion, ask)
    message = sending.compose(recipient)
    if dry_run:
        show_dry_run(context, message)
        _foretell_refusal(sending, message)
        return
    sending.carry_out(message, typing=typing, yes=yes)


def _foretell_refusal(sending: Sending, message: Message) -> None:
    """Say on stderr what would stop the real run."""
    try:
        sending.require_honesty(message)
    except InputRefused as error:
        info(f"without --dry-run this would be refused: {error.message}")


def _has_words(text: str | None, file: Path | None, edit: bool, media: Path | None) -> bool:
    """Say whether a text has to be read: a picture may go out without one."""
    return media is None or text is not None or file is not None or edit


def _extras(quick_reply: list[str] | None, cta: list[str] | None) -> tuple[tuple[str, ...], tuple[Link, ...]]:
    from profilectl.messaging.content import links, quick_replies

    return quick_replies(quick_reply or ()), links(cta or ())


def _digest(attachment: Attachment | None) -> str | None:
    if attachment is None:
        return None
    import hashlib

    return "sha256:" + hashlib.sha256(attachment.content).hexdigest()


def _keep_private(context: Context, speaker: Speaker, texts: tuple[str, ...], *, allowed: bool, yes: bool) -> None:
    """Refuse what the public name keeps private, or make sure that it is meant."""
    try:
        require_privacy(speaker.agent, "\n".join(texts))
    except InputRefused as error:
        if not allowed:
            raise
        require_consent(context, f"{error.message}. Send it all the same?", "sent", yes=yes)


def _check_recipient(to: str) -> str:
    handle = to.removeprefix("@")
    if to.isascii() and to.isdigit():
        return to
    if to.startswith("@") and handle.isascii() and handle.replace("_", "").isalnum() and len(handle) <= 15:
        return to
    raise UsageError(f"--to takes an id (digits) or a @handle, not {visible(to)}")


def _check_key(key: str | None) -> str | None:
    if key is not None and (
        not key.strip() or len(key) > _LONGEST_KEY or visible(key) != key or key.startswith("auto:")
    ):
        raise UsageError(f"--key takes 1 to {_LONGEST_KEY} characters that can be seen, and doesn't begin with auto:")
    return key
