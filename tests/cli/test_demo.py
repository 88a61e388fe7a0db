"""The demo as a newcomer meets it: in a pipe, on a terminal, with nothing around it, and cut short."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from profilectl.cli import demo
from profilectl.cli.main import run

STEPS = [step.title for step in demo.STEPS]


@pytest.fixture(autouse=True)
def temporary(desk, tmp_path_factory):
    """A folder for temporary files of which every test can say what is left in it."""
    folder = tmp_path_factory.mktemp("temporary")
    desk.env["TMPDIR"] = str(folder)
    return folder


def typed(text):
    return re.findall(r"^\$ (profilectl .*)$", text, re.MULTILINE)


def test_the_demo_tells_the_whole_job(desk, temporary):
    """Check, diff, sync, change, diff, sync, send, what the customer sees; exit 0, and nothing is left behind."""
    result = desk.run("demo")

    assert (0, "") == (result.code, result.err)
    assert STEPS == re.findall(r"^\d\. (.*)$", result.out, re.MULTILINE)
    assert ["roster", "diff", "sync", "diff", "sync", "diff", "send"] == [line.split()[1] for line in typed(result.out)]
    assert [] == list(temporary.iterdir())


def test_off_a_terminal_the_demo_is_plain_text(desk):
    """A pipe gets no colour, no boxes, and rows separated by tabs, even when colour is forced."""
    desk.env["FORCE_COLOR"] = "1"
    out = desk.run("demo").out

    assert "\x1b" not in out
    assert "─" not in out
    replaced = next(line.split("\t") for line in out.splitlines() if line.startswith("±"))
    assert ["±", "acme", "alice", "replace", "name", "Alice Fast, Care", "Alice F., Care"] == replaced[:5] + replaced[
        6:
    ]


def test_what_the_demo_shows_adds_up(desk):
    """Five creates, one replacement, nothing left, and the answer under Alice's new name."""
    out = desk.run("demo").out

    assert "5 agents, 0 errors, 0 warnings" in out
    assert "5 create at @" in out
    assert "1 replace at @" in out
    assert "; 5 unchanged\n" in out
    assert re.search(r"^-alice .*Alice Fast.*\n\+alice .*Alice F\.", out, re.MULTILINE)
    assert f"| {demo._ANSWER}\n  Alice F., Care  @acmecare" in out


def test_on_a_terminal_the_demo_draws(desk, temporary):
    """A terminal gets tables, colours, and Alice's photograph in half blocks beside her answer."""
    code, screen = desk.watch("demo")

    assert 0 == code
    assert "\x1b[" in screen
    assert "─" in screen
    assert "▀" in screen.partition("What the customer sees")[2]
    assert [] == list(temporary.iterdir())


def test_no_color_is_respected(desk):
    """With NO_COLOR a terminal gets the demo without colour or other attributes, and words in place of the picture."""
    desk.env["NO_COLOR"] = "1"
    code, screen = desk.watch("demo")

    assert (0, []) == (code, re.findall(r"\x1b\[[0-9;]*m", screen))
    assert f"| {demo._ANSWER}\n  Alice F., Care  @acmecare" in screen


def test_the_demo_needs_no_environment_and_no_folder(tmp_path_factory):
    """It works with an empty environment, from an empty folder that it can't write to, and writes nothing there."""
    empty = tmp_path_factory.mktemp("empty")
    empty.chmod(0o500)
    done = subprocess.run(
        ["env", "-i", sys.executable, "-m", "profilectl", "demo"],
        cwd=empty,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    empty.chmod(0o700)

    assert (0, b"") == (done.returncode, done.stderr)
    assert [] == list(empty.iterdir())


def test_the_demo_needs_no_current_folder(desk):
    """It works from a folder that has been removed."""
    result = desk.shell("mkdir gone && cd gone && rmdir ../gone && profilectl demo | tail -n 1")

    assert 0 == result.code
    assert result.out.startswith("profilectl auth login")


def test_nothing_of_the_user_leaks_in(desk, tmp_path):
    """Roster, ledger, brand, address, credentials and configuration of the user are neither read nor touched."""
    config = tmp_path / "config" / "profilectl"
    config.mkdir(parents=True)
    (config / "config.toml").write_text("this isn't TOML")
    desk.env |= {
        "XDG_CONFIG_HOME": str(config.parent),
        "PROFILECTL_ROSTER": "/nowhere/roster.toml",
        "PROFILECTL_BRAND": "theirs",
        "PROFILECTL_LEDGER": str(tmp_path / "theirs.db"),
        "PROFILECTL_API_URL": "http://example.invalid",
        "PROFILECTL_CREDENTIALS_FILE": "/nowhere/credentials.json",
        "PROFILECTL_CONSUMER_KEY": "theirs",
    }
    result = desk.run("demo")

    assert (0, "") == (result.code, result.err)
    assert not (tmp_path / "theirs.db").exists()


def test_quiet_says_nothing(desk):
    """`-q` leaves only the exit code."""
    result = desk.run("demo", "-q")

    assert (0, "", "") == (result.code, result.out, result.err)


@pytest.mark.parametrize("words", [("--json",), ("--roster", "x"), ("--brand", "x"), ("--credentials-file", "x")])
def test_options_that_make_no_sense_are_refused(desk, words):
    """The demo has no JSON, and a roster, brand and credentials of its own: exit 2, with the reason."""
    result = desk.run("demo", *words)

    assert 2 == result.code
    assert ("demo has no JSON" if words == ("--json",) else "the demo brings") in result.err
    assert "hint: " in result.err


def test_a_reader_who_leaves_is_no_failure(desk, temporary):
    """`profilectl demo | head -n 1` ends quietly."""
    result = desk.shell("profilectl demo | head -n 1")

    assert (0, "") == (result.code, result.err)
    assert [] == list(temporary.iterdir())


def use_actions(monkeypatch, *actions):
    monkeypatch.setattr(demo, "STEPS", (demo.Step("A step", "Why.", actions),))


def test_a_step_that_fails_ends_the_demo_with_its_code(monkeypatch, capsys, temporary):
    """The demo names the command that failed, and leaves with that command's exit code."""
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    use_actions(monkeypatch, "profilectl preview nobody", "profilectl roster check")
    before = Path.cwd()

    assert 2 == run(["demo"])
    output = capsys.readouterr()
    assert "error: the demo stopped: `profilectl preview nobody` ended with exit code 2" in output.err
    assert "there is no agent nobody" in output.out
    assert "roster check" not in output.out
    assert (before, []) == (Path.cwd(), list(temporary.iterdir()))


@pytest.mark.parametrize("signal_name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_demo_leaves_nothing_behind(monkeypatch, capsys, temporary, signal_name):
    """Ctrl-C or a termination in the middle takes the temporary folder away, and gives back folder and environment."""
    number = getattr(signal, signal_name)
    earlier = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setenv("PROFILECTL_BRAND", "theirs")
    use_actions(monkeypatch, "profilectl roster check", lambda: signal.raise_signal(number))
    before = Path.cwd()
    code = run(["demo"])
    signal.signal(signal.SIGTERM, earlier)

    assert {"SIGINT": 130, "SIGTERM": 143}[signal_name] == code
    assert "5 agents, 0 errors" in capsys.readouterr().out
    assert (before, "theirs") == (Path.cwd(), os.environ["PROFILECTL_BRAND"])
    assert [] == list(temporary.iterdir())


def test_ctrl_c_waits_for_the_removal(monkeypatch, temporary):
    """An interruption while the folder is being taken away doesn't leave half of it, and still counts."""
    clean = demo.tempfile.TemporaryDirectory.cleanup

    def clean_interrupted(folder):
        signal.raise_signal(signal.SIGINT)
        clean(folder)

    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setattr("tempfile.TemporaryDirectory.cleanup", clean_interrupted)
    use_actions(monkeypatch, "profilectl roster check")

    assert 130 == run(["demo"])
    assert [] == list(temporary.iterdir())


def test_without_a_temporary_folder_the_demo_says_so(monkeypatch, capsys):
    """Exit 5 and the variable that helps, when there is nowhere to write."""
    monkeypatch.setattr(demo.tempfile, "tempdir", "/nowhere")

    assert 5 == run(["demo"])
    assert "TMPDIR" in capsys.readouterr().err
