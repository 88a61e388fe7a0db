"""Pages from templates, with foreign texts made visible, behind a policy that lets nothing in from outside."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from profilectl.sandbox.http.responses import HTML, Response

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from profilectl.sandbox.http.admin import LocalRequest

# The look of a conversation: data, which `profilectl preview --html` reads as well. No code is shared.
TELEPHONE = Path(__file__).parent.parent.parent / "telephone"
_HERE = Path(__file__).parent
_STYLES = (TELEPHONE / "telephone.css", _HERE / "style.css")
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),  # the page behind the back button would show a conversation as it was
)
_HARMLESS = "\n\u200c\u200d"  # emoji and some scripts need the joiners; other invisible characters only deceive
_WEB_ADDRESS = re.compile(r"\b(?:https?://|www\.)[^\s<>\"']+[^\s<>\"'.,:;!?]", re.IGNORECASE)
_PUNCTUATION = ".,:;!?…»”\u2019"
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # letters and marks by category, and nothing to the eye


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page."""
    return Response(status, fill(template, **values).encode(), HTML, HEADERS)


def problem(message: str, status: int) -> Response:
    """A page that says what went wrong."""
    return page("problem.html", status, message=message)


def locked() -> Response:
    """The page for whoever comes without the token; it brings its style along, for it may load nothing."""
    style = "\n".join(path.read_text(encoding="utf-8") for path in _STYLES)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
    headers = (("Content-Security-Policy", policy), *HEADERS[1:], ("WWW-Authenticate", "Bearer"))
    return Response(401, fill("locked.html", style=style).encode(), HTML, headers)


def see_other(path: str) -> Response:
    """The redirect after something was sent, so that loading again sends nothing twice."""
    return Response(303, b"", HTML, (*HEADERS, ("Location", path)))


def files(content_type: str, *paths: Path) -> Callable[[LocalRequest], Response]:
    """A handler that returns the files one after the other, read again each time."""
    return lambda _request: Response(200, b"\n".join(path.read_bytes() for path in paths), content_type, HEADERS)


stylesheet = files("text/css; charset=utf-8", *_STYLES)
script = files("text/javascript; charset=utf-8", _HERE / "live.js")  # without it everything works by hand
icon = files("image/svg+xml", _HERE / "icon.svg")


def fill(template: str, **values: Any) -> str:
    """A template with every foreign string escaped."""
    return _templates().get_template(template).render(values)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([_HERE, TELEPHONE]),
        autoescape=True,
        undefined=StrictUndefined,  # a misspelt name fails instead of leaving a gap
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (visible, message, clock, day, iso, host)
    environment.filters.update((function.__name__, function) for function in filters)
    environment.tests["a_bot"] = bot_name().search
    return environment


def visible(text: str) -> str:
    """The text with its control, bidirectional and invisible characters spelled out; line breaks stay."""
    hidden = {char for char in text if unicodedata.category(char) in _HIDDEN or char in _FILLERS}.difference(_HARMLESS)
    return "".join(f"<U+{ord(char):04X}>" if char in hidden else char for char in text)


def message(text: str) -> Markup:
    """A text of several lines, whose ends come in two kinds, with its web addresses as links."""
    from markupsafe import Markup, escape

    parts, end = [], 0
    lines = visible(text.replace("\r\n", "\n"))
    for match in _WEB_ADDRESS.finditer(lines):
        address = _without_punctuation(match[0])
        parts += [escape(lines[end : match.start()]), _link(address)]
        end = match.start() + len(address)
    return Markup("").join([*parts, escape(lines[end:])])


def _link(address: str) -> Markup:
    from markupsafe import Markup

    url = address if address.lower().startswith("http") else f"https://{address}"
    return Markup('<a href="{}" target="_blank" rel="noreferrer noopener">{}</a>').format(url, address)


def _without_punctuation(address: str) -> str:
    """An address without what belongs to the sentence around it: a full stop, or a bracket that opened before it."""
    while address and (address[-1] in _PUNCTUATION or (address[-1] == ")" and "(" not in address)):
        address = address[:-1]
    return address


@cache
def bot_name() -> re.Pattern[str]:
    """What distinguishes a bot from a person: a word in the public name, as X knows nothing else about a sender."""
    # X draws no badge; the pages do, so that a rehearsal shows which names would be understood.
    return re.compile((TELEPHONE / "bot_name.regex").read_text(encoding="utf-8"), re.IGNORECASE | re.VERBOSE)


def clock(epoch_ms: int) -> str:
    """The time of day."""
    return _moment(epoch_ms).strftime("%H:%M")


def day(epoch_ms: int) -> str:
    """The date."""
    date = _moment(epoch_ms)
    return f"{date.day} {date:%B %Y}"  # %d would pad with a zero, and %-d isn't portable


def iso(epoch_ms: int) -> str:
    """Date and time for machines, to the minute."""
    return _moment(epoch_ms).strftime("%Y-%m-%dT%H:%MZ")


def _moment(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)


def host(url: str) -> str:
    """Where an address leads: what a reader should know before following it."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url
