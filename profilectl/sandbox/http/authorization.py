"""The gate that every call of X passes: signature, clock, nonce, permission, limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profilectl.sandbox.http import oauth
from profilectl.sandbox.model.accounts import ACCESS_LEVELS, MESSAGES
from profilectl.sandbox.model.errors import Refusal, Refused

if TYPE_CHECKING:
    from profilectl.sandbox.http.oauth import Claims
    from profilectl.sandbox.http.request import Call
    from profilectl.sandbox.model.rate_limits import Standing
    from profilectl.sandbox.model.world import World


def authenticate(call: Call) -> None:
    """Find out who calls; sets the call's claims and token.

    Raises:
        Refused: nothing signed, an unknown key or token, a wrong signature, a clock that is off, a nonce seen before
    """
    request = call.signed()
    call.claims = claims = oauth.read_claims(request)
    app = call.world.tokens.app()
    if claims.consumer_key != app.consumer_key:
        raise Refused(Refusal.BAD_SIGNATURE)
    token_secret = _token_secret(call, claims)
    oauth.check_signature(request, claims, app.consumer_secret, token_secret)
    oauth.check_timestamp(claims, call.world.now())
    if not call.world.tokens.use_nonce(claims.token, claims.stamp, claims.nonce):
        raise Refused(Refusal.BAD_SIGNATURE)


def _token_secret(call: Call, claims: Claims) -> str:
    if call.endpoint.login:
        return call.world.tokens.login(claims.token).secret if claims.token else ""
    if not claims.token:
        raise Refused(Refusal.NO_AUTHENTICATION)
    call.token = call.world.tokens.find(claims.token)
    return call.token.secret


def permit(call: Call) -> None:
    """Check what the account and its token may do; the body isn't looked at yet, as at X.

    Raises:
        Refused: the token may not write or not see messages, or the account isn't on the allowlist of profiles
            or that of feedback cards
    """
    if call.token is None:
        return
    level = ACCESS_LEVELS.index(call.token.access_level)
    if call.endpoint.needs_messages and call.token.access_level != MESSAGES:
        raise Refused(Refusal.NO_MESSAGE_ACCESS)
    if call.endpoint.needs_write and level == 0:
        raise Refused(Refusal.READ_ONLY)
    if call.endpoint.needs_allowlist and not _is_allowlisted(call.world, call.user_id):
        raise Refused(Refusal.NOT_PERMITTED)
    if call.endpoint.needs_feedback and not call.world.feedback.is_allowed(call.user_id):
        raise Refused(Refusal.NOT_PERMITTED)


def _is_allowlisted(world: World, user_id: str) -> bool:
    account = world.accounts.by_id(user_id)
    return account is not None and account.allowlisted


def count(call: Call) -> Standing | None:
    """Count the call against its limits and return what is left of the caller's own.

    Raises:
        Exhausted: too many calls
    """
    if call.endpoint.family is None:
        return None
    with call.world.store.transaction():
        standing = call.world.quotas.spend(call.endpoint.family, call.user_id)
        if call.endpoint.app_family:
            call.world.quotas.spend(call.endpoint.app_family, call.world.tokens.app().id)
    return standing
