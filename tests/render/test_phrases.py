"""What stands in the way of an agent, in words."""

from __future__ import annotations

from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.render.phrases import obstacles


def blocked(agent, profile_id, reason=Reason.NAMESAKE, brand="acme", before=None):
    return Change(brand, agent, Action.BLOCKED, (reason,), profile_id, before, after=Appearance("Sam", "sha256:a"))


def test_a_lost_ledger_is_one_line_for_all():
    """Whatever else is in the way of an agent keeps its own line."""
    namesakes = [blocked(f"agent{number}", str(number)) for number in range(39)]
    lines = list(obstacles([*namesakes, blocked("bot", None, Reason.UNSETTLED)], " --roster 'my team.toml'"))

    assert (
        "39 agents of brand acme have profiles at X that this ledger doesn't know: "
        "if another ledger knows them, name it with PROFILECTL_LEDGER; if none does, "
        "`profilectl recover --brand acme --roster 'my team.toml'` binds them"
    ) == lines[0]
    assert ["bot"] == [line.partition(":")[0] for line in lines[1:]]


def test_agents_that_are_bound_to_an_older_profile_are_adopted_one_by_one():
    """A restored ledger knows every agent, by what they were before: `recover` would find nothing to bind."""
    older = Appearance("Samuel", "sha256:a")
    lines = list(obstacles([blocked(f"agent{number}", str(number), before=older) for number in range(3)], ""))

    ends = [f"run: profilectl profiles adopt agent{number} {number} --brand acme" for number in range(3)]
    assert ends == [line[-len(end) :] for line, end in zip(lines, ends, strict=True)]


def test_no_two_lines_propose_the_same_profile():
    """Whoever follows both would give one agent's profile away to the other."""
    lines = list(obstacles([blocked("alice", "7"), blocked("twin", "7"), blocked("robot", "7", brand="beta")], ""))

    assert lines[0].endswith("run: profilectl profiles adopt alice 7 --brand acme")
    assert "twin: waits until it is decided whether profile 7 is alice's" == lines[1]
    assert lines[2].endswith("run: profilectl profiles adopt robot 7 --brand beta")
