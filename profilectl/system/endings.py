"""The signals that people and systems end a command with, and the exit codes that a shell gives for them."""

from __future__ import annotations

import signal
from typing import Final

from profilectl.errors import ExitCode

CODES: Final = {
    signal.SIGHUP: ExitCode.HUNG_UP,
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
}
