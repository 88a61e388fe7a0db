"""A machine whose wall clock is wrong: for whole processes, so that every part of the program sees the same moment.

Only the wall clock moves. Files keep their real times, and clocks that nobody can set go on as they are.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SITE = """\
import datetime, os, time

_now, _ahead = time.time, float(os.environ["TESTS_CLOCK_AHEAD"])
time.time = lambda: _now() + _ahead

class _Moved(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)

datetime.datetime = _Moved
"""


def settings(folder: Path, moment: str) -> dict[str, str]:
    """Return the variables with which a Python process takes this moment of UTC for now; `folder` gets a file for it.

    It is "2026-05-03T12:00", and goes on from there.
    """
    place = folder / "moved-clock"
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(_SITE)  # which Python runs before anything else (docs: module site)
    ahead = datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() - time.time()
    path = os.pathsep.join(filter(None, [str(place), os.environ.get("PYTHONPATH", "")]))
    return {"TESTS_CLOCK_AHEAD": str(ahead), "PYTHONPATH": path}
