"""The whole team as one PNG, to print and to approve: each face and name as customers see them.

Letters come from a font that is there: Pillow's own, which has English, or one of those that systems bring along. It
has to have every letter of every name, as a box in the place of a letter is no name that somebody could approve.
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

FONTS: Final = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "Arial Unicode.ttf", "NotoSansCJK-Regular.ttc")
"""What Linux, macOS and Windows bring along, the widest last; Pillow finds each where that system keeps its fonts."""

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
        InputRefused: there are too many for one, or no font here has all letters of their names.
    """
    from PIL import Image, ImageDraw
    from PIL.PngImagePlugin import PngInfo

    if len(cards) > MOST_AGENTS:
        hint = "--brand or -l selects some; --sheet FILE.html has room for thousands"
        raise InputRefused(f"a PNG has room for {MOST_AGENTS} agents, and there are {len(cards):,}", hint=hint)
    fonts = _Fonts(_font_for(cards))
    rows = [[_Cell(card, fonts) for card in cards[at : at + _COLUMNS]] for at in range(0, len(cards), _COLUMNS)]
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

    def __init__(self, card: AgentCard, fonts: _Fonts) -> None:
        self._picture, self._fonts = card.picture or b"", fonts
        self._name = [*_wrapped(_shown(card.name).split(" "), fonts.usual)]
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
            draw.text((middle, below), line, fill=_INK, font=self._fonts.usual, anchor="ma")
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


def _font_for(cards: Sequence[AgentCard]) -> FreeTypeFont:
    """Return a font with all letters of the agents' names, Pillow's own where that has them."""
    names = {card.agent: {letter for letter in _shown(card.name) if not letter.isspace()} for card in cards}
    letters = set().union(*names.values())
    missing = joining = {letter for letter in letters if _needs_shaping(letter)}
    if not joining:
        missing = letters
        for font in _fonts():
            lacking = _lacking(font, letters)
            if not lacking:
                return font
            missing = missing & lacking
    doubtful = [visible(key) for key, own in names.items() if own & missing]
    more = f" and {len(doubtful) - 5} more" if len(doubtful) > 5 else ""
    whom = f" ({', '.join(doubtful[:5])}{more})" if doubtful else ""
    raise InputRefused(
        f"no font on this machine draws all names of this sheet{whom}",
        hint="--sheet FILE.html is the one for these names: a browser has the letters",
    )


def _fonts() -> Iterator[FreeTypeFont]:
    from PIL import ImageFont

    own = ImageFont.load_default(_USUAL)
    if isinstance(own, ImageFont.FreeTypeFont):  # else Pillow was built without FreeType
        yield own
    for name in FONTS:
        try:
            yield ImageFont.truetype(name, _USUAL, layout_engine=ImageFont.Layout.BASIC)
        except OSError:  # this system doesn't bring it along
            continue


def _lacking(font: FreeTypeFont, letters: Iterable[str]) -> set[str]:
    """Return the letters that a font hasn't, by how it draws what no font has."""
    absent = font.getmask(_NO_CHARACTER)
    box = absent.size, bytes(absent)
    masks = {letter: font.getmask(letter) for letter in letters}
    return {letter for letter, mask in masks.items() if (mask.size, bytes(mask)) == box}


def _needs_shaping(letter: str) -> bool:
    """Say whether a letter joins with others or runs from right to left, which takes more than one font."""
    return unicodedata.bidirectional(letter) in _SPANNING or unicodedata.category(letter).startswith("M")


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
            end = next(end for end in range(len(line) - 1, 0, -1) if end == 1 or font.getlength(line[:end]) <= width)
            yield line[:end]
            line = line[end:]
    yield line
