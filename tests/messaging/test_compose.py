"""A message is composed only when the agent may speak and has something to say."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from profilectl.errors import InputRefused
from profilectl.messaging.compose import MAX_TEXT, Contents, NoProfile, compose, compose_signed, fingerprint
from profilectl.model import Agent, Binding, Consent, Kind, LedgerState, Link, Message, Policy
from profilectl.roster.consent import agreed_agents

TODAY = date(2027, 1, 15)
ALICE = Agent("alice", "acme", "Alice F.", "a.png", Kind.HUMAN)
HELD = LedgerState((Binding("alice", "100001", "Alice F.", "sha256:aa", 1, 1),))
SAID = Contents("Hello")
MESSAGE = Message("alice", "acme", "12345", "Hello", "100001")


def write(agent=ALICE, ledger_state=HELD, **contents):
    return compose(
        agent, ledger_state, recipient_id="12345", contents=Contents(**{"text": "Hello"} | contents), today=TODAY
    )


def test_compose_takes_the_profile_from_the_ledger():
    """A message carries the profile that is bound to the agent."""
    assert MESSAGE == write()


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ({"ledger_state": LedgerState()}, "alice has no profile at brand acme yet"),
        (
            {"ledger_state": replace(HELD, blocked=frozenset({"alice"}))},
            "alice was offboarded: nobody can send as alice",
        ),
        ({"text": " \n"}, "the message is empty"),
        ({"text": "x\udcff"}, "the message isn't UTF-8: it holds half a character"),
        ({"text": "x" * (MAX_TEXT + 1)}, "the message has 10001 characters, at most 10000 fit"),
        ({"agent": replace(ALICE, until=date(2027, 1, 14))}, "alice can't send: the last day was 2027-01-14"),
    ],
)
def test_compose_refuses_with_the_reason(case, reason):
    """What can't be sent is refused before anything leaves, in one sentence."""
    with pytest.raises(InputRefused) as caught:
        write(**case)

    assert reason == caught.value.message


@pytest.mark.parametrize(
    ("consent", "policy", "why"),
    [
        (Consent(name=True, photo=True, expires=date(2027, 1, 14)), "record", "the consent ended on 2027-01-14"),
        (Consent(name=True, photo=True, given=date(2027, 1, 16)), "record", "the consent begins on 2027-01-16"),
        (Consent(name=False, photo=True), "record", "the consent says name = false"),
        (None, "require", "the roster has no consent"),
    ],
)
def test_a_name_that_may_not_be_shown_any_more_is_refused_with_the_reason(consent, policy, why):
    """X still shows it, and the next sync ends that; a neutral name that is at X speaks."""
    [neutral] = agreed_agents([replace(ALICE, consent=consent)], Policy(consent=policy), TODAY)
    with pytest.raises(InputRefused) as caught:
        write(agent=neutral)
    expected = f'alice\'s own name may not be shown any more: {why}, and X still shows "Alice F."'
    assert (expected, "consent") == (caught.value.message, caught.value.rule)
    assert "100001" == write(neutral, LedgerState((replace(HELD.bindings[0], name=neutral.name),))).profile_id


def test_who_is_blocked_stays_without_a_face_too():
    """An agent who was offboarded has no way around it by a fallback."""
    with pytest.raises(InputRefused) as caught:
        write(ledger_state=LedgerState(blocked=frozenset({"alice"})))

    assert not isinstance(caught.value, NoProfile)


def test_the_longest_text_and_the_last_day_are_fine():
    """A limit belongs to what is allowed, and a picture may go out without words."""
    agent = replace(ALICE, until=TODAY)

    assert MAX_TEXT == len(write(agent, text="x" * MAX_TEXT).text)
    assert "" == write(text="", attachment="sha256:aa").text


def test_only_a_sign_off_that_is_added_takes_its_place():
    """10,000 characters fit beside a profile; without one the refusal says what the signature takes."""
    contents = Contents("x" * (MAX_TEXT - 3))
    with pytest.raises(InputRefused) as caught:
        compose_signed(ALICE, recipient_id="12345", contents=contents, sign_off="^AF")

    assert MAX_TEXT - 3 == len(write(text=contents.text).text)
    assert "the message has 10001 characters, at most 10000 fit; the sign-off ^AF is 4 of them" == caught.value.message


def test_a_message_without_a_face_is_signed():
    """Under the brand the text ends as agents have always signed, and no profile is claimed."""
    signed = compose_signed(ALICE, recipient_id="12345", contents=Contents("Hello"), sign_off="^AF")

    assert ("Hello ^AF", None) == (signed.text, signed.profile_id)


@pytest.mark.parametrize(
    ("message", "contents"),
    [
        (replace(MESSAGE, agent="bruno"), SAID),
        (replace(MESSAGE, recipient_id="1"), SAID),
        (MESSAGE, Contents("Hello!")),
        (MESSAGE, replace(SAID, attachment="sha256:aa")),
        (MESSAGE, replace(SAID, quick_replies=("Yes",))),
        (MESSAGE, replace(SAID, links=(Link("Help", "https://example.com"),))),
    ],
)
def test_whatever_the_customer_would_notice_makes_another_message(message, contents):
    """Who writes what to whom is a message's mark; with which face, or signed, isn't."""
    mark = fingerprint(MESSAGE, SAID)

    assert mark != fingerprint(message, contents)
    assert mark == fingerprint(replace(MESSAGE, profile_id=None, text="Hello ^AF"), SAID)


def test_nobody_speaks_with_a_name_that_is_not_theirs_any_more():
    """When the roster has another name than X shows, a sync comes first."""
    with pytest.raises(InputRefused, match='is "Acme bot" in the roster and still "Alice F'):
        write(replace(ALICE, name="Acme bot", kind=Kind.BOT))
