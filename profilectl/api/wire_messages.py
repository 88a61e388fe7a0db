"""Direct Messages on the wire: the body that sends a message, X's answer to it, and X's list of sent messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from profilectl.api.wire import (
    Unreadable,
    digits,
    document_of,
    encode,
    id_of,
    list_and_cursor,
    mapping,
    mapping_or_empty,
    whole,
)
from profilectl.model import Message, SentMessage

if TYPE_CHECKING:
    from profilectl.api.wire import Answer


_MOST_LABELS = 20  # of answers to tap; of buttons X takes fewer


class ReadAllowance(Struct, frozen=True):
    """How often the account may read its messages: X counts for everybody who has its token."""

    left: int
    again_ms: int  # X's clock, epoch milliseconds: then all of them are there again


class EventPage(Struct, frozen=True):
    """One page of the account's messages, newest first."""

    messages: tuple[SentMessage, ...]
    oldest_ms: int | None  # X's time of the page's last event, None on a page without any
    next_cursor: str | None
    allowance: ReadAllowance | None = None  # None where X doesn't say


def message_body(message: Message) -> bytes:
    """Return the body that sends a message (X: POST direct_messages/events/new)."""
    creation: dict[str, object] = {
        "target": {"recipient_id": digits("recipient id", message.recipient_id)},
        "message_data": _data(message),
    }
    if message.profile_id is not None:
        creation["custom_profile_id"] = digits("profile id", message.profile_id)
    return encode({"event": {"type": "message_create", "message_create": creation}})


def _data(message: Message) -> dict[str, object]:
    data: dict[str, object] = {"text": message.text}
    if message.media_id is not None:
        data["attachment"] = {"type": "media", "media": {"id": digits("media id", message.media_id)}}
    if message.quick_replies:
        # The label is the metadata, too: a program that receives the answers learns from it which reply was tapped.
        options = [{"label": label, "metadata": label} for label in message.quick_replies]
        data["quick_reply"] = {"type": "options", "options": options}
    if message.links:
        data["ctas"] = [{"type": "web_url", "label": link.label, "url": link.url} for link in message.links]
    return data


def read_sent(answer: Answer, message: Message) -> SentMessage:
    """Return the message as X says it sent it; only the event's id must be there, and it must be to the recipient."""
    # The id proves that the message went out. An answer that lacks the rest, too, mustn't make a person send it again.
    sent = _sent(mapping(document_of(answer), "event"), message.recipient_id)
    if sent.recipient_id != message.recipient_id:
        raise Unreadable("it is about a message to somebody else")
    return sent


def read_welcome_profiles(answer: Answer) -> frozenset[str]:
    """Return the ids of the profiles that welcome messages carry.

    X's documentation shows no place for the id in them, so it is looked for everywhere under its name.
    """
    ids, parts = set[str](), [document_of(answer).get("welcome_messages")]
    if not isinstance(parts[0], list):
        raise Unreadable("no list of welcome messages in it")
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            profile_id = part.get("custom_profile_id")
            ids |= {str(profile_id)} if isinstance(profile_id, str | int) else set()
            parts += part.values()
        elif isinstance(part, list):
            parts += part
    return frozenset(ids)


def read_events(answer: Answer, recipient_id: str | None = None) -> EventPage:
    """Return a page of the account's messages, of both sides; with a recipient only those to them."""
    events, cursor = list_and_cursor(document_of(answer), "events", "messages")
    documents = [event for event in events if isinstance(event, dict)]
    times = [time for event in documents if (time := _time(event))]
    return EventPage(
        messages=tuple(
            _sent(event, recipient_id or "")
            for event in documents
            if (to := _recipient(event)) and recipient_id in {None, to}
        ),
        oldest_ms=min(times, default=None),
        next_cursor=cursor,
        allowance=_allowance(answer),
    )


def _allowance(answer: Answer) -> ReadAllowance | None:
    left, again = (answer.headers.get(f"x-rate-limit-{name}", "") for name in ("remaining", "reset"))
    if not (re.fullmatch("[0-9]{1,6}", left) and re.fullmatch("[0-9]{1,11}", again)):
        return None
    return ReadAllowance(int(left), int(again) * 1000)


def _sent(event: Mapping[str, Any], recipient_id: str) -> SentMessage:
    creation = mapping_or_empty(event.get("message_create"))
    data = mapping_or_empty(creation.get("message_data"))
    echo = creation.get("custom_profile_id")
    return SentMessage(
        event_id=id_of(event, "id"),
        sender_id=str(creation.get("sender_id") or ""),
        recipient_id=_recipient(event) or recipient_id,
        profile_id=None if echo is None else str(echo),
        text=_plain_text(data),
        created_ms=_time(event),
        has_attachment=isinstance(data.get("attachment"), dict),
        quick_replies=_labels(mapping_or_empty(data.get("quick_reply")).get("options")),
        buttons=_labels(data.get("ctas")),
        attachment_url=_attachment_url(data),
    )


def _attachment_url(data: Mapping[str, Any]) -> str | None:
    """Return where X has a message's picture, None where it doesn't say, or says something else."""
    media = mapping_or_empty(mapping_or_empty(data.get("attachment")).get("media"))
    url = _string(media, "media_url_https")
    return url if re.fullmatch(r"https?://[!-~]{1,2000}", url) else None


def _labels(items: object) -> tuple[str, ...]:
    """Return the labels of answers or buttons, as many as X takes of them."""
    labels = (
        (_string(mapping_or_empty(item), "label") for item in items[:_MOST_LABELS]) if isinstance(items, list) else ()
    )
    return tuple(whole(label) for label in labels if label)


def _recipient(event: Mapping[str, Any]) -> str:
    creation = mapping_or_empty(event.get("message_create"))
    return str(mapping_or_empty(creation.get("target")).get("recipient_id") or "")


def _time(event: Mapping[str, Any]) -> int:
    """Return when X accepted a message, in epoch milliseconds; 0 when it doesn't say."""
    text = event.get("created_timestamp")
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 15 else 0


def _plain_text(data: Mapping[str, Any]) -> str:
    """Return the text as it was written, as far as X lets it be known."""
    # X may replace addresses with t.co addresses of its own, append such an address for the attachment, and write &, <
    # and > as entities. What X says about its addresses is enough to undo the first two.
    text = data.get("text")
    if not isinstance(text, str):
        return ""
    media = mapping_or_empty(mapping_or_empty(data.get("attachment")).get("media"))
    if own := _string(media, "url"):
        text = text.removesuffix(own).rstrip()
    addresses = mapping_or_empty(data.get("entities")).get("urls")
    for address in addresses if isinstance(addresses, list) else []:
        short, long = (_string(mapping_or_empty(address), key) for key in ("url", "expanded_url"))
        if short and long:
            text = text.replace(short, long)
    if "&" in text:
        import html  # its table of entities is long, and an echo is compared without it

        text = html.unescape(text)
    return whole(text)


def _string(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""
