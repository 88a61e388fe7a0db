"""Bytecode for the processes of a run, as every installed program has it.

A checkout has none where PYTHONDONTWRITEBYTECODE is set, and there each of ten thousand processes would compile all
modules for itself: 0.25 s of CPU every time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

_PREFIX = "PYTHONPYCACHEPREFIX"
_NONE = "PYTHONDONTWRITEBYTECODE"


def share(config: pytest.Config) -> None:
    """Let this run's processes, workers and programs under test, share a folder of bytecode that ends with the run.

    It is new for each run, because Python takes bytecode for that of a file with the same size and second of change,
    which a file that is edited between two runs may have. Nothing is written into the checkout.
    """
    if hasattr(config, "workerinput"):  # a worker has the folder in its environment
        return
    before = {name: os.environ.get(name) for name in (_PREFIX, _NONE)}
    folder = Path(tempfile.mkdtemp(prefix="profilectl-bytecode-"))
    folder.chmod(0o755)  # programs that run as other users read it too
    os.environ[_PREFIX] = str(folder)
    os.environ.pop(_NONE, None)

    def end() -> None:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        shutil.rmtree(folder)

    config.add_cleanup(end)
