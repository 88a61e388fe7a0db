"""Rules that fields of any TOML file may have."""

from __future__ import annotations

import pytest

from profilectl.errors import UsageError
from profilectl.toml.rules import parse_duration


@pytest.mark.parametrize(("text", "seconds"), [("0s", 0), ("60s", 60), ("15m", 900), ("2h", 7200), ("1d", 86400)])
def test_a_duration_becomes_seconds(text, seconds):
    """A whole number and one of the units s, m, h, d."""
    assert seconds == parse_duration(text, "--max-wait")


@pytest.mark.parametrize("text", ["", "10", "1.5h", "-1m", "1 h", "10 minutes", "٣m", "9999999s"])
def test_what_is_no_duration_is_a_usage_error(text):
    """On the command line a bad duration is the caller's mistake."""
    with pytest.raises(UsageError, match="expected a duration such as"):
        parse_duration(text, "--max-wait")


@pytest.mark.parametrize(("text", "hint"), [("10", "say in what: --max-wait 10s, or 10m"), ("soon", None), ("٣", None)])
def test_a_bare_number_lacks_its_unit(text, hint):
    """--timeout takes seconds, so the hint writes them down as this option wants them."""
    with pytest.raises(UsageError) as refused:
        parse_duration(text, "--max-wait")

    assert hint == refused.value.hint
