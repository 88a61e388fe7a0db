import pytest

from profilectl.api.pin_login import PinLogin
from profilectl.errors import CredentialsRefused, InputRefused, OutcomeUnknown
from profilectl.secret import Secret


@pytest.fixture
def login():
    with PinLogin(Secret("consumer-key"), Secret("consumer-secret")) as login:
        yield login


def answer_token(httpx_mock, more: str = "&oauth_callback_confirmed=true") -> None:
    httpx_mock.add_response(text=f"oauth_token=request%2Ftoken&oauth_token_secret=request-secret{more}")


def test_three_steps(login, httpx_mock):
    """Two form-encoded POSTs, and between them an address for a person."""
    answer_token(httpx_mock)
    token = login.request_token()
    assert login.authorize_url(token) == "https://api.x.com/oauth/authorize?oauth_token=request%2Ftoken"
    httpx_mock.add_response(text="oauth_token=7-token&oauth_token_secret=token-secret&user_id=7&screen_name=acmecare")
    credentials = login.access_token(token, " 123 4567 ")
    values = (credentials.consumer_key, credentials.consumer_secret, credentials.token, credentials.token_secret)
    assert [value.reveal() for value in values] == ["consumer-key", "consumer-secret", "7-token", "token-secret"]
    assert (credentials.handle, credentials.user_id, credentials.source) == ("acmecare", "7", "PIN login")
    first, second = httpx_mock.get_requests()
    assert (first.method, str(first.url)) == ("POST", "https://api.x.com/oauth/request_token")
    assert first.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert first.content == b"oauth_callback=oob"
    assert "oauth_token=" not in first.headers["Authorization"]
    assert (second.method, str(second.url)) == ("POST", "https://api.x.com/oauth/access_token")
    assert second.content == b"oauth_verifier=1234567"
    assert 'oauth_token="request%2Ftoken"' in second.headers["Authorization"]


def test_wrong_pin(login, httpx_mock):
    """X's no is told in its own words, even when they aren't JSON."""
    answer_token(httpx_mock)
    httpx_mock.add_response(status_code=401, text="Error processing your OAuth request: Invalid oauth_verifier")
    with pytest.raises(CredentialsRefused, match=r"trading the PIN: .*Invalid oauth_verifier"):
        login.access_token(login.request_token(), "0000000")


def test_no_pin(login, httpx_mock):
    """Something that can't be a PIN isn't sent."""
    answer_token(httpx_mock)
    token = login.request_token()
    with pytest.raises(InputRefused):
        login.access_token(token, "yes")
    assert len(httpx_mock.get_requests()) == 1


def test_a_pin_is_traded_once(login, httpx_mock):
    """An unreadable answer to the PIN isn't asked for again, since a PIN works once."""
    answer_token(httpx_mock)
    httpx_mock.add_response(text="oauth_token=7-token")
    with pytest.raises(OutcomeUnknown):
        login.access_token(login.request_token(), "1234567")
