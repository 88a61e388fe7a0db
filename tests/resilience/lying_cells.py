"""The lies as columns of the matrix: which there are, and how a run that believes only what is proven has to end.

Where a lie may rightly be seen through in more than one way, any exit code of its class will do; what decides is the
truth at X afterwards: no double, no orphan, no agent replaced, no gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from profilectl.errors import ExitCode
from profilectl.sandbox.model.faults import Kind
from tests.resilience import lies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DONE, REFUSED, PARTIAL, PERSON, LATER = (
    ExitCode.DONE,
    ExitCode.REFUSED,
    ExitCode.PARTIAL,
    ExitCode.PERSON,
    ExitCode.TRY_LATER,
)
End = ExitCode | tuple[ExitCode, ...] | None


@dataclass(frozen=True)
class Fault:
    """A fault, and the family whose members all have the same consequences."""

    name: str
    strike: Callable[..., object]
    family: str
    suffix: str = ""  # of the names that X writes its own way


_FOREIGN = (
    *((403, "html"), (404, "html"), (502, "html"), (403, "json"), (404, "json")),
    *((400, "empty"), (403, "empty"), (404, "empty"), (407, "empty"), (410, "empty")),
)
_BODIES = {"html": "somebody's page", "json": "a gateway's JSON", "empty": "an empty body"}
_LISTS = {
    "empty list": lies.order(Kind.EMPTY_LIST),
    "half a list": lies.order(Kind.HALF_LIST),
    "stale list": lies.order(Kind.STALE_LIST, seconds=lies.STALE),
    "another account's list": lies.another_account,
    "shrinking list": lies.order(Kind.SHRINKING_LIST),
    "reordered list": lies.order(Kind.REORDERED_LIST),
    "list without its cursor": lies.order(Kind.CURSORLESS_LIST),
}
NAMES = {  # how X keeps a name: the rule, what such a name ends with, and what it ends with at X
    "escaped": (Kind.NAME_ESCAPED, " & Co", " &amp; Co"),
    "in decomposed letters": (Kind.NAME_NFD, " Zo\u00eb", " Zoe\u0308"),
    "without its emoji": (Kind.NAME_WITHOUT_EMOJI, " Co\u2600", " Co"),
}
_LATE = {"after 30 s": 30.0, "after 90 s": 90.0, "after two hours": 7200.0}


def _lies() -> Iterator[Fault]:
    """Yield every column."""
    for status, body in _FOREIGN:
        name = f"{status} with {_BODIES[body]}"
        strike = lies.order(Kind.FOREIGN_BEFORE, status=status, body=body)
        yield Fault(f"{name}, not applied", strike, "foreign")
        strike = lies.order(Kind.FOREIGN_AFTER, status=status, body=body)
        yield Fault(f"{name}, applied", strike, "foreign after")
    for name, strike in _LISTS.items():
        yield Fault(name, strike, "lying list")
    for name, (kind, suffix, _) in NAMES.items():
        yield Fault(f"name kept {name}", lies.names_change(kind), "name", suffix)
        yield Fault(f"name kept {name}, unanswered", lies.unanswered(lies.names_change(kind)), "name", suffix)
    for name, seconds in {"an hour ahead": 3600, "an hour behind": -3600, "70 s ahead": 70, "70 s behind": -70}.items():
        yield Fault(f"Date {name}", lies.order(Kind.DATE_JUMP, seconds=seconds), "date")
    yield Fault("applied twice", lies.twice, "double")
    yield Fault("applied twice, unanswered", lies.unanswered(lies.twice), "double, unanswered")
    for name, seconds in _LATE.items():
        strike = lies.order(Kind.LATE, seconds=seconds)
        family = "much later" if seconds > 3600 else "late"
        yield Fault(f"503, applied {name}", strike, family)
        yield Fault(f"timeout, applied {name}", lies.too_late(strike), family)
    strike = lies.order(Kind.LATE, seconds=30.0)
    yield Fault("503, applied after 30 s, Dates an hour ahead", lies.dates_jump(strike, 3600), "late")
    yield Fault("answer about a bound profile, not applied", lies.bound_id(Kind.REUSED_ID), "reused id")
    yield Fault("answer about a stranger, not applied", lies.strange_id(Kind.REUSED_ID), "reused id")
    yield Fault("answer about a bound profile, applied", lies.bound_id(Kind.OTHER_ID), "other id")
    yield Fault("answer about a stranger, applied", lies.strange_id(Kind.OTHER_ID), "other id")


LIES = tuple(_lies())

_ASKED_AGAIN = {"foreign": ((DONE, LATER), LATER), "date": (DONE, DONE)}  # calls that do no harm
_ANY = (DONE, REFUSED, PARTIAL, PERSON, LATER)
_LIST = _ASKED_AGAIN | {"lying list": ((DONE, REFUSED, PERSON, LATER), _ANY)}
_CREATE = {
    "foreign": ((DONE, PERSON, LATER), (PARTIAL, PERSON, LATER)),
    "foreign after": ((DONE, PERSON, LATER), (DONE, PERSON, LATER)),
    "name": (DONE, None),
    "date": (DONE, DONE),
    "double": ((DONE, PERSON), None),
    "double, unanswered": ((PERSON, LATER), None),
    "late": ((DONE, PERSON, LATER), None),
    "much later": ((DONE, PERSON, LATER), None),
    "reused id": ((DONE, PARTIAL, PERSON, LATER), None),
    "other id": ((DONE, PARTIAL, PERSON, LATER), None),
}
_UNANSWERED = dict.fromkeys(("unsent", "lost before", "lost after", "lost body", "foreign"), (_ANY, _ANY))
ENDS: dict[str, dict[str, tuple[End, End]]] = {
    "verify": _ASKED_AGAIN,
    "first page": _LIST,
    "later page": _ASKED_AGAIN,
    "list again": _LIST | {"foreign": ((DONE, LATER), (PERSON, LATER))},
    "list again, later": _ASKED_AGAIN | {"foreign": ((DONE, LATER), (PERSON, LATER))},
    "look-up": _ASKED_AGAIN,
    "face": _ASKED_AGAIN | {"other id": ((DONE, REFUSED, LATER), None)},  # an answer about another one is asked again
    # whether hugo's profile is gone: who isn't told waits for another run, and nobody else waits for that
    "witness": _UNANSWERED | {"harmless": (DONE, DONE), "date": (DONE, DONE), "other id": (_ANY, None)},
    "upload": {
        "foreign": ((DONE, PARTIAL, LATER), (PARTIAL, PERSON, LATER)),
        "foreign after": ((DONE, PARTIAL, LATER), (PARTIAL, PERSON, LATER)),
        "date": (DONE, DONE),
    },
    "create": _CREATE,
    "hasty create": dict.fromkeys(_CREATE, ((*_ANY[:1], *_ANY[2:]), None)),
    "destroy": {
        "foreign": ((DONE, PARTIAL, LATER), (PARTIAL, LATER)),
        "foreign after": ((DONE, PARTIAL, LATER), (DONE, PARTIAL, LATER)),
        "date": (DONE, DONE),
        "other id": ((DONE, PARTIAL, LATER), None),
    },
    "post": {
        "foreign": (PERSON, None),
        "foreign after": ((DONE, PERSON), None),
        "date": (DONE, None),
        "double": ((DONE, PERSON), None),
        "double, unanswered": ((DONE, PERSON), None),
    },
    "messages": {"foreign": ((DONE, PERSON), PERSON), "date": (DONE, DONE)},
}
_OF_A_CREATE = ("name", "double", "double, unanswered", "late", "much later", "reused id")
NEVER: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (("later page", "list again, later"), ("lying list",), "a reading is lied to from its first page on"),
    (("*",), ("lying list",), "only a list can lack, borrow or repeat profiles"),
    (("*",), ("foreign after",), "a reading applies nothing: see the answer that isn't applied"),
    (("*",), _OF_A_CREATE, "only what makes something can make it twice, late, or by another name"),
    (("*",), ("other id",), "the answer isn't about one profile"),
    (("witness",), ("*",), "as at the other calls that only ask"),
)
