"""The control plane under ``/_sandbox/``: the truth, faults on order, time travel; JSON in, JSON out.

Here is also what all requests to the sandbox itself share, those of its pages included.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.responses import Response, json_response
from profilectl.sandbox.model.faults import Fault

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from profilectl.sandbox.http.fault_injection import Releases
    from profilectl.sandbox.model.world import World

ENDING = "profilectl.ending"  # key of a request's environment (PEP 3333): the event that a server sets when it ends


@dataclass(frozen=True, slots=True)
class LocalRequest:
    """One request to the sandbox itself, outside X's own paths: to the control plane or a page."""

    world: World
    releases: Releases
    http: Request
    path_values: Mapping[str, str]
    options: str = ""  # with which commands speak to this X; empty: by the settings that the server prints


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request to the sandbox itself may go."""

    method: str
    path: str  # a werkzeug rule
    handle: Callable[[LocalRequest], Response]
    is_page: bool = False  # read by people: errors are pages too
    is_open: bool = False  # without the server's token


def show_state(request: LocalRequest) -> Response:
    """Accounts, profiles and messages as they really are, whatever the lists of X say."""
    return json_response(request.world.state())


def list_faults(request: LocalRequest) -> Response:
    """The armed rules, each with the calls that it has ``seen``."""
    return json_response({"faults": request.world.faults.to_plain()})


def add_faults(request: LocalRequest) -> Response:
    """Arm a rule, or a list of rules."""
    document = _document(request)
    rules = document if isinstance(document, list) else [document]
    request.world.faults.add(*(_fault(rule) for rule in rules))
    return list_faults(request)


def clear_faults(request: LocalRequest) -> Response:
    """Disarm everything and end the waits of the calls that are held."""
    request.world.faults.clear()
    request.releases.release()
    return list_faults(request)


def reset(request: LocalRequest) -> Response:
    """Forget all but the accounts and their credentials; all of them are on the allowlist again."""
    request.world.reset()
    request.releases.release()
    return show_state(request)


def advance(request: LocalRequest) -> Response:
    """Move time forward: ``{"seconds": 900}``."""
    request.world.advance(_checked(_body(request, "seconds")["seconds"], (int, float), "seconds must be a number"))
    return json_response({"now_ms": request.world.store.now_ms()})


def add_welcome_message(request: LocalRequest) -> Response:
    """Greet an account's customers: ``{"handle": "acmecare", "text": "Hi!", "profile_id": "1"}``, the id if any."""
    body = _body(request, "handle", "text")
    account = request.world.accounts.require(_text(body, "handle"))
    profile_id = None if body.get("profile_id") is None else _text(body, "profile_id")
    message = request.world.welcome.add(account.user_id, _text(body, "text"), profile_id)
    return json_response(responses.welcome_message(message))


def clear_welcome_messages(request: LocalRequest) -> Response:
    """Greet nobody any more: ``{"handle": "acmecare"}``."""
    account = request.world.accounts.require(_text(_body(request, "handle"), "handle"))
    request.world.welcome.clear(account.user_id)
    return show_state(request)


def allow(request: LocalRequest) -> Response:
    """Put an account on the allowlist or take it off: ``{"handle": "acmecare", "allowlisted": false}``."""
    body = _body(request, "handle", "allowlisted")
    request.world.accounts.allow(_text(body, "handle"), bool(body["allowlisted"]))
    return show_state(request)


def allow_feedback(request: LocalRequest) -> Response:
    """Let an account issue feedback cards, or forbid it: ``{"handle": "acmecare", "allowed": false}``."""
    body = _body(request, "handle", "allowed")
    account = request.world.accounts.require(_text(body, "handle"))
    request.world.feedback.allow(account.user_id, bool(body["allowed"]))
    return show_state(request)


def answer_card(request: LocalRequest) -> Response:
    """Let a customer answer a feedback card: ``{"id": "1790…", "score": 5, "text": "Quick!"}``, the text if any."""
    body = _body(request, "id", "score")
    card = request.world.feedback.respond(_text(body, "id"), body["score"], body.get("text", ""))
    return json_response(responses.feedback(card))


def answer_on_page(request: LocalRequest) -> Response:
    """The form beneath a card (``score``, ``text``); its reader is led back to the conversation."""
    form, world = request.http.form, request.world
    card = world.feedback.respond(request.path_values["id"], form.get("score", ""), form.get("text", ""))
    customer = world.accounts.by_id(card.to_user_id)
    conversation = f"/_sandbox/conversations/{card.handle}/{customer.handle if customer else ''}"
    return Response(303, headers=(("Location", conversation),))


def receive(request: LocalRequest) -> Response:
    """Let a customer write to a brand: ``{"from": "ada", "to": "acmecare", "text": "Hello?"}``."""
    body = _body(request, "from", "to", "text")
    customer, brand, text = (_text(body, name) for name in ("from", "to", "text"))
    message = request.world.messages.receive(customer, brand, text)
    return json_response({"id": message.id})


def show_picture(request: LocalRequest) -> Response:
    """A picture as customers get it: JPEG, re-encoded."""
    picture = request.world.media.picture(request.path_values["key"])
    if picture is None:
        return json_response({"error": "no such picture"}, 404)
    return Response(200, picture, "image/jpeg", (("Cache-Control", "private, max-age=3600"),))  # no other gets the key


def _body(request: LocalRequest, *names: str) -> dict[str, Any]:
    body: dict[str, Any] = _checked(_document(request), dict, "an object is wanted")
    if missing := [name for name in names if name not in body]:
        raise ValueError(f"missing: {', '.join(missing)}")
    return body


def _document(request: LocalRequest) -> Any:
    try:
        return json.loads(request.http.get_data())
    except RecursionError:
        raise ValueError("the document is nested too deeply") from None


def _fault(rule: Any) -> Fault:
    values = _checked(rule, dict, "an object is wanted").values()
    if any(isinstance(value, (list, dict)) for value in values):
        raise ValueError("a fault's values are texts and numbers")
    return Fault.from_plain(rule)


def _text(body: dict[str, Any], name: str) -> str:
    return str(_checked(body[name], str, f"{name} must be a text"))


def _checked(value: Any, kind: type | tuple[type, ...], problem: str) -> Any:
    if not isinstance(value, kind):
        raise ValueError(problem)  # noqa: TRY004 - a wrong document, not a wrong call
    return value


ROUTES = (
    Route("GET", "/_sandbox/state", show_state),
    Route("GET", "/_sandbox/faults", list_faults),
    Route("POST", "/_sandbox/faults", add_faults),
    Route("DELETE", "/_sandbox/faults", clear_faults),
    Route("POST", "/_sandbox/reset", reset),
    Route("POST", "/_sandbox/advance", advance),
    Route("POST", "/_sandbox/allowlist", allow),
    Route("POST", "/_sandbox/feedback-allowlist", allow_feedback),
    Route("POST", "/_sandbox/feedback", answer_card),
    Route("POST", "/_sandbox/feedback/<digits:id>", answer_on_page, is_page=True),
    Route("POST", "/_sandbox/messages", receive),
    Route("POST", "/_sandbox/welcome-messages", add_welcome_message),
    Route("DELETE", "/_sandbox/welcome-messages", clear_welcome_messages),
    # As at X whoever was told the address sees the picture: clients fetch it unsigned, and nobody guesses the key.
    Route("GET", "/_sandbox/media/<key>.jpg", show_picture, is_open=True),
)
