"""What becomes of each profile: an agent with a key and a kind, or a comment with the reason."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from profilectl.digests import digest_of_bytes
from profilectl.errors import InputRefused, Unreachable, WrongAccount
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Account, Brand, Intent, Profile
from profilectl.people.starter import head
from profilectl.pictures.provenance import TRAINED, with_mark
from profilectl.profiles.from_live import bind, describe, look, roster_text
from profilectl.roster.parser import parse

NOW = 1_790_000_000_000
ACME = Brand("acme", "acmecare")
ACCOUNT = Account("1", "acmecare", "api.x.com")


def picture(form="JPEG"):
    buffer = BytesIO()
    Image.new("RGB", (60, 60), (9, 120, 40)).save(buffer, form)
    return buffer.getvalue()


class Client:
    """An X with profiles of these names; the pictures' addresses are those names, and `pictures` what is there."""

    def __init__(self, *names, account=ACCOUNT, **pictures):
        self.names, self.account, self.pictures = names, account, pictures

    def verify_credentials(self):
        return self.account

    def list_profiles(self):
        profiles = [Profile(str(100 + at), name, name, NOW + at) for at, name in enumerate(self.names)]
        return tuple(reversed(profiles))

    def download(self, url):
        content = self.pictures.get(url, picture())
        if content is None:
            raise Unreachable("downloading the picture: no answer")
        return content


@pytest.fixture
def ledger(tmp_path):
    with open_for_writing(tmp_path / "state" / "ledger.db") as ledger:
        yield ledger


def reasons(live):
    return {other.profile.name: other.reason for other in live.left_out}


def test_the_oldest_comes_first_whatever_the_order_of_the_list(ledger):
    """So that the roster is the same every time."""
    assert ["alice", "bo"] == [agent.key for agent in look(ACME, Client("Alice", "Bo"), ledger).agents]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("Mia", with_mark(picture(), TRAINED), "its picture is marked as machine-made, and its name is a person's"),
        ("Mia", None, "its picture can't be had: downloading the picture: no answer"),
        ("Mia", b"<html>", "its picture can't be had: picture of profile 100 is no image, or none that is known here"),
        ("M\u202eia", picture(), 'its name contains U+202E RIGHT-TO-LEFT OVERRIDE: "M<U+202E>ia"'),
    ],
)
def test_why_a_profile_is_left_out(ledger, name, content, reason):
    """One thing each; the comment stays on its line, and shows what it quotes."""
    live = look(ACME, Client(name, "Bo", **{name: content}), ledger)
    text = roster_text(head([ACME]), [live])

    assert {name: reason} == reasons(live)
    assert [f"# Left out: profile 100 of acme, {describe(live.left_out[0])[12:]}"] == [
        line for line in text.splitlines() if line.startswith("# Left out")
    ]
    assert ["bo"] == [agent.key for agent in parse(text, "roster.toml").agents]


def test_a_machine_made_picture_of_a_bot_is_fine(ledger):
    """It deceives nobody."""
    live = look(ACME, Client("Acme bot", **{"Acme bot": with_mark(picture(), TRAINED)}), ledger)

    assert ["acme-bot"] == [agent.key for agent in live.agents]


def test_a_name_cannot_end_its_comment(ledger):
    """A line end in it is spelled out."""
    text = roster_text(head([ACME]), [look(ACME, Client("x\n[agents.evil]\n", "Bo"), ledger)])

    assert ["bo"] == [agent.key for agent in parse(text, "roster.toml").agents]


@pytest.mark.parametrize(("form", "suffix"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("GIF", "gif")])
def test_a_picture_is_stored_as_it_is(ledger, form, suffix):
    """With the suffix of its format; its digest is what is bound, so that no later run takes it for another one."""
    live = look(ACME, Client("Bo", Bo=picture(form)), ledger)
    bind(ledger, [live], {"acme": lambda: NOW})
    [binding] = ledger.state_of("1").bindings

    assert f"avatars/bo.{suffix}" == live.agents[0].path
    assert ("bo", "100", digest_of_bytes(picture(form))) == (binding.agent, binding.profile_id, binding.avatar)


def test_keys_that_are_somebody_s_are_not_given_again(ledger):
    """Neither those of the ledger's agents, nor those of agents of another brand, nor of who was offboarded."""
    first = look(ACME, Client("Bo"), ledger)
    other = look(
        Brand("beta", "betacare"), Client("Bo", account=Account("2", "betacare", "api.x.com")), ledger, [first]
    )
    bind(ledger, [first], {"acme": lambda: NOW})
    again = look(ACME, Client("Bo", "Bo"), ledger)

    assert (["bo"], ["bo-100"]) == ([agent.key for agent in first.agents], [agent.key for agent in other.agents])
    assert ["bo", "bo-101"] == [agent.key for agent in again.agents]


def test_a_replaced_profile_becomes_no_agent(ledger):
    """It goes with the next sync."""
    live = look(ACME, Client("Bo"), ledger)
    bind(ledger, [live], {"acme": lambda: NOW})
    ledger.retire("1", "bo", NOW)

    assert {"Bo": "it was replaced, and goes with its agent's next sync"} == reasons(look(ACME, Client("Bo"), ledger))


def test_an_unanswered_create_is_settled_first(ledger):
    """Its profile may be among those that are listed."""
    ledger.register_account("acme", ACCOUNT, NOW)
    ledger.begin_intent("1", Intent("n1", "zoe", "Zoe", "sha256:0", frozenset(), 1))

    with pytest.raises(InputRefused, match="a create of @acmecare is still without X's answer: zoe"):
        look(ACME, Client("Bo"), ledger)


def test_the_wrong_account_is_refused(ledger):
    """As everywhere."""
    with pytest.raises(WrongAccount):
        look(ACME, Client("Bo", account=Account("2", "other", "api.x.com")), ledger)
