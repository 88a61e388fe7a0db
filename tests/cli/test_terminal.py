"""What a person sees: tables and questions on a terminal, plain lines elsewhere, silence when it is asked for."""

from __future__ import annotations

import re

import pytest

TEAM = [("alice", "Alice F."), ("bruno", "Bruno [Tier 2]")]


@pytest.fixture(autouse=True)
def _sandboxed(desk):
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM)


def test_a_terminal_gets_a_table_with_symbols_first(desk):
    """Diff draws a table: the symbol, who, what, why; a name's brackets are only text."""
    code, screen = desk.watch("diff")

    assert 0 == code
    assert "+" in screen
    assert "Bruno [Tier 2]" in screen
    assert "2 create at @acmecare on the local X" in screen


def test_colours_only_add(desk):
    """NO_COLOR leaves a terminal without a single escape sequence, and the same words."""
    _, coloured = desk.watch("diff")
    desk.env["NO_COLOR"] = "1"
    _, plain = desk.watch("diff")

    assert "\x1b[" in coloured
    assert "\x1b" not in plain
    assert "Bruno [Tier 2]" in plain


def test_sync_asks_before_it_applies(desk):
    """On a terminal the plan is shown and agreed to; "n" changes nothing and ends as an interruption."""
    declined, screen = desk.watch("sync", answers=b"n\n")
    agreed, _ = desk.watch("sync", answers=b"y\n")

    assert (130, 0) == (declined, agreed)
    assert "Apply 2 create at @acmecare on the local X?" in screen
    assert "nothing was changed" in screen
    assert [] == desk.run("diff", "--exit-code").rows


@pytest.mark.parametrize("typed", [b"y\n", b"y", b"y\ny\ny\n"])
def test_what_is_typed_before_the_question_does_not_answer_it(desk, typed):
    """Nobody agrees to a plan that they haven't seen."""
    code, screen = desk.watch("sync", ahead=typed, answers=b"\n")

    assert (130, True) == (code, "nothing was changed" in screen)
    assert 3 == desk.run("diff", "--exit-code").code


def test_ctrl_c_at_the_question_is_130(desk):
    """Leaving at the question changes nothing."""
    code, _ = desk.watch("sync", answers=b"\x03")

    assert 130 == code
    assert 3 == desk.run("diff", "--exit-code").code


@pytest.mark.parametrize("width", ["80", "40"])
def test_narrow_terminals_lose_nothing(desk, width):
    """At any width every id and name can be read in full, folded when there is no room."""
    desk.env |= {"COLUMNS": width, "NO_COLOR": "1"}
    desk.write(("alice", "z" * 48))
    _, screen = desk.watch("diff")

    assert 48 == screen.count("z")
    # A digest is to be copied whole, and a sentence is folded by the terminal.
    lines = [line for line in screen.splitlines() if not re.match("plan sha256:|1 create at |cost: ", line)]
    assert all(len(line) <= int(width) for line in lines)


def test_a_pipe_gets_tabs_and_nothing_else(desk):
    """Off a terminal: tab-separated, never cut, no colour, no boxes, even when colour is forced."""
    desk.env |= {"FORCE_COLOR": "1", "COLUMNS": "20", "GITHUB_ACTIONS": "true"}
    result = desk.run("diff")

    assert [["+", "acme", key, "create", "new", "", "", name] for key, name in TEAM] == result.rows
    assert "\x1b" not in result.out + result.err


def test_quiet_says_nothing_when_nothing_changed(desk):
    """A cron job that has nothing to do sends no mail."""
    first = desk.run("sync", "--yes", "-q")
    second = desk.run("sync", "--yes", "-q")

    assert (2, "") == (len(first.rows), first.err)
    assert (0, "", "") == (second.code, second.out, second.err)
    assert ("", "") == (desk.run("diff", "-q").out, desk.run("diff", "-q").err)


def test_global_options_stand_before_or_after_the_command(desk):
    """`--json diff` and `diff --json` are the same."""
    assert desk.run("--json", "diff").document == desk.run("diff", "--json").document


def test_a_closed_pipe_is_no_failure(desk):
    """`profilectl diff | head -1` ends quietly."""
    result = desk.shell("profilectl diff | head -n 1; profilectl roster list | true")

    assert 0 == result.code
    assert 1 == len(result.out.splitlines())
    assert "Broken" not in result.err


def test_preview_draws_the_face(desk):
    """On a terminal the picture is drawn in half blocks beside the bubble, with the name beneath."""
    _, screen = desk.watch("preview", "alice")

    assert "\u2580" in screen
    assert "Alice F." in screen


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams_are_no_failure(desk, closed):
    """Whoever starts us may have closed what we speak to; the work is done all the same."""
    assert 0 == desk.shell(f"profilectl sync --yes {closed}").code
    assert 0 == desk.run("diff", "--exit-code").code


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "words",
    ["--help", "--version", "diff --help", "completion bash", "roster list", "sandbox serve --port 0"],
)
def test_a_full_disk_behind_stdout_is_told(desk, words, unbuffered):
    """Whoever redirects into a file that can't grow learns why it is short, and that it is no bug."""
    desk.env["PYTHONUNBUFFERED"] = unbuffered
    result = desk.shell(f"profilectl {words} >/dev/full")

    assert (1, "error: can't write the result to stdout: No space left on device\n") == (result.code, result.err)


@pytest.mark.parametrize("words", ["--help", "--version", "completion bash"])
def test_a_reader_who_leaves_early_is_no_failure(desk, words):
    """Help and scripts end as quietly as results do."""
    assert "" == desk.shell(f"profilectl {words} | true").err


ONLY_STDIN = "stdin isn't a terminal, so nobody can be asked"
PIPED = {
    ("sync",): f"nothing was changed: {ONLY_STDIN}",
    ("recover",): f"nothing was bound: {ONLY_STDIN}",
    ("offboard", "alice"): f": {ONLY_STDIN}",
    ("send", "--as", "alice", "--to", "@ada", "-"): f"not sent: alice is a person, and {ONLY_STDIN}",
    ("send", "--as", "alice", "--to", "@customer", "--edit", "-"): f"--edit needs a terminal, and {ONLY_STDIN}",
}
FROM_A_PIPE = ("bash", "-c", 'echo hi | "$@"', "bash")


@pytest.mark.parametrize("words", PIPED, ids=" ".join)
def test_whoever_pipes_something_in_on_a_terminal_is_told_that(desk, words):
    """There is a terminal, so it isn't said to be missing; the refusal says what wasn't done, and the way on."""
    assert 0 == desk.run("sync", "--yes").code
    desk.env |= {"EDITOR": "true", "NO_COLOR": "1"}
    code, screen = desk.watch(*words, starter=FROM_A_PIPE)

    assert (True, True) == (code in {2, 5}, PIPED[words] in " ".join(screen.split())), screen
    assert "hint: " in screen


def test_the_way_on_for_words_from_a_pipe(desk):
    """As an agent who is a person: type it, edit it, or vouch for it."""
    assert 0 == desk.run("sync", "--yes").code
    _, screen = desk.watch("send", "--as", "alice", "--to", "@ada", "-", starter=FROM_A_PIPE)

    assert [True] * 3 == [way in screen for way in ("type the text on a terminal", "--edit", "--human-wrote-this")]


@pytest.mark.parametrize(("words", "why"), [(("--no-input", "sync"), "--no-input says that nobody is asked")])
def test_no_input_is_named_where_it_is_the_reason(desk, words, why):
    """Whoever has forgotten it, as in an environment of CI, reads it."""
    code, screen = desk.watch(*words)

    assert (2, True) == (code, why in screen)
