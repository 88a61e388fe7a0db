"""Conversations as X lists them: bubbles of both sides, who waits for an answer, and what the reading has cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from profilectl.render.bubbles.bubble import framed
from profilectl.render.json_documents import Document, rfc3339
from profilectl.text.escape import excerpt, isolated, visible

if TYPE_CHECKING:
    from rich.console import RenderableType

    from profilectl.api.wire_messages import ReadAllowance
    from profilectl.messaging.reading import Reading, Thread
    from profilectl.model import SentMessage

INBOX_HEADERS: Final = ("status", "who", "when", "text", "answered by")
UNKNOWN_TIME: Final = "at an unknown time"
_EXCERPT: Final = 60  # characters of a message in a list
_WIDEST: Final = 90  # columns of a conversation
_BUBBLE: Final = 0.75  # of them, for one message
_PLENTY: Final = 10  # pages of X's 15: three more readings of the usual length
_LONGEST_SHOWN: Final = 4000  # characters of one message on a terminal; pipes and JSON get all of them


class Faces(Struct, frozen=True):
    """Who is who in an account's messages.

    Attributes:
        handle: the brand's, without @.
        user_id: the account's.
        names: agent and public name by profile id, as record and ledger have them.
        handles: of customers by user id, as the record has them.
    """

    handle: str
    user_id: str
    names: Mapping[str, tuple[str | None, str | None]]
    handles: Mapping[str, str]

    def knowing(self, user_id: str, handle: str | None) -> Faces:
        """Return the same with one more handle."""
        return self if handle is None else replace(self, handles={**self.handles, user_id: handle})

    def is_own(self, message: SentMessage) -> bool:
        """Say whether the account sent a message."""
        return message.sender_id == self.user_id

    def agent(self, message: SentMessage) -> str | None:
        """Return the agent with whose profile a message went out, None where there is none that is known."""
        return self.names.get(message.profile_id or "", (None, None))[0] if self.is_own(message) else None

    def name(self, message: SentMessage) -> str | None:
        """Return the public name beside a message, None where it has none or one that isn't known."""
        return self.names.get(message.profile_id or "", (None, None))[1] if self.is_own(message) else None

    def sender(self, message: SentMessage) -> str:
        """Return who a message is from, for people."""
        if not self.is_own(message):
            return self.customer(message.sender_id)
        if message.profile_id is None:
            return f"@{self.handle}"
        agent, name = self.agent(message), self.name(message)
        if name is None:
            return f"profile {message.profile_id}, which the record doesn't know"
        return name if agent is None else f"{name} ({agent})"

    def customer(self, user_id: str) -> str:
        """Return somebody as people read them: by the handle where the record has it."""
        handle = self.handles.get(user_id)
        return user_id if handle is None else f"@{handle}"


def thread_document(faces: Faces, thread: Thread | None, partner: str, reading: Reading) -> Document:
    """``profilectl.thread/1``: the messages of an account and one other, the oldest first."""
    return {
        "schema": "profilectl.thread/1",
        "handle": faces.handle,
        "customer": {"user_id": partner, "handle": faces.handles.get(partner)},
        "messages": [_message(faces, message) for message in (thread.messages if thread is not None else ())],
        "complete_since": _timestamp(reading.since_ms) if reading.since_ms else None,
        "reads": _reads(reading),
    }


def inbox_document(boxes: Sequence[tuple[str, Faces, Sequence[Thread], Reading]]) -> Document:
    """``profilectl.inbox/1``: the conversations of each brand by its key, the one with the newest message first."""
    return {
        "schema": "profilectl.inbox/1",
        "brands": [
            {
                "brand": brand,
                "handle": faces.handle,
                "conversations": [_conversation(faces, thread) for thread in threads],
                "complete_since": _timestamp(reading.since_ms) if reading.since_ms else None,
                "reads": _reads(reading),
            }
            for brand, faces, threads, reading in boxes
        ],
    }


def thread_rows(faces: Faces, thread: Thread) -> Iterator[tuple[str, ...]]:
    """Yield a conversation for a pipe: time, customer or brand, agent, name, profile id, text, parts, event id."""
    for message in thread.messages:
        side = "brand" if faces.is_own(message) else "customer"
        name = (faces.name(message) or "") if faces.is_own(message) else faces.customer(message.sender_id)
        who = side, faces.agent(message) or "", name, message.profile_id or ""
        along = "; ".join(_parts(message, with_address=True))
        yield _timestamp(message.created_ms) or "", *who, message.text, along, message.event_id


def inbox_rows(brand: str, faces: Faces, threads: Sequence[Thread]) -> Iterator[tuple[str, ...]]:
    """Yield a brand's conversations for a pipe: status, brand, user id, handle, time, agent, name, newest text.

    Agent and name are of who answered.
    """
    for thread in threads:
        newest, answer = thread.newest, thread.answer
        handle = faces.handles.get(thread.user_id, "")
        who = (_status(thread), brand, thread.user_id, f"@{handle}" if handle else "")
        yield (
            *who,
            _timestamp(newest.created_ms) or "",
            "" if answer is None else faces.agent(answer) or "",
            "" if answer is None else faces.name(answer) or "",
            newest.text,
        )


def inbox_cells(brand: str, faces: Faces, threads: Sequence[Thread], *, several: bool) -> Iterator[tuple[str, ...]]:
    """Yield the same for people, see `INBOX_HEADERS`."""
    for thread in threads:
        newest = thread.newest
        who = faces.customer(thread.user_id) + (f" to {brand}" if several else "")
        text = excerpt(" ".join(newest.text.split()), _EXCERPT) or "; ".join(_parts(newest))
        at = _timestamp(newest.created_ms) or UNKNOWN_TIME
        yield _status(thread), who, at, text, "" if thread.answer is None else faces.sender(thread.answer)


def drawn_thread(faces: Faces, thread: Thread, width: int) -> RenderableType:
    """Draw a conversation in `width` columns: the customer at the left, the brand's agents at the right."""
    from rich.align import Align
    from rich.console import Group
    from rich.constrain import Constrain
    from rich.text import Text

    whole = min(width, _WIDEST)
    room = max(8, int(whole * _BUBBLE))
    parts: list[RenderableType] = []
    for message in thread.messages:
        side, colour = ("right", "cyan") if faces.is_own(message) else ("left", "bright_black")
        frame = framed([*_lines(message), *map(visible, _parts(message))], room, colour)
        byline = Text(_byline(faces, message), "bold")
        byline.append(f"  {clock(message.created_ms)}", "not bold dim")
        parts += [Align(part, side) for part in (frame, byline)]  # type: ignore[arg-type]  # its names of the sides
    return Constrain(Group(*parts), whole)


def plain_thread(faces: Faces, thread: Thread) -> Iterator[str]:
    """Yield the same in plain lines."""
    for message in thread.messages:
        yield f"{_byline(faces, message)}, {clock(message.created_ms)}:"
        yield from (f"| {line}".rstrip() for line in _lines(message))
        yield from (f"  {visible(part)}" for part in _parts(message))


def pictures(faces: Faces, thread: Thread, *, is_local: bool) -> Iterator[str]:
    """Yield where the pictures of a conversation can be seen, a line for each; their addresses can't be broken."""
    shown = [message for message in thread.messages if message.has_attachment]
    for message in shown:
        where = "X gives no address of it" if message.attachment_url is None else visible(message.attachment_url)
        yield f"{visible(faces.sender(message))}'s picture of {clock(message.created_ms)}: {where}"
    if shown and not is_local:
        yield f"X shows them to a browser that is logged in as @{visible(faces.handle)}, and in its apps."


def _byline(faces: Faces, message: SentMessage) -> str:
    """Return who a message is from, safe to print; a name that runs from right to left moves nothing around it."""
    sender, name = visible(faces.sender(message)), visible(faces.name(message) or "")
    return sender.replace(name, isolated(name), 1) if name else sender


def allowance(handle: str, reading: Reading) -> str | None:
    """Return how many pages an account may still read, None where X doesn't tell or plenty are left."""
    if reading.allowance is None or reading.allowance.left >= _PLENTY:
        return None
    left, until = reading.allowance.left, clock(reading.allowance.again_ms)
    pages = f"{left or 'no'} more page{'' if left == 1 else 's'}"
    return f"X lets @{visible(handle)} read {pages} of messages until {until}."


def completeness(reading: Reading) -> str | None:
    """Return since when everything was read, None where that is all that X lists."""
    if not reading.since_ms:
        return None
    return f"Older messages than {clock(reading.since_ms)} weren't read: --pages 15 goes further back."


def clock(milliseconds: int) -> str:
    """Return a moment of X's in this machine's time zone, the day only where it isn't today."""
    moment = _moment(milliseconds)
    if moment is None:
        return UNKNOWN_TIME
    local = moment.astimezone()
    is_today = local.date() == datetime.now(UTC).astimezone().date()
    return f"{local:%H:%M}" if is_today else f"{local:%Y-%m-%d %H:%M}"


def _status(thread: Thread) -> str:
    return "answered" if thread.is_answered else "waiting"


def _conversation(faces: Faces, thread: Thread) -> Document:
    return {
        "customer": {"user_id": thread.user_id, "handle": faces.handles.get(thread.user_id)},
        "answered": thread.is_answered,
        "waiting_since": None if thread.waiting_since is None else _timestamp(thread.waiting_since),
        "messages": len(thread.messages),
        "newest": _message(faces, thread.newest),
        "answer": None if thread.answer is None else _message(faces, thread.answer),
    }


def _message(faces: Faces, message: SentMessage) -> Document:
    return {
        "event_id": message.event_id,
        "at": _timestamp(message.created_ms),
        "from": "brand" if faces.is_own(message) else "customer",
        "agent": faces.agent(message),
        "name": faces.name(message),
        "profile_id": message.profile_id if faces.is_own(message) else None,
        "text": message.text,
        "attachment": message.has_attachment,
        "attachment_url": message.attachment_url,
        "quick_replies": list(message.quick_replies),
        "buttons": list(message.buttons),
    }


def _reads(reading: Reading) -> Document:
    left: ReadAllowance | None = reading.allowance
    return {
        "pages": reading.pages,
        "left": None if left is None else left.left,
        "again_at": None if left is None else _timestamp(left.again_ms),
    }


def _lines(message: SentMessage) -> list[str]:
    text = message.text[:_LONGEST_SHOWN].replace("\r\n", "\n")
    lines = [visible(line) for line in text.split("\n")] if text.strip() else []
    return [*lines, "… (--json has all of it)"] if len(message.text) > _LONGEST_SHOWN else lines


def _parts(message: SentMessage, *, with_address: bool = False) -> list[str]:
    """Return what goes along with a message, in words; the address of a picture only where it can't be broken."""
    address = f": {message.attachment_url}" if with_address and message.attachment_url else ""
    parts = [f"a picture{address}"] if message.has_attachment else []
    parts += [f"[ {label} ]" for label in message.buttons]
    return [*parts, *(f"({label})" for label in message.quick_replies)]


def _timestamp(milliseconds: int) -> str | None:
    moment = _moment(milliseconds)
    return None if moment is None else rfc3339(moment)


def _moment(milliseconds: int) -> datetime | None:
    """Return a moment of X's, None for one that X doesn't tell or that no calendar has."""
    try:
        return datetime.fromtimestamp(milliseconds // 1000, UTC) if 0 < milliseconds < _LAST_MS else None
    except (OverflowError, OSError, ValueError):
        return None


_LAST_MS: Final = 253_370_764_800_000  # the year 9999
