"""The table of X's refusals: which exception each one becomes, what it means, and what a person can do about it.

Codes and statuses after X's "error troubleshooting" page and answers recorded in public; v2's kinds after its OpenAPI.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from profilectl.errors import CredentialsRefused, NotAllowlisted, NotFound, RateLimited, Refused

if TYPE_CHECKING:
    from profilectl.errors import RemoteError

_LOG_IN = "log in again: profilectl auth login"
_PERMISSION = f"set the app to read, write and Direct Messages in X's developer console, then {_LOG_IN}"
_CALLBACK = f"enter a callback URL in the app's settings in X's developer console, then {_LOG_IN}"
_USER_TOKENS = "use OAuth 1.0a tokens of the brand's own account: profilectl auth login"
_CLOCK = "set this machine's clock, best by NTP, and run again"
_PLAN = "see in X's developer console which plan the app has and what it includes"
_SUSPENDED = "log in at x.com as the brand to see which; X says the same in both cases"
_CREDITS = "add credits in X's developer console, then run again"
_UNLOCK = "log in at x.com as the brand, follow what X asks for there, then run again"
_FOLLOW = "they have to follow the brand, or write to it first"
_INVITE = "their settings keep it out until they write to the brand themselves"
_VERIFY = "they can write to the brand first, or the brand gets verified"
_FIELD = "X's own words name the field"
_EXPIRED = "uploads expire after a day; run again to upload it anew"
_PICTURE = "use another picture: JPEG, PNG, WEBP or a still GIF under 5 MB"
_UPGRADE = "look for a newer profilectl"
_ALLOWLIST = (
    "X allows custom profiles account by account: it must be verified, and link to the brand's privacy policy.\n"
    "Ask your X contact or partner, or X's developer support form, naming the @handle and the app's id.\n"
    "The answer may take weeks; roster and credentials can stay as they are, run again once X agrees."
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row: what X may say, and what we make of it.

    Attributes:
        codes: of v1.1's ``errors``.
        kinds: the last part of v2's problem ``type``.
        statuses: of HTTP, for answers that hold neither.
    """

    error: type[RemoteError]
    meaning: str
    hint: str | None = None
    codes: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()


_WHO = CredentialsRefused
_NO = Refused

VERDICTS: tuple[Verdict, ...] = (
    Verdict(NotAllowlisted, "X hasn't allowed this account to use custom profiles", _ALLOWLIST, codes=(87,)),
    # Who we are, and what our app may do.
    Verdict(_WHO, "X doesn't accept the signature or the credentials", _LOG_IN, codes=(32,), statuses=(401,)),
    Verdict(_WHO, "the token is invalid, expired or revoked", _LOG_IN, codes=(89,)),
    Verdict(_WHO, "X finds no usable credentials in the request", _LOG_IN, codes=(215,)),
    Verdict(_WHO, "X refuses the time of the request", _CLOCK, codes=(135,)),
    Verdict(_WHO, "the app isn't permitted to use Direct Messages", _PERMISSION, codes=(93,)),
    Verdict(_WHO, "the app is only permitted to read", _PERMISSION, codes=(261,)),
    Verdict(_WHO, "the app's plan doesn't include this call", _PLAN, codes=(453,), kinds=("client-forbidden",)),
    Verdict(_WHO, "the brand's account is suspended, or the app's plan lacks this call", _SUSPENDED, codes=(64,)),
    Verdict(
        _WHO,
        "X wants another kind of credentials for this call",
        _USER_TOKENS,
        codes=(99, 220),
        kinds=("unsupported-authentication",),
    ),
    Verdict(_WHO, "the app's settings don't allow a login by PIN", _CALLBACK, codes=(415, 417)),
    Verdict(_WHO, "the app is suspended", "look at the app in X's developer console", codes=(416,)),
    Verdict(
        _WHO,
        "the app's credits at X are used up",
        _CREDITS,
        kinds=("credits", "credits-depleted"),
        statuses=(402,),
    ),
    # When to come back; the hint is made from the answer's headers.
    Verdict(
        RateLimited,
        "X's limit for this call is reached",
        codes=(88,),
        kinds=("rate-limit-exceeded",),
        statuses=(420, 429),
    ),
    Verdict(RateLimited, "the app's quota at X is used up", kinds=("usage-capped",)),
    # What doesn't exist.
    Verdict(NotFound, "X knows no such thing", codes=(34,), kinds=("resource-not-found",), statuses=(404,)),
    Verdict(NotFound, "X knows no such user", "look at the id or the handle", codes=(17, 50, 108)),
    # Why a message doesn't go out.
    Verdict(_NO, "the recipient's account is suspended", codes=(63,)),
    Verdict(_NO, "the recipient doesn't follow the brand", _FOLLOW, codes=(150,)),
    Verdict(_NO, "X doesn't send this message, its own words say why", codes=(151,)),
    Verdict(_NO, "X takes this for automated behaviour", _UNLOCK, codes=(226,)),
    Verdict(_NO, "the brand's account is locked for now", _UNLOCK, codes=(326,)),
    Verdict(_NO, "the brand has written as much as X allows in a day", "send it again tomorrow", codes=(344,)),
    Verdict(_NO, "the brand can't write to this recipient", _INVITE, codes=(349,)),
    Verdict(_NO, "the text is too long", "at most 10,000 characters", codes=(354,)),
    Verdict(_NO, "the brand has blocked this recipient", "unblock them at x.com as the brand", codes=(389,)),
    Verdict(_NO, "the recipient takes messages from verified accounts only", _VERIFY, codes=(476,)),
    # What is wrong with the request.
    Verdict(_NO, "something that X requires is missing", _FIELD, codes=(38,)),
    Verdict(_NO, "X doesn't accept a field", _FIELD, (214,), ("invalid-request",), (400, 406, 422)),
    Verdict(_NO, "X doesn't accept the picture", _PICTURE, codes=(323, 324)),
    Verdict(_NO, "X doesn't know the uploaded picture", _EXPIRED, codes=(325,)),
    Verdict(_NO, "the request is too large for X", "use a smaller picture or a shorter text", statuses=(413, 431)),
    Verdict(_NO, "X no longer offers this call", _UPGRADE, codes=(68, 251), statuses=(410,)),
    Verdict(_NO, "X doesn't permit this", kinds=("not-authorized-for-resource",), statuses=(403,)),
)

_ANY = Verdict(Refused, "X refuses")
_BY_CODE = {code: verdict for verdict in VERDICTS for code in verdict.codes}
_BY_KIND = {kind: verdict for verdict in VERDICTS for kind in verdict.kinds}
_BY_STATUS = {status: verdict for verdict in VERDICTS for status in verdict.statuses}


def is_known(code: int | None) -> bool:
    """Tell whether the table has a row for one of X's codes."""
    return code in _BY_CODE


def judge(status: int, code: int | None, kind: str) -> Verdict:
    """Return the row for a refusal: X's code decides, then v2's kind, then the HTTP status."""
    by_code = _BY_CODE.get(code) if code is not None else None
    return by_code or _BY_KIND.get(kind) or _BY_STATUS.get(status, _ANY)
