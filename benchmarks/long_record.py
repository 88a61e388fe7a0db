"""`python -m benchmarks.long_record [RECORDS]`: what a long record costs whoever asks it, and whoever signs it.

The record is made by the ledger's own functions: agents whose profiles are replaced again and again, and between these
the messages that they send, each promised and ended with all that a real one says.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Sample, run_process
from profilectl.ledger import sqlite
from profilectl.model import Account, Dispatch, Event, Intent, Profile

if TYPE_CHECKING:
    from profilectl.ledger.store import Store

USER_ID = "1483221983"
_AGENTS, _REPLACED = 50, 20  # and how often each gets another profile
_BATCH = 2_000  # messages in a transaction
_START_MS, _STEP_MS = 1_760_000_000_000, 60_000
_DIGEST = f"sha256:{'a' * 64}"
_SAID = {
    "asked": False,
    "attachment": None,
    "brand": "acme",
    "effective_uid": 0,
    "first_contact": True,
    "kind": "bot",
    "language": "en",
    "login_uid": None,
    "marker": "bot",
    "on_behalf_of": "@acmecare",
    "origin": "script",
    "parent": "bash",
    "picture": _DIGEST,
    "plan": _DIGEST,
    "roster": _DIGEST,
    "text_length": 26,
    "uid": 0,
    "text_hmac": f"2026-11:{'b' * 64}",
    "uid_map": "0 0 4294967295",
    "user": "root@vm",
    "version": "0.1.0",
}


def main() -> None:
    """Make a record, and print what each command took: medians of whole processes, in seconds."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ".ssh").mkdir(mode=0o700)
        key = folder / ".ssh" / "id_ed25519"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        make(folder / "ledger.db", records)
        who = [_run(folder, "audit", "who", "Agent 3") for _ in range(10)]
        cold = [_run(folder, "audit", "checkpoint", state=f"cold{number}") for number in range(3)]
        warm = [_run(folder, "audit", "checkpoint", state="cold0") for _ in range(10)]
    for what, samples in (("audit who", who), ("audit checkpoint, cold", cold), ("audit checkpoint, warm", warm)):
        wall = statistics.median(sample.seconds for sample in samples)
        cpu = statistics.median(sample.cpu_seconds or 0 for sample in samples)
        print(f"{what} over {records:,} records: {wall:.2f} s, {cpu:.2f} s of processor time")


def _run(folder: Path, *words: str, state: str = "state") -> Sample:
    places = {"HOME": str(folder), "PROFILECTL_LEDGER": str(folder / "ledger.db")}
    environment = {"PATH": os.environ["PATH"], **places, "XDG_STATE_HOME": str(folder / state)}
    return run_process([sys.executable, "-m", "profilectl", *words], folder=folder, env=environment)


def make(path: Path, records: int) -> None:
    """Make a ledger with at least so many records."""
    with sqlite.open_for_writing(path, actor="ann@desk") as ledger:
        ledger.register_account("acme", Account(USER_ID, "acmecare", "api.x.com"), _START_MS)
        spans = _AGENTS * _REPLACED
        messages = max(1, records // 2 // spans)
        for span in range(spans):
            _create(ledger, span)
            numbers = range(span * messages, (span + 1) * messages)
            for start in range(0, messages, _BATCH):
                with ledger.batch():
                    for number in numbers[start : start + _BATCH]:
                        _send(ledger, span, number)


def _create(ledger: Store, span: int) -> None:
    moment = _START_MS + span * _STEP_MS
    name = f"Agent {span % _AGENTS}"
    intent = Intent(f"i{span}", f"agent{span % _AGENTS}", name, _DIGEST, frozenset(), moment)
    ledger.begin_intent(USER_ID, intent)
    ledger.finish_intent(
        USER_ID, intent.nonce, Profile(str(100_000 + span), name, "https://pbs.example/a.jpg", moment), moment,
        adopted=False,
    )  # fmt: skip


def _send(ledger: Store, span: int, number: int) -> None:
    moment = _START_MS + span * _STEP_MS
    agent, profile_id = f"agent{span % _AGENTS}", str(100_000 + span)
    words = (f"k{number}", f"d{number}", agent, str(4_000_000_000 + number % 50_000), "print", profile_id, moment)
    said = {**_SAID, "name": f"Agent {span % _AGENTS}"}
    ledger.begin_send(USER_ID, Dispatch(*words), None, detail=said)
    ended = Dispatch(*words, str(2_127_000_000_000_000_000 + number), True)
    ids = {"nonce": words[1], "recipient_id": words[3], "event_id": ended.event_id, "echoed_profile_id": profile_id}
    ledger.finish_send(USER_ID, ended, Event("sent", USER_ID, moment, agent, profile_id, {**said, **ids}))


if __name__ == "__main__":
    main()
