"""What stands in a draft: the message, the scissors, notes of ours below them, and what somebody has written there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.messaging.drafts import Draft

SCISSORS: Final = "# ------------------------ >8 ------------------------"  # as git has it
_LARGEST_DRAFT: Final = 1 << 20  # bytes of one that is opened again, whatever may be sent of it


def kept_text(draft: Draft) -> str | None:
    """Return what an earlier editor has left in a draft, without the notes; None where there is nothing."""
    data = draft.read(_LARGEST_DRAFT)
    text = "" if data is None else written(data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n"))
    return text if text.strip() else None


def kept_below(draft: Draft) -> str:
    """Return what somebody wrote in a draft below the scissors, where something stands above them, too."""
    data = draft.read(_LARGEST_DRAFT)
    lines = [] if data is None else data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    return _below(lines) if above(lines, notes("")).strip() else ""


def noted_recipient(draft: Draft) -> str | None:
    """Return to whom the notes of a draft say that it is written, as people read it; None where they don't say."""
    data = draft.read(_LARGEST_DRAFT)
    text = "" if data is None else data.decode("utf-8", "replace")
    note = re.search(rf"^{re.escape(SCISSORS)}\r?\n# To ([^,\n]+), as ", text, re.MULTILINE)
    return None if note is None else visible(note[1])


def notes(about: str) -> list[str]:
    """Return the lines of ours that stand below the message; `about` says who writes to whom, and may be foreign."""
    sentences = [visible(about)] if about else []
    sentences += [
        "Everything below the line with the scissors is left out, and spaces at the end.",
        "Nothing above it: nothing is sent.",
    ]
    return [SCISSORS, *(f"# {sentence}" for sentence in sentences)]


def above(lines: list[str], own: list[str]) -> str:
    """Cut at the scissors; where somebody deleted that line, only our own notes are known to be no message."""
    # A line that begins with # may be a hashtag, so that alone is no reason to drop it.
    if SCISSORS in lines:
        lines = lines[: lines.index(SCISSORS)]
    return "\n".join(line for line in lines if line not in own).strip("\n").rstrip()


def written(lines: list[str]) -> str:
    """Return what somebody wrote: above the scissors, or where nothing is there, what isn't a note below them."""
    text = above(lines, notes(""))
    if text.strip() or SCISSORS not in lines:
        return text
    return _below(lines)


def _below(lines: list[str]) -> str:
    """Return what isn't a note of ours below the scissors."""
    rest = lines[lines.index(SCISSORS) + 1 :] if SCISSORS in lines else []
    sentences = notes("")[1:]
    if len(rest) > 1 and rest[0].startswith("# ") and rest[1] == sentences[0]:
        rest = rest[1:]  # who writes to whom
    # Any other line may be somebody's, also with #: vi goes on with it from line to line.
    return "\n".join(line for line in rest if line not in sentences).strip("\n").rstrip()
