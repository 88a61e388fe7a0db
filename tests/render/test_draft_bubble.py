"""A message before it goes out: the bubble, and all that hangs on it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from profilectl.model import Link
from profilectl.render.bubble import AgentCard, Draft, Enclosure, draft_bubble, plain_draft

CARD = AgentCard("alice", "Alice F.", "human", "acmecare", None, None, "Did it arrive?")
PARTS = {
    "enclosure": Enclosure("parcel.jpg", "image/jpeg", 1_240_000),
    "quick_replies": ("Yes, thanks", "Not yet"),
    "links": (Link("Track it", "https://example.com/t?id=1"),),
}
BELOW = [
    "with parcel.jpg (JPEG, 1.2 MB)",
    "[ Track it ] https://example.com/t?id=1",
    "to tap:",
    "(Yes, thanks)  (Not yet)",
]


def drawn(card=CARD, recipient="@ada", width=80, **parts) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, color_system=None, force_terminal=True, markup=False, emoji=False)
    console.print(draft_bubble(Draft(card, recipient, **parts), width))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_draft_shows_all_that_goes_out():
    """Recipient, bubble, picture, buttons with where they lead, and what can be tapped."""
    lines = drawn(**PARTS)

    assert "to @ada" == lines[0]
    assert any("Did it arrive?" in line for line in lines)
    assert any("Alice F.  @acmecare" in line for line in lines)
    assert BELOW == lines[-4:]


def test_a_bare_draft_shows_nothing_else():
    """Recipient and bubble."""
    assert "Alice F.  @acmecare" in drawn()[-1]


def test_the_same_in_plain_lines():
    """For a terminal that understands only lines."""
    expected = ["to @ada", "| Did it arrive?", "  Alice F.  @acmecare", *BELOW]

    assert expected == plain_draft(Draft(CARD, "@ada", **PARTS)).splitlines()
    assert expected[:3] == plain_draft(Draft(CARD, "@ada")).splitlines()


@pytest.mark.parametrize("width", [80, 40, 24])
def test_no_line_is_wider_than_the_terminal(width):
    """Long labels and addresses are folded, never cut."""
    links = (Link("x" * 36, "https://example.com/" + "z" * 100),)
    lines = drawn(width=width, links=links, quick_replies=tuple(f"answer number {number}" for number in range(20)))

    assert all(len(line) <= width for line in lines)
    assert 100 == sum(line.count("z") for line in lines)
    assert all(f"(answer number {number})" in "\n".join(lines) for number in range(20))


def test_hostile_strings_are_shown_and_not_obeyed():
    """Escapes, bidirectional overrides and markup are only text, wherever they stand."""
    parts = {
        "enclosure": Enclosure("a\x1b[2J.gif", "image/gif", 900),
        "quick_replies": ("[red]Yes",),
        "links": (Link("\u202eevil", "https://example.com"),),
    }
    for text in ("\n".join(drawn(recipient="@\x1bada", **parts)), plain_draft(Draft(CARD, "@\x1bada", **parts))):
        assert "\x1b" not in text
        assert r"to @\x1bada" in text
        assert r"with a\x1b[2J.gif (animated GIF, 1 kB)" in text
        assert "[ <U+202E>evil ] https://example.com" in text
        assert "([red]Yes)" in text
