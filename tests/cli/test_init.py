"""A starter roster: works as it stands, and never takes the place of anything."""

from __future__ import annotations

import tomllib

import pytest


@pytest.fixture
def desk(desk):
    """A folder with nothing in it."""
    (desk.folder / "avatars" / "face.png").unlink()
    (desk.folder / "avatars").rmdir()
    return desk


def files(desk):
    return sorted(path.relative_to(desk.folder).as_posix() for path in desk.folder.rglob("*") if path.is_file())


WRITTEN = ["avatars/alice.png", "avatars/bruno.png", "avatars/helper.png", "roster.toml"]


def test_the_starter_roster_works_as_it_stands(desk):
    """It has no problems, and a sync on the sandbox makes it whole."""
    result = desk.run("init")

    assert (0, WRITTEN) == (result.code, files(desk))
    assert "3 agents, 0 errors, 0 warnings\n" == desk.run("roster", "check").err
    assert 0 == desk.run("sync", "--sandbox", "--yes").code
    assert 0 == desk.run("diff", "--sandbox", "--exit-code").code


@pytest.mark.parametrize(
    ("handle", "brand"),
    [
        ("TelcoHelp", "telcohelp"),
        ("@_Telco_", "telco"),
        ("___", "brand"),
        ("42", "42"),
        ("true", "true"),
        ("bot", "bot"),
        ("A23456789012345", "a23456789012345"),
    ],
)
def test_every_handle_gives_a_sound_roster(desk, handle, brand):
    """The brand's key is the handle in a form that is easily typed, and the roster is free of problems."""
    desk.run("init", "--handle", handle)
    brands = tomllib.loads((desk.folder / "roster.toml").read_text())["brands"]

    assert {brand: handle.removeprefix("@")} == {key: table["handle"] for key, table in brands.items()}
    assert (0, "3 agents, 0 errors, 0 warnings\n") == (
        desk.run("roster", "check").code,
        desk.run("roster", "check").err,
    )


@pytest.mark.parametrize("handle", ["", "@", "a b", "sixteen_letters_", 'x"\n[evil]', "пример"])
def test_what_is_no_handle_is_a_usage_error(desk, handle):
    """Nothing is written for an account that X can't have."""
    result = desk.run("init", "--handle", handle)

    assert (2, []) == (result.code, files(desk))
    assert "--handle" in result.err


@pytest.mark.parametrize("name", WRITTEN)
def test_nothing_is_ever_overwritten(desk, name):
    """One file that exists stops everything, and is named."""
    path = desk.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    result = desk.run("init")

    assert (5, [name], "mine") == (result.code, files(desk), path.read_text())
    assert f"{name} exists already; nothing was written" in result.err


def test_a_link_to_nowhere_counts_as_existing(desk):
    """A file isn't written through a link that somebody left."""
    (desk.folder / "roster.toml").symlink_to(desk.folder / "elsewhere.toml")
    result = desk.run("init")

    assert (5, []) == (result.code, files(desk))


def test_a_folder_that_cannot_be_made_is_named(desk):
    """A file in the place of the folder for pictures is refused, and left alone."""
    (desk.folder / "avatars").write_text("mine")
    result = desk.run("init")

    assert (5, ["avatars"]) == (result.code, files(desk))
    assert "error: can't write avatars: Not a directory; nothing was written" in result.err


def test_an_unwritable_folder_is_named(desk, powerless):
    """The folder's permissions are told as they are."""
    desk.folder.chmod(0o500)
    result = desk.run("init", starter=powerless)
    desk.folder.chmod(0o700)

    assert 5 == result.code
    assert "can't write avatars: Permission denied" in result.err


def test_half_a_roster_is_none(desk):
    """When the last file can't be written, the first ones are taken away again."""
    result = desk.run("init", "--roster", "x" * 300 + ".toml")

    assert (5, []) == (result.code, files(desk))
    assert "File name too long; nothing was written" in result.err


def test_another_place_is_made_and_named_in_what_comes_next(desk):
    """`--roster` decides where everything goes, folders included, and the commands that are proposed find it there."""
    result = desk.run("init", "--roster", "care team/roster.toml")

    assert (0, [f"care team/{name}" for name in WRITTEN]) == (result.code, files(desk))
    assert "`profilectl sync --roster 'care team/roster.toml' --sandbox`" in result.err
    assert 0 == desk.run("roster", "check", "--roster", "care team/roster.toml").code


def test_a_stand_in_is_called_one(desk):
    """Without `--handle` a person is told to put the real account in its place; with it, there is nothing to do."""
    assert 'in the place of "acmecare"' in desk.run("init").err
    assert "in the place of" not in desk.run("init", "--roster", "other/roster.toml", "--handle", "telco").err


def test_quiet_and_json(desk):
    """`-q` says nothing; `--json` names the files in one document."""
    quiet = desk.run("init", "-q")
    document = desk.run("init", "--json", "--roster", "b/roster.toml").document

    assert (0, "", "") == (quiet.code, quiet.out, quiet.err)
    assert {
        "schema": "profilectl.init/1",
        "roster": "b/roster.toml",
        "pictures": [f"b/{name}" for name in WRITTEN[:3]],
    } == document


def test_a_roster_that_works(desk):
    """What is written passes the check; nothing is overwritten by a second time."""
    assert 0 == desk.run("init").code
    assert 0 == desk.run("roster", "check").code
    again = desk.run("init")
    assert (5, True) == (again.code, "exists already; nothing was written" in again.err)


@pytest.mark.parametrize("target", ["../out", "inside", "../missing"])
def test_a_linked_folder_is_refused(desk, target):
    """A link in the place of the pictures' folder leads nowhere."""
    folder = desk.folder / "brand"
    for made in (folder, folder / "inside", desk.folder / "out"):
        made.mkdir()
    (folder / "avatars").symlink_to(target)
    done = desk.run("init", "--roster", "brand/roster.toml")

    assert (5, True) == (done.code, "brand/avatars is a symbolic link; nothing was written" in done.err)
    assert {"avatars", "inside"} == {path.name for path in folder.iterdir()}
    assert [] == [*(folder / "inside").iterdir(), *(desk.folder / "out").iterdir()]
    assert not (desk.folder / "missing").exists()


def test_a_folder_whose_name_is_too_long(desk):
    """The system's reason is told."""
    done = desk.run("init", "--roster", "x" * 300 + "/roster.toml")

    assert (5, True) == (done.code, "File name too long; nothing was written" in done.err)


def test_what_an_option_answers_is_not_asked(desk):
    """On a terminal, Enter at each of the other questions; with three of them given, one about people is left."""
    code, screen = desk.watch("init", "--handle", "acmecare", answers=b"\n\n\n")
    three = ("--handle", "a", "--language", "en", "--timezone", "UTC")
    few = desk.watch("init", "--roster", "a/roster.toml", *three, answers=b"\n")

    assert (0, WRITTEN) == (code, [name for name in files(desk) if not name.startswith("a/")])
    assert (False, True) == ("Which X account" in screen, "1. Which language do its customers read? [en]" in screen)
    assert (0, 1) == (few[0], few[1].count("? ["))
    assert ("3. Which CSV file" in screen, "1. Which CSV file" in few[1]) == (True, True)
