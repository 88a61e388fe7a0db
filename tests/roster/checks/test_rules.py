"""The rules of the check and their ids."""

from __future__ import annotations

import ast
from pathlib import Path

import profilectl
from profilectl.roster.checks.rules import RULES, advice_for

PACKAGE = Path(profilectl.__file__).parent
REPORTS = {"error", "warning", "stop", "report", "_refused", "Objection"}


def ids_in(tree):
    """Return the strings of a module that are the last words of calls which note a problem."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
    for call in calls:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        last = call.args[-1]
        if name in REPORTS and isinstance(last, ast.Constant) and isinstance(last.value, str):
            yield last.value


def test_every_id_that_is_given_is_a_rule():
    """What the reader of a roster and the loader of its pictures note has an id of the table."""
    files = [
        *(PACKAGE / "roster").glob("*.py"),
        *(PACKAGE / "toml").glob("*.py"),
        *(PACKAGE / "pictures").glob("l*.py"),
    ]
    given = {word for path in files for word in ids_in(ast.parse(path.read_text("utf-8")))}

    assert len(given) > 15
    assert set() == {word for word in given if " " not in word and word not in {"error", "warning"}} - RULES.keys()


def test_every_rule_says_what_it_means_and_what_to_do():
    """In whole sentences, of which none is like another's."""
    meanings = [rule.meaning for rule in RULES.values()]

    assert len({*meanings}) == len(RULES)
    assert all(rule.meaning.endswith(".") and rule.advice for rule in RULES.values())


def test_a_problems_own_hint_wins():
    """Else it is its rule's; an unknown id has none."""
    assert ("mine", "Write another name.", "") == (
        advice_for("name", "mine"),
        advice_for("name", ""),
        advice_for("else", ""),
    )
