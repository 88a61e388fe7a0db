"""The matrix as data: steps, faults, which of them meet, how such a run has to end, and why the others can't meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from profilectl.errors import ExitCode
from profilectl.sandbox.model.faults import Kind
from tests.resilience import faults, lying_cells
from tests.resilience.lying_cells import LIES, Fault
from tests.resilience.scenery import GRACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.resilience.lying_cells import End

DONE, CREDENTIALS, REFUSED, PARTIAL, PERSON, LATER = (
    ExitCode.DONE,
    ExitCode.CREDENTIALS,
    ExitCode.REFUSED,
    ExitCode.PARTIAL,
    ExitCode.PERSON,
    ExitCode.TRY_LATER,
)
SYNC = ("sync", "--yes", "--jobs", "1")
_ALICE = "create Alice Anew"
SEND = ("send", "--as", "anna", "--to", "@customer", "Hello", "--human-wrote-this")


@dataclass(frozen=True)
class Step:
    """A step of a run: its moments begin with `moment`, and `role` says what a failure of it comes to."""

    name: str
    moment: str
    role: str
    words: tuple[str, ...] = SYNC
    doubt: tuple[str, Callable[..., object]] | None = None  # trouble before, so that this step comes to pass


@dataclass(frozen=True)
class Cell:
    """One fault at one step; `end` is None where a killed process has no exit code, several codes where any will do."""

    step: Step
    fault: Fault
    throughout: bool
    end: End

    @property
    def codes(self) -> tuple[ExitCode | None, ...]:
        return self.end if isinstance(self.end, tuple) else (self.end,)

    @property
    def end_in_words(self) -> str:
        return " or ".join("killed" if code is None else str(int(code)) for code in self.codes)

    @property
    def rest(self) -> float:
        """Seconds until the next run: the latest create has arrived, and there are calls for a list without an end."""
        if self.fault.family == "much later":
            return 7200.0
        return 900.0 if self.throughout and self.fault.family == "empty page" else 1.0

    @property
    def grace(self) -> float:
        """Seconds until what was replaced is due: a Date header that jumped ahead may have put it off as far."""
        return GRACE + 3600.0 if self.fault.family in {"date", "late"} else GRACE

    @property
    def name(self) -> str:
        return f"{self.step.name} × {self.fault.name}" + (", throughout" if self.throughout else "")


STEPS = (
    Step("credentials", "verify", "verify"),
    Step("lock", "ledger lock", "lock", (*SYNC, "--max-wait", "0s")),
    Step("list page 1", "list 1", "first page"),
    Step("list page n", "list n", "later page"),
    Step("show of a lost one", "face", "witness"),
    Step("adopt", "ledger adopt", "ledger"),
    Step("upload", "upload", "upload"),
    Step("intent", "ledger begin_intent", "ledger"),
    Step("create of a repair", "create Hugo", "create"),
    Step("create of a replacement", "create Alice Anew", "create"),
    Step("create of a newcomer", "create Dora", "create"),
    Step("create, nobody waits", "create Alice Anew", "hasty create", (*SYNC, "--max-wait", "0s")),
    Step("creates, eight at once", "create", "create", ("sync", "--yes", "--jobs", "8")),
    Step("list again", "list again", "list again", doubt=(_ALICE, faults.reset_after)),
    Step("list again, page n", "list more", "list again, later", doubt=(_ALICE, faults.reset_after)),
    Step("intent, once more", "ledger reattempt", "ledger", doubt=(_ALICE, faults.dns)),
    Step("doubt", "ledger mark_unknown", "ledger", doubt=(_ALICE, faults.reset_after)),
    Step("withdrawal", "ledger cancel_intent", "ledger", doubt=(_ALICE, faults.reset_before)),
    Step("settle", "ledger finish_intent", "ledger"),
    Step("retire", "ledger retire", "ledger"),
    Step("destroy of a leaver", "destroy Emil", "destroy"),
    Step("destroy of a replaced one", "destroy Fay Before", "destroy"),
    Step("destroy without grace", "destroy Alice", "destroy", (*SYNC, "--prune-now")),
    Step(
        "destroy without grace, second round",
        "destroy Alice",
        "destroy",
        (*SYNC, "--prune-now"),
        doubt=(_ALICE, faults.reset_before),
    ),
    Step("end of a destroy", "ledger drop", "ledger"),
    Step("end", "end", "end"),
    Step("send: look-up", "user", "look-up", SEND),
    Step("send: face", "face", "face", SEND),
    Step("send: promise", "ledger begin_send", "promise", SEND),
    Step("send: POST", "send", "post", SEND),
    Step("send: echo", "send", "echo", SEND),
    Step("send: list of messages", "messages", "messages", SEND, doubt=("send", faults.reset_after)),
    Step("send: record", "ledger finish_send", "record", SEND),
)

FAULTS = (
    Fault("killed before", faults.kill_before, "killed"),
    Fault("killed after", faults.kill_after, "killed"),
    Fault("disk full", faults.disk_full, "disk"),
    Fault("disk read-only", faults.read_only, "disk"),
    Fault("DNS", faults.dns, "unsent"),
    Fault("connection refused", faults.refused, "unsent"),
    Fault("reset before it is applied", faults.reset_before, "lost before"),
    Fault("timeout before it is applied", faults.timeout_before, "lost before"),
    Fault("503 not applied", faults.refuse(503, 130), "lost before"),
    Fault("reset after it was applied", faults.reset_after, "lost after"),
    Fault("timeout after it was applied", faults.timeout_after, "lost after"),
    Fault("503 applied", faults.over_capacity_after, "lost after"),
    Fault("200 with HTML", faults.html, "lost after"),
    Fault("200 cut short", faults.cut, "lost body"),
    Fault("200 without id", faults.without_id, "lost body"),
    Fault("a byte a second", faults.byte_a_second, "lost body"),
    Fault("slow answer", faults.late, "harmless"),
    Fault("429 with reset", faults.limit(30), "limit with reset"),
    Fault("429 without reset", faults.limit(None), "limit"),
    Fault("402, no credits", faults.no_credits, "credits"),
    Fault("redirect", faults.redirect, "redirect"),
    Fault("400", faults.refuse(400, 214), "no"),
    Fault("401", faults.refuse(401, 89), "who"),
    Fault("403, code 87", faults.refuse(403, 87), "allowlist"),
    Fault("list lags, answered", faults.lag, "lag"),
    Fault("list lags, unanswered", faults.lag_unanswered, "lag and loss"),
    Fault("lost, and a stranger's older namesake surfaces", faults.older_namesake, "namesake"),
    Fault("empty page with cursor", faults.empty_page, "empty page"),
    Fault("repeated cursor", faults.repeated_cursor, "circle"),
    Fault("duplicate ids", faults.duplicate_ids, "twins"),
    Fault("clock an hour ahead", faults.clock_jumps(1), "clock"),
    Fault("clock an hour behind", faults.clock_jumps(-1), "clock"),
    Fault("lock's side file can't be written", faults.no_holder_file, "side file"),
    Fault("lock held", faults.lock_held, "lock"),
    Fault("roster changed", faults.roster_changes, "moved"),
    Fault("picture changed", faults.picture_changes, "picture"),
    Fault("profile destroyed by others", faults.profile_goes, "gone"),
    Fault("echo missing", faults.echo(Kind.ECHO_MISSING), "echo"),
    Fault("echo of another profile", faults.echo(Kind.ECHO_OTHER), "echo"),
    Fault("echo of another account", faults.other_sender, "echo"),
    *LIES,
)

# What a run comes to, by the step's role and the fault's family: when it strikes once, and when it strikes throughout
# the run (None: that is the same, the first strike ends the run or the step).
_SAFE = {  # calls that are repeated until they are answered
    "unsent": (DONE, LATER),
    "lost before": (DONE, LATER),
    "lost after": (DONE, LATER),
    "lost body": (DONE, LATER),
    "harmless": (DONE, DONE),
    "limit with reset": (DONE, LATER),
    "limit": (LATER, None),
    "credits": (LATER, None),
    "redirect": (LATER, None),
    "who": (CREDENTIALS, None),
    "clock": (CREDENTIALS, None),
    "moved": (DONE, None),
    "killed": (None, None),
}
_ALLOWED = {"allowlist": (CREDENTIALS, None)}  # X looks at the allowlist where custom profiles are concerned
_PAGE = _SAFE | _ALLOWED | {"empty page": (DONE, DONE), "twins": (DONE, DONE)}
_NEW_PICTURE = {"picture": (REFUSED, None)}  # read, but not prepared yet
_TROUBLE: dict[str, dict[str, tuple[End, End]]] = {
    "verify": _SAFE | _NEW_PICTURE | {"no": (REFUSED, None)},
    "first page": _PAGE | _NEW_PICTURE | {"no": (REFUSED, None)},
    "later page": _PAGE | _NEW_PICTURE | {"no": (REFUSED, None), "empty page": (DONE, LATER), "circle": (LATER, None)},
    "list again": _PAGE | {"no": (LATER, None), "picture": (DONE, None)},
    "list again, later": _PAGE
    | {"no": (LATER, None), "picture": (DONE, None), "empty page": (DONE, LATER), "circle": (LATER, None)},
    "look-up": _SAFE | {"no": (REFUSED, None), "limit with reset": (LATER, None), "gone": (REFUSED, None)},
    "face": _SAFE | _ALLOWED | {"no": (REFUSED, None), "limit with reset": (LATER, None), "gone": (REFUSED, None)},
    "upload": _SAFE | {"no": (PARTIAL, None), "picture": (DONE, None)},
    "destroy": {family: codes for family, codes in _SAFE.items() if family != "lost body"}
    | _ALLOWED
    # the list and the profile's own page tell what is gone; the last round has no further one
    | {"lost after": (DONE, DONE), "redirect": ((DONE, LATER), None), "no": (PARTIAL, None), "picture": (DONE, None)},
    "create": _SAFE
    | _ALLOWED
    | {
        "lost after": (DONE, DONE),  # the list tells what was made
        "lost body": (DONE, DONE),
        "limit": (DONE, LATER),
        "redirect": (DONE, LATER),
        "no": (PARTIAL, None),
        "picture": (DONE, None),
        "lag": (DONE, None),
        "lag and loss": (DONE, None),
        "namesake": (PERSON, None),
    },
    "hasty create": {
        "unsent": (LATER, None),
        "lost before": (LATER, None),
        "lost after": (DONE, None),
        "lost body": (DONE, None),
        "harmless": (DONE, None),
        "limit with reset": (LATER, None),
        "limit": (LATER, None),
        "credits": (LATER, None),
        "redirect": (LATER, None),
        "no": (PARTIAL, None),
        "who": (CREDENTIALS, None),
        "allowlist": (CREDENTIALS, None),
        "clock": (CREDENTIALS, None),
        "lag": (DONE, None),
        "lag and loss": (LATER, None),
        "namesake": (LATER, None),
    },
    "ledger": {
        "killed": (None, None),
        "disk": (REFUSED, None),
        "moved": (DONE, None),
        "picture": (DONE, None),
    },
    "lock": {
        "killed": (None, None),
        "side file": (REFUSED, None),
        "lock": (LATER, None),
        "moved": (DONE, None),
        "picture": (DONE, None),  # read under the lock, so it is the one that is true then
    },
    "end": {"killed": (None, None)},
    "post": {
        "killed": (None, None),
        "unsent": (DONE, LATER),
        "lost before": (PERSON, None),
        "lost after": (DONE, None),  # the list tells what went out
        "lost body": (DONE, None),
        "harmless": (DONE, None),
        "limit with reset": (LATER, None),
        "limit": (LATER, None),
        "credits": (LATER, None),
        "redirect": (PERSON, None),
        "no": (REFUSED, None),
        "who": (CREDENTIALS, None),
        "allowlist": (CREDENTIALS, None),
        "clock": (CREDENTIALS, None),
        "moved": (DONE, None),
        "gone": (PERSON, None),
    },
    "messages": {  # of a message whose answer was lost: as long as the list can't be read it stays in doubt
        "killed": (None, None),
        "unsent": (DONE, PERSON),
        "lost before": (DONE, PERSON),
        "lost after": (DONE, PERSON),
        "lost body": (DONE, PERSON),
        "harmless": (DONE, DONE),
        "limit with reset": (PERSON, None),
        "limit": (PERSON, None),
        "credits": (PERSON, None),
        "redirect": (PERSON, None),
        "no": (PERSON, None),
        "who": (PERSON, None),
        "clock": (PERSON, None),
        "moved": (DONE, None),
    },
    "promise": {
        "killed": (None, None),
        "disk": (REFUSED, None),
        "lock": (DONE, None),
        "moved": (DONE, None),
        "gone": (PERSON, None),
    },
    "echo": {"echo": (PERSON, None)},
    "record": {"killed": (None, None), "disk": (PERSON, None), "lock": (DONE, None)},
}
CODES = {role: _TROUBLE.get(role, {}) | lying_cells.ENDS.get(role, {}) for role in _TROUBLE | lying_cells.ENDS}

# Why a fault and a step don't meet, by role and family; the first line that fits counts, "*" stands for all.
_NEVER: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (("end",), ("*",), "all is done and told: only the process itself can still fail"),
    (("echo",), ("*",), "the echo is a part of the POST's answer: see there"),
    (("*",), ("echo",), "only the answer to a message has an echo"),
    (("*",), ("lag", "lag and loss", "namesake"), "only a create makes what a list may lack, or take for another one"),
    (("first page", "list again"), ("circle",), "no cursor has been given out yet: see list page n"),
    (("*",), ("empty page", "circle", "twins"), "only a list has pages"),
    (("messages", "record"), ("gone",), "the message has gone out with its face"),
    (("*",), ("gone",), "a race of send; for a sync it is drift, which the next plan sees"),
    (("record",), ("moved", "picture"), "the message has gone out, and the roster isn't read again"),
    (("look-up", "face", "promise", "post", "messages"), ("picture",), "a send reads no picture"),
    (("*",), ("lock",), "the lock is asked for once, by sync alone"),
    (("*",), ("side file",), "the side file belongs to the lock"),
    (("hasty create",), ("killed", "moved", "picture"), "patience plays no part: as at the create of a replacement"),
    (("ledger", "lock", "promise", "record"), ("*",), "nothing is asked of X at this step"),
    (("*",), ("disk",), "nothing is written at this step; see intent, settle, retire and the end of a destroy"),
    (
        ("verify", "upload", "look-up", "messages"),
        ("allowlist",),
        "X asks for the allowlist where custom profiles are concerned",
    ),
    (("destroy",), ("lost body",), "a 204 has no body"),
    *lying_cells.NEVER,
)


def cells() -> Iterator[Cell]:
    """Yield every cell that makes sense."""
    for step in STEPS:
        for fault in FAULTS:
            if reason(step, fault) is None:
                once, throughout = CODES[step.role][fault.family]
                yield Cell(step, fault, throughout=False, end=once)
                if throughout is not None:
                    yield Cell(step, fault, throughout=True, end=throughout)


def reason(step: Step, fault: Fault) -> str | None:
    """Say why a fault and a step don't meet; None when they do."""
    if fault.family in CODES[step.role]:
        return None
    return next(
        why
        for roles, families, why in _NEVER
        if (step.role in roles or roles == ("*",)) and (fault.family in families or families == ("*",))
    )
