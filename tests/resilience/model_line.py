"""The way from a run to the model's X: every call is counted, may fail as the script says, and may be the last."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from profilectl.errors import CredentialsRefused, NotFound, OutcomeUnknown, RateLimited, Refused, Unreachable
from profilectl.model import LocalTime
from tests.resilience.model_x import START, STRANGER, hold

if TYPE_CHECKING:
    from collections.abc import Callable

    from profilectl.model import Profile
    from tests.resilience.model_desk import Desk
    from tests.resilience.model_trouble import Script
    from tests.resilience.model_x import ModelX

RESOLUTION_MS = 1000  # of a Date header, and so of the clock that an intent is stamped with
CALL_MS = 40
HOUR_MS = 3_600_000
LATE_MS = {"late": 90_000, "much later": 2 * HOUR_MS}  # from the moment a create leaves until X applies it
SLOW_MS = 25_000  # from the moment a create leaves until X applies it


@dataclass
class Line:
    """The way to X of one run."""

    desk: Desk
    script: Script
    expected: dict[str, str] = field(default_factory=dict)  # name: the agent whose create is promised
    uploads: list[bytes] = field(default_factory=list)  # by media id
    listed: set[str] = field(default_factory=set)  # ids that a list of this run has shown

    @property
    def x(self) -> ModelX:
        return self.desk.x

    def now_ms(self) -> int:
        """X's clock as Date headers tell it: within a second, unless one of them jumps."""
        fault = self.script.strike("now")
        jump = 0 if fault is None else HOUR_MS if fault.how == "an hour ahead" else -HOUR_MS
        return self.x.time_ms - self.script.slack_ms + jump

    def local_time(self) -> LocalTime:
        return LocalTime("a start", self.x.time_ms - START)

    def download(self, url: str) -> bytes:
        self._begin("download")
        self.script.step()
        return self.x.made[url.rpartition("/")[2]].picture

    def list_profiles(self):
        fault = self._begin("list")
        self._fail(fault, "down", Unreachable("down"))
        profiles = self.x.listed(fault.how if fault else "")
        self.listed |= {profile.id for profile in profiles}
        self.desk.doubtful.clear()
        self.script.step()
        return profiles

    def show_profile(self, profile_id: str) -> Profile:
        """X's own word on one profile, or none at all."""
        fault = self._begin("show")
        self._fail(fault, "down", Unreachable("down"))
        made = self.x.made.get(profile_id)
        self.script.step()
        if made is None or not made.is_live:
            raise NotFound("X has no such profile", status=404, code=34)
        return made.told()

    def upload(self, content: bytes, media_type: str) -> str:
        fault = self._begin("upload")
        if fault and fault.how == "namesake before":
            ours = {one.name for one in self.desk.live()}
            coming = sorted({one.name for one in self.desk.wanted().values()} - ours) or ["Alex"]
            self.x.make(STRANGER, None, self.script.dice.choice(coming), fault.lag_ms)
            self.x.advance(2 * RESOLUTION_MS)
        self._fail(fault, "down", Unreachable("down"))
        self._fail(fault, "refused", Refused("no"))
        self._fail(fault, "unknown", OutcomeUnknown("lost"))
        self.script.step()
        self.uploads.append(content)
        return str(len(self.uploads) - 1)

    def create_profile(self, name: str, media_id: str, leaves_by_ms: int | None = None) -> Profile:
        hold(name not in self.desk.doubtful, f"a second create of {name!r} without a complete list after the first")
        fault = self._begin("create")
        if fault and fault.how == "namesake after":
            self.x.make(STRANGER, None, name, fault.lag_ms)
        self._refuse_create(fault)
        self.desk.doubtful.add(name)
        self._fail(fault, "unknown", OutcomeUnknown("lost before it was applied"))
        if fault and fault.how.startswith("slow"):
            self.x.advance(SLOW_MS)
        how = fault.how if fault else ""
        if how in LATE_MS:
            picture = self.uploads[int(media_id)]
            arrive = partial(self.x.make, self.desk.name, self.expected.get(name), name, 0, picture, is_late=True)
            self.x.late.append((self.x.time_ms + LATE_MS[how], arrive))
            raise OutcomeUnknown("not applied yet")
        # of one that no list has shown nobody could know that it is another's, before a list has another time for it
        known = (made for made in self.x.live() if made.id in self.listed)
        in_use = next(known, None) if how.startswith("id in use") else None
        if in_use is not None and how == "id in use":
            return replace(in_use.told(), name=name)
        if how.startswith("twice"):
            self.x.make(STRANGER, None, name)
        lag = fault.lag_ms if fault and fault.how.startswith(("lagging", "slow")) else 0
        made = self.x.make(self.desk.name, self.expected.pop(name, None), name, lag, self.uploads[int(media_id)])
        self.script.step()
        if fault and fault.how.endswith("lost"):
            self.x.advance(self.script.dice.choice((0, 30_000)))
            raise OutcomeUnknown("lost after it was applied")
        return made.told() if in_use is None else replace(made.told(), id=in_use.id)

    def _refuse_create(self, fault) -> None:
        self._fail(fault, "down", Unreachable("down"))
        self._fail(fault, "refused", Refused("no"))
        self._fail(fault, "revoked", CredentialsRefused("revoked"))
        self._fail(fault, "limited", RateLimited("limited", retry_at=self._in(30)))
        self._fail(fault, "limited without reset", RateLimited("limited"))

    def destroy_profile(self, profile_id: str) -> None:
        fault = self._begin("destroy")
        self._fail(fault, "down", Unreachable("down"))
        self._fail(fault, "refused", Refused("no"))
        self._fail(fault, "limited", RateLimited("limited", retry_at=self._in(30)))
        self._fail(fault, "lost before", OutcomeUnknown("somebody else's 404"))
        self.x.end(profile_id, self.desk.name)
        self._fail(fault, "lost", OutcomeUnknown("lost"))
        self.script.step()

    def lose(self, call: Callable, arguments: tuple) -> None:
        """A call that was under way when the process died: it arrives, it arrives late, or it never does."""
        if call.__name__ != "create_profile" or self.script.dice.random() < 1 / 3:
            return
        (name, media_id, *_), agent = arguments, self.expected.get(arguments[0])
        late, picture = self.script.dice.choice((0, 1500)), self.uploads[int(media_id)]
        self.x.late.append((self.x.time_ms + late, partial(self.x.make, self.desk.name, agent, name, picture=picture)))
        self.x.advance(1)

    def _in(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(self.x.time_ms / 1000, UTC) + timedelta(seconds=seconds)

    def _begin(self, call: str):
        self.script.step()
        self.x.advance(CALL_MS)
        fault = self.script.strike(call)
        if fault and fault.how == "stop":
            self.script.stop.requested = True
        if fault and fault.how == "interlude":
            self.script.interlude()
        if fault and fault.how == "colleague":
            self.desk.intrude()
        return fault

    @staticmethod
    def _fail(fault, how: str, error: Exception) -> None:
        if fault and fault.how == how:
            raise error
