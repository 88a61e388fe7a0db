"""Agents, brands, profile ids and plans at TAB in real shells: the names come from the program that is on the line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Account, Event, Profile

SCRIPTS = Path(__file__).parent.parent.parent / "completions"
ROSTER = """version = 1
[brands.acme]
handle = "acmecare"
[brands.zenith]
handle = "zenithcare"
[defaults]
kind = "human"
avatar = "face.png"
[agents.alice]
name = "Alice: $(touch gone) `x` 100%d \\\\n"
brands = ["acme"]
[agents.alba]
name = "Alba"
brands = ["zenith"]
[agents.bob]
name = "Bob"
brands = ["acme"]
"""


@pytest.fixture(autouse=True)
def place(shells):
    """A roster of two brands, a ledger with a retired and a bound profile, and the program in PATH."""
    shells.put_program()
    (shells.folder / "roster.toml").write_text(ROSTER)
    with open_for_writing(shells.folder / ".profilectl" / "ledger.db") as ledger:
        ledger.register_account("acme", Account("7", "acmecare", "api.x.com"), 1)
        for profile_id in ("1234567", "1999999"):  # the second one takes the first one's place
            profile = Profile(profile_id, "Alice", "https://example.com/a.png", 1)
            ledger.adopt("7", "alice", profile, name=profile.name, avatar="sha256:a", protected=False, now_ms=1)
        detail = {"recipient_id": "20", "recipient_handle": "customer_1"}
        ledger.record(Event("sent", "7", 1, "alice", "1999999", detail))


def starts(shells):
    return shells.starts.read_text().splitlines() if shells.starts.exists() else []


def test_an_agent_completes(complete):
    """Who may speak is offered behind --as."""
    assert {"alice", "alba"} == complete("profilectl send --as al")


def test_an_agent_completes_behind_an_equals_sign(complete):
    """``--as=al`` is one word to us, whatever the shell makes of it."""
    assert {"--as=alice"} == complete("profilectl send --as=ali")


@pytest.mark.parametrize("brand", ["--brand acme", "--brand=acme"])
def test_an_agent_of_the_brand_that_was_named(complete, brand):
    """Where a brand was named, only its agents are offered."""
    assert {"alice"} == complete(f"profilectl send {brand} --as al")


@pytest.mark.parametrize("line", ["send --as alice --to @cu", "send --to ", "thread @", "thread "])
def test_a_customer_completes(complete, line):
    """Whom the record knows by a handle, behind its @."""
    assert {"@customer_1"} == complete(f"profilectl {line}")


def test_a_brand_completes(complete):
    """Brands are offered by their keys."""
    assert {"zenith"} == complete("profilectl --brand z")


def test_an_argument_that_is_an_agent_or_a_profile(complete):
    """Arguments complete in their order; of the ids, those that the command takes."""
    assert {"bob"} == complete("profilectl profiles adopt b")
    assert {"1234567"} == complete("profilectl profiles adopt alice ")
    assert {"1234567"} == complete("profilectl profiles destroy 1")


@pytest.mark.parametrize("option", ["--roster ../other/my.toml", "--roster=../other/my.toml"])
def test_names_of_another_roster(shells, complete, option):
    """The roster that the line names is the one whose agents are offered."""
    other = shells.folder.parent / "other"
    other.mkdir()
    (other / "my.toml").write_text(ROSTER.replace("agents.bob", "agents.bert"))

    assert {"bert"} == complete(f"profilectl send {option} --as b")


def test_a_roster_in_a_folder_with_spaces(shells):
    """Quotes are read as the shell reads them, without running anything in them."""
    other = shells.home / "my $(touch gone) folder"
    other.mkdir()
    (other / "roster.toml").write_text(ROSTER.replace("agents.bob", "agents.bert"))

    for shell in (shells.bash, shells.zsh):
        words = shell("profilectl send --roster '../home/my $(touch gone) folder'/roster.toml --as b")
        assert "bert" == words[-1]
        assert "bert" == shell("profilectl send --roster ~/my\\ \\$\\(touch\\ gone\\)\\ folder/roster.toml --as b")[-1]
    assert ["bert"] == shells.fish('profilectl send --roster "../home/my \\$(touch gone) folder/roster.toml" --as b')
    assert not (shells.folder / "gone").exists()


def test_plans_are_json_files_and_folders(shells, complete):
    """A saved plan is offered, and what may hold one; nothing else."""
    for name in ("plan.json", "plan.txt", "planet"):
        (shells.folder / name).touch()
    (shells.folder / "plans").mkdir()

    assert {"plan.json", "plans"} == {name.rstrip("/") for name in complete("profilectl sync --plan pla")}


def test_a_plan_behind_an_equals_sign(shells, complete):
    """``--plan=`` completes files as well."""
    (shells.folder / "plan.json").touch()

    assert {"--plan=plan.json"} == complete("profilectl sync --plan=pl")


def test_a_plan_with_a_space_is_one_word(shells):
    """The shell quotes it itself."""
    (shells.folder / "my plan.json").touch()

    assert ["sync", "--plan", "my plan.json"] == shells.bash("profilectl sync --plan my")
    assert ["sync", "--plan", "my plan.json"] == shells.zsh("profilectl sync --plan my")


def test_commands_and_options_start_nothing(shells, complete):
    """The scripts know the commands themselves: no process is started for them, ours or Python's."""
    for python in ("python", "python3", "sh"):
        program = shells.programs / python
        program.write_text(f"#!/bin/sh\necho {python} >>{shells.starts}\n")
        program.chmod(0o755)

    for line in ("profilectl sy", "profilectl sync --al", "profilectl completion ", "profilectl sync --roster ro"):
        assert complete(line)
    assert [] == starts(shells)


def test_names_start_the_program_once(shells, complete):
    """One TAB, one process, which is told the words that it needs."""
    complete("profilectl --brand acme send --as al")

    assert ["__complete agents --brand acme send --as"] == starts(shells)


def test_the_program_on_the_line_is_the_one_that_answers(shells, complete):
    """A path to the program in a virtual environment works, also where PATH has none."""
    (shells.programs / "profilectl").unlink()
    folder = shells.folder / "bin"
    folder.mkdir()
    shells.put_program(folder)

    assert {"alice"} == complete("bin/profilectl send --as ali")


def test_without_the_program_nothing_happens(shells, complete):
    """A function or an alias of that name isn't called at TAB: who knows what it does."""
    (shells.programs / "profilectl").unlink()

    assert complete("profilectl send --as al") <= {"al", ""}


def test_fish_and_zsh_show_who_it_is(shells):
    """Descriptions stand beside the names, as text, whatever they hold."""
    description = "Alice: $(touch gone) `x` 100%d \\n · human"
    assert [f"alice\t{description}"] == shells.fish_lines_of("profilectl send --as ali")
    assert ["zenith\t@zenithcare"] == shells.fish_lines_of("profilectl --brand z")
    assert ["1234567\tAlice · retired, was alice's"] == shells.fish_lines_of("profilectl profiles destroy 1")

    shutil.copy(SCRIPTS / "_profilectl", shells.home)
    with shells.open_zsh("setopt auto_list") as terminal:
        terminal.enter("profilectl send --as a\t\t")
        terminal.wait_for(f" -- {description}")
    assert not (shells.folder / "gone").exists()
