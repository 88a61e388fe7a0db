"""What a doctor finds, and what follows from it: pure values, no looking.

The layers stand in the order in which they are told, which is roughly the order in which they carry each other. Where
one has failed, those that need it aren't looked at: their failure would say nothing new.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from profilectl.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from profilectl.errors import ProfilectlError

CLOCK_REFUSED = 300.0
"""Seconds that a clock may be off before X refuses every signature (code 135)."""

CLOCK_DOUBTFUL = 30.0
"""Seconds that no clock under NTP is ever off."""

SCARCE = 0.1
"""The part of a limit that is little to have left."""

_SET_CLOCK = "set this machine's clock, best by NTP: X refuses signatures that are more than 5 minutes off"
_PERMISSION = (
    "in X's developer console set the app's permissions to read, write and Direct Messages, regenerate the access "
    "token, then run `profilectl auth login`: a token keeps the permission it was made with"
)


class Layer(enum.StrEnum):
    """One line of the report; the order is the report's."""

    VERSIONS = "versions"
    CLOCK = "clock"
    NETWORK = "network"
    PROXY = "proxy"
    KEYRING = "keyring"
    CREDENTIALS = "credentials"
    TOKEN = "token"  # noqa: S105 - the name of a layer, not a token
    ACCESS = "access"
    ALLOWLIST = "allowlist"
    QUOTA = "quota"
    ROSTER = "roster"
    PICTURES = "pictures"
    LEDGER = "ledger"


NEEDS: Mapping[Layer, tuple[Layer, ...]] = {
    Layer.CLOCK: (Layer.NETWORK,),
    Layer.TOKEN: (Layer.NETWORK, Layer.CLOCK, Layer.CREDENTIALS),
    Layer.ACCESS: (Layer.TOKEN,),
    Layer.ALLOWLIST: (Layer.TOKEN,),
    Layer.QUOTA: (Layer.TOKEN,),
    Layer.PICTURES: (Layer.ROSTER,),
}
"""The layers without which another one can't be looked at."""


class State(enum.StrEnum):
    """How a layer is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Judgement:
    """How something is, in one line.

    Attributes:
        hint: what to do about it.
        exit_code: DONE unless it failed.
        because: the layer that failed, of something that was skipped.
    """

    state: State
    text: str
    hint: str | None = None
    exit_code: ExitCode = ExitCode.DONE
    because: Layer | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A judgement at its place; `brand` is None where the layer has nothing to do with one."""

    layer: Layer
    brand: str | None
    judgement: Judgement

    @property
    def state(self) -> State:
        """How the layer is."""
        return self.judgement.state


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was found, in the order of the layers and, within one, of the brands."""

    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Diagnosis:
        """Put findings into their order."""
        places = {layer: place for place, layer in enumerate(Layer)}
        return cls(tuple(sorted(findings, key=lambda one: places[one.layer])))

    @property
    def failures(self) -> tuple[Finding, ...]:
        """What failed; what was skipped because of it doesn't count."""
        return tuple(one for one in self.findings if one.state is State.FAILED)

    @property
    def first_failure(self) -> Finding | None:
        """What a person should look at first."""
        return next(iter(self.failures), None)

    @property
    def exit_code(self) -> ExitCode:
        """That of the first failure."""
        first = self.first_failure
        return ExitCode.DONE if first is None else first.judgement.exit_code

    def counts(self) -> dict[State, int]:
        """Return how many findings there are in each state."""
        return {state: sum(one.state is state for one in self.findings) for state in State}

    def with_judgement(self, layer: Layer, brand: str | None, judgement: Judgement) -> Diagnosis:
        """Return the diagnosis after one layer was looked at again."""
        changed = Finding(layer, brand, judgement)
        return Diagnosis(tuple(changed if (o.layer, o.brand) == (layer, brand) else o for o in self.findings))


def obstacle(
    findings: Sequence[Finding], layer: Layer, brand: str | None, needs: tuple[Layer, ...] | None = None
) -> Layer | None:
    """Return the layer whose failure keeps another one from being looked at, None when nothing does.

    Args:
        findings: what was found so far.
        layer: the one that is about to be looked at.
        brand: whose; another brand's failure is no obstacle.
        needs: what it needs, `NEEDS` by default.
    """
    for needed in NEEDS.get(layer, ()) if needs is None else needs:
        for one in findings:
            if one.layer is not needed or one.brand not in {None, brand}:
                continue
            if one.state is State.FAILED:
                return needed
            if one.state is State.SKIPPED:
                return one.judgement.because
    return None


# Judgements


def fine(text: str) -> Judgement:
    """Say that all is well."""
    return Judgement(State.OK, text)


def doubtful(text: str, hint: str | None = None) -> Judgement:
    """Say that something works, and should be looked at all the same."""
    return Judgement(State.WARNING, text, hint)


def failed(error: ProfilectlError) -> Judgement:
    """Say what went wrong."""
    return Judgement(State.FAILED, error.message, error.hint, error.exit_code)


def skipped(because: Layer) -> Judgement:
    """Say that it wasn't looked at, and why."""
    return Judgement(State.SKIPPED, f"not looked at: {because.value} has to work first", because=because)


def judge_clock(skew: float | None) -> Judgement:
    """Judge the seconds that this machine is ahead of X (negative: behind), None when X didn't tell the time."""
    if skew is None:
        return doubtful("X's answer doesn't tell the time")
    if abs(skew) < 1:
        return fine("agrees with X's to the second")
    text = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} X's"
    if abs(skew) > CLOCK_REFUSED:
        return Judgement(State.FAILED, text, _SET_CLOCK, ExitCode.CREDENTIALS)
    return doubtful(text, _SET_CLOCK) if abs(skew) > CLOCK_DOUBTFUL else fine(text)


def judge_access(level: str | None, sufficient: frozenset[str]) -> Judgement:
    """Judge what X lets a token do: its ``x-access-level``, None when X doesn't say."""
    if level is None:
        return doubtful("X doesn't say whether this token may send Direct Messages")
    if level in sufficient:
        return fine(f"{level}: may send Direct Messages")
    return Judgement(State.FAILED, f"{level}: may not send Direct Messages", _PERMISSION, ExitCode.CREDENTIALS)


def judge_quota(limits: Mapping[str, Mapping[str, int]], creates: str, moment: Mapping[int, datetime]) -> Judgement:
    """Judge what is left of X's limits on reading calls.

    Args:
        limits: ``limit``, ``remaining`` and ``reset`` by X's name of the call.
        creates: what is known of the profiles made in the last 24 hours, in words.
        moment: the aware UTC moments of the ``reset`` figures (epoch seconds).
    """
    ours = {name.rpartition("/")[2]: limits[name] for name in sorted(limits) if name.startswith("/custom_profiles/")}
    known = {name: one for name, one in ours.items() if "remaining" in one and one.get("limit")}
    if not known:
        return fine(f"X doesn't report what is left for list and show; {creates}")
    parts = [f"{name} {one['remaining']} of {one['limit']} left" for name, one in known.items()]
    text = f"{', '.join(parts)}; {creates}"
    scarcest = min(known.values(), key=lambda one: one["remaining"] / one["limit"])
    resets = moment.get(scarcest.get("reset", 0))
    until = f"X counts anew from {resets:%H:%M:%S} UTC on" if resets else "X counts anew every 15 minutes"
    if scarcest["remaining"] <= 0:
        return Judgement(State.FAILED, text, f"{until}: run again then", ExitCode.TRY_LATER)
    return doubtful(text, until) if scarcest["remaining"] < SCARCE * scarcest["limit"] else fine(text)


def pending(diagnosis: Diagnosis, refused: Iterable[str | None]) -> bool:
    """Tell whether X's allowlist is all that is missing.

    Args:
        diagnosis: the whole of it.
        refused: the brands that X refuses custom profiles with its word for that, code 87.
    """
    waiting = {(Layer.ALLOWLIST, brand) for brand in refused}
    return bool(waiting) and {(one.layer, one.brand) for one in diagnosis.failures} == waiting
