"""What agents keep private, in what leaves."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from profilectl.errors import InputRefused
from profilectl.messaging.private_names import require_privacy
from profilectl.model import Agent, Kind


def agent(key, name, first=None, last=None, legal_name=None):
    return Agent(key, "acme", name, "a.png", Kind.HUMAN, first=first, last=last, legal_name=legal_name)


ALLY = agent("alice", "Ally F.", "Alice", "Fast", "Alice Fast")
TEAM = (
    ALLY,
    agent("bruno", "Bruno", "Bruno", "Fernandez", "Bruno Fernández-López"),
    agent("carla", "Carla Lopez", "Carla", "Lopez"),
    agent("diego", "Diego", "Diego", "Lopez"),
    agent("zoe", "Zoë", legal_name="Zoé Müller-Łukasz"),
    agent("ming", "小明", "小明", "王", "王小明"),
    agent("minsu", "민수", "민수", "김", "김민수"),
    agent("taro", "Taro Y.", "太郎", "山田", "山田太郎"),
    agent("ying", "สมหญิง", "สมหญิง", "ทองดี"),
    agent("may", "Theresa M.", "Theresa", "May"),
    agent("do", "Minh D.", "Minh", "Do"),
    agent("best", "George", "George", "Best"),
    agent("an", "Wei", "Wei", "An"),
    agent("paid", "Kim", "Kim", "van den Berg"),
)


def shown(*texts, sender=ALLY, agents=TEAM):
    try:
        require_privacy(sender, agents, texts)
    except InputRefused as error:
        return error.message.removeprefix("the text gives away ").removesuffix(", which the public name keeps private")
    return ""


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Hi, this is Alice Fast", "alice's last name and legal name"),
        ("hi, this is alice fast", "alice's last name and legal name"),
        ("Hi, this is Alice  F\u200bast.", "alice's last name and legal name"),
        ("Alice\nFast", "alice's last name and legal name"),
        ("It's Fast, Alice", "alice's last name and legal name"),
        ("ask about Alice Fast's desk", "alice's last name and legal name"),
        ("Ms Fast here", "alice's last name"),
        ("MS FAST HERE", "alice's last name"),
        ("Ms. Fast\u2019s answer", "alice's last name"),
        ("ask fernandez", "bruno's last name"),
        ("Yours, FERNÁNDEZ", "bruno's last name"),
        ("Bruno Fernandez Lopez called", "bruno's last name and legal name"),
        ("write to bruno.fernandez@acme.example", "bruno's last name"),
        ("write to bfernandez@acme.example", "bruno's last name"),
        ("https://acme.example/team/FernandezB", "bruno's last name"),
        ("https://acme.example/?who=bruno%20fernandez", "bruno's last name"),
        ("https://acme.example/brunofernandez", "bruno's last name"),
        ("alicefast@acme.example", "alice's last name and legal name"),
        ("a.fast@acme.example", "alice's last name"),
        ("Diego Lopez will call", "diego's last name"),
        ("Yours, ＺＯＥ Muller-Łukasz", "zoe's legal name"),
        ("您好，我是王小明，很高兴为您服务", "ming's last name and legal name"),
        ("您好 王小明", "ming's last name and legal name"),
        ("저는 김민수입니다.", "minsu's last name and legal name"),
        ("担当の山田太郎です。", "taro's last name and legal name"),
        ("山田です", "taro's last name"),
        ("ดิฉันสมหญิง ทองดีค่ะ", "ying's last name"),
        ("Theresa May here", "may's last name"),
        ("theresa.may@acme.example", "may's last name"),
        ("tmay@acme.example", ""),  # three letters are in too many words
        ("Mrs. May will call you", "may's last name"),
        ("Do Minh will call", "do's last name"),
        ("George Best regards this as done", "best's last name"),
        ("Kim van den Berg", "paid's last name"),
    ],
)
def test_a_private_name_is_found(text, who):
    """Anybody's of the brand, however and in whatever script it is written."""
    assert who == shown(text)


@pytest.mark.parametrize(
    "text",
    [
        "I promise a fast answer",
        "Fast as always",
        "Hi, this is Ally",
        "breakfast",
        "Alice",
        "May I ask for your order number?",
        "It was in May.",
        "Do you have it?",
        "Best regards, George",
        "An agent will call.",
        "Carla Lopez will call",
        "Señora Lopez, my colleague",
        "国王",
        "小明",
        "민수입니다",
        "สมหญิงค่ะ",
        "https://acme.example/breakfast/may",
        "Bruno: Do come in",
    ],
)
def test_ordinary_words_and_public_names_are_none(text):
    """Whose name is Fast may still be fast, and what a public name shows is no secret."""
    assert "" == shown(text)


def test_every_part_of_a_message_counts_and_none_runs_into_the_next():
    """A label or an address tells as much as the text does; given and family name in two parts stand apart."""
    assert "bruno's last name" == shown("Hello", "Ask Fernandez")
    assert "" == shown("Ask Alice", "Fast lane")


def test_whose_public_name_shows_it_hides_nothing():
    """The same text by an agent without an alias is fine."""
    open_alice = replace(ALLY, name="Alice Fast")
    assert "" == shown("Hi, this is Alice Fast", sender=open_alice, agents=(open_alice,))


def test_all_that_is_given_away_is_told_at_once():
    """Who writes comes first."""
    assert "alice's last name and legal name; bruno's last name" == shown("Fernandez told Alice Fast")


NEUTRAL = Agent("alice", "acme", "Agent D8DF47", "x", Kind.HUMAN, withheld="name", own_name="Alice Fast, Care")


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("Hello, this is Alice Fast", True),
        ("Yours, Alice", True),
        ("ALICE!", True),
        ("write to alice.fast@example.com", True),
        ("Hello, this is your agent", False),
        ("We care, and fast", False),
    ],
)
def test_a_name_without_consent_is_private(text, is_told):
    """Customers see a neutral name, which a text would undo; ordinary words of it and its title stay free."""
    if is_told:
        with pytest.raises(InputRefused, match="alice's name without consent"):
            require_privacy(NEUTRAL, [NEUTRAL], [text])
    else:
        require_privacy(NEUTRAL, [NEUTRAL], [text])


def test_a_given_name_that_somebody_else_shows_is_public():
    """Another Alice may say so."""
    other = Agent("zoe", "acme", "Alice Z.", "x", Kind.HUMAN)
    require_privacy(other, [NEUTRAL, other], ["Yours, Alice"])

    with pytest.raises(InputRefused, match="alice's name without consent"):
        require_privacy(NEUTRAL, [NEUTRAL], ["Yours, Alice"])
