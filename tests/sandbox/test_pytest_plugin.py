"""The fixtures for other projects' tests, as those use them: in a process of their own, found by pytest itself."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
OTHERS_TESTS = """
import os
import subprocess
import sys

import pytest


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(account, *words):
    return subprocess.run(
        [sys.executable, "-m", "profilectl", *words],
        env={**os.environ, **account.environ, "HOME": os.getcwd()},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_program_sends_to_it(x_sandbox, x_account):
    customer = x_sandbox.customer("jane")
    x_sandbox.write("jane", x_account, "Where is my refund?")
    assert 0 == run(x_account, "init", "--handle", x_account.handle).returncode
    assert 0 == run(x_account, "sync", "--yes").returncode
    done = run(x_account, "send", "--as", "helper", "--to", customer, "On its way.")
    assert 0 == done.returncode, done.stderr

    (bot,) = [profile for profile in x_sandbox.profiles(x_account) if "bot" in profile["name"]]
    assert [("Where is my refund?", None), ("On its way.", bot["id"])] == [
        (message["text"], message["profile_id"]) for message in x_sandbox.messages()
    ]


def test_faults_come_on_order(x_sandbox, x_account):
    assert 0 == run(x_account, "init", "--handle", x_account.handle).returncode
    x_sandbox.fault("refuse", call="list", status=429, code=88, times=None)
    assert 75 == run(x_account, "diff").returncode
    x_sandbox.clear_faults()
    assert 0 == run(x_account, "diff").returncode


def test_each_test_has_a_world_of_its_own(x_sandbox):
    assert [] == x_sandbox.messages()


def test_a_brand_may_wait_for_approval(x_sandbox):
    beta = x_sandbox.account("beta", allowlisted=False)
    assert beta == x_sandbox.account("beta", allowlisted=False)
    assert "secret" not in repr(beta).lower()


def test_a_fault_that_is_none_is_refused(x_sandbox):
    with pytest.raises(ValueError, match="drop-aftr"):
        x_sandbox.fault("drop-aftr")


def test_a_customer_is_named_by_handle_or_id(x_sandbox, x_account):
    jane = x_sandbox.customer("jane")
    x_sandbox.write(jane, x_account, "Hello?")
    x_sandbox.write("jane", x_account, "Hello!")
    x_sandbox.write("joe", x_account, "Me too.")
    joe = x_sandbox.customer("joe")
    assert [jane, jane, joe] == [message["sender_id"] for message in x_sandbox.messages()]


def test_a_brand_is_no_handle(x_sandbox, x_account):
    x_sandbox.customer("jane")
    for words in [("jane", "acmecare", "Hello"), (x_account, "jane", "Hello"), ("jane", "Hello", x_account)]:
        with pytest.raises(TypeError, match="write takes a customer's handle or id, an XAccount and a text, not "):
            x_sandbox.write(*words)
    assert [] == x_sandbox.messages()


def test_its_ledger_is_not_the_developer_s(x_sandbox, x_account, tmp_path, monkeypatch):
    monkeypatch.setenv("PROFILECTL_LEDGER", str(tmp_path / "developer.db"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    ledger = x_account.environ["PROFILECTL_LEDGER"]
    assert 0 == run(x_account, "init", "--handle", x_account.handle).returncode
    assert 0 == run(x_account, "sync", "--yes").returncode
    assert (True, False) == (os.path.exists(ledger), (tmp_path / "developer.db").exists())
    assert [] == list(tmp_path.glob("state/**/*.db"))
    assert ledger != x_sandbox.account("beta").environ["PROFILECTL_LEDGER"]


def test_the_hint_for_a_stranger_names_what_a_test_has(x_account):
    assert 0 == run(x_account, "init", "--handle", x_account.handle).returncode
    assert 0 == run(x_account, "sync", "--yes").returncode
    done = run(x_account, "send", "--as", "helper", "--to", "@jane", "Hello")
    assert "sandbox serve" not in done.stderr
    assert "x_sandbox.customer(\\"jane\\")" in done.stderr, done.stderr
"""


def test_its_fixtures_serve_the_tests_of_another_project(tmp_path):
    """A project that has profilectl installed asks for them by name, and needs no line of settings."""
    (tmp_path / "test_other.py").write_text(OTHERS_TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", str(tmp_path)]
    done = subprocess.run(
        [*command, *plugin()],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert (0, True) == (done.returncode, "9 passed" in done.stdout), done.stdout + done.stderr


def plugin():
    """Name the plugin where this environment was installed before it had one, as pytest can't find it then."""
    from importlib.metadata import entry_points

    is_found = any(entry.value == declared() for entry in entry_points(group="pytest11"))
    return [] if is_found else ["-p", declared()]


def declared():
    return tomllib.loads(PROJECT.read_text("utf-8"))["project"]["entry-points"]["pytest11"]["profilectl"]


def test_it_loads_nothing_until_a_test_asks_for_it():
    """Who has profilectl installed for something else pays nothing for it in their tests."""
    program = f"import sys, {declared()}; print(*sorted(m for m in sys.modules if m.startswith('profilectl')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert "profilectl profilectl.sandbox profilectl.sandbox.pytest_plugin" == done.stdout.strip()


@pytest.mark.parametrize("name", ["x_sandbox", "x_account"])
def test_each_fixture_says_what_it_is(name):
    """`pytest --fixtures` shows the first line."""
    assert getattr(import_module(declared()), name).__doc__
