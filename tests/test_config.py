"""The config file is written whole, privately, and never over something that can't be read."""

from __future__ import annotations

import os
import stat
from datetime import date
from pathlib import Path

import pytest

from profilectl.config import AuditChoices, Config, LoggedIn, config_path, read_config, write_config
from profilectl.errors import InputRefused
from profilectl.model import Prices

ACME = LoggedIn("AcmeCare", "42", "api.x.com")


def test_an_absent_file_says_nothing(tmp_path):
    """Before the first login there is no file, and that is fine."""
    assert read_config(tmp_path / "config.toml") == Config(tmp_path / "config.toml")


def test_what_is_written_is_read(tmp_path):
    """Every field survives, quotes and backslashes included."""
    path = tmp_path / "new" / "folder" / "config.toml"
    prices = Prices({"dm": 0.015, "create": 0.0}, "USD", date(2026, 11, 29))
    config = Config(path, (ACME,), "acme", ("pass", 'a "b" \\ {handle}'), "postgresql://db/x", prices=prices)
    write_config(config)
    assert read_config(path) == config
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)] == [0o600, 0o700]
    assert [path] == list(path.parent.iterdir()), "no temporary file left"


def test_a_login_replaces_its_account():
    """A handle in another case, or a renamed account with the same id, is the same account; another host isn't."""
    elsewhere = LoggedIn("AcmeCare", "42", "127.0.0.1:8080")
    config = Config(Path("x")).with_account(ACME).with_account(elsewhere)
    assert config.accounts == (ACME, elsewhere)
    shouted, renamed = LoggedIn("ACMECARE", "43", "api.x.com"), LoggedIn("AcmeHelp", "42", "api.x.com")
    assert config.with_account(shouted).accounts == (elsewhere, shouted)
    assert config.with_account(renamed).accounts == (elsewhere, renamed)
    assert config.account("acmecare", "api.x.com") == ACME
    assert config.without_account("acmecare", "api.x.com").accounts == (elsewhere,)
    assert config.without_account("nobody", "api.x.com") == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("accounts = ", r"config\.toml:1:12: a value is missing here"),
        ("\x00", "found invalid character|invalid statement"),
        ("credential_comand = ['x']", "unknown key credential_comand"),
        ("credential_command = 'pass show x'", "credential_command must be a list of strings"),
        ("credential_command = ['pass', 1]", "credential_command must be a list of strings"),
        ("brand = 1", "brand must be a string"),
        ("prices = 1", "prices must be a table"),
        ("[prices]\ndm = 0.015", r"prices\.as_of must be a date"),
        ("[prices]\ndm = 0.015\nas_of = '2026-11-29'", r"prices\.as_of must be a date"),
        ("[prices]\nas_of = 2026-11-29T00:00:00Z", r"prices\.as_of must be a date"),
        ("[prices]\ndm = '0.015'\nas_of = 2026-11-29", r"prices\.dm must be a number from 0 to 1000"),
        ("[prices]\ndm = true\nas_of = 2026-11-29", r"prices\.dm must be a number from 0 to 1000"),
        ("[prices]\ndm = -1\nas_of = 2026-11-29", r"prices\.dm must be a number from 0 to 1000"),
        ("[prices]\ndm = nan\nas_of = 2026-11-29", r"prices\.dm must be a number from 0 to 1000"),
        ("[prices]\ncurrency = 'dollars'\nas_of = 2026-11-29", r"prices\.currency must be a code of three letters"),
        ("[prices]\nmd = 1\nas_of = 2026-11-29", r"unknown key prices\.md"),
        ("accounts = [{handle = 'a'}]", "accounts must be tables"),
        ("accounts = 'acme'", "accounts must be tables"),
        ("version = 2", "newer profilectl"),
        ("version = 0x" + "f" * 100_000, "a number of more than 1000 characters"),
        (".".join("a" * 100_000) + " = 1", "a key of more than 16 parts"),
        ("accounts = " + "[" * 100 + "]" * 100, "more than 16 tables and arrays in one another"),
    ],
)
def test_what_is_not_understood_is_neither_used_nor_overwritten(tmp_path, text, message):
    """A damaged or unknown file is refused, and writing refuses too, so nothing is lost."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(InputRefused, match=message):
        read_config(path)
    with pytest.raises(InputRefused, match=message):
        write_config(Config(path, (ACME,)))
    assert path.read_text() == text


def test_a_typing_error_is_guessed(tmp_path):
    """A misspelled credential_command must not fall back to the keyring in silence."""
    path = tmp_path / "config.toml"
    path.write_text("credential_comand = ['x']")
    with pytest.raises(InputRefused) as caught:
        read_config(path)
    assert caught.value.hint == "did you mean credential_command?"


def test_a_folder_is_no_file(tmp_path):
    """What isn't a file is refused."""
    with pytest.raises(InputRefused, match="not a regular file"):
        read_config(tmp_path)


def test_a_fifo_does_not_hang(tmp_path):
    """Nobody will ever write into it."""
    os.mkfifo(tmp_path / "config.toml")
    with pytest.raises(InputRefused, match="not a regular file"):
        read_config(tmp_path / "config.toml")


def test_a_huge_file_is_not_read(tmp_path):
    """Some accounts and choices fit in much less than a megabyte."""
    path = tmp_path / "config.toml"
    path.write_bytes(b"#" * 1_048_576)
    assert read_config(path) == Config(path)
    path.write_bytes(b"#" * 1_048_577)
    with pytest.raises(InputRefused, match="larger than 1 MiB"):
        read_config(path)


def test_a_file_in_the_way_of_the_folder(tmp_path):
    """When the folder can't be made, the error names the file that can't be written."""
    (tmp_path / "profilectl").touch()
    with pytest.raises(InputRefused, match=r"config\.toml"):
        write_config(Config(tmp_path / "profilectl" / "config.toml"))


@pytest.mark.parametrize("spoil", [lambda path: path.chmod(0o620), lambda path: os.chown(path, 12345, -1)])
def test_a_command_that_somebody_else_could_have_written_is_not_run(tmp_path, spoil):
    """Whoever can write the file could run programs as us; without a command the same file is fine."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    path = tmp_path / "config.toml"
    write_config(Config(path, credential_command=("pass",)))
    spoil(path)
    with pytest.raises(InputRefused, match="somebody else can write"):
        read_config(path)
    path.write_text("brand = 'acme'")
    assert read_config(path).brand == "acme"


def test_a_link_stays_a_link(tmp_path):
    """People keep such files in a repository of dotfiles."""
    (tmp_path / "real.toml").write_text("brand = 'acme'")
    link = tmp_path / "config.toml"
    link.symlink_to("real.toml")
    write_config(Config(link, brand="other"))
    assert link.is_symlink()
    assert read_config(tmp_path / "real.toml").brand == "other"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_CONFIG_HOME": "/somewhere"}, "/somewhere/profilectl/config.toml"),
        ({"XDG_CONFIG_HOME": "relative"}, "~/.config/profilectl/config.toml"),
        ({}, "~/.config/profilectl/config.toml"),
    ],
)
@pytest.mark.skipif("sys.platform != 'linux'", reason="other systems have their own places")
def test_the_file_has_its_place(environ, expected):
    """The XDG variable counts when it is absolute."""
    assert config_path(environ) == Path(expected).expanduser()


def test_how_checkpoints_are_signed_survives_a_login(tmp_path):
    """The table is a person's; profilectl keeps it as it is."""
    path = tmp_path / "config.toml"
    path.write_text('version = 1\n[audit]\nkey = "~/.ssh/id_ed25519"\nanchor = "/srv/audit"\n')
    path.chmod(0o600)
    write_config(read_config(path).with_account(LoggedIn("acmecare", "1", "api.x.com")))
    config = read_config(path)

    assert AuditChoices("~/.ssh/id_ed25519", "/srv/audit") == config.audit
    assert ["acmecare"] == [account.handle for account in config.accounts]


@pytest.mark.parametrize("text", ['audit = "x"', "[audit]\nkeys = 1", "[audit]\nkey = 1"])
def test_what_is_unclear_about_checkpoints_is_refused(tmp_path, text):
    """Before anything is signed with another key than was meant."""
    path = tmp_path / "config.toml"
    path.write_text(f"version = 1\n{text}\n")
    with pytest.raises(InputRefused, match="audit"):
        read_config(path)
