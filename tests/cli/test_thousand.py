"""A thousand agents: as few calls as promised, and no picture decoded when nothing changes."""

from __future__ import annotations

import json

import pytest

from profilectl.cli.main import run


@pytest.fixture
def run_here(desk, monkeypatch, capsys):
    """Run the program in this process, where its parts can be watched."""
    monkeypatch.chdir(desk.folder)

    def sync():
        code = run(["--sandbox", "sync", "--yes", "--json"])
        return code, json.loads(capsys.readouterr().out)

    return sync


def test_a_thousand_agents_cost_two_thousand_calls_and_then_twenty_one(desk, run_here, monkeypatch):
    """First 1,000 uploads and 1,000 creates; then 20 list calls and one verify_credentials, and nothing is decoded."""
    desk.write(*((f"a{number}", f"Agent {number}") for number in range(1000)))
    first_code, first = run_here()
    monkeypatch.setattr("profilectl.avatars.prepare", None)  # calling it would be an error
    second_code, second = run_here()

    assert (0, 0) == (first_code, second_code)
    assert {"list": 1, "upload": 1000, "create": 1000, "destroy": 0, "other": 1} == first["requests"]
    assert {"list": 20, "upload": 0, "create": 0, "destroy": 0, "other": 1} == second["requests"]
    assert [] == second["results"]
