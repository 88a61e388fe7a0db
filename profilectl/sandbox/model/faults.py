"""Faults on order: rules that say which call fails, how, how often and after how many that went well."""

from __future__ import annotations

import enum
import json
import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from profilectl.sandbox.model.store import Store

EVERY_CALL = "*"
# The names of the endpoints: what a rule may name.
CALLS = (
    *("verify", "list", "show", "upload", "upload-status", "create", "destroy", "send", "message", "messages"),
    *("typing", "upload-begin", "upload-append", "upload-finish"),
    *("user", "limits", "request-token", "access-token", "invalidate"),
    *("feedback-create", "feedback-show", "feedback-events"),
    "welcome-messages",
)


class Kind(enum.StrEnum):
    """What goes wrong. "Applied" means that the world has changed although the client can't know."""

    REFUSE = "refuse"  # an error body of X with `status` and `code`; not applied
    ERROR_BEFORE = "error-before"  # 5xx; not applied
    ERROR_AFTER = "error-after"  # 5xx; applied
    DROP_BEFORE = "drop-before"  # the connection closes without an answer; not applied
    DROP_AFTER = "drop-after"  # the same; applied
    RATE_LIMIT = "rate-limit"  # 429; `seconds` until the reset, without it no headers; not applied
    CREDITS = "credits"  # 402, the app has no credits left, as v2 says it; not applied
    SLOW = "slow"  # the answer comes `seconds` late; applied
    HOLD = "hold"  # applied, then silence until released or for `seconds`, then the connection closes
    CUT = "cut"  # the first half of the answer's body; applied
    HTML = "html"  # a page of an edge server instead of the answer; applied
    NO_ID = "no-id"  # the answer without its id; applied
    LAG = "lag"  # create: the list doesn't know the profile for `seconds`
    EXPIRED = "expired"  # upload: the id it answers with has already expired
    EMPTY_PAGE = "empty-page"  # list: nothing on the page, but a cursor
    ECHO_MISSING = "echo-missing"  # send: goes out under the brand's own name and picture
    ECHO_OTHER = "echo-other"  # send: goes out with another profile than asked for
    FOREIGN_BEFORE = "foreign-before"  # `status` (502) and `body` of a proxy or gateway, not of X; not applied
    FOREIGN_AFTER = "foreign-after"  # the same; applied
    EMPTY_LIST = "empty-list"  # list: no profiles and no cursor
    HALF_LIST = "half-list"  # list: every second profile is missing
    STALE_LIST = "stale-list"  # list: as it was `seconds` ago
    FOREIGN_LIST = "foreign-list"  # list: the profiles of the other accounts
    SHRINKING_LIST = "shrinking-list"  # list: after its first page every second profile is missing
    REORDERED_LIST = "reordered-list"  # list: the second page repeats the last of the first and skips the next
    CURSORLESS_LIST = "cursorless-list"  # list: the first page claims to be the last
    NAME_ESCAPED = "name-escaped"  # create: X keeps the name with &amp; &lt; &gt; and shows it so from then on
    NAME_FOLDED = "name-folded"  # create: the same, with one space for several
    NAME_NFD = "name-nfd"  # create: the same, with decomposed letters
    NAME_WITHOUT_EMOJI = "name-without-emoji"  # create: the same, without emoji
    DATE_JUMP = "date-jump"  # the answer's Date is `seconds` off, negative ones too; applied
    TWICE = "twice"  # create, send: applied twice, answered with the second
    LATE = "late"  # create: an error now (`status`, 503), applied after `seconds`
    REUSED_ID = "reused-id"  # create: answered with the id of a profile that exists (`id`, or the oldest); not applied
    OTHER_ID = "other-id"  # show, create, destroy: answered about another profile (`id`, or the oldest); applied
    PACKED = "packed"  # the answer with Content-Encoding: gzip, which nobody asked for; applied
    ENDLESS_HEAD = "endless-head"  # header fields without end; applied
    ENDLESS_HINTS = "endless-hints"  # 103 (Early Hints) without end; applied
    DRIP = "drip"  # the answer's body byte by byte, one each `seconds` (1); applied
    ENDLESS_LIST = "endless-list"  # list: each page names another one
    PICTURE_ADDRESS = "picture-address"  # list, show, create: pictures are at `message`, or inside this network
    JSON_NAN = "json-nan"  # the answer with a NaN; applied
    JSON_TWICE = "json-twice"  # the same, with each key once more and nothing in it
    JSON_DEEP = "json-deep"  # the same, with an array in arrays, 100,000 deep
    JSON_HUGE = "json-huge"  # the same, with a number of 5,000 digits
    JSON_SURROGATE = "json-surrogate"  # the same, with half a character behind every text
    JSON_LONG = "json-long"  # the same, with a million letters behind every text
    RANDOM = "random"  # one of the kinds that fit the call, drawn with `seed` and `probability`


BODIES = ("html", "json", "empty")  # of foreign answers: a page, {"message": "Not Found"}, nothing
# These lie to a whole reading of the list: what counts is its first page, and later pages keep to the story.
LIST_LIES = (
    *(Kind.EMPTY_LIST, Kind.HALF_LIST, Kind.STALE_LIST, Kind.FOREIGN_LIST),
    *(Kind.SHRINKING_LIST, Kind.REORDERED_LIST, Kind.CURSORLESS_LIST, Kind.ENDLESS_LIST),
)
# Where a kind that isn't listed here can happen: at every call.
_FITTING: Mapping[Kind, tuple[str, ...]] = {
    **dict.fromkeys((*LIST_LIES, Kind.EMPTY_PAGE), ("list",)),
    **dict.fromkeys((Kind.NAME_ESCAPED, Kind.NAME_FOLDED, Kind.NAME_NFD, Kind.NAME_WITHOUT_EMOJI), ("create",)),
    **dict.fromkeys((Kind.LAG, Kind.LATE, Kind.REUSED_ID), ("create",)),
    **dict.fromkeys((Kind.ECHO_MISSING, Kind.ECHO_OTHER), ("send",)),
    Kind.EXPIRED: ("upload", "upload-finish"),
    Kind.TWICE: ("create", "send"),
    Kind.OTHER_ID: ("show", "create", "destroy"),
    Kind.PICTURE_ADDRESS: ("list", "show", "create"),
}
_ANYWHERE = (Kind.ERROR_BEFORE, Kind.ERROR_AFTER, Kind.DROP_BEFORE, Kind.DROP_AFTER, Kind.CUT, Kind.HTML)
_DRAWN: Mapping[str, tuple[Kind, ...]] = {
    "create": (*_ANYWHERE, Kind.NO_ID, Kind.LAG),
    "list": (*_ANYWHERE, Kind.EMPTY_PAGE),
    "upload": (*_ANYWHERE, Kind.NO_ID),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule: it counts the permitted calls that fit, and affects those after the first `after`, `times` of them."""

    kind: Kind
    call: str = EVERY_CALL  # one of CALLS
    times: int | None = 1  # None: for ever; of the kinds that end in "-list", readings from the first page to the last
    after: int = 0
    match: str = ""  # only calls with this text in their path, query or JSON body
    seconds: float | None = None  # as `kind` uses them; None is the kind's own default
    status: int | None = None
    code: int | None = None
    message: str = ""
    body: str = "html"  # of a foreign answer, one of BODIES
    id: str = ""  # of the profile that an answer speaks of
    probability: float = 1.0
    seed: int = 0

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Fault:
        """A rule as JSON has it; ValueError for an unknown word, a value of another type, or what can never happen."""
        if not isinstance(plain, dict):
            raise ValueError("a fault is an object")  # noqa: TRY004 - a wrong document
        keys = sorted(field.name for field in fields(cls))
        for key in plain:
            _require_known("key", key, keys)
        _require_known("kind", plain.get("kind"), [kind.value for kind in Kind])
        _require_known("call", plain.get("call", EVERY_CALL), [EVERY_CALL, *CALLS])
        _require_known("body", plain.get("body", "html"), list(BODIES))
        rule = cls.restored(plain)
        for name, types in _TYPES.items():
            if not isinstance(getattr(rule, name), types) or isinstance(getattr(rule, name), bool):
                raise ValueError(f"{name}: {getattr(rule, name)!r} won't do")  # noqa: TRY004 - a wrong document
        _require_possible(rule)
        return rule

    @classmethod
    def restored(cls, plain: Mapping[str, Any]) -> Fault:
        """A rule that was checked when it was armed."""
        return cls(**{**plain, "kind": Kind(plain["kind"])})

    def to_plain(self) -> dict[str, Any]:
        """The rule as JSON has it."""
        return asdict(self)

    def effect_on(self, call: str, seen: int) -> Fault | None:
        """The fault that a call meets which fits, after `seen` others: this one, what it draws, or None."""
        if seen < self.after or (self.times is not None and seen >= self.after + self.times):
            return None
        draw = random.Random(f"{self.seed}:{call}:{seen}")  # noqa: S311 - repeatable on purpose
        if draw.random() >= self.probability:
            return None
        if self.kind is not Kind.RANDOM:
            return self
        drawn = draw.choice(_DRAWN.get(call, _ANYWHERE))
        return replace(self, kind=drawn, seconds=30.0 if self.seconds is None else self.seconds)


def _require_known(what: str, value: object, known: list[str]) -> None:
    if value in known:
        return
    close = get_close_matches(value, known, 1) if isinstance(value, str) else []
    advice = f", did you mean {close[0]!r}?" if close else f"; there are {', '.join(known)}"
    raise ValueError(f"unknown {what} {value!r}{advice}")


def _require_possible(rule: Fault) -> None:
    """Raise ValueError for a rule under which nothing could ever go wrong."""
    calls = _FITTING.get(rule.kind, CALLS)
    if rule.call not in {EVERY_CALL, *calls}:
        raise ValueError(f"{rule.kind} can't happen to {rule.call}, only to {' and '.join(calls)}")
    if rule.times is not None and rule.times < 1:
        raise ValueError(f"times: {rule.times} would never strike; give 1 or more, or null for ever")
    if rule.after < 0:
        raise ValueError(f"after: {rule.after} is fewer than none; give how many calls go well first, or leave it out")
    if not 0 < rule.probability <= 1:
        raise ValueError(f"probability: {rule.probability} must be above 0, and 1 at most")
    if rule.seconds is not None and not _is_duration(rule.seconds, may_be_negative=rule.kind is Kind.DATE_JUMP):
        raise ValueError(f"seconds: {rule.seconds} is no length of time")


def _is_duration(seconds: float, *, may_be_negative: bool) -> bool:
    return math.isfinite(seconds) and (seconds >= 0 or may_be_negative)


_TYPES: Mapping[str, tuple[type, ...]] = {
    "times": (int, type(None)),
    "after": (int,),
    "match": (str,),
    "seconds": (int, float, type(None)),
    "status": (int, type(None)),
    "code": (int, type(None)),
    "message": (str,),
    "id": (str,),
    "probability": (int, float),
    "seed": (int,),
}


class Faults:
    """The rules of one world; they outlive the process and hold for everybody who shares the world."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, *faults: Fault) -> None:
        """Arm rules, after those that are armed already."""
        with self._store.transaction():
            for fault in faults:
                self._store.change("INSERT INTO faults (rule, seen) VALUES (?, 0)", json.dumps(fault.to_plain()))

    def all(self) -> list[tuple[Fault, int]]:
        """Every armed rule, with the number of calls it has counted."""
        rows = self._store.rows("SELECT rule, seen FROM faults ORDER BY id")
        return [(Fault.restored(json.loads(row["rule"])), row["seen"]) for row in rows]

    def to_plain(self) -> list[dict[str, Any]]:
        """Every armed rule as JSON has it, with the calls that it has ``seen``."""
        return [{**fault.to_plain(), "seen": seen} for fault, seen in self.all()]

    def clear(self) -> None:
        """Disarm everything."""
        self._store.change("DELETE FROM faults")

    def take(self, call: str, texts: Iterable[str], *, is_first_page: bool = True) -> list[Fault]:
        """Count a call, whose path, query and body hold `texts`, and return the faults that it meets."""
        if self._store.row("SELECT 1 FROM faults") is None:
            return []
        texts = list(texts)
        effects = []
        with self._store.transaction():
            for row in self._store.rows("SELECT * FROM faults ORDER BY id"):
                rule = Fault.restored(json.loads(row["rule"]))
                fits = rule.call in {EVERY_CALL, call} and any(rule.match in text for text in texts)
                if fits and (is_first_page or rule.kind not in LIST_LIES):
                    self._store.change("UPDATE faults SET seen = seen + 1 WHERE id = ?", row["id"])
                    effects.append(rule.effect_on(call, row["seen"]))
        return [fault for fault in effects if fault]
