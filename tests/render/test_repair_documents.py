"""The documents of the repair verbs: every key and every form of value is held here."""

from __future__ import annotations

from profilectl.errors import ExitCode, Unreachable
from profilectl.render import documents


def test_forget_document():
    """profilectl.forget/1 has the command that undoes it."""
    identity = {"brand": "acme", "agent": "alice", "profile_id": "100001", "name": "Alice"}
    undo = "profilectl profiles adopt alice 100001 --brand acme"

    assert {"schema": "profilectl.forget/1", **identity, "undo": undo} == documents.forget(**identity, undo=undo)


def test_destroy_document():
    """profilectl.destroy/1 says whose it was; strangers are nobody's."""
    stranger = {"brand": "acme", "agent": None, "profile_id": "100001", "name": "Old", "was": "unmanaged"}

    assert {"schema": "profilectl.destroy/1", **stranger} == documents.destroy(**stranger)


def test_offboard_document():
    """profilectl.offboard/1 is the receipt: every profile, what became of it, and what the roster still says."""
    error = documents.problem(Unreachable("no connection", hint="run again later"))
    rows = [
        {"brand": "acme", "profile_id": "100001", "name": "Alice", "status": "destroyed", "error": None},
        {"brand": "beta", "profile_id": "100002", "name": "Alice", "status": "failed", "error": error},
    ]
    document = documents.offboard("alice", 1_790_000_000_000, ExitCode.PARTIAL, rows, [(10, 12)])

    assert {
        "schema": "profilectl.offboard/1",
        "agent": "alice",
        "at": "2026-09-21T14:13:20Z",
        "exit_code": 6,
        "results": rows,
        "summary": {"destroyed": 1, "failed": 1, "unsettled": 0},
        "roster_lines": [[10, 12]],
    } == document
    assert {"kind": "network", "message": "no connection", "hint": "run again later", "retry_at": None} == error
    assert documents.offboard("alice", 0, ExitCode.DONE, [], None)["roster_lines"] is None


def test_recover_document():
    """profilectl.recover/1 counts what was bound, what is doubtful, and who isn't at X."""
    rows = [{"status": "bound"}, {"status": "bound"}, {"status": "doubtful"}]

    assert {
        "schema": "profilectl.recover/1",
        "exit_code": 7,
        "results": rows,
        "summary": {"bound": 2, "doubtful": 1, "absent": 0},
    } == documents.recover(ExitCode.PERSON, rows)
