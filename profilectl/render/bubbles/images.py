"""Pictures on terminals that can show them: what to write, and to which terminal.

Two protocols are known: kitty's graphics protocol, and the inline images of iTerm2, which WezTerm shows as well. To
ask the terminal itself would mean to read its answer from the keyboard, so the environment decides.
"""

from __future__ import annotations

import enum
import io
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Final

_CHUNK: Final = 4096  # characters of base64 that kitty takes in one sequence
_EDGE: Final = 256  # pixels: sharp in the few cells that a portrait gets, and small on the wire
_SAVE, _RESTORE = "\x1b7", "\x1b8"  # of the cursor: DECSC and DECRC


class ImageProtocol(enum.Enum):
    """How a terminal wants its pictures."""

    KITTY = enum.auto()
    ITERM = enum.auto()


def protocol(environ: Mapping[str, str]) -> ImageProtocol | None:
    """Return the protocol that the terminal around us understands, None when that is unknown."""
    term = environ.get("TERM", "")
    # tmux and screen neither show such sequences nor hand them on unasked, whatever the terminal around them knows.
    if "TMUX" in environ or "STY" in environ or term.startswith(("screen", "tmux")) or term == "dumb":
        return None
    if "KITTY_WINDOW_ID" in environ or term == "xterm-kitty":
        return ImageProtocol.KITTY
    return ImageProtocol.ITERM if environ.get("TERM_PROGRAM") in {"iTerm.app", "WezTerm"} else None


def place(picture: bytes, terminal: ImageProtocol, columns: int, rows: int) -> str:
    """Return what draws a picture as a disc over the last `rows` lines, from the first column, and comes back.

    `columns` and `rows` are the cells that it covers; the cursor stands on the line below them.
    """
    # Decoded and encoded anew: the sequence holds base64 of our own PNG, so nothing in the file can end it and go on
    # as a sequence of its own.
    content = _disc(picture)
    text = b64encode(content).decode()
    if terminal is ImageProtocol.KITTY:
        drawn = "".join(_kitty(text, columns, rows))
    else:
        facts = f"inline=1;size={len(content)};width={columns};height={rows};preserveAspectRatio=1"
        drawn = f"\x1b]1337;File={facts}:{text}\x07"
    return f"{_SAVE}\x1b[{rows}A\r{drawn}{_RESTORE}"


def _kitty(text: str, columns: int, rows: int) -> Iterator[str]:
    # Transmit and show (a=T) a PNG (f=100) where the cursor is and stays (C=1). No answer (q=2): it would arrive as
    # if typed at the next question.
    head = f"a=T,f=100,q=2,C=1,c={columns},r={rows},"
    for start in range(0, len(text), _CHUNK):
        more = int(start + _CHUNK < len(text))
        yield f"\x1b_G{head if start == 0 else ''}m={more};{text[start : start + _CHUNK]}\x1b\\"


def _disc(picture: bytes) -> bytes:
    """Return a PNG of the picture, transparent outside of the circle that touches its edges."""
    from PIL import Image, ImageChops, ImageDraw

    with Image.open(io.BytesIO(picture), formats=("JPEG", "PNG")) as image:
        square = image.convert("RGBA").resize((_EDGE, _EDGE), Image.Resampling.LANCZOS)
    wide = Image.new("L", (4 * _EDGE, 4 * _EDGE), 0)  # drawn large and made small: ImageDraw's own edge is jagged
    ImageDraw.Draw(wide).ellipse((0, 0, 4 * _EDGE - 1, 4 * _EDGE - 1), fill=255)
    circle = wide.resize((_EDGE, _EDGE), Image.Resampling.LANCZOS)
    square.putalpha(ImageChops.multiply(square.getchannel("A"), circle))
    target = io.BytesIO()
    # A new image has no `info`, from which the encoder would write the file's own comments and profile.
    Image.frombytes("RGBA", square.size, square.tobytes()).save(target, "PNG", optimize=True)
    return target.getvalue()
