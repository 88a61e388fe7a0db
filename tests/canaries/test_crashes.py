"""When the program itself is at fault: what is kept of it, and what isn't."""

from __future__ import annotations

import logging
import re
import sys
import threading
from pathlib import Path

import pytest

from profilectl.api import client, oauth, transport, wire
from profilectl.cli import main
from profilectl.cli.context import Context
from profilectl.ledger import sqlite

_BROKEN = {
    "the signer": (oauth.Signature, "auth_flow"),
    "a reader": (wire, "read_page"),
    "the transport": (transport.Transport, "_exchange"),
    "a worker": (client.XClient, "upload"),
    "the ledger": (sqlite, "open_for_writing"),
    "the wiring": (Context, "client"),
}
_IN_A_PROCESS = """
import sys
from profilectl.api.transport import Transport
from profilectl.cli import main

def explode(self, endpoint, signature):
    values = [value.reveal() for value in signature._secrets]
    raise RuntimeError(f"it was {' '.join(values)}") from ValueError(*values)

Transport._exchange = explode
sys.exit(main.run(sys.argv[1:]))
"""

_TELL_LIMITS = """
from pathlib import Path
from profilectl.cli import main

main.run(["completion", "bash"])
print(Path("/proc/self/limits").read_text())
"""


_TELL_WHETHER_HIDDEN = """
import ctypes, sys
from profilectl.cli import main

main.run(sys.argv[1:])
print("dumpable:", ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


def bug(canaries):
    """Return a function that fails with the secrets in hand, in its message, and in the message of its cause."""

    def fail(*_, **__):
        in_hand = canaries.document()
        raise RuntimeError(in_hand) from ValueError(canaries.echo())

    return fail


def crash_logs(house):
    return sorted((house.state / "profilectl").glob("crash-*.log"))


@pytest.mark.parametrize("part", _BROKEN)
def test_a_bug_leaves_a_log_without_secrets(part, scene, monkeypatch):
    """It is named, only its owner can read it, and it tells the lines of code but neither messages nor variables."""
    where, name = _BROKEN[part]
    monkeypatch.setattr(where, name, bug(scene.canaries))

    assert scene.run_here("sync --yes -v") == 1, scene.said()
    (log,) = crash_logs(scene)
    assert str(log) in scene.said()
    assert "Traceback" not in scene.said()
    assert (0o600, 0o700) == (log.stat().st_mode & 0o777, log.parent.stat().st_mode & 0o777)
    assert "RuntimeError" in log.read_text()
    assert [] == scene.leaks()


def test_a_bug_in_a_process_of_its_own_leaves_no_secrets(scene):
    """Nothing of it comes out through what Python prints by itself."""
    program = (sys.executable, "-c", _IN_A_PROCESS)

    assert scene.run("sync --yes -v", program=program) == 1, scene.said()
    assert 1 == len(crash_logs(scene))
    assert [] == scene.leaks()


def test_a_bug_that_can_not_be_logged_is_told_without_secrets(scene, monkeypatch):
    """Where the log can't be written, the last line of code stands in for it."""
    monkeypatch.setattr(transport.Transport, "_exchange", bug(scene.canaries))
    scene.environ |= {"XDG_STATE_HOME": "/dev/null", "PROFILECTL_LEDGER": "ledger/ledger.db"}

    assert scene.run_here("profiles list") == 1
    assert "the details are in File" in scene.said()
    assert [] == scene.leaks()


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="no /proc")
def test_a_core_dump_would_hold_the_secrets_so_there_is_none(scene, monkeypatch):
    """The limit is set before anything secret is read, whatever the shell allows; `tests/system` lets one crash."""
    import resource

    limits = []
    with monkeypatch.context() as patch:  # undoing all would give this process its own home back
        patch.setattr(resource, "setrlimit", lambda *limit: limits.append(limit))
        assert scene.run_here("roster check") == 0

    assert [(resource.RLIMIT_CORE, (1, 1))] == limits
    shell = 'ulimit -Sc unlimited; exec "$0" -c "$1"'
    scene.run("", program=("sh", "-c", shell, sys.executable, _TELL_LIMITS))
    assert re.search(r"Max core file size +1 +1 ", scene.said())


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
@pytest.mark.parametrize(("line", "expected"), [("roster check", 1), ("auth status", 0), ("profiles list", 0)])
def test_whoever_reads_credentials_hides_its_memory(scene, line, expected):
    """From the first of them on no other process of this user can look at it."""
    scene.run(line, program=(sys.executable, "-c", _TELL_WHETHER_HIDDEN))

    assert f"dumpable: {expected}\n" in scene.said()


@pytest.mark.usefixtures("impatient")
def test_nobody_else_logs_below_warnings(scene, monkeypatch):
    """-v is about our own log: other libraries would write headers, tokens and signatures."""
    loud = []
    monkeypatch.setattr(logging, "lastResort", logging.NullHandler())

    def listen(record):
        if not record.name.startswith("profilectl"):
            loud.append((record.name, record.levelno))

    monkeypatch.setattr(logging.Logger, "callHandlers", lambda logger, record: listen(record))
    assert scene.run_here("sync --yes -v") == 0
    assert [] == loud
    for name in ("httpx", "httpcore", "httpcore.http11", "oauthlib", "oauthlib.oauth1", "keyring", "PIL", "filelock"):
        assert logging.getLogger(name).getEffectiveLevel() >= logging.WARNING, name


def test_threads_hand_their_failures_over(scene, monkeypatch):
    """An exception that a thread keeps to itself would be printed by Python, with its message."""
    printed = []
    monkeypatch.setattr(threading, "excepthook", printed.append)
    monkeypatch.setattr(sys, "unraisablehook", printed.append)
    monkeypatch.setattr(client.XClient, "create_profile", bug(scene.canaries))

    assert scene.run_here("sync --yes -v --jobs 4") == main.ExitCode.UNEXPECTED
    assert [] == printed
    assert [] == scene.leaks()
