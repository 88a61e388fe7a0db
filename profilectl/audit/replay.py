"""What a ledger has to hold if its record is true: the events, replayed, beside the rows as they are.

Whoever changes a row behind the program's back, so that somebody who was offboarded may speak again, would have to add
an event to the record as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from profilectl.model import Dispatch, Event, LedgerState
from profilectl.text.escape import visible

Key = tuple[str, str]  # (account, agent or profile)


@dataclass(slots=True)
class Image:
    """What is left after some events: who is bound, retired, blocked, and which messages are without an end."""

    bindings: dict[Key, tuple[str, str, str]] = field(default_factory=dict)  # by agent: profile, name, picture
    retired: dict[Key, str] = field(default_factory=dict)  # by profile: agent
    blocked: set[Key] = field(default_factory=set)  # agents
    promises: set[Key] = field(default_factory=set)  # by nonce
    keeps_promises: dict[str, int] = field(default_factory=dict)  # by account: when its first promise was recorded
    protected: dict[Key, bool] = field(default_factory=dict)  # agents whose protection is on the record

    def accounts(self) -> set[str]:
        """Return the user ids of the accounts that hold something."""
        keys = (*self.bindings, *self.retired, *self.blocked, *self.promises)
        return {account for account, _ in keys}

    def take(self, event: Event) -> None:
        """Let one event happen."""
        match event.what:
            case "created" | "adopted" if not event.detail.get("renamed_from"):  # its `renamed` was before it
                self._bind(event)
            case "retired":
                self._retire(event)
            case "destroyed":
                self._destroy(event)
            case "forgotten":
                self._let_go(event)
            case "renamed":
                self._rename((event.account, _text(event, "from")), (event.account, event.agent or ""))
            case "blocked":
                self.blocked.add((event.account, event.agent or ""))
            case "unblocked":
                self.blocked.discard((event.account, event.agent or ""))
            case "promised" | "sent" | "refused" | "taken-back":
                self._promise(event)
            case "protected" | "unprotected":
                self.protected[event.account, event.agent or ""] = event.what == "protected"

    def _promise(self, event: Event) -> None:
        attempt = event.account, _text(event, "nonce")
        if event.what == "promised":
            self.promises.add(attempt)
            self.keeps_promises.setdefault(event.account, event.at_ms)
        else:
            self.promises.discard(attempt)

    def _bind(self, event: Event) -> None:
        agent, profile = (event.account, event.agent or ""), (event.account, event.profile_id or "")
        former = self.bindings.get(agent)
        if former is not None:
            self.retired[event.account, former[0]] = event.agent or ""
        self.retired.pop(profile, None)
        self.bindings[agent] = (event.profile_id or "", _text(event, "name"), _text(event, "avatar"))
        self.protected.pop(agent, None)  # an intent had its own, which no event tells

    def _rename(self, old: Key, new: Key) -> None:
        if old in self.bindings:
            self.bindings[new] = self.bindings.pop(old)
            self.protected.pop(new, None)  # of somebody who had that key before
        if old in self.protected:
            self.protected[new] = self.protected.pop(old)
        self.retired |= {profile: new[1] for profile, agent in self.retired.items() if (profile[0], agent) == old}
        if old in self.blocked:
            self.blocked = self.blocked - {old} | {new}

    def _retire(self, event: Event) -> None:
        self._let_go(event)
        self.retired[event.account, event.profile_id or ""] = event.agent or ""

    def _destroy(self, event: Event) -> None:
        self._let_go(event)
        self.retired.pop((event.account, event.profile_id or ""), None)

    def _let_go(self, event: Event) -> None:
        agent = (event.account, event.agent or "")
        if self.bindings.get(agent, ("",))[0] == event.profile_id:
            del self.bindings[agent]


def replay(events: Iterable[Event]) -> Image:
    """Return what all events of a record leave, oldest first."""
    image = Image()
    for event in events:
        image.take(event)
    return image


def differences(image: Image, user_id: str, state: LedgerState, open_dispatches: Iterable[Dispatch]) -> Iterator[str]:
    """Yield what an account's rows and its record disagree about, a sentence each."""
    rows = {binding.agent: (binding.profile_id, binding.name, binding.avatar) for binding in state.bindings}
    recorded = {agent: value for (account, agent), value in image.bindings.items() if account == user_id}
    for agent in sorted(rows.keys() | recorded.keys()):
        row, event = rows.get(agent), recorded.get(agent)
        if row != event:
            yield f"agent {visible(agent)} has {_face(row)} in the ledger, and {_face(event)} by its record"
    for binding in state.bindings:
        protected = image.protected.get((user_id, binding.agent))
        if protected is not None and protected != binding.protected:
            words = ("protected", "not protected") if binding.protected else ("not protected", "protected")
            yield f"agent {visible(binding.agent)} is {words[0]} in the ledger, and {words[1]} by its record"
    for former in state.retired:
        owner = image.retired.get((user_id, former.profile_id))
        if owner is not None and owner != former.agent:
            owners = f"{visible(former.agent)}'s in the ledger, and {visible(owner)}'s by its record"
            yield f"retired profile {visible(former.profile_id)} is {owners}"
    pairs = (
        ("profile {} is retired", {retired.profile_id for retired in state.retired}, _of(image.retired, user_id)),
        ("agent {} is offboarded", set(state.blocked), _of(image.blocked, user_id)),
    )
    for sentence, held, known in pairs:
        for name in sorted(held ^ known):
            where = ("in the ledger", "by its record") if name in held else ("by its record", "in the ledger")
            yield f"{sentence.format(visible(name))} {where[0]}, and not {where[1]}"
    yield from _differences_of_promises(image, user_id, open_dispatches)


def _differences_of_promises(image: Image, user_id: str, open_dispatches: Iterable[Dispatch]) -> Iterator[str]:
    # versions before recorded no promise, so what is older than the first one is in no record
    since_ms = image.keeps_promises.get(user_id)
    dispatches = {dispatch.nonce: dispatch for dispatch in open_dispatches}
    promises = _of(image.promises, user_id)
    for nonce, dispatch in dispatches.items():
        if nonce not in promises and since_ms is not None and dispatch.begun_ms >= since_ms:
            agent, to = visible(dispatch.agent), visible(dispatch.recipient_id)
            yield f"a message as {agent} to {to} is on its way in the ledger, and was never promised by its record"
    for nonce in sorted(promises - dispatches.keys()):
        yield f"the message of attempt {visible(nonce)} has no end by the record, and none is on its way in the ledger"


def _of(keys: Iterable[Key], user_id: str) -> set[str]:
    return {name for account, name in keys if account == user_id}


def _face(face: tuple[str, str, str] | None) -> str:
    return "no profile" if face is None else f'profile {visible(face[0])} "{visible(face[1])}"'


def _text(event: Event, name: str) -> str:
    return str(event.detail.get(name) or "")
