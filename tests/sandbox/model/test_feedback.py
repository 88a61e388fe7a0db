"""Answers to feedback cards: by the page's form, over the control plane, once, and from our own pages only."""

from __future__ import annotations

import pytest

from profilectl.sandbox.model.feedback import Request
from profilectl.sandbox.model.world import World


@pytest.fixture
def ada(world):
    return world.ensure_customer("ada").user_id


@pytest.fixture
def card(remote, ada):
    """A card that Ada hasn't answered."""
    request = Request("nps", ada, "How did we do?", "https://acme.example/privacy", display_name="Alice F.")
    return remote.world.feedback.create(remote.brand.user_id, "app", request)


def _post(remote, path, body):
    return remote.client.post(f"/_sandbox/{path}", json=body, auth=None)


def test_a_conversation_has_its_cards(remote, card, ada):
    """With all that a page needs, before and after the answer."""
    [before] = remote.world.feedback.between(remote.brand.user_id, ada)
    remote.world.feedback.respond(card.id, "10", "Wow")
    [after] = remote.world.feedback.between(remote.brand.user_id, ada)

    assert (before.type, before.message, before.display_name) == ("nps", "How did we do?", "Alice F.")
    assert before.question == "How likely are you to recommend Alice F. to a friend?"
    assert (list(before.scale), before.score, before.text) == ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], None, None)
    assert (after.id, after.score, after.text) == (before.id, 10, "Wow")
    assert [] == remote.world.feedback.between(ada, remote.brand.user_id)


def test_without_a_display_name_the_brand_is_named(remote, ada):
    """As X's own question does."""
    request = Request("csat", ada, "Well?", "https://acme.example/privacy")

    assert remote.world.feedback.create(remote.brand.user_id, "app", request).question == (
        "How satisfied are you with @acmecare?"
    )


def test_the_form_answers_and_leads_back(any_remote):
    """303 to the conversation, as after any form."""
    ada = any_remote.world.ensure_customer("ada").user_id
    request = Request("csat", ada, "Well?", "https://acme.example/privacy")
    card = any_remote.world.feedback.create(any_remote.brand.user_id, "app", request)
    form = {"score": "3", "text": "So, so"}
    headers = {"Sec-Fetch-Site": "same-origin"}
    done = any_remote.client.post(f"/_sandbox/feedback/{card.id}", data=form, auth=None, headers=headers)
    answered = any_remote.world.feedback.require(card.id)

    assert (done.status_code, done.headers["Location"]) == (303, "/_sandbox/conversations/acmecare/ada")
    assert (answered.score, answered.text) == (3, "So, so")


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_foreign_pages_dont_answer(remote, card, headers):
    """The rule of all pages that send."""
    done = remote.client.post(f"/_sandbox/feedback/{card.id}", data={"score": "0"}, auth=None, headers=headers)

    assert (done.status_code, remote.world.feedback.require(card.id).score) == (403, None)


def test_the_control_plane_answers(remote, card):
    """JSON in, the card out."""
    done = _post(remote, "feedback", {"id": card.id, "score": 0, "text": "No"})

    assert (done.status_code, done.json()["response"]["score"]["value"]) == (200, 0)
    assert [(0, "No")] == [(card["score"], card["text"]) for card in remote.world.state()["feedback"]]


def test_an_answer_is_final(remote, card):
    """The second is refused and changes nothing, on the page as a page."""
    remote.world.feedback.respond(card.id, 7)
    again = remote.client.post(f"/_sandbox/feedback/{card.id}", data={"score": "8"}, auth=None)

    assert (again.status_code, again.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert _post(remote, "feedback", {"id": card.id, "score": 8}).status_code == 400
    assert remote.world.feedback.require(card.id).score == 7


@pytest.mark.parametrize("score", [-1, 11, True, None, "", "x", "07", 7.5, [], "٣"])
def test_scores_off_the_scale(remote, card, score):
    """400, and the card stays open."""
    assert _post(remote, "feedback", {"id": card.id, "score": score}).status_code == 400
    assert remote.world.feedback.require(card.id).score is None


@pytest.mark.parametrize(
    "body", [{}, {"id": "5", "score": 1}, {"id": "x", "score": 1}, {"id": 7, "score": 1}, {"id": "9" * 19, "score": 1}]
)
def test_cards_that_dont_exist(remote, body):
    """400 with a reason."""
    answer = _post(remote, "feedback", body)

    assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.parametrize("text", [5, "x" * 10_001])
def test_texts_that_wont_do(remote, card, text):
    """Only texts, and not endless ones."""
    assert _post(remote, "feedback", {"id": card.id, "score": 1, "text": text}).status_code == 400


def test_the_allowlist_over_http(remote):
    """Off, on, and on again after a reset."""
    off = _post(remote, "feedback-allowlist", {"handle": "acmecare", "allowed": False}).json()
    on = _post(remote, "feedback-allowlist", {"handle": "acmecare", "allowed": True}).json()
    _post(remote, "feedback-allowlist", {"handle": "acmecare", "allowed": False})
    anew = _post(remote, "reset", None).json()

    assert [False, True, True] == [state["accounts"][0]["feedback_allowed"] for state in (off, on, anew)]
    assert _post(remote, "feedback-allowlist", {"handle": "nobody", "allowed": True}).status_code == 400


def test_reset_forgets_the_cards(remote, card):
    """And the day of each recipient."""
    _post(remote, "reset", None)

    assert remote.world.state()["feedback"] == []
    assert remote.world.quotas.status("feedback-recipient", f"{card.from_user_id}:{card.to_user_id}").remaining == 1


def test_a_world_of_before_cards_can_be_opened(tmp_path):
    """A file that an older version made gets the tables that it lacks."""
    with World(tmp_path / "world.db") as world:
        brand, ada = world.ensure_brand("acmecare"), world.ensure_customer("ada")
        world.store.change("DROP TABLE feedback")
        world.store.change("DROP TABLE feedback_forbidden")
    with World(tmp_path / "world.db") as world:
        card = world.feedback.create(brand.user_id, "app", Request("csat", ada.user_id, "Well?", "https://a.example/"))

        assert [card] == world.feedback.all()
