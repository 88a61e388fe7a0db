"""The state from which every cell starts: each kind of step that a sync can have is due, and the list has two pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.resilience import faults
from tests.resilience.desired import EARLIER, RENAMED, WANTED, WITH_INA, picture, roster
from tests.resilience.stage import Stage, Trouble

if TYPE_CHECKING:
    from pathlib import Path

    from profilectl.ledger.address import PostgresAddress

STRANGERS = 50
GRACE = 15 * 60 + 5  # seconds after which a replaced profile is surely destroyed: X's clock is known to the second


def build(folder: Path, database: PostgresAddress | None = None) -> Stage:
    """Return a stage after some weeks of use; nobody is bound to more than one live profile yet."""
    stage = Stage(folder, database=database)
    (folder / "face.png").write_bytes(picture((20, 120, 200)))
    (folder / "bruno.png").write_bytes(picture((200, 120, 20)))
    stage.write_roster(roster(EARLIER))
    assert stage.run("sync", "--yes") == 0
    media = stage.world.media.add(stage.brand.user_id, picture((9, 9, 9)))
    for number in range(STRANGERS):
        stage.world.profiles.create(stage.brand.user_id, f"Stranger {number}", media.id)
    stage.write_roster(roster(RENAMED))
    assert stage.run("sync", "--yes") == 0
    stage.write_roster(roster(WITH_INA))
    stage.troubles = [Trouble(lambda moment: moment == "create Ina", faults.reset_after)]
    stage.troubles += [Trouble(lambda moment: moment == "list again", faults.refuse(503, 130), throughout=True)]
    assert stage.run("sync", "--yes") == 75
    stage.troubles = []
    lost = next(one.profile_id for one in stage.state_of().bindings if one.agent == "hugo")
    stage.world.profiles.destroy(stage.brand.user_id, lost)
    stage.hours.pass_by(GRACE)
    stage.write_roster(roster(WANTED))
    (folder / "bruno.png").write_bytes(picture((120, 20, 200)))
    return stage
