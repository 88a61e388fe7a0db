"""What has to hold after any trouble, read from X's true state and from the ledger."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from profilectl.audit.chain import verify
from profilectl.audit.replay import differences, replay
from profilectl.ledger.opening import open_for_reading
from tests.resilience.record import ACCOUNT, AGENT_OF
from tests.resilience.scenery import STRANGERS

if TYPE_CHECKING:
    from tests.resilience.stage import Stage


def faces(stage: Stage, wanted: dict[str, str]) -> list[str]:
    """One live profile for each wanted agent, bound in the ledger; none for anybody else; every stranger left."""
    live = stage.record.live()
    bindings = {one.agent: one for one in stage.state_of().bindings}
    ours = sorted(name for name in live.values() if name in AGENT_OF)
    broken = [] if ours == sorted(wanted.values()) else [f"live are {ours}, wanted are {sorted(wanted.values())}"]
    if bindings.keys() != wanted.keys():
        broken.append(f"bound are {sorted(bindings)}")
    broken += [
        f"{agent} is bound to {one.profile_id}, which is {live.get(one.profile_id)!r} at X"
        for agent, one in bindings.items()
        if live.get(one.profile_id) != wanted.get(agent)
    ]
    strangers = STRANGERS + len(stage.record.strangers)
    if len(live) - len(ours) != strangers:
        broken.append(f"{len(live) - len(ours)} of {strangers} strangers are left")
    return broken


def unchanged(stage: Stage) -> dict[str, str]:
    """Return the profiles of those about whom nothing is to be done: they keep them, whatever happens."""
    return {one.agent: one.profile_id for one in stage.state_of().bindings if one.agent in {"anna", "fay"}}


def orphans(stage: Stage) -> list[str]:
    """Every live profile of ours is bound, retired, or awaited by an open intent of its name."""
    ledger_state = stage.state_of()
    known = {one.profile_id for one in ledger_state.bindings} | {one.profile_id for one in ledger_state.retired}
    awaited = {one.name for one in ledger_state.intents}
    live = stage.record.live().items()
    return [
        f"profile {one} ({name}) belongs to nobody"
        for one, name in live
        if name in AGENT_OF and one not in known and name not in awaited
    ]


def ledger(stage: Stage, *, is_settled: bool) -> list[str]:
    """A sound database and an unbroken audit trail; in the end without open intents and retired profiles."""
    broken = []
    if stage.database is None:
        with closing(sqlite3.connect(stage.ledger_place)) as connection:
            broken += [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
    with open_for_reading(stage.ledger_place) as reader:
        if (seq := verify(reader.events())) is not None:
            broken.append(f"the audit trail breaks at record {seq}")
        ledger_state = reader.state_of(ACCOUNT)
        image = replay(record.event for record in reader.events())
        broken += differences(image, ACCOUNT, ledger_state, reader.open_dispatches(ACCOUNT))
    if is_settled and (ledger_state.intents or ledger_state.retired):
        broken.append(f"left open: {ledger_state.intents}, {ledger_state.retired}")
    return broken


def messages(stage: Stage, code: int | None, most: int = 1) -> list[str]:
    """A message at most once, promised before; reported as sent only with the face, as not sent only when it wasn't."""
    sent = stage.world.state()["messages"]
    if len(sent) > most:
        return [f"{len(sent)} messages went out"]
    if sent and "promised" not in _events(stage):
        return ["a message went out that the record doesn't know"]
    face = stage.state_of().binding("anna").profile_id
    if code == 0 and {one["profile_id"] for one in sent} != {face}:
        return [f"told as sent: {sent}"]
    return [f"told as not sent, but {sent}"] if sent and code in {4, 5, 75} else []


def trail(stage: Stage) -> list[str]:
    """Return how the audit trail says that messages ended."""
    return [what for what in _events(stage) if what in {"sent", "unknown"}]


def _events(stage: Stage) -> list[str]:
    with open_for_reading(stage.ledger_place) as reader:
        return [record.event.what for record in reader.events()]
