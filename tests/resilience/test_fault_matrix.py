"""Every fault at every step: one run in trouble, then undisturbed ones, then the truth at X is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from profilectl.errors import ExitCode
from tests.resilience import invariants, scenery
from tests.resilience.cells import FAULTS, SEND, STEPS, SYNC, cells, reason
from tests.resilience.desired import CHANGED, WANTED, roster
from tests.resilience.record import TO_BE_MADE
from tests.resilience.stage import Trouble

CELLS = tuple(cells())
BUGS: dict[str, str] = {}  # known violations by the name of their cell; an entry goes with the bug
AS_ALICE = ("send", "--as", "alice", "--to", "@customer", "Hello", "--human-wrote-this")
TABLE = Path(__file__).parents[2] / "build" / "fault-matrix.md"


@pytest.fixture(scope="session")
def scene(tmp_path_factory):
    """The common beginning of all cells, made once."""
    stage = scenery.build(tmp_path_factory.mktemp("scene") / "stage")
    stage.close()
    return stage


@pytest.fixture
def stage(scene, tmp_path):
    """A copy of the scene."""
    one = scene.copy(tmp_path / "stage")
    yield one
    one.close()


def trouble_of(cell):
    troubles = [Trouble(lambda moment: moment.startswith(cell.step.moment), cell.fault.strike, cell.throughout)]
    if cell.step.doubt is not None:
        before, strike = cell.step.doubt
        troubles.append(Trouble(lambda moment: moment == before, strike))
    return troubles


def may_end_with(cell):
    """Return the exit codes that are right; pictures are read beside the first call, and decoded beside X's list.

    There either may come first.
    """
    is_tie = cell.fault.family == "picture" and cell.step.role in {"verify", "first page", "later page"}
    return {*cell.codes, ExitCode.DONE} if is_tie else {*cell.codes}


def disturbed(stage, cell):
    """Run into the trouble; return the exit code and what was broken on the way."""
    stage.troubles = trouble_of(cell)
    code = stage.run(*cell.step.words)
    broken = [] if code in may_end_with(cell) else [f"exit code {code}, not {cell.end_in_words}"]
    broken += [] if stage.troubles[0].struck else ["the step never came"]
    stage.troubles, stage.hours.skew = [], 0.0
    stage.hours.pass_by(cell.rest)
    if cell.fault.family not in {"late", "much later"}:  # what arrives late is recognised by a later run
        broken += invariants.orphans(stage)
    return code, broken + invariants.ledger(stage, is_settled=False)


def recovered(stage, wanted, grace):
    """Run undisturbed: at once, after the grace, and once more; return what is broken then."""
    codes = [stage.run(*SYNC)]
    stage.hours.pass_by(grace)
    codes.append(stage.run(*SYNC))
    before = list_of(stage)
    codes.append(stage.run(*SYNC))
    broken = [] if codes == [0, 0, 0] else [f"undisturbed runs ended with {codes}"]
    broken += [] if not stage.record.writes() and before == list_of(stage) else ["a further run wrote something"]
    return broken + invariants.faces(stage, wanted) + invariants.ledger(stage, is_settled=True)


def freed(stage, family):
    """A namesake stops its agent, unless that is bound, until a person has dealt with it, here by taking it away."""
    code = stage.run(*SYNC)
    codes = {ExitCode.PERSON, ExitCode.DONE} if family == "double" else {ExitCode.PERSON}
    broken = [] if code in codes else [f"a namesake ended with {code}"]
    gone = stage.record.strangers - stage.record.live().keys()
    broken += [f"the namesake {stranger} was destroyed" for stranger in gone]
    for stranger in stage.record.strangers:
        stage.world.profiles.destroy(stage.brand.user_id, stranger)
    stage.record.strangers.clear()
    return broken


def list_of(stage):
    return stage.state_of(), stage.record.live()


def resent(stage, code, cell):
    """Send again as a cron job would, at once or when X's list must tell; return what is broken."""
    most = 2 if cell.fault.family.startswith("double") else 1  # which is X's doing
    broken = invariants.messages(stage, code, most)
    is_twice = stage.record.calls["send"] > 1 and cell.fault.family != "unsent"  # which surely never got there
    broken += ["the message was posted twice"] if is_twice else []
    if cell.step.role != "record":
        told = {0: ["sent"], 7: ["sent"] if cell.fault.family in {"echo", "gone"} else ["unknown"]}.get(code, [])
        broken += [] if told == invariants.trail(stage) else [f"the trail says {invariants.trail(stage)}, not {told}"]
    if code in {ExitCode.CREDENTIALS, ExitCode.REFUSED, ExitCode.TRY_LATER}:
        broken += invariants.messages(stage, stage.run(*SEND), most)
    if code is None or (code == ExitCode.PERSON and cell.fault.family not in {"echo", "gone"}):
        stage.hours.pass_by(120)
        again = stage.run(*SEND)
        broken += [] if again == 0 else [f"sending again ended with {again}"]
        broken += invariants.messages(stage, again, most)
    return broken


def wanted_by(cell):
    """Return the names of the roster in the end; those of a cell about names have what X writes its own way."""
    if cell.fault.suffix:
        return WANTED | {agent: name + cell.fault.suffix for agent, name in TO_BE_MADE.items()}
    return CHANGED if cell.fault.family == "moved" else WANTED


def broken_by(stage, cell):
    """Play a cell and return what is broken in the end."""
    before = invariants.unchanged(stage)
    wanted = wanted_by(cell)
    if cell.fault.suffix:
        stage.write_roster(roster(wanted))
    code, broken = disturbed(stage, cell)
    if cell.step.words == SEND:
        broken += resent(stage, code, cell)
    if stage.record.strangers:
        broken += freed(stage, cell.fault.family)
    broken += recovered(stage, wanted, cell.grace)
    if cell.fault.suffix and (sent := stage.run(*AS_ALICE)) != ExitCode.DONE:
        broken.append(f"sending under a name that X writes its own way ended with {sent}")
    if before != invariants.unchanged(stage) and cell.fault.family != "gone":
        broken.append("somebody who was to keep a profile got another one")
    return broken + stage.record.violations


def marked(cell):
    marks = pytest.mark.xfail(reason=BUGS[cell.name], strict=True) if cell.name in BUGS else ()
    return pytest.param(cell, id=cell.name.replace("×", "x"), marks=marks)


@pytest.mark.scoreboard("fault cells")
@pytest.mark.parametrize("cell", [marked(cell) for cell in CELLS])
def test_nothing_is_lost(stage, cell, tally):
    """Whatever happens in a run, its exit code tells, and later runs end with one face for everybody who is wanted."""
    broken = broken_by(stage, cell)
    tally()

    assert [] == broken


def test_the_matrix_is_large_and_has_no_dead_entry():
    """At least 1,500 cells; what is known to be wrong names cells that exist."""
    names = {cell.name for cell in CELLS}

    assert len(names) == len(CELLS) >= 1500
    assert BUGS.keys() <= names


def test_the_table_of_cells_is_written():
    """Readers see which cells exist, how each has to end, and why the others make no sense."""
    rows = [
        f"| {cell.step.name} | {cell.fault.name} | {'throughout' if cell.throughout else 'once'} | "
        f"{cell.end_in_words} | {BUGS.get(cell.name, '')} |"
        for cell in CELLS
    ]
    without = [(step, fault, reason(step, fault)) for step in STEPS for fault in FAULTS]
    senseless = [f"| {step.name} | {fault.name} | {why} |" for step, fault, why in without if why is not None]
    head = f"# Fault matrix: {len(rows)} cells, {len(BUGS)} violations, {len(senseless)} pairs that make no sense"
    table = ["| step | fault | strikes | exit code | known violation |", "|---|---|---|---|---|", *rows]
    other = ["## What makes no sense", "", "| step | fault | why |", "|---|---|---|", *senseless]
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text("\n".join([head, "", *table, "", *other, ""]), encoding="utf-8")

    assert rows
    assert senseless
