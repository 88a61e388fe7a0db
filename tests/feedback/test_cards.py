"""What is asked after a message, under which key, and what the audit trail keeps of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from profilectl.errors import InputRefused, LedgerRefused, OutcomeUnknown, PersonNeeded, RateLimited
from profilectl.feedback.cards import INVITATIONS, Key, SentAs, ask, display_name, prepare, read_key
from profilectl.model import Agent, Ask, Brand, Card, Event, Kind, Message, Survey

BRAND = Brand("acme", "acmecare", privacy_url="https://acme.example/privacy")
ALICE = Agent("alice", "acme", "Alice F., Care Specialist", "a.png", Kind.HUMAN)
MESSAGE = Message("alice", "acme", "4534871", "Hello Ada", "100001")
CARD = Card("55", Survey.CSAT, "", False, 1, 1)


@dataclass
class Api:
    """X, which issues the card or fails."""

    error: Exception | None = None
    asked: list[Ask] = field(default_factory=list)

    def create_feedback(self, ask: Ask) -> Card:
        self.asked.append(ask)
        if self.error:
            raise self.error
        return CARD

    def now_ms(self) -> int:
        return 1_790_000_000_000


@dataclass
class Ledger:
    """An audit trail, which may be full."""

    error: Exception | None = None
    events: list[Event] = field(default_factory=list)

    def record(self, event: Event) -> None:
        if self.error:
            raise self.error
        self.events.append(event)


def question(survey=Survey.CSAT, agent=ALICE, brand=BRAND, *, is_test=False):
    return prepare(survey, agent, brand, is_test=is_test)


def test_the_card_that_is_issued():
    """To the recipient of the message, in the brand's language, with our key."""
    api, ledger = Api(), Ledger()

    assert CARD == ask(question(), MESSAGE, "1190", "7", api, ledger)
    assert api.asked == [
        Ask(
            survey=Survey.CSAT,
            recipient_id="4534871",
            text="Thank you for writing to us. How did we do?",
            privacy_url="https://acme.example/privacy",
            external_id="profilectl:alice:human:profile:1190",
            variant=12,
            display_name="Alice F.",
        )
    ]


def test_what_the_audit_trail_keeps():
    """Which card, for which message, to whom; an answer will never be in it."""
    ledger = Ledger()
    ask(question(is_test=True), MESSAGE, "1190", "7", Api(), ledger)

    assert ledger.events == [
        Event(
            "asked",
            "7",
            1_790_000_000_000,
            agent="alice",
            profile_id="100001",
            detail={
                "survey": "csat",
                "card_id": "55",
                "external_id": "profilectl:alice:human:profile:1190",
                "recipient_id": "4534871",
                "is_test": True,
            },
        )
    ]


def test_under_the_brands_own_face():
    """A message without a profile is counted as the brand's."""
    api = Api()
    ask(question(), replace(MESSAGE, profile_id=None), "1190", "7", api, Ledger())

    assert api.asked[0].external_id == "profilectl:alice:human:brand:1190"


def test_one_recommends_a_brand():
    """An NPS card doesn't name the agent."""
    api = Api()
    ask(question(Survey.NPS), MESSAGE, "1190", "7", api, Ledger())

    assert (api.asked[0].variant, api.asked[0].display_name) == (0, None)


def test_an_unknown_outcome_is_recorded():
    """The key is kept, so that an answer finds its message all the same."""
    ledger = Ledger()
    with pytest.raises(OutcomeUnknown) as caught:
        ask(question(), MESSAGE, "1190", "7", Api(OutcomeUnknown("broken")), ledger)

    assert ("the message has gone out" in caught.value.hint, ledger.events[0].what) == (True, "ask-unknown")
    assert ledger.events[0].detail["card_id"] is None


def test_a_refused_card_leaves_no_trace():
    """Nothing happened."""
    ledger = Ledger()
    with pytest.raises(RateLimited):
        ask(question(), MESSAGE, "1190", "7", Api(RateLimited("one a day")), ledger)

    assert ledger.events == []


def test_a_full_audit_trail():
    """What went out can't be taken back, and isn't repeated."""
    with pytest.raises(PersonNeeded, match="was issued as 55, but that couldn't be recorded: full"):
        ask(question(), MESSAGE, "1190", "7", Api(), Ledger(LedgerRefused("full")))


def test_no_privacy_policy():
    """Refused before anything is sent, with the line that is missing."""
    with pytest.raises(InputRefused, match="brand acme has no privacy policy") as caught:
        question(brand=Brand("acme", "acmecare"))

    assert '[brands.acme] privacy_url = "https://…"' in caught.value.hint


@pytest.mark.parametrize(
    ("language", "expected"), [("de", "de"), ("de-AT", "de"), ("pt-BR", "pt"), ("PT", "pt"), ("xx", "en")]
)
def test_the_brands_language(language, expected):
    """By its first part; English where we have no words."""
    assert INVITATIONS[expected] == question(brand=replace(BRAND, language=language)).text


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("Alice F.", Kind.HUMAN, "Alice F."),
        ("Alice F., Care Team", Kind.HUMAN, "Alice F., Care Team"),
        ("Alice F., Care Specialist", Kind.HUMAN, "Alice F."),
        ("Alice F. (Care Specialist)", Kind.HUMAN, "Alice F."),
        ("Alice F. - Care Specialist", Kind.HUMAN, "Alice F."),
        ("Anne-Marie von Hohenlohe", Kind.HUMAN, None),
        ("Mary-Ann | Care Specialist", Kind.HUMAN, "Mary-Ann"),
        ("(Alice) of the Care Specialists", Kind.HUMAN, None),
        ("Acme Bot", Kind.BOT, "Acme Bot"),
        ("Ava, virtual assistant of Acme", Kind.BOT, None),
    ],
)
def test_names_on_cards(name, kind, shown):
    """Twenty characters: without the role if need be, never half a name, and no bot without its marker."""
    assert shown == display_name(name, kind)


def test_keys_are_read_back():
    """The four parts."""
    key = Key("alice", Kind.BOT, SentAs.BRAND, "1190")

    assert key == read_key(str(key))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "case 17",
        "profilectl:alice:human:profile",
        "profilectl:alice:cat:profile:1",
        "profilectl:Alice:human:profile:1",
        "profilectl:alice:human:profile:1\n",
        "profilectl:alice:human:profile:x",
        " profilectl:alice:human:profile:1",
    ],
)
def test_what_is_no_key(text):
    """Other programs may use the same account."""
    assert read_key(text) is None


@given(
    st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True),
    st.sampled_from(Kind),
    st.sampled_from(SentAs),
    st.from_regex(r"[0-9]{1,20}", fullmatch=True),
)
def test_any_key_fits_and_comes_back(agent, kind, face, event_id):
    """X takes 256 characters."""
    key = Key(agent, kind, face, event_id)

    assert (key, True) == (read_key(str(key)), len(str(key)) <= 256)


@given(st.text(min_size=1, max_size=48), st.sampled_from(Kind))
def test_any_name_fits(name, kind):
    """Or isn't shown; what is shown is how the name begins."""
    shown = display_name(name, kind)

    assert shown is None or (0 < len(shown) <= 20 and name.startswith(shown))
