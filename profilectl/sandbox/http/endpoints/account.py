"""The caller's account, other accounts, what is left of the limits, and the steps of the PIN login for the app."""

from __future__ import annotations

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.request import ApiRequest, Endpoint
from profilectl.sandbox.http.responses import Response, json_response
from profilectl.sandbox.model.accounts import HANDLE
from profilectl.sandbox.model.errors import Refusal, Refused

# X's own words, pattern included.
_BAD_USERNAME = "The `username` query parameter value [{}] does not match ^[A-Za-z0-9_]{{1,15}}$"
# Which family of limits stands for which path in rate_limit_status; X lists calls that read, by resource.
_REPORTED = {
    "account": {"/account/verify_credentials": "verify"},
    "application": {"/application/rate_limit_status": "limits"},
    "custom_profiles": {"/custom_profiles/list": "list", "/custom_profiles/show": "show"},
    "direct_messages": {"/direct_messages/events/list": "messages", "/direct_messages/events/show": "message"},
    "feedback": {"/feedback/events": "feedback-events", "/feedback/show/:id": "feedback-show"},
    "media": {"/media/upload": "upload"},
}


def verify_credentials(request: ApiRequest) -> Response:
    """The account behind the token."""
    account = request.world.accounts.by_id(request.user_id)
    if account is None:
        raise Refused(Refusal.BAD_TOKEN)
    return json_response(responses.user_v1(account))


def user_by_username(request: ApiRequest) -> Response:
    """The account with a handle; nobody is an answer with status 200, as v2 has it."""
    username = request.path_values["username"]
    if not HANDLE.fullmatch(username):
        message = _BAD_USERNAME.format(username)
        return responses.problem(400, "Invalid Request", message, "invalid-request", message)
    account = request.world.accounts.by_handle(username)
    return json_response(responses.user_v2(account) if account else responses.no_user_v2(username))


def rate_limit_status(request: ApiRequest) -> Response:
    """What is left of the limits of the reading calls; it doesn't say who may make them."""
    resources = request.query.get("resources", "")
    names = resources.split(",") if resources else list(_REPORTED)
    quotas, user_id = request.world.quotas, request.user_id
    statuses = {
        name: {path: quotas.status(family, user_id)._asdict() for path, family in _REPORTED[name].items()}
        for name in names
        if name in _REPORTED
    }
    context = {"access_token": request.token.token if request.token else ""}
    return json_response({"rate_limit_context": context, "resources": statuses})


def request_token(request: ApiRequest) -> Response:
    """First step of a login. Only ``oob`` is approved as callback: this app logs in with a PIN."""
    callback = _parameter(request, "oauth_callback")
    if callback is None:
        raise Refused(Refusal.NO_AUTHENTICATION)
    if callback != "oob":
        raise Refused(Refusal.CALLBACK_NOT_APPROVED)
    login = request.world.tokens.begin_login(_parameter(request, "x_auth_access_type") or "")
    return responses.form_response(
        oauth_token=login.token, oauth_token_secret=login.secret, oauth_callback_confirmed="true"
    )


def access_token(request: ApiRequest) -> Response:
    """Last step of a login: the PIN for a token."""
    if request.claims is None or not request.claims.token:
        raise Refused(Refusal.NO_AUTHENTICATION)
    tokens = request.world.tokens
    token = tokens.redeem(tokens.login(request.claims.token), _parameter(request, "oauth_verifier") or "")
    account = request.world.accounts.by_id(token.user_id)
    handle = account.handle if account else ""
    return responses.form_response(
        oauth_token=token.token, oauth_token_secret=token.secret, user_id=token.user_id, screen_name=handle
    )


def invalidate_token(request: ApiRequest) -> Response:
    """Log out: the token that signed this call is the last thing it did."""
    token = request.token.token if request.token else ""
    request.world.tokens.revoke(token)
    return json_response({"access_token": token})


def _parameter(request: ApiRequest, name: str) -> str | None:
    """A login's parameter may stand in the header, in the form or in the query."""
    protocol = request.claims.protocol if request.claims else {}
    return protocol.get(name, request.form(name))


ENDPOINTS = (
    Endpoint("verify", "GET", "/1.1/account/verify_credentials.json", verify_credentials, "verify"),
    Endpoint("user", "GET", "/2/users/by/username/<username>", user_by_username, "user"),
    Endpoint("limits", "GET", "/1.1/application/rate_limit_status.json", rate_limit_status, "limits"),
    Endpoint("request-token", "POST", "/oauth/request_token", request_token, login=True),
    Endpoint("access-token", "POST", "/oauth/access_token", access_token, login=True),
    Endpoint("invalidate", "POST", "/1.1/oauth/invalidate_token.json", invalidate_token),
)
