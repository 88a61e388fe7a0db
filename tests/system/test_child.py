"""Programs that we start get what they need: words and the usual variables, and no more."""

from __future__ import annotations

import json
import os
import sys

import pytest

from profilectl.system import child

TELL = """
import json, os
print(json.dumps({"variables": dict(os.environ), "files": [int(name) for name in os.listdir("/proc/self/fd")]}))
"""
OURS = {
    "PROFILECTL_CONSUMER_SECRET": "s3cret",
    "PROFILECTL_CREDENTIALS_FILE": "/token.json",
    "PROFILECTL_BRAND": "acme",
    "PROFILECTL_NEVER_HEARD_OF": "1",
    "PGPASSWORD": "s3cret",
}


def test_variables_of_ours_and_secrets_stay_here():
    """What a child's own work needs goes along: proxies, a keyring's address, the token of a password manager."""
    others = {"PATH": "/bin", "HTTPS_PROXY": "http://proxy", "VAULT_TOKEN": "its own", "PGPASSFILE": "~/.pgpass"}

    assert others == child.environment(OURS | others)
    assert {"PATH": "/bin"} == child.environment({"PATH": "/bin", "GIT_DIR": "x", "GIT_": ""}, ("GIT_",))


@pytest.mark.skipif(sys.platform != "linux", reason="no /proc")
def test_a_child_has_neither_our_variables_nor_our_files(monkeypatch, tmp_path):
    """It sees its own three streams, and the folder that it lists."""
    for name, value in OURS.items():
        monkeypatch.setenv(name, value)
    with (tmp_path / "ledger.db").open("wb") as ledger:
        os.set_inheritable(ledger.fileno(), True)  # as a library may have opened it
        ending = child.run([sys.executable, "-I", "-c", TELL], seconds=60, largest=100_000)
    seen = json.loads(ending.output)

    assert not OURS.keys() & seen["variables"].keys()
    assert os.environ["PATH"] == seen["variables"]["PATH"]
    assert {0, 1, 2} | {max(seen["files"])} == set(seen["files"])


def test_what_it_prints_comes_back_with_its_status():
    """From the folder in which it ran; what it says on stderr doesn't."""
    words = [sys.executable, "-I", "-c", "import os, sys; print(os.getcwd()); sys.exit('oh')"]

    assert (1, b"/\n") == child.run(words, seconds=60, largest=100, folder="/")


@pytest.mark.parametrize(("largest", "expected"), [(3, (0, b"abc")), (2, (-9, b"abc"))])
def test_one_byte_too_much_is_enough(largest, expected):
    """It is killed, and the output shows that there was more."""
    assert expected == child.run(["printf", "abc"], seconds=60, largest=largest)


@pytest.mark.parametrize("words", ["sleep 300", "exec >&-; sleep 300", "printf abc; sleep 300"])
def test_nobody_waits_for_ever(words):
    """Neither for output nor for the end."""
    with pytest.raises(TimeoutError):
        child.run(["sh", "-c", words], seconds=0.2, largest=100)


def test_what_isn_t_there_can_t_be_started():
    """The system says why."""
    with pytest.raises(FileNotFoundError):
        child.run(["no-such-program"], seconds=60, largest=100)
    with pytest.raises(FileNotFoundError):
        child.start(["no-such-program"])


def test_it_reads_what_it_is_given_and_has_no_terminal():
    """A program that nobody attends can't ask: it leads a session of its own, and its stderr is dropped."""
    tell = "import os, sys; sys.stderr.write('oh'); print(sys.stdin.read(), os.getsid(0) == os.getpid())"
    words = [sys.executable, "-I", "-c", tell]

    assert (0, b"note True\n") == child.exchange(words, b"note", seconds=60, is_attended=False)


def test_one_that_takes_too_long_is_ended():
    """Also one that reads nothing of a megabyte."""
    with pytest.raises(TimeoutError):
        child.exchange(["sleep", "60"], b"x" * 1_000_000, seconds=0.2, is_attended=False)
    assert child.exchange(["false"], b"x" * 1_000_000, seconds=60, is_attended=True).status == 1
