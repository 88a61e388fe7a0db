"""A thousand agents: as few calls as promised, and when nothing changes no picture opened and little memory taken."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from profilectl.system.cache import cache_file

WATCHED = """
import json, sys, time
now, opened = time.time_ns, []
time.time_ns = lambda: now() + 60 * 10**9  # pictures that were just drawn are a minute old
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
from profilectl.cli.main import run
code = run(sys.argv[1:])
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
pictures = sorted({path.rpartition("/")[2] for path in opened if path.endswith(".png")})
print(json.dumps({"pictures": pictures, "kB": int(status["VmHWM"].split()[0])}), file=sys.stderr)
sys.exit(code)
"""
"""The program, which tells in the end which pictures it has opened and how much of it was in memory at most."""


@pytest.fixture
def watch(desk, served):
    """Return how to run the program watched: its document, the pictures that it opened, and its memory in kB."""

    def run(*words):
        program = [sys.executable, "-c", WATCHED, *words, "--json"]
        done = subprocess.run(
            program, cwd=desk.folder, env=desk.environment(), capture_output=True, text=True, timeout=300, check=False
        )
        assert 0 == done.returncode, done.stderr
        seen = json.loads(done.stderr.splitlines()[-1])
        return json.loads(done.stdout), seen["pictures"], seen["kB"]

    return run


def write_team(desk, count):
    """Write a roster whose agents have a picture file each."""
    for number in range(count):
        shutil.copyfile(desk.folder / "avatars" / "face.png", desk.folder / "avatars" / f"{number}.png")
    desk.write(*((f"a{number}", f"Agent {number}", f'avatar = "avatars/{number}.png"') for number in range(count)))


def calls(lists, uploads=0, creates=0, destroys=0):
    return {"list": lists, "upload": uploads, "create": creates, "destroy": destroys, "other": 1}


def test_a_thousand_agents_cost_two_thousand_calls_and_then_twenty_one(desk, watch):
    """First 1,000 uploads and 1,000 creates; then 20 list calls and one verify_credentials, and no file is opened."""
    write_team(desk, 1000)
    first, read, _ = watch("sync", "--yes")
    second, read_again, most = watch("sync", "--yes")

    assert (calls(1, 1000, 1000), 1000) == (first["requests"], len(read))
    assert (calls(20), [], []) == (second["requests"], second["results"], read_again)
    assert most <= 90_000


def test_only_what_was_touched_is_read(desk, watch):
    """A picture with other content is found and replaced; one of which only the times changed is only read."""
    write_team(desk, 4)
    watch("sync", "--yes")
    os.utime(desk.folder / "avatars" / "1.png")
    desk.draw("2.png", colour=(1, 2, 3))
    planned, read_by_diff, _ = watch("diff")
    done, read, _ = watch("sync", "--yes")
    *_, read_in_the_end, _ = watch("sync", "--yes")

    assert [["a2"], ["a2"]] == [[one["agent"] for one in planned["changes"]], [one["agent"] for one in done["results"]]]
    assert [["1.png", "2.png"], ["1.png", "2.png"], []] == [read_by_diff, read, read_in_the_end]


def spoil(path):
    path.write_bytes(b'{"version": 1, "pictures": {"avatars/0.png": 7}}')


def expose(path):
    path.chmod(0o644)


def link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def block(path):
    path.unlink()
    os.mkfifo(path, 0o600)


def swell(path):
    with path.open("ab") as file:
        file.truncate(1 << 40)


def obstruct(path):
    path.unlink()
    path.mkdir(0o700)


def picture_cache(desk):
    """Return the file that is kept of the desk's pictures."""
    return Path(cache_file(str(desk.folder / "roster.toml"), "pictures"))


@pytest.mark.parametrize("deed", [spoil, expose, link, block, swell, obstruct])
def test_a_cache_that_can_t_be_trusted_is_none(desk, watch, deed):
    """Damaged, open to others, a link, a pipe, without end, or a folder: the pictures are read, and nothing fails."""
    write_team(desk, 2)
    watch("sync", "--yes")
    cache = picture_cache(desk)
    mode = cache.stat().st_mode & 0o777
    deed(cache)
    _, read_by_diff, _ = watch("diff")
    done, read, _ = watch("sync", "--yes")

    assert 0o600 == mode
    assert [["0.png", "1.png"]] * 2 == [read_by_diff, read]
    assert (calls(1), []) == (done["requests"], done["results"])
    assert deed is obstruct or (cache.is_file() and not cache.is_symlink())


def test_several_brands_are_asked_at_once_and_told_of_in_their_order(desk):
    """Whatever fails first, the first brand's failure is told; and what is wrong with pictures before all of that."""
    desk.write(("alice", "Alice"), brands={"zulu": "zulucare", "acme": "acmecare"})
    names = ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")
    desk.env |= {f"PROFILECTL_{name}": "made-up-value" for name in names}
    desk.env["PROFILECTL_API_URL"] = "http://127.0.0.1:1"
    unreachable = desk.run("diff", "--timeout", "1")
    (desk.folder / "avatars" / "face.png").write_bytes(b"")
    bad = desk.run("diff", "--timeout", "30")

    assert (75, True) == (unreachable.code, "error: brand zulu: " in unreachable.err), unreachable.err
    assert (5, True) == (bad.code, "is an empty file" in bad.err), bad.err


def test_a_picture_that_was_cached_wrongly_stops_one_run_only(desk, watch):
    """Its real content comes to light when it is prepared; the next run reads every file."""
    write_team(desk, 2)
    watch("sync", "--yes")
    cache = picture_cache(desk)
    document = json.loads(cache.read_text())
    document["pictures"]["avatars/0.png"][0] = "sha256:" + "0" * 64
    cache.write_text(json.dumps(document))
    first, second = desk.run("sync", "--yes"), desk.run("sync", "--yes")

    assert (5, True, 0) == (first.code, "changed while it was being used" in first.err, second.code)
