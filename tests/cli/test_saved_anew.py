"""A picture file that was saved anew shows the same picture, and makes no new profile; one other pixel does."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing

import pytest
from PIL import Image

from profilectl.ledger import schema
from tests.photographs import photograph_like_portrait

AGENT = ("alice", "Alice", 'avatar = "alice.png"')
UPLOADS = ("upload", "create", "destroy")


@pytest.fixture
def team(desk):
    """One agent with a portrait as PNG, live on the X in process."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    put(desk, portrait(), compress_level=1)
    assert 0 == desk.write(AGENT).run("sync", "--yes").code
    return desk


def portrait():
    with Image.open(io.BytesIO(photograph_like_portrait(3, (300, 400)))) as image:
        return image.convert("RGB")


def put(desk, image, **options):
    image.save(desk.folder / "alice.png", **options)


def notes(desk):
    with closing(sqlite3.connect(desk.folder / ".profilectl" / "sandbox" / "ledger.db")) as ledger:
        return ledger.execute("SELECT name, value FROM meta WHERE name LIKE ?", (f"{schema.PIXELS_NOTE}%",)).fetchall()


def synced(desk):
    document = desk.run("sync", "--yes", "--json").document
    return [document["requests"][kind] for kind in UPLOADS]


def test_another_compression_of_the_same_pixels_is_no_change(team):
    """Neither for diff, which writes nothing, nor for sync, which remembers the file: later runs needn't open it."""
    before = notes(team)
    put(team, portrait(), compress_level=9)

    assert (0, "") == (team.run("diff", "--exit-code").code, team.run("diff").out)
    assert before == notes(team)
    assert [0, 0, 0] == synced(team)
    after = notes(team)
    assert (2, 1) == (len(after), len({value for _, value in after}))
    assert [0, 0, 0] == synced(team)
    assert after == notes(team)
    assert 0 == team.run("ledger", "show").code == team.run("audit", "verify").code


def test_one_other_pixel_is_a_change(team):
    """However little it is, customers see it."""
    image = portrait()
    red, *others = image.getpixel((150, 200))
    image.putpixel((150, 200), (red ^ 1, *others))
    put(team, image, compress_level=1)

    assert [["±", "acme", "alice"]] == [row[:3] for row in team.run("diff").rows]
    assert [1, 1, 0] == synced(team)


def test_a_new_name_beside_a_file_that_was_saved_anew_has_one_reason(team):
    """The picture isn't named as one, and the new file is what is uploaded."""
    put(team, portrait(), compress_level=9)
    team.write(("alice", "Alice F.", 'avatar = "alice.png"'))

    assert ["name"] == [row[4] for row in team.run("diff").rows]
    assert [1, 1, 0] == synced(team)
    assert 0 == team.run("diff", "--exit-code").code


@pytest.mark.parametrize("note", ["", "sha256:of another decoder"], ids=["of an older version", "of another Pillow"])
def test_where_the_pixels_are_unknown_another_file_is_another_picture(team, note):
    """As ever; nothing changes while the file stays."""
    with closing(sqlite3.connect(team.folder / ".profilectl" / "sandbox" / "ledger.db")) as ledger, ledger:
        like = (f"{schema.PIXELS_NOTE}%",)
        if note:
            ledger.execute("UPDATE meta SET value = ? WHERE name LIKE ?", (note, *like))
        else:
            ledger.execute("DELETE FROM meta WHERE name LIKE ?", like)
    assert [0, 0, 0] == synced(team)
    put(team, portrait(), compress_level=9)

    assert ["avatar"] == [row[4] for row in team.run("diff").rows]
    assert [1, 1, 0] == synced(team)


def test_verified_pictures_are_known_from_then_on(team):
    """An older version's ledger learns what a file shows when it is decoded anyway."""
    with closing(sqlite3.connect(team.folder / ".profilectl" / "sandbox" / "ledger.db")) as ledger, ledger:
        ledger.execute("DELETE FROM meta WHERE name LIKE ?", (f"{schema.PIXELS_NOTE}%",))
    assert 0 == team.run("sync", "--yes", "--verify-avatars").code
    put(team, portrait(), compress_level=9)

    assert [0, 0, 0] == synced(team)


def test_a_damaged_picture_is_told_as_ever(team):
    """Another file that can't be decoded is no picture that stayed the same."""
    (team.folder / "alice.png").write_bytes((team.folder / "alice.png").read_bytes()[:5000])
    result = team.run("sync", "--yes")

    assert (5, True) == (result.code, "is damaged or cut off" in result.err)
