"""The bodies of X's answers that no call of its own test covers."""

from __future__ import annotations

import json

import pytest

from profilectl.sandbox.http import responses
from profilectl.sandbox.model.errors import Refusal, Refused


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_has_its_words(refusal):
    """In v1.1, in v2 and in the shape of the old upload; never an empty message."""
    old, new = (
        json.loads(responses.refusal_response(Refused(refusal, "x"), path).body) for path in ("/1.1/a.json", "/2/a")
    )

    assert old.get("error") or old["errors"][0]["message"]
    assert new["title"]
    assert new["type"].startswith(("https://api.x.com/2/problems/", "about:blank"))


def test_form_responses_are_encoded():
    """As the OAuth calls give them."""
    assert responses.form_response(a="x&y=z", b="1").body == b"a=x%26y%3Dz&b=1"
