"""``roster import``: what a list changes is shown, and set without touching anything else."""

from __future__ import annotations

import difflib

import pytest

PEOPLE = "key,name,until\nalice,Alice Fast,\nbruno,Bruno K.,2027-01-31\ncarla,Carla M.,\n"


@pytest.fixture
def team(desk):
    """A roster of alice and bruno, and a list that says something else of them and knows carla."""
    desk.write(("alice", "Alice F.", "# alice's comment"), ("bruno", "Bruno K.", "", "# the end"))
    (desk.folder / "people.csv").write_text(PEOPLE)
    return desk


def text(desk):
    return (desk.folder / "roster.toml").read_text(encoding="utf-8")


def test_what_differs_is_set_and_shown(team):
    """One line for each field, for programs; the roster's other lines are as they were."""
    before = text(team)
    done = team.run("roster", "import", "people.csv")

    assert (0, "1 added, 2 changed, 0 removed, 0 unchanged") == (done.code, done.err.splitlines()[-2])
    assert [
        ["add", "carla", "name", "", "Carla M."],
        ["set", "alice", "name", "Alice F.", "Alice Fast"],
        ["set", "bruno", "until", "", "2027-01-31"],
    ] == done.rows
    assert [
        '- name = "Alice F."',
        '+ name = "Alice Fast"',
        "+ until = 2027-01-31",
        "+ ",
        "+ [agents.carla]",
        '+ name = "Carla M."',
    ] == [line for line in difflib.ndiff(before.splitlines(), text(team).splitlines()) if line[0] in "+-"]
    assert 0 == team.run("roster", "check").code


def test_a_dry_run_shows_the_same_and_writes_nothing(team):
    """Then the real one does it, and a second one has nothing to do."""
    before = text(team)
    dry = team.run("roster", "import", "people.csv", "--dry-run")
    unwritten = text(team)
    real = team.run("roster", "import", "people.csv")
    again = team.run("roster", "import", "people.csv")

    assert (before, dry.rows, 0) == (unwritten, real.rows, dry.code)
    assert "nothing was written (--dry-run)" in dry.err
    assert ("", "0 added, 0 changed, 0 removed, 3 unchanged") == (again.out, again.err.splitlines()[-1])


def test_on_a_terminal_there_is_a_table(team):
    """With the names of its columns."""
    code, screen = team.watch("roster", "import", "people.csv", "--dry-run")

    assert (0, True) == (code, all(word in screen for word in ("change", "before", "after", "Alice Fast", "carla")))


def test_nobody_is_removed_unless_that_is_asked_for(team):
    """Who is missing in the list is named."""
    (team.folder / "people.csv").write_text("key,name\nalice,Alice F.\n")
    kept = team.run("roster", "import", "people.csv")
    gone = team.run("roster", "import", "people.csv", "--remove-missing")

    assert "in the roster, but not in the list, so left as they are: bruno\n" in kept.err
    assert (0, [["remove", "bruno", "", "", ""]]) == (gone.code, gone.rows)
    assert ("# alice's comment" in text(team), "# the end" in text(team), "bruno" in text(team)) == (True, True, False)


@pytest.fixture
def nine(desk):
    """A roster of nine agents, and a list that was cut after the first one."""
    desk.write(*((f"p{number}", f"Person {'ABCDEFGHI'[number]}.") for number in range(9)))
    (desk.folder / "people.csv").write_text("key,name\np0,Person A.\n")
    return desk


def test_a_list_that_is_suddenly_short_removes_nobody(nine):
    """As `roster pull` has it: five may leave at once, and the option for more is named."""
    before = text(nine)
    refused = nine.run("roster", "import", "people.csv", "--remove-missing")
    untouched = text(nine)
    allowed = nine.run("roster", "import", "people.csv", "--remove-missing", "--max-deletes", "8")

    assert (5, "", before) == (refused.code, refused.out, untouched)
    assert "error: 8 agents have left people.csv, and at most 5 may go at once\n" in refused.err
    assert "--max-deletes 8 allows this; look first with --dry-run whether the list is whole" in refused.err
    assert (0, 8) == (allowed.code, sum(row[0] == "remove" for row in allowed.rows))
    assert 1 == len(nine.run("roster", "list").rows)


def test_a_dry_run_shows_who_would_leave_and_warns(nine):
    """Who only looks isn't refused; -q doesn't hide the warning."""
    before = text(nine)
    dry = nine.run("roster", "import", "people.csv", "--remove-missing", "--dry-run", "-q")
    few = nine.run("roster", "import", "people.csv", "--remove-missing", "--dry-run", "-q", "--max-deletes", "8")

    assert (0, 8, before) == (dry.code, sum(row[0] == "remove" for row in dry.rows), text(nine))
    assert (
        "warning: 8 agents have left people.csv, and at most 5 may go at once: without --dry-run this is refused, "
        "and --max-deletes 8 allows it\n"
    ) in dry.err
    assert "at once" not in few.err


def test_one_leaver_is_one(team):
    """The message counts in words."""
    (team.folder / "people.csv").write_text("key,name\nalice,Alice F.\n")
    done = team.run("roster", "import", "people.csv", "--remove-missing", "--max-deletes", "0")

    assert (5, True) == (done.code, "1 agent has left people.csv, and at most 0 may go at once" in done.err)


def test_without_remove_missing_nobody_leaves(nine):
    """So a list of newcomers only is as good as it was."""
    done = nine.run("roster", "import", "people.csv", "--max-deletes", "0")

    assert (0, "") == (done.code, done.out)


def test_the_last_agent_cannot_be_removed(team):
    """A roster without agents would remove everybody."""
    team.write(("bruno", "Bruno K."))
    (team.folder / "people.csv").write_text("key,name\nbruno,Bruno Bot\n")
    done = team.run("roster", "import", "people.csv", "--remove-missing")

    assert (5, True) == (done.code, 'people.csv:2:7: bruno.name: contains the bot marker "bot"' in done.err)


def test_legal_names_are_set_and_never_shown(team):
    """Neither on a screen nor in a document."""
    (team.folder / "people.csv").write_text("key,legal_name\nalice,Alexandra Fastova\n")
    document = team.run("roster", "import", "people.csv", "--dry-run", "--json")
    done = team.run("roster", "import", "people.csv")

    assert [["set", "alice", "legal_name", "", "(private)"]] == done.rows
    assert ("Fastova" in document.out + done.out + done.err, "Fastova" in text(team)) == (False, True)


def test_the_document_says_the_same(team):
    """With what each column was taken for."""
    document = team.run("roster", "import", "people.csv", "--json").document

    assert (True, ["carla"], ["alice", "bruno"]) == (
        document["written"],
        [agent["agent"] for agent in document["added"]],
        [change["agent"] for change in document["changed"]],
    )
    assert [{"field": name, "column": name} for name in ("key", "name", "until")] == document["columns"]


def test_a_picture_is_stored_beside_the_roster(team):
    """And replaced when another one comes."""
    (team.folder / "faces").mkdir()
    team.draw("../faces/alice.png")
    first = team.run("roster", "import", "people.csv", "--photos", "faces")
    team.draw("../faces/alice.png", colour=(200, 0, 0))
    second = team.run("roster", "import", "people.csv", "--photos", "faces")

    assert ["set", "alice", "avatar", "avatars/face.png", "avatars/alice.jpg"] in first.rows
    assert [["set", "alice", "avatar", "", "another picture in the same file"]] == second.rows
    assert "0 added, 1 changed, 0 removed, 2 unchanged" in second.err


def test_pictures_that_nobody_gets_are_named(team):
    """Half of the faces were left in the folder without a word, and their people got initials."""
    (team.folder / "faces").mkdir()
    for name in ("carla.png", "Müller, Jürgen.png"):
        team.draw(f"../faces/{name}")
    (team.folder / "faces" / "bruno.heic").write_bytes(b"?")
    words = ("roster", "import", "people.csv", "--photos", "faces", "--dry-run")
    shown, document = team.run(*words).err, team.run(*words, "--json").document

    assert '1 picture in faces matches nobody in people.csv: "Müller, Jürgen.png"\n' in shown
    assert '"bruno.heic" in faces is HEIC: save it as JPEG\n' in shown
    assert (["Müller, Jürgen.png"], ["bruno.heic"]) == (document["unmatched"], document["unusable"])


def test_a_former_picture_in_the_way_is_told_at_its_row(team):
    """Somebody who left and came back: the file is still there, and the message led nowhere."""
    (team.folder / "faces").mkdir()
    for name in ("../faces/carla.png", "carla.jpg"):
        team.draw(name, colour=(len(name), 0, 0))
    refused = team.run("roster", "import", "people.csv", "--photos", "faces")
    (team.folder / "avatars" / "carla.jpg").unlink()

    assert (5, True) == (
        refused.code,
        "people.csv:4:1: carla.avatar: avatars/carla.jpg exists already, and isn't carla's picture: it may be a former "
        "one of that key; remove or rename the file\n" in refused.err,
    )
    assert 0 == team.run("roster", "import", "people.csv", "--photos", "faces").code


def test_a_picture_that_another_agent_uses_is_not_changed(desk):
    """The new one gets another name, which is said; the list again changes nothing, and the next one goes there."""
    desk.draw("shared.png")
    (desk.folder / "avatars" / "alice.jpg").write_bytes((desk.folder / "avatars" / "shared.png").read_bytes())
    desk.write(
        ("alice", "Alice F.", 'avatar = "avatars/alice.jpg"'),
        ("bruno", "Bruno K.", 'avatar = "avatars/../avatars/alice.jpg"'),
    )
    before = (desk.folder / "avatars" / "alice.jpg").read_bytes()
    (desk.folder / "faces").mkdir()
    desk.draw("../faces/alice.png", colour=(200, 0, 0))
    (desk.folder / "people.csv").write_text("key,name\nalice,Alice F.\n")
    first, again = (desk.run("roster", "import", "people.csv", "--photos", "faces") for _ in range(2))
    desk.draw("../faces/alice.png", colour=(0, 200, 0))
    third = desk.run("roster", "import", "people.csv", "--photos", "faces")

    assert before == (desk.folder / "avatars" / "alice.jpg").read_bytes()
    assert "avatars/alice.jpg is used by bruno, so alice's picture is avatars/alice-2.jpg\n" in first.err
    assert [["set", "alice", "avatar", "avatars/alice.jpg", "avatars/alice-2.jpg"]] == first.rows
    assert ("", [["set", "alice", "avatar", "", "another picture in the same file"]]) == (again.out, third.rows)


def test_a_linked_roster_is_not_replaced(team):
    """A checkout may have brought the link."""
    (team.folder / "real.toml").write_text(text(team))
    (team.folder / "roster.toml").unlink()
    (team.folder / "roster.toml").symlink_to("real.toml")
    done = team.run("roster", "import", "people.csv")

    assert (5, True) == (done.code, "links aren't followed" in done.err)
    assert "Carla" not in (team.folder / "real.toml").read_text()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["none.csv"], 5, "error: can't read the list none.csv: No such file or directory"),
        (["."], 5, "error: can't read the list .: it isn't a regular file"),
        (["people.csv", "--photos", "none"], 5, "error: can't read the folder none: No such file or directory"),
        (["people.csv", "--map", "nam=name"], 2, '--map: no field is called "nam", did you mean "name"?'),
        (["people.csv", "--roster", "none.toml"], 5, "error: can't read the roster none.toml"),
    ],
)
def test_slips(team, words, code, message):
    """Each with what to do, or what was meant."""
    done = team.run("roster", "import", *words)

    assert (code, True) == (done.code, message in done.err)


def test_a_roster_with_errors_is_mended_first(team):
    """Its problems are told at its own lines."""
    (team.folder / "roster.toml").write_text(text(team).replace("human", "person"))
    done = team.run("roster", "import", "people.csv")

    assert (5, True) == (done.code, "roster.toml:" in done.err)


def test_into_a_roster_without_agents(desk):
    """Such as one that a person has begun by hand."""
    desk.write()
    (desk.folder / "people.csv").write_text(PEOPLE)

    assert (0, 3) == (desk.run("roster", "import", "people.csv").code, len(desk.run("roster", "list").rows))


def test_a_column_of_consent_is_warned_of(team):
    """It was "not used" while the photo of somebody who had said no went out; -q doesn't hide it."""
    (team.folder / "people.csv").write_text("key,name,Photo consent\nalice,Alice F.,no\n")
    shown = team.run("roster", "import", "people.csv", "--dry-run", "-q").err

    assert (
        'warning: column "Photo consent" looks like consent and isn\'t imported: enter it with '
        "`roster set KEY consent.name=… consent.photo=… consent.ref=…` before the first sync\n"
    ) in shown


@pytest.mark.parametrize(
    ("people", "note"),
    [
        ("key,name,Job Title\nalice,Alice F.,Care\n", "title = Job Title (left out, as no name uses it)"),
        ("key,First name,Last name\ncarla,Carla,M\n", "first = First name (where the name is made of it)"),
    ],
)
def test_a_part_of_a_name_that_no_name_uses_is_said_to_be_left_out(team, people, note):
    """What the line of columns says is what is written."""
    (team.folder / "people.csv").write_text(people)

    assert note in team.run("roster", "import", "people.csv", "--dry-run").err


def test_a_pattern_with_a_title_uses_it(team):
    """Then the column is written."""
    team.write(("alice", "{title} Alice", 'title = "Care"'))
    (team.folder / "people.csv").write_text("key,Job Title\nalice,Sales\n")
    done = team.run("roster", "import", "people.csv")

    assert "title = Job Title (where the name is made of it)" in done.err
    assert [["set", "alice", "title", "Care", "Sales"]] == done.rows
