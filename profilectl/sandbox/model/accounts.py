"""The accounts of this X: brands, which send for their agents, and customers."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from profilectl.sandbox.model.store import Store

ACCESS_LEVELS = ("read", "read-write", "read-write-directmessages")  # each includes the one before
MESSAGES = ACCESS_LEVELS[2]
HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")  # the pattern that X's v2 names when it refuses a username


@dataclass(frozen=True, slots=True)
class Account:
    """A user of X."""

    user_id: str  # digits
    handle: str  # without @
    is_brand: bool
    allowlisted: bool  # X lets it use custom profiles
    access_level: str  # what it grants the app, one of ACCESS_LEVELS
    reachable: bool  # takes Direct Messages from brands
    created_ms: int


class Accounts:
    """The accounts of one world, found by id or by handle in any case."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ensure(self, handle: str, *, is_brand: bool, user_id: str | None = None) -> Account:
        """Find or make the account of a handle; ValueError if X has no such handle, or the id is another account's."""
        handle = handle.removeprefix("@")
        if not HANDLE.fullmatch(handle):
            raise ValueError(f"{handle!r} is not a handle: 1 to 15 letters, digits or underscores")
        with self._store.transaction():
            account = self.by_handle(handle)
            if account is None:
                self._add(handle, is_brand, user_id)
            elif is_brand and not account.is_brand:  # never back: a brand's profiles and tokens would be left behind
                self._store.change("UPDATE accounts SET is_brand = 1 WHERE user_id = ?", account.user_id)
            return self.require(handle)

    def _add(self, handle: str, is_brand: bool, user_id: str | None) -> None:
        user_id = user_id or str(1_000_000_000 + secrets.randbelow(9_000_000_000))
        if self.by_id(user_id):
            raise ValueError(f"user id {user_id} is taken")
        insert = "INSERT INTO accounts VALUES (?, ?, ?, 1, ?, 1, ?)"
        self._store.change(insert, user_id, handle, is_brand, MESSAGES, self._store.now_ms())

    def by_id(self, user_id: str) -> Account | None:
        """The account with this id, or None."""
        row = self._store.row("SELECT * FROM accounts WHERE user_id = ?", user_id)
        return None if row is None else _account(row)

    def by_handle(self, handle: str) -> Account | None:
        """The account with this handle, or None."""
        row = self._store.row("SELECT * FROM accounts WHERE handle = ?", handle.removeprefix("@"))
        return None if row is None else _account(row)

    def require(self, handle: str) -> Account:
        """The account with this handle; KeyError if there is none."""
        account = self.by_handle(handle)
        if account is None:
            raise KeyError(handle)
        return account

    def all(self) -> list[Account]:
        """Every account, in the order of their making."""
        return [_account(row) for row in self._store.rows("SELECT * FROM accounts ORDER BY created_ms, rowid")]

    def allow(self, handle: str, allowlisted: bool) -> None:
        """Put an account on X's allowlist for custom profiles, or take it off; KeyError if there is no such account."""
        self._set("allowlisted", handle, allowlisted)

    def set_reachable(self, handle: str, reachable: bool) -> None:
        """Let an account take Direct Messages, or not; KeyError if there is no such account."""
        self._set("reachable", handle, reachable)

    def set_access_level(self, handle: str, level: str) -> None:
        """Set what an account grants the app; KeyError without the account, ValueError outside ACCESS_LEVELS."""
        if level not in ACCESS_LEVELS:
            raise ValueError(f"{level!r} is not an access level: {', '.join(ACCESS_LEVELS)}")
        user_id = self.require(handle).user_id
        with self._store.transaction():
            self._set("access_level", handle, level)
            # At X a token keeps its level until it is authorised again; here that is taken as done.
            self._store.change("UPDATE tokens SET access_level = ? WHERE user_id = ?", level, user_id)

    def _set(self, column: str, handle: str, value: object) -> None:
        sql = f"UPDATE accounts SET {column} = ? WHERE user_id = ?"  # noqa: S608 - the callers above name the column
        self._store.change(sql, value, self.require(handle).user_id)


def _account(row: sqlite3.Row) -> Account:
    flags = {name: bool(row[name]) for name in ("is_brand", "allowlisted", "reachable")}  # SQLite has no booleans
    return Account(**{**dict(row), **flags})
