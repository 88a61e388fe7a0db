"""What stands on stderr: one form for every error, in colour on a terminal, and one hint with one time."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from profilectl.errors import Declined, InputRefused, RateLimited, RosterRefused
from profilectl.model import Problem
from profilectl.render import console
from profilectl.render.console import Output, folded_sentence, info, problem_line, show_error, shown_name
from tests.patience import until

PROBLEM = Problem("roster.toml", 14, 1, "agents.alice.name", "53 characters, at most 48")


class Terminal(StringIO):
    def isatty(self):
        return True


ON_BOTH = pytest.mark.parametrize("is_terminal", [True, False], ids=["terminal", "pipe"])


def watch(monkeypatch, is_terminal):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal() if is_terminal else StringIO())


@ON_BOTH
def test_an_error_is_red_and_its_hint_cyan(monkeypatch, is_terminal):
    """Elsewhere than on a terminal the words are the same, without a single escape."""
    watch(monkeypatch, is_terminal)
    show_error(InputRefused("no such thing", hint="look elsewhere"))
    expected = (
        "\x1b[1;31merror:\x1b[0m no such thing\n\x1b[36mhint:\x1b[0m look elsewhere\n"
        if is_terminal
        else "error: no such thing\nhint: look elsewhere\n"
    )
    assert expected == sys.stderr.getvalue()


@ON_BOTH
def test_a_problem_has_its_place_in_bold(monkeypatch, is_terminal):
    """The place is what an editor jumps to; a warning is yellow."""
    watch(monkeypatch, is_terminal)
    warning = Problem("roster.toml", 0, 0, "", "too small", "warning")
    show_error(RosterRefused("roster.toml has 1 error", problems=(PROBLEM, warning), hint="not shown"))
    lines = sys.stderr.getvalue().splitlines()
    text = "agents.alice.name: 53 characters, at most 48"
    if is_terminal:
        places = [
            f"\x1b[1mroster.toml:14:1:\x1b[0m {text}",
            "\x1b[1mroster.toml:\x1b[0m \x1b[33mwarning:\x1b[0m too small",
        ]
        assert places == lines[:2]
    else:
        assert [f"roster.toml:14:1: {text}", "roster.toml: warning: too small"] == lines[:2]
    assert 3 == len(lines)


def test_colours_are_left_out_where_nobody_wants_them(monkeypatch):
    """NO_COLOR and a dumb terminal."""
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as patch:
            patch.delenv("NO_COLOR", raising=False)
            patch.setenv("TERM", "xterm")
            patch.setenv(name, value)
            patch.setattr(sys, "stderr", Terminal())
            info("warning: mind the gap")
            assert "warning: mind the gap\n" == sys.stderr.getvalue()
            assert "roster.toml:14:1: agents.alice.name: 53 characters, at most 48" == problem_line(PROBLEM, sys.stderr)


@ON_BOTH
def test_escapes_in_foreign_text_colour_nothing(monkeypatch, is_terminal):
    """Only the word at the beginning is ours."""
    watch(monkeypatch, is_terminal)
    info("warning: \x1b[32mall is well")
    assert sys.stderr.getvalue().endswith(" \\x1b[32mall is well\n")


def test_the_moment_to_come_back_is_told_once(monkeypatch):
    """In local time and as a distance; what the error says of it in UTC is for scripts."""
    monkeypatch.setattr(sys, "stderr", StringIO())
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        at = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=12)
        show_error(RateLimited("X's limit is reached", hint=f"run again after {at:%Y-%m-%d %H:%M:%S} UTC", retry_at=at))
        error, hint = sys.stderr.getvalue().splitlines()
        local = (at + timedelta(seconds=59) + timedelta(hours=5, minutes=30)).strftime("%H:%M")
    finally:
        monkeypatch.undo()
        time.tzset()

    assert "error: X's limit is reached" == error
    assert hint in {f"hint: run again after {local}{day} (in 12 min)" for day in ("", " tomorrow")}


def test_another_hint_stays_beside_the_moment(monkeypatch):
    """Still one line."""
    monkeypatch.setattr(sys, "stderr", StringIO())
    at = datetime.now(UTC) + timedelta(seconds=30)
    show_error(RateLimited("the day's messages are used up", hint="tell the customer", retry_at=at))
    (hint,) = sys.stderr.getvalue().splitlines()[1:]
    assert (True, True) == (hint.startswith("hint: tell the customer; run again after "), hint.endswith(" s)"))


def test_lines_of_x_stay_lines(monkeypatch):
    """They are indented, so that none can be taken for one of ours."""
    monkeypatch.setattr(sys, "stderr", StringIO())
    show_error(InputRefused("X says: No.\nerror: Really no."))
    assert "error: X says: No.\n  error: Really no.\n" == sys.stderr.getvalue()


def test_who_declines_has_made_no_error(monkeypatch):
    """The sentence stands alone."""
    monkeypatch.setattr(sys, "stderr", StringIO())
    show_error(Declined("nothing was changed"))
    assert "nothing was changed\n" == sys.stderr.getvalue()


def test_what_is_slow_says_what_it_waits_for(monkeypatch):
    """On a terminal, a second after the count began."""
    monkeypatch.setattr(console, "_SLOW", 0.01)
    watch(monkeypatch, is_terminal=True)
    with console.told_when_slow("sending as Alice F. …") as begin:
        time.sleep(0.1)
        assert "" == sys.stderr.getvalue()
        begin()
        until(sys.stderr.getvalue, "the sentence")
    assert "sending as Alice F. …\n" == sys.stderr.getvalue()


def test_a_pipe_is_told_nothing_of_slowness(monkeypatch):
    """A log of cron needn't know."""
    monkeypatch.setattr(console, "_SLOW", 0.0)
    watch(monkeypatch, is_terminal=False)
    with console.told_when_slow("sending …") as begin:
        begin()
        time.sleep(0.05)
    assert "" == sys.stderr.getvalue()


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("twelve words in all", ["twelve words in all"]),
        ("as long as one line is", ["as long as one line", "is"]),
        ("hint: run `profilectl diff` again", ["hint: run", "`profilectl diff`", "again"]),
        ("plan sha256:0123456789abcdef", ["plan sha256:0123456789abcdef"]),
        ("  indented, and going on", ["  indented, and", "going on"]),
        ("\x1b[36mhint:\x1b[0m as long as that", ["\x1b[36mhint:\x1b[0m as long as", "that"]),
        ("one 👍🏽 two 👍🏽 three 👍🏽", ["one 👍🏽 two 👍🏽", "three 👍🏽"]),
    ],
)
def test_sentences_break_at_spaces(monkeypatch, line, lines):
    """On a terminal, where words would be broken; what is to be copied stays whole, a command or a digest."""
    watch(monkeypatch, is_terminal=True)
    monkeypatch.setenv("COLUMNS", "20")

    assert lines == folded_sentence(line, sys.stderr).split("\n")
    assert line == folded_sentence(line, StringIO())


def test_a_question_leaves_room_for_its_answer(monkeypatch):
    """The brackets go to the next line rather than the letter that is typed; the space before it stays."""
    watch(monkeypatch, is_terminal=True)
    monkeypatch.setenv("COLUMNS", "20")

    assert "Apply to X? [y/N]: " == folded_sentence("Apply to X? [y/N]: ", sys.stderr, 2)
    assert "Apply to X?\n[y/N]: " == folded_sentence("Apply to X? [y/N]: ", sys.stderr, 4)


def test_a_sentence_is_whole_where_nobody_knows_the_width(monkeypatch):
    """A terminal that doesn't say breaks it as it can."""
    watch(monkeypatch, is_terminal=True)
    monkeypatch.delenv("COLUMNS", raising=False)

    assert "a " * 90 == folded_sentence("a " * 90, sys.stderr)


def test_a_name_in_a_sentence_is_isolated_for_a_person_only():
    """A pipe gets the name as it is."""
    assert ("\u2068יעל\u2069", "יעל", "Eve") == (
        shown_name("יעל", Terminal()),
        shown_name("יעל", StringIO()),
        shown_name("Eve", Terminal()),
    )


def test_a_typed_backslash_and_a_newline_differ_in_lines_with_tabs(capsys):
    """A program that takes the lines apart gets the text back; nothing in a cell ends it."""
    texts = ("C:\\new", "C:\new", "a\tb", "\\")
    Output().show({}, ("text",), [texts])
    Output().show_many(("text",), [texts], row=list, cells=list)

    assert 2 * ["C:\\\\new\tC:\\new\ta\\tb\t\\\\"] == capsys.readouterr().out.splitlines()
