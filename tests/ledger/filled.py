"""A ledger with something in every table."""

from __future__ import annotations

from profilectl.model import Account, Dispatch, Event, Intent, LocalTime, Profile

USER = "1"
LOCAL = LocalTime("boot", 5)


def fill(ledger, agents=("ann", "bob", "čeněk", "\U0001f600")):
    """Bind, replace, promise, withdraw, send and block."""
    ledger.register_account("acme", Account(USER, "acmecare", "api.x.com"), 1)
    for number, agent in enumerate(agents):
        intent = Intent(f"n{agent}", agent, f"Name of {agent}", "sha256:a", frozenset({"7", "8"}), 10 + number)
        ledger.begin_intent(USER, intent)
        made = Profile(f"{100 + number}", intent.name, "https://pbs.example/a.jpg", 1000)
        ledger.finish_intent(USER, intent.nonce, made, 20 + number, adopted=False)
    ledger.retire(USER, agents[1], 30)
    ledger.begin_intent(USER, Intent("open", "dora", "Dora", "sha256:b", frozenset({"9"}), 40))
    ledger.begin_intent(USER, Intent("gone", "emil", "Emil", "sha256:b", frozenset({"9", "10"}), 41))
    ledger.mark_unknown(USER, "gone", 42, LOCAL)
    ledger.cancel_intent(USER, "gone", "X shows nothing", 43, was_sent=True)
    for key, event_id in (("k1", "900"), ("k2", None)):
        dispatch = Dispatch(key, f"d{key}", agents[0], "5", "print", "100", 50)
        ledger.begin_send(USER, dispatch, None)
        if event_id is not None:
            sent = Dispatch(key, f"d{key}", agents[0], "5", "print", "100", 50, event_id, True)
            detail = {"event_id": event_id, "nonce": sent.nonce}
            ledger.finish_send(USER, sent, Event("sent", USER, 51, agents[0], "100", detail))
    ledger.block(USER, agents[2], 60)
