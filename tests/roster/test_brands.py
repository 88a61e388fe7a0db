"""Which brands an agent belongs to."""

from __future__ import annotations

import pytest

from profilectl.errors import UsageError
from profilectl.model import Agent, Brand, Decoration, Kind
from profilectl.roster.brands import decorated_agents, only_brand, select_brands
from profilectl.roster.parser import parse

BRANDS = "version = 1\n" + "".join(f'[brands.{key}]\nhandle = "{key}"\n' for key in ("red", "green", "blue"))
DEFAULTS = '[defaults]\nkind = "human"\navatar = "a.png"\nname = "Alice"\n'
ALICE = "[agents.alice]\n"


def names(text: str) -> dict[str, str]:
    """Return the agent's name by brand."""
    return {agent.brand: agent.name for agent in parse(BRANDS + DEFAULTS + text, "r").agents}


EVERYWHERE = {"red": "Alice", "green": "Alice", "blue": "Alice"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ALICE, EVERYWHERE),
        (ALICE + 'brands = ["blue", "red"]', {"red": "Alice", "blue": "Alice"}),
        (ALICE + "[agents.alice.brands.red]\nname = 'Ally'", {**EVERYWHERE, "red": "Ally"}),
        (ALICE + "[agents.alice.brands.red]", EVERYWHERE),
        (ALICE + "brands.red.name = 'Ally'\nbrands.green = false", {"red": "Ally", "blue": "Alice"}),
        ('brands = ["red"]\n' + ALICE, {"red": "Alice"}),
        ('brands = ["red"]\n' + ALICE + 'brands = ["blue"]', {"blue": "Alice"}),
        ('brands = ["red"]\n' + ALICE + "brands.red.name = 'Ally'", {"red": "Ally"}),
        ('brands = ["red"]\n' + ALICE + "brands.blue.name = 'Ally'", {"red": "Alice", "blue": "Ally"}),
        ("brands.red = false\n" + ALICE, {"green": "Alice", "blue": "Alice"}),
        ("brands.red = false\n" + ALICE + "brands.red = {}", EVERYWHERE),
        ("brands.red = false\n" + ALICE + 'brands = ["red"]', {"red": "Alice"}),
        ("brands.red.name = 'Red'\n" + ALICE, {**EVERYWHERE, "red": "Red"}),
        ("brands.red.name = 'Red'\n" + ALICE + "name = 'Ally'", dict.fromkeys(EVERYWHERE, "Ally")),
        ("brands.red.name = 'Red'\n" + ALICE + "brands.red.name = 'Ally'", {**EVERYWHERE, "red": "Ally"}),
    ],
)
def test_brands_and_differences_combine(text, expected):
    """An array is exact; a table keeps the brands there would be, changes some, and leaves out the false ones."""
    assert names(text) == expected


def test_every_field_but_the_kind_may_differ():
    """An override wins over the agent's own value, and a pattern is filled with what holds in that brand."""
    text = (
        ALICE
        + 'name = "{first}, {title}"\nfirst = "Alice"\ntitle = "Care"\nprotected = true\n'
        + '[agents.alice.brands.red]\ntitle = "Billing"\navatar = "red.png"\nprotected = false\noperators = ["a"]\n'
    )
    red, green, _ = parse(BRANDS + DEFAULTS + text, "r").agents
    assert (red.name, red.avatar, red.protected, red.operators) == ("Alice, Billing", "red.png", False, ("a",))
    assert (green.name, green.avatar, green.protected, green.operators) == ("Alice, Care", "a.png", True, ())


def test_the_chosen_brands_come_in_the_order_of_the_file():
    """All of them where none is chosen."""
    brands = parse(BRANDS + DEFAULTS + ALICE, "r").brands

    assert brands == select_brands(brands, (), "r")
    assert ["red", "blue"] == [brand.key for brand in select_brands(brands, ("blue", "red"), "r")]


def test_a_brand_that_the_roster_does_not_have():
    """The message names the file, the hint what there is."""
    brands = parse(BRANDS + DEFAULTS + ALICE, "r").brands
    with pytest.raises(UsageError, match="there is no brand rde in r") as refused:
        select_brands(brands, ("rde",), "r")

    assert "it has: " + ", ".join(brand.key for brand in brands) == refused.value.hint


def test_only_one_brand_is_never_a_guess():
    """Two brands to choose from are a question, with both in it."""
    brands = parse(BRANDS + DEFAULTS + ALICE, "r").brands

    assert brands[0] == only_brand(brands[:1])
    with pytest.raises(UsageError, match="which brand") as refused:
        only_brand(brands[:2])
    assert f"{brands[0].key}, {brands[1].key}" in refused.value.hint


def test_agents_are_decorated_in_their_brand_only():
    """Also what they would show with consent; without any decoration they stay the same."""
    plain = [Agent("alice", brand, "Alice", "a.jpg", Kind.HUMAN, own_avatar="own.jpg") for brand in ("acme", "beta")]
    decoration = Decoration("badge.png", "#e20074")
    acme, beta = Brand("acme", "acmecare", decoration=decoration), Brand("beta", "betacare")
    first, second = decorated_agents(plain, (acme, beta))

    assert (decoration.of("a.jpg"), decoration.of("own.jpg")) == (first.avatar, first.own_avatar)
    assert (plain[1], tuple(plain)) == (second, decorated_agents(plain, (beta,)))
