"""Media that X takes only in pieces: announced, sent piece by piece, put together, and waited for.

x-api.md 3.1: in one go X takes pictures, not animations. Nothing here does harm twice: what isn't used expires.
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

    from profilectl.api.endpoints import Call
    from profilectl.api.wire import Answer

T = TypeVar("T")

IN_PIECES: Final = frozenset({"dm_gif"})
"""The categories, of those that we use, that X takes in pieces only."""

PIECE: Final = 2 * 1024 * 1024
"""Bytes of a piece: the usual size; X was seen to refuse 5 MB."""

_MOST_LOOKS: Final = 20
_PATIENCE: Final = 2  # seconds between two looks, where X names no other figure


@dataclass(frozen=True, slots=True)
class Upload:
    """What X says about media that it has, or is still working on.

    Attributes:
        state: "" or "succeeded" when it can be used, "failed", else X is at work.
        check_after: seconds after which X wants to be asked again.
        problem: why it failed, in X's words.
    """

    media_id: str
    state: str = ""
    check_after: int = _PATIENCE
    problem: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether a message may carry it; X says nothing about what needs no work."""
        return self.state in {"", "succeeded"}


class Perform(Protocol):
    """Sends a call and returns what a reader makes of the answer."""

    def __call__(self, call: Call, read: Callable[[Answer], T]) -> T:
        """Return it, or raise a `RemoteError`."""


def read_upload(answer: Answer) -> Upload:
    """Return what X says about an upload, in v2's form."""
    data = mapping_or_empty(document_of(answer).get("data"))
    work = mapping_or_empty(data.get("processing_info"))
    error = mapping_or_empty(work.get("error"))
    seconds = work.get("check_after_secs")
    return Upload(
        media_id=id_of(data, "id"),
        state=str(work.get("state") or ""),
        check_after=min(max(seconds, 1), 60) if type(seconds) is int else _PATIENCE,
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
        perform: reaches X.
        pause: waits some seconds; says False when no time is left.

    Raises:
        Refused: X can't use it.
        Unreachable: X is still at work on it when time is up.
    """
    media_id = perform(endpoints.begin_upload(len(content), media_type, category), read_upload).media_id
    for index, start in enumerate(range(0, len(content), PIECE)):
        perform(endpoints.append_upload(media_id, index, content[start : start + PIECE]), read_nothing)
    upload = perform(endpoints.finish_upload(media_id), read_upload)
    for _ in range(_MOST_LOOKS):
        if upload.is_ready:
            return media_id
        if upload.state == "failed":
            raise Refused(f"uploading the picture: X can't use it ({shorten(upload.problem)})")
        if not pause(upload.check_after):
            break
        upload = perform(endpoints.upload_status(media_id), read_upload)
    raise Unreachable("uploading the picture: X is still at work on it", hint="run again later")
