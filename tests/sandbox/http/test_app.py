"""The callable itself: whatever comes in, an answer of X's goes out."""

from __future__ import annotations

import json
import subprocess
import sys

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_KEYS = st.sampled_from(
    ["custom_profile", "name", "avatar", "media", "id", "event", "type", "message_create", "target", "recipient_id",
     "message_data", "text", "quick_reply", "options", "label", "attachment", "custom_profile_id"]
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
_SEND = st.fixed_dictionaries(
    {
        "event": st.fixed_dictionaries(
            {
                "type": st.just("message_create"),
                "message_create": st.dictionaries(_KEYS, _JSON, max_size=5),
            }
        )
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(document=_JSON | _SEND)
def test_any_document_gets_an_answer(remote, document):
    """No body makes the sandbox fail; errors are errors of X with a code."""
    for path in ("/1.1/custom_profiles/new.json", "/1.1/direct_messages/events/new.json"):
        answer = remote.client.post(path, content=json.dumps(document))

        assert answer.status_code in {400, 403, 404, 429}
        assert answer.json()["errors"][0]["code"]


def test_half_a_surrogate_pair_is_no_text(remote, error_of):
    """JSON can spell it, nobody can store it."""
    body = b'{"custom_profile": {"name": "\\ud83d", "avatar": {"media": {"id": "1"}}}}'

    assert error_of(remote.client.post("/1.1/custom_profiles/new.json", content=body)) == (400, 214)


def test_a_broken_form_is_refused(remote):
    """A multipart body without parts, one without a boundary, and one that is too long."""
    kinds = ["multipart/form-data; boundary=x", "multipart/form-data", "application/json"]
    answers = [remote.client.post("/2/media/upload", content=b"junk", headers={"Content-Type": kind}) for kind in kinds]
    too_long = {"Content-Type": kinds[0], "Content-Length": str(2**40)}

    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert remote.client.post("/2/media/upload", content=b"junk", headers=too_long).status_code == 413


def test_pictures_of_many_threads(remote, world):
    """Eight clients at once, each with its own connection: nothing is lost."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: remote.created(f"Agent {number}"), range(64)))

    assert len(set(made)) == len(remote.names()) == 64


def test_the_annex_shares_nothing_with_the_client():
    """Importing the whole sandbox loads no other package of ours, and no Pillow until a picture comes."""
    code = (
        "import sys, profilectl.sandbox.http.app, profilectl.sandbox.http.server;"
        "print(sorted(name for name in sys.modules if name.startswith('profilectl.') "
        "and not name.startswith('profilectl.sandbox')), 'PIL' in sys.modules, 'click' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout == "[] False False\n"


def test_https_is_signed_as_https(remote):
    """In process the scheme is whatever the client calls; no network is involved."""
    with httpx.Client(transport=remote.client._transport, base_url="https://api.x.com", auth=remote.signer()) as client:
        answer = client.get("/1.1/account/verify_credentials.json")

    assert answer.status_code == 200
