"""Nine months of a brand, as its ledger records them: two people have the same public name, one after the other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from profilectl.model import Account, Dispatch, Event, Intent, Profile

USER = "7001"
OTHER = "7002"
ALICE_PICTURE, SECOND_PICTURE, BRUNO_PICTURE = ("sha256:" + letter * 64 for letter in "abc")


def at(text: str) -> int:
    """Return a moment of UTC, epoch milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def tell(ledger: Any) -> None:
    """Write the story through the ledger's own methods.

    Alice Fast is `alice` from 1 February and gets a new picture on 10 April. She leaves on 20 May, and her profile is
    destroyed on 22 May. On 1 July Alice Fischer begins, as `afischer`, under the same public name. Bruno's profile is
    let go on 1 August; a profile that nobody knew is destroyed on 2 August.
    """
    ledger.register_account("acme", Account(USER, "acmecare", "api.x.com"), at("2026-02-01T08:00"))
    ledger.register_account("shop", Account(OTHER, "acmeshop", "api.x.com"), at("2026-02-01T08:00"))
    create(ledger, "alice", "100", "Alice F.", ALICE_PICTURE, at("2026-02-01T09:00"))
    create(ledger, "bruno", "101", "Bruno K.", BRUNO_PICTURE, at("2026-02-01T09:01"))
    create(ledger, "alice", "900", "Alice F.", ALICE_PICTURE, at("2026-02-01T09:02"), user=OTHER)
    send(ledger, "alice", "100", "5001", "1", at("2026-03-03T12:00"), echoed="100")
    create(ledger, "alice", "102", "Alice F.", SECOND_PICTURE, at("2026-04-10T10:00"))
    ledger.drop(USER, "100", at("2026-04-10T10:20"))
    send(ledger, "alice", "102", "5001", "2", at("2026-05-03T12:00"), echoed="102", human_wrote_this=True)
    send(ledger, "alice", "102", "5002", "3", at("2026-05-03T13:00"), echoed=None, text="It is on its way.")
    ledger.retire(USER, "alice", at("2026-05-20T18:00"))
    ledger.drop(USER, "102", at("2026-05-22T09:00"))
    create(ledger, "afischer", "103", "Alice F.", SECOND_PICTURE, at("2026-07-01T09:00"))
    send(ledger, "afischer", "103", "5001", "4", at("2026-07-02T12:00"), echoed="103")
    ledger.record(Event("send-unknown", USER, at("2026-07-03T12:00"), "afischer", "103", {"recipient_id": "5003"}))
    send(ledger, "bruno", None, "5004", "5", at("2026-07-04T12:00"), echoed=None)
    ledger.forget(USER, "bruno", at("2026-08-01T09:00"))
    ledger.record(Event("destroyed-stranger", USER, at("2026-08-02T09:00"), profile_id="666", detail={"name": "Eve"}))
    ledger.block(USER, "bruno", at("2026-10-31T09:00"))


def create(ledger: Any, agent: str, profile_id: str, name: str, picture: str, moment: int, *, user: str = USER) -> None:
    """Promise a create, and finish it a second later."""
    intent = Intent(f"n{profile_id}", agent, name, picture, frozenset(), moment)
    ledger.begin_intent(user, intent)
    made = Profile(profile_id, name, "https://pbs.example/a.jpg", moment + 1000)
    ledger.finish_intent(user, intent.nonce, made, moment + 1000, adopted=False)


def send(
    ledger: Any, agent: str, profile_id: str | None, recipient: str, event_id: str, moment: int, **detail: Any
) -> None:
    """Promise a message, and finish it; `echoed` is the profile that X showed it with."""
    echoed = detail.pop("echoed")
    dispatch = Dispatch(f"k{event_id}", f"d{event_id}", agent, recipient, "print", profile_id, moment)
    ledger.begin_send(USER, dispatch, None)
    detail |= {"nonce": dispatch.nonce, "recipient_id": recipient, "event_id": event_id, "echoed_profile_id": echoed}
    ended = Dispatch(f"k{event_id}", f"d{event_id}", agent, recipient, "print", profile_id, moment, event_id, True)
    ledger.finish_send(USER, ended, Event("sent", USER, moment, agent, profile_id, detail))
