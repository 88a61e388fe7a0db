"""Turns an answer that isn't 2xx into the exception that explains it.

Proxies and gateways answer, too, and know nothing of what X has done: only what is in X's own form is X's no.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.client import responses
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from profilectl.api.clock import FURTHEST, parse_date
from profilectl.api.error_codes import is_known, rule_for
from profilectl.api.retry import fate_of_status
from profilectl.api.wire import Unreadable, parse_json, problem_kind
from profilectl.errors import CreditsUsedUp, Fate, OutcomeUnknown, RateLimited, RemoteError, Unreachable
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.api.error_codes import ErrorRule
    from profilectl.api.retry import RetryPolicy
    from profilectl.api.wire import Answer

TOO_MANY_REQUESTS = 429
_DAY_LIMITS = ("x-app-limit-24hour", "x-user-limit-24hour")
_RESETS = ("x-rate-limit-reset", *(f"{limit}-reset" for limit in _DAY_LIMITS))  # X's own names, of its limits
_LONGEST_QUOTE = 300  # code points of X's own message that are passed on


class ErrorBody(Struct, frozen=True):
    """The content of an error body, whichever shape it has; everything may be missing."""

    code: int | None = None
    kind: str = ""
    text: str = ""
    is_own: bool = False  # in a form that is X's and nobody else's
    is_general: bool = False  # in RFC 9457's general form, which X's v2 uses, and others do


class RequestInfo(Struct, frozen=True):
    """What is known of a request and isn't in its answer."""

    action: str
    retry: RetryPolicy
    now: float
    skew: float | None  # seconds that this machine is ahead of X
    error_rules: Mapping[int, ErrorRule] = field(default_factory=dict)  # where codes mean something else than usual
    says_no_in_words: bool = False  # the endpoint refuses with a sentence instead of JSON


def error_from(answer: Answer, request: RequestInfo) -> RemoteError:
    """Return the exception for an answer that isn't 2xx, with X's status, code and words in its message."""
    body = read_error_body(answer.content)
    code = "" if body.code is None else f", code {body.code}"
    quote = f"HTTP {answer.status}{code}" + (f": {shorten_lines(body.text)}" if body.text else "")
    if fate_of_status(answer.status) is Fate.UNKNOWN:
        return outcome_unknown(f"{_server_error(answer.status)} ({quote})", request, answer, body.code)
    if not _is_no_of_x(answer, body, request):
        return outcome_unknown(f"not X but somebody on the way has answered ({quote})", request, answer)
    own = request.error_rules.get(body.code) if body.code is not None else None
    rule = own or rule_for(answer.status, body.code, body.kind)
    # X's headers name the reset of a limit, also on an answer that is about credits
    is_limit = issubclass(rule.error, RateLimited) and not issubclass(rule.error, CreditsUsedUp)
    retry_at = _retry_at(answer, request.now) if is_limit else None
    skew = ""
    if body.code == 135 and request.skew:
        direction = "ahead of" if request.skew > 0 else "behind"
        skew = f", this machine's clock is {abs(request.skew):.0f} s {direction} X's"
    error = rule.error(
        f"{request.action}: {rule.meaning}{skew} ({quote})",
        hint=_retry_hint(retry_at) if is_limit and (retry_at or not rule.hint) else rule.hint,
        retry_at=retry_at,
        status=answer.status,
        code=body.code,
    )
    error.quote = quote
    return error


def _is_no_of_x(answer: Answer, body: ErrorBody, request: RequestInfo) -> bool:
    """Return whether an answer below 500 is X's own; whoever reads may take others' word, but for what is absent."""
    if body.is_own or (request.says_no_in_words and body.text):
        return True
    if answer.status in {TOO_MANY_REQUESTS, 420}:  # to wait because a proxy asks for it does no harm to a reader
        return not request.retry.writes or (body.is_general and any(name in answer.headers for name in _RESETS))
    is_about_absence = answer.status in {404, 410}
    return body.is_general and not request.retry.writes and not is_about_absence


def outcome_unknown(
    what: str, request: RequestInfo, answer: Answer | None = None, code: int | None = None
) -> RemoteError:
    """Return the exception for a request that X may have applied: Unreachable where repeating it does no harm."""
    message = f"{request.action}: {what}"
    status = answer.status if answer else None
    if request.retry.writes:
        hint = "X may have done it all the same: look before it is done again"
        # A limit that somebody on the way has set is worth knowing, too: when X's list can be asked.
        retry_at = _retry_at(answer, request.now) if answer and answer.status == TOO_MANY_REQUESTS else None
        return OutcomeUnknown(message, hint=hint, retry_at=retry_at, status=status, code=code)
    # 503 is the one 5xx for which RFC 9110 (15.6.4) foresees a Retry-After.
    retry_at = _retry_at(answer, request.now) if answer and answer.status == 503 else None
    is_stranger = answer is not None and 400 <= answer.status < 500
    hint = "look at the proxy, the network's login page or PROFILECTL_API_URL" if is_stranger else "run again later"
    return Unreachable(message, hint=hint, retry_at=retry_at, status=status, code=code)


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
    return ErrorBody(
        code=_code(first),
        kind=problem_kind(document) or problem_kind(first),
        text=text,
        is_own=_is_own(document),
        is_general=document.get("type") == "about:blank" and isinstance(document.get("title"), str),
    )


def _is_own(document: dict[str, Any]) -> bool:
    """Return whether an error document has one of X's own forms: v1.1's codes, the old upload's, v2's problem types."""
    if problem_kind(document):
        return True
    if isinstance(document.get("request"), str) and isinstance(document.get("error"), str):
        return set(document) == {"request", "error"}
    errors = document.get("errors")
    # Others have lists of errors with codes, too, but something beside the list: "success", "messages", "result".
    return isinstance(errors, list) and set(document) <= {"errors", "request"} and any(map(_is_own_entry, errors))


def _is_own_entry(entry: object) -> bool:
    return isinstance(entry, dict) and _code(entry) is not None and isinstance(entry.get("message"), str)


def shorten(text: str) -> str:
    """Return foreign text with every character visible, cut to 300 code points."""
    return visible(text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…")


def shorten_lines(text: str) -> str:
    """Return what X says as `shorten` does, its line breaks kept; without empty lines."""
    lines = [line.strip() for line in text[:_LONGEST_QUOTE].replace("\r\n", "\n").split("\n")]
    return "\n".join(map(visible, filter(None, lines))) + ("…" if len(text) > _LONGEST_QUOTE else "")


def cause_of(error: Exception) -> str:
    """Return what broke a connection, as httpx says, without what may quote our request: bytes, a proxy's words."""
    # Compared by name, so that this module needn't load httpx; h11 shows the bytes that it stumbled over.
    if type(error).__name__ == "ProxyError" and (status := re.match(r"\d{3}\b", str(error))):
        return f"the proxy refused, HTTP {status[0]}"
    return shorten(str(error).partition(": bytearray(")[0]) or type(error).__name__


def why_untrusted(error: BaseException) -> str | None:
    """Return why a TLS certificate wasn't trusted, in OpenSSL's words; None when something else failed."""
    for cause in causes(error):
        if type(cause).__name__ == "SSLCertVerificationError":
            return shorten(str(getattr(cause, "verify_message", cause)))
    return None


def certificate_hint(environ: Mapping[str, str]) -> str:
    """Return what a person can do about a certificate that isn't trusted."""
    name = next((name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if environ.get(name)), None)
    if name is None:
        return (
            "somebody on the way may be reading along; if that is your company's proxy, name its certificate "
            "authority's file in SSL_CERT_FILE"
        )
    return (
        f"{name} is {visible(environ[name])}: it has to hold the authority of whoever answers;\n"
        "Python 3.13 and later also refuse authorities whose basicConstraints aren't marked critical"
    )


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what brought it about."""
    cause: BaseException | None = error
    while cause is not None:  # httpx wraps what httpcore wraps, so the reason of the system is two or three down
        yield cause
        cause = cause.__cause__ or cause.__context__


def _code(entry: dict[str, Any]) -> int | None:
    code = entry.get("code")
    return code if type(code) is int else None  # not isinstance: JSON's true would be code 1


def _plain(content: bytes) -> str:
    """Return the text of a body that isn't JSON, and nothing of an HTML page."""
    text = " ".join(content.decode("utf-8", "replace").split())
    return "" if text.startswith("<") else text


def _server_error(status: int) -> str:
    if 300 <= status < 400:  # a signature that was made for one host mustn't go to another
        return "X, or somebody on the way, points to another address, which is never followed"
    return f"X is in trouble, {responses.get(status, 'in a way of its own').lower()}"


def _retry_at(answer: Answer, now: float) -> datetime | None:
    """Return when to try again, or None when the answer names no moment that is still to come.

    Retry-After (RFC 9110 10.2.3) wins over x-rate-limit-reset (epoch seconds); a limit of 24 hours that is used up wins
    over both, where its reset is later.
    """
    days = [
        _moment(answer, f"{limit}-reset") for limit in _DAY_LIMITS if answer.headers.get(f"{limit}-remaining") == "0"
    ]
    usual = _retry_after(answer, now) if "retry-after" in answer.headers else None
    moments = [usual or _moment(answer, "x-rate-limit-reset"), *days]
    coming = [moment for moment in moments if moment is not None and moment.timestamp() > now]
    return max(coming, default=None)


def _retry_after(answer: Answer, now: float) -> datetime | None:
    # Retry-After counts from the answer's own Date, so neither a wrong clock here nor a slow way shifts it.
    after = answer.headers["retry-after"]
    seconds = _number(after)
    if seconds is None:
        return parse_date(after)
    answered = parse_date(answer.headers.get("date"))
    if answered is None or abs(answered.timestamp() - now) > FURTHEST:  # the latter is a lie
        answered = datetime.fromtimestamp(now, UTC)
    return answered + timedelta(seconds=seconds)


def _moment(answer: Answer, header: str) -> datetime | None:
    """Return the moment of a header in epoch seconds."""
    seconds = _number(answer.headers.get(header, ""))
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _number(text: str) -> int | None:
    """Return a count of seconds, None when it isn't one."""
    # 11 digits reach to the year 5138, which datetime can still show; `isdigit` alone takes "²", which int refuses.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 11 else None


def _retry_hint(retry_at: datetime | None) -> str:
    return f"run again after {retry_at:%Y-%m-%d %H:%M:%S} UTC" if retry_at else "wait some minutes, then run again"
