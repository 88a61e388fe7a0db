"""What `sandbox` prints to people: a block for each brand, and rules as a table."""

from __future__ import annotations

import contextlib
import os
import subprocess

import pytest

from tests.patience import LONGEST, read_some
from tests.preloaded import PROGRAM
from tests.terminals import start_on_terminal


def test_settings_of_several_brands_do_not_overwrite_each_other(desk):
    """Pasted as a whole, each brand's settings are a function of its own; one brand's are plain lines."""
    process = desk.start("sandbox", "serve", "--port", "0", "--handle", "acmecare", "--handle", "betacare")
    try:
        lines = []
        while lines.count("}\n") < 2:
            lines.append(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate()
    script = (
        "".join(lines) + 'use_acmecare; a=$PROFILECTL_ACCESS_TOKEN; use_betacare; echo "$a $PROFILECTL_ACCESS_TOKEN"'
    )
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=20)
    first, second = shown.stdout.split()

    assert first != second
    assert "# @acmecare: paste this, then type use_acmecare\n" in lines


def test_rules_are_a_table_to_a_person_and_json_to_a_pipe(desk):
    """The table names what is armed and how often it was met; the pipe gets all of it."""
    rule = '{"call": "create", "kind": "drop-after", "times": null}'
    code, screen = desk.watch("--sandbox", "sandbox", "faults", rule)
    piped = desk.run("--sandbox", "sandbox", "faults")
    emptied, nothing = desk.watch("--sandbox", "sandbox", "faults", "--clear")

    assert (0, 0) == (code, emptied)
    assert all(word in screen for word in ("create", "drop-after", "always", "kind"))
    assert ("profilectl.faults/1", 1) == (piped.document["schema"], len(piped.document["faults"]))
    assert "no fault is armed" in nothing


@pytest.mark.parametrize("handles", [("acmecare",), ("acmecare", "betacare")])
def test_what_is_for_a_shell_is_not_broken_on_a_narrow_terminal(desk, handles):
    """A line with a break in it would be two commands, and the second one an error."""
    desk.env["COLUMNS"] = "45"
    words = [word for handle in handles for word in ("--handle", handle)]
    screen = screen_of_serve(desk, *words)
    pasted = "\n".join(line for line in screen.splitlines() if line.startswith(("export ", "use_", "}")))
    last = handles[-1]
    use = f"use_{last}\n" if len(handles) > 1 else ""
    done = desk.shell(f"{pasted}\n{use}env")
    names = ("API_URL", "LEDGER", "CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")

    assert "" == done.err
    assert len(names) * len(handles) == screen.count("export PROFILECTL_")
    assert {f"PROFILECTL_{name}" for name in names} <= {line.partition("=")[0] for line in done.out.splitlines()}


def test_reset_names_the_world_that_it_empties(desk, served):
    """The one of this folder and one that is served are two, and the wrong one may be hit."""
    desk.write(("alice", "Alice"))
    assert 0 == desk.run("--sandbox", "sync", "--yes").code

    assert "the local X in .profilectl/sandbox is as new\n" == desk.run("--sandbox", "sandbox", "reset").err
    assert f"the local X at {served.url} is as new\n" == desk.run("sandbox", "reset", "--url", served.url).err


def test_reset_makes_no_folder(desk):
    """Where no world is, nothing is to be forgotten."""
    before = sorted(desk.folder.iterdir())
    done = desk.run("sandbox", "reset")

    assert (0, before) == (done.code, sorted(desk.folder.iterdir()))


def test_a_kind_alone_is_no_rule(desk):
    """The sentence is about the rule, not about the parser that read it."""
    done = desk.run("sandbox", "faults", "drop-after")

    assert (2, True) == (done.code, "error: not a fault: drop-after isn't JSON\n" in done.err)
    assert 'hint: {"call": "create", "kind": "drop-after"}, in single quotes for the shell\n' in done.err


def screen_of_serve(desk, *words):
    """Serve on a terminal until all is shown, and end it there with Ctrl-C."""
    command = [*PROGRAM, "sandbox", "serve", "--port", "0", *words]
    process, terminal = start_on_terminal(command, cwd=desk.folder, env=desk.environment())
    screen = b""
    with contextlib.suppress(OSError):  # Linux reports the end of a pseudo-terminal as an error
        while part := read_some(terminal, screen):
            if b"ends" not in screen and b"ends" in screen + part:
                os.write(terminal, b"\x03")
            screen += part
    os.close(terminal)
    process.wait(timeout=LONGEST)
    return screen.decode().replace("\r\n", "\n")
