"""Custom profiles: made, listed a page at a time, destroyed; X can't change one."""

from __future__ import annotations

import base64
import binascii
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

MAX_NAME = 48  # code points after NFC
PAGE, MAX_PAGE = 20, 50
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


@dataclass(frozen=True, slots=True)
class Page:
    """Some profiles, and where the next ones begin; no cursor means the end."""

    profiles: tuple[Profile, ...]
    next_cursor: str | None


class Position(NamedTuple):
    """Where a list goes on, which runs from high ids to low ones."""

    before: int = MAX_ID  # the id that the next page stays below
    empty_pages: int = 0  # how many led here, so that no cursor ever repeats

    def cursor(self) -> str:
        """The position as clients see it: opaque, in base64 as X's cursors are."""
        text = f"{self.before}.{self.empty_pages}" if self.empty_pages else str(self.before)
        return base64.b64encode(text.encode()).decode()


def read_cursor(cursor: str | None) -> Position:
    """The position that a cursor stands for; none is the beginning.

    Raises:
        Refused: not a cursor of ours
    """
    if not cursor:
        return Position()
    try:
        match = _CURSOR.fullmatch(base64.b64decode(cursor, validate=True).decode())
    except (binascii.Error, ValueError):
        match = None
    if match is None or int(match[1]) > MAX_ID:
        raise Refused(Refusal.PARAMETER_INVALID, "cursor")
    return Position(int(match[1]), int(match[2] or 0))


class Profiles:
    """The custom profiles of one world, newest first."""

    def __init__(self, store: Store, media: Uploads) -> None:
        self._store = store
        self._media = media

    def create(self, user_id: str, name: str, media_id: str, lag: float = 0) -> Profile:
        """Make a profile; for `lag` seconds `page` doesn't know it.

        Raises:
            Refused: a name that is blank or too long, or a picture that can't be used
        """
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
        """A live profile of this account.

        Raises:
            Refused: none with this id
        """
        profile = self.find(profile_id)
        if profile is None or profile.user_id != user_id or not profile.is_live:
            raise Refused(Refusal.NO_SUCH_PAGE)
        return profile

    def page(self, user_id: str, count: int = PAGE, cursor: str | None = None, *, empty: bool = False) -> Page:
        """At most `count` (1 to 50) live profiles from `cursor` on; `empty` gives none, and a cursor to the same place.

        Raises:
            Refused: not a cursor of ours
        """
        position = read_cursor(cursor)
        if empty:
            return Page((), position._replace(empty_pages=position.empty_pages + 1).cursor())
        rows = self._store.rows(
            f"{_SELECT} WHERE p.user_id = ? AND p.id < ? AND p.destroyed_ms IS NULL AND p.listed_ms <= ?"
            " ORDER BY p.id DESC LIMIT ?",
            *(user_id, position.before, self._store.now_ms(), count + 1),
        )
        profiles = tuple(_profile(row) for row in rows[:count])
        return Page(profiles, Position(int(profiles[-1].id)).cursor() if len(rows) > count else None)

    def destroy(self, user_id: str, profile_id: str) -> None:
        """Take a profile away; again is allowed.

        Raises:
            Refused: this account never had it
        """
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
