"""Who may speak, to whom, and what an agent keeps private."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from profilectl.errors import InputRefused
from profilectl.messaging.send_rules import SendContext, require_honesty, require_privacy, sign_off
from profilectl.model import Agent, Kind

ALLY = Agent("alice", "acme", "Ally F.", "a.png", Kind.HUMAN, first="Alice", last="Fast", legal_name="Alice Fast")
OPEN = replace(ALLY, name="Alice Fast")


@pytest.mark.parametrize(
    "text",
    [
        "Hi, this is Alice Fast",
        "hi, this is alice fast",
        "Hi, this is Alice  F\u200bast.",
        "Ms Fast here",
        "MS FAST HERE",
        "Alice\nFast",
        "It's Fast, Alice",
        "ask about Alice Fast's desk",
        "Ms. Fast\u2019s answer",
    ],
)
def test_a_name_behind_an_alias_stays_there(text):
    """Last and legal name aren't sent as an agent whose public name hides them, however they are written."""
    with pytest.raises(InputRefused, match="gives away alice's"):
        require_privacy(ALLY, text)


@pytest.mark.parametrize("text", ["I promise a fast answer", "Hi, this is Ally", "breakfast", "Alice"])
def test_ordinary_words_are_no_names(text):
    """Whose name is Fast may still be fast."""
    assert require_privacy(ALLY, text) is None


def test_what_the_public_name_shows_is_no_secret():
    """The same text by an agent without an alias is fine."""
    assert require_privacy(OPEN, "Hi, this is Alice Fast") is None


def test_accents_and_compatibility_characters_hide_nothing():
    """A name is found in whatever letters it is written."""
    agent = replace(ALLY, name="Zoë", last=None, legal_name="Zoé Müller-Łukasz")
    with pytest.raises(InputRefused):
        require_privacy(agent, "Yours, ＺＯＥ Muller-Łukasz")


@pytest.mark.parametrize(
    ("kind", "context", "allowed"),
    [
        (Kind.HUMAN, SendContext(attended=False), False),
        (Kind.BOT, SendContext(attended=False), True),
        (Kind.HUMAN, SendContext(attended=True), True),
        (Kind.HUMAN, SendContext(attended=False, human_wrote_this=True), True),
        (Kind.HUMAN, SendContext(attended=False, is_test=True), True),
    ],
)
def test_a_script_does_not_speak_as_a_person(kind, context, allowed):
    """Without a terminal only a bot writes to customers, unless somebody vouches or it is a rehearsal."""
    agent = replace(ALLY, kind=kind)
    if allowed:
        assert require_honesty(agent, context) is None
    else:
        with pytest.raises(InputRefused, match="a script may only speak as a bot"):
            require_honesty(agent, context)


@pytest.mark.parametrize(
    ("agent", "signature"),
    [
        (ALLY, "^AF"),
        (replace(ALLY, first=None, last=None, name="Bruno K., Billing"), "^BK"),
        (replace(ALLY, first=None, last=None, name="acmecare bot"), "^AB"),
        (replace(ALLY, first=None, last=None, name="小林"), "^小"),
        (replace(ALLY, kind=Kind.BOT, name="Acme Helper (bot)"), "^Acme Helper (bot)"),
    ],
)
def test_initials_are_the_old_way_to_sign(agent, signature):
    """First and last name where they are known, else the words of the public name."""
    assert signature == sign_off(agent)
