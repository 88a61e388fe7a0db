"""Uploaded pictures: checked when they come, re-encoded when they are shown, no longer usable after a day."""

from __future__ import annotations

import io
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from profilectl.sandbox.model.errors import Refusal, Refused

if TYPE_CHECKING:
    from PIL.Image import Image

    from profilectl.sandbox.model.store import Store

LIFETIME = 86_400  # seconds in which an id may be used: X's `expires_after_secs`, as recorded in 2025
# X's page on uploads: 5 MiB for a picture, 15 MiB for a GIF; code 324 names the figure in bytes.
MAX_BYTES = {"image/jpeg": 5_242_880, "image/png": 5_242_880, "image/webp": 5_242_880, "image/gif": 15_728_640}
MAX_CHUNK = 5 * 1024 * 1024  # bytes, as for v1.1's APPEND
MAX_PIXELS = 50_000_000  # ours, X documents none: bounds the memory that decoding takes
SERVED_EDGE = 400  # pixels; X scales account pictures down to this
_Image = tuple[int, int, bytes | None]  # width, height and content
# Pillow tries no other decoder, however a file is named: each is code that reads hostile bytes.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


@dataclass(frozen=True, slots=True)
class Media:
    """One upload; `key` is the public part of its address, the id is only for its owner."""

    id: str
    user_id: str
    key: str
    media_type: str
    size: int  # bytes
    width: int
    height: int
    expires_ms: int


class Uploads:
    """The uploads of one world."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, user_id: str, content: bytes, lifetime: float = LIFETIME) -> Media:
        """Keep a picture for `lifetime` seconds of use; Refused if it is no picture, damaged, or too big."""
        media_type, width, height = inspect(content)
        return self._insert(user_id, media_type, len(content), (width, height, content), lifetime)

    def _insert(self, user_id: str, media_type: str, size: int, image: _Image, lifetime: float = LIFETIME) -> Media:
        media_id, width, height, content = str(self._store.next_id()), *image
        expires_ms = self._store.now_ms() + int(lifetime * 1000)
        # The key is random, as the address is public and the id is its owner's: X's create answers with a URL only.
        self._store.change(
            "INSERT INTO media VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(media_id, user_id, secrets.token_urlsafe(11), media_type, size, width, height, expires_ms, content),
        )
        return self.require(user_id, media_id)

    def begin(self, user_id: str, total_bytes: int, media_type: str) -> Media:
        """Announce a picture that will come in chunks; Refused if X doesn't take its type, or it is too big."""
        if media_type not in MAX_BYTES:
            raise Refused(Refusal.MEDIA_UNRECOGNISED)
        _check_size(total_bytes, media_type)
        return self._insert(user_id, media_type, total_bytes, (0, 0, None))  # no width: still open

    def append(self, user_id: str, media_id: str, segment: int, content: bytes) -> None:
        """Take a chunk of an open upload; Refused if there is none, outside segments 0 to 999, or over 5 MiB."""
        with self._store.transaction():
            self._require_open(user_id, media_id)
            if not 0 <= segment <= 999 or len(content) > MAX_CHUNK:
                raise Refused(Refusal.PARAMETER_INVALID, "segment_index")
            # A client whose APPEND got lost may repeat it: the same segment replaces the first.
            self._store.change("INSERT OR REPLACE INTO chunks VALUES (?, ?, ?)", media_id, segment, content)

    def finish(self, user_id: str, media_id: str) -> Media:
        """Put the chunks together; Refused if the upload isn't open, bytes are missing, or it is no picture."""
        with self._store.transaction():
            announced = self._require_open(user_id, media_id)
            chunks = self._store.rows("SELECT content FROM chunks WHERE media_id = ? ORDER BY segment", media_id)
            content = b"".join(chunk["content"] for chunk in chunks)
            if len(content) != announced.size:
                raise Refused(Refusal.UPLOAD_UNKNOWN, "Segments do not add up to provided total file size.")
            media_type, width, height = inspect(content)
            self._store.change("DELETE FROM chunks WHERE media_id = ?", media_id)
            self._store.change(
                "UPDATE media SET media_type = ?, width = ?, height = ?, content = ? WHERE id = ?",
                *(media_type, width, height, content, media_id),
            )
        return self.require(user_id, media_id)

    def usable(self, user_id: str, media_id: str) -> Media:
        """A picture that its owner may still attach; Refused if unknown, expired, unfinished or somebody else's."""
        media = self.by_id(media_id)
        if media is None or media.expires_ms <= self._store.now_ms():
            raise Refused(Refusal.MEDIA_NOT_FOUND)
        if media.user_id != user_id or not media.width:
            raise Refused(Refusal.MEDIA_INVALID)
        return media

    def by_id(self, media_id: str) -> Media | None:
        """An upload, or None."""
        columns = "id, user_id, key, media_type, total_bytes, width, height, expires_ms"
        row = self._store.row(f"SELECT {columns} FROM media WHERE id = ?", media_id)  # noqa: S608 - our own words
        return None if row is None else Media(*row)

    def picture(self, key: str) -> bytes | None:
        """A picture as X shows it, re-encoded as JPEG and at most 400 pixels wide or high; None if there is none."""
        row = self._store.row("SELECT content FROM media WHERE key = ?", key)
        return None if row is None or row["content"] is None else reencode(row["content"])

    def require(self, user_id: str, media_id: str) -> Media:
        """An upload of this account, finished or not; Refused if it has none with this id."""
        media = self.by_id(media_id)
        if media is None or media.user_id != user_id:
            raise Refused(Refusal.UPLOAD_UNKNOWN, "Invalid mediaId")
        return media

    def _require_open(self, user_id: str, media_id: str) -> Media:
        media = self.require(user_id, media_id)
        if media.width:
            raise Refused(Refusal.UPLOAD_UNKNOWN, "Invalid mediaId")
        return media


def inspect(content: bytes) -> tuple[str, int, int]:
    """A picture's type, width and height; Refused if damaged, too big, or not JPEG, PNG, WEBP or GIF."""
    with _opened(content) as image:
        media_type = f"image/{(image.format or '').lower()}"
        _check_size(len(content), media_type)
        if image.width * image.height > MAX_PIXELS:
            raise Refused(Refusal.MEDIA_INVALID)
        width, height = image.size
        try:
            image.draft("RGB", (1, 1))  # a JPEG is decoded at an eighth of its size: enough to see that it is whole
            image.load()
        except (OSError, SyntaxError, ValueError) as error:
            raise Refused(Refusal.MEDIA_UNRECOGNISED) from error
    return media_type, width, height


def reencode(content: bytes) -> bytes:
    """JPEG of a picture that `inspect` has accepted: no bytes of the original survive, as at X."""
    target = io.BytesIO()
    with _opened(content) as image:
        image.thumbnail((SERVED_EDGE, SERVED_EDGE))
        image.convert("RGB").save(target, "JPEG", quality=85)
    return target.getvalue()


def _opened(content: bytes) -> Image:
    import PIL.Image

    try:
        return PIL.Image.open(io.BytesIO(content), formats=_FORMATS)
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise Refused(Refusal.MEDIA_UNRECOGNISED) from error


def _check_size(size: int, media_type: str) -> None:
    limit = MAX_BYTES[media_type]
    if size > limit:
        raise Refused(Refusal.MEDIA_TOO_BIG, str(limit))
