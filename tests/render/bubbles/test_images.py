"""Exact sequences, for exactly the terminals that understand them."""

from __future__ import annotations

import io
import re
from base64 import b64decode

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from rich.console import Console

from profilectl.render.bubbles.bubble import bubble
from profilectl.render.bubbles.images import ImageProtocol, place, protocol
from tests.render.bubbles.test_bubble import drawn, face, picture


@pytest.mark.parametrize(
    ("spoken", "environ"),
    [
        (ImageProtocol.KITTY, {"TERM": "xterm-kitty"}),
        (ImageProtocol.KITTY, {"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}),
        (ImageProtocol.ITERM, {"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}),
        (ImageProtocol.ITERM, {"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}),
        (None, {"TERM": "xterm-256color"}),
        (None, {"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}),
        (None, {"TERM": "dumb", "KITTY_WINDOW_ID": "1"}),
        (None, {"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1"}),
        (None, {"TERM": "xterm-kitty", "TMUX": "/tmp/tmux-0/default,1,0"}),
        (None, {"TERM": "screen.xterm-256color", "TERM_PROGRAM": "iTerm.app"}),
        (None, {"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app", "STY": "12.pts-0.host"}),
        (None, {}),
    ],
)
def test_the_environment_tells_what_is_understood(spoken, environ):
    """Kitty, iTerm2 and WezTerm by what they set, and nobody inside of tmux or screen."""
    assert spoken is protocol(environ)


def test_kitty_gets_its_picture_in_pieces():
    """Eight lines up, a PNG over sixteen by eight cells in pieces of 4096, no answer wanted, and back."""
    noise = Image.effect_noise((300, 300), 90).convert("RGB")
    target = io.BytesIO()
    noise.save(target, "PNG")
    text = place(target.getvalue(), ImageProtocol.KITTY, 16, 8)
    assert text.startswith("\x1b7\x1b[8A\r\x1b_Ga=T,f=100,q=2,C=1,c=16,r=8,m=1;")
    assert text.endswith("\x1b\\\x1b8")
    pieces = re.findall(r"\x1b_G(?:[^;]*,)?m=([01]);([A-Za-z0-9+/=]*)\x1b\\", text)
    assert [more for more, _ in pieces] == ["1"] * (len(pieces) - 1) + ["0"]
    assert {len(piece) for _, piece in pieces[:-1]} == {4096}
    assert "\x1b7\x1b[8A\r" + "".join(re.findall(r"\x1b_G[^\x1b]*\x1b\\", text)) + "\x1b8" == text
    assert shape(b64decode("".join(piece for _, piece in pieces))) == ("PNG", (256, 256))


def test_iterm_gets_its_picture_in_one():
    """With its size in bytes, and its place in cells."""
    text = place(picture(), ImageProtocol.ITERM, 10, 5)
    match = re.fullmatch(
        "\x1b7\x1b\\[5A\r\x1b]1337;File=inline=1;size=([0-9]+);width=10;height=5;preserveAspectRatio=1:"
        "([A-Za-z0-9+/=]+)\x07\x1b8",
        text,
    )
    content = b64decode(match[2])
    assert int(match[1]) == len(content)
    assert shape(content) == ("PNG", (256, 256))


def test_the_face_is_a_disc():
    """What lies outside of the circle shows the terminal, what lies inside is the picture."""
    content = b64decode(re.search(":([^\x07]+)\x07", place(picture((255, 0, 0)), ImageProtocol.ITERM, 10, 5))[1])
    with Image.open(io.BytesIO(content)) as image:
        assert image.getpixel((0, 0))[3] == 0
        assert image.getpixel((128, 128)) == (255, 0, 0, 255)


@pytest.mark.parametrize("spoken", ImageProtocol)
def test_nothing_of_the_file_gets_through(spoken):
    """Neither what is written into a picture nor what hangs on its end."""
    words = PngInfo()
    words.add_text("Comment", "\x1b]0;taken\x07")
    target = io.BytesIO()
    Image.new("RGB", (30, 30), "teal").save(target, "PNG", pnginfo=words)
    hostile = target.getvalue() + b"\x1b]0;taken\x07"
    assert place(hostile, spoken, 16, 8) == place(plain("teal"), spoken, 16, 8)


@pytest.mark.parametrize("spoken", ImageProtocol)
def test_the_bubble_keeps_its_lines(spoken):
    """Blanks where the half blocks were, the same words beside them, and the picture at the very end."""
    text = shown(spoken)
    sequence = place(picture(), spoken, 16, 8)
    assert text.endswith("\n" + sequence)
    assert re.sub("[▀▄]", " ", shown(None)).split() == text.removesuffix(sequence).split()
    assert text.removesuffix(sequence).count("\n") == 8


def test_without_a_picture_or_room_there_is_no_sequence():
    """The grey disc is drawn in half blocks everywhere; a narrow terminal gets words."""
    assert drawn(face(picture=None)) == drawn(face(picture=None), graphics=ImageProtocol.KITTY)
    assert drawn(face(), 20) == drawn(face(), 20, graphics=ImageProtocol.KITTY)


def test_a_hostile_name_gets_no_sequence_through():
    """Only the picture's own."""
    text = "\n".join(drawn(face(name="\x1b_Ga=T;AAAA\x1b\\\x1b]1337;File=:AAAA\x07"), graphics=ImageProtocol.ITERM))
    assert text.count("\x1b]1337;") == 1
    assert "\x1b_G" not in text


def shown(spoken):
    file = io.StringIO()
    Console(file=file, width=80, color_system=None, force_terminal=True).print(bubble(face(), 80, spoken))
    return file.getvalue()


def plain(colour):
    target = io.BytesIO()
    Image.new("RGB", (30, 30), colour).save(target, "PNG")
    return target.getvalue()


def shape(content):
    with Image.open(io.BytesIO(content)) as image:
        return image.format, image.size
