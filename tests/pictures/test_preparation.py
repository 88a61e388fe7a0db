"""Pictures that take long to decode are kept; what is kept is believed only when it is what it says."""

from __future__ import annotations

import io
import os
import shutil
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from profilectl.errors import AvatarRefused, RosterRefused
from profilectl.model import Decoration, Picture
from profilectl.pictures import avatars, preparation
from profilectl.pictures.loader import inspect_all
from profilectl.pictures.preparation import Preparation, PreparedCache
from profilectl.pictures.provenance import TRAINED, with_mark
from profilectl.system import threads
from profilectl.system.cache import cache_folder
from tests.photographs import photograph_like_portrait


@pytest.fixture
def folder(tmp_path):
    """A roster's folder with two photographs that are large enough to be kept."""
    roster = tmp_path / "roster"
    roster.mkdir()
    for seed in (1, 2):
        (roster / f"{seed}.jpg").write_bytes(photograph_like_portrait(seed, (900, 1200)))
    return roster


@pytest.fixture
def decoded(monkeypatch):
    """The pictures that were decoded."""
    paths, real = [], avatars.prepare
    monkeypatch.setattr(avatars, "prepare", lambda place, picture: paths.append(picture.path) or real(place, picture))
    return paths


def kept():
    return sorted(Path(cache_folder("prepared")).iterdir())


def test_a_photograph_is_decoded_once(folder, decoded):
    """By whichever command; the kept one is equal in every field, private, and nowhere but in the cache folder."""
    picture = avatars.inspect(folder, "1.jpg")
    first = PreparedCache(folder).prepare_and_keep(picture)
    before = {path.name for path in folder.iterdir()}

    assert [first] * 2 == [PreparedCache(folder).prepare(picture), PreparedCache(folder).prepare_and_keep(picture)]
    assert ["1.jpg"] == decoded
    assert ([0o600], 0o700) == ([stat.S_IMODE(path.stat().st_mode) for path in kept()], mode(kept()[0].parent))
    assert {"1.jpg", "2.jpg"} == before


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_who_only_looks_keeps_nothing(folder):
    """As `diff` does, which writes nowhere."""
    PreparedCache(folder).prepare(avatars.inspect(folder, "1.jpg"))

    assert not Path(cache_folder("prepared")).exists()


def test_a_small_picture_is_only_decoded_to_see_that_it_can_be_used(folder, decoded):
    """Nothing is resized, saved or measured of it, which is two thirds of the work on 200 new ones."""
    Image.new("RGB", (400, 400), "#123456").save(folder / "small.png")
    (folder / "cut.png").write_bytes((folder / "small.png").read_bytes()[:-60])
    cache, picture = PreparedCache(folder), avatars.inspect(folder, "small.png")
    refusals = [error_of(partial(cache.look, avatars.inspect(folder, "cut.png")))]
    refusals.append(error_of(partial(cache.prepare, avatars.inspect(folder, "cut.png"))))

    assert [None, None] == [cache.look(picture), cache.look_and_keep(picture)]
    assert (["cut.png"], False) == (decoded, Path(cache_folder("prepared")).exists())
    assert refusals[0] == refusals[1]
    assert "picture cut.png is damaged or cut off" == refusals[0]


def error_of(call):
    with pytest.raises(AvatarRefused) as refused:
        call()
    return refused.value.message


def test_who_looks_at_a_small_picture_notices_that_it_has_changed(folder):
    """As who prepares it does: the plan names what was inspected."""
    Image.new("RGB", (400, 400), "#123456").save(folder / "small.png")
    picture = avatars.inspect(folder, "small.png")
    Image.new("RGB", (400, 400), "#654321").save(folder / "small.png")

    assert "picture small.png changed while it was being used" == error_of(lambda: PreparedCache(folder).look(picture))


def test_who_looks_learns_whether_transparency_shows(folder):
    """That is known of the pixels alone; a large photograph is kept by the way."""
    Image.new("RGBA", (400, 400), "#12345678").save(folder / "clear.png")
    cache = PreparedCache(folder)

    assert "image/png" == cache.look_and_keep(avatars.inspect(folder, "clear.png")).media_type
    assert ("image/jpeg", 1) == (cache.look_and_keep(avatars.inspect(folder, "1.jpg")).media_type, len(kept()))


def test_a_photograph_is_decoded_at_half_its_size_where_that_is_enough(folder):
    """From 600 pixels on, one and a half times of what is shown: 1200x1600 took twice as long at full size."""
    sizes = []
    real = avatars._square
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(avatars, "_square", lambda source, size: sizes.append(source.size) or real(source, size))
        avatars.square(photograph_like_portrait(1, (1200, 1600)), "photo")

    assert [(800, 600)] == sizes


def test_a_small_picture_is_decoded_each_time(folder, decoded):
    """That takes no longer than to read what would be kept."""
    Image.new("RGB", (400, 400), "#123456").save(folder / "small.png")
    picture = avatars.inspect(folder, "small.png")
    for _ in range(2):
        PreparedCache(folder).prepare_and_keep(picture)

    assert (["small.png"] * 2, False) == (decoded, Path(cache_folder("prepared")).exists())


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


LIES = {
    "empty": lambda content, other: b"",
    "cut off": lambda content, other: content[:-1],
    "longer": lambda content, other: content + b"\0",
    "a bit of the digest": lambda content, other: flipped(content, 20),
    "a bit of what it says": lambda content, other: flipped(content, 90),
    "a bit of the picture": lambda content, other: flipped(content, len(content) - 500),
    "another picture's": lambda content, other: other,
    "a picture and no more": lambda content, other: content[content.index(b"\xff\xd8\xff") :],
    "sealed nonsense": lambda content, other: preparation.digest_of_bytes(b"[1]\nx").encode() + b"\n[1]\nx",
    "far too long": lambda content, other: content + bytes(3_000_000),
}


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_a_lying_file_is_never_believed(folder, decoded, lie):
    """A kept file that is …: the photograph is decoded, and is what it was."""
    pictures = [avatars.inspect(folder, f"{seed}.jpg") for seed in (1, 2)]
    first, _ = (PreparedCache(folder).prepare_and_keep(picture) for picture in pictures)
    paths = [Path(PreparedCache(folder)._path(picture)) for picture in pictures]
    paths[0].write_bytes(LIES[lie](paths[0].read_bytes(), paths[1].read_bytes()))
    decoded.clear()

    assert first == PreparedCache(folder).prepare(pictures[0])
    assert ["1.jpg"] == decoded


FOREIGN = {
    "open to others": lambda path: path.chmod(0o644),
    "a link": lambda path: path.symlink_to(path.rename(path.with_name("elsewhere"))),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path, 0o600)),
    "in a folder that is a link": lambda path: path.parent.symlink_to(path.parent.rename(path.parent.with_name("x"))),
}


@pytest.mark.parametrize("way", FOREIGN, ids=str)
def test_a_file_that_may_be_a_strangers_is_never_believed(folder, decoded, way):
    """A kept file that is … counts as none, and nothing waits for it."""
    picture = avatars.inspect(folder, "1.jpg")
    first = PreparedCache(folder).prepare_and_keep(picture)
    FOREIGN[way](kept()[0])
    decoded.clear()

    assert first == PreparedCache(folder).prepare_and_keep(picture)
    assert ["1.jpg"] == decoded


def test_another_preparation_is_another_picture(folder, decoded, monkeypatch):
    """A decoration, a mark, a new Pillow, a changed file: nothing that was kept for another one fits."""
    (agent_avatar,) = [Decoration(ring="#e20074", size=200).of("1.jpg")]
    plain = avatars.inspect(folder, "1.jpg")
    agents = [replace_avatar("1.jpg"), replace_avatar(agent_avatar)]
    decorated = inspect_all(folder, agents)[0][agent_avatar]
    small, large = (PreparedCache(folder).prepare_and_keep(picture) for picture in (decorated, plain))

    assert [(200, 200), (400, 400)] == [Image.open(io.BytesIO(each.content)).size for each in (small, large)]
    (folder / "1.jpg").write_bytes(with_mark((folder / "1.jpg").read_bytes(), TRAINED))
    assert TRAINED == PreparedCache(folder).prepare_and_keep(avatars.inspect(folder, "1.jpg")).made_by
    monkeypatch.setattr("PIL.__version__", "99.0")
    PreparedCache(folder).prepare_and_keep(avatars.inspect(folder, "1.jpg"))
    assert (4, 4) == (len(decoded), len(kept()))


def replace_avatar(avatar):
    from profilectl.model import Agent, Kind

    return Agent("alice", "acme", "Alice", avatar, Kind.HUMAN)


def test_where_nothing_can_be_kept_pictures_are_decoded(folder, monkeypatch):
    """A home that can't be written, or none at all."""
    for home in ("/proc", "/dev/null"):
        monkeypatch.setenv("XDG_CACHE_HOME", home)
        cache = PreparedCache(folder)
        assert "image/jpeg" == cache.prepare_and_keep(avatars.inspect(folder, "1.jpg")).media_type
        cache.trim()


def test_the_oldest_go_when_there_are_too_many(folder, monkeypatch):
    """What was kept first is removed first; what is left can be used."""
    pictures = [avatars.inspect(folder, f"{seed}.jpg") for seed in (1, 2)]
    PreparedCache(folder).prepare_and_keep(pictures[0])
    (oldest,) = kept()
    os.utime(oldest, (time.time() - 60,) * 2)
    monkeypatch.setattr(preparation, "LARGEST_FOLDER", oldest.stat().st_size + 10)
    cache = PreparedCache(folder)
    cache.prepare_and_keep(pictures[1])
    cache.trim()

    assert [Path(cache._path(pictures[1]))] == kept()


def test_threads_may_keep_the_same_picture_side_by_side(folder):
    """Each gets a whole one."""
    picture, cache = avatars.inspect(folder, "1.jpg"), PreparedCache(folder)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: cache.prepare_and_keep(picture), range(16)))

    assert [results[0]] * 16 == results
    assert 1 == len(kept())


def test_a_run_prepares_each_picture_once_and_tells_every_bad_one(folder):
    """Begun ahead or asked for, however often; a bad one is told when it is required, and not before."""
    (folder / "bad.jpg").write_bytes((folder / "2.jpg").read_bytes()[:2000])
    shutil.copy(folder / "1.jpg", folder / "copy.jpg")
    pictures = [avatars.inspect(folder, name) for name in ("1.jpg", "copy.jpg", "bad.jpg", "2.jpg")]
    paths = []

    def prepare(picture):
        paths.append(picture.path)
        return avatars.prepare(folder, picture)

    def refuse(refusals):
        raise RosterRefused(", ".join(refusals))

    run = Preparation(prepare, refuse)
    run.begin(pictures)
    good = [picture for picture in pictures if picture.path != "bad.jpg"]

    assert {picture.digest for picture in good} == run.usable(pictures).keys() == run.require(good).keys()
    with pytest.raises(RosterRefused, match=r"^bad\.jpg$"):
        run.require(pictures)
    assert isinstance(dict(run.futures(pictures))[pictures[2].digest].exception(), AvatarRefused)
    assert ["1.jpg", "2.jpg", "bad.jpg"] == sorted(paths)


def ends_slowly(call):
    """Begin a call in a thread that needs a moment between its last line and its end."""

    def lingering():
        call()
        time.sleep(0.05)

    return threads.begin(lingering)


@pytest.mark.timeout(60)  # it would wait for ever
def test_what_is_added_while_threads_end_is_prepared(monkeypatch):
    """A thread that has just done the last picture isn't counted on for the next one, which nobody would take then."""
    monkeypatch.setattr(preparation, "begin", ends_slowly)
    pictures = preparation.Preparation(lambda each: each.path, pytest.fail)
    prepared = [pictures.usable([Picture(f"{number}.png", f"digest of {number}", 0)]) for number in range(10)]

    assert [{f"digest of {number}": f"{number}.png"} for number in range(10)] == prepared
