"""What is kept of a failure that nobody foresaw."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from profilectl import __version__
from profilectl.system.files import write_private
from profilectl.system.folders import make_private_folder
from profilectl.system.host import home_folder

if TYPE_CHECKING:
    from profilectl.secret import Secret


def write_log(error: BaseException) -> str:
    """Write a traceback to a file that only its owner can read, and return its path, or the last place in our code."""
    import platform
    import traceback

    # Neither local variables nor the exception's message: either may hold a secret.
    frames = "".join(traceback.format_tb(error.__traceback__))
    text = f"profilectl {__version__}, Python {platform.python_version()}, {platform.system()}\n"
    text += f"{frames}{type(error).__module__}.{type(error).__qualname__}\n"
    chosen = Path(os.environ.get("XDG_STATE_HOME", ""))  # a relative one counts as unset, as for the ledger
    base = chosen if chosen.is_absolute() else home_folder() / ".local" / "state"
    path = base / "profilectl" / f"crash-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.log"
    try:
        make_private_folder(path.parent)
        write_private(path, text.encode())
    except OSError:  # a full disk or a read-only home is no reason to lose the place as well
        return traceback.format_tb(error.__traceback__)[-1].split("\n", 1)[0].strip()
    return str(path)


def log_calls(secrets: Collection[Secret]) -> None:
    """Write our own log to stderr from now on; none of the secrets, which may grow afterwards, is ever written."""
    import logging

    from profilectl.secret import log_filter

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.addFilter(log_filter(secrets))
    logger = logging.getLogger("profilectl")  # only ours: oauthlib logs what it signs, and the signature
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
