"""``roster show``: everything that the roster says of one agent, and where it says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from profilectl.cli.context import Context
from profilectl.cli.options import argument, option
from profilectl.model import Agent
from profilectl.render import roster_documents
from profilectl.roster.lookup import unknown_agent
from profilectl.toml.spelling import spelled

if TYPE_CHECKING:
    from profilectl.roster.layers import LayeredValue

_HEADERS = ("brand", "field", "value")
_WHERE = ("from", "place")
_PRIVATE = "(set, and never shown)"


def show(
    context: Context,
    key: Annotated[str, argument("AGENT", "The agent's key.")],
    explain_: Annotated[
        bool, option("--explain", "Say where each value comes from, and what it wins against.")
    ] = False,
) -> None:
    """Show all that the roster says of an agent.

    With --explain each value has the table and the line that it comes from: the defaults, the defaults of a brand, the
    agent, or the agent in a brand; values that another one wins against are in brackets.
    """
    from profilectl.roster.layers import explain

    roster, chosen = context.roster, {brand.key for brand in context.brands()}
    agents = [agent for agent in roster.agents if agent.key == key and agent.brand in chosen]
    if not agents:
        raise unknown_agent(key, {agent.key for agent in roster.agents if agent.brand in chosen}, roster.moved)
    values = explain(roster.text, str(context.roster_path), key)
    rows = [row for agent in agents for row in _rows(context, agent, values, is_explained=explain_)]
    document = roster_documents.agent(key, context.roster_path, agents[0].line, agents, values)
    context.output.show(document, (*_HEADERS, *(_WHERE if explain_ else ())), rows)


def _rows(
    context: Context, agent: Agent, values: Sequence[LayeredValue], *, is_explained: bool
) -> Iterator[tuple[str, ...]]:
    own = [value for value in values if value.brand == agent.brand]
    if not is_explained:
        yield agent.brand, "shown as", agent.name
    for value in own if is_explained else _used(own):
        words = _words(value)
        if is_explained:
            place = f"{context.roster_path}:{value.line}:{value.column}"
            yield agent.brand, value.field, words if value.is_used else f"({words})", value.table, place
        else:
            yield agent.brand, value.field, words
    if is_explained:
        yield agent.brand, "shown as", agent.name, "", ""


def _used(values: Iterable[LayeredValue]) -> Iterator[LayeredValue]:
    return (value for value in values if value.is_used)


def _words(value: LayeredValue) -> str:
    """Return a value for a person: text as it is, anything else as TOML spells it."""
    if value.field == "legal_name":
        return _PRIVATE
    plain: Any = roster_documents.plain(value.value)
    if isinstance(plain, list):
        return ", ".join(map(str, plain))
    return plain if isinstance(plain, str) else spelled(plain)
