"""Everything that hangs on a message, through our client to the local X and back."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from profilectl.api import chunked_upload
from profilectl.api.client import XClient
from profilectl.api.transport import Transport
from profilectl.cli.local_sandbox import CUSTOMER, LocalX
from profilectl.errors import RateLimited, Refused
from profilectl.messaging.content import links, quick_replies, same_words
from profilectl.model import Message
from profilectl.pictures import attachments
from profilectl.sandbox.model.faults import Fault, Kind


@pytest.fixture
def local(tmp_path):
    with LocalX(tmp_path / ".profilectl" / "sandbox") as x:
        yield x


@pytest.fixture
def client(local):
    with XClient(local.credentials("acmecare"), Transport(local.url, transport=local.transport())) as made:
        yield made


@pytest.fixture
def ada(local):
    return local.world.accounts.require(CUSTOMER).user_id


def picture(kind, **options):
    frames = [Image.new("RGB", (32, 16), colour) for colour in ("teal", "orange", "plum")]
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, **options, **({"append_images": frames[1:]} if options else {}))
    return buffer.getvalue()


def profile(client):
    portrait = attachments.prepare(picture("PNG"), "face.png")
    return client.create_profile("Alice F.", client.upload(portrait.content, portrait.media_type)).id


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("image/jpeg", picture("JPEG")),
        ("image/png", picture("PNG")),
        ("image/png", picture("GIF")),
        ("image/gif", picture("GIF", save_all=True)),
    ],
)
def test_a_message_with_everything(local, client, ada, monkeypatch, media_type, content):
    """Picture, quick replies and buttons arrive, beside the face; the list shows the message with face and words."""
    monkeypatch.setattr(chunked_upload, "PIECE", 50)
    attachment = attachments.prepare(content, "picture")
    media_id = client.upload_for_message(attachment.content, attachment.media_type, attachment.category)
    replies, buttons = quick_replies(["Yes", "No"]), links(["Track it=https://example.com/t?id=1"])
    message = Message("alice", "acme", ada, "Fish & chips?", profile(client), media_id, replies, buttons)
    before = client.now_ms() - 1000
    client.indicate_typing(ada)
    sent = client.send_message(message)
    [arrived] = local.world.messages.all()

    assert media_type == attachment.media_type
    assert (media_id, message.profile_id) == (arrived.media_id, arrived.profile_id)
    assert ["Yes", "No"] == [option["label"] for option in arrived.quick_reply["options"]]
    assert [("Track it", "https://example.com/t?id=1")] == [(cta["label"], cta["url"]) for cta in arrived.ctas]
    assert (sent.text, sent.profile_id, sent.created_ms) == ("Fish & chips?", message.profile_id, arrived.created_ms)
    assert [sent] == list(client.sent_messages(ada, before))
    assert same_words(message.text, sent.text)


def test_only_what_went_to_one_customer_is_read_back(local, client, ada):
    """Other customers' messages and those that were received are nobody's answer."""
    other = local.world.ensure_customer("bob").user_id
    face = profile(client)
    local.world.messages.receive(CUSTOMER, "acmecare", "Hello?")
    for recipient, text in ((ada, "one"), (other, "two"), (ada, "three")):
        client.send_message(Message("alice", "acme", recipient, text, face))

    assert ["three", "one"] == [sent.text for sent in client.sent_messages(ada, 0)]
    assert [] == list(client.sent_messages(ada, client.now_ms() + 60_000))


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (63, Refused, "suspended this customer's account"),
        (150, Refused, "from accounts that they don't follow"),
        (151, Refused, "its own words say why"),
        (226, Refused, "automated behaviour"),
        (344, RateLimited, "as much as X allows in a day"),
        (349, Refused, "doesn't take messages from everybody"),
        (354, Refused, "longer than X takes"),
        (389, Refused, "has blocked this customer"),
        (476, Refused, "from verified accounts only"),
    ],
)
def test_each_refusal_can_be_rehearsed(local, client, ada, code, kind, words):
    """A fault on order shows what an agent would read; the typing indicator has faults of its own."""
    local.world.faults.add(Fault(call="send", kind=Kind.REFUSE, code=code))
    local.world.faults.add(Fault(call="typing", kind=Kind.REFUSE, code=code))
    with pytest.raises(kind, match="showing that somebody types"):
        client.indicate_typing(ada)
    with pytest.raises(kind, match=words):
        client.send_message(Message("alice", "acme", ada, "Hi", None))

    assert [] == local.world.messages.all()
