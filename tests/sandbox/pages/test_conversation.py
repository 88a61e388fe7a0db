"""The conversation's page: who may write through it, what it sends, and how it is kept up to date."""

from __future__ import annotations

import contextlib
import html
import re
import threading
import time

import httpx
import pytest

from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model.feedback import Request
from profilectl.sandbox.model.world import World
from profilectl.sandbox.pages import conversation
from tests.patience import join
from tests.sandbox.conftest import INSIDE, cookies_of

PATH = "/_sandbox/conversations/acmecare/ada"
OPTIONS = {"type": "options", "options": [{"label": "Yes", "metadata": "y-1"}, {"label": "No"}]}


@pytest.fixture
def ada(world):
    return world.ensure_customer("ada")


def read(remote, path=PATH, **headers):
    return remote.client.get(path, auth=None, headers=headers)


def post(remote, path=PATH, headers=None, **fields):
    return remote.client.post(path, data=fields, auth=None, headers=headers or {})


def received(remote):
    return [message.text for message in remote.world.messages.all()]


# What the customer says


def test_what_is_typed_arrives_and_leads_back(remote, ada):
    """Post, then redirect: loading the page again says nothing twice."""
    answer = post(remote, text="Hello?\r\nAnybody there? ")

    assert (303, f"{PATH}#text") == (answer.status_code, answer.headers["location"])
    assert ["Hello?\nAnybody there?"] == received(remote)
    assert "Hello?\nAnybody there?" in read(remote).text


@pytest.mark.parametrize("fields", [{}, {"text": ""}, {"text": " \r\n "}])
def test_nothing_typed_is_nothing_said(remote, ada, fields):
    """Back to the page, without a message."""
    assert 303 == post(remote, **fields).status_code
    assert [] == received(remote)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "rebound.example"},
    ],
)
@pytest.mark.parametrize("path", [PATH, "/_sandbox/conversations"])
def test_another_site_cannot_speak_for_the_customer(remote, ada, path, headers):
    """Forms of other origins, of other ports too, are turned away before they do anything."""
    answer = post(remote, path, headers, text="taken", brand="acmecare", customer="eve")

    assert 403 == answer.status_code
    assert [] == received(remote)
    assert remote.world.accounts.by_handle("eve") is None


def test_our_own_form_passes(remote, ada):
    """What a browser says about it."""
    assert 303 == post(remote, headers={"Origin": INSIDE, "Sec-Fetch-Site": "same-origin"}, text="Hi").status_code
    assert ["Hi"] == received(remote)


def test_a_text_may_have_ten_thousand_characters(remote, ada):
    """One more is told as a page."""
    assert 303 == post(remote, text="é" * 10_000).status_code
    answer = post(remote, text="é" * 10_001)

    assert (403, "text/html") == (answer.status_code, answer.headers["content-type"][:9])
    assert 1 == len(received(remote))


def test_a_tapped_answer_is_said_and_told(remote, ada):
    """The label as text, the metadata for the program; then it can't be tapped again."""
    remote.send(ada.user_id, message_data={"text": "Better?", "quick_reply": OPTIONS})
    question = remote.world.messages.all()[-1].id
    page = read(remote).text
    post(remote, message=question, option="0")
    again = post(remote, message=question, option="1")
    events = remote.client.get("/1.1/direct_messages/events/list.json").json()["events"]
    data = events[0]["message_create"]["message_data"]

    assert f'<input type="hidden" name="message" value="{question}">' in page
    assert ("Yes", {"type": "options", "metadata": "y-1"}) == (data["text"], data["quick_reply_response"])
    assert 400 == again.status_code
    assert "Tap an answer" not in read(remote).text


@pytest.mark.parametrize("option", ["2", "-1", "x", ""])
def test_only_what_was_offered_can_be_tapped(remote, ada, option):
    """Neither another number nor no number at all."""
    remote.send(ada.user_id, message_data={"text": "Better?", "quick_reply": OPTIONS})

    assert 400 == post(remote, message=remote.world.messages.all()[-1].id, option=option).status_code


# Conversations


def test_a_conversation_begins_with_a_handle(remote, world):
    """Somebody new is made, somebody known is found, in any case and with an @."""
    first = post(remote, "/_sandbox/conversations", brand="acmecare", customer="Grace_H")
    second = post(remote, "/_sandbox/conversations", brand="ACMECARE", customer=" @grace_h ")

    assert ["/_sandbox/conversations/acmecare/Grace_H#text"] * 2 == [
        answer.headers["location"] for answer in (first, second)
    ]
    assert "No messages yet" in read(remote, "/_sandbox/conversations/acmecare/Grace_H").text


@pytest.mark.parametrize(
    ("brand", "customer"), [("acmecare", "no handle"), ("acmecare", ""), ("nobody", "ada"), ("acmecare", "AcmeCare")]
)
def test_a_conversation_needs_two(remote, brand, customer):
    """A handle that X wouldn't have, a brand that isn't there, a brand with itself."""
    answer = post(remote, "/_sandbox/conversations", brand=brand, customer=customer)

    assert (400, "text/html") == (answer.status_code, answer.headers["content-type"][:9])


def test_a_customer_is_no_brand(remote, ada):
    """The page of a conversation the other way round doesn't exist."""
    assert 404 == read(remote, "/_sandbox/conversations/ada/acmecare").status_code


def test_customers_and_brands_are_kept_apart(remote, world, ada):
    """Each page shows its own two, and leads to the others."""
    world.ensure_brand("betahelp")
    for customer, brand in (("ada", "acmecare"), ("ada", "betahelp"), ("bob", "acmecare")):
        world.ensure_customer(customer)
        world.messages.receive(customer, brand, f"{customer} to {brand}")
    page = read(remote).text

    assert "ada to acmecare" in page
    assert not {"bob to acmecare", "ada to betahelp"} & set(re.findall(r"\w+ to \w+", page))
    assert '<a href="/_sandbox/conversations/acmecare/bob">' in page
    assert '<a href="/_sandbox/conversations/betahelp/ada">' in page


# What the brand says


def test_buttons_say_where_they_lead(remote, ada):
    """Label and host; the page that is opened learns nothing of ours."""
    cta = {"type": "web_url", "label": "Returns <b>", "url": "https://help.acme.example/a?b=1&c=2"}
    sent = remote.send(ada.user_id, message_data={"text": "Here", "ctas": [cta]}).json()
    page = read(remote).text

    assert cta["url"] == sent["event"]["message_create"]["message_data"]["ctas"][0]["url"]
    assert 'href="https://help.acme.example/a?b=1&amp;c=2" target="_blank" rel="noreferrer noopener"' in page
    assert "Returns &lt;b&gt;" in page
    assert '<span class="host">help.acme.example</span>' in page


@pytest.mark.parametrize(
    "ctas",
    [
        [],
        [{"type": "web_url", "label": "x", "url": "https://a.example"}] * 4,
        [{"type": "web_url", "label": "x", "url": "javascript:alert(1)"}],
        [{"type": "web_url", "label": "x" * 37, "url": "https://a.example"}],
        [{"type": "web_url", "url": "https://a.example"}],
        [{"type": "phone", "label": "x", "url": "https://a.example"}],
        "https://a.example",
        [None],
    ],
)
def test_buttons_keep_to_the_rules(remote, ada, error_of, ctas):
    """One to three, of the web, with labels of at most 36 characters."""
    assert (403, 151) == error_of(remote.send(ada.user_id, message_data={"text": "Here", "ctas": ctas}))


def test_a_card_can_be_answered_once(remote, world, ada):
    """A form on the page, then the answer in its place."""
    card = world.feedback.create(
        remote.brand.user_id, world.tokens.app().id, Request("csat", ada.user_id, "How was it?", "https://a.example")
    )
    before = read(remote).text
    post(remote, f"/_sandbox/feedback/{card.id}", score="4", text="<b>Quick")
    after = read(remote).text

    assert f'action="/_sandbox/feedback/{card.id}"' in before
    assert ["1", "2", "3", "4", "5"] == re.findall('name="score" value="([0-9]+)"', before)
    assert "<strong>4</strong> of 5" in after
    assert "&lt;b&gt;Quick" in after
    assert 'name="score"' not in after


# Live


def test_what_was_seen_is_not_sent_again(remote, ada):
    """304 while nothing is new; then the whole conversation, with another tag."""
    first = read(remote, f"{PATH}/talk")
    seen = first.headers["etag"]
    same = read(remote, f"{PATH}/talk", **{"If-None-Match": seen})
    remote.send(ada.user_id, "News")
    news = read(remote, f"{PATH}/talk", **{"If-None-Match": seen, "Prefer": "wait=20"})

    assert (200, 304, b"", 200) == (first.status_code, same.status_code, same.content, news.status_code)
    assert "News" in news.text
    assert seen != news.headers["etag"]
    assert f'data-seen="{html.escape(news.headers["etag"]).replace("&quot;", "&#34;")}"' in read(remote).text


def test_a_visitor_who_waits_is_told_at_once(any_remote, ada):
    """The answer comes when the message does, long before the wait is over."""
    seen = read(any_remote, f"{PATH}/talk").headers["etag"]
    sender = threading.Timer(0.2, any_remote.send, (ada.user_id, "News"))
    sender.start()
    began = time.monotonic()
    news = read(any_remote, f"{PATH}/talk", **{"If-None-Match": seen, "Prefer": "wait=20"})
    join(sender)

    assert "News" in news.text
    assert time.monotonic() - began < 10


def test_news_of_another_process_arrive_too(tmp_path, monkeypatch):
    """Two openings of one world's file: what the one writes, a wait in the other one sees."""
    with World(tmp_path / "w.db") as world, World(tmp_path / "w.db") as other:
        world.ensure_brand("acmecare")
        world.ensure_customer("ada")
        before = conversation._version(world)
        same = conversation._version(world)
        other.messages.receive("ada", "acmecare", "Hello")

        assert before == same
        assert before != conversation._version(world)


def test_the_end_of_the_server_ends_every_wait(world, ada):
    """Nobody who waits for news keeps it from stopping."""
    world.ensure_brand("acmecare")
    address = PATH + "/talk"
    with SandboxServer(SandboxApp(world)) as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        client.cookies.update(cookies_of(server))
        seen = client.get(address).headers["etag"]
        headers = {"If-None-Match": seen, "Prefer": "wait=20"}
        waiting = threading.Thread(target=lambda: _quietly(client, address, headers))
        waiting.start()
        time.sleep(0.3)
        began = time.monotonic()
    join(waiting)

    assert time.monotonic() - began < 15


def _quietly(client, address, headers):
    with contextlib.suppress(httpx.HTTPError):
        client.get(address, headers=headers)


# What is seen of it


def say(world, text, customer="ada"):
    world.messages.receive(customer, "acmecare", text)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ('<a href="https://example.com/a?x=1&amp;y=2"', "see https://example.com/a?x=1&y=2."),
        ('<a href="https://www.example.com/b"', "(www.example.com/b)"),
        ('<a href="https://example.com/a_(b)"', "https://example.com/a_(b)"),
        ('<a href="http://example.com"', "http://example.com<b>"),
    ],
)
def test_addresses_in_texts_are_links(world, remote, ada, expected, text):
    """Without the sentence around them, which stays text; they tell nobody where they were followed from."""
    say(world, text)
    page = read(remote).text

    assert f'{expected} target="_blank" rel="noreferrer noopener">' in page
    assert "<b>" not in page


@pytest.mark.parametrize("text", ["javascript:alert(1)", "data:text/html,x", "ftp://example.com", "https://"])
def test_nothing_else_is_a_link(world, remote, ada, text):
    """Only what a browser opens as a page of the web."""
    say(world, text)

    assert f"{text}</p>" in html.unescape(read(remote).text)


def test_whoever_types_is_seen_until_they_have_written_or_stopped(world, remote, ada):
    """Three seconds, or until the message is there; to one customer, not to another."""
    brand, other = world.accounts.require("acmecare"), world.ensure_customer("bob")
    world.messages.show_typing(brand.user_id, ada.user_id)
    shown = [world.messages.is_typing(brand.user_id, user.user_id) for user in (ada, other)]
    page = read(remote, f"{PATH}/talk").text
    world.advance(3)

    assert ([True, False], True) == (shown, 'aria-label="@acmecare is typing"' in page)
    assert 'id="typing"' not in read(remote, f"{PATH}/talk").text


def test_a_page_that_waits_learns_that_somebody_stopped_typing(world, remote, ada):
    """Nothing changes in the world then but the time."""
    world.messages.show_typing(world.accounts.require("acmecare").user_id, ada.user_id)
    seen = read(remote, f"{PATH}/talk").headers["etag"]
    later = threading.Timer(0.3, setattr, [remote.clock, "now", remote.clock.now + 4])
    later.start()
    answer = read(remote, f"{PATH}/talk", **{"If-None-Match": seen, "Prefer": "wait=20"})
    join(later)

    assert (200, False) == (answer.status_code, 'id="typing"' in answer.text)


def test_others_who_wait_are_marked_and_all_are_a_click_away(world, remote, ada):
    """Eight conversations beside the telephone, the rest behind a word."""
    for number in range(10):
        world.ensure_customer(f"customer{number}")
        say(world, "Hello?", f"customer{number}")
    page, index = read(remote).text, remote.client.get("/", auth=None).text

    assert 18 == page.count('<span class="tag waits">waits</span>')
    assert "<summary>All 10 conversations</summary>" in page
    assert 10 == index.count("waits for an answer")


@pytest.mark.parametrize(("options", "command"), [("", "profilectl send"), (" --sandbox", "profilectl --sandbox send")])
def test_the_command_is_as_it_must_be_typed(world, ada, options, command):
    """With the option where that is how commands get there."""
    world.ensure_brand("acmecare")
    with httpx.Client(
        transport=httpx.WSGITransport(app=SandboxApp(world, options)), base_url="http://sandbox"
    ) as client:
        page = client.get(PATH, headers={"Host": "127.0.0.1"}).text

    assert f"{command} --as AGENT --to @ada" in html.unescape(page)
