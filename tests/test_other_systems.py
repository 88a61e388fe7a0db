"""What a user sees where profilectl can't run."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("words", [[], ["--version"], ["sync"]])
def test_windows_is_told_in_one_sentence_where_it_runs(words):
    """Whatever the command: no traceback, and no log to report."""
    program = f"import os, sys; os.name = 'nt'; sys.argv[1:] = {words}; import profilectl.__main__ as m; m.main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    expected = "error: profilectl runs on Linux and macOS; on Windows run it in WSL.\n"
    assert (2, "", expected) == (done.returncode, done.stdout, done.stderr)
