"""The whole team as one PNG, to print and to approve: each face and name as customers see them.

Each name comes from a font that is there: Pillow's own, which has English, or one of those that systems bring along. It
has to have every letter of the name, as a box in the place of a letter is no name that somebody could approve. Letters
that join or run from right to left are laid out by Raqm, which Pillow's wheels have and which needs FriBiDi.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from profilectl.errors import InputRefused
from profilectl.render.bubbles.bubble import AgentCard
from profilectl.text.escape import excerpt, visible

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

MARK: Final = b"profilectl sheet"
"""Stands among the first bytes of every sheet, so that a later one may take its place."""

MOST_AGENTS: Final = 400  # on one sheet: 80 MB while it is drawn

_JOINING_SCRIPTS: Final = (
    *("Arabic", "Hebrew", "Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Tamil", "Telugu", "Kannada", "Malayalam"),
    *("Sinhala", "Thai", "Lao", "Khmer", "Myanmar", "Georgian", "Armenian", "Ethiopic"),
)
FONTS: Final = (
    *("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "Arial Unicode.ttf", "NotoSansCJK-Regular.ttc"),
    *("Nirmala.ttf", "FreeSans.ttf", *(f"NotoSans{script}-Regular.ttf" for script in _JOINING_SCRIPTS)),
)
"""What Linux, macOS and Windows bring along; Pillow finds each where that system keeps its fonts."""

_WIDTH: Final = 1240  # pixels: A4 at 150 dots an inch
_MARGIN, _COLUMNS, _HEAD, _FOOT = 60, 5, 180, 130
_CELL: Final = (_WIDTH - 2 * _MARGIN) // _COLUMNS
_FACE: Final = 176
_LARGE, _USUAL, _SMALL = 34, 22, 17  # pixels of letters
_INK, _QUIET, _PAPER = "#0f1419", "#536471", "white"
_NO_CHARACTER: Final = "\U0010fffe"  # every font shows it as what it lacks
_SPANNING: Final = frozenset({"R", "AL", "AN"})  # directions of letters that a simple layout would put the wrong way


class Sheet(Struct, frozen=True):
    """What a sheet says of itself."""

    handles: str  # of the brands, without the first @
    day: date
    file: str  # the roster
    digest: str  # of the roster's text


def sheet_picture(sheet: Sheet, cards: Sequence[AgentCard]) -> bytes:
    """Return a PNG with the picture and name of every agent.

    Raises:
        InputRefused: there are too many for one, or no font here has all letters of one of their names, or they join
            and this Pillow can't lay them out.
    """
    from PIL import Image, ImageDraw
    from PIL.PngImagePlugin import PngInfo

    if len(cards) > MOST_AGENTS:
        hint = "--brand or -l selects some; --sheet FILE.html has room for thousands"
        raise InputRefused(f"a PNG has room for {MOST_AGENTS} agents, and there are {len(cards):,}", hint=hint)
    names = _fonts_of_names(cards)
    fonts = _Fonts(next(_fonts()))
    cells = [_Cell(card, font, fonts) for card, font in zip(cards, names, strict=True)]
    rows = [cells[at : at + _COLUMNS] for at in range(0, len(cells), _COLUMNS)]
    heights = [max(cell.height for cell in row) for row in rows]
    image = Image.new("RGB", (_WIDTH, _HEAD + sum(heights) + _FOOT), _PAPER)
    draw = ImageDraw.Draw(image)
    _draw_head(draw, fonts, sheet, len(cards))
    for row, top in zip(rows, accumulate(heights, initial=_HEAD), strict=False):
        for column, cell in enumerate(row):
            cell.draw(image, draw, (_MARGIN + column * _CELL + _CELL // 2, top))
    _draw_foot(draw, fonts, image.height)
    facts, buffer = PngInfo(), io.BytesIO()
    facts.add_text("Software", MARK.decode())
    image.save(buffer, "PNG", pnginfo=facts, dpi=(150, 150))
    return buffer.getvalue()


class _Fonts:
    def __init__(self, font: FreeTypeFont) -> None:
        self.large, self.usual, self.small = (font.font_variant(size=size) for size in (_LARGE, _USUAL, _SMALL))


class _Cell:
    """A face as a disc, and below it the name, and for whoever approves it the brand, the key and the kind."""

    def __init__(self, card: AgentCard, font: FreeTypeFont, fonts: _Fonts) -> None:
        self._picture, self._font, self._fonts = card.picture or b"", font, fonts
        self._name = [*_wrapped(_shown(card.name).split(" "), font)]
        facts = (f"@{_shown(card.handle)}", f"{_shown(card.agent)} ({card.kind})")
        self._facts = [line for fact in facts for line in _wrapped([fact], fonts.small)]

    @property
    def height(self) -> int:
        """Pixels, with what is left free below."""
        return _FACE + 56 + len(self._name) * (_USUAL + 6) + len(self._facts) * (_SMALL + 5)

    def draw(self, image: Image, draw: ImageDraw, place: tuple[int, int]) -> None:
        """Draw it below a place, which is the middle of its upper edge."""
        middle, top = place
        image.paste(_face(self._picture), (middle - _FACE // 2, top), _disc())
        below = top + _FACE + 12
        for line in self._name:
            draw.text((middle, below), line, fill=_INK, font=self._font, anchor="ma")
            below += _USUAL + 6
        for line in self._facts:
            draw.text((middle, below + 4), line, fill=_QUIET, font=self._fonts.small, anchor="ma")
            below += _SMALL + 5


def _face(picture: bytes) -> Image:
    from PIL import Image

    with Image.open(io.BytesIO(picture), formats=("JPEG", "PNG")) as image:
        return image.convert("RGB").resize((_FACE, _FACE), Image.Resampling.LANCZOS)


@cache
def _disc() -> Image:
    from PIL import Image, ImageDraw

    disc = Image.new("L", (4 * _FACE, 4 * _FACE))  # scaled down, which smooths its edge
    ImageDraw.Draw(disc).ellipse((0, 0, 4 * _FACE - 1, 4 * _FACE - 1), fill=255)
    return disc.resize((_FACE, _FACE), Image.Resampling.LANCZOS)


def _fonts_of_names(cards: Sequence[AgentCard]) -> list[FreeTypeFont]:
    """Return a font for each agent's name that has all of its letters, Pillow's own where that has them."""
    texts = [_shown(card.name) for card in cards]
    if not _has_layout():
        _refuse(
            [card for card, text in zip(cards, texts, strict=True) if any(map(_needs_shaping, text))],
            "Pillow on this machine can't lay out the letters of some names: they join, or run from right to left",
            "install FriBiDi (Debian: libfribidi0; macOS: brew install fribidi), or use --sheet FILE.html",
        )
    shelf = _Shelf()
    fonts = [shelf.font_for(text) for text in texts]
    _refuse(
        [card for card, font in zip(cards, fonts, strict=True) if font is None],
        "no font on this machine has all letters of some names",
        "install one (Debian: fonts-noto-core, fonts-freefont-ttf), or use --sheet FILE.html: a browser has them",
    )
    return [font for font in fonts if font is not None]


def _refuse(cards: Sequence[AgentCard], reason: str, hint: str) -> None:
    doubtful = [*dict.fromkeys(visible(card.agent) for card in cards)]
    more = f" and {len(doubtful) - 5} more" if len(doubtful) > 5 else ""
    if doubtful:
        raise InputRefused(f"{reason} ({', '.join(doubtful[:5])}{more})", hint=hint)


def _has_layout() -> bool:
    """Say whether Pillow can lay out letters that join; its wheels load FriBiDi from the system for it."""
    from PIL import features

    return bool(features.check("raqm") and features.check("fribidi"))


class _Shelf:
    """The fonts that are here, each opened when a name needs it."""

    def __init__(self) -> None:
        self._unopened = _fonts()
        self._opened: list[FreeTypeFont] = []

    def font_for(self, text: str) -> FreeTypeFont | None:
        """Return the first font that has all letters of a text, laid out as it needs; None where there is none."""
        letters = {letter for letter in text if not letter.isspace() and unicodedata.category(letter) != "Cf"}
        font = next((font for font in self._all() if not _lacking(font, letters)), None)
        if font is None or not any(map(_needs_shaping, text)):
            return font
        from PIL import ImageFont

        return font.font_variant(layout_engine=ImageFont.Layout.RAQM)

    def _all(self) -> Iterator[FreeTypeFont]:
        yield from self._opened
        for font in self._unopened:
            self._opened.append(font)
            yield font


def _fonts() -> Iterator[FreeTypeFont]:
    from PIL import ImageFont

    basic = ImageFont.Layout.BASIC  # which draws each letter alone, so that one that is missing shows
    own = ImageFont.load_default(_USUAL)
    if isinstance(own, ImageFont.FreeTypeFont):  # else Pillow was built without FreeType
        yield own.font_variant(layout_engine=basic)
    for name in FONTS:
        try:
            yield ImageFont.truetype(name, _USUAL, layout_engine=basic)
        except OSError:  # this system doesn't bring it along
            continue


def _lacking(font: FreeTypeFont, letters: Iterable[str]) -> set[str]:
    """Return the letters that a font hasn't, by how it draws what no font has."""
    absent = font.getmask(_NO_CHARACTER)
    box = absent.size, bytes(absent)
    masks = {letter: font.getmask(letter) for letter in letters}
    return {letter for letter, mask in masks.items() if (mask.size, bytes(mask)) == box}


def _needs_shaping(letter: str) -> bool:
    """Say whether a letter joins with others or runs from right to left, which takes more than a font."""
    return unicodedata.bidirectional(letter) in _SPANNING or _is_mark(letter)


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter).startswith("M")


def _shown(text: str) -> str:
    return unicodedata.normalize("NFC", visible(text))


def _draw_head(draw: ImageDraw, fonts: _Fonts, sheet: Sheet, number: int) -> None:
    agents = "1 agent" if number == 1 else f"{number} agents"
    file = excerpt(_shown(sheet.file), 60)
    lacking = _lacking(fonts.small, {letter for letter in file if not letter.isspace()})
    source = "".join("?" if letter in lacking else letter for letter in file)  # its digest says which file it was
    lines = (
        (f"The team of @{excerpt(_shown(sheet.handles), 50)}", fonts.large, _INK, 40),
        (f"{agents} as customers see them on {sheet.day.isoformat()}: round picture and name.", fonts.usual, _INK, 90),
        (f"Made from {source}, {sheet.digest}", fonts.small, _QUIET, 124),
    )
    for text, font, colour, top in lines:
        draw.text((_MARGIN, top), text, fill=colour, font=font)


def _draw_foot(draw: ImageDraw, fonts: _Fonts, height: int) -> None:
    top = height - 70
    for label, left in (("Approved by", _MARGIN), ("Date", _WIDTH // 2 + _MARGIN)):
        draw.line((left, top, left + _WIDTH // 2 - 2 * _MARGIN, top), fill=_INK)
        draw.text((left, top + 8), label, fill=_QUIET, font=fonts.small)


def _wrapped(words: Iterable[str], font: FreeTypeFont) -> Iterator[str]:
    """Yield lines of whole words that fit below a face; a word that is wider than a line is cut where it has to be."""
    line, width = "", _CELL - 16
    for word in words:
        joined = f"{line} {word}" if line else word
        if font.getlength(joined) <= width:
            line = joined
            continue
        if line:
            yield line
        line = word
        while font.getlength(line) > width:
            ends = (end for end in range(len(line) - 1, 1, -1) if not _is_mark(line[end]))  # a mark stays at its letter
            end = next((end for end in ends if font.getlength(line[:end]) <= width), 1)
            yield line[:end]
            line = line[end:]
    yield line
