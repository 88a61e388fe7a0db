"""The commit that a roster is of, for the record: who reviewed it is found there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from profilectl.system import child

_TIMEOUT = 5  # seconds: the record does without, rather than that a sync waits
_LARGEST = 1000  # bytes of an answer: two names of objects


def commit_of(path: Path, content: bytes) -> str | None:
    """Return the commit that is checked out and holds a file, None where none does or git doesn't answer.

    `content` is what was read of the file. Where the commit holds something else, ", changed since" follows.
    """
    path = path.parent.resolve() / path.name
    folder = next((folder for folder in path.parents if os.path.lexists(folder / ".git")), None)
    if folder is None:
        return None
    # None of the programs that a repository can name is started, and not the repository of a hook is asked. Filters
    # aren't run either, so a file that is checked out with other line ends counts as changed.
    options = ("-c", "core.fsmonitor=false", "-c", "safe.directory=*")
    names = ("HEAD", f"HEAD:{path.relative_to(folder).as_posix()}")
    try:
        answers = [
            child.run(
                ["git", *options, "rev-parse", "--verify", "--quiet", name],
                seconds=_TIMEOUT,
                largest=_LARGEST,
                folder=folder,
                without=("GIT_",),
            )
            for name in names
        ]
    except OSError:  # TimeoutError as well
        return None
    commit, blob = (
        answer.output.decode("ascii", "replace").strip() if answer.status == 0 else "" for answer in answers
    )
    if not commit or not blob:  # nothing is committed yet, or not this file: the repository only surrounds it
        return None
    return commit if blob == _blob(content, len(commit)) else f"{commit}, changed since"


def _blob(content: bytes, digits: int) -> str:
    """Return git's name of a file's content, by SHA-1 or, in newer repositories, SHA-256 (Git User Manual, "blob")."""
    digest = hashlib.sha256 if digits == 64 else hashlib.sha1
    return digest(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
