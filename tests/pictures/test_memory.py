"""What decoding takes in sum, measured of the real program."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.measured import MACHINE, run

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 'version = 1\n[brands.acme]\nhandle = "acmecare"\n[defaults]\nkind = "human"\n'
MOST = 300  # megabytes


def largest(kind: str, path: Path) -> None:
    """Draw a picture of about as many pixels as its format may have."""
    clear = Image.new("RGBA", (3535, 3535), (10, 200, 30, 128))
    if kind == "png":
        clear.save(path, compress_level=1)
    elif kind == "webp":
        clear.save(path, lossless=True, quality=0, method=0)
    elif kind == "gif":
        clear.convert("P").save(path)
    elif kind == "telephone.jpg":
        Image.effect_noise((1008, 756), 60).convert("RGB").resize((8064, 6048)).save(path, quality=60)
    else:
        Image.effect_noise((1000, 525), 60).convert("RGB").resize((4000, 2100)).save(path, progressive=True)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is in other units elsewhere")
@pytest.mark.parametrize(
    "kinds",
    [["png"], ["webp"], ["gif"], ["telephone.jpg"], ["progressive.jpg"], ["png", "webp", "gif", "telephone.jpg"]],
    ids="+".join,
)
def test_eight_of_the_largest_pictures_of_each_format_take_300_megabytes_at_most(tmp_path, kinds):
    """They pass, and however many are decoded at once, they share one budget: eight PNGs took 2.65 GB, WebPs 4.5."""
    (tmp_path / "avatars").mkdir()
    roster = HEAD
    for kind in kinds:
        first = tmp_path / "avatars" / f"0.{kind}"
        largest(kind, first)
        for number in range(8):
            picture = tmp_path / "avatars" / f"{number}.{kind}"
            if number:
                shutil.copyfile(first, picture)
                with picture.open("ab") as file:
                    file.write(bytes([number]))  # or it would be decoded once
            key = kind.partition(".")[0]
            roster += f'[agents.{key}{number}]\nname = "{key} {number}"\navatar = "avatars/{picture.name}"\n'
    (tmp_path / "roster.toml").write_text(roster)
    ended = run(
        tmp_path, ("roster", "check"), machine=16 * MACHINE
    )  # threads map stacks and arenas that they never fill

    assert 0 == ended.code, ended.lines[:5]
    assert ended.peak <= MOST
