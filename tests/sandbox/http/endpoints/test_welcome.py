"""The list of welcome messages: the account's own, newest first, page by page."""

from __future__ import annotations

import pytest

LIST = "/1.1/direct_messages/welcome_messages/list.json"


def test_own_messages_newest_first(any_remote):
    """Each with its text, and with a profile only where it has one; nobody else's are there."""
    world, account = any_remote.world, any_remote.world.accounts.by_handle("acmecare")
    other = world.ensure_brand("betacare")
    for text, profile_id in (("Hi!", None), ("Hello", "100001")):
        world.welcome.add(account.user_id, text, profile_id)
    world.welcome.add(other.user_id, "Elsewhere", None)
    messages = any_remote.client.get(LIST).json()["welcome_messages"]

    assert [("Hello", "100001"), ("Hi!", None)] == [
        (message["message_data"]["text"], message.get("custom_profile_id")) for message in messages
    ]


def test_pages(any_remote):
    """A cursor leads to the next one, and the last page has none."""
    world, account = any_remote.world, any_remote.world.accounts.by_handle("acmecare")
    for number in range(3):
        world.welcome.add(account.user_id, f"Hi {number}", None)
    first = any_remote.client.get(LIST, params={"count": "2"}).json()
    rest = any_remote.client.get(LIST, params={"count": "2", "cursor": first["next_cursor"]}).json()

    assert ["Hi 2", "Hi 1"] == [message["message_data"]["text"] for message in first["welcome_messages"]]
    assert ["Hi 0"] == [message["message_data"]["text"] for message in rest["welcome_messages"]]
    assert "next_cursor" not in rest


@pytest.mark.parametrize("body", [{"handle": "acmecare"}, {"handle": "acmecare", "text": 1}])
def test_the_control_plane_wants_a_text(any_remote, body):
    """A message without words greets nobody."""
    answer = any_remote.client.post("/_sandbox/welcome-messages", json=body)

    assert 400 == answer.status_code
