"""The team as a PNG: what is on it, which names it can show, and how large it grows."""

from __future__ import annotations

import io
from datetime import date

import pytest
from PIL import Image, ImageFont

from profilectl.errors import InputRefused
from profilectl.pictures.placeholders import initials_portrait
from profilectl.render.bubbles import sheet
from profilectl.render.bubbles.bubble import AgentCard
from profilectl.render.bubbles.sheet import MARK, MOST_AGENTS, Sheet, sheet_picture

SHEET = Sheet("acmecare", date(2026, 11, 30), "roster.toml", "sha256:00")


def card(key, name, colour="red"):
    buffer = io.BytesIO()
    Image.new("RGB", (192, 192), colour).save(buffer, "PNG")
    return AgentCard(key, name, "human", "acmecare", buffer.getvalue(), "image/png", "")


def drawn(*cards):
    return Image.open(io.BytesIO(sheet_picture(SHEET, cards)))


def test_each_face_is_a_disc_on_paper():
    """In rows of five, each in its own place, with white around."""
    colours = ["red", "lime", "blue", "black", "yellow", "magenta"]
    image = drawn(*(card(f"a{at}", "Alice F.", colour) for at, colour in enumerate(colours)))
    middles = [(60 + column * 224 + 112, 180 + 88) for column in range(5)]

    assert [Image.new("RGB", (1, 1), colour).getpixel((0, 0)) for colour in colours[:5]] == [
        image.getpixel(middle) for middle in middles
    ]
    assert (255, 255, 255) == image.getpixel((60 + 112 - 86, 180 + 2))
    assert (255, 0, 255) == image.getpixel((60 + 112, image.height - 130 - 200))


def test_another_name_is_another_picture():
    """And the same team gives the same bytes, which begin with a mark of their own."""
    content = sheet_picture(SHEET, [card("a", "Alice F.")])

    assert content == sheet_picture(SHEET, [card("a", "Alice F.")])
    assert content != sheet_picture(SHEET, [card("a", "Alice G.")])
    assert MARK in content[:200]


def test_a_long_name_is_whole():
    """A name of 48 wide letters takes the lines that it needs, and its row grows."""
    fonts = sheet._Fonts(ImageFont.load_default(22))
    lines = [*sheet._wrapped(["W" * 48], fonts.usual)]

    assert ("W" * 48, True) == ("".join(lines), len(lines) > 3)
    assert drawn(card("a", "W" * 48)).height - drawn(card("a", "W")).height == (len(lines) - 1) * 28
    assert ["Alice Fast, Customer", "Care Specialist"] == [
        *sheet._wrapped(["Alice", "Fast,", "Customer", "Care", "Specialist"], fonts.usual)
    ]


JOINING = ["सुनीता", "محمد", "דנה", "A\u0301\u0323\u0316"]


@pytest.mark.parametrize("name", JOINING)
def test_letters_that_join_are_laid_out(name):
    """By Raqm, in a font that has its script, beside names in English."""
    font = sheet._Shelf().font_for(name)
    if font is None:
        pytest.skip("this machine has no font for it")

    assert ImageFont.Layout.RAQM == font.layout_engine
    assert drawn(card("a", "Alice"), card("b", name)).width == 1240


def test_the_letters_of_an_arabic_name_are_joined():
    """Its letters take less room than when each is drawn alone."""
    font = sheet._Shelf().font_for("محمد")
    if font is None:
        pytest.skip("this machine has no font for it")
    alone = font.font_variant(layout_engine=ImageFont.Layout.BASIC)

    assert font.getlength("محمد") < alone.getlength("محمد")
    assert bytes(font.getmask("محمد")) != bytes(alone.getmask("محمد"))


@pytest.mark.parametrize("name", JOINING)
def test_letters_that_join_are_for_a_browser_where_nothing_lays_them_out(name, monkeypatch):
    """Whose names they are is said, what to install, and what shows them."""
    monkeypatch.setattr("PIL.features.check", lambda feature: feature != "fribidi")
    with pytest.raises(InputRefused, match=r"can't lay out the letters of some names.* \(b\)") as refused:
        sheet_picture(SHEET, [card("a", "Alice"), card("b", name)])
    assert ("libfribidi0" in refused.value.hint, "--sheet FILE.html" in refused.value.hint) == (True, True)


def test_a_long_word_is_cut_between_letters_not_before_their_marks():
    """A vowel sign alone at the head of a line would be shown on an empty circle."""
    font = sheet._Shelf().font_for("सुनीता")
    if font is None:
        pytest.skip("this machine has no font for it")
    lines = [*sheet._wrapped(["सु" * 40], font.font_variant(size=22))]

    assert (True, {"स"}) == (len(lines) > 1, {line[0] for line in lines})


def test_what_stands_below_a_name_is_in_letters_that_are_there():
    """A font of Hindi letters alone would make boxes of the handle: it looks as below a name in English."""
    if sheet._Shelf().font_for("सुनीता") is None:
        pytest.skip("this machine has no font for it")
    hindi, english = drawn(card("a", "सुनीता")), drawn(card("a", "Sunita"))
    below = (60, 180 + 176 + 12 + 22 + 12, 60 + 224, 180 + 176 + 12 + 22 + 6 + 60)

    assert english.crop(below).tobytes() == hindi.crop(below).tobytes()


def test_each_name_has_its_own_font():
    """A team of people from everywhere is on one sheet, though no font has all of their letters."""
    names = ["Alice F.", "סרה", "सुनीता", "李小龍"]
    if None in map(sheet._Shelf().font_for, names):
        pytest.skip("this machine has no font for one of them")
    assert sheet_picture(SHEET, [card(str(at), name) for at, name in enumerate(names)])


def test_without_a_font_of_the_system_only_english_is_drawn(monkeypatch):
    """A box in the place of a letter is no name."""
    monkeypatch.setattr(sheet, "FONTS", ())

    assert b"PNG" == sheet_picture(SHEET, [card("a", "Alice F. (bot)")])[1:4]
    with pytest.raises(InputRefused, match=r"\(b\)"):
        sheet_picture(SHEET, [card("a", "Alice"), card("b", "Chloé")])


def test_a_font_of_the_system_has_accents():
    """Where there is one."""
    if len([*sheet._fonts()]) == 1:
        pytest.skip("this machine has none of the fonts")
    assert drawn(card("a", "Chloé Ünal Dvořák"))


def test_a_sheet_has_an_end():
    """Thousands are for HTML."""
    with pytest.raises(InputRefused, match="a PNG has room for 400 agents, and there are 401"):
        sheet_picture(SHEET, [card("a", "A")] * (MOST_AGENTS + 1))


def test_a_real_portrait():
    """As initials are drawn, of another size."""
    face = AgentCard("a", "Alice F.", "bot", "acmecare", initials_portrait("Alice F."), "image/png", "")

    assert 1240 == drawn(face).width
