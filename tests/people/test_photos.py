"""Pictures are found by key, e-mail address or name, made ready, and never put in another's place."""

from __future__ import annotations

import unicodedata
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from profilectl.errors import InputRefused, Refused
from profilectl.people.entries import Entry
from profilectl.people.keys import Person
from profilectl.people.photos import Photo, PhotoFolder, PhotoSource, collect, comparable, drawn, stored, unstored
from profilectl.people.tables import Problems, Row
from profilectl.pictures.provenance import TRAINED, find_mark, with_mark


def picture(colour=(20, 120, 200), form="JPEG", size=(60, 50), **options):
    """Return the bytes of a picture."""
    buffer = BytesIO()
    Image.new("RGB", size, colour).save(buffer, form, **options)
    return buffer.getvalue()


def entry(key="alice", path="", line=2, **person):
    """Return an entry of a list."""
    return Entry(key, Row(line, {}, {}), Person(**person), {}, {}, path)


@pytest.fixture
def source(tmp_path):
    """A roster's folder, a list's and one of pictures; nothing is at any address."""
    for name in ("roster", "list", "faces"):
        (tmp_path / name).mkdir()

    def source(*, photos=True, download=None):
        def refuse(url):
            raise Refused(f"downloading the picture: HTTP 404 {url}")

        folder = PhotoFolder(tmp_path / "faces") if photos else None
        return PhotoSource(tmp_path / "roster", tmp_path / "list", folder, download or refuse)

    return source


@pytest.mark.parametrize(
    "name",
    [
        "alice.jpg",
        "ALICE.JPG",
        "Alice.Fast@acme.example.jpeg",
        "alice fast.png",
        "Alice_Fast.webp",
        "Fast, Alice.jpg",
        "Alice F.jpg",
    ],
)
def test_a_picture_is_found_whatever_its_name_s_form(source, tmp_path, name):
    """By key, by address, or by name, in any case and with anything between the words."""
    (tmp_path / "faces" / name).write_bytes(picture())
    alice = entry(email="alice.fast@acme.example", first="Alice", last="Fast", name="Alice F.")

    assert {"alice": "avatars/alice.jpg"} == paths(collect([alice], None, source(), Problems("p")))


def paths(photos):
    return {key: photo.path for key, photo in photos.items()}


def test_the_unicode_form_of_a_file_s_name_does_not_count(source, tmp_path):
    """On macOS, names have letters and accents apart."""
    (tmp_path / "faces" / f"{unicodedata.normalize('NFD', 'Zoë Ünal')}.jpg").write_bytes(picture())

    assert {"zoe"} == {*collect([entry("zoe", first="Zoë", last="Ünal")], None, source(), Problems("p"))}
    assert comparable("ＺＯË") == comparable("zoe\u0308")


def test_doubts_are_for_a_person(source, tmp_path, problems_of):
    """Two files for one, one file for two, and files that are no pictures."""
    for name in ("alice.jpg", "ALICE.png", "Bo Fast.jpg", "carla.jpg", "dora.txt"):
        (tmp_path / "faces" / name).write_bytes(b"?" if name == "carla.jpg" else picture())
    problems = Problems("people.csv")
    people = [
        entry("alice", line=2),
        entry("bo-a", line=3, first="Bo", last="Fast"),
        entry("bo-b", line=4, first="Bo", last="Fast"),
        entry("carla", line=5),
        entry("dora", line=6),
    ]

    assert {"bo-a"} == {*collect(people, None, source(), problems)}
    assert [
        "people.csv:2:1: alice.avatar: more than one picture may be meant: ALICE.png, alice.jpg",
        "people.csv:4:1: bo-b.avatar: the picture Bo Fast.jpg may be bo-a's as well: name it in a column",
        "people.csv:5:1: carla.avatar: picture carla.jpg is no image, or none that is known here",
    ] == problems_of(problems.refuse)


def test_pictures_that_match_nobody_are_known(source, tmp_path):
    """A second picture of somebody, one that a cell names, and what isn't a picture aren't among them."""
    for name in ("alice.jpg", "Alice Fast.png", "Müller, Jürgen.jpg", "bo-new.jpg", "Zed.gif", "notes.txt"):
        (tmp_path / "faces" / name).write_bytes(picture())
    people = [entry("alice", first="Alice", last="Fast"), entry("bo", "bo-new.jpg")]

    assert ("Müller, Jürgen.jpg", "Zed.gif") == source().photos.unmatched(people)


def test_pictures_of_formats_that_x_does_not_take_are_known(source, tmp_path):
    """Unless the same picture is there as JPEG, as telephones export it."""
    for name in ("Kim Ray.heic", "alice.HEIC", "alice.jpg", "scan.TIF"):
        (tmp_path / "faces" / name).write_bytes(b"?")

    assert ("Kim Ray.heic", "scan.TIF") == source().photos.unusable


def test_a_cell_that_names_such_a_picture_is_told_why_it_cannot_be_used(source, tmp_path, problems_of):
    """It was said to be nowhere, while it lay in the folder."""
    (tmp_path / "faces" / "Kim Ray.heic").write_bytes(b"?")
    problems = Problems("people.csv")
    collect([entry("kim", "Kim Ray.heic")], None, source(), problems)

    assert ["people.csv:2:1: kim.avatar: picture Kim Ray.heic is HEIC: save it as JPEG"] == problems_of(problems.refuse)


@pytest.mark.parametrize(
    ("files", "notes"),
    [
        ([], []),
        (["a.jpg"], ['1 picture in faces matches nobody in people.csv: "a.jpg"']),
        (
            [f"{letter}.jpg" for letter in "abcde"],
            ['5 pictures in faces match nobody in people.csv: "a.jpg", "b.jpg", "c.jpg" and 2 more'],
        ),
        (["Kim\x1b Ray.heic"], [r'"Kim\x1b Ray.heic" in faces is HEIC: save it as JPEG']),
        (
            ["a.heic", "b.tif"],
            ['2 pictures in faces are in formats that X doesn\'t take, save them as JPEG: "a.heic", "b.tif"'],
        ),
    ],
)
def test_left_over_pictures_are_counted_and_the_first_ones_named(tmp_path, monkeypatch, files, notes):
    """In one line for each kind, whatever their names hold."""
    monkeypatch.chdir(tmp_path)
    Path("faces").mkdir()
    for name in files:
        Path("faces", name).write_bytes(b"?")

    folder = PhotoFolder(Path("faces"))

    assert notes == folder.notes(folder.unmatched([]), "people.csv")


def test_a_path_is_looked_for_in_each_place(source, tmp_path):
    """Beside the roster it stays where it is, beside the list and among the pictures it is stored."""
    (tmp_path / "roster" / "avatars").mkdir()
    for place in ("roster/avatars/a.jpg", "list/b.jpg", "faces/c.jpg"):
        (tmp_path / place).write_bytes(picture())
    people = [entry("a", "avatars/a.jpg"), entry("b", "b.jpg"), entry("c", "C.jpg")]
    photos = collect(people, None, source(), Problems("p"))

    assert {"a": "avatars/a.jpg", "b": "avatars/b.jpg", "c": "avatars/c.jpg"} == paths(photos)
    assert ["a"] == [key for key, photo in photos.items() if photo.content is None]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/etc/passwd", "must be relative to the roster's folder"),
        ("../x.jpg", "leads outside the roster's folder"),
        ("none.jpg", "picture none.jpg is neither beside the roster nor beside the list"),
        ("https://x.example/a.jpg", "downloading the picture: HTTP 404 https://x.example/a.jpg"),
        ("ftp://x.example/a.jpg", "avatars are local files, not URLs"),
    ],
)
def test_what_cannot_be_had_is_told(source, problems_of, path, message):
    """At its row; nothing of a list leads to other files of this machine."""
    problems = Problems("people.csv")

    assert {} == collect([entry("a", path)], None, source(), problems)
    assert [f"people.csv:2:1: a.avatar: {message}"] == problems_of(problems.refuse)


def test_an_address_is_fetched(source):
    """By what the caller hands over, which knows the rules."""
    addresses = []
    photos = collect(
        [entry("a", "https://x.example/a")],
        None,
        source(download=lambda url: addresses.append(url) or picture()),
        Problems("p"),
    )

    assert (["https://x.example/a"], {"a": "avatars/a.jpg"}) == (addresses, paths(photos))


def test_what_is_stored_is_square_and_says_nothing_of_where_it_was_taken():
    """At most 400 pixels wide, without EXIF."""
    exif = Image.Exif()
    exif[0x010E] = "at home"
    photo = stored("a", picture(size=(900, 600), exif=exif), "a.jpg")
    image = Image.open(BytesIO(photo.content))

    assert ((400, 400), {}) == (image.size, dict(image.getexif()))


def test_a_mark_of_a_machine_made_picture_stays():
    """Storing a picture is no way to lose it."""
    assert TRAINED == find_mark(stored("a", with_mark(picture(), TRAINED), "a.jpg").content)


def test_only_an_agent_s_own_picture_is_replaced(tmp_path, problems_of):
    """The same bytes need no writing, and another's file is in the way."""
    (tmp_path / "avatars").mkdir()
    photos = {key: Photo(f"avatars/{key}.jpg", picture()) for key in ("same", "own", "foreign", "new")}
    photos["kept"] = Photo("avatars/kept.jpg")
    (tmp_path / "avatars/same.jpg").write_bytes(picture())
    for key in ("own", "foreign"):
        (tmp_path / f"avatars/{key}.jpg").write_bytes(b"other")
    problems = Problems("people.csv")
    written = unstored(photos, tmp_path, {"own": "avatars/own.jpg"}, {"foreign": (3, 9)}, problems)

    assert ["avatars/own.jpg", "avatars/new.jpg"] == [photo.path for photo in written]
    (problem,) = problems_of(problems.refuse)
    what = "avatars/foreign.jpg exists already, and isn't foreign's picture: it may be a former one of that key; "

    assert f"people.csv:3:9: foreign.avatar: {what}remove or rename the file" == problem


def test_initials_are_the_same_every_time():
    """So that a second import changes nothing."""
    assert drawn("a", "Alice F.") == drawn("a", "Alice F.")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    """As it was written."""
    with pytest.raises(InputRefused, match=r"can't read the folder .*nowhere: No such file or directory"):
        PhotoFolder(Path(tmp_path / "nowhere"))
