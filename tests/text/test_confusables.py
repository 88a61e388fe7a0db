"""Names that could be taken for one another."""

from __future__ import annotations

import pytest

from profilectl.text.confusables import mixed_scripts, skeletons


@pytest.mark.parametrize(
    "name",
    [
        "Alice F.",
        "Dóra K., Network",
        "فاطمة · Support",
        "Anna-Мария",
        "花Hana",
        "ハナ花はなA",
        "김Kim",
        "Müller µ",
        "שרה 2",
        "Kim 👩🏽\u200d💻 Tech",
        "ªº ①",
        "Дмитрий Ⅳ",
        "أحمد١",
        "〆木 一郎",
    ],
)
def test_scripts_side_by_side_are_fine(name):
    """Words of different scripts, digits, symbols and East Asian words with Latin in them are ordinary."""
    assert mixed_scripts(name) is None


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        (
            "Suppоrt",
            'mixes Cyrillic and Latin letters in one word, "Suppоrt": is U+043E CYRILLIC SMALL LETTER O meant?',
        ),
        ("Αlice", 'mixes Greek and Latin letters in one word, "Αlice": is U+0391 GREEK CAPITAL LETTER ALPHA meant?'),
        (
            "Ok Рayрal",
            'mixes Cyrillic and Latin letters in one word, "Рayрal": is U+0420 CYRILLIC CAPITAL LETTER ER meant?',
        ),
        ("ｐаy", 'mixes Cyrillic and Latin letters in one word, "pаy": is U+0430 CYRILLIC SMALL LETTER A meant?'),
        ("花а", 'mixes Cyrillic and Han letters in one word, "花а": is U+0430 CYRILLIC SMALL LETTER A meant?'),
    ],
)
def test_scripts_within_a_word_are_told_with_the_odd_letter(name, warning):
    """The warning names the scripts and a letter of the rarer one."""
    assert mixed_scripts(name) == warning


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Alice", "ALICE"),
        ("Alice", "Аlice"),
        ("ΑΝΝΑ", "ANNA"),
        ("Paul", "РаuІ"),
        ("Agent 10", "Agent lO"),
        ("Agent I", "Agent l"),
        ("Bernard", "Bemard"),
        ("Éva", "E\u0301va"),
        ("Éva", "Е\u0301va"),
        ("Anna  B", "Anna B"),
        ("Ａｎｎａ", "Anna"),
        ("❤", "❤\ufe0f"),
    ],
)
def test_lookalikes_share_a_skeleton(name, other):
    """Case, width, script, digits and close pairs of letters make no difference in at least one form."""
    assert any(left == right for left, right in zip(skeletons(name), skeletons(other), strict=True))


@pytest.mark.parametrize(
    ("name", "other"),
    [("Elia", "Ella"), ("Anna", "Hanna"), ("José", "Jose"), ("Иван", "Ivan"), ("Kai", "Kal"), ("花", "花子")],
)
def test_different_names_stay_different(name, other):
    """Everyday names that only sound or look a little alike don't collide."""
    assert not any(left == right for left, right in zip(skeletons(name), skeletons(other), strict=True))
