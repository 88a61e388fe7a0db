"""What the record answers: rows for terminals, pipes and spreadsheets, and documents for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from profilectl.audit.faces import Status
from profilectl.audit.periods import ALWAYS_MS
from profilectl.audit.queries import actor_parts
from profilectl.render.json_documents import Document, timestamp
from profilectl.system.host import host_name, name_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from profilectl.audit.comparison import Verdict
    from profilectl.audit.faces import Entry, Face
    from profilectl.audit.periods import Period
    from profilectl.audit.queries import Outgoing
    from profilectl.audit.reconcile import Reconciliation
    from profilectl.ledger.heads import Setback
    from profilectl.model import LedgerAccount

Brands = Mapping[str, tuple[str, ...]]
"""The keys of an account's brands, by its user id."""

NOT_RECORDED = "not recorded"
PRUNED = "pruned"
LOG_HEADERS = ("time", "event", "about")
LOG_CELLS = ("record", "time", "account", "brand", "event", "agent", "profile", "by", "recipient", "name", "detail")
SENT_HEADERS = ("time", "to", "as", "at X, origin", "by")
SENT_CELLS = (
    *("time", "brand", "agent", "recipient", "name", "profile"),
    *("status", "origin", "event id", "record", "text", "by"),
    *("kind", "marker", "first contact"),
)
_GAPS = {
    "restored": "the ledger was restored",
    "recovered": "the ledger was rebuilt",
    "begun": "the ledger was begun anew",
}
_FIRST = {True: "yes", False: "no", None: ""}
_DONE = {"created": "created", "adopted": "adopted, so X had it before"}
_LEFT = {"removed": "removed", "replaced": "replaced", "destroyed": "destroyed", "forgotten": "let go"}
_STATUS = {
    Status.SPEAKS: "the agent's face",
    Status.SHOWN: "nobody sent with it any more; customers could still see it",
    Status.LEFT: "let go and left at X, where customers may still see it",
}


def period(asked: Period, zone: str | None) -> Document:
    """Return a period as a part of a document; `zone` is the time zone in which it was typed."""
    return {"from": _moment(asked.from_ms), "until": _moment(asked.until_ms), "zone": zone}


def _moment(milliseconds: int) -> str | None:
    return None if abs(milliseconds) >= ALWAYS_MS else timestamp(milliseconds)


def _begin(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else timestamp(milliseconds)


# Every record


def log_head(asked: Period, zone: str | None, begin_ms: int | None) -> Document:
    """``profilectl.audit/1``: the records that were asked for, without these: they are many."""
    return {"schema": "profilectl.audit/1", "period": period(asked, zone), "record_begins": _begin(begin_ms)}


def log_record(entry: Entry, brands: Brands) -> Document:
    """Return a record as a part of a document."""
    event = entry.event
    return {
        "seq": entry.seq,
        "at": timestamp(event.at_ms),
        "account": event.account,
        "brands": list(brands.get(event.account, ())),
        "event": event.what,
        "agent": event.agent,
        "profile_id": event.profile_id,
        "actor": entry.actor,
        "detail": dict(event.detail),
    }


def log_cells(entry: Entry, brands: Brands) -> tuple[str, ...]:
    """Return a record as `LOG_CELLS`, for pipes and spreadsheets."""
    event = entry.event
    detail = json.dumps(dict(event.detail), ensure_ascii=True, sort_keys=True)
    about = (_word(event.detail, "recipient_id"), _word(event.detail, "name"), detail)
    subject = (brand_of(event.account, brands), event.what, event.agent or "", event.profile_id or "", entry.actor)
    return (str(entry.seq), timestamp(event.at_ms), event.account, *subject, *about)


def log_row(entry: Entry, brands: Brands) -> tuple[str, ...]:
    """Return a record under `LOG_HEADERS`, for people; the brand where the ledger has several accounts."""
    event = entry.event
    words = {"recipient_id": "to {}", "recipient": "to {}", "name": '"{}"', "why": "{}", "rule": "forbidden by: {}"}
    words |= {"replaced": "in place of {}", "handle": "@{}", "options": "{}"}
    about = [event.agent] if event.agent else []
    about += [form.format(event.detail[key]) for key, form in words.items() if event.detail.get(key)]
    about += [f"profile {event.profile_id}"] if event.profile_id else []
    about += _where(event.account, brands)
    about += [PRUNED] if PRUNED in event.detail else []
    return (
        timestamp(event.at_ms),
        event.what,
        f"{', '.join(about)}, by {who_ran(entry.actor)} (record {entry.seq})".lstrip(", "),
    )


def who_ran(actor: str) -> str:
    """Return an actor as people read it: whoever had logged in by name, where the record is of this machine."""
    _, host, login = actor_parts(actor)
    name = name_of(login) if login is not None and host == host_name() else None
    return actor if name is None else actor.replace(f"(login uid {login}", f"(logged in as {name}", 1)


def brand_of(account: str, brands: Brands) -> str:
    """Return the brands of an account as one word."""
    return ", ".join(brands.get(account, ()))


def _where(account: str, brands: Brands) -> list[str]:
    return [f"in {brand_of(account, brands) or account}"] if len(brands) > 1 else []


def _word(detail: Mapping[str, Any], key: str) -> str:
    return str(detail.get(key) or "")


# Who somebody was


def who(
    name: str, account: LedgerAccount, asked: Period, zone: str | None, faces: Sequence[Face], begin_ms: int | None
) -> Document:
    """``profilectl.who/1``: whose face a public name was in a period."""
    return {
        "schema": "profilectl.who/1",
        "name": name,
        "account": {"user_id": account.user_id, "handle": account.handle, "host": account.host},
        "brands": list(account.brands),
        "period": period(asked, zone),
        "record_begins": _begin(begin_ms),
        "faces": [
            {
                "agent": face.agent,
                "name": face.name,
                "profile_id": face.profile_id,
                "status": face.status(asked).value,
                "began": _entry(face.began),
                "left": _entry(face.left),
                "why": face.why,
                "over": _entry(face.over),
                "picture": face.picture,
                "consent": face.consent,
                "plan": face.plan,
                "commit": face.commit,
            }
            for face in faces
        ],
    }


def _entry(entry: Entry | None) -> Document | None:
    if entry is None:
        return None
    event = entry.event
    return {"at": timestamp(event.at_ms), "event": event.what, "actor": entry.actor, "seq": entry.seq}


def who_cells(face: Face, asked: Period) -> tuple[str, ...]:
    """Return a face as cells, for pipes; an end that isn't recorded is empty."""
    return (
        *(face.agent or "", face.name or "", face.profile_id, face.status(asked).value),
        *(_at(entry) for entry in (face.began, face.left, face.over)),
        face.picture or NOT_RECORDED,
        *("" if entry is None else entry.actor for entry in (face.began, face.left)),
        face.consent or NOT_RECORDED,
        "" if face.began is None else face.began.event.what,  # one that was adopted was at X before
    )


def who_table(faces: Sequence[Face], asked: Period) -> RenderableType:
    """Draw faces, each as facts below one another: a line of all of them would be too wide."""
    from rich.console import Group

    from profilectl.render.tables import listing

    return Group(*(listing(("what", "recorded"), _facts(face, asked)) for face in faces))


def _facts(face: Face, asked: Period) -> Iterator[tuple[str, str]]:
    yield "agent", face.agent or "none of ours"
    yield "public name", face.name or NOT_RECORDED
    yield "then", _STATUS[face.status(asked)]
    yield "since", NOT_RECORDED if face.began is None else _sentence(face.began, _DONE[face.began.event.what])
    yield "until", "it hasn't ended" if face.left is None else _sentence(face.left, _left(face))
    yield "seen until", _seen_until(face)
    yield "profile", face.profile_id
    yield "picture", face.picture or NOT_RECORDED
    yield "consent", face.consent or NOT_RECORDED
    yield "plan", face.plan or NOT_RECORDED
    if face.commit is not None:
        yield "roster in git", face.commit


def _left(face: Face) -> str:
    return _LEFT.get(face.why or "", face.why or "")


def _seen_until(face: Face) -> str:
    if face.over is None:
        return "the record has no end: X has it still, as far as it tells"
    again = face.over.event.what == "adopted"
    return _sentence(face.over, "bound once more" if again else "destroyed")


def span(face: Face) -> str:
    """Return a face as a phrase: whose it was, and from when to when customers could see it."""
    since, until = (_at(entry) for entry in (face.began, face.over))
    is_older = face.began is not None and face.began.event.what == "adopted"
    before = " (adopted then, so X had it before)" if is_older else ""
    whose = f"{face.agent or 'none of ours'}, profile {face.profile_id}"
    return f"{whose}, from {since or '?'}{before} to {until or 'today'}"


def _sentence(entry: Entry, deed: str) -> str:
    return f"{timestamp(entry.event.at_ms)}, {deed} by {who_ran(entry.actor)} (record {entry.seq})"


def _at(entry: Entry | None) -> str:
    return "" if entry is None else timestamp(entry.event.at_ms)


# What was sent


def sent_head(asked: Period, zone: str | None, begin_ms: int | None) -> Document:
    """``profilectl.sent/1``: the messages that were asked for, without these: they are many."""
    return {"schema": "profilectl.sent/1", "period": period(asked, zone), "record_begins": _begin(begin_ms)}


def sent_message(message: Outgoing, brands: Brands) -> Document:
    """Return a message as a part of a document."""
    event = message.entry.event
    return {
        "seq": message.entry.seq,
        "at": timestamp(event.at_ms),
        "account": event.account,
        "brands": list(brands.get(event.account, ())),
        "agent": event.agent,
        "recipient_id": message.recipient_id,
        "name": message.name,
        "profile_id": event.profile_id,
        "status": message.status,
        "event_id": message.event_id,
        "origin": message.origin,
        "actor": message.entry.actor,
        "text": message.text,
        "pruned": message.is_pruned,
        "kind": message.kind,
        "marker": message.marker,
        "first_contact": message.is_first_contact,
    }


def sent_row(message: Outgoing, brands: Brands) -> tuple[str, ...]:
    """Return a message under `SENT_HEADERS`, for people; the brand where the ledger has several accounts."""
    event = message.entry.event
    name = "a name that is not recorded" if message.name is None else message.name
    face = f"{name} (profile {event.profile_id})" if event.profile_id else "the brand itself"
    sender = ", ".join([*([event.agent] if event.agent else []), face, *_where(event.account, brands)])
    how = f"{message.status}, {message.origin or NOT_RECORDED}"
    recipient = message.recipient_id or (PRUNED if message.is_pruned else NOT_RECORDED)
    return timestamp(event.at_ms), recipient, sender, how, who_ran(message.sender)


def sent_cells(message: Outgoing, brands: Brands) -> tuple[str, ...]:
    """Return a message as `SENT_CELLS`, for pipes and spreadsheets; the text is empty where it wasn't kept."""
    event, name = message.entry.event, message.name or ""
    sender = (brand_of(event.account, brands), event.agent or "")
    recipient = message.recipient_id or (PRUNED if message.is_pruned else "")
    head = (timestamp(event.at_ms), *sender, recipient, name, event.profile_id or "")
    tail = (message.event_id or "", str(message.entry.seq), message.text or "", who_ran(message.sender))
    disclosed = (message.kind or "", message.marker or "", _FIRST[message.is_first_contact])
    return (*head, message.status, message.origin or NOT_RECORDED, *tail, *disclosed)


def disclosed(message: Outgoing) -> tuple[str, str]:
    """Return for people what a customer was told: the kind with its marker, and whether it was the first contact."""
    marker = f', its name says "{message.marker}"' if message.marker else ""
    return f"{message.kind or NOT_RECORDED}{marker}", _FIRST[message.is_first_contact] or NOT_RECORDED


# Whether X tells the same

RECONCILE_HEADERS = ("what", "brand", "time", "to", "as", "event id")


def reconciliation(results: Mapping[str, Reconciliation]) -> Document:
    """``profilectl.reconcile/1``: by brand, what X lists and the record doesn't have, and the other way round."""
    return {
        "schema": "profilectl.reconcile/1",
        "brands": [
            {
                "brand": brand,
                "from": timestamp(result.from_ms),
                "until": timestamp(result.until_ms),
                "agreed": result.agreed,
                "unknown": [
                    {
                        "event_id": message.event_id,
                        "at": timestamp(message.created_ms),
                        "recipient_id": message.recipient_id,
                        "profile_id": message.profile_id,
                    }
                    for message in result.unknown
                ],
                "missing": [
                    {
                        "event_id": entry.event.detail.get("event_id"),
                        "at": timestamp(entry.event.at_ms),
                        "recipient_id": entry.event.detail.get("recipient_id"),
                        "agent": entry.event.agent,
                        "seq": entry.seq,
                    }
                    for entry in result.missing
                ],
            }
            for brand, result in results.items()
        ],
    }


def reconciliation_rows(brand: str, result: Reconciliation) -> Iterator[tuple[str, ...]]:
    """Yield each difference under `RECONCILE_HEADERS`."""
    for message in result.unknown:
        profile = f"profile {message.profile_id}"
        when = timestamp(message.created_ms)
        yield "not on the record", brand, when, message.recipient_id, profile, message.event_id
    for entry in result.missing:
        detail = entry.event.detail
        ids = str(detail.get("recipient_id") or ""), entry.event.agent or "", str(detail.get("event_id") or "")
        yield ("not at X", brand, timestamp(entry.event.at_ms), *ids)


def reconciled(brand: str, result: Reconciliation) -> str:
    """Return what was compared, in a sentence."""
    compared = f"{brand}: {counted(result.agreed, 'message')} at X and on the record since {timestamp(result.from_ms)}"
    return compared if result.from_ms == result.asked_ms else f"{compared}; X let no older ones be read now"


def gap(brand: str, entry: Entry, days: int) -> str:
    """Return why the record may lack messages from before an event of `reconcile.GAPS`, and how long X lists them."""
    when = timestamp(entry.event.at_ms)
    lack = f"what was sent before that may not be on its record, and is listed until it is {days} days old"
    return f"{brand}: {_GAPS[entry.event.what]} at {when}: {lack}"


# Whether it is whole


def verify(
    place: str,
    verdict: Verdict,
    against: str | None,
    setbacks: Sequence[Setback],
    untrue: Sequence[str],
    accepted: Sequence[int],
) -> Document:
    """``profilectl.verify/1``: whether the chain is whole and has what was seen of it."""
    head = None if verdict.head is None else {"seq": verdict.head.seq, "hash": verdict.head.hash}
    missing = None if verdict.missing is None else dict(zip(("first", "last"), verdict.missing, strict=True))
    return {
        "schema": "profilectl.verify/1",
        "place": place,
        "whole": verdict.is_whole and not setbacks and not untrue,
        "records": verdict.records,
        "head": head,
        "broken": verdict.broken,
        "against": against,
        "compared": verdict.compared,
        "other": verdict.other,
        "missing": missing,
        "setbacks": [
            {"user_id": setback.user_id, "seq": setback.head.seq, "is_missing": setback.is_missing}
            for setback in setbacks
        ],
        "untrue": list(untrue),
        "accepted": list(accepted),
        "pruned": verdict.pruned,
    }


def outgrown(records: int) -> str:
    """Return what is wrong where this host had computed another tree."""
    return f"the first {counted(records, 'record')} aren't those over which this host had computed a tree"


def verified(verdict: Verdict, accepted: Sequence[int]) -> Iterator[str]:
    """Yield what was proven of the record by itself, sentence by sentence."""
    if verdict.head is None:
        yield "the record is empty"
        return
    yield f"{counted(verdict.records, 'record')}, the chain is whole, and the ledger is what they say"
    for seq in accepted:
        yield f"record {seq} was changed, or one before it is missing: a person went on behind it (break-accepted)"
    if verdict.pruned:
        gone = "texts and recipients were removed; `profilectl audit log --event pruned` tells by whom"
        yield f"from {counted(verdict.pruned, 'record')} {gone}"
    yield f"head {verdict.head.hash} (record {verdict.head.seq})"


def faults(verdict: Verdict, against: str | None, setbacks: Sequence[Setback]) -> Iterator[str]:
    """Yield what isn't as it was written, the first record of each kind of fault named."""
    if verdict.broken is not None:
        yield f"record {verdict.broken} isn't as it was written: the chain is whole up to the one before"
    if verdict.other is not None and verdict.other != verdict.broken:
        yield f"record {verdict.other} is another one in {against}"
    if verdict.missing is not None:
        first, last = verdict.missing
        which = f"record {last}" if first == last else f"records {first} to {last}"
        newest = 0 if verdict.head is None else verdict.head.seq
        where = (
            f"missing at the end: the last one here is {newest}"
            if last > newest
            else "missing, and later ones are here"
        )
        yield f"{which} of {against} {where}"
    for setback in setbacks:
        how = "is missing" if setback.is_missing else "is another one by now"
        yield f"record {setback.head.seq}, which this host has seen, {how}"


def export(place: str, lines: str, page: str, records: int, digest: str, verdict: Verdict) -> Document:
    """``profilectl.export/1``: the files with the record of a period, and the head of the chain that they are from."""
    head = None if verdict.head is None else {"seq": verdict.head.seq, "hash": verdict.head.hash}
    return {
        "schema": "profilectl.export/1",
        "place": place,
        "lines": lines,
        "page": page,
        "records": records,
        "digest": digest,
        "head": head,
    }


def counted(count: int, what: str) -> str:
    """Return a number with what it counts."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
