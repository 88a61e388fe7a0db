"""``audit``: what the record answers, from a ledger alone: no roster, no credentials, no X."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from profilectl.ledger.address import parse_place
from profilectl.ledger.location import default_ledger_path
from profilectl.ledger.opening import open_for_writing
from profilectl.model import Account, Event, Profile
from tests.audit.story import OTHER, USER, at, tell

QUARTER = ("--since", "2026-04-01", "--until", "2026-06-30")
BASE = "record-2026-04-01-to-2026-06-30"


def told(desk, place):
    with open_for_writing(parse_place(str(place)), actor="ann@desk") as ledger:
        tell(ledger)
    desk.env |= {"PROFILECTL_LEDGER": str(place), "TZ": "Europe/Berlin"}
    desk.place = Path(str(place))
    return desk


@pytest.fixture
def desk(desk):
    """A desk in Berlin with the story's ledger, in a file."""
    return told(desk, desk.folder / "ledger.db")


@pytest.fixture(params=["sqlite", "postgres"])
def any_desk(request, desk):
    """The same over each engine."""
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        told(desk, server.address(query=f"schema=audit_{os.getpid()}_{abs(hash(desk.folder))}"))
    return desk


# The four questions


def test_who_was_alice_on_a_day(any_desk):
    """Of two people of one public name, the one whose face it was; with picture, dates, and who recorded it."""
    before, after = (
        any_desk.run("audit", "who", "Alice F.", "--brand", "acme", "--at", day) for day in ("2026-05-03", "2026-07-03")
    )

    picture = f"sha256:{'b' * 64}"
    dates = ("2026-04-10T10:00:01Z", "2026-05-20T18:00:00Z", "2026-05-22T09:00:00Z")
    assert [
        ["alice", "Alice F.", "102", "speaks", *dates, picture, "ann@desk", "ann@desk", "not recorded", "created"]
    ] == before.rows
    assert [["afischer", "Alice F.", "103", "speaks", "2026-07-01T09:00:01Z"]] == [row[:5] for row in after.rows]
    assert (0, 0) == (before.code, after.code)
    assert "in this machine's time zone, CEST (UTC+02:00)" in before.err


def test_what_was_sent_as_alice(any_desk):
    """Each message with its face, whether X confirmed it, and who wrote it, as far as that was recorded."""
    result = any_desk.run("audit", "sent", "--as", "alice", "--since", "2026-05-01")

    assert [
        [
            "2026-05-03T12:00:00Z",
            "acme",
            "alice",
            "5001",
            "Alice F.",
            "102",
            "confirmed",
            "person vouched",
            "2",
            "15",
            "",
            "ann@desk",
            *("", "", ""),
        ],
        [
            *("2026-05-03T13:00:00Z", "acme", "alice", "5002", "Alice F.", "102", "not confirmed", "not recorded"),
            *("3", "17", "It is on its way.", "ann@desk"),
            *("", "", ""),
        ],
    ] == result.rows


def test_what_was_done(any_desk):
    """Every filter at once, as tabs and as JSON."""
    words = ("audit", "log", "--brand", "acme", "--agent", "alice", "--event", "sent", "--to", "5001", "--actor", "ann")
    document = any_desk.run(*words, "--until", "2026-04-30", "--json").document

    assert ["10", "15"] == [row[0] for row in any_desk.run(*words).rows]
    assert [(10, "7001", ["acme"], "sent", "alice", "100", "ann@desk")] == [
        tuple(record[key] for key in ("seq", "account", "brands", "event", "agent", "profile_id", "actor"))
        for record in document["records"]
    ]
    assert {"from": None, "until": "2026-04-30T22:00:00Z", "zone": "CEST (UTC+02:00)"} == document["period"]


def test_whether_it_was_changed(any_desk):
    """The whole chain, and what an export kept of it."""
    assert 0 == any_desk.run("ledger", "export", "kept.jsonl").code
    with open_for_writing(parse_place(any_desk.env["PROFILECTL_LEDGER"])) as ledger:
        ledger.unblock(USER, "bruno", at("2026-11-01T09:00"))
    lines = any_desk.run("audit", "verify", "--against", "kept.jsonl").out.splitlines()
    document = any_desk.run("audit", "verify", "--json").document

    assert "30 records, the chain is whole, and the ledger is what they say" == lines[0]
    assert f"head {document['head']['hash']} (record 30)" == lines[1]
    assert "29 records of kept.jsonl compared: each is here, as it was" == lines[2]
    assert (True, 30, None) == (document["whole"], document["records"], document["broken"])


def tamper(desk, statement, **values):
    """Change a ledger on any engine behind the program's back."""
    place = parse_place(desk.env["PROFILECTL_LEDGER"])
    with open_for_writing(place) as ledger, ledger.engine.transaction() as execute:
        execute(statement, **values)


def test_a_row_that_was_changed_is_told(any_desk):
    """The chain is whole, and an agent who was offboarded speaks again: with 5, in words and in the document."""
    tamper(any_desk, "DELETE FROM blocked WHERE account = :account", account=USER)
    result, document = any_desk.run("audit", "verify"), any_desk.run("audit", "verify", "--json").document

    sentence = "agent bruno is offboarded by its record, and not in the ledger"
    assert (5, True) == (result.code, sentence in result.err)
    assert (False, None, [sentence]) == (document["whole"], document["broken"], document["untrue"])


def test_a_person_goes_on_behind_a_record_that_was_changed(any_desk):
    """With --yes, or after a question; it is recorded, and afterwards the ledger can be written again."""
    tamper(any_desk, "UPDATE audit SET text = :text WHERE seq = 9", text="{}")
    broken, unanswered = any_desk.run("audit", "verify"), any_desk.run("audit", "verify", "--accept-break")
    accepted = any_desk.run("audit", "verify", "--accept-break", "--yes")
    again = any_desk.run("audit", "verify", "--accept-break", "--yes")

    assert [5, 2, 0, 0] == [result.code for result in (broken, unanswered, accepted, again)]
    assert "record 9 isn't as it was written" in broken.err
    assert "nothing to accept" in again.err
    rows = any_desk.run("audit", "log", "--event", "break-accepted").rows
    assert 1 == len(rows)


# Who


def seen(desk, name, *words):
    return [(row[0], row[2], row[3]) for row in desk.run("audit", "who", name, "--brand", "acme", *words).rows]


def test_a_face_is_seen_until_it_is_destroyed(desk):
    """Nobody sends with it any more, and customers may still see it: the answer says so, and until when."""
    assert [("alice", "102", "shown")] == seen(desk, "Alice F.", "--at", "2026-05-21")
    assert [("bruno", "101", "left")] == seen(desk, "Bruno K.", "--at", "2026-09-01")
    code, screen = desk.watch("audit", "who", "Alice F.", "--brand", "acme", "--at", "2026-05-21")

    assert 0 == code
    assert "nobody sent with it any more; customers could still see it" in " ".join(screen.split())
    assert "2026-05-22T09:00:00Z, destroyed by ann@desk" in " ".join(screen.split())


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-04-10", ["100", "102"]),  # one day, two pictures
        ("2026-04-10T11:59", ["100"]),  # of Berlin, where it is two hours later than in UTC
        ("2026-04-10T12:00", ["100", "102"]),  # within this minute
        ("2026-04-10 12:00:02", ["100", "102"]),  # the former one is still at X
        ("2026-04-10T10:00:00Z", ["100"]),
        ("2026-04-10T12:30:00+02:00", ["102"]),
    ],
)
def test_a_moment_is_of_this_machine_or_names_its_zone(desk, when, expected):
    """A day, a minute or a second; with Z or an offset it means the same everywhere."""
    assert expected == [profile_id for _, profile_id, _ in seen(desk, "Alice F.", "--at", when)]


def test_nobody_had_that_name_then(desk):
    """An empty answer says when somebody had it, or which name may be meant, and is no failure."""
    then = desk.run("audit", "who", "Alice F.", "--brand", "acme", "--at", "2026-06-15")
    never = desk.run("audit", "who", "Alise F.", "--brand", "acme", "--json")

    assert (0, "", 0, []) == (then.code, then.out, never.code, never.document["faces"])
    assert "alice, profile 102, from 2026-04-10T10:00:01Z to 2026-05-22T09:00:00Z" in then.err
    assert 'did you mean "Alice F."?' in never.err


def test_what_was_adopted_was_at_x_before(desk):
    """The record doesn't know since when, so it doesn't say that nobody had the name."""
    with open_for_writing(desk.place) as ledger:
        profile = Profile("777", "Dora D.", "https://pbs.example/a.jpg", at("2026-01-01T00:00"))
        ledger.adopt(USER, "dora", profile, avatar="sha256:d", protected=False, now_ms=at("2026-09-01T09:00"))
    result = desk.run("audit", "who", "Dora D.", "--brand", "acme", "--at", "2026-08-01")

    assert "dora, profile 777, from 2026-09-01T09:00:00Z (adopted then, so X had it before) to today" in result.err
    assert "adopted" == desk.run("audit", "who", "Dora D.", "--brand", "acme").rows[0][-1]


def test_the_brand_is_one_of_the_ledger(desk):
    """It is known without a roster; with several it has to be named, and a default counts."""
    several = desk.run("audit", "who", "Alice F.")
    desk.env["PROFILECTL_BRAND"] = "shop"
    default = desk.run("audit", "who", "Alice F.", "--json").document
    unknown = desk.run("audit", "log", "--brand", "acm")

    assert (2, 2) == (several.code, unknown.code)
    assert "name one with --brand: acme, shop" in several.err
    assert ("shop", OTHER) == (default["brands"][0], default["account"]["user_id"])
    assert 'no brand acm, did you mean "acme"?' in unknown.err


# Spreadsheets, and many records


def test_a_spreadsheet_calculates_nothing(desk):
    """A name that looks like a formula stays a text, and what can't be seen is spelled out."""
    with open_for_writing(desk.place) as ledger:
        for name in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", 'a"b\nc\u202e'):
            ledger.record(Event("retired", USER, at("2026-11-01T09:00"), "eve", "1", {"name": name}))
    result = desk.run("audit", "log", "--agent", "eve", "--csv")
    rows = list(csv.DictReader(io.StringIO(result.out)))

    assert ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "\\t=1", "' =1", "'＝1", 'a"b\\nc<U+202E>'] == [
        row["name"] for row in rows
    ]
    assert {"retired"} == {row["event"] for row in rows}
    assert ["time", "brand", "agent"] == next(csv.reader(io.StringIO(desk.run("audit", "sent", "--csv").out)))[:3]


def test_a_reader_that_leaves_early_is_no_failure(desk):
    """`| head` gets its lines."""
    result = desk.shell("profilectl audit log | head -n 1")

    assert 1 == len(result.out.splitlines())
    assert "Traceback" not in result.err


def test_a_narrow_terminal(desk):
    """Times are never broken, at 60 columns either."""
    desk.env["COLUMNS"] = "60"
    _, screen = desk.watch("audit", "sent", "--brand", "acme", "--as", "afischer")

    assert "2026-07-02T12:00:00Z" in screen
    assert all(len(line) <= 60 for line in screen.splitlines() if "\x1b" not in line)


# Whether it is whole


def edit(desk, statement, *values):
    with closing(sqlite3.connect(desk.place)) as connection, connection:
        connection.execute(statement, values)


FAULTS = {
    "a changed record": (
        ("UPDATE audit SET text = replace(text, 'alice', 'bruno') WHERE seq = 9",),
        "record 9 isn't as it was written",
        {"broken": 9, "records": 8},
    ),
    "a deleted record": (
        ("DELETE FROM audit WHERE seq = 9",),
        "record 10 isn't as it was written",
        {"broken": 10, "records": 8},
    ),
    "a cut end": (
        ("DELETE FROM audit WHERE seq > 20",),
        "records 21 to 29 of kept.jsonl missing at the end: the last one here is 20",
        {"broken": None, "missing": {"first": 21, "last": 29}},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(desk, fault):
    """By its first record, with 5; the document says the same."""
    statements, message, expected = FAULTS[fault]
    assert 0 == desk.run("ledger", "export", "kept.jsonl").code
    edit(desk, *statements)
    result = desk.run("audit", "verify", "--against", "kept.jsonl")
    document = desk.run("audit", "verify", "--against", "kept.jsonl", "--json")

    assert (5, "", 5) == (result.code, result.out, document.code)
    assert message in result.err
    assert expected.items() <= document.document.items()
    assert not document.document["whole"]


def test_a_chain_that_was_rewritten(desk):
    """Whoever writes all of it anew makes a whole chain; only what was kept elsewhere shows it."""
    kept = desk.run("audit", "verify", "--json").out
    (desk.folder / "kept.json").write_text(kept, encoding="utf-8")
    desk.place.unlink()
    with open_for_writing(desk.place, actor="eve@desk") as ledger:
        tell(ledger)
    result = desk.run("audit", "verify", "--against", "kept.json")

    assert 0 == desk.run("audit", "verify").code
    assert (5, True) == (result.code, "record 29 is another one in kept.json" in result.err)


def test_what_this_host_has_seen_counts(desk, served):
    """Without any file: a ledger that went backwards is noticed by the head that is kept here."""
    del desk.env["PROFILECTL_LEDGER"]
    place = default_ledger_path(os.environ, served.url.partition("://")[2])
    assert 0 == desk.write(("alice", "Alice")).run("sync", "--yes").code
    kept = place.read_bytes()
    assert 0 == desk.write(("alice", "Ally")).run("sync", "--yes").code
    assert 0 == desk.run("audit", "verify").code
    place.write_bytes(kept)
    result = desk.run("audit", "verify", "--json")

    assert (5, None, True) == (result.code, result.document["broken"], result.document["setbacks"][0]["is_missing"])
    assert "which this host has seen, is missing" in result.err
    assert (5, True) == ((log := desk.run("audit", "log")).code, "went backwards" in log.err)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("nowhere.jsonl", "can't read nowhere.jsonl: No such file"),
        (".", "no checkpoint is in ."),
        ("empty", "empty: nothing of the record is in it"),
        ("-", "stdin: nothing of the record is in it"),
    ],
)
def test_a_file_that_proves_nothing_is_refused(desk, file, message):
    """Rather than taken for a proof."""
    (desk.folder / "empty").touch()
    result = desk.run("audit", "verify", "--against", file)

    assert (5, "") == (result.code, result.out)
    assert message in result.err


def test_an_export_may_come_through_a_pipe(desk):
    """As `ledger export` writes it to stdout."""
    result = desk.shell("profilectl ledger export -q | profilectl audit verify --against -")

    assert (0, True) == (result.code, "29 records of stdin compared" in result.out)


# A quarter


def test_a_quarter_is_two_files(any_desk):
    """Lines that can be checked, and a page for people; for the owner's eyes only, and never over others."""
    result = any_desk.run("audit", "export", *QUARTER, "--json").document
    lines = [json.loads(line) for line in (any_desk.folder / f"{BASE}.jsonl").read_bytes().splitlines()]
    page = (any_desk.folder / f"{BASE}.html").read_text(encoding="utf-8")
    again = any_desk.run("audit", "export", *QUARTER)

    assert (f"{BASE}.jsonl", f"{BASE}.html", 9) == (result["lines"], result["page"], result["records"])
    assert [11, 12, 13, 14, 15, 16, 17, 18, 19] == [line["seq"] for line in lines[1:-1]]
    assert {"from": "2026-03-31T22:00:00Z", "until": "2026-06-30T22:00:00Z", "zone": "CEST (UTC+02:00)"} == lines[0][
        "period"
    ]
    assert (9, result["digest"], result["head"]) == tuple(lines[-1][key] for key in ("records", "digest", "head"))
    for wanted in (
        "@acmecare",
        "Alice F.",
        "2026-05-22T09:00:00Z",
        "person vouched",
        result["digest"],
        f"{BASE}.jsonl",
    ):
        assert wanted in page
    assert {0o600} == {stat.S_IMODE((any_desk.folder / f"{BASE}.{kind}").stat().st_mode) for kind in ("jsonl", "html")}
    assert (5, True) == (again.code, "exists already" in again.err)
    assert 0 == any_desk.run("audit", "export", *QUARTER, "--force").code


def test_a_quarter_proves_itself_against_the_ledger(desk):
    """Its lines are records of the chain, and its last line names the head."""
    desk.run("audit", "export", *QUARTER)
    good = desk.run("audit", "verify", "--against", f"{BASE}.jsonl")
    edited = (desk.folder / f"{BASE}.jsonl").read_text(encoding="ascii").replace("removed", "remowed")
    (desk.folder / "edited.jsonl").write_text(edited, encoding="ascii")
    bad = desk.run("audit", "verify", "--against", "edited.jsonl")

    assert (0, True) == (good.code, "10 records of" in good.out)
    assert (5, True) == (bad.code, "record 18 is another one in edited.jsonl" in bad.err)


def test_the_page_trusts_nobody(desk):
    """A name is no markup on it, and it loads nothing."""
    with open_for_writing(desk.place) as ledger:
        name = "<script>alert(1)</script>\u202e"
        ledger.record(Event("adopted", USER, at("2026-05-01T09:00"), "eve", "9", {"name": name, "avatar": "sha256:x"}))
    desk.run("audit", "export", *QUARTER)
    page = (desk.folder / f"{BASE}.html").read_text(encoding="utf-8")

    assert "&lt;script&gt;alert(1)&lt;/script&gt;&lt;U+202E&gt;" in page
    assert "default-src 'none'" in page
    assert not any(word in page for word in ("<script", 'http-equiv="refresh', 'src="http', 'href="http'))


def test_a_broken_record_is_not_exported(desk):
    """Evidence of a chain that is broken would prove nothing; no file is left."""
    edit(desk, "UPDATE audit SET text = replace(text, 'alice', 'bruno') WHERE seq = 9")
    result = desk.run("audit", "export", *QUARTER)

    assert (5, True) == (result.code, "the chain is broken at record 9" in result.err)
    assert [] == list(desk.folder.glob("*record-*"))


def test_a_handle_names_whom_it_was_when_they_were_written_to(any_desk):
    """By the record alone: in any case, with what went to the same id without it, and to each id that it was of."""
    with open_for_writing(parse_place(any_desk.env["PROFILECTL_LEDGER"]), actor="ann@desk") as ledger:
        for minute, (recipient, handle) in enumerate([("71", "Ada"), ("71", None), ("72", "ada"), ("73", "adam")]):
            detail = {"recipient_id": recipient, "event_id": str(minute)} | (
                {"recipient_handle": handle} if handle else {}
            )
            ledger.record(Event("sent", USER, at(f"2026-11-01T09:0{minute}"), "afischer", "103", detail))
    sent, logged = (any_desk.run("audit", *words, "--to", "@ADA") for words in (["sent"], ["log", "--event", "sent"]))

    assert ["71", "71", "72"] == [row[3] for row in sent.rows]
    assert (3, True) == (len(logged.rows), "@ADA was the name of 2 accounts, so all are shown: 71, 72" in logged.err)


# A newcomer's mistakes


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("lgo",), "did you mean `profilectl audit log`?"),
        (("who",), "profilectl audit who needs NAME"),
        (("who", "Alice", "--at"), "--at needs a value"),
        (("who", "Alice", "--at", "tomorrow"), "--at takes a day such as 2026-05-03, or a time such as"),
        (("who", "Alice", "--at", "2026-02-30"), "not 2026-02-30"),
        (("who", "Alice", "--at", "0001-01-01"), "not 0001-01-01"),
        (("log", "--since", "2026-06-01", "--until", "2026-05-01"), "--until is before --since"),
        (("log", "--event", "creatd"), 'nothing is recorded as creatd, did you mean "created"?'),
        (("log", "--to", "@customer"), "the record has no message to @customer under that name"),
        (("sent", "--csv", "--json"), "--csv and --json exclude each other"),
        (("export",), "profilectl audit export needs --since"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_explained(desk, words, message):
    """With 2, before anything is read."""
    result = desk.run("audit", *words)

    assert 2 == result.code
    assert message in result.err


@pytest.mark.parametrize(
    "words", [("log",), ("who", "Alice"), ("sent",), ("verify",), ("export", *QUARTER)], ids=" ".join
)
def test_there_is_no_ledger(desk, words):
    """That is no empty answer: a wrong path must not say that nobody was Alice."""
    desk.env["PROFILECTL_LEDGER"] = str(desk.folder / "nowhere.db")
    result = desk.run("audit", *words)

    assert 5 == result.code
    assert "there is no ledger at" in result.err
    assert not (desk.folder / "nowhere.db").exists()


def test_a_name_that_the_record_does_not_know(desk):
    """A slip in an agent's key has a suggestion."""
    result = desk.run("audit", "sent", "--as", "alise")

    assert (0, "") == (result.code, result.out)
    assert 'the record has no agent "alise", did you mean "alice"?' in result.err


def test_a_ledger_without_brands(desk):
    """Nobody can be looked up in it yet."""
    desk.place.unlink()
    with open_for_writing(desk.place):
        pass

    assert (5, True) == ((who := desk.run("audit", "who", "Alice")).code, "knows no brand yet" in who.err)
    assert (0, "the record is empty\n") == ((verify := desk.run("audit", "verify")).code, verify.out)


def test_one_brand_needs_no_name(desk):
    """The only account of a ledger is meant."""
    desk.place.unlink()
    with open_for_writing(desk.place) as ledger:
        ledger.register_account("acme", Account(USER, "acmecare", "api.x.com"), 1)

    assert "of acme now: 0 faces" in desk.run("audit", "who", "Alice").err


def test_nothing_is_written(desk):
    """Neither to the ledger nor beside it."""
    before = {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in desk.folder.glob("ledger*")}
    for words in (("log",), ("who", "Alice F.", "--brand", "acme"), ("sent",), ("verify",)):
        assert 0 == desk.run("audit", *words).code

    assert before == {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in desk.folder.glob("ledger*")}


def test_two_broken_records_are_accepted_in_one_run(desk):
    """Each by itself, also where the newest is one of them; what they said is lost, so the block's row is alone."""
    tamper(desk, "UPDATE audit SET text = :text WHERE seq = 9 OR seq = 29", text="{}")
    told = desk.run("audit", "verify", "--accept-break", "--yes").err
    assert ["record 9 isn't as it was written", "record 29 isn't as it was written"] == [
        line for line in told.splitlines() if line.startswith("record")
    ]
    document = desk.run("audit", "verify", "--json").document

    assert (None, [9, 29]) == (document["broken"], document["accepted"])
    assert ["agent bruno is offboarded in the ledger, and not by its record"] == document["untrue"]


def test_a_break_accepts_no_ledger_that_went_backwards(desk, served):
    """What this host has seen and isn't there is told as before: that is for `ledger accept-restore`."""
    del desk.env["PROFILECTL_LEDGER"]
    desk.place = default_ledger_path(os.environ, served.url.partition("://")[2])
    assert 0 == desk.write(("alice", "Alice"), ("bruno", "Bruno")).run("sync", "--yes").code
    edit(desk, "UPDATE audit SET text = '{}' WHERE seq = 2")
    edit(desk, "DELETE FROM audit WHERE seq > 3")
    result = desk.run("audit", "verify", "--accept-break", "--yes")

    assert (5, True) == (result.code, "which this host has seen, is missing" in result.err)


def test_a_comparison_accepts_nothing(desk):
    """Two decisions, one after the other."""
    assert 2 == desk.run("audit", "verify", "--accept-break", "--against", "kept.json").code


def test_a_damaged_acceptance_ends_nothing_with_one(desk):
    """It is a record that was changed, as any other."""
    tamper(desk, "UPDATE audit SET text = :text WHERE seq = 9", text="{}")
    assert 0 == desk.run("audit", "verify", "--accept-break", "--yes").code
    tamper(desk, 'UPDATE audit SET text = replace(text, \'"seq":9\', \'"seq":"x"\') WHERE seq = 30')

    assert 5 == desk.run("audit", "verify").code


@pytest.mark.parametrize("text", ['{"account":1}', '{"at_ms":"x"}', "[" * 100_000, "\ud83d"])
def test_whatever_a_record_was_changed_to_is_told(desk, text):
    """With 5 and the number, by every command that asks the record."""
    edit(desk, "UPDATE audit SET text = CAST(? AS BLOB) WHERE seq = 9", text.encode("utf-8", "surrogatepass"))
    codes = [desk.run("audit", *words).code for words in (("verify",), ("log",))]

    assert [5, 5] == codes


def test_an_accepted_record_that_can_not_be_read_is_told_and_left_out(desk):
    """By every command that asks the record, which goes on with the others."""
    tamper(desk, "UPDATE audit SET text = :text WHERE seq = 9", text="{}")
    assert 5 == desk.run("audit", "log").code
    assert 0 == desk.run("audit", "verify", "--accept-break", "--yes").code
    commands = (("log",), ("sent",), ("who", "Alice F.", "--brand", "acme"), ("export", *QUARTER))
    results = [desk.run("audit", *words) for words in commands]

    assert [0] * 4 == [result.code for result in results], [result.err for result in results]
    told = "record 9 can't be read, and is left out: somebody changed it, and a person went on (break-accepted)"
    assert [1, 1, 0, 1] == [result.err.count(told) for result in results]  # 9 is about no profile, by what it says now
    assert "9" not in {row[0] for row in results[0].rows}


def test_what_a_deletion_left_is_compared_with_what_was_kept(desk):
    """The sentence names the record that is missing, and doesn't say that the end is."""
    (desk.folder / "kept.jsonl").write_text(desk.run("ledger", "export").out)
    tamper(desk, "DELETE FROM audit WHERE seq = 9")
    assert 0 == desk.run("audit", "verify", "--accept-break", "--yes").code
    result = desk.run("audit", "verify", "--against", "kept.jsonl")

    assert "record 9 of kept.jsonl missing, and later ones are here" in result.err
