from __future__ import annotations

import io

import pytest
from PIL import Image, ImageChops, ImageOps

from profilectl.pictures import avatars
from profilectl.pictures.placeholders import initials_portrait, photograph


def opened(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return image


def colours(image: Image.Image) -> list[tuple[int, ...]]:
    """Return the colours of an image, the most frequent first."""
    return [colour for _, colour in sorted(image.getcolors(maxcolors=2**24), reverse=True)]


def ink(image: Image.Image) -> tuple[int, int, int, int]:
    """Return the box around everything that isn't background."""
    background = Image.new("RGB", image.size, colours(image)[0])
    return ImageChops.difference(image, background).getbbox()


@pytest.mark.parametrize(
    "name", ["Alice F., Care Specialist", "Bruno", "فاطمة · Support", "花 Hana", "Émile", "", "·", "\ud800"]
)
def test_every_name_has_a_portrait(name):
    """In any script, even without a single letter: square, opaque, and the same each time."""
    image = opened(initials_portrait(name, 200))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (200, 200))
    assert initials_portrait(name, 200) == initials_portrait(name, 200)
    assert len(colours(image)) > 1


@pytest.mark.parametrize("name", ["Alice Fast", "W W", "J I", "花", "ש"])
def test_initials_and_emblems_stand_in_the_middle(name):
    """Equal margins on all sides that face each other, and a fifth of the way in at most."""
    left, top, right, bottom = ink(opened(initials_portrait(name)))
    assert abs(left - (400 - right)) <= 3
    assert abs(top - (400 - bottom)) <= 3 or name == "ש"
    assert min(left, top) >= 30


@pytest.mark.parametrize(
    ("name", "same"), [("Émile Zola", "E Z"), ("Alice F., Care Specialist", "Anna Frank"), ("Helper (bot)", "H")]
)
def test_the_letters_are_those_of_the_first_two_words(name, same):
    """Without accents, without a title after a comma, without an aside in brackets."""
    shapes = [ink(opened(initials_portrait(name))) for name in (name, same)]
    assert shapes[0] == shapes[1]


def test_names_have_colours_of_their_own():
    """A team can be told apart at a glance."""
    names = ["Alice", "Bruno", "Chidi", "Dora", "Emre", "Fatima"]
    assert len({colours(opened(initials_portrait(name, 64)))[0] for name in names}) == len(names)


def test_a_photograph_lies_on_its_side_until_exif_turns_it():
    """As telephones store it, so that a demo shows the rotation at work."""
    image = opened(photograph())
    assert (image.format, image.size, image.getexif()[0x0112]) == ("JPEG", (560, 420), 6)
    assert ImageOps.exif_transpose(image).size == (420, 560)


def test_a_photograph_passes_every_guard_and_comes_out_upright(tmp_path):
    """What the demo uploads went the way of every picture: bright lamps above, the darker clothes below."""
    (tmp_path / "photo.jpg").write_bytes(photograph())
    prepared = avatars.prepare(tmp_path, avatars.inspect(tmp_path, "photo.jpg"))
    image = opened(prepared.content).convert("L")
    bottom, others = (0, 380, 400, 400), [(0, 0, 400, 20), (0, 0, 20, 400), (380, 0, 400, 400)]
    darkness = [sum(image.crop(edge).resize((1, 1), Image.Resampling.BOX).tobytes()) for edge in (bottom, *others)]
    assert (prepared.media_type, image.size) == ("image/jpeg", (400, 400))
    assert darkness[0] == min(darkness)
