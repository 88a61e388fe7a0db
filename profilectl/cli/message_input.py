"""What a person hands over to be sent: the words, typed, piped, in a file or in an editor, and a picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from profilectl.errors import Declined, InputRefused, UsageError
from profilectl.messaging.characters import encoding_of, wrong_encoding
from profilectl.messaging.compose import MAX_TEXT
from profilectl.messaging.draft_text import SCISSORS, above, kept_text, notes, written
from profilectl.system.files import read_named
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from profilectl.cli.context import Context
    from profilectl.messaging.drafts import Draft
    from profilectl.pictures.attachments import Attachment

_MAX_BYTES: Final = 4 * MAX_TEXT + 4096  # UTF-8 needs four bytes a character at most; the editor's notes fit, too
_FILE_HINT: Final = "--file takes a path, as seen from the folder that you are in; a text goes without --file"
_USUAL_EDITORS: Final = ("editor", "vi")  # Debian's choice of its user first, as git has it


def read_text(text: str | None, file: Path | None, *, edits: bool = False) -> str:
    """Return the message from the text (``-`` is stdin) or the file, its lines ended as X has them.

    What `edits` goes on with may be a draft whose text stands below the scissors.

    Raises:
        UsageError: no place or two of them.
        InputRefused: too long, or not UTF-8.
    """
    if text is None and file is None:
        raise UsageError("there is no message", hint="give the text, - for stdin, --file PATH or --edit")
    if text is not None and file is not None:
        raise UsageError("two messages at once: a text and --file", hint="give just one of them")
    if file is not None:
        words = _decode(read_named(file, "the message", _MAX_BYTES, _FILE_HINT))
        lines = words.split("\n")
        if SCISSORS not in lines:
            return words
        return written(lines) if edits else above(lines, notes(""))  # a draft that was kept has notes below it
    words = _decode(sys.stdin.buffer.read(_MAX_BYTES + 1)) if text == "-" else text or ""
    return words.replace("\r\n", "\n")


def find_editor(context: Context) -> list[str]:
    """Return the words that start the user's editor; UsageError without a terminal or an editor to edit with."""
    if not context.may_ask:
        raise UsageError(
            f"nothing was sent: --edit needs a terminal, and {context.cannot_ask}",
            hint="give the text, - for stdin, or --file PATH",
        )
    return chosen_editor(context) or [_installed_editor(context.environ)]


def chosen_editor(context: Context) -> list[str]:
    """Return the words of VISUAL or EDITOR, none where neither names an editor; UsageError where they can't be read."""
    import shlex

    try:
        return shlex.split(context.environ.get("VISUAL") or context.environ.get("EDITOR") or "")
    except ValueError as error:
        raise UsageError(f"$VISUAL or $EDITOR can't be read: {error}") from None


def _installed_editor(environ: Mapping[str, str]) -> str:
    """Return the path of the editor that git would open; UsageError where there is none."""
    from shutil import which

    for name in _USUAL_EDITORS:
        if (path := which(name, path=environ.get("PATH", ""))) is not None:
            return path
    raise UsageError(
        "nothing was sent: neither VISUAL nor EDITOR names an editor, and no vi is installed",
        hint="export EDITOR=nano",
    )


def read_media(path: Path) -> Attachment:
    """Return a message's picture, ready to be uploaded; InputRefused when it is no regular file or none X takes."""
    from profilectl.pictures.attachments import LARGEST_FILE, prepare

    # A link is followed: whoever names a file on their own command line may name it through one.
    hint = "--media takes the path of a JPEG, PNG or GIF, as seen from the folder that you are in"
    return prepare(read_named(path, "the picture", LARGEST_FILE, hint), path.name)


def _decode(data: bytes) -> str:
    if len(data) > _MAX_BYTES:
        raise InputRefused(f"the message is longer than {MAX_TEXT} characters")
    if (encoding := encoding_of(data)) is not None:
        raise wrong_encoding(encoding)
    try:
        words = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputRefused(f"the message isn't UTF-8 (byte {error.start + 1})") from None
    return words.replace("\r\n", "\n").removesuffix("\n")  # one line break, which echo and editors add


def edit(draft: Draft, start: str, editor: list[str], about: str = "", below: str = "") -> str:
    """Let the user write a message in their editor, and return what stands above the notes; the draft keeps it.

    Args:
        draft: the file that is edited, which keeps what the editor has saved, whatever happens.
        start: what stands there first.
        editor: the words that start it, see `find_editor`.
        about: says in the notes who writes to whom, and may hold foreign strings.
        below: what stands below the notes, and isn't sent.

    Raises:
        InputRefused: too long, not UTF-8, or the editor failed.
        Declined: the editor was left without a word, then nothing is kept; or with all of them below the scissors.
    """
    own = notes(about)  # at the end, as git's are, so that the first key that is pressed writes the message
    try:
        content = "\n".join([start, "", *own, below]).encode()
    except UnicodeEncodeError:
        raise InputRefused("the text holds half a character (a lone surrogate)") from None
    draft.write(content)
    try:
        _run(editor, draft.path)
        words = _decode(draft.read(_MAX_BYTES + 1) or b"")
    finally:
        if kept_text(draft) is None:  # there are only our own notes in it
            draft.remove()
    kept = above(words.split("\n"), own)
    if not kept.strip():
        if written(words.split("\n")).strip():
            raise Declined("nothing was sent: your text stands below the line with the scissors; move it above")
        raise Declined("the message was left empty, nothing was sent")
    return kept


def _run(editor: list[str], path: Path) -> None:
    """Run the editor; InputRefused when it can't be started or ends with another code than 0."""
    import signal

    from profilectl.system import child

    name = visible(editor[0])
    try:
        # It draws on the terminal even where stdout is a file or a pipe.
        process = child.start([*editor, str(path)], stdout=None if sys.stdout.isatty() else sys.stderr)
    except OSError as error:
        hint = "set VISUAL or EDITOR to an editor that is installed"
        raise InputRefused(f"the editor {name} can't be started: {error.strerror}", hint=hint) from None
    # Ctrl-C goes to the editor as well, in which it may be a command like any other.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    if code == -signal.SIGINT:
        raise KeyboardInterrupt
    if code != 0:
        raise InputRefused(f"the editor {name} ended with {code}, nothing was sent")
