"""The programs that hand out credentials, and what profilectl lets them do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib

import pytest

from tests.examples.conftest import EXAMPLES

_FOLDER = EXAMPLES / "credential-command"
_NEWLINES = {"1password": "\n", "vault": ""}  # after the field, as each of the two is documented to print it


@pytest.fixture
def password_store(machine, require):
    """A real `pass` in this home, with a gpg key that has no passphrase."""
    missing = [program for program in ("pass", "gpg", "gpgconf") if shutil.which(program) is None]
    require("pass", not missing, f"{', '.join(missing)} not installed")
    machine.home.joinpath(".gnupg").mkdir(mode=0o700)
    made = machine.run(
        *("gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", ""),
        *("--quick-generate-key", "care@example.org", "default", "default", "never"),
    )
    assert made.returncode == 0, made.stderr
    done = machine.run("pass", "init", "care@example.org")
    assert done.returncode == 0, done.stderr
    yield machine
    machine.run("gpgconf", "--kill", "all")


def test_pass_hands_out_the_credentials(password_store):
    """The file's line, with a real store, in cron's environment."""
    machine = password_store
    stored = machine.run("pass", "insert", "--multiline", "profilectl/acmecare", stdin=machine.token)
    assert stored.returncode == 0, stored.stderr
    machine.configure((_FOLDER / "pass.toml").read_text())
    roster = machine.write_roster(machine.root / "srv")

    done = machine.run("profilectl", "sync", "--yes", "--quiet", "--no-input", "--roster", str(roster))

    assert (0, ["Alice"]) == (done.returncode, machine.live()), done.stderr


@pytest.mark.parametrize("name", _NEWLINES)
def test_a_stand_in_hands_out_the_credentials(name, machine):
    """The file's line reaches the program word for word, and what the real one would print is understood."""
    text = (_FOLDER / f"{name}.toml").read_text()
    program, *words = (word.replace("{handle}", "acmecare") for word in tomllib.loads(text)["credential_command"])
    said = machine.token + _NEWLINES[name]
    stand_in = f"import sys; assert sys.argv[1:] == {words!r}, sys.argv; sys.stdout.write({said!r})"
    machine.install(program, f"#!{sys.executable}\n{stand_in}\n")
    machine.configure(text)
    roster = machine.write_roster(machine.root / "srv")

    done = machine.run("profilectl", "sync", "--yes", "--quiet", "--no-input", "--roster", str(roster))

    assert (0, ["Alice"]) == (done.returncode, machine.live()), done.stderr


def listing(machine, script, *words, mode=0o600):
    """Let a program that does as the script says hand out the credentials for `profiles list`."""
    machine.install("vaultlike", f"#!{sys.executable}\nimport sys\n{script}\n")
    config = machine.configure(f"credential_command = {json.dumps(['vaultlike', *words])}\n", mode)
    roster = machine.write_roster(machine.root / "srv")
    return config, machine.run("profilectl", "profiles", "list", "--roster", str(roster))


def test_no_shell_reads_the_arguments(machine):
    """What would be a substitution, a pattern or a pipe arrives as it is written."""
    words = ["$(touch oops)", "*", "|", "~", "a  b", "{host}"]
    expected = [*words[:-1], machine.url.removeprefix("http://")]

    _, done = listing(machine, f"assert sys.argv[1:] == {expected!r}; print({machine.token!r})", *words)

    assert 0 == done.returncode, done.stderr
    assert [] == list(machine.root.rglob("oops"))


def test_what_it_says_to_stderr_is_never_shown(machine):
    """Neither when it succeeds nor when it fails."""
    for end, code in (f"print({machine.token!r})", 0), ("sys.exit(3)", 4):
        _, done = listing(machine, f"sys.stderr.write('it-is-a-secret')\n{end}")
        assert code == done.returncode
        assert "it-is-a-secret" not in done.stdout + done.stderr
    assert "failed with status 3" in done.stderr


def test_it_may_print_64_kib(machine):
    """And not a byte more."""
    padded = f"print({machine.token!r}.ljust({64 * 1024 - 1}))"
    assert 0 == listing(machine, padded)[1].returncode

    _, done = listing(machine, padded.replace("65535", "65536"))

    assert 4 == done.returncode
    assert "more than 64 KiB" in done.stderr


def test_it_gets_nothing_to_read(machine):
    """A program that would ask finds nobody to answer."""
    _, done = listing(machine, f"assert sys.stdin.read() == ''; print({machine.token!r})")

    assert 0 == done.returncode, done.stderr


def test_nobody_else_may_name_the_program(machine, is_root):
    """A config file that others can write, or that another user owns, could name any program."""
    config, done = listing(machine, f"print({machine.token!r})", mode=0o620)
    assert 5 == done.returncode
    assert "somebody else can write the file" in done.stderr
    if is_root:
        config.chmod(0o600)
        os.chown(config, 12345, 12345)
        done = machine.run("profilectl", "profiles", "list", "--roster", str(machine.root / "srv" / "roster.toml"))
        assert 5 == done.returncode
        assert "somebody else can write the file" in done.stderr


def test_the_readme_names_every_example():
    """Whoever chooses finds each of them."""
    text = (EXAMPLES / "README.md").read_text()
    for folder in ("systemd/", "credential-command/", "cron/crontab"):
        assert f"]({folder})" in text
    assert {"pass.toml", "1password.toml", "vault.toml"} == {path.name for path in _FOLDER.iterdir()}


@pytest.mark.parametrize("name", ["credentials", "password"])
def test_no_example_holds_anything_that_looks_like_a_secret(name):
    """They are copied as they are."""
    found = subprocess.run(
        ["grep", "-rEi", f"{name}[\"']? *[:=] *[\"'][A-Za-z0-9]{{16,}}", EXAMPLES], check=False, timeout=60
    )
    assert 1 == found.returncode
