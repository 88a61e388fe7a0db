"""The problems of a roster as other programs read them: GitHub's workflow commands, and SARIF 2.1.0.

GitHub: docs.github.com/actions, "Workflow commands". SARIF: docs.oasis-open.org/sarif/sarif/v2.1.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from profilectl import __version__
from profilectl.digests import digest_of
from profilectl.model import Problem
from profilectl.render.json_documents import Document
from profilectl.roster.checks.rules import RULES, advice_for
from profilectl.roster.checks.waivers import WaivedProblem
from profilectl.text.escape import visible
from profilectl.text.pasteable import pasteable
from profilectl.toml.problems import format_problem

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def text_lines(
    problems: Iterable[Problem], *, for_people: bool, line_of: Callable[[Problem], str] = format_problem
) -> Iterator[str]:
    """Yield one line for each problem: for people with its rule's id, and with a hint below the first of each rule.

    Elsewhere a line is what the roster's documents promise to programs, and no more.
    """
    hinted: set[tuple[str, str]] = set()
    for problem in problems:
        yield line_of(problem) + (f" [{visible(problem.rule)}]" if for_people and problem.rule else "")
        if for_people and (problem.rule, problem.hint) not in hinted:
            hinted.add((problem.rule, problem.hint))
            advice = advice_for(problem.rule, problem.hint)
            if advice:
                yield f"  hint: {visible(pasteable(advice))} [{problem.rule}]"


def github_lines(problems: Iterable[Problem]) -> Iterator[str]:
    """Yield a workflow command for each problem, which GitHub shows beside the line of a pull request."""
    for problem in problems:
        place = f"file={_property(problem.file)}"
        if problem.line:
            place += f",line={problem.line},col={problem.column}"
        message = f"{problem.path}: {problem.message}" if problem.path else problem.message
        advice = advice_for(problem.rule, problem.hint)
        text = visible(f"{message} ({advice})" if advice else message).translate(_DATA)
        yield f"::{problem.severity} {place},title={_property(problem.rule)}::{text}"


def _property(value: str) -> str:
    return visible(value).translate(_PROPERTY)


def sarif(problems: Sequence[Problem], waived: Sequence[WaivedProblem]) -> Document:
    """Return a SARIF log of one run; what is waived is in it as suppressed, with the reason."""
    rules = [*RULES]
    results = [_result(problem, rules) for problem in problems]
    for problem, waiver in waived:
        justification = f"{waiver.reason} (until {waiver.until.isoformat()})"
        suppression = {"kind": "external", "status": "accepted", "justification": visible(justification)}
        results.append(_result(problem, rules) | {"suppressions": [suppression]})
    driver = {"name": "profilectl", "version": __version__, "rules": [_rule(rule) for rule in rules]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: str) -> dict[str, Any]:
    known = RULES[rule]
    return {
        "id": rule,
        "shortDescription": {"text": known.meaning},
        "help": {"text": known.advice},
        "properties": {"canBeWaived": known.can_be_waived},
    }


def _result(problem: Problem, rules: list[str]) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(problem.file)}}
    if problem.line:
        location["region"] = {"startLine": problem.line, "startColumn": problem.column}
    message = f"{problem.path}: {problem.message}" if problem.path else problem.message
    advice = advice_for(problem.rule, problem.hint)
    result: dict[str, Any] = {
        "ruleId": problem.rule,
        "level": problem.severity,
        "message": {"text": visible(f"{message} ({advice})" if advice else message)},
        "locations": [{"physicalLocation": location}],
        # by what it is about, so that a line that was added above doesn't make it a new one
        "partialFingerprints": {"profilectl/v1": digest_of([problem.rule, problem.path, problem.message])},
    }
    return result | ({"ruleIndex": rules.index(problem.rule)} if problem.rule in RULES else {})


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
