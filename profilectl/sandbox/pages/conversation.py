"""One conversation as the customer sees it: read, answered, and kept up to date."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.http.admin import ENDING
from profilectl.sandbox.http.responses import HTML, Response, picture_url
from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.pages.index import is_waiting, partners
from profilectl.sandbox.pages.rendering import HEADERS, fill, page, see_other

if TYPE_CHECKING:
    from profilectl.sandbox.http.admin import LocalRequest
    from profilectl.sandbox.model.accounts import Account
    from profilectl.sandbox.model.messages import Message
    from profilectl.sandbox.model.world import World

_PAUSE = 0.1  # seconds between two looks: SQLite gives no sign when another process changes the world
_RECENT = 8  # other conversations that are shown at once; the rest is a click away
_LONGEST_WAIT = 25  # seconds
_WAIT = re.compile(r"wait=([0-9]{1,3})")


def conversation(request: LocalRequest) -> Response:
    """The page of one customer and one brand."""
    brand, customer = _pair(request)
    html = _talk(request, brand, customer)
    others = [
        (account, partner, is_waiting(request.world, account, partner))
        for account in request.world.accounts.all()
        if account.is_brand
        for partner in partners(request.world, account)
        if (account, partner) != (brand, customer)
    ]
    address, seen = _address(brand, customer), _etag(html)
    values: dict[str, Any] = {"brand": brand, "customer": customer, "address": address, "talk": html, "seen": seen}
    values |= {"send": _send_command(request, customer), "options": request.options}
    return page("conversation.html", **values, others=others[:_RECENT], more=others[_RECENT:])


def talk(request: LocalRequest) -> Response:
    """The messages so far; who has seen them (``If-None-Match``) may wait for more (RFC 7240, ``wait``)."""
    brand, customer = _pair(request)
    seen = request.http.headers.get("If-None-Match", "")
    wait = _WAIT.search(request.http.headers.get("Prefer", ""))
    seconds = min(int(wait[1]), _LONGEST_WAIT) if wait else 0
    typing = partial(request.world.messages.is_typing, brand.user_id, customer.user_id)
    html = _wait_for_change(request, lambda: _talk(request, brand, customer), typing, seen, seconds)
    if html is None:
        return Response(304, headers=HEADERS)
    return Response(200, html.encode(), HTML, (*HEADERS, ("ETag", _etag(html))))


def _wait_for_change(
    request: LocalRequest, render: Callable[[], str], typing: Callable[[], bool], seen: str, seconds: float
) -> str | None:
    """What `render` returns as soon as that isn't what was seen; None after so many seconds, or as the sandbox ends."""
    ending = request.http.environ.get(ENDING) or threading.Event()
    deadline, version = time.monotonic() + seconds, None
    while True:
        # that somebody stops typing changes nothing in the world but the time
        if (current := (*_version(request.world), typing())) != version:
            version, html = current, render()
            if _etag(html) != seen:
                return html
        if time.monotonic() >= deadline or ending.wait(_PAUSE):
            return None


def _version(world: World) -> list[object]:
    """Something that is another as soon as anybody, in this process or another one, changes the world."""
    queries = ("PRAGMA data_version", "SELECT total_changes()")
    return [value for query in queries for value in world.store.rows(query)[0]]


def _talk(request: LocalRequest, brand: Account, customer: Account) -> str:
    """The messages and cards, oldest first, and what may be tapped now."""
    messages = request.world.messages.between(brand.user_id, customer.user_id)
    cards = request.world.feedback.between(brand.user_id, customer.user_id)
    entries = [_entry(request, message, brand) for message in messages] + [
        {"kind": "card", "created_ms": card.created_ms, "card": card} for card in cards
    ]
    entries.sort(key=lambda entry: entry["created_ms"])
    # Only the newest message can be answered by a tap, as in X's app: the options go when anything follows.
    asking = messages[-1] if messages and messages[-1].quick_reply else None
    address = _address(brand, customer)
    typing = request.world.messages.is_typing(brand.user_id, customer.user_id)
    values = {"brand": brand, "customer": customer, "address": address, "entries": entries, "asking": asking}
    return fill("talk.html", **values, typing=typing, send=_send_command(request, customer), options=request.options)


def _send_command(request: LocalRequest, customer: Account) -> str:
    """The command with which an agent answers, as it has to be typed."""
    return f'profilectl{request.options} send --as AGENT --to @{customer.handle} "Hello!"'


def _entry(request: LocalRequest, message: Message, brand: Account) -> dict[str, Any]:
    """A message with the picture and the name that the customer sees beside it."""
    world, base = request.world, request.http.host_url
    profile = None if message.profile_id is None else world.profiles.find(message.profile_id)
    media = None if message.media_id is None else world.media.by_id(message.media_id)
    kind = "customer" if message.sender_id != brand.user_id else "brand" if profile is None else "agent"
    return {
        "kind": kind,
        "created_ms": message.created_ms,
        "message": message,
        "name": profile.name if profile else "",
        "picture": picture_url(base, profile.picture) if profile else "",
        "attachment": picture_url(base, media.key) if media else "",
    }


def begin(request: LocalRequest) -> Response:
    """Let anybody write to a brand; ValueError if no handle or the brand's own, KeyError if there is no brand."""
    form, world = request.http.form, request.world
    brand = world.accounts.require(form.get("brand", ""))
    customer = world.ensure_customer(form.get("customer", "").strip())
    if customer.user_id == brand.user_id:
        raise ValueError(f"@{brand.handle} can't write to itself")
    return see_other(f"{_address(brand, customer)}#text")


def reply(request: LocalRequest) -> Response:
    """Let the customer write, or tap an answer; ValueError if it can't be tapped any more, Refused if too long."""
    brand, customer = _pair(request)
    form = request.http.form
    text, response = form.get("text", "").replace("\r\n", "\n").strip(), None
    if "option" in form:
        text, response = _tapped(request.world.messages.latest(brand.user_id, customer.user_id), form)
    if text:
        request.world.messages.receive(customer.handle, brand.handle, text, response)
    return see_other(f"{_address(brand, customer)}#text")


def _tapped(latest: Message | None, form: Any) -> tuple[str, dict[str, str]]:
    """The label of an option, and what its sender gets to know (x.com: ``quick_reply_response``)."""
    options = (latest.quick_reply or {}).get("options", []) if latest and latest.id == form.get("message") else []
    chosen = next((option for number, option in enumerate(options) if str(number) == form["option"]), None)
    if chosen is None:
        raise ValueError("this answer can't be tapped any more: something else was said after it")
    return chosen["label"], {"type": "options", "metadata": chosen.get("metadata", "")}


def _pair(request: LocalRequest) -> tuple[Account, Account]:
    brand, customer = (request.world.accounts.by_handle(request.path_values[name]) for name in ("brand", "customer"))
    if brand is None or customer is None or not brand.is_brand:
        raise Refused(Refusal.NO_SUCH_PAGE)
    return brand, customer


def _address(brand: Account, customer: Account) -> str:
    return f"/_sandbox/conversations/{brand.handle}/{customer.handle}"


def _etag(html: str) -> str:
    return f'"{hashlib.sha256(html.encode()).hexdigest()[:32]}"'
