"""A plan as a document: made by ``diff``, kept in a file, and compared by ``sync --plan`` with what would be done now.

The document is ``profilectl.plan/1``. Nothing of it is ever applied: a sync plans anew and compares, so that a forged
file can at worst be refused.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import Struct
from msgspec.structs import asdict

from profilectl.digests import digest_of, is_digest
from profilectl.errors import GuardRefused, StalePlan, UsageError
from profilectl.model import Brand
from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.plan.fingerprint import Basis
from profilectl.text.escape import excerpt, visible

if TYPE_CHECKING:
    from profilectl.plan.builder import Plan
    from profilectl.plan.guards import Refusal

LARGEST_PLAN: Final = 20_000_000  # bytes: more than the changes of the 20,000 agents that a roster may have
_MEMORY: Final = {b"[": 100, b"{": 250, b",": 80}  # bytes that Python takes for what each begins, as measured
_MOST_MEMORY: Final = 100_000_000  # bytes: twice those of 20,000 changes
HOW_TO_SAVE: Final = "`profilectl diff --out plan.json` makes one"
_SCHEMA: Final = re.compile(r"profilectl\.plan/(\d{1,9})")

Document = dict[str, Any]
T = TypeVar("T")


class Selection(Struct, frozen=True):
    """What a person chose for the plan: equal choices give equal plans."""

    agents: frozenset[str] = frozenset()  # keys of those that take part; empty for all
    allow_deletes: int | None = None  # per brand; None for the policy's guards
    allow_lost: int | None = None  # per brand; None for the policy's guards
    prune_now: bool = False  # whether replaced profiles go without their grace
    verify_avatars: bool = False  # whether the live pictures are compared with those that were uploaded
    labels: tuple[tuple[str, str], ...] = ()  # that everybody has who takes part; empty for all


class ExpectedDigest(Struct, frozen=True):
    """The digest that ``diff`` showed, of the plan that a sync has to be about to do."""

    digest: str

    def check(self, plan: Plan) -> None:
        """Refuse a plan of another digest; what has moved can't be told from a digest."""
        if plan.digest != self.digest:
            raise StalePlan(
                f"nothing was changed: the plan isn't {self.digest} any more, but {plan.digest}",
                hint="run `profilectl diff` with the same options to see it",
            )


class SavedPlan(Struct, frozen=True):
    """A plan that a person has reviewed, as a file holds it."""

    name: str  # the file's, visible
    brands: tuple[str, ...]  # their keys
    selection: Selection
    basis: Basis
    changes: tuple[Change, ...]
    digest: str

    def check(self, plan: Plan) -> None:
        """Refuse a plan that isn't the saved one, and say what has moved since; or one that a guard refuses."""
        if plan.digest != self.digest:
            raise self._stale(_movement(self, plan))
        if plan.refused is not None:
            allow = plan.refused.allow
            hint = (
                f"`profilectl diff {allow} --out {shlex.quote(self.name)}` makes one that is allowed" if allow else None
            )
            raise GuardRefused(plan.refused.message, hint=hint, agents=plan.refused.agents)

    def check_brands(self, brands: Sequence[Brand]) -> None:
        """Refuse a roster that has lost one of the brands, before anything is asked of X."""
        if not set(self.brands) <= {brand.key for brand in brands}:
            raise self._stale(_have_changed(["the roster"]))

    def _stale(self, reason: str) -> StalePlan:
        return StalePlan(
            f"nothing was changed: {reason} since {self.name} was made",
            hint=f"run `profilectl diff --out {shlex.quote(self.name)}` again, with the same options, and look at it",
        )


Expectation = ExpectedDigest | SavedPlan


def _refusal(refusal: Refusal) -> Document:
    return {
        "guard": refusal.guard,
        "message": refusal.message,
        "allow": refusal.allow,
        "agents": [{"brand": brand, "agent": agent} for brand, agent in refusal.agents],
    }


def expected_digest(text: str) -> ExpectedDigest:
    """Read the value of ``--expect``; UsageError when it is no digest."""
    if not is_digest(text):
        raise UsageError(
            f"--expect takes a plan's digest, not {excerpt(text)}",
            hint="`profilectl diff` ends with it: sha256: and 64 hexadecimal digits",
        )
    return ExpectedDigest(text)


def to_document(
    plan: Plan,
    brands: Sequence[str],
    selection: Selection,
    budget: Sequence[Document] = (),
    left_out: Sequence[Document] = (),
    cost: Document | None = None,
) -> Document:
    """``profilectl.plan/1``: what a sync would do.

    Args:
        plan: the plan.
        brands: keys of the brands that it is about.
        selection: what else was chosen; kept, so that a sync can be about the same.
        budget: what X's daily limits leave of it, brand by brand, see `sync.quota.to_document`.
        left_out: the brands that were chosen, too, but couldn't be looked at, and why.
        cost: what it costs at X, see `prices.to_document`; None where nobody has reckoned it.

    Returns:
        A document whose ``checksum`` is the digest of all the rest, so that an edit is noticed.
    """
    document = {
        "schema": "profilectl.plan/1",
        "digest": plan.digest,
        "refused": None if plan.refused is None else _refusal(plan.refused),
        "changes": [change.plain() for change in plan.changes],
        "summary": plan.summary(),
        "basis": asdict(plan.basis),
        "selection": {"brands": list(brands)}
        | asdict(selection)
        | {
            "agents": sorted(selection.agents),
            "labels": [f"{key}={value}" for key, value in selection.labels],
        },
        "budget": list(budget),
        "left_out": list(left_out),
        "notices": [notice.plain() | {"at": _moment(notice.at_ms)} for notice in plan.notices],
        "cost": cost,
    }
    return document | {"checksum": digest_of(document)}


def is_document(content: bytes) -> bool:
    """Say whether a file's bytes are a saved plan, also one that is damaged, or that a newer version made."""
    try:
        return _SCHEMA.fullmatch(_decode(content, "").get("schema", "")) is not None
    except (StalePlan, TypeError):
        return False


def from_document(content: bytes, name: str) -> SavedPlan:
    """Return the plan that a document holds.

    Args:
        content: a file's bytes.
        name: the file's, visible.

    Raises:
        StalePlan: it isn't a saved plan, is one of a newer version, or was edited.
    """
    document = _decode(content, name)
    schema = document.get("schema")
    version = _SCHEMA.fullmatch(schema if isinstance(schema, str) else "")
    if version is None:
        raise _foreign(name, "it isn't a plan's document")
    if int(version[1]) > 1:
        raise StalePlan(
            f"{name} was made by a newer profilectl: its schema is {version[0]}",
            hint=f"update profilectl, or run `profilectl diff --out {shlex.quote(name)}` with this version",
        )
    try:
        saved = _parse(name, document)
        document.pop("sandbox", None)  # which `diff --json` adds for its readers
        checksum = _typed(document.pop("checksum"), str)
        plan_digest = digest_of([document["basis"], document["changes"]])
        is_whole = checksum == digest_of(document) and saved.digest == plan_digest
    except (KeyError, TypeError, ValueError, RecursionError):
        raise _foreign(name, "parts of a plan's document are missing or of the wrong type") from None
    if not is_whole:
        raise StalePlan(
            f"{name} was edited after it was made: it doesn't match its own digest",
            hint=f"`profilectl diff --out {shlex.quote(name)}` makes it anew",
        )
    return saved


def _foreign(name: str, why: str) -> StalePlan:
    return StalePlan(f"{name} is no saved plan: {why}", hint=HOW_TO_SAVE)


def _decode(content: bytes, name: str) -> Document:
    if sum(content.count(mark) * memory for mark, memory in _MEMORY.items()) > _MOST_MEMORY:
        raise _foreign(name, "it holds more than the changes of 20,000 agents")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):  # the latter for a hundred thousand brackets
        raise _foreign(name, "it isn't JSON") from None
    if not isinstance(document, dict):
        raise _foreign(name, "it isn't a plan's document")
    return document


def _parse(name: str, document: Document) -> SavedPlan:
    """Turn a document into values; KeyError, TypeError or ValueError when it isn't of the right shape."""
    choice = dict(_typed(document["selection"], dict))
    brands = _texts(choice.pop("brands"))
    if not brands:
        raise ValueError("no brand")
    return SavedPlan(
        name=name,
        brands=brands,
        selection=_selection(choice),
        basis=Basis(**{key: _typed(value, str) for key, value in _typed(document["basis"], dict).items()}),
        changes=tuple(_change(_typed(entry, dict)) for entry in _typed(document["changes"], list)),
        digest=_typed(document["digest"], str),
    )


def _selection(choice: Document) -> Selection:
    agents = frozenset(_texts(choice.pop("agents")))
    # plans of earlier versions don't say what may be made anew
    allowed = choice.pop("allow_deletes"), choice.pop("allow_lost", None)
    # a boolean is an integer to Python, but not in JSON
    if any(number is not None and (type(number) is not int or number < 0) for number in allowed):
        raise TypeError("a number of profiles")
    labels = tuple(_label(word) for word in _texts(choice.pop("labels", [])))  # nor do they know of labels
    if not all(isinstance(value, bool) for value in choice.values()):
        raise TypeError("a switch")
    return Selection(agents, *allowed, labels=labels, **choice)


def _label(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not equals:
        raise ValueError("no label")
    return key, value


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _change(entry: Document) -> Change:
    profile_id = entry["profile_id"]
    return Change(
        brand=_typed(entry["brand"], str),
        agent=_typed(entry["agent"], str),
        action=Action(entry["action"]),
        why=tuple(Reason(reason) for reason in _texts(entry["why"])),
        profile_id=None if profile_id is None else _typed(profile_id, str),
        before=_appearance(entry["before"]),
        after=_appearance(entry["after"]),
        former=None if entry.get("former") is None else _typed(entry["former"], str),
    )


def _appearance(value: object) -> Appearance | None:
    if value is None:
        return None
    entry = _typed(value, dict)
    return Appearance(_typed(entry["name"], str), _typed(entry["avatar"], str))


def _typed(value: object, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"no {kind.__name__}")
    return value


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_typed(item, str) for item in _typed(value, list))


def _movement(saved: SavedPlan, plan: Plan) -> str:
    """Say what differs between a saved plan and the one of now: "the roster and 2 pictures have changed"."""
    consents = _neutral(saved.changes) ^ _neutral(plan.changes)
    pictures = _pictures(_others(saved.changes, consents), _others(plan.changes, consents))
    agents = dict.fromkeys(f"the consent of {visible(agent)}" for _, agent in sorted(consents))
    words = {
        "roster": ["the roster"],
        # initials that take a photo's place are no picture that somebody has changed
        "pictures": [*agents, *([] if agents and pictures == "pictures" else [pictures])],
        "ledger": ["the ledger"],
        "remote": ["X's profiles"],
    }
    moved = [word for name in plan.basis.moved_since(saved.basis) for word in words[name]]
    return _have_changed(moved) if moved else _what_time_did(saved.changes, plan.changes)


def _neutral(changes: Iterable[Change]) -> set[tuple[str, str]]:
    """Return brand and agent of those who get a neutral name or picture."""
    return {(change.brand, change.agent) for change in changes if Reason.CONSENT in change.why}


def _others(changes: Sequence[Change], without: set[tuple[str, str]]) -> list[Change]:
    return [change for change in changes if (change.brand, change.agent) not in without]


def _have_changed(things: Sequence[str]) -> str:
    """Return a clause about one thing or several: "the roster has changed"."""
    *others, last = things
    is_single = not others and (last.startswith("the ") or last == "1 picture")
    listed = f"{', '.join(others)} and {last}" if others else last
    return f"{listed} {'has' if is_single else 'have'} changed"


def _pictures(earlier: Sequence[Change], now: Sequence[Change]) -> str:
    """Count the pictures that changed, as far as the plans show their agents."""
    # an agent that only one of the plans is about has, in the other, the picture that is bound
    before, after = _avatars(earlier), _avatars(now)
    bound = {(change.brand, change.agent): change.before.avatar for change in (*earlier, *now) if change.before}
    concerned = before.keys() | after.keys()
    pairs = {(before.get(who, bound.get(who)), after.get(who, bound.get(who))) for who in concerned}
    count = sum(None not in pair and pair[0] != pair[1] for pair in pairs)
    if count == 0:  # changed files of agents that neither plan is about
        return "pictures"
    return "1 picture" if count == 1 else f"{count} pictures"


def _avatars(changes: Iterable[Change]) -> Mapping[tuple[str, str], str]:
    return {(change.brand, change.agent): change.after.avatar for change in changes if change.after}


def _what_time_did(earlier: Sequence[Change], now: Sequence[Change]) -> str:
    """Say why the same things give another plan today: something was due, or X's list shows more."""
    saved = frozenset(earlier)
    due = [change for change in now if change not in saved]
    for change in due:
        if change.action is Action.DESTROY:
            return "a retired profile's grace is over"
        if Reason.UNTIL in change.why:
            return f"the last day of {visible(change.agent)} is over"
        if change.is_repair:
            return f"the profile of {visible(change.agent)} has been missing from X's list for too long"
    if any(change.waits for change in earlier):
        return "a create that X never answered can be settled now"
    if any(Reason.SWAPPED in change.why for change in (*earlier, *due)):
        return "live pictures have changed"
    return "the plan has become another one"
