"""``--verbose``: every call to X on stderr, and never a secret in it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from profilectl.secret import log_filter

if TYPE_CHECKING:
    from collections.abc import Collection

    from profilectl.secret import Secret


def tell_calls(secrets: Collection[Secret]) -> None:
    """Write our own log to stderr from now on, other libraries' not.

    Args:
        secrets: may grow afterwards; none of them is ever written.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.addFilter(log_filter(secrets))
    logger = logging.getLogger("profilectl")
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
