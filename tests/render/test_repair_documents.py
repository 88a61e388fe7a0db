"""The documents of the repair verbs: every key and every form of value is held here."""

from __future__ import annotations

from msgspec.structs import replace

from profilectl.errors import ExitCode, Unreachable
from profilectl.model import Account, Agent, Brand, Kind, Profile, Retired
from profilectl.profiles.manual_changes import UnusedProfile
from profilectl.profiles.matching import Candidate, Doubt, Finding
from profilectl.profiles.offboarding import OffboardResult, OffboardStatus
from profilectl.profiles.ownership import ClassifiedProfile, ProfileStatus
from profilectl.render import json_documents

ACME = Brand("acme", "acmecare")


def test_forget_document():
    """profilectl.forget/1 has the command that undoes it."""
    identity = {"brand": "acme", "agent": "alice", "profile_id": "100001", "name": "Alice"}
    undo = "profilectl profiles adopt alice 100001 --brand acme"

    assert {"schema": "profilectl.forget/1", **identity, "undo": undo} == json_documents.forget(**identity, undo=undo)


def test_destroy_document():
    """profilectl.destroy/1 says whose it was; strangers are nobody's."""
    stranger = UnusedProfile(ACME, Account("1", "acmecare", "api.x.com"), "100001", "Old", None, is_live=True)
    retired = replace(stranger, retired=Retired("100001", "alice", "Old", 1, "replaced"))
    document = {"schema": "profilectl.destroy/1", "brand": "acme", "agent": None, "profile_id": "100001", "name": "Old"}

    assert document | {"was": "unmanaged"} == json_documents.destroy(stranger)
    assert document | {"was": "retired", "agent": "alice"} == json_documents.destroy(retired)


def test_profiles_document():
    """profilectl.profiles/1 has every profile with its status and the agent whose it is."""
    profile = Profile("100001", "Alice", "https://pbs.example/1.jpg", 1_790_000_000_000)

    assert {
        "schema": "profilectl.profiles/1",
        "profiles": [
            {
                "id": "100001",
                "name": "Alice",
                "status": "bound",
                "brand": "acme",
                "agent": "alice",
                "created": "2026-09-21T14:13:20Z",
                "avatar_url": "https://pbs.example/1.jpg",
            }
        ],
    } == json_documents.profiles([ClassifiedProfile("acme", ProfileStatus.BOUND, "alice", profile)])


def test_offboard_document():
    """profilectl.offboard/1 is the receipt: every profile, what became of it, and what the roster still says."""
    error = Unreachable("no connection", hint="run again later")
    results = [
        OffboardResult("acme", OffboardStatus.DESTROYED, "100001", "Alice"),
        OffboardResult("beta", OffboardStatus.FAILED, "100002", "Alice", error),
        OffboardResult("beta", OffboardStatus.UNCONFIRMED, "100003", "Alice", error),
    ]
    document = json_documents.offboard("alice", 1_790_000_000_000, ExitCode.PARTIAL, results, [(10, 12)])
    problem = {"kind": "network", "message": "no connection", "hint": "run again later", "retry_at": None}

    assert {
        "schema": "profilectl.offboard/1",
        "agent": "alice",
        "at": "2026-09-21T14:13:20Z",
        "exit_code": 6,
        "results": [
            {"brand": "acme", "profile_id": "100001", "name": "Alice", "status": "destroyed", "error": None},
            {"brand": "beta", "profile_id": "100002", "name": "Alice", "status": "failed", "error": problem},
            {"brand": "beta", "profile_id": "100003", "name": "Alice", "status": "unconfirmed", "error": problem},
        ],
        "summary": {"destroyed": 1, "failed": 1, "unsettled": 0, "unconfirmed": 1},
        "roster_lines": [[10, 12]],
    } == document
    assert json_documents.offboard("alice", 0, ExitCode.DONE, [], None)["roster_lines"] is None


def test_recover_document():
    """profilectl.recover/1 counts what was bound, what is doubtful, and who isn't at X."""
    agent = Agent("alice", "acme", "Alice", "a.png", Kind.HUMAN)
    candidate = Candidate(Profile("100001", "Alice", "https://pbs.example/1.jpg", 1_790_000_000_000), 1.26)
    sure, absent = Finding(agent, (candidate,)), Finding(agent)
    doubtful = Finding(agent, (candidate,), Doubt.SHARED_NAME)
    document = json_documents.recover(ExitCode.PERSON, [sure, sure, doubtful, absent], " --sandbox")
    listed = {
        "profile_id": "100001",
        "name": "Alice",
        "created": "2026-09-21T14:13:20Z",
        "avatar_url": "https://pbs.example/1.jpg",
        "distance": 1.3,
        "problem": None,
        "adopt": "profilectl profiles adopt alice 100001 --brand acme --sandbox",
    }
    row = {"brand": "acme", "agent": "alice", "name": "Alice"}

    assert ("profilectl.recover/1", 7) == (document["schema"], document["exit_code"])
    assert {"bound": 2, "doubtful": 1, "absent": 1} == document["summary"]
    assert [
        row | {"status": "bound", "profile_id": "100001", "why": None, "candidates": [listed]},
        row | {"status": "doubtful", "profile_id": None, "why": "shared-name", "candidates": [listed]},
        row | {"status": "absent", "profile_id": None, "why": None, "candidates": []},
    ] == document["results"][1:]
