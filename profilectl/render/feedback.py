"""What customers answered, as rows, as JSON, and in one sentence per comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from profilectl.feedback.report import LEAST, Dimension, Verdict
from profilectl.feedback.statistics import CONFIDENCE
from profilectl.model import Survey
from profilectl.render.documents import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from profilectl.feedback.report import Comparison, Difference, Findings, Group
    from profilectl.feedback.statistics import Estimate
    from profilectl.render.documents import Document

HEADERS = ("card", "by", "who", "answered", "satisfied or NPS", "mean")

_NAMES = {"human": "people", "bot": "bots", "profile": "a custom profile", "brand": "the brand's own face"}
_GROUPS = {
    Dimension.AGENT: "agents",
    Dimension.KIND: "people and bots",
    Dimension.FACE: "messages with and without a custom profile",
}


class Brandwise(NamedTuple):
    """What is told about one brand."""

    brand: str
    findings: Sequence[Findings]
    tests: int
    strangers: int


def table(told: Sequence[Brandwise]) -> Iterator[tuple[str, ...]]:
    """Yield a row per group for people, under `HEADERS`."""
    for brand, survey, group in _groups(told):
        score = "too few to tell" if group.score is None else _span(group.score, 100, _form(survey))
        average = "" if group.mean is None else _span(group.mean, 1, "{:.1f}")
        answered = f"{group.answered} of {group.asked}"
        yield f"{brand} {survey}", group.dimension.value, group.name, answered, score, average


def rows(told: Sequence[Brandwise]) -> Iterator[tuple[str, ...]]:
    """Yield a row per group for a pipe.

    Brand, survey, dimension, group, asked, answered; then score and mean, each with the bounds of its interval. Shares
    and NPS are in hundredths; what can't be told is empty.
    """
    for brand, survey, group in _groups(told):
        figures = (*_figures(group.score, 100), *_figures(group.mean, 1))
        place = (brand, survey.value, group.dimension.value, group.name)
        yield (*place, str(group.asked), str(group.answered), *figures)


def sentences(told: Sequence[Brandwise]) -> Iterator[str]:
    """Yield what can be said about each comparison, and which cards were left out."""
    for brand in told:
        for findings in brand.findings:
            for comparison in findings.comparisons:
                if comparison.verdict is not Verdict.ALONE:
                    yield f"{brand.brand}, {findings.survey}: {sentence(comparison, findings.survey)}"
        left_out = [f"{brand.tests} to test recipients"] * bool(brand.tests)
        left_out += [f"{brand.strangers} of other programs"] * bool(brand.strangers)
        if left_out:
            yield f"{brand.brand}: cards left out: {', '.join(left_out)}"


def sentence(comparison: Comparison, survey: Survey) -> str:
    """Return what can honestly be said: a difference that may be chance is none."""
    what = _GROUPS[comparison.dimension]
    if comparison.verdict is Verdict.ALONE:
        return f"{what} can't be compared, there is only one group"
    if comparison.verdict is Verdict.TOO_FEW:
        return f"too few answers to compare {what}; two groups need {LEAST} each"
    if comparison.verdict is Verdict.SAME:
        reach = _points(comparison.differences[0], survey) if len(comparison.differences) == 1 else ""
        return f"no difference can be told between {what}{reach}"
    return "; ".join(
        _difference(one, survey, comparison.dimension) for one in comparison.differences if one.can_be_told
    )


def document(told: Sequence[Brandwise], since_ms: int, until_ms: int) -> Document:
    """``profilectl.feedback/1``: counts, figures with their intervals, and what can be said about differences."""
    return {
        "schema": "profilectl.feedback/1",
        "since": timestamp(since_ms),
        "until": timestamp(until_ms),
        "confidence": CONFIDENCE,
        "least_answers": LEAST,
        "brands": [
            {
                "brand": one.brand,
                "left_out": {"tests": one.tests, "strangers": one.strangers},
                "surveys": [_survey(findings) for findings in one.findings],
            }
            for one in told
        ],
    }


def _survey(findings: Findings) -> Document:
    return {
        "survey": findings.survey.value,
        "groups": [_group(one, findings.survey) for one in findings.groups],
        "comparisons": [
            {
                "by": one.dimension.value,
                "verdict": one.verdict.value,
                "differences": [
                    {"group": each.one, "against": each.other, "can_be_told": each.can_be_told, **_plain(each.estimate)}
                    for each in one.differences
                ],
                "sentence": sentence(one, findings.survey),
            }
            for one in findings.comparisons
        ],
    }


def _group(one: Group, survey: Survey) -> Document:
    score = None if one.score is None else _plain(one.score)
    return {
        "by": one.dimension.value,
        "group": one.name,
        "asked": one.asked,
        "answered": one.answered,
        "satisfied": score if survey is Survey.CSAT else None,
        "nps": score if survey is Survey.NPS else None,
        "mean": None if one.mean is None else _plain(one.mean),
    }


def _plain(estimate: Estimate) -> Document:
    low, high = estimate.interval or (None, None)
    return {
        "value": round(estimate.value, 4),
        "low": None if low is None else round(low, 4),
        "high": None if high is None else round(high, 4),
    }


def _groups(told: Sequence[Brandwise]) -> Iterator[tuple[str, Survey, Group]]:
    for brand in told:
        for findings in brand.findings:
            for group in findings.groups:
                yield brand.brand, findings.survey, group


def _form(survey: Survey) -> str:
    return "{:+.0f}" if survey is Survey.NPS else "{:.0f} %"


def _span(estimate: Estimate, factor: int, form: str) -> str:
    """Return a figure and its interval, such as "82 % (64 to 92)"."""
    shown = form.format(estimate.value * factor)
    if estimate.interval is None:
        return f"{shown} (all alike)"
    low, high = (form.format(bound * factor).removesuffix(" %") for bound in estimate.interval)
    return f"{shown} ({low} to {high})"


def _figures(estimate: Estimate | None, factor: int) -> tuple[str, str, str]:
    if estimate is None:
        return "", "", ""
    value = f"{estimate.value * factor:.2f}"
    if estimate.interval is None:
        return value, "", ""
    low, high = (f"{bound * factor:.2f}" for bound in estimate.interval)
    return value, low, high


def _difference(one: Difference, survey: Survey, dimension: Dimension) -> str:
    names = {} if dimension is Dimension.AGENT else _NAMES  # an agent may be called "bot"
    how = "higher" if one.estimate.value > 0 else "lower"
    return f"{names.get(one.one, one.one)} {how} than {names.get(one.other, one.other)}{_points(one, survey)}"


def _points(one: Difference, survey: Survey) -> str:
    """Return how far apart two groups are, in points of the share that is satisfied or of the NPS."""
    if one.estimate.interval is None:
        return ""
    value, low, high = (f"{figure * 100:+.0f}" for figure in (one.estimate.value, *one.estimate.interval))
    what = "points of NPS" if survey is Survey.NPS else "points of those satisfied"
    return f" ({value} {what}, {low} to {high})"
