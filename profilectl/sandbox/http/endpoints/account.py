"""Who am I, who is that, how much is left, and the steps of the PIN login that talk to the app."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.request import Call, Endpoint
from profilectl.sandbox.http.responses import answer
from profilectl.sandbox.model.errors import Refusal, Refused

if TYPE_CHECKING:
    from profilectl.sandbox.http.responses import Answer
    from profilectl.sandbox.model.accounts import Account

_USERNAME = re.compile(r"[A-Za-z0-9_]{1,15}")
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


def verify_credentials(call: Call) -> Answer:
    """The account behind the token."""
    return answer(responses.user_v1(_caller(call)))


def user_by_username(call: Call) -> Answer:
    """The account with a handle; nobody is an answer with status 200, as v2 has it."""
    username = call.path_values["username"]
    if not _USERNAME.fullmatch(username):
        message = _BAD_USERNAME.format(username)
        return responses.problem(400, "Invalid Request", message, "invalid-request", message)
    found = call.world.accounts.by_handle(username)
    return answer(responses.user_v2(found) if found else responses.no_user_v2(username))


def rate_limit_status(call: Call) -> Answer:
    """What is left of the limits of the reading calls; it doesn't tell who may make them."""
    wanted = call.query.get("resources", "")
    names = wanted.split(",") if wanted else list(_REPORTED)
    resources = {name: _resource(call, name) for name in names if name in _REPORTED}
    context = {"access_token": call.token.token if call.token else ""}
    return answer({"rate_limit_context": context, "resources": resources})


def _resource(call: Call, name: str) -> dict[str, Any]:
    standings = {path: call.world.quotas.standing(family, call.user_id) for path, family in _REPORTED[name].items()}
    return {path: standing._asdict() for path, standing in standings.items()}


def request_token(call: Call) -> Answer:
    """First step of a login. Only ``oob`` is approved as callback: this app logs in with a PIN."""
    callback = _parameter(call, "oauth_callback")
    if callback is None:
        raise Refused(Refusal.NO_AUTHENTICATION)
    if callback != "oob":
        raise Refused(Refusal.CALLBACK_NOT_APPROVED)
    login = call.world.tokens.begin_login(_parameter(call, "x_auth_access_type") or "")
    return responses.form_answer(
        oauth_token=login.token, oauth_token_secret=login.secret, oauth_callback_confirmed="true"
    )


def access_token(call: Call) -> Answer:
    """Last step of a login: the PIN for a token."""
    if call.claims is None or not call.claims.token:
        raise Refused(Refusal.NO_AUTHENTICATION)
    tokens = call.world.tokens
    token = tokens.redeem(tokens.login(call.claims.token), _parameter(call, "oauth_verifier") or "")
    account = call.world.accounts.by_id(token.user_id)
    return responses.form_answer(
        oauth_token=token.token,
        oauth_token_secret=token.secret,
        user_id=token.user_id,
        screen_name=account.handle if account else "",
    )


def invalidate_token(call: Call) -> Answer:
    """Log out: the token that signed this call is the last thing it did."""
    token = call.token.token if call.token else ""
    call.world.tokens.revoke(token)
    return answer({"access_token": token})


def _caller(call: Call) -> Account:
    account = call.world.accounts.by_id(call.user_id)
    if account is None:
        raise Refused(Refusal.BAD_TOKEN)
    return account


def _parameter(call: Call, name: str) -> str | None:
    """A login's parameter may stand in the header, in the form or in the query."""
    protocol = call.claims.protocol if call.claims else {}
    return protocol.get(name, call.form(name))


ENDPOINTS = (
    Endpoint("verify", "GET", "/1.1/account/verify_credentials.json", verify_credentials, "verify"),
    Endpoint("user", "GET", "/2/users/by/username/<username>", user_by_username, "user"),
    Endpoint("limits", "GET", "/1.1/application/rate_limit_status.json", rate_limit_status, "limits"),
    Endpoint("request-token", "POST", "/oauth/request_token", request_token, login=True),
    Endpoint("access-token", "POST", "/oauth/access_token", access_token, login=True),
    Endpoint("invalidate", "POST", "/1.1/oauth/invalidate_token.json", invalidate_token),
)
