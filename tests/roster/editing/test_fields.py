"""Fields as a command line names them."""

from __future__ import annotations

from datetime import date

import pytest

from profilectl.errors import UsageError
from profilectl.roster.editing.fields import parse_assignment, parse_field


@pytest.mark.parametrize(
    ("word", "brand", "expected"),
    [
        ("name=Alice = Ally", None, (("name",), "Alice = Ally")),
        ("title=true", None, (("title",), "true")),
        ("protected=true", None, (("protected",), True)),
        ("until=2027-01-31", None, (("until",), date(2027, 1, 31))),
        ("operators=ann, bert", None, (("operators",), ["ann", "bert"])),
        ("kind=bot", None, (("kind",), "bot")),
        ("brands=acme,beta", None, (("brands",), ["acme", "beta"])),
        ("consent.photo=false", None, (("consent", "photo"), False)),
        ("consent.given=2026-03-01", None, (("consent", "given"), date(2026, 3, 1))),
        ("name=Ally", "acme", (("brands", "acme", "name"), "Ally")),
        ("brands.acme.until=2027-01-31", None, (("brands", "acme", "until"), date(2027, 1, 31))),
        ("brands.beta=false", None, (("brands", "beta"), False)),
    ],
)
def test_a_word_becomes_a_value(word, brand, expected):
    """Each value has the type that the field takes, and text stays text."""
    assert expected == parse_assignment(word, brand)


@pytest.mark.parametrize(
    ("word", "brand", "message"),
    [
        ("name", None, "expected FIELD=VALUE, got name"),
        ("nmae=x", None, 'an agent has no field nmae, did you mean "name"?'),
        ("kind=bot", "acme", "an agent in one brand has no field kind"),
        ("kind=cat", None, 'kind: expected "human" or "bot", got "cat"'),
        ("until=tomorrow", None, "until: expected a day such as 2027-01-31"),
        ("until=2027-02-30", None, "until: expected a day such as 2027-01-31"),
        ("protected=maybe", None, "protected: expected true or false"),
        ("operators=", None, "operators: "),
        ("title=", None, "title: empty; leave it out instead"),
        ("title.x=1", None, "title.x isn't a field: title holds no others"),
        ("consent.foto=true", None, 'consent has no field foto, did you mean "photo"?'),
        ("brands.acme.kind=bot", None, "kind can't differ in one brand"),
        ("brands.acme=x", None, "a brand is left out with false"),
        ("avatar=../x.png", None, "avatar: leads outside the roster's folder"),
        ("\x1b[31m=x", None, "an agent has no field \\x1b[31m"),
    ],
)
def test_what_is_no_field_or_value_is_named(word, brand, message):
    """A typing error names the field, and what was meant."""
    with pytest.raises(UsageError) as refused:
        parse_assignment(word, brand)
    assert message in refused.value.message


def test_a_field_to_take_out():
    """A field is named alone, or in a brand."""
    assert (("title",), ("brands", "acme", "title")) == (parse_field("title"), parse_field("title", "acme"))


@pytest.mark.parametrize("word", ['operators=["afast"]', "operators='afast'", 'brands=["acme"]'])
def test_a_list_as_toml_has_it_is_refused(word):
    """Its brackets and quotes would become part of a name that nobody has."""
    with pytest.raises(UsageError, match="a list is typed without brackets and quotes") as refusal:
        parse_assignment(word)
    assert f"lists take commas: {word.partition('=')[0]}=ann,bert" == refusal.value.hint
