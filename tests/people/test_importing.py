"""A list into a roster: judged by the roster's own rules at the list's lines, and written whole or not at all."""

from __future__ import annotations

import pytest

from profilectl.errors import InputRefused, TryLater
from profilectl.people.importing import plan_import, write
from profilectl.people.mapping import map_columns
from profilectl.people.photos import PhotoSource

HEAD = 'version = 1\n[brands.acme]\nhandle = "acmecare"\n[defaults]\nkind = "human"\n'


@pytest.fixture
def plan(tmp_path, table):
    """A function from a roster's and a list's text to what would change."""

    def plan(roster, text, *options, **settings):
        people = table(text)
        source = PhotoSource(tmp_path, tmp_path, None, lambda url: b"")
        mapping = map_columns(people.headers, options)
        return plan_import(roster.encode(), "roster.toml", people, mapping, source, **settings)

    return plan


def test_who_has_no_picture_gets_initials(plan):
    """So that the roster can be used as it stands; not where the roster has a picture for everybody."""
    text = "name\nAlice F.\n"

    assert ("alice-f",) == plan(HEAD, text).drawn
    assert (False, ()) == (
        'avatar = "avatars' in plan(HEAD + 'avatar = "a.png"\n', text).text,
        plan(HEAD + 'avatar = "a.png"\n', text).drawn,
    )


def test_the_roster_s_rules_are_told_at_the_list_s_lines(plan, problems_of):
    """A person with a bot's word in the name, and a legal name in public."""
    text = "key,name,legal_name\na,Alice F.,\nb,Bot B.,\nc,Carla Cohen,Carla Cohen\n"

    bot = 'contains the bot marker "bot", but its kind is "human"; '
    bot += 'a column "kind", or --map kind=COLUMN, says "bot" of a bot'

    assert [
        "people.csv:3:3: b.name: " + bot,
        "people.csv:4:3: c.name: contains the legal name, which must never leave the machine",
    ] == problems_of(plan, HEAD, text)


def test_a_list_with_kinds_is_told_where_a_bot_says_so(plan, problems_of):
    """The column is there, and the cell says something else, or nothing."""
    (problem,) = problems_of(plan, HEAD, "key,name,Kind\nb,Bot B.,\n")

    assert problem.endswith('but its kind is "human"; the column "Kind" says "bot" of a bot')


def test_a_key_that_no_list_has_comes_with_the_row_s_name(plan, problems_of):
    """Names of another script leave nothing for a key, so its digits are all that a message would say."""
    (problem,) = problems_of(plan, HEAD, "name,until\nАлиса,soon\n")
    (warning,) = plan(HEAD, "name,email\n王芳,王@x.example\n王芳,芳@x.example\n").warnings

    assert problem.startswith("people.csv:2:7: agent-")
    assert problem.endswith('(the row of "Алиса")')
    assert warning.endswith(' (people.csv:3, "王芳")')


def test_warnings_about_the_list_s_people_are_told(plan):
    """And none about others."""
    change = plan(HEAD, "key,name\na,Alice F.\nb,Alice F.\n")

    assert ("agents.b.name: the same public name as agents.a",) == change.warnings


def test_a_second_time_nothing_is_left_to_do(plan, tmp_path):
    """Pictures included, once they are written."""
    text = "First name,Last name\nAlice,Fast\nBo,Frost\n"
    change = plan(HEAD, text)
    write(change, tmp_path / "roster.toml", None)
    again = plan((tmp_path / "roster.toml").read_text(), text)

    assert (False, 2) == (again.changes_anything, again.comparison.unchanged)


def test_an_empty_cell_changes_nothing(plan):
    """A list with fewer columns, or with gaps, takes nothing away."""
    roster = HEAD + 'avatar = "a.png"\n[agents.a]\nname = "Alice"\ntitle = "Care"\n'

    assert not plan(roster, "key,name,title\na,Alice,\n").changes_anything


def test_who_is_missing_stays_unless_that_is_asked_for(plan):
    """Protected agents stay all the same."""
    roster = HEAD + 'avatar = "a.png"\n' + "".join(f'[agents.{key}]\nname = "{key.upper()}x"\n' for key in "abc")
    roster += "protected = true\n"
    text = "key,name\na,Ax\n"

    assert (("b", "c"), roster) == ((change := plan(roster, text)).comparison.missing, change.text)
    removed = plan(roster, text, remove_missing=True).comparison
    assert (("b",), ("c",)) == (removed.removed, removed.missing)


def test_a_roster_that_has_changed_meanwhile_is_not_touched(plan, tmp_path):
    """Neither is a picture left behind."""
    path = tmp_path / "roster.toml"
    path.write_text(HEAD)
    change = plan(HEAD, "name\nAlice F.\n")
    path.write_text(f"{HEAD}# mine\n")

    with pytest.raises(TryLater, match="has changed meanwhile"):
        write(change, path, HEAD.encode())
    assert (f"{HEAD}# mine\n", []) == (path.read_text(), [*(tmp_path / "avatars").iterdir()])


def test_a_roster_that_must_not_exist_is_not_replaced(plan, tmp_path):
    """One that appeared meanwhile is somebody else's."""
    path = tmp_path / "roster.toml"
    path.write_text("mine")

    with pytest.raises(InputRefused, match=r"can't write .*roster.toml: File exists"):
        write(plan(HEAD, "name\nAlice F.\n"), path, None)
    assert ("mine", []) == (path.read_text(), [*(tmp_path / "avatars").iterdir()])


MOVED = '[agents.alice]\nname = "Alice"\navatar = "a.png"\n[[moved]]\nfrom = "a2"\nto = "alice"\n'


@pytest.mark.parametrize("form", ["mail,name\na1@acme.example,Alice F.\n", "key,name\na2,Alice F.\n"])
def test_a_key_that_was_changed_is_found_under_its_former_ones(plan, form):
    """The spreadsheet still has the address that the first key was made of: every rename made it refuse the roster."""
    roster = HEAD + MOVED + '[[moved]]\nfrom = "a1"\nto = "a2"\n'
    change = plan(roster, form).comparison

    assert ((), [("alice", "name")]) == (change.added, [(each.agent, each.field) for each in change.changes])


def test_a_former_key_beside_the_one_of_today_is_the_same_person(plan, problems_of):
    """Which of the two lines counts is for a person to say."""
    text = "key,name\nalice,Alice F.\na2,Alice G.\n"

    assert ["people.csv:3:1: alice: the same person as in line 2, or keys are needed: --map key=COLUMN"] == problems_of(
        plan, HEAD + MOVED, text
    )
