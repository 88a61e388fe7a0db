"""The end of a profile at X: not before the messages that carry it are over, and believed only when X says so."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol

from profilectl.errors import CredentialsError, NotFound, OutcomeUnknown, RateLimited, RemoteError, TryLater

if TYPE_CHECKING:
    from profilectl.ledger.protocol import Ledger
    from profilectl.model import LocalTime
    from profilectl.sync.ports import Remote, Wait

LONGEST_SEND_MS = 90_000
"""A message has reached X, or never will, this much after it was promised: three attempts to connect, and one call."""

_PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds between two looks at the ledger; the last one repeats


class Clocks(Protocol):
    """X's clock, and this machine's, which nobody can set."""

    def now_ms(self) -> int:
        """Return a lower bound of X's clock, epoch milliseconds."""

    def local_time(self) -> LocalTime:
        """Return the moment by this machine's clock."""


def await_sends(ledger: Ledger, user_id: str, profile_id: str, clocks: Clocks, wait: Wait) -> None:
    """Return once no message with a profile is on its way any more; the profile must be unbound, so none is added.

    X's clock, by which a message was promised, says once how long that takes, and this machine's clock counts it: a
    Date header that jumps doesn't make a message over, nor does one that stands still keep it on its way for ever.

    Raises:
        TryLater: `wait` doesn't allow it, or another run holds the ledger by then.
    """
    over_ms = None  # by this machine's clock
    for pause in itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1])):
        begun_ms, left_ms = ledger.open_sends(user_id).get(profile_id), 0
        if begun_ms is not None:
            local_ms = clocks.local_time().ms
            if over_ms is None:
                over_ms = local_ms + min(LONGEST_SEND_MS, begun_ms + LONGEST_SEND_MS - clocks.now_ms())
            left_ms = over_ms - local_ms
        if left_ms <= 0:
            ledger.require_held()  # the wait may have been long, and somebody may need the profile since
            return
        if not wait(min(pause, left_ms / 1000), f"for a message with profile {profile_id} to be over"):
            raise TryLater(
                f"a message with profile {profile_id} is on its way, so the profile isn't destroyed yet",
                hint="the next sync destroys it",
            )


def require_successor(remote: Remote, agent: str, profile_id: str) -> None:
    """Make sure that X has the profile that took another one's place, before the other one is destroyed.

    X's list may be stale: where somebody has destroyed the successor by hand, the former profile is the agent's last.

    Raises:
        TryLater: X has none with that id, or nobody knows.
        CredentialsError: X refuses the credentials.
        RateLimited: X's limit on such calls is reached.
    """
    try:
        remote.show_profile(profile_id)
    except (CredentialsError, RateLimited):
        raise
    except NotFound as error:
        raise TryLater(
            f"X lists profile {profile_id} of {agent}'s and says that it has none with that id, "
            "so the former one isn't destroyed yet",
            hint="run the same command again in a few minutes",
        ) from error
    except RemoteError as error:
        raise TryLater(
            f"nobody knows whether X still has profile {profile_id} of {agent}'s, so the former one isn't destroyed "
            f"yet: {error.message}",
            hint="the next sync destroys it",
        ) from error


def destroy(remote: Remote, profile_id: str) -> None:
    """Destroy a profile; where X's answer is missing or isn't X's, its list and the profile's own page decide.

    Raises:
        OutcomeUnknown: nobody knows whether the profile is gone.
        RemoteError: it isn't.
    """
    try:
        remote.destroy_profile(profile_id)
    except OutcomeUnknown:
        if not _is_gone(remote, profile_id):
            raise


def _is_gone(remote: Remote, profile_id: str) -> bool:
    """Say whether X's whole list lacks a profile, and X itself says that it has none with that id."""
    try:
        if any(profile.id == profile_id for profile in remote.list_profiles()):
            return False
        remote.show_profile(profile_id)
    except NotFound:
        return True
    except RemoteError:  # the answer to the deed counts, not that to this look
        return False
    return False
