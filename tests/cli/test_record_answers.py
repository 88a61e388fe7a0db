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

    assert ["ann@desk", "ann@desk", service] == [row[-1] for row in result.rows]
    assert ["ann@desk", "ann@desk", service] == [row["by"] for row in sheet]
    assert service in " ".join(screen.split())


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

    assert [f"bob@{host_name()}"] == [row[-1] for row in desk.run("audit", "sent", "--actor", "bob").rows]
    assert "" == desk.run("audit", "sent", "--actor", "cron").out
