"""Media that X takes only in pieces: announced, sent piece by piece, put together, and waited for.

X takes pictures in one request, but not animations. Every request may be repeated: media that isn't used expires.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from profilectl.api import endpoints
from profilectl.api.error_response import shorten
from profilectl.api.wire import document_of, id_of, mapping_or_empty, read_nothing
from profilectl.errors import Refused, Unreachable

if TYPE_CHECKING:
    from profilectl.api.oauth import Signature
    from profilectl.api.transport import Transport
    from profilectl.api.wire import Answer

IN_PIECES: Final = frozenset({"dm_gif"})  # the categories, of those that we use, that X takes in pieces only
PIECE: Final = 2 * 1024 * 1024  # bytes: the usual size; X was seen to refuse 5 MB
_MOST_CHECKS: Final = 20  # so that media which X works on for ever ends the command, even without --timeout
_USUAL_PAUSE: Final = 2  # seconds between two checks, where X names no other figure


class Upload(Struct, frozen=True):
    """The state of uploaded media at X."""

    media_id: str
    state: str  # "" or "succeeded" when it can be used, "failed", or anything else while X is at work
    check_after: int
    problem: str

    @property
    def is_ready(self) -> bool:
        """Whether a message may carry it; X names no state for media that needs no work."""
        return self.state in {"", "succeeded"}


def read_upload(answer: Answer) -> Upload:
    """Return the state of an upload, from an answer in v2's form."""
    data = mapping_or_empty(document_of(answer).get("data"))
    processing = mapping_or_empty(data.get("processing_info"))
    error = mapping_or_empty(processing.get("error"))
    seconds = processing.get("check_after_secs")
    return Upload(
        media_id=id_of(data, "id"),
        state=str(processing.get("state") or ""),
        # Bounded, as 0 would ask without a pause, and a wrong figure would hold the command for hours.
        check_after=min(max(seconds, 1), 60) if type(seconds) is int else _USUAL_PAUSE,
        problem=str(error.get("message") or error.get("name") or "without a reason"),
    )


def upload_in_pieces(content: bytes, media_type: str, category: str, transport: Transport, signature: Signature) -> str:
    """Upload media in pieces, under X's ``media_category``, and return its id once X can use it.

    Raises:
        Refused: X can't use it.
        Unreachable: X is still at work on it when time is up.
    """
    begin = endpoints.begin_upload(len(content), media_type, category)
    media_id = transport.perform(begin, signature, read_upload).media_id
    for index, start in enumerate(range(0, len(content), PIECE)):
        piece = endpoints.append_upload(media_id, index, content[start : start + PIECE])
        transport.perform(piece, signature, read_nothing)
    upload = transport.perform(endpoints.finish_upload(media_id), signature, read_upload)
    for _ in range(_MOST_CHECKS):
        if upload.is_ready:
            return media_id
        if upload.state == "failed":
            raise Refused(f"uploading the picture: X can't use it ({shorten(upload.problem)})")
        if not transport.pause(upload.check_after):
            break
        upload = transport.perform(endpoints.upload_status(media_id), signature, read_upload)
    raise Unreachable("uploading the picture: X is still at work on it", hint="run again later")
