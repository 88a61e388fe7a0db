"""Answers that no honest server sends: bent bodies, and heads and bodies without end."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest

from profilectl.sandbox.http.fault_injection import ConnectionDropped
from profilectl.sandbox.model.faults import Fault, Kind
from tests.sandbox.conftest import INSIDE
from tests.sandbox.http.test_fault_injection import DROPPED


def _arm(remote, kind, call="create", **rule):
    remote.world.faults.add(Fault(kind=kind, call=call, **rule))


def test_a_packed_answer(any_remote):
    """It says so, and holds what the answer would have held."""
    media_id = any_remote.upload()
    _arm(any_remote, Kind.PACKED)
    with any_remote.client.stream(
        "POST",
        "/1.1/custom_profiles/new.json",
        json={"custom_profile": {"name": "Alice", "avatar": {"media": {"id": media_id}}}},
    ) as answer:
        raw = b"".join(answer.iter_raw())

    assert "gzip" == answer.headers["content-encoding"]
    assert "Alice" == json.loads(gzip.decompress(raw))["custom_profile"]["name"]
    assert any_remote.names() == ["Alice"]


@pytest.mark.parametrize(("address", "rule"), [("https://10.0.0.1/1.jpg", {}), ("file:///x", {"message": "file:///x"})])
def test_pictures_are_elsewhere(any_remote, address, rule):
    """In this network, or wherever the rule says."""
    any_remote.created()
    _arm(any_remote, Kind.PICTURE_ADDRESS, "list", **rule)

    [bent], [true] = (any_remote.listed().json()["custom_profiles"] for _ in range(2))
    assert {"media": {"url": address}} == bent.pop("avatar") != true.pop("avatar")
    assert bent == true


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        (Kind.JSON_NAN, '"odd": NaN}'),
        (Kind.JSON_TWICE, ', "custom_profiles": []}'),
        (Kind.JSON_DEEP, "[[[[[["),
        (Kind.JSON_HUGE, "9" * 5000),
        (Kind.JSON_SURROGATE, '"Alice\\ud800"'),
        (Kind.JSON_LONG, "Alicexxxxxxxx"),
    ],
)
def test_json_that_is_odd(any_remote, kind, part):
    """Once, and the truth stands in it as well."""
    any_remote.created()
    _arm(any_remote, kind, "list")
    answer = any_remote.listed().text

    assert part in answer
    assert "Alice" in answer
    assert "Alice" == any_remote.listed().json()["custom_profiles"][0]["name"]


def test_a_list_without_end(any_remote):
    """Each page names another one; the profiles stand on the first."""
    any_remote.created()
    _arm(any_remote, Kind.ENDLESS_LIST, "list")
    pages = [any_remote.listed().json()]
    for _ in range(20):
        pages.append(any_remote.listed(cursor=pages[-1]["next_cursor"]).json())

    assert [1, *[0] * 20] == [len(page["custom_profiles"]) for page in pages]
    assert 21 == len({page["next_cursor"] for page in pages})
    assert "next_cursor" not in any_remote.listed().json()


@pytest.mark.parametrize("kind", [Kind.ENDLESS_HEAD, Kind.ENDLESS_HINTS])
def test_an_answer_that_never_comes_to_its_body(any_remote, kind):
    """It was applied; the client gives up, and the server serves the next call."""
    media_id = any_remote.upload()
    _arm(any_remote, kind)

    with pytest.raises((*DROPPED, httpx.TimeoutException)):
        any_remote.create(media_id=media_id, timeout=1)
    assert any_remote.names() == ["Alice"]
    assert any_remote.create("Next").status_code == 200


def test_an_answer_that_drips(any_remote):
    """Byte by byte, and complete in the end; in process a dropped connection."""
    any_remote.created()
    _arm(any_remote, Kind.DRIP, "list", seconds=0)

    if any_remote.client.base_url == INSIDE:
        with pytest.raises(ConnectionDropped, match="a byte at a time"):
            any_remote.listed()
    else:
        assert "Alice" == any_remote.listed().json()["custom_profiles"][0]["name"]
