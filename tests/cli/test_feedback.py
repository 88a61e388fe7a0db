"""`feedback report` on the sandbox: cards issued by our own code, answered by customers, read a day later."""

from __future__ import annotations

import time

import pytest

from profilectl.api.client import XClient
from profilectl.api.transport import Transport
from profilectl.cli.local_sandbox import LocalX
from profilectl.feedback.cards import ask, prepare
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Agent, Brand, Kind, Message, Survey
from profilectl.sandbox.model.feedback import Request
from profilectl.sandbox.model.rate_limits import Limits
from profilectl.sandbox.model.world import World

PRIVACY = "https://acme.example/privacy"
DAYS = 86_400


@pytest.fixture
def asking_desk(desk):
    """A desk whose brand has a privacy policy, on a sandbox of its own."""
    desk.write(("alice", "Alice"))
    path = desk.folder / "roster.toml"
    text = path.read_text().replace('handle = "acmecare"', f'handle = "acmecare"\nprivacy_url = "{PRIVACY}"')
    path.write_text(text)
    desk.env["PROFILECTL_SANDBOX"] = "1"
    assert desk.run("roster", "check").code == 0
    return desk


class Customers:
    """Customers of the desk's sandbox, as they were some days ago."""

    def __init__(self, desk, days=3):
        folder = desk.folder / ".profilectl" / "sandbox"
        LocalX(folder).world.close()  # makes the folders as the program does
        self.world = World(folder / "world.db", limits=Limits.generous(), now=lambda: time.time() - days * DAYS)
        self.brand = self.world.ensure_brand("acmecare")
        self.count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.world.close()

    def issue(self, key, *scores, survey="csat", **more):
        """Issue cards under a key, each to a customer of its own, who answers with a score and words, or not."""
        for score in scores:
            self.count += 1
            customer = self.world.ensure_customer(f"secretive{self.count}")
            request = Request(survey, customer.user_id, "How was it?", PRIVACY, external_id=key, **more)
            card = self.world.feedback.create(self.brand.user_id, "app", request)
            if score is not None:
                self.world.feedback.respond(card.id, score, "I am Ada Lovelace")

    def names(self):
        """Return all that would name a customer."""
        people = [account for account in self.world.accounts.all() if not account.is_brand]
        cards = self.world.feedback.all()
        return {person.user_id for person in people} | {"secretive", "Ada", "Lovelace"} | {card.dm_id for card in cards}


@pytest.fixture
def answered(asking_desk):
    """A month's answers: people are liked better than bots, and nobody else can be told apart."""
    with Customers(asking_desk) as customers:
        customers.issue("profilectl:alice:human:profile:11", *[5, 4] * 14, None, None)
        customers.issue("profilectl:bob:human:brand:12", *[5, 4, 4, 3] * 3)
        customers.issue("profilectl:ava:bot:profile:13", *[2, 1, 4] * 6)
        customers.issue("profilectl:carl:human:profile:14", 1, 1)
        customers.issue("profilectl:alice:human:profile:15", 10, 9, 8, 3, survey="nps")
        customers.issue("case 17", 1, 1, 1)
        customers.issue("profilectl:alice:human:profile:16", 1, is_test=True)
        yield asking_desk, customers.names()


def test_the_report(answered):
    """Counts by agent, kind and face; figures from five answers on."""
    desk, _ = answered
    done = desk.run("feedback", "report", "--json")
    [brand] = done.document["brands"]
    csat, nps = brand["surveys"]
    counts = ("asked", "answered", "counted")
    groups = {(group["by"], group["group"]): tuple(group[count] for count in counts) for group in csat["groups"]}

    assert (0, "profilectl.feedback/1") == (done.code, done.document["schema"])
    assert groups == {
        ("agent", "alice"): (30, 28, 28),
        ("agent", "ava"): (18, 18, 18),
        ("agent", "bob"): (12, 12, 12),
        ("agent", "carl"): (2, 2, 0),
        ("kind", "bot"): (18, 18, 18),
        ("kind", "human"): (44, 42, 40),
        ("face", "brand"): (12, 12, 12),
        ("face", "profile"): (50, 48, 46),
    }
    assert brand["left_out"] == {"tests": 1, "strangers": 3}
    assert [("kind", "difference"), ("face", "no-difference")] == [
        (comparison["by"], comparison["verdict"]) for comparison in csat["comparisons"][1:]
    ]
    assert {None} == {group["nps"] for group in nps["groups"]}  # four answers


def test_totals_dont_give_a_small_group_away(answered):
    """What people have beyond alice and bob is nothing, and not carl's two answers."""
    desk, _ = answered
    [brand] = desk.run("feedback", "report", "--json").document["brands"]
    groups = {group["group"]: group for group in brand["surveys"][0]["groups"]}
    sums = {name: group["mean"]["value"] * group["counted"] for name, group in groups.items() if group["mean"]}

    assert sums["human"] == pytest.approx(sums["alice"] + sums["bob"])
    assert None is groups["carl"]["satisfied"] is groups["carl"]["mean"]


def test_no_customer_is_named(answered):
    """Not their ids, handles or words, nor the messages: in no form of the report, whatever is asked for."""
    desk, names = answered
    for words in ((), ("--json",), ("-v",), ("--quiet",)):
        done = desk.run("feedback", "report", *words)
        assert (0, set()) == (done.code, {name for name in names if name in done.out + done.err})
    code, screen = desk.watch("feedback", "report")
    assert (0, set()) == (code, {name for name in names if name in screen})


def test_for_pipes_and_for_people(answered):
    """Tab-separated rows on stdout, sentences beside them; a table on a terminal."""
    desk, _ = answered
    done = desk.run("feedback", "report")
    _, screen = desk.watch("feedback", "report")

    assert {13} == {len(row) for row in done.rows}
    assert ["acme", "csat", "agent", "carl", "2", "2", "", "", "", "", "", "", "0"] in done.rows
    assert "acme, csat: people higher than bots" in done.err
    assert "cards left out: 1 to test recipients, 3 of other programs" in done.err
    assert "too few to tell" in screen
    assert "\t" not in screen


def test_a_span_of_days(answered):
    """Only cards that were issued in it."""
    desk, _ = answered
    today, past = (time.strftime("%Y-%m-%d", time.gmtime(time.time() - days * DAYS)) for days in (0, 6))
    before = desk.run("feedback", "report", "--until", past, "--json").document["brands"][0]["surveys"]
    whole = desk.run("feedback", "report", "--since", past, "--until", today, "--json").document["brands"][0]["surveys"]

    assert ([], 2) == (before, len(whole))


@pytest.mark.parametrize(
    "words", [("--since", "soon"), ("--until", "2026-13-01"), ("--since", "9998-01-01"), ("--until", "0001-01-01")]
)
def test_days_that_arent(asking_desk, words):
    """Usage, with what would do."""
    done = asking_desk.run("feedback", "report", *words)

    assert (2, True) == (done.code, "hint" in done.err or "such as" in done.err)


def test_no_cards_yet(asking_desk):
    """Says how to issue one, and exits 0."""
    done = asking_desk.run("feedback", "report")

    assert (0, "", True) == (done.code, done.out, "`profilectl send --ask csat` issues one" in done.err)


def test_not_allowed(desk):
    """Exit 4, with what to ask X for."""
    desk.write(("alice", "Alice"))
    process, _ = desk.serve("--no-feedback")
    done = desk.run("feedback", "report")
    desk.end(process)

    assert 4 == done.code
    assert "hasn't allowed this app and this account to use feedback cards" in done.err
    assert "Enterprise" in done.err


def test_no_feedback_is_for_one_server_only(desk):
    """The world outlives the server, and what it said of cards doesn't."""
    desk.write(("alice", "Alice"))
    allowed = []
    for words in (("--no-feedback",), ()):
        process, served = desk.serve("--world", "world.db", *words)
        accounts = served.ask("GET", "state")["accounts"]
        allowed += [account["feedback_allowed"] for account in accounts if account["is_brand"]]
        desk.end(process)

    assert [False, True] == allowed


def test_from_the_question_to_the_answer(asking_desk):
    """A card that `ask` issues and records is found again under its agent, even where X returns no key."""
    folder = asking_desk.folder / ".profilectl" / "sandbox"
    agent = Agent("alice", "acme", "Alice", "avatars/face.png", Kind.HUMAN)
    question = prepare(Survey.CSAT, agent, Brand("acme", "acmecare", privacy_url=PRIVACY), is_test=False)
    with LocalX(folder) as local, open_for_writing(folder / "ledger.db") as ledger:
        credentials = local.credentials("acmecare")
        with XClient(credentials, Transport(local.url, transport=local.transport())) as client:
            for number in range(5):
                customer = local.world.ensure_customer(f"c{number}")
                message = Message("alice", "acme", customer.user_id, "Hello", "100001")
                card = ask(question, message, str(number), credentials.user_id, client, ledger)
                local.world.feedback.respond(card.id, 4)
        back = 3 * DAYS * 1000
        local.world.store.change(
            "UPDATE feedback SET created_ms = created_ms - ?, answered_ms = answered_ms - ?,"
            " external_id = iif(id % 2, '', external_id)",
            *(back, back),
        )
    since = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 5 * DAYS))
    [survey] = asking_desk.run("feedback", "report", "--since", since, "--json").document["brands"][0]["surveys"]

    assert [("alice", 5), ("human", 5), ("profile", 5)] == [
        (group["group"], group["answered"]) for group in survey["groups"]
    ]


def test_send_asks_under_the_key_of_its_message(asking_desk):
    """The card's key ends with the event of the message, so that both can be joined; a repeat asks nobody twice."""
    del asking_desk.env["PROFILECTL_SANDBOX"]
    process, served = asking_desk.serve("--handle", "acmecare")
    asking_desk.run("sync", "--yes")
    words = ("send", "--as", "alice", "--to", "@customer", "All done, bye!", "--ask", "csat", "--human-wrote-this")
    first, second = asking_desk.run(*words, "--json"), asking_desk.run(*words, "--json")
    cards = served.ask("GET", "state")["feedback"]
    asking_desk.end(process)

    assert (0, 0) == (first.code, second.code), first.err + second.err
    assert [f"profilectl:alice:human:profile:{first.document['event_id']}"] == [card["external_id"] for card in cards]
    assert ["Alice"] == [card["display_name"] for card in cards]


@pytest.mark.parametrize(
    ("options", "cards", "code"), [((), 1, 6), (("--generous",), 2, 0), (("--generous", "--world", "world.db"), 2, 0)]
)
def test_one_card_a_day_is_a_limit_of_x_that_a_generous_sandbox_hasn_t(asking_desk, options, cards, code):
    """Whoever tests cards asks one customer as often as they like; else it is as at X, and the sentence says why."""
    del asking_desk.env["PROFILECTL_SANDBOX"]
    process, served = asking_desk.serve("--handle", "acmecare", *options)
    asking_desk.run("sync", "--yes")
    words = ("send", "--as", "alice", "--to", "@customer", "--ask", "csat", "--human-wrote-this")
    results = [asking_desk.run(*words, text) for text in ("First", "Second")]
    issued = served.ask("GET", "state")["feedback"]
    asking_desk.end(process)

    assert ([0, code], cards) == ([result.code for result in results], len(issued)), results[1].err
    assert (code != 0) == ("X takes one card per customer in 24 hours" in results[1].err)


def test_cards_of_today_are_no_missing_ones(asking_desk):
    """What X can't tell yet is said with the day on which it can, and so is a last day that isn't over."""
    assert 0 == asking_desk.run("sync", "--yes").code
    assert 0 == asking_desk.run("send", "--as", "alice", "--to", "@customer", "Hello", "--ask", "csat").code
    result = asking_desk.run("feedback", "report")
    cut = asking_desk.run("feedback", "report", "--until", "2099-12-31")

    assert "1 card was issued since then: today's answers can be read from tomorrow on" in result.err
    assert "no feedback cards" not in result.err
    assert "not with 2099-12-31" in cut.err
