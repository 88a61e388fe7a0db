"""tweepy, a client that nobody here wrote, against the loopback server."""

from __future__ import annotations

import io

import pytest
import requests
import tweepy

from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model.world import World

# tweepy looks at pictures with a module that Python is about to drop; that's tweepy's affair.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class PlainHttpSession(requests.Session):
    """Speaks http where tweepy, which writes https into every address, knows no better.

    The address is changed before requests prepares and signs the call, so that the signature is made over what is
    really called: scheme and host are part of it (RFC 5849 3.4.1.2).
    """

    def request(self, method, url, **options):
        return super().request(method, url.replace("https://", "http://", 1), **options)


@pytest.fixture
def world():
    """A world in the present: the client signs by the real clock."""
    with World() as made:
        yield made


@pytest.fixture
def api(world):
    brand = world.ensure_brand("acmecare")
    auth = tweepy.OAuth1UserHandler(
        brand.consumer_key, brand.consumer_secret, brand.access_token, brand.access_token_secret
    )
    with SandboxServer(SandboxApp(world)) as server, PlainHttpSession() as session:
        session.trust_env = False
        host = server.url.removeprefix("http://")
        made = tweepy.API(auth, host=host, upload_host=host)
        made.session = session
        yield made
        made.last_response = None  # it keeps its connection open


def test_verify_credentials(api, world):
    """Who am I."""
    assert api.verify_credentials().id_str == world.ensure_brand("acmecare").user_id


def test_wrong_credentials(api):
    """The error body is understood."""
    api.auth.access_token_secret = "wrong"

    with pytest.raises(tweepy.Unauthorized) as caught:
        api.verify_credentials()
    assert caught.value.api_codes == [32]


@pytest.mark.parametrize("chunked", [False, True])
def test_media_upload(api, world, picture, chunked):
    """In one piece and in chunks, and what came back can be used."""
    media = api.media_upload("face.png", file=io.BytesIO(picture), chunked=chunked, media_category="dm_image")
    owner = world.ensure_brand("acmecare").user_id

    assert (media.size, media.image["w"]) == (len(picture), 40)
    assert world.profiles.create(owner, "Alice", media.media_id_string).name == "Alice"


def test_a_message_sent_and_listed(api, world, picture):
    """Sent with a picture and quick replies, then shown and listed, newest first."""
    ada = world.ensure_customer("ada")
    media = api.media_upload("face.png", file=io.BytesIO(picture))
    world.messages.receive("ada", "acmecare", "Hi")
    sent = api.send_direct_message(
        ada.user_id,
        "Hello, Ada",
        quick_reply_options=[{"label": "Hello"}],
        attachment_type="media",
        attachment_media_id=media.media_id_string,
    )
    listed = api.get_direct_messages()

    assert [event.message_create["message_data"]["text"] for event in listed] == ["Hello, Ada", "Hi"]
    assert listed[0].id == sent.id == api.get_direct_message(sent.id).id


def test_pages_of_messages(api, world):
    """Its cursor walks to the end."""
    world.ensure_customer("ada")
    for number in range(45):
        world.messages.receive("ada", "acmecare", str(number))

    assert len(list(tweepy.Cursor(api.get_direct_messages, count=20).items())) == 45


def test_a_limit_is_understood(api, world):
    """The sixteenth list of messages is tweepy's TooManyRequests."""
    for _ in range(15):
        world.quotas.spend("messages", world.ensure_brand("acmecare").user_id)

    with pytest.raises(tweepy.TooManyRequests):
        api.get_direct_messages()
