"""One bubble, two readers: the conversation of the sandbox, and the page that `preview --html` writes."""

from __future__ import annotations

import re

import pytest

from profilectl.render.bubbles.bubble import AgentCard
from profilectl.render.html import preview_page
from profilectl.roster.disclosure import MARKERS
from profilectl.sandbox.pages import rendering

PATH = "/_sandbox/conversations/acmecare/ada"


@pytest.fixture
def ada(world):
    return world.ensure_customer("ada")


def read(remote, path=PATH):
    return remote.client.get(path, auth=None)


# Bots and people


@pytest.mark.parametrize(
    ("is_bot", "name"),
    [
        (True, "Acme Care bot"),
        (True, "Bot, Acme"),
        (True, "Acme Virtual Assistant"),
        (True, "Acme 🤖"),
        (True, "アクメ仮想アシスタント"),
        (False, "Alice F., Care"),
        (False, "Bill Abbott"),
        (False, "Botha, Care"),
    ],
)
def test_bots_are_told_by_their_names(remote, ada, is_bot, name):
    """A word of its own in the name, as X says nothing else; people who have it in their names are people."""
    remote.send(ada.user_id, custom_profile_id=remote.created(name))

    assert is_bot is ('<span class="badge">bot</span>' in read(remote, f"{PATH}/talk").text)


def test_every_marker_of_a_roster_is_understood():
    """What the roster demands of a bot in any language, the pages tell a bot by."""
    markers = {marker for listed in MARKERS.values() for marker in listed}

    assert set() == {marker for marker in markers if not rendering.bot_name().search(f"Acme {marker}, Care")}


# One bubble


@pytest.mark.parametrize("name", ["Alice F., Care", "Acme <bot>", "فاطمة", "Zoë & Sons"])
def test_the_preview_shows_the_same_bubble(remote, ada, name):
    """Token for token what stands in the conversation, but for the picture's address and the time."""
    text = "Hello!\n<b>Two</b> lines & more: שלום"
    remote.send(ada.user_id, text, custom_profile_id=remote.created(name))
    shown = bubble_of(read(remote).text)
    previewed = bubble_of(
        preview_page("acmecare", [AgentCard("a", name, "human", "acmecare", b"x", "image/png", text)])
    )

    assert previewed == re.sub(r' · <time datetime="[^"]*">[0-9:]*</time>', "", shown)


def test_the_preview_has_the_same_look(remote):
    """Every rule of the telephone, in the sandbox's style sheet and in the page that is passed around."""
    look = (rendering.TELEPHONE / "telephone.css").read_text()

    assert look in read(remote, "/_sandbox/style.css").text
    assert look.strip() in preview_page("acmecare", [])


def bubble_of(page):
    match = re.search(r'<div class="agent">.*?</p>\s*</div>', page.replace('class="from-', ""), re.DOTALL)
    return re.sub(r'src="[^"]*"', 'src=""', match[0])
