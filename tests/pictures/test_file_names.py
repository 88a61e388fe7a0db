"""Pictures that the file system spells otherwise than the roster."""

from __future__ import annotations

import pytest
from PIL import Image

from profilectl.errors import AvatarRefused
from profilectl.model import Picture
from profilectl.pictures import avatars
from profilectl.pictures.file_names import AmbiguousName, as_spelled
from profilectl.pictures.stat_cache import PictureStatCache

COMPOSED, DECOMPOSED = "Jos\u00e9.png", "Jose\u0301.png"


def picture_at(path):
    """Make a small picture and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 40), "teal").save(path, "PNG")
    return path


@pytest.mark.parametrize(
    ("on_disk", "in_roster"),
    [
        (DECOMPOSED, COMPOSED),
        (COMPOSED, DECOMPOSED),
        ("JOSÉ.PNG", COMPOSED),
        ("JOSE\u0301.PNG", COMPOSED),
        ("Avatars/ALICE.JPG", "avatars/alice.jpg"),
        ("strasse.png", "STRASSE.png"),
    ],
)
def test_a_picture_is_found_whatever_its_name_s_form_or_case(tmp_path, on_disk, in_roster):
    """It is read, prepared and known by the path that the roster writes."""
    picture_at(tmp_path / on_disk)

    picture = avatars.inspect(tmp_path, in_roster)

    assert picture.path == in_roster
    assert avatars.prepare(tmp_path, picture).media_type == "image/jpeg"
    assert avatars.FolderStats(tmp_path).identify(in_roster) is not None


def test_the_exact_name_wins(tmp_path):
    """A folder may hold both spellings."""
    picture_at(tmp_path / COMPOSED)
    Image.new("RGB", (50, 50)).save(tmp_path / DECOMPOSED, "PNG")

    assert avatars.inspect(tmp_path, COMPOSED).digest != avatars.inspect(tmp_path, DECOMPOSED).digest


def test_another_form_wins_over_another_case(tmp_path):
    """Only one of two candidates has the same letters."""
    picture_at(tmp_path / DECOMPOSED)
    picture_at(tmp_path / "JOSE\u0301.PNG")

    assert as_spelled(str(tmp_path), COMPOSED) == DECOMPOSED


def test_two_candidates_are_told(tmp_path):
    """Nobody's picture is a guess."""
    picture_at(tmp_path / "ALICE.png")
    picture_at(tmp_path / "Alice.png")

    with pytest.raises(AmbiguousName):
        as_spelled(str(tmp_path), "alice.png")
    with pytest.raises(AvatarRefused, match=r"^picture alice\.png could be ALICE\.png and Alice\.png$"):
        avatars.inspect(tmp_path, "alice.png")


@pytest.mark.parametrize("relative", ["missing.png", "none/alice.png", "", ".", "../alice.png", "a//b"])
def test_what_nobody_means_stays_as_it_is(tmp_path, relative):
    """No folder, no candidate, and nothing outside of the folder."""
    picture_at(tmp_path / "alice.png")

    assert as_spelled(str(tmp_path / "alice"), relative) == relative


def test_a_link_of_another_case_leads_nowhere_outside(tmp_path):
    """Whatever the name, the file must be in the roster's folder."""
    picture_at(tmp_path / "secret.png")
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "ALICE.png").symlink_to(tmp_path / "secret.png")

    with pytest.raises(AvatarRefused, match=r"is outside of the roster's folder"):
        avatars.inspect(tmp_path / "team", "alice.png")


def test_it_is_recalled_as_well(tmp_path):
    """The cache looks at the same file."""
    picture_at(tmp_path / DECOMPOSED)
    cache = PictureStatCache(tmp_path)

    assert isinstance(cache.read(COMPOSED), Picture)
    assert avatars.FolderStats(tmp_path).identify(COMPOSED) == avatars.FolderStats(tmp_path).identify(DECOMPOSED)
