"""Which agents a command is about: by key, and by labels such as ``team=night,kind=bot``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from profilectl.errors import InputRefused, UsageError
from profilectl.model import Agent, Move
from profilectl.roster.lookup import unknown_agent
from profilectl.roster.schema import BUILT_IN_LABELS, label_problem
from profilectl.text.escape import visible

Label = tuple[str, str]


def parse_labels(words: Iterable[str]) -> tuple[Label, ...]:
    """Return the labels of options such as ``team=night,kind=bot``, each once; all of them have to fit.

    Raises:
        UsageError: a part is no ``label=value``, or one label has two values.
    """
    labels: dict[str, str] = {}
    for part in (part.strip() for word in words for part in word.split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value or (key not in BUILT_IN_LABELS and label_problem(key, value)):
            raise UsageError(
                f"--label: {visible(part) or 'nothing'} is no label", hint="such as -l team=night,kind=bot"
            )
        if labels.setdefault(key, value) != value:
            raise UsageError(f"--label: {key} can't be {labels[key]} and {value} at once")
    return tuple(sorted(labels.items()))


def carries(agent: Agent, labels: Sequence[Label]) -> bool:
    """Say whether an agent has all these labels; ``kind`` is one that every agent has."""
    own = {*agent.labels, ("kind", agent.kind.value)}
    return own.issuperset(labels)


def select(
    agents: Iterable[Agent],
    keys: Collection[str],
    labels: Sequence[Label],
    brands: Collection[str] | None = None,
    moves: Sequence[Move] = (),
) -> list[Agent]:
    """Return the agents with these keys and labels in these brands; all where there are none.

    `moves` tell what a key that was changed is now.

    Raises:
        UsageError: no agent has a key, the one who has it lacks a label, or nobody has the labels.
        InputRefused: an agent of these keys speaks for other brands only.
    """
    agents = tuple(agents)
    require_each(agents, keys, labels, brands, moves=moves)
    chosen = [
        agent
        for agent in agents
        if (not keys or agent.key in keys) and (brands is None or agent.brand in brands) and carries(agent, labels)
    ]
    if labels and not chosen:
        raise no_such_label(labels)
    return chosen


def require_each(
    agents: Sequence[Agent],
    keys: Collection[str],
    labels: Sequence[Label],
    brands: Collection[str] | None = None,
    bound: Collection[str] = (),
    moves: Sequence[Move] = (),
) -> None:
    """Make sure that each key is one of an agent who is selected: who is named mustn't be passed over in silence.

    `bound` are the keys that a ledger knows in these brands: without labels they may have left the roster.

    Raises:
        UsageError: no agent has a key, or the one who has it lacks a label.
        InputRefused: the agent speaks for other brands only.
    """
    if not keys:
        return
    brands_of: dict[str, list[Agent]] = {}
    for agent in agents:
        brands_of.setdefault(agent.key, []).append(agent)
    for key in sorted(keys):
        everywhere = brands_of.get(key, [])
        here = [agent for agent in everywhere if brands is None or agent.brand in brands]
        if not here and key in bound and not labels:
            continue
        if not everywhere:
            raise unknown_agent(key, {*brands_of}, moves)
        if not here:
            raise InputRefused(
                f"{key} doesn't speak for {', '.join(brands or ())}",
                hint=f"it has: {', '.join(agent.brand for agent in everywhere)}",
            )
        if not any(carries(agent, labels) for agent in here):
            raise UsageError(
                f"{key} doesn't have {visible(_spelled(labels))}, so --agent and --label select nobody",
                hint="leave one of them out; `profilectl roster list` shows the labels",
            )


def no_such_label(labels: Iterable[Label]) -> UsageError:
    """Return the error that no agent has these labels."""
    return UsageError(f"no agent has {visible(_spelled(labels))}", hint="`profilectl roster list` shows the labels")


def _spelled(labels: Iterable[Label]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels)
