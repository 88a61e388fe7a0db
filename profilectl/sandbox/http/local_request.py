"""A visit to the sandbox itself, outside X's own address space: the control plane and the pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from profilectl.sandbox.model.errors import Refusal, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.wrappers import Request

    from profilectl.sandbox.http.fault_injection import Patience
    from profilectl.sandbox.http.responses import Answer
    from profilectl.sandbox.model.world import World

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
ENDING = "profilectl.ending"
"""Where a server puts the event that it sets when it ends, among what it tells about a request (PEP 3333)."""

_OWN_SITE = ("same-origin", "none")  # none: a person, by address bar or bookmark


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to the sandbox itself."""

    world: World
    patience: Patience
    request: Request
    path_values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Route:
    """Where a visit may go."""

    method: str
    path: str  # a werkzeug rule
    handle: Callable[[Visit], Answer]
    is_page: bool = False  # read by people: problems are told as a page too


def admit(request: Request) -> None:
    """Keep other people's web pages out: the host must be this machine, a sending page must be our own.

    A name that an attacker points at 127.0.0.1 (DNS rebinding) still arrives in the Host header, and a form on a
    foreign page names that page in Origin. Sec-Fetch-Site (W3C Fetch Metadata) tells it once more; a foreign page may
    have a link to ours, but not send.

    Raises:
        Refused: neither the one nor the other
    """
    host = urlsplit(request.host_url).hostname or ""
    origin = request.headers.get("Origin")
    is_local = host in _LOOPBACK or host.endswith(".localhost")
    is_foreign = origin is not None and origin != request.host_url.rstrip("/")
    sends = request.method not in {"GET", "HEAD"}
    if not is_local or is_foreign or (sends and request.headers.get("Sec-Fetch-Site", "none") not in _OWN_SITE):
        raise Refused(Refusal.NOT_PERMITTED)
