"""Draw avatars: ``pictures.py FOLDER NUMBER``; 400 pixels square, 30 to 60 kB each."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from PIL import Image, ImageChops

SIDE = 400
_SCENES = 24


def draw_scene(number: int) -> Image.Image:
    """Return coarse noise over a gradient: what JPEG makes of it is as large as a photograph of a face."""
    dice = random.Random(number)
    light = Image.linear_gradient("L").resize((SIDE, SIDE)).rotate(dice.choice((0, 90, 180, 270)))
    brightest = [dice.randint(60, 255) for _ in "RGB"]
    channels = [light.point([value * most // 255 for value in range(256)]) for most in brightest]
    return ImageChops.overlay(Image.merge("RGB", channels), Image.merge("RGB", [_noise() for _ in "RGB"]))


def _noise() -> Image.Image:
    return Image.effect_noise((SIDE // 2, SIDE // 2), 40).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    scenes = [draw_scene(number) for number in range(min(count, _SCENES))]
    for number in range(count):
        picture = ImageChops.offset(scenes[number % len(scenes)], number)  # no two are the same
        picture.save(folder / f"{number}.jpg", quality=85)


if __name__ == "__main__":
    main()
