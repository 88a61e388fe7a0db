"""Input without end, or made to fill a machine: each is refused by a process whose memory and time are measured."""

from __future__ import annotations

import io
import random
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from profilectl.ledger import export
from profilectl.ledger.sqlite import open_for_writing
from tests.cli.test_hostile_rosters import ALICE, DEFAULTS, HEAD, MOST_MEMORY, MOST_SECONDS, agents
from tests.measured import run

HERE = {"PROFILECTL_SANDBOX": "1"}
ZEROS = Path("/dev/zero")

# words, what stdin is, further variables, the exit code
ENDLESS = {
    "a message on stdin": (("send", "--as", "alice", "--to", "1", "-"), True, HERE, 5),
    "a message's file": (("send", "--as", "alice", "--to", "1", "--file", "/dev/zero"), False, HERE, 5),
    "a message's picture": (("send", "--as", "alice", "--to", "1", "--media", "/dev/zero", "x"), False, HERE, 5),
    "an export on stdin": (("ledger", "import", "-"), True, HERE, 5),
    "an export's file": (("ledger", "import", "/dev/zero"), False, HERE, 5),
    "credentials on stdin": (("--credentials-file", "-", "diff"), True, {}, 4),
    "credentials of a login": (("auth", "login", "--with-token"), True, {}, 4),
    "a credentials file": (("auth", "status"), False, {"PROFILECTL_CREDENTIALS_FILE": "/dev/zero"}, 4),
    "another tool's file": (("auth", "import", "--list", "--from", "/dev/zero"), False, {}, 4),
    "a saved plan": (("sync", "--plan", "/dev/zero", "--yes"), False, HERE, 5),
    "a roster": (("--roster", "/dev/zero", "diff"), False, HERE, 5),
}


def measured(folder, words, stdin=subprocess.DEVNULL, longest=1000, **variables):
    """Run the program within limits; return its exit code and its lines, once memory and time were judged."""
    ended = run(folder, words, stdin, **variables)
    assert ended.peak <= MOST_MEMORY, ended.lines[:5]
    assert ended.seconds <= MOST_SECONDS
    assert max(map(len, ended.lines), default=0) <= longest
    return ended.code, ended.lines


@pytest.mark.skipif(not ZEROS.exists(), reason="no /dev/zero")
@pytest.mark.parametrize("where", ENDLESS)
def test_input_without_end_is_refused(tmp_path, where):
    """At once, in a few lines, with the code of what it isn't."""
    words, on_stdin, variables, code = ENDLESS[where]
    (tmp_path / "roster.toml").write_text(ALICE + 'name = "Alice"\n')
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with ZEROS.open("rb") as zeros:
        ended = measured(tmp_path, words, zeros if on_stdin else subprocess.DEVNULL, **variables)

    assert code == ended[0], ended[1]
    assert 1 <= len(ended[1]) <= 3


LINES = {
    "arrays": lambda: b'{"row":[' + b"[]," * 21_000_000 + b"[]]}\n",
    "keys": lambda: b"{" + b",".join(b'"k%d":1' % number for number in range(600_000)) + b"}\n",
    "escapes": lambda: b'{"a":"' + rb"\u00e9" * 1_300_000 + b'"}\n',
    "a number": lambda: b'{"row":' + b"1" * 8_000_000 + b"}\n",
    "rows": lambda: b'{"row":{},"table":"audit"}\n' * 1_000_000,
}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("is_piped", [False, True], ids=["file", "pipe"])
def test_an_export_that_would_fill_a_machine_is_refused(tmp_path, line, is_piped):
    """Its head is right, and what follows is as large as a line may be, or larger: arrays took 1.7 GB."""
    file = tmp_path / "export"
    with open_for_writing(tmp_path / "ledger.db", actor="ann@desk") as ledger, file.open("w+b") as sink:
        ledger.engine.read(lambda execute: export.write(execute, sink))
        sink.seek(0)
        sink.readline()
        sink.write(LINES[line]())
    with file.open("rb") as content:
        words = ("ledger", "import", "-" if is_piped else "export")
        stdin = content if is_piped else subprocess.DEVNULL
        code, lines = measured(tmp_path, words, stdin, PROFILECTL_LEDGER="other.db")

    assert 5 == code, lines[:5]
    assert len(lines) <= 102


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("preview", "--html", "page.html"), 5, "the page of 6,000 agents would have 3,"),
        (("diff", "--format", "html"), 0, "shown: the page has too many"),
    ],
    ids=["preview", "diff"],
)
def test_one_picture_and_a_long_roster_make_no_page_of_gigabytes(tmp_path, words, code, said):
    """A page holds each agent's picture: 6,000 times one of 640 kB ended with a MemoryError."""
    noise = random.Random(1).randbytes(400 * 400 * 4)
    Image.frombytes("RGBA", (400, 400), noise).save(tmp_path / "a.png")
    (tmp_path / "roster.toml").write_text(HEAD + DEFAULTS + 'name = "Zo\u00eb \U0001f642"\n' + agents(6000))
    ended, lines = measured(tmp_path, words, **HERE, longest=150_000)

    assert code == ended, lines[:5]
    assert any(said in line for line in lines)


def test_an_animation_of_millions_of_blocks_is_sent(tmp_path):
    """A GIF of 20 MB that consists of empty comments is read without keeping them; it took 400 MB."""
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("teal", "orange")]
    target = io.BytesIO()
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:], duration=100)
    gif = target.getvalue().removesuffix(b"\x3b")
    (tmp_path / "a.gif").write_bytes(gif + b"\x21\xfe\x00" * ((19_900_000 - len(gif)) // 3) + b"\x3b")
    frames[0].save(tmp_path / "a.png")
    (tmp_path / "roster.toml").write_text(ALICE + 'name = "Alice"\n')
    assert 0 == measured(tmp_path, ("sync", "--yes"), **HERE)[0]
    code, lines = measured(
        tmp_path, ("send", "--as", "alice", "--to", "@customer", "--media", "a.gif", "Look", "--yes"), **HERE
    )

    assert 0 == code, lines
