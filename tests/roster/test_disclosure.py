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
    ("language", "name", "is_marked"),
    [
        ("en", "Acme Helper (bot)", True),
        ("en", "BOT·Acme", True),
        ("en", "Ｂｏｔ Acme", True),
        ("en", "Acme's Virtual  Assistant", True),
        ("en", "Botticelli", False),
        ("en", "Robot Care", False),
        ("en", "Virtual Care Assistant", False),
        ("de-AT", "Virtuelle Assistentin Eva", True),
        ("tr", "ACME SANAL ASİSTAN", True),
        ("pt-BR", "Robô da Acme", True),
        ("ru", "Помощник (Бот)", True),
        ("ru", "Ботвинник", False),
        ("ar", "روبوت الدعم", True),
        ("hi", "सहायता बॉट", True),
        ("hi", "बॉटनी", False),
        ("ja", "サポートボット", True),
        ("ko", "상담봇", True),
        ("zh-Hant-TW", "客服機器人小美", True),
        ("zh", "王小明", False),
    ],
)
def test_markers_are_whole_words_where_there_are_words(language, name, is_marked):
    """Case and width don't matter; in scripts without spaces the marker may stand anywhere."""
    rule = Disclosure(language, markers_for(language, MARKERS))
    assert (rule.problem(name, Kind.BOT) is None) == is_marked
    assert (rule.problem(name, Kind.HUMAN) is not None) == is_marked


def test_an_emoji_can_be_a_marker():
    """A marker without letters is looked for as it is."""
    rule = Disclosure("en", ("🤖",))
    assert rule.problem("Acme🤖", Kind.BOT) is None
    assert rule.problem("Acme", Kind.BOT) == 'a bot\'s name must say so with "🤖" (language "en")'


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
        'roster.toml:8:1: agents.alice.name: a bot\'s name must say so with "qoq" (language "tlh")'
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
