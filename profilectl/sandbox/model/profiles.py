"""Custom profiles: made, listed a page at a time, destroyed; X can't change one."""

from __future__ import annotations

import base64
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.model.store import MAX_ID

if TYPE_CHECKING:
    import sqlite3

    from profilectl.sandbox.model.media import Uploads
    from profilectl.sandbox.model.store import Store

# X's page on custom profiles says 48 characters and not which; code points after NFC are the most lenient reading.
MAX_NAME = 48
PAGE, MAX_PAGE = 20, 50  # X's default and maximum of `count`
_CURSOR = re.compile(r"(\d{1,19})(?:\.(\d{1,9}))?", re.ASCII)
_COLUMNS = "p.id, p.user_id, p.name, p.created_ms, p.destroyed_ms, m.key"
_SELECT = f"SELECT {_COLUMNS} FROM profiles p JOIN media m ON m.id = p.media_id"  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class Profile:
    """Another name and picture of an account; `picture` is the key of its avatar's address."""

    id: str
    user_id: str
    name: str
    created_ms: int
    is_live: bool
    picture: str


def encode_cursor(*numbers: int) -> str:
    """Numbers as an opaque text, in base64 as X's cursors are."""
    return base64.b64encode(".".join(map(str, numbers)).encode()).decode()


def decode_cursor(cursor: str, pattern: re.Pattern[str]) -> tuple[int, ...]:
    """The numbers in a cursor, 0 for one that is left out; Refused if the pattern doesn't fit."""
    try:
        match = pattern.fullmatch(base64.b64decode(cursor, validate=True).decode())
    except ValueError:  # base64's and UTF-8's errors are kinds of it
        match = None
    if match is None:
        raise Refused(Refusal.PARAMETER_INVALID, "cursor")
    return tuple(int(number or 0) for number in match.groups())


class Position(NamedTuple):
    """Where a list goes on, which runs from high ids to low ones."""

    before: int = MAX_ID  # the id that the next page stays below
    empty_pages: int = 0  # how many led here, so that no cursor ever repeats

    def cursor(self) -> str:
        """The position as clients see it."""
        return encode_cursor(*(self if self.empty_pages else self[:1]))


def read_cursor(cursor: str | None) -> Position:
    """The position that a cursor stands for; none is the beginning. Refused if the cursor isn't ours."""
    if not cursor:
        return Position()
    before, empty_pages = decode_cursor(cursor, _CURSOR)
    if before > MAX_ID:
        raise Refused(Refusal.PARAMETER_INVALID, "cursor")
    return Position(before, empty_pages)


class Profiles:
    """The custom profiles of one world, newest first."""

    def __init__(self, store: Store, media: Uploads) -> None:
        self._store = store
        self._media = media

    def create(self, user_id: str, name: str, media_id: str, lag: float = 0) -> Profile:
        """Make a profile, unlisted for `lag` seconds; Refused for a blank or too long name, or an unusable picture."""
        if not name.strip():
            raise Refused(Refusal.BAD_FIELD, "custom_profile.name: must not be blank")
        if len(unicodedata.normalize("NFC", name)) > MAX_NAME:
            raise Refused(Refusal.BAD_FIELD, f"custom_profile.name: must be at most {MAX_NAME} characters")
        with self._store.transaction() as connection:
            media = self._media.usable(user_id, media_id)
            now_ms = self._store.now_ms()
            inserted = connection.execute(
                "INSERT INTO profiles (user_id, name, media_id, created_ms, listed_ms) VALUES (?, ?, ?, ?, ?)",
                (user_id, name, media_id, now_ms, now_ms + int(lag * 1000)),
            )
        return Profile(str(inserted.lastrowid), user_id, name, now_ms, is_live=True, picture=media.key)

    def show(self, user_id: str, profile_id: str) -> Profile:
        """A live profile of this account; Refused if it has none with this id."""
        profile = self.find(profile_id)
        if profile is None or profile.user_id != user_id or not profile.is_live:
            raise Refused(Refusal.NO_SUCH_PAGE)
        return profile

    def page(self, user_id: str, count: int, cursor: str | None, *, empty: bool) -> tuple[list[Profile], str | None]:
        """At most `count` live profiles, or none, and the next cursor, None at the end; Refused if it isn't ours."""
        position = read_cursor(cursor)
        if empty:  # X warns that a page may be empty and yet carry a cursor: only a missing key is the end
            return [], position._replace(empty_pages=position.empty_pages + 1).cursor()
        rows = self._store.rows(
            f"{_SELECT} WHERE p.user_id = ? AND p.id < ? AND p.destroyed_ms IS NULL AND p.listed_ms <= ?"
            " ORDER BY p.id DESC LIMIT ?",
            *(user_id, position.before, self._store.now_ms(), count + 1),
        )
        profiles = [_profile(row) for row in rows[:count]]
        return profiles, Position(int(profiles[-1].id)).cursor() if len(rows) > count else None

    def destroy(self, user_id: str, profile_id: str) -> None:
        """Take a profile away; Refused if this account never had it."""
        # Idempotent, as X documents it: the same id again is 204 again, and the time of the first deletion stays.
        if not self._store.change(
            "UPDATE profiles SET destroyed_ms = ifnull(destroyed_ms, ?) WHERE id = ? AND user_id = ?",
            *(self._store.now_ms(), _number(profile_id), user_id),
        ):
            raise Refused(Refusal.NO_SUCH_PAGE)

    def find(self, profile_id: str) -> Profile | None:
        """Any profile of any account, live or destroyed."""
        row = self._store.row(f"{_SELECT} WHERE p.id = ?", _number(profile_id))
        return None if row is None else _profile(row)

    def all(self, user_id: str) -> list[Profile]:
        """Every profile that an account ever had, newest first."""
        return [_profile(row) for row in self._store.rows(f"{_SELECT} WHERE p.user_id = ? ORDER BY p.id DESC", user_id)]


def _profile(row: sqlite3.Row) -> Profile:
    is_live = row["destroyed_ms"] is None
    return Profile(str(row["id"]), row["user_id"], row["name"], row["created_ms"], is_live, row["key"])


def _number(profile_id: str) -> int:
    """The id as SQLite compares it; what is no 64-bit number is nobody's id."""
    is_number = profile_id.isascii() and profile_id.isdigit() and len(profile_id) <= 18
    return int(profile_id) if is_number else -1
