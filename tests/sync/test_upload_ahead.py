"""Pictures are uploaded while others are still prepared, and nothing is created before all of them are good."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from threading import Timer

import pytest

from profilectl.errors import AvatarRefused, Refused
from profilectl.model import PreparedPicture
from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.sync.creates import CreateRun
from profilectl.sync.ports import BrandTarget
from tests.sync.small_x import FACE, statuses

NAMES = ("alice", "bruno", "chidi")


@pytest.fixture
def creates(run):
    target = BrandTarget("1", run.x, run.observe())
    made = CreateRun(target, run.ledger, {}, 2, run.stop, run.wait, frozenset())
    yield made
    made.give_up()


def change(name):
    after = Appearance(name.title(), f"sha256:{name}")
    return Change("acme", name, Action.CREATE, (Reason.NEW,), after=after)


def pictures(*ready):
    """Return the pictures of the three agents; only of those agents they are prepared already."""
    futures = {name: Future() for name in NAMES}
    for name in ready:
        deliver(futures, name)
    return futures


def deliver(futures, name):
    digest = f"sha256:{name}"
    futures[name].set_result(PreparedPicture(FACE.content, FACE.media_type, digest, FACE.signature))


def upload(creates, futures):
    named = [(f"sha256:{name}", future) for name, future in futures.items()]
    creates.upload_ahead([change(name) for name in NAMES], named)


def test_what_is_ready_is_uploaded_and_nothing_is_created(run, x, creates):
    """Two are there from the beginning, and uploaded before the third one is."""
    futures = pictures("alice", "bruno")

    def deliver_last():
        seen.extend(x.calls)
        deliver(futures, "chidi")

    seen = []
    Timer(0.3, deliver_last).start()
    upload(creates, futures)

    assert ["upload", "upload"] == [call for call in seen if call != "list"]
    assert ((), []) == (run.state_of().intents, x.live())


def test_all_are_created_afterwards_and_each_picture_is_uploaded_once(run, x, creates):
    """As without it: three uploads, three creates."""
    futures = pictures("alice")
    for name, seconds in (("bruno", 0.05), ("chidi", 0.1)):
        Timer(seconds, deliver, (futures, name)).start()
    upload(creates, futures)
    outcomes = list(creates.carry_out([change(name) for name in NAMES]))

    assert dict.fromkeys(NAMES, "done") == statuses(outcomes)
    assert (3, ["Alice", "Bruno", "Chidi"]) == (x.calls.count("upload"), x.live())
    assert set(NAMES) == {binding.agent for binding in run.state_of().bindings}


def test_a_bad_picture_ends_the_uploads(run, x, creates):
    """What comes after it isn't uploaded any more, and nobody was created."""
    futures = pictures("alice", "chidi")
    Timer(0.1, futures["bruno"].set_exception, (AvatarRefused("picture bruno is damaged"),)).start()
    upload(creates, futures)

    assert (1, []) == (x.calls.count("upload"), x.live())
    assert () == run.state_of().intents


def test_nothing_is_created_after_a_stop(run, x, creates):
    """However much was uploaded by then."""
    futures = pictures("alice", "bruno")

    def stop():
        run.stop.requested = True
        deliver(futures, "chidi")

    Timer(0.2, stop).start()
    upload(creates, futures)
    outcomes = list(creates.carry_out([change(name) for name in NAMES]))

    assert (dict.fromkeys(NAMES, "skipped"), []) == (statuses(outcomes), x.live())
    assert () == run.state_of().intents


def test_a_picture_that_x_refuses_is_told_and_the_others_go_on(run, x, creates):
    """Its failure comes first, and once."""
    x.before["upload"] = deque([Refused("X refuses the picture")])
    creates.jobs = 1
    futures = pictures("alice")
    Timer(0.2, deliver, (futures, "bruno")).start()
    Timer(0.3, deliver, (futures, "chidi")).start()
    upload(creates, futures)
    outcomes = list(creates.carry_out([change(name) for name in NAMES]))

    assert {"alice": "failed", "bruno": "done", "chidi": "done"} == statuses(outcomes)
    assert (3, ["Bruno", "Chidi"]) == (len(outcomes), x.live())
