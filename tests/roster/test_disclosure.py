"""Bot markers in many languages."""

from __future__ import annotations

import pytest

from profilectl.model import Kind
from profilectl.roster.disclosure import MARKERS, Disclosure, markers_for
from profilectl.roster.parser import parse
from profilectl.text.names import name_problems

HEAD = 'version = 1\n[brands.acme]\nhandle = "acmecare"\n'
ALICE = '[agents.alice]\nname = "Alice"\navatar = "a.png"\nkind = "human"\n'


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("en", "Acme Helper (bot)"),
        ("en", "Acme (AI bot), Billing"),
        ("en", "Acme·BOT"),
        ("en", "Acme Bot 2"),
        ("en", "Acme Ｂｏｔ"),
        ("en", "Night Chatbot"),
        ("en", "Acme's Virtual  Assistant"),
        ("en", "Nobody's Favourite Bot"),
        ("de-AT", "Eva, virtuelle Assistentin"),
        ("es", "Mi Acme bot"),
        ("tr", "ACME SANAL ASİSTAN"),
        ("pt-BR", "Acme Robo"),
        ("el", "ACME ΕΙΚΟΝΙΚΟΣ ΒΟΗΘΟΣ"),
        ("ru", "Помощник (Бот)"),
        ("ar", "الدعم روبوت"),
        ("hi", "सहायता बॉट"),
        ("ja", "サポート・ボット"),
        ("ja", "受付ボット"),
        ("ja", "アクメbot"),
        ("ko", "상담 봇"),
        ("zh-Hant-TW", "小美 (客服機器人)"),
        ("zh", "客服机器人"),
    ],
)
def test_a_bot_says_so_at_the_end_or_in_brackets(language, name):
    """Case, width and accents don't matter; and the same name isn't a person's."""
    rule = Disclosure(language, markers_for(language, MARKERS))
    assert rule.problem(name, Kind.BOT) is None
    assert "contains the bot marker" in rule.problem(name, Kind.HUMAN)


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("en", "Bot Acme"),
        ("en", "Acme bot of the night"),
        ("en", "Acme ᵇᵒᵗ"),
        ("en", "Acme ⓑⓞⓣ"),
        ("en", "Acme 𝗯𝗼𝘁"),
        ("en", "Acme bοt"),
        ("en", "Alice, not a bot"),
        ("en", "Alice (not a bot)"),
        ("en", "Alice, no (bot)"),
        ("en", "Alice isn't a bot"),
        ("en", "non-bot"),
        ("de", "Alice, kein Bot"),
        ("es", "Alicia, no es un bot"),
        ("fr", "Alice, pas un bot"),
        ("ru", "Алиса, не бот"),
        ("zh", "小明，不是机器人"),
        ("th", "สมชาย ไม่ใช่ บอท"),
        ("ja", "ボットではない"),
    ],
)
def test_a_marker_that_hides_or_is_denied_makes_no_bot(language, name):
    """What only looks like the marker, stands elsewhere, or is denied, tells nobody; and no person may bear it."""
    rule = Disclosure(language, markers_for(language, MARKERS))
    assert rule.problem(name, Kind.BOT) is not None
    assert rule.problem(name, Kind.HUMAN) is not None


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("en", "Botticelli"),
        ("en", "Robot Care"),
        ("en", "Virtual Care Assistant"),
        ("en", "James Abbott"),
        ("ru", "Ботвинник"),
        ("hi", "बॉटनी"),
        ("ja", "アボット 花子"),
        ("ja", "タルボット"),
        ("th", "ทัลบอท สมชาย"),
        ("ko", "탤봇 지민"),
        ("zh", "王小明"),
    ],
)
def test_people_who_are_called_nearly_so_pass(language, name):
    """A marker is a word, in scripts without spaces as well; and such a name makes no bot."""
    rule = Disclosure(language, markers_for(language, MARKERS))
    assert rule.problem(name, Kind.HUMAN) is None
    assert rule.problem(name, Kind.BOT) is not None


def with_surname(name, surname):
    return HEAD + ALICE.replace('"Alice"', f'"{name}"') + f'surname_is = "{surname}"\n'


@pytest.mark.parametrize(("name", "surname"), [("Ben Bot", "Bot"), ("Ben BOT, Billing", "bot")])
def test_a_family_name_that_is_a_marker(name, surname):
    """`surname_is` exempts that word."""
    assert [name] == [agent.name for agent in parse(with_surname(name, surname), "r").agents]


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        ("Ben Bot (bot)", ['name: contains the bot marker "bot", but its kind is "human"']),
        ("Ben", ['surname_is: the name has no word "Bot"']),
        ("Bot", ["surname_is: isn't the whole of a name: add the given name"]),
    ],
)
def test_a_family_name_exempts_no_more_than_itself(problems_of, name, problems):
    """The marker a second time stays one, and there has to be a person beside it."""
    assert problems == [line.split("agents.alice.")[1] for line in problems_of(with_surname(name, "Bot"))]


def test_a_bot_has_no_family_name(problems_of):
    """What would be exempted is what has to be said."""
    own = ALICE.replace('"Alice"', '"Ben Bot"').replace("human", "bot") + 'surname_is = "Bot"\n'
    assert ['roster.toml:8:1: agents.alice.surname_is: is for people, and the kind is "bot"'] == problems_of(HEAD + own)


def test_an_emoji_can_be_a_marker():
    """A marker without letters is looked for as it is."""
    rule = Disclosure("en", ("🤖",))
    assert rule.problem("Acme🤖", Kind.BOT) is None
    assert rule.problem("Acme", Kind.BOT) == (
        'a bot\'s name must end with "🤖", or hold it in brackets (language "en")'
    )


@pytest.mark.parametrize("language", MARKERS)
def test_every_built_in_marker_can_be_used(language):
    """Each marker is a valid part of a name and satisfies its own rule."""
    rule = Disclosure(language, MARKERS[language])
    for marker in MARKERS[language]:
        assert name_problems(f"Acme ({marker})") == ()
        assert rule.problem(f"Acme ({marker})", Kind.BOT) is None


@pytest.mark.parametrize(
    ("language", "expected"),
    [("EN-gb", MARKERS["en"]), ("zh-Hant-TW", MARKERS["zh"]), ("tlh", ()), ("de-AT", ("austrobot",))],
)
def test_the_most_exact_tag_wins(language, expected):
    """A tag is shortened until a language with markers is found."""
    assert markers_for(language, {**MARKERS, "de-at": ("austrobot",)}) == expected


def test_markers_of_the_roster_are_checked_and_used(problems_of):
    """A language's own markers replace the built-in ones; wrong ones are told at their place."""
    own = HEAD + 'language = "tlh"\n[policy.bot_markers]\nTLH = ["qoq"]\n' + ALICE.replace("human", "bot")
    assert [agent.name for agent in parse(own.replace('"Alice"', '"Acme Qoq"'), "r").agents] == ["Acme Qoq"]
    assert problems_of(own) == [
        'roster.toml:8:1: agents.alice.name: a bot\'s name must end with "qoq", or hold it in brackets (language "tlh")'
    ]
    bad = HEAD + '[policy.bot_markers]\nde = []\nde_AT = ["bot"]\nfr = ["bot", 5]\n' + ALICE
    assert problems_of(bad) == [
        "roster.toml:5:1: policy.bot_markers.de: no words; leave the language out to keep its usual ones",
        (
            'roster.toml:6:1: policy.bot_markers.de_AT: expected a language tag such as "en" or "pt-BR", got "de_AT", '
            'did you mean "de-AT"?'
        ),
        'roster.toml:7:14: policy.bot_markers.fr[1]: expected words such as "bot", of at most 48 characters, got 5',
    ]
