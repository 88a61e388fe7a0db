"""Two people at one machine: what Ann does there, Bob can neither read nor change, however they share folders."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pty
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

from profilectl.pictures.stat_cache import MARGIN_NS
from tests.patience import LONGEST, next_line, until
from tests.private_machine import PrivateMachine, why_not

ANN, BOB, TEAM = 6301, 6302, 6300
HOME, CHECKOUT, TMP = "/srv/home/ann", "/srv/checkout", "/srv/tmp"
PROGRAM = (sys.executable, "-m", "profilectl")
WORDS = "quite private words"
ROSTER = f"""version = 1
[brands.acme]
handle = "acmecare"
[defaults]
kind = "human"
avatar = "face.png"
[agents.alice]
name = "Alice"
operators = ["uid:{ANN}"]
"""
EDITOR = f"""#!/bin/sh
echo '{WORDS}' > "$1"
echo "$1" > {HOME}/draft
while test ! -e {HOME}/enough; do sleep 0.1; done
"""
# What Bob tries at every path that Ann's commands made; he is told their names, as he couldn't list them.
INTRUDER = """
import json, os, sys
done = []
def attempt(deed, path, call):
    try:
        call()
    except OSError:
        return
    done.append([deed, path])
for path in json.load(sys.stdin):
    attempt("read", path, lambda: open(path, "rb").read(1))
    attempt("write", path, lambda: open(path, "r+b").close())
    attempt("list", path, lambda: os.listdir(path))
    attempt("plant", path, lambda: open(os.path.join(path, "planted"), "x").close())
    attempt("chmod", path, lambda: os.chmod(path, 0o777))
    if os.path.dirname(path) != "/srv/checkout":
        attempt("move", path, lambda: os.rename(path, path + ".moved"))
        attempt("remove", path, lambda: os.unlink(path))
print(json.dumps(done))
"""
CALLER = """
import json, sys, urllib.error, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
url, answers = sys.argv[1], []
for method, path in json.load(sys.stdin):
    body = b'{"kind": "slow", "seconds": 900, "handle": "acmecare", "allowlisted": false}' if method == "POST" else None
    try:
        with opener.open(urllib.request.Request(url + path, body, method=method), timeout=30) as answer:
            answers.append([answer.status, answer.read().decode()])
    except urllib.error.HTTPError as error:
        answers.append([error.code, error.read().decode()])
print(json.dumps(answers))
"""
CALLS = (
    *(
        ("GET", path)
        for path in ("/", "/_sandbox/state", "/_sandbox/faults", "/_sandbox/profiles", "/_sandbox/live.js")
    ),
    ("GET", "/_sandbox/conversations/acmecare/customer"),
    ("GET", "/_sandbox/conversations/acmecare/customer/talk"),
    ("GET", "/oauth/authorize?oauth_token=x"),
    *(("POST", f"/_sandbox/{path}") for path in ("faults", "reset", "advance", "allowlist", "messages", "feedback")),
    ("DELETE", "/_sandbox/faults"),
    ("POST", "/_sandbox/conversations/acmecare/customer"),
    ("POST", "/oauth/authorize"),
    ("GET", "/1.1/custom_profiles/list.json"),
    ("GET", "/1.1/direct_messages/events/list.json"),
    ("POST", "/1.1/custom_profiles/new.json"),
    ("POST", "/1.1/direct_messages/events/new.json"),
    ("DELETE", "/1.1/custom_profiles/destroy.json?id=100001"),
    ("POST", "/oauth/request_token"),
)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


class Office:
    """A machine on which both have one group: a folder that both may write, a /tmp for all, homes open to looks."""

    def __init__(self, root: Path, umask: str) -> None:
        self.machine, self.umask = PrivateMachine(root), umask
        for name, uid in {"ann": ANN, "bob": BOB}.items():
            self.machine.add_user(name, uid, f"/srv/home/{name}")
            self._make(f"/srv/home/{name}", uid, uid, 0o755)
        self._make(TMP, 0, 0, 0o1777)
        self._make(CHECKOUT, ANN, TEAM, 0o2775)
        self.machine.write(f"{CHECKOUT}/roster.toml", ROSTER, 0o664, ANN)
        self.machine.write(f"{HOME}/editor", EDITOR, 0o755, ANN)
        face = self.machine.at(f"{CHECKOUT}/face.png")
        Image.new("RGB", (64, 64), "teal").save(face)
        changed = face.stat().st_ctime_ns
        until(lambda: time.time_ns() - changed > MARGIN_NS, "a picture that isn't too new to be cached")
        self.before = set(self.files())
        self.settings: dict[str, str] = {}

    def _make(self, path: str, uid: int, gid: int, mode: int) -> None:
        folder = self.machine.at(path)
        folder.mkdir(parents=True)
        os.chown(folder, uid, gid)
        folder.chmod(mode)

    def files(self) -> list[str]:
        """Every path below /srv, as the machine's users name it."""
        srv = self.machine.at("/srv")
        return sorted(f"/srv/{path.relative_to(srv)}" for path in srv.rglob("*"))

    def made(self) -> list[str]:
        """What Ann's commands have made."""
        return [path for path in self.files() if path not in self.before and not path.startswith(f"{HOME}/draft")]

    def content(self) -> dict[str, tuple[int, int, str]]:
        """Owner, mode and content of all that."""
        files = {path: self.machine.at(path) for path in self.made()}
        return {path: (file.stat().st_uid, file.stat().st_mode, _digest(file)) for path, file in files.items()}

    def _as(self, uid: int, words: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, str]]:
        home = HOME if uid == ANN else "/srv/home/bob"
        environ = {"HOME": home, "TMPDIR": TMP, "TERM": "xterm", "EDITOR": f"{HOME}/editor", **self.settings}
        if uid == BOB:
            environ = {name: value for name, value in environ.items() if not name.startswith("PROFILECTL")}
        return ("sh", "-c", f'umask {self.umask}; cd {CHECKOUT}; exec "$@"', "sh", *words), environ

    def run(self, uid: int, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command, environ = self._as(uid, words)
        return self.machine.run(*command, uid=uid, gid=TEAM, stdin=stdin, **environ)

    def start(self, *words: str, **streams: object) -> subprocess.Popen[str]:
        command, environ = self._as(ANN, words)
        return self.machine.start(*command, uid=ANN, gid=TEAM, streams=streams, **environ)

    def ann(self, *words: str) -> str:
        done = self.run(ANN, *PROGRAM, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(params=["022", "002"])
def office(request, tmp_path, require):
    reason = why_not()
    require("namespaces", reason is None, str(reason))
    return Office(tmp_path, request.param)


@contextlib.contextmanager
def serving(office):
    """Let Ann serve a sandbox, and use it from then on; gives the document that she got."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    process = office.start(*PROGRAM, "sandbox", "serve", "--port", "0", "--generous", "--json", **streams)
    try:
        document = json.loads(next_line(process))
        account = document["accounts"][0]
        names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        office.settings = {f"PROFILECTL_{name.upper()}": account[name] for name in names}
        office.settings["PROFILECTL_API_URL"] = document["url"]
        yield document
    finally:
        process.terminate()
        process.communicate(timeout=LONGEST)


@contextlib.contextmanager
def writing(office):
    """Let Ann sit in her editor with a message that isn't sent yet."""
    outer, inner = pty.openpty()
    os.fchown(inner, ANN, -1)
    words = (*PROGRAM, "send", "--as", "alice", "--to", "@customer", "--edit", "--dry-run")
    process = office.start(*words, stdin=inner, stdout=inner, stderr=inner)
    os.close(inner)
    try:
        note = office.machine.at(f"{HOME}/draft")
        until(lambda: (note.exists() and note.read_text().strip()) or process.poll() is not None, "the editor to start")
        assert process.poll() is None, os.read(outer, 65_536)
        yield note.read_text().strip()
    finally:
        office.machine.at(f"{HOME}/enough").touch()
        process.wait(LONGEST)
        os.close(outer)


def ask(document, what):
    """Ask the sandbox as its owner's browser does."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(), urllib.request.ProxyHandler({}))
    opener.open(document["pages"], timeout=LONGEST).close()
    with opener.open(f"{document['url']}/_sandbox/{what}", timeout=LONGEST) as answer:
        return json.load(answer)


def command_lines(uid):
    """What `ps` shows everybody of a user's processes."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.stat().st_uid == uid:
                yield (process / "cmdline").read_bytes().decode(errors="replace")


def test_bob_reads_and_changes_nothing_of_ann_s(office):
    """Not the world, ledger, caches, heads, drafts, logs and locks on disk, nor the sandbox that she serves."""
    office.ann("--sandbox", "sync", "--yes")
    office.ann("--sandbox", "send", "--as", "alice", "--to", "@customer", WORDS)
    office.run(ANN, sys.executable, "-c", "from profilectl.cli.crash_log import write_log; write_log(ValueError())")
    with serving(office) as document:
        office.ann("sync", "--yes")
        office.ann("send", "--as", "alice", "--to", "@customer", WORDS)
        with writing(office) as draft:
            made, before = office.made(), office.content()
            state = ask(document, "state")
            intrusions = json.loads(office.run(BOB, sys.executable, "-c", INTRUDER, stdin=json.dumps(made)).stdout)
            done = office.run(BOB, sys.executable, "-c", CALLER, document["url"], stdin=json.dumps(CALLS))
            commands = [
                office.run(BOB, *PROGRAM, "sandbox", *words, "--url", document["url"])
                for words in (("faults", '{"kind": "slow"}'), ("reset",))
            ]
            rehearsal = office.run(BOB, *PROGRAM, "--sandbox", "diff")
            shown = "".join(command_lines(ANN))
            after, state_after = office.content(), ask(document, "state")

    kinds = ("world.db", "ledger.db", ".lock", "crash-", "heads", ".cache/profilectl", ".token", "MESSAGE")
    assert [] == [kind for kind in kinds if not any(kind in path for path in made)], made
    assert draft in made
    assert [] == intrusions
    answers = json.loads(done.stdout)
    assert {400, 401} == {status for status, _ in answers}
    assert not any(text in body for _, body in answers for text in ("acmecare", "Alice", WORDS))
    assert [5, 5] == [command.returncode for command in commands], [command.stderr for command in commands]
    assert 5 == rehearsal.returncode, rehearsal.stderr
    secrets = [document["pages"].partition("token=")[2], *office.settings.values()]
    assert [] == [secret for secret in secrets if secret in shown]
    assert before == after
    assert {**state, "now_ms": 0} == {**state_after, "now_ms": 0}
    open_to_others = stat.S_IRWXG | stat.S_IRWXO
    files = {path: mode for path, (_, mode, _) in after.items() if stat.S_ISREG(mode)}
    assert [] == [path for path, mode in files.items() if mode & open_to_others]


def test_bob_s_folder_in_place_of_ann_s_is_refused(office):
    """Who shares a checkout can move her folder out of it; what he puts there is never taken for hers."""
    office.ann("--sandbox", "sync", "--yes")
    office.run(BOB, "mv", f"{CHECKOUT}/.profilectl", f"{CHECKOUT}/old")
    office.run(BOB, "mkdir", "-p", f"{CHECKOUT}/.profilectl/sandbox")
    done = office.run(ANN, *PROGRAM, "--sandbox", "diff")

    assert (5, True) == (done.returncode, "belongs to another user" in done.stderr), done.stderr


def test_a_world_that_bob_planted_is_not_served(office):
    """Neither his file, nor one of hers where he could replace it; in /tmp her own is private."""
    office.machine.write(f"{TMP}/bob.db", "", 0o666, BOB)
    refused = [
        office.run(ANN, *PROGRAM, "sandbox", "serve", "--port", "0", "--world", world)
        for world in (f"{TMP}/bob.db", f"{CHECKOUT}/world.db")
    ]

    assert [5, 5] == [done.returncode for done in refused]
    assert "belongs to another user" in refused[0].stderr
    assert "other users could replace it" in refused[1].stderr
    assert "consumer" not in "".join(done.stdout for done in refused)
