"""What to do when the roster can't be read from where it was looked for."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from profilectl.text.escape import visible

USUAL_NAME = "roster.toml"
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
    except (OSError, ValueError):  # a folder on the way that may not be entered, or a name that no file can have
        return _START
    return _START
