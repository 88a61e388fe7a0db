import json
from datetime import UTC, datetime, timedelta
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.api.error_codes import ERROR_RULES
from profilectl.api.error_response import ErrorBody, RequestInfo, error_from, read_error_body
from profilectl.api.retry import RetryPolicy, fate_of_status
from profilectl.api.wire import Answer
from profilectl.errors import (
    CredentialsRefused,
    CreditsUsedUp,
    ExitCode,
    Fate,
    NotAllowlisted,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    RemoteError,
    Unreachable,
)

NOW = 1_790_000_000
X = "https://api.x.com/2/problems"
WRITING = RequestInfo("creating the profile", RetryPolicy.NEVER, NOW, None)
RESET = datetime.fromtimestamp(NOW + 900, UTC)
READING = RequestInfo("listing the profiles", RetryPolicy.SAFE, NOW, None)


def v1(code: int, message: str = "What X says.") -> bytes:
    return json.dumps({"errors": [{"message": message, "code": code}]}).encode()


def v2(kind: str, title: str = "A title") -> bytes:
    return json.dumps({"title": title, "detail": "A detail", "type": f"https://api.x.com/2/problems/{kind}"}).encode()


def refuse(status: int, content: bytes = b"", request: RequestInfo = WRITING, **headers: str) -> RemoteError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return error_from(Answer(status, named, content), request)


CODES = [
    (401, 32, CredentialsRefused, "auth login"),
    (404, 34, NotFound, None),
    (403, 38, Refused, "field"),
    (404, 17, NotFound, "handle"),
    (404, 50, NotFound, "handle"),
    (404, 108, NotFound, "handle"),
    (403, 63, Refused, "another way"),
    (403, 64, CredentialsRefused, "log in at x.com"),
    (403, 87, NotAllowlisted, "privacy policy"),
    (429, 88, RateLimited, "run again"),
    (401, 89, CredentialsRefused, "auth login"),
    (403, 93, CredentialsRefused, "Direct Messages"),
    (403, 99, CredentialsRefused, "OAuth 1.0a"),
    (401, 135, CredentialsRefused, "clock"),
    (403, 150, Refused, "follow"),
    (403, 151, Refused, "label"),
    (403, 195, Refused, "buttons"),
    (400, 214, Refused, "field"),
    (403, 214, Refused, "field"),
    (400, 215, CredentialsRefused, "auth login"),
    (403, 220, CredentialsRefused, "OAuth 1.0a"),
    (403, 226, Refused, "log in at x.com"),
    (403, 261, CredentialsRefused, "read, write"),
    (400, 323, Refused, "picture"),
    (400, 324, Refused, "picture"),
    (400, 325, Refused, "expire"),
    (403, 326, CredentialsRefused, "log in at x.com"),
    (403, 344, RateLimited, "tomorrow"),
    (403, 349, Refused, "write to the brand"),
    (403, 354, Refused, "10,000"),
    (403, 389, Refused, "unblock"),
    (403, 415, CredentialsRefused, "callback"),
    (401, 416, CredentialsRefused, "console"),
    (401, 417, CredentialsRefused, "callback"),
    (403, 453, CredentialsRefused, "plan"),
    (403, 476, Refused, "verified"),
    (410, 68, Refused, "newer profilectl"),
    (410, 251, Refused, "newer profilectl"),
]


@pytest.mark.parametrize(("status", "code", "kind", "hint"), CODES)
def test_codes(status, code, kind, hint):
    """Each code has its exception, its advice, and keeps X's own words."""
    error = refuse(status, v1(code))
    assert (kind, status, code) == (type(error), error.status, error.code)
    assert error.message.startswith("creating the profile: ")
    assert error.message.endswith(f"(HTTP {status}, code {code}: What X says.)")
    assert hint is None or hint in error.hint


def test_every_row_is_tested():
    """Codes of the table that no test names would be words nobody has checked."""
    assert {code for _, code, _, _ in CODES} == {code for rule in ERROR_RULES for code in rule.codes}


def test_rows_do_not_overlap():
    """A code, a kind or a status has one meaning."""
    for names in ("codes", "kinds", "statuses"):
        named = [name for rule in ERROR_RULES for name in getattr(rule, names)]
        assert len(named) == len(set(named))


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (400, Refused, "field"),
        (401, CredentialsRefused, "auth login"),
        (402, CreditsUsedUp, "credits"),
        (403, Refused, None),
        (404, NotFound, None),
        (406, Refused, None),
        (410, Refused, "newer profilectl"),
        (413, Refused, "smaller"),
        (418, Refused, None),
        (420, RateLimited, "run again"),
        (422, Refused, None),
        (429, RateLimited, "run again"),
        (431, Refused, "smaller"),
    ],
)
def test_statuses_alone(status, kind, hint):
    """Where X's own answer has a code that we don't know, the HTTP status decides."""
    error = refuse(status, v1(9999))
    assert (kind, status) == (type(error), error.status)
    assert hint is None or hint in error.hint


PLAIN = {"title": "Not Found", "detail": "No route", "type": "about:blank", "status": 404}
STRANGERS = [
    b"",
    b"<html><body>Sorry</body></html>",
    b"upstream request timeout",
    b"34",
    b'[{"code": 34}]',
    *(
        json.dumps(document).encode()
        for document in (
            {"message": "Not Found"},
            {"message": "no Route matched with those values", "request_id": "1"},
            {"error": "Not Found", "status": 404, "path": "/1.1", "timestamp": 1},
            {"error": {"code": 404, "message": "Not found", "status": "NOT_FOUND"}},
            {"success": False, "errors": [{"code": 34, "message": "Not found"}], "messages": [], "result": None},
            {"errors": [{"code": "34", "message": "Not found"}]},
            {"errors": [{"code": True, "message": "Not found"}]},
            {"errors": [{"code": 34}]},
            {"errors": [{"message": "Not found", "status": 404}]},
            {"errors": "Not found"},
            {"title": "Not Found", "type": "https://gateway.example/2/problems/resource-not-found"},
            PLAIN,
        )
    ),
]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 410, 413, 429])
@pytest.mark.parametrize("content", STRANGERS)
@pytest.mark.parametrize("retry", [retry for retry in RetryPolicy if retry.writes])
def test_only_x_may_say_no(status, content, retry):
    """What a proxy or a gateway answers says nothing about a write: X may have applied it."""
    error = refuse(status, content, RequestInfo("writing", retry, NOW, None))
    assert (OutcomeUnknown, status, None) == (type(error), error.status, error.code)
    assert "somebody on the way" in error.message


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("content", STRANGERS)
def test_only_x_may_say_gone(status, content):
    """For a reader a stranger's answer is an error, and never an absence."""
    error = refuse(status, content, READING)
    assert (Unreachable, ExitCode.TRY_LATER) == (type(error), error.exit_code)
    assert "PROFILECTL_API_URL" in error.hint


@pytest.mark.parametrize(("kind", "status"), [(CredentialsRefused, 401), (Refused, 403), (RateLimited, 429)])
def test_a_reader_takes_the_general_form(kind, status):
    """X's v2 says so in RFC 9457's general form; for what only reads, it does no harm if it was somebody else."""
    assert kind is type(refuse(status, json.dumps(PLAIN | {"status": status}).encode(), READING))


@pytest.mark.parametrize("content", [b"", b"<html>", b"slow down", json.dumps(PLAIN).encode()])
def test_a_reader_waits_for_anybody(content):
    """Who asks a reader to wait needn't be X."""
    error = refuse(429, content, READING, retry_after="900")
    assert (RateLimited, RESET) == (type(error), error.retry_at)


def test_the_login_is_refused_in_words():
    """X's OAuth steps are older than its JSON; their no harms nothing, and it isn't a page."""
    request = RequestInfo("trading the PIN", RetryPolicy.UNSENT, NOW, None, says_no_in_words=True)
    assert CredentialsRefused is type(refuse(401, b"Invalid oauth_verifier", request))
    assert OutcomeUnknown is type(refuse(401, b"<html>Log in to the guest network</html>", request))


@pytest.mark.parametrize(
    ("expected", "document"),
    [
        (Refused, {"request": "/1.1/media/upload.json", "error": "media type unrecognized."}),
        (NotFound, {"errors": [{"code": 34, "message": "Sorry"}], "request": "/1.1/x.json"}),
        (NotFound, {"title": "T", "type": "https://api.twitter.com/2/problems/resource-not-found"}),
    ],
)
def test_forms_that_are_x_s_own(expected, document):
    """v1.1 may name the request beside its codes, the old upload says a sentence, v2 has its types under two hosts."""
    status = 404 if expected is NotFound else 400
    assert expected is type(refuse(status, json.dumps(document).encode()))


@pytest.mark.parametrize(
    ("status", "type_", "kind"),
    [
        (400, "invalid-request", Refused),
        (404, "resource-not-found", NotFound),
        (403, "not-authorized-for-resource", Refused),
        (403, "client-forbidden", CredentialsRefused),
        (403, "unsupported-authentication", CredentialsRefused),
        (429, "usage-capped", RateLimited),
        (429, "rate-limit-exceeded", RateLimited),
        (402, "credits", CreditsUsedUp),
        (402, "credits-depleted", CreditsUsedUp),
    ],
)
def test_kinds(status, type_, kind):
    """v2 has no codes, but types."""
    error = refuse(status, v2(type_))
    assert kind is type(error)
    assert f"HTTP {status}: A detail" in error.message


def test_credits_name_no_moment():
    """A limit's reset in the same answer isn't when credits come back, and a second attempt would be refused, too."""
    document = {"title": "CreditsDepleted", "type": f"{X}/credits", "detail": "None left.", "status": 402}
    headers = {"x-rate-limit-reset": str(NOW + 900), "retry-after": "60"}
    error = error_from(Answer(402, headers, json.dumps(document).encode()), WRITING)

    assert (CreditsUsedUp, ExitCode.TRY_LATER, Fate.REFUSED) == (type(error), error.exit_code, error.fate)
    assert error.retry_at is None
    assert "run the same command again" in error.hint


@pytest.mark.parametrize(
    ("expected", "document"),
    [
        (ErrorBody(87, "", "No.", is_own=True), {"errors": [{"code": 87, "message": "No."}]}),
        (
            ErrorBody(87, "", "No.", is_own=True),
            {"errors": [{"message": "?", "code": 1}, {"message": "No.", "code": 87}]},
        ),
        (
            ErrorBody(None, "", "media type unrecognized.", is_own=True),
            {"request": "/x", "error": "media type unrecognized."},
        ),
        (ErrorBody(None, "", "text"), {"errors": "text"}),
        (ErrorBody(None, "credits", "None left.", is_own=True), {"type": f"{X}/credits", "detail": "None left."}),
        (
            ErrorBody(None, "invalid-request", "The field.", is_own=True),
            {"title": "T", "detail": "D", "type": f"{X}/invalid-request", "errors": [{"message": "The field."}]},
        ),
        (
            ErrorBody(None, "resource-not-found", "Could not find user."),
            {"errors": [{"detail": "Could not find user.", "type": f"{X}/resource-not-found"}]},
        ),
        (ErrorBody(None, "", "Slow", is_general=True), {"title": "Slow", "type": "about:blank"}),
        (ErrorBody(None, "", "Forbidden"), {"title": "Forbidden", "type": None}),
        (ErrorBody(None, "", ""), {"errors": [{"code": "87"}, 5]}),
        (ErrorBody(None, "", ""), {}),
        (ErrorBody(None, "", "[1]"), [1]),
    ],
)
def test_shapes(expected, document):
    """All four shapes of error bodies are read, and the odd ones don't hurt."""
    assert expected == read_error_body(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("expected", "content"),
    [("", b""), ("", b"\n<!DOCTYPE html><p>x"), ("upstream error", b"upstream\n error"), ("\ufffd", b"\xff")],
)
def test_bodies_that_are_no_json(expected, content):
    """Edge servers speak as they like; their text is kept, their pages aren't."""
    assert ErrorBody(text=expected) == read_error_body(content)


@pytest.mark.parametrize("status", [301, 302, 304, 307, 408, 500, 502, 503, 504, 599])
def test_unknown_outcomes(status):
    """After a 5xx or a redirect a write may have been applied; what may be repeated is merely out of reach."""
    error = refuse(status, v1(131, "Internal error"))
    assert type(error) is OutcomeUnknown
    assert (error.fate, error.exit_code, error.code) == (Fate.UNKNOWN, ExitCode.PERSON, 131)
    assert "Internal error" in error.message
    reading = refuse(status, v1(131), READING)
    assert type(reading) is Unreachable
    assert reading.exit_code is ExitCode.TRY_LATER


def test_a_code_does_not_make_trouble_harmless():
    """Even with a code that means no elsewhere, a 5xx leaves the outcome open."""
    assert type(refuse(500, v1(87))) is OutcomeUnknown


def test_allowlist_is_explained():
    """Code 87 says what is missing, whom to ask and how long it may take, in three lines."""
    error = refuse(403, v1(87, "Client is not permitted to perform this action."))
    lines = error.hint.splitlines()
    assert len(lines) <= 3
    for word in ("verified", "account by account", "privacy policy", "partner", "form", "weeks"):
        assert word in error.hint
    assert "Client is not permitted to perform this action." in error.message
    assert error.exit_code is ExitCode.CREDENTIALS


@pytest.mark.parametrize(
    ("expected", "skew"),
    [
        ("this machine's clock is 3612 s ahead of X's", 3612.2),
        ("this machine's clock is 3612 s behind X's", -3612.2),
        ("X refuses the time of the request (HTTP", None),
        ("X refuses the time of the request (HTTP", 0.0),
    ],
)
def test_clock(expected, skew):
    """Code 135 comes with the figure that was measured."""
    request = RequestInfo("checking the credentials", RetryPolicy.SAFE, NOW, skew)
    assert expected in refuse(401, v1(135, "Timestamp out of bounds."), request).message


def used_up(whose: str, seconds: int, *, left: int = 0) -> dict[str, str]:
    """Return X's headers on a limit of 24 hours (node-twitter-api-v2#495), which is reset in that many seconds."""
    name = f"x_{whose}_limit_24hour"
    return {f"{name}_remaining": str(left), f"{name}_reset": str(NOW + seconds)}


@pytest.mark.parametrize(
    ("expected", "headers"),
    [
        (RESET, {"x_rate_limit_reset": str(NOW + 900)}),
        (RESET, {"retry_after": "900"}),
        (RESET, {"retry_after": "900", "x_rate_limit_reset": str(NOW + 5)}),
        (RESET + timedelta(minutes=4), {"retry_after": "900", "date": formatdate(NOW + 240)}),
        (RESET, {"retry_after": "900", "date": formatdate(NOW + 366 * 86_400)}),
        (datetime(2026, 11, 22, 12, 0, tzinfo=UTC), {"retry_after": "Sun, 22 Nov 2026 12:00:00 GMT"}),
        (RESET, {"retry_after": "soon", "x_rate_limit_reset": str(NOW + 900)}),
        (RESET, {"x_rate_limit_reset": str(NOW + 5), **used_up("app", 900)}),
        (RESET, {"x_rate_limit_reset": str(NOW + 5), **used_up("app", 9), **used_up("user", 900)}),
        (RESET, {"x_rate_limit_reset": str(NOW + 900), **used_up("app", 9)}),
        (RESET, {"retry_after": "5", **used_up("user", 900)}),
        (RESET, {"x_rate_limit_reset": str(NOW + 900), **used_up("app", 9000, left=1)}),
        (RESET, {"x_rate_limit_reset": str(NOW - 900), **used_up("app", 900)}),
        (None, {"x_rate_limit_reset": str(NOW - 3600)}),
        (None, {"x_rate_limit_reset": str(NOW)}),
        (None, {"retry_after": "Sun, 22 Nov 2015 12:00:00 GMT"}),
        (None, used_up("app", -1)),
        (None, {"retry_after": "-1"}),
        (None, {"retry_after": "9" * 12}),
        (RESET + timedelta(seconds=99_999_999_099), {"retry_after": "9" * 11, "date": "Fri, 31 Dec 9999 23:59:59 GMT"}),
        (None, {"x_rate_limit_reset": "٣"}),
        (None, {}),
    ],
)
def test_when_to_come_back(expected, headers):
    """A day's limit that is used up, then Retry-After, then the reset; by X's clock, and never what is over."""
    error = refuse(429, v1(88, "Rate limit exceeded"), **headers)
    assert expected == error.retry_at
    assert (f"{expected:%H:%M:%S} UTC" if expected else "some minutes") in error.hint
    assert error.fate is Fate.NOT_APPLIED


def test_trouble_with_a_date():
    """A 503 may say when to come back, for what may be repeated."""
    assert refuse(503, b"", READING, retry_after="900").retry_at == RESET


def test_hostile_words():
    """X's words are shown, but can't move the cursor or fill the screen."""
    error = refuse(403, v1(151, "\x1b[2J" + "x" * 5000))
    assert "\x1b" not in error.message
    assert "\\x1b[2J" in error.message
    assert len(error.message) < 450
    assert "\n" not in error.message


@given(
    st.integers(300, 599),
    st.binary() | st.dictionaries(st.text(), st.text()).map(lambda document: json.dumps(document).encode()),
)
def test_every_answer_is_some_error(status, content):
    """Whatever an answer holds, its failure keeps the status and never contradicts what is known of its fate."""
    error = refuse(status, content)
    assert status == error.status
    if fate_of_status(status) is Fate.UNKNOWN:
        assert type(error) is OutcomeUnknown


def test_a_limit_of_24_hours_in_the_general_form():
    """A message over it was refused by X, as the headers of X's own limits prove, and is sent again when it ends."""
    body = json.dumps(PLAIN | {"title": "Too Many Requests", "status": 429}).encode()
    error = refuse(429, body, x_rate_limit_reset=str(NOW + 5), **used_up("app", 900))
    assert (RateLimited, RESET) == (type(error), error.retry_at)
