"""A message is promised before it leaves, sent at most once, and believed only when its face is shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from profilectl.errors import (
    ExitCode,
    IdentityNotEchoed,
    InputRefused,
    LedgerRefused,
    OutcomeUnknown,
    PersonNeeded,
    Refused,
    TryLater,
    Unreachable,
)
from profilectl.messaging.delivery import SAME_MESSAGE_MS, Delivery, Idempotency
from profilectl.model import Dispatch, Event, Message, SentMessage

MESSAGE = Message("alice", "acme", "12345", "Hello", "100001")
SENT = SentMessage("9", "1", "12345", "100001", "Hello", 1_000_500)
SEND = Idempotency("1", "auto:f", "n1", was_named=False, fingerprint="f", settle_after=60)
NAMED = replace(SEND, key="ticket-7", was_named=True)
NOW = 1_000_000
UNKNOWN = OutcomeUnknown("no answer")


class Api:
    """An X that answers as it was told, and lists what it was told."""

    def __init__(self, *answers, listed=()):
        self.answers, self.listed, self.now, self.messages, self.looks = list(answers), listed, NOW, [], 0

    def now_ms(self):
        return self.now

    def send_message(self, message, leaves_by_ms=None):
        self.messages.append(message)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sent_messages(self, recipient_id, since_ms):
        self.looks += 1
        if isinstance(self.listed, Exception):
            raise self.listed
        return [sent for sent in self.listed if sent.recipient_id == recipient_id and sent.created_ms >= since_ms]


class Ledger:
    """A ledger made of dictionaries."""

    def __init__(self):
        self.dispatches, self.deliveries, self.events, self.error = {}, set(), [], None

    def dispatch(self, _user_id, key):
        return self.dispatches.get(key)

    def is_delivery(self, _user_id, event_id):
        return event_id in self.deliveries

    def begin_send(self, user_id, dispatch, former, now_ms=None, detail=None):
        if self.dispatches.get(dispatch.key) != former:
            raise TryLater("busy")
        begun = dispatch if now_ms is None else replace(dispatch, begun_ms=now_ms())
        self.dispatches[dispatch.key] = begun
        promise = {"nonce": begun.nonce, **(detail or {})}
        self.events.append(Event("promised", user_id, begun.begun_ms, begun.agent, begun.profile_id, promise))
        return begun

    def text_key(self, month):
        return month, "00" * 32

    def finish_send(self, _user_id, dispatch, event):
        self.record(event)
        self.dispatches[dispatch.key] = dispatch
        self.deliveries.add(dispatch.event_id)

    def cancel_send(self, _user_id, dispatch, event):
        del self.dispatches[dispatch.key]
        self.events.append(event)

    def recent(self, _user_id, since_ms):
        return tuple(event for event in self.events if event.at_ms >= since_ms)

    def record(self, event):
        if self.error:
            raise self.error
        self.events.append(event)


@pytest.fixture
def ledger():
    return Ledger()


def deliver(api, ledger, idempotency=SEND, message=MESSAGE):
    return Delivery(message, idempotency, api, ledger).carry_out(lambda ready: ready)


def ends(ledger):
    """Return what is on the record, and of which attempt."""
    return [(event.what, event.detail["nonce"]) for event in ledger.events]


def test_a_receipt_is_for_the_account_and_the_face_that_were_meant(ledger):
    """The echo makes the receipt; the audit trail has a hash and a length, never the text."""
    receipt = deliver(Api(SENT), ledger)
    event = ledger.events[-1]

    assert ("9", True, False) == (receipt.event_id, receipt.confirmed, receipt.is_repeat)
    assert ("sent", 5, "100001") == (event.what, event.detail["text_length"], event.detail["echoed_profile_id"])
    assert "Hello" not in str(ledger.events)


def test_the_promise_is_there_when_the_message_leaves(ledger):
    """What is sent has been written down before, face and moment included."""
    seen = []
    api = Api(SENT)
    api.send_message = lambda *_: seen.append(ledger.dispatches["auto:f"]) or SENT
    deliver(api, ledger)

    assert [Dispatch("auto:f", "n1", "alice", "12345", "f", "100001", NOW)] == seen


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (replace(SENT, profile_id=None), "went out as the brand itself, not with alice's profile 100001"),
        (replace(SENT, profile_id="2"), "went out as profile 2, not with alice's profile 100001"),
        (replace(SENT, sender_id="3"), "went out from account 3, not from the brand's 1"),
    ],
)
def test_another_face_is_for_a_person_now_and_whenever_it_is_asked_for_again(ledger, sent, reason):
    """A dropped or changed echo is exit 7, is recorded, and a repeat neither sends nor calls it sent."""
    api = Api(sent)
    with pytest.raises(IdentityNotEchoed, match=reason) as first:
        deliver(api, ledger)
    with pytest.raises(IdentityNotEchoed, match="went out earlier") as second:
        deliver(api, ledger)

    assert {ExitCode.PERSON} == {first.value.exit_code, second.value.exit_code}
    assert (1, ["promised", "sent"]) == (len(api.messages), [event.what for event in ledger.events])


def test_the_same_words_within_five_minutes_are_one_message(ledger):
    """A repeat gets the first receipt; after five minutes it is another message."""
    api = Api(SENT, replace(SENT, event_id="10"))
    deliver(api, ledger)
    api.now += SAME_MESSAGE_MS - 1
    repeated = deliver(api, ledger)
    api.now += 1
    anew = deliver(api, ledger)

    assert ("9", True) == (repeated.event_id, repeated.is_repeat)
    assert ("10", False, 2) == (anew.event_id, anew.is_repeat, len(api.messages))


def test_a_key_stands_for_one_message_for_ever(ledger):
    """However late, a key never sends twice; and never another message."""
    api = Api(SENT)
    deliver(api, ledger, NAMED)
    api.now += 10 * SAME_MESSAGE_MS
    repeated = deliver(api, ledger, NAMED)
    with pytest.raises(InputRefused, match="the key ticket-7 stands for another message"):
        deliver(api, ledger, replace(NAMED, fingerprint="g"))

    assert ("9", True, 1) == (repeated.event_id, repeated.is_repeat, len(api.messages))


def test_an_answer_that_was_lost_is_found_in_the_list(ledger):
    """X has the message although nobody was told: it counts as sent, with the face that the list shows."""
    api = Api(UNKNOWN, listed=[SENT])
    receipts = [deliver(api, ledger) for _ in range(4)]

    assert [("9", True)] * 4 == [(receipt.event_id, receipt.confirmed) for receipt in receipts]
    assert (1, 1) == (len(api.messages), api.looks)


def test_the_list_may_not_show_the_face(ledger):
    """Then the message is out, but nobody can say as whom: exit 7."""
    with pytest.raises(IdentityNotEchoed):
        deliver(Api(UNKNOWN, listed=[replace(SENT, profile_id=None)]), ledger)


@pytest.mark.parametrize(
    "other",
    [
        replace(SENT, text="Hello there"),
        replace(SENT, recipient_id="777"),
        replace(SENT, created_ms=NOW - 5000),
    ],
)
def test_what_the_list_shows_has_to_be_this_message(ledger, other):
    """Other words, another customer or an earlier moment prove nothing."""
    with pytest.raises(OutcomeUnknown):
        deliver(Api(UNKNOWN, listed=[other]), ledger)


def test_a_message_of_another_send_is_never_taken_for_this_one(ledger):
    """Two equal messages are two events at X; one that is known already settles nothing."""
    deliver(Api(SENT), ledger, NAMED)
    with pytest.raises(OutcomeUnknown):
        deliver(Api(UNKNOWN, listed=[SENT]), ledger)


def test_doubt_lasts_until_the_list_must_tell(ledger):
    """While X's list may lag nothing is repeated; then it surely wasn't sent, and is sent once."""
    api = Api(UNKNOWN, SENT)
    with pytest.raises(OutcomeUnknown) as first:
        deliver(api, ledger)
    with pytest.raises(OutcomeUnknown, match="is in doubt") as second:
        deliver(api, ledger)
    moments = {first.value.retry_at, second.value.retry_at}
    api.now += 101_000
    receipt = deliver(api, ledger)

    assert {datetime.fromtimestamp((NOW + 101_000) / 1000, UTC)} == moments
    assert {ExitCode.PERSON} == {first.value.exit_code, second.value.exit_code}
    assert ("9", False, 2) == (receipt.event_id, receipt.is_repeat, len(api.messages))
    assert ["promised", "unknown", "taken-back", "promised", "sent"] == [event.what for event in ledger.events]


@pytest.mark.parametrize(
    ("promised", "typed", "known"), [("ada", None, None), (None, "ada", None), (None, None, "ada"), (None, None, None)]
)
def test_a_doubt_names_the_customer_as_people_do(ledger, promised, typed, known):
    """By the handle that was typed then or now, else the record's; by the id alone where nobody knows one."""
    detail = {"recipient_handle": promised} if promised else {}
    ledger.begin_send("1", Dispatch("auto:f", "n0", "alice", "12345", "f", "100001", NOW), None, None, detail)
    send = replace(SEND, detail={"recipient_handle": typed} if typed else {})
    delivery = Delivery(MESSAGE, send, Api(), ledger, {"12345": known}.get)
    shown = "12345" if not (promised or typed or known) else r"@ada \(12345\)"

    with pytest.raises(OutcomeUnknown, match=f"an earlier send of this message to {shown} is in doubt"):
        delivery.repeat()


def test_a_key_of_another_customer_s_message_names_that_customer(ledger):
    """Whom one writes to now is somebody else."""
    deliver(Api(SENT), ledger, replace(NAMED, detail={"recipient_handle": "ada"}))
    other = replace(MESSAGE, recipient_id="777")
    send = replace(NAMED, fingerprint="g", detail={"recipient_handle": "bob"})

    with pytest.raises(InputRefused, match=r"another message, to @ada \(12345\) as alice"):
        Delivery(other, send, Api(), ledger).repeat()


def test_killed_between_promise_and_post(ledger):
    """The next run finds an open promise: unknown at first, then settled by the list."""
    ledger.begin_send("1", Dispatch("auto:f", "n0", "alice", "12345", "f", "100001", NOW), None)
    api = Api(SENT)
    with pytest.raises(OutcomeUnknown):
        deliver(api, ledger)
    early = len(api.messages)
    api.now += 101_000
    deliver(api, ledger)

    assert (0, 1) == (early, len(api.messages))
    assert [("promised", "n0"), ("taken-back", "n0"), ("promised", "n1"), ("sent", "n1")] == ends(ledger)


def test_a_list_that_cannot_be_read_settles_nothing(ledger):
    """When X can't be asked, doubt stays doubt."""
    api = Api(UNKNOWN, listed=Unreachable("down"))
    with pytest.raises(OutcomeUnknown):
        deliver(api, ledger)

    api.now += 10 * 101_000
    with pytest.raises(OutcomeUnknown, match="can't be read: down"):
        deliver(api, ledger)

    assert (None, 1) == (ledger.dispatches["auto:f"].event_id, len(api.messages))


def test_the_list_may_spell_the_words_in_its_own_way(ledger):
    """X escapes and lengthens texts; the message is found all the same."""
    written = replace(MESSAGE, text="Q&A at example.com")
    listed = replace(SENT, text="Q&amp;A at http://example.com/")

    assert "9" == deliver(Api(UNKNOWN, listed=[listed]), ledger, message=written).event_id


@pytest.mark.parametrize("error", [Refused("no", status=403, code=349), Unreachable("no connection")])
def test_what_surely_was_not_sent_may_be_sent_again(ledger, error):
    """A refusal leaves no promise open, and is on the record."""
    api = Api(error, SENT)
    with pytest.raises(type(error)):
        deliver(api, ledger)
    assert [("promised", "n1"), ("refused", "n1")] == ends(ledger)
    assert error.kind == ledger.events[-1].detail["why"]
    assert "9" == deliver(api, ledger).event_id


def test_what_is_out_is_never_called_a_failure_that_may_be_repeated(ledger):
    """When the ledger can't take it down, a person is told not to send it again."""
    ledger.error = LedgerRefused("disk full")
    with pytest.raises(PersonNeeded, match="went out as event 9, but that couldn't be recorded: disk full") as caught:
        deliver(Api(SENT), ledger)

    assert "don't send it again" == caught.value.hint


def test_a_message_under_the_brand_claims_no_face(ledger):
    """Without a profile nothing is confirmed, and nothing is wrong."""
    receipt = deliver(Api(replace(SENT, profile_id=None)), ledger, message=replace(MESSAGE, profile_id=None))

    assert ("9", False) == (receipt.event_id, receipt.confirmed)


def test_a_later_run_that_finds_the_end_repeats_what_was_promised(ledger):
    """What it would say of itself isn't what the customer was shown; the promise of that nonce says it."""
    detail = {"recipient_id": "12345", "name": "Alice F.", "origin": "person vouched"}
    ledger.begin_send("1", Dispatch("auto:f", "n0", "alice", "12345", "f", "100001", NOW), None, detail=detail)
    deliver(Api(listed=[SENT]), ledger, replace(SEND, detail={"name": "Berta X.", "origin": "script"}))

    assert ("sent", "n0") == (ledger.events[-1].what, ledger.events[-1].detail["nonce"])
    assert detail.items() <= ledger.events[-1].detail.items()
    assert "text_length" not in ledger.events[-1].detail  # which that promise didn't say
