"""Is it the same face? A live picture against the one that was uploaded."""

from __future__ import annotations

import io
import itertools
import string

import pytest
from PIL import Image, ImageOps

from profilectl.errors import AvatarRefused
from profilectl.pictures.avatars import normalise
from profilectl.pictures.placeholders import initials_portrait
from profilectl.pictures.signature import signature
from profilectl.pictures.similarity import LARGEST_DISTANCE, distance, shows
from profilectl.sandbox.model.media import reencode
from tests.photographs import photograph_like_portrait

ENCODINGS = (("JPEG", 60), ("JPEG", 85), ("JPEG", 95), ("WEBP", 60), ("WEBP", 80))
SERVED = (400, 200, 73, 48)  # pixels
TONES = (0, 90, 180, 255)


def encoded(image, form="PNG", **options):
    target = io.BytesIO()
    image.save(target, form, **options)
    return target.getvalue()


def opened(content):
    with Image.open(io.BytesIO(content)) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def uploaded(content):
    return normalise(content, "face").content


def copies(content):
    """Yield what X may make of a picture, each with how it was made."""
    for size, filtered in itertools.product(SERVED, (Image.Resampling.LANCZOS, Image.Resampling.BOX)):
        small = opened(content).resize((size, size), filtered)
        for form, quality in ENCODINGS:
            yield (size, filtered.name, form, quality), encoded(small, form, quality=quality)


def portraits(count):
    return [uploaded(photograph_like_portrait(seed, (150, 200))) for seed in range(count)]


def letters(count):
    names = itertools.islice(itertools.product(string.ascii_uppercase, repeat=2), 0, None, 676 // count)
    return [uploaded(initials_portrait(f"{first}nn {last}ee", 100)) for first, last in names]


def squares():
    """Return one-colour squares, whose difference hashes are all the same."""
    return [uploaded(encoded(Image.new("RGB", (48, 48), tone))) for tone in itertools.product(TONES, repeat=3)]


def in_grey(count):
    return [uploaded(encoded(opened(photograph_like_portrait(seed, (150, 200))).convert("L"))) for seed in range(count)]


@pytest.mark.parametrize("kind", ["portraits", "letters", "squares", "in grey"])
def test_no_copy_is_taken_for_another_picture(kind):
    """Of hundreds of copies, whatever size, form and quality they are served in, none is far."""
    faces = {"portraits": portraits, "letters": letters, "in grey": in_grey}
    originals = squares()[::4] if kind == "squares" else faces[kind](8)
    far = [
        (number, how)
        for number, original in enumerate(originals)
        for how, copy in copies(original)
        if distance(original, copy, "live") > LARGEST_DISTANCE
    ]

    assert [] == far


def undetected(faces):
    return sum(distance(face, other, "live") <= LARGEST_DISTANCE for face, other in itertools.combinations(faces, 2))


def test_other_portraits_of_one_composition_are_other_faces():
    """All pairs of drawn portraits, of which a third would be within ten bits of a difference hash."""
    assert 0 == undetected(portraits(24))


def test_other_letters_are_other_pictures():
    """White letters in the middle of colours that are alike, too."""
    assert 0 == undetected(letters(26))


def test_squares_of_other_colours_are_other_pictures():
    """A difference hash sees no difference between any two of them."""
    assert 0 == undetected(squares())


def test_a_picture_that_differs_in_colour_alone_is_another_one():
    """The same portrait in grey, or with red and blue exchanged."""
    [face] = portraits(1)
    red, green, blue = opened(face).split()
    grey, exchanged = opened(face).convert("L"), Image.merge("RGB", (blue, green, red))

    assert distance(face, encoded(grey), "live") > LARGEST_DISTANCE
    assert distance(face, encoded(exchanged), "live") > LARGEST_DISTANCE


# The signature, which a ledger keeps


@pytest.mark.parametrize("kind", ["portraits", "letters", "squares", "in grey"])
def test_a_signature_recognises_every_copy(kind):
    """What was uploaded is known again by what X makes of it, in every size, form and quality."""
    faces = {"portraits": portraits, "letters": letters, "in grey": in_grey}
    originals = squares()[::4] if kind == "squares" else faces[kind](6)
    unknown = [
        (number, how)
        for number, original in enumerate(originals)
        for how, copy in copies(original)
        if not shows(signature(opened(original)), copy, "live")
    ]

    assert [] == unknown


@pytest.mark.parametrize("kind", ["portraits", "letters", "squares"])
def test_a_signature_recognises_no_other_picture(kind):
    """All pairs, as X would serve the other one."""
    faces = {"portraits": lambda: portraits(16), "letters": lambda: letters(26), "squares": squares}[kind]()
    mistaken = sum(
        shows(mark, other, "live")
        for (number, mark), (place, other) in itertools.product(
            enumerate(signature(opened(face)) for face in faces), enumerate(faces)
        )
        if number != place
    )

    assert 0 == mistaken


def test_what_is_prepared_for_upload_has_its_signature():
    """Opaque or not, of less than 1,200 ASCII characters, and the same every time."""
    opaque, clear = encoded(opened(portraits(1)[0])), encoded(with_hole((0, 255, 0)))
    marks = [normalise(content, "face").signature for content in (opaque, clear)]

    assert marks == [normalise(content, "face").signature for content in (opaque, clear)]
    assert [(True, True)] * 2 == [(mark.isascii(), 300 < len(mark) < 1200) for mark in marks]


@pytest.mark.parametrize("how", ["white", "black", "dropped"])
def test_a_signature_knows_a_transparent_picture_on_white_and_on_black(how):
    """As X is most likely to lay it, or with its transparency dropped; another one isn't taken for it."""
    image, other = with_hole((0, 255, 0)), with_hole((0, 255, 0)).rotate(180)
    mark = normalise(encoded(image), "face").signature

    assert [True, False] == [shows(mark, served(one, how), "live") for one in (image, other)]


def served(image, how):
    """Return what X may serve of a transparent picture."""
    laid = image.convert("RGB")
    if how != "dropped":
        laid = Image.new("RGB", image.size, how)
        laid.paste(image, mask=image.getchannel("A"))
    return encoded(laid.resize((73, 73)), "JPEG", quality=75)


@pytest.mark.parametrize("content", [b"", b"<html>", initials_portrait("A")[:200]])
def test_what_is_no_picture_shows_nothing(content):
    """The refusal calls it by the name that was given, made visible."""
    mark = normalise(initials_portrait("A"), "face").signature
    with pytest.raises(AvatarRefused, match="picture live<U\\+202E>"):
        shows(mark, content, "live\u202e")


# Transparency


def with_hole(colour):
    """Return a picture in two colours with a transparent rim, below which another colour is hidden."""
    image = Image.new("RGBA", (200, 200), (*colour, 0))
    image.paste((200, 40, 40, 255), (40, 40, 160, 100))
    image.paste((40, 40, 200, 255), (40, 100, 160, 160))
    return image


@pytest.mark.parametrize("ground", ["white", "black", "pink"])
def test_whatever_is_put_behind_a_transparent_picture_it_is_the_same(ground):
    """X's JPEG has no transparency, and nobody knows on which colour X lays a picture."""
    image = with_hole((0, 255, 0))
    laid = Image.new("RGB", image.size, ground)
    laid.paste(image, mask=image.getchannel("A"))
    served = encoded(laid.resize((73, 73)), "JPEG", quality=75)

    assert distance(uploaded(encoded(image)), served, "live") <= LARGEST_DISTANCE
    assert distance(uploaded(encoded(image.rotate(180))), served, "live") > LARGEST_DISTANCE


def test_transparency_may_just_be_dropped():
    """Then the colours that it hid show."""
    face = uploaded(encoded(with_hole((0, 255, 0))))

    assert distance(face, reencode(face), "live") <= LARGEST_DISTANCE


@pytest.mark.parametrize("content", [b"", b"<html>", initials_portrait("A")[:200]])
def test_what_is_no_picture_has_no_distance(content):
    """The refusal calls it by the name that was given, made visible."""
    with pytest.raises(AvatarRefused, match="picture live<U\\+202E>"):
        distance(initials_portrait("A"), content, "live\u202e")


@pytest.mark.parametrize("mark", ["", "x", "é", "AAAA", "A" * 1023, "%" * 400])
def test_a_damaged_signature_can_not_be_compared(mark):
    """A ledger may be damaged: its picture then stays in doubt, like one that can't be had."""
    with pytest.raises(AvatarRefused, match="can't be compared"):
        shows(mark, photograph_like_portrait(1, (60, 80)), "live")
