"""Who may use a served sandbox: whoever has its token, which another user of the machine hasn't."""

from __future__ import annotations

import httpx
import pytest

from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model.world import World
from tests.sandbox.conftest import cookies_of

PATHS = (
    "/",
    "/_sandbox/state",
    "/_sandbox/faults",
    "/_sandbox/profiles",
    "/_sandbox/conversations/acmecare/ada",
    "/_sandbox/conversations/acmecare/ada/talk",
    "/_sandbox/style.css",
    "/_sandbox/live.js",
    "/_sandbox/icon.svg",
    "/oauth/authorize?oauth_token=x",
)
WRITES = (
    ("POST", "/_sandbox/faults"),
    ("DELETE", "/_sandbox/faults"),
    ("POST", "/_sandbox/reset"),
    ("POST", "/_sandbox/advance"),
    ("POST", "/_sandbox/allowlist"),
    ("POST", "/_sandbox/feedback-allowlist"),
    ("POST", "/_sandbox/welcome-messages"),
    ("DELETE", "/_sandbox/welcome-messages"),
    ("POST", "/_sandbox/feedback"),
    ("POST", "/_sandbox/feedback/1"),
    ("POST", "/_sandbox/messages"),
    ("POST", "/_sandbox/conversations"),
    ("POST", "/_sandbox/conversations/acmecare/ada"),
    ("POST", "/oauth/authorize"),
)


@pytest.fixture
def server(world):
    world.ensure_brand("acmecare")
    world.ensure_customer("ada")
    with SandboxServer(SandboxApp(world)) as running:
        yield running


@pytest.fixture
def visitor(server):
    """Somebody on this machine who knows the port."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=20) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", [None, "", "wrong", "é"])
def test_nothing_is_read_without_the_token(visitor, server, path, token):
    """Neither with another one, in whatever way; what comes back holds nothing of the world."""
    answers = [visitor.get(path)]
    if token is not None:
        join = "&" if "?" in path else "?"
        name = next(iter(cookies_of(server)))
        answers.append(visitor.get(f"{path}{join}token={token}"))
        answers.append(visitor.get(path, headers={"Authorization": f"Bearer {token}".strip().encode()}))
        answers.append(visitor.get(path, headers={"Cookie": f"{name}={token}".encode()}))

    assert {401} == {answer.status_code for answer in answers}
    assert not any("acmecare" in answer.text or "set-cookie" in answer.headers for answer in answers)


def test_without_the_token_nobody_learns_where_there_is_nothing(visitor):
    """A browser gets the same page as everywhere, which loads nothing."""
    answer = visitor.get("/_sandbox/nothing", headers={"Accept": "text/html"})

    assert (401, visitor.get("/").text) == (answer.status_code, answer.text)


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_nothing_is_changed_without_the_token(visitor, world, method, path):
    """Whatever is sent along."""
    before = world.state()
    fields = {"handle": "acmecare", "allowlisted": False, "allowed": False, "seconds": 9, "kind": "slow", "text": "x"}
    answers = [visitor.request(method, path, json=fields), visitor.request(method, path, data=fields)]

    assert [401, 401] == [answer.status_code for answer in answers]
    assert {**before, "now_ms": 0} == {**world.state(), "now_ms": 0}
    assert [] == world.faults.all()


def test_every_path_of_the_sandbox_itself_is_in_the_lists():
    """A route that is added later is guarded by the same tests, but for the pictures."""
    from profilectl.sandbox import pages
    from profilectl.sandbox.http import admin

    routes = {(route.method, route.path) for route in (*admin.ROUTES, *pages.ROUTES) if not route.is_open}

    assert ["/_sandbox/media/<key>.jpg"] == [route.path for route in admin.ROUTES if route.is_open]
    assert len(routes) == len(PATHS) + len(WRITES)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/?token={}", "/"),
        ("/_sandbox/profiles?token={}", "/_sandbox/profiles"),
        ("/oauth/authorize?oauth_token=a%26b&token={}", "/oauth/authorize?oauth_token=a%26b"),
    ],
)
def test_the_first_visit_leaves_a_cookie_and_an_address_without_the_token(visitor, server, address, shown):
    """No script and no other site gets the cookie; neither address bar nor history keeps the token."""
    answer = visitor.get(address.format(server.token))
    cookie = f"profilectl-sandbox-{server.port}={server.token}; Path=/; HttpOnly; SameSite=Strict"

    assert (303, shown, b"") == (answer.status_code, answer.headers["location"], answer.content)
    assert cookie == answer.headers["set-cookie"]
    assert ("no-store", "no-referrer") == (answer.headers["cache-control"], answer.headers["referrer-policy"])
    assert 200 == visitor.get("/").status_code  # the client has kept the cookie


def test_the_address_that_is_printed_lets_in(visitor, server):
    """As a browser follows it."""
    answer = visitor.get(server.pages, follow_redirects=True)

    assert (200, f"{server.url}/") == (answer.status_code, str(answer.url))
    assert "@acmecare" in answer.text


def test_programs_show_the_token_in_a_header(visitor, server):
    """An address on a command line is seen by other users, so the control plane takes none in it."""
    bearer = {"Authorization": f"Bearer {server.token}"}

    assert 200 == visitor.get("/_sandbox/state", headers=bearer).status_code
    assert 401 == visitor.get(f"/_sandbox/state?token={server.token}").status_code


def test_a_second_cookie_of_that_name_locks_nobody_out(visitor, server):
    """Another server on this host can set one, as browsers don't keep ports apart."""
    name = next(iter(cookies_of(server)))
    header = {"Cookie": f"{name}=planted; {name}={server.token}"}

    assert 200 == visitor.get("/", headers=header).status_code


def test_the_token_does_not_open_the_api(visitor, server):
    """There only signatures count."""
    bearer = {"Authorization": f"Bearer {server.token}"}
    paths = ("/1.1/account/verify_credentials.json", "/1.1/custom_profiles/list.json", "/2/users/by/username/ada")

    assert all(visitor.get(path, headers=bearer).status_code in {400, 401} for path in paths)


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_the_token_does_not_help_other_sites(visitor, server, headers):
    """What a browser would send along with a foreign page's request is refused as before, the address included."""
    visitor.cookies.update(cookies_of(server))

    assert 403 == visitor.get("/", headers=headers).status_code
    assert 403 == visitor.post("/_sandbox/reset", headers=headers).status_code
    assert 403 == visitor.get(f"/?token={server.token}", headers=headers).status_code


def test_every_server_and_every_world_has_secrets_of_its_own(world, clock):
    """Nobody learns them from another sandbox."""
    with (
        World(now=clock) as other,
        SandboxServer(SandboxApp(world)) as first,
        SandboxServer(SandboxApp(world)) as second,
    ):
        keys, foreign = world.ensure_brand("acmecare"), other.ensure_brand("acmecare")

    assert first.token != second.token
    assert min(len(first.token), len(keys.consumer_secret), len(keys.access_token_secret)) >= 32
    names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
    assert not {getattr(keys, name) for name in names} & {getattr(foreign, name) for name in names}


def test_pictures_are_for_those_who_were_told_their_address(visitor, world, picture):
    """As at X, and as clients need it; the key can't be guessed, and nothing lists it without signature or token."""
    brand = world.ensure_brand("acmecare")
    media = world.media.add(brand.user_id, picture)
    world.profiles.create(brand.user_id, "Alice", media.id)

    assert 200 == visitor.get(f"/_sandbox/media/{media.key}.jpg").status_code
    assert len(media.key) >= 15
    assert 404 == visitor.get(f"/_sandbox/media/{media.id}.jpg").status_code
