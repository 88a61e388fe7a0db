"""The local X keeps to its own folder and its own machine, whatever a repository or an address says."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


@pytest.fixture
def small(desk):
    """A desk with one agent."""
    return desk.write(("alice", "Alice"))


@contextmanager
def answering(status, body, **headers):
    """Serve one and the same answer on loopback; gives its address and the paths that were asked for."""
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - http.server's name

        def log_message(self, *_words):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_reset_begins_anew(small):
    """The profiles go, the ledger of the sandbox with them."""
    assert 0 == small.run("--sandbox", "sync", "--yes").code
    assert 0 == small.run("sandbox", "reset").code
    assert ["create"] == [row["action"] for row in small.run("--sandbox", "diff", "--json").document["changes"]]


@pytest.mark.parametrize("words", [("sandbox", "reset"), ("sandbox", "faults"), ("--sandbox", "sync", "--yes")])
@pytest.mark.parametrize("link", [".profilectl", ".profilectl/sandbox"])
def test_a_linked_folder_is_refused(small, words, link):
    """A link in a repository doesn't lead the sandbox to the real ledger, or anywhere else."""
    elsewhere = small.folder / "elsewhere"
    (elsewhere / "sandbox").mkdir(parents=True)
    victims = [elsewhere / "ledger.db", elsewhere / "sandbox" / "ledger.db"]
    for one in victims:
        one.write_text("precious")
    link = small.folder / link
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    done = small.run(*words)

    assert (5, True) == (done.code, "is a symbolic link" in done.err)
    assert ["precious"] * 2 == [one.read_text() for one in victims]
    assert {"ledger.db", "sandbox"} == {one.name for one in elsewhere.iterdir()}


def test_the_sandbox_in_place_of_its_parent(small):
    """`.profilectl/sandbox -> .` doesn't make a reset forget who is whose."""
    (small.folder / ".profilectl").mkdir()
    (small.folder / ".profilectl" / "ledger.db").write_text("precious")
    (small.folder / ".profilectl" / "sandbox").symlink_to(".")

    assert 5 == small.run("sandbox", "reset").code
    assert "precious" == (small.folder / ".profilectl" / "ledger.db").read_text()


@pytest.mark.parametrize("kind", ["garbage", "dangling link", "folder"])
@pytest.mark.parametrize(
    "words", [("--sandbox", "diff"), ("sandbox", "serve", "--world", ".profilectl/sandbox/world.db")]
)
def test_what_is_no_world_is_refused(small, kind, words):
    """With a way out, and without a trace at the other end of a link."""
    path = small.folder / ".profilectl" / "sandbox" / "world.db"
    path.parent.mkdir(parents=True)
    if kind == "garbage":
        path.write_text("garbage")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(small.folder / "made")
    done = small.run(*words)

    assert 5 == done.code, done.err
    assert "world.db holds no sandbox world" in done.err
    assert "hint: " in done.err
    assert not (small.folder / "made").exists()


def test_a_world_in_no_folder(small):
    """The reason is told."""
    done = small.run("sandbox", "serve", "--world", "nowhere/world.db")

    assert (5, True) == (done.code, "nowhere/world.db: No such file or directory" in done.err)


@pytest.mark.parametrize("words", [("faults",), ("reset",)])
def test_only_loopback_is_asked(small, words):
    """Another machine isn't a sandbox."""
    done = small.run("sandbox", *words, "--url", "https://x.example")

    assert (2, True) == (done.code, "isn't on this machine" in done.err)


@pytest.mark.parametrize("words", [("faults",), ("reset",)])
def test_redirects_are_not_followed(small, words):
    """Not even to the same machine."""
    with answering(302, b"", Location="/elsewhere") as (url, asked):
        done = small.run("sandbox", *words, "--url", url)

    assert (1, True) == (done.code, "no sandbox answers at " in done.err)
    assert [f"/_sandbox/{words[0]}"] == asked


@pytest.mark.parametrize("body", [b"{}", b"[]", b"7", b'{"faults": 7}', b"<html>", b"\xff", b"[" * 100_000])
def test_odd_answers_are_told(small, body):
    """Whatever listens there, it is no sandbox."""
    with answering(200, body) as (url, _):
        done = small.run("sandbox", "faults", "--url", url)

    assert (1, True) == (done.code, "no sandbox answers at " in done.err), done.err


def test_faults_of_a_running_sandbox(small, served):
    """Armed, listed and disarmed by address."""
    armed = small.run("sandbox", "faults", '{"kind": "slow"}', "--url", served.url).document["faults"]

    assert ["slow"] == [one["kind"] for one in armed]
    assert armed == small.run("sandbox", "faults", "--url", served.url).document["faults"]
    assert 0 == small.run("sandbox", "reset", "--url", served.url).code
    assert [] == small.run("sandbox", "faults", "--url", served.url).document["faults"]
