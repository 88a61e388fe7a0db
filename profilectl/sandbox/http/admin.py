"""The control plane under ``/_sandbox/``: the truth, trouble on order, time travel. JSON in, JSON out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.local_request import Route, Visit
from profilectl.sandbox.http.responses import answer
from profilectl.sandbox.model.faults import Fault

if TYPE_CHECKING:
    from profilectl.sandbox.http.responses import Answer


def show_state(visit: Visit) -> Answer:
    """Accounts, profiles and messages as they really are, whatever the lists of X say."""
    return answer(visit.world.state())


def list_faults(visit: Visit) -> Answer:
    """The armed rules, each with the calls that it has ``seen``."""
    return answer({"faults": [{**fault.to_plain(), "seen": seen} for fault, seen in visit.world.faults.all()]})


def add_faults(visit: Visit) -> Answer:
    """Arm a rule, or a list of rules."""
    document = _document(visit)
    rules = document if isinstance(document, list) else [document]
    visit.world.faults.add(*(_fault(rule) for rule in rules))
    return list_faults(visit)


def clear_faults(visit: Visit) -> Answer:
    """Disarm everything and let go of the calls that are held."""
    visit.world.faults.clear()
    visit.patience.release()
    return list_faults(visit)


def reset(visit: Visit) -> Answer:
    """Forget all but the accounts and their credentials; all of them are on the allowlist again."""
    visit.world.reset()
    visit.patience.release()
    return show_state(visit)


def advance(visit: Visit) -> Answer:
    """Move time forward: ``{"seconds": 900}``."""
    seconds = _body(visit, "seconds")["seconds"]
    if not isinstance(seconds, (int, float)):
        raise ValueError("seconds must be a number")  # noqa: TRY004 - a wrong document, not a wrong call
    visit.world.advance(seconds)
    return answer({"now_ms": visit.world.store.now_ms()})


def allow(visit: Visit) -> Answer:
    """Put an account on the allowlist or take it off: ``{"handle": "acmecare", "allowlisted": false}``."""
    body = _body(visit, "handle", "allowlisted")
    visit.world.accounts.allow(_text(body, "handle"), bool(body["allowlisted"]))
    return show_state(visit)


def allow_feedback(visit: Visit) -> Answer:
    """Let an account issue feedback cards, or forbid it: ``{"handle": "acmecare", "allowed": false}``."""
    body = _body(visit, "handle", "allowed")
    account = visit.world.accounts.require(_text(body, "handle"))
    visit.world.feedback.allow(account.user_id, bool(body["allowed"]))
    return show_state(visit)


def answer_card(visit: Visit) -> Answer:
    """Let a customer answer a feedback card: ``{"id": "1790…", "score": 5, "text": "Quick!"}``, the text if any."""
    body = _body(visit, "id", "score")
    return answer(
        responses.feedback(visit.world.feedback.respond(_text(body, "id"), body["score"], body.get("text", "")))
    )


def answer_on_page(visit: Visit) -> Answer:
    """The form beneath a card (``score``, ``text``); its reader is led back to the conversation."""
    form, world = visit.request.form, visit.world
    card = world.feedback.respond(visit.path_values["id"], form.get("score", ""), form.get("text", ""))
    customer = world.accounts.by_id(card.to_user_id)
    conversation = f"/_sandbox/conversations/{card.handle}/{customer.handle if customer else ''}"
    return responses.Answer(303, headers=(("Location", conversation),))


def receive(visit: Visit) -> Answer:
    """Let a customer write to a brand: ``{"from": "ada", "to": "acmecare", "text": "Hello?"}``."""
    body = _body(visit, "from", "to", "text")
    customer, brand, text = (_text(body, name) for name in ("from", "to", "text"))
    message = visit.world.messages.receive(customer, brand, text)
    return answer({"id": message.id})


def show_picture(visit: Visit) -> Answer:
    """A picture as customers get it: JPEG, re-encoded."""
    picture = visit.world.media.picture(visit.path_values["key"])
    if picture is None:
        return answer({"error": "no such picture"}, 404)
    return responses.Answer(200, picture, "image/jpeg", (("Cache-Control", "private, max-age=3600"),))


def _body(visit: Visit, *names: str) -> dict[str, Any]:
    body = _object(_document(visit))
    if missing := [name for name in names if name not in body]:
        raise ValueError(f"missing: {', '.join(missing)}")
    return body


def _document(visit: Visit) -> Any:
    try:
        return json.loads(visit.request.get_data())
    except RecursionError:
        raise ValueError("the document is nested too deeply") from None


def _fault(rule: Any) -> Fault:
    if any(isinstance(value, (list, dict)) for value in _object(rule).values()):
        raise ValueError("a fault's values are texts and numbers")
    return Fault.from_plain(rule)


def _text(body: dict[str, Any], name: str) -> str:
    if not isinstance(body[name], str):
        raise ValueError(f"{name} must be a text")  # noqa: TRY004 - a wrong document, not a wrong call
    return str(body[name])


def _object(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise ValueError("an object is wanted")  # noqa: TRY004 - a wrong document, not a wrong call
    return document


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
    Route("GET", "/_sandbox/media/<key>.jpg", show_picture),
)
