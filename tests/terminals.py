"""Programs on a terminal of their own, started without a fork of this process, which may have threads."""

from __future__ import annotations

import os
import pty
import subprocess


def start_on_terminal(command, **options):
    """Start a program whose streams and controlling terminal are a new one; return it, and our end of the terminal.

    `setsid` (util-linux) is the program until it becomes the other one, so the process id stays.
    """
    ours, theirs = pty.openpty()
    try:
        command = ["setsid", "--ctty", *command]
        return subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, **options), ours
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
