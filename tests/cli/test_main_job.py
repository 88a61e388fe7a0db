"""The main job end to end, as a person does it: roster, diff, sync, change, send."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from tests.cli.conftest import PROGRAM
from tests.patience import next_line

TEAM = [("alice", "Alice F., Care Specialist"), ("fatima", "فاطمة · Support"), ("kim", "Kim 👩🏽‍💻 Tech Care")]


def actions(result):
    return [(row[2], row[3]) for row in result.rows]


@pytest.mark.usefixtures("any_x")
def test_a_roster_becomes_profiles_changes_and_speaks(desk):
    """check, diff, sync, a rename, a removal and a message: each does its part, and nothing is left to do after it."""
    desk.write(*TEAM, ("ivan", "Ivan [Tier 2]"))

    assert 0 == desk.run("roster", "check").code
    assert [(key, "create") for key in ("alice", "fatima", "kim", "ivan")] == actions(desk.run("diff"))
    assert 3 == desk.run("diff", "--exit-code").code
    assert 0 == desk.run("sync", "--yes").code
    assert 0 == desk.run("diff", "--exit-code").code

    desk.write(("alice", "Ally F."), *TEAM[1:], ("ivan", "Ivan [Tier 2]"))
    assert [("alice", "replace")] == actions(desk.run("diff"))
    assert 0 == desk.run("sync", "--yes").code

    desk.write(("alice", "Ally F."), *TEAM[1:])
    assert [["done", "acme", "ivan", "delete"]] == [row[:4] for row in desk.run("sync", "--yes").rows]
    assert 0 == desk.run("diff", "--exit-code").code

    sent = desk.run("send", "--as", "fatima", "--to", "@customer", "Hello!", "--json")
    assert (0, True, "sent") == (sent.code, sent.document["verified"], sent.document["status"])
    live = {row["agent"]: row["id"] for row in desk.run("profiles", "list", "--json").document["profiles"]}
    assert live["fatima"] == sent.document["custom_profile_id"]


@pytest.mark.usefixtures("any_x")
def test_sync_counts_its_calls(desk):
    """The calls of a sync are as few as promised, and its JSON says how many they were."""
    desk.write(*TEAM)
    first = desk.run("sync", "--yes", "--json").document["requests"]
    second = desk.run("sync", "--yes", "--json").document["requests"]

    assert {"list": 1, "upload": 3, "create": 3, "destroy": 0, "other": 1} == first
    assert {"list": 1, "upload": 0, "create": 0, "destroy": 0, "other": 1} == second


def test_a_replacement_costs_one_destroy_more(desk, served):
    """Create first, destroy last: a rename without grace is an upload, a create and a destroy.

    Before the first destroy of a run the account's welcome messages are looked through, once.
    """
    desk.write(("alice", "Alice"), policy='settle_after = "0s"\nretire_after = "0s"').run("sync", "--yes")
    desk.write(("alice", "Ally"), policy='settle_after = "0s"\nretire_after = "0s"')
    document = desk.run("sync", "--yes", "--json").document

    assert {"list": 1, "upload": 1, "create": 1, "destroy": 1, "other": 2} == document["requests"]
    assert ["Ally"] == served.live()


def test_a_retired_profile_goes_when_its_grace_is_over(desk, served):
    """The old face stays for its grace by X's clock, and the next sync takes it away."""
    policy = 'settle_after = "0s"\nretire_after = "3m"'
    desk.write(("alice", "Alice"), policy=policy).run("sync", "--yes")
    desk.write(("alice", "Ally"), policy=policy).run("sync", "--yes")
    during = served.live()
    served.ask("POST", "advance", {"seconds": 181})
    result = desk.run("sync", "--yes")

    assert (["Alice", "Ally"], ["Ally"], 0) == (during, served.live(), result.code)
    assert [["done", "acme", "alice", "destroy"]] == [row[:4] for row in result.rows]


def test_kill_between_create_and_answer_loses_and_doubles_nothing(desk, served):
    """SIGKILL after X applied creates and before it answered: the next sync adopts, one profile per agent."""
    desk.write(*TEAM, ("ivan", "Ivan"))
    served.fault(call="create", kind="hold", times=None, seconds=60)
    process = desk.start("sync", "--yes", "--jobs", "3")
    served.wait_for(lambda: len(served.live()) == 3)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    served.ask("DELETE", "faults")

    result = desk.run("sync", "--yes")
    assert {"adopt", "create"} == {row[3] for row in result.rows}
    assert (0, 4, 4) == (result.code, len(served.live()), len(set(served.live())))
    assert 0 == desk.run("diff", "--exit-code").code


ENDS = [
    (signal.SIGINT, 130, "you stopped the run"),
    (signal.SIGTERM, 143, "SIGTERM stopped the run"),
    (signal.SIGHUP, 129, "SIGHUP stopped the run"),
]


@pytest.mark.parametrize(("number", "code", "why"), ENDS)
def test_a_signal_finishes_the_calls_under_way(desk, served, number, code, why):
    """A signal in the middle settles what was begun, begins nothing new, and is named; the next run finishes."""
    desk.write(*((f"a{n}", f"Agent {n}") for n in range(30)))
    served.fault(call="create", kind="slow", times=None, seconds=1)  # fifteen of them for all, on any machine
    process = desk.start("sync", "--yes", "--jobs", "2")
    served.wait_for(lambda: len(served.live()) >= 2)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    served.ask("DELETE", "faults")

    assert (code, True) == (process.returncode, "finishing the calls under way" in said)
    assert f"create not tried: {why}\n" in said
    assert 0 < len(served.live()) < 30
    following = desk.run("sync", "--yes")
    assert {"create"} == {row[3] for row in following.rows}
    assert (0, 30) == (following.code, len(served.live()))


def told(document):
    """Return exit code, and what a document says of the end."""
    if document["schema"] == "profilectl.sync/1":
        return document["exit_code"], document["stopped_by"]
    error = document["error"]
    return error["code"], (error["kind"], error["message"])


@pytest.mark.parametrize(
    ("number", "call", "expected"),
    [
        (signal.SIGINT, "list", (130, ("declined", "interrupted"))),
        (signal.SIGINT, "create", (130, "SIGINT")),
        (signal.SIGTERM, "list", (143, ("stopped", "stopped by SIGTERM"))),
        (signal.SIGTERM, "create", (143, "SIGTERM")),
        (signal.SIGHUP, "list", (129, ("stopped", "stopped by SIGHUP"))),
    ],
)
def test_a_sync_that_a_signal_ends_prints_one_document(desk, served, number, call, expected):
    """On a slow X: before anything was begun it is an error's, in the middle it tells what became of each agent."""
    desk.write(*((f"a{n}", f"Agent {n}") for n in range(8)))
    served.fault(call=call, kind="hold", times=None, seconds=60)
    process = desk.start("sync", "--yes", "--json", "--jobs", "2")
    served.wait_for(lambda: served.ask("GET", "faults")["faults"][0]["seen"])
    process.send_signal(number)
    line = next_line(process, process.stderr)
    served.ask("DELETE", "faults")
    out, said = process.communicate(timeout=60)
    document = json.loads(out)  # one, and nothing else

    assert (expected[0], expected) == (process.returncode, told(document)), line + said
    if call == "create":
        assert {f"a{n}" for n in range(8)} == {row["agent"] for row in document["results"]}


def test_nohup_keeps_a_sync_from_ending_with_its_terminal(desk, served):
    """A signal that the starter wants ignored ends nothing."""
    desk.write(("a", "Agent"))
    served.fault(call="create", kind="slow", seconds=1)
    command = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *PROGRAM, "sync", "--yes"]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=desk.folder, env=desk.environment(), **streams) as process:
        served.wait_for(lambda: served.ask("GET", "faults")["faults"][0]["seen"])
        process.send_signal(signal.SIGHUP)
        _, told = process.communicate(timeout=60)

    assert (0, ["Agent"]) == (process.returncode, served.live()), told


@pytest.mark.usefixtures("any_x")
@pytest.mark.parametrize("kind", ["drop-after", "error-after", "cut", "html", "no-id", "drop-before", "error-before"])
def test_an_answer_that_says_nothing_is_settled_in_the_same_run(desk, kind):
    """Whatever happens to the answer of a create, each agent ends with exactly one profile."""
    desk.write(*TEAM)
    url = ["--url", desk.env["PROFILECTL_API_URL"]] if "PROFILECTL_API_URL" in desk.env else []
    desk.run("sandbox", "faults", json.dumps({"call": "create", "kind": kind, "times": 2}), *url)
    result = desk.run("sync", "--yes")
    listed = desk.run("profiles", "list").rows

    assert (0, {"bound"}, 3) == (result.code, {row[2] for row in listed}, len(listed))
    assert 0 == desk.run("diff", "--exit-code").code


def test_a_namesake_stops_its_agent_and_names_the_command(desk, served):
    """A profile that somebody else made isn't touched; adopting it is one command, which works as printed."""
    desk.write(("alice", "Alice")).run("sync", "--yes")
    (desk.folder / desk.env["PROFILECTL_LEDGER"]).unlink()
    desk.write(("alice", "Alice"), ("bruno", "Bruno"))
    result = desk.run("sync", "--yes", "--new-ledger")

    assert (7, ["Alice", "Bruno"]) == (result.code, served.live())
    command = result.err.split("run: profilectl ")[1].splitlines()[0].split()
    assert 0 == desk.run(*command, "--yes").code
    assert 0 == desk.run("diff", "--exit-code").code


def test_random_trouble_never_costs_a_face(desk, served):
    """With every third call going wrong, syncing until done leaves one profile per agent."""
    desk.write(*((f"a{n}", f"Agent {n}") for n in range(12)))
    served.fault(kind="random", times=None, probability=0.3, seed=7, seconds=0)
    codes = []
    while not codes or (codes[-1] and len(codes) < 20):
        codes.append(desk.run("sync", "--yes", "--max-wait", "20s").code)
    served.ask("DELETE", "faults")

    assert sorted(f"Agent {n}" for n in range(12)) == served.live()
    assert 0 == desk.run("diff", "--exit-code").code


def test_send_is_honest_about_a_dropped_identity(desk, served):
    """When X sends the message without the profile, nothing says that it was sent as alice."""
    desk.write(("alice", "Alice")).run("sync", "--yes")
    for kind in ("echo-missing", "echo-other"):
        served.fault(call="send", kind=kind)
        result = desk.run("send", "--as", "alice", "--to", "@customer", f"Hello, {kind}")

        assert (7, "") == (result.code, result.out)
        assert "identity not confirmed: " in result.err
        assert "not with alice's profile" in result.err


@pytest.mark.usefixtures("any_x")
def test_send_takes_its_text_from_argument_stdin_or_file(desk):
    """The message comes from just one place, and --dry-run sends nothing."""
    desk.write(("alice", "Alice")).run("sync", "--yes")
    (desk.folder / "text.txt").write_text("from a file\n", encoding="utf-8")
    to = ("send", "--as", "alice", "--to", "@customer")

    assert 0 == desk.run(*to, "-", stdin="from stdin\n").code
    assert 0 == desk.run(*to, "--file", "text.txt").code
    assert "would send 5 characters" in desk.run(*to, "hello", "--dry-run").out
    assert 5 == desk.run(*to, "--file", "/dev/zero").code
    assert 2 == desk.run(*to).code
    assert 2 == desk.run(*to, "hello", "--file", "text.txt").code


def test_two_syncs_at_once(desk, served):
    """The second one waits no longer than it may, says who holds the ledger, and leaves with 75."""
    desk.write(*TEAM)
    served.fault(call="create", kind="hold", times=None, seconds=60)
    first = desk.start("sync", "--yes")
    served.wait_for(lambda: len(served.live()) == 3)
    second = desk.run("sync", "--yes", "--max-wait", "0s")
    served.ask("DELETE", "faults")
    first.communicate(timeout=30)

    assert (75, True) == (second.code, f"pid {first.pid}" in second.err)
    assert "profilectl sync" in second.err
    assert 3 == len(served.live())


def test_diff_never_writes(desk, served):
    """Looking makes no ledger, no folder, and no call but reading ones."""
    desk.write(*TEAM)
    before = sorted(desk.folder.rglob("*"))

    assert 3 == desk.run("diff", "--exit-code").code
    assert (before, []) == (sorted(desk.folder.rglob("*")), served.live())


@pytest.mark.usefixtures("served")
def test_verbose_tells_every_call_and_no_secret(desk):
    """-v writes method, path, status and time of each call to stderr."""
    desk.write(("alice", "Alice"))
    said = desk.run("sync", "--yes", "-v").err

    assert "POST /1.1/custom_profiles/new.json 200" in said
    assert not any(desk.env[name] in said for name in desk.env if name.endswith(("KEY", "SECRET", "TOKEN")))


def test_nobody_speaks_with_a_name_that_the_roster_has_changed(desk, served):
    """A name that the roster has and X hasn't yet is brought to X first; until then nothing is sent."""
    desk.write(("alice", "Alice")).run("sync", "--yes")
    told = desk.run("send", "--as", "alice", "--to", "@customer", "Hello")
    desk.write(("alice", "Somebody Else"))
    refused = desk.run("send", "--as", "alice", "--to", "@customer", "Hello again")

    assert (0, True) == (told.code, "as alice (Alice)" in told.out)
    assert told.out.endswith(", identity confirmed by X\n")
    assert (5, ["Alice"]) == (refused.code, served.live())
    assert 'is "Somebody Else" in the roster and still "Alice" at X' in refused.err


def test_profiles_list_knows_what_an_unanswered_create_made(desk, served):
    """Before the next sync settles it, the profile stands beside its agent and isn't called a stranger."""
    desk.write(("alice", "Alice"), policy='settle_after = "60s"')
    served.fault(call="create", kind="lag", seconds=30)
    served.fault(call="create", kind="drop-after")
    assert 75 == desk.run("sync", "--yes", "--max-wait", "0s").code
    served.ask("POST", "advance", {"seconds": 31})

    assert [["unmanaged", "alice"]] == [row[2:4] for row in desk.run("profiles", "list").rows]
    assert 0 == desk.run("sync", "--yes").code
