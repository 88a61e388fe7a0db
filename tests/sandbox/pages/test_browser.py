"""A real Chromium reads, types, taps and scores, while a program sends; and nothing hostile ever runs."""

from __future__ import annotations

import pytest

from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model.feedback import Request
from profilectl.sandbox.model.messages import Draft
from profilectl.sandbox.model.world import World
from tests.conftest import require
from tests.patience import until
from tests.sandbox.browser import Browser, executable

PATH = "/_sandbox/conversations/acmecare/ada"
SCRIPT = "\u202e</bdi><script>alert(1)</script><img src=x onerror=alert(2)>\x1b"
ZALGO = "Z" + "\u0335\u0321\u031b\u0353\u0347\u0310" * 40


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    require("browser", executable() is not None, "no Chromium is installed")
    with Browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def browser(chromium):
    """A Chromium without any page."""
    yield chromium
    chromium.close_tabs()


@pytest.fixture
def stage(picture):
    """A served world with a brand, an agent, and a customer."""
    with World() as world, SandboxServer(SandboxApp(world)) as server:
        yield Stage(world, server, picture)


class Stage:
    """What a program can do while the browser looks on."""

    def __init__(self, world, server, picture):
        self.world, self.server, self.url, self.picture = world, server, server.url, picture
        self.brand, self.ada = world.ensure_brand("acmecare"), world.ensure_customer("ada")
        self.alice = self.agent("Alice F., Care")

    def agent(self, name):
        media = self.world.media.add(self.brand.user_id, self.picture)
        return self.world.profiles.create(self.brand.user_id, name, media.id).id

    def send(self, text, profile=None, **more):
        app = self.world.tokens.app().id
        return self.world.messages.send(self.brand.user_id, app, Draft(self.ada.user_id, text, profile, **more))

    def received(self):
        return [message.text for message in self.world.messages.all() if message.sender_id == self.ada.user_id]


def visit(tab, stage, path):
    """Open a page for the first time, as the printed address has it."""
    tab.open(f"{stage.url}{path}", f"?token={stage.server.token}")


def live(browser, stage, path=PATH):
    tab = browser.tab()
    visit(tab, stage, path)
    tab.until("document.getElementById('state').className === 'well' || null")
    return tab


def test_a_conversation_is_read_and_answered_live(browser, stage):
    """The agent's words arrive while a draft is being written; Enter sends it, and the focus stays."""
    stage.send("Welcome", stage.alice)
    tab = live(browser, stage)
    assert "Welcome" in tab.text(".from-agent .said")
    assert tab.text(".from-agent .name") == "Alice F., Care"

    tab.evaluate("document.getElementById('text').focus()")
    tab.type("My phone ")
    stage.send("Are you there?", stage.alice)
    tab.until("document.querySelectorAll('.from-agent').length === 2")
    tab.type("is dead")
    tab.press("Enter")
    tab.until("document.querySelector('.from-customer')?.innerText.includes('My phone is dead')")

    assert stage.received() == ["My phone is dead"]
    assert tab.until("document.getElementById('text').value === ''")
    assert tab.evaluate("document.activeElement.id") == "text"
    assert tab.evaluate("document.querySelector('.log').scrollTop") == 0
    assert tab.complaints == []


def test_the_token_is_kept_where_no_page_reads_it(browser, stage):
    """Not in the address, the history or a script's reach; the pages after the first need it no more."""
    tab = browser.tab()
    visit(tab, stage, "/")
    shown = tab.evaluate("[location.href, document.cookie, history.length]")
    tab.open(stage.url + "/_sandbox/profiles")

    assert [stage.url + "/", ""] == shown[:2]
    assert "Alice F., Care" in tab.text("main")
    entries = tab.call("Page.getNavigationHistory")["entries"]
    assert not any(stage.server.token in entry["url"] for entry in entries)
    assert tab.complaints == []


@pytest.mark.parametrize("dark", [False, True])
def test_who_comes_without_the_token_is_told_what_to_do(browser, stage, dark):
    """On a page that can be read at 390 pixels, with nothing of the world on it."""
    tab = browser.tab()
    tab.look_like(390, 844, dark=dark, mobile=True)
    tab.open(stage.url + PATH)

    assert "This sandbox is locked" == tab.text("h1")
    assert "acmecare" not in tab.evaluate("document.body.innerHTML")
    assert "18px" == tab.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius")
    assert 390 == tab.evaluate("document.documentElement.scrollWidth")
    assert tab.evaluate(_FAINT) == []


def test_a_page_of_a_sandbox_that_was_started_again_says_so(browser, stage):
    """Its token is another one, so asking on and on would show nothing."""
    tab = live(browser, stage)
    stage.server.token = "another"
    stage.send("News")  # ends the wait that began with the old one

    assert tab.until("document.getElementById('state').innerText.startsWith('This sandbox was started again.')")


def test_shift_and_enter_begin_a_line(browser, stage):
    """A message may have several."""
    tab = live(browser, stage)
    tab.evaluate("document.getElementById('text').focus()")
    tab.type("one")
    tab.press("Enter", modifiers=8)
    tab.type("two")
    tab.press("Enter")

    until(stage.received, "the message, which the browser sends on its own time")
    assert ["one\ntwo"] == stage.received()


def test_answers_are_tapped_with_the_keyboard(browser, stage):
    """They arrive live, are one step before the field, and go when one of them is said."""
    tab = live(browser, stage)
    options = [{"label": "Yes", "metadata": "y"}, {"label": "No"}]
    stage.send("Better?", stage.alice, quick_reply={"type": "options", "options": options})
    tab.until("document.querySelectorAll('#answers button').length === 2")
    tab.evaluate("document.querySelector('.log').focus()")
    tab.press("Tab")
    assert tab.evaluate("document.activeElement.innerText") == "Yes"
    assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.press("Space")

    assert tab.until("document.querySelector('.from-customer')?.innerText.includes('Yes')")
    assert stage.world.messages.all()[-1].response == {"type": "options", "metadata": "y"}
    assert tab.until("document.querySelectorAll('#answers button').length === 0")
    assert tab.evaluate("document.activeElement.id") == "text"


def test_a_card_is_answered_on_the_page(browser, stage):
    """A score is chosen, a reason typed, another message arrives in between, and nothing is lost."""
    app = stage.world.tokens.app().id
    ask = Request("nps", stage.ada.user_id, "One question", "https://acme.example/privacy", display_name="Acme")
    card = stage.world.feedback.create(stage.brand.user_id, app, ask)
    tab = live(browser, stage)
    tab.evaluate("document.querySelector('[name=score][value=\"9\"]').click()")
    tab.evaluate("document.querySelector('.card textarea').focus()")
    tab.type("So quick")
    stage.send("Still there?", stage.alice)
    tab.until("document.querySelectorAll('.from-agent').length")
    tab.press("Tab")
    tab.press("Enter")

    assert tab.until("document.querySelector('.card .score')?.innerText.startsWith('9')")
    card = stage.world.feedback.require(card.id)
    assert (card.score, card.text) == (9, "So quick")


def test_a_draft_survives_a_look_elsewhere(browser, stage):
    """What was typed is there again when one comes back."""
    tab = live(browser, stage)
    tab.evaluate("document.getElementById('text').focus()")
    tab.type("half a thou")
    tab.open(stage.url + "/")
    tab.open(stage.url + PATH)

    assert tab.until("document.getElementById('text').value") == "half a thou"


def test_whoever_reads_earlier_messages_is_left_there(browser, stage):
    """New ones are announced by a button that leads to them."""
    for number in range(30):
        stage.send(f"Message {number}", stage.alice)
    tab = live(browser, stage)
    tab.evaluate("document.querySelector('.log').scrollTop = -600")
    stage.send("The newest", stage.alice)
    tab.until("!document.getElementById('newest').hidden")

    assert tab.evaluate("document.querySelector('.log').scrollTop") < -300
    tab.evaluate("document.getElementById('newest').click()")
    assert tab.until("document.querySelector('.log').scrollTop === 0 && document.getElementById('newest').hidden")


def test_without_scripts_everything_works_by_hand(browser, stage):
    """The form sends, the page comes back with the answer, and a link looks for news."""
    stage.send("Welcome", stage.alice)
    tab = browser.tab(scripts=False)
    visit(tab, stage, PATH)
    assert "look for new messages" in tab.text("noscript")
    tab.evaluate("document.getElementById('text').focus()")
    tab.type("Hello")
    tab.press("Tab")
    tab.press("Enter")

    assert tab.until("document.querySelector('.from-customer')?.innerText.includes('Hello')")
    assert stage.received() == ["Hello"]


def test_nothing_hostile_runs(browser, stage):
    """Names, texts, labels and answers are shown as what they are; no dialog, no complaint, no request elsewhere."""
    evil = stage.agent(SCRIPT[:48])
    stage.world.messages.receive("ada", "acmecare", SCRIPT)
    link = {"type": "web_url", "label": "<script>alert(3)</script>", "url": 'https://a.example/"><script>alert(4)'}
    stage.send(SCRIPT, evil, ctas=[link])
    options = [{"label": "<img src=x onerror=alert(5)>", "description": SCRIPT}]
    for path in (PATH, "/", "/_sandbox/profiles"):
        tab = browser.tab()
        visit(tab, stage, path)
        if path == PATH:
            tab.until("document.getElementById('state').className === 'well'")
            stage.send(SCRIPT, evil, quick_reply={"type": "options", "options": options})
            tab.until("document.querySelectorAll('#answers button').length === 1")
        assert "<U+202E></bdi><script>alert(1)" in tab.text("body")
        assert tab.evaluate("document.querySelectorAll('bdi script, p script, img[src=x]').length") == 0
        assert tab.complaints == []


@pytest.mark.parametrize(("text", "direction"), [("مرحبا AC-1234", "rtl"), ("Hello مرحبا", "ltr")])
def test_a_message_runs_as_its_own_words_do(browser, stage, text, direction):
    """The handle that only a screen reader reads, and which comes first, decides nothing; nor in the field."""
    tab = live(browser, stage)
    tab.evaluate("document.getElementById('text').focus()")
    tab.type(text)
    in_the_field = tab.evaluate("getComputedStyle(document.getElementById('text')).direction")
    tab.press("Enter")
    tab.until("document.querySelector('.from-customer .said') !== null || null")
    in_the_bubble = tab.evaluate("getComputedStyle(document.querySelector('.from-customer .said')).direction")

    assert (direction, direction) == (in_the_field, in_the_bubble)


def test_nothing_paints_over_its_neighbours(browser, stage):
    """Piled-up marks, ten thousand characters without a space, and long names stay in their places at 320 pixels."""
    stage.send(ZALGO, stage.agent("W" * 48))
    stage.send("W" * 10_000, stage.alice)
    tab = live(browser, stage)
    tab.look_like(320, 640, mobile=True)

    assert tab.evaluate("document.documentElement.scrollWidth") == 320
    inside = """[...document.querySelectorAll('.said, .byline')].every(element => {
        const box = element.getBoundingClientRect();
        return box.left >= 0 && box.right <= 320 && getComputedStyle(element).overflow === 'hidden';
    })"""
    assert tab.evaluate(inside)


@pytest.mark.parametrize("path", ["/", "/_sandbox/profiles", PATH])
@pytest.mark.parametrize("dark", [False, True])
def test_everything_can_be_read(browser, stage, path, dark):
    """Words stand out from their ground by 4.5 to 1 (WCAG 2.2, 1.4.3), in the light and in the dark."""
    stage.send("From the account")
    stage.send("From a bot", stage.agent("Acme bot"))
    stage.world.messages.receive("ada", "acmecare", "Hello")
    tab = browser.tab()
    tab.look_like(390, 844, dark=dark, mobile=True)
    visit(tab, stage, path)

    assert tab.evaluate(_FAINT) == []


def test_every_field_has_a_name(browser, stage):
    """What a screen reader says of fields and buttons, and where it announces new messages."""
    tab = live(browser, stage)
    tab.call("Accessibility.enable")
    nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    named = {(node["role"]["value"], node["name"]["value"]) for node in nodes if node.get("name", {}).get("value")}

    assert {
        ("log", "Messages"),
        ("textbox", "Write as @ada"),
        ("button", "Send"),
        ("link", "All conversations"),
    } <= named
    nameless = [node for node in nodes if node["role"]["value"] in {"textbox", "button", "link"}]
    assert all(node["name"]["value"] for node in nameless)


def test_a_conversation_is_begun_from_the_index(browser, stage):
    """A handle, Enter, and the first words can be typed at once."""
    tab = browser.tab()
    visit(tab, stage, "/")
    tab.evaluate("document.querySelector('[name=customer]').focus()")
    tab.type("grace")
    tab.press("Enter")
    tab.until("location.pathname.endsWith('/grace') && document.readyState === 'complete'")
    tab.until("document.activeElement.id === 'text'")
    tab.type("First words")
    tab.press("Enter")

    assert tab.until("document.querySelector('.from-customer')?.innerText.includes('First words')")


_FAINT = """(() => {
    const channel = part => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const parts = colour => colour.match(/[0-9.]+/g).map(Number);
    const background = element => {
        for (let at = element; at; at = at.parentElement) {
            const style = getComputedStyle(at);
            if (style.backgroundImage !== 'none') return null;
            const colour = parts(style.backgroundColor);
            if (colour.length < 4 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    };
    const faint = [];
    for (const element of document.body.querySelectorAll('*')) {
        const words = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        const below = words && background(element);
        if (!below) continue;
        const pair = [light(parts(getComputedStyle(element).color)), light(below)].sort((a, b) => b - a);
        const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
        if (ratio < 4.5) faint.push(element.className + ' ' + element.innerText.slice(0, 30) + ' ' + ratio.toFixed(2));
    }
    return faint;
})()"""
