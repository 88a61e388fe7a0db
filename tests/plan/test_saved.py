"""A plan as a document: what is written can be read, and nothing else can."""

from __future__ import annotations

import json

import pytest
from inline_snapshot import snapshot

from profilectl.digests import digest_of
from profilectl.errors import StalePlan, UsageError
from profilectl.model import Profile
from profilectl.plan.builder import Plan
from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.plan.fingerprint import Basis
from profilectl.plan.guards import Refusal
from profilectl.plan.saved import LARGEST_PLAN, Selection, expected_digest, from_document, is_document, to_document

REPLACE = Change(
    "acme",
    "alice",
    Action.REPLACE,
    (Reason.NAME,),
    "100001",
    Appearance("Alice", "sha256:aa"),
    Appearance("Älice", "sha256:aa"),
)
BASIS = Basis(roster="sha256:r", pictures="sha256:p", ledger="sha256:l", remote="sha256:x")


def test_plan_document():
    """profilectl.plan/1 lists changes and counts the rest."""
    strangers = (("acme", Profile("9", "Nobody", "", 1)),)
    document = to_document(Plan((REPLACE,), BASIS, unchanged=39, strangers=strangers), ["acme"], Selection())
    checksum, digest = document.pop("checksum"), document["digest"]

    assert checksum == digest_of(document)
    assert document.pop("digest") == digest_of([document["basis"], document["changes"]]) == digest
    assert document == snapshot(
        {
            "schema": "profilectl.plan/1",
            "refused": None,
            "changes": [
                {
                    "brand": "acme",
                    "agent": "alice",
                    "action": "replace",
                    "why": ["name"],
                    "profile_id": "100001",
                    "before": {"name": "Alice", "avatar": "sha256:aa"},
                    "after": {"name": "Älice", "avatar": "sha256:aa"},
                    "former": None,
                }
            ],
            "summary": {
                "create": 0,
                "replace": 1,
                "delete": 0,
                "adopt": 0,
                "destroy": 0,
                "unchanged": 39,
                "unmanaged": 1,
                "blocked": 0,
                "rename": 0,
            },
            "basis": {"roster": "sha256:r", "pictures": "sha256:p", "ledger": "sha256:l", "remote": "sha256:x"},
            "selection": {
                "brands": ["acme"],
                "agents": [],
                "allow_deletes": None,
                "allow_lost": None,
                "prune_now": False,
                "verify_avatars": False,
                "labels": [],
            },
            "budget": [],
            "cost": None,
            "left_out": [],
            "notices": [],
        }
    )


def test_refused_plan_document():
    """A guard's refusal has its name, its words and the option that allows it."""
    document = to_document(
        Plan((), BASIS, refused=Refusal("max_deletes", "too many", "--allow-deletes 8")), [], Selection()
    )

    assert document["refused"] == snapshot(
        {"guard": "max_deletes", "message": "too many", "allow": "--allow-deletes 8", "agents": []}
    )


def test_what_is_written_is_what_is_read():
    """Selection, basis, changes and digest come back as they were."""
    selection = Selection(frozenset({"alice", "bruno"}), 3, 7, prune_now=True, labels=(("team", "night"),))
    plan = Plan((REPLACE, Change("acme", "bob", Action.BLOCKED, (Reason.UNSETTLED,))), BASIS)
    saved = from_document(json.dumps(to_document(plan, ["acme"], selection)).encode(), "plan.json")

    assert (("acme",), selection, BASIS) == (saved.brands, saved.selection, saved.basis)
    assert (plan.changes, plan.digest) == (saved.changes, saved.digest)
    assert saved.check(plan) is None


def test_a_reason_that_isn_t_known_is_no_saved_plan():
    """Whoever made that file, it wasn't this version."""
    document = to_document(Plan((REPLACE,), BASIS), ["acme"], Selection())
    document["changes"][0]["why"] = ["mood"]

    with pytest.raises(StalePlan, match="missing or of the wrong type"):
        from_document(json.dumps(document).encode(), "plan.json")


@pytest.mark.parametrize("text", ["", "sha256:12", "plan.json", "\x1b[31m" * 50, "sha256:" + "A" * 64])
def test_what_is_no_digest_is_a_usage_error(text):
    """Told with what was said, visible and cut."""
    with pytest.raises(UsageError, match=r"^--expect takes a plan's digest") as caught:
        expected_digest(text)
    assert ("\x1b" not in caught.value.message, len(caught.value.message) < 400) == (True, True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"schema": ' + b"9" * 9000 + b"}",
    ],
    ids=["empty", "list", "null", "cut", "bytes", "deep", "deeper", "number"],
)
def test_hostile_contents_are_no_saved_plan(content):
    """However they are made, a sentence tells of them."""
    with pytest.raises(StalePlan, match="is no saved plan"):
        from_document(content, "plan.json")
    assert not is_document(content)


@pytest.mark.parametrize("filler", ["[],", "{},", '"ab",', "1,"])
def test_a_plan_of_millions_of_things_is_refused_before_it_is_read(filler):
    """Twenty megabytes of empty lists would become a gigabyte of them."""
    content = f'{{"schema": "profilectl.plan/1", "changes": [{filler * 2_000_000}0]}}'.encode()

    with pytest.raises(StalePlan, match="more than the changes of 20,000 agents"):
        from_document(content, "plan.json")
    assert not is_document(content)


def test_a_plan_of_twenty_thousand_changes_is_read():
    """The largest roster's first sync fits, with room to spare, and is compared in a moment."""
    changes = tuple(
        Change("acme", f"agent-{number}", Action.REPLACE, (Reason.NAME,), str(number), REPLACE.before, REPLACE.after)
        for number in range(20_000)
    )
    content = json.dumps(to_document(Plan(changes, BASIS), ["acme"], Selection())).encode()
    saved = from_document(content, "plan.json")

    assert LARGEST_PLAN / 2 > len(content)
    assert changes == saved.changes
    with pytest.raises(StalePlan, match="the plan has become another"):
        saved.check(Plan(tuple(reversed(changes)), BASIS))
