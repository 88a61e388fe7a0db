"""From an answer that isn't 2xx to the exception that tells it to a person."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import responses
from typing import TYPE_CHECKING, Any

from profilectl.api.clock import parse_date
from profilectl.api.error_codes import is_known, judge
from profilectl.api.retry import Repeat, fate_of_status
from profilectl.api.wire import Unreadable, parse_json
from profilectl.errors import Fate, OutcomeUnknown, RateLimited, RemoteError, Unreachable
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from profilectl.api.error_codes import Verdict
    from profilectl.api.wire import Answer

_LONGEST_QUOTE = 300  # code points of X's own message that are passed on


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an error body says, whichever shape it has; everything may be missing."""

    code: int | None = None
    kind: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an answer can't tell by itself.

    Attributes:
        deed: what was being done, for people: "creating the profile".
        now: X's time in epoch seconds.
        skew: seconds that this machine is ahead of X, None when unknown.
        verdicts: what X's codes mean for this call, where that differs from what they mean elsewhere.
    """

    deed: str
    repeat: Repeat
    now: float
    skew: float | None
    verdicts: Mapping[int, Verdict] = field(default_factory=dict)

    def judge(self, status: int, complaint: Complaint) -> Verdict:
        """Return what a refusal means."""
        own = self.verdicts.get(complaint.code) if complaint.code is not None else None
        return own or judge(status, complaint.code, complaint.kind)


def failure(answer: Answer, circumstances: Circumstances) -> RemoteError:
    """Return the exception for an answer that isn't 2xx; X's status, code and words are in its message."""
    complaint = read_complaint(answer.content)
    said = _quote(answer.status, complaint)
    if fate_of_status(answer.status) is Fate.UNKNOWN:
        return unsettled(f"{_trouble(answer.status)} ({said})", circumstances, answer, complaint.code)
    verdict = circumstances.judge(answer.status, complaint)
    is_limit = issubclass(verdict.error, RateLimited)
    retry_at = _retry_at(answer, circumstances.now) if is_limit else None
    skew = f", {_tell(circumstances.skew)}" if complaint.code == 135 and circumstances.skew else ""
    return verdict.error(
        f"{circumstances.deed}: {verdict.meaning}{skew} ({said})",
        hint=_come_back(retry_at) if is_limit and (retry_at or not verdict.hint) else verdict.hint,
        retry_at=retry_at,
        status=answer.status,
        code=complaint.code,
    )


def unsettled(
    what: str, circumstances: Circumstances, answer: Answer | None = None, code: int | None = None
) -> RemoteError:
    """Return the exception for a call that may have been applied: harmless only where repeating it is."""
    message = f"{circumstances.deed}: {what}"
    status = answer.status if answer else None
    if circumstances.repeat is not Repeat.SAFE:
        hint = "X may have done it all the same: look before it is done again"
        return OutcomeUnknown(message, hint=hint, status=status, code=code)
    retry_at = _retry_at(answer, circumstances.now) if answer and answer.status == 503 else None
    return Unreachable(message, hint="run again later", retry_at=retry_at, status=status, code=code)


def read_complaint(content: bytes) -> Complaint:
    """Read an error body: v1.1's, the upload's, v2's, or none of them, whose text then speaks for itself."""
    try:
        document = parse_json(content)
    except Unreadable:
        return Complaint(text=_plain(content))
    if not isinstance(document, dict):
        return Complaint(text=_plain(content))
    errors = document.get("errors")
    entries = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    first = next((one for one in entries if is_known(_code(one))), entries[0] if entries else {})
    texts = (first.get("message"), document.get("detail"), first.get("detail"), document.get("title"))
    legacy = (errors, document.get("error"))
    return Complaint(
        code=_code(first),
        kind=_kind(document) or _kind(first),
        text=next((text for text in (*texts, *legacy) if text and isinstance(text, str)), ""),
    )


def shorten(text: str) -> str:
    """Return foreign text visible, and not much longer than 300 code points."""
    return visible(text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…")


def cause_of(error: Exception) -> str:
    """Return what broke a connection, without what may quote our request: bytes that h11 shows, words of a proxy.

    Args:
        error: one of httpx's, known here by name only.
    """
    if type(error).__name__ == "ProxyError" and (status := re.match(r"\d{3}\b", str(error))):
        return f"the proxy refused, HTTP {status[0]}"
    return shorten(str(error).partition(": bytearray(")[0]) or type(error).__name__


def _code(entry: dict[str, Any]) -> int | None:
    code = entry.get("code")
    return code if type(code) is int else None


def _kind(document: dict[str, Any]) -> str:
    return str(document.get("type") or "").rstrip("/").rpartition("/")[2]


def _plain(content: bytes) -> str:
    """Return the text of a body that isn't JSON; nothing of an HTML page, which says little in many words."""
    text = " ".join(content.decode("utf-8", "replace").split())
    return "" if text.startswith("<") else text


def _quote(status: int, complaint: Complaint) -> str:
    code = "" if complaint.code is None else f", code {complaint.code}"
    return f"HTTP {status}{code}" + (f": {shorten(complaint.text)}" if complaint.text else "")


def _trouble(status: int) -> str:
    if 300 <= status < 400:
        return "X, or somebody on the way, points to another address, which is never followed"
    return f"X is in trouble, {responses.get(status, 'in a way of its own').lower()}"


def _tell(skew: float) -> str:
    return f"this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} X's"


def _retry_at(answer: Answer, now: float) -> datetime | None:
    """Return when X wants us back: Retry-After (RFC 9110 10.2.3) wins over x-rate-limit-reset (epoch seconds)."""
    after = answer.headers.get("retry-after", "")
    seconds, reset = _number(after), _number(answer.headers.get("x-rate-limit-reset", ""))
    if seconds is not None:
        answered = parse_date(answer.headers.get("date")) or datetime.fromtimestamp(now, UTC)
        return _later(answered, seconds)
    return parse_date(after) or (datetime.fromtimestamp(reset, UTC) if reset else None)


def _later(moment: datetime, seconds: int) -> datetime | None:
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:  # beyond the year 9999, so as good as never
        return None


def _number(text: str) -> int | None:
    """Return a count of seconds, None when it isn't one or lies beyond the year 5138."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 11 else None


def _come_back(retry_at: datetime | None) -> str:
    return f"run again after {retry_at:%Y-%m-%d %H:%M:%S} UTC" if retry_at else "wait some minutes, then run again"
