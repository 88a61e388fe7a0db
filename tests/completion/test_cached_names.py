"""Names at TAB: what is offered, how long it stays true, and what nobody may make of the cache."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from profilectl.completion.cached_names import KINDS, LineOptions, answer
from profilectl.ledger.location import default_ledger_path
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Account, Event, Profile
from profilectl.sync.quota import DAY_MS
from profilectl.system.cache import cache_file

ACCOUNT = Account("7", "acmecare", "api.x.com")
ROSTER = """version = 1
[brands.acme]
handle = "acmecare"
[brands.zenith]
handle = "zenithcare"
[defaults]
kind = "human"
avatar = "face.png"
[agents.alice]
name = "Alice"
brands = ["acme"]
[agents.robot]
name = "Robo bot"
kind = "bot"
brands = ["zenith"]
"""
LOADED = """
import sys
sys.argv = ["profilectl", *sys.argv[1:]]
before = set(sys.modules)
from profilectl.__main__ import main
main()
print(*sorted(set(sys.modules) - before), sep="\\n")
"""


class Folder:
    """A folder with a roster; `names` asks as a shell would."""

    def __init__(self, path, capfdbinary):
        self.path = path
        self.roster = path / "roster.toml"
        self.state = path / ".profilectl"
        self.cache = Path(cache_file(str(self.roster), "names"))
        self.roster.write_text(ROSTER)
        self._captured = capfdbinary

    def ask(self, kind, line=""):
        """Return candidates with their descriptions; errors would be heard."""
        answer([kind, *line.split()])
        out, err = self._captured.readouterr()
        assert b"" == err
        lines = [line.split("\t") for line in out.decode().splitlines()]
        assert all(2 == len(line) for line in lines)
        assert len(lines) == len(dict(lines))
        return dict(lines)

    def names(self, kind, line=""):
        return set(self.ask(kind, line))

    def make_anew(self, old, new):
        self.roster.write_text(self.roster.read_text().replace(old, new))

    def ledger(self, path=None):
        return open_for_writing(path or default_ledger_path(os.environ, ACCOUNT.host))


@pytest.fixture
def folder(tmp_path, monkeypatch, capfdbinary):
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path, capfdbinary)


def adopt(ledger, agent, profile_id, name):
    profile = Profile(profile_id, name, "https://example.com/a.png", 1)
    ledger.register_account("acme", ACCOUNT, 1)
    ledger.adopt("7", agent, profile, name=profile.name, avatar="sha256:a", protected=False, now_ms=1)


def retire(ledger, agent, profile_id, name):
    adopt(ledger, agent, profile_id, name)
    ledger.retire("7", agent, 2)


def forbid_making(monkeypatch):
    """Make whatever a stale cache costs fail, and thereby answer nothing."""
    monkeypatch.setitem(sys.modules, "profilectl.completion.roster_names", None)


def test_agents_with_name_and_kind(folder):
    """A description is what customers read, and who stands behind it."""
    assert {"alice": "Alice · human", "robot": "Robo bot · bot"} == folder.ask("agents")


def test_brands_with_handle(folder):
    """A brand is known by its handle at X; a brand that is named already narrows nothing."""
    assert {"acme": "@acmecare", "zenith": "@zenithcare"} == folder.ask("brands", "--brand acme")


def test_customers_whom_the_record_knows_by_handle(folder):
    """The latest first, each once; a handle that could be more than a word to a shell isn't offered."""
    with folder.ledger() as ledger:
        ledger.register_account("acme", ACCOUNT, 1)
        for number, handle in enumerate(["ada", "$(touch gone)", "bob", "ada"]):
            detail = {"recipient_id": str(20 + len(handle)), "recipient_handle": handle}
            ledger.record(Event("sent", "7", number, "alice", "5", detail))

    assert {"@ada": "23 · written to as @acmecare"} == folder.ask("customers", "send --to")


def test_profiles_that_nobody_uses(folder):
    """No command takes the id of a bound one. An id says nothing, so its name and what it is stand beside it."""
    with folder.ledger() as ledger:
        adopt(ledger, "alice", "11", "Alice A.")
        adopt(ledger, "alice", "12", "Alice B.")

    assert {"11": "Alice A. · retired, was alice's"} == folder.ask("profiles", "profiles destroy")


def test_a_retired_profile_is_for_its_own_agent(folder):
    """`profiles adopt` refuses it to anybody else."""
    with folder.ledger() as ledger:
        retire(ledger, "alice", "11", "Alice")
        retire(ledger, "robot", "12", "Robo")

    assert {"11"} == folder.names("profiles", "profiles adopt alice")
    assert {"12"} == folder.names("profiles", "--brand acme profiles adopt --yes robot")
    assert {"11", "12"} == folder.names("profiles", "profiles destroy")


def test_a_profile_that_was_forgotten_lately(folder):
    """It is still at X, so anybody may have it; one that became an agent's again or is destroyed is no offer."""
    now_ms = int(time.time() * 1000)
    with folder.ledger() as ledger:
        for profile_id, at_ms in {"10": now_ms - 4 * DAY_MS, "11": now_ms, "12": now_ms, "13": now_ms}.items():
            adopt(ledger, "alice", profile_id, "Alice")
            ledger.forget("7", "alice", at_ms)
        adopt(ledger, "alice", "12", "Alice")
        ledger.record(Event("destroyed-stranger", "7", now_ms, profile_id="13"))

    expected = {"11": "Alice · forgotten, was alice's"}
    assert expected == folder.ask("profiles", "profiles adopt robot")
    assert expected == folder.ask("profiles", "profiles destroy")


def test_a_damaged_audit_trail_hides_only_what_was_forgotten(folder):
    """Bindings and retired profiles are read from elsewhere."""
    with folder.ledger() as ledger:
        retire(ledger, "alice", "11", "Alice")
    with closing(sqlite3.connect(default_ledger_path(os.environ, ACCOUNT.host))) as connection, connection:
        connection.execute("UPDATE audit SET text = 'noise'")

    assert {"11"} == folder.names("profiles")


def test_agents_that_only_the_ledger_knows(folder):
    """`offboard` and `profiles forget` are about people whom the roster doesn't name any more."""
    with folder.ledger() as ledger:
        adopt(ledger, "bound", "11", "Bo")
        adopt(ledger, "former", "12", "Fo")
        ledger.retire("7", "former", 2)
        ledger.block("7", "blocked", 2)
        ledger.block("7", "alice", 2)

    expected = {"bound": "Bo · not in the roster", "former": "Fo · retired", "blocked": "offboarded"}
    assert expected | {"alice": "Alice · human · offboarded"} == folder.ask("agents", "--brand acme")


@pytest.mark.parametrize("line", ["--brand acme", "send --brand=acme --as", "--brand acme --brand acme"])
def test_agents_of_the_brand_on_the_line(folder, line):
    """Where the line names a brand, the agents of others aren't offered."""
    assert {"alice"} == folder.names("agents", line)


def test_agents_of_several_brands_on_the_line(folder):
    """--brand is repeatable, and each one counts."""
    assert {"alice", "robot"} == folder.names("agents", "--brand acme --brand=zenith")


def test_agents_of_the_brand_in_the_environment(folder, monkeypatch):
    """PROFILECTL_BRAND means a brand where the line doesn't."""
    monkeypatch.setenv("PROFILECTL_BRAND", "zenith")

    assert {"robot"} == folder.names("agents")
    assert {"alice"} == folder.names("agents", "--brand acme")


@pytest.mark.parametrize("line", ["--roster sub/my.toml", "--roster x --roster=sub/my.toml", "--roster ~/sub/my.toml"])
def test_names_of_the_roster_on_the_line(folder, monkeypatch, line):
    """The roster may be anywhere; the last one named counts."""
    monkeypatch.setenv("HOME", str(folder.path))
    (folder.path / "sub").mkdir()
    (folder.path / "sub" / "my.toml").write_text(ROSTER.replace("alice", "anna"))

    assert {"anna", "robot"} == folder.names("agents", line)


def test_names_of_the_roster_in_the_environment(folder, monkeypatch):
    """PROFILECTL_ROSTER counts where the line names none."""
    (folder.path / "my.toml").write_text(ROSTER.replace("alice", "anna"))
    monkeypatch.setenv("PROFILECTL_ROSTER", "my.toml")

    assert {"anna", "robot"} == folder.names("agents")
    assert {"alice", "robot"} == folder.names("agents", "--roster roster.toml")


@pytest.mark.parametrize("how", ["option", "environment"])
def test_the_sandbox_has_names_of_its_own(folder, monkeypatch, how):
    """With --sandbox the ids are those of the local X, and so is the cache."""
    with folder.ledger() as ledger:
        retire(ledger, "alice", "11", "Alice")
    with folder.ledger(folder.state / "sandbox" / "ledger.db") as ledger:
        retire(ledger, "alice", "99", "Alice")
    assert {"11"} == folder.names("profiles")
    if how == "environment":
        monkeypatch.setenv("PROFILECTL_SANDBOX", "1")

    assert {"99"} == folder.names("profiles", "--sandbox" if how == "option" else "")
    assert 2 == len(list(folder.cache.parent.iterdir()))


def test_a_ledger_elsewhere(folder, monkeypatch):
    """PROFILECTL_LEDGER and the config file say where the ledger is; another one is noticed."""
    with folder.ledger(folder.path / "one" / "ledger.db") as ledger:
        retire(ledger, "alice", "11", "Alice")
    with folder.ledger(folder.path / "two" / "ledger.db") as ledger:
        retire(ledger, "alice", "12", "Alice")
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "profilectl" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'version = 1\nledger = "{folder.path}/two/ledger.db"\n')

    assert {"12"} == folder.names("profiles")
    monkeypatch.setenv("PROFILECTL_LEDGER", "one/ledger.db")
    assert {"11"} == folder.names("profiles")
    monkeypatch.delenv("PROFILECTL_LEDGER")
    config.write_text("version = 1\n")
    assert set() == folder.names("profiles")


def test_the_second_answer_comes_from_the_cache(folder, monkeypatch):
    """What hasn't changed isn't read again."""
    first = [folder.ask(kind) for kind in KINDS]
    forbid_making(monkeypatch)

    assert first == [folder.ask(kind) for kind in KINDS]


def test_an_edit_of_the_roster_is_noticed(folder):
    """The next TAB knows the new name, also where size and date of the file stay the same."""
    assert {"alice", "robot"} == folder.names("agents")
    before = folder.roster.stat()
    folder.make_anew("agents.alice", "agents.alina")
    os.utime(folder.roster, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert {"alina", "robot"} == folder.names("agents")


def test_a_change_of_the_ledger_is_noticed(folder):
    """Also while the ledger is open, so that the change is in its log only."""
    assert set() == folder.names("profiles")
    with folder.ledger() as ledger:
        retire(ledger, "alice", "11", "Alice")
        assert {"11"} == folder.names("profiles")
        retire(ledger, "robot", "12", "Robo")
        assert {"11", "12"} == folder.names("profiles")


@pytest.mark.parametrize("broken", ["[agents.", 'version = 1\n[agents.new]\nkind = "cat"\n', "\xff"])
def test_a_broken_roster_keeps_the_last_names(folder, monkeypatch, broken):
    """Who is in the middle of an edit is served from what was there before, quickly after the first time."""
    folder.names("agents")
    folder.roster.write_text(broken, encoding="latin-1")

    assert {"alice", "robot"} == folder.names("agents")
    forbid_making(monkeypatch)
    assert {"alice", "robot"} == folder.names("agents")


def test_a_broken_roster_without_a_cache_offers_what_is_sound(folder):
    """One wrong line hides one agent."""
    folder.make_anew('kind = "bot"', 'kind = "cat"')

    assert {"alice"} == folder.names("agents")


def test_a_roster_with_one_wrong_agent_shows_the_others_as_they_are(folder):
    """Old names fill the gap only, so what was written since is offered as well."""
    folder.names("agents")
    folder.make_anew('kind = "bot"', 'kind = "cat"')
    folder.make_anew('name = "Alice"\n', 'name = "Ally"\nbrands = ["acme"]\n[agents.anna]\nname = "Anna"\n')

    expected = {"alice": "Ally · human", "anna": "Anna · human", "robot": "Robo bot · bot"}
    assert expected == folder.ask("agents")


def test_a_roster_that_is_gone_keeps_the_last_names(folder):
    """Some editors move a file away for a moment."""
    folder.names("agents")
    folder.roster.unlink()

    assert {"alice", "robot"} == folder.names("agents")


@pytest.mark.parametrize("line", ["", "--roster", "--roster=", "--roster no/roster.toml", "--roster \0", "--brand"])
def test_nothing_there_is_no_error(folder, line):
    """Without a roster there is nothing to offer and nothing to say."""
    folder.roster.unlink()

    assert {} == folder.ask("agents", line)
    assert not folder.cache.parent.exists()


@pytest.mark.parametrize("words", [[], ["dogs"], ["--version"], ["agents\n"]])
def test_an_unknown_kind_is_no_error(capfd, words):
    """A script of another version may ask for what this one doesn't know."""
    answer(words)

    assert ("", "") == capfd.readouterr()


@pytest.mark.parametrize("what", ["fifo", "folder"])
def test_a_roster_that_is_no_file_hangs_nothing(folder, what):
    """A pipe in the roster's place would wait for a writer for ever."""
    folder.roster.unlink()
    os.mkfifo(folder.roster) if what == "fifo" else folder.roster.mkdir()

    assert {} == folder.ask("agents")


def test_a_ledger_that_is_refused_hides_no_agents(folder):
    """What the roster says is offered all the same."""
    folder.state.mkdir(0o700)
    (folder.state / "ledger.db").write_bytes(b"no ledger")
    (folder.state / "ledger.db").chmod(0o600)

    assert {"alice", "robot"} == folder.names("agents")


def test_a_refused_ledger_address_is_never_kept(folder, monkeypatch):
    """A URL may hold a password."""
    monkeypatch.setenv("PROFILECTL_LEDGER", "postgresql://user:secret@db/x")

    assert {"alice", "robot"} == folder.names("agents")
    assert "secret" not in folder.cache.read_text()


def test_nothing_is_made_beside_the_roster(folder):
    """Looking at a roster leaves nothing behind in its folder, which may be a checkout."""
    assert {"alice", "robot"} == folder.names("agents")
    assert {"alice", "robot"} == folder.names("agents", "--sandbox")
    assert [folder.roster] == list(folder.path.iterdir())


def test_the_cache_is_private_and_alone(folder):
    """Only its owner can read it, and nothing of its making stays behind."""
    folder.names("agents")

    assert 0o600 == stat.S_IMODE(folder.cache.stat().st_mode)
    assert 0o700 == stat.S_IMODE(folder.cache.parent.stat().st_mode)
    assert [folder.cache] == list(folder.cache.parent.iterdir())


@pytest.mark.parametrize("obstacle", ["its own folder", "link of the folder", "somebody else's", "file", "no home"])
def test_a_folder_that_cannot_be_written_costs_only_time(folder, monkeypatch, obstacle):
    """The names are offered, nothing is written, not even through a link."""
    elsewhere, place, home = folder.path / "elsewhere", folder.cache.parent, folder.cache.parent.parent
    home.mkdir(exist_ok=True)
    if obstacle == "its own folder":
        (folder.cache / "x").mkdir(parents=True)
    if obstacle == "link of the folder":
        elsewhere.mkdir(0o700)
        place.symlink_to(elsewhere)
    if obstacle == "somebody else's":
        place.mkdir()
        monkeypatch.setattr(os, "geteuid", lambda: 65534)
    if obstacle == "file":
        place.touch()
    if obstacle == "no home":
        home.rmdir()
        monkeypatch.setenv("XDG_CACHE_HOME", "/nonexistent/cache")
    before = sorted((*folder.path.rglob("*"), *home.rglob("*")))

    assert {"alice", "robot"} == folder.names("agents")
    assert before == sorted((*folder.path.rglob("*"), *home.rglob("*")))


def test_a_link_in_place_of_the_cache_is_replaced(folder):
    """What it points to is neither read nor written."""
    target = folder.path / "target"
    target.write_text("precious")
    folder.cache.parent.mkdir(parents=True)
    folder.cache.symlink_to(target)

    assert {"alice", "robot"} == folder.names("agents")
    assert "precious" == target.read_text()
    assert not folder.cache.is_symlink()


def forge(folder, *rows):
    """Put rows into a cache that is right in everything else."""
    folder.names("agents")
    header = folder.cache.read_bytes().split(b"\n\n")[0]
    folder.cache.write_bytes(header + b"\n\n" + "\n".join(rows).encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    "name",
    [
        "$(touch gone)",
        "`x`",
        "--yes",
        "-q",
        "a b",
        "a;b",
        "a\x1b[2J",
        "a\rb",
        "a'b",
        "",
        "é",
        "a:b",
        ".",
        "../x",
        "*",
        "~",
    ],
)
def test_a_name_that_could_be_code_is_not_offered(folder, name):
    """Whatever the cache holds, what a shell inserts is a plain word."""
    forge(folder, f"agents\tacme\t{name}\tHuman", "agents\tacme\tgood.one_2-3\tHuman")

    assert {"good.one_2-3": "Human"} == folder.ask("agents")


@pytest.mark.parametrize("description", ["\x1b[31m", "a\u202eb", "a\rb", "x" * 1000, "\udcff", "\x9b", "\u200b"])
def test_a_description_that_could_obey_a_terminal_is_dropped(folder, description):
    """The name stays, without it."""
    forge(folder, f"agents\tacme\tgood\t{description}")

    assert {"good": ""} == folder.ask("agents")


@pytest.mark.parametrize("row", ["agents", "agents\tacme", "agents\tacme\tx", "agents\tacme\tx\ty\tz", "\t\t\t", "\0"])
def test_half_a_row_is_passed_over(folder, row):
    """A cache that somebody else wrote breaks nothing."""
    forge(folder, row, "agents\tacme\tgood\tHuman")

    assert {"good": "Human"} == folder.ask("agents")


def test_a_cache_that_others_can_read_came_from_somewhere_else(folder):
    """Neither git nor tar makes anything private, we do: such a file isn't ours, however right it looks."""
    forge(folder, "agents\tacme\tforeign\tHuman")
    folder.cache.chmod(0o644)

    assert {"alice", "robot"} == folder.names("agents")
    assert 0o600 == stat.S_IMODE(folder.cache.stat().st_mode)


def test_the_paths_of_a_foreign_cache_are_not_looked_at(folder, monkeypatch):
    """The roster's stamp guards them, so nobody sends us to /net/somewhere."""
    folder.names("agents")
    lines = folder.cache.read_text().split("\n")
    lines[2:4] = [f"1 2 3 4\t{folder.roster}", "-\t/net/evil.example/x"]
    folder.cache.write_text("\n".join(lines))
    looked = []
    real = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **more: looked.append(str(path)) or real(path, **more))

    assert {"alice", "robot"} == folder.names("agents")
    assert not [path for path in looked if path.startswith("/net")]


@pytest.mark.parametrize("content", [b"", b"\n", b"profilectl names 3\n" * 9, b"\xff\0" * 999, b"profilectl names 1\n"])
def test_a_cache_that_is_none_is_made_anew(folder, content):
    """Another version's, half of one, or noise."""
    folder.names("agents")
    folder.cache.write_bytes(content)

    assert {"alice", "robot"} == folder.names("agents")


def test_a_fifo_in_place_of_the_cache_hangs_nothing(folder):
    """Opening it would wait for a writer."""
    folder.cache.parent.mkdir(parents=True)
    os.mkfifo(folder.cache)

    assert {"alice", "robot"} == folder.names("agents")


def test_names_that_hide_something_are_told_visibly(folder):
    """A public name that the rules refuse may still be in the ledger; joiners of emoji fall away."""
    family = "\U0001f469\u200d\U0001f467"
    folder.make_anew('name = "Alice"', f'name = "Alice {family}"')
    with folder.ledger() as ledger:
        retire(ledger, "bob", "11", "B\u202eob\x1b[2J\t\n")

    assert "Alice \U0001f469\U0001f467 · human" == folder.ask("agents")["alice"]
    assert {"11": "B<U+202E>ob\\x1b[2J\\t\\n · retired, was bob's"} == folder.ask("profiles")


def test_a_roster_whose_path_would_break_the_cache(folder):
    """A line feed in a path leaves no cache that could be misread."""
    odd = folder.path / "a\nagents\tacme\tforged\t"
    odd.mkdir()
    (odd / "roster.toml").write_text(ROSTER)
    answer(["agents", "--roster", str(odd / "roster.toml")])

    assert b"forged" not in folder._captured.readouterr().out
    assert not folder.cache.parent.exists()


def run(folder, *words, **more):
    command = [sys.executable, "-m", "profilectl", *words]
    return subprocess.run(command, cwd=folder.path, capture_output=True, text=True, check=False, **more, timeout=60)


def test_the_process_ends_well_whatever_happens(folder):
    """Exit 0 and not a word on stderr: with a roster, without one, in a folder that is gone, without a stdout."""
    assert (0, "acme\t@acmecare\nzenith\t@zenithcare\n", "") == result(run(folder, "__complete", "brands"))
    assert (0, "", "") == result(run(folder, "__complete", "agents", "--roster", "nowhere"))
    assert (0, "", "") == result(run(folder, "__complete"))
    gone = folder.path / "gone"
    gone.mkdir()
    shell = f'cd {gone} && rmdir {gone} && {sys.executable} -m profilectl __complete agents; echo "$?"'
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    done = subprocess.run(
        ["bash", "-c", shell], capture_output=True, text=True, check=False, env=environment, timeout=60
    )
    assert (0, "0\n", "") == result(done)
    shell = f'{sys.executable} -m profilectl __complete agents >&-; echo "$?" >&2'
    done = subprocess.run(
        ["bash", "-c", shell], cwd=folder.path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (0, "", "0\n") == result(done)


def result(done):
    return done.returncode, done.stdout, done.stderr


def test_a_fresh_cache_loads_nothing(folder):
    """Only a few modules of our own come to what Python has loaded before it begins."""
    folder.names("agents")
    command = [sys.executable, "-c", LOADED, "__complete", "agents", "--brand", "acme", "--roster", "./roster.toml"]
    done = subprocess.run(command, cwd=folder.path, capture_output=True, text=True, check=True, timeout=60)

    ours = ["profilectl", "profilectl.__main__", "profilectl.completion", "profilectl.completion.cached_names"]
    ours += ["profilectl.system", "profilectl.system.cache"]
    assert ["alice\tAlice · human", *ours] == done.stdout.splitlines()


def test_a_stale_cache_loads_no_network_and_no_keyring(folder):
    """Names are never worth a question to X or to a keyring."""
    command = [sys.executable, "-c", LOADED, "__complete", "agents"]
    loaded = set(
        subprocess.run(
            command, cwd=folder.path, capture_output=True, text=True, check=True, timeout=60
        ).stdout.splitlines()
    )

    assert "profilectl.completion.roster_names" in loaded
    assert set() == loaded & {"httpx", "keyring", "PIL", "asyncio", "rich", "socket"}


def test_the_cache_depends_on_roster_and_sandbox_only(folder):
    """It is found from any working directory, and the sandbox's names are kept apart."""
    path = str(folder.roster)

    assert cache_file(path, "names") == LineOptions(["--roster", "roster.toml"]).cache
    assert cache_file(path, "sandbox.names") == LineOptions(["--sandbox", f"--roster={path}"]).cache


def test_a_ledger_that_the_policy_file_names_is_the_only_one(monkeypatch, tmp_path):
    """What commands don't read isn't offered, whatever the environment says; another policy is noticed at TAB."""
    from profilectl.access import policy_file
    from profilectl.completion import cached_names, roster_names

    policy = tmp_path / "policy.toml"
    policy.write_text(f'version = 1\nadmins = ["root"]\nledger = "{tmp_path}/pinned.db"\n')
    policy.chmod(0o644)
    tmp_path.chmod(0o755)
    monkeypatch.setattr(policy_file, "_ROOT", os.geteuid())
    monkeypatch.setattr(policy_file, "POLICY", policy)
    monkeypatch.setattr(cached_names, "_POLICY", str(policy))
    monkeypatch.setenv("PROFILECTL_LEDGER", str(tmp_path / "other.db"))

    assert f"{tmp_path}/pinned.db" == roster_names.ledger_path(str(tmp_path / "roster.toml"), uses_sandbox=False)
    before = cached_names.settings()
    policy.write_text('version = 1\nadmins = ["root"]\n')
    assert before != cached_names.settings()
    assert str(tmp_path / "other.db") == roster_names.ledger_path(str(tmp_path / "roster.toml"), uses_sandbox=False)
