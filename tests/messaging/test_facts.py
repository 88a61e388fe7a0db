"""What the record holds of a message, so that a brand can show what a customer was told about whom they talk to."""

from __future__ import annotations

import os

import pytest
from msgspec.structs import replace

from profilectl import __version__
from profilectl.digests import digest_of_bytes
from profilectl.messaging.facts import facts
from profilectl.messaging.identity import Sender
from profilectl.messaging.send_rules import SendContext
from profilectl.model import Agent, Binding, Brand, Kind, Policy
from profilectl.roster.disclosure import MARKERS
from profilectl.system import host

ALICE = Agent("alice", "acme", "Alice F.", "a.png", Kind.HUMAN)
HELPER = Agent("helper", "acme", "Acme Helper (bot)", "b.png", Kind.BOT)
ACME = Brand("acme", "acmecare", language="en")
FACE = Binding("alice", "100001", "Alice F.", "sha256:a", 1, 2)
POLICY = Policy(bot_markers=MARKERS)
SCRIPT, PERSON = SendContext(attended=False), SendContext(attended=True)


def noted(agent=ALICE, binding=FACE, context=PERSON, *, is_test=False):
    return facts(Sender(agent, ACME), binding, context, POLICY, is_test=is_test, plan="sha256:p")


def test_a_person_s_message():
    """Who was shown, who speaks and on whose behalf, with which roster and version."""
    context = replace(PERSON, is_asked=True, parent="bash", roster="version = 1")
    assert noted(context=context) == {
        "name": "Alice F.",
        "picture": "sha256:a",
        "kind": "human",
        "marker": None,
        "language": "en",
        "brand": "acme",
        "on_behalf_of": "@acmecare",
        "origin": "person at a terminal",
        "asked": True,
        "parent": "bash",
        "user": host.user_at_host(),
        "effective_uid": os.geteuid(),
        "login_uid": host.login_uid(),
        "uid_map": host.uid_map(),
        "roster": digest_of_bytes(b"version = 1"),
        "plan": "sha256:p",
        "version": __version__,
    }


def test_a_bot_s_message_names_the_marker_that_the_customer_saw():
    """That of the profile, which may still be an older name than the roster's; without one, of the signature."""
    face = replace(FACE, agent="helper", name="Acme chatbot")
    assert ("bot", "chatbot") == (noted(HELPER, face)["kind"], noted(HELPER, face)["marker"])
    signed = noted(HELPER, None)
    assert ("bot", None, None) == (signed["marker"], signed["name"], signed["picture"])


@pytest.mark.parametrize(
    ("context", "is_test", "origin"),
    [
        (PERSON, False, "person at a terminal"),
        (replace(SCRIPT, human_wrote_this=True), False, "person vouched"),
        (replace(PERSON, human_wrote_this=True), False, "person at a terminal"),
        (SCRIPT, False, "script"),
        (SCRIPT, True, "rehearsal"),
        (PERSON, True, "rehearsal"),
    ],
)
def test_the_origin_of_a_message(context, is_test, origin):
    """Who is written to comes first: what goes to a test recipient reaches no customer."""
    assert origin == noted(context=context, is_test=is_test)["origin"]
