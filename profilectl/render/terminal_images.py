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


class Protocol(enum.Enum):
    """How a terminal wants its pictures."""

    KITTY = enum.auto()
    ITERM = enum.auto()


def protocol(environ: Mapping[str, str]) -> Protocol | None:
    """Return what the terminal around us understands, None when that is unknown.

    Inside of tmux and screen nothing is sent: they neither show such sequences nor hand them on unasked.
    """
    term = environ.get("TERM", "")
    if "TMUX" in environ or "STY" in environ or term.startswith(("screen", "tmux")) or term == "dumb":
        return None
    if "KITTY_WINDOW_ID" in environ or term == "xterm-kitty":
        return Protocol.KITTY
    return Protocol.ITERM if environ.get("TERM_PROGRAM") in {"iTerm.app", "WezTerm"} else None


def place(picture: bytes, terminal: Protocol, columns: int, rows: int) -> str:
    """Return what draws a picture as a disc over the last `rows` lines, from the first column, and comes back.

    The picture is decoded and encoded anew: the sequence holds our own words, numbers and base64 of our own PNG, and
    nothing that came with the file.

    Args:
        picture: in any form that Pillow reads.
        terminal: the protocol that it understands.
        columns: cells that the picture covers.
        rows: the same, downwards; the cursor stands on the line below them.
    """
    content = _disc(picture)
    drawn = _kitty(content, columns, rows) if terminal is Protocol.KITTY else _iterm(content, columns, rows)
    return f"{_SAVE}\x1b[{rows}A\r{drawn}{_RESTORE}"


def _kitty(content: bytes, columns: int, rows: int) -> str:
    """Transmit and show (a=T) a PNG (f=100) where the cursor is and stays (C=1), without an answer (q=2)."""
    return "".join(_kitty_pieces(b64encode(content).decode(), f"a=T,f=100,q=2,C=1,c={columns},r={rows},"))


def _kitty_pieces(text: str, head: str) -> Iterator[str]:
    for start in range(0, len(text), _CHUNK):
        more = int(start + _CHUNK < len(text))
        yield f"\x1b_G{head if start == 0 else ''}m={more};{text[start : start + _CHUNK]}\x1b\\"


def _iterm(content: bytes, columns: int, rows: int) -> str:
    facts = f"inline=1;size={len(content)};width={columns};height={rows};preserveAspectRatio=1"
    return f"\x1b]1337;File={facts}:{b64encode(content).decode()}\x07"


def _disc(picture: bytes) -> bytes:
    """Return a PNG of the picture, transparent outside of the circle that touches its edges."""
    from PIL import Image, ImageChops, ImageDraw

    with Image.open(io.BytesIO(picture)) as image:
        square = image.convert("RGBA").resize((_EDGE, _EDGE), Image.Resampling.LANCZOS)
    wide = Image.new("L", (4 * _EDGE, 4 * _EDGE), 0)  # drawn large and made small, for a smooth edge
    ImageDraw.Draw(wide).ellipse((0, 0, 4 * _EDGE - 1, 4 * _EDGE - 1), fill=255)
    circle = wide.resize((_EDGE, _EDGE), Image.Resampling.LANCZOS)
    square.putalpha(ImageChops.multiply(square.getchannel("A"), circle))
    target = io.BytesIO()
    Image.frombytes("RGBA", square.size, square.tobytes()).save(target, "PNG", optimize=True)
    return target.getvalue()
