# ruff: noqa: E501 - expressions that are read in one line
"""A name and a face belong to a person: without their consent customers see neutral ones."""

from __future__ import annotations

import json

import pytest

from tests import moved_clock

BOTH = "consent = { name = true, photo = true, expires = 2999-12-31 }"
NO_PHOTO = "consent = { name = true, photo = false }"
EXPIRED = "consent = { name = true, photo = true, given = 2020-01-01, expires = 2020-12-31 }"
NEUTRAL = "Care Specialist D8DF47"
TITLE = 'title = "Care Specialist"'


@pytest.fixture
def rehearsal(desk):
    """A desk in the sandbox."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    return desk


def write(desk, *lines, policy='consent = "record"\nsettle_after = "0s"'):
    return desk.write(("alice", "Alice F.", TITLE, *lines), policy=policy)


def live(desk):
    """Return the names that X shows."""
    return [
        profile["name"]
        for profile in desk.run("profiles", "list", "--json").document["profiles"]
        if profile["status"] == "bound"
    ]


def changes(desk):
    plan = desk.run("diff", "--json").document
    return [(change["action"], change["why"], change["after"]["name"]) for change in plan["changes"]]


def test_a_consent_that_ends_plans_a_neutral_name_and_face(rehearsal):
    """The plan says why, sync does it, and then nothing is left to do; a new consent brings the person back."""
    assert write(rehearsal, BOTH).run("sync", "--yes").code == 0
    write(rehearsal, EXPIRED)

    assert [("replace", ["name", "avatar", "consent"], NEUTRAL)] == changes(rehearsal)
    assert "consent is missing or has ended" in " ".join(rehearsal.run("diff", "--format", "markdown").out.split())
    assert rehearsal.run("sync", "--yes").code == 0
    assert ([], [NEUTRAL]) == (changes(rehearsal), live(rehearsal))
    write(rehearsal, BOTH)
    assert [("replace", ["name", "avatar"], "Alice F.")] == changes(rehearsal)


def test_without_consent_to_a_photo_its_file_is_never_read(rehearsal):
    """Initials are uploaded under the person's name, though the roster has a photograph, and though it is a wrong one."""
    (rehearsal.folder / "avatars" / "face.png").write_bytes(b"no picture")
    write(rehearsal, NO_PHOTO)

    assert [0, 0] == [rehearsal.run(*words).code for words in (("roster", "check"), ("sync", "--yes"))]
    assert ([], ["Alice F."]) == (changes(rehearsal), live(rehearsal))
    assert [0, 0] == [rehearsal.run(*words).code for words in (("preview",), ("diff", "--format", "html"))]


def test_a_policy_may_require_consent_or_leave_it_to_others(rehearsal):
    """Nobody's own name without an entry, or everybody's in spite of one."""
    write(rehearsal, policy='consent = "require"')
    assert [("create", ["new", "consent"], NEUTRAL)] == changes(rehearsal)
    checked = rehearsal.run("roster", "check")
    assert (0, True) == (
        checked.code,
        "warning: agents.alice.consent: missing, and the policy requires it" in checked.out,
    )

    write(rehearsal, EXPIRED, policy='consent = "off"')
    assert [("create", ["new"], "Alice F.")] == changes(rehearsal)
    assert "" == rehearsal.run("roster", "check").out


def test_nobody_speaks_as_a_person_whose_consent_is_over(rehearsal):
    """Not before the next sync, and after it as the neutral one."""
    words = ("send", "--as", "alice", "--to", "@customer", "--human-wrote-this", "--yes", "hello")
    assert write(rehearsal, BOTH).run("sync", "--yes").code == 0
    write(rehearsal, EXPIRED)

    refused = rehearsal.run(*words)
    assert (5, True) == (refused.code, "run `profilectl sync` first" in refused.err)
    assert rehearsal.run("sync", "--yes").code == 0
    sent = rehearsal.run(*words)
    assert (0, True) == (sent.code, NEUTRAL in sent.out + sent.err)


def test_the_check_tells_what_has_ended_at_its_place(rehearsal):
    """In the form of every warning."""
    done = write(rehearsal, EXPIRED).run("roster", "check", "--json")
    [problem] = json.loads(done.out)["problems"]

    assert (13, 60, "warning") == (problem["line"], problem["column"], problem["severity"])
    assert "ended on 2020-12-31: customers see a neutral name and picture" == problem["message"]


def test_a_saved_plan_names_the_consent_that_ended_since(rehearsal):
    """Initials in a photo's place are no picture that somebody has changed."""
    write(rehearsal, "consent = { name = true, photo = true, expires = 2999-12-31 }")
    assert rehearsal.run("diff", "--out", "plan.json").code == 0
    rehearsal.env |= moved_clock.settings(rehearsal.folder, "3000-01-01T09:00")

    refused = rehearsal.run("sync", "--yes", "--plan", "plan.json")
    assert 5 == refused.code
    assert "nothing was changed: the consent of alice has changed since plan.json was made" in refused.err
