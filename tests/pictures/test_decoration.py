"""What a brand draws on pictures: what such a picture is known by, where it is drawn, and what is refused."""

from __future__ import annotations

import io
from functools import partial
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from PIL import Image, ImageChops

from profilectl.errors import AvatarRefused, BadgeRefused
from profilectl.model import Decoration, undecorated
from profilectl.pictures import decoration as module
from profilectl.pictures.avatars import inspect, prepare
from profilectl.pictures.decoration import digest_with, files_of
from profilectl.pictures.loader import inspect_all, prepare_all
from profilectl.pictures.provenance import TRAINED, with_mark
from profilectl.pictures.stat_cache import PictureStatCache

RING = "#e20074"
BOTH = Decoration("badge.png", RING)
GREY, BLUE, MAGENTA = (128, 128, 128), (0, 0, 255), (226, 0, 116)


@pytest.fixture
def folder(tmp_path):
    """A grey face and a blue badge."""
    Image.new("RGB", (600, 800), GREY).save(tmp_path / "face.png")
    Image.new("RGBA", (60, 60), (*BLUE, 255)).save(tmp_path / "badge.png")
    return tmp_path


def inspected(folder, *avatars, cache=None):
    """Return the pictures of agents with these avatars, and the refusals."""
    return inspect_all(folder, [SimpleNamespace(avatar=avatar) for avatar in avatars], cache)


def known_by(folder, avatar):
    pictures, refusals = inspected(folder, avatar)
    assert {} == refusals
    return pictures[avatar].digest


def shown(folder, avatar, size=None):
    """Return what is uploaded, decoded."""
    pictures, _ = inspected(folder, avatar)
    return Image.open(io.BytesIO(prepare(folder, pictures[avatar], size).content))


def near(expected, pixel):
    return all(abs(left - right) <= 12 for left, right in zip(expected, pixel[:3], strict=True))


@pytest.mark.parametrize("avatar", ["face.png", "data:alice,Alice\tF.", "avatars/a b,c.jpg"])
def test_an_avatar_comes_out_of_its_decoration_as_it_went_in(avatar):
    """Paths and what is drawn alike; without a decoration nothing is taken off."""
    assert (BOTH, avatar) == undecorated(BOTH.of(avatar))
    assert (None, avatar) == undecorated(avatar)
    assert (Decoration(size=100), avatar) == undecorated(Decoration(size=100).of(avatar))


def test_what_a_picture_is_known_by_never_changes():
    """The ledger keeps it: another value here would replace every decorated profile at the next upgrade."""
    digest = "sha256:fa93adca1093bc6bd4f9063983ea485e4e7f9c1d68d1acb9308b157f6a7ab2b0"

    assert digest == digest_with(BOTH, "sha256:" + 64 * "a", "sha256:" + 64 * "b")


def test_without_a_decoration_a_picture_is_known_by_its_file(folder):
    """As ever: no upgrade replaces anybody."""
    assert inspect(folder, "face.png") == inspected(folder, "face.png")[0]["face.png"]
    assert ("face.png",) == files_of("face.png")


@pytest.mark.parametrize(
    "other", [Decoration("badge.png"), replace(BOTH, ring="#e20075"), replace(BOTH, size=399), Decoration(None, RING)]
)
def test_another_decoration_is_another_picture(folder, other):
    """Ring, size, and whether there is a badge."""
    assert known_by(folder, BOTH.of("face.png")) != known_by(folder, other.of("face.png"))


def test_another_badge_is_another_picture_and_a_moved_one_is_the_same(folder):
    """Content counts, not the name of its file."""
    before = known_by(folder, BOTH.of("face.png"))
    (folder / "badge.png").rename(folder / "moved.png")
    moved = known_by(folder, Decoration("moved.png", RING).of("face.png"))
    Image.new("RGBA", (60, 60), (1, 2, 3, 255)).save(folder / "badge.png")

    assert before == moved != known_by(folder, BOTH.of("face.png"))


def test_agents_with_one_face_in_two_brands_get_what_each_brand_draws(folder):
    """The same file, three pictures, each by its own digest."""
    avatars = ["face.png", BOTH.of("face.png"), Decoration(ring="#00ff00").of("face.png")]
    pictures, _ = inspected(folder, *avatars)
    prepared, refusals = prepare_all(partial(prepare, folder), pictures.values())

    assert ({}, 3) == (refusals, len({one.content for one in prepared.values()}))
    assert {picture.digest for picture in pictures.values()} == prepared.keys()


@pytest.mark.parametrize("side", [400, 100])
def test_ring_and_badge_lie_inside_the_circle_that_x_shows(folder, side):
    """Corners and middle stay as they are; the badge's box has its farthest corner inside of the circle."""
    image = shown(folder, replace(BOTH, size=side).of("face.png"))
    middle, end = side // 2, side - 1

    assert (side, side) == image.size
    assert near(GREY, image.getpixel((1, 1)))
    assert near(GREY, image.getpixel((middle, middle)))
    assert near(MAGENTA, image.getpixel((middle, side // 40)))
    assert near(MAGENTA, image.getpixel((side // 40, middle)))
    assert near(BLUE, image.getpixel((int(0.7 * side), int(0.7 * side))))
    blue = image.split()[2].point([0] * 200 + [255] * 56)
    left, top, right, bottom = blue.getbbox()
    assert middle < left < right < end
    assert middle < top < bottom < end
    assert ((right - middle) ** 2 + (bottom - middle) ** 2) ** 0.5 <= side / 2


def test_the_ring_is_smooth(folder):
    """Between ring and picture are colours of neither."""
    image = shown(folder, Decoration(ring=RING).of("face.png"))
    colours = {colour for _, colour in image.crop((40, 40, 80, 80)).getcolors(4000)}

    assert any(not near(GREY, colour) and not near(MAGENTA, colour) for colour in colours)


def test_drawing_twice_gives_the_same_bytes(folder):
    """Also when the badge was decoded before."""
    pictures, _ = inspected(folder, BOTH.of("face.png"))
    first = prepare(folder, pictures[BOTH.of("face.png")])
    module._badges.clear()
    module._ring.cache_clear()

    assert first == prepare(folder, pictures[BOTH.of("face.png")])


def test_a_transparent_picture_stays_one(folder):
    """Ring and badge are opaque on it, the rest isn't."""
    Image.new("RGBA", (400, 400), (0, 0, 0, 0)).save(folder / "clear.png")
    image = shown(folder, BOTH.of("clear.png"))

    assert ("RGBA", 0) == (image.mode, image.getpixel((200, 200))[3])
    assert (*MAGENTA, 255) == image.getpixel((200, 8))


def test_a_transparent_badge_lets_the_picture_through(folder):
    """Where it is clear, nothing changes."""
    Image.new("RGBA", (60, 60), (0, 0, 0, 0)).save(folder / "badge.png")
    plain = shown(folder, "face.png")

    assert None is ImageChops.difference(plain, shown(folder, Decoration("badge.png").of("face.png"))).getbbox()


@pytest.mark.parametrize("size", [(1, 4000), (4000, 1), (1, 1)])
def test_a_badge_of_any_shape_is_drawn(folder, size):
    """Its longer side fits."""
    Image.new("RGB", size, BLUE).save(folder / "badge.png")

    assert (400, 400) == shown(folder, BOTH.of("face.png")).size


def test_initials_are_decorated_as_well(folder):
    """Also somebody without consent belongs to the brand."""
    image = shown(folder, BOTH.of("data:alice,Alice F."))

    assert near(MAGENTA, image.getpixel((200, 8)))


def test_size_bounds_what_is_uploaded_and_what_is_asked_for(folder):
    """800 pixels only where the file has as many; a thumbnail stays one."""
    large = Decoration(size=800)

    assert (600, 600) == shown(folder, large.of("face.png")).size
    assert (150, 150) == shown(folder, Decoration(size=150).of("face.png")).size
    assert (96, 96) == shown(folder, large.of("face.png"), 96).size
    assert (150, 150) == shown(folder, Decoration(size=150).of("face.png"), 200).size


def test_the_mark_of_a_machine_made_picture_stays(folder):
    """A ring doesn't make a photograph of it."""
    content = (folder / "face.png").read_bytes()
    (folder / "face.png").write_bytes(with_mark(content, TRAINED))
    pictures, _ = inspected(folder, BOTH.of("face.png"))
    [picture] = pictures.values()

    assert (TRAINED, TRAINED) == (picture.mark, prepare(folder, picture).made_by)


@pytest.mark.parametrize("deed", ["badge.png", "face.png"])
def test_nothing_else_is_uploaded_in_the_name_of_what_was_planned(folder, deed):
    """A file that has changed since the plan is refused."""
    pictures, _ = inspected(folder, BOTH.of("face.png"))
    Image.new("RGBA", (50, 50), (9, 9, 9, 255)).save(folder / deed)

    with pytest.raises(AvatarRefused, match="changed while it was being used"):
        prepare(folder, pictures[BOTH.of("face.png")])


def test_a_missing_badge_is_the_badge_s_fault_and_a_missing_face_the_face_s(folder):
    """The refusals tell one from the other."""
    (folder / "badge.png").unlink()
    _, refusals = inspected(folder, BOTH.of("face.png"), BOTH.of("none.png"), Decoration(ring=RING).of("none.png"))

    assert [BadgeRefused, BadgeRefused, AvatarRefused] == [type(error) for error in refusals.values()]


@pytest.mark.parametrize("size", [None, (5000, 5000)])
def test_a_badge_is_guarded_as_every_picture(folder, size):
    """No image, or more pixels than memory is meant for: refused before it is decoded."""
    if size is None:
        (folder / "badge.png").write_bytes(b"no image")
    else:
        Image.new("L", size).save(folder / "badge.png")
    pictures, _ = inspected(folder, BOTH.of("face.png"))

    with pytest.raises(BadgeRefused, match=r"picture badge\.png is"):
        prepare(folder, pictures[BOTH.of("face.png")])


def test_a_badge_is_decoded_once_for_all_pictures(folder, monkeypatch):
    """Twenty faces, one badge: 21 pictures decoded."""
    module._badges.clear()
    decoded, real = [], module.decode
    monkeypatch.setattr(
        module, "decode", lambda content, path, *rest: decoded.append(path) or real(content, path, *rest)
    )
    avatars = []
    for number in range(20):
        Image.new("RGB", (64, 64), (number, 0, 0)).save(folder / f"{number}.png")
        avatars.append(BOTH.of(f"{number}.png"))
    pictures, _ = inspected(folder, *avatars)
    for picture in pictures.values():
        prepare(folder, picture)

    assert ["badge.png"] == decoded


def test_files_are_kept_known_each_by_itself(folder, monkeypatch):
    """The cache holds face and badge, and a later run opens neither."""
    monkeypatch.setattr("profilectl.pictures.avatars.time.time_ns", lambda: 2**62)
    path, avatar = str(folder / "cache"), BOTH.of("face.png")
    cache = PictureStatCache(folder, path)
    first, _ = inspected(folder, avatar, cache=cache)
    cache.save([avatar])
    monkeypatch.setattr("profilectl.pictures.avatars.read", lambda *_: pytest.fail("a file was read"))

    assert (first, {}) == inspected(folder, avatar, cache=PictureStatCache(folder, path))
