"""Every kind of fault, at every entry point: what the client sees, and what has really happened."""

from __future__ import annotations

import inspect
import re
import threading

import httpx
import pytest

from profilectl.sandbox.http.endpoints import ENDPOINTS
from profilectl.sandbox.http.fault_injection import ConnectionDropped
from profilectl.sandbox.model.faults import CALLS, Fault, Faults, Kind
from tests.patience import until

BROKEN = {
    *(Kind.DROP_BEFORE, Kind.DROP_AFTER, Kind.CUT, Kind.RANDOM, Kind.ENDLESS_HEAD, Kind.ENDLESS_HINTS, Kind.DRIP),
}
DROPPED = (ConnectionDropped, httpx.NetworkError, httpx.RemoteProtocolError)


def _arm(remote, kind, call="create", **rule):
    remote.world.faults.add(Fault(kind=kind, call=call, **rule))


def test_refuse(any_remote, error_of):
    """An error of X's with any status and code; nothing is made."""
    _arm(any_remote, Kind.REFUSE, status=403, code=64, message="Your account is suspended")

    assert error_of(any_remote.create()) == (403, 64)
    assert any_remote.names() == []


@pytest.mark.parametrize(("kind", "made"), [(Kind.ERROR_BEFORE, []), (Kind.ERROR_AFTER, ["Alice"])])
def test_server_errors(any_remote, error_of, kind, made):
    """503 before or after the world has obeyed: the same answer, another truth."""
    _arm(any_remote, kind)

    assert error_of(any_remote.create()) == (503, 130)
    assert made == any_remote.names()


@pytest.mark.parametrize(("kind", "made"), [(Kind.DROP_BEFORE, []), (Kind.DROP_AFTER, ["Alice"])])
def test_dropped_connections(any_remote, kind, made):
    """The connection ends without an answer; the next call goes well."""
    media_id = any_remote.upload()
    _arm(any_remote, kind)

    with pytest.raises(DROPPED):
        any_remote.create(media_id=media_id)
    assert made == any_remote.names()
    assert any_remote.create("Next").status_code == 200


def test_cut_answers(any_remote):
    """Half a body: unreadable JSON, or a connection that ends too early; the profile is there."""
    media_id = any_remote.upload()
    _arm(any_remote, Kind.CUT)

    with pytest.raises((ValueError, httpx.RemoteProtocolError)):
        any_remote.create(media_id=media_id).json()
    assert any_remote.names() == ["Alice"]


@pytest.mark.parametrize(("status", "rule"), [(503, {}), (200, {"status": 200})])
def test_html_answers(any_remote, status, rule):
    """A page of an edge server, even with status 200; the profile is there."""
    _arm(any_remote, Kind.HTML, **rule)
    answer = any_remote.create()

    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert any_remote.names() == ["Alice"]


def test_answers_without_id(any_remote):
    """Create and upload say 200, but not which."""
    _arm(any_remote, Kind.NO_ID)
    assert "id" not in any_remote.create().json()["custom_profile"]
    assert any_remote.names() == ["Alice"]

    _arm(any_remote, Kind.NO_ID, "upload")
    form = {"files": {"media": any_remote.picture}, "data": {"media_category": "dm_image"}}
    assert "id" not in any_remote.client.post("/2/media/upload", **form).json()["data"]


def test_rate_limits_with_and_without_reset(any_remote, error_of):
    """429 with X's headers, or with none."""
    _arm(any_remote, Kind.RATE_LIMIT, seconds=60)
    _arm(any_remote, Kind.RATE_LIMIT, after=1)
    known, unknown = any_remote.create(), any_remote.create()

    assert error_of(known) == error_of(unknown) == (429, 88)
    assert known.headers["x-rate-limit-reset"] == str(int(any_remote.clock.now) + 60)
    assert "x-rate-limit-reset" not in unknown.headers
    assert any_remote.names() == []


def test_credits_that_are_used_up(any_remote):
    """402 with v2's problem, on v1.1's calls too, as X bills both from one account; nothing is made."""
    _arm(any_remote, Kind.CREDITS)
    answer = any_remote.create()

    assert (402, "CreditsDepleted") == (answer.status_code, answer.json()["title"])
    assert answer.json()["type"].endswith("/problems/credits")
    assert any_remote.names() == []


def test_slow_answers_come_in_the_end(any_remote):
    """Late, but right."""
    _arm(any_remote, Kind.SLOW, seconds=0.05)

    assert any_remote.create().status_code == 200


def test_held_calls_are_applied_and_stay_silent_until_released(any_remote):
    """While a create is held its profile exists; letting go ends the connection."""
    media_id = any_remote.upload()
    _arm(any_remote, Kind.HOLD)
    caught = []

    def create() -> None:
        try:
            any_remote.create(media_id=media_id)
        except DROPPED as error:
            caught.append(error)

    thread = threading.Thread(target=create)
    thread.start()
    until(any_remote.names, "the profile to be made")
    assert thread.is_alive()
    any_remote.client.delete("/_sandbox/faults", auth=None)
    thread.join(10)

    assert len(caught) == 1


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in {Kind.HOLD, Kind.SLOW}])
@pytest.mark.parametrize("call", ["destroy", "invalidate"])
def test_no_kind_breaks_an_odd_answer(any_remote, kind, call):
    """An answer without a body meets every trouble too, and the connection stays usable."""
    alice = any_remote.created()
    _arm(any_remote, kind, call)
    path = "/1.1/custom_profiles/destroy.json" if call == "destroy" else "/1.1/oauth/invalidate_token.json"
    try:
        any_remote.client.request("DELETE" if call == "destroy" else "POST", path, params={"id": alice})
    except DROPPED as error:
        assert kind in BROKEN, error  # noqa: PT017
    state = any_remote.client.get("/_sandbox/state", auth=None)

    assert state.json()["profiles"][0]["id"] == alice


def test_a_status_that_nobody_has_heard_of(any_remote, error_of):
    """Any number goes over the wire: X has used 420."""
    _arm(any_remote, Kind.REFUSE, status=420, code=88)

    assert error_of(any_remote.create()) == (420, 88)


def test_expired_uploads(any_remote, error_of):
    """The id that came back is good for nothing."""
    _arm(any_remote, Kind.EXPIRED, "upload")

    assert error_of(any_remote.create()) == (400, 325)


def test_rules_count_times_and_after(any_remote):
    """The third and fourth create fail, the fifth doesn't."""
    _arm(any_remote, Kind.ERROR_BEFORE, after=2, times=2)

    assert [any_remote.create().status_code for _ in range(5)] == [200, 200, 503, 503, 200]


def test_rules_look_at_the_request(any_remote):
    """Only the agent whose name matches meets trouble."""
    _arm(any_remote, Kind.ERROR_BEFORE, match="Bób", times=None)

    assert [any_remote.create(name).status_code for name in ("Alice", "Bób F.", "Bób")] == [200, 503, 503]


def test_rules_for_every_call(any_remote):
    """A star means any call, and only calls that are signed count."""
    _arm(any_remote, Kind.ERROR_BEFORE, "*", times=2)
    any_remote.client.get("/1.1/custom_profiles/list.json", auth=None)

    assert any_remote.listed().status_code == 503
    assert any_remote.client.get("/1.1/account/verify_credentials.json").status_code == 503
    assert any_remote.listed().status_code == 200


def test_several_rules_strike_together(any_remote):
    """Lagging and dropped at once: the hardest case for a client."""
    media_id = any_remote.upload()
    _arm(any_remote, Kind.LAG, seconds=10)
    _arm(any_remote, Kind.DROP_AFTER)

    with pytest.raises(DROPPED):
        any_remote.create(media_id=media_id)
    assert any_remote.names() == ["Alice"]
    assert any_remote.listed().json()["custom_profiles"] == []


def _strikes(rule, calls=200):
    return [fault.kind if fault else None for fault in (rule.effect_on("create", seen) for seen in range(calls))]


def test_random_faults_are_repeatable():
    """The same seed gives the same trouble, another seed other trouble, about as often as asked."""
    rule = Fault(kind=Kind.RANDOM, probability=0.3, seed=7, times=None)
    drawn = _strikes(rule)

    assert drawn == _strikes(rule)
    assert drawn != _strikes(Fault(kind=Kind.RANDOM, probability=0.3, seed=8, times=None))
    assert 30 < sum(kind is not None for kind in drawn) < 90
    assert {Kind.DROP_BEFORE, Kind.DROP_AFTER, Kind.NO_ID, Kind.LAG, None} <= set(drawn)


def test_random_faults_strike_calls(any_remote):
    """A run under random trouble: the world always knows the truth."""
    media_id = any_remote.upload()
    _arm(any_remote, Kind.RANDOM, probability=0.5, seed=1, times=None)
    answered = 0
    for number in range(20):
        try:
            answered += any_remote.create(str(number), media_id).status_code == 200
        except DROPPED:
            continue

    assert 0 < answered < 20
    assert set(any_remote.names()) <= {str(number) for number in range(20)}


def test_a_rule_survives_as_json():
    """What the control plane and the world's file keep is the rule itself."""
    rule = Fault(kind=Kind.LAG, call="create", seconds=2.5, match="Ana")

    assert rule == Fault.from_plain(rule.to_plain())


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        ("unknown kind 'explode'", {"kind": "explode"}),
        ("unknown kind 'slwo', did you mean 'slow'", {"kind": "slwo"}),
        ("unknown call 'creat', did you mean 'create'", {"kind": "slow", "call": "creat"}),
        ("unknown call 'teapot'; there are", {"kind": "slow", "call": "teapot"}),
        ("unknown key 'cal', did you mean 'call'", {"kind": "slow", "cal": "create"}),
        ("unknown kind", {"kind": ["slow"]}),
        ("a fault is an object", []),
        ("unknown kind None", {}),
        ("unknown key 'count'", {"kind": "slow", "count": 2}),
        ("times: 'two'", {"kind": "slow", "times": "two"}),
        ("after: True", {"kind": "slow", "after": True}),
        ("name-nfd can't happen to send, only to create", {"kind": "name-nfd", "call": "send"}),
        ("half-list can't happen to messages, only to list", {"kind": "half-list", "call": "messages"}),
        ("twice can't happen to destroy, only to create and send", {"kind": "twice", "call": "destroy"}),
        ("times: 0 would never strike; give 1 or more, or null for ever", {"kind": "slow", "times": 0}),
        ("times: -1 would never", {"kind": "slow", "times": -1}),
        ("after: -1 is fewer than none", {"kind": "slow", "after": -1}),
        ("probability: 0 must be above 0", {"kind": "slow", "probability": 0}),
        ("probability: nan must be", {"kind": "slow", "probability": float("nan")}),
        ("seconds: -1 is no length of time", {"kind": "slow", "seconds": -1}),
        ("seconds: inf is no", {"kind": "hold", "seconds": float("inf")}),
    ],
)
def test_rules_that_make_no_sense_are_refused(words, plain):
    """With the reason."""
    with pytest.raises(ValueError, match=words):
        Fault.from_plain(plain)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_can_be_ordered_for_some_call(kind):
    """And without a call, which is every one; what it is said to affect is what it may be ordered for."""
    described = dict(re.findall(r'= "([\w-]+)"  # ([a-z, -]+): ', inspect.getsource(Kind)))
    named = described.get(kind, ", ".join(CALLS)).split(", ")

    assert [kind] * (len(named) + 1) == [
        Fault.from_plain({"kind": kind.value, **call}).kind for call in ({}, *({"call": name} for name in named))
    ]


def test_every_endpoint_is_a_call():
    """A rule may name each call that there is, and no other."""
    assert {endpoint.name for endpoint in ENDPOINTS} == set(CALLS)


def test_clearing(world):
    """Nothing is left."""
    faults: Faults = world.faults
    faults.add(Fault(kind=Kind.SLOW), Fault(kind=Kind.CUT))
    assert [seen for _, seen in faults.all()] == [0, 0]

    faults.clear()
    assert faults.all() == []
