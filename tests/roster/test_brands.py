"""Which brands an agent belongs to."""

from __future__ import annotations

import pytest

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
