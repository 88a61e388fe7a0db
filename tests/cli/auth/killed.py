"""profilectl, killed at one of its steps: ``python -m killed NUMBER TRACE WORD…``.

Before and after each call that touches the keyring, X, or the list of accounts, one line goes to the file TRACE, and
with the line of that NUMBER the process kills itself.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from keyring.backends.SecretService import Keyring

from profilectl import __main__
from profilectl.api.client import XClient
from profilectl.credentials import prompts

_LAST, _TRACE = int(sys.argv[1]), Path(sys.argv[2])
_LOCK = threading.Lock()
_SEEN = []


def pass_by(step):
    with _LOCK:
        _SEEN.append(step)
        with _TRACE.open("a") as file:
            file.write(f"{step}\n")
        if len(_SEEN) == _LAST:
            os.kill(os.getpid(), signal.SIGKILL)


def watch(owner, name):
    original = getattr(owner, name)

    def watched(*args, **options):
        pass_by(f"before {name}")
        try:
            return original(*args, **options)
        finally:
            pass_by(f"after {name}")

    setattr(owner, name, watched)


for deed in ("set_password", "get_password", "delete_password"):
    watch(Keyring, deed)
for deed in ("verify_credentials", "list_profiles", "invalidate_token"):
    watch(XClient, deed)
watch(prompts, "read_token")
watch(os, "fsync")
watch(os, "replace")
sys.argv[1:] = sys.argv[3:]
__main__.main()
