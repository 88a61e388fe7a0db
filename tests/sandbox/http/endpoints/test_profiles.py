"""Create, show, list, destroy: shapes, rules and error codes."""

from __future__ import annotations

import base64
import unicodedata

import pytest

from profilectl.sandbox.model.faults import Fault, Kind

DESTROY = "/1.1/custom_profiles/destroy.json"


def test_create_answers_with_the_documented_object(remote):
    """Strings for id and milliseconds, an address with a query, no media id."""
    answer = remote.create("Ana R, Billing")
    profile = answer.json()["custom_profile"]

    assert (answer.status_code, list(answer.json())) == (200, ["custom_profile"])
    assert profile["id"] == "100001"
    assert (profile["name"], profile["created_timestamp"]) == ("Ana R, Billing", "1790000000000")
    url = profile["avatar"]["media"]["url"]
    assert list(profile["avatar"]["media"]) == ["url"]
    assert url.startswith("http://sandbox.localhost/_sandbox/media/")
    assert url.endswith(".jpg?format=jpg&name=normal")


def test_the_form_of_xs_test_bench_is_taken_too(remote):
    """An avatar may name its type."""
    avatar = {"type": "media", "media": {"id": remote.upload()}}
    body = {"custom_profile": {"name": "A", "avatar": avatar}}

    assert remote.client.post("/1.1/custom_profiles/new.json", json=body).status_code == 200


def test_48_code_points_after_nfc(remote, error_of):
    """A letter with its accent as a second code point counts once; 49 are refused with the field's path."""
    decomposed = unicodedata.normalize("NFD", "é" * 48)
    answer = remote.create("x" * 49)

    assert remote.create(decomposed).json()["custom_profile"]["name"] == decomposed
    assert error_of(answer) == (400, 214)
    assert answer.json()["errors"][0]["message"].startswith("custom_profile.name:")


@pytest.mark.parametrize(
    ("expected", "body"),
    [
        ((403, 38), {}),
        ((403, 38), {"custom_profile": {"avatar": {"media": {"id": "1"}}}}),
        ((403, 38), {"custom_profile": {"name": "A"}}),
        ((403, 38), {"custom_profile": {"name": "A", "avatar": {"media": {}}}}),
        ((400, 214), {"custom_profile": "A"}),
        ((400, 214), {"custom_profile": {"name": 7, "avatar": {"media": {"id": "1"}}}}),
        ((400, 214), {"custom_profile": {"name": "  ", "avatar": {"media": {"id": "1"}}}}),
        ((400, 214), {"custom_profile": {"name": "A", "avatar": {"media": {"id": "x"}}}}),
        ((400, 214), {"custom_profile": {"name": "A", "avatar": "1"}}),
        ((400, 214), ["custom_profile"]),
        ((400, 325), {"custom_profile": {"name": "A", "avatar": {"media": {"id": "1"}}}}),
    ],
)
def test_bad_bodies_get_their_codes(remote, error_of, expected, body):
    """38 names what is missing, 214 what is wrong, 325 a picture that isn't there; nothing is made."""
    assert expected == error_of(remote.client.post("/1.1/custom_profiles/new.json", json=body))
    assert remote.names() == []


def test_a_body_that_isnt_json_gets_214(remote, error_of):
    """X's own sample lacks its last brace; copied as it stands it is refused."""
    body = b'{"custom_profile": {"name": "A", "avatar": {"media": {"id": "1"}}}'

    assert error_of(remote.client.post("/1.1/custom_profiles/new.json", content=body)) == (400, 214)


def test_media_of_somebody_else_gets_324(remote, error_of):
    """An id belongs to the account that uploaded it."""
    theirs = remote.upload(auth=remote.signer(remote.world.ensure_brand("globex")))

    assert error_of(remote.create(media_id=theirs)) == (400, 324)


def test_media_expires_after_a_day(remote, error_of):
    """The second before it works, then 325."""
    media_id = remote.upload()
    remote.clock.now += 86_399
    assert remote.create(media_id=media_id).status_code == 200

    remote.clock.now += 1
    assert error_of(remote.create(media_id=media_id)) == (400, 325)


def test_show_knows_only_live_profiles_of_ones_own(remote, error_of):
    """Anything else is a page that doesn't exist."""
    mine = remote.created("Mine")
    path = f"/1.1/custom_profiles/{mine}.json"
    other = remote.signer(remote.world.ensure_brand("globex"))

    assert remote.client.get(path).json()["custom_profile"]["name"] == "Mine"
    assert error_of(remote.client.get(path, auth=other)) == (404, 34)
    assert error_of(remote.client.get("/1.1/custom_profiles/99999999999999999999999.json")) == (404, 34)
    remote.client.delete(DESTROY, params={"id": mine})
    assert error_of(remote.client.get(path)) == (404, 34)


def test_destroy_is_idempotent(remote, error_of):
    """204 and an empty body, twice; 404 for an id that never was or is another account's; 38 without id."""
    mine = remote.created()
    theirs = remote.create(
        auth=remote.signer(remote.world.ensure_brand("globex")), media_id=_media_of(remote, "globex")
    )
    answers = [remote.client.delete(DESTROY, params={"id": mine}) for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
    assert error_of(remote.client.delete(DESTROY, params={"id": "5"})) == (404, 34)
    assert error_of(remote.client.delete(DESTROY, params={"id": "abc"})) == (404, 34)
    their_id = theirs.json()["custom_profile"]["id"]
    assert error_of(remote.client.delete(DESTROY, params={"id": their_id})) == (404, 34)
    assert error_of(remote.client.delete(DESTROY)) == (403, 38)


def _media_of(remote, handle) -> str:
    return remote.upload(auth=remote.signer(remote.world.ensure_brand(handle)))


def _walk(remote, **query) -> list[list[str]]:
    """The ids of every page, to the one without a cursor; no cursor may come twice."""
    pages, cursors = [], []
    while True:
        body = remote.listed(**query).raise_for_status().json()
        pages.append([profile["id"] for profile in body["custom_profiles"]])
        if "next_cursor" not in body:
            return pages
        assert body["next_cursor"] not in cursors
        cursors.append(body["next_cursor"])
        query["cursor"] = body["next_cursor"]


@pytest.mark.parametrize(
    ("sizes", "query"),
    [
        ([20, 20, 20, 20, 20], {}),
        ([50, 50], {"count": 50}),
        ([50, 50], {"count": 500}),
        ([30, 30, 30, 10], {"count": 30}),
    ],
)
def test_pages_to_the_end(remote, sizes, query):
    """20 by default, 50 at most, the last page is the one without the key, and nothing is listed twice."""
    media_id = remote.upload()
    for number in range(100):
        remote.world.profiles.create(remote.brand.user_id, f"Agent {number}", media_id)
    pages = _walk(remote, **query)

    assert sizes == [len(page) for page in pages]
    assert len({profile_id for page in pages for profile_id in page}) == 100


def test_an_empty_list_has_no_cursor(remote):
    """No profiles: one page, no key."""
    assert remote.listed().json() == {"custom_profiles": []}


def test_an_empty_page_may_carry_a_cursor(remote):
    """The key decides, not the fill: three empty pages in a row lose nothing."""
    made = {remote.created(str(number)) for number in range(3)}
    remote.world.faults.add(Fault(call="list", kind=Kind.EMPTY_PAGE, times=3, after=1))
    pages = _walk(remote, count=2)

    assert [len(page) for page in pages] == [2, 0, 0, 0, 1]
    assert made == {profile_id for page in pages for profile_id in page}


def test_cursors_are_opaque_base64(remote):
    """They decode, but whoever builds their own gets an error."""
    for number in range(21):
        remote.world.profiles.create(remote.brand.user_id, str(number), remote.upload())

    assert base64.b64decode(remote.listed().json()["next_cursor"], validate=True)


@pytest.mark.parametrize("query", [{"cursor": "2"}, {"cursor": "bm9wZQ=="}, {"count": "0"}, {"count": "many"}])
def test_bad_list_parameters_get_44(remote, error_of, query):
    """400 and the parameter's name."""
    assert error_of(remote.listed(**query)) == (400, 44)


def test_a_list_may_lag(remote):
    """A created profile can be shown at once, and is listed when the lag is over."""
    remote.world.faults.add(Fault(call="create", kind=Kind.LAG, seconds=30))
    late = remote.created("late")
    now = remote.created("now")

    assert [profile["id"] for profile in remote.listed().json()["custom_profiles"]] == [now]
    assert remote.client.get(f"/1.1/custom_profiles/{late}.json").status_code == 200
    remote.world.advance(30)
    assert [profile["id"] for profile in remote.listed().json()["custom_profiles"]] == [now, late]
