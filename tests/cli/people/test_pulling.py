"""``roster pull``: a directory's people come and go, what a hand has edited stays, and X is never called."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from tests import people_server
from tests.people_server import GROUP, TOKEN, USER

KINDS = ("okta", "entra", "google", "zendesk")
PEOPLE = [
    ("2", "Alice", "Fast", "alice@acme.example", True),
    ("4", "Bruno", "Kern", "bruno@acme.example", True),
    ("6", "Carla", "Moss", "carla@acme.example", True),
]


@pytest.fixture
def pull(desk):
    """A function that pulls from a server into the desk's roster; `desk` has one of bob, who is in no directory."""
    desk.write(("bob", "Bob B."))
    config = desk.folder / "config" / "profilectl" / "config.toml"
    config.parent.mkdir(parents=True)
    token = desk.folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    desk.env |= {
        "XDG_CONFIG_HOME": str(desk.folder / "config"),
        "XDG_STATE_HOME": str(desk.folder / "state"),
        "PROFILECTL_API_URL": "http://127.0.0.1:9",  # whoever called X would fail
    }

    def pull(server, *words, **settings):
        lines = [f"[people.{server.kind}]", f'url = "{server.url}"', f'token_file = "{token}"', f'group = "{GROUP}"']
        if server.kind == "zendesk":
            lines.append(f'user = "{USER}"')
        lines += [f"{key} = {in_toml(value)}" for key, value in settings.items()]
        config.write_text("\n".join(lines) + "\n")
        done = desk.run("roster", "pull", *words)
        assert TOKEN not in done.out + done.err
        return done

    return pull


def in_toml(value):
    """Return a number, or a table of texts, as it stands behind a key."""
    if not isinstance(value, dict):
        return json.dumps(value)
    return f"{{ {', '.join(f'{key} = {json.dumps(text)}' for key, text in value.items())} }}"


@pytest.fixture(params=KINDS)
def server(request):
    with people_server.Directory(request.param, *PEOPLE) as server:
        yield server


@pytest.fixture
def okta():
    with people_server.Directory("okta", *PEOPLE) as server:
        yield server


def agents(desk):
    return tomllib.loads((desk.folder / "roster.toml").read_text(encoding="utf-8"))["agents"]


def names(desk):
    return {row[1]: row[3] for row in desk.run("roster", "list").rows}


def test_who_is_new_comes_and_a_second_run_changes_nothing(desk, pull, server):
    """From each of the four directories; only names become public, and no address is written."""
    done = pull(server, "--yes")
    before = (desk.folder / "roster.toml").read_bytes()
    again = pull(server, "--yes")

    assert (0, "3 added, 0 changed, 0 removed, 0 unchanged") == (done.code, done.err.splitlines()[-1])
    assert {"bob": "Bob B.", "alice": "Alice F.", "bruno": "Bruno K.", "carla": "Carla M."} == names(desk)
    assert (0, "", before) == (again.code, again.out, (desk.folder / "roster.toml").read_bytes())
    assert b"acme.example" not in before
    assert 0 == desk.run("roster", "check").code


def test_the_difference_is_a_patch_with_its_day(desk, pull, okta):
    """For whoever reviews it; nothing is written by a dry run."""
    before = (desk.folder / "roster.toml").read_text()
    done = pull(okta, "--dry-run")
    lines = done.out.splitlines()

    assert (0, "--- roster.toml\tbefore") == (done.code, lines[0])
    assert re.fullmatch(r"\+\+\+ roster\.toml\t20\S+Z okta", lines[1])
    assert ["+[agents.alice]", "+[agents.bruno]", "+[agents.carla]"] == [line for line in lines if "[agents." in line][
        -3:
    ]
    assert before == (desk.folder / "roster.toml").read_text()
    assert not (desk.folder / "state").exists()


def test_without_a_terminal_yes_is_needed(desk, pull, okta):
    """Nothing is written or remembered without it."""
    before = (desk.folder / "roster.toml").read_text()
    done = pull(okta)

    assert (2, before) == (done.code, (desk.folder / "roster.toml").read_text())
    assert not (desk.folder / "state").exists()


def test_on_a_terminal_a_person_is_asked(desk, pull, okta):
    """After the patch was shown."""
    pull(okta, "--dry-run")
    code, screen = desk.watch("roster", "pull", answers=b"y\n")

    assert (0, True) == (code, "+[agents.alice]" in screen)
    assert "alice" in agents(desk)


def test_a_patch_has_whole_lines_on_a_narrow_terminal(desk, pull, okta):
    """With broken ones it would be no patch."""
    lines = pull(okta, "--dry-run").out.splitlines()
    desk.env["COLUMNS"] = "12"
    _, screen = desk.watch("roster", "pull", "--dry-run")
    added = [line for line in lines if line.startswith("+") and " " in line and not line.startswith("+++")]

    assert added
    assert [] == [line for line in added if line not in screen.splitlines()]


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"\x03"], ids=["no", "Enter", "Ctrl-C"])
def test_who_says_no_has_written_nothing(desk, pull, okta, answer):
    """With 130, as every question: neither the roster nor what is remembered of the directory."""
    pull(okta, "--dry-run")
    before = (desk.folder / "roster.toml").read_text()
    code, _ = desk.watch("roster", "pull", at_questions=[lambda: answer])

    assert (130, before, False) == (code, (desk.folder / "roster.toml").read_text(), (desk.folder / "state").exists())


def test_what_changes_there_changes_here(desk, pull, server):
    """Under the same key, though the address is another one now; nobody is replaced."""
    pull(server, "--yes")
    server.people[0] = ("2", "Alicia", "Fast", "alicia@acme.example", True)
    done = pull(server, "--yes")

    assert (0, "Alicia F.") == (done.code, names(desk)["alice"])
    assert "0 added, 1 changed, 0 removed, 2 unchanged" in done.err


def test_a_field_that_a_hand_has_edited_stays(desk, pull, okta):
    """Also when the directory says something new; other fields of the agent still follow it."""
    pull(okta, "--yes")
    roster = desk.folder / "roster.toml"
    roster.write_text(roster.read_text().replace('first = "Alice"', 'first = "Ali" # as customers know her'))
    okta.people[0] = ("2", "Alexandra", "Frost", "alice@acme.example", True)
    done = pull(okta, "--yes")

    assert ("Ali", "Frost") == (agents(desk)["alice"]["first"], agents(desk)["alice"]["last"])
    assert "edited by hand, so left as they are: alice.first\n" in done.err
    assert "# as customers know her" in roster.read_text()


def test_who_leaves_there_leaves_here(desk, pull, server):
    """Suspended or gone; whoever was never in the directory stays."""
    pull(server, "--yes")
    server.people[1] = ("4", "Bruno", "Kern", "bruno@acme.example", False)
    done = pull(server, "--yes")

    assert (0, {"bob", "alice", "carla"}) == (done.code, {*agents(desk)})
    assert "0 added, 0 changed, 1 removed, 2 unchanged" in done.err


def test_a_directory_that_is_suddenly_empty_removes_nobody(desk, pull, okta):
    """Nor do more leavers than allowed; the option for it is named."""
    pull(okta, "--yes")
    okta.people = okta.people[:1]
    refused = pull(okta, "--yes", max_deletes=1)
    allowed = pull(okta, "--yes", "--max-deletes", "2", max_deletes=1)

    assert (5, True) == (refused.code, "2 agents have left Okta, and at most 1 may go at once" in refused.err)
    assert "--max-deletes 2 allows this" in refused.err
    assert (0, {"bob", "alice"}) == (allowed.code, {*agents(desk)})


def test_protected_agents_stay(desk, pull, okta):
    """Whatever the directory says."""
    pull(okta, "--yes")
    roster = desk.folder / "roster.toml"
    roster.write_text(roster.read_text().replace('first = "Alice"', 'first = "Alice"\nprotected = true'))
    okta.people = okta.people[1:]

    assert (0, True) == (pull(okta, "--yes").code, "alice" in agents(desk))


def test_whom_a_hand_has_removed_stays_out(desk, pull, okta):
    """Run after run."""
    pull(okta, "--yes")
    roster = desk.folder / "roster.toml"
    text = roster.read_text()
    roster.write_text(text[: text.index("\n[agents.carla]")])
    for _ in range(2):
        done = pull(okta, "--yes")

        assert (0, False) == (done.code, "carla" in agents(desk))
        assert "removed by hand, so left out: carla\n" in done.err


def test_somebody_else_of_that_key_is_not_touched(desk, pull, okta):
    """Neither one whom a hand has written, nor one of the directory under an address that went to another person."""
    desk.write(("alice", "Alice Zed", "title = 'mine'"))
    pull(okta, "--yes")
    first = agents(desk)
    okta.people[1] = ("8", "Bruna", "Kohl", "bruno@acme.example", True)
    pull(okta, "--yes")
    second = agents(desk)

    assert ({"name": "Alice Zed", "title": "mine"}, 1) == (
        first["alice"],
        len([key for key in first if key[:6] == "alice-"]),
    )
    assert "bruno" not in second
    assert ["Bruna"] == [agent["first"] for key, agent in second.items() if key.startswith("bruno-")]


def test_a_run_that_was_killed_before_it_remembered_is_no_trouble(desk, pull, okta):
    """The next one recognises whom it has written."""
    pull(okta, "--yes")
    for path in (desk.folder / "state" / "profilectl" / "people").iterdir():
        path.unlink()
    before = (desk.folder / "roster.toml").read_bytes()
    done = pull(okta, "--yes")

    assert (0, before) == (done.code, (desk.folder / "roster.toml").read_bytes())


def test_fields_may_be_mapped(desk, pull, okta):
    """By what the directory calls them; a legal name isn't shown."""
    done = pull(okta, "--yes", map={"legal_name": "profile.email", "first": "profile.lastName"})

    assert ("Fast", "alice@acme.example") == (agents(desk)["alice"]["first"], agents(desk)["alice"]["legal_name"])
    assert ("alice@acme.example" in done.out, "+legal_name = (private)" in done.out) == (False, True)


def test_names_that_the_roster_would_not_take_are_told(desk, pull, okta):
    """All at once, and nothing is written."""
    okta.people.append(("8", "Bot", "Xu", "bot@acme.example", True))
    done = pull(okta, "--yes")

    assert (5, {"bob"}) == (done.code, {*agents(desk)})
    assert 'bot.name: contains the bot marker "bot"' in done.err


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        ((403, {}), 4, "error: Okta doesn't accept the token (HTTP 403)"),
        ((404, {}), 5, "error: Okta has no such list (HTTP 404)"),
        ((429, {}), 75, "error: Okta wants us to wait (HTTP 429)"),
    ],
)
def test_failures_have_their_codes(desk, pull, okta, failure, code, message):
    """And change nothing."""
    okta.failures = [failure]
    before = (desk.folder / "roster.toml").read_bytes()
    done = pull(okta, "--yes")

    assert (code, True, before) == (done.code, message in done.err, (desk.folder / "roster.toml").read_bytes())


def test_the_document_and_the_log_hold_no_token(desk, pull, okta):
    """With -v every call is told, without what it carries."""
    done = pull(okta, "--yes", "--json", "-v")

    assert ("profilectl.import/1", True, 3) == (
        done.document["schema"],
        done.document["written"],
        len(done.document["added"]),
    )
    assert f"GET /api/v1/groups/{GROUP}/users 200" in done.err


def test_no_directory_is_a_usage_error(desk):
    """With where one is set up."""
    desk.write(("bob", "Bob B."))
    done = desk.run("roster", "pull")

    assert (2, True) == (done.code, "no directory is set up in " in done.err)


def test_a_memory_that_is_none_is_named(desk, pull, okta):
    """Rather than taken for an empty one, which would take every difference for an edit."""
    pull(okta, "--yes")
    [path] = (desk.folder / "state" / "profilectl" / "people").iterdir()
    path.write_text("[]")
    done = pull(okta, "--yes")

    assert (5, True) == (done.code, "isn't a memory of people" in done.err)
