"""The local X keeps to its own folder and its own machine, whatever a repository or an address says."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from profilectl.cli import local_sandbox
from profilectl.cli.local_sandbox import ask_running_sandbox, open_world
from profilectl.errors import InputRefused, TryLater
from profilectl.sandbox.model.faults import CALLS, Kind
from profilectl.sandbox.model.world import World
from tests.cli.conftest import Desk
from tests.patience import join, next_line

ROOT = Path(__file__).parents[2]


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
        join(thread)


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
    for victim in victims:
        victim.write_text("precious")
    link = small.folder / link
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    done = small.run(*words)

    assert (5, True) == (done.code, "is a symbolic link" in done.err)
    assert ["precious"] * 2 == [victim.read_text() for victim in victims]
    assert {"ledger.db", "sandbox"} == {path.name for path in elsewhere.iterdir()}


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
        path.chmod(0o600)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(small.folder / "made")
    done = small.run(*words)

    assert 5 == done.code, done.err
    assert "world.db holds no sandbox world" in done.err
    assert "hint: " in done.err
    assert not (small.folder / "made").exists()


@pytest.mark.parametrize(
    ("locked", "mode"),
    [("sandbox", 0o500), ("sandbox", 0), ("sandbox/world.db", 0o400), ("sandbox/world.db", 0)],
)
@pytest.mark.parametrize("words", [("diff",), ("sync", "--yes"), ("sandbox", "reset"), ("doctor",)])
def test_a_world_that_can_t_be_written_is_no_world_to_remove(small, powerless, words, locked, mode):
    """The mode is what is wrong; the profiles in there are well, and nothing is said that would end them."""
    assert 0 == small.run("--sandbox", "sync", "--yes").code
    path = small.folder / ".profilectl" / locked
    before = path.stat().st_mode
    path.chmod(mode)
    done = small.run("--sandbox", *words, starter=powerless)
    path.chmod(before)

    assert 5 == done.code, done.err
    assert f"{locked} can't be written" in done.err + done.out
    assert f"hint: make .profilectl/{locked} readable and writable for this user" in done.err
    assert "remove" not in done.err


def test_a_folder_without_a_world_that_can_t_be_written(small, powerless):
    """As one with a world in it."""
    folder = small.folder / ".profilectl" / "sandbox"
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    done = small.run("--sandbox", "diff", starter=powerless)

    assert 5 == done.code, done.err
    assert "hint: make .profilectl/sandbox readable and writable for this user" in done.err


def test_a_world_that_is_kept_busy_is_no_world_to_remove(monkeypatch, tmp_path):
    """Nor is what passes by itself a reason to remove it."""
    path = tmp_path / "world.db"
    World(path).close()
    monkeypatch.setattr("profilectl.sandbox.model.store._BUSY_SECONDS", 0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TryLater, match=r"world\.db is kept busy"):
            open_world(path, None, "remove it")


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

    assert (5, True) == (done.code, "no sandbox answers at " in done.err)
    assert [f"/_sandbox/{words[0]}"] == asked


@pytest.mark.parametrize("body", [b"{}", b"[]", b"7", b'{"faults": 7}', b"<html>", b"\xff", b"[" * 100_000])
def test_odd_answers_are_told(small, body):
    """Whatever listens there, it is no sandbox."""
    with answering(200, body) as (url, _):
        done = small.run("sandbox", "faults", "--url", url)

    assert (5, True) == (done.code, "no sandbox answers at " in done.err), done.err


@pytest.mark.parametrize(("raw", "code"), [(b"", 75), (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", 5)])
def test_what_speaks_no_http_is_no_sandbox(small, raw, code):
    """One that hangs up may be starting; one that speaks of something else is another program."""

    def hang_up(listening):
        connection, _ = listening.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(raw)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=hang_up, args=(listening,))
        thread.start()
        done = small.run("sandbox", "faults", "--url", f"http://127.0.0.1:{listening.getsockname()[1]}")
        join(thread)

    assert (code, True) == (done.code, "no sandbox answers at " in done.err), done.err


def test_an_answer_without_an_end_is_given_up(monkeypatch):
    """What listens there fills no memory."""
    monkeypatch.setattr(local_sandbox, "_LARGEST_ANSWER", 10)
    with answering(200, b'{"faults": [      ]}') as (url, _), pytest.raises(InputRefused, match="larger than 10 bytes"):
        ask_running_sandbox({}, url, "GET", "faults", "faults")


def test_faults_of_a_running_sandbox(small, served):
    """Armed, listed and disarmed by address."""
    armed = small.run("sandbox", "faults", '{"kind": "slow"}', "--url", served.url).document["faults"]

    assert ["slow"] == [rule["kind"] for rule in armed]
    assert armed == small.run("sandbox", "faults", "--url", served.url).document["faults"]
    assert 0 == small.run("sandbox", "reset", "--url", served.url).code
    assert [] == small.run("sandbox", "faults", "--url", served.url).document["faults"]


@pytest.mark.parametrize("words", [("faults",), ("reset",)])
def test_nobody_at_the_address_is_exit_75(small, words):
    """A sandbox that isn't running yet is a matter of time; the sentence names the command that starts one."""
    done = small.run("sandbox", *words, "--url", "http://127.0.0.1:1", "--json")

    assert (75, "profilectl.error/1") == (done.code, done.document["schema"])
    assert "no sandbox answers at http://127.0.0.1:1: Connection refused" in done.err
    assert "profilectl sandbox serve" in done.err


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ('{"kind": "slow", "call": "creat"}', "unknown call 'creat', did you mean 'create'?"),
        ('{"kind": "slwo"}', "unknown kind 'slwo', did you mean 'slow'?"),
        ('{"kind": "name-nfd", "call": "send"}', "not a fault: name-nfd can't happen to send, only to create"),
        ('{"kind": "slow", "times": 0}', "not a fault: times: 0 would never strike; give 1 or more, or null for ever"),
        ("[]", "not a fault: a fault is an object"),
        ("7", "not a fault: a fault is an object"),
        ("{", "not a fault: "),
        ("[" * 100_000, "not a fault: "),
    ],
)
def test_what_is_no_fault_is_refused(small, rule, reason):
    """With the reason and an example; nothing is armed."""
    done = small.run("sandbox", "faults", rule)

    assert (2, "", True) == (done.code, done.out, reason in done.err), done.err
    assert 'hint: {"call": "create", "kind": "drop-after"}' in done.err
    assert [] == small.run("sandbox", "faults").document["faults"]


def test_help_lists_every_call_and_kind(small):
    """Nobody has to look into the code for the words of a rule."""
    small.env["COLUMNS"] = "200"
    words = small.run("sandbox", "faults", "--help").out.translate(str.maketrans(",.;", "   ")).split()

    assert set(words) >= {*CALLS, *Kind}


@pytest.mark.parametrize("words", [(), ("--json",), ("--clear", "--json"), ('{"kind": "slow"}', "--json")])
def test_faults_print_a_document(small, words):
    """Rules are JSON, in and out, and the document says its version."""
    assert "profilectl.faults/1" == small.run("sandbox", "faults", *words).document["schema"]


def test_reset_prints_a_document(small, served):
    """It says which sandbox is as new: the one at the address, or the one of --sandbox."""
    there = small.run("sandbox", "reset", "--json", "--url", served.url)
    del small.env["PROFILECTL_API_URL"]
    here = small.run("sandbox", "reset", "--json")

    folder = str(small.folder / ".profilectl" / "sandbox")
    assert {"schema": "profilectl.reset/1", "url": None, "folder": folder} == here.document
    assert {"schema": "profilectl.reset/1", "url": served.url, "folder": None} == there.document


FOLLOWED = "(which PROFILECTL_API_URL names)"


def test_the_sandbox_that_other_commands_speak_to_is_the_one_that_is_meant(small, served):
    """Whoever has pasted what `sandbox serve` prints orders faults there; the answer says which world it was."""
    armed = small.run("sandbox", "faults", '{"kind": "slow"}')
    reset = small.run("sandbox", "reset")

    assert (served.url, None, ["slow"]) == (
        armed.document["url"],
        armed.document["folder"],
        [rule["kind"] for rule in armed.document["faults"]],
    )
    assert f"1 fault is armed at the local X at {served.url} {FOLLOWED}\n" == armed.err
    assert f"the local X at {served.url} {FOLLOWED} is as new\n" == reset.err
    assert [] == served.ask("GET", "faults")["faults"]


@pytest.mark.parametrize("address", ["https://api.x.com", "https://localhost:1", ""])
def test_the_world_of_the_folder_is_meant_otherwise(small, address):
    """Where commands speak to the real X, or to what `sandbox serve` can't be; the answer names the folder."""
    small.env["PROFILECTL_API_URL"] = address
    armed = small.run("sandbox", "faults", '{"kind": "slow"}')

    assert (None, str(small.folder / ".profilectl" / "sandbox")) == (armed.document["url"], armed.document["folder"])
    assert "1 fault is armed at the local X in .profilectl/sandbox\n" == armed.err


def test_sandbox_means_the_world_of_the_folder(small, served):
    """The option says it, whatever the environment says."""
    small.run("--sandbox", "sandbox", "faults", '{"kind": "slow"}')
    small.run("sandbox", "faults", '{"kind": "hold"}')

    assert ["slow"] == [rule["kind"] for rule in small.run("--sandbox", "sandbox", "faults").document["faults"]]
    assert ["hold"] == [rule["kind"] for rule in served.ask("GET", "faults")["faults"]]


def test_an_address_of_the_environment_where_nobody_answers(small):
    """The hint says how to get to the world of this folder."""
    small.env["PROFILECTL_API_URL"] = "http://127.0.0.1:1"
    done = small.run("sandbox", "faults")

    assert (75, True) == (done.code, "without PROFILECTL_API_URL this is about the world of --sandbox" in done.err)


def test_a_folder_that_cannot_be_entered_is_told(small, powerless):
    """Nothing was made new there, so nothing is said to be; one sentence, no traceback."""
    locked = small.folder / "locked"
    locked.mkdir()
    (locked / "roster.toml").touch()
    locked.chmod(0)
    for words in (("reset",), ("faults",), ("serve", "--port", "0")):
        done = small.run("--roster", str(locked / "roster.toml"), "sandbox", *words, starter=powerless)
        assert (5, True, False) == (done.code, "Permission denied" in done.err, "unexpected" in done.err), done.err
    locked.chmod(0o700)


def test_a_folder_that_was_removed_is_told(small):
    """A shell that still stands in it gets a sentence, whatever the command would have needed of it."""
    done = small.shell(f"mkdir gone; cd gone; rmdir ../gone; PYTHONPATH={ROOT} profilectl sandbox faults")

    assert (5, True) == (done.code, "the folder that you are in was removed" in done.err), done.err


def is_allowlisted(state):
    return next(account["allowlisted"] for account in state["accounts"] if account["handle"] == "acmecare")


def test_reset_gives_the_allowlist_back(small):
    """What --not-allowlisted took from a brand is no part of a world that is as new."""
    process, served = small.serve("--handle", "acmecare", "--not-allowlisted")
    before = is_allowlisted(served.ask("GET", "state"))
    small.run("sandbox", "reset", "--url", served.url)
    after = is_allowlisted(served.ask("GET", "state"))
    small.end(process)

    assert (False, True) == (before, after)


def is_allowlisted_in(path):
    with World(path) as world:
        return is_allowlisted(world.state())


@pytest.mark.parametrize(
    ("words", "place"), [(("--sandbox",), ".profilectl/sandbox/world.db"), (("--world", "world.db"), "world.db")]
)
def test_no_allowlist_is_for_one_server_only(small, words, place):
    """The world outlives the server, and what it said of the allowlist doesn't."""
    process, served = small.serve(*words, "--not-allowlisted")
    before = is_allowlisted(served.ask("GET", "state"))
    small.end(process)

    assert (False, True) == (before, is_allowlisted_in(small.folder / place))


def test_no_allowlist_is_for_no_server_that_couldn_t_listen(small):
    """Nothing is served, so X lets the brand do what it could do before."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = small.run("--sandbox", "sandbox", "serve", "--port", port, "--not-allowlisted")

    assert (5, True) == (done.code, f"can't listen on port {port}: " in done.err)
    assert is_allowlisted_in(small.folder / ".profilectl" / "sandbox" / "world.db")


def test_what_is_printed_opens_the_pages(small):
    """A person gets their address on stderr, a program in the document; no command line holds the token."""
    process = small.start("sandbox", "serve", "--port", "0", "--json")
    document = json.loads(next_line(process))
    command_line = Path(f"/proc/{process.pid}/cmdline").read_text()
    with httpx.Client(trust_env=False, follow_redirects=True) as browser:
        page = browser.get(document["pages"])
    remark = next_line(process, process.stderr)  # before the signal, which may come sooner
    small.end(process)

    assert (200, f"{document['url']}/") == (page.status_code, str(page.url))
    assert remark.startswith(f"the sandbox is at {document['pages']} ")
    assert document["pages"].partition("token=")[2] not in command_line


def test_other_sandboxes_of_this_user_are_asked_with_their_own_token(small):
    """From any folder, by the port; once they have ended, nothing of them is kept."""
    (first, one), (second, other) = small.serve(), small.serve()
    folder = Path(os.environ["XDG_STATE_HOME"]) / "profilectl" / "sandboxes"
    modes = {path.name: oct(path.stat().st_mode & 0o7777) for path in (folder, *folder.glob("*.token"))}
    elsewhere = Desk(small.folder / "avatars", small.preloaded)
    done = [
        elsewhere.run("sandbox", "faults", f'{{"kind": "{kind}"}}', "--url", served.url)
        for kind, served in (("slow", one), ("hold", other))
    ]
    small.end(first)
    small.end(second)

    assert [0, 0] == [result.code for result in done], [result.err for result in done]
    assert {"sandboxes": "0o700", **{f"{urlsplit(served.url).port}.token": "0o600" for served in (one, other)}} == modes
    assert [] == list(folder.glob("*.token"))


def test_somebody_else_s_sandbox_is_not_asked(small, served):
    """Whoever hasn't its token is told whose it is, and changes nothing."""
    small.env["XDG_STATE_HOME"] = str(small.folder / "elsewhere")
    done = small.run("sandbox", "faults", '{"kind": "slow"}', "--url", served.url)

    assert (5, True) == (done.code, "isn't one that this user serves" in done.err)
    assert [] == served.ask("GET", "faults")["faults"]


def test_no_option_takes_the_token(small, served):
    """Every user of the machine can read it there; the address without it is enough."""
    done = small.run("sandbox", "faults", "--url", f"{served.url}/?token={served.token}")

    assert (2, False) == (done.code, served.token in done.err)
    assert f"hint: --url {served.url} is enough" in done.err


def test_a_sandbox_is_served_without_a_private_folder_too(small):
    """Its pages work; who wants to order faults by address learns why they can't."""
    small.env |= {"XDG_STATE_HOME": "/proc/nowhere"}
    process = small.start("sandbox", "serve", "--port", "0", "--json")
    document = json.loads(next_line(process))
    remarks = [next_line(process, process.stderr) for _ in range(2)]  # before the signal, which may come sooner
    small.end(process)

    assert "?token=" in document["pages"]
    assert "won't find this sandbox's token" in "".join(remarks)


@pytest.mark.parametrize("handle", ["a b", "", "sixteen_letters_", "é", "../x"])
def test_what_is_no_handle_is_refused(small, handle):
    """Nothing is served for it."""
    done = small.run("sandbox", "serve", "--port", "0", "--handle", handle, "--json")

    assert (2, "profilectl.error/1") == (done.code, done.document["schema"])
    what = f"--handle: {handle!r} is not a handle" if handle else "--handle has an empty value"
    assert what in done.document["error"]["message"]


def test_the_printed_ledger_is_the_same_from_every_folder(small):
    """The settings may be used in another folder than the one in which the sandbox was started."""
    process, _ = small.serve("--handle", "acmecare")
    small.end(process)
    ledger = Path(small.env["PROFILECTL_LEDGER"])

    assert (True, small.folder / ".profilectl") == (ledger.is_absolute(), ledger.parent)


def test_the_world_of_this_folder_has_one_ledger(small):
    """Whether it is served or used with --sandbox: what one way did the other knows."""
    assert 0 == small.run("--sandbox", "sync", "--yes").code
    process, _ = small.serve("--sandbox")
    served = small.run("diff", "--exit-code")
    ledger = Path(small.env["PROFILECTL_LEDGER"])
    small.write(("alice", "Alice"), ("bea", "Bea"))
    again = small.run("sync", "--yes")
    small.end(process)
    inside = small.run("--sandbox", "diff", "--exit-code")

    assert (0, 0, 0) == (served.code, again.code, inside.code), served.err + again.err + inside.err
    assert small.folder / ".profilectl" / "sandbox" / "ledger.db" == ledger
    assert not list((small.folder / ".profilectl").glob("sandbox-*.db"))


def test_another_world_says_where_that_of_this_folder_is(small):
    """Who has followed the tour would look for its agents in vain."""
    assert 0 == small.run("--sandbox", "sync", "--yes").code
    process, _ = small.serve("--handle", "acmecare")
    remark = next_line(process, process.stderr)
    small.end(process)

    serving = "`profilectl --sandbox sandbox serve` serves that of the --sandbox commands here\n"
    assert f"this is a new, empty world; {serving}" == remark


def test_the_printed_ledger_lies_beside_the_roster(small):
    """As every ledger does by default."""
    process, _ = small.serve("--handle", "acmecare", "--roster", "team/roster.toml")
    small.end(process)

    assert small.folder / "team" / ".profilectl" == Path(small.env["PROFILECTL_LEDGER"]).parent


@pytest.mark.parametrize("words", [("diff",), ("sync", "--yes"), ("profiles", "list"), ("offboard", "alice", "--yes")])
@pytest.mark.parametrize("defect", ["link", "open to others", "world-writable", "file"])
def test_hints_for_the_sandbox_s_ledger_are_about_it(small, words, defect):
    """PROFILECTL_LEDGER doesn't move the ledger of --sandbox, so no hint says that it would."""
    assert 0 == small.run("--sandbox", "sync", "--yes").code
    ledger = small.folder / ".profilectl" / "sandbox" / "ledger.db"
    if defect == "link":
        ledger.rename(small.folder / "moved.db")
        ledger.symlink_to(small.folder / "moved.db")
    elif defect == "open to others":
        ledger.chmod(0o644)
    elif defect == "world-writable":
        ledger.parent.chmod(0o777)
    else:
        ledger.parent.rename(small.folder / "moved")
        ledger.parent.touch()
    done = small.run("--sandbox", *words)

    assert (5, False) == (done.code, "PROFILECTL_LEDGER" in done.err), done.err
    assert "hint: " in done.err
