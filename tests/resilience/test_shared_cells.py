"""Every so many a cell of the fault matrix over a ledger in PostgreSQL, with what a database does in a disk's place.

`PROFILECTL_TEST_SHARED_CELLS=1` plays them all.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace

import psycopg
import pytest

from profilectl.ledger import schema
from profilectl.ledger.address import parse_place
from profilectl.ledger.opening import open_for_writing
from tests.postgres_server import USER
from tests.resilience import faults, scenery
from tests.resilience.cells import cells
from tests.resilience.test_fault_matrix import broken_by

USUAL_STEP = 60
STEP = int(os.environ.get("PROFILECTL_TEST_SHARED_CELLS", str(USUAL_STEP)))


def disk_full(_stage, ledger, proceed):
    """Let the transaction fail at its last statement, as a server does whose disk is full."""
    execute = ledger.real._engine.execute

    def full(statement, /, **values):
        if statement in {schema.ADD_RECORD, schema.ADD_DISPATCH}:
            raise psycopg.errors.DiskFull("could not extend file: No space left on device")
        return execute(statement, **values)

    ledger.real._engine.execute = full
    try:
        return proceed()
    finally:
        ledger.real._engine.execute = execute


def lock_held(stage, _ledger, proceed):
    """Let another run hold the lease while this one asks for it, or for what needs none."""

    @contextlib.contextmanager
    def locked(wait_for_it):
        with open_for_writing(stage.ledger_place) as other, other.lock(0, "another run"), wait_for_it:
            yield

    with open_for_writing(stage.ledger_place) as other, other.lock(0, "another run"):
        result = proceed()
    return locked(result) if hasattr(result, "__enter__") else result


STRIKES = {faults.disk_full: disk_full, faults.lock_held: lock_held}
OF_A_FILE = {faults.read_only, faults.no_holder_file}
CELLS = [
    replace(cell, fault=replace(cell.fault, strike=STRIKES.get(cell.fault.strike, cell.fault.strike)))
    for cell in cells()
    if cell.fault.strike not in OF_A_FILE
]
PLAYED = CELLS[::STEP]


@pytest.fixture(scope="module")
def scene(tmp_path_factory, postgres):
    """The common beginning of all cells, made once, and the name of its database."""
    name = postgres.fresh_database()
    address = parse_place(postgres.address(user=USER, database=name))
    stage = scenery.build(tmp_path_factory.mktemp("scene") / "stage", address)
    stage.close()
    return stage, name


@pytest.fixture
def stage(scene, tmp_path, postgres):
    """A copy of the scene."""
    template, name = scene
    copy = f"{name}_copy"
    postgres.execute(f"CREATE DATABASE {copy} TEMPLATE {name}")
    address = parse_place(postgres.address(user=USER, database=copy))
    with contextlib.closing(template.copy(tmp_path / "stage", address)) as stage:
        yield stage
    postgres.execute(f"DROP DATABASE {copy} WITH (FORCE)")


@pytest.mark.scoreboard("shared cells")
@pytest.mark.parametrize("cell", [pytest.param(cell, id=cell.name.replace("×", "x")) for cell in PLAYED])
def test_nothing_is_lost_in_a_shared_ledger(stage, cell, tally):
    """Whatever happens in a run, its exit code tells, and later runs end with one face for everybody who is wanted."""
    broken = broken_by(stage, cell)
    tally()

    assert [] == broken
