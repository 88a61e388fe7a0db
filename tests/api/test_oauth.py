import logging
import re
from urllib.parse import unquote

import httpx
import pytest

from profilectl.api.endpoints import Endpoint
from profilectl.api.oauth import Signature
from profilectl.secret import Secret

NONCE = "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"
TIMESTAMP = "1318622958"

# Sample values that X publishes in "Creating a signature"; no live keys.
CONSUMER = Secret("xvz1evFS4wEEPTGEFPHBog"), Secret("kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw")
TOKEN = (
    Secret("370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"),
    Secret("LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"),
)
STATUS = "Hello Ladies + Gentlemen, a signed OAuth request!"


def sign(request: httpx.Request, *, token: bool = True) -> httpx.Request:
    auth = Signature(*CONSUMER, *(TOKEN if token else ()), nonce=lambda: NONCE, timestamp=lambda: TIMESTAMP)
    return next(auth.sync_auth_flow(request))


def signature_of(request: httpx.Request) -> str:
    return unquote(re.search(r'oauth_signature="([^"]+)"', request.headers["Authorization"])[1])


@pytest.mark.parametrize(
    ("expected", "host"),
    [("Ls93hJiZbQ3akF3HF3x1Bz8/zU4=", "api.x.com"), ("hCtSmYh+iHYCEqBWrE7C7hYmtUk=", "api.twitter.com")],
)
def test_published_vectors(expected, host):
    """X's own example is signed as X prints it, form body and query included."""
    url = f"https://{host}/1.1/statuses/update.json?include_entities=true"
    assert expected == signature_of(sign(httpx.Request("POST", url, data={"status": STATUS})))


@pytest.mark.parametrize(
    ("expected", "method", "url", "extras"),
    [
        (
            "AKm7e3tlfgoe6pzSic8vqBnFvNQ=",
            "POST",
            "https://api.x.com/1.1/custom_profiles/new.json",
            {"json": {"custom_profile": {}}},
        ),
        (
            "KhoJPMShJszSGIHy4yz7XVKslF0=",
            "POST",
            "https://api.twitter.com/1.1/custom_profiles/new.json",
            {"json": {"custom_profile": {}}},
        ),
        (
            "VklSpHcNMFDrbzVZrDul79Zetqk=",
            "GET",
            "https://api.x.com/1.1/custom_profiles/list.json?count=50&cursor=NDU%3D",
            {},
        ),
        (
            "lqWgmnyRScErMeIhxM+9InSvgPY=",
            "DELETE",
            "https://api.x.com/1.1/custom_profiles/destroy.json?id=100001",
            {},
        ),
        ("lt0P5W11raSHpt7Gdc4St6/NG9E=", "GET", "https://api.x.com/1.1/custom_profiles/100001.json", {}),
        (
            "YZ5YwjPOf77chBwnCu/nWa4UK3U=",
            "POST",
            "https://api.x.com/2/media/upload",
            {"data": {"media_category": "dm_image"}, "files": {"media": b"picture"}},
        ),
    ],
)
def test_calls_of_ours(expected, method, url, extras):
    """Host and query are signed, JSON and multipart bodies aren't."""
    assert expected == signature_of(sign(httpx.Request(method, url, **extras)))


def test_first_step_of_a_login():
    """Without a token the form's oauth_callback is signed, and no oauth_token is sent."""
    request = httpx.Request("POST", "https://api.x.com/oauth/request_token", data={"oauth_callback": "oob"})
    signed = sign(request, token=False)
    assert signature_of(signed) == "jc/VgbxSHtvlecdtQHT0gEuVfe0="
    assert "oauth_token=" not in signed.headers["Authorization"]


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("Ladies%20%2B%20Gentlemen", "Ladies + Gentlemen"),
        ("An%20encoded%20string%21", "An encoded string!"),
        ("Dogs%2C%20Cats%20%26%20Mice", "Dogs, Cats & Mice"),
        ("%E2%98%83", "☃"),
        ("~", "~"),
        ("%2A%5B%5D%2F%3D", "*[]/="),
    ],
)
def test_query_leaves_as_it_is_signed(expected, value):
    """What stands in the request line is, letter by letter, RFC 5849's own encoding of the value."""
    target = Endpoint("", "GET", "/x", query={"cursor": value}).target
    assert target == f"/x?cursor={expected}"
    request = sign(httpx.Request("GET", "https://api.x.com" + target))
    assert request.url.raw_path.decode() == target


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("1dFIrjDE1eI2qrU1KFGT/1OrcHY=", "+"),
        ("/lIY6ej0ZJcPpgz7UVncqqO6RUE=", "~"),
        ("Kc2FDC5X7XxvPrYB7MQQCciVnOg=", "*"),
        ("Fr/tr0is8UHUa+qXBacQxInVaX4=", "[ ]"),
        ("wfmdOvMHQ9cmEwE26y/5vHw6MNM=", "Ünï ☃"),
    ],
)
def test_awkward_queries(expected, value):
    """Characters that libraries like to encode each in their own way; figures made with openssl dgst."""
    target = Endpoint("", "GET", "/1.1/custom_profiles/list.json", query={"count": "50", "cursor": value}).target
    assert expected == signature_of(sign(httpx.Request("GET", "https://api.x.com" + target)))


def test_every_request_has_its_own_nonce():
    """A request that is sent again is signed again."""
    auth = Signature(*CONSUMER, *TOKEN)
    headers = {next(auth.sync_auth_flow(httpx.Request("GET", "https://api.x.com/"))).headers["Authorization"]}
    headers.add(next(auth.sync_auth_flow(httpx.Request("GET", "https://api.x.com/"))).headers["Authorization"])
    assert len(headers) == 2


def test_body_is_not_read_for_signing():
    """A body may be a stream to httpx; only forms are signed, and these are in memory anyway."""
    assert not Signature.requires_request_body


def test_nothing_secret_is_logged(caplog):
    """Even with everything at DEBUG, the libraries write down no token and no signature."""
    caplog.set_level(logging.DEBUG)
    request = sign(httpx.Request("GET", "https://api.x.com/"))
    assert request.headers["Authorization"].startswith("OAuth ")
    assert caplog.text == ""
    assert not logging.getLogger("httpcore.http11").isEnabledFor(logging.INFO)
    assert not logging.getLogger("oauthlib.oauth1.rfc5849").isEnabledFor(logging.DEBUG)
