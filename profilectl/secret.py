"""Values that cannot print themselves. Part of the ground, because the signer and every credential source hold them."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import NoReturn


class Secret:
    """A string that shows ``***`` wherever it is printed, formatted, logged or pickled by mistake.

    Raises:
        ValueError: for an empty value, so that an unset variable never passes for a secret.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not value:
            raise ValueError("a secret can't be empty")
        self._value = value

    def reveal(self) -> str:
        """Return the value; called by the signer and by stores, nowhere else."""
        return self._value

    def tail(self) -> str:
        """Return the last four characters, enough to tell two tokens apart."""
        return self._value[-4:]

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse to be pickled or copied into a core of bytes that somebody may store."""
        raise TypeError("a secret can't be pickled")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The four OAuth 1.0a values of one account, and where they came from.

    Attributes:
        source: for people: "environment", "file …", "keyring" …; never a value.
        handle: the account as it was known at login, without @; None when the source doesn't say.
        user_id: X's id of the account; None when the source doesn't say.
    """

    consumer_key: Secret
    consumer_secret: Secret
    token: Secret
    token_secret: Secret
    source: str
    handle: str | None = None
    user_id: str | None = None
