"""docs/restore.md: what it says is done on a machine whose ledger came from a backup, a file's or a database's."""

from __future__ import annotations

import json
import re

import pytest

from tests.examples.conftest import EXAMPLES
from tests.examples.test_layouts import Host

PAGE = EXAMPLES.parent / "docs" / "restore.md"
ROSTER = 'version = 1\n[brands.acme]\nhandle = "AcmeCare"\n[defaults]\nkind = "human"\navatar = "alice.png"\n'


def roster(**names: str) -> str:
    return ROSTER + "".join(f'[agents.{key}]\nname = "{name}"\n' for key, name in names.items())


def commands() -> list[str]:
    """Return the page's commands, in their order."""
    return re.findall(r"^   (profilectl .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


class File:
    """A ledger in a file, and its backup beside it."""

    def __init__(self, folder) -> None:
        self.place = folder / "ledger.db"
        self.copy = folder / "backup.db"

    def back_up(self, run) -> None:
        assert 0 == run(f"profilectl ledger backup {self.copy}").returncode

    def restore(self) -> None:
        for file in self.place.parent.glob("ledger.db*"):
            file.unlink()
        self.place.write_bytes(self.copy.read_bytes())
        self.place.chmod(0o600)


class Database:
    """A ledger in a database, and its dump."""

    def __init__(self, server) -> None:
        self.server = server
        self.name = server.fresh_database()
        self.place = server.address(database=self.name)

    def back_up(self, _run) -> None:
        self.copy = self.server.dump(self.name)

    def restore(self) -> None:
        self.server.restore(self.name, self.copy)


@pytest.fixture(params=[File, Database])
def restored(machine, request):
    """A host that went on after its backup, and then got it in place of its ledger."""
    host = Host(machine, "host")
    ledger = File(host.home) if request.param is File else Database(request.getfixturevalue("postgres"))

    def run(line):
        return host.run(line, PROFILECTL_LEDGER=str(ledger.place))

    def sync(**names):
        (host.home / "roster.toml").write_text(roster(**names))
        assert 0 == run("profilectl sync --yes --prune-now -q").returncode

    sync(alice="Alice", bruno="Bruno")
    ledger.back_up(run)
    sync(alice="Alicia", clara="Clara")  # bruno leaves, alice is replaced, clara joins
    machine.world.ensure_customer("customer", user_id="7007")
    assert 0 == run("profilectl send --as clara --to @customer --human-wrote-this Welcome").returncode
    ledger.restore()
    return run


def test_nothing_is_changed_before_a_person_has_looked(machine, restored):
    """Every command that would act on the old state ends with 5, and says which command goes on."""
    done = restored("profilectl sync --yes")

    assert (5, ["Alicia", "Clara"]) == (done.returncode, sorted(machine.live()))
    assert "went backwards" in done.stderr
    assert "ledger accept-restore" in done.stderr


def test_the_page_leads_back(machine, restored):
    """Its commands, in its order: nobody gets a second profile, and nobody who left may send."""
    accept, offboard, listing, adopt, reconcile, diff, sync = commands()
    accepted = restored(f"{accept} --yes")
    blocked = restored(f"{offboard} --yes")
    listed = json.loads(restored(f"{listing} --json").stdout)["profiles"]
    namesakes = {one["name"]: one["id"] for one in listed if one["status"] == "namesake"}
    adopted = [
        restored(adopt.replace("alice 100044", f"{key} {namesakes[name]} --yes"))
        for key, name in (("alice", "Alicia"), ("clara", "Clara"))
    ]
    compared = restored(reconcile)
    looked, done = restored(diff), restored(f"{sync} --yes")
    refused = restored("profilectl send --as bruno --to @customer --human-wrote-this Hello")

    for each in (accepted, blocked, *adopted, looked, done):
        assert 0 == each.returncode, each.stderr
    assert (7, ["not on the record"]) == (compared.returncode, [compared.stdout.partition("\t")[0]])
    assert "acme: the ledger was restored at " in compared.stderr
    assert all(profile_id in accepted.stdout for profile_id in namesakes.values())
    assert ["Alicia", "Clara"] == sorted(machine.live())
    assert 4 == len(machine.world.state()["profiles"])
    assert 0 != refused.returncode
    assert 0 == restored("profilectl diff --exit-code").returncode
