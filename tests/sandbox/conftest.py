"""A world with a clock that stands still, its entry points, and a client that signs with oauthlib."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import httpx
import PIL.Image
import pytest
from oauthlib.oauth1 import Client

from profilectl.sandbox.http.access import cookie_name
from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model.world import BrandAccount, World

INSIDE = "http://sandbox.localhost"


@dataclass
class Clock:
    """Stands still until it is set."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Signer(httpx.Auth):
    """Signs each request as X wants it: URL and protocol parameters, no JSON and no multipart body."""

    keys: BrandAccount
    now: object
    token: bool = True
    extra: dict = field(default_factory=dict)  # options of oauthlib's client
    form: bool = False
    requires_request_body = True

    def auth_flow(self, request):
        keys = self.keys
        options = {"timestamp": str(int(self.now())), **self.extra}
        if self.token:
            options = {
                "resource_owner_key": keys.access_token,
                "resource_owner_secret": keys.access_token_secret,
                **options,
            }
        client = Client(keys.consumer_key, client_secret=keys.consumer_secret, **options)
        body = request.content.decode() if self.form else None
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if self.form else {}
        _, signed, _ = client.sign(str(request.url), request.method, body, headers)
        request.headers["Authorization"] = signed["Authorization"]
        yield request


@dataclass
class Remote:
    """One entry point of the sandbox, seen from outside."""

    world: World
    clock: Clock
    brand: BrandAccount
    client: httpx.Client
    picture: bytes

    def signer(self, brand=None, **options) -> Signer:
        return Signer(brand or self.brand, self.world.now, **options)

    def upload(self, content=None, **options) -> str:
        files = {"media": ("face.png", self.picture if content is None else content)}
        answer = self.client.post("/2/media/upload", files=files, data={"media_category": "dm_image"}, **options)
        return answer.raise_for_status().json()["data"]["id"]

    def create(self, name="Alice", media_id=None, **options) -> httpx.Response:
        avatar = {"media": {"id": self.upload() if media_id is None else media_id}}
        body = {"custom_profile": {"name": name, "avatar": avatar}}
        return self.client.post("/1.1/custom_profiles/new.json", json=body, **options)

    def created(self, name="Alice") -> str:
        return self.create(name).raise_for_status().json()["custom_profile"]["id"]

    def listed(self, **query) -> httpx.Response:
        return self.client.get("/1.1/custom_profiles/list.json", params=query)

    def send(self, recipient_id, text="Hello", **created) -> httpx.Response:
        message = {"target": {"recipient_id": recipient_id}, "message_data": {"text": text}, **created}
        body = {"event": {"type": "message_create", "message_create": message}}
        return self.client.post("/1.1/direct_messages/events/new.json", json=body)

    def names(self) -> list[str]:
        """What really exists, whatever the lists say."""
        return [profile.name for profile in self.world.profiles.all(self.brand.user_id) if profile.is_live]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def world(clock):
    with World(now=clock) as made:
        yield made


@pytest.fixture(scope="session")
def picture():
    """A small picture with stripes; PNG, so that re-encoding shows."""
    image = PIL.Image.new("RGB", (40, 30), "teal")
    image.paste("orange", (0, 0, 40, 10))
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


@pytest.fixture
def remote(world, clock, picture):
    """The entry point in process."""
    brand = world.ensure_brand("acmecare")
    transport = httpx.WSGITransport(app=SandboxApp(world))
    with httpx.Client(transport=transport, base_url=INSIDE, auth=Signer(brand, world.now)) as client:
        yield Remote(world, clock, brand, client, picture)


@pytest.fixture(params=["in process", "loopback"])
def any_remote(request, world, clock, picture):
    """Each entry point in turn."""
    if request.param == "in process":
        yield request.getfixturevalue("remote")
        return
    brand = world.ensure_brand("acmecare")
    options = {"auth": Signer(brand, world.now), "trust_env": False, "timeout": 20}
    with SandboxServer(SandboxApp(world)) as server, httpx.Client(base_url=server.url, **options) as client:
        client.cookies.update(cookies_of(server))
        yield Remote(world, clock, brand, client, picture)


def cookies_of(server: SandboxServer) -> dict[str, str]:
    """What a browser keeps after the first visit."""
    return {cookie_name(str(server.port)): server.token}


def error_of(answer: httpx.Response) -> tuple[int, int]:
    """Status and code of an error of v1.1."""
    return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.fixture(name="error_of")
def _error_of():
    return error_of
