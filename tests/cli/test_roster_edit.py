"""The commands that edit the roster, as a person or a script runs them."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from profilectl.cli.main import run
from profilectl.pictures.provenance import TRAINED, with_mark
from profilectl.roster.editing import apply

COMMENTED = Path(__file__).parents[1] / "roster" / "editing" / "commented.toml"


@pytest.fixture
def team(desk):
    """A roster with comments everywhere, under git."""
    shutil.copy(COMMENTED, desk.folder / "roster.toml")
    git(desk, "init", "--quiet")
    git(desk, "add", ".")
    git(desk, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "begin")
    return desk


def git(desk, *words):
    return subprocess.run(["git", *words], cwd=desk.folder, capture_output=True, text=True, check=True).stdout


def roster(desk):
    return (desk.folder / "roster.toml").read_bytes()


EDITS = [
    ("add emre --name Emre", (3, 0)),
    ("set alice title=Lead", (1, 0)),
    ("set alice --brand beta title=Boss", (1, 0)),
    ("set chidi protected=true", (1, 1)),
    ("rename bruno bru", (5, 1)),
    ("set bru until=2099-01-31 protected=true", (2, 0)),
    ("set bru --unset until", (0, 1)),
    ("set emre operators=ann,bert", (1, 0)),
    ("remove emre", (0, 4)),
    ("set dora until=2099-06-01", (1, 1)),
]
"""Ten edits in a row, each with the lines that come and go as `git diff` counts them, but for a blank one."""


def test_ten_edits_are_minimal_and_keep_every_comment(team):
    """Each edit is a few lines to git, the roster stays right, and the comments are all there at the end."""
    before = roster(team).decode()
    for words, (come, gone) in EDITS:
        done = team.run("roster", *words.split())
        assert (0, True) == (done.code, done.out.startswith("roster.toml")), done.err
        counts = git(team, "diff", "--numstat", "roster.toml").split()[:2]
        assert come <= int(counts[0]) <= come + 1, words
        assert gone <= int(counts[1]) <= gone + 1, words
        git(team, "add", ".")
        assert 0 == team.run("roster", "check").code
    after = roster(team).decode()
    remarks = [line.partition("#")[2] for line in before.splitlines() if "#" in line]
    assert remarks == [line.partition("#")[2] for line in after.splitlines() if "#" in line]


def test_bytes_around_an_edit(team):
    """A byte order mark, CRLF and the file's rights stay, and so does all that an edit isn't about."""
    path = team.folder / "roster.toml"
    marked = b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n")
    path.write_bytes(marked)
    path.chmod(0o640)
    assert 0 == team.run("roster", "set", "bruno", "title=Invoices").code
    assert marked.replace(b'"Billing"', b'"Invoices"') == path.read_bytes()
    assert 0o640 == stat.S_IMODE(path.stat().st_mode)


def test_the_document_of_an_edit(team):
    """A script reads what was done, and where the agent is now."""
    document = team.run("roster", "rename", "bruno", "bru", "--json").document
    expected = {"action": "rename", "agent": "bru", "former": "bruno", "changed": True, "line": 28, "picture": None}
    assert expected == {key: document[key] for key in expected}
    again = team.run("roster", "set", "bru", "title=Billing", "--json").document
    assert (False, []) == (again["changed"], again["notes"])


def test_an_edit_that_changes_nothing(team):
    """What the roster says already isn't written again."""
    before = (team.folder / "roster.toml").stat()
    done = team.run("roster", "set", "bruno", "title=Billing")
    assert (0, True) == (done.code, "says so already" in done.out)
    after = (team.folder / "roster.toml").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_roster_that_changes_meanwhile_isn_t_overwritten(team, monkeypatch, capsys):
    """What somebody writes between the reading and the writing stays, and the command says to run it again."""
    made = apply.edited

    def slowly(text, file, edit):
        result = made(text, file, edit)
        (team.folder / "roster.toml").write_text(text + "# Dana's\n", encoding="utf-8")
        return result

    monkeypatch.chdir(team.folder)
    monkeypatch.setattr(apply, "edited", slowly)
    assert 75 == run(["roster", "remove", "bruno"])
    assert "was changed while this ran, so nothing was written" in capsys.readouterr().err
    assert roster(team).endswith(b"# Dana's\n")
    assert b"[agents.bruno]" in roster(team)


def test_a_photo_is_stored_square_and_without_metadata(team, tmp_path_factory):
    """A picture from anywhere becomes the agent's: upright, square, at most 800 pixels wide, and without its place."""
    photo = tmp_path_factory.mktemp("phone") / "IMG 1.jpg"
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "my kitchen"
    Image.new("RGB", (1600, 1000), (200, 90, 20)).save(photo, exif=exif)
    done = team.run("roster", "add", "emre", "--name", "Emre", "--photo", str(photo), "--json")
    assert (0, "avatars/emre.jpg") == (done.code, done.document["picture"])
    stored = team.folder / "avatars" / "emre.jpg"
    with Image.open(stored) as picture:
        assert ((800, 800), {}) == (picture.size, dict(picture.getexif()))
    assert b"kitchen" not in stored.read_bytes()
    assert b'avatar = "avatars/emre.jpg"' in roster(team)
    taken = team.run("roster", "add", "fay", "--name", "Fay", "--photo", str(photo))
    assert 0 == taken.code
    again = team.run("roster", "remove", "emre").code, team.run("roster", "add", "emre", "--photo", str(photo))
    assert (0, 5, True) == (again[0], again[1].code, "exists already" in again[1].err)


def test_who_is_there_already_is_told_before_the_picture_of_that_name(team, tmp_path_factory):
    """What would make room for the picture takes away the agent's."""
    photo = tmp_path_factory.mktemp("phone") / "IMG.jpg"
    Image.new("RGB", (900, 900), (200, 90, 20)).save(photo)
    words = ("roster", "add", "tom-dupont", "--name", "Tom Dupont", "--photo", str(photo))
    first, done = team.run(*words), team.run(*words)
    assert (0, 2, "error: there is an agent tom-dupont already") == (first.code, done.code, done.err.splitlines()[0])
    assert "hint: `profilectl roster set tom-dupont` changes it" == done.err.splitlines()[1]


def test_a_new_photo_replaces_no_file(team, tmp_path_factory):
    """It gets a name that is free, the same one again changes nothing, and with --brand it is that brand's."""
    photo = tmp_path_factory.mktemp("phone") / "IMG.jpg"
    (team.folder / "avatars" / "bruno.jpg").write_bytes(b"mine")
    Image.new("RGB", (900, 900), (200, 90, 20)).save(photo)
    done = team.run("roster", "set", "bruno", "--photo", str(photo), "--json").document
    again = team.run("roster", "set", "bruno", "--photo", str(photo), "--json").document
    assert ("avatars/bruno-2.jpg", True, False) == (done["picture"], done["changed"], again["changed"])
    assert b"mine" == (team.folder / "avatars" / "bruno.jpg").read_bytes()
    assert b'avatar = "avatars/bruno-2.jpg"' in roster(team)
    Image.new("RGB", (900, 900), (20, 90, 20)).save(photo)
    assert 0 == team.run("roster", "set", "bruno", "--brand", "beta", "--photo", str(photo)).code
    rows = team.run("roster", "show", "bruno", "--brand", "beta").rows
    assert "avatars/bruno-3.jpg" in [value for _, _, value in rows]


@pytest.mark.parametrize("words", [("add", "emre", "--name", "Emre"), ("set", "bruno")], ids=["add", "set"])
def test_storing_a_photo_takes_no_mark_off(team, tmp_path_factory, words):
    """A machine-made picture is none of a human, also when it is cropped and stored anew."""
    photo = tmp_path_factory.mktemp("made") / "face.jpg"
    Image.new("RGB", (900, 900), (200, 90, 20)).save(photo)
    photo.write_bytes(with_mark(photo.read_bytes(), TRAINED))
    done = team.run("roster", *words, "--photo", str(photo))
    assert (5, True) == (done.code, "is marked as machine-made" in done.err), done.err
    assert ["face.png"] == [path.name for path in (team.folder / "avatars").iterdir()]


def test_a_picture_that_is_missing_comes_back(team, tmp_path_factory):
    """The roster says so already, and the line says what was done."""
    photo = tmp_path_factory.mktemp("phone") / "face.jpg"
    Image.new("RGB", (900, 900), (200, 90, 20)).save(photo)
    team.run("roster", "set", "bruno", "--photo", str(photo))
    (team.folder / "avatars" / "bruno.jpg").unlink()
    done = team.run("roster", "set", "bruno", "--photo", str(photo))
    assert (0, True) == (done.code, "says so already, and avatars/bruno.jpg is that picture" in done.out)
    assert (team.folder / "avatars" / "bruno.jpg").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["alice", "avatar=avatars/none.png"], 5, "nothing was written: picture avatars/none.png doesn't exist"),
        (["alice", "avatar=broken.png"], 5, "nothing was written: picture broken.png"),
        (["alice", "--brand", "beta", "avatar=broken.png"], 5, "nothing was written: picture broken.png"),
        (["alice", "--photo", "broken.png"], 5, "broken.png"),
        (["alice", "--photo", "avatars/face.png", "avatar=x.png"], 2, "avatar is given twice"),
        (["alcie", "--photo", "avatars/face.png"], 2, "did you mean alice?"),
        (["alice", "--photo", "avatars/face.png", "title=" + "x" * 60, "name={title}"], 5, "nothing was written"),
    ],
    ids=range(7),
)
def test_a_picture_that_can_t_be_used_is_not_set(team, words, code, message):
    """As `roster check` would say it; neither the roster nor a stored picture is left."""
    before = roster(team)
    (team.folder / "broken.png").write_bytes(b"no picture")
    done = team.run("roster", "set", *words)
    assert (code, True, before) == (done.code, message in done.err, roster(team)), done.err
    assert ["face.png"] == [path.name for path in (team.folder / "avatars").iterdir()]


def test_a_picture_that_customers_would_hardly_see_is_warned_of(team):
    """With the words of `roster check`; what isn't about a picture doesn't open any."""
    Image.new("RGB", (20, 20), "teal").save(team.folder / "tiny.png")
    done = team.run("roster", "set", "alice", "avatar=tiny.png")
    assert (0, True) == (done.code, "warning: picture tiny.png is 20x20: too small to show a face" in done.err)
    (team.folder / "tiny.png").unlink()
    assert 0 == team.run("roster", "set", "alice", "title=Lead").code


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--name", "x" * 60], "agents.emre.name: 60 characters, at most 48"),
        (["--name", "Emre", "--avatar", "avatars/none.png"], "avatars/none.png"),
        (["--name", "Emre", "nmae=x"], 'did you mean "name"?'),
        ([], "agents.emre.name: missing"),
    ],
    ids=["long", "no picture", "typo", "no name"],
)
def test_an_agent_that_isn_t_added_leaves_nothing(team, words, message):
    """Neither the roster nor a stored picture is left of an agent who can't be."""
    before = roster(team)
    more = [] if "--avatar" in words else ["--photo", "avatars/face.png"]
    done = team.run("roster", "add", "emre", *words, *more)
    assert (True, before) == (message in done.err, roster(team)), done.err
    assert done.code in {2, 5}
    assert ["face.png"] == [path.name for path in (team.folder / "avatars").iterdir()]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("show", "alcie"), 2, "did you mean alice?"),
        (("set", "alcie", "title=x"), 2, "did you mean alice?"),
        (("set", "alice"), 2, "nothing to change"),
        (("set", "alice", "title=x", "title=y"), 2, "title is given twice"),
        (("set", "alice", "--brand", "amce", "title=x"), 2, "there is no brand amce"),
        (("add", "alice", "--name", "A"), 2, "there is an agent alice already"),
        (("add", "alice", "--name", "A", "--photo", "no.png"), 2, "there is an agent alice already"),
        (("add", "A B", "--name", "A", "--photo", "no.png"), 2, "can't be a key"),
        (("add", "emre", "--photo", "a.png", "--avatar", "b.png"), 2, "exclude each other"),
        (("add", "emre", "--photo", "no.png", "--name", "E"), 5, "can't read the picture no.png"),
        (("rename", "alice", "bruno"), 2, "there is an agent bruno already"),
        (("rename", "alice", "A B"), 2, "can't be a key"),
        (("remove", "nobody"), 2, "there is no agent nobody"),
        (("set", "alice", "operators=x"), 5, "the comments in agents.alice.operators would be lost"),
    ],
    ids=range(14),
)
def test_what_can_t_be_done_is_said(team, words, code, message):
    """A typing error names what was meant, and the roster stays as it is."""
    before = roster(team)
    done = team.run("roster", *words)
    assert (code, True) == (done.code, message in done.err), done.err
    assert before == roster(team)


@pytest.mark.parametrize(
    "words", ["add a --name A", "set a title=x", "remove a", "rename a b", "fmt", "show a"], ids=lambda words: words[:6]
)
def test_without_a_roster(desk, words):
    """An empty folder gets the hint that a roster can be begun, and no file."""
    done = desk.run("roster", *words.split())
    assert (5, True) == (done.code, "`profilectl init` writes one to start from" in done.err)
    assert ["avatars"] == [path.name for path in desk.folder.iterdir()]


def test_a_link_isn_t_followed(team):
    """A roster that is a link stays one, and what it leads to stays as it is."""
    (team.folder / "link.toml").symlink_to("roster.toml")
    before = roster(team)
    done = team.run("roster", "remove", "bruno", "--roster", "link.toml")
    assert (5, True) == (done.code, "symbolic link" in done.err)
    assert before == roster(team)


def test_labels_and_a_first_day(team):
    """Both are fields like any other, and a label is set alone."""
    words = ("--name", "Emre", "--from", "2026-12-01", "--label", "team=night", "--label", "floor=2")
    assert 0 == team.run("roster", "add", "emre", *words).code
    assert b'from = 2026-12-01\nlabels = { team = "night", floor = "2" }\n' in roster(team)
    assert 0 == team.run("roster", "set", "emre", "labels.team=day").code
    assert b'labels = { team = "day", floor = "2" }\n' in roster(team)
    assert ["acme", "labels.team", "day"] in team.run("roster", "show", "emre").rows


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("set alice team=night", "a free label is called labels.team"),
        ("set alice label=night", "a free label is called labels.team"),
        ("set alice labels=night", "one label is written as in labels.team=night"),
        ("set alice labels.team", "such as labels.team=night"),
        ("set alice --label team=night", "fields are typed without dashes: labels.team=night"),
        ("set alice -l team=night", "fields are typed without dashes: labels.team=night"),
        ("set alice --title Lead", "fields are typed without dashes: title='Care Specialist'"),
        ("set alice --until 2027-01-31", "fields are typed without dashes: until=2027-01-31"),
    ],
)
def test_how_a_field_is_written_is_said(desk, words, hint):
    """A label is in a table of its own, and an option of `add` is a field of `set`."""
    desk.write(("alice", "Alice"))

    assert f"hint: {hint}" == desk.run("roster", *words.split()).err.splitlines()[1]


def test_who_is_added_without_a_picture_learns_how_to_give_one(desk):
    """Where the roster has none for everybody."""
    text = 'version = 1\n[brands.acme]\nhandle = "acmecare"\n[agents]\n'
    (desk.folder / "roster.toml").write_text(text)
    refused = desk.run("roster", "add", "zoe", "--name", "Zoe", "--kind", "human")
    hint = "--photo FILE takes a picture from anywhere, --avatar PATH one in the roster's folder"

    assert (5, f"hint: {hint}") == (refused.code, refused.err.splitlines()[1])


def test_the_canonical_form(team):
    """--check writes nothing and exits 3, fmt writes, and then both have nothing to do."""
    before = roster(team)
    assert (3, before) == (team.run("roster", "fmt", "--check").code, roster(team))
    assert 0 == team.run("roster", "fmt").code
    after = roster(team)
    assert after != before
    assert 0 == team.run("roster", "fmt", "--check").code
    done = team.run("roster", "fmt")
    assert (0, after, True) == (done.code, roster(team), "is in the canonical form" in done.out)


def test_show_says_where_each_value_comes_from(team):
    """Each value has its table and its line, those it wins against stand behind it in brackets."""
    rows = team.run("roster", "show", "alice", "--brand", "beta", "--explain").rows
    assert ["beta", "name", "Ally F.", "agents.alice.brands.beta", "roster.toml:26:1"] in rows
    assert ["beta", "name", "(Alice F., Care Specialist)", "agents.alice", "roster.toml:18:1"] in rows
    assert ["beta", "kind", "human", "defaults", "roster.toml:11:1"] in rows
    short = team.run("roster", "show", "alice").rows
    assert ["acme", "shown as", "Alice F., Care Specialist"] == short[0]
    assert ["acme", "operators", "afast, deputy"] in short
    document = team.run("roster", "show", "alice", "--json").document
    assert ["acme", "beta"] == [brand["brand"] for brand in document["brands"]]


def test_show_keeps_a_legal_name_to_itself(team):
    """A legal name never leaves the machine, not even into a terminal's scrollback or a script's log."""
    team.run("roster", "set", "bruno", "legal_name=Bruno Secretman")
    for words in (("--explain",), ("--json",), ()):
        assert "Secretman" not in team.run("roster", "show", "bruno", *words).out


def test_quiet_says_nothing_more(team):
    """With --quiet an edit that worked says nothing on stderr."""
    assert "" == team.run("roster", "set", "bruno", "title=Lead", "--quiet").err


@pytest.mark.parametrize(
    "words",
    [("remove", "alice"), ("rename", "alice", "alma"), ("fmt",), ("export",), ("import", "people.csv")],
    ids=lambda words: words[0],
)
def test_what_is_about_all_brands_takes_no_brand(desk, words):
    """An option that would be passed over could cost an agent in every other brand: it is refused (2)."""
    desk.write(("alice", "Alice"), ("bruno", "Bruno"))
    (desk.folder / "people.csv").write_text("key,name\nbruno,Bruno\n")
    before = (desk.folder / "roster.toml").read_bytes()
    done = desk.run("roster", *words, "--brand", "acme")

    assert (2, True) == (done.code, f"roster {words[0]} is about all brands" in done.err), done.err
    assert before == (desk.folder / "roster.toml").read_bytes()


def test_a_protected_agent_is_not_removed(desk):
    """Also before a sync has told the ledger that they are."""
    desk.write(("alice", "Alice", "protected = true"), ("bruno", "Bruno"))
    before = (desk.folder / "roster.toml").read_bytes()
    done = desk.run("roster", "remove", "alice")

    assert (5, before) == (done.code, (desk.folder / "roster.toml").read_bytes())
    assert "roster set alice --unset protected" in done.err


def test_an_agent_is_taken_out_of_one_brand(desk):
    """As the page about edits has it, where nothing stands below the agent yet."""
    desk.write(("alice", "Alice"), ("bruno", "Bruno"), brands={"acme": "acmecare", "beta": "betacare"})

    assert 0 == desk.run("roster", "set", "alice", "brands.beta=false").code
    assert ["acme"] == [
        row["brand"] for row in desk.run("roster", "list", "--json").document["agents"] if row["agent"] == "alice"
    ]
