"""The app's keys, the tokens of accounts, and how a PIN turns one into the other."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

from profilectl.sandbox.model.accounts import ACCESS_LEVELS, MESSAGES
from profilectl.sandbox.model.errors import Refusal, Refused

if TYPE_CHECKING:
    from profilectl.sandbox.model.accounts import Account, Accounts
    from profilectl.sandbox.model.store import Store

NONCE_MEMORY = 10 * 60  # seconds; twice the tolerance for timestamps, so that no replay outlives its memory
_SELECT = "SELECT token, secret, user_id, access_level FROM tokens"
_ALPHABET = string.ascii_letters + string.digits
_CEILINGS = {"": MESSAGES, "read": ACCESS_LEVELS[0], "write": ACCESS_LEVELS[1]}  # x_auth_access_type


@dataclass(frozen=True, slots=True)
class App:
    """The one client application that this X knows."""

    id: str
    name: str
    consumer_key: str
    consumer_secret: str


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, or (`user_id` empty) a request token on its way to become one."""

    token: str
    secret: str
    user_id: str
    access_level: str


@dataclass(frozen=True, slots=True)
class Login:
    """A PIN login that somebody started."""

    token: str
    secret: str
    ceiling: str  # the highest access level that it asks for
    pin: str | None = None  # None until it was authorised
    user_id: str = ""  # who authorised it


class Tokens:
    """Everything secret, made at random and kept in the world."""

    def __init__(self, store: Store, accounts: Accounts) -> None:
        self._store = store
        self._accounts = accounts

    def app(self) -> App:
        """The world's app, made when it is first asked for."""
        with self._store.transaction():
            if self._store.meta("consumer_key") is None:
                self._store.set_meta("app_id", str(10_000_000 + secrets.randbelow(90_000_000)))
                self._store.set_meta("consumer_key", _random(25))
                self._store.set_meta("consumer_secret", _random(50))
            app_id, key, secret = (str(self._store.meta(key)) for key in ("app_id", "consumer_key", "consumer_secret"))
        return App(app_id, "profilectl in the sandbox", key, secret)

    def ensure(self, account: Account) -> Token:
        """The account's newest token that still works, or a new one."""
        newest = f"{_SELECT} WHERE user_id = ? AND NOT revoked ORDER BY rowid DESC"
        with self._store.transaction():
            row = self._store.row(newest, account.user_id)
            return Token(*row) if row else self._issue(account, MESSAGES)

    def _issue(self, account: Account, ceiling: str) -> Token:
        # x_auth_access_type can only narrow what the app's permission allows (X's request_token page).
        level = min(account.access_level, ceiling, key=ACCESS_LEVELS.index)
        token = Token(f"{account.user_id}-{_random(40)}", _random(45), account.user_id, level)
        insert = "INSERT INTO tokens (token, secret, user_id, access_level) VALUES (?, ?, ?, ?)"
        self._store.change(insert, token.token, token.secret, token.user_id, token.access_level)
        return token

    def find(self, token: str) -> Token:
        """A token that may sign; Refused if it is unknown or revoked."""
        row = self._store.row(f"{_SELECT} WHERE token = ? AND NOT revoked", token)
        if row is None:
            raise Refused(Refusal.BAD_TOKEN)
        return Token(*row)

    def revoke(self, token: str) -> None:
        """Make a token useless for good."""
        # The row stays: a revoked token must never be issued again, and its refusal is X's 89, as for an unknown one.
        self._store.change("UPDATE tokens SET revoked = 1 WHERE token = ?", token)

    def use_nonce(self, token: str, stamp: int, nonce: str) -> bool:
        """Record a nonce; False if this token has used it with this timestamp (RFC 5849 3.3)."""
        with self._store.transaction():
            self._store.change("DELETE FROM nonces WHERE stamp < ?", int(self._store.now()) - NONCE_MEMORY)
            return self._store.change("INSERT OR IGNORE INTO nonces VALUES (?, ?, ?)", token, stamp, nonce) == 1

    def begin_login(self, access_type: str = "") -> Login:
        """Start a PIN login; X's ``x_auth_access_type`` is empty, ``read`` or ``write``, and Refused otherwise."""
        if access_type not in _CEILINGS:
            raise Refused(Refusal.PARAMETER_INVALID, "x_auth_access_type")
        login = Login(_random(27), _random(32), _CEILINGS[access_type])
        insert = "INSERT INTO request_tokens (token, secret, ceiling) VALUES (?, ?, ?)"
        self._store.change(insert, login.token, login.secret, login.ceiling)
        return login

    def login(self, token: str) -> Login:
        """A PIN login that isn't finished; Refused if it is unknown, or its PIN was used."""
        row = self._store.row("SELECT * FROM request_tokens WHERE token = ? AND NOT spent", token)
        if row is None:
            raise Refused(Refusal.BAD_TOKEN)
        return Login(row["token"], row["secret"], row["ceiling"], row["pin"], row["user_id"] or "")

    def authorise(self, login: Login, account: Account) -> str:
        """Let an account grant what the login asks for; returns the PIN of seven digits."""
        pin = f"{secrets.randbelow(10_000_000):07}"
        update = "UPDATE request_tokens SET user_id = ?, pin = ? WHERE token = ?"
        self._store.change(update, account.user_id, pin, login.token)
        return pin

    def redeem(self, login: Login, pin: str) -> Token:
        """Turn a login into an access token, once; Refused without authorisation, with another PIN, or again."""
        if login.pin is None or not secrets.compare_digest(login.pin.encode(), pin.encode()):
            raise Refused(Refusal.BAD_TOKEN)
        with self._store.transaction():
            spent = self._store.change("UPDATE request_tokens SET spent = 1 WHERE token = ? AND NOT spent", login.token)
            account = self._accounts.by_id(login.user_id)
            if not spent or account is None:
                raise Refused(Refusal.BAD_TOKEN)
            return self._issue(account, login.ceiling)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
