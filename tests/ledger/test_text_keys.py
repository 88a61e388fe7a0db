"""The keys of the texts' digests, one for each month."""

from __future__ import annotations

import pytest

from profilectl.errors import TryLater
from profilectl.ledger.sqlite import open_for_writing


def test_a_key_that_was_lost_at_once_is_told(tmp_path, monkeypatch):
    """A server that took over without the last commit has none: the run ends before X is called."""
    with open_for_writing(tmp_path / "ledger.db", actor="ann@desk") as ledger:
        monkeypatch.setattr(type(ledger), "text_keys", lambda _: [])
        with pytest.raises(TryLater, match="has lost what was written just now"):
            ledger.text_key("2026-11")


def test_a_month_has_one_key(tmp_path):
    with open_for_writing(tmp_path / "ledger.db", actor="ann@desk") as ledger:
        first = ledger.text_key("2026-11")

        assert first == ledger.text_key("2026-11")
        assert "2026-12" == ledger.text_key("2026-12")[0]
