"""What a list alone doesn't prove is asked by id and by picture, and timed by a clock that nobody sets."""

from __future__ import annotations

from collections import deque

import pytest
from msgspec.structs import replace

from profilectl.errors import ExitCode, LedgerConflict, OutcomeUnknown, RateLimited, Refused, Unreachable
from profilectl.model import Intent, LedgerState, LocalTime, Profile, WithdrawnIntent
from profilectl.plan.intents import Observation
from profilectl.render.phrases import spellings
from profilectl.sync import witnesses
from profilectl.sync.outcomes import Status, exit_code
from tests.sync.small_x import FACE, OTHER_FACE, START, agent, statuses

LOST_ANSWER = OutcomeUnknown("timeout")


def kinds(calls):
    """Return calls without what they were about."""
    return [call.split()[0] for call in calls]


def actions(outcomes):
    return [(outcome.change.action.value, outcome.change.agent, outcome.status.value) for outcome in outcomes]


# Lost


def test_a_lost_profile_costs_two_lists_and_one_question(run, x):
    """X's own word makes it anew."""
    run.sync(agent("alice"), agent("bruno"))
    del x.profiles["1"]
    x.calls.clear()
    outcomes = run.sync(agent("alice"), agent("bruno"))

    assert ["list", "list", "show 1", "upload", "create Alice"] == x.calls
    assert [("create", "alice", "done")] == actions(outcomes)


def test_what_the_second_list_has_is_not_asked_about(run, x):
    """A list that was short once decides nothing, and costs one more reading."""
    run.sync(agent("alice"))
    x.hidden.add("1")
    original = x.list_profiles

    def list_profiles():
        listed = original()
        x.hidden.clear()
        return listed

    x.list_profiles = list_profiles
    x.calls.clear()

    assert ([], ["list", "list"]) == (run.sync(agent("alice")), x.calls)


@pytest.mark.parametrize("size", [1, 4, 40])
def test_a_list_that_lacks_what_x_has_ends_the_run(run, x, size):
    """One answer is enough to know that nothing can be concluded from the list."""
    team = [agent(f"a{number}", f"Agent {number}") for number in range(size)]
    run.sync(*team)
    x.hidden |= set(x.profiles)
    x.calls.clear()
    with pytest.raises(Unreachable, match=r"brand acme: X's list lacks profile \d+, which X has: it isn't complete"):
        run.sync(*team)

    assert ["list", "list", "show"] == kinds(x.calls)
    assert size == len(x.profiles)


def test_half_a_list_ends_the_run_even_when_some_are_really_gone(run, x):
    """All that is missing is asked about, and one that X has says what the list is worth."""
    team = [agent(f"a{number}", f"Agent {number}") for number in range(10)]
    run.sync(*team)
    del x.profiles["1"]
    x.hidden.add("7")
    with pytest.raises(Unreachable, match="lacks profile 7"):
        run.sync(*team)

    assert 9 == len(x.profiles)


@pytest.mark.parametrize("answer", [Unreachable("down"), RateLimited("slow"), Refused("no"), OutcomeUnknown("?")])
def test_without_an_answer_the_agent_waits(run, x, answer):
    """Nothing is made while X doesn't say that it has no such profile; a later run asks again."""
    run.sync(agent("alice"))
    del x.profiles["1"]
    x.before["show 1"] = deque([answer])
    first = run.sync(agent("alice"))
    second = run.sync(agent("alice"))

    assert [("blocked", "alice", "skipped")] == actions(first)
    assert ExitCode.TRY_LATER == exit_code(first)
    assert [("create", "alice", "done")] == actions(second)


def test_a_young_profile_is_not_asked_about(run, x):
    """It may just not be listed yet."""
    run.sync(agent("alice"), settle_after=60)
    x.hidden.add("1")
    x.calls.clear()

    assert ([], ["list"]) == (run.sync(agent("alice"), settle_after=60), x.calls)


def test_no_more_questions_than_x_answers_in_a_quarter_of_an_hour(run, x):
    """The rest isn't gone, as far as anybody knows, and the next run asks about it."""
    run.sync(*(agent(f"a{number}", f"Agent {number}") for number in range(witnesses.MOST_SHOWN + 5)), jobs=8)
    x.profiles.clear()
    x.calls.clear()
    observation = run.observe()

    assert witnesses.MOST_SHOWN == len(observation.gone) == kinds(x.calls).count("show") == 180


# Not made


def unanswered(run, x, name="Alice"):
    """Let a create go unanswered that was never applied, by a run that has no time; return the next run's start."""
    x.before[name] = deque([LOST_ANSWER])
    run.may_wait = False
    assert {"alice": "unknown"} == statuses(run.sync(agent("alice"), settle_after=60))
    run.may_wait = True
    x.calls.clear()
    return x.time_ms


def test_looking_only_reads_twice_and_waits_for_nothing(run, x):
    """Without a wait two lists have to do, of which the second may follow at once."""
    start = unanswered(run, x)
    x.time_ms += 100_000
    observation = run.observe(60)

    assert (["list", "list"], 2) == (x.calls, observation.readings)
    assert x.time_ms - start < 101_000


def test_a_list_between_the_answer_and_the_second_reading_is_believed(run, x):
    """A profile that any of the readings has shown is there, whatever the last one says."""
    run.sync(agent("alice"))
    x.time_ms += 100_000
    original, lists = x.list_profiles, []

    def list_profiles():
        lists.append(1)
        return original() if len(lists) == 2 else ()

    x.list_profiles = list_profiles

    assert {"1"} == run.observe(60).listed()


def test_a_date_that_jumps_ahead_settles_nothing(run, x):
    """By this machine's clock a second has passed, whatever X's Date says."""
    start = unanswered(run, x)
    x.jump_ms = 3_600_000
    run.sync(agent("alice"), settle_after=60)

    assert ["Alice"] == x.live()
    assert x.time_ms - start >= 59_000


def test_a_date_that_is_set_back_settles_nothing(run, x):
    """X's clock, by which it lists, hasn't come to the moment yet."""
    start = unanswered(run, x)
    x.jump_ms = -100_000
    run.sync(agent("alice"), settle_after=60)

    assert x.time_ms - start >= 159_000


@pytest.mark.parametrize("boot", ["another start", ""])
def test_after_a_restart_x_is_watched_for_the_whole_time(run, x, boot):
    """Nobody knows how long ago it was that a create left, but X has shown nothing for long enough."""
    start = unanswered(run, x)
    x.boot = boot
    x.time_ms += 1_000_000
    run.sync(agent("alice"), settle_after=60)

    assert ["Alice"] == x.live()
    assert x.time_ms - start - 1_000_000 >= 60_000 + 35_000


# Whose is it?


def test_another_picture_is_for_a_person(run, x):
    """Somebody made a profile of that name with another face: it is neither bound nor made again."""
    unanswered(run, x)
    x.profiles["9"] = Profile("9", "Alice", "https://pbs.example/9", x.now_ms())
    x.pictures["https://pbs.example/9"] = OTHER_FACE
    outcomes = run.sync(agent("alice"), settle_after=60)

    assert [("blocked", "alice", "skipped")] == actions(outcomes)
    assert (["ambiguous"], ExitCode.PERSON) == ([*outcomes[0].change.why], exit_code(outcomes))
    assert ["Alice"] == x.live()


@pytest.mark.parametrize("content", [None, b"", b"<html>"])
def test_without_a_picture_a_person_decides(run, x, content):
    """It can't be had, or is none."""
    x.after["Alice"] = deque([LOST_ANSWER])
    if content is None:
        x.before["download"] = deque([Unreachable("down")] * 9)
    else:
        x.pictures["https://pbs.example/1"] = content
    outcomes = run.sync(agent("alice"))

    assert [("blocked", "alice", "skipped")] == actions(outcomes)
    assert (["Alice"], 1) == (x.live(), len(run.state_of().intents))


def test_a_picture_is_fetched_once_in_a_run(run, x):
    """However often the list is read."""
    unanswered(run, x)
    x.profiles["9"] = Profile("9", "Somebody else", "https://pbs.example/9", x.now_ms())
    x.pictures["https://pbs.example/9"] = OTHER_FACE
    outcomes = run.sync(agent("alice"), settle_after=60)

    assert (1, True) == (x.calls.count("download"), x.calls.count("list") > 3)
    assert [("create", "alice", "done")] == actions(outcomes)


def test_no_more_pictures_are_fetched_than_a_doubt_is_worth():
    """What isn't fetched stays in doubt."""
    fetched = []

    class Served:
        def download(self, url):
            fetched.append(url)
            return FACE.content

    strangers = tuple(Profile(str(n), "Alice", f"https://pbs.example/{n}", START + 1) for n in range(250))
    open_intent = Intent("n1", "alice", "Alice", "sha256:aa", frozenset(), START, picture=FACE.signature)
    observation = Observation("acme", strangers, START + 2, LedgerState(intents=(open_intent,)))
    compared = witnesses.compare_pictures(observation, Served())

    assert [witnesses.MOST_PICTURES] * 3 == [len(fetched), len(compared.same_picture), 200]
    assert {True} == set(compared.same_picture.values())


def test_withdrawn_intents_have_their_pictures_compared_while_they_are_remembered():
    """For two days a create may turn out to have been late."""

    class Served:
        def download(self, url):
            return FACE.content

    made = Profile("5", "Alice", "https://pbs.example/5", START + 1)
    former = Intent("n1", "alice", "Alice", "sha256:aa", frozenset(), START, picture=FACE.signature)
    observed = [
        Observation("acme", (made,), START + later, LedgerState(withdrawn=(WithdrawnIntent(former, START),)))
        for later in (1000, 2 * 86_400_000, 2 * 86_400_000 + 1)
    ]

    assert [{("n1", "5"): True}, {("n1", "5"): True}, {}] == [
        witnesses.compare_pictures(observation, Served()).same_picture for observation in observed
    ]


# Late


@pytest.fixture
def late(run, x):
    """Let X apply a create after it was taken for lost."""
    unanswered(run, x)

    def apply():
        x.time_ms += 1000
        x.profiles["9"] = Profile("9", "Alice", "https://pbs.example/9", x.now_ms())

    return apply


def test_a_late_profile_of_an_agent_who_has_one_goes_as_ours(run, x, late):
    """The create was repeated after the settle time, and then the first one was applied as well."""
    run.sync(agent("alice"), settle_after=60)
    late()
    outcomes = run.sync(agent("alice"), settle_after=60)

    assert [("destroy", "alice", "done")] == actions(outcomes)
    assert (["1"], [], ()) == (list(x.profiles), [*run.state_of().retired], run.state_of().withdrawn)


def test_a_late_profile_of_an_agent_who_has_none_is_the_agent_s(run, x, late):
    """A run without the agent gave the create up; the next one with it needs no new profile."""
    run.sync(agent("bruno"), settle_after=60)
    late()
    outcomes = run.sync(agent("alice"), agent("bruno"), settle_after=60)

    assert [("adopt", "alice", "done")] == actions(outcomes)
    assert (["Alice", "Bruno"], "9") == (x.live(), run.state_of().binding("alice").profile_id)


def test_what_x_refused_is_never_taken_for_late(run, x):
    """Only X's own refusal closes an intent at once, so a profile of that name afterwards is a stranger's."""
    x.before["Alice"] = deque([Refused("no")])
    run.sync(agent("alice"))
    x.profiles["9"] = Profile("9", "Alice", "https://pbs.example/9", x.now_ms())
    outcomes = run.sync(agent("alice"))

    assert [("blocked", "alice", "skipped")] == actions(outcomes)
    assert ["9"] == list(x.profiles)


def test_a_late_profile_that_is_bound_meanwhile_is_that_step_s_failure(run, x, late, monkeypatch):
    """The ledger refuses to take it, so it isn't destroyed."""
    run.sync(agent("alice"), settle_after=60)
    late()

    def taken(*args, **kwargs):
        raise LedgerConflict("profile 9 is bound already, for agent zoe")

    monkeypatch.setattr(run.ledger, "retire_late", taken)
    outcomes = run.sync(agent("alice"), settle_after=60)

    assert [("destroy", "alice", "failed")] == actions(outcomes)
    assert "9" in x.profiles


# One agent's matter


def test_an_answer_with_another_s_id_ends_that_agent_only(run, x):
    """The others go on, and the intent stays open, as nobody knows what X made."""
    run.sync(agent("zoe"))
    original = x.create_profile

    def create_profile(name, media_id, leaves_by_ms=None):
        made = original(name, media_id)
        return replace(made, id="1") if name == "Alice" else made

    x.create_profile = create_profile
    outcomes = run.sync(agent("zoe"), agent("alice"), agent("bruno"))

    assert {"alice": "done", "bruno": "done"} == statuses(outcomes)
    assert ["Alice", "Bruno", "Zoe"] == x.live()
    assert {"1": "zoe", "2": "alice", "3": "bruno"} == {
        binding.profile_id: binding.agent for binding in run.state_of().bindings
    }


@pytest.mark.parametrize("deed", ["begin_intent", "finish_intent"])
def test_an_agent_who_is_offboarded_meanwhile_gets_nothing(run, x, monkeypatch, deed):
    """Before the intent nothing is made; afterwards what was made goes. The others go on."""
    original = getattr(run.ledger, deed)

    def offboarded_first(*args, **kwargs):
        if not run.state_of().blocked:
            run.ledger.block("1", "alice", START)
        return original(*args, **kwargs)

    monkeypatch.setattr(run.ledger, deed, offboarded_first)
    outcomes = run.sync(agent("alice"), agent("bruno"))
    run.sync(agent("bruno"))

    assert {"alice": "failed", "bruno": "done"} == statuses(outcomes)
    assert "alice was offboarded meanwhile" in str(next(outcome.error for outcome in outcomes if outcome.error))
    assert (["Bruno"], None, ()) == (x.live(), run.state_of().binding("alice"), run.state_of().intents)


def test_an_unanswered_replacement_ends_as_an_answered_one(run, x):
    """Without grace the old face goes in the same run, after the adoption of the new one."""
    run.sync(agent("alice"))
    x.after["Ally"] = deque([LOST_ANSWER])
    x.calls.clear()
    outcomes = run.sync(agent("alice", "Ally"), retire_after=0)

    assert ["list", "upload", "create Ally", "list", "download", "show 2", "destroy 1"] == x.calls
    assert [("replace", "alice", "done"), ("destroy", "alice", "done")] == actions(outcomes)
    assert (["Ally"], ()) == (x.live(), run.state_of().retired)


def test_another_spelling_is_noted_once(run, x):
    """What X makes of a name is kept beside what was sent, and nothing is made of it."""
    run.sync(agent("alice", "Tom & Jo"))
    x.profiles["1"] = replace(x.profiles["1"], name="Tom &amp; Jo")
    x.calls.clear()
    outcomes = run.sync(agent("alice", "Tom & Jo"))

    assert ([], ["list"]) == (outcomes, x.calls)
    binding = run.state_of().binding("alice")
    assert ("Tom & Jo", "Tom &amp; Jo") == (binding.name, binding.name_as_shown)


def test_another_spelling_of_a_new_profile_is_told_with_it(run, x):
    """The outcome of the create says how X writes the name, once, and what it makes is the agent's."""
    original = x.create_profile

    def create_profile(name, media_id, leaves_by_ms=None):
        made = replace(original(name, media_id), name=name.replace("&", "&amp;"))
        x.profiles[made.id] = made
        return made

    x.create_profile = create_profile
    [outcome] = run.sync(agent("alice", "Tom & Jo"))

    assert ("Tom &amp; Jo", Status.DONE) == (outcome.name_shown, outcome.status)
    assert ['acme: alice\'s name is "Tom &amp; Jo" at X, and "Tom & Jo" in the roster'] == [*spellings([outcome])]
    assert [] == run.sync(agent("alice", "Tom & Jo"))


def test_a_moment_of_another_start_is_no_moment():
    """Nor is one whose start nobody knows."""
    then = LocalTime("a", 1000)

    assert [500, None, None] == [
        LocalTime("a", 1500).since(then),
        LocalTime("b", 1500).since(then),
        LocalTime("", 1500).since(LocalTime("", 1)),
    ]


def test_what_another_account_s_list_shows_is_not_adopted(run, x):
    """A candidate that X doesn't have by its id is left out, and what X has is adopted when its own list shows it."""
    x.after["Alice"] = deque([LOST_ANSWER])
    run.may_wait = False
    x.hidden.add("1")
    run.sync(agent("alice"), settle_after=60)
    original = x.list_profiles
    x.list_profiles = lambda: (Profile("96", "Alice", "https://pbs.example/x", x.profiles["1"].created_ms),)
    lied = run.sync(agent("alice"), settle_after=60)
    x.list_profiles = original
    x.hidden.clear()
    outcomes = run.sync(agent("alice"), settle_after=60)

    assert [("blocked", "alice", "skipped")] == actions(lied)
    assert [("adopt", "alice", "done")] == actions(outcomes)
    assert ["1"] == [binding.profile_id for binding in run.state_of().bindings]
