"""Which agents a command is about: by key, and by labels such as ``team=night,kind=bot``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from profilectl.errors import UsageError
from profilectl.model import Agent
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


def select(agents: Iterable[Agent], keys: Collection[str], labels: Sequence[Label]) -> list[Agent]:
    """Return the agents with these keys and labels; all where there are none.

    Raises:
        UsageError: no agent has a key, or none has the labels.
    """
    agents = tuple(agents)
    known = {agent.key for agent in agents}
    for key in keys:
        if key not in known:
            raise unknown_agent(key, known)
    chosen = [agent for agent in agents if (not keys or agent.key in keys) and carries(agent, labels)]
    if labels and not chosen:
        raise no_such_label(labels)
    return chosen


def no_such_label(labels: Iterable[Label]) -> UsageError:
    """Return the error that no agent has these labels."""
    words = ",".join(f"{key}={value}" for key, value in labels)
    return UsageError(f"no agent has {visible(words)}", hint="`profilectl roster list` shows the labels")
