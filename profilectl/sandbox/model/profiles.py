"""Custom profiles: made, listed a page at a time, destroyed; X can't change one."""

from __future__ import annotations

import base64
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from profilectl.sandbox.model import lies
from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.model.faults import Kind
from profilectl.sandbox.model.store import MAX_ID

if TYPE_CHECKING:
    import sqlite3

    from profilectl.sandbox.model.lies import LyingPosition
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

    def create(
        self, user_id: str, name: str, media_id: str, lag: float = 0, *, shown_name: str | None = None
    ) -> Profile:
        """Make a profile; Refused for a blank or too long name, or an unusable picture.

        Args:
            user_id: the account
            name: as it was sent
            media_id: an upload of the same account
            lag: seconds for which the list doesn't know the profile
            shown_name: what X makes of the name; None is the name itself
        """
        _check_name(name)
        with self._store.transaction():
            self._apply_late_creates()
            media = self._media.usable(user_id, media_id)
            now_ms = self._store.now_ms()
            shown = name if shown_name is None else shown_name
            profile_id = self._insert(user_id, shown, media_id, now_ms, now_ms + int(lag * 1000))
        return Profile(profile_id, user_id, shown, now_ms, is_live=True, picture=media.key)

    def create_later(self, user_id: str, name: str, media_id: str, seconds: float) -> None:
        """Make a profile `seconds` from now, when nobody waits for it any more; Refused as by `create`."""
        _check_name(name)
        with self._store.transaction():
            self._media.usable(user_id, media_id)
            self._store.change(
                "INSERT INTO late_profiles (due_ms, user_id, name, media_id) VALUES (?, ?, ?, ?)",
                *(self._store.now_ms() + int(seconds * 1000), user_id, name, media_id),
            )

    def _apply_late_creates(self) -> None:
        """Let the creates arrive that are due: whoever looks at profiles calls this first."""
        if self._store.row("SELECT 1 FROM late_profiles WHERE due_ms <= ?", self._store.now_ms()) is None:
            return
        with self._store.transaction():
            now_ms = self._store.now_ms()
            for row in self._store.rows("SELECT * FROM late_profiles WHERE due_ms <= ? ORDER BY due_ms, id", now_ms):
                self._insert(row["user_id"], row["name"], row["media_id"], row["due_ms"], row["due_ms"])
                self._store.change("DELETE FROM late_profiles WHERE id = ?", row["id"])

    def _insert(self, user_id: str, name: str, media_id: str, created_ms: int, listed_ms: int) -> str:
        with self._store.transaction() as connection:
            inserted = connection.execute(
                "INSERT INTO profiles (user_id, name, media_id, created_ms, listed_ms) VALUES (?, ?, ?, ?, ?)",
                (user_id, name, media_id, created_ms, listed_ms),
            )
        return str(inserted.lastrowid)

    def show(self, user_id: str, profile_id: str) -> Profile:
        """A live profile of this account; Refused if it has none with this id."""
        profile = self.find(profile_id)
        if profile is None or profile.user_id != user_id or not profile.is_live:
            raise Refused(Refusal.NO_SUCH_PAGE)
        return profile

    def page(self, user_id: str, count: int, cursor: str | None, *, empty: bool) -> tuple[list[Profile], str | None]:
        """At most `count` live profiles, or none, and the next cursor, None at the end; Refused if it isn't ours."""
        self._apply_late_creates()
        if cursor and (lie := _lying_position(cursor)):
            return self.lying_page(user_id, count, lie)
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

    def lying_page(self, user_id: str, count: int, position: LyingPosition) -> tuple[list[Profile], str | None]:
        """A page of a list that isn't true, and the next cursor, which keeps to the lie; None at the end."""
        self._apply_late_creates()
        rows = [_profile(row) for row in self._rows_behind(user_id, position)]
        entries = lies.bend(position.kind, rows, count)
        end = position.offset + count
        going_on = position._replace(offset=end)
        is_last = len(entries) <= end and position.kind is not Kind.ENDLESS_LIST
        return entries[position.offset : end], None if is_last else encode_cursor(*going_on)

    def _rows_behind(self, user_id: str, position: LyingPosition) -> list[sqlite3.Row]:
        """What a lie is made of: the profiles of a while ago, those of other accounts, or the present ones."""
        now_ms = self._store.now_ms()
        live = "p.destroyed_ms IS NULL AND p.listed_ms <= ?"
        if position.kind is Kind.FOREIGN_LIST:
            return self._store.rows(f"{_SELECT} WHERE p.user_id <> ? AND {live} ORDER BY p.id DESC", user_id, now_ms)
        if position.kind is Kind.STALE_LIST:
            was_live = "p.listed_ms <= ? AND ifnull(p.destroyed_ms > ?, 1)"
            moments = (position.as_of_ms, position.as_of_ms)
            return self._store.rows(
                f"{_SELECT} WHERE p.user_id = ? AND {was_live} ORDER BY p.id DESC", user_id, *moments
            )
        return self._store.rows(f"{_SELECT} WHERE p.user_id = ? AND {live} ORDER BY p.id DESC", user_id, now_ms)

    def destroy(self, user_id: str, profile_id: str) -> None:
        """Take a profile away; Refused if this account never had it."""
        self._apply_late_creates()
        # Idempotent, as X documents it: the same id again is 204 again, and the time of the first deletion stays.
        if not self._store.change(
            "UPDATE profiles SET destroyed_ms = ifnull(destroyed_ms, ?) WHERE id = ? AND user_id = ?",
            *(self._store.now_ms(), _number(profile_id), user_id),
        ):
            raise Refused(Refusal.NO_SUCH_PAGE)

    def find(self, profile_id: str) -> Profile | None:
        """Any profile of any account, live or destroyed."""
        self._apply_late_creates()
        row = self._store.row(f"{_SELECT} WHERE p.id = ?", _number(profile_id))
        return None if row is None else _profile(row)

    def another(self, user_id: str, profile_id: str) -> Profile | None:
        """The oldest live profile of an account that isn't this one; None if there is none."""
        others = (profile for profile in reversed(self.all(user_id)) if profile.is_live and profile.id != profile_id)
        return next(others, None)

    def all(self, user_id: str) -> list[Profile]:
        """Every profile that an account ever had, newest first."""
        self._apply_late_creates()
        return [_profile(row) for row in self._store.rows(f"{_SELECT} WHERE p.user_id = ? ORDER BY p.id DESC", user_id)]


def _check_name(name: str) -> None:
    if not name.strip():
        raise Refused(Refusal.BAD_FIELD, "custom_profile.name: must not be blank")
    if len(unicodedata.normalize("NFC", name)) > MAX_NAME:
        raise Refused(Refusal.BAD_FIELD, f"custom_profile.name: must be at most {MAX_NAME} characters")


def _lying_position(cursor: str) -> LyingPosition | None:
    """The position of a reading that is lied to; None if the cursor is one of the truth, or none at all."""
    try:
        return lies.LyingPosition(*decode_cursor(cursor, lies.CURSOR))
    except Refused:
        return None


def _profile(row: sqlite3.Row) -> Profile:
    is_live = row["destroyed_ms"] is None
    return Profile(str(row["id"]), row["user_id"], row["name"], row["created_ms"], is_live, row["key"])


def _number(profile_id: str) -> int:
    """The id as SQLite compares it; what is no 64-bit number is nobody's id."""
    is_number = profile_id.isascii() and profile_id.isdigit() and len(profile_id) <= 18
    return int(profile_id) if is_number else -1
