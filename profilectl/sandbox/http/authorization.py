"""What every request to X passes: signature, clock, nonce, permission, limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profilectl.sandbox.http import oauth
from profilectl.sandbox.model.accounts import ACCESS_LEVELS, MESSAGES
from profilectl.sandbox.model.errors import Refusal, Refused

if TYPE_CHECKING:
    from profilectl.sandbox.http.oauth import Claims
    from profilectl.sandbox.http.request import ApiRequest
    from profilectl.sandbox.model.rate_limits import RateStatus


def authenticate(request: ApiRequest) -> None:
    """Find out whose request it is; sets its claims and token.

    Raises:
        Refused: nothing signed, an unknown key or token, a wrong signature, a clock that is off, a nonce seen before
    """
    signed = request.signed()
    request.claims = claims = oauth.read_claims(signed)
    app = request.world.tokens.app()
    if claims.consumer_key != app.consumer_key:
        raise Refused(Refusal.BAD_SIGNATURE)
    token_secret = _token_secret(request, claims)
    oauth.check_signature(signed, claims, app.consumer_secret, token_secret)
    oauth.check_timestamp(claims, request.world.now())
    if not request.world.tokens.use_nonce(claims.token, claims.stamp, claims.nonce):
        raise Refused(Refusal.BAD_SIGNATURE)


def _token_secret(request: ApiRequest, claims: Claims) -> str:
    if request.endpoint.login:
        return request.world.tokens.login(claims.token).secret if claims.token else ""
    if not claims.token:
        raise Refused(Refusal.NO_AUTHENTICATION)
    request.token = request.world.tokens.find(claims.token)
    return request.token.secret


def authorize(request: ApiRequest) -> None:
    """Check what the account and its token may do; the body isn't looked at yet, as at X.

    Raises:
        Refused: the token may not write or not see messages, or the account isn't on the allowlist of profiles
            or that of feedback cards
    """
    if request.token is None:
        return
    level = ACCESS_LEVELS.index(request.token.access_level)
    if request.endpoint.needs_messages and request.token.access_level != MESSAGES:
        raise Refused(Refusal.NO_MESSAGE_ACCESS)
    if request.endpoint.needs_write and level == 0:
        raise Refused(Refusal.READ_ONLY)
    if request.endpoint.needs_allowlist:
        account = request.world.accounts.by_id(request.user_id)
        if account is None or not account.allowlisted:
            raise Refused(Refusal.NOT_PERMITTED)
    if request.endpoint.needs_feedback and not request.world.feedback.is_allowed(request.user_id):
        raise Refused(Refusal.NOT_PERMITTED)


def count(request: ApiRequest) -> RateStatus | None:
    """Count the request against its limits and return what is left of the caller's own.

    Raises:
        Exhausted: too many requests
    """
    if request.endpoint.family is None:
        return None
    with request.world.store.transaction():
        status = request.world.quotas.spend(request.endpoint.family, request.user_id)
        if request.endpoint.app_family:
            request.world.quotas.spend(request.endpoint.app_family, request.world.tokens.app().id)
    return status
