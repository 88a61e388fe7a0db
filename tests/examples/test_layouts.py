"""The layouts of docs/machines.md: its own commands, on machines that share nothing but the database."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest

from tests import postgres_server
from tests.examples.conftest import EXAMPLES

PAGE = EXAMPLES.parent / "docs" / "machines.md"
AGAIN = "profilectl ledger grants | psql --quiet --set ON_ERROR_STOP=1 acme"
PASSWORDS = {"cron": "cron-pw-4711", "desk": "desk-pw-4712"}


def commands(layout: str) -> str:
    """Return the commands of a layout, without the installation, which these machines have."""
    text = PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(rf"<!-- layout: {layout} -->\n```bash\n(.*?)```\n<!-- end -->", text, re.DOTALL)
    return re.sub(r"^pip install .*\n", "", block, flags=re.MULTILINE)


@dataclass
class Host:
    """One machine with a home of its own."""

    machine: Any
    name: str
    port: int = 0  # of the database on this machine

    def __post_init__(self) -> None:
        self.home = self.machine.root / self.name
        self.machine.write_roster(self.home)
        token = self.home / "token.json"
        token.write_text(self.machine.token)
        token.chmod(0o600)

    def run(self, script: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        """Run commands of the page in a session of their own, where no terminal can be asked."""
        local = script.replace("@db.example.com/", f"@127.0.0.1:{self.port}/")
        here = {"HOME": str(self.home), "PROFILECTL_CREDENTIALS_FILE": str(self.home / "token.json")}
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", local],
            cwd=self.home,
            env=self.machine.environment(**here) | environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            start_new_session=True,
        )


@pytest.fixture
def server(require):
    """A database server that asks for passwords, and its superuser's own shell."""
    reason = postgres_server.why_not()
    require("postgres", reason is None, str(reason))
    with postgres_server.PostgresServer(auth="scram-sha-256") as running:
        yield running


@pytest.fixture
def database(machine, server):
    """Run commands as the superuser of the database server, who types the passwords of new logins."""

    def run(script: str) -> None:
        host = Host(machine, "database")
        where = {"PGHOST": str(server.folder), "PGPORT": str(server.port), "PGUSER": postgres_server.USER}
        path = f"{machine.programs}:{postgres_server._programs()}:/usr/bin:/bin"
        for line in script.splitlines():
            typed = f"{PASSWORDS.get(line.rpartition(' ')[2], '')}\n" * 2
            done = host.run(line, stdin=typed, **where, PATH=path)
            assert 0 == done.returncode, f"{line}\n{done.stderr}"

    return run


@pytest.fixture
def cron(machine, server, database):
    """A cron host that has moved its ledger to the database."""
    host = Host(machine, "cron", server.port)
    assert 0 == host.run("profilectl sync --yes -q").returncode
    database(commands("database server"))
    moved = host.run(commands("cron host"), PGPASSWORD=PASSWORDS["cron"])
    assert 0 == moved.returncode, moved.stderr
    assert PASSWORDS["cron"] not in moved.stdout + moved.stderr
    database(AGAIN)
    return host


def test_one_host(machine):
    """A terminal and cron of one user have the same ledger, and its copy is a ledger."""
    host = Host(machine, "host")
    by_cron, by_hand = host.run("profilectl sync --yes -q"), host.run(commands("one host"))
    (backup,) = (host.home / "backup").iterdir()
    copy = host.run("profilectl ledger show --json", PROFILECTL_LEDGER=str(backup))
    ours = host.run("profilectl ledger show --json")

    assert (0, 0, ["Alice"]) == (by_cron.returncode, by_hand.returncode, machine.live()), by_hand.stderr
    assert "backed up" in by_hand.stdout
    assert json.loads(ours.stdout)["counts"]["records"] == json.loads(copy.stdout)["counts"]["records"]


def test_a_cron_host_and_desks(machine, server, cron):
    """The ledger moves to the database, the cron host goes on with it, and a desk sends with a login of its own."""
    machine.world.ensure_customer("customer", user_id="7007")
    desk = Host(machine, "desk", server.port)
    (desk.home / ".pgpass").write_text(f"*:*:*:desk:{PASSWORDS['desk']}\n")
    (desk.home / ".pgpass").chmod(0o600)
    sent = desk.run(commands("desk").replace("profilectl send", "profilectl send --human-wrote-this"))
    by_mistake = cron.run("profilectl sync --yes -q")

    assert 0 == sent.returncode, sent.stderr
    assert "identity confirmed by X" in sent.stdout
    assert PASSWORDS["desk"] not in sent.stdout + sent.stderr
    assert 5 == by_mistake.returncode
    assert f"postgresql://cron@127.0.0.1:{server.port}/acme" in by_mistake.stderr
    assert ["Alice"] == machine.live()


@pytest.mark.usefixtures("cron")
def test_a_desk_may_not_sync(machine, server):
    """Its login looks and sends; the database refuses it whatever is a run's."""
    desk = Host(machine, "desk", server.port)
    (desk.home / "roster.toml").write_text((desk.home / "roster.toml").read_text().replace('"Alice"', '"Alicia"'))
    address = "export PROFILECTL_LEDGER=postgresql://desk@db.example.com/acme\n"
    looked = desk.run(address + "profilectl diff", PGPASSWORD=PASSWORDS["desk"])
    synced = desk.run(address + "profilectl sync --yes", PGPASSWORD=PASSWORDS["desk"])

    assert (0, 5) == (looked.returncode, synced.returncode), looked.stderr + synced.stderr
    assert "replace" in looked.stdout
    assert ["Alice"] == machine.live()


@pytest.mark.usefixtures("cron")
def test_a_runner_that_is_new_every_time(machine, server):
    """Five runs, each on a machine that has never been there: one profile, and nobody has to say so."""
    runs = [
        Host(machine, f"runner {number}", server.port).run(
            "PROFILECTL_LEDGER=postgresql://cron@db.example.com/acme profilectl sync --yes -q",
            PGPASSWORD=PASSWORDS["cron"],
        )
        for number in range(5)
    ]

    assert [(0, "")] * 5 == [(done.returncode, done.stdout) for done in runs], runs[0].stderr
    assert 1 == len(machine.world.state()["profiles"])


def test_a_server_elsewhere_is_asked_with_tls_only(machine):
    """Less than a checked certificate is refused before anything is sent, with the option that allows it."""
    host = Host(machine, "desk")
    address = "postgresql://desk@db.invalid/acme?sslmode=require"
    done = host.run("profilectl diff", PROFILECTL_LEDGER=address, PGPASSWORD="hunter2")

    assert 2 == done.returncode, done.stderr
    assert "allow_plain=yes" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
