"""Whom an account wrote to, the newest first, from a record of any length."""

from __future__ import annotations

from profilectl.ledger.sqlite import open_for_writing
from profilectl.messaging.correspondence import Correspondent, correspondents, handles
from profilectl.model import Event


def sent(ledger, recipient, number, account="1", **detail):
    ledger.record(Event("sent", account, number, "alice", "5", {"recipient_id": recipient, **detail}))


def test_the_latest_comes_first_and_once(tmp_path):
    """With the newest handle; what another account sent, and what wasn't sent, doesn't count."""
    with open_for_writing(tmp_path / "state" / "ledger.db") as ledger:
        sent(ledger, "20", 1, recipient_handle="ada")
        for number in range(2, 1100):  # more than one page of the record
            ledger.record(Event("seen", "1", number))
        sent(ledger, "30", 1100)
        sent(ledger, "20", 1101, recipient_handle="ada_new")
        sent(ledger, "20", 1102)
        sent(ledger, "40", 1103, account="2")
        people = list(correspondents(ledger, "1"))

        assert [Correspondent("20", None), Correspondent("30", None)] == people
        assert {"20": "ada_new"} == handles(ledger, "1")
        assert [] == list(correspondents(ledger, "1", by=lambda _: False))
