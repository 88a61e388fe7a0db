"""What the record tells of profiles, and which accounts a ledger has, without reading all of it into memory."""

from __future__ import annotations

from profilectl.ledger.schema import PROFILE_EVENTS
from profilectl.model import LedgerAccount
from tests.audit.story import OTHER, USER, tell


def test_records_about_profiles(ledger, monkeypatch):
    """Those of an account's profiles, in their order, page after page."""
    monkeypatch.setattr("profilectl.ledger.store._PAGE", 2)
    tell(ledger)
    everything = list(ledger.events())

    for user in (USER, OTHER, "70"):
        expected = [
            record for record in everything if record.event.account == user and record.event.what in PROFILE_EVENTS
        ]
        assert expected == list(ledger.profile_records(user))


def test_accounts(ledger):
    """Each with its brands, read without counting anything."""
    tell(ledger)

    assert (
        LedgerAccount(USER, "acmecare", "api.x.com", ("acme",)),
        LedgerAccount(OTHER, "acmeshop", "api.x.com", ("shop",)),
    ) == ledger.accounts()
