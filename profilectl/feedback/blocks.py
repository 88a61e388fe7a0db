"""Which answers count together, so that no figure, and nothing worked out from several, is about fewer than `LEAST`.

Small groups come out of published figures in two ways (Hundepool et al., "Handbook on Statistical Disclosure Control",
2nd edition 2024): a group that isn't shown is what the shown ones leave of their total, and yesterday's report taken
from today's is what was answered in between. Hiding another cell beside each hidden one (secondary suppression) ends
the first way only, and would have to know every table that was ever shown.

So the answers are put into blocks before anything is added up, as in microaggregation (Defays and Anwar 1998;
Domingo-Ferrer and Mateo-Sanz 2002), and a report takes a block as a whole or not at all. Every figure of every report,
of whatever days, is then a sum of the same blocks, and no addition or subtraction takes a block apart:

* Answers of one agent, kind and face come into a block day by day, by the day on which they were given; the block ends
  with the first day on which it holds `LEAST`, and the next day begins another one.
* What is left of a calendar month when it is over makes blocks of the whole month, of what belongs to one agent, else
  to one kind and face, else to one kind, as soon as that is `LEAST`. They count for what their answers have in common.
  A block whose answers are all alike is left out, because it would tell what each of the few of a hidden group is.

This needs no stored state: answers can't be changed, X tells of a day when it is over, and a block depends on one
calendar month only. It has a price: the last few answers of a group wait for the next ones or for the end of the month,
and groups whose figure is left out for being all alike are rather the satisfied ones.

It doesn't hide what a group of `LEAST` or more has in common: "5 of 5 are satisfied" says it of each. And who knows all
answers of a block but one, knows that one.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from msgspec import Struct

from profilectl.feedback.cards import Key

LEAST = 5  # answers that a group needs before more than their number is reported
DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)


class Dimension(enum.StrEnum):
    """What cards are grouped by."""

    AGENT = "agent"
    KIND = "kind"
    SENT_AS = "face"

    def of(self, key: Key) -> str:
        """Return the group that a key belongs to."""
        if self is Dimension.AGENT:
            return key.agent
        return key.kind.value if self is Dimension.KIND else key.sent_as.value


_ALL = tuple(Dimension)
_TOGETHER = ((Dimension.AGENT, Dimension.KIND), (Dimension.KIND, Dimension.SENT_AS), (Dimension.KIND,))


class Answer(Struct, frozen=True):
    """A customer's score, whom it was given to, and when, in epoch milliseconds."""

    key: Key
    score: int
    at_ms: int

    @property
    def day(self) -> int:
        """The day in UTC, counted from 1970."""
        return self.at_ms // DAY_MS


class Block(Struct, frozen=True):
    """Answers that count together or not at all, and the days that a report must span for it."""

    groups: Mapping[Dimension, str]  # that all of them belong to
    first_day: int
    last_day: int
    answers: tuple[Answer, ...]


def month_begin_ms(moment_ms: int) -> int:
    """Return when the calendar month of a moment began, in UTC."""
    return _month(moment_ms // DAY_MS)[0] * DAY_MS


def divide(answers: Iterable[Answer], until_ms: int) -> tuple[Block, ...]:
    """Return the blocks that are complete at a moment, of all answers from the beginning of a month to then."""
    end = (until_ms + 1) // DAY_MS  # the first day that isn't over
    months: dict[tuple[int, int], list[Answer]] = {}
    for answer in answers:
        if answer.day < end:
            months.setdefault(_month(answer.day), []).append(answer)
    return tuple(block for month in sorted(months) for block in _of_month(month, months[month], end))


def _of_month(month: tuple[int, int], answers: Iterable[Answer], end: int) -> Iterator[Block]:
    left: list[Answer] = []
    for cell in _parts(answers, _ALL):
        pending: list[Answer] = []
        for _, of_day in sorted(_by_day(cell).items()):
            pending += of_day
            if len(pending) >= LEAST:
                yield _block(_ALL, pending, pending[0].day, pending[-1].day)
                pending = []
        left += pending
    first_day, last_day = month
    if last_day >= end:
        return
    for common in _TOGETHER:
        parts = _parts(left, common)
        left = [answer for part in parts if len(part) < LEAST for answer in part]
        for part in parts:
            # One whose answers are alike isn't put into a larger one either: the rest of that would follow.
            if len(part) >= LEAST and len({answer.score for answer in part}) > 1:
                yield _block(common, part, first_day, last_day)


def _parts(answers: Iterable[Answer], common: Sequence[Dimension]) -> list[list[Answer]]:
    parts: dict[tuple[str, ...], list[Answer]] = {}
    for answer in answers:
        parts.setdefault(tuple(dimension.of(answer.key) for dimension in common), []).append(answer)
    return list(parts.values())


def _by_day(answers: Iterable[Answer]) -> dict[int, list[Answer]]:
    days: dict[int, list[Answer]] = {}
    for answer in answers:
        days.setdefault(answer.day, []).append(answer)
    return days


def _block(common: Sequence[Dimension], answers: Sequence[Answer], first_day: int, last_day: int) -> Block:
    groups = {dimension: dimension.of(answers[0].key) for dimension in common}
    return Block(groups, first_day, last_day, tuple(answers))


def _month(day: int) -> tuple[int, int]:
    """Return the first and the last day of the calendar month of a day."""
    first = (_EPOCH + timedelta(day)).replace(day=1)
    after = (first + timedelta(32)).replace(day=1)
    return (first - _EPOCH).days, (after - _EPOCH).days - 1
