# ruff: noqa: E501, ISC004, PT017 - seeds are read as whole documents, and a check holds an error against its input
"""The readers of foreign bytes, each with what no input may make it do."""

from __future__ import annotations

import contextlib
import io
import json
import re
import tempfile
from datetime import date
from pathlib import Path
from urllib.parse import unquote_to_bytes

import tomli_w
from hypothesis import strategies as st
from oauthlib.oauth1 import Client
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
from profilectl.model import Kind, Message
from profilectl.pictures import attachments, avatars, similarity
from profilectl.pictures.provenance import MACHINE_MADE, UNSPECIFIED, find_mark
from profilectl.plan import saved
from profilectl.roster import name_templates
from profilectl.roster.disclosure import MARKERS, Disclosure
from profilectl.roster.parser import parse, parse_partially
from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.model.world import World
from profilectl.secret import Secret
from profilectl.text import confusables
from profilectl.text.escape import describe, excerpt, visible
from profilectl.text.names import as_compared, name_problems, normalise
from profilectl.toml.problems import format_problem
from tests.fuzz.inputs import TEXTS, VALUES, as_json, edited, mutated
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
        "bot": {"brands": ["acme"], "name": "Acme Bot", "avatar": "bot.png", "kind": "bot", "until": "2026-11-28"},
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
        "updated_at": "Sat Dec 15 17:58:20 +0000 2015", "response": {"score": {"value": 7}}}  # fmt: skip
ANSWERS = [
    {"custom_profile": PROFILE},
    {"custom_profiles": [PROFILE], "next_cursor": "MTA="},
    {"event": EVENT},
    {"events": [EVENT, {"feedback": CARD}], "next_cursor": "x"},
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

BOUNDARY = b"b"
MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="media"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nxx\r\n'
    b'--b\r\nContent-Disposition: form-data; name="media_category"\r\n\r\ndm_image\r\n--b--\r\n'
)
OAUTH = 'OAuth oauth_consumer_key="k", oauth_nonce="n", oauth_signature="s%3D", oauth_signature_method="HMAC-SHA1", oauth_timestamp="1790000000", oauth_token="t", oauth_version="1.0"'
REQUESTS = [
    b"POST /2/media/upload\nAuthorization: signed\nContent-Type: multipart/form-data; boundary=b\n\n" + MULTIPART,
    b"POST /1.1/media/upload.json\nAuthorization: signed\nContent-Type: multipart/form-data; boundary=b\n\n"
    + MULTIPART,
    b"GET /1.1/custom_profiles/list.json?count=50&cursor=NDU%3D\nAuthorization: " + OAUTH.encode() + b"\n\n",
    b"GET /1.1/custom_profiles/list.json?count=50\nAuthorization: signed\n\n",
    b"POST /oauth/request_token?oauth_callback=oob\nAuthorization: " + OAUTH.encode() + b"\n\n",
    b"POST /1.1/custom_profiles/new.json\nAuthorization: signed\nContent-Type: application/json\n\n"
    b'{"custom_profile":{"name":"A","avatar":{"media":{"id":"1"}}}}',
    b"POST /1.1/feedback/create.json\nAuthorization: signed\nContent-Type: application/x-www-form-urlencoded\n\n"
    b"type=nps&to_user_id=1&message=x&privacy_url=https%3A%2F%2Fx&external_id=1&question_variant_id=0&test=true",
    b"POST /1.1/direct_messages/events/new.json\nAuthorization: signed\nContent-Type: application/json\n\n"
    b'{"event":{"type":"message_create","message_create":{"target":{"recipient_id":"1"},"message_data":{"text":"x"}}}}',
    b'POST /_sandbox/faults\nContent-Type: application/json\n\n{"call": "create", "kind": "refuse"}',
    b"GET /\n\n",
]


def environ_of(content, keys):
    head, _, body = content.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    method, _, address = first.partition(" ")
    path, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": method.upper() or "GET", "SCRIPT_NAME": "", "QUERY_STRING": query, "REQUEST_URI": address,
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"), "SERVER_NAME": "sandbox.localhost",
        "SERVER_PORT": "80", "HTTP_HOST": "sandbox.localhost", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0), "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)),
    }  # fmt: skip
    for name, _, value in (line.partition(": ") for line in lines):
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    if environ.get("HTTP_AUTHORIZATION") == "signed":
        environ["HTTP_AUTHORIZATION"] = signed(environ, keys, body)
    return environ


def signed(environ, keys, body):
    client = Client(
        keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret, timestamp="1790000000"
    )
    form = environ.get("CONTENT_TYPE") == "application/x-www-form-urlencoded"
    with contextlib.suppress(ValueError):  # oauthlib signs no address or form that isn't well encoded
        _, headers, _ = client.sign(
            f"http://sandbox.localhost{environ['REQUEST_URI']}",
            environ["REQUEST_METHOD"],
            body.decode("latin-1") if form else None,
            {"Content-Type": environ["CONTENT_TYPE"]} if form else {},
        )
        return headers["Authorization"]
    return ""


def check_requests(content):
    """Whatever comes in, an answer below 500 goes out."""
    statuses = []
    with World(now=lambda: 1_790_000_000.0) as world:
        keys = world.ensure_brand("acmecare")
        app = SandboxApp(world)
        b"".join(app(environ_of(content, keys), lambda status, _headers: statuses.append(status)))
    assert [True] == [status[0] in "1234" for status in statuses], statuses


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
        plan.check_brands([])
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
    return [*contents, *(path.read_bytes() for path in corpus(name))]


def texts(name, contents):
    return TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")) | mutated(seeds(name, *contents))


TOML = [as_toml(document) for document in (ROSTER, POLICY, CONFIG)]
BODIES = as_json(ANSWERS) | mutated([json.dumps(document).encode() for document in ANSWERS] + [FORM, b"<html>"])
STATUSES = st.sampled_from([200, 204, 301, 400, 401, 403, 404, 410, 420, 429, 500, 503, 599])
ANSWER = st.tuples(STATUSES, st.dictionaries(st.sampled_from(HEADERS), HEADER_VALUES, max_size=4), BODIES)

TARGETS = [
    Target("toml", check_toml, mutated(seeds("toml", *TOML)) | edited([ROSTER, POLICY, CONFIG], TOML_VALUES).map(as_toml)),
    Target("names", check_names, texts("names", NAMES)),
    Target("visible", check_visible, texts("visible", NAMES)),
    Target("answers", check_answers, ANSWER.map(as_answer)),
    Target("requests", check_requests, mutated(seeds("requests", *REQUESTS))),
    Target("plans", check_plans, edited([PLAN]).map(sealed) | mutated(seeds("plans", sealed(dict(PLAN))))),
    Target("credentials", check_credentials, as_json(CREDENTIALS) | mutated(
        seeds("credentials", YAML, *(json.dumps(document).encode() for document in CREDENTIALS)))),
    Target("pictures", check_pictures, mutated(seeds("pictures", *pictures())), slowest=60, memory=3 << 29),
]  # fmt: skip
