"""Directories of people: every page is read as documented, a token goes nowhere else, and what lies is refused."""

from __future__ import annotations

import json

import pytest

from profilectl.api.clock import Clock
from profilectl.api.directories import client as directories
from profilectl.api.directories.client import Directory
from profilectl.errors import CredentialsRefused, NotFound, RateLimited, Refused, Unreachable
from profilectl.secret import Secret
from tests import people_server
from tests.people_server import GROUP, TOKEN, USER

KINDS = ("okta", "entra", "google", "zendesk")
PEOPLE = [
    (str(number), f"First{number}", f"Last{number}", f"p{number}@acme.example", number != 3) for number in range(1, 6)
]
NOW = 1_790_000_000.0


@pytest.fixture(params=KINDS)
def server(request):
    """A directory of five people, the third of whom is suspended, with two on a page."""
    with people_server.Directory(request.param, *PEOPLE) as server:
        yield server


def client(server, token=TOKEN, **settings):
    slept = settings.pop("slept", [])
    clock = Clock(now=lambda: NOW, sleep=slept.append)
    return Directory(server.kind, server.url, Secret(token), user=USER, clock=clock, **settings)


def ids(server, group=None, **settings):
    with client(server, **settings) as directory:
        return [str(person["id"]) for person in directory.people(group)]


def test_everybody_who_is_active_is_read(server):
    """Over all pages, each once."""
    assert (["1", "2", "4", "5"], 3) == (ids(server), len(server.asked))


def test_a_group_is_read(server):
    """By its documented address; Google lists members apart, here those with even numbers."""
    expected = ["2", "4"] if server.kind == "google" else ["1", "2", "4", "5"]

    assert expected == ids(server, GROUP)
    assert GROUP in server.asked[0]


def test_a_wrong_token_is_told_and_never_shown(server):
    """At the first call, without a second try."""
    with pytest.raises(CredentialsRefused) as error:
        ids(server, token="wrong-token")

    assert (1, False) == (len(server.asked), "wrong-token" in f"{error.value.message}{error.value.hint}")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "7"}, 7), ({"X-Rate-Limit-Reset": str(int(NOW) + 20)}, 20)],
    ids=["Retry-After", "Okta's own"],
)
def test_a_limit_is_waited_for(server, headers, seconds):
    """As long as the answer says, and the page is asked for again."""
    server.failures = [(429, headers)]
    slept = []

    assert ["1", "2", "4", "5"] == ids(server, slept=slept)
    assert seconds <= slept[0] <= seconds + 2


def test_a_limit_without_an_end_is_for_later(server):
    """Neither a wait of unknown length, nor one that is longer than the run may take."""
    server.failures = [(429, {})]
    with pytest.raises(RateLimited):
        ids(server)
    server.failures = [(429, {"Retry-After": "3000"})]
    with pytest.raises(RateLimited) as error:
        ids(server)

    assert error.value.retry_at is not None


@pytest.mark.parametrize(
    ("status", "error"), [(404, NotFound), (400, Refused), (403, CredentialsRefused), (302, Refused)]
)
def test_a_no_is_a_no(server, status, error):
    """Not asked again; a redirect isn't followed."""
    server.failures = [(status, {"Location": "http://127.0.0.1:9/"})]
    with pytest.raises(error):
        ids(server)

    assert 1 == len(server.asked)


def test_an_error_of_its_own_is_tried_again(server):
    """Reading twice does no harm; after four tries it is for later."""
    server.failures = [(503, {})]
    assert ["1", "2", "4", "5"] == ids(server)
    server.failures = [(503, {})] * 4
    with pytest.raises(Unreachable):
        ids(server)


@pytest.mark.parametrize("place", ["https://evil.example/next", "http://127.0.0.1:9/x", "//evil.example", "x", 7])
@pytest.mark.parametrize("kind", ["okta", "entra", "zendesk"])
def test_a_next_page_elsewhere_is_refused(kind, place):
    """The token would go along."""
    with people_server.Directory(kind, *PEOPLE) as server:
        server.next_page = place
        with pytest.raises(Refused, match="its next page is elsewhere"):
            ids(server)

        assert 1 == len(server.asked)


def test_a_list_without_an_end_ends(server, monkeypatch):
    """After so many pages, or at one that it repeats."""
    monkeypatch.setattr(directories, "MOST_PAGES", 5)
    server.is_endless = True
    with pytest.raises(Refused, match="doesn't end"):
        ids(server)

    assert 5 == len(server.asked)


@pytest.mark.parametrize("kind", ["okta", "entra", "zendesk"])
def test_a_page_that_names_itself_is_noticed(kind):
    """It would be read for ever."""
    with people_server.Directory(kind, *PEOPLE) as server:
        with client(server) as directory:
            next(iter(directory.people()))
        server.next_page = f"{server.url}{server.asked[0]}"
        with pytest.raises(Refused, match="doesn't end"):
            ids(server)


def test_more_people_than_a_roster_holds_are_refused(server, monkeypatch):
    """With the advice to choose a group."""
    monkeypatch.setattr(directories, "MOST_PEOPLE", 3)
    with pytest.raises(Refused, match="more than 3 people"):
        ids(server)


@pytest.mark.parametrize("body", ["<html>", "7", "[" * 100_000])
def test_what_is_no_list_is_refused(server, body, monkeypatch):
    """Such as a login page at a wrong address."""
    monkeypatch.setattr(people_server.json, "dumps", lambda _: body)
    with pytest.raises(Refused, match="is no list of people"):
        ids(server)


@pytest.mark.parametrize("body", [{}, [], [7, None, "x"], {"value": 7, "users": {}, "meta": [], "links": 3}])
def test_a_page_of_another_shape_has_nobody(server, body, monkeypatch):
    """Nothing is guessed, and nothing breaks."""
    text = json.dumps(body)
    monkeypatch.setattr(people_server.json, "dumps", lambda _: text)

    assert [] == ids(server)


def test_nobody_at_an_address_is_told(server):
    """As a network failure, with the address."""
    server.close()
    with pytest.raises(Unreachable, match=r"no connection to http://127\.0\.0\.1"):
        ids(server)
