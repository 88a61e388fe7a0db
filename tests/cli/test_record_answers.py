"""What a person learns from `audit` beyond the rows: who answered, what the record can't know, what was meant."""

from __future__ import annotations

import csv
import io
import pwd

import pytest

from profilectl.ledger.address import parse_place
from profilectl.ledger.opening import open_for_writing
from profilectl.model import Event
from profilectl.system.host import host_name
from tests.audit.story import USER, at, tell

NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def desk(desk):
    """A desk in Berlin with the story's ledger, and one message that `nobody` sent through a service user."""
    place = desk.folder / "ledger.db"
    with open_for_writing(parse_place(str(place)), actor="ann@desk") as ledger:
        tell(ledger)
        detail = {"recipient_id": "6001", "event_id": "9", "user": f"service@{host_name()}"}
        detail |= {"effective_uid": 990, "login_uid": NOBODY.pw_uid, "uid_map": f"0 0 {2**32 - 1}"}
        ledger.record(Event("sent", USER, at("2026-11-02T09:00"), "afischer", "103", detail))
    desk.env |= {"PROFILECTL_LEDGER": str(place), "TZ": "Europe/Berlin"}
    desk.place = place
    return desk


# Who answered


def test_who_sent_a_message_is_shown(desk):
    """On a terminal, as tabs and as CSV: the OS user, and who had logged in where it was somebody else."""
    service = f"service@{host_name()} (logged in as nobody)"
    result = desk.run("audit", "sent", "--as", "afischer", "--since", "2026-07-01")
    sheet = csv.DictReader(io.StringIO(desk.run("audit", "sent", "--as", "afischer", "--csv").out))
    _, screen = desk.watch("audit", "sent", "--as", "afischer", "--to", "6001")

    assert ["ann@desk", "ann@desk", service] == [row[-4] for row in result.rows]
    assert ["ann@desk", "ann@desk", service] == [row["by"] for row in sheet]
    assert service in " ".join(screen.split())


@pytest.mark.parametrize("words", ["sent --as afischer", "log --agent nobody", "who Nobody --brand acme"])
def test_a_terminal_is_shown_what_checks_an_answer(desk, words):
    """Below it, also where there is nothing to show; a pipe and --quiet get the answer alone."""
    line = "answered from the record as it is; `profilectl audit verify` checks that nobody changed it"
    _, screen = desk.watch("audit", *words.split())

    assert line in " ".join(screen.split()).replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert "audit verify" not in desk.run("audit", *words.split()).err
    assert "audit verify" not in desk.watch("audit", *words.split(), "--quiet")[1]


def test_the_page_says_who_sent_a_message(desk):
    """The page of an export has them as well."""
    (desk.folder / "kept").mkdir()
    done = desk.run("audit", "export", "--since", "2026-11-01", "--until", "2026-11-03", "kept")
    (page,) = (desk.folder / "kept").glob("*.html")

    assert 0 == done.code
    assert "(logged in as nobody)" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["nobody", "service", f"service@{host_name()}", f"uid:{NOBODY.pw_uid}"])
def test_messages_of_a_user(desk, name):
    """By the account that ran the program, or by who had logged in."""
    assert ["6001"] == [row[3] for row in desk.run("audit", "sent", "--actor", name).rows]


def test_a_login_on_another_machine_stays_a_number(desk):
    """The same uid may be another person there."""
    with open_for_writing(desk.place, actor=f"service@elsewhere (login uid {NOBODY.pw_uid})") as ledger:
        ledger.record(Event("blocked", USER, at("2026-11-03T09:00"), "eve"))
    logged = desk.run("audit", "log", "--agent", "eve")

    assert f"service@elsewhere (login uid {NOBODY.pw_uid})" in logged.out
    assert "" == desk.run("audit", "log", "--actor", "nobody", "--agent", "eve").out


def test_the_log_names_who_had_logged_in(desk):
    """In its table, and `--actor` takes that name."""
    with open_for_writing(desk.place, actor=f"service@{host_name()} (login uid {NOBODY.pw_uid})") as ledger:
        ledger.record(Event("blocked", USER, at("2026-11-03T09:00"), "eve"))
    _, screen = desk.watch("audit", "log", "--actor", "nobody")

    assert f"by service@{host_name()} (logged in as nobody)" in " ".join(screen.split())


def test_a_later_run_that_finds_a_message_is_not_its_sender(desk):
    """Who promised a message is who sent it, whoever records its end; so `--actor` asks for that."""
    promise = {"nonce": "p1", "recipient_id": "6002", "user": f"bob@{host_name()}", "login_uid": None}
    with open_for_writing(desk.place, actor=f"bob@{host_name()}") as ledger:
        ledger.record(Event("promised", USER, at("2026-11-04T09:00"), "afischer", "103", promise))
    with open_for_writing(desk.place, actor="cron@desk") as ledger:
        end = {"nonce": "p1", "recipient_id": "6002", "event_id": "10"}
        ledger.record(Event("sent", USER, at("2026-11-04T10:00"), "afischer", "103", end))

    assert [f"bob@{host_name()}"] == [row[-4] for row in desk.run("audit", "sent", "--actor", "bob").rows]
    assert "" == desk.run("audit", "sent", "--actor", "cron").out


# What the record can't know


@pytest.mark.parametrize(
    "words",
    [
        ("who", "Alice F.", "--brand", "acme", "--at", "2025-05-03"),
        ("sent", "--until", "2025-05-03"),
        ("log", "--until", "2025-05-03"),
        ("export", "--since", "2025-05-01", "--until", "2025-05-03"),
    ],
    ids=lambda words: words[0],
)
def test_a_day_before_the_record(desk, words):
    """It can't tell, and says from when on it can: that isn't the same as nobody, and ends with 7."""
    result = desk.run("audit", *words)

    assert 7 == result.code
    assert "the record begins at 2026-02-01T08:00:00Z, so it can't tell about the time before" in result.err
    assert "Nobody" not in result.err


def test_a_period_that_begins_before_the_record(desk):
    """What it has of that is shown, with a remark."""
    result = desk.run("audit", "sent", "--since", "2025-05-03", "--until", "2026-03-31")

    assert (0, 1) == (result.code, len(result.rows))
    assert "the record begins at 2026-02-01T08:00:00Z, so it can't tell about the time before" in result.err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Alice", 'did you mean "Alice F."?'),
        ("alice f.", 'did you mean "Alice F."?'),
        ("afischer", 'afischer is the key of an agent whose public name is, or was, "Alice F."'),
    ],
)
def test_what_was_meant_by_a_name(desk, name, message):
    """The beginning of a name, other capitals, or an agent's key."""
    assert message in desk.run("audit", "who", name, "--brand", "acme").err


def test_no_name_at_all(desk):
    """An empty one is a mistake of a script, and no question."""
    result = desk.run("audit", "who", " ", "--brand", "acme")
    assert (2, True) == (result.code, "NAME is empty" in result.err)


def test_a_day_to_come(desk):
    """The record knows nothing of it."""
    result = desk.run("audit", "who", "Alice F.", "--brand", "acme", "--at", "2199-01-01")
    assert "that is still to come: the answer is what the record says today" in result.err


# What was meant


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("log", "--agent", "alise"), 'No record matches: the record has no agent "alise", did you mean "alice"?\n'),
        (("log", "--actor", "anm"), 'No record matches: the record has nothing by "anm", did you mean "ann"?\n'),
        (("sent", "--actor", "zoe"), 'No message matches: the record has nothing by "zoe".\n'),
        (("sent", "--as", "alise"), 'No message matches: the record has no agent "alise", did you mean "alice"?\n'),
        (
            ("sent", "--as", "Alice F."),
            'the record has no agent "Alice F.": that is the public name of afischer, alice; --as takes a key',
        ),
        (("log", "--agent", "Bruno K."), "that is the public name of bruno; --agent takes a key.\n"),
        (("who", "Alice F.", "--on", "2026-05-03"), "did you mean --at?"),
        (("who", "Alice F.", "--since", "2026-05-03"), "did you mean --at?"),
        (("log", "--as", "alice"), "did you mean --agent?"),
        (("sent", "--agent", "alice"), "did you mean --as?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_slip_is_answered_with_what_the_record_has(desk, words, message):
    """Agents, OS users, options and events."""
    assert message in desk.run("audit", *words).err
