"""Who agreed to what, who tried what, and what a sync was made from: the record tells it, each once."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from profilectl.access import policy_file
from profilectl.cli.main import run
from profilectl.digests import digest_of_bytes

DIGEST = "sha256:"


@pytest.fixture
def rehearsal(desk):
    """A desk in the sandbox, with two agents at X."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(("alice", "Alice F."), ("bob", "Bob B."), ("carl", "Carl C."))
    assert desk.run("sync", "--yes").code == 0
    return desk


def events(desk, *names):
    """Return the events of these names, without their times."""
    words = [word for name in names for word in ("--event", name)]
    records = desk.run("audit", "log", "--json", *words).document["records"]
    return [(record["event"], record["agent"], record["detail"]) for record in records]


def test_a_sync_records_another_roster_once(rehearsal):
    """The first one is another one than none; without a change nothing is added, and a comment is one."""
    text = (rehearsal.folder / "roster.toml").read_bytes()
    first = digest_of_bytes(text)
    assert rehearsal.run("sync", "--yes").code == 0
    assert [("roster-changed", None, {"roster": first, "former": None, "commit": None})] == events(
        rehearsal, "roster-changed", "policy-changed"
    )
    (rehearsal.folder / "roster.toml").write_bytes(text + b"# a comment\n")
    assert rehearsal.run("sync", "--yes").code == 0
    *_, (_, _, last) = events(rehearsal, "roster-changed")
    assert (digest_of_bytes(text + b"# a comment\n"), first) == (last["roster"], last["former"])


def test_the_commit_of_a_roster_in_git_is_recorded(rehearsal):
    """Beside the change and every profile that it made; an edit that isn't committed is told as such."""
    folder = rehearsal.folder

    def git(*words):
        plain = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        done = subprocess.run(
            ["git", *who, *words], cwd=folder, env=os.environ | plain, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "-q")
    (folder / "roster.toml").write_text((folder / "roster.toml").read_text() + "# committed\n")
    git("add", "roster.toml")
    git("commit", "-q", "-m", "The team")
    commit = git("rev-parse", "HEAD")
    assert rehearsal.run("sync", "--yes").code == 0
    assert commit == events(rehearsal, "roster-changed")[-1][2]["commit"]

    text = (folder / "roster.toml").read_text()
    (folder / "roster.toml").write_text(text.replace("Bob B.", "Bobby B."))
    assert rehearsal.run("sync", "--yes").code == 0
    [*_, (_, agent, detail)] = events(rehearsal, "created")
    assert ("bob", f"{commit}, changed since") == (agent, detail["commit"])


def test_what_a_profile_was_made_by_is_recorded_with_its_beginning_and_its_end(rehearsal):
    """The plan that somebody reviewed, and what the person has agreed to; `audit who` shows that."""
    consent = 'consent = { name = true, photo = true, ref = "HR-2231", given = 2026-03-01, expires = 2999-01-31 }'
    rehearsal.write(("alice", "Alice Fast", consent), ("bob", "Bob B."), ("carl", "Carl C."))
    plan = rehearsal.run("diff", "--json").document["digest"]
    assert rehearsal.run("sync", "--yes").code == 0

    words = "HR-2231: name and photo, given 2026-03-01, until 2999-01-31"
    [*_, (_, agent, detail)] = events(rehearsal, "created")
    assert ("alice", plan, words) == (agent, detail["plan"], detail["consent"])
    [face] = rehearsal.run("audit", "who", "Alice Fast", "--json").document["faces"]
    assert (words, plan) == (face["consent"], face["plan"])
    assert words in rehearsal.run("audit", "who", "Alice Fast").out
    [bob] = rehearsal.run("audit", "who", "Bob B.", "--json").document["faces"]
    assert "none in the roster" == bob["consent"]
    rehearsal.write(("bob", "Bob B."), ("carl", "Carl C."))
    plan = rehearsal.run("diff", "--json").document["digest"]
    assert rehearsal.run("sync", "--yes").code == 0
    assert [plan] == [detail["plan"] for _, agent, detail in events(rehearsal, "retired") if agent == "alice"]


def test_an_overridden_guard_is_recorded_with_the_plan(rehearsal):
    """Where it let the plan do anything: with nothing to delete nobody has overridden anything."""
    assert rehearsal.run("sync", "--yes", "--allow-deletes", "2", "--prune-now").code == 0
    assert [] == events(rehearsal, "overridden")
    rehearsal.write(("alice", "Alice F."))
    plan = rehearsal.run("diff", "--json", "--allow-deletes", "2", "--prune-now").document["digest"]
    assert rehearsal.run("sync", "--yes").code == 5
    assert [] == events(rehearsal, "overridden")
    assert rehearsal.run("sync", "--yes", "--allow-deletes", "2", "--prune-now").code == 0
    detail = {"options": "--allow-deletes 2", "plan": plan}
    assert [("overridden", None, detail)] == events(rehearsal, "overridden")


def test_a_new_ledger_for_a_known_account_is_recorded(rehearsal):
    """The option that let it begin is named; what was known before is gone with the old file."""
    for path in (rehearsal.folder / ".profilectl" / "sandbox").glob("ledger.db*"):
        path.unlink()
    rehearsal.write(("dora", "Dora D."))
    assert rehearsal.run("sync", "--yes").code == 5
    assert rehearsal.run("sync", "--yes", "--new-ledger").code == 0
    assert ["--new-ledger"] == [detail["options"] for _, _, detail in events(rehearsal, "overridden")]


def test_a_refused_attempt_to_speak_is_recorded_without_its_text(rehearsal):
    """Who tried it, as whom, to whom and which rule forbade it; a dry run is no attempt."""
    rehearsal.write(
        ("alice", "Alice F.", 'last = "Fastenau"'),
        ("bob", "Bob B.", 'operators = ["uid:4294967"]'),
        ("carl", "Carl C.", "until = 2020-01-01"),
    )
    offboarded = rehearsal.run("offboard", "carl", "--yes")
    assert offboarded.code == 0
    attempts = [
        ("bob", "Hello", "operators of the roster"),
        ("alice", "I am Alice Fastenau", "private names"),
        ("carl", "Hello", "offboarded"),
        ("alice", "Hello", "a script as a person"),
    ]
    for agent, text, _ in attempts:
        assert rehearsal.run("send", "--as", agent, "--to", "777", text).code == 5
        assert rehearsal.run("send", "--as", agent, "--to", "777", text, "--dry-run").code in {0, 5}
    assert rehearsal.run("send", "--as", "nobody", "--to", "777", "Hello").code == 2

    denied = events(rehearsal, "denied")
    assert [(agent, rule) for agent, _, rule in attempts] == [(agent, detail["rule"]) for _, agent, detail in denied]
    assert {"777"} == {detail["recipient_id"] for _, _, detail in denied}
    assert "Fastenau" not in json.dumps(denied)
    rows = rehearsal.run("audit", "log", "--event", "denied").rows
    assert 4 == len(rows)


def test_a_consent_that_has_ended_is_named(rehearsal):
    """In the refusal, and on the record; after a sync the neutral name speaks, and the own one stays private."""
    consent = "consent = { name = true, photo = true, given = 2020-01-01, expires = 2020-12-31 }"
    rehearsal.write(("alice", "Alice F.", consent), ("bob", "Bob B."), ("carl", "Carl C."))
    words = ("send", "--as", "alice", "--to", "@customer", "--human-wrote-this")
    refused = rehearsal.run(*words, "Hello")
    assert (5, True) == (refused.code, "the consent ended on 2020-12-31" in refused.err)
    assert ["consent"] == [detail["rule"] for _, _, detail in events(rehearsal, "denied")]

    assert rehearsal.run("sync", "--yes").code == 0
    told = rehearsal.run(*words, "Hello, this is Alice")
    assert (5, True) == (told.code, "alice's name without consent" in told.err)
    assert rehearsal.run(*words, "Hello").code == 0


def test_a_ledger_that_cannot_be_written_leaves_the_refusal_as_it_is(rehearsal, powerless):
    """The exit code is that of the refusal, and the missing record is told."""
    rehearsal.write(("alice", "Alice F.", 'operators = ["uid:4294967"]'))
    folder = rehearsal.folder / ".profilectl" / "sandbox"
    for path in folder.glob("ledger.db*"):
        path.chmod(0o400)
    folder.chmod(0o500)
    try:
        refused = rehearsal.run("send", "--as", "alice", "--to", "777", "Hello", starter=powerless)
    finally:
        folder.chmod(0o700)
    assert (5, True) == (refused.code, "may not send as alice" in refused.err)
    assert "warning: this attempt couldn't be recorded" in refused.err


@pytest.fixture
def policy(tmp_path, monkeypatch):
    """The path of a policy whose root is whoever runs the tests."""
    path = tmp_path / "etc" / "policy.toml"
    path.parent.mkdir(mode=0o755)
    monkeypatch.setattr(policy_file, "_ROOT", os.geteuid())
    monkeypatch.setattr(policy_file, "POLICY", path)
    return path


def put(path, text):
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)


def test_diff_and_preview_tell_that_the_policy_file_refuses_a_roster(desk, policy, monkeypatch, capsys):
    """A diff is refused as by a guard, a preview warns; the record has the policy that a sync saw, and its refusals."""
    process, _ = desk.serve()
    try:
        for name, value in desk.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("XDG_STATE_HOME", str(desk.folder / "state"))
        monkeypatch.chdir(desk.folder)
        desk.write(("alice", "Alice F."))
        put(policy, f'version = 1\nadmins = ["uid:{os.getuid()}"]\n')
        assert run(["sync", "--yes"]) == 0
        put(policy, f'version = 1\nadmins = ["uid:{os.getuid()}"]\nconsent = "require"\n')
        capsys.readouterr()

        assert run(["diff", "--json"]) == 5
        refused = json.loads(capsys.readouterr().out)["refused"]
        assert ("policy_file", None) == (refused["guard"], refused["allow"])
        assert 'consent is "record", and has to be "require"' in refused["message"]
        assert run(["preview"]) == 0
        assert "warning: nobody can sync or send with this roster" in capsys.readouterr().err
        assert [5, 5] == [
            run(["sync", "--yes"]),
            run(["send", "--as", "alice", "--to", "12", "Hello", "--human-wrote-this"]),
        ]
        desk.write(("alice", "Alice F."), policy='settle_after = "0s"\nconsent = "require"')
        assert run(["sync", "--yes"]) == 0
        capsys.readouterr()
        assert run(["audit", "log", "--json"]) == 0
        records = json.loads(capsys.readouterr().out)["records"]
    finally:
        desk.end(process)
    changes = [record["detail"] for record in records if record["event"] == "policy-changed"]
    assert (None, changes[0]["policy"]) == (changes[0]["former"], changes[1]["former"])
    denied = [(record["agent"], record["detail"]["rule"]) for record in records if record["event"] == "denied"]
    assert [("alice", "policy file")] == denied


def test_what_a_person_binds_and_ends_by_hand_names_the_consent_too(rehearsal):
    """Adopted, recovered and offboarded: no plan made it, and nobody claims one."""
    consent = 'consent = { name = true, photo = true, ref = "HR-7" }'
    rehearsal.write(("alice", "Alice F.", consent), ("bob", "Bob B."), ("carl", "Carl C.", consent))
    for path in (rehearsal.folder / ".profilectl" / "sandbox").glob("ledger.db*"):
        path.unlink()
    assert rehearsal.run("profiles", "adopt", "carl", "100003", "--yes").code == 0
    rehearsal.run("recover", "--yes")
    assert rehearsal.run("offboard", "carl", "--yes").code == 0

    told = [(what, agent, detail.get("consent"), "plan" in detail) for what, agent, detail in events(rehearsal)]
    words = "HR-7: name and photo"
    assert ("adopted", "carl", words, False) in told
    assert [("retired", "carl", words, False), ("destroyed", "carl", words, False)] == [
        entry for entry in told if entry[0] in {"retired", "destroyed"}
    ]


def test_an_attempt_past_the_pinned_ledger_is_recorded_in_it(desk, policy, monkeypatch, capsys):
    """Whoever names another ledger to leave no trace leaves one; the same words without the variable go out."""
    process, _ = desk.serve()
    pinned = desk.folder / "pinned" / "ledger.db"
    try:
        for name, value in desk.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("PROFILECTL_LEDGER")  # which the sandbox has set
        monkeypatch.setenv("XDG_STATE_HOME", str(desk.folder / "state"))
        monkeypatch.chdir(desk.folder)
        desk.write(("alice", "Alice F."))
        put(policy, f'version = 1\nadmins = ["uid:{os.getuid()}"]\nledger = "{pinned}"\n')
        assert run(["sync", "--yes"]) == 0
        words = ["send", "--as", "alice", "--to", "@customer", "--human-wrote-this", "Hello"]
        monkeypatch.setenv("PROFILECTL_LEDGER", str(desk.folder / "other" / "ledger.db"))
        assert run(words) == 5
        monkeypatch.delenv("PROFILECTL_LEDGER")
        assert run(words) == 0
        capsys.readouterr()
        assert run(["audit", "log", "--json", "--event", "denied"]) == 0
        records = json.loads(capsys.readouterr().out)["records"]
    finally:
        desk.end(process)
    assert [("alice", "another ledger than the policy file's")] == [
        (record["agent"], record["detail"]["rule"]) for record in records
    ]
    assert not (desk.folder / "other").exists()
