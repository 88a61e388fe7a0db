# ruff: noqa: E501, PT017 - seeds are read as whole documents, and a check holds an error against its input
"""The readers of foreign bytes, each with what no input may make it do."""

from __future__ import annotations

import base64
import contextlib
import functools
import io
import json
import re
import tempfile
import threading
from datetime import date
from pathlib import Path
from urllib.parse import unquote_to_bytes

import tomli_w
from hypothesis import strategies as st
from PIL import Image

from profilectl.access import policy_file
from profilectl.api import chunked_upload, urls, wire, wire_feedback, wire_messages
from profilectl.api.clock import parse_date
from profilectl.api.error_response import RequestInfo, error_from
from profilectl.api.retry import RetryPolicy
from profilectl.api.wire import Answer, Unreadable
from profilectl.config import read_config, write_config
from profilectl.credentials import formats, importers
from profilectl.digests import digest_of
from profilectl.errors import AvatarRefused, CredentialsError, InputRefused, Refused, RosterRefused, StalePlan
from profilectl.model import Brand, Kind, Message
from profilectl.pictures import attachments, avatars, similarity
from profilectl.pictures.provenance import MACHINE_MADE, UNSPECIFIED, find_mark
from profilectl.plan import saved
from profilectl.roster import name_templates
from profilectl.roster.disclosure import MARKERS, Disclosure
from profilectl.roster.parser import parse, parse_partially
from profilectl.sandbox.http import access, admin
from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.fault_injection import ConnectionDropped
from profilectl.sandbox.http.oauth import SignedRequest, base_string, decode_form, escape, hmac_sha1, read_claims
from profilectl.sandbox.model import errors, faults, feedback
from profilectl.sandbox.model.messages import Draft
from profilectl.sandbox.model.world import World
from profilectl.secret import Secret
from profilectl.text import confusables
from profilectl.text.escape import describe, excerpt, visible
from profilectl.text.names import as_compared, name_problems, normalise
from profilectl.toml.problems import format_problem
from tests.fuzz.inputs import TEXTS, VALUES, as_json, edited, joined, mutated
from tests.fuzz.runner import CORPUS, Target, require_printable

_FOLDER = tempfile.TemporaryDirectory(prefix="profilectl-fuzz-")  # ends with the process
FOLDER = Path(_FOLDER.name)
MARKED = sorted((Path(__file__).parent.parent / "pictures").glob("by_*/*"))
SECRET = "s3cretSeedValue"  # in every credential of the seeds


def refusal_of(error):
    require_printable(error.message, error.hint, *map(format_problem, getattr(error, "problems", ())))


# TOML: the roster, the machine's policy, the config

ROSTER = {
    "version": 1,
    "policy": {"disclosure": "enforce", "bot_markers": {"en": ["Bot", "Assistant"]}},
    "brands": {"acme": {"handle": "acmecare", "language": "en"}},
    "defaults": {"name": "{first} {last_initial}., {title}"},
    "agents": {
        "ana": {
            "brands": ["acme"],
            "first": "Ana",
            "last": "Rey",
            "title": "Billing",
            "avatar": "ana.png",
            "kind": "human",
            "consent": {"name": True, "photo": False, "ref": "HR-1", "expires": date(2027, 1, 31)},
        },
        "bot": {
            "brands": ["acme"],
            "name": "Acme Bot",
            "avatar": "bot.png",
            "kind": "bot",
            "until": date(2026, 11, 28),
        },
    },
}
POLICY = {"version": 1, "admins": ["root"], "operators": {"ana": ["root"], "*": []}}
ACCOUNT = {"handle": "acmecare", "user_id": "4534871", "host": "api.x.com", "storage": "keyring"}
CONFIG = {"version": 1, "brand": "acme", "ledger": "/x", "credential_command": ["pass", "x"], "accounts": [ACCOUNT]}
TOML_VALUES = VALUES.filter(lambda value: "null" not in json.dumps(value))


def as_toml(document):
    with contextlib.suppress(UnicodeEncodeError):
        return tomli_w.dumps(document).encode()
    return b""


def check_toml(content):
    """Every problem is one of the file's; what is read and written again is the same."""
    problems = parse_partially(content, "roster.toml").problems
    require_printable(*map(format_problem, problems))
    with contextlib.suppress(UnicodeDecodeError):
        try:
            require_printable(*map(format_problem, parse(content.decode(), "roster.toml").warnings))
        except RosterRefused as error:
            refusal_of(error)
    try:
        policy_file._parse(content, "policy.toml")
    except InputRefused as error:
        refusal_of(error)
    check_config(content)


def check_config(content):
    path = FOLDER / "config.toml"
    path.write_bytes(content)
    path.chmod(0o600)
    try:
        config = read_config(path)
    except InputRefused as error:
        refusal_of(error)
        return
    if config.accounts:
        write_config(config)
        assert config == read_config(path)


# names and foreign text

NAMES = [
    name.encode() for name in ("Ana R, Billing", "{first} {last_initial}., {title}", "{{x}}", "Acme (Bot)", "ボット")
]


def as_text(content):
    return content.decode("utf-8", "surrogatepass" if b"\xed" in content else "replace")


def text_of(content):
    try:
        return as_text(content)
    except UnicodeDecodeError:
        return content.decode("latin-1")


def check_names(content):
    """A name is judged, filled in, compared and measured against bot markers, whatever it is made of."""
    name = text_of(content)
    require_printable(*name_problems(name), *name_templates.pattern_problems(name))
    assert normalise(name) == normalise(normalise(name))
    assert as_compared(name) == as_compared(name.strip())
    if not name_templates.pattern_problems(name):
        fields = dict.fromkeys(name_templates.needs(name), "Zoë\u0301")
        filled = name_templates.fill(name, fields)
        assert name_templates.is_pattern(name) or "}" in name or filled == name
    if name_problems(name):  # no name is judged any further then
        return
    confusables.skeletons(name)
    require_printable(confusables.mixed_scripts(name))
    for language, markers in MARKERS.items():
        for kind in Kind:
            require_printable(Disclosure(language, markers).problem(name, kind))
    if name.strip():
        require_printable(Disclosure("en", (name,)).problem(name, Kind.HUMAN))


def check_visible(content):
    """What is shown can't steer a terminal, and showing it once more changes nothing."""
    text = text_of(content)
    shown = visible(text)
    require_printable(shown, excerpt(text), excerpt(text, 3), *map(describe, text[:5]))
    assert shown == visible(shown)
    assert "\n" not in shown


# answers of X

PROFILE = {
    "id": "100001",
    "created_timestamp": "1790000000000",
    "name": "Ana R",
    "avatar": {"media": {"url": "https://pbs.twimg.com/a"}},
}
EVENT = {"id": "7", "created_timestamp": "1790000000000", "message_create": {
    "target": {"recipient_id": "45"}, "sender_id": "9", "custom_profile_id": "100001",
    "message_data": {"text": "a &amp; b https://t.co/x", "entities": {"urls": [{"url": "https://t.co/x", "expanded_url": "https://x.com"}]},
                     "attachment": {"media": {"url": "https://t.co/y"}}}}}  # fmt: skip
CARD = {"id": "5", "type": "nps", "external_id": "x", "test": False, "created_at": "Sat Dec 15 17:58:20 +0000 2015",
        "updated_at": "Sat Dec 15 17:58:20 +0000 2015",
        "response": {"score": {"created_at": "Sat Dec 15 17:58:20 +0000 2015", "value": 7}}}  # fmt: skip
ANSWERS = [
    {"custom_profile": PROFILE},
    {"custom_profiles": [PROFILE], "next_cursor": "MTA="},
    {"event": EVENT},
    {"events": [EVENT], "next_cursor": "x"},
    {
        "events": [{"event_type": "feedback.updated", "created_at": CARD["created_at"], "feedback": CARD}],
        "next_cursor": "",
    },
    CARD,
    {"id_str": "4534871", "screen_name": "acmecare", "verified": True},
    {"data": {"id": "12", "username": "acme", "processing_info": {"state": "pending", "check_after_secs": 1}}},
    {"media_id_string": "12", "processing_info": {"state": "failed", "error": {"message": "x"}}},
    {"resources": {"custom_profiles": {"/custom_profiles/list": {"limit": 15, "remaining": 1, "reset": 1790000000}}}},
    {"errors": [{"code": 88, "message": "Rate limit exceeded"}], "request": "/x"},
    {
        "type": "https://api.x.com/2/problems/resource-not-found",
        "title": "Not Found",
        "detail": "no",
        "errors": [{"code": 1}],
    },
]
FORM = b"oauth_token=abc&oauth_token_secret=def&screen_name=acme&user_id=12&oauth_callback_confirmed=true"
READERS = [
    lambda answer: wire.read_account(answer, "api.x.com"),
    wire.read_page,
    wire.read_profile,
    wire.read_media_id,
    lambda answer: wire.read_user_id(answer, "acme"),
    wire.rate_limit,
    wire.read_rate_limits,
    wire.read_token,
    wire.read_destroyed,
    wire.read_nothing,
    wire_feedback.read_card,
    wire_feedback.read_card_events,
    lambda answer: wire_messages.read_sent(answer, Message("ana", "acme", "45", "Hello", "100001")),
    lambda answer: wire_messages.read_events(answer, "45"),
    chunked_upload.read_upload,
]
HEADERS = ["retry-after", "date", "x-rate-limit-reset", "x-rate-limit-limit", "x-app-limit-24hour-remaining",
           "x-app-limit-24hour-reset", "x-access-level"]  # fmt: skip
HEADER_VALUES = st.sampled_from(
    ["0", "1", "²", "-1", "9" * 11, "9" * 40, "Wed, 21 Oct 2026 07:28:00 GMT", ""]
) | st.text(max_size=30)


def as_answer(parts):
    status, headers, body = parts
    lines = [str(status), *(f"{name}: {' '.join(value.split())}" for name, value in headers.items()), ""]
    return "\n".join(lines).encode("utf-8", "replace") + b"\n" + body


def answer_of(content):
    head, _, body = content.partition(b"\n\n")
    first, *lines = head.decode("utf-8", "replace").split("\n")
    pairs = (line.partition(": ") for line in lines)
    status = int(first) if re.fullmatch("[1-9][0-9]{2}", first) else 200
    return Answer(status, {name.lower(): value for name, _, value in pairs}, body)


def check_answers(content):
    """A reader takes an answer or calls it unreadable; an error of X becomes a sentence."""
    answer = answer_of(content)
    for read in READERS:
        try:
            value = read(answer)
        except (Unreadable, InputRefused) as error:
            require_printable(str(error))
            continue
        for profile in getattr(value, "items", ()) if isinstance(value, wire.Page) else ():
            check_picture_url(getattr(profile, "avatar_url", ""))
    parse_date(answer.headers.get("date"))
    for policy in RetryPolicy:
        error = error_from(answer, RequestInfo("list profiles", policy, 1_790_000_000.0, 3.0))
        refusal_of(error)


def check_picture_url(url):
    try:
        urls.check_picture_url(url)
    except Refused as error:
        refusal_of(error)


# requests to the sandbox

NOW = 1_790_000_000.0
BLACK = io.BytesIO()
Image.new("L", (8, 8)).save(BLACK, "PNG")
PNG = BLACK.getvalue()  # 67 bytes


@functools.cache
def furnished():
    """Return a world in which something of everything is, its image, and the words of requests that stand for its ids."""
    world = World(now=lambda: NOW)
    brand, ada = world.ensure_brand("acmecare"), world.ensure_customer("ada")
    world.messages.receive("ada", "acmecare", "Hello?")
    picture = world.media.add(brand.user_id, PNG)
    begun = world.media.begin(brand.user_id, len(PNG), "image/png")
    world.media.append(brand.user_id, begun.id, 0, PNG)
    profile = world.profiles.create(brand.user_id, "Ana R", picture.id)
    asked = {"type": "options", "options": [{"label": "Yes", "metadata": "y"}, {"label": "No"}]}
    sent = Draft(ada.user_id, "Hello", profile.id, picture.id, quick_reply=asked)
    message = world.messages.send(brand.user_id, world.tokens.app().id, sent)
    card = world.feedback.create(
        brand.user_id, world.tokens.app().id, feedback.Request("csat", ada.user_id, "?", "https://x")
    )
    fresh = world.tokens.begin_login()
    login = world.tokens.begin_login()
    pin = world.tokens.authorise(login, world.accounts.require("acmecare"))
    ids = {"ada": ada.user_id, "picture": picture.id, "begun": begun.id, "key": picture.key, "profile": profile.id,
           "message": message.id, "card": card.id, "app": brand.consumer_key, "token": brand.access_token,
           "fresh": fresh.token, "login": login.token, "pin": pin}  # fmt: skip
    world.store.change("DELETE FROM windows")  # one card a day and customer, as if it were the next one
    secrets = {brand.access_token: brand.access_token_secret, login.token: login.secret, fresh.token: fresh.secret}
    return world, world.store._connection.serialize(), ids, secrets, brand.consumer_secret


def multipart(**fields):
    head = 'Content-Disposition: form-data; name="%s"%s\r\n\r\n'
    parts = [
        (head % (name, '; filename="a.png"\r\nContent-Type: image/png' if isinstance(value, bytes) else "")).encode()
        + (value if isinstance(value, bytes) else value.encode())
        for name, value in fields.items()
    ]
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


def oauth(token="", **more):
    fields = {"consumer_key": "{app}", "nonce": "n", "signature": "s", "signature_method": "HMAC-SHA1",
              "timestamp": f"{NOW:.0f}", "version": "1.0"} | ({"token": token} if token else {}) | more  # fmt: skip
    return "OAuth " + ", ".join(f'oauth_{name}="{value}"' for name, value in fields.items())


def to_x(line, body=b"", content_type="", authorization=None):
    if isinstance(body, dict):
        body, content_type = json.dumps(body).encode(), "application/json"
    head = [line, f"Authorization: {authorization or oauth('{token}')}"]
    return "\n".join([*head, *([f"Content-Type: {content_type}"] * bool(content_type)), "", ""]).encode() + body


def local(line, body=b"", content_type="application/x-www-form-urlencoded", *headers):
    if isinstance(body, (dict, list)):
        body, content_type = json.dumps(body).encode(), "application/json"
    return (
        "\n".join([line, "Authorization: Bearer local", f"Content-Type: {content_type}", *headers, "", ""]).encode()
        + body
    )


FORM_TYPE, PARTS_TYPE = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
EVENT_OF = {"target": {"recipient_id": "{ada}"}, "custom_profile_id": "{profile}", "message_data": {
    "text": "x", "attachment": {"type": "media", "media": {"id": "{picture}"}},
    "quick_reply": {"type": "options", "options": [{"label": "a", "description": "b", "metadata": "c"}]},
    "ctas": [{"type": "web_url", "label": "a", "url": "https://x"}]}}  # fmt: skip
ENCODED = base64.b64encode(PNG).decode()
V1, DMS = "/1.1/media/upload.json", "/1.1/direct_messages"
REQUESTS = [
    (200, to_x("POST /2/media/upload", multipart(media=PNG, media_category="dm_image"), PARTS_TYPE)),
    (200, to_x("POST /2/media/upload", {"media": ENCODED, "media_category": "dm_image"})),
    (200, to_x("POST /2/media/upload/initialize", {"total_bytes": 67, "media_type": "image/png", "media_category": "dm_image"})),
    (204, to_x("POST /2/media/upload/{begun}/append", multipart(segment_index="0", media=PNG), PARTS_TYPE)),
    (200, to_x("POST /2/media/upload/{begun}/finalize")),
    (200, to_x(f"POST {V1}", multipart(media=PNG, media_category="dm_image"), PARTS_TYPE)),
    (200, to_x(f"POST {V1}", multipart(media_data=ENCODED), PARTS_TYPE)),
    (202, to_x(f"POST {V1}?command=INIT&total_bytes=67&media_type=image%2Fpng")),
    (204, to_x(f"POST {V1}", multipart(command="APPEND", media_id="{begun}", segment_index="1", media=PNG), PARTS_TYPE)),
    (200, to_x(f"POST {V1}", b"command=FINALIZE&media_id={begun}", FORM_TYPE)),
    (200, to_x(f"GET {V1}?command=STATUS&media_id={{picture}}")),
    (200, to_x("GET /1.1/account/verify_credentials.json")),
    (200, to_x("GET /2/users/by/username/ada")),
    (200, to_x("GET /1.1/application/rate_limit_status.json?resources=custom_profiles,media")),
    (200, to_x("POST /oauth/request_token?oauth_callback=oob&x_auth_access_type=write", authorization=oauth())),
    (200, to_x("POST /oauth/request_token", authorization=oauth(callback="oob"))),
    (200, to_x("POST /oauth/access_token", authorization=oauth("{login}", verifier="{pin}"))),
    (200, to_x("POST /oauth/access_token", b"oauth_verifier={pin}", FORM_TYPE, oauth("{login}"))),
    (200, to_x("POST /1.1/oauth/invalidate_token.json")),
    (200, to_x("GET /1.1/custom_profiles/list.json?count=50")),
    (200, to_x("GET /1.1/custom_profiles/list.json?count=1&cursor=MTAwMDAx")),
    (200, to_x("GET /1.1/custom_profiles/{profile}.json")),
    (200, to_x("POST /1.1/custom_profiles/new.json", {"custom_profile": {"name": "Ana", "avatar": {"media": {"id": "{picture}"}}}})),
    (200, to_x(f"POST {DMS}/events/new.json", {"event": {"type": "message_create", "message_create": EVENT_OF}})),
    (200, to_x(f"GET {DMS}/events/list.json?count=1")),
    (200, to_x(f"GET {DMS}/events/show.json?id={{message}}")),
    (204, to_x(f"POST {DMS}/indicate_typing.json", b"recipient_id={ada}", FORM_TYPE)),
    (200, to_x("POST /1.1/feedback/create.json", b"type=nps&to_user_id={ada}&message=x&privacy_url=https%3A%2F%2Fx&external_id=1"
               b"&question_variant_id=0&display_name=A&test=true", FORM_TYPE)),
    (200, to_x("GET /1.1/feedback/show/{card}.json")),
    (200, to_x("GET /1.1/feedback/events.json?from_time=0&to_time=1780000000000&count=2")),
    (200, local("GET /")),
    (200, local("GET /_sandbox/profiles")),
    (303, local("POST /_sandbox/conversations", b"brand=acmecare&customer=bea")),
    (200, local("GET /_sandbox/conversations/acmecare/ada")),
    (303, local("POST /_sandbox/conversations/acmecare/ada", b"text=hi&reply=0")),
    (200, local("GET /_sandbox/conversations/acmecare/ada/talk", b"", FORM_TYPE, 'If-None-Match: "x"', "Prefer: wait=1")),
    (200, local("GET /oauth/authorize?oauth_token={fresh}&screen_name=acmecare")),
    (200, local("POST /oauth/authorize", b"oauth_token={fresh}&decision=authorise&handle=acmecare")),
    (303, b"GET /?token=local&x=y\n\n"),
    (200, local("GET /_sandbox/state")),
    (200, local("GET /_sandbox/faults")),
    (200, local("DELETE /_sandbox/faults")),
    (200, local("POST /_sandbox/reset")),
    (200, local("POST /_sandbox/advance", {"seconds": 900})),
    (200, local("POST /_sandbox/allowlist", {"handle": "acmecare", "allowlisted": False})),
    (200, local("POST /_sandbox/feedback-allowlist", {"handle": "acmecare", "allowed": False})),
    (200, local("POST /_sandbox/feedback", {"id": "{card}", "score": 5, "text": "Quick!"})),
    (303, local("POST /_sandbox/feedback/{card}", b"score=5&text=Quick")),
    (200, local("POST /_sandbox/messages", {"from": "ada", "to": "acmecare", "text": "Hello?"})),
    (200, local("POST /_sandbox/faults", [{"call": "create", "kind": "refuse", "times": 1, "after": 0, "match": "x", "code": 88}])),
    (200, local("GET /_sandbox/media/{key}.jpg")),
]  # fmt: skip
"""Each with the status that it gets: one that is refused would never show what lies behind."""

THEN = b"\n--then--\n"  # between requests to the same world
FAULTY = [
    THEN.join([
        local("POST /_sandbox/faults", {"kind": kind.value, "times": 6, "seconds": 60}),
        *(
            content.replace(b'nonce="n"', b'nonce="n%d"' % number)  # each nonce holds once
            for number, (_, content) in reversed([*enumerate(REQUESTS)])
            if content.startswith((b"POST /2/media/upload\n", b"POST /1.1/direct_messages/events/"))
            or b" /1.1/custom_profiles/" in content
        ),
    ])
    for kind in faults.Kind
]  # fmt: skip
"""A fault of each kind on order, and the calls that can meet one: a message, a create and the lists after it, uploads."""


def environ_of(content):
    *_, ids, secrets, app_secret = furnished()
    for word, value in ids.items():
        content = content.replace(b"{%s}" % word.encode(), str(value).encode())
    head, _, body = content.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    method, _, address = first.partition(" ")
    path, _, query = address.partition("?")
    ending = threading.Event()
    ending.set()  # nobody waits for news
    environ = {
        "REQUEST_METHOD": method.upper() or "GET", "SCRIPT_NAME": "", "QUERY_STRING": query, "REQUEST_URI": address,
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"), "SERVER_NAME": "sandbox.localhost",
        "SERVER_PORT": "80", "HTTP_HOST": "sandbox.localhost", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0), "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)),
        access.TOKEN: "local", admin.ENDING: ending,
    }  # fmt: skip
    for name, _, value in (line.partition(": ") for line in lines):
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    with contextlib.suppress(errors.Refused, ValueError):
        environ["HTTP_AUTHORIZATION"] = resigned(environ, secrets, app_secret, body)
    return environ


def resigned(environ, secrets, app_secret, body):
    """Return the header with the signature that belongs to the rest of the request, as whoever has the secrets would."""
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    is_form = environ.get("CONTENT_TYPE", "").partition(";")[0] == FORM_TYPE
    parameters = decode_form(environ["QUERY_STRING"]) + (
        decode_form(body.decode("utf-8", "replace")) if is_form else ()
    )
    url = "http://sandbox.localhost" + environ["REQUEST_URI"].partition("?")[0]
    claims = read_claims(SignedRequest(environ["REQUEST_METHOD"], url, parameters, authorization))
    covered = [(name, value) for name, value in claims.protocol.items() if name != "oauth_signature"]
    text = base_string(environ["REQUEST_METHOD"], url, (*parameters, *covered))
    signature = escape(hmac_sha1(text, app_secret, secrets.get(claims.token, "")))
    return re.sub('oauth_signature="[^"]*"', f'oauth_signature="{signature}"', authorization, count=1)


def statuses_of(content):
    """Yield the status of each request in turn, and whether something was ordered to go wrong; 0 for no answer."""
    world, image, *_ = furnished()
    world.store._connection.deserialize(image)
    app, statuses = SandboxApp(world), []
    app.end_waits()
    for request in content.split(THEN)[:12]:
        is_faulty = bool(world.faults.to_plain())
        try:
            b"".join(app(environ_of(request), lambda status, _headers: statuses.append(int(status[:3]))))
        except ConnectionDropped:
            statuses.append(0)
        yield statuses[-1], is_faulty


def check_requests(content):
    """Whatever comes in, an answer goes out, below 500 unless that was ordered."""
    for status, is_faulty in statuses_of(content):
        assert is_faulty or 100 < status < 500


# saved plans

DIGEST = "sha256:" + "0" * 64
CHANGE = {"brand": "acme", "agent": "ana", "action": "create", "why": [], "profile_id": None, "before": None,
          "after": {"name": "Ana", "avatar": DIGEST}}  # fmt: skip
PLAN = {
    "schema": "profilectl.plan/1",
    "digest": DIGEST,
    "refused": None,
    "changes": [CHANGE],
    "summary": {"create": 1},
    "basis": {"roster": DIGEST, "pictures": DIGEST, "ledger": DIGEST, "remote": DIGEST},
    "selection": {"brands": ["acme"], "agents": ["ana"], "allow_deletes": None, "allow_lost": None, "prune_now": False, "verify_avatars": False},
    "budget": [],
    "left_out": [],
}  # fmt: skip


def sealed(document):
    """Give a changed plan the digests of what it now holds, as whoever forges it would."""
    with contextlib.suppress(KeyError, TypeError, ValueError):
        document["digest"] = digest_of([document["basis"], document["changes"]])
        document["checksum"] = digest_of(document)
    return json.dumps(document).encode()


def check_plans(content):
    """A file is a plan that can be used, or it is refused in a sentence."""
    saved.is_document(content)
    try:
        plan = saved.from_document(content, "plan.json")
        plan.check_brands([Brand("acme", "acmecare")])
    except StalePlan as error:
        refusal_of(error)


# files with credentials

VALUES_OF = {key: f"{SECRET}{number}" for number, key in enumerate(formats.KEYS)}
TWURL = {"consumer_key": f"{SECRET}0", "consumer_secret": f"{SECRET}1", "token": f"{SECRET}2", "secret": f"{SECRET}3"}
XURL = {
    "consumer_key": f"{SECRET}0",
    "consumer_secret": f"{SECRET}1",
    "access_token": f"{SECRET}2",
    "token_secret": f"{SECRET}3",
}
CREDENTIALS = [
    VALUES_OF | {"handle": "acmecare", "user_id": "12"},
    VALUES_OF | {"v": 1, "kind": "oauth1", "host": "api.x.com"},
    {"profiles": {"acmecare": {"k": TWURL}}, "configuration": {"default_profile": ["acmecare", "k"]}},
    {"apps": {"support": {"oauth1_token": {"type": "oauth1", "oauth1": XURL}}}, "default_app": "support"},
    {"oauth1_tokens": {"oauth1": XURL}},
]
YAML = b"""---
profiles: &a
  acmecare: {k: {consumer_key: %s0, consumer_secret: '%s1', token: "%s2", secret: !!str %s3}}
b: *a
configuration:
  default_profile: [acmecare, k]
""" % ((SECRET.encode(),) * 4)


def check_credentials(content):
    """Credentials are taken, or refused in a sentence that holds nothing of them."""
    path = FOLDER / "rc"
    path.write_bytes(content)
    path.chmod(0o600)
    for read in (
        lambda: importers.read_offers(path),
        lambda: formats.parse(content, "the file"),
        lambda: formats.from_entry(Secret(text_of(content) or "{}"), host="api.x.com"),
    ):
        try:
            value = read()
        except CredentialsError as error:
            refusal_of(error)
            assert SECRET not in f"{error.message} {error.hint} {error.__cause__} {error.__context__}"
            continue
        assert SECRET not in repr([offer.credentials for offer in getattr(value, "offers", ())])
        require_printable(*(offer.problem for offer in getattr(value, "offers", ())))


# pictures


def picture(kind, mode="RGB", **options):
    image = Image.effect_noise((48, 36), 60).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pictures():
    frames = [Image.new("P", (48, 36), shade) for shade in (1, 90)]
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        picture("JPEG", exif=exif),
        picture("JPEG", "CMYK"),
        picture("JPEG", progressive=True),
        picture("PNG", "RGBA"),
        picture("PNG", "P"),
        picture("PNG", "I;16"),
        picture("GIF", "P"),
        picture("GIF", "P", save_all=True, append_images=frames, loop=0, comment=b"x"),
        picture("WEBP", "RGBA"),
        picture("WEBP", lossless=True),
        picture("WEBP", save_all=True, append_images=frames),
        *(path.read_bytes() for path in MARKED),
    ]


SIGNATURE = avatars.normalise(pictures()[0], "seed").signature


def check_pictures(content):
    """A picture is made smaller, or refused in a sentence, and never for want of memory; any file tells its origin."""
    assert find_mark(content) in {"", UNSPECIFIED, *MACHINE_MADE}
    for use in (
        avatars.normalise,
        attachments.prepare,
        lambda content, name: similarity.shows(SIGNATURE, content, name),
    ):
        try:
            value = use(content, "p\x1b.png")
        except (AvatarRefused, InputRefused) as error:
            refusal_of(error)
            assert "needs more memory" not in error.message
            continue
        if use is avatars.normalise:
            assert max(Image.open(io.BytesIO(value.content)).size) <= avatars.LARGEST_SIDE


def corpus(name):
    return sorted(path for path in (CORPUS / name).glob("*") if path.is_file())


def seeds(name, *contents):
    """Return what inputs are made of: large ones are tried as they are only, since a second each leaves no time."""
    return [*contents, *(path.read_bytes() for path in corpus(name) if path.stat().st_size <= 4096)]


def texts(name, contents):
    drawn = (TEXTS | joined()).map(lambda text: text.encode("utf-8", "surrogatepass"))
    return drawn | mutated(seeds(name, *contents))


TOML = [as_toml(document) for document in (ROSTER, POLICY, CONFIG)]
BODIES = (
    as_json(ANSWERS)
    | mutated([json.dumps(document).encode() for document in ANSWERS] + [FORM, b"<html>"])
    | st.just(b"")
)
STATUSES = st.sampled_from([200, 204, 301, 400, 401, 403, 404, 410, 420, 429, 500, 503, 599])
ANSWER = st.tuples(STATUSES, st.dictionaries(st.sampled_from(HEADERS), HEADER_VALUES, max_size=4), BODIES)

TARGETS = [
    Target("toml", check_toml, mutated(seeds("toml", *TOML)) | edited([ROSTER, POLICY, CONFIG], TOML_VALUES).map(as_toml)),
    Target("names", check_names, texts("names", NAMES)),
    Target("visible", check_visible, texts("visible", NAMES)),
    Target("answers", check_answers, ANSWER.map(as_answer) | mutated(seeds("answers", *map(as_answer, (
        (200, dict.fromkeys(HEADERS, "1"), json.dumps(document).encode()) for document in ANSWERS))))),
    Target("requests", check_requests, mutated(seeds("requests", *(content for _, content in REQUESTS), *FAULTY))),
    Target("plans", check_plans, edited([PLAN]).map(sealed) | mutated(seeds("plans", sealed(dict(PLAN))))),
    Target("credentials", check_credentials, as_json(CREDENTIALS) | mutated(
        seeds("credentials", YAML, *(json.dumps(document).encode() for document in CREDENTIALS)))),
    Target("pictures", check_pictures, mutated(seeds("pictures", *pictures())), slowest=60, memory=3 << 29),
]  # fmt: skip
