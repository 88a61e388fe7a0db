"""Every page in a real Chromium, at three widths, light and dark: nothing sticks out, and Tab reaches everything."""

from __future__ import annotations

import pytest

from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model.feedback import Request
from profilectl.sandbox.model.world import World
from tests.sandbox.browser import Browser, executable
from tests.sandbox.screenshots import Clock, tell_the_story
from tests.screens.story import Worlds

WIDTHS = (1280, 768, 390)  # CSS pixels
CONVERSATIONS = "/_sandbox/conversations/acmecare"
SERVED = {
    "index": "/",
    "conversation": f"{CONVERSATIONS}/ada_l",
    "card": f"{CONVERSATIONS}/eva",
    "profiles": "/_sandbox/profiles",
    "problem": f"{CONVERSATIONS}/%20",
}
WRITTEN = {
    "plan": ("before", "diff", "--format", "html"),
    "preview": ("after", "preview", "--html", "-"),
    "sheet": ("after", "preview", "--sheet", "-"),
}

# What has the focus, and whether its ring is drawn and not cut off, by the window or by what scrolls around it.
_RING = """(() => {
    const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
    const ring = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
    const outside = edge => box.left - ring < edge.left - .5 || box.right + ring > edge.right + .5;
    let whole = style.outlineStyle !== 'none' && !outside({left: 0, right: innerWidth});
    for (let around = element.parentElement; around && around !== document.body; around = around.parentElement) {
        const edge = around.getBoundingClientRect();
        const cut = outside(edge) || box.top - ring < edge.top - .5 || box.bottom + ring > edge.bottom + .5;
        if (getComputedStyle(around).overflowX !== 'visible' && cut) whole = false;
    }
    element.dataset.reached = '1';
    return [element === document.body, whole, (element.innerText || element.name || '').slice(0, 40)];
})()"""
_REACHABLE = """[...document.querySelectorAll('a[href], button, textarea, summary, [tabindex], input')]
    .filter(element => !element.disabled && element.tabIndex >= 0 && element.checkVisibility())
    .filter(element => !['radio', 'hidden'].includes(element.type))"""  # of a group of radios Tab reaches one


@pytest.fixture(scope="module")
def browser(tmp_path_factory, require):
    require("browser", executable() is not None, "no Chromium is installed")
    with Browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def local_x(browser):
    """A served world in which much has been said."""
    clock = Clock()
    with World(now=clock) as world, SandboxServer(SandboxApp(world)) as server:
        tell_the_story(world, clock)
        for number in range(12):
            world.ensure_customer(f"customer_{number}")
            world.messages.receive(f"customer_{number}", "acmecare", "مرحبا https://acme.example/track/" + "9" * 80)
        eva, brand = world.ensure_customer("eva"), world.accounts.require("acmecare")
        card = Request("nps", eva.user_id, "One question", "https://acme.example/privacy", display_name="Acme")
        world.feedback.create(brand.user_id, world.tokens.app().id, card)
        yield server
        browser.close_tabs()  # or their connections would outlive the server


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The pages that commands write."""
    worlds, folder = Worlds(tmp_path_factory.mktemp("worlds")), tmp_path_factory.mktemp("pages")
    for name, (world, *words) in WRITTEN.items():
        (folder / f"{name}.html").write_text(worlds.run(worlds.place / world, *words), "utf-8")
    worlds.run(worlds.place / "after", "audit", "export", "--since", "2026-01-01", "--until", "2099-01-01", str(folder))
    next(folder.glob("record-*.html")).rename(folder / "record.html")
    return folder


@pytest.fixture
def tab(browser):
    return browser.tab()


def walk(tab, width):
    """Press Tab until nothing new comes; return whose ring isn't whole, and how many were never reached."""
    tab.look_like(width, 900)
    faults = []
    for _ in range(tab.evaluate(f"{_REACHABLE}.length") + 2):
        tab.press("Tab")
        is_body, is_whole, text = tab.evaluate(_RING)
        if not (is_body or is_whole):
            faults.append(text)
    return faults, tab.evaluate(f"{_REACHABLE}.filter(element => !element.dataset.reached).length")


def check(tab):
    widths = []
    for width in WIDTHS:
        for dark in (False, True):
            tab.look_like(width, 844, dark=dark, mobile=width < 600)
            widths.append(tab.evaluate("document.documentElement.scrollWidth"))

    assert [width for width in WIDTHS for _ in range(2)] == widths
    assert [([], 0), ([], 0)] == [walk(tab, width) for width in (WIDTHS[0], WIDTHS[-1])]


@pytest.mark.parametrize("name", SERVED)
def test_pages_of_the_local_x(tab, local_x, name):
    """Whoever uses no mouse, or a telephone, gets everywhere."""
    tab.call("Page.navigate", url=f"{local_x.url}{SERVED[name]}?token={local_x.token}")
    tab.until(
        "location.href.startsWith('http') && document.readyState == 'complete' && !!document.querySelector('h1, h2')"
    )
    check(tab)


@pytest.mark.parametrize("name", [*WRITTEN, "record"])
def test_pages_that_commands_write(tab, files, name):
    """So do those who were sent a plan, a preview or a record as a file."""
    tab.open(f"file://{files / name}.html")
    check(tab)
