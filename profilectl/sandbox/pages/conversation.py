"""One conversation on the customer's telephone: read, answered, and kept up to date."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.http.local_request import ENDING
from profilectl.sandbox.http.responses import HTML, Answer, picture_url
from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.pages.index import partners
from profilectl.sandbox.pages.rendering import HEADERS, fill, page, see_other

if TYPE_CHECKING:
    from collections.abc import Callable

    from profilectl.sandbox.http.local_request import Visit
    from profilectl.sandbox.model.accounts import Account
    from profilectl.sandbox.model.feedback import Card
    from profilectl.sandbox.model.messages import Message
    from profilectl.sandbox.model.world import World

_BLINK = 0.1  # seconds between two looks for something new
_LONGEST_WAIT = 25  # seconds
_WAIT = re.compile(r"wait=([0-9]{1,3})")


def conversation(visit: Visit) -> Answer:
    """The page of one customer and one brand."""
    brand, customer = _pair(visit)
    told = _talk(visit, brand, customer)
    others = [
        (account, partner)
        for account in visit.world.accounts.all()
        if account.is_brand
        for partner in partners(visit.world, account)
        if (account, partner) != (brand, customer)
    ]
    address = _address(brand, customer)
    return page(
        "conversation.html",
        brand=brand,
        customer=customer,
        address=address,
        told=told,
        seen=_tag(told),
        others=others,
    )


def talk(visit: Visit) -> Answer:
    """What is said so far; a visitor who has seen that (``If-None-Match``) may wait for more (RFC 7240, ``wait``)."""
    brand, customer = _pair(visit)
    seen = visit.request.headers.get("If-None-Match", "")
    found = _WAIT.search(visit.request.headers.get("Prefer", ""))
    seconds = min(int(found[1]), _LONGEST_WAIT) if found else 0
    news = _news(visit, lambda: _talk(visit, brand, customer), seen, seconds)
    return Answer(304, headers=HEADERS) if news is None else Answer(200, news.encode(), HTML, _tagged(news))


def _news(visit: Visit, tell: Callable[[], str], seen: str, seconds: float) -> str | None:
    """What is told as soon as it isn't what was seen; None when so many seconds pass, or the sandbox ends."""
    ending = visit.request.environ.get(ENDING) or threading.Event()
    deadline, moment = time.monotonic() + seconds, None
    while True:
        if (now := _moment(visit.world)) != moment:
            moment, told = now, tell()
            if _tag(told) != seen:
                return told
        if time.monotonic() >= deadline or ending.wait(_BLINK):
            return None


def _moment(world: World) -> list[object]:
    """Something that is another as soon as anybody, in this process or another one, changes the world."""
    queries = ("PRAGMA data_version", "SELECT total_changes()")
    return [value for query in queries for value in world.store.rows(query)[0]]


def _talk(visit: Visit, brand: Account, customer: Account) -> str:
    """The messages and cards, oldest first, and what may be tapped now."""
    messages = visit.world.messages.between(brand.user_id, customer.user_id)
    cards = visit.world.feedback.between(brand.user_id, customer.user_id)
    entries = [_entry(visit, message, brand) for message in messages] + [_card_entry(card) for card in cards]
    entries.sort(key=lambda entry: entry["created_ms"])
    return fill(
        "talk.html",
        brand=brand,
        customer=customer,
        address=_address(brand, customer),
        entries=entries,
        asking=messages[-1] if messages and messages[-1].quick_reply else None,
    )


def _entry(visit: Visit, message: Message, brand: Account) -> dict[str, Any]:
    """A message with the face that the customer sees beside it."""
    world, base = visit.world, visit.request.host_url
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


def _card_entry(card: Card) -> dict[str, Any]:
    return {"kind": "card", "created_ms": card.created_ms, "card": card}


def begin(visit: Visit) -> Answer:
    """Let somebody, known or new, write to a brand.

    Raises:
        ValueError: no handle, or the brand's own
        KeyError: no such brand
    """
    form, world = visit.request.form, visit.world
    brand = world.accounts.require(form.get("brand", ""))
    customer = world.ensure_customer(form.get("customer", "").strip())
    if customer.user_id == brand.user_id:
        raise ValueError(f"@{brand.handle} can't write to itself")
    return see_other(f"{_address(brand, customer)}#text")


def reply(visit: Visit) -> Answer:
    """Let the customer say something, typed or by tapping an answer; nothing typed is nothing said.

    Raises:
        ValueError: an answer that can't be tapped any more
        Refused: too long
    """
    brand, customer = _pair(visit)
    form = visit.request.form
    text, response = form.get("text", "").replace("\r\n", "\n").strip(), None
    if "option" in form:
        text, response = _tapped(visit.world.messages.latest(brand.user_id, customer.user_id), form)
    if text:
        visit.world.messages.receive(customer.handle, brand.handle, text, response)
    return see_other(f"{_address(brand, customer)}#text")


def _tapped(latest: Message | None, form: Any) -> tuple[str, dict[str, str]]:
    """The label of an option, and what its sender gets to know (x.com: ``quick_reply_response``)."""
    options = (latest.quick_reply or {}).get("options", []) if latest and latest.id == form.get("message") else []
    chosen = next((option for number, option in enumerate(options) if str(number) == form["option"]), None)
    if chosen is None:
        raise ValueError("this answer can't be tapped any more: something else was said after it")
    return chosen["label"], {"type": "options", "metadata": chosen.get("metadata", "")}


def _pair(visit: Visit) -> tuple[Account, Account]:
    brand, customer = (visit.world.accounts.by_handle(visit.path_values[name]) for name in ("brand", "customer"))
    if brand is None or customer is None or not brand.is_brand:
        raise Refused(Refusal.NO_SUCH_PAGE)
    return brand, customer


def _address(brand: Account, customer: Account) -> str:
    return f"/_sandbox/conversations/{brand.handle}/{customer.handle}"


def _tag(told: str) -> str:
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'


def _tagged(told: str) -> tuple[tuple[str, str], ...]:
    return (*HEADERS, ("ETag", _tag(told)))
