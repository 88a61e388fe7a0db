"""Every command of the program, as a process, with the real secrets at hand: none of them shows anywhere."""

from __future__ import annotations

import pytest

from profilectl.cli.main import build
from profilectl.completion.command_tree import read_tree
from tests.canaries.scenarios import SCENARIOS

_COMMANDS = [" ".join(one.words[1:]) for one in read_tree(build(), "profilectl").walk() if not one.commands]


def test_no_scenario_is_left_over():
    """The table of scenarios speaks of commands that exist."""
    assert set(_COMMANDS) >= set(SCENARIOS)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", _COMMANDS)
def test_a_command_leaves_no_trace_of_a_secret(name, scene, gate):
    """Not on stdout, not on stderr, in no file, and in no process's arguments; with -v, too."""
    assert name in SCENARIOS, f"tests/canaries/scenarios.py has no scenario for `{name}`"
    scenario = SCENARIOS[name]
    token = scene.canaries.document(handle="acmecare")

    run = scene.run_server if scenario.is_server else scene.run
    first, *others = scenario.lines
    assert scenario.code == run(f"{first} -v", stdin=token), scene.said()
    for line in others:
        assert scenario.code == scene.run_here(f"{line} -v", stdin=token), scene.said()

    assert scenario.asks_x == bool(gate.asked)
    assert [] == scene.leaks()
