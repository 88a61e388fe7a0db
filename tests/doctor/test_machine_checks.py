"""The checks of the machine, the way to X, and the files."""

from __future__ import annotations

import socket

import pytest
from msgspec.structs import replace

from profilectl.api.probe import ProbeResult
from profilectl.credentials.keyring import Keychain
from profilectl.doctor.machine_checks import MachineChecks
from profilectl.doctor.report import Check, State
from profilectl.ledger import schema
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Event

NEED_X = (Check.CLOCK, Check.TOKEN, Check.ACCESS, Check.ALLOWLIST, Check.QUOTA, Check.PROFILES)


def states(results):
    return {check: result.state for check, result in results.items() if result.state is not State.OK}


def test_all_is_well(surroundings):
    """Every check has one line, in the promised order."""
    report, results = surroundings.check()

    assert list(Check) == [finding.check for finding in report.findings]
    assert ({}, 0) == (states(results), report.exit_code)


@pytest.mark.parametrize(
    ("ahead", "state", "code"), [(60, State.WARNING, 0), (400, State.FAILED, 4), (-400, State.FAILED, 4)]
)
def test_a_clock_that_is_off(surroundings, ahead, state, code):
    """The clock is blamed, not the credentials that X refuses because of it."""
    report, results = surroundings.check()

    assert (state, code) == (results[Check.CLOCK].state, report.exit_code)
    assert ("ahead of" if ahead > 0 else "behind") in results[Check.CLOCK].text
    assert (State.SKIPPED if code else State.OK) is results[Check.TOKEN].state


def test_a_dead_port(surroundings):
    """Nobody answers: all that needs X is skipped, and the files are still looked at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        surroundings.url = f"http://127.0.0.1:{server.getsockname()[1]}"
    report, results = surroundings.check()
    skipped = dict.fromkeys(NEED_X, State.SKIPPED)

    assert (skipped | {Check.NETWORK: State.FAILED}, 75) == (states(results), report.exit_code)
    assert f"nobody answers at {surroundings.url}" in results[Check.NETWORK].text
    assert "not looked at: network has to work first" == results[Check.QUOTA].text


def test_an_x_that_answers_with_an_error(surroundings):
    """It can be reached, and is in trouble itself."""
    checks = MachineChecks(replace(surroundings.machine(), probe=lambda _seconds: ProbeResult(503, None, None, 0.0)))
    checks.check_connection()
    network = next(finding for finding in checks.findings if finding.check is Check.NETWORK)

    assert State.WARNING is network.state
    assert network.result.text.endswith("but X is in trouble (HTTP 503)")


@pytest.mark.parametrize("url", ["http://api.x.com", "https://api.x.com/2", "nonsense"])
def test_an_address_that_must_not_be_called(surroundings, url):
    """A slip in the address is told on its line; the command line was fine, but can't be obeyed."""
    surroundings.url = url
    report, results = surroundings.check()

    assert (State.FAILED, 2) == (results[Check.NETWORK].state, report.exit_code)
    assert State.SKIPPED is results[Check.TOKEN].state


@pytest.mark.parametrize(
    ("source", "state"), [("keyring", State.FAILED), ("environment", State.OK)], ids=["needed", "not needed"]
)
def test_a_keyring_that_is_locked(surroundings, source, state):
    """It matters to those whose credentials are in it."""
    surroundings.source = source
    surroundings.keyring = Keychain(environ={"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"})
    _, results = surroundings.check()

    assert state is results[Check.KEYRING].state
    assert "isn't trusted with secrets" in results[Check.KEYRING].text
    assert (State.SKIPPED if state is State.FAILED else State.OK) is results[Check.CREDENTIALS].state


def test_a_broken_roster(surroundings):
    """Its first problems are told; pictures have to wait."""
    surroundings.roster = "".join(
        f'[agents.agent{number}]\nname = ""\nkind = "human"\navatar = "face.png"\n' for number in range(5)
    )
    report, results = surroundings.check()

    assert (State.FAILED, State.SKIPPED) == (results[Check.ROSTER].state, results[Check.PICTURES].state)
    assert report.exit_code == 5
    assert "roster.toml:5:1: agents.agent0.name: empty" in results[Check.ROSTER].text
    assert "; and 2 more" in results[Check.ROSTER].text
    assert State.OK is results[Check.TOKEN].state  # credentials that nobody has named still belong to an account


def test_of_a_long_record_the_newest_part_is_checked(surroundings, monkeypatch):
    """The line says what was looked at; a change in that part fails, and one before it is `audit verify`'s to find."""
    monkeypatch.setattr("profilectl.doctor.machine_checks.THOROUGH", 3)
    path = surroundings.folder / "ledger.db"
    with open_for_writing(path) as ledger:
        for number in range(5):
            ledger.record(Event("sent", "4242", number))
        with ledger.engine.transaction() as execute:
            execute(schema.SET_RECORD_TEXT, seq=2, text="changed")
    result = surroundings.check()[1][Check.LEDGER]
    assert "5 audit records, the newest 3 whole (`profilectl audit verify` checks all)" in result.text

    with open_for_writing(path) as ledger, ledger.engine.transaction() as execute:
        execute(schema.SET_RECORD_TEXT, seq=4, text="changed")
    assert "whose chain is broken at record 4" in surroundings.check()[1][Check.LEDGER].text


@pytest.mark.parametrize("content", [b"", b"no ledger at all, but long enough to look like something" * 20])
def test_a_ledger_that_cannot_be_used(surroundings, content):
    """It is told on its own line, and stands in nobody's way."""
    path = surroundings.folder / "ledger.db"
    path.write_bytes(content)
    path.chmod(0o600)
    report, results = surroundings.check()

    assert ({Check.LEDGER: State.FAILED}, 5) == (states(results), report.exit_code)
