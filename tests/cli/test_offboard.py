"""An agent leaves: sending ends at once, the faces go, and what couldn't be done is said and can be finished."""

from __future__ import annotations

import json

import pytest

from profilectl.cli import offboard
from profilectl.cli.context import Context
from profilectl.errors import ExitCode, OutcomeUnknown
from profilectl.ledger.sqlite import open_for_reading
from profilectl.profiles.offboarding import OffboardResult, OffboardStatus
from tests.patience import next_line

TEAM = [("alice", "Alice", 'title = "Care"'), ("bruno", "Bruno")]
TWO = {"acme": "acmecare", "beta": "betacare"}
NOBODY = "http://127.0.0.1:1"  # nothing listens there
SEND = ("send", "--as", "alice", "--to", "@customer", "Hello")
CREDENTIALS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")


def ledger_of(desk):
    named = desk.env.get("PROFILECTL_LEDGER")
    return desk.folder / named if named else desk.folder / ".profilectl" / "sandbox" / "ledger.db"


def events(desk, what):
    with open_for_reading(ledger_of(desk)) as ledger:
        return [record.event for record in ledger.events() if record.event.what == what]


def names(desk):
    return sorted(row[4] for row in desk.run("profiles", "list").rows)


@pytest.mark.usefixtures("any_x")
def test_offboarding_destroys_and_leaves_a_receipt(desk):
    """The profile is gone, sending is refused, the receipt is in the document and in the audit trail."""
    desk.write(*TEAM).run("sync", "--yes")
    result = desk.run("offboard", "alice", "--yes", "--json")
    document = result.document

    assert ("profilectl.offboard/1", "alice", 0) == tuple(document[key] for key in ("schema", "agent", "exit_code"))
    assert {"destroyed": 1, "failed": 0, "unsettled": 0, "unconfirmed": 0} == document["summary"]
    assert ("acme", "Alice", "destroyed", None) == tuple(
        document["results"][0][key] for key in ("brand", "name", "status", "error")
    )
    assert (0, ["Bruno"]) == (result.code, names(desk))
    assert 5 == desk.run(*SEND).code
    [receipt] = events(desk, "offboarded")
    assert ("alice", {"brand": "acme", "destroyed": 1, "left": 0}) == (receipt.agent, receipt.detail)


def test_it_names_the_lines_that_still_ask_for_the_agent(desk):
    """Taking out exactly these lines leaves a roster that asks for nothing more; what they hold isn't printed."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM).run("sync", "--yes")
    result = desk.run("offboard", "alice", "--yes")
    path = desk.folder / "roster.toml"
    lines = path.read_text().splitlines(keepends=True)
    named = [line for line in result.err.splitlines() if line.startswith("roster.toml:")]
    numbers = [int(number) for number in named[0].removeprefix("roster.toml:").split("-")]
    numbers = range(numbers[0], numbers[-1] + 1)

    assert [["[agents.alice]\n", 'name = "Alice"\n', 'title = "Care"\n']] == [
        [lines[number - 1] for number in numbers] for _ in named
    ]
    assert 7 == desk.run("diff", "--exit-code").code  # as was said: every sync speaks of her
    path.write_text("".join(line for number, line in enumerate(lines, 1) if number not in numbers))
    assert 0 == desk.run("diff", "--exit-code").code


def test_sending_is_blocked_offline_and_the_second_run_finishes(desk, served):
    """With X out of reach the agent can't send any more; exit 6 says that the profile is still there."""
    desk.write(*TEAM).run("sync", "--yes")
    url, desk.env["PROFILECTL_API_URL"] = desk.env["PROFILECTL_API_URL"], NOBODY
    offline = desk.run("offboard", "alice", "--yes", "--timeout", "1")
    desk.env["PROFILECTL_API_URL"] = url

    assert (6, ["Alice", "Bruno"]) == (offline.code, served.live())
    assert ["failed", "acme"] == offline.rows[0][:2]
    assert "nobody can send as alice any more (acme)" in offline.err
    assert "run the same command again" in offline.err
    assert "alice was offboarded" in desk.run(*SEND).err
    again = desk.run("offboard", "alice", "--yes")
    assert (0, "destroyed", ["Bruno"]) == (again.code, again.rows[0][0], served.live())
    assert [(0, 1), (1, 0)] == [
        (event.detail["destroyed"], event.detail["left"]) for event in events(desk, "offboarded")
    ]


@pytest.mark.usefixtures("any_x")
def test_a_third_run_has_nothing_to_do(desk):
    """Everything is gone: exit 0, no further record, whether the roster still names the agent or not."""
    desk.write(*TEAM).run("sync", "--yes")
    desk.run("offboard", "alice", "--yes")
    again = desk.run("offboard", "alice", "--yes")
    desk.write(TEAM[1])
    gone = desk.run("offboard", "alice", "--yes")

    assert (0, 0, "", "") == (again.code, gone.code, again.out, gone.out)
    assert "nothing to destroy" in again.err
    assert "roster.toml" in again.err
    assert "roster.toml" not in gone.err
    assert 1 == len(events(desk, "offboarded"))
    assert 2 == desk.run("offboard", "alcie", "--yes").code


def test_one_brand_that_refuses_doesn_t_stop_the_other(desk, served):
    """Both brands are blocked, one is emptied, the other is named; run again it is emptied too."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM, brands=TWO).run("sync", "--yes")
    rule = {"call": "verify", "kind": "refuse", "status": 401, "code": 32, "times": 1}
    assert 0 == desk.run("sandbox", "faults", json.dumps(rule)).code
    result = desk.run("offboard", "alice", "--yes", "--json")
    statuses = {row["brand"]: row["status"] for row in result.document["results"]}

    assert (6, {"acme": "failed", "beta": "destroyed"}) == (result.code, statuses)
    assert "credentials" == result.document["results"][0]["error"]["kind"]
    assert {5} == {desk.run(*SEND, "--brand", key).code for key in TWO}
    assert ["acme"] == [row[1] for row in desk.run("offboard", "alice", "--yes").rows]
    assert ["Bruno", "Bruno"] == names(desk)


def test_one_brand_of_several_can_be_meant(desk):
    """--brand narrows it down, an environment's default brand doesn't."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM, brands=TWO).run("sync", "--yes")
    result = desk.run("offboard", "alice", "--yes", "--brand", "beta")
    desk.env["PROFILECTL_BRAND"] = "beta"

    assert (0, ["beta"]) == (result.code, [row[1] for row in result.rows])
    assert "take it out" in result.err
    assert ["acme"] == [row[1] for row in desk.run("offboard", "alice", "--yes").rows]


@pytest.mark.usefixtures("any_x")
def test_replaced_faces_go_too(desk):
    """A retired profile of the agent doesn't outlive the agent by its grace."""
    desk.write(("alice", "Alice"), TEAM[1]).run("sync", "--yes")
    desk.write(("alice", "Alice F."), TEAM[1]).run("sync", "--yes")

    assert 2 == len(desk.run("offboard", "alice", "--yes").rows)
    assert ["Bruno"] == names(desk)


def test_a_face_that_an_unanswered_create_made_goes_too(desk, served):
    """A sync was killed before X had answered: what it made is found in the list and destroyed."""
    desk.write(*TEAM)
    served.fault(call="create", kind="hold", times=None, seconds=60)
    process = desk.start("sync", "--yes")
    served.wait_for(lambda: len(served.live()) == 2)
    process.kill()
    process.communicate(timeout=60)
    served.ask("DELETE", "faults")
    result = desk.run("offboard", "alice", "--yes")

    assert (0, ["Bruno"]) == (result.code, served.live())
    assert ["destroyed"] == [row[0] for row in result.rows]


def test_a_create_that_can_t_be_settled_yet_is_said(desk, served):
    """X's list may lag behind: exit 6, and nothing is called done."""
    desk.write(*TEAM, policy='settle_after = "60s"')
    served.fault(call="create", kind="lag", times=None, seconds=300)
    served.fault(call="create", kind="hold", times=None, seconds=60)
    process = desk.start("sync", "--yes")
    served.wait_for(lambda: len(served.live()) == 2)
    process.kill()
    process.communicate(timeout=60)
    result = desk.run("offboard", "alice", "--yes")

    assert (6, "unsettled") == (result.code, result.rows[0][0])
    assert "run the same command again" in result.err


def test_it_asks_on_a_terminal_and_refuses_elsewhere(desk):
    """Nothing is blocked before somebody has agreed."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM).run("sync", "--yes")
    refused = desk.run("offboard", "alice")
    declined, screen = desk.watch("offboard", "alice", answers=b"n\n")

    assert (2, 130) == (refused.code, declined)
    assert "Block sending as alice" in screen
    assert 0 == desk.run(*SEND).code
    assert 0 == desk.watch("offboard", "alice", answers=b"y\n")[0]
    assert ["Bruno"] == names(desk)


def test_a_sync_under_way_doesn_t_delay_the_block(desk, served):
    """While another run holds the ledger, sending ends all the same; the profiles wait for their turn."""
    desk.write(*TEAM).run("sync", "--yes")
    desk.write(*TEAM, ("chidi", "Chidi"))
    served.fault(call="create", kind="hold", times=None, seconds=60)
    process = desk.start("sync", "--yes")
    served.wait_for(lambda: len(served.live()) == 3)
    result = desk.run("offboard", "alice", "--yes", "--timeout", "1")
    refused = desk.run(*SEND)
    served.ask("DELETE", "faults")
    process.communicate(timeout=60)

    assert (75, 5) == (result.code, refused.code)
    assert "sending is blocked" in result.err
    assert 0 == desk.run("offboard", "alice", "--yes").code
    assert ["Bruno", "Chidi"] == served.live()


def test_what_nobody_knows_is_called_so(capsys):
    """A profile of which X didn't say that it is gone isn't called destroyed, nor called still there."""
    error = OutcomeUnknown("destroying profile 100001: HTTP 502")
    result = OffboardResult("acme", OffboardStatus.UNCONFIRMED, "100001", "Alice", error)
    offboard._show(Context(), "alice", (result,), None, ExitCode.PARTIAL)
    out, err = capsys.readouterr()

    assert "not confirmed\tacme\t100001\tAlice\tdestroying profile 100001: HTTP 502\n" == out
    assert "not every profile of alice is gone; run the same command again" in err


@pytest.fixture
def sending(desk, served):
    """Two agents with profiles, and a message as Alice that X has, and whose answer is on its way."""
    desk.write(*TEAM).run("sync", "--yes")
    served.fault(call="send", kind="hold", times=None, seconds=60)
    process = desk.start(*SEND)
    served.wait_for(lambda: served.ask("GET", "faults")["faults"][0]["seen"])
    return process


def arrived(served, process):
    """Let the answer come; return the exit code of `send`."""
    served.ask("DELETE", "faults")
    process.communicate(timeout=60)
    return process.returncode


def test_a_message_on_its_way_is_waited_for(desk, served, sending):
    """Sending is blocked at once, the profile goes when the message is over, and the message carries it."""
    leaving = desk.start("offboard", "alice", "--yes")
    lines = [next_line(leaving, leaving.stderr) for _ in range(2)]
    before = served.live()
    code = arrived(served, sending)
    leaving.communicate(timeout=60)

    assert "nobody can send as alice any more (acme)\n" == lines[0]
    assert "for a message with profile" in lines[1]
    assert (0, 0) == (code, leaving.returncode)
    assert (["Alice", "Bruno"], ["Bruno"]) == (before, served.live())


def test_a_sync_leaves_the_profile_of_a_message_on_its_way_to_the_next_one(desk, served, sending):
    """Without time for a wait the removal is skipped with 75, and said; nobody can send with it meanwhile."""
    desk.write(TEAM[1])
    first = desk.run("sync", "--yes", "--max-wait", "0s")
    before = served.live()
    code = arrived(served, sending)
    second = desk.run("sync", "--yes")

    assert (75, 0, 0) == (first.code, code, second.code)
    assert "on its way" in first.err
    assert (["Alice", "Bruno"], ["Bruno"]) == (before, served.live())
