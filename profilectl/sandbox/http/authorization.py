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
    """Set a request's claims and token; Refused if unsigned, or key, token, signature, clock or nonce are wrong."""
    signed = request.signed()
    request.claims = claims = oauth.read_claims(signed)
    app = request.world.tokens.app()
    if claims.consumer_key != app.consumer_key:
        raise Refused(Refusal.BAD_SIGNATURE)
    token_secret = _token_secret(request, claims)
    # The nonce comes last: a request that fails earlier must not use up the nonce of the one that it imitates.
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
    """Check what the account and its token may do; Refused if they may not do this."""
    if request.token is None:
        return
    # The body isn't looked at yet: at X even a create in the wrong encoding got code 87 (recorded in 2021).
    if request.endpoint.needs_messages and request.token.access_level != MESSAGES:
        raise Refused(Refusal.NO_MESSAGE_ACCESS)
    if request.endpoint.needs_write and request.token.access_level == ACCESS_LEVELS[0]:
        raise Refused(Refusal.READ_ONLY)
    if request.endpoint.needs_allowlist:
        account = request.world.accounts.by_id(request.user_id)
        if account is None or not account.allowlisted:
            raise Refused(Refusal.NOT_PERMITTED)
    if request.endpoint.needs_feedback and not request.world.feedback.is_allowed(request.user_id):
        raise Refused(Refusal.NOT_PERMITTED)


def count(request: ApiRequest) -> RateStatus | None:
    """Count the request against its limits and return what is left of the caller's own; Exhausted if nothing is."""
    if request.endpoint.family is None:
        return None
    # One transaction: a call that the app's limit refuses doesn't count against the account's.
    with request.world.store.transaction():
        status = request.world.quotas.spend(request.endpoint.family, request.user_id)
        if request.endpoint.app_family:
            request.world.quotas.spend(request.endpoint.app_family, request.world.tokens.app().id)
    return status
