"""The screens as they are kept: their text beside the tests, and the pictures of them in `docs/images`."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import PIL.Image

from tests.screens.drawing import DIGEST
from tests.screens.story import PROGRAM, Scene, Worlds
from tests.screens.terminal import Screen, Tmux

WIDTHS = (60, 80, 120)  # columns
TEXTS = Path(__file__).parent / "texts"
PICTURES = Path(__file__).parent.parent.parent / "docs" / "images"

_NOISE = re.compile(
    r"""
      \b\d{6,}\b | \b\d{6}(?=…)            # ids
    | [0-9a-f]{16,} | …\w{4}\b              # digests; the end of a token
    | \b\d\d:\d\d\b
    | just\ now | \d+\ (?:s|min)\ ago | in\ \d+\ s
    | \b[\d,]+\ bytes
    """,
    re.VERBOSE,
)
# Of the machine: versions are folded as their lengths have it.
_VERSIONS = re.compile(r"(profilectl \d).*?(?=\nok  clock)", re.DOTALL)


def stable(text: str) -> str:
    """Return a screen's text without what is another each time: ids, digests, times and this machine's versions."""
    return re.sub(" {2,}", "  ", _NOISE.sub("#", _VERSIONS.sub(r"\1 …", text)))


def kept_text(scene: Scene, width: int) -> Path:
    """Return the file with the text of a scene at a width."""
    return TEXTS / f"{scene.name}-{width}.txt"


def text_of(screen: Screen) -> str:
    """Return a screen as it is kept."""
    return "\n".join(screen.rows) + "\n"


def digest_of(scene: Scene) -> str:
    """Return the digest of all kept texts of a scene."""
    return hashlib.sha256(b"".join(kept_text(scene, width).read_bytes() for width in WIDTHS)).hexdigest()


def picture(scene: Scene) -> Path:
    """Return the file with a scene's picture."""
    return PICTURES / f"screen-{scene.name}.png"


def digest_in(path: Path) -> str | None:
    """Return the digest of the texts that a picture was made of."""
    with PIL.Image.open(path) as image:
        return image.info.get(DIGEST)


def play(tmux: Tmux, worlds: Worlds, scene: Scene, width: int) -> Screen:
    """Play a scene on a screen of so many columns."""
    folder = worlds.copy(scene, f"{scene.name}-{width}")
    return tmux.show((*PROGRAM, *scene.words), folder, width, scene.answer)
