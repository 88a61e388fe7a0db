"""Keys are plain, unique, and don't depend on the order of a list."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.people.keys import Person, keys_of, slug

PEOPLE = st.lists(
    st.builds(Person, email=st.text(max_size=12), first=st.text(max_size=6), last=st.text(max_size=6)), max_size=12
)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Alice Fast", "alice-fast"),
        ("Zoë O'Brien", "zoe-obrien"),
        ("Zoë O\u2019Brien", "zoe-obrien"),
        ("Łukasz Żak", "lukasz-zak"),
        ("Straße", "strasse"),
        ("Þóra Æsir", "thora-aesir"),
        ("İpek Işık", "ipek-isik"),
        ("a_b--c", "a_b-c"),
        ("-x-", "x"),
        ("Алиса", ""),
        ("x" * 70, "x" * 64),
    ],
)
def test_a_text_as_a_key(text, key):
    """Letters of Latin lose their marks, and everything else becomes a dash."""
    assert key == slug(text)


@pytest.mark.parametrize(
    ("person", "key"),
    [
        (Person(email="Alice.Fast@acme.example", first="Alice", last="Fast"), "alice-fast"),
        (Person(email="afast@acme.example", first="Alice", last="Fast"), "afast"),
        (Person(first="Alice", last="Fast"), "alice-fast"),
        (Person(name="Alice F., Care"), "alice-f-care"),
    ],
)
def test_the_first_part_of_an_address_is_the_key(person, key):
    """Else the name."""
    assert [key] == keys_of([person])


def test_two_of_one_key_both_get_a_longer_one():
    """Whoever comes first in a list has no more right to it."""
    people = [Person("al@a.example", "Al", "Fast"), Person("al@b.example", "Al", "Frost"), Person("bo@a.example")]

    assert ["al-fast", "al-frost", "bo"] == keys_of(people)
    assert ["bo", "al-frost", "al-fast"] == keys_of(people[::-1])


def test_names_without_latin_letters_get_a_key_of_their_own():
    """The same one at every import."""
    keys = keys_of([Person(first="Алиса", last="Б"), Person(first="Борис", last="В")])

    assert keys == keys_of([Person(first="Алиса", last="Б"), Person(first="Борис", last="В")])
    assert all(re.fullmatch(r"agent-[0-9a-f]{8}", key) for key in keys)
    assert 2 == len({*keys})


@given(people=PEOPLE)
def test_keys_are_plain_unique_and_independent_of_the_order(people):
    """Whatever a list holds, as long as its people differ."""
    people = [*{person.identity: person for person in people}.values()]
    keys = keys_of(people)

    assert all(re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", key) for key in keys)
    assert len(people) == len({*keys})
    assert keys == keys_of(people[::-1])[::-1]
