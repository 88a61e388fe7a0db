"""Fields of an agent as a command line names them: ``until=2027-01-31``, ``labels.team=night``."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from profilectl.errors import UsageError
from profilectl.roster import schema
from profilectl.text.escape import excerpt, visible
from profilectl.text.suggest import did_you_mean
from profilectl.toml.paths import Path
from profilectl.toml.rules import FieldError, Rule, day, is_key, text

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TABLES = ("consent", "labels")  # fields that hold others


def parse_assignment(word: str, brand: str | None = None) -> tuple[Path, Any]:
    """Return the path below the agent, and the value, of ``FIELD=VALUE``.

    Args:
        word: as it was typed.
        brand: key of the brand in whose table the field is meant, None for the agent's own.

    Raises:
        UsageError: there is no such field, or it can't have the value.
    """
    name, equals, value = word.partition("=")
    if not equals:
        example = "labels.team=night" if word.partition(".")[0] == "labels" else "title='Care Specialist'"
        raise UsageError(f"expected FIELD=VALUE, got {excerpt(word, 40)}", hint=f"such as {example}")
    path = parse_field(name, brand)
    return path, typed(path, value)


def parse_field(name: str, brand: str | None = None) -> Path:
    """Return the path of a field below the agent; UsageError where there is none of that name."""
    parts = tuple(name.strip().split("."))
    known: Mapping[str, Any] = schema.AGENT if brand is None else schema.DIFFERENCE
    if parts[0] not in known:
        where = "an agent" if brand is None else "an agent in one brand"
        shown, advice = visible(excerpt(parts[0], 40)), did_you_mean(parts[0], known)
        hint = _label_hint(parts[0]) if brand is None and (not advice or '"labels"' in advice) else None
        raise UsageError(f"{where} has no field {shown}{advice or '; there are ' + ', '.join(known)}", hint=hint)
    is_brand = parts[0] == "brands" and len(parts) in {2, 3}
    if len(parts) > 1 and not is_brand and not (parts[0] in _TABLES and len(parts) == 2):
        raise UsageError(f"{visible(excerpt(name, 40))} isn't a field: {parts[0]} holds no others")
    if is_brand and len(parts) == 3 and parts[2] not in schema.DIFFERENCE:
        raise UsageError(f"{visible(excerpt(parts[2], 40))} can't differ in one brand")
    return parts if brand is None else ("brands", brand, *parts)


def _label_hint(name: str) -> str | None:
    """Return how a label of such a name is written; None where none can have it."""
    label = "team" if name in {"label", "tag", "tags"} else name
    return f"a free label is called labels.{label}" if is_key(label) else None


def typed(path: Path, value: str) -> Any:
    """Return a value that was typed, as TOML has it: text, a day, true or false, or a list at commas.

    Raises:
        UsageError: the field can't have it.
    """
    rule = _rule(path)
    if rule is None:
        _require_plain_list(path, value)
        return [part.strip() for part in value.split(",") if part.strip()]
    problem: FieldError | None = None
    for candidate in _candidates(value):
        try:
            rule(candidate)
        except FieldError as error:
            problem = problem or error
        else:
            if isinstance(candidate, list):
                _require_plain_list(path, value)
            return candidate
    what = "expected a day such as 2027-01-31" if rule is day else str(problem and problem.problems[0][1])
    hint = "one label is written as in labels.team=night" if path == ("labels",) else None
    raise UsageError(f"{'.'.join(map(str, path))}: {what}", hint=hint)


def _require_plain_list(path: Path, value: str) -> None:
    """Raise UsageError for a list as TOML has it: its brackets and quotes would become part of the names."""
    if any(char in "[]\"'" for char in value):
        field = ".".join(map(str, path))
        what = f"{field}: a list is typed without brackets and quotes, not as {visible(excerpt(value, 40))}"
        raise UsageError(what, hint=f"lists take commas: {field}=ann,bert")


def _rule(path: Path) -> Rule | None:
    """Return the rule of a field, None for the list of an agent's brands."""
    if path[0] == "brands":
        if len(path) == 1:
            return None
        return schema.DIFFERENCE[str(path[2])] if len(path) == 3 else _left_out
    if path[0] == "consent" and len(path) == 2:
        rule = schema.CONSENT.get(str(path[1]))
        if rule is None:
            raise UsageError(
                f"consent has no field {visible(str(path[1]))}{did_you_mean(str(path[1]), schema.CONSENT)}"
            )
        return rule
    return text if len(path) == 2 else schema.AGENT[str(path[0])]


def _left_out(value: Any) -> bool:
    if value is not False:
        raise FieldError("a brand is left out with false; what differs there is set with --brand")
    return False


def _candidates(value: str) -> Iterator[Any]:
    """Yield what a word may mean, text first: a field that takes text takes "true" as a word."""
    yield value
    if value in {"true", "false"}:
        yield value == "true"
    if _DAY.fullmatch(value):
        try:
            yield dt.date.fromisoformat(value)
        except ValueError:  # such as 2027-02-30, of which the rule for days says what it expects
            return
    yield [part.strip() for part in value.split(",") if part.strip()]
