"""The record of a period: lines of JSON that can be checked, and one page that people can read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct
from msgspec.structs import asdict

from profilectl.audit.queries import STATUSES
from profilectl.render.html import fill
from profilectl.render.json_documents import Document, timestamp
from profilectl.render.record import answers

if TYPE_CHECKING:
    from profilectl.audit.chain import Record
    from profilectl.audit.evidence import Evidence
    from profilectl.audit.periods import Period
    from profilectl.model import LedgerAccount

_FACES = (
    *("brand", "agent", "public name", "profile", "since", "until", "seen until"),
    *("entered by", "consent", "picture"),
)
_SENT = (*answers.SENT_HEADERS, "kind", "first contact")
_TALLIES = ("brand", "agent", "messages", *STATUSES, "written by")


class Section(Struct, frozen=True):
    """A table of the page."""

    title: str
    remark: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    nothing: str


class LineSink:
    """Writes the records of a period as lines: what they are, then a line for each, then how many there were."""

    def __init__(self, file: BinaryIO, asked: Period, zone: str | None, accounts: Sequence[LedgerAccount]) -> None:
        import hashlib

        self.count = 0
        self._file = file
        self._hash = hashlib.sha256()
        known = [{**asdict(account), "brands": list(account.brands)} for account in accounts]
        self._write({"schema": "profilectl.audit-export/1", "period": answers.period(asked, zone), "accounts": known})

    def add(self, record: Record, at_ms: int) -> None:
        """Write a record as it is stored: its hash is the SHA-256 of `prev_hash` and `text`, one behind the other."""
        chained = {"prev_hash": record.prev_hash, "hash": record.hash, "text": record.text}
        self._write({"seq": record.seq, "at": timestamp(at_ms), **chained})
        self.count += 1

    def end(self, head: Record | None) -> None:
        """Write how many records there were, the digest of all lines before, and the head of the chain."""
        last = {} if head is None else {"head": {"seq": head.seq, "hash": head.hash}}
        self._write({"records": self.count, "digest": self.digest, **last}, is_last=True)

    @property
    def digest(self) -> str:
        """The digest of all lines but the last."""
        return f"sha256:{self._hash.hexdigest()}"

    def _write(self, values: Document, *, is_last: bool = False) -> None:
        line = json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        if not is_last:
            self._hash.update(line)
        self._file.write(line)


def facts(
    accounts: Sequence[LedgerAccount], asked: Period, zone: str | None, head: Record | None, file: str, lines: LineSink
) -> list[tuple[str, str]]:
    """Return what stands at the top of the page: what it is about, and what proves it."""
    asked_for = answers.period(asked, zone)
    zoned = "" if zone is None else f"; the days are those of {zone}"
    chain = "empty" if head is None else f"whole up to record {head.seq}, hash {head.hash}"
    return [
        *(
            ("account", f"@{who.handle}, user id {who.user_id} at {who.host}, brand {', '.join(who.brands)}")
            for who in accounts
        ),
        ("from", f"{asked_for['from']}{zoned}"),
        ("until", f"{asked_for['until']}, which isn't part of it"),
        ("times", "UTC"),
        ("records", f"{lines.count}, all of them in {file}"),
        ("that file", f"{lines.digest} of all its lines but the last"),
        ("chain", chain),
    ]


def page(title: str, facts: Sequence[tuple[str, str]], evidence: Evidence, brands: answers.Brands) -> str:
    """Return a page without scripts that loads nothing: faces, messages by agent, changes, and the first messages."""
    sections = [make(evidence, brands) for make in (_faces, _tallies, _changes, _messages)]
    return fill("record.html", title=title, facts=facts, sections=sections)


def _faces(evidence: Evidence, brands: answers.Brands) -> Section:
    rows = []
    for face in evidence.faces():
        agent, name, profile, _, *times, picture, by, _, consent, _ = answers.who_cells(face, evidence.selection.period)
        rows.append((answers.brand_of(face.account, brands), agent, name, profile, *times, by, consent, picture))
    remark = (
        "Who customers could see, and whose face it was. An agent speaks with a face until it is replaced or removed; "
        "customers may see it until X doesn't have it any more. An empty cell: not ended, or not known."
    )
    return Section("Faces", remark, _FACES, rows, "The record has no face in this period.")


def _tallies(evidence: Evidence, brands: answers.Brands) -> Section:
    rows = [
        (
            answers.brand_of(tally.account, brands),
            tally.agent,
            str(sum(counts)),
            *map(str, counts),
            _origins(tally.by_origin),
        )
        for tally in evidence.tallies()
        for counts in [tally.by_status.values()]
    ]
    remark = "How many messages each agent sent, and whether X showed them with the agent's face."
    return Section("Messages by agent", remark, _TALLIES, rows, "No message was sent in this period.")


def _origins(counts: Mapping[str | None, int]) -> str:
    return ", ".join(f"{origin or answers.NOT_RECORDED}: {count}" for origin, count in counts.items())


def _changes(evidence: Evidence, brands: answers.Brands) -> Section:
    rows = [answers.log_row(entry, brands) for entry in evidence.changes]
    remark = f"What was changed, when and by whom.{_more(evidence.more_changes, 'changes')}"
    return Section("Changes", remark, answers.LOG_HEADERS, rows, "Nothing was changed in this period.")


def _messages(evidence: Evidence, brands: answers.Brands) -> Section:
    rows = [(*answers.sent_row(message, brands), *answers.disclosed(message)) for message in evidence.messages]
    what = "When, to whom, and with which face; whether it was a human or a bot, and the first message to them."
    remark = f"{what}{_more(evidence.more_messages, 'messages')}"
    return Section("Messages", remark, _SENT, rows, "No message was sent in this period.")


def _more(count: int, what: str) -> str:
    return f" {count} more {what} are in the file of lines only." if count else ""
