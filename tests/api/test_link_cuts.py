"""A link that is cut, or a process that is stopped, while a write is on its way: X has it once.

``PROFILECTL_TEST_LINK_CUTS=20`` plays as many cuts of each kind, at once.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CUTS = int(os.environ.get("PROFILECTL_TEST_LINK_CUTS", "1"))
SECONDS = 62.0  # longer than any request of ours, and than the kernel's first half dozen attempts


def why_not() -> str | None:
    """Return why this machine can't give a process a network of its own, None when it can."""
    missing = [name for name in ("unshare", "ip") if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    command = ["unshare", "--user", "--map-root-user", "--net", "ip", "link", "set", "lo", "up"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return None if result.returncode == 0 else f"no network namespaces: {result.stderr.strip()}"


def play(call: str, lost: str, folder: Path) -> dict[str, object]:
    folder.mkdir()
    scene = [sys.executable, "-m", "tests.api.link_cut", call, lost, str(SECONDS), str(folder)]
    result = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", *scene],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_link_cut_for_a_minute_doubles_nothing(tmp_path, require):
    """Neither the kernel's repeats nor ours, nor a process that wakes up late: X has one profile, or one message."""
    reason = why_not()
    require("namespaces", reason is None, str(reason))
    scenes = [(call, lost) for call in ("create", "message") for lost in (*["request"] * CUTS, "answer", "process")]
    with ThreadPoolExecutor(len(scenes)) as pool:
        results = [pool.submit(play, call, lost, tmp_path / str(number)) for number, (call, lost) in enumerate(scenes)]
        played = [(*scene, future.result()) for scene, future in zip(scenes, results, strict=True)]

    doubled = [
        (call, lost, scene)
        for call, lost, scene in played
        if (scene["profiles"], scene["messages"]) != (1, 1 if call == "message" else 0)
    ]
    assert [] == doubled
    assert {True} == {scene["was_cut"] for *_, scene in played}
    assert {0} == {scene["unsent"] for *_, scene in played}
    assert {0} == {scene["codes"][-1] for *_, scene in played}, "the next run finds out"
    assert {0, 7, 75} >= {scene["codes"][0] for *_, scene in played}, "the first one says what it knows"
