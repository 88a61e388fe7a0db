"""The table of X's error codes: the exception that each becomes, what it means, and what a person can do about it.

Codes and statuses after X's "error troubleshooting" page and answers recorded in public; v2's kinds after its OpenAPI.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from profilectl.errors import (
    CredentialsRefused,
    CreditsUsedUp,
    NotAllowlisted,
    NotFound,
    RateLimited,
    Refused,
    RemoteError,
)

GONE = 34  # v1.1's code for what doesn't exist: "Sorry, that page does not exist"

LOG_IN = "log in again: profilectl auth login"
"""What renews a token, wherever it came from; `XClient` names the place that it did come from."""

_PERMISSION = f"set the app to read, write and Direct Messages in X's developer console, then {LOG_IN}"
_CALLBACK = f"enter a callback URL in the app's settings in X's developer console, then {LOG_IN}"
_USER_TOKENS = "use OAuth 1.0a tokens of the brand's own account: profilectl auth login"
_CLOCK = "set this machine's clock, best by NTP, and run again"
_PLAN = "see in X's developer console which plan the app has and what it includes"
_SUSPENDED = "log in at x.com as the brand to see which; X says the same in both cases"
_CREDITS = (
    "add credits in X's developer console, then run the same command again; "
    "X recharges by itself, where that is set up, once in five minutes at most"
)
_UNLOCK = "log in at x.com as the brand, follow what X asks for there, then run again"
_HUMAN = "wait a while, then let a person send it in words of their own; log in at x.com as the brand if it goes on"
_FOLLOW = "ask them to write to the brand first, or to follow it, then send it again"
_INVITE = "ask them to write to the brand first; what answers them goes through, unless they have blocked it"
_VERIFY = "ask them to write to the brand first, or get the brand verified"
_ELSEWHERE = "nobody can write to them at X until it lifts that; reach them in another way"
_REWORD = "change what they name, such as a label, an address, or a text that was sent before"
_ADDRESS = "look at the addresses in the text and behind the buttons"
_SHORTEN = "at most 10,000 characters fit: send it in two messages"
_UNBLOCK = "unblock them at x.com as the brand, if that is wanted"
_FIELD = "X's own words name the field"
_EXPIRED = "uploads expire after a day; run again to upload it anew"
_PICTURE = "use another picture: JPEG, PNG or WEBP under 5 MB, or for a message an animated GIF under 15 MB"
_UPGRADE = "look for a newer profilectl"
_ALLOWLIST = (
    "X allows custom profiles account by account: it must be verified, and link to the brand's privacy policy.\n"
    "Ask your X contact or partner, or X's developer support form, naming the @handle and the app's id.\n"
    "The answer may take weeks; roster and credentials can stay as they are, run again once X agrees."
)


class ErrorRule(Struct, frozen=True):
    """A row: which of X's errors it is about, and the exception, meaning and hint that stand for them."""

    error: type[RemoteError]
    meaning: str
    hint: str | None = None
    codes: tuple[int, ...] = ()  # of v1.1's ``errors``
    kinds: tuple[str, ...] = ()  # the last part of v2's problem ``type`` (RFC 9457 3.1.1)
    statuses: tuple[int, ...] = ()  # of HTTP, for answers of X that hold neither


ERROR_RULES: tuple[ErrorRule, ...] = (
    ErrorRule(NotAllowlisted, "X hasn't allowed this account to use custom profiles", _ALLOWLIST, (87,)),
    # Who we are, and what our app may do.
    ErrorRule(CredentialsRefused, "X doesn't accept the signature or the credentials", LOG_IN, (32,), statuses=(401,)),
    ErrorRule(CredentialsRefused, "the token is invalid, expired or revoked", LOG_IN, (89,)),
    ErrorRule(CredentialsRefused, "X finds no usable credentials in the request", LOG_IN, (215,)),
    ErrorRule(CredentialsRefused, "X refuses the time of the request", _CLOCK, (135,)),
    ErrorRule(CredentialsRefused, "the app isn't permitted to use Direct Messages", _PERMISSION, (93,)),
    ErrorRule(CredentialsRefused, "the app is only permitted to read", _PERMISSION, (261,)),
    ErrorRule(CredentialsRefused, "the app's plan doesn't include this call", _PLAN, (453,), ("client-forbidden",)),
    ErrorRule(
        CredentialsRefused, "the brand's account is suspended, or the app's plan lacks this call", _SUSPENDED, (64,)
    ),
    ErrorRule(
        CredentialsRefused,
        "X wants another kind of credentials for this call",
        _USER_TOKENS,
        (99, 220),
        ("unsupported-authentication",),
    ),
    ErrorRule(CredentialsRefused, "the app's settings don't allow a login by PIN", _CALLBACK, (415, 417)),
    ErrorRule(CredentialsRefused, "the app is suspended", "look at the app in X's developer console", (416,)),
    # When to come back; the hint is made from the answer's headers, but for credits, which no moment brings back.
    ErrorRule(
        CreditsUsedUp,
        "the app's credits at X are used up",
        _CREDITS,
        kinds=("credits", "credits-depleted"),
        statuses=(402,),
    ),
    ErrorRule(
        RateLimited,
        "X's limit for this call is reached",
        codes=(88,),
        kinds=("rate-limit-exceeded",),
        statuses=(420, 429),
    ),
    ErrorRule(RateLimited, "the app's quota at X is used up", kinds=("usage-capped",)),
    # What doesn't exist.
    ErrorRule(NotFound, "X knows no such thing", codes=(GONE,), kinds=("resource-not-found",), statuses=(404,)),
    ErrorRule(NotFound, "X knows no such user", "look at the id or the handle", (17, 50, 108)),
    # Why a message doesn't go out, in words for somebody who looks after customers.
    ErrorRule(Refused, "X has suspended this customer's account", _ELSEWHERE, (63,)),
    ErrorRule(Refused, "this customer takes no messages from accounts that they don't follow", _FOLLOW, (150,)),
    ErrorRule(Refused, "X doesn't send this message, its own words say why", _REWORD, (151,)),
    ErrorRule(Refused, "X doesn't accept an address in this message", _ADDRESS, (195,)),
    ErrorRule(Refused, "X takes this for automated behaviour", _HUMAN, (226,)),
    ErrorRule(CredentialsRefused, "the brand's account is locked for now", _UNLOCK, (326,)),
    ErrorRule(RateLimited, "the brand has written as much as X allows in a day", "send it again tomorrow", (344,)),
    ErrorRule(
        Refused,
        "this customer hasn't written to the brand and doesn't take messages from everybody, or has blocked it",
        _INVITE,
        (349,),
    ),
    ErrorRule(Refused, "the text is longer than X takes", _SHORTEN, (354,)),
    ErrorRule(Refused, "the brand has blocked this customer", _UNBLOCK, (389,)),
    ErrorRule(
        Refused,
        "this customer takes messages from verified accounts only, and X doesn't count the brand as one",
        _VERIFY,
        (476,),
    ),
    # What is wrong with the request.
    ErrorRule(Refused, "something that X requires is missing", _FIELD, (38,)),
    ErrorRule(Refused, "X doesn't accept a field", _FIELD, (214,), ("invalid-request",), (400, 406, 422)),
    ErrorRule(Refused, "X doesn't accept the picture", _PICTURE, (323, 324)),
    ErrorRule(Refused, "X doesn't know the uploaded picture", _EXPIRED, (325,)),
    ErrorRule(
        Refused, "the request is too large for X", "use a smaller picture or a shorter text", statuses=(413, 431)
    ),
    ErrorRule(Refused, "X no longer offers this call", _UPGRADE, (68, 251), statuses=(410,)),
    ErrorRule(Refused, "X doesn't permit this", kinds=("not-authorized-for-resource",), statuses=(403,)),
)

# Elsewhere 88 is a limit of minutes; the next three tables say what codes mean where they mean something else.
MESSAGE_RULES: Mapping[int, ErrorRule] = {
    88: ErrorRule(RateLimited, "X takes 1,000 messages of a brand in 24 hours, answers within a day not counted"),
}

_CARDS = (
    "Feedback cards come with X's Enterprise plan, and X allows them for one app and one @handle at a time.\n"
    "Ask your account manager at X, naming the @handle, the app's id and the address of your privacy policy.\n"
    "Nothing else depends on it: messages and profiles work as before."
)
CARD_RULES: dict[int, ErrorRule] = {
    87: ErrorRule(NotAllowlisted, "X hasn't allowed this app and this account to use feedback cards", _CARDS),
    453: ErrorRule(CredentialsRefused, "the app's plan doesn't include feedback cards", _CARDS),
}

CARD_ISSUE_RULES: Mapping[int, ErrorRule] = CARD_RULES | {
    88: ErrorRule(RateLimited, "X takes one card per customer in 24 hours, and 1,000 in all"),
}

_ANY = ErrorRule(Refused, "X refuses")
_BY_CODE = {code: rule for rule in ERROR_RULES for code in rule.codes}
_BY_KIND = {kind: rule for rule in ERROR_RULES for kind in rule.kinds}
_BY_STATUS = {status: rule for rule in ERROR_RULES for status in rule.statuses}


def is_known(code: int | None) -> bool:
    """Return whether the table has a row for an error code of X."""
    return code in _BY_CODE


def rule_for(status: int, code: int | None, kind: str) -> ErrorRule:
    """Return the row for an error: X's code decides, then v2's kind, then the HTTP status, which many errors share."""
    by_code = _BY_CODE.get(code) if code is not None else None
    return by_code or _BY_KIND.get(kind) or _BY_STATUS.get(status, _ANY)
