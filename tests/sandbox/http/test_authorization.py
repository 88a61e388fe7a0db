"""Who may pass: each refusal with X's status and code."""

from __future__ import annotations

import dataclasses

import httpx
import pytest

LIST = "/1.1/custom_profiles/list.json"
NEW = "/1.1/custom_profiles/new.json"
EVENTS = "/1.1/direct_messages/events/list.json"


def test_unsigned_calls_get_215(remote, error_of):
    """No Authorization at all: 400, code 215."""
    assert error_of(remote.client.get(LIST, auth=None)) == (400, 215)


def test_a_call_without_token_gets_215(remote, error_of):
    """Signed by the app alone isn't enough where an account is needed."""
    assert error_of(remote.client.get(LIST, auth=remote.signer(token=False))) == (400, 215)


def test_a_wrong_signature_gets_32(remote, error_of):
    """Another token secret: 401, code 32, X's own words."""
    answer = remote.client.get(LIST, auth=remote.signer(extra={"resource_owner_secret": "wrong"}))

    assert error_of(answer) == (401, 32)
    assert answer.json()["errors"][0]["message"] == "Could not authenticate you."


def test_another_host_in_the_signature_gets_32(remote, error_of):
    """The host is part of what is signed."""
    signed = next(remote.signer().auth_flow(httpx.Request("GET", f"https://api.x.com{LIST}")))
    headers = {"Authorization": signed.headers["Authorization"]}

    assert error_of(remote.client.get(LIST, auth=None, headers=headers)) == (401, 32)


def test_an_unknown_app_gets_32(remote, error_of):
    """A consumer key that X doesn't know."""
    signer = remote.signer(dataclasses.replace(remote.brand, consumer_key="unknown"))

    assert error_of(remote.client.get(LIST, auth=signer)) == (401, 32)


def test_an_unknown_token_gets_89(remote, error_of):
    """A token that was never issued."""
    assert error_of(remote.client.get(LIST, auth=remote.signer(extra={"resource_owner_key": "1-x"}))) == (401, 89)


def test_a_revoked_token_gets_89_and_a_new_one_works(remote, error_of):
    """Revoked for good; asking for the brand again issues another token."""
    remote.world.tokens.revoke(remote.brand.access_token)

    assert error_of(remote.client.get(LIST)) == (401, 89)
    assert remote.client.get(LIST, auth=remote.signer(remote.world.ensure_brand("acmecare"))).status_code == 200


@pytest.mark.parametrize("skew", [-301, 301])
def test_a_clock_that_is_off_gets_135(remote, error_of, skew):
    """More than five minutes: 401, code 135, and the Date header tells the right time."""
    answer = remote.client.get(LIST, auth=remote.signer(extra={"timestamp": str(int(remote.clock.now) + skew)}))

    assert error_of(answer) == (401, 135)
    assert answer.headers["date"] == "Mon, 21 Sep 2026 14:13:20 GMT"


def test_a_nonce_works_once(remote, error_of):
    """The very same request a second time is a replay: 401."""
    signer = remote.signer(extra={"nonce": "once"})

    assert remote.client.get(LIST, auth=signer).status_code == 200
    assert error_of(remote.client.get(LIST, auth=signer)) == (401, 32)


def test_a_nonce_of_a_refused_signature_isnt_burnt(remote):
    """Who can't sign can't use up other people's nonces."""
    forged = remote.signer(extra={"nonce": "once", "resource_owner_secret": "wrong"})
    remote.client.get(LIST, auth=forged)

    assert remote.client.get(LIST, auth=remote.signer(extra={"nonce": "once"})).status_code == 200


def test_not_allowlisted_gets_87_before_the_body_is_read(remote, error_of):
    """403, code 87 for all four calls, even where the body is no JSON."""
    remote.world.accounts.allow("acmecare", False)
    calls = [
        ("GET", LIST),
        ("POST", NEW),
        ("DELETE", "/1.1/custom_profiles/destroy.json"),
        ("GET", "/1.1/custom_profiles/100001.json"),
    ]

    assert {error_of(remote.client.request(method, path, content=b"{")) for method, path in calls} == {(403, 87)}


def test_allowlist_counts_per_account(remote):
    """Another brand goes on working."""
    remote.world.accounts.allow("acmecare", False)
    other = remote.world.ensure_brand("globex")

    assert remote.client.get(LIST, auth=remote.signer(other)).status_code == 200


@pytest.mark.parametrize("level", ["read", "read-write"])
def test_without_message_permission_gets_93(remote, error_of, level):
    """Messages and profiles need the third level; the header says which one the token has."""
    remote.world.accounts.set_access_level("acmecare", level)
    answer = remote.client.get(EVENTS)

    assert error_of(answer) == error_of(remote.client.get(LIST)) == (403, 93)
    assert answer.headers["x-access-level"] == level


def test_writing_with_a_reading_token_gets_261(remote, error_of):
    """The old upload speaks v1.1, the new one v2."""
    remote.world.accounts.set_access_level("acmecare", "read")

    assert error_of(remote.client.post("/1.1/media/upload.json")) == (403, 261)
    assert remote.client.post("/2/media/upload").json()["type"].endswith("client-forbidden")


def test_v2_says_unauthorized_in_its_own_shape(remote):
    """A problem document instead of codes."""
    answer = remote.client.get("/2/users/by/username/acmecare", auth=None)

    assert answer.status_code == 401
    assert answer.json() == {"title": "Unauthorized", "detail": "Unauthorized", "type": "about:blank", "status": 401}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/1.1/custom_profiles.json"),
        ("GET", "/1.1/custom_profiles/:id.json"),
        ("GET", "/1.1/custom_profiles/new.json"),
        ("POST", "/1.1/custom_profiles/destroy.json"),
    ],
)
def test_no_such_page_gets_34_even_unsigned(remote, error_of, method, path):
    """X looks for the page before it looks at who asks."""
    assert error_of(remote.client.request(method, path, auth=None)) == (404, 34)
