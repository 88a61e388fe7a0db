"""Repairs look again under the lock, and never call undone what was done."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from profilectl.digests import digest_of_bytes
from profilectl.errors import InputRefused, LedgerRefused, NotFound, PersonNeeded, Unreachable
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Account, Agent, Brand, Kind, Profile, Roster
from profilectl.pictures.avatars import normalise
from profilectl.profiles import manual_changes
from profilectl.profiles.ownership import ProfileStatus
from tests.photographs import photograph_like_portrait

NOW = 1_790_000_000_000
ACME = Brand("acme", "acmecare")
ALICE = Agent("alice", "acme", "Alice", "a.png", Kind.HUMAN)
ROSTER = Roster((ACME,), (ALICE,))
ACCOUNT = Account("1", "acmecare", "api.x.com")


def profile(number):
    return Profile(str(number), "Alice", "https://pbs.example/1.jpg", NOW)


def bind(ledger, number):
    ledger.adopt(
        "1", "alice", profile(number), name=profile(number).name, avatar="sha256:a", protected=False, now_ms=NOW
    )


def quiet(_seconds, _why):
    """Tell nobody of a wait."""


def hurry(_seconds, _why):
    """Have no time for a wait."""
    return False


class Client:
    """An X with these profiles."""

    def __init__(self, *numbers):
        self.profiles = {str(number): profile(number) for number in numbers}

    def now_ms(self):
        return NOW

    def verify_credentials(self):
        return ACCOUNT

    def show_profile(self, profile_id):
        if profile_id not in self.profiles:
            raise NotFound("no such profile")
        return self.profiles[profile_id]

    def destroy_profile(self, profile_id):
        del self.profiles[profile_id]


@pytest.fixture
def ledger(tmp_path):
    with open_for_writing(tmp_path / "state" / "ledger.db") as ledger:
        ledger.register_account("acme", ACCOUNT, NOW)
        yield ledger


def test_forgetting_is_about_the_profile_that_was_agreed_to(ledger):
    """A profile that another run has bound meanwhile stays."""
    bind(ledger, 1)
    _, agreed = manual_changes.find_binding(ledger, ROSTER, ACME, "alice")
    bind(ledger, 2)

    with pytest.raises(InputRefused, match="alice has another profile by now"):
        manual_changes.forget(ledger, ROSTER, ACME, agreed, lambda: NOW, quiet)
    assert "2" == ledger.state_of("1").binding("alice").profile_id


def test_a_profile_that_an_agent_got_meanwhile_is_not_destroyed(ledger):
    """Between the question and the deed another run may have bound it."""
    client = Client(1)
    unused = manual_changes.find_unused(client, ledger, ACME, "1")
    bind(ledger, 1)

    with pytest.raises(InputRefused, match="profile 1 is alice's"):
        manual_changes.destroy(client, ledger, unused, quiet, hurry)
    assert ["1"] == list(client.profiles)


def test_what_is_destroyed_and_not_recorded_needs_a_person(ledger, monkeypatch):
    """The message says that it is gone, not that it failed."""
    client = Client(1)
    unused = manual_changes.find_unused(client, ledger, ACME, "1")

    def refuse(_event):
        raise LedgerRefused("disk full", hint="make room")

    monkeypatch.setattr(ledger, "record", refuse)
    with pytest.raises(
        PersonNeeded, match="profile 1 is destroyed, but that couldn't be recorded: disk full"
    ) as caught:
        manual_changes.destroy(client, ledger, unused, quiet, hurry)
    assert ("make room", {}) == (caught.value.hint, client.profiles)


def test_a_retired_profile_that_x_has_lost_can_still_be_dropped(ledger):
    """The ledger remembers its name; a stranger that X doesn't know is nobody."""
    bind(ledger, 1)
    bind(ledger, 2)
    unused = manual_changes.find_unused(Client(), ledger, ACME, "1")

    assert ("Alice", False, ProfileStatus.RETIRED) == (unused.name, unused.is_live, unused.status)
    manual_changes.destroy(Client(), ledger, unused, quiet, hurry)
    assert () == ledger.state_of("1").retired
    with pytest.raises(NotFound) as caught:
        manual_changes.find_unused(Client(), ledger, ACME, "1")
    assert "`profilectl profiles list` shows the ids that there are" == caught.value.hint


def test_a_profile_that_is_called_otherwise_by_now_is_not_destroyed(ledger):
    """Another name was typed, or agreed to."""
    client = Client(1)
    unused = manual_changes.find_unused(client, ledger, ACME, "1")
    client.profiles["1"] = replace(profile(1), name="Ally")

    with pytest.raises(InputRefused, match='is called "Ally" by now'):
        manual_changes.destroy(client, ledger, unused, quiet, hurry)
    assert ["1"] == list(client.profiles)


def test_a_stranger_that_is_gone_by_now_is_not_called_destroyed(ledger):
    """Somebody else has destroyed it meanwhile."""
    client = Client(1)
    unused = manual_changes.find_unused(client, ledger, ACME, "1")
    client.profiles.clear()

    with pytest.raises(NotFound):
        manual_changes.destroy(client, ledger, unused, quiet, hurry)
    assert [] == [record.event.what for record in ledger.events() if record.event.what == "destroyed-stranger"]


class Gallery(Client):
    """An X whose pictures can be fetched, unless there is none."""

    def __init__(self, picture, name="Alice"):
        super().__init__(1)
        self.picture = picture
        self.profiles["1"] = Profile("1", name, "https://pbs.example/1.jpg", NOW)

    def download(self, _url):
        if self.picture is None:
            raise Unreachable("no answer")
        return self.picture


FACE, OTHER = (normalise(photograph_like_portrait(seed, (60, 80)), "face") for seed in (1, 2))


@pytest.mark.parametrize(
    ("picture", "name", "expected"),
    [
        (FACE.content, "Alice", (False, False, False)),
        (FACE.content, "Bruno", (True, True, False)),
        (OTHER.content, "Alice", (True, False, True)),
        (None, "Alice", (True, False, False)),
    ],
    ids=["the agent's", "another name", "another picture", "no picture"],
)
def test_a_profile_is_compared_with_the_roster_s_agent(ledger, picture, name, expected):
    """Another picture is bound as what it is, so that sync replaces it; one that can't be had is believed."""
    adoption = manual_changes.find_adoption(Gallery(picture, name), ledger, ACME, ALICE, FACE, "1")
    manual_changes.adopt(ledger, adoption, NOW)
    avatar = ledger.state_of("1").binding("alice").avatar

    assert expected == (adoption.is_doubtful, adoption.has_other_name, adoption.has_other_picture)
    assert (digest_of_bytes(OTHER.content) if adoption.has_other_picture else FACE.source_digest) == avatar


def test_what_was_agreed_to_is_only_that(ledger):
    """A later look with another picture, name or former profile is another question; the same look isn't."""
    agreed = manual_changes.find_adoption(Gallery(FACE.content), ledger, ACME, ALICE, FACE, "1")

    def agrees(client, agent=ALICE):
        return agreed.agrees_with(manual_changes.find_adoption(client, ledger, ACME, agent, FACE, "1"))

    assert agrees(Gallery(FACE.content), replace(ALICE, line=9))
    assert not agrees(Gallery(OTHER.content))
    assert not agrees(Gallery(None))
    assert not agrees(Gallery(FACE.content, "Bruno"))
    assert not agrees(Gallery(FACE.content), replace(ALICE, name="Alice F."))
    bind(ledger, 2)
    assert not agrees(Gallery(FACE.content))
