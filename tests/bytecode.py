"""Bytecode for the processes of a run, as every installed program has it.

Where PYTHONDONTWRITEBYTECODE is set, a checkout has none, and each of thousands of processes would compile all modules
for itself: 0.1 to 0.25 s of CPU every time.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_NONE = "PYTHONDONTWRITEBYTECODE"


def keep(config: pytest.Config) -> None:
    """Let this run's processes, workers and programs under test, keep what they compile; git ignores it.

    It stays beside the sources, where that of the libraries is, too: in a folder of its own the libraries would be
    compiled anew, within the seconds that a keyring has for its answer.
    """
    former = os.environ.pop(_NONE, None)
    if former is not None:
        config.add_cleanup(lambda: os.environ.update({_NONE: former}))
