"""Pictures that say themselves that a machine made them: no face for a person, and fine for a bot."""

from __future__ import annotations

import pytest

from profilectl.pictures.provenance import COMPOSITE, TRAINED, with_mark

COMMANDS = [("roster", "check"), ("diff",), ("sync", "--yes"), ("preview",)]
BOT = ('kind = "bot"',)


@pytest.fixture
def marked(desk):
    """A desk in the sandbox where the default picture, at line 8 of the roster, is marked as machine-made."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    path = desk.folder / "avatars" / "face.png"
    path.write_bytes(with_mark(path.read_bytes(), TRAINED))
    return desk


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_person_has_no_face_from_a_machine(marked, words):
    """Every command that looks at pictures says so at the picture's line, and nothing is made."""
    done = marked.write(("alice", "Alice F.")).run(*words)
    message = (
        "roster.toml:8:1: agents.alice.avatar: picture avatars/face.png is marked as machine-made "
        "(trainedAlgorithmicMedia), and alice is a human"
    )

    assert (5, True) == (done.code, message in done.out + done.err)
    assert [] == marked.run("profiles", "list").rows


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_bot_may_have_one(marked, words):
    """It is no person whom the picture could be taken for; nothing is said of it."""
    done = marked.write(("helper", "Acme Helper (bot)", *BOT)).run(*words)

    assert (0, False) == (done.code, "machine-made" in done.out + done.err)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_policy_may_allow_it(marked, words):
    """With ai_faces = "record" a person may; the check tells, in a warning."""
    done = marked.write(("alice", "Alice F."), policy='ai_faces = "record"').run(*words)
    line = (
        "roster.toml:8:1: warning: agents.alice.avatar: picture avatars/face.png is marked as machine-made "
        "(trainedAlgorithmicMedia), which the record will say of alice's profile"
    )

    assert (0, words == COMMANDS[0]) == (done.code, line in done.out)


def test_one_file_may_be_right_for_a_bot_and_wrong_for_a_person(marked):
    """Each agent is judged for itself, once for all brands, in the roster's order."""
    marked.draw("alice.png")
    path = marked.draw("carol.png")
    path.write_bytes(with_mark(path.read_bytes(), COMPOSITE))
    brands = {"acme": "acmecare", "beta": "betacare"}
    own = 'avatar = "avatars/{}.png"'
    agents = [("alice", "Alice F.", own.format("alice")), ("bruno", "Bruno K."), ("helper", "Helper (bot)", *BOT)]
    marked.write(*agents, ("carol", "Carol S.", own.format("carol")), brands=brands)
    problems = marked.run("roster", "check", "--json").document["problems"]

    assert ["agents.bruno.avatar", "agents.carol.avatar"] == [problem["path"] for problem in problems]
    assert [10, 21] == [problem["line"] for problem in problems]
    done = marked.run("sync", "--yes")
    assert (5, True) == (done.code, "2 pictures can't be used" in done.err)


def test_a_picture_that_was_taken_once_is_judged_by_the_policy_of_today(marked):
    """Neither the cache of pictures nor the profile that was made of the file makes a person's picture right."""
    marked.write(("alice", "Alice F."), policy='ai_faces = "record"')
    assert marked.run("sync", "--yes").code == 0
    marked.write(("alice", "Alice F."))

    assert [5] * 4 == [marked.run(*words).code for words in COMMANDS]


def test_a_policy_knows_two_ways(marked):
    """Everything else is refused with both."""
    done = marked.write(("alice", "Alice F."), policy='ai_faces = "allow"').run("roster", "check")

    assert (5, True) == (done.code, 'roster.toml:5:1: policy.ai_faces: expected "refuse" or "record"' in done.out)
