"""X's words by the code that they come with: for refusals on order, most of which the world has no reason for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from profilectl.sandbox.http.responses import WORDINGS

if TYPE_CHECKING:
    from collections.abc import Mapping


class Saying(NamedTuple):
    """How X says no."""

    status: int
    message: str


_ON_ORDER_ONLY: Mapping[int, Saying] = {
    63: Saying(403, "User has been suspended."),
    64: Saying(403, "Your account is suspended and is not permitted to access this feature."),
    150: Saying(403, "You cannot send messages to users who are not following you."),
    195: Saying(403, "Missing or invalid url parameter."),
    226: Saying(403, "This request looks like it might be automated."),
    323: Saying(400, "Only one animated GIF may be attached."),
    326: Saying(403, "To protect our users, this account is temporarily locked. Please log in to unlock it."),
    344: Saying(403, "You have reached your daily limit for sending posts and messages."),
    389: Saying(403, "You cannot send messages to users you have blocked."),
    453: Saying(403, "You currently have access to a subset of X API V2 endpoints and limited v1.1 endpoints only."),
    476: Saying(403, "This user only accepts message requests from verified users."),
}
_OF_THE_WORLD = {
    wording.code: Saying(wording.status, wording.message.format("its reason"))
    for wording in WORDINGS.values()
    if wording.code
}
SAYINGS: Mapping[int, Saying] = {**_OF_THE_WORLD, **_ON_ORDER_ONLY}
"""By v1.1's codes; where several refusals share one, the last of them."""
