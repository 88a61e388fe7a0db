"""The JSON documents are what scripts rely on: every key and every form of value is held here."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from inline_snapshot import snapshot

from profilectl.errors import ExitCode, RateLimited
from profilectl.messaging.compose import SendStatus
from profilectl.model import Message
from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.render import json_documents
from profilectl.sync.outcomes import Outcome, Status

REPLACE = Change(
    "acme",
    "alice",
    Action.REPLACE,
    (Reason.NAME,),
    "100001",
    Appearance("Alice", "sha256:aa"),
    Appearance("Älice", "sha256:aa"),
)
LATER = datetime(2026, 11, 23, 9, 14, tzinfo=UTC)


def test_sync_document():
    """profilectl.sync/1 has a result per step, with the error's kind, words, hint and time."""
    error = RateLimited("over the limit", retry_at=LATER)
    outcomes = [Outcome(REPLACE, Status.DONE, "100044"), Outcome(REPLACE, Status.SKIPPED, error=error)]
    document = json_documents.sync("sha256:dd", outcomes, ExitCode.TRY_LATER, {"list": 1, "create": 1}, LATER)

    assert document == snapshot(
        {
            "schema": "profilectl.sync/1",
            "digest": "sha256:dd",
            "exit_code": 75,
            "results": [
                {
                    "brand": "acme",
                    "agent": "alice",
                    "action": "replace",
                    "why": ["name"],
                    "status": "done",
                    "profile_id": "100044",
                    "error": None,
                    "command": None,
                },
                {
                    "brand": "acme",
                    "agent": "alice",
                    "action": "replace",
                    "why": ["name"],
                    "status": "skipped",
                    "profile_id": None,
                    "error": {
                        "kind": "rate-limit",
                        "message": "over the limit",
                        "hint": None,
                        "retry_at": "2026-11-23T09:14:00Z",
                    },
                    "command": None,
                },
            ],
            "summary": {"done": 1, "failed": 0, "unknown": 0, "skipped": 1},
            "requests": {"list": 1, "create": 1},
            "retry_at": "2026-11-23T09:14:00Z",
            "left_out": [],
            "stopped_by": None,
        }
    )


def test_error_document():
    """profilectl.error/1 has the exit code beside the words."""
    document = json_documents.error(RateLimited("over the limit", hint="wait", retry_at=LATER), ExitCode.TRY_LATER)

    assert document == snapshot(
        {
            "schema": "profilectl.error/1",
            "error": {
                "code": 75,
                "kind": "rate-limit",
                "message": "over the limit",
                "hint": "wait",
                "retry_at": "2026-11-23T09:14:00Z",
                "problems": [],
                "agents": [],
            },
        }
    )


def test_send_document():
    """profilectl.send/1 says which profile was asked for and whether X confirmed it."""
    message = Message("alice", "acme", "12345", "Hello", "100044")
    document = json_documents.send(message, "12345", status=SendStatus.SENT, event_id="1190", verified=True)

    assert document == snapshot(
        {
            "schema": "profilectl.send/1",
            "agent": "alice",
            "brand": "acme",
            "recipient_id": "12345",
            "event_id": "1190",
            "custom_profile_id": "100044",
            "verified": True,
            "status": "sent",
            "error": None,
            "cost": None,
        }
    )


def test_documents_are_ascii():
    """Whatever is in a name, the document is one line of ASCII that reads back the same."""
    name = "فاطمة \u202e\x1b"
    line = json_documents.dump(json_documents.adopt(brand="acme", agent="fatima", profile_id="1", name=name))

    assert line.isascii()
    assert name == json.loads(line)["name"]
