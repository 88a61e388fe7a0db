"""`roster check`: strictness, formats, waivers, and the pictures of agents with errors."""

from __future__ import annotations

import json

import pytest
from PIL import Image

TWINS = [("alice", "Alice F."), ("bob", "ALICE F.")]
WAIVER = 'settle_after = "0s"\nwaivers = [{{ rule = "lookalike", agent = "bob", reason = "twins", until = {} }}]'


def test_warnings_fail_only_when_it_is_strict(desk):
    """Exit 0 without --strict, 5 with it; the document says the same."""
    desk.write(*TWINS)

    assert [0, 5] == [desk.run("roster", "check").code, desk.run("roster", "check", "--strict").code]
    assert [True, False] == [
        desk.run("roster", "check", "--json").document["ok"],
        desk.run("roster", "check", "--json", "--strict").document["ok"],
    ]


def test_each_line_ends_with_the_id_of_its_rule(desk):
    """On a terminal, for every problem of one rule, as a waiver names it; a pipe gets lines in the promised form."""
    desk.write(*TWINS, ("cleo", "AliCe F."))
    piped = desk.run("roster", "check").out.splitlines()
    _, screen = desk.watch("roster", "check")

    assert [2, 0] == [len(piped), "".join(piped).count("[")], piped
    assert 1 + len(piped) == screen.count("[lookalike]"), screen  # the hint has it, too


def test_an_operator_whom_this_machine_does_not_know_is_told(desk):
    """A warning of the machine, not of the file: it fails no --strict run elsewhere, where other users are."""
    desk.write(("alice", "Alice", 'operators = ["root", "afsat-nobody"]'), ("bob", "Bob", 'operators = ["uid:77"]'))
    result = desk.run("roster", "check", "--strict")

    assert (0, "") == (result.code, result.out)
    assert "warning: alice's operators name afsat-nobody, whom this machine doesn't know" in result.err
    assert 1 == result.err.count("warning: ")


def test_a_waiver_takes_a_warning_out(desk):
    """Strict is content; the document tells what is waived, and why."""
    done = desk.write(*TWINS, policy=WAIVER.format("2099-03-01")).run("roster", "check", "--strict", "--json")

    assert (0, []) == (done.code, done.document["problems"])
    assert [("lookalike", "bob", "twins")] == [
        (entry["rule"], entry["agent"], entry["reason"]) for entry in done.document["waived"]
    ]


def test_a_waiver_that_is_over_or_waives_nothing_is_told(desk):
    """The first is an error for every command, the second a warning."""
    over = desk.write(*TWINS, policy=WAIVER.format("2020-03-01"))

    assert (5, True) == ((done := over.run("roster", "check")).code, "ended on 2020-03-01" in done.out)
    assert 5 == over.run("--sandbox", "diff").code
    idle = desk.write(("bob", "Bob"), policy=WAIVER.format("2099-03-01")).run("roster", "check")
    assert (0, True) == (idle.code, "waives nothing: bob keeps lookalike without it" in idle.out)


def test_formats_for_programs(desk):
    """GitHub's commands, and SARIF as one document; neither beside --json."""
    desk.write(*TWINS)

    assert desk.run("roster", "check", "--format", "github").out.startswith("::warning file=roster.toml,line=12,col=1")
    log = json.loads(desk.run("roster", "check", "--format", "sarif").out)
    assert ["lookalike"] == [result["ruleId"] for result in log["runs"][0]["results"]]
    assert desk.run("roster", "check", "--format", "json").document == desk.run("roster", "check", "--json").document
    assert 2 == desk.run("roster", "check", "--json", "--format", "sarif").code
    assert 2 == desk.run("roster", "check", "--compliance", "--strict").code


@pytest.mark.parametrize("line", ['kind = "humann"', 'surname_is = "X"\nfirst = 5'])
def test_the_picture_of_an_agent_with_errors_is_looked_at(desk, line):
    """One run brings out everything that is wrong with an agent."""
    done = desk.write(("alice", "Alice\u202e", line, 'avatar = "missing.png"')).run("roster", "check", "--json")
    problems = {(problem["path"], problem["rule"]) for problem in done.document["problems"]}

    assert ("agents.alice.avatar", "picture") in problems
    assert ("agents.alice.name", "name") in problems


def test_pictures_that_look_otherwise_are_told(desk):
    """Too small, cropped, animated, transparent: each is a warning with its own id."""
    folder = desk.folder / "avatars"
    Image.new("RGB", (20, 20)).save(folder / "small.png")
    Image.new("RGB", (4000, 100)).save(folder / "wide.png")
    frames = [Image.new("L", (64, 64), shade) for shade in (0, 99)]
    frames[0].save(folder / "moves.gif", save_all=True, append_images=frames[1:])
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(folder / "clear.png")
    names = ("small.png", "wide.png", "moves.gif", "clear.png")
    agents = [(name[0], f"Agent {name[0].upper()}{at}", f'avatar = "avatars/{name}"') for at, name in enumerate(names)]
    done = desk.write(*agents).run("roster", "check", "--json")

    assert ["picture-small", "picture-cropped", "picture-animated", "picture-transparent"] == [
        problem["rule"] for problem in done.document["problems"]
    ]
    assert 0 == done.code
