"""A signal at any moment of a send: what X has is on the record, which was written before.

``PROFILECTL_TEST_SEND_SIGNALS=200`` plays as many of each signal.
"""

from __future__ import annotations

import hmac
import os
import random
import signal
import subprocess
import time

import pytest

from profilectl.audit.chain import verify
from profilectl.audit.replay import differences, replay
from profilectl.ledger.sqlite import open_for_reading

STRIKES = int(os.environ.get("PROFILECTL_TEST_SEND_SIGNALS", "4"))
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
LONGEST = 0.9  # seconds that a send takes here, or a little more


def texts(served):
    return [message["text"] for message in served.ask("GET", "state")["messages"]]


@pytest.mark.timeout(120 + 10 * STRIKES)
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_no_message_is_at_x_that_the_record_doesn_t_know(desk, served, number):
    """However early or late the signal comes; and the chain is whole, and the rows are what the record says."""
    assert 0 == desk.write(("helper", "Helper bot", 'kind = "bot"')).run("sync", "--yes").code
    dice = random.Random(number)
    for strike in range(STRIKES):
        process = desk.start("send", "--as", "helper", "--to", "@customer", f"Hello {number.name} {strike}")
        time.sleep(LONGEST * (strike + dice.random()) / STRIKES)  # one in each part of its time
        process.send_signal(number)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise

    with open_for_reading(desk.folder / desk.env["PROFILECTL_LEDGER"]) as ledger:
        records = list(ledger.events())
        keys = dict(ledger.text_keys())
        account = ledger.account_of("acme").user_id
        rows = ledger.state_of(account), ledger.open_dispatches(account)
    promised = {record.event.detail["text_hmac"] for record in records if record.event.what == "promised"}
    sent = {
        f"{month}:{hmac.digest(bytes.fromhex(key), text.encode(), 'sha256').hex()}"
        for month, key in keys.items()
        for text in texts(served)
    }

    assert len(sent & promised) == len(set(texts(served)))
    assert verify(records) is None
    assert [] == list(differences(replay(record.event for record in records), account, *rows))
