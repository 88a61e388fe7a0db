"""A request to X on its way through the sandbox, and what the table of endpoints says about it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.wrappers import Request

from profilectl.sandbox.http.oauth import SignedRequest, decode_form
from profilectl.sandbox.model.errors import Refusal, Refused

if TYPE_CHECKING:
    from profilectl.sandbox.http.oauth import Claims
    from profilectl.sandbox.http.responses import Response
    from profilectl.sandbox.model.faults import Fault, Kind
    from profilectl.sandbox.model.tokens import Token
    from profilectl.sandbox.model.world import World

MAX_BODY = 32 * 1024 * 1024  # bytes: the largest GIF in base64, with room for the rest
_FORM = "application/x-www-form-urlencoded"


class HttpRequest(Request):
    """A request whose parts stay in memory: none is bigger than a picture."""

    max_content_length = MAX_BODY
    max_form_memory_size = MAX_BODY

    def _get_file_stream(self, *_: object, **__: object) -> IO[bytes]:
        return io.BytesIO()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of X: where it is, who may call it, what a call counts against."""

    name: str  # what faults call it
    method: str
    path: str  # a werkzeug rule
    handle: Callable[[ApiRequest], Response]
    family: str | None = None  # of `rate_limits.X_LIMITS`
    app_family: str | None = None  # the same, shared by all accounts
    needs_write: bool = False
    needs_messages: bool = False
    needs_allowlist: bool = False
    needs_feedback: bool = False
    login: bool = False  # signed by the app alone or with a request token


@dataclass(slots=True)
class ApiRequest:
    """One request to X, with what is known about it so far."""

    world: World
    http: Request
    endpoint: Endpoint
    path_values: Mapping[str, str]
    query: Mapping[str, str]
    token: Token | None = None
    claims: Claims | None = None
    active_faults: Mapping[Kind, Fault] = field(default_factory=dict)

    @property
    def user_id(self) -> str:
        """Whose request it is; empty before that is known."""
        return self.token.user_id if self.token else ""

    @property
    def base(self) -> str:
        """The address that the request came to, with a slash at its end."""
        return self.http.host_url

    def document(self) -> Any:
        """The JSON body; Refused if it isn't JSON, or holds half a surrogate pair, which is no text."""
        try:
            document = json.loads(self.http.get_data())
            "".join(_strings(document)).encode()
        except (ValueError, RecursionError) as error:
            raise Refused(Refusal.BAD_FIELD, "Bad request.") from error
        return document

    def required(self, name: str, *, in_form: bool = False) -> str:
        """A parameter of the query, or a field as `form` finds it; Refused if it is missing or empty."""
        text = self.form(name) if in_form else self.query.get(name)
        if not text:
            raise Refused(Refusal.PARAMETER_MISSING, name)
        return text

    def form(self, name: str) -> str | None:
        """A field of a form or multipart body, or of the query."""
        return self.http.form.get(name, self.query.get(name))

    def number(self, name: str, default: int, highest: int) -> int:
        """A positive number of the query, cut down to `highest`; Refused if it is none."""
        text = self.query.get(name, str(default))
        if not re.fullmatch("[0-9]{1,9}", text) or int(text) == 0:
            raise Refused(Refusal.PARAMETER_INVALID, name)
        return min(int(text), highest)

    def texts(self) -> Iterator[str]:
        """Every string that a fault may look for: path, query and JSON body."""
        yield self.http.path
        yield from self.query.values()
        if self.http.mimetype == "application/json":
            try:
                yield from _strings(self.document())
            except Refused:
                return

    def signed(self) -> SignedRequest:
        """What the signature covers: of the body only a form (RFC 5849 3.4.1.3.1)."""
        environ = self.http.environ
        form = self.http.get_data().decode("utf-8", "replace") if self.http.mimetype == _FORM else ""
        # In process httpx hands over the decoded path only: it is encoded again as a request line would have it.
        path = environ.get("REQUEST_URI") or quote(self.http.path, safe="/-._~!$&'()*+,;=:@")
        return SignedRequest(
            method=self.http.method,
            url=self.http.host_url.rstrip("/") + path.partition("?")[0],
            parameters=(*decode_form(environ.get("QUERY_STRING", "")), *decode_form(form)),
            authorization=self.http.headers.get("Authorization", ""),
        )


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)
