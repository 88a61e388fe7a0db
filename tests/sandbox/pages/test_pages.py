"""What people see: right, readable, and safe whatever the names hold."""

from __future__ import annotations

import pytest

from profilectl.sandbox.pages.rendering import visible

HOSTILE = "<script>alert(1)</script>"


def _page(remote, path, **query):
    return remote.client.get(path, params=query, auth=None)


def test_the_conversation_as_the_customer_sees_it(remote):
    """Under the brand's handle: picture and name of the agent; without a profile the brand itself."""
    ada = remote.world.ensure_customer("ada")
    profile = remote.create("Alice F., Care").json()["custom_profile"]
    remote.world.messages.receive("ada", "acmecare", "My phone is dead")
    remote.send(ada.user_id, "Let me look", custom_profile_id=profile["id"])
    remote.send(ada.user_id, "An automatic note")
    page = _page(remote, "/_sandbox/conversations/acmecare/ada").text
    question, answer, note = page.split("<li class=")[2:5]

    assert "@acmecare" in page
    assert question.startswith('"from-customer"')
    assert profile["avatar"]["media"]["url"].replace("&", "&amp;") in answer
    assert "Alice F., Care" in answer
    assert note.startswith('"from-brand"')
    assert "<img" not in note
    assert "Alice" not in note


def test_attachments_and_quick_replies_are_shown(remote):
    """A picture above the text, options below."""
    ada = remote.world.ensure_customer("ada")
    data = {
        "text": "Is it this one?",
        "attachment": {"type": "media", "media": {"id": remote.upload()}},
        "quick_reply": {"type": "options", "options": [{"label": "Yes, that's it"}]},
    }
    remote.send(ada.user_id, message_data=data)
    page = _page(remote, "/_sandbox/conversations/acmecare/ada").text

    assert 'class="attachment"' in page
    assert "Yes, that&#39;s it" in page


def test_destroyed_profiles_are_marked(remote):
    """Live ones and destroyed ones, with ids."""
    alice = remote.created()
    remote.client.delete("/1.1/custom_profiles/destroy.json", params={"id": alice})
    page = _page(remote, "/_sandbox/profiles").text

    assert alice in page
    assert "destroyed" in page


def test_hostile_names_stay_text(remote):
    """Markup is escaped, direction marks and controls are spelled out."""
    ada = remote.world.ensure_customer("ada")
    profile = remote.created(f"\u202e{HOSTILE}\x1b")
    remote.send(ada.user_id, HOSTILE, custom_profile_id=profile)
    pages = [_page(remote, path).text for path in ("/_sandbox/profiles", "/_sandbox/conversations/acmecare/ada")]

    for page in pages:
        assert HOSTILE not in page
        assert "&lt;U+202E&gt;&lt;script&gt;" in page
        assert "&lt;U+001B&gt;" in page


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("expected", "path", "headers"),
    [
        ("text/html", "/_sandbox/nothing", BROWSER),
        ("text/html", "/nothing/%E2%80%AE%3Cb%3E", BROWSER),
        ("text/html", "/_sandbox/reset", BROWSER),  # which takes POST only
        ("application/json", "/_sandbox/nothing", {}),
        ("application/json", "/1.1/nothing.json", BROWSER),
    ],
)
def test_where_there_is_nothing_a_person_gets_a_page_with_the_way_back(remote, expected, path, headers):
    """A program gets JSON, and on X's own paths everybody."""
    answer = remote.client.get(path, headers=headers, auth=None)

    assert (404, expected) == (answer.status_code, answer.headers["Content-Type"].partition(";")[0])
    assert (expected == "text/html") == ('<a href="/">Back to the sandbox</a>' in answer.text)
    assert "<b>" not in answer.text
    assert "\u202e" not in answer.text


@pytest.mark.parametrize(
    "path", ["/", "/_sandbox/profiles", "/_sandbox/style.css", "/_sandbox/live.js", "/oauth/authorize"]
)
def test_nothing_comes_from_outside(remote, path):
    """A strict policy on every page, no address of another host in it."""
    answer = _page(remote, path)

    policy = answer.headers.get("content-security-policy", "")

    assert policy.startswith("default-src 'none'")
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "://" not in answer.text


def test_the_index_leads_everywhere(remote):
    """Profiles, conversations, armed trouble."""
    ada = remote.world.ensure_customer("ada")
    remote.send(ada.user_id)
    remote.client.post("/_sandbox/faults", json={"kind": "drop-after"}, auth=None)
    page = _page(remote, "/").text

    assert 'href="/_sandbox/conversations/acmecare/ada"' in page
    assert 'href="/_sandbox/profiles#acmecare"' in page
    assert "drop-after" in page


def test_an_empty_sandbox_has_pages_too(world, remote):
    """Nothing to show is no error."""
    world.ensure_customer("ada")

    assert "No messages yet" in _page(remote, "/").text
    assert "No messages yet" in _page(remote, "/_sandbox/conversations/acmecare/ada").text
    assert "None yet" in _page(remote, "/_sandbox/profiles").text


def test_problems_are_told_as_pages(remote):
    """An unknown conversation, an unknown login, an unknown account."""
    answers = [
        _page(remote, "/_sandbox/conversations/acmecare/nobody"),
        _page(remote, "/oauth/authorize", oauth_token="x"),
    ]

    assert [(answer.status_code, answer.headers["content-type"][:9]) for answer in answers] == [
        (404, "text/html"),
        (401, "text/html"),
    ]


@pytest.mark.parametrize(
    ("shown", "text"),
    [("a<U+0007>b", "a\x07b"), ("<U+200B>", "\u200b"), ("👩🏽\u200d💻", "👩🏽\u200d💻"), ("two\nlines", "two\nlines")],
)
def test_visible(shown, text):
    """Joiners and line breaks stay, what only deceives is spelled out."""
    assert shown == visible(text)
