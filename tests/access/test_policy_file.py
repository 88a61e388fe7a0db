"""The policy file of the machine: whose it must be, and what it may say."""

from __future__ import annotations

import os
import pwd
import sys

import pytest

from profilectl.access import policy_file as module
from profilectl.access.policy import Authority
from profilectl.access.policy_file import current_operator, digest_of_policy, read_policy, uid_of
from profilectl.digests import digest_of_bytes
from profilectl.errors import InputRefused

POLICY = """\
version = 1
admins = ["root", "cindy"]
[operators]
alice = ["afast", "uid:1001"]
"*" = []
"""


@pytest.fixture
def policy(tmp_path, monkeypatch):
    """The path of a policy whose root is whoever runs the tests."""
    path = tmp_path / "etc" / "policy.toml"
    path.parent.mkdir(mode=0o755)
    monkeypatch.setattr(module, "_ROOT", os.geteuid())
    return path


def put(path, text=POLICY, mode=0o644):
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def refusal(path):
    with pytest.raises(InputRefused) as refused:
        read_policy(path)
    assert 5 == refused.value.exit_code
    assert "nobody may do anything until root mends it" in refused.value.hint
    return refused.value.message.replace(str(path), "POLICY").replace(str(path.parent), "FOLDER")


def test_where_the_policy_lies():
    """Nobody can name another place."""
    assert "/etc/profilectl/policy.toml" == str(module.POLICY)


def test_what_the_policy_says(policy):
    """Admins, operators by agent, and the star for the rest."""
    put(policy)

    expected = Authority(uid_of, ("root", "cindy"), {"alice": ("afast", "uid:1001"), "*": ()}, str(policy))
    assert expected == read_policy(policy)


def test_no_policy_no_rule(policy):
    """Neither the file nor its folder has to exist."""
    assert Authority(uid_of) == read_policy(policy)
    policy.parent.rmdir()
    assert Authority(uid_of) == read_policy(policy)


def test_no_policy_costs_no_import(policy):
    """Where there is none, nothing that reads TOML is loaded for it."""
    code = (
        "import pathlib, sys; from profilectl.access.policy_file import read_policy; "
        "read_policy(pathlib.Path(sys.argv[1])); "
        "sys.exit(bool({'tomli', 'tomllib', 'profilectl.toml.document', 'typer'} & sys.modules.keys()))"
    )
    assert 0 == os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code, str(policy)])


def write_for_all(path):
    path.chmod(0o646)


def write_for_group(path):
    path.chmod(0o664)


def open_folder(path):
    path.parent.chmod(0o775)


def link(path):
    path.rename(path.with_name("other.toml"))
    path.symlink_to("other.toml")


def link_folder(path):
    path.parent.rename(path.parent.with_name("other"))
    path.parent.symlink_to("other")


def flat_folder(path):
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("")


def pipe(path):
    path.unlink()
    os.mkfifo(path, 0o644)


def nest(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (write_for_all, "POLICY has mode 646: others than root can write to it"),
        (write_for_group, "POLICY has mode 664: others than root can write to it"),
        (open_folder, "FOLDER has mode 775: others than root can write to it"),
        (link, "POLICY is a link, or lies in no real folder"),
        (link_folder, "POLICY is a link, or lies in no real folder"),
        (flat_folder, "POLICY is a link, or lies in no real folder"),
        (pipe, "POLICY isn't a regular file"),
        (nest, "POLICY isn't a regular file"),
    ],
)
def test_a_policy_is_root_s_alone_to_write(policy, spoil, expected):
    """What somebody else could have written is refused, never ignored; nothing hangs on a pipe."""
    put(policy)
    spoil(policy)

    assert expected == refusal(policy)


def test_a_policy_of_somebody_else_is_refused(policy, monkeypatch):
    """Its folder is judged first."""
    put(policy)
    monkeypatch.setattr(module, "_ROOT", os.geteuid() + 1)

    assert f"FOLDER belongs to uid {os.geteuid()}, not to root" == refusal(policy)


def test_a_policy_that_cannot_be_read_is_no_absent_one(policy, monkeypatch):
    """An operator whom root didn't let read it may do nothing; the hint says how root lets everybody."""

    def refuse(*_words, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module.os, "open", refuse)

    assert "POLICY can't be read: Permission denied" == refusal(policy)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version = 1\nadmins = [", "POLICY:2:11: not valid TOML: invalid value"),
        ('version = 1\nadmins = ["root"]\nadmin = ["bob"]', 'POLICY:3:1: admin: unknown key, did you mean "admins"?'),
        ('version = 1\nadmins = ["root"]\n[agents]', "POLICY:3:1: agents: unknown key"),
        ('version = 2\nadmins = ["root"]', "POLICY:1:1: version: expected 1, got 2"),
        ('admins = ["root"]', "POLICY: version: missing; a policy begins with `version = 1`"),
        ("version = 1", 'POLICY: admins: missing; name who may do everything: admins = ["root"]'),
        (
            "version = 1\nadmins = []",
            "POLICY:2:1: admins: names nobody, so nothing could be done; without the file everybody is an admin",
        ),
        ('version = 1\nadmins = "root"', 'POLICY:2:1: admins: expected an array of OS users such as "afast" or "uid:1'),
        ('version = 1\nadmins = ["a b"]', 'POLICY:2:11: admins[0]: expected OS users such as "afast" or "uid:1001"'),
        (
            'version = 1\nadmins = ["root"]\n[operators]\n"Alice F." = []',
            'POLICY:4:1: operators."Alice F.": a key has 1 to 64',
        ),
        (
            'version = 1\nadmins = ["root"]\n[operators]\nalice = "afast"',
            "POLICY:4:1: operators.alice: expected an arr",
        ),
        ('version = 1\nadmins = ["root"]\noperators = []', "POLICY:3:1: operators: expected a table, got an array"),
    ],
)
def test_a_policy_is_understood_whole_or_not_at_all(policy, text, expected):
    """What is wrong is told at its place; half a policy would be a looser one."""
    put(policy, text)

    assert refusal(policy).startswith(expected)


def test_every_problem_of_a_policy_is_told(policy):
    """The first in the message, the others below it."""
    put(policy, "admin = []\nversion = 3\n")
    with pytest.raises(InputRefused) as refused:
        read_policy(policy)
    lines = [refused.value.message, *refused.value.hint.splitlines()]

    expected = ["admins: missing", "1:1: admin: unknown key", "2:1: version: expected 1", "nobody may do anything"]
    assert [True] * 4 == [part in line for part, line in zip(expected, lines, strict=True)]


def test_a_policy_that_is_no_text_or_far_too_long(policy):
    """Neither is read any further."""
    policy.write_bytes(b"version = 1\n\xff")
    assert "POLICY:2:1: not UTF-8: byte 0xff" == refusal(policy)
    put(policy, "#" * 1_000_001)
    assert "POLICY is larger than 1000000 bytes" == refusal(policy)


def test_the_kernel_says_who_runs_this(monkeypatch):
    """Whatever the environment claims."""
    for name in ("USER", "LOGNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "cindy")

    me = pwd.getpwuid(os.getuid())
    assert (me.pw_name, me.pw_uid) == (current_operator().name, current_operator().uid)
    assert (me.pw_uid, None) == (uid_of(me.pw_name), uid_of("no-such-user"))


PINNED = """\
version = 1
admins = ["root"]
roster = "/srv/profilectl/roster.toml"
ledger = "postgresql://db.example.com/acme"
disclosure = "enforce"
[accounts."@AcmeCare"]
"Alice F." = ["afast"]
100044 = ["bob"]
"*" = []
"""


def test_a_policy_pins_roster_ledger_and_faces(policy):
    """Accounts by handle or user id, faces by public name or profile id."""
    put(policy, PINNED)
    authority = read_policy(policy)

    assert {"acmecare": {"Alice F.": ("afast",), "100044": ("bob",), "*": ()}} == authority.accounts
    assert "/srv/profilectl/roster.toml" == authority.roster
    assert "postgresql://db.example.com/acme" == authority.ledger
    assert "enforce" == authority.disclosure


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('roster = "roster.toml"', ":3:1: roster: expected a path from / on"),
        ('ledger = "ledger.db"', ":3:1: ledger: expected a path from / on"),
        ('disclosure = "off"', ':3:1: disclosure: expected "enforce" or "warn", got "off"'),
        ('accounts.acme = ["afast"]', ":3:10: accounts.acme: expected a table of profiles"),
        ('accounts.acme.Alice = "afast"', ":3:15: accounts.acme.Alice: expected an array of OS users"),
        ('operators.alice = ["a"]\naccounts.acme."*" = []', ":3:1: operators: the accounts say who sends, by profile"),
    ],
)
def test_a_pin_that_cannot_be_meant_is_refused(policy, line, expected):
    """At its line; a path from the current folder would be a different one for everybody."""
    put(policy, f'version = 1\nadmins = ["root"]\n{line}\n')

    assert refusal(policy).startswith(f"POLICY{expected}")


def test_a_policy_pins_what_a_roster_s_policy_says(policy):
    """How strict it is at least, and the only test recipients and markers that it may name."""
    pins = 'consent = "require"\nai_faces = "refuse"\ntest_recipients = ["@Tester"]\nbot_markers.EN = ["bot"]\n'
    put(policy, f'version = 1\nadmins = ["root"]\n{pins}')
    authority = read_policy(policy)

    assert ("", "require", "refuse") == (authority.disclosure, authority.consent, authority.ai_faces)
    assert (("@Tester",), {"en": ("bot",)}) == (authority.test_recipients, authority.bot_markers)


def test_what_is_not_pinned_is_free(policy):
    """An empty list names nobody, which isn't the same as no list."""
    put(policy, 'version = 1\nadmins = ["root"]\ntest_recipients = []\n')
    assert ((), None) == (read_policy(policy).test_recipients, read_policy(policy).bot_markers)


def test_the_digest_of_a_policy_is_that_of_its_bytes(policy):
    """And empty where there is none, as that is another policy."""
    assert "" == digest_of_policy(policy)
    put(policy, 'version = 1\nadmins = ["root"]\n')
    assert digest_of_bytes(policy.read_bytes()) == digest_of_policy(policy)
    policy.chmod(0o666)
    with pytest.raises(InputRefused, match="others than root can write"):
        digest_of_policy(policy)


def test_a_path_is_quoted_in_the_command_that_mends_it(tmp_path, monkeypatch):
    """Root pastes it."""
    monkeypatch.setattr(module, "_ROOT", os.geteuid())
    path = tmp_path / "our rules" / "policy.toml"
    path.parent.mkdir(mode=0o755)
    put(path, mode=0o666)

    with pytest.raises(InputRefused) as refused:
        read_policy(path)
    assert f"chmod go-w '{path}'" in refused.value.hint
