"""What is fetched and bound when a ledger is lost."""

from __future__ import annotations

import pytest

from profilectl.errors import LedgerRefused, Unreachable
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Account, Agent, Brand, Kind, Profile
from profilectl.pictures.avatars import normalise
from profilectl.profiles.recovery import bind, examine
from tests.photographs import photograph_like_portrait

NOW = 1_790_000_000_000
ACME = Brand("acme", "acmecare")
ACCOUNT = Account("1", "acmecare", "api.x.com")
PICTURES = {f"{seed}.jpg": normalise(photograph_like_portrait(seed, (60, 80)), "face") for seed in range(4)}


def agent(key, name, seed):
    return Agent(key, "acme", name, f"{seed}.jpg", Kind.HUMAN)


def profile(number, name, seed):
    return Profile(str(number), name, f"{seed}.jpg", NOW + number)


class Client:
    """An X with these profiles, whose picture's address is that of the roster; it counts what is fetched."""

    def __init__(self, *profiles):
        self.profiles = profiles
        self.fetched = []

    def verify_credentials(self):
        return ACCOUNT

    def list_profiles(self):
        return self.profiles

    def download(self, url):
        self.fetched.append(url)
        if url not in PICTURES:
            raise Unreachable("no answer")
        return PICTURES[url].content


@pytest.fixture
def ledger(tmp_path):
    with open_for_writing(tmp_path / "state" / "ledger.db") as ledger:
        yield ledger


def load(agents):
    return {member.avatar: PICTURES[member.avatar] for member in agents}


def test_each_picture_is_fetched_once_and_no_more_than_needed(ledger):
    """Two agents of one name share the look at their profiles; a stranger matters only while somebody is missing."""
    twins = agent("alice", "Sam", 0), agent("bruno", "Sam", 1)
    client = Client(profile(1, "Sam", 1), profile(2, "Sam", 0), profile(3, "Old", 2))
    findings = examine(ACME, twins, client, ledger, load)

    assert ["0.jpg", "1.jpg"] == sorted(client.fetched)
    assert {"alice": "2", "bruno": "1"} == {match.agent: match.profile.id for match in findings.sure}
    findings = examine(ACME, [*twins, agent("dora", "Dora", 2)], client, ledger, load)
    assert [("dora", "3")] == [(match.agent, match.profile.id) for match in findings.renamed]


def test_only_what_a_person_has_seen_is_agreed_to(ledger):
    """A match of another name counts when it is the very one; anything else stays a doubt."""
    client = Client(profile(1, "Old", 2))
    findings = examine(ACME, [agent("dora", "Dora", 2)], client, ledger, load)
    other = examine(ACME, [agent("dora", "Dora F.", 2)], client, ledger, load)

    assert findings.renamed == findings.agreeing(findings.renamed).sure
    assert () == other.agreeing(findings.renamed).sure


def test_all_is_bound_or_nothing(ledger, monkeypatch):
    """Whoever is interrupted begins as before."""
    agents = agent("alice", "Alice", 0), agent("bruno", "Bruno", 1)
    findings = examine(ACME, agents, Client(profile(1, "Alice", 0), profile(2, "Bruno", 1)), ledger, load)

    def refuse(_event):
        raise LedgerRefused("disk full")

    monkeypatch.setattr(ledger, "record", refuse)
    with pytest.raises(LedgerRefused):
        bind(ledger, [findings], lambda _brand: NOW)
    monkeypatch.undo()
    assert () == ledger.state_of("1").bindings
    bind(ledger, [findings], lambda _brand: NOW)
    assert ["alice", "bruno"] == [binding.agent for binding in ledger.state_of("1").bindings]


def test_a_profile_of_another_name_is_bound_with_that_name(ledger):
    """So that the next sync sees that X shows another one than the roster's, and replaces it."""
    findings = examine(ACME, [agent("dora", "Dora", 2)], Client(profile(1, "Old", 2)), ledger, load)
    bind(ledger, [findings.agreeing(findings.renamed)], lambda _brand: NOW)

    assert "Old" == ledger.state_of("1").binding("dora").name
