"""The sandbox as a WSGI callable: it routes every request, and is the only place that writes a response."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus
from http.client import responses as reasons
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import BaseConverter, Map, Rule

from profilectl.sandbox import pages
from profilectl.sandbox.http import access, admin, authorization, fault_injection, responses
from profilectl.sandbox.http.admin import LocalRequest, Route
from profilectl.sandbox.http.endpoints import ENDPOINTS
from profilectl.sandbox.http.fault_injection import Releases
from profilectl.sandbox.http.oauth import decode_form
from profilectl.sandbox.http.request import ApiRequest, Endpoint, HttpRequest
from profilectl.sandbox.http.responses import Response, json_response, refusal_response
from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.model.rate_limits import Exhausted

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from werkzeug.wrappers import Request

    from profilectl.sandbox.model.world import World


class _Digits(BaseConverter):
    regex = "[0-9]+"


_ROUTES = Map(
    [Rule(route.path, methods=[route.method], endpoint=route) for route in (*ENDPOINTS, *admin.ROUTES, *pages.ROUTES)],
    converters={"digits": _Digits},
    merge_slashes=False,  # werkzeug would redirect, and a signature holds for one address only
)
_NO_ROUTE = Refused(Refusal.NO_SUCH_PAGE)
_LOCKED = json_response(
    {"error": "this needs the token of the address that the sandbox printed, as Authorization: Bearer TOKEN"}, 401
).with_headers(("WWW-Authenticate", "Bearer"))


_X_PATHS = ("/1.1/", "/2/")


def _no_page(request: LocalRequest) -> Response:
    return pages.problem(f"There is no page at {request.http.path}.", 404)


_NOTHING = Route("GET", "/", _no_page, is_page=True)  # for what no route leads to


def _is_of_a_person(http: Request) -> bool:
    """Whether a browser asks for a page: X's own paths answer as X does, whoever asks."""
    return "text/html" in http.headers.get("Accept", "") and not http.path.startswith(_X_PATHS)


class SandboxApp:
    """A local X over one world; a server closes the socket on `fault_injection.ConnectionDropped`.

    The `options`, each behind a space, are those with which commands speak to it, for the pages that show commands.
    """

    def __init__(self, world: World, options: str = "") -> None:
        self.world = world
        self._options = options
        self._releases = Releases()
        self._adapter = _ROUTES.bind("sandbox")

    def end_waits(self) -> None:
        """End every wait of slow and held calls, for good."""
        self._releases.release(for_good=True)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        response = self.respond(HttpRequest(_with_encoded_path(environ)))
        status = f"{response.status} {reasons.get(response.status, 'Unknown')}"
        start_response(status, _headers(response, self.world.now()))
        return [response.body]

    def respond(self, http: Request) -> Response:
        """Route a request and return the response to it; ConnectionDropped by a fault on order."""
        try:
            route, values = self._adapter.match(http.path, http.method)
            if isinstance(route, Endpoint):
                query = dict(decode_form(http.environ.get("QUERY_STRING", "")))
                return self._respond_to_api(ApiRequest(self.world, http, route, values, query))
            return self._respond_to_local(route, LocalRequest(self.world, self._releases, http, values, self._options))
        except RequestEntityTooLarge:
            return Response(413)
        except HTTPException:
            if not _is_of_a_person(http):
                return refusal_response(_NO_ROUTE, http.path)
            return self._respond_to_local(_NOTHING, LocalRequest(self.world, self._releases, http, {}, self._options))

    @staticmethod
    def _respond_to_local(route: Route, request: LocalRequest) -> Response:
        try:
            access.check_origin(request.http)
            entrance = None if route.is_open else access.admit(request.http, is_page=route.is_page)
            return entrance or route.handle(request)
        except access.TokenRefused:
            return pages.locked() if route.is_page else _LOCKED
        except Refused as refused:
            response = refusal_response(refused, request.http.path)
            message = responses.REFUSALS[refused.refusal].message
            return pages.problem(message, response.status) if route.is_page else response
        except (ValueError, KeyError) as error:
            return pages.problem(str(error), 400) if route.is_page else json_response({"error": str(error)}, 400)

    def _respond_to_api(self, request: ApiRequest) -> Response:
        try:
            authorization.authenticate(request)
            authorization.authorize(request)
        except Refused as refused:
            response = refusal_response(refused, request.http.path)
        else:
            response = self._respond_with_faults(request)
        # X says with every response what the token may do.
        token = request.token
        if token is None or fault_injection.is_foreign(request.active_faults):
            return response
        return response.with_headers(("x-access-level", token.access_level))

    def _respond_with_faults(self, request: ApiRequest) -> Response:
        released = self._releases.current
        faults = self.world.faults.take(
            request.endpoint.name, request.texts(), is_first_page="cursor" not in request.query
        )
        request.active_faults = {fault.kind: fault for fault in faults}
        response = fault_injection.before(faults, self.world.now())
        if response is None:
            response = fault_injection.after(faults, _dispatch(request), released)
        return fault_injection.dated(faults, response)


def _dispatch(request: ApiRequest) -> Response:
    """Let the world do what is asked, or say why it won't."""
    # Outside the try, as a refusal by the world carries what is left of the limit like any other response.
    headers: tuple[tuple[str, str], ...] = ()
    try:
        status = authorization.count(request)
        headers = () if status is None else responses.rate_headers(status)
        return request.endpoint.handle(request).with_headers(*headers)
    except Refused as refused:
        if isinstance(refused, Exhausted):
            headers = responses.rate_headers(refused.status)
        return refusal_response(refused, request.http.path).with_headers(*headers)


def _headers(response: Response, now: float) -> list[tuple[str, str]]:
    length = len(response.body) if response.length is None else response.length
    headers = [("Date", formatdate(now + response.date_shift, usegmt=True)), *response.headers]
    if response.status != HTTPStatus.NO_CONTENT:
        headers += [("Content-Type", response.content_type)] if response.content_type else []
        headers.append(("Content-Length", str(length)))
    return headers


def _with_encoded_path(environ: WSGIEnvironment) -> WSGIEnvironment:
    """Encode the path as PEP 3333 has it, its bytes read as latin-1: httpx hands over characters."""
    path = environ.get("PATH_INFO", "")
    if path.isascii() or "REQUEST_URI" in environ:
        return environ
    return {**environ, "PATH_INFO": path.encode().decode("latin-1")}
