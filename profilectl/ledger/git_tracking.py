"""Whether git tracks a ledger: such a one came with a checkout, or goes to everybody with the next push.

What git tracks was written by whoever may write to the repository. Read as ours, it would say which profiles at X are
to be destroyed; so it is refused before a byte of it is looked at.
"""

from __future__ import annotations

import functools
import os
import shlex
from pathlib import Path

from profilectl.ledger import location

_TIMEOUT = 10  # seconds
_LARGEST = 1_000_000  # bytes of an answer: five names


def require_untracked(path: Path, consequence: str = "so it may be somebody else's", hint: str | None = None) -> None:
    """Refuse a ledger that git tracks, or a file of SQLite's beside it.

    Outside of a repository this costs a few calls of `lstat`.

    Args:
        path: of the ledger; where neither it nor a file beside it exists, nothing is refused.
        consequence: what follows from it, as the message says it.
        hint: what to do about a ledger that isn't ours.

    Raises:
        LedgerRefused: git tracks one of them, or can't be asked; the latter is no reason for a sandbox's ledger.
    """
    if not any(os.path.lexists(file) for file in (path, *location.companions(path))):
        return
    tracked = tracked_files(path)
    if tracked is None and not location.is_of_sandbox(path):
        hint = hint or "set PROFILECTL_LEDGER to a path outside of the repository"
        location.refuse(path, f"may be tracked by git, which can't be asked, {consequence}", f"install git; or {hint}")
    if tracked:
        hint = hint or location.elsewhere(path, "set PROFILECTL_LEDGER to another path")
        words = " ".join(shlex.quote(str(path.parent / name)) for name in tracked)
        untrack = f"`git rm --cached {words}` if it is yours and didn't come with the repository; else {hint}"
        location.refuse(path, f"is tracked by git ({', '.join(tracked)}), {consequence}", untrack)


def tracked_files(path: Path) -> tuple[str, ...] | None:
    """Return the names of the ledger's files that git tracks; None when there is a repository and no answer."""
    path = path.parent.resolve() / path.name
    files = (path, *location.companions(path))
    tracked: list[str] = []
    for folder in path.parents:
        if not os.path.lexists(folder / ".git"):
            continue
        names = _ask_git(folder, tuple(os.path.relpath(file, folder) for file in files))
        if names is None:
            return None
        tracked += (Path(name).name for name in names)
    return tuple(dict.fromkeys(tracked))


@functools.lru_cache(maxsize=16)  # a command opens its ledger twice, once for a look
def _ask_git(folder: Path, names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Ask the repository of a folder which of these files it tracks; None when there is no answer."""
    from profilectl.system import child  # loaded in a repository only

    # Not the repository that a hook runs for is asked, and none of the programs that a repository can name is started.
    # In the folder of ".git": below it, a tracked folder could pass for a bare repository with an index of its own.
    options = ("--literal-pathspecs", "-c", "core.fsmonitor=false", "-c", "safe.directory=*")
    words = ["git", *options, "ls-files", "-z", "--", *names]
    try:
        answer = child.run(words, seconds=_TIMEOUT, largest=_LARGEST, folder=folder, without=("GIT_",))
    except OSError:  # TimeoutError as well
        return None
    if answer.status != 0:
        return None
    return tuple(name for name in os.fsdecode(answer.output).split("\0") if name)
