"""The right face or none, once, honestly: the program as agents and cron jobs meet it, against a sandbox."""

from __future__ import annotations

import csv
import html
import io
import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from profilectl.ledger.sqlite import open_for_reading
from tests.cli.conftest import PROGRAM

TO = ("send", "--as", "alice", "--to", "@customer")
STRANGER = "@acmecare"  # anybody but the customer whom a rehearsal may write to
KILLED_BEFORE_POST = """
import os, signal, sys
from profilectl.api.client import XClient
XClient.send_message = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from profilectl.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture
def alice(desk, served):
    """A desk whose agent Alice has her face at X."""
    desk.write(("alice", "Alice F.", 'first = "Alice"', 'last = "Fast"'), ("helper", "Helper bot", 'kind = "bot"'))
    assert 0 == desk.run("sync", "--yes").code
    return desk


def texts(served):
    return [message["text"] for message in served.ask("GET", "state")["messages"]]


def record_of(desk):
    """Return what the record holds, oldest first."""
    with open_for_reading(desk.folder / desk.env["PROFILECTL_LEDGER"]) as ledger:
        return [record.event for record in ledger.events()]


def profile_of(served, name):
    return next(row["id"] for row in served.ask("GET", "state")["profiles"] if row["name"] == name and row["is_live"])


# The right face


def test_a_face_that_is_gone_is_noticed_before_anything_is_sent(alice, served):
    """X would send under the brand without a word: after some minutes it is asked first."""
    served.ask("POST", "advance", {"seconds": 181})
    own = dict(alice.env)
    alice.env |= {"PROFILECTL_LEDGER": str(alice.folder / "other.db"), "XDG_STATE_HOME": str(alice.folder / "other")}
    assert 0 == alice.run("profiles", "destroy", profile_of(served, "Alice F."), "--yes").code
    alice.env.clear()
    alice.env |= own
    result = alice.run(*TO, "Hello")

    assert (5, []) == (result.code, texts(served))
    assert "is gone from X; nothing was sent" in result.err


def test_a_face_that_was_seen_lately_costs_no_call(alice, served):
    """A confirmed message proves the face for three minutes."""
    served.ask("POST", "advance", {"seconds": 181})
    calls = [alice.run(*TO, text, "-v").err.count("GET /1.1/custom_profiles/1") for text in ("one", "two")]

    assert [1, 0] == calls


def test_whoever_was_offboarded_does_not_speak_and_does_not_come_back(alice, served):
    """Blocked at once and for good: no message, no new profile, until a person says otherwise."""
    assert 0 == alice.run("offboard", "alice", "--yes").code
    refused = alice.run(*TO, "Hello")
    synced = alice.run("sync", "--yes")
    undone = alice.run("offboard", "--undo", "alice")
    again = [alice.run("sync", "--yes").code, alice.run(*TO, "Hello").code]

    assert (5, True) == (refused.code, "alice was offboarded" in refused.err)
    assert (7, True) == (synced.code, "offboard --undo alice" in synced.err)
    assert (0, [0, 0], ["Hello"]) == (undone.code, again, texts(served))


def test_a_brand_that_is_not_allowed_yet_signs_as_agents_always_have(desk, served):
    """With the fallback the message goes out under the brand, signed, and the receipt says so; without it, never."""
    served.ask("POST", "allowlist", {"handle": "acmecare", "allowlisted": False})
    desk.write(("alice", "Alice F.", 'first = "Alice"', 'last = "Fast"'))
    refused = desk.run(*TO, "Hello")
    roster = desk.folder / "roster.toml"
    roster.write_text(roster.read_text().replace('handle = "acmecare"', 'handle = "acmecare"\nfallback = "sign-off"'))
    signed = desk.run(*TO, "Hello")
    document = desk.run(*TO, "Bye", "--json").document
    served.ask("POST", "allowlist", {"handle": "acmecare", "allowlisted": True})
    too_late = desk.run(*TO, "Hello again")

    assert (5, 0, 5) == (refused.code, signed.code, too_late.code)
    assert ["Hello ^AF", "Bye ^AF"] == texts(served)
    assert "under @acmecare, signed ^AF" in signed.out
    assert (None, False, "sent") == (document["custom_profile_id"], document["verified"], document["status"])


# Once


def test_an_answer_that_was_lost_leaves_one_message(alice, served):
    """A cron script that tries three times writes to the customer once."""
    served.fault(call="send", kind="drop-after")
    results = [alice.run(*TO, "Hello", "--json") for _ in range(4)]

    assert [0] * 4 == [result.code for result in results]
    assert ["sent", "already-sent", "already-sent", "already-sent"] == [result.document["status"] for result in results]
    assert 1 == len({result.document["event_id"] for result in results})
    assert ["Hello"] == texts(served)


def test_killed_between_the_word_and_the_message(alice, served):
    """Nobody knows at first; once X's list must tell, the message is sent, once."""
    command = [sys.executable, "-c", KILLED_BEFORE_POST, *TO, "Hello", "--key", "ticket-7"]
    killed = subprocess.run(
        command, cwd=alice.folder, env=alice.environment(), capture_output=True, check=False, timeout=60
    )
    promised = record_of(alice)[-1]
    doubtful = alice.run(*TO, "Hello", "--key", "ticket-7", "--json")
    by_id = (*TO[:-1], promised.detail["recipient_id"])
    named = alice.run(*by_id, "Hello", "--key", "ticket-7").err
    served.ask("POST", "advance", {"seconds": 120})
    settled = [alice.run(*TO, "Hello", "--key", "ticket-7", "--json").document["status"] for _ in range(2)]

    assert (-signal.SIGKILL, 7) == (killed.returncode, doubtful.code)
    assert f"to @customer ({promised.detail['recipient_id']}) is in doubt" in " ".join(named.split())
    assert ("unknown", False) == (doubtful.document["status"], doubtful.document["verified"])
    assert (["sent", "already-sent"], ["Hello"]) == (settled, texts(served))
    assert ("promised", "alice", 5) == (promised.what, promised.agent, promised.detail["text_length"])
    assert [promised.detail["nonce"]] == [
        event.detail["nonce"] for event in record_of(alice) if event.what == "taken-back"
    ]


def test_the_answers_say_whether_it_was_a_bot_and_the_first_contact(alice):
    """CSV, pipe, JSON, and the page of an export: a controller reads it there, and not in the chain."""
    for agent, text in (("helper", "Hello"), ("alice", "Hi")):
        words = ("send", "--as", agent, "--to", "@customer", text, "--human-wrote-this")
        assert 0 == alice.run(*words).code
    sheet = csv.DictReader(io.StringIO(alice.run("audit", "sent", "--csv").out))
    piped = [row[-3:] for row in alice.run("audit", "sent").rows]
    document = alice.run("audit", "sent", "--json").document["messages"]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert 0 == alice.run("audit", "export", "--since", f"{today}T00:00Z", "--until", "2036-01-01", ".").code
    [page] = alice.folder.glob("*.html")

    expected = [["bot", "bot", "yes"], ["human", "", "no"]]
    assert expected == [[row["kind"], row["marker"], row["first contact"]] for row in sheet]
    assert expected == piped
    assert [("bot", "bot", True), ("human", None, False)] == [
        (message["kind"], message["marker"], message["first_contact"]) for message in document
    ]
    cells = re.sub(r"<[^>]*>|\s+", " ", html.unescape(page.read_text(encoding="utf-8"))).split()
    assert ['bot, its name says "bot" yes', "human no"] == [
        part for part in ('bot, its name says "bot" yes', "human no") if part in " ".join(cells)
    ]


DISCLOSED = {
    *("recipient_id", "event_id", "text_hmac", "text_length", "echoed_profile_id", "confirmed"),
    *("name", "picture", "kind", "marker", "language", "brand", "on_behalf_of", "first_contact"),
    *("origin", "asked", "uid", "parent", "roster", "version", "nonce", "promised_ms"),
}


def test_the_record_says_what_a_customer_was_shown_and_who_spoke(alice):
    """Beside time, account, agent, profile, user and host, which every event has; and what was promised was sent."""
    assert [0, 0] == [alice.run("send", "--as", "helper", "--to", "@customer", text).code for text in ("Hello", "Bye")]
    record = record_of(alice)
    first, second = (event for event in record if event.what == "sent")

    assert DISCLOSED <= first.detail.keys()
    assert [True, False] == [first.detail["first_contact"], second.detail["first_contact"]]
    assert ("Helper bot", "bot", "bot", "@acmecare", "rehearsal") == tuple(
        first.detail[name] for name in ("name", "kind", "marker", "on_behalf_of", "origin")
    )
    ends = [(event.what, event.detail["nonce"]) for event in record if event.what in {"promised", "sent"}]
    nonces = [event.detail["nonce"] for event in (first, second)]
    assert [(what, nonce) for nonce in nonces for what in ("promised", "sent")] == ends


def test_a_record_that_somebody_changed_ends_a_send_and_a_sync_until_a_person_agrees(alice, served):
    """5, with the first bad record, before anything leaves."""
    with closing(sqlite3.connect(alice.folder / alice.env["PROFILECTL_LEDGER"])) as database, database:
        database.execute("UPDATE audit SET text = replace(text, ',', ', ') WHERE seq = 3")
    results = [alice.run(*TO, "Hello"), alice.run("sync", "--yes")]

    assert [5, 5] == [result.code for result in results]
    assert all("the record is broken at 3" in result.err for result in results)
    assert [] == texts(served)


def test_a_key_is_for_one_message(alice, served):
    """The same key with other words is refused, and sends nothing."""
    codes = [alice.run(*TO, text, "--key", "ticket-7").code for text in ("Hello", "Hello", "Bye")]

    assert ([0, 0, 5], ["Hello"]) == (codes, texts(served))


# Honest about machines, and private


def crontab(desk, *words):
    """Run as cron does: no terminal, and hardly a variable."""
    names = [name for name in desk.env if name.startswith("PROFILECTL_")]
    environment = {"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"], **{name: desk.env[name] for name in names}}
    done = subprocess.run(
        [*PROGRAM, *words],
        cwd=desk.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode


def test_a_script_speaks_as_a_bot_only(alice, served):
    """From cron a person's name needs a bot, a word of honour, or a test recipient."""
    human, bot = ("send", "--as", "alice", "--to"), ("send", "--as", "helper", "--to")
    roster = alice.folder / "roster.toml"
    refused = crontab(alice, *human, STRANGER, "one")
    vouched = crontab(alice, *human, STRANGER, "two", "--human-wrote-this")
    by_bot = crontab(alice, *bot, STRANGER, "three")
    roster.write_text(roster.read_text().replace("[policy]", '[policy]\ntest_recipients = ["@AcmeCare"]'))
    rehearsed = crontab(alice, *human, STRANGER, "four")

    assert (5, 0, 0, 0) == (refused, vouched, by_bot, rehearsed)
    assert ["two", "three", "four"] == texts(served)


def test_a_last_name_behind_an_alias_is_not_sent(alice, served):
    """Ally F. doesn't say Alice Fast; who goes by that name may."""
    private = alice.run(*TO, "Hi, this is Alice Fast")
    nobody_to_ask = alice.run(*TO, "Hi, this is Alice Fast", "--allow-private")
    agreed = alice.run(*TO, "Hi, this is Alice Fast", "--allow-private", "--yes")

    assert (5, 2, 0, 1) == (private.code, nobody_to_ask.code, agreed.code, len(texts(served)))


def test_the_audit_trail_has_no_text_unless_the_policy_wants_it(alice):
    """A hash and a length by default; the words with audit_text = true."""
    alice.run(*TO, "confidential")
    ledger = Path(alice.env["PROFILECTL_LEDGER"])
    before = ledger.read_bytes()
    roster = alice.folder / "roster.toml"
    roster.write_text(roster.read_text().replace("[policy]", "[policy]\naudit_text = true"))
    alice.run(*TO, "for the record")
    after = ledger.read_bytes()

    assert (False, True) == (b"confidential" in before, b"for the record" in after)


# The message


def test_a_person_sees_the_bubble_first(alice, served):
    """On a terminal nothing leaves before the bubble was agreed to."""
    declined, screen = alice.watch(*TO, "Hello there", answers=b"n\n")
    agreed, _ = alice.watch(*TO, "Hello there", answers=b"y\n")

    assert (130, 0, ["Hello there"]) == (declined, agreed, texts(served))
    assert "Hello there" in screen
    assert "Alice F." in screen


def test_everything_goes_along(alice, served):
    """A picture, answers to tap, a button and the sign of typing leave with the text."""
    face = str(alice.folder / "avatars" / "face.png")
    extras = ("--media", face, "--quick-reply", "Yes", "--quick-reply", "No", "--cta", "Help=https://example.com/help")
    result = alice.run(*TO, "Is it solved?", *extras, "--typing", "--json")
    page = served.read("/_sandbox/conversations/acmecare/customer")

    assert (0, "sent", True) == (result.code, result.document["status"], result.document["verified"])
    assert all(part in page for part in (">Yes<", ">No<", "https://example.com/help", "/_sandbox/media/"))


@pytest.mark.usefixtures("served")
def test_without_a_name_the_operator_s_own_agent_speaks(desk):
    """An agent may belong to an OS user; when it is exactly one, nobody has to say who speaks."""
    desk.write(
        ("alice", "Alice", f'operators = ["uid:{os.getuid()}"]'), ("bruno", "Bruno", 'operators = ["uid:424242"]')
    )
    desk.run("sync", "--yes")
    own = desk.run("send", "--to", "@customer", "Hello")
    other = desk.run("send", "--as", "bruno", "--to", "@customer", "Hello")

    assert (0, True) == (own.code, "as alice" in own.out)
    assert (5, True) == (other.code, "may not send as bruno" in other.err)
