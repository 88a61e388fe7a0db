"""What a customer sees of an agent, as a terminal shows it, and a message before it goes out."""

from __future__ import annotations

import io
import re

import pytest
from msgspec.structs import replace
from PIL import Image
from rich.cells import cell_len
from rich.console import Console

from profilectl.model import Link
from profilectl.pictures.attachments import Attachment
from profilectl.render.bubbles.bubble import AgentCard, Draft, bubble, draft_bubble, plain_bubble, plain_draft
from profilectl.render.layout import most_cells


def picture(colour: tuple[int, ...] = (200, 30, 30), below: tuple[int, ...] | None = None) -> bytes:
    """One colour, or two halves."""
    image = Image.new("RGBA", (40, 40), colour)
    if below:
        image.paste(below, (0, 20, 40, 40))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def face(**changes) -> AgentCard:
    fields = {
        "agent": "alice",
        "name": "Alice F., Care Specialist",
        "kind": "human",
        "handle": "acmecare",
        "picture": picture(),
        "media_type": "image/png",
        "text": "Your parcel is on its way.",
    }
    return AgentCard(**fields | changes)


def drawn(card: AgentCard, width: int = 80, colour: str | None = None, graphics=None) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, color_system=colour, force_terminal=True, markup=False, emoji=False)
    console.print(bubble(card, width, graphics))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_the_picture_stands_beside_the_message_and_the_name_beneath():
    """As X draws it: sixteen columns of picture, the box, and one line of text below."""
    assert drawn(face()) == [
        "   ▄▄▀▀▀▀▀▀▄▄",
        " ▄▀▀▀▀▀▀▀▀▀▀▀▀▄",
        "▄▀▀▀▀▀▀▀▀▀▀▀▀▀▀▄",
        "▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀",
        "▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀ ╭────────────────────────────╮",
        "▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀▀ │ Your parcel is on its way. │",
        " ▀▀▀▀▀▀▀▀▀▀▀▀▀▀  ╰────────────────────────────╯",
        "   ▀▀▀▀▀▀▀▀▀▀      Alice F., Care Specialist  @acmecare",
    ]


def test_each_cell_carries_two_pixels():
    """The upper one as foreground, the lower one as background; outside of the circle only one is drawn."""
    middle = drawn(face(picture=picture((255, 0, 0), (0, 0, 255)), text="x"), colour="truecolor")
    assert "\x1b[38;2;255;0;0;48;2;255;0;0m▀" in middle[1]
    assert "\x1b[38;2;0;0;255;48;2;0;0;255m▀" in middle[6]
    assert "\x1b[38;2;255;0;0m▄" in middle[0]
    assert "\x1b[38;2;0;0;255m▀" in middle[7]


def test_transparent_pixels_show_the_terminal():
    """A picture without any pixel draws none."""
    assert not any("▀" in line or "▄" in line for line in drawn(face(picture=picture((0, 0, 0, 0)))))


def test_without_a_picture_a_grey_disc_keeps_its_place():
    """Nothing moves when a picture is missing."""
    grey = drawn(face(picture=None, media_type=None), colour="truecolor")
    assert "38;2;207;217;222" in grey[0]
    assert drawn(face(picture=None, media_type=None)) == drawn(face())


@pytest.mark.parametrize(("width", "columns"), [(200, 16), (56, 16), (55, 10), (32, 10), (31, 0), (12, 0)])
def test_the_picture_gives_way_to_the_message(width, columns):
    """On a narrow terminal it is smaller, on a very narrow one it isn't drawn; no line is ever too wide."""
    lines = drawn(face(), width)
    assert max(sum(char in "▀▄" for char in line) for line in lines) == columns
    assert max(map(cell_len, lines)) <= min(width, 72)


@pytest.mark.parametrize(
    "text",
    [
        "荷物は今朝倉庫を出ました。他に何かお手伝いできることはありますか？" * 2,
        "🎉" * 60,
        "مرحبا، كيف يمكنني مساعدتك؟ " * 4,
        "x" * 300,
    ],
)
def test_wide_and_long_text_is_folded_and_never_cut(text):
    """The frame stays straight in every script, and every character arrives; what runs to the left is isolated."""
    lines = [re.sub("[\u2068\u2069]", "", line) for line in drawn(face(text=text, picture=None))]
    boxed = [line.partition("│")[2].rpartition("│")[0] for line in lines if "│" in line]
    assert len({cell_len(line) for line in boxed}) == 1
    assert "".join("".join(boxed).split()) == "".join(text.split())


@pytest.mark.parametrize("text", ["Done 👍🏽", "नमस्ते किशोर", "🇫🇷 Salut", "❤️"])
def test_a_frame_is_open_where_terminals_disagree(text):
    """Its right edge would be crooked in those that take the text for wider."""
    (line,) = [line for line in drawn(face(text=text, picture=None)) if "│" in line]
    assert line.endswith(f"│ {text}")


def test_what_terminals_may_take_for_wider_is_folded_sooner():
    """A thumb with a skin tone has two columns or four; no terminal has to break the line."""
    rows = [line.partition("│ ")[2] for line in drawn(face(text="👍🏽" * 30, picture=None), 40) if "│" in line]
    assert 30 == "".join(rows).count("👍")
    assert 25 >= max(map(most_cells, rows))


def test_lines_of_a_message_stay_lines():
    """Both kinds of line ends, and an empty line between two paragraphs."""
    boxed = [
        line.partition("│")[2].rstrip("│").strip() for line in drawn(face(text="one\r\ntwo\n\nthree")) if "│" in line
    ]
    assert boxed == ["one", "two", "", "three"]


@pytest.mark.parametrize("field", ["name", "text", "handle"])
def test_foreign_strings_are_neither_markup_nor_escapes(field):
    """Square brackets are letters, and what would steer the terminal is spelled out."""
    hostile = face(**{"name": "A", field: "[/foo] [link=x]\x1b[2J\u202egpj"})
    for output in ("\n".join(drawn(hostile)), plain_bubble(hostile)):
        assert r"[/foo] [link=x]\x1b[2J<U+202E>gpj" in output
        assert "\x1b[2J" not in output


def test_a_bot_is_told_by_its_name_alone():
    """Customers aren't shown the roster's `kind`, so neither is it drawn."""
    assert drawn(face(kind="bot")) == drawn(face(kind="human"))


def test_plain_lines_for_pipes():
    """The message first, the name beneath; no box, no colour, no tab."""
    expected = "| one\n|\n| two\\tthree\n  Alice F., Care Specialist  @acmecare"
    assert plain_bubble(face(text="one\n\ntwo\tthree")) == expected


# A message before it goes out: the bubble, and all that hangs on it

CARD = AgentCard("alice", "Alice F.", "human", "acmecare", None, None, "Did it arrive?")
PARTS = {
    "attachment": Attachment(bytes(1_240_000), "image/jpeg", "dm_image", "parcel.jpg"),
    "quick_replies": ("Yes, thanks", "Not yet"),
    "links": (Link("Track it", "https://example.com/t?id=1"),),
}
BELOW = [
    "with parcel.jpg (JPEG, 1.2 MB)",
    "[ Track it ] https://example.com/t?id=1",
    "to tap:",
    "(Yes, thanks)  (Not yet)",
]


def drawn_draft(card=CARD, recipient="@ada", width=80, **parts) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, color_system=None, force_terminal=True, markup=False, emoji=False)
    console.print(draft_bubble(Draft(card, recipient, **parts), width))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_draft_shows_all_that_goes_out():
    """Recipient, bubble, picture, buttons with where they lead, and what can be tapped."""
    lines = drawn_draft(**PARTS)

    assert "to @ada" == lines[0]
    assert any("Did it arrive?" in line for line in lines)
    assert any("Alice F.  @acmecare" in line for line in lines)
    assert BELOW == lines[-4:]


def test_a_bare_draft_shows_nothing_else():
    """Recipient and bubble."""
    assert "Alice F.  @acmecare" in drawn_draft()[-1]


def test_the_same_in_plain_lines():
    """For a terminal that understands only lines."""
    expected = ["to @ada", "| Did it arrive?", "  Alice F.  @acmecare", *BELOW]

    assert expected == plain_draft(Draft(CARD, "@ada", **PARTS)).splitlines()
    assert expected[:3] == plain_draft(Draft(CARD, "@ada")).splitlines()


def test_a_picture_without_a_text_is_the_bubble():
    """Nothing empty is drawn, and the picture is told once."""
    card, picture = replace(CARD, text=""), {"attachment": PARTS["attachment"]}

    lines = ["to @ada", "| parcel.jpg (JPEG, 1.2 MB)", "  Alice F.  @acmecare"]
    assert lines == plain_draft(Draft(card, "@ada", **picture)).splitlines()
    assert 1 == sum("parcel.jpg (JPEG, 1.2 MB)" in line for line in drawn_draft(card, **picture))


def test_words_before_stand_above():
    """What the customer wrote, and who has answered, each in a line of its own, whatever they hold."""
    before = (("@ada", ", 15:50: ", "Where?\x1b"), ("Alice F.", " answered at 15:53"))
    expected = ["@ada, 15:50: Where?\\x1b", "Alice F. answered at 15:53", "to @ada"]

    assert [expected, expected] == [
        drawn_draft(before=before)[:3],
        plain_draft(Draft(CARD, "@ada", before=before)).splitlines()[:3],
    ]


def test_a_name_from_right_to_left_moves_nothing_of_the_line_above():
    """It is isolated, as in every other place; what it holds of isolates itself is spelled out."""
    before = (("ليلى\u2068", " answered at 15:53"), ("@ada", ", 15:50: ", "איפה?"))
    expected = ["\u2068ليلى<U+2068>\u2069 answered at 15:53", "@ada, 15:50: \u2068איפה?\u2069", "to @ada"]

    assert [expected, expected] == [
        drawn_draft(before=before)[:3],
        plain_draft(Draft(CARD, "@ada", before=before)).splitlines()[:3],
    ]


@pytest.mark.parametrize("width", [80, 40, 24])
def test_no_line_is_wider_than_the_terminal(width):
    """Long labels and addresses are folded, never cut."""
    links = (Link("x" * 36, "https://example.com/" + "z" * 100),)
    lines = drawn_draft(
        width=width, links=links, quick_replies=tuple(f"answer number {number}" for number in range(20))
    )

    assert all(len(line) <= width for line in lines)
    assert 100 == sum(line.count("z") for line in lines)
    assert all(f"(answer number {number})" in "\n".join(lines) for number in range(20))


def test_hostile_strings_are_shown_and_not_obeyed():
    """Escapes, bidirectional overrides and markup are only text, wherever they stand."""
    parts = {
        "attachment": Attachment(bytes(900), "image/gif", "dm_gif", "a\x1b[2J.gif"),
        "quick_replies": ("[red]Yes",),
        "links": (Link("\u202eevil", "https://example.com"),),
    }
    for text in ("\n".join(drawn_draft(recipient="@\x1bada", **parts)), plain_draft(Draft(CARD, "@\x1bada", **parts))):
        assert "\x1b" not in text
        assert r"to @\x1bada" in text
        assert r"with a\x1b[2J.gif (animated GIF, 1 kB)" in text
        assert "[ <U+202E>evil ] https://example.com" in text
        assert "([red]Yes)" in text
