"""Draws a terminal's screens into one picture: a browser shapes the letters of every script, each run on its cells."""

from __future__ import annotations

import html
import io
import re
from dataclasses import dataclass, replace

import PIL.Image
import PIL.PngImagePlugin
from rich.cells import cell_len

from tests.screens.terminal import Screen

DIGEST = "profilectl-screens"
"""The keyword of a picture's text that says which screens it shows (PNG, third edition, section 11.3.3)."""

_COLOURS = 128  # a palette keeps the files small
_SGR = re.compile(r"\x1b\[([0-9;]*)m|\x1b\].*?(?:\x07|\x1b\\)")
# Runs of plain letters keep to the cells by themselves. Others are fitted to theirs: what is isolated, and words in one
# script with all that stands between them, which the browser puts in the order of the bidirectional algorithm.
_PLAIN = "[\u0020-\u02ff\u2013-\u2026\u2190-\u259f\u2713-\u2717]"
_RUN = re.compile(
    f"\u2068[^\u2069]*\u2069?|[\u0590-\u08ff](?:[^\u2068]*[\u0590-\u08ff])?|{_PLAIN}+|(?:(?!{_PLAIN}|[\u2068\u0590-\u08ff]).)+"
)
_HALF_BLOCKS = re.compile("[▀▄]")
_CUBE = (0, 95, 135, 175, 215, 255)  # of each part in xterm's cube, numbers 16 to 231


@dataclass(frozen=True)
class Theme:
    """The colours of a terminal: ground, text, and the sixteen that programs ask for by number."""

    name: str
    ground: str
    text: str
    frame: str
    palette: tuple[str, ...]


THEMES = (
    Theme(
        "dark",
        "#11151a",
        "#d8dee4",
        "#2b333c",
        (
            *("#11151a", "#ff7b72", "#4ac26b", "#e3b341", "#6cb6ff", "#d2a8ff", "#56d4dd", "#c9d1d9"),
            *("#8b949e", "#ffa198", "#6fdd8b", "#f2cc60", "#90caff", "#e2c5ff", "#7ee7ef", "#ffffff"),
        ),
    ),
    Theme(
        "light",
        "#ffffff",
        "#1f2328",
        "#d0d7de",
        (
            *("#24292f", "#cf222e", "#116329", "#8a5a00", "#0969da", "#8250df", "#0b7285", "#6e7781"),
            *("#57606a", "#a40e26", "#1a7f37", "#7a4e00", "#218bff", "#a475f9", "#1b7c83", "#8c959f"),
        ),
    ),
)


@dataclass(frozen=True)
class Style:
    """What an escape sequence has switched on."""

    colour: str | None = None
    ground: str | None = None
    is_bold: bool = False
    is_dim: bool = False

    def after(self, codes: str, theme: Theme) -> Style:
        """Return the style after a sequence of SGR codes (ECMA-48 8.3.117)."""
        style, numbers = self, [int(code or 0) for code in codes.split(";")]
        while numbers:
            code = numbers.pop(0)
            if code == 0:
                style = Style()
            elif code in {1, 2}:
                style = replace(style, is_bold=style.is_bold or code == 1, is_dim=style.is_dim or code == 2)
            elif code == 22:
                style = replace(style, is_bold=False, is_dim=False)
            elif code in {38, 48}:
                colour = _extended(numbers, theme)
                style = replace(style, **{"colour" if code == 38 else "ground": colour})
            elif code in {39, 49}:
                style = replace(style, **{"colour" if code == 39 else "ground": None})
            elif 30 <= code <= 37 or 90 <= code <= 97:
                style = replace(style, colour=theme.palette[code - 30 if code < 90 else code - 82])
        return style

    @property
    def css(self) -> str:
        """The same for a browser."""
        parts = [f"color:{self.colour}"] if self.colour else []
        parts += [f"background:{self.ground}"] if self.ground else []
        return ";".join(parts + ["font-weight:700"] * self.is_bold + ["opacity:.62"] * self.is_dim)


def _extended(numbers: list[int], theme: Theme) -> str:
    """Take the numbers of a colour from the front of a list, and return it."""
    if numbers.pop(0) == 2:
        return "#{:02x}{:02x}{:02x}".format(*(numbers.pop(0) for _ in range(3)))
    number = numbers.pop(0)
    if number < 16:
        return theme.palette[number]
    if number > 231:
        return "#{0:02x}{0:02x}{0:02x}".format(8 + 10 * (number - 232))
    return "#{:02x}{:02x}{:02x}".format(*(_CUBE[(number - 16) // step % 6] for step in (36, 6, 1)))


_PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; width: max-content; background: #7d8590; }}
.theme {{ display: flex; flex-direction: column; gap: 14px; padding: 14px; width: max-content; }}
.line {{ display: flex; gap: 14px; align-items: flex-start; }}
.screen {{ border: 1px solid; border-radius: 6px; padding: 8px 10px 10px; }}
.screen > p {{ font: 600 11px/1 "DejaVu Sans", sans-serif; margin: 0 0 8px; opacity: .6; }}
.row {{ font: 13px/18px "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace; height: 18px; white-space: pre; }}
.cells {{ display: inline-block; height: 18px; vertical-align: top; font-family: "DejaVu Sans Mono",
  "Noto Sans Devanagari", "Noto Sans Hebrew", "Noto Sans CJK SC", "Noto Color Emoji", sans-serif; }}
.half {{ display: inline-block; width: 1ch; height: 18px; vertical-align: top; }}
i {{ font-style: normal; display: inline-block; transform-origin: 0 50%; }}
</style><body>{body}<script>
document.querySelectorAll(".cells > i").forEach(text => {{
  const room = text.parentNode.getBoundingClientRect().width, width = text.getBoundingClientRect().width;
  if (width > room) text.style.transform = `scaleX(${{room / width}})`;
}});
document.title = "drawn";
</script>"""


def page(title: str, screens: list[Screen]) -> str:
    """Return the page that shows screens beside and below one another, in both themes."""
    return _PAGE.format(body="".join(_themed(title, screens, theme) for theme in THEMES))


def _themed(title: str, screens: list[Screen], theme: Theme) -> str:
    *narrow, widest = (_screen(title, screen, theme) for screen in screens)
    return f'<div class="theme"><div class="line">{"".join(narrow)}</div><div class="line">{widest}</div></div>'


def _screen(title: str, screen: Screen, theme: Theme) -> str:
    colours = f"background:{theme.ground};color:{theme.text};border-color:{theme.frame}"
    style, rows = Style(), []
    for row in screen.styled:
        cells, style = _row(row, style, theme)
        rows.append(f'<div class="row" dir="ltr" style="width:{screen.width}ch">{cells}</div>')
    about = f"{html.escape(title)} · {screen.width} columns · {theme.name}"
    return f'<div class="screen" style="{colours}"><p>{about}</p>{"".join(rows)}</div>'


def _row(row: str, style: Style, theme: Theme) -> tuple[str, Style]:
    """Return the HTML of a row and the style after it: each run of one style is a span on so many cells."""
    parts, place = [], 0
    for match in _SGR.finditer(row):
        parts.append(_span(row[place : match.start()], style))
        style, place = style.after(match[1], theme) if match[1] is not None else style, match.end()
    return "".join([*parts, _span(row[place:], style)]), style


def _span(text: str, style: Style) -> str:
    if not text:
        return ""
    return f'<span style="{style.css}">{"".join(_cells(run, style) for run in _RUN.findall(text))}</span>'


def _cells(run: str, style: Style) -> str:
    if _HALF_BLOCKS.match(run):
        return "".join(_half_block(char, style) for char in run)
    if re.match(_PLAIN, run):
        return html.escape(run)
    return f'<span class="cells" style="width:{cell_len(run)}ch"><i>{html.escape(run)}</i></span>'


def _half_block(char: str, style: Style) -> str:
    """Draw the pixels of a portrait as areas: a font's blocks leave seams."""
    if char not in "▀▄":
        return html.escape(char)
    above, below = (style.colour, style.ground) if char == "▀" else (style.ground, style.colour)
    colours = f"{above or 'transparent'} 50%,{below or 'transparent'} 50%"
    return f'<span class="half" style="background:linear-gradient({colours})"></span>'


def save(tab, title, screens, digest, path):
    """Write the picture of some screens, with the digest of their text; `tab` is a browser's."""
    tab.call("Page.navigate", url="about:blank")
    frame = tab.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
    tab.call("Page.setDocumentContent", frameId=frame, html=page(title, screens))
    tab.until("document.title == 'drawn' && document.fonts.status == 'loaded'")
    size = tab.evaluate("[document.body.scrollWidth, document.body.scrollHeight]")
    tab.look_like(*size)
    image = PIL.Image.open(io.BytesIO(tab.picture())).convert("RGB")
    small = image.quantize(_COLOURS, PIL.Image.Quantize.MEDIANCUT, kmeans=1, dither=PIL.Image.Dither.NONE)
    note = PIL.PngImagePlugin.PngInfo()
    note.add_text(DIGEST, digest)
    small.save(path, "PNG", optimize=True, pnginfo=note)
