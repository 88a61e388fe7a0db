"""X's limits in real windows, under a clock that is moved by hand."""

from __future__ import annotations

import pytest

from profilectl.sandbox.model.rate_limits import DAY, QUARTER_HOUR, X_LIMITS, Exhausted, Limit, Limits
from profilectl.sandbox.model.world import World


def test_the_figures_of_x():
    """What the sandbox enforces unless told otherwise."""
    assert X_LIMITS["create"] == X_LIMITS["destroy"] == X_LIMITS["send"] == Limit(1_000, DAY)
    assert X_LIMITS["list"] == X_LIMITS["show"] == Limit(180, QUARTER_HOUR)
    assert X_LIMITS["messages"] == X_LIMITS["message"] == Limit(15, QUARTER_HOUR)
    assert Limit(500, QUARTER_HOUR) == X_LIMITS["upload"]


def test_headers_count_down_and_a_window_ends(remote, error_of):
    """181 lists in a quarter of an hour: 429 with code 88; after the reset it starts again."""
    first = remote.listed()
    answers = [remote.listed() for _ in range(180)]
    reset = int(first.headers["x-rate-limit-reset"])

    assert (first.headers["x-rate-limit-limit"], first.headers["x-rate-limit-remaining"]) == ("180", "179")
    assert answers[178].headers["x-rate-limit-remaining"] == "0"
    assert error_of(answers[179]) == (429, 88)
    assert (answers[179].headers["x-rate-limit-remaining"], reset) == ("0", int(remote.clock.now) + 900)

    remote.clock.now = reset - 1
    assert remote.listed().status_code == 429
    remote.clock.now = reset
    assert remote.listed().headers["x-rate-limit-remaining"] == "179"


def test_every_account_has_its_own_window(remote):
    """What one brand uses up, another still has."""
    for _ in range(181):
        last = remote.listed()
    other = remote.signer(remote.world.ensure_brand("globex"))

    assert last.status_code == 429
    assert remote.client.get("/1.1/custom_profiles/list.json", auth=other).status_code == 200


def test_a_thousand_creates_a_day(remote, error_of):
    """The thousand-and-first waits for tomorrow, and so does a thousand-and-first destroy."""
    media_id = remote.upload()
    for _ in range(1_000):
        remote.world.quotas.spend("create", remote.brand.user_id)
        remote.world.quotas.spend("destroy", remote.brand.user_id)

    assert error_of(remote.create(media_id=media_id)) == (429, 88)
    assert remote.client.delete("/1.1/custom_profiles/destroy.json?id=1").status_code == 429

    remote.clock.now += DAY - 1
    assert remote.create(media_id=media_id).status_code == 429
    remote.clock.now += 1
    assert remote.create().status_code == 200


def test_v2_says_too_many_requests_in_its_own_shape(clock, remote):
    """A full window of uploads: 429 as a problem document, with the headers."""
    for _ in range(500):
        remote.world.quotas.spend("upload", remote.brand.user_id)
    answer = remote.client.post("/2/media/upload")

    assert (answer.status_code, answer.json()["title"]) == (429, "Too Many Requests")
    assert answer.headers["x-rate-limit-reset"] == str(int(clock.now) + 900)


def test_refused_calls_arent_counted(world):
    """A full window stays as full as it was."""
    for _ in range(15):
        world.quotas.spend("messages", "1")
    for _ in range(3):
        with pytest.raises(Exhausted) as caught:
            world.quotas.spend("messages", "1")

    assert caught.value.status.remaining == world.quotas.status("messages", "1").remaining == 0


def test_limits_are_chosen_by_who_opens_the_world(clock):
    """Generous for big runs, or single families changed."""
    with (
        World(now=clock, limits=Limits.generous()) as generous,
        World(now=clock, limits=Limits().replace(list=2)) as tight,
    ):
        assert generous.quotas.spend("upload", "1").remaining == 999_999
        assert [tight.quotas.spend("list", "1").remaining for _ in range(2)] == [1, 0]
        assert tight.quotas.status("show", "1").limit == 180


def test_an_unknown_family_is_an_error():
    """A misspelt family isn't ignored."""
    with pytest.raises(KeyError):
        Limits().replace(lists=1)
