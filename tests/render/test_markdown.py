"""A plan in a pull request: right, and harmless whatever the names hold."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from markdown_it import MarkdownIt

from profilectl.plan.builder import Plan
from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.plan.fingerprint import Basis
from profilectl.plan.guards import Refusal
from profilectl.render.markdown import Faces, code, plan_document
from profilectl.text.escape import visible

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
HOSTILE = [
    "a | b",
    "a \\| b",
    "\\",
    "`code`",
    "``",
    "@everybody #1 acme/care#2 http://evil.example www.evil.example me@evil.example :tada:",
    "[x](http://evil.example) ![x](http://evil.example/p.png)",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "&#64;you &lt;b&gt;",
    "one\ntwo\r\n| three |",
    "\x1b[2J\u202e",
    " a ",
    "**b** _i_ ~~s~~",
]

PLAIN = {"h3", "blockquote", "p", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}


def plan_of(*changes, **more):
    return Plan(changes, BASIS, **more)


class Text(HTMLParser):
    """The elements of a page, and the text of its cells and code spans."""

    def __init__(self, document):
        super().__init__()
        self.tags, self.cells, self.spans = [], [], []
        self.inside = []
        self.feed(MarkdownIt("gfm-like", {"linkify": False}).render(document))

    def handle_starttag(self, tag, _attrs):
        self.tags.append(tag)
        self.inside.append(tag)
        {"td": self.cells, "code": self.spans}.get(tag, []).append("")

    def handle_endtag(self, tag):
        self.inside.remove(tag)

    def handle_data(self, data):
        for tag, texts in (("td", self.cells), ("code", self.spans)):
            if tag in self.inside:
                texts[-1] += data


def test_a_plan_is_a_title_a_table_and_a_digest():
    """Ready to be posted."""
    changes = (
        RENAME,
        Change("acme", "bob", Action.CREATE, (Reason.NEW,), after=Appearance("Bob", "sha256:b")),
        Change("acme", "eve", Action.DELETE, (Reason.REMOVED,), "3", before=Appearance("Eve", "sha256:e")),
    )
    document = plan_document(plan_of(*changes, unchanged=39), "").replace(plan_of(*changes).digest, "sha256:…")

    assert document == snapshot(
        """\
### Custom profiles: 1 create, 1 replace, 1 delete; 39 unchanged

|  | brand | agent | change | why | name | picture changed |
| --- | --- | --- | --- | --- | --- | --- |
| `±` | `acme` | `alice` | replace | name | `Alice`<br>→ `Ally` | no |
| `+` | `acme` | `bob` | create | new | `Bob` | yes |
| `-` | `acme` | `eve` | delete | left the roster | `Eve` |  |

Plan `sha256:…`\
"""
    )


def test_nothing_to_do_is_told_without_a_table():
    """Title and digest stay."""
    document = plan_document(plan_of(unchanged=2), "")

    assert ("2 unchanged" in document, "|" in document, "Plan `sha256:" in document) == (True, False, True)


def test_a_refusal_stands_above_the_table():
    """With the option that allows the plan."""
    refused = Refusal("max_deletes", "brand acme: 8 of 9 agents would be deleted", "--allow-deletes 8")

    assert (
        "\n> **Refused:** `brand acme: 8 of 9 agents would be deleted`. `--allow-deletes 8` allows this plan; "
        "`--agent KEY` leaves out whom it doesn't name.\n" in plan_document(plan_of(RENAME, refused=refused), "")
    )


def test_blocked_agents_come_with_the_command_that_helps():
    """As it has to be typed, with the options of this run; where only time helps, that is said."""
    blocked = Change("acme", "alice", Action.BLOCKED, (Reason.NAMESAKE,), "77", after=Appearance("Alice", "sha256:a"))
    waiting = Change("acme", "bob", Action.BLOCKED, (Reason.UNSETTLED,), after=Appearance("Bob", "sha256:a"))
    lines = plan_document(plan_of(blocked, waiting), " --roster 'my team.toml'").splitlines()

    assert (
        "- `alice` of `acme`: a profile of that name exists (`77`); if it is the agent's, run "
        "`profilectl profiles adopt alice 77 --brand acme --roster 'my team.toml'`"
    ) in lines
    assert "- `bob` of `acme`: an earlier create is still in doubt; run the same command again later" in lines


def test_a_lost_ledger_is_one_line_for_all():
    """Not a command for each agent."""
    after = Appearance("Alice", "sha256:a")
    blocked = [Change("acme", f"a{at}", Action.BLOCKED, (Reason.NAMESAKE,), str(at), after=after) for at in range(3)]
    document = plan_document(plan_of(*blocked), "")

    assert (
        "\n- 3 agents of brand `acme` have profiles at X that this ledger doesn't know: "
        "if another ledger knows them, name it with PROFILECTL_LEDGER; if none does, "
        "`profilectl recover --brand acme` binds them\n"
    ) in document
    assert "adopt" not in document.partition("**Blocked**")[2]


@pytest.mark.parametrize(
    ("shown", "change"),
    [
        ("no", RENAME),
        ("yes", Change("acme", "a", Action.REPLACE, (Reason.SWAPPED,), "1", RENAME.before, RENAME.before)),
        ("no", Change("acme", "a", Action.CREATE, (Reason.LOST,), None, RENAME.before, RENAME.before)),
        ("yes", Change("acme", "a", Action.CREATE, (Reason.NEW,), None, None, RENAME.after)),
        ("", Change("acme", "a", Action.DESTROY, (Reason.REPLACED,), "1")),
        ("", Change("acme", "a", Action.ADOPT, (Reason.UNANSWERED,), "1", None, RENAME.after)),
    ],
)
def test_whether_customers_see_another_picture(shown, change):
    """Only what makes a face can change it; a swapped picture is one that differs."""
    assert shown == Text(plan_document(plan_of(change), "")).cells[-1]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name):
    """In every column: one row of seven cells, no element, no address, nothing but code."""
    look = Appearance(name, "sha256:a")
    change = Change(name, name, Action.BLOCKED, (Reason.NAMESAKE,), "7", look, look)
    page = Text(plan_document(plan_of(change, refused=Refusal("x", name, name)), name))

    assert (7, {"td", "code"}) == (len(page.cells), {"td", "code"} & set(page.tags))
    assert set(page.tags) <= PLAIN
    assert visible(name).replace("\\|", "\\\\|") in page.cells[5]


@given(st.text(st.sampled_from("`\\| ab\n")))
@example("`")
@example(" `` ")
def test_a_code_span_shows_what_it_was_given(text):
    """Backticks, spaces and backslashes come back as they were."""
    spans = Text(f"x {code(text)} x").spans

    assert ([visible(text)] if text else []) == spans


def test_no_character_that_hides_is_left():
    """Controls and direction marks are spelled out."""
    change = Change("acme", "a", Action.CREATE, (Reason.NEW,), after=Appearance("".join(HOSTILE), "sha256:a"))

    assert not re.search("[^\n -~→±]", plan_document(plan_of(change), ""))


class Images(HTMLParser):
    """The images of a page, by the attributes that they have."""

    def __init__(self, document):
        super().__init__()
        self.images, self.cells = [], 0
        self.feed(MarkdownIt("gfm-like", {"linkify": False}).render(document))

    def handle_starttag(self, tag, attrs):
        self.cells += tag == "td"
        if tag not in PLAIN | {"br"}:  # between the old name and the new one
            self.images.append((tag, dict(attrs)))


def with_faces(now, new):
    return plan_document(plan_of(RENAME), "", {RENAME: Faces(now, new)})


def test_both_faces_stand_in_the_table():
    """The live one and the new one, in columns of their own."""
    document = with_faces("https://pbs.twimg.com/media/a?format=jpg&name=small", "https://git.example/raw/1/a%20b.png")
    size = {"width": "64", "alt": ""}

    assert " picture changed | now | new |" in document
    assert [
        ("img", {"src": "https://pbs.twimg.com/media/a?format=jpg&name=small", **size}),
        ("img", {"src": "https://git.example/raw/1/a%20b.png", **size}),
    ] == Images(document).images


NOT_SHOWN = [
    *(None, "", "http://pbs.twimg.com/a.png", "http://127.0.0.1/a.png", "javascript:alert(1)", "data:image/png,x"),
    *("//evil.example/a.png", "https://me:pw@evil.example/a.png", "https://ex\u0430mple.com/a.png"),
]


@pytest.mark.parametrize("address", NOT_SHOWN)
def test_only_https_is_shown(address):
    """Any other address leaves its cell empty."""
    document = with_faces(address, address)

    assert ([], 9) == (Images(document).images, Images(document).cells)


@given(st.text(max_size=40))
@example('"><script>alert(1)</script>')
@example("a | b \\| c")
@example("`x` [y](z) ![i](j)\n\n| t |")
@example("'onerror='alert(1)")
@example("%22 onload=x &quot;")
def test_no_address_ends_its_image(rest):
    """Whatever X calls a picture stays the address of one image, in one cell."""
    page = Images(with_faces(f"https://pbs.twimg.com/{rest}", None))

    assert 9 == page.cells
    assert all((tag, {"src", "width", "alt"}) == ("img", set(attrs)) for tag, attrs in page.images)
    assert len(page.images) <= 1


def test_a_name_from_right_to_left_turns_no_arrow_around():
    """Both names are isolated, each on its line; others stay as they are."""
    change = Change(
        *("acme", "yael", Action.REPLACE, (Reason.NAME,), "1"),
        before=Appearance("יעל כהן", "sha256:a"),
        after=Appearance("יעל לוי", "sha256:a"),
    )
    assert "| \u2068`יעל כהן`\u2069<br>→ \u2068`יעל לוי`\u2069 |" in plan_document(plan_of(change), "")
