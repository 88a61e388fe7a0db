"""Media that X takes only in pieces: announced, sent piece by piece, put together, and waited for.

X takes pictures in one request, but not animations. Every request may be repeated: media that isn't used expires.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from profilectl.api import endpoints
from profilectl.api.error_response import shorten
from profilectl.api.wire import document_of, id_of, mapping_or_empty, read_nothing
from profilectl.errors import Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from profilectl.api.endpoints import Endpoint
    from profilectl.api.wire import Answer

T = TypeVar("T")

IN_PIECES: Final = frozenset({"dm_gif"})
"""The categories, of those that we use, that X takes in pieces only."""

PIECE: Final = 2 * 1024 * 1024
"""Bytes of a piece: the usual size; X was seen to refuse 5 MB."""

_MOST_CHECKS: Final = 20
_USUAL_PAUSE: Final = 2  # seconds between two checks, where X names no other figure


@dataclass(frozen=True, slots=True)
class Upload:
    """The state of uploaded media at X.

    Attributes:
        state: "" or "succeeded" when it can be used, "failed", or anything else while X is at work.
        check_after: seconds after which X wants to be asked again.
        problem: why it failed, in X's words.
    """

    media_id: str
    state: str = ""
    check_after: int = _USUAL_PAUSE
    problem: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether a message may carry it; X names no state for media that needs no work."""
        return self.state in {"", "succeeded"}


class Perform(Protocol):
    """Sends a request and returns what a reader makes of the answer."""

    def __call__(self, endpoint: Endpoint, read: Callable[[Answer], T]) -> T:
        """Return what `read` returns; RemoteError when X refuses or can't be reached."""


def read_upload(answer: Answer) -> Upload:
    """Return the state of an upload, from an answer in v2's form."""
    data = mapping_or_empty(document_of(answer).get("data"))
    processing = mapping_or_empty(data.get("processing_info"))
    error = mapping_or_empty(processing.get("error"))
    seconds = processing.get("check_after_secs")
    return Upload(
        media_id=id_of(data, "id"),
        state=str(processing.get("state") or ""),
        check_after=min(max(seconds, 1), 60) if type(seconds) is int else _USUAL_PAUSE,
        problem=str(error.get("message") or error.get("name") or "without a reason"),
    )


def upload_in_pieces(
    content: bytes,
    media_type: str,
    category: str,
    perform: Perform,
    pause: Callable[[float], bool],
) -> str:
    """Upload media in pieces and return its id once X can use it.

    Args:
        content: the whole file.
        media_type: "image/gif".
        category: X's ``media_category``.
        perform: sends a request to X.
        pause: waits some seconds; returns False when no time is left.

    Raises:
        Refused: X can't use it.
        Unreachable: X is still at work on it when time is up.
    """
    media_id = perform(endpoints.begin_upload(len(content), media_type, category), read_upload).media_id
    for index, start in enumerate(range(0, len(content), PIECE)):
        perform(endpoints.append_upload(media_id, index, content[start : start + PIECE]), read_nothing)
    upload = perform(endpoints.finish_upload(media_id), read_upload)
    for _ in range(_MOST_CHECKS):
        if upload.is_ready:
            return media_id
        if upload.state == "failed":
            raise Refused(f"uploading the picture: X can't use it ({shorten(upload.problem)})")
        if not pause(upload.check_after):
            break
        upload = perform(endpoints.upload_status(media_id), read_upload)
    raise Unreachable("uploading the picture: X is still at work on it", hint="run again later")
