"""The control plane: the truth, faults on order, time travel, and who may use it."""

from __future__ import annotations

import pytest


def _post(remote, path, body):
    return remote.client.post(f"/_sandbox/{path}", json=body, auth=None)


def test_state_is_the_truth(any_remote):
    """Accounts, profiles and messages, without any secret."""
    alice = any_remote.created()
    answer = any_remote.client.get("/_sandbox/state", auth=None)
    state = answer.json()

    assert [(profile["id"], profile["name"], profile["is_live"]) for profile in state["profiles"]] == [
        (alice, "Alice", True)
    ]
    assert [account["handle"] for account in state["accounts"]] == ["acmecare"]
    assert any_remote.brand.access_token_secret not in answer.text


def test_faults_over_http(any_remote):
    """Armed one or many at a time, listed with their count, cleared."""
    _post(any_remote, "faults", {"kind": "error-before", "call": "list"})
    armed = _post(any_remote, "faults", [{"kind": "slow"}, {"kind": "cut", "times": None}]).json()["faults"]

    assert [rule["kind"] for rule in armed] == ["error-before", "slow", "cut"]
    assert any_remote.listed().status_code == 503
    assert [rule["seen"] for rule in any_remote.client.get("/_sandbox/faults", auth=None).json()["faults"]] == [1, 1, 1]
    assert any_remote.client.delete("/_sandbox/faults", auth=None).json() == {"faults": []}
    assert any_remote.listed().status_code == 200


def test_time_travel(remote):
    """The Date header follows; backwards isn't possible."""
    _post(remote, "advance", {"seconds": 3_600})

    assert remote.listed().headers["date"] == "Mon, 21 Sep 2026 15:13:20 GMT"
    assert _post(remote, "advance", {"seconds": -1}).status_code == 400


def test_allowlist_over_http(remote, error_of):
    """Off and on again."""
    _post(remote, "allowlist", {"handle": "acmecare", "allowlisted": False})
    assert error_of(remote.listed()) == (403, 87)

    _post(remote, "allowlist", {"handle": "acmecare", "allowlisted": True})
    assert remote.listed().status_code == 200


def test_customers_write_over_http(remote):
    """What a customer types arrives in the brand's messages."""
    remote.world.ensure_customer("ada")
    sent = _post(remote, "messages", {"from": "ada", "to": "acmecare", "text": "Hi"}).json()["id"]

    assert remote.client.get("/1.1/direct_messages/events/list.json").json()["events"][0]["id"] == sent


def test_reset(remote):
    """Profiles go, credentials stay."""
    remote.created()

    assert _post(remote, "reset", None).json()["profiles"] == []
    assert remote.listed().json() == {"custom_profiles": []}


def test_reset_puts_everybody_back_on_the_allowlist(remote):
    """A world that is as new has approved its brands."""
    _post(remote, "allowlist", {"handle": "acmecare", "allowlisted": False})

    assert [True] == [account["allowlisted"] for account in _post(remote, "reset", None).json()["accounts"]]
    assert remote.listed().status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"kind": "explode"}),
        ("faults", {"kind": "slow", "call": "creat"}),
        ("faults", "slow"),
        ("advance", {}),
        ("advance", {"seconds": "x"}),
        ("allowlist", {"handle": "nobody", "allowlisted": True}),
        ("messages", {"from": "nobody", "to": "acmecare", "text": ""}),
    ],
)
def test_nonsense_gets_400_with_a_reason(remote, path, body):
    """And changes nothing."""
    answer = _post(remote, path, body)

    assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.parametrize("seconds", ["1e308", "315360001", "NaN", "Infinity", "1" + "0" * 400])
def test_time_does_not_run_away(remote, seconds):
    """More than ten years ahead of the present, or no number at all, is refused and changes nothing."""
    now = remote.world.now()
    answer = remote.client.post("/_sandbox/advance", content=f'{{"seconds": {seconds}}}', auth=None)

    assert (answer.status_code, remote.world.now()) == (400, now)


def test_ten_years_are_the_end_however_they_are_reached(remote):
    """Small steps don't lead further than a large one."""
    assert _post(remote, "advance", {"seconds": 315_360_000}).status_code == 200
    assert _post(remote, "advance", {"seconds": 1}).status_code == 400


@pytest.mark.parametrize("path", ["faults", "advance", "allowlist", "messages"])
@pytest.mark.parametrize("depth", [100, 900, 100_000])
def test_a_body_of_brackets_gets_400(any_remote, path, depth):
    """However deep, and in whatever field, it is nonsense and no defect."""
    deep = "[" * depth + "]" * depth
    fields = ("kind", "call", "seconds", "handle", "allowlisted", "from", "to", "text")
    for body in (deep, "{" + ",".join(f'"{name}": {deep}' for name in fields) + "}", f'{{"kind": {deep}}}'):
        answer = any_remote.client.post(f"/_sandbox/{path}", content=body, auth=None)

        assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.parametrize("path", ["/_sandbox/state", "/_sandbox/profiles", "/", "/oauth/authorize?oauth_token=x"])
def test_other_hosts_are_turned_away(any_remote, path):
    """A name that was made to point at this machine gets nothing (DNS rebinding)."""
    answer = any_remote.client.get(path, auth=None, headers={"Host": "evil.example:80"})

    assert answer.status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_other_sites_are_turned_away(any_remote, origin):
    """A form on a foreign page can't reset the world."""
    alice = any_remote.created()
    answer = any_remote.client.post("/_sandbox/reset", auth=None, headers={"Origin": origin})

    assert answer.status_code == 403
    assert any_remote.world.profiles.find(alice).is_live


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_browser_says_of_other_sites_counts(any_remote, site):
    """Also where it leaves Origin out; a link to our pages may stand anywhere."""
    alice = any_remote.created()
    headers = {"Sec-Fetch-Site": site}

    assert any_remote.client.post("/_sandbox/reset", auth=None, headers=headers).status_code == 403
    assert any_remote.world.profiles.find(alice).is_live
    assert any_remote.client.get("/_sandbox/profiles", auth=None, headers=headers).status_code == 200


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_our_own_pages_may_send(remote, site):
    """A form of the sandbox, or a person."""
    assert remote.client.post("/_sandbox/reset", auth=None, headers={"Sec-Fetch-Site": site}).status_code == 200
