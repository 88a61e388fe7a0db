"""Syncs against a small X that does what the test says, and a real ledger."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime

import pytest

from profilectl.errors import (
    CredentialsRefused,
    ExitCode,
    LedgerRefused,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unreachable,
)
from profilectl.sync.outcomes import Status, count, exit_code
from tests.sync.small_x import START, agent, statuses


def test_a_create_is_one_upload_and_one_create(run, x):
    """Least calls: one list, then two calls per agent; the next one's picture is sent while the intent is written."""
    run.sync(agent("alice"), agent("bruno"), agent("chidi"))

    creates = ["create Alice", "upload", "create Bruno", "create Chidi"]
    assert ["list", "upload", "upload", *creates] == x.calls


def test_a_second_sync_only_lists(run, x):
    """Nothing to do is one list and nothing else."""
    run.sync(agent("alice"))
    x.calls.clear()

    assert ([], ["list"]) == (run.sync(agent("alice")), x.calls)


def test_the_old_profile_lives_until_its_grace_is_over(run, x):
    """A rename creates the new one, retires the old one, and destroys it only in a run after the grace."""
    run.sync(agent("alice"))
    run.sync(agent("alice", "Ally"))
    during = x.live()
    x.time_ms += 900_000
    run.sync(agent("alice", "Ally"))

    assert (["Alice", "Ally"], ["Ally"]) == (during, x.live())


def test_no_gap_even_without_grace(run, x):
    """With a grace of nothing the old one still goes after the new one is bound, in the same run."""
    run.sync(agent("alice"))
    x.calls.clear()
    run.sync(agent("alice", "Ally"), retire_after=0)

    assert ["list", "upload", "create Ally", "destroy 1"] == x.calls
    assert ("2", ()) == (run.state_of().bindings[0].profile_id, run.state_of().retired)


def test_an_unanswered_create_is_adopted_in_the_same_run(run, x):
    """An answer lost after X applied the create costs one more list and no second profile."""
    x.after["Alice"] = deque([OutcomeUnknown("timeout")])
    outcomes = run.sync(agent("alice"))

    assert ({"alice": "done"}, ["Alice"]) == (statuses(outcomes), x.live())
    assert "create" == outcomes[0].change.action.value


def test_an_unanswered_replacement_retires_the_old_profile(run, x):
    """Adoption after a lost answer does all that the answer would have done."""
    run.sync(agent("alice"))
    x.after["Ally"] = deque([OutcomeUnknown("timeout")])
    run.sync(agent("alice", "Ally"))

    assert [("2", "alice")] == [(one.profile_id, one.agent) for one in run.state_of().bindings]
    assert ["1"] == [one.profile_id for one in run.state_of().retired]


def test_an_unanswered_create_that_was_not_applied_is_made_again(run, x):
    """Nothing is created again until a list after the settle time has shown that nothing was made."""
    x.before["Alice"] = deque([OutcomeUnknown("timeout")])
    outcomes = run.sync(agent("alice"), settle_after=60)

    assert ({"alice": "done"}, ["Alice"]) == (statuses(outcomes), x.live())
    assert sum(run.waits) == pytest.approx(60, abs=1)


def test_a_lagging_list_is_waited_for(run, x):
    """A profile that X doesn't list yet is found later, never made twice."""
    x.after["Alice"] = deque([OutcomeUnknown("timeout")])
    x.hidden.add("1")
    original = run.wait

    def wait(seconds, why):
        if sum(run.waits) > 20:
            x.hidden.clear()
        return original(seconds, why)

    run.wait = wait
    outcomes = run.sync(agent("alice"), settle_after=60)

    assert ({"alice": "done"}, ["Alice"]) == (statuses(outcomes), x.live())


def test_without_time_the_intent_stays_for_the_next_run(run, x):
    """Too little patience ends with "later", and the next run adopts."""
    x.after["Alice"] = deque([OutcomeUnknown("timeout")])
    x.hidden.add("1")
    run.may_wait = False
    outcomes = run.sync(agent("alice"), settle_after=60)
    x.hidden.clear()
    run.sync(agent("alice"), settle_after=60)

    assert ({"alice": "unknown"}, ExitCode.TRY_LATER) == (statuses(outcomes), exit_code(outcomes))
    assert ["Alice"] == x.live()
    assert () == run.state_of().intents


def test_nothing_is_deleted_while_a_create_is_in_doubt(run, x):
    """Removal waits for the round in which everything is settled."""
    run.sync(agent("alice"), agent("bruno"))
    x.after["Chidi"] = deque([OutcomeUnknown("timeout")])
    x.calls.clear()
    run.sync(agent("bruno"), agent("chidi"))

    assert ["list", "upload", "create Chidi", "list", "download", "show 3", "destroy 1"] == x.calls


def test_nothing_is_deleted_after_a_failed_create(run, x):
    """A create that X refuses keeps the leaving agent's face for this run; the others go on."""
    run.sync(agent("alice"))
    x.before["Bruno"] = deque([Refused("no")])
    outcomes = run.sync(agent("bruno"), agent("chidi"))

    assert {"bruno": "failed", "chidi": "done", "alice": "skipped"} == statuses(outcomes)
    assert ExitCode.PARTIAL == exit_code(outcomes)
    assert () == run.state_of().intents


def test_a_create_that_never_left_is_tried_again_under_a_new_attempt(run, x):
    """A refused connection is repeated after a pause, and the settle time counts from the repetition."""
    x.before["Alice"] = deque([Unreachable("refused"), Unreachable("refused")])
    outcomes = run.sync(agent("alice"))

    assert ({"alice": "done"}, [1.0, 2.0]) == (statuses(outcomes), run.waits)
    assert 2 == [record.event.what for record in run.ledger.events()].count("reattempted")


def test_a_create_that_never_leaves_fails_after_three_tries(run, x):
    """Three tries, then the intent is closed and the run says so."""
    x.before["Alice"] = deque([Unreachable("refused")] * 3)
    outcomes = run.sync(agent("alice"))

    assert ({"alice": "failed"}, ()) == (statuses(outcomes), run.state_of().intents)
    assert ExitCode.TRY_LATER == exit_code(outcomes)


def test_the_quota_stops_the_run_cleanly(run, x):
    """Over the day's creates nothing more is begun, and everybody left knows when to come back."""
    tomorrow = datetime.fromtimestamp(START / 1000 + 86_400, UTC)
    x.before["Bruno"] = deque([RateLimited("over", retry_at=tomorrow)])
    original = run.wait
    run.wait = lambda seconds, why: seconds < 600 and original(seconds, why)
    outcomes = run.sync(agent("alice"), agent("bruno"), agent("chidi"))

    assert {"alice": "done", "bruno": "skipped", "chidi": "skipped"} == statuses(outcomes)
    assert {tomorrow} == {one.error.retry_at for one in outcomes if one.error}
    assert (ExitCode.TRY_LATER, ()) == (exit_code(outcomes), run.state_of().intents)


def test_a_short_rate_limit_is_waited_for(run, x):
    """A reset that fits into the patience is waited for, and the create repeated."""
    x.before["Alice"] = deque([RateLimited("slow", retry_at=datetime.fromtimestamp(START / 1000 + 30, UTC))])

    assert {"alice": "done"} == statuses(run.sync(agent("alice")))
    assert [pytest.approx(30, abs=1)] == run.waits


def test_refused_credentials_end_the_run(run, x):
    """A token that was revoked in the middle isn't tried for everybody else."""
    x.before["Alice"] = deque([CredentialsRefused("revoked")])
    outcomes = run.sync(agent("alice"), agent("bruno"))

    assert ({"alice": "failed", "bruno": "skipped"}, []) == (statuses(outcomes), x.live())
    assert ExitCode.CREDENTIALS == exit_code(outcomes)


def test_a_failed_upload_leaves_no_doubt(run, x):
    """However an upload failed, no create was sent: the intent is closed."""
    x.before["upload"] = deque([OutcomeUnknown("timeout")])

    assert ({"alice": "failed"}, ()) == (statuses(run.sync(agent("alice"))), run.state_of().intents)


def test_one_name_is_created_at_a_time(run, x):
    """Agents that share a name wait for each other, so that a lost answer stays unambiguous."""
    x.after["Alex"] = deque([OutcomeUnknown("timeout")])
    outcomes = run.sync(agent("one", "Alex"), agent("two", "Alex"), jobs=8)

    assert {"one": "done", "two": "done"} == statuses(outcomes)
    assert ["Alex", "Alex"] == x.live()
    assert {"1", "2"} == {one.profile_id for one in run.state_of().bindings}


def test_a_stop_finishes_what_is_under_way(run, x):
    """After a stop nothing new is begun, and nothing is left open."""
    original = x.upload

    def upload(content, media_type):
        run.stop.requested = True
        return original(content, media_type)

    x.upload = upload
    outcomes = run.sync(agent("alice"), agent("bruno"))

    assert {"alice": "done", "bruno": "skipped"} == statuses(outcomes)
    assert () == run.state_of().intents


def test_a_ledger_that_fails_at_the_settle_loses_nothing(run, x, monkeypatch):
    """The error names the profile that X made, and the next run binds it."""
    settle = run.ledger.finish_intent

    def broken(*args, **kwargs):
        raise LedgerRefused("disk full")

    monkeypatch.setattr(run.ledger, "finish_intent", broken)
    with pytest.raises(LedgerRefused) as caught:
        run.sync(agent("alice"))
    monkeypatch.setattr(run.ledger, "finish_intent", settle)
    run.sync(agent("alice"))

    assert "X made profile 1 for alice; the next sync binds it by itself" == caught.value.hint
    assert ["Alice"] == x.live()


def test_a_destroy_that_fails_is_left_for_the_next_run(run, x):
    """The agent is gone from the ledger's bindings at once; its profile is destroyed by the next run."""
    run.sync(agent("alice"), agent("bruno"))
    x.before["destroy 1"] = deque([Unreachable("down")])
    first = run.sync(agent("bruno"))
    run.sync(agent("bruno"))

    assert ({"alice": "failed"}, ["Bruno"]) == (statuses(first), x.live())


def test_an_unknown_answer_to_a_destroy_is_settled_in_the_same_run(run, x):
    """What X still has is destroyed once more in a later round."""
    run.sync(agent("alice"), agent("bruno"))
    x.before["destroy 1"] = deque([OutcomeUnknown("HTTP 502")])
    x.calls.clear()
    outcomes = run.sync(agent("bruno"))

    assert {"alice": "done"} == statuses(outcomes)
    assert ["list", "destroy 1", "list", "list", "destroy 1"] == x.calls
    assert (["Bruno"], ()) == (x.live(), run.state_of().retired)


def test_what_stays_unknown_is_left_for_the_next_run(run, x):
    """The profile stays retired, the run ends with 75, and the next one goes on."""
    run.sync(agent("alice"), agent("bruno"))
    x.before["destroy 1"] = deque([OutcomeUnknown("HTTP 502")] * 3)
    first = run.sync(agent("bruno"))
    left = [retired.profile_id for retired in run.state_of().retired]
    second = run.sync(agent("bruno"))

    assert ({"alice": "unknown"}, ExitCode.TRY_LATER, ["1"]) == (statuses(first), exit_code(first), left)
    assert ({"alice": "done"}, ["Bruno"]) == (statuses(second), x.live())


def test_many_workers_create_everybody_once(run, x):
    """Sixteen workers and two hundred agents: two hundred profiles, no intent left."""
    agents = [agent(f"a{number}", f"Agent {number}") for number in range(200)]
    outcomes = run.sync(*agents, jobs=16)

    assert {"done": 200, "failed": 0, "unknown": 0, "skipped": 0} == count(outcomes)
    assert (200, ()) == (len(x.profiles), run.state_of().intents)
    assert {Status.DONE} == {outcome.status for outcome in outcomes}


def test_the_settle_time_counts_from_the_doubt_not_from_the_upload(run, x):
    """However long the upload and the silence took, a list that lags for less than the settle time is waited for."""
    x.slow = {"upload": 90_000, "create": 29_000}
    x.after["Alice"] = deque([OutcomeUnknown("timeout")])
    x.hidden_until = {"1": 40_000}
    run.sync(agent("alice"), settle_after=60)

    assert ["Alice"] == x.live()


def test_nothing_is_destroyed_in_a_later_round_after_a_failed_create(run, x):
    """A refused create keeps every face of the brand, also when another doubt is settled in the same run."""
    run.sync(agent("bruno"))
    x.after["Alice"] = deque([OutcomeUnknown("timeout")])
    x.before["Chidi"] = deque([Refused("no")])
    outcomes = run.sync(agent("alice"), agent("chidi"))

    assert {"alice": "done", "chidi": "failed", "bruno": "skipped"} == statuses(outcomes)
    assert ["Alice", "Bruno"] == x.live()


def test_every_step_has_one_result(run, x):
    """A doubt about an agent's new face and the end of the same agent's old one are two steps, both told."""
    run.sync(agent("alice"))
    run.sync(agent("alice", "Ally"))
    x.time_ms += 900_000
    x.after["Alina"] = deque([OutcomeUnknown("timeout")])
    outcomes = run.sync(agent("alice", "Alina"))

    assert [("replace", "done"), ("destroy", "done")] == [(o.change.action.value, o.status.value) for o in outcomes]
    assert ["Alina", "Ally"] == x.live()


def test_a_network_lost_while_settling_keeps_the_results(run, x):
    """When the list can't be read again, everything else is still told, and the doubt stays for the next run."""
    x.after["Bruno"] = deque([OutcomeUnknown("timeout")])
    original, lists = x.list_profiles, []

    def list_profiles():
        lists.append(1)
        if len(lists) > 1:
            raise Unreachable("down")
        return original()

    x.list_profiles = list_profiles
    outcomes = run.sync(agent("alice"), agent("bruno"))

    assert {"alice": "done", "bruno": "unknown"} == statuses(outcomes)


def test_over_quota_is_later_even_when_removals_wait(run, x):
    """Steps that weren't tried because of another one's fate don't make it worse."""
    run.sync(agent("alice"))
    x.before["Bruno"] = deque([RateLimited("over")])
    run.may_wait = False
    outcomes = run.sync(agent("bruno"), agent("chidi"))

    assert {"alice": "skipped", "bruno": "skipped", "chidi": "skipped"} == statuses(outcomes)
    assert ExitCode.TRY_LATER == exit_code(outcomes)


def test_a_destroy_that_fails_after_a_replacement_is_told(run, x):
    """Without grace the old profile goes in the same run, or the run says that it didn't."""
    run.sync(agent("alice"))
    x.before["destroy 1"] = deque([Refused("no")])
    outcomes = run.sync(agent("alice", "Ally"), retire_after=0)

    assert [("replace", "done"), ("destroy", "failed")] == [(o.change.action.value, o.status.value) for o in outcomes]
    assert ExitCode.PARTIAL == exit_code(outcomes)


def test_protection_set_while_a_create_is_in_doubt_is_kept(run, x):
    """Adopting a profile remembers what the roster says by then."""
    x.after["Alice"] = deque([OutcomeUnknown("timeout")])
    x.hidden.add("1")
    run.may_wait = False
    run.sync(agent("alice"), settle_after=60)
    x.hidden.clear()
    run.sync(agent("alice", protected=True), settle_after=60)

    assert [True] == [one.protected for one in run.state_of().bindings]


def renamed_before_the_grace_ended(run, x):
    """Let alice have a new profile, 2, and an old one whose grace is over."""
    run.sync(agent("alice"))
    run.sync(agent("alice", "Ally"))
    x.time_ms += 900_000
    x.calls.clear()


def test_x_is_asked_once_about_the_new_profile_before_the_old_one_is_destroyed(run, x):
    """One call by id beside the list and the destroy, and none where nothing is destroyed."""
    renamed_before_the_grace_ended(run, x)
    run.sync(agent("alice", "Ally"))
    run.sync(agent("alice", "Ally"))

    assert ["list", "show 2", "destroy 1", "list"] == x.calls


def test_several_old_profiles_of_an_agent_cost_one_question(run, x):
    """What X has shown in this run needs no other proof."""
    run.sync(agent("alice"))
    run.sync(agent("alice", "Ally"))
    run.sync(agent("alice", "Alicia"))
    x.time_ms += 900_000
    x.calls.clear()
    run.sync(agent("alice", "Alicia"))

    assert ["list", "show 3", "destroy 1", "destroy 2"] == x.calls


def test_a_stale_list_doesn_t_cost_an_agent_the_last_face(run, x):
    """Somebody destroys the new profile by hand, X goes on listing it: the old one stays until there is another."""
    renamed_before_the_grace_ended(run, x)
    ghost = x.profiles.pop("2")
    real = x.list_profiles
    x.list_profiles = lambda: (*real(), ghost)
    [outcome] = run.sync(agent("alice", "Ally"))

    assert (["Alice"], "skipped", ExitCode.TRY_LATER) == (x.live(), outcome.status.value, exit_code([outcome]))
    assert "says that it has none with that id" in outcome.error.message

    x.list_profiles = real
    run.sync(agent("alice", "Ally"))
    run.sync(agent("alice", "Ally"))

    assert ["Ally"] == x.live()


def test_without_an_answer_about_the_new_profile_the_old_one_stays(run, x):
    """Nobody knows whether the agent has a face: the next run asks again."""
    renamed_before_the_grace_ended(run, x)
    x.before["show 2"] = deque([Unreachable("down")])
    [outcome] = run.sync(agent("alice", "Ally"))
    during = x.live()
    run.sync(agent("alice", "Ally"))

    assert (["Alice", "Ally"], ["Ally"]) == (during, x.live())
    assert (ExitCode.TRY_LATER, "the next sync destroys it") == (exit_code([outcome]), outcome.error.hint)


def test_x_s_limit_on_looks_ends_the_removals_of_a_run(run, x):
    """The one that reached it and the others are skipped with the limit, and nothing is lost."""
    run.sync(agent("alice"), agent("bruno"))
    run.sync(agent("alice", "Ally"), agent("bruno", "Bru"))
    x.time_ms += 900_000
    x.calls.clear()
    x.before["show 3"] = deque([RateLimited("limited")])
    outcomes = run.sync(agent("alice", "Ally"), agent("bruno", "Bru"))

    assert [["list", "show 3"], ["skipped", "skipped"]] == [x.calls, [o.status.value for o in outcomes]]
    assert ExitCode.TRY_LATER == exit_code(outcomes)


def test_what_this_run_has_made_is_asked_about_by_nobody(run, x):
    """A lost profile is made anew, and the one before it goes in the same run: X's answer is proof enough."""
    run.sync(agent("alice"))
    run.sync(agent("alice", "Ally"))
    x.profiles.pop("2")
    x.calls.clear()
    run.sync(agent("alice", "Ally"), retire_after=0)

    assert ["list", "list", "show 2", "upload", "create Ally", "destroy 1"] == x.calls
