"""`audit reconcile`: messages that left past the ledger, and those that X doesn't list."""

from __future__ import annotations

import pytest

from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Event, Message

TO = ("send", "--as", "helper", "--to", "@customer")


@pytest.fixture
def helper(desk, served):
    """A desk whose bot has sent two messages, three minutes ago by X's clock."""
    assert 0 == desk.write(("helper", "Helper bot", 'kind = "bot"')).run("sync", "--yes").code
    assert [0, 0] == [desk.run(*TO, text).code for text in ("Hello", "Bye")]
    served.ask("POST", "advance", {"seconds": 180})
    return desk


def test_x_and_the_record_tell_the_same(helper):
    """Nothing is listed, and what was compared is said."""
    result = helper.run("audit", "reconcile")

    assert (0, "") == (result.code, result.out)
    assert "acme: 2 messages at X and on the record since " in result.err


def test_a_message_that_left_past_the_ledger_is_told_with_seven(helper, served):
    """Whoever has the token can send with our faces; the record doesn't know it, X does."""
    [profile] = [row["id"] for row in served.ask("GET", "state")["profiles"] if row["name"] == "Helper bot"]
    to = served.ask("GET", "state")["messages"][0]["recipient_id"]
    with helper.client(served.url) as client:
        client.send_message(Message("helper", "acme", to, "Buy now", profile))
    result, document = helper.run("audit", "reconcile"), helper.run("audit", "reconcile", "--json").document

    assert (7, 1) == (result.code, len(result.rows))
    assert ["not on the record", "acme", to, f"profile {profile}"] == [result.rows[0][place] for place in (0, 1, 3, 4)]
    assert [profile] == [message["profile_id"] for message in document["brands"][0]["unknown"]]
    assert "who else has the brand's token" in result.err


@pytest.mark.parametrize(
    ("event", "sentence"),
    [("restored", "the ledger was restored"), ("recovered", "the ledger was rebuilt"), ("begun", "was begun anew")],
)
def test_after_a_restore_the_hint_names_it_before_a_thief(helper, served, event, sentence):
    """What was sent since the backup isn't on the record; how long it is listed is said, too."""
    [profile] = [row["id"] for row in served.ask("GET", "state")["profiles"] if row["name"] == "Helper bot"]
    to = served.ask("GET", "state")["messages"][0]["recipient_id"]
    with helper.client(served.url) as client:
        client.send_message(Message("helper", "acme", to, "Since the backup", profile))
    with open_for_writing(helper.folder / helper.env["PROFILECTL_LEDGER"]) as ledger:
        ledger.record(Event(event, ledger.account_of("acme").user_id, served.ask("GET", "state")["now_ms"]))
    result = helper.run("audit", "reconcile")
    hint = " ".join(result.err.partition("hint: ")[2].split())

    assert 7 == result.code
    assert sentence in hint.partition("who else has the brand's token")[0]
    assert "until it is 30 days old" in hint.partition("who else has the brand's token")[0]


def test_a_message_that_x_does_not_list_is_told_with_seven(helper, served):
    """The record says that it was sent, and nobody sees it there."""
    with open_for_writing(helper.folder / helper.env["PROFILECTL_LEDGER"]) as ledger:
        account = ledger.account_of("acme").user_id
        now_ms = served.ask("GET", "state")["now_ms"]
        detail = {"event_id": "4711", "recipient_id": "5"}
        ledger.record(Event("sent", account, now_ms - 150_000, "helper", "1", detail))
    result = helper.run("audit", "reconcile", "--days", "1")

    assert (7, [["not at X", "acme", "5", "helper", "4711"]]) == (
        result.code,
        [[row[0], row[1], *row[3:]] for row in result.rows],
    )


def test_nothing_is_compared_without_a_ledger(desk, served):
    """An empty record would call each message unknown."""
    result = desk.write(("helper", "Helper bot", 'kind = "bot"')).run("audit", "reconcile")

    assert (5, True) == (result.code, "there is no ledger at" in result.err)
