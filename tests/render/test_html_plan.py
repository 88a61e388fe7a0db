"""Both faces side by side, in one file that does nothing but show them."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess

import pytest
from msgspec.structs import replace

from profilectl.plan.builder import Plan
from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.plan.fingerprint import Basis
from profilectl.plan.guards import Refusal
from profilectl.render.html import ShownAppearance, compare, plan_page
from tests.render.test_html import PIXEL, SCRIPT, Outline

BASIS = Basis(roster="sha256:r", pictures="sha256:p", ledger="sha256:l", remote="sha256:x")
RENAME = Change(
    "acme",
    "alice",
    Action.REPLACE,
    (Reason.NAME,),
    "1",
    Appearance("Alice", "sha256:a"),
    Appearance("Ally", "sha256:a"),
)


def page_of(*triples, handle="acmecare", options="", **more):
    comparisons = [compare(change, handle, before, after, options) for change, before, after in triples]
    return plan_page(Plan(tuple(change for change, *_ in triples), BASIS, **more), comparisons)


def sight(name="Alice", picture=PIXEL, note=""):
    return ShownAppearance(name, picture, None if picture is None else "image/png", note)


def test_a_change_shows_both_faces():
    """Picture and name as customers see them, before and after, each in its figure."""
    outline = Outline(page_of((RENAME, sight("Alice"), sight("Ally"))))

    assert ["Before", "After"] == outline.texts["figcaption"]
    assert (["Alice"], ["Ally"]) == (outline.texts["name"][:1], outline.texts["mark"])
    assert ["data:image/png;base64," + base64.b64encode(PIXEL).decode()] * 2 == outline.addresses


def test_what_is_new_is_marked_and_nothing_else():
    """The words that come, and a ring around a picture that does; of what stays nothing is marked."""
    names = page_of((RENAME, sight("Alice F., Care Specialist"), sight("Alice F., Care Team Lead <b>")))
    picture = page_of((replace(RENAME, why=(Reason.AVATAR,)), sight("Alice"), sight("Alice", b"other")))

    assert "Alice F., Care <mark>Team Lead &lt;b&gt;</mark>" in names
    assert (False, True) == tuple('class="replace repictured"' in page for page in (names, picture))
    assert "<mark>" not in picture


@pytest.mark.parametrize(
    ("said", "change"),
    [
        ("Nobody yet", Change("acme", "a", Action.CREATE, (Reason.NEW,), after=RENAME.after)),
        (
            "Nobody any more: the profile is gone from X",
            Change("acme", "a", Action.CREATE, (Reason.LOST,), None, RENAME.before, RENAME.after),
        ),
        (
            "X hasn't shown yet what became of an earlier create",
            Change("acme", "a", Action.BLOCKED, (Reason.UNSETTLED,), after=RENAME.after),
        ),
    ],
)
def test_where_nobody_was_seen_it_says_why(said, change):
    """No empty frame."""
    assert [said] == Outline(page_of((change, None, sight()))).texts["nobody"]


def test_a_face_that_goes_leaves_nobody():
    """A removal has no face afterwards."""
    change = Change("acme", "a", Action.DELETE, (Reason.REMOVED,), "1", before=RENAME.before)

    assert ["Nobody any more"] == Outline(page_of((change, sight(), None))).texts["nobody"]


@pytest.mark.parametrize(
    ("initials", "name"),
    [
        ("AF", "Alice F., Care Specialist"),
        ("ف", "فاطمة · Support"[:5]),
        ("", "…"),
        ("A", "<b> (Alice)"[4:]),
        ("K", "Kim 👩🏽‍💻"),
    ],
)
def test_a_missing_picture_leaves_initials_and_a_note(initials, name):
    """Nothing broken, nothing to fetch."""
    outline = Outline(page_of((RENAME, sight(name, None, "It can't be shown"), sight())))

    assert ([initials], ["It can't be shown"]) == (outline.texts["portrait"][:1], outline.texts["note"])
    assert 1 == outline.tags.count("img")


def test_a_blocked_agent_comes_with_the_command_that_helps():
    """What is in the way beside what is wanted, and the words to type."""
    change = Change("acme", "alice", Action.BLOCKED, (Reason.NAMESAKE,), "77", after=RENAME.after)
    outline = Outline(page_of((change, sight("Ally"), sight("Ally")), options=" --sandbox"))

    assert ["In the way", "Wanted"] == outline.texts["figcaption"]
    assert "profilectl profiles adopt alice 77 --brand acme --sandbox" in outline.texts["code"]


def test_summary_refusal_and_digest_frame_the_page():
    """The whole verdict is on the page, for whoever gets nothing else."""
    refused = Refusal("max_deletes", "too many", "--allow-deletes 8")
    page = page_of((RENAME, sight(), sight()), unchanged=3, refused=refused)
    outline = Outline(page)

    assert ["Custom profiles: 1 replace; 3 unchanged"] == outline.texts["h1"]
    assert ["Refused:"] == outline.texts["strong"]
    assert "--allow-deletes 8" in outline.texts["code"]
    assert "allows this plan; --agent KEY leaves out whom it doesn&#39;t name." in page
    assert outline.texts["code"][-1] == Plan((RENAME,), BASIS).digest


def test_nothing_to_do_has_a_page_too():
    """And says so."""
    assert "Nothing to do." in page_of()


def test_every_change_is_a_keystroke_away():
    """A list of links leads to each, under the heading of its brand."""
    other = Change("help", "bob", Action.DELETE, (Reason.REMOVED,), "2", before=RENAME.before)
    page = page_of((RENAME, sight(), sight()), (other, sight(), None))

    assert ["#change-1", "#change-2"] == [one for one in Outline(page).addresses if one.startswith("#")]
    assert (2, 1, 1) == (page.count("<h2>"), page.count('id="change-1"'), page.count('id="change-2"'))


def test_the_page_needs_nothing_but_itself():
    """Pictures are inside, scripts aren't, and the policy forbids whatever else might load."""
    page = page_of((RENAME, sight(), sight()))

    assert not {"script", "link", "iframe", "object", "form"} & set(Outline(page).tags)
    assert "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\"" in page
    assert not re.search(r"https?:|url\(|@import", page)


def test_hostile_strings_stay_text():
    """Whatever a name, a key, a handle, a note or a guard holds: no element more, nothing hidden."""
    evil = SCRIPT + "\x1b\u202e"
    look = Appearance(evil, "sha256:a")
    change = Change(evil, evil, Action.BLOCKED, (Reason.NAMESAKE,), evil, look, look)
    tame = Change("acme", "a", Action.BLOCKED, (Reason.NAMESAKE,), "7", RENAME.before, RENAME.after)
    pages = [
        page_of(
            (one, sight(text, None, text), sight(text)), handle=text, options=text, refused=Refusal("x", text, text)
        )
        for one, text in ((change, evil), (tame, "tame"))
    ]

    assert Outline(pages[0]).tags == Outline(pages[1]).tags
    assert not {"\x1b", "\u202e"} & set(pages[0].replace("\n", ""))


def test_a_browser_runs_nothing_of_it(tmp_path, require):
    """Chromium shows the hostile name, and its script never speaks."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    require("browser", browser is not None, "no Chromium is installed")
    page = tmp_path / "plan.html"
    page.write_text(page_of((RENAME, sight(SCRIPT), sight("x" * 48))), encoding="utf-8")
    switches = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    switches += ["--disable-component-update", "--no-first-run", f"--user-data-dir={tmp_path / 'browser'}"]
    done = subprocess.run(
        [browser, *switches, "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "<title>Plan: 1 replace; 0 unchanged</title>" in done.stdout
    assert "&lt;script&gt;document.title" in done.stdout
