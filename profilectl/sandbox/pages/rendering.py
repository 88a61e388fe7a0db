"""A page on its way out: from a template, behind a policy that lets nothing in from outside."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.http.responses import HTML, Answer
from profilectl.sandbox.pages.wording import TELEPHONE, teach

if TYPE_CHECKING:
    from jinja2 import Environment

    from profilectl.sandbox.http.local_request import Visit

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


def page(template: str, status: int = 200, **values: Any) -> Answer:
    """A page."""
    return Answer(status, fill(template, **values).encode(), HTML, HEADERS)


def problem(message: str, status: int) -> Answer:
    """A page that says what went wrong."""
    return page("problem.html", status, message=message)


def see_other(path: str) -> Answer:
    """Where to look after something was sent, so that loading again sends nothing twice."""
    return Answer(303, b"", HTML, (*HEADERS, ("Location", path)))


def stylesheet(_visit: Visit) -> Answer:
    """The one style sheet: the telephone's look, and that of the sandbox around it."""
    looks = (TELEPHONE / "telephone.css", _HERE / "style.css")
    return Answer(200, b"\n".join(look.read_bytes() for look in looks), "text/css; charset=utf-8", HEADERS)


def script(_visit: Visit) -> Answer:
    """The one script, without which everything works by hand."""
    return Answer(200, (_HERE / "live.js").read_bytes(), "text/javascript; charset=utf-8", HEADERS)


def icon(_visit: Visit) -> Answer:
    """What a browser shows beside the title."""
    return Answer(200, (_HERE / "icon.svg").read_bytes(), "image/svg+xml", HEADERS)


def fill(template: str, **values: Any) -> str:
    """A template with every foreign string escaped."""
    return _templates().get_template(template).render(values)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([_HERE, TELEPHONE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    teach(environment)
    return environment
