"""Who may use the sandbox itself: people and programs of the user who serves it, and no page of another site.

Loopback belongs to everybody on a machine, so a server has a token, which only its own user gets to see. Signatures
guard the API; this guards the pages and the control plane.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from profilectl.sandbox.http.responses import Response
from profilectl.sandbox.model.errors import Refusal, Refused

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

TOKEN = "profilectl.token"
_PARAMETER = "token"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_OWN_SITE = ("same-origin", "none")  # none: a person, by address bar or bookmark
_READING = ("GET", "HEAD")


class TokenRefused(Exception):
    """A request to the sandbox itself without its token."""


def check_origin(request: Request) -> None:
    """Keep other people's web pages out; Refused if another host is named, or another site's page sends."""
    # A name that an attacker points at 127.0.0.1 (DNS rebinding) still arrives in the Host header, and a form on a
    # foreign page names that page in Origin. Sec-Fetch-Site (W3C Fetch Metadata) says it once more; a foreign page may
    # have a link to ours, but not send.
    host = urlsplit(request.host_url).hostname or ""
    origin = request.headers.get("Origin")
    is_local = host in _LOOPBACK or host.endswith(".localhost")
    is_foreign = origin is not None and origin != request.host_url.rstrip("/")
    sends = request.method not in _READING
    if not is_local or is_foreign or (sends and request.headers.get("Sec-Fetch-Site", "none") not in _OWN_SITE):
        raise Refused(Refusal.NOT_PERMITTED)


def admit(request: Request, *, is_page: bool) -> Response | None:
    """Let a request pass that shows the server's token, in a cookie or as ``Authorization: Bearer``.

    Returns None, or for a page whose address has the token the redirect to that address without it, which sets the
    cookie. In process there is no token: whoever calls has the world in hand. Raises TokenRefused without the token.
    """
    token = request.environ.get(TOKEN)
    if token is None:
        return None
    if is_page and request.method in _READING and _PARAMETER in request.args:
        _require_any(token, request.args.getlist(_PARAMETER))
        return _enter(request, token)
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    # Another server on this host may have left a cookie of this name, so that there are two.
    _require_any(token, [bearer, *request.cookies.getlist(cookie_name(request.environ["SERVER_PORT"]))])
    return None


def cookie_name(port: str) -> str:
    """Return the name of a server's cookie: browsers keep one set of cookies for all ports of a host (RFC 6265 8.5)."""
    return f"profilectl-sandbox-{port}"


def _require_any(token: str, offers: list[str]) -> None:
    if not any(hmac.compare_digest(token.encode(), offer.encode("utf-8", "replace")) for offer in offers):
        raise TokenRefused


def _enter(request: Request, token: str) -> Response:
    """The redirect after a first visit: the token stays neither in the address bar nor in the history."""
    rest = urlencode([(name, value) for name, value in request.args.items(multi=True) if name != _PARAMETER])
    cookie = f"{cookie_name(request.environ['SERVER_PORT'])}={token}; Path=/; HttpOnly; SameSite=Strict"
    headers = (
        ("Location", quote(request.path) + (f"?{rest}" if rest else "")),
        ("Set-Cookie", cookie),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
    )
    return Response(303, content_type="", headers=headers)
