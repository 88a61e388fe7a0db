"""Brands and customers, their handles, ids and rights."""

from __future__ import annotations

import pytest


def test_a_brand_gets_credentials_once(world):
    """Found again in any case and with an at sign; the token begins with the user id."""
    brand = world.ensure_brand("AcmeCare")

    assert brand == world.ensure_brand("@acmecare")
    assert brand.access_token.startswith(f"{brand.user_id}-")
    assert brand.user_id.isdigit()
    assert (brand.allowlisted, brand.access_level) == (True, "read-write-directmessages")
    assert brand.access_token_secret not in repr(brand)


def test_brands_share_the_app(world):
    """One consumer key per world, other tokens."""
    brand, other = world.ensure_brand("acme"), world.ensure_brand("globex")

    assert brand.consumer_key == other.consumer_key
    assert brand.access_token != other.access_token


def test_two_worlds_have_nothing_in_common(world, clock):
    """Everything is made at random: credentials of one sandbox are useless in another."""
    with type(world)(now=clock) as other:
        assert world.ensure_brand("acme").consumer_key != other.ensure_brand("acme").consumer_key


def test_a_user_id_may_be_chosen(world):
    """Unless it is taken."""
    assert world.ensure_customer("ada", user_id="12345").user_id == "12345"
    with pytest.raises(ValueError, match="12345 is taken"):
        world.ensure_customer("bob", user_id="12345")


def test_a_customer_may_turn_brand(world):
    """It keeps its id."""
    ada = world.ensure_customer("ada")

    assert ada.user_id == world.ensure_brand("ada").user_id
    assert world.accounts.require("ada").is_brand


@pytest.mark.parametrize("handle", ["", "sixteen_letters_", "no-dash", "ümlaut", "a b"])
def test_impossible_handles(world, handle):
    """X has letters, digits and underscores, at most 15."""
    with pytest.raises(ValueError, match="not a handle"):
        world.ensure_brand(handle)


def test_unknown_accounts_and_levels(world):
    """Errors instead of silence."""
    with pytest.raises(KeyError):
        world.accounts.allow("nobody", True)
    world.ensure_brand("acme")
    with pytest.raises(ValueError, match="read-write-directmessages"):
        world.accounts.set_access_level("acme", "everything")
