"""What to do when the roster can't be read from where it was looked for."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from profilectl.text.escape import visible

USUAL_NAME = "roster.toml"
_MOST = 3  # rosters that are proposed
_START = "`profilectl init` writes one to start from; --roster PATH names another"


def reading_hint(path: Path) -> str:
    """Return a hint for a roster that can't be read: what the path may have been meant to be, or who may read it."""
    try:
        if path.is_dir():
            inside = path / USUAL_NAME
            quoted = visible(shlex.quote(str(inside)))
            return f"did you mean --roster {quoted}?" if inside.is_file() else f"{_START}, such as {quoted}"
        if path.exists() and not os.access(path, os.R_OK):
            return "ask its owner to let you read it; --roster PATH names another"
        return _nearby_hint(_nearby(path)) or _START
    except (OSError, ValueError):  # a folder on the way that may not be entered, or a name that no file can have
        return _START


def _nearby(path: Path) -> list[Path]:
    """Return the rosters of the folder in which one is missing, of the one above it, and of those right below it."""
    folder = Path(os.path.normpath(path.parent))
    around = [folder / USUAL_NAME, Path(os.path.normpath(folder / os.pardir)) / USUAL_NAME]
    below = sorted(file for file in folder.glob(f"*/{USUAL_NAME}") if not file.parent.name.startswith("."))
    return [file for file in dict.fromkeys((*around, *below)) if file != path and file.is_file()]


def _nearby_hint(files: Sequence[Path]) -> str | None:
    """Return how to use one of these rosters; None where there is none."""
    names = [visible(shlex.quote(str(file))) for file in files]
    if len(names) > 1:
        more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
        return f"did you mean one of these? --roster {', --roster '.join(names[:_MOST])}{more}"
    if not names:
        return None
    folder = files[0].parent
    way = "" if folder == Path() else f" Or `cd {visible(shlex.quote(str(folder)))}` first"
    return f"did you mean --roster {names[0]}?{way}"
