"""The first sync of all: a ledger begins with what was done, so a run that is refused leaves none."""

from __future__ import annotations

import os

import pytest
from filelock import FileLock

from profilectl.ledger.location import default_ledger_path
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from tests.patience import LONGEST, cut_short, next_line

TEAM = (("alice", "Alice"), ("bruno", "Bruno"))


@pytest.fixture
def newcomer(desk, served):
    """Two agents at a served X, and no ledger where it is by default."""
    del desk.env["PROFILECTL_LEDGER"]
    desk.place = default_ledger_path(os.environ, served.url.partition("://")[2])
    return desk.write(*TEAM)


def left(desk):
    """Return the names of what a run has left where the ledger would be."""
    return sorted(path.name for path in desk.place.parent.glob("*")) if desk.place.parent.exists() else []


def foreign_profile(desk, served):
    """Make a profile that no ledger knows: a person has to say whether this one is the right one."""
    with desk.client(served.url) as client:
        media_id = client.upload((desk.folder / "avatars" / "face.png").read_bytes(), "image/png")
        client.create_profile("Somebody", media_id)


def no_list(_desk, served):
    served.fault(call="list", kind="rate-limit", times=None)


def nothing(_desk, _served):
    """Leave X as it is."""


@pytest.mark.parametrize(
    ("code", "happens", "words"),
    [
        (5, foreign_profile, ()),
        (2, nothing, ("--agent", "zoe")),
        (5, nothing, ("--expect", "sha256:" + "0" * 64)),
        (75, no_list, ("--max-wait", "0s")),
    ],
)
def test_a_refused_first_sync_leaves_no_ledger(newcomer, served, code, happens, words):
    """Neither the file nor its folder: whoever looks next finds that nobody has begun."""
    happens(newcomer, served)
    result = newcomer.run("sync", "--yes", *words)

    assert (code, []) == (result.code, left(newcomer)), result.err


def test_a_picture_that_can_t_be_decoded_leaves_no_ledger(newcomer, served):
    """Its head looks like a picture's, so that only decoding tells; nothing was uploaded either."""
    picture = newcomer.draw("cut.png", size=(300, 300))
    picture.write_bytes(picture.read_bytes()[:-40])
    newcomer.write(*TEAM[:1], ("bruno", "Bruno", 'avatar = "avatars/cut.png"'))
    result = newcomer.run("sync", "--yes")

    assert (5, [], []) == (result.code, left(newcomer), served.live())
    assert "agents.bruno.avatar" in result.err


def test_a_refused_first_sync_makes_no_tables(newcomer, served, postgres):
    """In a database neither: its schema is there only once a plan is accepted."""
    newcomer.env["PROFILECTL_LEDGER"] = postgres.address(query="schema=newcomers")
    foreign_profile(newcomer, served)
    refused = newcomer.run("sync", "--yes")
    assert (5, [(None,)]) == (refused.code, postgres.execute("SELECT to_regnamespace(%s)", "newcomers")), refused.err

    assert 0 == newcomer.run("sync", "--yes", "--new-ledger").code
    assert 5 == newcomer.run("sync", "--yes", "--expect", "sha256:" + "0" * 64).code
    assert ["Alice", "Bruno", "Somebody"] == served.live()


def test_no_to_the_question_leaves_no_ledger(newcomer, served):
    """Nothing was done, so nothing is kept of it; after a yes there is one, and what was shown is done."""
    code, _ = newcomer.watch("sync", at_questions=[lambda: b"n\n"])
    assert (130, [], []) == (code, left(newcomer), served.live())

    code, _ = newcomer.watch("sync", at_questions=[lambda: b"y\n"])
    assert (0, ["Alice", "Bruno"]) == (code, served.live())
    assert newcomer.place.exists()


def test_a_first_sync_reads_the_list_once(newcomer):
    """That nothing is left behind costs X no call."""
    result = newcomer.run("sync", "--yes", "--json")

    assert (0, 1) == (result.code, result.document["requests"]["list"])


def test_a_first_sync_with_nothing_to_do_begins_the_ledger(newcomer):
    """Its accounts are known from then on."""
    newcomer.write(("alice", "Alice", "from = 2099-01-01"))
    assert 0 == newcomer.watch("sync")[0]

    with open_for_reading(newcomer.place) as ledger:
        assert ledger.account_of("acme") is not None


def test_what_was_seen_before_somebody_began_the_ledger_does_not_count(newcomer, served):
    """While the run waited for the lock a colleague offboarded Bruno, so no profile is made for him."""
    newcomer.place.parent.mkdir(parents=True, mode=0o700)
    with newcomer.client(served.url) as client:
        account = client.verify_credentials()
    with FileLock(newcomer.place.with_name("ledger.db.lock"), mode=0o600):
        process = newcomer.start("sync", "--yes")
        assert next_line(process, process.stderr).startswith("waiting ")
        with open_for_writing(newcomer.place) as ledger:
            ledger.register_account("acme", account, 1)
            ledger.block(account.user_id, "bruno", 1)
    with cut_short(process):
        process.communicate(timeout=LONGEST)

    assert (7, ["Alice"]) == (process.returncode, served.live())


def test_what_was_seen_before_a_wait_does_not_count(newcomer, served):
    """While the run waited for the lock, and nobody began a ledger, Bruno left the roster."""
    newcomer.place.parent.mkdir(parents=True, mode=0o700)
    with FileLock(newcomer.place.with_name("ledger.db.lock"), mode=0o600):
        process = newcomer.start("sync", "--yes")
        assert next_line(process, process.stderr).startswith("waiting ")
        newcomer.write(*TEAM[:1])
    with cut_short(process):
        process.communicate(timeout=LONGEST)

    assert (0, ["Alice"]) == (process.returncode, served.live())
