"""What each command loads, read from `sys.modules`: steadier than any time, and what the time is made of."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"PIL", "asyncio", "httpx", "jinja2", "keyring", "oauthlib", "pydantic", "rich", "werkzeug", "yaml"}
LOCAL = HEAVY | {"concurrent.futures", "email", "http.client", "logging", "profilectl.api.client", "ssl"}
WIRE = {"httpx", "oauthlib"}
PRINT_MODULES = """
import sys
from profilectl.__main__ import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
SEND = ("send", "--as", "alice", "--to", "@customer", "hello")

FORBIDDEN = {
    ("--version",): LOCAL | {"msgspec", "re", "typer", "typing", "profilectl.cli.main"},
    ("--help",): LOCAL | {"sqlite3", "statistics", "tomli"},
    ("roster", "list"): LOCAL | {"sqlite3"},
    ("roster", "list", "--json"): LOCAL | {"sqlite3"},
    ("roster", "check"): LOCAL,
    ("roster", "show", "alice"): LOCAL | {"sqlite3"},
    ("roster", "set", "alice", "title=Lead"): LOCAL | {"sqlite3"},
    # An id needs no X; a handle is looked up.
    ("send", "--as", "alice", "--to", "12345", "hello", "--dry-run"): LOCAL
    | {"hashlib", "html", "json", "profilectl.cli.prompts", "secrets", "tomllib"},
    (*SEND, "--dry-run"): HEAVY - WIRE,
    SEND: HEAVY - WIRE,
    ("diff",): HEAVY - WIRE,
    ("diff", "--json"): HEAVY - WIRE,
    ("sync", "--yes"): HEAVY - WIRE,
    ("profiles", "list"): HEAVY - WIRE,
    ("completion", "bash"): LOCAL | {"sqlite3"},
    ("feedback", "report", "--since", "2026-11-01"): HEAVY - WIRE,
    ("audit", "who", "Alice F."): LOCAL - {"concurrent.futures", "logging"},
}


def loaded(desk, *words):
    """Return the modules of a program that has run these words, the packages that hold them included."""
    done = subprocess.run(
        [sys.executable, "-c", PRINT_MODULES, *words],
        cwd=desk.folder,
        env=desk.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[:500]
    return set(done.stderr.splitlines()[-1].split())


@pytest.fixture
def synced(desk, served):
    """A desk whose roster is what X shows."""
    desk.write(("alice", "Alice F."), ("bruno", "Bruno K."))
    assert desk.run("sync", "--yes").code == 0
    return desk


@pytest.mark.parametrize("words", FORBIDDEN, ids=" ".join)
def test_a_command_loads_only_what_it_needs(synced, words):
    """Of what takes long to load, a command that was run before loads nothing that it doesn't use."""
    assert set() == loaded(synced, *words) & FORBIDDEN[words]


@pytest.mark.parametrize(
    ("words", "others"),
    [
        (
            ("audit", "who", "Alice F."),
            {"audit.checkpoint", "audit.export", "audit.prune", "audit.verify", "reconcile"},
        ),
        (("roster", "list"), {"people.importing", "people.pulling", "roster.check", "roster.edit"}),
    ],
)
def test_a_command_of_a_group_loads_none_of_the_group_s_others(synced, words, others):
    """They stand in its table by their names."""
    assert set() == loaded(synced, *words) & {f"profilectl.cli.{name}" for name in others}


def test_python_searches_nothing_at_the_end():
    """A command leaves the search for cycles next to nothing, which at its end would look through all that it made."""
    program = (
        "import atexit, gc, sys; from profilectl.__main__ import main;"
        "atexit.register(lambda: print(len(gc.get_objects()) < 1000, file=sys.stderr)); main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "completion", "bash"], capture_output=True, text=True, timeout=60, check=False
    )

    assert (0, "True\n") == (done.returncode, done.stderr)


def test_no_search_for_cycles_holds_a_message_up(synced):
    """Until it leaves, nothing is to be found: a search through all that was loaded takes a tenth of the time."""
    program = (
        "import gc, sys; from profilectl.__main__ import main\n"
        "searches = []\n"
        "is_ours = lambda: gc.get_threshold()[0] >= 10_000  # not while Python itself is loaded\n"
        "gc.callbacks.append(lambda phase, about: searches.append(phase) if is_ours() else None)\n"
        "try: main()\n"
        "finally: print(len(searches), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *SEND, "--human-wrote-this", "--yes"],
        cwd=synced.folder,
        env=synced.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "0" == done.stderr.splitlines()[-1], done.stderr


def test_a_command_loads_no_other_command(synced):
    """Only the module of the command that was named is loaded, and not the other commands'."""
    commands = {"demo", "init", "diff", "sync", "send", "preview", "profiles", "recover", "auth", "doctor", "sandbox"}

    assert set() == loaded(synced, "roster", "list") & {f"profilectl.cli.{command}" for command in commands}
