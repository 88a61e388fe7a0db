"""The forms in which `diff` shows a plan."""

from __future__ import annotations

import base64
import io
import json
import re
from types import SimpleNamespace

import pytest
from PIL import Image

from profilectl.cli import diff
from profilectl.cli.context import Context
from profilectl.cli.html_plan_pictures import compare_changes
from profilectl.cli.options import Options
from profilectl.errors import Refused, Unreachable
from profilectl.model import LedgerState, Picture, Profile
from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.plan.intents import Observation

BEFORE, AFTER = (200, 30, 30), (30, 30, 200)
NAMES = [("alice", "Alice"), ("bruno", "Bruno"), ("clara", "Clara")]


def own(key):
    return f'avatar = "avatars/{key}.png"'


@pytest.fixture
def moved(desk, served):
    """A desk where a name, a picture, and who is there have changed since the last sync; its X."""
    for key, _ in NAMES:
        desk.draw(f"{key}.png", colour=BEFORE)
    desk.write(*((key, name, own(key)) for key, name in NAMES)).run("sync", "--yes")
    desk.draw("bruno.png", colour=AFTER)
    desk.draw("dora.png", colour=AFTER)
    desk.write(("alice", "Ally | <b>", own("alice")), ("bruno", "Bruno", own("bruno")), ("dora", "Dora", own("dora")))
    return desk, served


def colours(page):
    """Return what each picture of a page shows in its middle, red or blue."""
    middles = []
    for picture in re.findall(r"data:image/\w+;base64,([^\"]+)", page):
        with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
            red, _, blue = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
            middles.append("red" if red > blue else "blue")
    return middles


def articles(page):
    return {re.search(r"<code>(\w+)</code>", article)[1]: article for article in page.split("<article")[1:]}


def test_html_shows_what_customers_see_now_and_then(moved):
    """The live picture where it differs or the file is gone, the roster's own where it will do."""
    desk, served = moved
    (desk.folder / "avatars" / "clara.png").unlink()
    result = desk.run("diff", "--format", "html", "--out", "plan.json")
    shown = articles(result.out)

    assert (0, True) == (result.code, json.loads((desk.folder / "plan.json").read_text())["digest"] in result.out)
    assert {"alice": ["red", "red"], "bruno": ["red", "blue"], "dora": ["blue"], "clara": ["red"]} == {
        key: colours(part) for key, part in shown.items()
    }
    assert "Ally | &lt;b&gt;" in shown["alice"]
    assert "can't be shown" not in result.out
    assert served.url not in result.out


@pytest.mark.parametrize(
    "answer", [Unreachable("no connection"), Refused("no picture"), b"", b"GIF89a, but no more", b"<svg/>"], ids=repr
)
def test_a_picture_that_cannot_be_had_is_no_error(tmp_path, answer):
    """Initials and a note in its place; what X serves is decoded, never passed on as it is."""
    profile = Profile("1", "Alice", "https://pbs.twimg.com/a.png", 1)
    observation = Observation("acme", (profile,), 1, LedgerState())
    look = Appearance("Alice", "sha256:gone")
    changes = (
        Change("acme", "alice", Action.DELETE, (Reason.REMOVED,), "1", before=look),
        Change("acme", "bruno", Action.DELETE, (Reason.REMOVED,), "2", before=Appearance("Bruno", "sha256:gone")),
    )
    calls = []

    def download(url):
        calls.append(url)
        if isinstance(answer, bytes):
            return answer
        raise answer

    session = SimpleNamespace(
        jobs=2,
        pictures={},
        brands=(SimpleNamespace(key="acme", handle="acmecare"),),
        clients={"acme": SimpleNamespace(download=download)},
        targets={"acme": SimpleNamespace(observation=observation)},
    )
    context = Context(options=Options(roster=tmp_path / "roster.toml"))
    faces = compare_changes(context, session, SimpleNamespace(changes=changes))

    assert (["https://pbs.twimg.com/a.png"], [("A", None), ("B", None)]) == (
        calls,
        [(face.before.initials, face.before.picture) for face in faces],
    )
    assert all("can't be shown" in face.before.note for face in faces)


def test_markdown_is_for_pull_requests(moved):
    """A title, a table with a row for each change, the digest of the plan."""
    desk, _ = moved
    result = desk.run("diff", "--format", "markdown")
    digest = desk.run("diff", "--json").document["digest"]

    assert (0, "") == (result.code, result.err)
    assert 4 == sum(line.startswith(("| `±`", "| `+`", "| `-`")) for line in result.out.splitlines())
    assert "`Alice`<br>→ `Ally \\| <b>`" in result.out
    assert result.out.endswith(f"Plan `{digest}`\n")


def test_markdown_shows_the_roster_s_pictures_from_the_repository(moved):
    """Each change that brings a picture has the address of its file at that commit."""
    desk, _ = moved
    result = desk.run("diff", "--format", "markdown", "--picture-base", "https://git.example/raw/c0ffee/")
    rows = [line for line in result.out.splitlines() if line.startswith(("| `±`", "| `+`", "| `-`"))]

    assert 0 == result.code
    assert [1, 1, 1, 0] == sorted((row.count(' src="https://git.example/raw/c0ffee/') for row in rows), reverse=True)
    assert len(rows) == result.out.count(" |\n") - 2


def test_a_roster_s_folder_may_have_a_space(moved):
    """A browser gets an address, whatever the folder is called."""
    desk, _ = moved
    result = desk.run("diff", "--format", "markdown", "--picture-base", "https://git.example/raw/c0ffee/my team")

    assert (0, 3) == (result.code, result.out.count(' src="https://git.example/raw/c0ffee/my%20team/'))


def test_markdown_shows_what_x_serves_now():
    """The live picture's address is X's own, also of a profile that only goes; without one there is none."""
    profile = Profile("1", "Alice", "https://pbs.twimg.com/a.png", 1)
    observation = Observation("acme", (profile,), 1, LedgerState())
    after = Appearance("Ally", "sha256:aa")
    changes = (
        Change("acme", "alice", Action.REPLACE, (Reason.NAME,), "1", after=after),
        Change("acme", "alice", Action.DESTROY, (Reason.REPLACED,), "1"),
        Change("acme", "bruno", Action.CREATE, (Reason.NEW,), after=after),
    )
    session = SimpleNamespace(
        pictures={"faces/a b.png": Picture("faces/./a b.png", "sha256:aa", 1)},
        targets={"acme": SimpleNamespace(observation=observation)},
    )
    faces = diff._faces(session, SimpleNamespace(changes=changes), "https://git.example/raw/1")
    live, file = "https://pbs.twimg.com/a.png", "https://git.example/raw/1/faces/a%20b.png"

    assert [(live, file), (live, None), (None, file)] == [(faces[each].now, faces[each].new) for each in changes]


NO_FOLDER = "isn't the https address of a folder"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--picture-base", "https://git.example"], "is for --format markdown"),
        (["--format", "markdown", "--picture-base", "http://git.example"], NO_FOLDER),
        (["--format", "markdown", "--picture-base", "https://git.example/?ref="], NO_FOLDER),
        (["--format", "markdown", "--picture-base", "https://me:pw@git.example"], NO_FOLDER),
    ],
)
def test_a_picture_base_is_the_https_address_of_a_folder(desk, words, why):
    """And only Markdown, which can't hold pictures, needs one."""
    desk.write(("alice", "Alice"))
    result = desk.run("diff", *words)

    assert (2, True) == (result.code, why in result.err)


def test_json_is_the_same_by_both_names(moved):
    """Also as the form of errors."""
    desk, _ = moved
    both = desk.run("diff", "--format", "json"), desk.run("--json", "diff"), desk.run("diff", "--json", "--format=json")
    wrong = desk.run("diff", "--format", "json", "--agent", "nobody")

    assert both[0].out == both[1].out == both[2].out
    assert {"basis", "selection", "checksum"} <= both[0].document.keys()
    assert {"brands": ["acme"], "agents": [], "allow_deletes": None, "prune_now": False}.items() <= both[0].document[
        "selection"
    ].items()
    assert (2, "usage") == (wrong.code, wrong.document["error"]["kind"])


def test_a_table_in_a_pipe_is_drawn_without_colour(moved):
    """Asked for, it is a table as on a terminal; else lines with tabs."""
    desk, _ = moved
    table, plain = desk.run("diff", "--format", "table"), desk.run("diff")

    assert ("\t" in table.out, "\x1b" in table.out) == (False, False)
    assert re.search(r"^± +alice .*   Alice\n +→ Ally \| <b>$", table.out, re.MULTILINE)
    assert {8} == {len(row) for row in plain.rows}
    assert table.err == plain.err
    assert re.search(r"^plan sha256:[0-9a-f]{64}$", plain.err, re.MULTILINE)


def test_two_forms_at_once_are_a_usage_error(desk):
    """Told before anything is asked of X."""
    desk.write(("alice", "Alice"))
    assert 2 == desk.run("diff", "--json", "--format", "html").code
    assert 2 == desk.run("diff", "--format", "yaml").code


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_quiet_writes_no_document_about_nothing(desk, form):
    """So that a script posts a comment only when there is something to say."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(("alice", "Alice")).run("sync", "--yes")

    assert ("", "") == ((done := desk.run("diff", "--quiet", "--format", form)).out, done.err)
    assert "; 1 unchanged" in desk.run("diff", "--format", form).out


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_a_refused_plan_says_so_in_every_form(moved, form):
    """On the page, on stderr, and by its exit code."""
    desk, _ = moved
    desk.write(("dora", "Dora", own("dora")))
    result = desk.run("diff", "--format", form)

    assert 5 == result.code
    assert "refused: brand acme: 3 of 3 agents would be deleted" in result.err
    assert "--allow-deletes 3" in result.out
