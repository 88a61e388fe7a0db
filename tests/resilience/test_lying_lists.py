"""One reading of the list that isn't true, in brands of many sizes: nobody gets another profile for it."""

from __future__ import annotations

from functools import cache

import pytest

from profilectl.errors import ExitCode
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Profile
from profilectl.sandbox.model.faults import Fault, Kind
from tests.resilience.cells import SYNC
from tests.resilience.desired import picture, roster
from tests.resilience.stage import Stage

LISTS = {
    "empty": Kind.EMPTY_LIST,
    "half": Kind.HALF_LIST,
    "stale": Kind.STALE_LIST,
    "another account's": Kind.FOREIGN_LIST,
}
SIZES = (1, 4, 12, 40, 400, 1000)
HONEST = {ExitCode.DONE, ExitCode.REFUSED, ExitCode.PERSON, ExitCode.TRY_LATER}
OLD, YOUNG = 3600.0, 1200.0  # seconds of age: of the first half of a brand's profiles, and of the second


@pytest.fixture(scope="module")
def scene_of(tmp_path_factory):
    """Return a brand of so many agents, each bound to its profile; made once for each size."""

    @cache
    def build(size):
        stage = Stage(tmp_path_factory.mktemp("brands") / f"of-{size}")
        populate(stage, [f"Agent {number}" for number in range(1, size + 1)])
        stage.close()
        return stage

    return build


def populate(stage, names):
    """Bind every name to a profile as `sync` would have, the first one by `sync` itself, which knows the picture."""
    agents = {f"a{number}": name for number, name in enumerate(names, 1)}
    (stage.folder / "face.png").write_bytes(picture((20, 120, 200)))
    stage.write_roster(roster({"a1": names[0]}))
    assert 0 == stage.run(*SYNC)
    first = stage.state_of().binding("a1")
    media = stage.world.media.add(stage.brand.user_id, picture((20, 120, 200)))
    stage.write_roster(roster(agents))
    others = [*agents.items()][1:]
    with open_for_writing(stage.ledger_place, actor="scene") as ledger, ledger.lock(0, "scene"), ledger.batch():
        for number, (agent, name) in enumerate(others):
            if number == len(others) // 2:
                stage.hours.pass_by(OLD - YOUNG)
            made = stage.world.profiles.create(stage.brand.user_id, name, media.id)
            profile = Profile(made.id, name, f"http://localhost/{made.id}", made.created_ms)
            now_ms = int(stage.hours.now * 1000)
            ledger.adopt(stage.brand.user_id, agent, profile, avatar=first.avatar, protected=False, now_ms=now_ms)
    stage.hours.pass_by(YOUNG)


def add_sister(stage):
    """Give the world another account, whose team has the same names."""
    other = stage.world.ensure_brand("sister", user_id="9999")
    media = stage.world.media.add(other.user_id, picture((5, 5, 5)))
    for profile in stage.world.profiles.all(stage.brand.user_id):
        stage.world.profiles.create(other.user_id, profile.name, media.id)


@pytest.mark.scoreboard("lying lists")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lie", LISTS)
def test_nobody_is_replaced_for_one_lying_list(scene_of, tmp_path, tally, lie, size):
    """Nothing is made and nothing ends, whatever the run comes to; the next one has nothing to do."""
    stage = scene_of(size).copy(tmp_path / "stage")
    if LISTS[lie] is Kind.FOREIGN_LIST:
        add_sister(stage)
    before = stage.state_of().bindings, stage.record.live()
    stage.world.faults.add(Fault(kind=LISTS[lie], call="list", seconds=(OLD + YOUNG) / 2))
    code, writes = stage.run(*SYNC), stage.record.writes()
    again, later_writes = stage.run(*SYNC), stage.record.writes()
    after = stage.state_of().bindings, stage.record.live()
    stage.close()
    tally()

    assert 0 == writes
    assert code in HONEST
    assert (0, 0) == (again, later_writes)
    assert before == after
