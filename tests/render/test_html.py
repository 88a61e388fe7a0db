from __future__ import annotations

import base64
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from profilectl.render.bubbles.bubble import AgentCard
from profilectl.render.html import preview_page

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
SCRIPT = "</p><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"


def face(**changes) -> AgentCard:
    fields = {
        "agent": "alice",
        "name": "Alice F., Care Specialist",
        "kind": "human",
        "handle": "acmecare",
        "picture": PIXEL,
        "media_type": "image/png",
        "text": "Your parcel is on its way.",
    }
    return AgentCard(**fields | changes)


class Outline(HTMLParser):
    """What a browser would make of a page: its elements, its addresses, and the text of every class."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self._class = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in {"src", "href", "action", "srcset", "data"}]
        self._class = dict(attrs).get("class") or tag
        if tag != "br":
            self.texts.setdefault(self._class, []).append("")

    def handle_endtag(self, tag):
        self._class = ""

    def handle_data(self, data):
        if self.texts.get(self._class):
            self.texts[self._class][-1] += data


def test_every_agent_gets_a_telephone():
    """Picture, message and name on the screen; key and kind beneath it."""
    outline = Outline(preview_page("acmecare", [face(), face(agent="helper", name="Acme Bot", kind="bot", text="Hi")]))
    assert outline.texts["phone"] == ["\n", "\n"]
    assert outline.texts["said"] == ["Your parcel is on its way.", "Hi"]
    assert outline.texts["name"] == ["Alice F., Care Specialist", "Acme Bot"]
    assert outline.texts["badge"] == ["bot"]
    assert outline.texts["code"] == ["alice", "helper"]
    assert outline.texts["kind human"] == ["human"]
    assert outline.texts["kind bot"] == ["bot"]


def test_each_telephone_shows_the_handle_of_its_own_brand():
    """An agent of two brands is seen under both."""
    outline = Outline(preview_page("acmecare", [face(), face(handle="acmehelp")]))
    assert outline.texts["bdi"] == ["@acmecare", "@acmecare", "@acmehelp"]


def test_the_page_needs_nothing_but_itself():
    """Pictures are inside, scripts aren't, and the policy forbids whatever else might load."""
    page = preview_page("acmecare", [face()])
    outline = Outline(page)
    assert outline.addresses == ["data:image/png;base64," + base64.b64encode(PIXEL).decode()]
    assert not {"script", "link", "iframe", "object", "form", "a"} & set(outline.tags)
    assert "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\"" in page
    assert not re.search(r"https?:|url\(|@import", page)


@pytest.mark.parametrize("field", ["name", "text", "agent", "handle", "kind"])
def test_hostile_strings_stay_text(field):
    """Markup is escaped, and what can't be seen is spelled out."""
    page = preview_page("acmecare", [face(**{field: SCRIPT + "\x1b\u202e"})])
    assert Outline(page).tags == Outline(preview_page("acmecare", [face()])).tags
    assert r"\x1b&lt;U+202E&gt;" in page
    assert not {"\x1b", "\u202e"} & set(page)


def test_a_hostile_handle_stays_text_in_the_title():
    """The page's own heading is escaped like everything else."""
    assert "script" not in Outline(preview_page(SCRIPT, [])).tags


def test_an_agent_without_a_picture_keeps_an_empty_place():
    """A disc in its stead, and no broken image."""
    outline = Outline(preview_page("acmecare", [face(picture=None, media_type=None)]))
    assert "img" not in outline.tags
    assert outline.texts["portrait"] == [""]


def test_lines_of_a_message_stay_lines():
    """Each line end is kept, and the bubble's look keeps it on the screen."""
    page = preview_page("acmecare", [face(text="one\r\ntwo\n\nthree")])
    assert ">one\ntwo\n\nthree</p>" in page
    assert "white-space: pre-wrap" in page


def test_scripts_that_run_from_right_to_left_find_their_direction():
    """The browser decides by the text, for message and name apart."""
    page = preview_page("acmecare", [face(name="فاطمة")])
    assert '<bdi class="name">فاطمة</bdi>' in page
    assert '<p class="said" dir="auto">' in page


def test_the_page_counts_its_agents():
    """In words that fit."""
    assert "1 agent." in preview_page("acmecare", [face()])
    assert "2 agents." in preview_page("acmecare", [face(), face()])


def test_a_browser_runs_nothing_of_it(tmp_path, require):
    """Chromium shows the hostile name, and its script never speaks."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    require("browser", browser is not None, "no Chromium is installed")
    page = tmp_path / "preview.html"
    page.write_text(preview_page("acmecare", [face(name=SCRIPT)]), encoding="utf-8")
    switches = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    switches += [
        "--disable-component-update",
        "--no-first-run",
        f"--user-data-dir={tmp_path / 'browser'}",
        "--dump-dom",
    ]
    done = subprocess.run([browser, *switches, page.as_uri()], capture_output=True, text=True, timeout=60, check=True)
    assert "<title>What customers of @acmecare see</title>" in done.stdout
    assert "&lt;script&gt;document.title" in done.stdout
