"""`python -m tests.screens` writes the texts and the pictures of the screens anew: all, or those that are named.

It needs tmux, Chromium, and the fonts of Debian's fonts-noto-core, fonts-noto-cjk and fonts-noto-color-emoji.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.sandbox.browser import Browser
from tests.screens import drawing, kept
from tests.screens.story import SCENES, Worlds
from tests.screens.terminal import Tmux


def main(names):
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as profile, Browser(profile) as browser:
        worlds, tab = Worlds(Path(place)), browser.tab()
        kept.TEXTS.mkdir(exist_ok=True)
        with Tmux(Path(place), worlds.environment) as tmux:
            for scene in (scene for scene in SCENES if not names or scene.name in names):
                screens = [kept.play(tmux, worlds, scene, width) for width in kept.WIDTHS]
                for screen in screens:
                    path, text = kept.kept_text(scene, screen.width), kept.text_of(screen)
                    if not path.exists() or kept.stable(path.read_text("utf-8")) != kept.stable(text):
                        path.write_text(text, "utf-8")
                drawing.save(tab, scene.line, screens, kept.digest_of(scene), kept.picture(scene))


if __name__ == "__main__":
    main(sys.argv[1:])
