"""Warnings that hold until a person does something: with ``--quiet`` a roster's runs give each of them once.

Or cron would mail them every half hour though nothing has changed. They are kept in the user's cache: where that is
lost they are given once more, and a person who looks without ``--quiet`` sees them in each run.
"""

from __future__ import annotations

from collections.abc import Collection

from profilectl.system.cache import read_cache, write_cache

_LARGEST = 1_000_000  # bytes: what is larger isn't read, and each warning is given once more


class LastingWarnings:
    """The warnings that earlier runs have given about one roster; `path` is that of `cache_file`."""

    def __init__(self, path: str) -> None:
        self._path = path
        lines = read_cache(path, _LARGEST).decode("utf-8", "replace").split("\n")
        self._given = frozenset(filter(None, lines))

    def is_given(self, line: str) -> bool:
        """Say whether an earlier run gave this warning, and it has held since."""
        return line in self._given

    def keep(self, lines: Collection[str], *, all_brands: bool) -> None:
        """Keep the warnings of this run; those that an earlier one gave go unless it looked at less than all brands."""
        given = frozenset(lines) | (frozenset() if all_brands else self._given)
        if given != self._given:
            write_cache(self._path, "\n".join(sorted(given)).encode())
