"""The verbs for when something went wrong anyway: what the ledger holds, and what is at X, put right by a person."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
from contextlib import closing

import pytest
from PIL import Image

from profilectl.ledger.sqlite import open_for_reading

TEAM = [("alice", "Alice"), ("bruno", "Bruno")]
NOBODY = "http://127.0.0.1:1"  # nothing listens there


def ledger_of(desk):
    named = desk.env.get("PROFILECTL_LEDGER")
    return desk.folder / named if named else desk.folder / ".profilectl" / "sandbox" / "ledger.db"


def events(desk, what):
    with open_for_reading(ledger_of(desk)) as ledger:
        return [record.event for record in ledger.events() if record.event.what == what]


def profiles(desk):
    """Return what `profiles list` says, by name."""
    return {row["name"]: row for row in desk.run("profiles", "list", "--json").document["profiles"]}


def orphan(desk, *agents):
    """Sync a roster and lose the ledger, so that its profiles are strangers."""
    assert 0 == desk.write(*agents).run("sync", "--yes").code
    ledger_of(desk).unlink()


# forget


@pytest.mark.usefixtures("any_x")
def test_forget_leaves_a_stranger_and_its_undo_works_as_printed(desk):
    """The binding goes, the profile stays, and the printed command binds it again."""
    desk.write(*TEAM).run("sync", "--yes")
    profile_id = profiles(desk)["Alice"]["id"]
    result = desk.run("profiles", "forget", "alice", "--yes")
    sentence, undo = result.out.splitlines()

    assert (0, "namesake") == (result.code, profiles(desk)["Alice"]["status"])
    assert f'profile {profile_id} "Alice"' in sentence
    assert [("alice", profile_id)] == [(event.agent, event.profile_id) for event in events(desk, "forgotten")]
    assert 5 == desk.run("send", "--as", "alice", "--to", "@customer", "Hello").code
    assert 0 == desk.run(*undo.removeprefix("undo: profilectl ").split(), "--yes").code
    assert (profile_id, "bound") == (profiles(desk)["Alice"]["id"], profiles(desk)["Alice"]["status"])
    assert 0 == desk.run("diff", "--exit-code").code


@pytest.mark.usefixtures("served")
def test_forget_works_offline_and_for_agents_who_left_the_roster(desk):
    """X isn't asked anything, and the roster needn't know the agent any more."""
    desk.write(*TEAM).run("sync", "--yes")
    desk.write(TEAM[1])
    desk.env["PROFILECTL_API_URL"] = NOBODY
    document = desk.run("profiles", "forget", "alice", "--yes", "--json").document

    assert ("profilectl.forget/1", "acme", "alice", "Alice") == tuple(
        document[key] for key in ("schema", "brand", "agent", "name")
    )
    assert f"profilectl profiles adopt alice {document['profile_id']} --brand acme" == document["undo"]
    assert "once bruno" not in desk.run("profiles", "forget", "bruno", "--yes").out


def test_forget_says_what_to_do_after_a_brand_was_renamed(desk):
    """The ledger learns the brand's new key with the next sync, and then knows its agents again."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(("alice", "Alice"))
    assert 0 == desk.run("sync", "--yes").code
    desk.write(("alice", "Alice"), brands={"care": "acmecare"})
    early = desk.run("profiles", "forget", "alice", "--yes")

    assert 5 == early.code
    assert "hint: run `profilectl sync` first, which tells the ledger that care is @acmecare\n" in early.err
    assert [0, 0] == [desk.run(*words, "--yes").code for words in (("sync",), ("profiles", "forget", "alice"))]


def test_forget_asks_on_a_terminal_and_refuses_elsewhere(desk):
    """Without a person and without --yes nothing happens; "n" keeps the binding, "y" drops it."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM).run("sync", "--yes")
    refused = desk.run("profiles", "forget", "alice")
    declined, screen = desk.watch("profiles", "forget", "alice", answers=b"n\n")

    assert (2, 130) == (refused.code, declined)
    assert "--yes" in refused.err
    assert "It stays at X." in screen
    assert "bound" == profiles(desk)["Alice"]["status"]
    assert 0 == desk.watch("profiles", "forget", "alice", answers=b"y\n")[0]
    assert "namesake" == profiles(desk)["Alice"]["status"]


@pytest.mark.parametrize(
    ("words", "code", "answer"),
    [
        (["forget", "alcie"], 2, "did you mean alice"),
        (["forget", "chidi"], 5, "chidi has no profile at brand acme"),
        (["destroy", "12a"], 2, "digits only"),
        (["destroy", "00100001"], 2, "the first of which isn't 0"),
        (["adopt", "alice", "00100001"], 2, "the first of which isn't 0"),
        (["destroy", "999999"], 5, "999999"),
    ],
)
def test_nothing_to_repair_is_told_apart(desk, words, code, answer):
    """A mistyped key, an agent without a profile, and an id that X doesn't know each have their own answer."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM).run("sync", "--yes")
    desk.write(*TEAM, ("chidi", "Chidi"))
    result = desk.run("profiles", *words, "--yes")

    assert code == result.code
    assert answer in result.err


# destroy


def test_zeros_before_an_id_pass_no_guard(desk):
    """X would take 0000100001 for the agent's own profile, and the ledger for a stranger."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM).run("sync", "--yes")
    profile_id = profiles(desk)["Alice"]["id"]
    codes = [desk.run("profiles", "destroy", text, "--yes").code for text in (profile_id, f"0000{profile_id}")]

    assert [5, 2] == codes
    assert "bound" == profiles(desk)["Alice"]["status"]


@pytest.mark.usefixtures("any_x")
def test_destroy_ends_a_stranger_and_records_it(desk):
    """A profile that nobody owns goes, and the audit trail says which it was."""
    orphan(desk, ("old", "Old Face"))
    desk.write(*TEAM).run("sync", "--yes", "--new-ledger")
    profile_id = profiles(desk)["Old Face"]["id"]
    document = desk.run("profiles", "destroy", profile_id, "--yes", "--json").document
    document.pop("sandbox", None)  # there in one of the two places

    assert {
        "schema": "profilectl.destroy/1",
        "brand": "acme",
        "agent": None,
        "profile_id": profile_id,
        "name": "Old Face",
        "was": "unmanaged",
    } == document
    assert {"Alice", "Bruno"} == set(profiles(desk))
    assert [(profile_id, "Old Face")] == [
        (event.profile_id, event.detail["name"]) for event in events(desk, "destroyed-stranger")
    ]


@pytest.mark.usefixtures("any_x")
def test_destroy_ends_a_retired_profile_before_its_grace_is_over(desk):
    """A replaced profile can go at once; its row goes with it, so the next sync has nothing to do."""
    desk.write(("alice", "Alice")).run("sync", "--yes")
    desk.write(("alice", "Alice F.")).run("sync", "--yes")
    old = profiles(desk)["Alice"]
    result = desk.run("profiles", "destroy", old["id"], "--yes")

    assert ("retired", 0) == (old["status"], result.code)
    assert {"Alice F."} == set(profiles(desk))
    assert [("alice", old["id"])] == [(event.agent, event.profile_id) for event in events(desk, "destroyed")]


@pytest.mark.usefixtures("any_x")
def test_a_bound_profile_is_never_destroyed(desk):
    """Not even with --yes: the way is to end the agent, and the message names it."""
    desk.write(*TEAM).run("sync", "--yes")
    result = desk.run("profiles", "destroy", profiles(desk)["Alice"]["id"], "--yes")

    assert 5 == result.code
    assert "profilectl offboard alice" in result.err
    assert {"Alice", "Bruno"} == set(profiles(desk))


def test_destroy_wants_the_name_typed(desk):
    """Anything else than the exact name, or nobody to type it, destroys nothing."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    orphan(desk, ("old", "Old Face"))
    desk.write(*TEAM).run("sync", "--yes", "--new-ledger")
    profile_id = profiles(desk)["Old Face"]["id"]
    unattended = desk.run("profiles", "destroy", profile_id)
    mistyped, screen = desk.watch("profiles", "destroy", profile_id, answers=b"y\n")

    assert (2, 2) == (unattended.code, mistyped)
    assert "Destroy profile" in screen
    assert "Old Face" in profiles(desk)
    assert 0 == desk.watch("profiles", "destroy", profile_id, answers=b"Old Face\n")[0]
    assert "Old Face" not in profiles(desk)


def test_destroying_a_retired_profile_that_is_gone_clears_its_row(desk, served):
    """When another tool was faster, only the ledger has something to forget."""
    desk.write(("alice", "Alice")).run("sync", "--yes")
    desk.write(("alice", "Alice F.")).run("sync", "--yes")
    profile_id = profiles(desk)["Alice"]["id"]
    mine = dict(desk.env)
    desk.env |= {"PROFILECTL_LEDGER": "other.db", "XDG_STATE_HOME": str(desk.folder / "other")}  # another machine
    assert 0 == desk.run("profiles", "destroy", profile_id, "--yes").code
    desk.env.clear()
    desk.env |= mine

    assert 0 == desk.run("profiles", "destroy", profile_id, "--yes").code
    assert ["Alice F."] == served.live()
    assert 5 == desk.run("profiles", "destroy", profile_id, "--yes").code


# adopt


def strangers(desk):
    """Lose the ledger of a team on the X in process; return the ids by agent."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    orphan(desk, *TEAM)
    return {name.casefold(): row["id"] for name, row in profiles(desk).items()}


def test_adopt_refuses_another_name_without_a_person_s_word(desk):
    """Both names are told; with --yes it is bound and warned of, and the next sync makes it right."""
    ids = strangers(desk)
    refused = desk.run("profiles", "adopt", "alice", ids["bruno"])
    agreed = desk.run("profiles", "adopt", "alice", ids["bruno"], "--yes")
    difference = f'profile {ids["bruno"]} "Bruno" has another name than alice, who is "Alice"'

    assert (5, True, True) == (refused.code, f"not adopted: {difference}" in refused.err, "--yes" in refused.err)
    assert (0, True) == (agreed.code, f"warning: {difference}" in agreed.err)
    assert [("alice", "replace", "name")] == [tuple(row[2:5]) for row in steps(desk, "alice", ids["alice"])]


def steps(desk, agent, stranger):
    """Return what a sync would do for an agent, once a stranger of that name is gone."""
    assert 0 == desk.run("profiles", "destroy", stranger, "--yes").code
    return desk.run("diff", "--agent", agent).rows[:1]


def test_adopt_refuses_another_picture_without_a_person_s_word(desk):
    """Bound all the same, it is known as another picture, so the next sync replaces it; then nothing is left to do."""
    ids = strangers(desk)
    Image.new("RGB", (48, 48), "navy").save(desk.folder / "avatars" / "face.png")
    refused = desk.run("profiles", "adopt", "alice", ids["alice"])
    agreed = desk.run("profiles", "adopt", "alice", ids["alice"], "--yes")
    difference = f"profile {ids['alice']} shows another picture than alice's, avatars/face.png"

    assert (5, True) == (refused.code, f"not adopted: {difference}" in refused.err)
    assert (0, True) == (agreed.code, f"warning: {difference}" in agreed.err)
    assert [("alice", "replace", "avatar")] == [
        tuple(row[2:5]) for row in desk.run("diff", "--agent", "alice").rows[:1]
    ]
    assert 0 == desk.run("sync", "--yes", "--agent", "alice").code
    assert 0 == desk.run("diff", "--exit-code", "--agent", "alice").code


def test_adopt_believes_a_person_where_the_picture_can_t_be_had(desk):
    """Nothing speaks against it then; but it is told, and needs --yes."""
    ids = strangers(desk)
    with closing(sqlite3.connect(desk.folder / ".profilectl" / "sandbox" / "world.db")) as world, world:
        world.execute("UPDATE media SET content = NULL")

    assert 5 == desk.run("profiles", "adopt", "alice", ids["alice"]).code
    agreed = desk.run("profiles", "adopt", "alice", ids["alice"], "--yes")
    assert (0, True) == (agreed.code, "can't be compared with alice's" in agreed.err)
    assert 0 == desk.run("diff", "--exit-code", "--agent", "alice").code


def test_adopt_asks_about_what_differs(desk):
    """On a terminal the difference stands above the question."""
    ids = strangers(desk)
    declined, screen = desk.watch("profiles", "adopt", "alice", ids["bruno"], answers=b"n\n")

    assert (130, True) == (declined, screen.index("has another name than alice") < screen.index("Bind alice to"))
    assert 0 == desk.watch("profiles", "adopt", "alice", ids["bruno"], answers=b"y\n")[0]


def test_adopt_binds_what_was_agreed_to(desk):
    """While the question stands the roster gives the agent another name: what differs now is told, and asked anew."""
    ids = strangers(desk)

    def edit():
        desk.write(("alice", "Alice F."), TEAM[1])
        return b"y\n"

    code, screen = desk.watch("profiles", "adopt", "alice", ids["alice"], at_questions=(edit, lambda: b"n\n"))

    assert 130 == code
    assert "something has changed meanwhile, so nothing was adopted" in screen
    assert 'has another name than alice, who is "Alice F."' in screen
    assert "unmanaged" == profiles(desk)["Alice"]["status"]


# What newcomers meet


@pytest.mark.usefixtures("any_x")
def test_a_list_of_nothing_says_so(desk):
    """Nothing on stdout, and a sentence beside it; the document is empty."""
    desk.write(*TEAM)
    result = desk.run("profiles", "list")

    assert (0, "", True) == (result.code, result.out, "X has no profiles of acme yet: `profilectl sync`" in result.err)
    assert "" == desk.run("profiles", "list", "-q").err
    assert [] == desk.run("profiles", "list", "--json").document["profiles"]
    code, screen = desk.watch("profiles", "list")
    assert (0, False) == (code, "created" in screen)


@pytest.mark.parametrize("words", [("adopt", "alice", "999999"), ("destroy", "999999")])
def test_an_id_that_isn_t_there_names_the_list(desk, words):
    """The ids that there are stand in `profiles list`."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM).run("sync", "--yes")

    assert "hint: `profilectl profiles list`" in desk.run("profiles", *words, "--yes").err


# Documents


def test_adopt_prints_a_document(desk):
    """With --json nothing else is on stdout."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    orphan(desk, *TEAM)
    profile_id = profiles(desk)["Alice"]["id"]
    document = desk.run("profiles", "adopt", "alice", profile_id, "--yes", "--json").document

    assert {
        "schema": "profilectl.adopt/1",
        "sandbox": True,
        "brand": "acme",
        "agent": "alice",
        "profile_id": profile_id,
        "name": "Alice",
    } == document


QUESTIONS = {
    "adopt": (["profiles", "adopt", "alice", "ID"], "strangers"),
    "destroy": (["profiles", "destroy", "ID"], "strangers"),
    "forget": (["profiles", "forget", "alice"], "ours"),
    "offboard": (["offboard", "alice"], "ours"),
    "recover": (["recover"], "strangers"),
}


@pytest.mark.parametrize("answer", [b"n\n", b"\x04", b"\x03"], ids=["no", "Ctrl-D", "Ctrl-C"])
@pytest.mark.parametrize("verb", QUESTIONS)
def test_a_declined_question_is_a_document_and_130(desk, verb, answer):
    """Whoever doesn't agree changes nothing, and a script learns it like every other error."""
    words, whose = QUESTIONS[verb]
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM).run("sync", "--yes")
    profile_id = profiles(desk)["Alice"]["id"]
    if whose == "strangers":
        ledger_of(desk).unlink()
    before = profiles(desk)
    answer = b"\n" if (verb, answer) == ("destroy", b"n\n") else answer
    words = [profile_id if word == "ID" else word for word in words]
    code, screen = desk.watch(*words, "--json", answers=answer)
    documents = [json.loads(line) for line in screen.splitlines() if line.startswith("{")]

    assert (130, 1) == (code, len(documents)), screen
    assert ("profilectl.error/1", 130, "declined") == (
        documents[0]["schema"],
        documents[0]["error"]["code"],
        documents[0]["error"]["kind"],
    )
    assert before == profiles(desk)


ERRORS = [
    ["profiles", "list"],
    ["profiles", "adopt", "alcie", "1"],
    ["profiles", "adopt", "alice", "999"],
    ["profiles", "adopt", "alice"],
    ["profiles", "forget", "alice"],
    ["profiles", "destroy", "x"],
    ["profiles", "destroy", "999"],
    ["offboard", "alcie"],
    ["offboard", "alice", "--brand", "acne"],
    ["recover", "--no-input"],
    ["preview"],
    ["preview", "alcie"],
    ["init"],
    ["demo"],
    ["completion", "bash"],
    ["completion", "tcsh"],
    ["roster", "list", "--brand", "acne"],
    ["roster", "show", "alcie"],
    ["roster", "set", "alcie", "title=x"],
    ["roster", "remove", "alcie"],
    ["roster", "check", "--roster", "none.toml"],
    ["roster", "import", "none.csv"],
    ["roster", "export"],
    ["sandbox", "faults", "{}"],
    ["sandbox", "faults", "{}", "--clear"],
    ["sandbox", "reset", "--url", NOBODY],
    ["sandbox", "serve", "--port", "70000"],
    ["sandbox", "serve", "--world", "none/world.db"],
]


@pytest.mark.parametrize("words", ERRORS, ids=" ".join)
def test_every_error_is_one_document(desk, words):
    """Exactly one versioned document on stdout, its code that of the process, and words on stderr."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM)
    if words == ["profiles", "list"]:
        (desk.folder / "roster.toml").write_text("version = 9\n")
    result = desk.run(*words, "--json")

    assert ("profilectl.error/1", result.code) == (result.document["schema"], result.document["error"]["code"])
    assert result.code
    assert "error: " in result.err
    assert "\\n" not in result.err


@pytest.mark.parametrize(
    ("words", "schema"),
    [
        (["profiles", "list"], "profiles/1"),
        (["offboard", "alice", "--yes"], "offboard/1"),
        (["recover", "--yes"], "recover/1"),
        (["roster", "check"], "check/1"),
        (["roster", "list"], "roster/1"),
        (["roster", "show", "alice"], "agent/1"),
        (["roster", "fmt"], "edit/1"),
        (["init", "--roster", "new/roster.toml"], "init/1"),
        (["sandbox", "faults"], "faults/1"),
        (["sandbox", "reset"], "reset/1"),
    ],
)
def test_every_result_is_one_document(desk, words, schema):
    """Also with nothing to do."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM)
    result = desk.run(*words, "--json")

    assert (0, f"profilectl.{schema}") == (result.code, result.document["schema"])


@pytest.mark.usefixtures("served")
def test_a_mistaken_adoption_says_what_it_retires_and_can_be_taken_back(desk):
    """The face that goes is named, and stays until a sync ends it: adopting it again makes good."""
    desk.write(("alice", "Alice"), ("bruno", "Bruno")).run("sync", "--yes")
    known = desk.run("profiles", "list", "--json").document["profiles"]
    ids = {row["agent"]: row["id"] for row in known}
    assert 0 == desk.run("profiles", "forget", "bruno", "--yes").code
    mistaken = desk.run("profiles", "adopt", "alice", ids["bruno"], "--yes")
    command = shlex.split(mistaken.err.split("destroys it; `profilectl ")[1].split("`")[0])
    back = desk.run(*command, "--yes")

    assert (0, True) == (mistaken.code, f'alice\'s profile {ids["alice"]} "Alice" is retired then' in mistaken.err)
    assert f"`profilectl profiles adopt alice {ids['alice']} --brand acme` takes it back until then" in mistaken.err
    assert (0, True) == (back.code, f"is bound to profile {ids['alice']}" in back.out)


# young profiles that X doesn't list


def test_a_young_profile_that_vanished_settles_in_every_command(desk, served):
    """`profiles list`, `diff` and `sync` name the same minute; the word for scripts stays."""
    desk.write(*TEAM, policy='settle_after = "60s"').run("sync", "--yes")
    profile_id = profiles(desk)["Alice"]["id"]
    with closing(desk.client(served.url)) as client:
        client.destroy_profile(profile_id)
    listed = desk.run("profiles", "list")
    sentence = listed.err.strip()

    assert re.fullmatch(rf"acme: X doesn't list alice's profile {profile_id}, .*; settling until \d\d:\d\d", sentence)
    assert "lost" == {row[3]: row[2] for row in listed.rows}["alice"] == profiles(desk)["Alice"]["status"]
    assert sentence in desk.run("diff").err
    assert sentence in desk.run("sync", "--yes").err
    _, screen = desk.watch("profiles", "list")
    assert sentence.rpartition("; ")[2] in screen
    assert "lost" not in screen


# the local X


def test_receipts_and_questions_say_that_they_are_about_the_local_x(desk):
    """A rehearsal is never taken for the real thing; the tables and documents have said so before."""
    words = "on the local X"
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM).run("sync", "--yes")
    ids = {name: row["id"] for name, row in profiles(desk).items()}
    _, forgetting = desk.watch("profiles", "forget", "alice", answers=b"y\n")
    _, adopting = desk.watch("profiles", "adopt", "alice", ids["Alice"], "--yes")
    desk.run("profiles", "forget", "bruno", "--yes")
    _, destroying = desk.watch("profiles", "destroy", ids["Bruno"], answers=b"Bruno\n")

    assert f"Forget {words} that profile {ids['Alice']}" in forgetting
    assert f"isn't alice's any more {words}: it is still at X" in forgetting
    assert f'alice is bound to profile {ids["Alice"]} "Alice" {words}' in adopting
    assert f'Destroy profile {ids["Bruno"]} "Bruno" {words} for good?' in destroying
    assert f"is destroyed {words}" in destroying
    ledger_of(desk).unlink()
    _, recovering = desk.watch("recover", answers=b"y\n")
    assert (f"Bind 1 profile {words}?" in recovering, f"1 absent {words}" in recovering) == (True, True)
    _, leaving = desk.watch("offboard", "alice", answers=b"y\n")
    assert f"destroy every profile of theirs (acme) {words}?" in leaving
    assert f"nobody can send as alice any more (acme) {words}" in leaving
    assert f"alice is allowed again (acme) {words}" in desk.run("offboard", "alice", "--undo").err
