"""Who am I, who is that, how much is left, and the PIN login from end to end."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import pytest

VERIFY = "/1.1/account/verify_credentials.json"
AUTHORISE = "/oauth/authorize"


def test_verify_credentials(remote):
    """The account, and in a header what the token may do."""
    answer = remote.client.get(VERIFY, params={"include_entities": "false", "skip_status": "true"})

    assert (answer.json()["id_str"], answer.json()["screen_name"]) == (remote.brand.user_id, "acmecare")
    assert answer.headers["x-access-level"] == "read-write-directmessages"


def test_user_by_name(remote):
    """Found in any case; nobody is 200 with errors; an impossible name 400."""
    ada = remote.world.ensure_customer("Ada_L")
    nobody = remote.client.get("/2/users/by/username/nobody")

    assert remote.client.get("/2/users/by/username/ada_l").json() == {
        "data": {"id": ada.user_id, "name": "Ada_L", "username": "Ada_L"}
    }
    assert (nobody.status_code, nobody.json()["errors"][0]["title"]) == (200, "Not Found Error")
    assert remote.client.get("/2/users/by/username/no-body").status_code == 400
    assert remote.client.get("/2/users/by/username/Zoé").status_code == 400


def test_rate_limit_status(remote):
    """Reading calls by resource; it tells nothing about who may call, and needs no allowlist."""
    remote.listed()
    remote.world.accounts.allow("acmecare", False)
    path = "/1.1/application/rate_limit_status.json"
    body = remote.client.get(path, params={"resources": "custom_profiles,media,nothing"}).json()

    assert body["rate_limit_context"] == {"access_token": remote.brand.access_token}
    assert set(body["resources"]) == {"custom_profiles", "media"}
    assert {name: status["remaining"] for name, status in body["resources"]["custom_profiles"].items()} == {
        "/custom_profiles/list": 179,
        "/custom_profiles/show": 180,
    }
    assert "direct_messages" in remote.client.get(path).json()["resources"]


def _begin(remote, **form):
    signer = remote.signer(token=False, extra={"callback_uri": "oob"}, form=True)
    return remote.client.post("/oauth/request_token", data=form or {"x": "1"}, auth=signer)


def _pin(remote, token) -> str:
    form = {"oauth_token": token, "handle": "acmecare", "decision": "authorise"}
    return re.search(r"<kbd[^>]*>(\d{7})</kbd>", remote.client.post(AUTHORISE, data=form, auth=None).text)[1]


def _redeem(remote, login, pin):
    extra = {
        "resource_owner_key": login["oauth_token"],
        "resource_owner_secret": login["oauth_token_secret"],
        "verifier": pin,
    }
    return remote.client.post("/oauth/access_token", auth=remote.signer(extra=extra))


def test_pin_login(remote):
    """Request token, page, PIN, access token; the new token works and bears the account's id."""
    login = dict(parse_qsl(_begin(remote).text))
    page = remote.client.get(AUTHORISE, params={"oauth_token": login["oauth_token"]}, auth=None)
    answer = dict(parse_qsl(_redeem(remote, login, _pin(remote, login["oauth_token"])).text))

    assert login["oauth_callback_confirmed"] == "true"
    assert "@acmecare" in page.text
    assert (answer["user_id"], answer["screen_name"]) == (remote.brand.user_id, "acmecare")
    assert answer["oauth_token"].startswith(f"{remote.brand.user_id}-")
    extra = {"resource_owner_key": answer["oauth_token"], "resource_owner_secret": answer["oauth_token_secret"]}
    assert remote.client.get(VERIFY, auth=remote.signer(extra=extra)).status_code == 200


def test_a_pin_works_once(remote, error_of):
    """The second time the login is gone."""
    login = dict(parse_qsl(_begin(remote).text))
    pin = _pin(remote, login["oauth_token"])

    assert _redeem(remote, login, pin).status_code == 200
    assert error_of(_redeem(remote, login, pin)) == (401, 89)
    assert remote.client.get(AUTHORISE, params={"oauth_token": login["oauth_token"]}, auth=None).status_code == 401


def test_a_wrong_pin_is_refused_and_may_be_corrected(remote, error_of):
    """Before anybody authorised, and with another number."""
    login = dict(parse_qsl(_begin(remote).text))
    assert error_of(_redeem(remote, login, "0000000")) == (401, 89)

    pin = _pin(remote, login["oauth_token"])
    assert error_of(_redeem(remote, login, f"{(int(pin) + 1) % 10**7:07}")) == (401, 89)
    assert _redeem(remote, login, pin).status_code == 200


@pytest.mark.parametrize(("level", "kind"), [("read", "read"), ("read-write", "write")])
def test_a_login_may_ask_for_less(remote, level, kind):
    """x_auth_access_type lowers what the token may do."""
    login = dict(parse_qsl(_begin(remote, x_auth_access_type=kind).text))
    answer = dict(parse_qsl(_redeem(remote, login, _pin(remote, login["oauth_token"])).text))
    extra = {"resource_owner_key": answer["oauth_token"], "resource_owner_secret": answer["oauth_token_secret"]}

    assert level == remote.client.get(VERIFY, auth=remote.signer(extra=extra)).headers["x-access-level"]


def test_only_a_pin_login_is_approved(remote, error_of):
    """Another callback gets 415; none at all 215; an unknown access type 44."""
    elsewhere = remote.signer(token=False, extra={"callback_uri": "https://example.com/"})

    assert error_of(remote.client.post("/oauth/request_token", auth=elsewhere)) == (403, 415)
    assert error_of(remote.client.post("/oauth/request_token", auth=remote.signer(token=False))) == (400, 215)
    assert error_of(_begin(remote, x_auth_access_type="all")) == (400, 44)


def test_saying_no_gives_no_pin(remote):
    """Cancel leaves the login unauthorised."""
    login = dict(parse_qsl(_begin(remote).text))
    form = {"oauth_token": login["oauth_token"], "handle": "acmecare", "decision": "cancel"}

    assert "<kbd" not in remote.client.post(AUTHORISE, data=form, auth=None).text
    assert remote.world.tokens.login(login["oauth_token"]).pin is None


def test_invalidate_token(remote, error_of):
    """The answer names the token; the next call gets 89."""
    answer = remote.client.post("/1.1/oauth/invalidate_token.json")

    assert answer.json() == {"access_token": remote.brand.access_token}
    assert error_of(remote.client.get(VERIFY)) == (401, 89)
