"""Values as TOML spells them: what is written is what a reader gets back."""

from __future__ import annotations

from datetime import date

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from profilectl.toml.spelling import spelled, spelled_key


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", '"plain"'),
        ('a "b" \\ \n\x07', '"a \\"b\\" \\\\ \\n\\u0007"'),
        ("\u202eevil", '"\\u202eevil"'),
        ("فاطمة ✓", '"فاطمة ✓"'),
        (True, "true"),
        (date(2027, 1, 31), "2027-01-31"),
        (["a", "b"], '["a", "b"]'),
        ({"name": True, "a b": "x"}, '{ name = true, "a b" = "x" }'),
        ({}, "{}"),
        (3, "3"),
    ],
)
def test_spellings(value, expected):
    """Each kind of value on one line, with what can't be seen spelled out."""
    assert expected == spelled(value)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.recursive(
        TEXT | st.booleans() | st.dates(date(1, 1, 1)) | st.integers(-(2**63), 2**63 - 1),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=8,
    ),
    TEXT,
)
def test_what_is_written_is_read(value, key):
    """A reader gets back whatever was spelled, under whatever key."""
    assert {key: value} == tomli.loads(f"{spelled_key(key)} = {spelled(value)}")
