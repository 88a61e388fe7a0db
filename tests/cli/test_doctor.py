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
from profilectl.doctor.allowlist_wait import Clock
from profilectl.ledger.location import default_ledger_path
from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model.faults import Fault, Kind
from profilectl.sandbox.model.world import World
from tests import schemas

CHECKS = ["versions", "clock", "network", "proxy", "keyring", "credentials", "token", "access", "allowlist", "quota"]
CHECKS += ["roster", "pictures", "ledger", "profiles"]
_VALUES = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
_WITH_KEYRING = Path(__file__).parent.parent / "with-keyring.sh"


class Doctor:
    """The command in this process, and an account at an X of its own."""

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
        brands = {check["brand"] for check in document["checks"] if check["brand"]}
        several = len(brands) > 1
        return {(c["check"], c["brand"]) if several and c["brand"] else c["check"]: c for c in document["checks"]}

    def files(self):
        return sorted(str(path.relative_to(self.desk.folder)) for path in self.desk.folder.rglob("*"))


@pytest.fixture
def world():
    with contextlib.closing(World()) as world:
        world.ensure_brand("acmecare", user_id="4242")
        yield world


@pytest.fixture
def doctor(desk, world, monkeypatch, capfd):
    """All is well: a roster with one agent, credentials in the environment, an X that allows everything."""
    desk.write(("alice", "Alice"))
    sigterm = signal.getsignal(signal.SIGTERM)
    with SandboxServer(SandboxApp(world)) as server:
        yield Doctor(desk, world, server, monkeypatch, capfd)
    signal.signal(signal.SIGTERM, sigterm)


def states(findings):
    return {check: finding["state"] for check, finding in findings.items() if finding["state"] != "ok"}


def test_all_is_well(doctor):
    """Every check has one line, in the promised order, and nothing is written anywhere."""
    before = doctor.files()
    findings = doctor.examine()

    assert CHECKS == list(findings)
    assert ({}, 0) == (states(findings), doctor.code)
    assert "accepted by X: @acmecare, user id 4242" == findings["token"]["message"]
    assert findings["network"]["message"].endswith("loopback, no TLS")
    assert "it lists 0 profiles; the account is verified" in findings["allowlist"]["message"]
    assert "list 179 of 180 left, show 180 of 180 left; 0 of 1,000 creates used" in findings["quota"]["message"]
    assert findings["ledger"]["message"].endswith("none yet, the first sync makes it")
    assert before == doctor.files()


def test_after_a_sync(doctor):
    """The ledger's line tells what is in it, and the quota's what the ledger knows of."""
    doctor.run("sync", "--yes")
    findings = doctor.examine()

    assert "1 of 1,000 creates used" in findings["quota"]["message"]
    assert "format 6, 1 binding, 0 retired, 4 audit records, chain whole" in findings["ledger"]["message"]


def test_rows_for_a_pipe(doctor):
    """Four columns whatever the number of brands, never cut; --quiet leaves only what isn't well."""
    rows = [line.split("\t") for line in doctor.run("doctor").splitlines()]

    assert [4] * len(CHECKS) == [len(row) for row in rows]
    assert CHECKS == [row[0] for row in rows]
    assert "14 ok\n" == doctor.err
    assert ("", "") == (doctor.run("doctor", "-q"), doctor.err)


def test_not_allowlisted(doctor):
    """Whom to ask for what is said, with handle and user id; the only failure is X's allowlist."""
    doctor.world.accounts.allow("acmecare", False)
    findings = doctor.examine()

    assert ({"allowlist": "failed", "profiles": "skipped"}, 4) == (states(findings), doctor.code)
    assert "the account is verified" in findings["allowlist"]["message"]
    for word in ("@acmecare", "4242", "app id", "privacy policy", "X contact", "doctor --wait 2h"):
        assert word in findings["allowlist"]["hint"]
        assert word in doctor.err

    rows = doctor.run("doctor", "--quiet").splitlines()
    assert ["allowlist\tacme\tfailed", "profiles\tacme\tskipped"] == ["\t".join(row.split("\t")[:3]) for row in rows]


def test_a_server_that_is_silent(doctor):
    """--timeout bounds the whole of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        doctor.set(PROFILECTL_API_URL=f"http://127.0.0.1:{server.getsockname()[1]}")
        began = time.monotonic()
        findings = doctor.examine("--timeout", "1")

    assert ("failed", 75) == (findings["network"]["state"], doctor.code)
    assert time.monotonic() - began < 30


def test_an_account_that_the_ledger_knows_as_another_one(doctor):
    """The handle is the roster's, and yet it isn't the account that the ledger speaks of."""
    doctor.run("sync", "--yes")
    doctor.desk.write(("alice", "Alice"), brands={"acme": "betacare"})
    doctor.become("betacare")
    findings = doctor.examine()

    assert ("failed", 5) == (findings["token"]["state"], doctor.code)
    assert "4242" in findings["token"]["message"]


def test_a_renamed_handle(doctor):
    """The ledger's user id tells that it is still the same account; X's name for it is told."""
    doctor.run("sync", "--yes")
    doctor.world.store.change("UPDATE accounts SET handle = 'acmehelp' WHERE user_id = '4242'")
    findings = doctor.examine()

    assert ({"token": "warning"}, 0) == (states(findings), doctor.code)
    assert "@acmehelp, user id 4242, which was @acmecare before" in findings["token"]["message"]


def test_some_of_the_four_variables(doctor):
    """What is missing is named; nothing is asked of X."""
    doctor.monkeypatch.delenv("PROFILECTL_ACCESS_TOKEN_SECRET")
    findings = doctor.examine()

    assert ("failed", 4) == (findings["credentials"]["state"], doctor.code)
    assert "PROFILECTL_ACCESS_TOKEN_SECRET" in findings["credentials"]["message"]


def test_several_brands(doctor):
    """Each brand has its own lines; one that has no credentials is no obstacle for the other."""
    doctor.desk.write(("alice", "Alice"), brands={"acme": "acmecare", "beta": "betacare"})
    for name in _VALUES:
        doctor.monkeypatch.delenv(f"PROFILECTL_{name.upper()}")
    account = doctor.world.accounts.require("acmecare")
    brand = doctor.world.ensure_brand(account.handle)
    folder = doctor.desk.folder / "credentials"
    folder.mkdir()
    file = folder / "profilectl.acmecare"
    file.write_text(json.dumps({name: getattr(brand, name) for name in _VALUES}))
    file.chmod(0o400)
    doctor.set(CREDENTIALS_DIRECTORY=str(folder))
    findings = doctor.examine()

    assert "failed" == findings["keyring"]["state"]  # which beta needs
    assert "ok" == findings["token", "acme"]["state"]
    assert "not looked at: keyring has to work first" == findings["token", "beta"]["message"]
    assert {"acme", "beta"} == {line.split("\t")[1] for line in doctor.run("doctor").splitlines()} - {""}
    assert "ok" == doctor.examine("--brand", "acme")["allowlist"]["state"]
    assert doctor.code == 0


def test_no_such_brand(doctor):
    """A slip on the command line is usage, not a finding."""
    doctor.run("doctor", "--brand", "nobody")

    assert doctor.code == 2
    assert "there is no brand nobody" in doctor.err


@pytest.mark.parametrize(("left", "state", "code"), [(10, "warning", 0), (0, "failed", 75)])
def test_a_quota_that_is_nearly_used_up(doctor, left, state, code):
    """What is left, and when X counts anew."""
    quotas = doctor.world.quotas
    for _ in range(quotas.status("show", "4242").remaining - left):
        quotas.spend("show", "4242")
    findings = doctor.examine()

    assert (state, code) == (findings["quota"]["state"], doctor.code)
    assert f"show {left} of 180 left" in findings["quota"]["message"]
    assert "X counts anew from" in findings["quota"]["hint"]


def test_a_picture_that_is_gone(doctor):
    """Bad pictures are named."""
    (doctor.desk.folder / "avatars" / "face.png").unlink()
    findings = doctor.examine()

    assert ({"pictures": "failed"}, 5) == (states(findings), doctor.code)
    assert "agents.alice.avatar: picture avatars/face.png doesn't exist" in findings["pictures"]["message"]


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
    row, advice = next(row for row in done.rows if row[0] == "ledger"), sync.err.splitlines()[-1]

    assert (5, ["ledger", "failed"]) == (done.code, [row[0], row[2]])
    assert row[3].endswith(f"{path.relative_to(desk.folder)} can't be written"), row
    assert (5, "hint: ", True) == (sync.code, advice[:6], advice in done.err), sync.err
    assert 0 == desk.run("doctor").code


def test_an_audit_trail_that_was_changed(doctor):
    """The chain tells where it breaks."""
    import sqlite3

    doctor.run("sync", "--yes")
    path = default_ledger_path(os.environ, os.environ["PROFILECTL_API_URL"].partition("://")[2])
    with contextlib.closing(sqlite3.connect(path)) as ledger, ledger:
        ledger.execute("UPDATE audit SET text = replace(text, 'acme', 'evil') WHERE seq = 2")
        ledger.execute("UPDATE audit SET text = text || ' ' WHERE seq = 2")
    findings = doctor.examine()

    assert ({"ledger": "failed"}, 5) == (states(findings), doctor.code)
    assert "broken at record 2" in findings["ledger"]["message"]


# Waiting


class Hours:
    """Stands in for the clock of the waiting; at each nap, something may happen at X."""

    def __init__(self, monkeypatch, *events):
        self.naps = []
        self.events = list(events)
        monkeypatch.setattr(
            "profilectl.doctor.allowlist_wait.Clock", lambda: Clock(time.time, lambda: sum(self.naps), self.nap)
        )

    def nap(self, seconds):
        self.naps.append(seconds)
        if self.events:
            self.events.pop(0)()


def test_waiting_until_x_agrees(doctor, monkeypatch):
    """Asked once a minute at first, told on stderr, and over as soon as X agrees."""
    doctor.world.accounts.allow("acmecare", False)
    hours = Hours(monkeypatch, lambda: None, lambda: doctor.world.accounts.allow("acmecare", True))
    out = doctor.run("doctor", "--wait", "2h")

    assert ([60, 90], 0) == (hours.naps, doctor.code)
    assert "waiting 60 s" in doctor.err
    assert "X allows custom profiles now" in out.splitlines()[-1]


def test_waiting_through_a_rate_limit(doctor, monkeypatch):
    """X isn't asked before it wants to be, and a question without an answer isn't taken for a yes."""
    doctor.world.accounts.allow("acmecare", False)

    def allow_but_limit():
        doctor.world.accounts.allow("acmecare", True)
        doctor.world.faults.add(Fault(kind=Kind.RATE_LIMIT, call="list", seconds=700))

    hours = Hours(monkeypatch, allow_but_limit)
    findings = doctor.examine("--wait", "2h")

    assert ({}, 0) == (states(findings), doctor.code)
    assert 60 == hours.naps[0]
    assert 690 < hours.naps[1] < 710


def test_waiting_in_vain(doctor, monkeypatch):
    """Exit 75, since when X was asked, and what to ask it for."""
    doctor.world.accounts.allow("acmecare", False)
    hours = Hours(monkeypatch)
    doctor.run("doctor", "--wait", "10m", "-q")

    assert (600, 75) == (sum(hours.naps), doctor.code)
    assert "@acmecare: X still doesn't allow custom profiles (asked 5 times since 20" in doctor.err
    assert 'Ask for: "Custom Profiles' in doctor.err
    assert "waiting" not in doctor.err


def test_waiting_ends_with_the_timeout(doctor, monkeypatch):
    """A --timeout that is shorter than --wait ends it, with 75 as well; the checks' own 20 seconds don't."""
    doctor.world.accounts.allow("acmecare", False)
    hours = Hours(monkeypatch)
    doctor.run("doctor", "--wait", "2h", "--timeout", "30")

    assert 75 == doctor.code
    assert 20 < sum(hours.naps) <= 30
    assert "(asked once since 20" in doctor.err


def test_waiting_for_one_document(doctor, monkeypatch):
    """--json prints one document, when it is over."""
    doctor.world.accounts.allow("acmecare", False)
    Hours(monkeypatch)
    assert "failed" == doctor.examine("--wait", "1m")["allowlist"]["state"]
    assert doctor.code == 75

    Hours(monkeypatch, lambda: doctor.world.accounts.allow("acmecare", True))
    assert {} == states(doctor.examine("--wait", "1m"))
    assert doctor.code == 0


def test_waiting_for_several_brands(doctor, monkeypatch):
    """It is over when the last of them is allowed; who is allowed already isn't asked about."""
    sandbox = World(doctor.desk.folder / "x.db")
    with contextlib.closing(sandbox), SandboxServer(SandboxApp(sandbox)) as server:
        doctor.set(PROFILECTL_API_URL=server.url)
        folder = doctor.desk.folder / "credentials"
        folder.mkdir()
        for handle in ("acmecare", "betacare"):
            account = sandbox.ensure_brand(handle)
            sandbox.accounts.allow(handle, False)
            file = folder / f"profilectl.{handle}"
            file.write_text(json.dumps({name: getattr(account, name) for name in _VALUES}))
            file.chmod(0o400)
        doctor.set(CREDENTIALS_DIRECTORY=str(folder))
        doctor.desk.write(("alice", "Alice"), brands={"acme": "acmecare", "beta": "betacare"})
        allow = [lambda handle=handle: sandbox.accounts.allow(handle, True) for handle in ("betacare", "acmecare")]
        hours = Hours(monkeypatch, *allow)
        doctor.run("doctor", "--wait", "2h")

    assert ([60, 90], 0) == (hours.naps, doctor.code)


def test_no_waiting_for_what_time_will_not_mend(doctor, monkeypatch):
    """Where something else is missing, that comes first."""
    doctor.world.accounts.allow("acmecare", False)
    (doctor.desk.folder / "avatars" / "face.png").unlink()
    hours = Hours(monkeypatch)
    doctor.run("doctor", "--wait", "2h")

    assert ([], 4) == (hours.naps, doctor.code)
    assert "not waiting: X's allowlist isn't the only thing that is missing" in doctor.err


def test_nothing_to_wait_for(doctor, monkeypatch):
    """All is well already."""
    hours = Hours(monkeypatch)
    doctor.run("doctor", "--wait", "2h")

    assert ([], 0) == (hours.naps, doctor.code)


def test_a_duration_that_is_none(doctor):
    """A slip is told before anything is looked at."""
    doctor.run("doctor", "--wait", "soon")

    assert doctor.code == 2
    assert "--wait" in doctor.err


def test_ctrl_c_while_waiting(doctor):
    """Nothing is under way, so it ends at once, with 130."""
    doctor.world.accounts.allow("acmecare", False)
    process = doctor.desk.start("doctor", "--wait", "2h")
    for line in process.stderr:
        if line.startswith("waiting 60 s"):
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

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

    assert CHECKS == list(rows)
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
def test_on_a_terminal(doctor, columns):
    """Nothing is cut at any width, the hint stands under the failure, and NO_COLOR is kept to."""
    doctor.world.accounts.allow("acmecare", False)
    doctor.desk.env |= {"COLUMNS": columns, "NO_COLOR": "1"}
    code, screen = doctor.desk.watch("doctor")
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
def test_a_real_keyring(doctor, require, state):
    """Open, locked or frozen: told within the keyring's three seconds, and nobody is asked."""
    words = {"open": "Secret Service, open", "locked": "is locked", "frozen": "didn't answer"}
    programs = ("bash", "dbus-run-session", "dbus-send", "gnome-keyring-daemon")
    missing = [program for program in programs if shutil.which(program) is None]
    require("keyring", not missing, f"{', '.join(missing)} not installed")
    account = doctor.world.ensure_brand("acmecare")
    token = json.dumps({name: getattr(account, name) for name in _VALUES})
    lock = "import secretstorage as s; c = s.dbus_init(); s.get_default_collection(c).lock(); c.close()"
    befall = {"open": ":", "locked": f'{sys.executable} -c "{lock}"', "frozen": "kill -STOP $KEYRING_TEST_PID"}
    program = f"{sys.executable} -m profilectl"
    script = f"{program} auth login --with-token -q >/dev/null 2>&1; {befall[state]}; {program} doctor --json"
    done = subprocess.run(
        ["bash", _WITH_KEYRING, "bash", "-c", script],
        cwd=doctor.desk.folder,
        env={name: value for name, value in os.environ.items() if "_ACCESS_" not in name and "_CONSUMER_" not in name},
        input=token,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    schemas.check_output((), done.stdout)
    findings = {check["check"]: check for check in json.loads(done.stdout)["checks"]}

    assert (0 if state == "open" else 4) == done.returncode, done.stderr
    assert ("ok" if state == "open" else "failed") == findings["keyring"]["state"]
    assert ("ok" if state == "open" else "skipped") == findings["credentials"]["state"]
    assert words[state] in findings["keyring"]["message"]
