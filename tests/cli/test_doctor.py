"""``profilectl doctor`` as people and scripts meet it: in every state of the machine, of X, and of the files."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from profilectl.cli.main import run
from profilectl.doctor.wait import Clock
from profilectl.ledger.location import default_ledger_path
from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import serve
from profilectl.sandbox.model.faults import Fault, Kind
from profilectl.sandbox.model.world import World
from tests import schemas

LAYERS = ["versions", "clock", "network", "proxy", "keyring", "credentials", "token", "access", "allowlist", "quota"]
LAYERS += ["roster", "pictures", "ledger"]
_VALUES = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
_WITH_KEYRING = Path(__file__).parent.parent / "with-keyring.sh"


class Practice:
    """A doctor in this process, and a patient at an X of his own."""

    def __init__(self, desk, world, server, monkeypatch, capfd):
        self.desk = desk
        self.world = world
        self.monkeypatch = monkeypatch
        self.capfd = capfd
        self.code = None
        self.err = ""
        monkeypatch.chdir(desk.folder)
        self.set(PROFILECTL_API_URL=server.url)
        self.become(world.accounts.require("acmecare").handle)

    def set(self, **variables):
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    def become(self, handle):
        account = self.world.ensure_brand(handle)
        self.set(**{f"PROFILECTL_{name.upper()}": getattr(account, name) for name in _VALUES})

    def run(self, *words):
        self.code = run(list(words))
        out, self.err = self.capfd.readouterr()
        return out

    def examine(self, *words):
        """Return the findings by check, or by check and brand where there are several brands."""
        document = json.loads(self.run("doctor", "--json", *words))
        assert (document["schema"], document["exit_code"]) == ("profilectl.doctor/1", self.code)
        brands = {one["brand"] for one in document["checks"] if one["brand"]}
        several = len(brands) > 1
        return {(c["check"], c["brand"]) if several and c["brand"] else c["check"]: c for c in document["checks"]}

    def files(self):
        return sorted(str(path.relative_to(self.desk.folder)) for path in self.desk.folder.rglob("*"))


@pytest.fixture
def ahead():
    """Seconds that this machine's clock is ahead of X's."""
    return 0


@pytest.fixture
def world(ahead):
    with contextlib.closing(World(now=lambda: time.time() - ahead)) as one:
        one.ensure_brand("acmecare", user_id="4242")
        yield one


@pytest.fixture
def practice(desk, world, monkeypatch, capfd):
    """A healthy patient: a roster with one agent, credentials in the environment, an X that allows everything."""
    desk.write(("alice", "Alice"))
    sigterm = signal.getsignal(signal.SIGTERM)
    with serve(SandboxApp(world)) as server:
        yield Practice(desk, world, server, monkeypatch, capfd)
    signal.signal(signal.SIGTERM, sigterm)


def states(findings):
    return {check: one["state"] for check, one in findings.items() if one["state"] != "ok"}


def test_all_is_well(practice):
    """Every layer has one line, in the promised order, and nothing is written anywhere."""
    before = practice.files()
    findings = practice.examine()

    assert LAYERS == list(findings)
    assert ({}, 0) == (states(findings), practice.code)
    assert "accepted by X: @acmecare, user id 4242" == findings["token"]["message"]
    assert findings["network"]["message"].endswith("loopback, no TLS")
    assert "it lists 0 profiles; the account is verified" in findings["allowlist"]["message"]
    assert "list 179 of 180 left, show 180 of 180 left; 0 of 1,000 creates used" in findings["quota"]["message"]
    assert findings["ledger"]["message"].endswith("none yet, the first sync makes it")
    assert before == practice.files()


def test_after_a_sync(practice):
    """The ledger's line tells what is in it, and the quota's what the ledger knows of."""
    practice.run("sync", "--yes")
    findings = practice.examine()

    assert "1 of 1,000 creates used" in findings["quota"]["message"]
    assert "format 2, 1 binding, 0 retired, 3 audit records, chain whole" in findings["ledger"]["message"]


def test_rows_for_a_pipe(practice):
    """Four columns whatever the number of brands, never cut; --quiet leaves only what isn't well."""
    rows = [line.split("\t") for line in practice.run("doctor").splitlines()]

    assert [4] * len(LAYERS) == [len(row) for row in rows]
    assert LAYERS == [row[0] for row in rows]
    assert "13 ok\n" == practice.err
    assert ("", "") == (practice.run("doctor", "-q"), practice.err)


def test_not_allowlisted(practice):
    """Whom to ask for what is said, with handle and user id; the only failure is X's allowlist."""
    practice.world.accounts.allow("acmecare", False)
    findings = practice.examine()

    assert ({"allowlist": "failed"}, 4) == (states(findings), practice.code)
    assert "the account is verified" in findings["allowlist"]["message"]
    for word in ("@acmecare", "4242", "app id", "privacy policy", "X contact", "doctor --wait 2h"):
        assert word in findings["allowlist"]["hint"]
        assert word in practice.err

    rows = practice.run("doctor", "--quiet").splitlines()
    assert ["allowlist\tacme\tfailed"] == ["\t".join(row.split("\t")[:3]) for row in rows]


@pytest.mark.parametrize(("ahead", "state", "code"), [(60, "warning", 0), (400, "failed", 4), (-400, "failed", 4)])
def test_a_clock_that_is_off(practice, ahead, state, code):
    """The clock is blamed, not the credentials that X refuses because of it."""
    findings = practice.examine()

    assert (state, code) == (findings["clock"]["state"], practice.code)
    assert ("ahead of" if ahead > 0 else "behind") in findings["clock"]["message"]
    assert ("skipped" if code else "ok") == findings["token"]["state"]


def test_a_dead_port(practice):
    """Nobody answers: all that needs X is skipped, and the files are still looked at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    practice.set(PROFILECTL_API_URL=url)
    findings = practice.examine()
    skipped = dict.fromkeys(("clock", "token", "access", "allowlist", "quota"), "skipped")

    assert (skipped | {"network": "failed"}, 75) == (states(findings), practice.code)
    assert f"nobody answers at {url}" in findings["network"]["message"]
    assert "not looked at: network has to work first" == findings["quota"]["message"]


def test_a_server_that_is_silent(practice):
    """--timeout bounds the whole of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        practice.set(PROFILECTL_API_URL=f"http://127.0.0.1:{server.getsockname()[1]}")
        began = time.monotonic()
        findings = practice.examine("--timeout", "1")

    assert ("failed", 75) == (findings["network"]["state"], practice.code)
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("url", ["http://api.x.com", "https://api.x.com/2", "nonsense"])
def test_an_address_that_must_not_be_called(practice, url):
    """A slip in the address is told on its line; the command line was fine, but can't be obeyed."""
    practice.set(PROFILECTL_API_URL=url)
    findings = practice.examine()

    assert ("failed", 2) == (findings["network"]["state"], practice.code)
    assert "skipped" == findings["token"]["state"]


def test_a_revoked_token(practice):
    """X's own word is told, with what to do; what a token is needed for is skipped."""
    practice.set(PROFILECTL_ACCESS_TOKEN="4242-somethingelse")
    findings = practice.examine()
    skipped = dict.fromkeys(("access", "allowlist", "quota"), "skipped")

    assert (skipped | {"token": "failed"}, 4) == (states(findings), practice.code)
    assert "auth login" in findings["token"]["hint"]


def test_a_token_that_may_not_send_messages(practice):
    """The permission is told, and how to change it."""
    practice.world.accounts.set_access_level("acmecare", "read-write")
    findings = practice.examine()

    assert "read-write: may not send Direct Messages" == findings["access"]["message"]
    assert "developer console" in findings["access"]["hint"]
    assert practice.code == 4


def test_credentials_of_another_account(practice):
    """They work, but for somebody else."""
    practice.become("betacare")
    findings = practice.examine()

    assert ("failed", 5) == (findings["token"]["state"], practice.code)
    assert "these credentials belong to @betacare" in findings["token"]["message"]


def test_an_account_that_the_ledger_knows_as_another_one(practice):
    """The handle is the roster's, and yet it isn't the account that the ledger speaks of."""
    practice.run("sync", "--yes")
    practice.desk.write(("alice", "Alice"), brands={"acme": "betacare"})
    practice.become("betacare")
    findings = practice.examine()

    assert ("failed", 5) == (findings["token"]["state"], practice.code)
    assert "4242" in findings["token"]["message"]


def test_a_renamed_handle(practice):
    """The ledger's user id tells that it is still the same account; X's name for it is told."""
    practice.run("sync", "--yes")
    practice.world.store.change("UPDATE accounts SET handle = 'acmehelp' WHERE user_id = '4242'")
    findings = practice.examine()

    assert ({"token": "warning"}, 0) == (states(findings), practice.code)
    assert "@acmehelp, user id 4242, which was @acmecare before" in findings["token"]["message"]


def test_some_of_the_four_variables(practice):
    """What is missing is named; nothing is asked of X."""
    practice.monkeypatch.delenv("PROFILECTL_ACCESS_TOKEN_SECRET")
    findings = practice.examine()

    assert ("failed", 4) == (findings["credentials"]["state"], practice.code)
    assert "PROFILECTL_ACCESS_TOKEN_SECRET" in findings["credentials"]["message"]


def test_several_brands(practice):
    """Each brand has its own lines; one that has no credentials is no obstacle for the other."""
    practice.desk.write(("alice", "Alice"), brands={"acme": "acmecare", "beta": "betacare"})
    for name in _VALUES:
        practice.monkeypatch.delenv(f"PROFILECTL_{name.upper()}")
    account = practice.world.accounts.require("acmecare")
    brand = practice.world.ensure_brand(account.handle)
    folder = practice.desk.folder / "credentials"
    folder.mkdir()
    file = folder / "profilectl.acmecare"
    file.write_text(json.dumps({name: getattr(brand, name) for name in _VALUES}))
    file.chmod(0o400)
    practice.set(CREDENTIALS_DIRECTORY=str(folder))
    findings = practice.examine()

    assert "failed" == findings["keyring"]["state"]  # which beta needs
    assert "ok" == findings["token", "acme"]["state"]
    assert "not looked at: keyring has to work first" == findings["token", "beta"]["message"]
    assert {"acme", "beta"} == {line.split("\t")[1] for line in practice.run("doctor").splitlines()} - {""}
    assert "ok" == practice.examine("--brand", "acme")["allowlist"]["state"]
    assert practice.code == 0


def test_no_such_brand(practice):
    """A slip on the command line is usage, not a finding."""
    practice.run("doctor", "--brand", "nobody")

    assert practice.code == 2
    assert "there is no brand nobody" in practice.err


@pytest.mark.parametrize(("left", "state", "code"), [(10, "warning", 0), (0, "failed", 75)])
def test_a_quota_that_is_nearly_used_up(practice, left, state, code):
    """What is left, and when X counts anew."""
    quotas = practice.world.quotas
    for _ in range(quotas.standing("show", "4242").remaining - left):
        quotas.spend("show", "4242")
    findings = practice.examine()

    assert (state, code) == (findings["quota"]["state"], practice.code)
    assert f"show {left} of 180 left" in findings["quota"]["message"]
    assert "X counts anew from" in findings["quota"]["hint"]


def test_a_broken_roster(practice):
    """Its first problems are told; pictures have to wait."""
    practice.desk.write(*((f"agent{number}", "") for number in range(5)))
    findings = practice.examine()

    assert ("failed", "skipped", 5) == (findings["roster"]["state"], findings["pictures"]["state"], practice.code)
    assert "roster.toml:10:1: agents.agent0.name: empty" in findings["roster"]["message"]
    assert "; and 2 more" in findings["roster"]["message"]
    assert "ok" == findings["token"]["state"]  # the four variables say nothing of a brand, and still belong to one


def test_a_picture_that_is_gone(practice):
    """Bad pictures are named."""
    (practice.desk.folder / "avatars" / "face.png").unlink()
    findings = practice.examine()

    assert ({"pictures": "failed"}, 5) == (states(findings), practice.code)
    assert "agents.alice.avatar: picture avatars/face.png doesn't exist" in findings["pictures"]["message"]


@pytest.mark.parametrize("content", [b"", b"no ledger at all, but long enough to look like something" * 20])
def test_a_ledger_that_cannot_be_used(practice, content):
    """It is told on its own line, and stands in nobody's way."""
    path = practice.desk.folder / "ledger.db"
    path.write_bytes(content)
    path.chmod(0o600)
    practice.set(PROFILECTL_LEDGER=str(path))
    findings = practice.examine()

    assert ({"ledger": "failed"}, 5) == (states(findings), practice.code)


@pytest.mark.parametrize("locked", ["folder", "ledger", "nothing yet"])
def test_a_ledger_that_only_sync_cannot_use(desk, served, powerless, locked):
    """What can be read but not written is no ledger to sync with, and nothing is written to find out."""
    assert [] == served.live()
    desk.write(("alice", "Alice"))
    ledger = Path(desk.env["PROFILECTL_LEDGER"])
    folder = ledger.parent
    if locked == "nothing yet":
        folder.mkdir()
    else:
        assert 0 == desk.run("sync", "--yes").code
        desk.write(("alice", "Alice"), ("bruno", "Bruno"))
    path = ledger if locked == "ledger" else folder
    before, files = path.stat().st_mode, sorted(folder.iterdir())
    path.chmod(before & 0o555)
    done = desk.run("doctor", starter=powerless)
    assert files == sorted(folder.iterdir())
    sync = desk.run("sync", "--yes", starter=powerless)
    path.chmod(before)
    row, advice = done.rows[-1], sync.err.splitlines()[-1]

    assert (5, ["ledger", "failed"]) == (done.code, [row[0], row[2]])
    assert row[3].endswith(f"{path.relative_to(desk.folder)} can't be written"), row
    assert (5, "hint: ", True) == (sync.code, advice[:6], advice in done.err), sync.err
    assert 0 == desk.run("doctor").code


def test_an_audit_trail_that_was_changed(practice):
    """The chain tells where it breaks."""
    import sqlite3

    practice.run("sync", "--yes")
    path = default_ledger_path(os.environ, os.environ["PROFILECTL_API_URL"].partition("://")[2])
    with contextlib.closing(sqlite3.connect(path)) as ledger, ledger:
        ledger.execute("UPDATE audit SET text = replace(text, 'acme', 'evil') WHERE seq = 2")
        ledger.execute("UPDATE audit SET text = text || ' ' WHERE seq = 2")
    findings = practice.examine()

    assert ({"ledger": "failed"}, 5) == (states(findings), practice.code)
    assert "broken at record 2" in findings["ledger"]["message"]


def test_x_in_trouble(practice):
    """A call that keeps failing is a reason to come back later, and the next layers say for themselves how they are."""
    practice.world.faults.add(Fault(kind=Kind.REFUSE, call="list", status=403, code=64, times=None))
    findings = practice.examine()

    assert ({"allowlist": "failed"}, 4) == (states(findings), practice.code)


# Waiting


class Hours:
    """Stands in for the clock of the waiting; at each nap, something may happen at X."""

    def __init__(self, monkeypatch, *events):
        self.naps = []
        self.events = list(events)
        monkeypatch.setattr("profilectl.doctor.wait.Clock", lambda: Clock(time.time, lambda: sum(self.naps), self.nap))

    def nap(self, seconds):
        self.naps.append(seconds)
        if self.events:
            self.events.pop(0)()


def test_waiting_until_x_agrees(practice, monkeypatch):
    """Asked once a minute at first, told on stderr, and over as soon as X agrees."""
    practice.world.accounts.allow("acmecare", False)
    hours = Hours(monkeypatch, lambda: None, lambda: practice.world.accounts.allow("acmecare", True))
    out = practice.run("doctor", "--wait", "2h")

    assert ([60, 90], 0) == (hours.naps, practice.code)
    assert "waiting 60 s" in practice.err
    assert "X allows custom profiles now" in out.splitlines()[-1]


def test_waiting_through_a_rate_limit(practice, monkeypatch):
    """X isn't asked before it wants to be, and a question without an answer isn't taken for a yes."""
    practice.world.accounts.allow("acmecare", False)

    def allow_but_limit():
        practice.world.accounts.allow("acmecare", True)
        practice.world.faults.add(Fault(kind=Kind.RATE_LIMIT, call="list", seconds=700))

    hours = Hours(monkeypatch, allow_but_limit)
    findings = practice.examine("--wait", "2h")

    assert ({}, 0) == (states(findings), practice.code)
    assert 60 == hours.naps[0]
    assert 690 < hours.naps[1] < 710


def test_waiting_in_vain(practice, monkeypatch):
    """Exit 75, since when X was asked, and what to ask it for."""
    practice.world.accounts.allow("acmecare", False)
    hours = Hours(monkeypatch)
    practice.run("doctor", "--wait", "10m", "-q")

    assert (600, 75) == (sum(hours.naps), practice.code)
    assert "@acmecare: X still doesn't allow custom profiles (asked 5 times since 20" in practice.err
    assert 'Ask for: "Custom Profiles' in practice.err
    assert "waiting" not in practice.err


def test_waiting_for_one_document(practice, monkeypatch):
    """--json prints one document, when it is over."""
    practice.world.accounts.allow("acmecare", False)
    Hours(monkeypatch)
    assert "failed" == practice.examine("--wait", "1m")["allowlist"]["state"]
    assert practice.code == 75

    Hours(monkeypatch, lambda: practice.world.accounts.allow("acmecare", True))
    assert {} == states(practice.examine("--wait", "1m"))
    assert practice.code == 0


def test_waiting_for_several_brands(practice, monkeypatch):
    """It is over when the last of them is allowed; who is allowed already isn't asked about."""
    sandbox = World(practice.desk.folder / "x.db")
    with contextlib.closing(sandbox), serve(SandboxApp(sandbox)) as server:
        practice.set(PROFILECTL_API_URL=server.url)
        folder = practice.desk.folder / "credentials"
        folder.mkdir()
        for handle in ("acmecare", "betacare"):
            account = sandbox.ensure_brand(handle)
            sandbox.accounts.allow(handle, False)
            file = folder / f"profilectl.{handle}"
            file.write_text(json.dumps({name: getattr(account, name) for name in _VALUES}))
            file.chmod(0o400)
        practice.set(CREDENTIALS_DIRECTORY=str(folder))
        practice.desk.write(("alice", "Alice"), brands={"acme": "acmecare", "beta": "betacare"})
        allow = [lambda handle=handle: sandbox.accounts.allow(handle, True) for handle in ("betacare", "acmecare")]
        hours = Hours(monkeypatch, *allow)
        practice.run("doctor", "--wait", "2h")

    assert ([60, 90], 0) == (hours.naps, practice.code)


def test_no_waiting_for_what_time_will_not_mend(practice, monkeypatch):
    """Where something else is missing, that comes first."""
    practice.world.accounts.allow("acmecare", False)
    (practice.desk.folder / "avatars" / "face.png").unlink()
    hours = Hours(monkeypatch)
    practice.run("doctor", "--wait", "2h")

    assert ([], 4) == (hours.naps, practice.code)
    assert "not waiting: X's allowlist isn't the only thing that is missing" in practice.err


def test_nothing_to_wait_for(practice, monkeypatch):
    """All is well already."""
    hours = Hours(monkeypatch)
    practice.run("doctor", "--wait", "2h")

    assert ([], 0) == (hours.naps, practice.code)


def test_a_duration_that_is_none(practice):
    """A slip is told before anything is looked at."""
    practice.run("doctor", "--wait", "soon")

    assert practice.code == 2
    assert "--wait" in practice.err


def test_ctrl_c_while_waiting(practice):
    """Nothing is under way, so it ends at once, with 130."""
    practice.world.accounts.allow("acmecare", False)
    process = practice.desk.start("doctor", "--wait", "2h")
    for line in process.stderr:
        if line.startswith("waiting 60 s"):
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)

    assert process.returncode == 130


# Newcomers, cron, terminals


def test_a_newcomer(desk):
    """An empty folder and an empty environment: every line says what is missing, and nothing appears anywhere."""
    home = desk.folder / "home"
    home.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        dead = f"http://127.0.0.1:{server.getsockname()[1]}"
    done = subprocess.run(
        [sys.executable, "-m", "profilectl", "doctor"],
        cwd=home,
        env={"HOME": str(home), "PATH": os.defpath, "PROFILECTL_API_URL": dead},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    rows = {line.split("\t")[0]: line.split("\t")[2:] for line in done.stdout.splitlines()}

    assert LAYERS == list(rows)
    assert done.returncode == 75
    assert "warning" == rows["keyring"][0]
    assert rows["credentials"][1].startswith("nobody is logged in at 127.0.0.1")
    assert "failed" == rows["roster"][0]
    assert "none yet" in rows["ledger"][1]
    assert "hint: " in done.stderr
    assert [] == list(home.iterdir())


@pytest.mark.parametrize("with_roster", [True, False])
def test_in_the_sandbox(desk, with_roster):
    """The X in this process is looked at without making one that lasts."""
    if with_roster:
        desk.write(("alice", "Alice"))
    before = sorted(desk.folder.rglob("*"))
    result = desk.run("doctor", "--sandbox")
    rows = {row[0]: row[2] for row in result.rows}

    assert (0 if with_roster else 4) == result.code
    assert ("ok" if with_roster else "skipped") == rows["token"]
    assert before == sorted(desk.folder.rglob("*"))


def test_in_a_sandbox_that_lasts(desk):
    """Where commands have made one, it is that one which is looked at."""
    desk.write(("alice", "Alice"))
    desk.run("sync", "--sandbox", "--yes")
    rows = {row[0]: row[3] for row in desk.run("doctor", "--sandbox").rows}

    assert "it lists 1 profile;" in rows["allowlist"]


@pytest.mark.parametrize("columns", ["80", "40"])
def test_on_a_terminal(practice, columns):
    """Nothing is cut at any width, the hint stands under the failure, and NO_COLOR is kept to."""
    practice.world.accounts.allow("acmecare", False)
    practice.desk.env |= {"COLUMNS": columns, "NO_COLOR": "1"}
    code, screen = practice.desk.watch("doctor")
    lines = screen.splitlines()

    assert code == 4
    assert "\x1b[3" not in screen
    assert "…" not in screen.replace("ends in …", "").replace("app id …", "").replace("https://…", "")
    assert all(len(line.rstrip()) <= int(columns) for line in lines[:-1])
    failure = next(place for place, line in enumerate(lines) if line.startswith("failed"))
    hint = next(place for place, line in enumerate(lines) if line.startswith("  hint: "))
    quota = next(place for place, line in enumerate(lines) if "quota" in line)
    assert failure < hint < quota


@pytest.mark.parametrize("state", ["open", "locked", "frozen"])
def test_a_real_keyring(practice, require, state):
    """Open, locked or frozen: told within the keyring's three seconds, and nobody is asked."""
    words = {"open": "Secret Service, open", "locked": "is locked", "frozen": "didn't answer"}
    programs = ("bash", "dbus-run-session", "dbus-send", "gnome-keyring-daemon")
    missing = [program for program in programs if shutil.which(program) is None]
    require("keyring", not missing, f"{', '.join(missing)} not installed")
    account = practice.world.ensure_brand("acmecare")
    token = json.dumps({name: getattr(account, name) for name in _VALUES})
    lock = "import secretstorage as s; c = s.dbus_init(); s.get_default_collection(c).lock(); c.close()"
    befall = {"open": ":", "locked": f'{sys.executable} -c "{lock}"', "frozen": "kill -STOP $KEYRING_TEST_PID"}
    program = f"{sys.executable} -m profilectl"
    script = f"{program} auth login --with-token -q >/dev/null 2>&1; {befall[state]}; {program} doctor --json"
    done = subprocess.run(
        ["bash", _WITH_KEYRING, "bash", "-c", script],
        cwd=practice.desk.folder,
        env={name: value for name, value in os.environ.items() if "_ACCESS_" not in name and "_CONSUMER_" not in name},
        input=token,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    schemas.check_output((), done.stdout)
    findings = {one["check"]: one for one in json.loads(done.stdout)["checks"]}

    assert (0 if state == "open" else 4) == done.returncode, done.stderr
    assert ("ok" if state == "open" else "failed") == findings["keyring"]["state"]
    assert ("ok" if state == "open" else "skipped") == findings["credentials"]["state"]
    assert words[state] in findings["keyring"]["message"]
