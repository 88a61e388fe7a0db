"""Keys that are changed, as an admin does it: by command and by hand, on every engine, and never a call that writes."""

from __future__ import annotations

import pytest

AGENTS = [(f"agent{number}", f"Person {number}") for number in range(12)]
WRITES = ("upload", "create", "destroy")


def written(document):
    return sum(document["requests"][kind] for kind in WRITES)


def profiles(desk):
    rows = desk.run("profiles", "list", "--json").document["profiles"]
    return {row["agent"]: row["id"] for row in rows if row["status"] == "bound"}


def events(desk, what):
    return desk.run("audit", "log", "--event", what, "--json").document["records"]


@pytest.fixture
def team(desk, served):
    """Twelve agents whose profiles are at X."""
    desk.write(*AGENTS)
    assert desk.run("sync", "--yes").code == 0
    return desk


@pytest.fixture(params=["sqlite", "postgres"])
def any_ledger(request, desk):
    if request.param == "postgres":
        desk.env["PROFILECTL_LEDGER"] = request.getfixturevalue("postgres").address(query="schema=renames")
    return request.param


def by_command(desk):
    for number in range(12):
        assert desk.run("roster", "rename", f"agent{number}", f"person{number}").code == 0


def by_hand(desk):
    path = desk.folder / "roster.toml"
    text = path.read_text().replace("[agents.agent", "[agents.person")
    path.write_text(text + "".join(f'[[moved]]\nfrom = "agent{n}"\nto = "person{n}"\n' for n in range(12)))


@pytest.mark.parametrize("rename", [by_command, by_hand])
def test_twelve_keys_are_changed_and_nothing_is_written_at_x(team, rename):
    """The plan says who was who, the sync writes nothing at X, the bindings follow, and then nothing is left to do."""
    before = profiles(team)
    rename(team)

    plan = team.run("diff", "--json", "--exit-code")
    assert (3, 12, 0) == (plan.code, plan.document["summary"]["rename"], plan.document["summary"]["unchanged"])
    assert ["agent0", "person0"] == [plan.document["changes"][0]["former"], plan.document["changes"][0]["agent"]]
    assert before == {
        key.replace("person", "agent"): number for key, number in profiles(team).items()
    }  # as diff sees it

    sync = team.run("sync", "--yes", "--json")
    assert (0, 0, 12) == (sync.code, written(sync.document), sync.document["summary"]["done"])
    again = team.run("sync", "--yes", "--json")
    assert (0, 0, []) == (again.code, written(again.document), again.document["results"])
    assert {key.replace("agent", "person"): number for key, number in before.items()} == profiles(team)
    assert "nothing to do" in team.run("sync", "--yes").err


def test_the_record_tells_and_agrees(team):
    """The record has each change of a key, and what it says is what the ledger holds."""
    by_hand(team)
    team.run("sync", "--yes")
    assert 12 == len(events(team, "renamed"))
    assert 0 == team.run("audit", "verify").code
    who = team.run("audit", "who", "Person 3", "--json").document
    assert ["person3"] == [face["agent"] for face in who["faces"]]


def test_a_message_as_the_new_key_needs_no_sync(team):
    """Before any sync the new key speaks with the profile of the former one, and the ledger isn't changed for it."""
    team.run("roster", "rename", "agent0", "alice")
    sent = team.run("send", "--as", "alice", "--to", "@customer", "Hello", "--json")
    assert (0, True) == (sent.code, sent.document["verified"])
    assert [] == events(team, "renamed")
    old = team.run("send", "--as", "agent0", "--to", "@customer", "Hello")
    assert (2, True) == (old.code, "agent0 is called alice now" in old.err)


def test_a_repeat_after_the_change_is_the_same_message(team):
    """What was sent under a key before is known as sent after the agent's key was changed, and after the sync too."""
    words = ("--to", "@customer", "Hello", "--key", "k1", "--json")
    assert "sent" == team.run("send", "--as", "agent0", *words).document["status"]
    team.run("roster", "rename", "agent0", "alice")
    assert "already-sent" == team.run("send", "--as", "alice", *words).document["status"]
    team.run("sync", "--yes")
    assert "already-sent" == team.run("send", "--as", "alice", *words).document["status"]


def test_two_profiles_are_a_person_s_to_decide(team):
    """Where both keys have a profile, nothing of either changes, and the command that helps is named."""
    path = team.folder / "roster.toml"
    path.write_text(path.read_text().replace("[agents.agent0]", "[agents.person0]").replace("Person 0", "Person X"))
    team.run("sync", "--yes")  # without an entry: agent0 is retired, person0 made
    team.run("roster", "add", "agent0", "--name", "Person 0")
    team.run("sync", "--yes")
    team.run("roster", "remove", "agent0")
    path.write_text(path.read_text() + '[[moved]]\nfrom = "agent0"\nto = "person0"\n')
    before = profiles(team)

    refused = team.run("sync", "--yes", "--json")
    assert (7, 0) == (refused.code, written(refused.document))
    assert "each has a profile" in refused.err
    assert {*before} == {*profiles(team)}

    assert f"profilectl profiles adopt person0 {before['agent0']} --brand acme" in refused.err
    assert 0 == team.run("profiles", "adopt", "person0", before["agent0"], "--yes").code
    assert before["agent0"] == profiles(team)["person0"]
    assert 0 == team.run("audit", "verify").code
    assert (0, 0) == (team.run("sync", "--yes").code, team.run("sync", "--yes").code)
    assert "agent0" not in profiles(team)


def test_a_block_holds_under_the_new_key(team):
    """Who was offboarded under the former key can't send under the new one, before a sync and after it."""
    team.run("offboard", "agent0", "--yes")
    team.run("roster", "rename", "agent0", "alice")
    for _ in range(2):
        refused = team.run("send", "--as", "alice", "--to", "@customer", "Hello")
        assert (5, True) == (refused.code, "alice was offboarded" in refused.err)
        assert 7 == team.run("sync", "--yes").code
    assert 0 == team.run("offboard", "alice", "--undo").code
    assert 0 == team.run("sync", "--yes").code


def test_an_offboarding_takes_the_former_key_s_profile(team):
    """Who leaves under the new key before any sync loses the profile that the ledger has under the former one."""
    team.run("roster", "rename", "agent0", "alice")
    old = team.run("offboard", "agent0", "--yes")
    assert (2, True) == (old.code, "agent0 is called alice now" in old.err)
    result = team.run("offboard", "alice", "--yes", "--json")
    assert (0, ["destroyed"]) == (result.code, [each["status"] for each in result.document["results"]])
    assert 7 == team.run("sync", "--yes").code


def test_only_the_chosen_agent_is_followed(team):
    """With --agent the others' keys stay as they are in the ledger until a run is about them."""
    by_hand(team)
    sync = team.run("sync", "--yes", "--agent", "person3", "--json")
    assert ["person3"] == [result["agent"] for result in sync.document["results"]]
    assert 11 == team.run("diff", "--json").document["summary"]["rename"]
    former = team.run("diff", "--agent", "agent4")
    assert (2, True) == (former.code, "agent4 is called person4 now" in former.err)


def test_a_ledger_of_either_kind_follows(any_ledger, team):
    """On a file and on PostgreSQL alike."""
    by_hand(team)
    assert (0, 0) == ((sync := team.run("sync", "--yes", "--json")).code, written(sync.document))
    assert "person11" in profiles(team)
    assert 0 == team.run("audit", "verify").code


def test_a_saved_plan_of_renames_is_applied(team):
    """A plan that was reviewed holds the changes of keys, too."""
    by_hand(team)
    team.run("diff", "--out", "plan.json")
    applied = team.run("sync", "--plan", "plan.json", "--yes", "--json")
    assert (0, 12) == (applied.code, applied.document["summary"]["done"])


def test_a_rename_and_a_new_name_at_once(team):
    """A key and a name that change together are one change of a key and one replacement, never a deletion."""
    team.run("roster", "rename", "agent0", "alice")
    team.run("roster", "set", "alice", "name=Alice F.")
    rows = [(row[2], row[3], row[4]) for row in team.run("diff").rows]
    assert [("alice", "rename", "moved:agent0"), ("alice", "replace", "name")] == rows
    assert 0 == team.run("sync", "--yes").code
    assert "Alice F." in team.run("profiles", "list").out


def test_somebody_who_was_offboarded_takes_nobody_s_face_along(team):
    """A key of theirs that another agent gets is a person's to decide (7), and the other one's profile stays."""
    assert team.run("offboard", "agent0", "--yes").code == 0
    team.write(*AGENTS[1:])
    before = profiles(team)
    assert team.run("roster", "rename", "agent1", "agent0").code == 0
    done = team.run("sync", "--yes", "--json")

    assert (7, 0) == (done.code, written(done.document))
    assert before["agent1"] in {row["id"] for row in team.run("profiles", "list", "--json").document["profiles"]}
    assert "offboard --undo agent0" in team.run("diff").err


def test_a_protection_of_former_times_is_no_tampering(team):
    """Who gets a key that a protected agent had isn't protected by their record."""
    protected = "protected = true"
    team.write(("agent0", "Person 0", protected), *AGENTS[1:])
    assert team.run("sync", "--yes").code == 0
    team.write(*AGENTS)
    assert team.run("sync", "--yes").code == 0
    team.write(*AGENTS[1:], ("new", "Person New", protected))
    assert team.run("sync", "--yes").code == 0
    assert team.run("roster", "rename", "new", "agent0").code == 0
    assert team.run("sync", "--yes").code == 0

    assert 0 == team.run("audit", "verify").code


def test_a_rename_of_somebody_else_stops_no_labelled_run(team):
    """What isn't selected is left for a later run, a new protection included."""
    label = 'labels = { team = "x" }'
    team.write(("agent0", "Person 0", label), *AGENTS[1:])
    assert team.run("sync", "--yes").code == 0
    team.write(("agent0", "Person Zero", label), ("agent1", "Person 1", "protected = true"), *AGENTS[2:])
    assert team.run("roster", "rename", "agent1", "billing").code == 0

    assert 0 == team.run("sync", "--yes", "-l", "team=x").code
    assert 0 == team.run("sync", "--yes").code


def test_a_neutral_face_stays_when_the_key_changes(team):
    """Name and picture without consent are made of the first key: a rename replaces nothing."""
    without = "consent = { name = false, photo = false }"
    team.write(("agent0", "Person 0", without), *AGENTS[1:])
    assert team.run("sync", "--yes").code == 0
    assert team.run("roster", "rename", "agent0", "other").code == 0
    done = team.run("sync", "--yes", "--json")

    assert (0, 0) == (done.code, written(done.document))


def test_a_brand_with_another_key_keeps_its_profiles_in_every_count(team):
    """The account is what counts: `doctor`, `profiles list` and `diff` go by its user id."""
    before = profiles(team)
    team.write(*AGENTS, brands={"care": "acmecare"})
    checks = {row["check"]: row for row in team.run("doctor", "--json").document["checks"]}

    assert "12 bound, 0 retired, 0 not ours" in checks["profiles"]["message"]
    assert before == profiles(team)
    assert 0 == team.run("diff", "--exit-code").code


@pytest.mark.parametrize(
    "words",
    [
        "roster set julie-kowalski title=Lead",
        "roster set julie-kowalski --photo no.png",
        "roster remove julie-kowalski",
        "roster rename julie-kowalski julie-k",
        "roster show julie-kowalski",
        "roster list --agent julie-kowalski",
        "roster export --agent julie-kowalski",
        "preview julie-kowalski",
        "diff --except julie-kowalski:name",
    ],
)
def test_whoever_types_the_former_key_learns_the_one_of_today(desk, words):
    """Over two changes; a colleague's key is never the answer."""
    desk.write(("julie-kowalski", "Julie"), ("julia-kowalski", "Julia"))
    for old, new in [("julie-kowalski", "julie-k"), ("julie-k", "julie-oster")]:
        assert 0 == desk.run("roster", "rename", old, new).code
    before = (desk.folder / "roster.toml").read_bytes()
    done = desk.run(*words.split())

    assert (2, "error: julie-kowalski is called julie-oster now") == (done.code, done.err.splitlines()[0])
    assert "hint: use julie-oster; the roster's [[moved]] says so" == done.err.splitlines()[1]
    assert before == (desk.folder / "roster.toml").read_bytes()
