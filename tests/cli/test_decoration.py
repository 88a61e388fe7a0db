"""A brand's badge and ring, from the roster to what customers see at X."""

from __future__ import annotations

import base64
import io
import re

import pytest
from PIL import Image

from tests.cli.test_thousand import calls, watch, write_team  # noqa: F401 - `watch` is a fixture

TEAM = [("alice", "Alice F."), ("bruno", "Bruno K.")]
BRANDS = {"acme": "acmecare", "beta": "betacare"}
TABLE = '[brands.acme.avatar]  # ours\nbadge = "badge.png"\nring = "#e20074"\n'


@pytest.fixture
def team(desk):
    """Two agents of two brands with one picture, live without any decoration, and a badge in the folder."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    Image.new("RGBA", (80, 80), (0, 0, 255, 255)).save(desk.folder / "badge.png")
    assert 0 == desk.write(*TEAM, brands=BRANDS).run("sync", "--yes").code
    return desk


def append(desk, text):
    with (desk.folder / "roster.toml").open("a", encoding="utf-8") as file:
        file.write(text)
    return desk


def planned(desk):
    return sorted(row[:5] for row in desk.run("diff").rows)


def test_a_brand_that_gets_a_decoration_replaces_its_pictures_once(team):
    """Nobody of the other brand, with which it shares the file; then nothing is left to do, live pictures included."""
    append(team, TABLE)
    shown = planned(team)
    done = team.run("sync", "--yes", "--json").document
    after = team.run("diff", "--exit-code", "--verify-avatars")

    assert [["±", "acme", key, "replace", "avatar"] for key in ("alice", "bruno")] == shown
    assert {"replace"} == {result["action"] for result in done["results"]}
    assert (0, "") == (after.code, after.out)


@pytest.mark.parametrize(
    ("old", "new", "number"),
    [
        ("#e20074", "#E20074", 0),
        ("badge.png", "./badge.png", 0),
        ("#e20074", "#e20075", 2),
        ('ring = "#e20074"', "", 2),
        ("[brands.acme.avatar]", "[brands.acme.avatar]\nsize = 400", 0),
        ("[brands.acme.avatar]", "[brands.acme.avatar]\nsize = 300", 0),  # the picture is smaller
    ],
)
def test_only_what_customers_would_see_changes_a_picture(team, old, new, number):
    """Another spelling of the same is no change."""
    append(team, TABLE).run("sync", "--yes")
    path = team.folder / "roster.toml"
    path.write_text(path.read_text().replace(old, new))

    assert number == len(team.run("diff").rows)


def test_another_badge_in_the_same_file_is_a_change(team):
    """Its content counts."""
    append(team, TABLE).run("sync", "--yes")
    Image.new("RGBA", (80, 80), (9, 200, 9, 255)).save(team.folder / "badge.png")

    assert ["alice", "bruno"] == [row[2] for row in team.run("diff").rows]


def test_an_empty_table_changes_nothing(team):
    """Neither does one that only says what is so anyway."""
    assert [] == planned(append(team, "[brands.acme.avatar]\nsize = 400\n[brands.beta.avatar]\n"))


def test_a_lost_ledger_comes_back_by_what_customers_see(team):
    """`recover` compares live pictures with decorated ones."""
    append(team, TABLE).run("sync", "--yes")
    (team.folder / ".profilectl" / "sandbox" / "ledger.db").unlink()
    Image.new("RGB", (64, 64), (250, 250, 0)).save(team.folder / "avatars" / "other.png")

    assert 0 == team.run("recover", "--yes").code
    assert (0, "") == ((done := team.run("diff", "--exit-code")).code, done.out)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('badge = "none.png"\n', "16:1: brands.acme.avatar.badge", "picture none.png doesn't exist"),
        ('badge = "../x.png"\n', "16:1: brands.acme.avatar.badge", "leads outside the roster's folder"),
        ('ring = "red"\n', "16:1: brands.acme.avatar.ring", 'expected a colour such as "#e20074", got "red"'),
        ("size = 801\n", "16:1: brands.acme.avatar.size", "expected 100 to 800 pixels, got 801"),
        ("size = true\n", "16:1: brands.acme.avatar.size", "expected 100 to 800 pixels, got true"),
        ('bagde = "badge.png"\n', "16:1: brands.acme.avatar.bagde", 'unknown key, did you mean "badge"?'),
    ],
)
def test_what_is_wrong_is_told_once_at_its_place(team, text, place, words):
    """One line however many agents the brand has, and exit 5, from the check as from a sync."""
    append(team, f"[brands.acme.avatar]\n{text}")
    checked, synced = team.run("roster", "check"), team.run("sync", "--yes")

    assert (5, [f"roster.toml:{place}: {words}"]) == (checked.code, checked.out.splitlines())
    assert (5, True) == (synced.code, place in synced.out + synced.err)


def test_a_damaged_badge_is_told_once(team):
    """It is decoded by the check, as a picture that no profile was made of."""
    (team.folder / "badge.png").write_bytes(b"no image")
    checked = append(team, TABLE).run("roster", "check")

    assert (5, 1) == (checked.code, len(checked.out.splitlines()))
    assert checked.out.startswith("roster.toml:16:1: brands.acme.avatar.badge: picture badge.png is no image")


def test_commands_that_edit_and_explain_leave_the_table_alone(team):
    """`set`, `fmt`, `show`, `list` and `export` know the roster's own paths only."""
    append(team, TABLE)

    assert 0 == team.run("roster", "set", "alice", 'name="Alice G."').code
    assert 0 == team.run("roster", "fmt").code
    assert TABLE.replace("  #", " #") in (team.folder / "roster.toml").read_text().replace("  #", " #")
    assert "avatars/face.png" in team.run("roster", "show", "alice", "--explain").out
    assert {"avatars/face.png"} == {one["avatar"] for one in team.run("roster", "list", "--json").document["agents"]}
    for words in (["list"], ["show", "alice"], ["export"]):
        done = team.run("roster", *words)
        assert (0, False) == (done.code, "data:" in done.out + done.err)


def test_previews_show_the_decoration(team):
    """Each brand its own, of one file."""
    append(team, TABLE).run("preview", "alice", "--html", "p.html")
    page = (team.folder / "p.html").read_text()
    faces = {face for face in re.findall(r"data:image/\w+;base64,([\w+/=]+)", page) if len(face) > 500}
    tops = sorted(
        Image.open(io.BytesIO(base64.b64decode(face))).convert("RGB").getpixel((32, 1))[0] > 150 for face in faces
    )

    assert [False, True] == tops


def test_an_idle_sync_opens_neither_picture_nor_badge(desk, watch):  # noqa: F811 - the fixture
    """One list call, one verify_credentials, no file."""
    Image.new("RGBA", (80, 80), (0, 0, 255, 255)).save(desk.folder / "badge.png")
    write_team(desk, 4)
    append(desk, TABLE)
    _, read, _ = watch("sync", "--yes")
    second, read_again, _ = watch("sync", "--yes")

    assert ["0.png", "1.png", "2.png", "3.png", "badge.png"] == read
    assert (calls(1), [], []) == (second["requests"], second["results"], read_again)
