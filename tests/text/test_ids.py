import pytest

from profilectl.text.ids import is_id


@pytest.mark.parametrize("text", ["1", "100001", "18446744073709551615", "9" * 20])
def test_an_id(text):
    """Digits, as X writes them."""
    assert is_id(text)


@pytest.mark.parametrize(
    "text", ["", "0", "01", "0000100001", "9" * 21, "-1", "+1", "1.0", " 1", "1\n", "\u0661", "1e5"]
)
def test_another_form_is_no_id(text):
    """What X might read as a number, and the ledger as another profile, isn't an id."""
    assert not is_id(text)
