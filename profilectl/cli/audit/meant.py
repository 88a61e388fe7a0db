"""What somebody may have meant whose question has an empty answer: agents, OS users and public names of the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from profilectl.audit.faces import named
from profilectl.audit.queries import actor_parts, faces_of, read_entry
from profilectl.cli.audit.asked import asked_actors
from profilectl.text.escape import visible
from profilectl.text.names import as_compared
from profilectl.text.suggest import did_you_mean

if TYPE_CHECKING:
    from profilectl.audit.faces import Face
    from profilectl.audit.queries import Readable
    from profilectl.model import LedgerAccount

_MOST_NAMES = 3  # that a suggestion lists


def unknown_words(
    accounts: Sequence[LedgerAccount],
    readable: Readable,
    agents: Sequence[str],
    actors: Sequence[str],
    *,
    option_name: str,
) -> list[str]:
    """Return a phrase about each agent and each OS user that the record doesn't know, with what is near to it.

    Args:
        accounts: of the ledger.
        readable: its records; all are read where somebody asked for an OS user or an agent.
        agents: keys that somebody asked for.
        actors: OS users that somebody asked for.
        option_name: which option took the keys.
    """
    if not agents and not actors:
        return []
    faces = [face for account in accounts for face in faces_of(readable, account.user_id)]
    keys, users = {face.agent for face in faces if face.agent}, set[str]()
    for record in readable.events():
        entry = read_entry(record)
        keys.update([entry.event.agent] if entry.event.agent else [])
        users.add(entry.actor)
    phrases = [_about_agent(key, keys, faces, option_name) for key in agents if key not in keys]
    return phrases + list(_about_users(actors, users))


def _about_agent(key: str, keys: set[str], faces: Sequence[Face], option_name: str) -> str:
    bearers = sorted({face.agent for face in named(faces, key) if face.agent})
    if bearers:
        bears = f": that is the public name of {visible(', '.join(bearers))}; {option_name} takes a key"
    else:
        bears = did_you_mean(key, sorted(keys))
    return f'the record has no agent "{visible(key)}"{bears}'


def _about_users(actors: Sequence[str], recorded: set[str]) -> Iterator[str]:
    parts = [actor_parts(actor) for actor in recorded]
    users = {at_host.rpartition("@")[0] for at_host, _, _ in parts}
    known = {*recorded, *users, *(at_host for at_host, _, _ in parts)}
    for _, host, login in parts:
        known |= set() if login is None else {f"uid:{login}", f"uid:{login}@{host}"}
    for actor in actors:
        if known.isdisjoint(asked_actors([actor])):
            yield f'the record has nothing by "{visible(actor)}"{did_you_mean(actor, sorted(users))}'


def unknown_sentence(what: str, phrases: Sequence[str]) -> str:
    """Return an empty answer with the reasons for it."""
    text = f"{what}: {'; '.join(phrases)}" if phrases else what
    return text if text.endswith("?") else f"{text}."


def meant_name(name: str, faces: Sequence[Face]) -> str:
    """Return, behind a comma or a stop, which public name may have been meant, or whose key it is; else a stop."""
    keyed = sorted({face.name for face in faces if face.agent == name and face.name})
    if keyed:
        return f". {visible(name)} is the key of an agent whose public name is, or was, {_either(keyed)}"
    names = sorted({face.name for face in faces if face.name})
    compared = as_compared(name).casefold()
    longer = [known for known in names if as_compared(known).casefold().startswith(compared)]
    if longer:
        return f", did you mean {_either(longer)}?"
    return did_you_mean(name, names)


def _either(names: Sequence[str]) -> str:
    return " or ".join(f'"{visible(name)}"' for name in names[:_MOST_NAMES])
