"""Nine months of a brand, told by commands alone: two people had one public name, one after the other.

Who was "Alice F." on 3 May, did she agree to it, did a script ever speak as her, was the record changed?
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from profilectl.audit import chain
from profilectl.sandbox.model.world import World
from tests import moved_clock

HR_1 = 'consent = { name = true, photo = true, ref = "HR-1", given = 2026-01-15, expires = 2026-12-31 }'
HR_2 = 'consent = { name = true, photo = true, ref = "HR-2", given = 2026-06-20, expires = 2027-06-30 }'
FAST = ("alice", "Alice F.", 'last = "Fast"', HR_1)
FISCHER = ("afischer", "Alice F.", 'last = "Fischer"', 'avatar = "avatars/fischer.png"', HR_2)
BOT = ("helper", "Acme Helper (bot)", 'kind = "bot"')


def at(desk, moment, *words, code=0):
    """Run a command at a moment, and make sure how it ends."""
    desk.env |= moved_clock.settings(desk.folder, moment)
    result = desk.run(*words)
    assert code == result.code, result.err
    return result


def vouched(desk, moment, agent, text):
    at(desk, moment, "send", "--as", agent, "--to", "@ada", "--human-wrote-this", text)


@pytest.fixture
def october(desk):
    """The desk of the brand on 31 October."""
    desk.env |= {"PROFILECTL_SANDBOX": "1", "TZ": "UTC"}
    policy = 'settle_after = "0s"\nretire_after = "0s"\nconsent = "require"'
    desk.write(FAST, BOT, policy=policy)
    at(desk, "2026-02-01T09:00", "sync", "--yes")
    with World(desk.folder / ".profilectl" / "sandbox" / "world.db") as world:  # the first customer is for rehearsals
        world.ensure_customer("ada")
    vouched(desk, "2026-03-03T12:00", "alice", "Good morning")
    desk.draw("face.png", colour=(200, 20, 20))
    at(desk, "2026-04-10T10:00", "sync", "--yes")
    vouched(desk, "2026-05-03T12:00", "alice", "It is on its way")
    at(desk, "2026-05-03T13:00", "send", "--as", "helper", "--to", "@ada", "An answer of the machine's")
    desk.write(BOT, policy=policy)
    at(desk, "2026-05-20T18:00", "sync", "--yes")
    desk.draw("fischer.png", colour=(20, 200, 20))
    desk.write(FISCHER, BOT, policy=policy)
    at(desk, "2026-07-01T09:00", "sync", "--yes")
    vouched(desk, "2026-07-02T12:00", "afischer", "Good afternoon")
    at(desk, "2026-08-02T03:00", "send", "--as", "afischer", "--to", "@ada", "From cron", code=5)
    at(desk, "2026-10-31T09:00", "sync", "--yes")
    return desk


def face(desk, *words):
    """Return the only face that had the name then."""
    [face] = at(desk, "2026-10-31T10:00", "audit", "who", "Alice F.", *words, "--json").document["faces"]
    return face


def test_the_four_questions_are_answered_by_commands(october):
    """Of the name on a day, of the consent, of the origin of every message, and of the record itself."""
    may, august = face(october, "--at", "2026-05-03"), face(october, "--at", "2026-08-02")
    assert ("alice", "2026-04-10", "2026-05-20") == (may["agent"], may["began"]["at"][:10], may["left"]["at"][:10])
    assert ("afischer", "2026-07-01", None) == (august["agent"], august["began"]["at"][:10], august["left"])
    assert [] == at(october, "2026-10-31T10:00", "audit", "who", "Alice F.", "--at", "2026-06-10").rows

    assert "HR-1: name and photo, given 2026-01-15, until 2026-12-31" == may["consent"]
    assert "HR-2: name and photo, given 2026-06-20, until 2027-06-30" == august["consent"]

    def origins(agent):
        sent = at(october, "2026-10-31T10:00", "audit", "sent", "--as", agent, "--json").document["messages"]
        return [(message["at"][:10], message["name"], message["origin"]) for message in sent]

    assert [(day, "Alice F.", "person vouched") for day in ("2026-03-03", "2026-05-03")] == origins("alice")
    assert [("2026-07-02", "Alice F.", "person vouched")] == origins("afischer")
    assert [("2026-05-03", "Acme Helper (bot)", "script")] == origins("helper")
    denied = at(october, "2026-10-31T10:00", "audit", "log", "--event", "denied", "--json").document["records"]
    tried = [(record["at"][:10], record["agent"], record["detail"]["rule"]) for record in denied]
    assert [("2026-08-02", "afischer", "a script as a person")] == tried

    whole = at(october, "2026-10-31T10:00", "audit", "verify", "--json").document
    assert (True, None) == (whole["whole"], whole["broken"])


def test_a_record_that_was_changed_is_noticed_and_named(october):
    """Somebody makes a message of a person's a script's, and mends its hash: the chain breaks at the next record."""
    with closing(sqlite3.connect(october.folder / ".profilectl" / "sandbox" / "ledger.db")) as database:
        [(seq, prev_hash, text)] = database.execute(
            """SELECT seq, prev_hash, text FROM audit WHERE text LIKE '%"what":"sent"}' ORDER BY seq LIMIT 1"""
        ).fetchall()
        forged = text.replace('"origin":"person vouched"', '"origin":"script"')
        assert forged != text
        digest = chain._hash(prev_hash, forged)  # with its own hash in order, the next one tells
        database.execute("UPDATE audit SET text = ?, hash = ? WHERE seq = ?", (forged, digest, seq))
        database.commit()
    broken = at(october, "2026-10-31T11:00", "audit", "verify", "--json", code=5).document
    assert (False, seq + 1) == (broken["whole"], broken["broken"])
