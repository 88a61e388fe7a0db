"""`thread` and `inbox`: what customers and agents wrote, from as few readings as may be, and nothing is written."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.cli.test_send import record_of

SEND = ("send", "--as", "alice", "--to", "@customer")
TO_JANE = (*SEND[:4], "@jane", "Hi", "--human-wrote-this")


@pytest.fixture
def alice(desk, served):
    """A desk whose agent Alice has answered a customer, whom another one writes after."""
    desk.write(("alice", "Alice F."), ("bruno", "Bruno K."))
    assert 0 == desk.run("sync", "--yes").code
    wrote(served, "customer", "Where is my\nparcel?")
    served.ask("POST", "advance", {"seconds": 60})
    assert 0 == desk.run(*SEND, "On its way.").code
    return desk


def wrote(served, customer, text):
    served.ask("POST", "messages", {"from": customer, "to": "acmecare", "text": text})


def test_a_thread_has_both_sides_the_newest_last(alice):
    """Who wrote, and under which name the customer saw it; tabs for a pipe."""
    result = alice.run("thread", "@customer")

    assert (0, 2) == (result.code, len(result.rows))
    assert [["customer", "", "@customer", "", "Where is my\\nparcel?"], ["brand", "alice", "Alice F."]] == [
        result.rows[0][1:6],
        result.rows[1][1:4],
    ]
    assert "" == result.err  # plenty may still be read


def test_a_thread_is_drawn_for_a_person(alice):
    """The customer's bubble at the left, the agent's at the right with the name beneath."""
    code, screen = alice.watch("thread", "@customer")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", screen).splitlines()
    [ours] = [line for line in lines if "On its way." in line]
    [name] = [line for line in lines if "Alice F. (alice)" in line]

    assert (0, True, True) == (code, "│ Where is my │" in lines[1], ours.startswith(" " * 20))
    assert name.startswith(" " * 20)


def test_the_inbox_says_who_waits_and_who_answered(alice, served):
    """The newest first; an id where nobody wrote to the handle yet; --waiting leaves the answered out."""
    wrote(served, "customer", "And where is it now?")
    result, waiting = alice.run("inbox"), alice.run("inbox", "--waiting", "--json").document
    alice.run(*SEND, "At your door.")
    answered = alice.run("inbox", "--json").document["brands"][0]["conversations"]

    assert [("waiting", "acme", "@customer", "And where is it now?")] == [
        (row[0], row[1], row[3], row[7]) for row in result.rows
    ]
    assert "acme: 1 waits for an answer." in result.err
    assert [False] == [each["answered"] for each in waiting["brands"][0]["conversations"]]
    assert [(True, "alice", "Alice F.", None)] == [
        (each["answered"], each["newest"]["agent"], each["newest"]["name"], each["waiting_since"]) for each in answered
    ]


def test_a_card_does_not_hide_who_answered(alice):
    """X sends it without a face; the inbox names the agent whose words came before it, and so does the next draft."""
    path = alice.folder / "roster.toml"
    policy = 'handle = "acmecare"\nprivacy_url = "https://acme.example/privacy"'
    path.write_text(path.read_text().replace('handle = "acmecare"', policy))
    assert 0 == alice.run(*SEND, "Bye!", "--ask", "csat", "--human-wrote-this").code
    [row] = alice.run("inbox").rows
    [conversation] = alice.run("inbox", "--json").document["brands"][0]["conversations"]
    _, screen = alice.watch("inbox")
    _, draft = alice.watch(*SEND, "One more thing", answers=b"n\n")

    assert ["alice", "Alice F."] == row[5:7]
    assert (None, "alice") == (conversation["newest"]["agent"], conversation["answer"]["agent"])
    assert "Alice F. (alice)" in " ".join(screen.split())
    assert "Alice F. answered at " in draft


def test_a_picture_can_be_looked_at(alice):
    """A person gets its address whole, whatever the width of the screen; a pipe and JSON have it, too."""
    picture = str(alice.folder / "avatars" / "face.png")
    assert 0 == alice.run(*SEND, "Look", "--media", picture, "--human-wrote-this").code
    alice.env["COLUMNS"] = "50"
    _, screen = alice.watch("thread", "@customer")
    url = alice.run("thread", "@customer", "--json").document["messages"][-1]["attachment_url"]

    assert f"Alice F. (alice)'s picture of {re.search(r'picture of (.{5})', screen)[1]}: {url}\n" in screen
    assert f"a picture: {url}" == alice.run("thread", "@customer").rows[-1][6]
    assert "image/jpeg" == httpx.get(url).headers["Content-Type"]


def test_the_inbox_says_on_a_terminal_how_long_ago_that_was(alice, served):
    """How long somebody has waited is what a desk looks for; a pipe has the moment."""
    wrote(served, "customer", "And where is it now?")
    _, screen = alice.watch("inbox")

    assert re.search(r"waiting @customer (now|\d+ s ago)\n", re.sub(r"\x1b\[[0-9;]*m", "", screen))


def test_reading_writes_nothing_and_costs_one_page(alice, served):
    """No record, no call that changes anything, and of a short list one page."""
    before, state = len(record_of(alice)), served.ask("GET", "state")["messages"]
    calls = [alice.run(*words, "-v").err for words in (("thread", "@customer"), ("inbox",))]

    assert [1, 1] == [err.count("GET /1.1/direct_messages/events/list.json") for err in calls]
    assert [0, 0] == [len(re.findall("(POST|DELETE) /", err)) for err in calls]
    assert (before, state) == (len(record_of(alice)), served.ask("GET", "state")["messages"])


def test_the_last_one_written_to_can_be_read_too(alice):
    """By -, as in send; who isn't known to X is refused."""
    assert ["Alice F.", None] == [each["name"] for each in alice.run("thread", "-", "--json").document["messages"]][
        ::-1
    ]
    assert [5, 2] == [alice.run("thread", who).code for who in ("@nobody_knows", "customer")]


def test_x_s_limit_is_told_with_the_time(alice, served):
    """75 and when to come back; nothing is waited for."""
    served.fault(call="messages", kind="rate-limit", seconds=600, times=None)
    result = alice.run("inbox", "--json")

    assert (75, "rate-limit") == (result.code, result.document["error"]["kind"])
    assert result.document["error"]["retry_at"] is not None


@pytest.mark.parametrize(("times", "code"), [(1, 6), (2, 75)])
def test_an_inbox_of_two_brands(desk, times, code):
    """What one of them doesn't show is told beside the other's; where nothing was read, the code says why."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(("alice", "Alice F."), brands={"acme": "acmecare", "beta": "betacare"})
    assert 0 == desk.run("sandbox", "faults", f'{{"call": "messages", "kind": "rate-limit", "times": {times}}}').code
    result = desk.run("inbox")

    assert (code, True) == (result.code, "not read: acme" in result.err), result.err


def test_what_customers_write_steers_no_terminal(alice, served):
    """Control and bidi characters are spelled out, whoever reads."""
    wrote(served, "customer", "\x1b[2J\u202eHi")
    results = [alice.run("thread", "@customer").out, alice.run("inbox").out, alice.watch("thread", "@customer")[1]]

    assert [True, True, True] == ["\\x1b[2J<U+202E>Hi" in text for text in results]


@pytest.mark.usefixtures("served")
def test_who_may_not_send_may_not_read(desk):
    """The operators of the roster decide, as for a send."""
    desk.write(("alice", "Alice F.", 'operators = ["uid:424242"]'))
    results = [desk.run("thread", "@customer"), desk.run("inbox")]

    assert [5, 5] == [result.code for result in results]
    assert all("may not read @acmecare's messages" in result.err for result in results)


@pytest.mark.parametrize("words", [("thread", "@customer"), ("inbox",)], ids=" ".join)
def test_an_empty_folder_is_told(desk, words):
    """No roster, no traceback."""
    assert (5, True) == ((result := desk.run(*words)).code, "roster" in result.err)


@pytest.mark.parametrize("words", [("thread", "@jane"), TO_JANE, (*TO_JANE, "--dry-run")])
def test_a_local_x_says_how_somebody_comes_to_be_there(alice, words):
    """A made-up handle is no riddle: one customer is there, and others are made on the page that is served."""
    result = alice.run(*words)

    assert 5 == result.code
    assert "hint: the local X has @customer from the start; to make @jane, open the pages that " in result.err
    assert "--sandbox" not in result.err


def test_a_local_x_without_a_page_says_how_to_serve_it(desk):
    """The command serves the same world: with the options of the one that was refused."""
    desk.write(("alice", "Alice F."))
    words = ("--sandbox", "--roster", "roster.toml")
    assert 0 == desk.run(*words, "sync", "--yes").code
    result = desk.run(*words, "thread", "@jane")

    assert 5 == result.code
    assert "to make @jane, run `profilectl sandbox serve --sandbox --roster roster.toml`, open its pages" in result.err
    assert 'type jane beside "Open"' in result.err
