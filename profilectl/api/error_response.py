"""Turns an answer that isn't 2xx into the exception that explains it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.client import responses
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from profilectl.api.clock import parse_date
from profilectl.api.error_codes import is_known, rule_for
from profilectl.api.retry import RetryPolicy, fate_of_status
from profilectl.api.wire import Unreadable, parse_json
from profilectl.errors import Fate, OutcomeUnknown, RateLimited, RemoteError, Unreachable
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.api.error_codes import ErrorRule
    from profilectl.api.wire import Answer

_LONGEST_QUOTE = 300  # code points of X's own message that are passed on


class ErrorBody(Struct, frozen=True):
    """The content of an error body, whichever shape it has; everything may be missing."""

    code: int | None = None
    kind: str = ""
    text: str = ""


class RequestInfo(Struct, frozen=True):
    """What is known of a request and isn't in its answer."""

    action: str
    retry: RetryPolicy
    now: float
    skew: float | None  # seconds that this machine is ahead of X
    error_rules: Mapping[int, ErrorRule] = field(default_factory=dict)  # where codes mean something else than usual


def error_from(answer: Answer, request: RequestInfo) -> RemoteError:
    """Return the exception for an answer that isn't 2xx, with X's status, code and words in its message."""
    body = read_error_body(answer.content)
    code = "" if body.code is None else f", code {body.code}"
    quote = f"HTTP {answer.status}{code}" + (f": {shorten(body.text)}" if body.text else "")
    if fate_of_status(answer.status) is Fate.UNKNOWN:
        return outcome_unknown(f"{_server_error(answer.status)} ({quote})", request, answer, body.code)
    own = request.error_rules.get(body.code) if body.code is not None else None
    rule = own or rule_for(answer.status, body.code, body.kind)
    is_limit = issubclass(rule.error, RateLimited)
    retry_at = _retry_at(answer, request.now) if is_limit else None
    skew = ""
    if body.code == 135 and request.skew:
        direction = "ahead of" if request.skew > 0 else "behind"
        skew = f", this machine's clock is {abs(request.skew):.0f} s {direction} X's"
    return rule.error(
        f"{request.action}: {rule.meaning}{skew} ({quote})",
        hint=_retry_hint(retry_at) if is_limit and (retry_at or not rule.hint) else rule.hint,
        retry_at=retry_at,
        status=answer.status,
        code=body.code,
    )


def outcome_unknown(
    what: str, request: RequestInfo, answer: Answer | None = None, code: int | None = None
) -> RemoteError:
    """Return the exception for a request that X may have applied: Unreachable where repeating it does no harm."""
    message = f"{request.action}: {what}"
    status = answer.status if answer else None
    if request.retry is not RetryPolicy.SAFE:
        hint = "X may have done it all the same: look before it is done again"
        return OutcomeUnknown(message, hint=hint, status=status, code=code)
    # 503 is the one 5xx for which RFC 9110 (15.6.4) foresees a Retry-After.
    retry_at = _retry_at(answer, request.now) if answer and answer.status == 503 else None
    return Unreachable(message, hint="run again later", retry_at=retry_at, status=status, code=code)


def read_error_body(content: bytes) -> ErrorBody:
    """Read an error body in the form of v1.1, the upload or v2; the text of any other body is taken as it is."""
    document: object = None
    with suppress(Unreadable):
        document = parse_json(content)
    if not isinstance(document, dict):
        return ErrorBody(text=_plain(content))
    errors = document.get("errors")
    entries = [entry for entry in errors if isinstance(entry, dict)] if isinstance(errors, list) else []
    # X may list several errors, and a code that the table knows explains more than the first one.
    first = next((entry for entry in entries if is_known(_code(entry))), entries[0] if entries else {})
    texts = (first.get("message"), document.get("detail"), first.get("detail"), document.get("title"))
    legacy = (errors, document.get("error"))  # some v1.1 calls answer with a sentence instead of a list
    text = next((text for text in (*texts, *legacy) if text and isinstance(text, str)), "")
    return ErrorBody(_code(first), _kind(document) or _kind(first), text)


def shorten(text: str) -> str:
    """Return foreign text with every character visible, cut to 300 code points."""
    return visible(text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…")


def cause_of(error: Exception) -> str:
    """Return what broke a connection, as httpx says, without what may quote our request: bytes, a proxy's words."""
    # Compared by name, so that this module needn't load httpx; h11 shows the bytes that it stumbled over.
    if type(error).__name__ == "ProxyError" and (status := re.match(r"\d{3}\b", str(error))):
        return f"the proxy refused, HTTP {status[0]}"
    return shorten(str(error).partition(": bytearray(")[0]) or type(error).__name__


def _code(entry: dict[str, Any]) -> int | None:
    code = entry.get("code")
    return code if type(code) is int else None  # not isinstance: JSON's true would be code 1


def _kind(document: dict[str, Any]) -> str:
    return str(document.get("type") or "").rstrip("/").rpartition("/")[2]


def _plain(content: bytes) -> str:
    """Return the text of a body that isn't JSON, and nothing of an HTML page."""
    text = " ".join(content.decode("utf-8", "replace").split())
    return "" if text.startswith("<") else text


def _server_error(status: int) -> str:
    if 300 <= status < 400:  # a signature that was made for one host mustn't go to another
        return "X, or somebody on the way, points to another address, which is never followed"
    return f"X is in trouble, {responses.get(status, 'in a way of its own').lower()}"


def _retry_at(answer: Answer, now: float) -> datetime | None:
    """Return when to try again: Retry-After (RFC 9110 10.2.3) wins over x-rate-limit-reset (epoch seconds)."""
    # Retry-After counts from the answer's own Date, so neither a wrong clock here nor a slow way shifts it.
    after = answer.headers.get("retry-after", "")
    seconds, reset = _number(after), _number(answer.headers.get("x-rate-limit-reset", ""))
    if seconds is not None:
        answered = parse_date(answer.headers.get("date")) or datetime.fromtimestamp(now, UTC)
        with suppress(OverflowError):  # beyond the year 9999, so as good as never
            return answered + timedelta(seconds=seconds)
        return None
    return parse_date(after) or (datetime.fromtimestamp(reset, UTC) if reset else None)


def _number(text: str) -> int | None:
    """Return a count of seconds, None when it isn't one."""
    # 11 digits reach to the year 5138, which datetime can still show; `isdigit` alone takes "²", which int refuses.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 11 else None


def _retry_hint(retry_at: datetime | None) -> str:
    return f"run again after {retry_at:%Y-%m-%d %H:%M:%S} UTC" if retry_at else "wait some minutes, then run again"
