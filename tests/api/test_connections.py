"""How many connections a sync's calls take, and what becomes of them while nobody calls."""

from __future__ import annotations

import io
import socket
from collections import Counter
from contextlib import contextmanager
from datetime import date

import pytest
from httpcore._backends.sync import SyncStream
from PIL import Image

from profilectl.api.client import XClient
from profilectl.api.clock import Clock
from profilectl.api.transport import Transport
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Account, Agent, Brand, Kind, Picture, PreparedPicture, Roster
from profilectl.plan.builder import build
from profilectl.plan.intents import Observation
from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model import faults
from profilectl.sandbox.model.world import World
from profilectl.secret import Credentials, Secret
from profilectl.sync.apply import apply
from profilectl.sync.ports import BrandTarget, Stop

AGENTS = 20


class Counting(SandboxServer):
    """A sandbox that counts its connections."""

    def __init__(self, app):
        super().__init__(app)
        self.connections = 0

    def process_request(self, request, client_address):
        self.connections += 1
        super().process_request(request, client_address)

    def hang_up(self):
        """End every connection from this side, as a balancer does with those that idle; return when that is sent."""
        for connection in tuple(self._open):
            connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def world():
    with World() as made:
        yield made


@pytest.fixture
def picture():
    content = io.BytesIO()
    Image.new("RGB", (40, 40), "navy").save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def server(world):
    with Counting(SandboxApp(world)) as running:
        yield running


@contextmanager
def client(server, world, *, jobs=1, **more):
    account = world.ensure_brand("acmecare")
    values = (account.consumer_key, account.consumer_secret, account.access_token, account.access_token_secret)
    credentials = Credentials(*map(Secret, values), source="test")
    with XClient(credentials, Transport(server.url, jobs=jobs, **more)) as made:
        yield made


@pytest.mark.parametrize("jobs", [1, 8])
def test_two_calls_for_each_new_agent_over_as_many_connections_as_jobs(server, world, tmp_path, picture, jobs):
    """One upload and one create each, and no connection but those that the jobs need."""
    source = Picture("a.png", "sha256:a", len(picture))
    agents = tuple(Agent(f"a{n}", "acme", f"Agent {n}", "a.png", Kind.HUMAN) for n in range(AGENTS))
    user_id = world.ensure_brand("acmecare").user_id
    with client(server, world, jobs=jobs) as x, open_for_writing(tmp_path / "ledger.db") as ledger:
        ledger.register_account("acme", Account(user_id, "acmecare", "localhost"), x.now_ms())
        observation = Observation("acme", x.list_profiles(), x.now_ms(), ledger.state_of(user_id), user_id)
        roster = Roster((Brand("acme", "acmecare"),), agents)
        plan = build(roster, {"a.png": source}, [observation], today=date(2027, 1, 1))
        made = apply(
            plan,
            {"acme": BrandTarget(user_id, x, observation)},
            ledger,
            {source.digest: PreparedPicture(picture, "image/png", source.digest)},
            jobs=jobs,
            stop=Stop(),
            wait=lambda seconds, why: False,
            prune_at_once=False,
        )
        assert Counter(done=AGENTS) == Counter(outcome.status.value for outcome in made)
        assert {"list": 1, "upload": AGENTS, "create": AGENTS} == {kind: n for kind, n in x.requests.items() if n}
    assert server.connections == 1 if jobs == 1 else server.connections <= jobs


def test_a_connection_outlives_a_wait(server, world, picture):
    """After a rate limit has been waited for, the same connection goes on."""
    world.faults.add(faults.Fault(kind=faults.Kind.RATE_LIMIT, call="upload", seconds=30))
    waits = []
    with client(server, world, max_wait=60, clock=Clock(sleep=waits.append)) as x:
        x.verify_credentials()
        x.upload(picture, "image/png")

    assert (1, 1) == (len(waits), server.connections)


def test_a_connection_that_was_ended_while_it_idled_leaves_no_doubt(server, world, picture):
    """Whether it still stands is looked at before a create is sent, which then takes a new one, and leaves once."""
    with client(server, world) as x:
        media = x.upload(picture, "image/png")
        server.hang_up()
        x.create_profile("Alice", media)
        names = [profile.name for profile in x.list_profiles()]

    assert (["Alice"], 2) == (names, server.connections)


def test_an_upload_leaves_in_one_piece(server, world, picture, monkeypatch):
    """A packet for each part of its form would cost more than the rest of the call."""
    sent = []
    with client(server, world) as x:
        x.verify_credentials()
        original = x._transport._http._transport.handle_request

        def handle(request):
            sent.extend(request.stream)
            return original(request)

        monkeypatch.setattr(x._transport._http._transport, "handle_request", handle)
        x.upload(picture, "image/png")

    assert 1 == len(sent)


def test_a_new_face_costs_its_picture_and_two_kilobytes(server, world, picture, monkeypatch):
    """What is sent beside the picture are two heads, the form around it, and a name."""
    sent = []
    write = SyncStream.write

    def counted(self, buffer, timeout=None):
        sent.append(len(buffer))
        write(self, buffer, timeout)

    monkeypatch.setattr(SyncStream, "write", counted)
    with client(server, world) as x:
        x.create_profile("Alice F., Care Specialist", x.upload(picture, "image/png"))

    assert len(picture) < sum(sent) < len(picture) + 2_000
