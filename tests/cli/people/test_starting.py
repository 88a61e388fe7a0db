"""``init --csv``: a spreadsheet of people to a roster that works, in one command."""

from __future__ import annotations

import json
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest


def roster(desk):
    return tomllib.loads((desk.folder / "roster.toml").read_text(encoding="utf-8"))


def test_forty_people_in_one_command(forty):
    """The diff has forty to create and nothing to complain about; after a sync nothing is left to do."""
    done = forty.run("init", "--csv", "people.csv", "--photos", "faces", "--handle", "acmecare")

    assert (0, "wrote roster.toml: 40 agents, 40 pictures\n") == (done.code, done.out)
    assert "people.csv: CSV with semicolons, UTF-16 (little-endian), 40 people\n" in done.err
    assert "without a picture, so with drawn initials: p37, p38, p39\n" in done.err
    assert (0, "40 agents, 0 errors, ") == (forty.run("roster", "check").code, forty.run("roster", "check").err[:21])
    assert {"create": 40} == {
        action: count for action, count in forty.run("diff", "--sandbox", "--json").document["summary"].items() if count
    }
    assert 0 == forty.run("sync", "--sandbox", "--yes").code
    assert 0 == forty.run("diff", "--sandbox", "--exit-code").code


def test_customers_see_a_given_name_and_an_initial(forty):
    """Neither an address nor a number of an employee is in the roster."""
    forty.run("init", "--csv", "people.csv", "--photos", "faces", "--handle", "acmecare")
    text = (forty.folder / "roster.toml").read_text(encoding="utf-8")

    assert ["Alice F.", "Bruno P."] == [row[3] for row in forty.run("roster", "list").rows[:2]]
    assert ("{first} {last_initial}.", False) == (roster(forty)["defaults"]["name"], "@acme" in text or "1000" in text)


def test_on_a_terminal_as_well(forty):
    """The same files, and the same words."""
    code, screen = forty.watch("init", "--csv", "people.csv", "--photos", "faces", "--handle", "acmecare")

    assert (0, 40, True) == (code, len(roster(forty)["agents"]), "wrote roster.toml: 40 agents, 40 pictures" in screen)


def test_five_questions_on_a_terminal(forty):
    """They make the same roster as the options; an empty answer takes what stands in brackets."""
    code, screen = forty.watch("init", answers=b"acmecare\nde\nEurope/Berlin\npeople.csv\nfaces\n")
    made = roster(forty)

    assert (0, 5) == (code, sum(f"{number}. " in screen for number in range(1, 6)))
    assert ("de", "Europe/Berlin", 40) == (
        made["brands"]["acmecare"]["language"],
        made["policy"]["timezone"],
        len(made["agents"]),
    )


def test_each_answer_is_checked_when_it_is_given(forty):
    """With the reason, and the question once more, until it can be used."""
    (forty.folder / "twice.csv").write_text("name,name\nA,B\n")
    answers = b"ac me\n@acmecare\ne n\nde\nMars/North\nUTC\nnone.csv\ntwice.csv\npeople.csv\nnowhere\nfaces\n"
    code, screen = forty.watch("init", answers=answers)

    assert (0, [2, 2, 2, 3, 2]) == (code, [screen.count(f"{number}. ") for number in range(1, 6)]), screen
    reasons = (
        "expected 1 to 15 letters",
        "expected a language tag",
        "expected a time zone",
        "can't read the list none.csv",
    )
    assert [] == [reason for reason in (*reasons, "can't read the folder nowhere") if reason not in screen], screen
    assert ("acmecare", 40) == (roster(forty)["brands"]["acmecare"]["handle"], len(roster(forty)["agents"]))


def test_nothing_is_asked_where_a_roster_is(desk):
    """Five answers would be for nothing."""
    desk.write(("alice", "Alice"))
    code, screen = desk.watch("init")

    assert (5, True, False) == (code, "roster.toml exists already" in screen, "1. " in screen)


def test_enter_is_an_answer(desk):
    """Five times it gives what `--yes` gives: three examples, for a stand-in."""
    code, _ = desk.watch("init", answers=b"\n\n\n\n\n")
    asked = roster(desk)
    other = desk.run("init", "--yes", "--roster", "other/roster.toml")

    assert (0, 0, 3) == (code, other.code, len(asked["agents"]))
    assert asked == tomllib.loads((desk.folder / "other" / "roster.toml").read_text())


def test_a_question_may_be_left(desk):
    """With Ctrl-C, and nothing is written."""
    code, screen = desk.watch("init", answers=b"\x03")

    assert (130, False, True) == (code, (desk.folder / "roster.toml").exists(), "interrupted" in screen)


@pytest.mark.parametrize("options", [("--handle", "acmecare"), ("--csv", "people.csv"), ("--from-live", "--sandbox")])
def test_a_language_without_words_for_a_bot_is_refused(desk, options):
    """It wrote a roster that the next `roster check` refused."""
    (desk.folder / "people.csv").write_text("name\nAlice\n")
    done = desk.run("init", "--yes", "--language", "gn", *options)

    assert (2, False) == (done.code, (desk.folder / "roster.toml").exists())
    assert 'error: --language: no words for a bot are known in "gn": begin with another' in done.err


def test_what_follows_ctrl_c_stands_in_a_line_of_its_own(desk):
    """It was written behind the question."""
    _, screen = desk.watch("init", answers=b"\x03")

    assert "interrupted" in [line.strip() for line in screen.splitlines()]


def test_nothing_is_written_when_anything_is_wrong(desk):
    """All of it is told at once, at its line; no roster, no picture, and exit 5."""
    text = f"key,name,photo\na,Alice,\nb,{'B' * 49},\nc,Cara,none.jpg\nd,Bot D.,\n"
    (desk.folder / "people.csv").write_text(text)
    done = desk.run("init", "--csv", "people.csv", "--yes")

    assert (5, False) == (done.code, (desk.folder / "roster.toml").exists())
    assert [
        "people.csv:3:3: b.name: 49 characters, at most 48",
        "people.csv:4:8: c.avatar: picture none.jpg is neither beside the roster nor beside the list",
    ] == [line for line in done.err.splitlines() if line.startswith("people.csv:") and "CSV" not in line]
    assert ["face.png"] == [path.name for path in (desk.folder / "avatars").iterdir()]


def test_an_existing_roster_is_left_alone(desk):
    """The command that reads into it is named."""
    desk.write(("alice", "Alice"))
    before = (desk.folder / "roster.toml").read_bytes()
    (desk.folder / "people.csv").write_text("name\nBo\n")
    done = desk.run("init", "--csv", "people.csv")

    assert (5, before) == (done.code, (desk.folder / "roster.toml").read_bytes())
    assert "hint: `profilectl roster import` reads a list into it" in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--map", "name=x"], "error: --map and --photos belong to a list of people"),
        (["--photos", "faces"], "error: --map and --photos belong to a list of people"),
        (["--language", "e n"], "error: --language: expected a language tag"),
        (["--timezone", "Mars/North"], "error: --timezone: expected a time zone"),
        (["--csv", "people.csv", "--map", "name=nme"], 'error: --map: no column is called "nme", did you mean "name"?'),
    ],
)
def test_slips_are_usage_errors(desk, words, message):
    """Nothing is written."""
    (desk.folder / "people.csv").write_text("name\nAlice\n")
    done = desk.run("init", *words)

    assert (2, True, False) == (done.code, message in done.err, (desk.folder / "roster.toml").exists())


def test_a_list_may_come_through_a_pipe(desk):
    """From what the shell hands over, as from another program."""
    done = desk.shell("profilectl init --csv <(printf 'name\\nAlice F.\\n') --yes --json")

    assert (0, ["avatars/alice-f.png"]) == (done.code, json.loads(done.out)["pictures"])


@pytest.fixture
def pictures(desk):
    """A server on loopback with one picture at /a.png, and a redirect to it at /r.png."""
    content = (desk.folder / "avatars" / "face.png").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response({"/a.png": 200, "/r.png": 302}.get(self.path, 404))
            self.send_header("Location", "/a.png")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_pictures_are_fetched_from_addresses(desk, pictures):
    """From loopback only because the X of this test is there as well; never by a redirect."""
    desk.env["PROFILECTL_API_URL"] = pictures
    (desk.folder / "people.csv").write_text(f"key,name,photo\na,Alice,{pictures}/a.png\n")
    (desk.folder / "bad.csv").write_text(f"key,name,photo\na,Al,{pictures}/r.png\nb,Bo,{pictures}/none.png\n")
    done = desk.run("init", "--csv", "people.csv")
    bad = desk.run("init", "--csv", "bad.csv", "--roster", "new/roster.toml")

    assert (0, True) == (done.code, (desk.folder / "avatars" / "a.jpg").exists())
    assert 5 == bad.code
    assert "bad.csv:2:6: a.avatar: downloading the picture: HTTP 302\n" in bad.err
    assert "bad.csv:3:6: b.avatar: downloading the picture: HTTP 404\n" in bad.err


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/a.png", "https://192.168.0.1/a.png", "https://localhost/a"])
def test_no_list_reaches_into_this_network(desk, address):
    """A picture is fetched from public addresses only, and no word of X's is needed to refuse another."""
    (desk.folder / "people.csv").write_text(f"key,name,photo\na,Alice,{address}\n")
    done = desk.run("init", "--csv", "people.csv")

    assert (5, True) == (done.code, "isn't one that may be called" in done.err)
