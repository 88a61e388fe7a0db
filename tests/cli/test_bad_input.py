"""Bad input: a clear message, the right exit code, nothing half done, and never a traceback."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib

import pytest

from profilectl.ledger.sqlite import open_for_reading

GOOD = ("alice", "Alice")


def roster(desk, text):
    desk.write(GOOD)
    path = desk.folder / "roster.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def named(desk, name):
    desk.write(("alice", name))


def hollow_png(path, side):
    """Write a PNG that says it is enormous and holds next to nothing."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * (3 * side + 1) * 8, 9)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def truncated(desk):
    path = desk.draw("cut.jpg", (600, 600))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    desk.write(("alice", "Alice", 'avatar = "avatars/cut.jpg"'))


def outside(desk):
    (desk.folder / "avatars" / "out.png").symlink_to("/etc/passwd")
    desk.write(("alice", "Alice", 'avatar = "avatars/out.png"'))


def bomb(desk):
    hollow_png(desk.folder / "avatars" / "bomb.png", 12_000)
    desk.write(("alice", "Alice", 'avatar = "avatars/bomb.png"'))


def with_escape(desk):
    desk.write(GOOD)
    path = desk.folder / "roster.toml"
    path.write_text(path.read_text().replace('"Alice"', '"\\u001b[2JAlice"'))


BAD = {
    "no roster": (lambda desk: None, "can't read the roster roster.toml"),
    "unreadable TOML": (lambda desk: roster(desk, "version = = 1\n"), "roster.toml:1:"),
    "not UTF-8": (lambda desk: roster(desk, b"version = 1\n\xff"), "roster.toml:2:1: not UTF-8"),
    "an unknown key": (lambda desk: desk.write(("alice", "Alice", 'titel = "x"')), 'did you mean "title"'),
    "49 characters": (lambda desk: named(desk, "x" * 49), "49 characters, at most 48"),
    "an escape in a name": (with_escape, "U+001B"),
    "a right-to-left override": (lambda desk: named(desk, "Ali\u202ece"), "U+202E"),
    "no agents": (lambda desk: desk.write(), "agent"),
    "a picture outside of the folder": (outside, "outside"),
    "a truncated picture": (truncated, "avatars/cut.jpg"),
    "a decompression bomb": (bomb, "144 megapixels"),
    "a missing picture": (lambda desk: desk.write(("alice", "Alice", 'avatar = "avatars/no.png"')), "avatars/no.png"),
}


@pytest.mark.parametrize("command", [["diff"], ["sync", "--yes"], ["roster", "check"]], ids=" ".join)
@pytest.mark.parametrize("case", BAD, ids=str)
def test_bad_rosters_and_pictures_are_refused_before_anything_is_written(desk, case, command):
    """Exit 5, the reason and the place; nothing is intended, let alone made."""
    make, reason = BAD[case]
    make(desk)
    result = desk.run("--sandbox", *command)

    assert 5 == result.code
    assert reason in result.out + result.err
    assert "\x1b" not in result.out + result.err
    with open_for_reading(desk.folder / ".profilectl" / "sandbox" / "ledger.db") as ledger:
        assert {"claimed"} >= {record.event.what for record in ledger.events()}


@pytest.mark.parametrize("words", [["diff", "--roster", "/dev/zero"], ["sync", "--yes", "--roster", "/dev/zero"]])
def test_a_roster_without_end_is_refused(desk, words):
    """Something that never ends is no roster."""
    result = desk.run("--sandbox", *words)

    assert (5, True) == (result.code, "isn't a regular file" in result.err)


def test_nothing_hangs_on_a_pipe_or_swells_on_a_key(desk):
    """A FIFO in the place of a roster or a message, and a key of fifty thousand parts, are refused at once."""
    os.mkfifo(desk.folder / "pipe")
    roster(desk, ".".join("a" * 50_000) + " = 1\n")

    assert 5 == desk.run("diff", "--sandbox", "--roster", "pipe", timeout=60).code
    assert "1:1: a key of more than 16 parts" in desk.run("roster", "check", timeout=60).out
    desk.write(GOOD)
    assert 5 == desk.run("send", "--as", "alice", "--to", "1", "--file", "pipe", timeout=60).code


def test_a_poor_encoding_is_no_failure(desk):
    """A terminal that lacks a letter gets it spelled out, before and after anything is sent."""
    named(desk, "Alicja Ł.")
    desk.env |= {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    desk.run("--sandbox", "sync", "--yes")
    results = [
        desk.run("--sandbox", *w) for w in (["profiles", "list"], ["send", "--as", "alice", "--to", "@customer", "x"])
    ]

    assert [0, 0] == [result.code for result in results]
    assert all("Alicja \\u0141." in result.out for result in results)


def test_every_problem_is_told_at_once(desk):
    """Three mistakes in one roster are three lines, each at its place."""
    desk.write(("alice", "x" * 49), ("bruno", "Bruno", "color = 1"), ("chidi", "Chidi", 'avatar = "../up.png"'))
    lines = desk.run("roster", "check").out.splitlines()

    assert [10, 13, 16] == [int(line.split(":")[1]) for line in lines]


def test_check_speaks_json(desk):
    """The same problems as a document for machines."""
    desk.write(("alice", "x" * 49))
    document = desk.run("roster", "check", "--json").document

    assert ("profilectl.check/1", False) == (document["schema"], document["ok"])
    assert ["agents.alice.name"] == [problem["path"] for problem in document["problems"]]


@pytest.mark.parametrize("name", ["[link=https://evil.example]Alice", "[/foo] Alice", "Ivan [Tier 2]"])
def test_markup_in_names_is_only_text(desk, name):
    """Brackets are printed as they are, in every command that shows names."""
    named(desk, name)
    shown = [desk.run("--sandbox", *words) for words in (["roster", "list"], ["diff"], ["sync", "--yes"], ["preview"])]
    shown.append(desk.run("--sandbox", "profiles", "list"))

    assert {0} == {result.code for result in shown}
    assert all(name in result.out for result in shown if result is not shown[2])


def test_credentials_of_another_account_are_refused(desk, served):
    """The roster says one handle and X another: exit 5, nothing written."""
    desk.write(GOOD, brands={"acme": "somebodyelse"})
    result = desk.run("sync", "--yes")

    assert (5, []) == (result.code, served.live())
    assert "brand acme is @somebodyelse, but the credentials belong to @acmecare" in result.err
    with open_for_reading(desk.folder / desk.env["PROFILECTL_LEDGER"]) as ledger:  # made to be locked, and empty
        assert (None, []) == (ledger.account_of("acme"), list(ledger.events()))


@pytest.fixture
def other_x(desk):
    """A second sandbox, whose @acmecare is another account."""
    process, remote = desk.serve("--handle", "acmecare")
    yield remote
    desk.end(process)


def test_a_ledger_of_another_account_is_refused(desk, served, request):
    """A ledger made with one account doesn't open for another one, even with the same handle."""
    desk.write(GOOD)
    assert 0 == desk.run("sync", "--yes").code
    ledger = desk.env["PROFILECTL_LEDGER"]
    other = request.getfixturevalue("other_x")
    desk.env["PROFILECTL_LEDGER"] = ledger
    before = (desk.folder / ledger).read_bytes()

    for words in (["diff"], ["sync", "--yes"], ["send", "--as", "alice", "--to", "@customer", "Hello"]):
        result = desk.run(*words)
        assert 5 == result.code
        assert "@acmecare" in result.err
    assert ([], before) == (other.live(), (desk.folder / ledger).read_bytes())


@pytest.mark.usefixtures("served")
def test_a_refused_token_is_exit_4(desk):
    """401: exit 4, X's own code and words, and what to do."""
    desk.write(GOOD)
    desk.env["PROFILECTL_ACCESS_TOKEN_SECRET"] = "not-the-secret-of-this-token"
    result = desk.run("sync", "--yes")

    assert 4 == result.code
    assert "32" in result.err
    assert "the four variables" in result.err  # `auth login` would help nobody whose token comes from elsewhere


def test_a_brand_without_approval_learns_how_to_get_it(desk):
    """403 code 87: exit 4, explains the allowlist and how approval is asked for."""
    process, _ = desk.serve("--handle", "acmecare", "--not-allowlisted")
    desk.write(GOOD)
    result = desk.run("sync", "--yes", "--json")
    desk.end(process)

    assert (4, "allowlist") == (result.code, result.document["error"]["kind"])
    assert "87" in result.err
    assert "privacy policy" in result.err


def test_a_rate_limit_is_exit_75_with_the_time(desk, served):
    """429: exit 75, and when to come back, in words and in JSON."""
    desk.write(GOOD)
    served.fault(call="create", kind="rate-limit", times=None, seconds=3600)
    result = desk.run("sync", "--yes", "--json", "--max-wait", "1s")

    assert (75, []) == (result.code, served.live())
    assert result.document["results"][0]["error"]["retry_at"] is not None
    assert {"done": 0, "failed": 0, "unknown": 0, "skipped": 1} == result.document["summary"]


def test_nobody_at_the_other_end_is_exit_75(desk):
    """A refused connection is a matter of time, not of input."""
    desk.write(GOOD)
    names = ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")
    desk.env |= {f"PROFILECTL_{name}": "made-up-value" for name in names}
    desk.env["PROFILECTL_API_URL"] = "http://127.0.0.1:1"

    assert 75 == desk.run("diff", "--timeout", "1").code


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["snyc"], "sync"),
        (["sync", "--yse"], "--yes"),
        (["diff", "--agent", "alcie"], "did you mean alice"),
        (["diff", "--brand", "acne"], "there is no brand acne"),
        (["send", "--as", "alcie", "--to", "1", "x"], "did you mean alice"),
        (["send", "--as", "alice", "--to", "customer", "x"], "@handle"),
        (["sync"], "--yes applies the plan"),
        (["sync", "--yes", "--max-wait", "soon"], "--max-wait"),
    ],
)
def test_a_slip_of_the_finger_is_exit_2(desk, words, hint):
    """A mistyped word is told apart from everything else, and the right one is named."""
    desk.write(GOOD)
    result = desk.run("--sandbox", *words)

    assert 2 == result.code
    assert hint in result.err


def test_too_many_deletions_are_refused_by_diff_and_sync_alike(desk):
    """A truncated roster takes nobody's face; the message has the option that would."""
    team = [(f"a{number}", f"Agent {number}") for number in range(10)]
    desk.write(*team).run("--sandbox", "sync", "--yes")
    desk.write(*team[:2])
    results = [desk.run("--sandbox", *words) for words in (["diff"], ["sync", "--yes"], ["diff", "--exit-code"])]

    assert [5, 5, 5] == [result.code for result in results]
    assert all("8 of 10 agents would be deleted" in result.err for result in results)
    assert all("--allow-deletes 8" in result.err for result in results)
    assert all("a larger max_deletes in the roster's [policy]" in " ".join(result.err.split()) for result in results)
    error, plan = (desk.run("--sandbox", *words, "--json").document for words in (["sync", "--yes"], ["diff"]))
    held_back = [{"brand": "acme", "agent": f"a{number}"} for number in range(2, 10)]
    assert (held_back, held_back) == (error["error"]["agents"], plan["refused"]["agents"])
    assert 0 == desk.run("--sandbox", "sync", "--yes", "--agent", "a0").code
    assert 0 == desk.run("--sandbox", "sync", "--yes", "--allow-deletes", "8").code


def test_a_protected_agent_survives_the_loss_of_its_entry(desk):
    """`protected` is remembered by the ledger, also for an agent that was created with it."""
    desk.write(GOOD, ("ceo", "Dora", "protected = true")).run("--sandbox", "sync", "--yes")
    desk.write(GOOD)

    assert [] == desk.run("--sandbox", "sync", "--yes").rows


def test_one_bad_agent_does_not_stop_the_others(desk, served):
    """X refuses one name: exit 6, the others are made."""
    desk.write(GOOD, ("bruno", "Bruno"), ("chidi", "Chidi"))
    served.fault(call="create", kind="refuse", status=400, code=214, match="Bruno", times=None)
    result = desk.run("sync", "--yes")

    assert (6, ["Alice", "Chidi"]) == (result.code, served.live())
    assert "bruno" in result.err
    assert "214" in result.err


def test_a_refused_picture_names_its_agent_and_line_to_a_script(desk):
    """As `roster check --json` does, so that nobody has to read sentences."""
    desk.write(GOOD, ("bruno", "Bruno", 'avatar = "avatars/no.png"'))
    [problem] = desk.run("--sandbox", "sync", "--yes", "--json").document["error"]["problems"]

    assert ("bruno", 13, "agents.bruno.avatar", "error") == tuple(
        problem[key] for key in ("agent", "line", "path", "severity")
    )


def test_a_blocked_agent_says_why_to_a_script(desk):
    """With the command that a person may run, as the lines for people have it."""
    desk.write(GOOD).run("--sandbox", "sync", "--yes")
    desk.run("--sandbox", "profiles", "forget", "alice", "--yes")
    [row] = desk.run("--sandbox", "sync", "--yes", "--json").document["results"]

    assert ("blocked", ["namesake"], "skipped") == (row["action"], row["why"], row["status"])
    assert row["command"].startswith("profilectl profiles adopt alice ")
    assert row["command"].endswith(" --brand acme --sandbox")
    assert 0 == desk.run(*row["command"].split()[1:], "--yes").code


BROKEN = {
    "an agent": ([("alice", "x" * 49), ("bruno", "Bruno", 'avatar = "avatars/no.png"')], "", {10, 13}),
    "a policy": ([("alice", "Alice"), ("bruno", "Bruno", 'avatar = "avatars/no.png"')], "max_deletes = -1", {5, 13}),
    "an unreadable and a bad picture": (
        [("alice", "Alice", 'avatar = "avatars/no.png"'), ("bruno", "Bruno", 'avatar = "avatars/cut.jpg"')],
        "",
        {11, 14},
    ),
}


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_the_file_s_problems_and_the_pictures_are_told_at_once(desk, case):
    """Nobody mends the file only to learn then that a picture is missing; the agents are counted all the same."""
    agents, policy, lines = BROKEN[case]
    truncated(desk)
    desk.write(*agents, policy=policy)
    result = desk.run("roster", "check", "--json")
    problems = result.document["problems"]

    assert (5, 2, False) == (result.code, result.document["agents"], result.document["ok"])
    assert sorted(lines) == [problem["line"] for problem in problems], problems
    assert desk.run("roster", "check").err.startswith("2 agents, ")


@pytest.mark.parametrize("text", ["[agents.bruno]\nname = = 3\n", '[agents.bruno]\nname = "\udcff"\n', "version = 2\n"])
def test_a_file_that_can_t_be_read_still_names_its_agents(desk, text):
    """The headers count, when TOML, UTF-8 or the version are beyond us."""
    desk.write(GOOD, ("chidi", "Chidi"))
    path = desk.folder / "roster.toml"
    whole = path.read_text() + text if text.startswith("[") else path.read_text().replace("version = 1\n", text)
    path.write_bytes(whole.encode("utf-8", "surrogateescape"))
    result = desk.run("roster", "check", "--json")

    assert (5, whole.count("[agents.")) == (result.code, result.document["agents"])


def test_check_needs_no_heavy_library(desk):
    """Checking a roster loads no HTTP, no keyring, no tables and no editor of TOML."""
    code = "import sys; from profilectl.cli.main import run; run(['roster', 'check']); print(*sys.modules)"
    desk.write(("alice", "x" * 49))
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=desk.folder, capture_output=True, text=True, check=True, timeout=60
    )

    assert set() == set(loaded.stdout.split()) & {"httpx", "keyring", "rich", "jinja2", "werkzeug"}


@pytest.mark.parametrize("words", [("diff",), ("roster", "list"), ("--sandbox", "diff")], ids=" ".join)
def test_a_sandbox_that_is_neither_on_nor_off_is_refused(desk, words):
    """Whoever says true or yes doesn't mean the real X."""
    desk.write(("alice", "Alice")).env["PROFILECTL_SANDBOX"] = "true"
    result = desk.run(*words)

    assert (2, "error: PROFILECTL_SANDBOX is true") == (result.code, result.err.splitlines()[0])


def test_a_timer_mails_little_of_what_is_refused(desk):
    """A refusal is for a person, and each run repeats it: so it is short, and names what shows the rest."""
    team = [(f"a{number}", f"Agent {number}") for number in range(9)]
    desk.write(*team).run("--sandbox", "sync", "--yes")
    desk.write(team[0])
    plan, shown = (desk.run("--sandbox", "sync", "--yes", *words) for words in (["-q"], []))

    assert (5, "", 5, 8) == (plan.code, plan.out, shown.code, len(shown.rows))
    hint = plan.err.splitlines()[1]
    assert hint.startswith("hint: `--allow-deletes 8` allows this plan, ")
    assert hint.endswith("; `profilectl diff --sandbox` shows the plan")

    desk.write(*((key, name, "nmae = 1") for key, name in team))
    roster, shown = (desk.run("--sandbox", "sync", "--yes", *words) for words in (["-q"], []))
    lines = roster.err.splitlines()

    assert (5, 4, 10) == (roster.code, len(lines), len(shown.err.splitlines()))
    assert "error: roster.toml has 9 errors: `profilectl roster check` shows all" == lines[-1]
