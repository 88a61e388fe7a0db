"""The documents about the roster, whose keys scripts rely on."""

from __future__ import annotations

from datetime import date

from inline_snapshot import snapshot

from profilectl.model import Problem, Waiver
from profilectl.render import roster_documents
from profilectl.roster.checks.waivers import WaivedProblem


def test_check_document():
    """profilectl.check/1 has each problem with its rule and a hint, and what is waived with the reason."""
    error = Problem("roster.toml", 14, 1, "agents.alice.name", "53 characters, at most 48", rule="name")
    waiver = Waiver("lookalike", "bob", "twins", date(2027, 3, 1))
    alike = Problem("roster.toml", 20, 1, "agents.bob.name", "looks alike", "warning", "lookalike")

    assert roster_documents.check(1, [], ok=True)["ok"] is True
    assert roster_documents.check(40, [error], [WaivedProblem(alike, waiver)], ok=False) == snapshot(
        {
            "schema": "profilectl.check/1",
            "ok": False,
            "agents": 40,
            "problems": [
                {
                    "file": "roster.toml",
                    "line": 14,
                    "column": 1,
                    "path": "agents.alice.name",
                    "severity": "error",
                    "message": "53 characters, at most 48",
                    "rule": "name",
                    "hint": "Write another name.",
                }
            ],
            "waived": [
                {
                    "rule": "lookalike",
                    "agent": "bob",
                    "reason": "twins",
                    "until": "2027-03-01",
                    "message": "looks alike",
                }
            ],
        }
    )
