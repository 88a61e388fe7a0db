"""The steps that the ledger's transactions are made of; each runs inside a transaction that somebody else ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from profilectl.audit.chain import Record
from profilectl.errors import InputRefused, LedgerRefused, WrongAccount
from profilectl.ledger import rows, schema
from profilectl.model import Account, Binding, Dispatch, Event, Intent, LedgerState, Retired

if TYPE_CHECKING:
    from profilectl.ledger.rows import Row, Value


_BEYOND = 2**63 - 1  # no sequence number is larger
_PAGE = 500  # audit records read at a time, so that a long trail keeps no transaction open


class Execute(Protocol):
    """Runs one statement of `schema` and returns its rows, all of them."""

    def __call__(self, statement: str, /, **values: Value) -> list[Row]:
        """Return the rows of a statement; `values` fill its named parameters."""


def account_of(execute: Execute, brand: str) -> Account | None:
    """Return the account that a brand's key stands for, or None."""
    found = execute(schema.GET_ACCOUNT, brand=brand)
    return rows.account(found[0]) if found else None


def check_account(execute: Execute, brand: str, account: Account) -> Account | None:
    """Return what the brand's key stands for; WrongAccount when that isn't `account`.

    One user id at two hosts is refused too: a test server's profiles would mix with real ones.
    """
    known = account_of(execute, brand)
    if known and (known.user_id, known.host) != (account.user_id, account.host):
        raise _wrong_account(brand, known, account)
    for other, handle, host in execute(schema.GET_OTHER_HOST, account=account.user_id, host=account.host):
        raise _wrong_account(other, Account(account.user_id, handle, host), account)
    return known


def state_of(execute: Execute, user_id: str) -> LedgerState:
    """Return everything known about an account."""
    listings = {digest: rows.listed(ids) for digest, ids in execute(schema.GET_LISTINGS, account=user_id)}
    return LedgerState(
        bindings=tuple(map(rows.binding, execute(schema.GET_BINDINGS, account=user_id))),
        intents=tuple(rows.intent(row, listings) for row in execute(schema.GET_INTENTS, account=user_id)),
        retired=tuple(map(rows.retired, execute(schema.GET_RETIRED, account=user_id))),
        blocked=frozenset(agent for (agent,) in execute(schema.GET_BLOCKED, account=user_id)),
    )


def records(execute: Execute, *, after: int) -> list[Record]:
    """Return the next audit records behind a sequence number, some hundreds at most."""
    return [Record(*row) for row in execute(schema.GET_RECORDS, after=after, limit=_PAGE)]


def recent(execute: Execute, user_id: str, since_ms: int) -> tuple[Event, ...]:
    """Return an account's events since a moment, oldest first, read from the newest backwards.

    Records are written as things happen, with times of several clocks, so the reading ends with a whole page of earlier
    ones.
    """
    found: list[Event] = []
    before = _BEYOND
    while page := [Record(*row) for row in execute(schema.GET_RECORDS_BACKWARDS, before=before, limit=_PAGE)]:
        events = [event for event in (record.event for record in page) if event.at_ms >= since_ms]
        if not events:
            break
        found += (event for event in events if event.account == user_id)
        before = page[-1].seq
    return tuple(reversed(found))


def dispatch(execute: Execute, user_id: str, key: str) -> Dispatch | None:
    """Return what was last sent, or promised, under a key."""
    found = execute(schema.GET_DISPATCH, account=user_id, key=key)
    return rows.dispatch(found[0]) if found else None


def require_speaker(execute: Execute, user_id: str, dispatch: Dispatch) -> None:
    """Make sure that the agent may still speak, and with this face; InputRefused if not."""
    if (dispatch.agent,) in execute(schema.GET_BLOCKED, account=user_id):
        raise InputRefused(f"{dispatch.agent} was offboarded meanwhile; nothing was sent")
    if dispatch.profile_id is None:
        return
    owners = execute(schema.GET_OWNER, account=user_id, profile_id=dispatch.profile_id)
    if not any(state == "bound" for _, _, state in owners):
        raise InputRefused(
            f"{dispatch.agent}'s face has changed meanwhile; nothing was sent", hint="run the same command again"
        )


def seen_ms(execute: Execute, user_id: str, profile_id: str) -> int:
    """Return when X last showed a profile, 0 for never."""
    found = execute(schema.GET_SIGHTING, account=user_id, profile_id=profile_id)
    return int(found[0][0]) if found else 0


def open_intent(execute: Execute, user_id: str, nonce: str) -> tuple[Intent, str]:
    """Return an open intent, its listing left out, and the listing's digest; LedgerRefused when there is none."""
    found = execute(schema.GET_INTENT, account=user_id, nonce=nonce)
    if not found:
        raise LedgerRefused(
            f"the ledger has no open intent {nonce}", hint="run `profilectl sync`, which reads X's list again"
        )
    listing = found[0][rows.LISTING]
    return rows.intent(found[0], {listing: frozenset()}), listing


def close(execute: Execute, user_id: str, nonce: str, listing: str) -> None:
    """Close an intent; its listing goes with the last one that refers to it."""
    execute(schema.CLOSE_INTENT, account=user_id, nonce=nonce)
    execute(schema.DROP_LISTING, digest=listing)


def overrule(execute: Execute, user_id: str, agent: str) -> str | None:
    """Close the agent's open intent, if any, and return its nonce."""
    found = execute(schema.GET_INTENT_OF, account=user_id, agent=agent)
    if not found:
        return None
    nonce, listing = found[0][0], found[0][rows.LISTING]
    close(execute, user_id, nonce, listing)
    return str(nonce)


def binding_of(execute: Execute, user_id: str, agent: str) -> Binding:
    """Return the agent's binding; LedgerRefused when there is none."""
    found = execute(schema.GET_BINDING, account=user_id, agent=agent)
    if not found:
        from profilectl.text.escape import visible

        raise LedgerRefused(
            f"agent {visible(agent)} has no profile in this ledger", hint="`profilectl profiles list` shows who has"
        )
    return rows.binding(found[0])


def bind(execute: Execute, user_id: str, binding: Binding) -> str | None:
    """Bind a profile that is unknown so far, retire the agent's former one and return its id, if there was one."""
    for agent, _, state in execute(schema.GET_OWNER, account=user_id, profile_id=binding.profile_id):
        raise LedgerRefused(f"profile {binding.profile_id} is {state} already, for agent {agent}")
    former = execute(schema.GET_BINDING, account=user_id, agent=binding.agent)
    if former:
        retire(execute, user_id, rows.binding(former[0]), binding.bound_ms, "replaced")
    execute(schema.BIND, account=user_id, **rows.of_binding(binding))
    return former[0][rows.PROFILE_ID] if former else None


def take_back(execute: Execute, user_id: str, binding: Binding) -> None:
    """Let an agent have a profile again that was retired for this very agent."""
    for agent, _, state in execute(schema.GET_OWNER, account=user_id, profile_id=binding.profile_id):
        if (agent, state) == (binding.agent, "retired"):
            execute(schema.UNRETIRE, account=user_id, profile_id=binding.profile_id)


def retire(execute: Execute, user_id: str, binding: Binding, now_ms: int, why: str) -> Retired:
    """Turn a binding into a retired profile."""
    retired = Retired(binding.profile_id, binding.agent, binding.name, now_ms, why)
    execute(schema.UNBIND, account=user_id, agent=binding.agent)
    execute(schema.FORGET_SIGHTING, account=user_id, profile_id=binding.profile_id)
    execute(schema.RETIRE, account=user_id, **rows.of_retired(retired))
    return retired


def about(intent: Intent, what: str, user_id: str, at_ms: int, **more: str | int) -> Event:
    """Return the event of something that happened to an intent."""
    return Event(what, user_id, at_ms, intent.agent, detail={"nonce": intent.nonce, "name": intent.name, **more})


def bound(what: str, user_id: str, binding: Binding, replaced: str | None, nonce: str | None) -> Event:
    """Return the event of a profile that became an agent's; names and pictures are kept for "who was Alice then"."""
    detail = {"name": binding.name, "avatar": binding.avatar, "replaced": replaced, "nonce": nonce}
    return Event(what, user_id, binding.bound_ms, binding.agent, binding.profile_id, detail)


def _wrong_account(brand: str, known: Account, account: Account) -> WrongAccount:
    from profilectl.text.escape import visible

    ours, theirs = (f"@{one.handle} (id {one.user_id} at {one.host})" for one in (known, account))
    return WrongAccount(
        visible(f"brand {brand} is {ours} in this ledger, but the credentials belong to {theirs}"),
        hint=visible(
            f"use the credentials of @{known.handle}, or set PROFILECTL_LEDGER to another path for a ledger of its own"
        ),
    )
