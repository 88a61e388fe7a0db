"""The sandbox as a WSGI callable: routes lead to the world, and this is the only place that writes an answer."""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.routing import BaseConverter, Map, Rule

from profilectl.sandbox import pages
from profilectl.sandbox.http import admin, authorization, fault_injection
from profilectl.sandbox.http import responses as wire
from profilectl.sandbox.http.endpoints import ENDPOINTS
from profilectl.sandbox.http.fault_injection import Patience
from profilectl.sandbox.http.local_request import Route, Visit, admit
from profilectl.sandbox.http.oauth import decode_form
from profilectl.sandbox.http.request import Call, Endpoint, SandboxRequest
from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.model.rate_limits import Exhausted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

    from werkzeug.wrappers import Request

    from profilectl.sandbox.http.responses import Answer
    from profilectl.sandbox.model.world import World


class _Digits(BaseConverter):
    regex = "[0-9]+"


_ROUTES = Map(
    [Rule(route.path, methods=[route.method], endpoint=route) for route in (*ENDPOINTS, *admin.ROUTES, *pages.ROUTES)],
    converters={"digits": _Digits},
    merge_slashes=False,
)
_NO_ROUTE = Refused(Refusal.NO_SUCH_PAGE)


class SandboxApp:
    """A local X over one world.

    Dropped connections are raised as `trouble.ConnectionDropped`: a server closes the socket on it, and in process it
    reaches the client as the `ConnectionError` that it is.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._patience = Patience()
        self._adapter = _ROUTES.bind("sandbox")

    def end_waits(self) -> None:
        """End every wait of slow and held calls, for good."""
        self._patience.end()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        request = SandboxRequest(_with_encoded_path(environ))
        answer = self.respond(request)
        start_response(f"{answer.status} {responses.get(answer.status, 'Unknown')}", _headers(answer, self.world.now()))
        return [answer.body]

    def respond(self, request: Request) -> Answer:
        """Route a request and return its answer.

        Raises:
            ConnectionDropped: a fault ate it
        """
        try:
            route, values = self._adapter.match(request.path, request.method)
            return (
                self._call(route, request, values)
                if isinstance(route, Endpoint)
                else self._visit(route, request, values)
            )
        except RequestEntityTooLarge:
            return wire.Answer(413)
        except HTTPException:
            return wire.refusal_answer(_NO_ROUTE, request.path)

    def _visit(self, route: Route, request: Request, values: Mapping[str, str]) -> Answer:
        try:
            admit(request)
            return route.handle(Visit(self.world, self._patience, request, values))
        except Refused as refused:
            answer = wire.refusal_answer(refused, request.path)
            return pages.problem(wire.WORDINGS[refused.refusal].message, answer.status) if route.is_page else answer
        except (ValueError, KeyError) as error:
            return pages.problem(str(error), 400) if route.is_page else wire.answer({"error": str(error)}, 400)

    def _call(self, endpoint: Endpoint, request: Request, values: Mapping[str, str]) -> Answer:
        query = dict(decode_form(request.environ.get("QUERY_STRING", "")))
        call = Call(self.world, request, endpoint, values, query)
        try:
            authorization.authenticate(call)
            authorization.permit(call)
        except Refused as refused:
            return self._about(call, wire.refusal_answer(refused, request.path))
        released = self._patience.released
        faults = self.world.faults.take(endpoint.name, call.texts())
        call.twists = {fault.kind: fault for fault in faults}
        answer = fault_injection.before(faults, self.world.now())
        if answer is None:
            answer = fault_injection.after(faults, self._obey(call), released)
        return self._about(call, answer)

    def _obey(self, call: Call) -> Answer:
        """Let the world do what is asked, or say why it won't."""
        path = call.request.path
        try:
            standing = authorization.count(call)
            headers = () if standing is None else wire.rate_headers(standing)
        except Exhausted as exhausted:
            return wire.refusal_answer(exhausted, path).plus(*wire.rate_headers(exhausted.standing))
        try:
            return call.endpoint.handle(call).plus(*headers)
        except Exhausted as exhausted:
            return wire.refusal_answer(exhausted, path).plus(*wire.rate_headers(exhausted.standing))
        except Refused as refused:
            return wire.refusal_answer(refused, path).plus(*headers)

    @staticmethod
    def _about(call: Call, answer: Answer) -> Answer:
        """X tells every token what it may do."""
        return answer if call.token is None else answer.plus(("x-access-level", call.token.access_level))


def _headers(answer: Answer, now: float) -> list[tuple[str, str]]:
    length = len(answer.body) if answer.length is None else answer.length
    headers = [("Date", formatdate(now, usegmt=True)), *answer.headers]
    if answer.status != HTTPStatus.NO_CONTENT:
        headers += [("Content-Type", answer.content_type), ("Content-Length", str(length))]
    return headers


def _with_encoded_path(environ: WSGIEnvironment) -> WSGIEnvironment:
    """PEP 3333 wants the path as bytes dressed up as latin-1; httpx hands over characters."""
    path = environ.get("PATH_INFO", "")
    if path.isascii() or "REQUEST_URI" in environ:
        return environ
    return {**environ, "PATH_INFO": path.encode().decode("latin-1")}
