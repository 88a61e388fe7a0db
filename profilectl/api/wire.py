"""X's JSON turned into our values, and our values into X's JSON.

Readers are strict about what the program relies on and ignore the rest. Ids stay strings of digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs

from msgspec import Struct

from profilectl.api.urls import LONGEST_ADDRESS
from profilectl.errors import InputRefused
from profilectl.model import Account, Profile
from profilectl.secret import Secret
from profilectl.text.escape import visible
from profilectl.text.ids import is_id

T = TypeVar("T")

_MILLISECONDS = re.compile(r"[0-9]{1,20}")
_NO_SUCH_USER = "resource-not-found"  # the last part of v2's problem type
_PROBLEMS = ("https://api.x.com/2/problems/", "https://api.twitter.com/2/problems/")
_HANDLE = re.compile(r"@?([A-Za-z0-9_]{1,15})")
_PIN = re.compile(r"[0-9]{4,12}")
_SURROGATE = re.compile("[\0\ud800-\udfff]")
_LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999, where calendars end
NO_CONTENT = 204
LONGEST_CURSOR = 1000  # characters; it comes back to X in an address
_LONGEST_NAME = 1000  # code points; X allows 48, and handling a far longer one would only take time
_LONGEST_WORD = 100  # characters of a handle or a permission; X's handles have 15


class Unreadable(ValueError):
    """An answer that lacks what its request should return; the message says what is wrong with it."""


class Answer(Struct, frozen=True):
    """An HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    content: bytes


class Page(Struct, Generic[T], frozen=True):
    """One page of a list; `next_cursor` is None on the last one."""

    items: tuple[T, ...]
    next_cursor: str | None


class Token(Struct, frozen=True):
    """A token of the OAuth steps, with what X says about its owner."""

    key: Secret
    secret: Secret
    handle: str | None = None
    user_id: str | None = None


def digits(what: str, value: str) -> str:
    """Return an id that is safe in a URL; InputRefused, with the name `what`, when it isn't written as X writes it."""
    if not is_id(value):
        raise InputRefused(f"the {what} must be digits without zeros before them, not {visible(value)!r}")
    return value


def bare_handle(text: str) -> str:
    """Return a handle without its @; InputRefused when X could have no such handle."""
    match = _HANDLE.fullmatch(text)
    if not match:
        raise InputRefused(f"{visible(text)!r} is no handle", hint="letters, digits and _, at most 15, as in @acmecare")
    return match[1]


def pin_digits(text: str) -> str:
    """Return a PIN without the spaces that people add; InputRefused when it isn't one."""
    pin = "".join(text.split())
    if not _PIN.fullmatch(pin):
        raise InputRefused("the PIN must be the digits that X shows after the app is authorised")
    return pin


def profile_body(name: str, media_id: str) -> bytes:
    """Return the body that creates a profile (X: POST custom_profiles/new)."""
    return encode({"custom_profile": {"name": name, "avatar": {"media": {"id": digits("media id", media_id)}}}})


def encode(document: Mapping[str, object]) -> bytes:
    """Return a document as JSON in UTF-8; InputRefused when it holds half a surrogate pair."""
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise InputRefused("the text holds half a character (a lone surrogate), which no JSON can carry") from None


def read_account(answer: Answer, host: str) -> Account:
    """Return the account that the credentials belong to."""
    document = document_of(answer)
    verified = document.get("verified")
    return Account(
        user_id=id_of(document, "id_str"),
        handle=_text(document, "screen_name")[:_LONGEST_WORD],
        host=host,
        access_level=answer.headers.get("x-access-level", "")[:_LONGEST_WORD] or None,
        verified=verified if isinstance(verified, bool) else None,
    )


def read_page(answer: Answer) -> Page[Profile]:
    """Return a page of profiles; it is the last one when it has no ``next_cursor``."""
    profiles, cursor = list_and_cursor(document_of(answer), "custom_profiles", "profiles")
    return Page(tuple(_profile(profile) for profile in profiles), cursor)


def read_profile(answer: Answer, profile_id: str | None = None) -> Profile:
    """Return the profile of a create or show; Unreadable when another id was asked for."""
    profile = _profile(document_of(answer).get("custom_profile"))
    if profile_id not in {None, profile.id}:
        raise Unreadable(f"it is about profile {profile.id}")
    return profile


def read_media_id(answer: Answer) -> str:
    """Return the media id of an upload, of v2's form or v1.1's."""
    document = document_of(answer)
    data = document.get("data")
    return id_of(data, "id") if isinstance(data, dict) else id_of(document, "media_id_string")


def read_user_id(answer: Answer, handle: str) -> str | None:
    """Return the id of a looked-up user; None when X says in its own words that it knows no such user."""
    document = document_of(answer)
    if "data" not in document and _names_no_user(document.get("errors")):
        return None
    user = mapping(document, "data")
    name = user.get("username", handle)
    if not isinstance(name, str) or name.casefold() != handle.casefold():
        raise Unreadable("it is about another user")
    return id_of(user, "id")


def problem_kind(document: Mapping[str, Any]) -> str:
    """Return the last part of v2's problem ``type`` (RFC 9457 3.1.1), nothing where it isn't one of X's."""
    kind = document.get("type")
    return kind.rstrip("/").rpartition("/")[2] if isinstance(kind, str) and kind.startswith(_PROBLEMS) else ""


def _names_no_user(errors: object) -> bool:
    entries = errors if isinstance(errors, list) else []
    return any(problem_kind(mapping_or_empty(entry)) == _NO_SUCH_USER for entry in entries)


def rate_limit(answer: Answer) -> int | None:
    """Return how often X allows the call in its window, None where X doesn't say so in a header."""
    limit = answer.headers.get("x-rate-limit-limit", "")
    return int(limit) if re.fullmatch(r"[0-9]{1,15}", limit) else None


def read_rate_limits(answer: Answer) -> dict[str, dict[str, int]]:
    """Return ``limit``, ``remaining`` and ``reset`` (epoch seconds) by X's name of the call."""
    return {
        call: {key: figure for key, figure in figures.items() if isinstance(figure, int)}
        for resource in mapping(document_of(answer), "resources").values()
        for call, figures in mapping_or_empty(resource).items()
        if isinstance(figures, dict)
    }


def read_token(answer: Answer) -> Token:
    """Return the token of a form-encoded OAuth step (RFC 5849 2.1 and 2.3)."""
    try:
        fields = {name: values[0] for name, values in parse_qs(answer.content.decode(), strict_parsing=True).items()}
        key, secret = Secret(fields["oauth_token"]), Secret(fields["oauth_token_secret"])
    except (ValueError, KeyError):  # without its cause, whose text may hold half of a token
        raise Unreadable("no token in it") from None
    return Token(key, secret, fields.get("screen_name"), fields.get("user_id"))


def read_destroyed(answer: Answer) -> None:
    """Accept X's answer to a destroy: 204 (RFC 9110 15.3.5), which has no content."""
    if answer.status != NO_CONTENT or answer.content:
        raise Unreadable("X answers with nothing, and this is something")


def read_nothing(answer: Answer) -> None:
    """Accept an empty answer or a JSON object; Unreadable for anything else."""
    if answer.content.strip():  # a page of a captive network comes with 200, too: nothing was done at X
        document_of(answer)


def parse_json(content: bytes) -> object:
    """Return the JSON in `content`; Unreadable when it is something else, cut off, or nested too deeply.

    So is what RFC 8259 leaves to chance: NaN and Infinity (section 6), and a key that comes twice (section 4), of which
    one reader takes the first and another the last.
    """
    try:
        return json.loads(content, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Unreadable("it isn't JSON" if content.strip() else "it is empty") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a key comes twice")
    return document


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no number of JSON")


def document_of(answer: Answer) -> dict[str, Any]:
    """Return the JSON object of an answer."""
    document = parse_json(answer.content)
    if not isinstance(document, dict):
        raise Unreadable("it isn't a JSON object")
    return document


def list_and_cursor(document: Mapping[str, Any], key: str, what: str) -> tuple[list[Any], str | None]:
    """Return the list under a key and the cursor of its next page, None on the last; Unreadable without either."""
    cursor = document.get("next_cursor") or None
    entries = document.get(key)
    # A page in the middle may be empty. An object with neither list nor cursor is no answer to this request: taken for
    # an empty list, it would look as if every profile were gone.
    if entries is None and cursor:
        entries = []
    is_usable = cursor is None or (isinstance(cursor, str) and len(cursor) <= LONGEST_CURSOR)
    if not isinstance(entries, list) or not is_usable or (cursor and _SURROGATE.search(cursor)):
        raise Unreadable(f"no list of {what} in it")
    return entries, cursor


def _profile(document: object) -> Profile:
    if not isinstance(document, dict):
        raise Unreadable("no profile in it")
    media = mapping_or_empty(mapping_or_empty(document.get("avatar")).get("media"))
    return Profile(
        id=id_of(document, "id"),
        name=_text(document, "name")[:_LONGEST_NAME],
        avatar_url=whole(str(media.get("url") or "")[: LONGEST_ADDRESS + 1]),  # one more is refused when it is fetched
        created_ms=milliseconds(document, "created_timestamp"),
    )


def id_of(document: Mapping[str, Any], key: str) -> str:
    """Return an id, which X gives as a string of digits."""
    value = document.get(key)
    if not isinstance(value, str) or not is_id(value):
        raise Unreadable(f"no usable {key} in it")
    return value


def milliseconds(document: Mapping[str, Any], key: str) -> int:
    """Return a time in epoch milliseconds, which X gives as a string of digits."""
    value = document.get(key)
    if not isinstance(value, str) or not _MILLISECONDS.fullmatch(value) or int(value) > _LAST_MILLISECOND:
        raise Unreadable(f"no usable {key} in it")
    return int(value)


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str):
        raise Unreadable(f"no {key} in it")
    return whole(value)


def whole(text: str) -> str:
    r"""Replace lone surrogates and NUL, which JSON can spell (``"\ud800"``) but no file or database can hold."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def mapping(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the object under a key; Unreadable without one."""
    value = document.get(key)
    if not isinstance(value, dict):
        raise Unreadable(f"no {key} in it")
    return value


def mapping_or_empty(value: object) -> Mapping[str, Any]:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}
