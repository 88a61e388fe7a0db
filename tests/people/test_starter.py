"""What a roster says before its agents."""

from __future__ import annotations

import pytest
import tomli

from profilectl.model import Brand
from profilectl.people.starter import brand_of, head


@pytest.mark.parametrize(
    ("handle", "key"), [("AcmeCare", "acmecare"), ("_Acme_", "acme"), ("___", "brand"), ("4x", "4x")]
)
def test_a_brand_has_a_key_that_is_easily_typed(handle, key):
    """The handle stays as it is written."""
    assert Brand(key, handle) == brand_of(handle)


def test_a_head_is_the_beginning_of_a_roster():
    """With every brand, and only what isn't usual beside."""
    tables = tomli.loads(head([Brand("a", "A"), Brand("b", "B", "de")], timezone="Europe/Berlin", pattern="{first}"))

    assert {"a": ("A", "en"), "b": ("B", "de")} == {
        key: (brand["handle"], brand["language"]) for key, brand in tables["brands"].items()
    }
    assert ({"timezone": "Europe/Berlin"}, {"kind": "human", "name": "{first}"}) == (
        tables["policy"],
        tables["defaults"],
    )
    assert ["version", "brands", "defaults"] == [*tomli.loads(head([Brand("a", "A")]))]
