"""Who may speak, to whom, and how a message is signed."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from profilectl.errors import InputRefused
from profilectl.messaging.send_rules import SendContext, require_honesty, sign_off
from profilectl.model import Agent, Kind

ALLY = Agent("alice", "acme", "Ally F.", "a.png", Kind.HUMAN, first="Alice", last="Fast", legal_name="Alice Fast")


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
        with pytest.raises(InputRefused, match="not sent: alice is a person, and there is no terminal to ask on"):
            require_honesty(agent, context)


@pytest.mark.parametrize(
    ("agent", "signature"),
    [
        (ALLY, "^AF"),
        (replace(ALLY, first=None, last=None, name="Bruno K., Billing"), "^BK"),
        (replace(ALLY, first=None, last=None, name="acmecare bot"), "^AB"),
        (replace(ALLY, first=None, last=None, name="小林"), "^小"),
        (replace(ALLY, first=None, last=None, name="Siobhán O’Brien"), "^SO"),
        (replace(ALLY, first="Gerard", last="'t Hooft"), "^GH"),
        (replace(ALLY, first=None, last=None, name="प्रिया शर्मा"), "^प्रिश"),
        (replace(ALLY, first=None, last=None, name="สมหญิง ใจดี"), "^สจ"),
        (replace(ALLY, first=None, last=None, name="Zoé Q̇uist"), "^ZQ̇"),
        (replace(ALLY, first=None, last=None, name="jean-pierre müller"), "^JM"),
        (replace(ALLY, first="7", last="8", name="007"), "^007"),
        (replace(ALLY, kind=Kind.BOT, name="Acme Helper (bot)"), "^Acme Helper (bot)"),
    ],
)
def test_initials_are_the_old_way_to_sign(agent, signature):
    """First and last name where they are known, else the words of the public name."""
    assert signature == sign_off(agent)
