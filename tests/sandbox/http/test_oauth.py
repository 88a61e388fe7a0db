"""The sandbox's own reading of RFC 5849, against published and independent vectors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.oauth1 import Client

from profilectl.sandbox.http import oauth
from profilectl.sandbox.model.errors import Refusal, Refused

# The sample values of X's page "Creating a signature"; not live keys.
CONSUMER_SECRET = "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw"
TOKEN_SECRET = "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"
WITHOUT_TOKEN = {
    "oauth_consumer_key": "xvz1evFS4wEEPTGEFPHBog",
    "oauth_nonce": "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
    "oauth_signature_method": "HMAC-SHA1",
    "oauth_timestamp": "1318622958",
    "oauth_version": "1.0",
}
PROTOCOL = {**WITHOUT_TOKEN, "oauth_token": "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"}
STATUS = {"status": "Hello Ladies + Gentlemen, a signed OAuth request!", "include_entities": "true"}
PROFILES = "https://api.x.com/1.1/custom_profiles"


@pytest.mark.parametrize(
    ("signature", "method", "url", "extras"),
    [
        ("Ls93hJiZbQ3akF3HF3x1Bz8/zU4=", "POST", "https://api.x.com/1.1/statuses/update.json", STATUS),
        ("hCtSmYh+iHYCEqBWrE7C7hYmtUk=", "POST", "https://api.twitter.com/1.1/statuses/update.json", STATUS),
        ("tnnArxj06cWHq44gCs1OSKk/jLY=", "POST", "https://api.twitter.com/1/statuses/update.json", STATUS),
        ("AKm7e3tlfgoe6pzSic8vqBnFvNQ=", "POST", f"{PROFILES}/new.json", {}),
        ("KhoJPMShJszSGIHy4yz7XVKslF0=", "POST", "https://api.twitter.com/1.1/custom_profiles/new.json", {}),
        ("VklSpHcNMFDrbzVZrDul79Zetqk=", "GET", f"{PROFILES}/list.json", {"count": "50", "cursor": "NDU="}),
        ("lqWgmnyRScErMeIhxM+9InSvgPY=", "DELETE", f"{PROFILES}/destroy.json", {"id": "100001"}),
        ("lt0P5W11raSHpt7Gdc4St6/NG9E=", "GET", f"{PROFILES}/100001.json", {}),
        ("YZ5YwjPOf77chBwnCu/nWa4UK3U=", "POST", "https://api.x.com/2/media/upload", {}),
    ],
)
def test_signatures_match_the_vectors(signature, method, url, extras):
    """Every vector with a token comes out to the last character."""
    text = oauth.base_string(method, url, [*PROTOCOL.items(), *extras.items()])

    assert signature == oauth.hmac_sha1(text, CONSUMER_SECRET, TOKEN_SECRET)


def test_request_token_vector():
    """Without a token the key still ends in an ampersand."""
    parameters = {**WITHOUT_TOKEN, "oauth_callback": "oob"}
    text = oauth.base_string("POST", "https://api.x.com/oauth/request_token", parameters.items())

    assert oauth.hmac_sha1(text, CONSUMER_SECRET) == "jc/VgbxSHtvlecdtQHT0gEuVfe0="


def test_base_string_of_the_rfc():
    """RFC 5849 3.4.1.1: parameters of query, header and body, doubled names, odd characters."""
    query = oauth.decode_form("b5=%3D%253D&a3=a&c%40=&a2=r%20b")
    body = oauth.decode_form("c2&a3=2+q")
    header = [
        ("oauth_consumer_key", "9djdj82h48djs9d2"),
        ("oauth_token", "kkk9d7dh3k39sjv7"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131201"),
        ("oauth_nonce", "7d8f3e4a"),
    ]
    expected = (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D"
        "%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3D"
        "HMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )

    assert expected == oauth.base_string("post", "http://EXAMPLE.com:80/request?ignored", [*query, *body, *header])


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        ("Ladies%20%2B%20Gentlemen", "Ladies + Gentlemen"),
        ("An%20encoded%20string%21", "An encoded string!"),
        ("Dogs%2C%20Cats%20%26%20Mice", "Dogs, Cats & Mice"),
        ("%E2%98%83", "☃"),
        ("a-._~Z9", "a-._~Z9"),
    ],
)
def test_escape(encoded, text):
    """X's samples of percent-encoding."""
    assert encoded == oauth.escape(text)


@pytest.mark.parametrize(
    ("expected", "url"),
    [
        ("http://example.com/r%20v/X", "HTTP://EXAMPLE.COM:80/r%20v/X?id=123"),
        ("https://www.example.net:8080/", "https://www.example.net:8080/?q=1"),
        ("https://api.x.com/2", "https://API.x.com:443/2"),
        ("http://[::1]:99/", "http://[::1]:99"),
    ],
)
def test_base_string_uri(expected, url):
    """RFC 5849 3.4.1.2: lower case, no default port, no query, never an empty path."""
    assert expected == oauth.base_string_uri(url)


@given(query=st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=8)), max_size=5))
def test_agrees_with_oauthlib(query):
    """Whatever the query holds, an independent signer comes to the same signature."""
    parts = "&".join(f"{oauth.escape(name)}={oauth.escape(value)}" for name, value in query)
    url = f"http://127.0.0.1:8080/1.1/custom_profiles/list.json?{parts}"
    _, headers, _ = Client("ck", "cs", "tk", "ts").sign(url, "GET")
    request = oauth.SignedRequest("GET", url, oauth.decode_form(parts), headers["Authorization"])

    oauth.check_signature(request, oauth.read_claims(request), "cs", "ts")


def _request(**changes) -> oauth.SignedRequest:
    protocol = {**PROTOCOL, "oauth_signature": "AKm7e3tlfgoe6pzSic8vqBnFvNQ=", **changes}
    pairs = ", ".join(f'{name}="{oauth.escape(value)}"' for name, value in protocol.items() if value is not None)
    return oauth.SignedRequest("POST", f"{PROFILES}/new.json", (), f"OAuth {pairs}")


def test_a_right_signature_passes():
    """The header of the fourth vector is believed; a realm isn't part of it."""
    request = _request(realm="https://api.x.com/")

    oauth.check_signature(request, oauth.read_claims(request), CONSUMER_SECRET, TOKEN_SECRET)


@pytest.mark.parametrize("change", [{"oauth_nonce": "other"}, {"oauth_signature": "AAAA"}, {"oauth_extra": "1"}])
def test_a_wrong_signature_is_refused(change):
    """Anything that differs from what was signed is refused."""
    request = _request(**change)

    with pytest.raises(Refused) as caught:
        oauth.check_signature(request, oauth.read_claims(request), CONSUMER_SECRET, TOKEN_SECRET)
    assert Refusal.BAD_SIGNATURE is caught.value.refusal


@pytest.mark.parametrize(
    ("refusal", "request_"),
    [
        (Refusal.NO_AUTHENTICATION, oauth.SignedRequest("GET", PROFILES, (), "")),
        (Refusal.NO_AUTHENTICATION, oauth.SignedRequest("GET", PROFILES, (), "Bearer AAAA")),
        (Refusal.NO_AUTHENTICATION, _request(oauth_nonce=None)),
        (Refusal.NO_AUTHENTICATION, _request(oauth_timestamp="soon")),
        (Refusal.BAD_SIGNATURE, _request(oauth_signature_method="PLAINTEXT")),
        (Refusal.BAD_SIGNATURE, _request(oauth_version="2.0")),
    ],
)
def test_malformed_claims_are_refused(refusal, request_):
    """A header that is absent, of another scheme, incomplete or of another method isn't looked at further."""
    with pytest.raises(Refused) as caught:
        oauth.read_claims(request_)
    assert refusal is caught.value.refusal


def test_doubled_parameters_are_refused():
    """RFC 5849 3.1: no protocol parameter may appear twice."""
    request = _request()
    doubled = oauth.SignedRequest(request.method, request.url, (), request.authorization + ', oauth_nonce="x"')

    with pytest.raises(Refused):
        oauth.read_claims(doubled)


@pytest.mark.parametrize("skew", [-300, 300])
def test_clocks_may_differ_by_five_minutes(skew):
    """Five minutes are allowed, a second more isn't."""
    claims = oauth.read_claims(_request())
    oauth.check_timestamp(claims, 1_318_622_958 + skew)

    with pytest.raises(Refused):
        oauth.check_timestamp(claims, 1_318_622_958 + skew * 301 / 300)
