"""The first configured source wins, and its failure is final."""

from __future__ import annotations

import io
import itertools
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from profilectl.config import Config
from profilectl.credentials.formats import to_entry
from profilectl.credentials.keyring import Keychain, KeychainError, State
from profilectl.credentials.sources import VARIABLES, AccountStatus, Sources
from profilectl.errors import CredentialsError
from profilectl.secret import Credentials, Secret

HOST = "api.x.com"
ORDER = ("option", "variable", "systemd", "command", "environment", "keyring")


class World:
    """Everything that can be configured, switched on one by one; each source has a token of its own."""

    def __init__(self, folder, keychain):
        self.folder, self.keychain = folder, keychain
        self.option, self.environ, self.argv = None, {}, ()

    def values(self, source):
        names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        return {name: f"{source}-{name}-0123456789" for name in names}

    def file(self, name, **more):
        path = self.folder / name
        path.write_text(json.dumps(self.values(name) | more))
        path.chmod(0o600)
        return path

    def add_option(self):
        self.option = self.file("option")

    def add_variable(self):
        self.environ["PROFILECTL_CREDENTIALS_FILE"] = str(self.file("variable"))

    def add_systemd(self):
        self.file("systemd").rename(self.folder / "profilectl")
        self.environ["CREDENTIALS_DIRECTORY"] = str(self.folder)

    def add_command(self):
        self.argv = (sys.executable, "-I", "-c", "import sys; print(sys.argv[1])", json.dumps(self.values("command")))

    def add_environment(self):
        self.environ |= dict(zip(VARIABLES, self.values("environment").values(), strict=True))

    def add_keyring(self):
        made_up = Credentials(*map(Secret, self.values("keyring").values()), source="test")
        created = datetime(2026, 11, 22, tzinfo=UTC)
        self.keychain.set(HOST, "acme", to_entry(made_up, host=HOST, handle="Acme", user_id="42", created=created))

    def sources(self, host=HOST):
        config = Config(self.folder / "config.toml", credential_command=self.argv)
        return Sources(host, config, self.keychain, self.option, self.environ)

    def find(self, handle="acme", host=HOST):
        return self.sources(host).find(handle)

    def describe(self, handle="acme"):
        return self.sources().describe(handle)


@pytest.fixture
def world(tmp_path, keychain):
    return World(tmp_path, keychain)


@pytest.mark.parametrize("source", ORDER)
def test_each_source_gives_all_four(world, source):
    """Every source alone gives the four values in their places."""
    getattr(world, f"add_{source}")()
    assert [secret.reveal() for secret in world.find().secrets()] == list(world.values(source).values())


@pytest.mark.parametrize(("winner", "loser"), list(itertools.combinations(ORDER, 2)))
def test_the_order_is_fixed(world, winner, loser):
    """Of any two, the one that is further up wins, and `auth status` says the same."""
    for source in (loser, winner):
        getattr(world, f"add_{source}")()
    assert world.find().token.reveal().startswith(winner)
    words = {"option": "file", "variable": "file"}
    assert world.describe().source == words.get(winner, winner)


def spoil(world, source):
    """Configure a source so that it fails."""
    match source:
        case "option":
            world.option = world.folder / "absent"
        case "variable":
            world.environ["PROFILECTL_CREDENTIALS_FILE"] = str(world.folder / "absent")
        case "systemd":
            world.environ["CREDENTIALS_DIRECTORY"] = str(world.folder)
            (world.folder / "profilectl").symlink_to("absent")
        case "command":
            world.argv = ("no-such-program",)
        case "environment":
            world.environ[VARIABLES[2]] = "0123456789"


@pytest.mark.parametrize("source", ORDER[:-1])
def test_failure_is_final(world, source):
    """A configured source that fails isn't replaced by the keyring, which would give another account's voice."""
    world.add_keyring()
    spoil(world, source)
    with pytest.raises(CredentialsError):
        world.find()
    status = world.describe()
    assert (status.usable, status.token_tail) == (False, None)
    assert status.problem


def test_sources_say_where_values_come_from(world):
    """People read it in errors and in `-v`."""
    expected = {
        "keyring": "keyring",
        "environment": "environment",
        "command": f"credential_command {sys.executable}",
        "systemd": f"file {world.folder}/profilectl",
        "variable": f"file {world.folder}/variable",
        "option": f"file {world.folder}/option",
    }
    for source, words in expected.items():
        getattr(world, f"add_{source}")()
        assert world.find().source == words


@pytest.mark.parametrize("there", [1, 2, 3])
def test_some_of_four_variables_are_an_error(world, there):
    """The missing ones are named; an empty variable is a missing one."""
    world.environ = dict.fromkeys(VARIABLES[:there], "0123456789") | dict.fromkeys(VARIABLES[there:], "")
    with pytest.raises(CredentialsError, match=f"{there} of the four .* not {', '.join(VARIABLES[there:])}$") as caught:
        world.find()
    assert caught.value.hint == "set all four, or none"


def test_empty_variables_configure_nothing(world):
    """A crontab that clears them is as good as one without them."""
    world.environ = dict.fromkeys((*VARIABLES, "PROFILECTL_CREDENTIALS_FILE", "CREDENTIALS_DIRECTORY"), "")
    world.add_keyring()
    assert world.find().source == "keyring"


def test_bad_variables_are_named_and_not_shown(world):
    """A pasted control character is refused."""
    world.add_environment()
    world.environ[VARIABLES[3]] = "canary\x16canary"
    with pytest.raises(CredentialsError, match="PROFILECTL_ACCESS_TOKEN_SECRET from the environment holds") as caught:
        world.find()
    assert "canary" not in str(caught.value)


def test_systemd_may_hold_one_file_per_account(world):
    """The account's own credential goes before the common one; another account's isn't looked at."""
    world.add_systemd()
    world.file("profilectl.other").chmod(0o644)
    assert world.find().token.reveal().startswith("systemd")
    world.file("profilectl.acme")
    assert world.find("@ACME").token.reveal().startswith("profilectl.acme")


def test_systemd_without_our_credential_configures_nothing(world):
    """A service may have credentials for others only."""
    world.environ["CREDENTIALS_DIRECTORY"] = str(world.folder)
    world.add_keyring()
    assert world.find().source == "keyring"


def test_the_command_learns_which_account(world):
    """One command serves every brand."""
    code = "import json, sys; print(json.dumps(dict.fromkeys(sys.argv[1].split(), sys.argv[2])))"
    world.argv = (sys.executable, "-I", "-c", code, " ".join(world.values("x")), "{handle}.{host}")
    assert world.find("@Acme").token.reveal() == "acme.api.x.com"


def test_a_file_for_another_account_is_refused(world):
    """When the source says whose values it holds, it must be the account that was meant."""
    world.option = world.file("f", handle="@Other")
    with pytest.raises(CredentialsError, match=r"holds the credentials of @Other, not of @acme") as caught:
        world.find()
    assert "unset PROFILECTL_CREDENTIALS_FILE and run `profilectl auth login` as @acme" in caught.value.hint
    assert not world.describe().usable
    assert world.find("OTHER").handle == "Other"


def test_nothing_configured_says_how_to(world):
    """The error names account and host, and every way out."""
    with pytest.raises(CredentialsError, match=r"^no credentials for @acmecare at api\.x\.com$") as caught:
        world.find("@AcmeCare")
    for way in ("profilectl auth login", "PROFILECTL_CREDENTIALS_FILE", "four variables", "credential_command"):
        assert way in caught.value.hint


def test_no_keyring_says_for_whom(world, tmp_path):
    """Where there is no keyring at all, the error says so, and what was wanted from it."""
    world.keychain = Keychain()
    with pytest.raises(
        KeychainError, match=r"^no credentials for @acme at api\.x\.com: this machine has no keyring"
    ) as caught:
        world.find()
    assert caught.value.state is State.ABSENT


def test_an_entry_of_another_host_is_not_given(world):
    """The keyring has one entry per host."""
    world.add_keyring()
    with pytest.raises(CredentialsError, match=r"no credentials for @acme at 127\.0\.0\.1:8080"):
        world.find(host="127.0.0.1:8080")


def test_stdin_is_a_file_named_dash(world, monkeypatch):
    """`--credentials-file -` reads the pipe; `auth status` leaves it alone."""
    content = json.dumps(world.values("stdin")).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    world.option = Path("-")
    assert world.describe() == AccountStatus("acme", HOST, "stdin", None, usable=True)
    assert world.find().source == "stdin"


def test_status_of_a_good_account(world):
    """Source, backend and the token's tail, and never a value."""
    world.add_keyring()
    status = world.describe("@AcMe")
    backend = world.keychain.backend_name
    assert status == AccountStatus("AcMe", HOST, "keyring", backend, usable=True, token_tail="6789")
    assert "keyring-access_token" not in repr(status)


def test_status_runs_no_command(world, tmp_path):
    """A credential command might open a window, so it is only looked up."""
    world.argv = (sys.executable, "-c", f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert world.describe() == AccountStatus("acme", HOST, "command", None, usable=True)
    assert not (tmp_path / "ran").exists()


def test_status_of_no_account(world):
    """A problem and a hint, as the command would have given."""
    status = world.describe()
    assert (status.usable, status.problem) == (False, "no credentials for @acme at api.x.com")
    assert "auth login" in status.hint
