"""Reports on feedback cards as rows, as JSON, and as a sentence for each comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from profilectl.feedback.blocks import LEAST, Dimension
from profilectl.feedback.report import Verdict
from profilectl.feedback.statistics import CONFIDENCE
from profilectl.model import Survey
from profilectl.render.json_documents import timestamp

if TYPE_CHECKING:
    from profilectl.feedback.report import BrandReport, Comparison, Difference, Group, Period, SurveyReport
    from profilectl.feedback.statistics import Estimate
    from profilectl.render.json_documents import Document

HEADERS = ("card", "by", "who", "asked", "answered", "counted", "satisfied or NPS", "mean")

_NAMES = {"human": "people", "bot": "bots", "profile": "a custom profile", "brand": "the brand's own face"}
_GROUPS = {
    Dimension.AGENT: "agents",
    Dimension.KIND: "people and bots",
    Dimension.SENT_AS: "messages with and without a custom profile",
}


def table(reports: Sequence[BrandReport]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each group to read on a terminal, under `HEADERS`."""
    for brand, survey, group in _groups(reports):
        score = "too few to tell" if group.score is None else _span(group.score, 100, _form(survey))
        average = "" if group.mean is None else _span(group.mean, 1, "{:.1f}")
        counts = map(str, (group.asked, group.answered, group.counted))
        yield f"{brand} {survey}", group.dimension.value, group.name, *counts, score, average


def rows(reports: Sequence[BrandReport]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each group to read by a program.

    Brand, survey, dimension, group, asked, answered; then score and mean, each with the bounds of its interval, and of
    how many answers they are. Shares and NPS are in hundredths; figures of groups with too few answers are empty.
    """
    # More columns than `HEADERS`: a program can't take "82 % (64 to 92)" apart.
    for brand, survey, group in _groups(reports):
        figures = (*_figures(group.score, 100), *_figures(group.mean, 1))
        identity = (brand, survey.value, group.dimension.value, group.name)
        yield (*identity, str(group.asked), str(group.answered), *figures, str(group.counted))


def sentences(reports: Sequence[BrandReport]) -> Iterator[str]:
    """Yield a sentence for each comparison, and which cards were left out."""
    for report in reports:
        for survey in report.surveys:
            for comparison in survey.comparisons:
                if comparison.verdict is not Verdict.ALONE:
                    yield f"{report.brand}, {survey.survey}: {sentence(comparison, survey.survey)}"
        left_out = [f"{report.tests} to test recipients"] * bool(report.tests)
        left_out += [f"{report.strangers} of other programs"] * bool(report.strangers)
        if left_out:
            yield f"{report.brand}: cards left out: {', '.join(left_out)}"


def sentence(comparison: Comparison, survey: Survey) -> str:
    """Return what a comparison shows: a difference that may be chance is called none."""
    groups = _GROUPS[comparison.dimension]
    if comparison.verdict is Verdict.ALONE:
        return f"{groups} can't be compared, there is only one group"
    if comparison.verdict is Verdict.TOO_FEW:
        return f"too few answers to compare {groups}; two groups need {LEAST} each"
    if comparison.verdict is Verdict.SAME:
        # With several pairs, each of which may have another sign, no single figure stands for all.
        points = _points(comparison.differences[0], survey) if len(comparison.differences) == 1 else ""
        return f"no difference can be told between {groups}{points}"
    differences = (difference for difference in comparison.differences if difference.can_be_told)
    return "; ".join(_difference(difference, survey, comparison.dimension) for difference in differences)


def document(reports: Sequence[BrandReport], period: Period) -> Document:
    """``profilectl.feedback/1``: counts, figures with their intervals, and a sentence for each comparison."""
    return {
        "schema": "profilectl.feedback/1",
        "since": timestamp(period.since_ms),
        "until": timestamp(period.until_ms),
        "confidence": CONFIDENCE,
        "least_answers": LEAST,
        "brands": [
            {
                "brand": report.brand,
                "left_out": {"tests": report.tests, "strangers": report.strangers},
                "surveys": [_survey(survey) for survey in report.surveys],
            }
            for report in reports
        ],
    }


def _survey(report: SurveyReport) -> Document:
    return {
        "survey": report.survey.value,
        "groups": [_group(group, report.survey) for group in report.groups],
        "comparisons": [
            {
                "by": comparison.dimension.value,
                "verdict": comparison.verdict.value,
                "differences": [
                    {
                        "group": difference.group,
                        "against": difference.other,
                        "can_be_told": difference.can_be_told,
                        **_estimate(difference.estimate),
                    }
                    for difference in comparison.differences
                ],
                "sentence": sentence(comparison, report.survey),
            }
            for comparison in report.comparisons
        ],
    }


def _group(group: Group, survey: Survey) -> Document:
    score = None if group.score is None else _estimate(group.score)
    return {
        "by": group.dimension.value,
        "group": group.name,
        "asked": group.asked,
        "answered": group.answered,
        "counted": group.counted,
        # Two keys, as 0.4 means something else in each; the other is null, so that a program sees which it is.
        "satisfied": score if survey is Survey.CSAT else None,
        "nps": score if survey is Survey.NPS else None,
        "mean": None if group.mean is None else _estimate(group.mean),
    }


def _estimate(estimate: Estimate) -> Document:
    low, high = estimate.interval or (None, None)
    return {  # four digits are a hundredth of a per cent: more than an interval of few answers can carry
        "value": round(estimate.value, 4),
        "low": None if low is None else round(low, 4),
        "high": None if high is None else round(high, 4),
    }


def _groups(reports: Sequence[BrandReport]) -> Iterator[tuple[str, Survey, Group]]:
    for report in reports:
        for survey in report.surveys:
            for group in survey.groups:
                yield report.brand, survey.survey, group


def _form(survey: Survey) -> str:
    return "{:+.0f}" if survey is Survey.NPS else "{:.0f} %"


def _span(estimate: Estimate, factor: int, form: str) -> str:
    """Return a figure and its interval, such as "82 % (64 to 92)"."""
    shown = form.format(estimate.value * factor)
    if estimate.interval is None:  # see `statistics.mean`
        return f"{shown} (all alike)"
    low, high = (form.format(bound * factor).removesuffix(" %") for bound in estimate.interval)
    return f"{shown} ({low} to {high})"


def _figures(estimate: Estimate | None, factor: int) -> tuple[str, str, str]:
    if estimate is None:
        return "", "", ""
    low, high = (f"{bound * factor:.2f}" for bound in estimate.interval) if estimate.interval else ("", "")
    return f"{estimate.value * factor:.2f}", low, high


def _difference(difference: Difference, survey: Survey, dimension: Dimension) -> str:
    names = {} if dimension is Dimension.AGENT else _NAMES  # an agent may be called "bot"
    group, other = (names.get(name, name) for name in (difference.group, difference.other))
    how = "higher" if difference.estimate.value > 0 else "lower"
    return f"{group} {how} than {other}{_points(difference, survey)}"


def _points(difference: Difference, survey: Survey) -> str:
    """Return how far apart two groups are, in points of the share that is satisfied or of the NPS."""
    estimate = difference.estimate
    if estimate.interval is None:  # nothing to say how sure the figure is, so it isn't shown
        return ""
    value, low, high = (f"{figure * 100:+.0f}" for figure in (estimate.value, *estimate.interval))
    unit = "points of NPS" if survey is Survey.NPS else "points of those satisfied"
    return f" ({value} {unit}, {low} to {high})"
