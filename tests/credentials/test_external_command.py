"""A credential command is run without a shell, within limits, and without showing what it says."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from profilectl.credentials.external_command import fill, is_runnable, run_command
from profilectl.credentials.private_files import MAX_BYTES
from profilectl.errors import CredentialsError
from tests.patience import until


def python(code, *arguments):
    return (sys.executable, "-I", "-c", code, *arguments)


def test_its_output_comes_back():
    """What it prints is what we get, byte by byte."""
    assert run_command(python("print('ünï')")) == "ünï\n".encode()


def test_there_is_no_shell(tmp_path):
    """Metacharacters are ordinary characters."""
    hostile = f"$(touch {tmp_path}/a); `touch {tmp_path}/b` | > {tmp_path}/c $HOME *"
    assert run_command(python("import sys; print(sys.argv[1], end='')", hostile)) == hostile.encode()
    assert list(tmp_path.iterdir()) == []


def test_the_account_is_filled_in():
    """Placeholders name the account; other braces, as in a jq filter, stay."""
    argv = ("op", "read", "op://vault/{handle}@{host}", "{x: .y}", "{}")
    assert fill(argv, handle="acme", host="api.x.com") == ("op", "read", "op://vault/acme@api.x.com", "{x: .y}", "{}")


def test_it_reads_nothing():
    """Its stdin is empty, so it can't wait for a person."""
    assert run_command(python("import sys; print(len(sys.stdin.read()), end='')")) == b"0"


def test_its_errors_are_hidden(capfd):
    """A failing command may print secrets to stderr and stdout: neither is shown."""
    with pytest.raises(CredentialsError, match="failed with status 3") as caught:
        run_command(python("import sys; print('canary'); sys.exit('canary' and 3)", "argument-canary"))
    with pytest.raises(CredentialsError, match="failed with status 1"):
        run_command(python("raise SystemExit('canary')"))
    assert capfd.readouterr() == ("", "")
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


def test_it_is_killed_when_it_is_slow(tmp_path):
    """With everything that it started, so nothing keeps waiting in the background."""
    script = 'sleep 300 & echo $! > "$0"; sleep 300'
    begun = time.monotonic()
    with pytest.raises(CredentialsError, match=r"took longer than 2 s"):
        run_command(("/bin/sh", "-c", script, str(tmp_path / "child")), seconds=2)
    assert time.monotonic() - begun < 60
    child = int((tmp_path / "child").read_text())
    until(lambda: is_gone(child), "the end of what the command started")


def is_gone(pid):
    """Whether a process has ended; a zombie that nobody collects counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_it_is_killed_when_it_closes_stdout_and_stays():
    """Having said everything isn't having finished."""
    with pytest.raises(CredentialsError, match="took longer than"):
        run_command(python("import os, time; os.close(1); time.sleep(60)"), seconds=0.5)


def test_too_much_output_is_cut_off():
    """A command that prints for ever fills neither memory nor time."""
    begun = time.monotonic()
    with pytest.raises(CredentialsError, match="more than 64 KiB"):
        run_command(python("while True: print('x' * 1000)"))
    assert time.monotonic() - begun < 30
    assert len(run_command(python(f"print('x' * {MAX_BYTES}, end='')"))) == MAX_BYTES


def test_a_missing_program_is_named():
    """The system's reason is passed on, and the program isn't runnable."""
    with pytest.raises(CredentialsError, match="no-such-program can't be started: No such file"):
        run_command(("no-such-program",))
    assert not is_runnable(("no-such-program",))
    assert is_runnable((sys.executable,))
