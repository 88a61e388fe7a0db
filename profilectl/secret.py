"""Secret values that can't be printed by mistake, and their removal from texts that are shown or logged."""

from __future__ import annotations

import functools
import hmac
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, NoReturn

from msgspec import Struct

if TYPE_CHECKING:
    import logging
    import re


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
        # Copies and worker processes pickle, and somebody may store the bytes.
        raise TypeError("a secret can't be pickled")


class Credentials(Struct, frozen=True):
    """The four OAuth 1.0a values of one account, and where they came from."""

    consumer_key: Secret
    consumer_secret: Secret
    token: Secret
    token_secret: Secret
    source: str  # for people: "environment", "file …", "keyring" …; never a value
    handle: str | None = None  # at login, without @; None when the source doesn't say
    user_id: str | None = None

    def secrets(self) -> tuple[Secret, Secret, Secret, Secret]:
        """Return the four values, for `scrub`."""
        return self.consumer_key, self.consumer_secret, self.token, self.token_secret


def scrub(text: str, secrets: Iterable[Secret]) -> str:
    """Replace every secret in a text by ``***``.

    A secret is found as it is, percent-encoded (RFC 3986 2.1), inside a JSON string (RFC 8259 7), inside a Python
    ``repr``, and in base64 (RFC 4648 4 and 5), where it may stand anywhere in what was encoded.
    """
    longest_first = tuple(sorted({secret.reveal() for secret in secrets}, key=len, reverse=True))
    may_hold = "%" in text or any(spelling in text for value in longest_first for spelling in _spellings(value))
    return _compile(longest_first).sub("***", text) if longest_first and may_hold else text


def scrub_json(text: str, secrets: Collection[Secret]) -> str:
    r"""Replace every secret in a document, however its strings are escaped; JSON that is cut or broken will do.

    JSON can spell any character as ``\uXXXX``, and a string can hold another document in which it is escaped again.
    """
    import json
    import re

    def scrubbed(literal: re.Match[str]) -> str:
        if "\\" not in literal[0]:
            return literal[0]
        try:
            value = json.loads(literal[0], strict=False)
        except ValueError:
            return literal[0]
        clean = scrub(value, secrets)
        return literal[0] if clean == value else json.dumps(clean)

    return scrub(re.sub(r'"(?:[^"\\]|\\.)*"', scrubbed, text), secrets)


def log_filter(secrets: Collection[Secret]) -> Callable[[logging.LogRecord], bool]:
    """Return a filter for a logging handler that scrubs messages and tracebacks.

    Args:
        secrets: looked at anew for every record, so it may grow after the handler was set up.
    """

    def scrubbed(record: logging.LogRecord) -> bool:
        import traceback

        record.msg, record.args = scrub(record.getMessage(), secrets), ()
        if record.exc_info:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        if record.exc_text:
            record.exc_text = scrub(record.exc_text, secrets)
        return True

    return scrubbed


@functools.lru_cache(maxsize=8)  # whoever logs or answers has the same secrets every time
def _compile(longest_first: tuple[str, ...]) -> re.Pattern[str]:
    import re

    return re.compile("|".join(_pattern(value) for value in longest_first))


@functools.lru_cache(maxsize=32)
def _spellings(value: str) -> frozenset[str]:
    return frozenset((value, *_json_spellings(value), *_repr_spellings(value), *_base64_spellings(value.encode())))


def _pattern(value: str) -> str:
    import re

    spelled = map(re.escape, sorted(_spellings(value), key=len, reverse=True))
    # Which characters are percent-encoded, and in which case, is up to whoever does it: any of them may be.
    percent = "".join(f"(?:{re.escape(char)}|(?i:{_percent(char)}))" for char in value)
    return "|".join([*spelled, percent])


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())


def _json_spellings(value: str) -> Iterator[str]:
    import json

    for ascii_only in (True, False):
        inner = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield inner
        yield inner.replace("/", r"\/")  # as X and PHP write it


def _repr_spellings(value: str) -> Iterator[str]:
    for show in (repr, ascii, lambda text: repr(text.encode())[1:]):
        yield show(value)[1:-1]
        yield show('"' + value)[2:-1]  # Python picks its quotes, and so its escapes, by what else is in the string
        yield show("\"'" + value)[4:-1]


def _base64_spellings(value: bytes) -> Iterator[str]:
    """Yield the characters that the value alone decides, at each of the three places it can have in a group."""
    from base64 import b64encode, urlsafe_b64encode

    for encode in (b64encode, urlsafe_b64encode):
        yield encode(value).decode()
        for before in range(3):
            first, last = -(-before * 8 // 6), (before + len(value)) * 8 // 6
            if last - first >= 8:  # of a very short value so little is left that it would be found in any word
                yield encode(bytes(before) + value).decode()[first:last]
