"""docs/roster-editing.md: the commands that it shows are run in their order, and each does what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "roster-editing.md"


def test_the_page_s_commands_work(tmp_path):
    """Every command ends well, and the roster is right after each of them."""
    lines = re.findall(r"^\$ profilectl (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert 10 == len(lines)

    def run(*words):
        command = [sys.executable, "-m", "profilectl", *words]
        return subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)

    for line in lines:
        done = run(*shlex.split(line))
        assert 0 == done.returncode, (line, done.stderr)
        assert 0 == run("roster", "check").returncode, line
    assert "emre" not in (tmp_path / "roster.toml").read_text(encoding="utf-8")
