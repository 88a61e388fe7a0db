"""The world behind the sandbox: accounts, media, profiles, messages, quotas and faults, without any HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from profilectl.sandbox.model.accounts import Account, Accounts
from profilectl.sandbox.model.faults import Faults
from profilectl.sandbox.model.feedback import Feedback
from profilectl.sandbox.model.media import Uploads
from profilectl.sandbox.model.messages import Messages
from profilectl.sandbox.model.profiles import Profiles
from profilectl.sandbox.model.rate_limits import Limits, Quotas
from profilectl.sandbox.model.store import MEMORY, Store
from profilectl.sandbox.model.tokens import Tokens
from profilectl.sandbox.model.welcome import WelcomeMessages


@dataclass(frozen=True, slots=True)
class BrandAccount:
    """An account that sends, with the four values that a client signs with."""

    user_id: str
    handle: str
    allowlisted: bool
    access_level: str
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


class World:
    """Everything that this X knows.

    Args:
        path: a database file, made private when it is new, or ``:memory:``
        now: the clock in epoch seconds; `advance` adds to it
        limits: X's own by default; they belong to this opening of the world, not to its file

    Raises WorldUnreadable if the file holds something else, OSError if the system refuses it.
    """

    def __init__(
        self, path: str | Path = MEMORY, *, now: Callable[[], float] = time.time, limits: Limits | None = None
    ) -> None:
        self.store = Store(str(path), now)
        self.accounts = Accounts(self.store)
        self.tokens = Tokens(self.store, self.accounts)
        self.quotas = Quotas(self.store, limits or Limits())
        self.media = Uploads(self.store)
        self.profiles = Profiles(self.store, self.media)
        self.messages = Messages(self.store, self.accounts, self.profiles, self.media, self.quotas)
        self.welcome = WelcomeMessages(self.store)
        self.feedback = Feedback(self.store, self.messages, self.quotas)
        self.faults = Faults(self.store)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    def ensure_brand(self, handle: str, *, user_id: str | None = None) -> BrandAccount:
        """Find or make a brand's account, with a token that works; ValueError as from `Accounts.ensure`."""
        with self.store.transaction():
            account = self.accounts.ensure(handle, is_brand=True, user_id=user_id)
            app, token = self.tokens.app(), self.tokens.ensure(account)
        identity = (account.user_id, account.handle, account.allowlisted, account.access_level)
        return BrandAccount(*identity, app.consumer_key, app.consumer_secret, token.token, token.secret)

    def ensure_customer(self, handle: str, *, user_id: str | None = None) -> Account:
        """Find or make a customer's account; ValueError as from `Accounts.ensure`."""
        return self.accounts.ensure(handle, is_brand=False, user_id=user_id)

    def now(self) -> float:
        """The world's time in epoch seconds."""
        return self.store.now()

    def advance(self, seconds: float) -> None:
        """Move time forward for everybody who shares this world."""
        self.store.advance(seconds)

    def reset(self) -> None:
        """Forget all but the accounts and their credentials; all are on the allowlist, and time is the present."""
        self.store.reset()

    def state(self) -> dict[str, Any]:
        """The truth as plain data: times in epoch milliseconds, no secrets."""
        accounts = self.accounts.all()
        return {
            "now_ms": self.store.now_ms(),
            "accounts": [
                _fields(account, "user_id", "handle", "is_brand", "allowlisted", "access_level", "reachable")
                | {"feedback_allowed": self.feedback.is_allowed(account.user_id)}
                for account in accounts
            ],
            "profiles": [
                _fields(profile, "id", "user_id", "name", "created_ms", "is_live")
                for account in accounts
                for profile in self.profiles.all(account.user_id)
            ],
            "messages": [
                _fields(message, "id", "created_ms", "sender_id", "recipient_id", "text", "profile_id")
                for message in self.messages.all()
            ],
            "feedback": [
                _fields(card, "id", "created_ms", "type", "from_user_id", "to_user_id", "external_id")
                | _fields(card, "display_name", "score", "text")
                for card in self.feedback.all()
            ],
        }


def _fields(value: object, *names: str) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}
