"""Rows of the ledger and the values they stand for."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from profilectl.model import Account, Binding, Dispatch, Intent, Retired

if TYPE_CHECKING:
    from collections.abc import Mapping

    Row = tuple[Any, ...]
    Value = str | int | None

LISTING = 4
"""Where a row of ``intents`` names its listing."""

PROFILE_ID = 1
"""Where a row of ``bindings`` names its profile."""


def account(row: Row) -> Account:
    """Return the account of a row of ``brands``."""
    user_id, handle, host = row
    return Account(user_id, handle, host)


def binding(row: Row) -> Binding:
    """Return the binding of a row of ``bindings``."""
    agent, profile_id, name, avatar, created_ms, bound_ms, protected, avatar_url = row
    return Binding(
        agent=agent,
        profile_id=profile_id,
        name=name,
        avatar=avatar,
        created_ms=created_ms,
        bound_ms=bound_ms,
        protected=bool(protected),
        avatar_url=avatar_url,
    )


def retired(row: Row) -> Retired:
    """Return the retired profile of a row of ``retired``."""
    return Retired(*row)


def intent(row: Row, listings: Mapping[str, frozenset[str]]) -> Intent:
    """Return the intent of a row of ``intents``, its listing looked up by digest."""
    nonce, agent, name, avatar, listing, begun_ms, attempt, attempted_ms, protected = row
    return Intent(
        nonce=nonce,
        agent=agent,
        name=name,
        avatar=avatar,
        listed=listings[listing],
        begun_ms=begun_ms,
        attempt=attempt,
        attempted_ms=attempted_ms,
        protected=bool(protected),
    )


def dispatch(row: Row) -> Dispatch:
    """Return the dispatch of a row of ``dispatches``."""
    key, nonce, agent, recipient_id, fingerprint, profile_id, begun_ms, event_id, confirmed = row
    return Dispatch(key, nonce, agent, recipient_id, fingerprint, profile_id, begun_ms, event_id, bool(confirmed))


def of_dispatch(one: Dispatch) -> dict[str, Value]:
    """Return the columns of a dispatch that is only promised yet."""
    return {
        "key": one.key,
        "nonce": one.nonce,
        "agent": one.agent,
        "recipient_id": one.recipient_id,
        "fingerprint": one.fingerprint,
        "profile_id": one.profile_id,
        "begun_ms": one.begun_ms,
    }


@functools.lru_cache(maxsize=1)  # a run's intents have one listing, which may name thousands of profiles
def listing(ids: frozenset[str]) -> tuple[str, str]:
    """Return the digest and the text that one set of ids is stored as: sorted, one space between."""
    import hashlib

    text = " ".join(sorted(ids))
    return hashlib.sha256(text.encode()).hexdigest(), text


def listed(text: str) -> frozenset[str]:
    """Return the ids of a listing's text."""
    return frozenset(text.split())


def of_binding(one: Binding) -> dict[str, Value]:
    """Return a binding's columns."""
    return {
        "agent": one.agent,
        "profile_id": one.profile_id,
        "name": one.name,
        "avatar": one.avatar,
        "created_ms": one.created_ms,
        "bound_ms": one.bound_ms,
        "protected": int(one.protected),
        "avatar_url": one.avatar_url,
    }


def of_intent(one: Intent) -> dict[str, Value]:
    """Return an intent's columns, without its listing."""
    return {
        "nonce": one.nonce,
        "agent": one.agent,
        "name": one.name,
        "avatar": one.avatar,
        "begun_ms": one.begun_ms,
        "attempt": one.attempt,
        "attempted_ms": one.attempted_ms,
        "protected": int(one.protected),
    }


def of_retired(one: Retired) -> dict[str, Value]:
    """Return a retired profile's columns."""
    return {
        "profile_id": one.profile_id,
        "agent": one.agent,
        "name": one.name,
        "since_ms": one.since_ms,
        "why": one.why,
    }
