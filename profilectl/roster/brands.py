"""Which brands an agent belongs to, and what differs or is drawn there; and which brands a command is about.

The field ``brands`` has two forms.

An array names exactly the agent's brands. A table holds differences instead: the agent stays in every brand it would
be in anyway, is also in each brand that has a table of its own, and isn't in one that is set to ``false``::

    brands = ["acme"]               # acme only

    [agents.alice.brands]
    acme = { name = "Ally F." }     # all brands, with another name in acme
    beta = false                    # but not beta

"Anyway" is what ``[defaults]`` says in the same two forms, and all brands when it says nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from profilectl.errors import UsageError
from profilectl.model import Agent, Brand
from profilectl.roster.schema import DIFFERENCE, MOST_BRANDS
from profilectl.roster.unknown_keys import read_table
from profilectl.text.escape import visible
from profilectl.text.suggest import did_you_mean
from profilectl.toml.paths import Path
from profilectl.toml.problems import ProblemList
from profilectl.toml.rules import shown


class Membership(Struct, frozen=True):
    """What one table's ``brands`` says."""

    listed: tuple[str, ...] | None = None  # the array form
    differences: Mapping[str, Mapping[str, Any]] = {}
    left_out: frozenset[str] = frozenset()

    def brands(self, default: Membership, known: Collection[str]) -> tuple[str, ...]:
        """Return the agent's brands in the order of the file."""
        if self.listed is not None:
            members = set(self.listed)
        else:
            anyway = set(known if default.listed is None else default.listed) - default.left_out
            members = (anyway | self.differences.keys()) - self.left_out
        return tuple(brand for brand in known if brand in members)


UNSPECIFIED = Membership()


def read_membership(value: Any, path: Path, known: Collection[str], problems: ProblemList) -> Membership:
    """Return what the value of ``brands`` at `path` says; brands that aren't `known` are errors."""
    if type(value) is list:
        return _listed(value, path, known, problems)
    if type(value) is dict:
        return _differing(value, path, known, problems)
    advice = f"; did you mean [{shown(value)}]?" if type(value) is str else ""
    problems.error(path, f"expected an array of brands or a table, got {shown(value)}{advice}")
    return UNSPECIFIED


def _listed(value: list[Any], path: Path, known: Collection[str], problems: ProblemList) -> Membership:
    if not value:
        problems.error(
            path, "names no brand; remove the agent's entry, or set `until`, to take it out everywhere", "brands"
        )
    if len(value) > MOST_BRANDS:
        problems.error(path, f"{len(value)} brands, at most {MOST_BRANDS}", "size")
        return UNSPECIFIED
    for index, brand in enumerate(value):
        if type(brand) is not str:
            problems.error((*path, index), f"expected the key of a brand, got {shown(brand)}", "brands")
        elif known and brand not in known:  # without any, that is the one problem
            problems.error((*path, index), _unknown(brand, known), "brands")
        elif brand in value[:index]:
            problems.error((*path, index), f'"{brand}" is named twice', "brands")
    return Membership(listed=tuple(brand for brand in value if type(brand) is str))


def _differing(value: dict[str, Any], path: Path, known: Collection[str], problems: ProblemList) -> Membership:
    differences: dict[str, Mapping[str, Any]] = {}
    for brand, difference in value.items():
        if known and brand not in known:
            problems.error((*path, brand), _unknown(brand, known), "brands")
        elif type(difference) is dict:
            differences[brand] = read_table(difference, DIFFERENCE, (*path, brand), problems)
        elif difference is not False:
            problems.error((*path, brand), f"expected a table or false, got {shown(difference)}")
    left_out = frozenset(brand for brand, difference in value.items() if difference is False)
    return Membership(differences=differences, left_out=left_out)


def _unknown(brand: str, known: Collection[str]) -> str:
    return f"there is no brand {shown(brand)}{did_you_mean(brand, known)}"


def decorated_agents(agents: Sequence[Agent], brands: Iterable[Brand]) -> tuple[Agent, ...]:
    """Return agents, as `profilectl.roster.consent` lets them be shown, with what their brands draw on pictures."""
    decorations = {brand.key: brand.decoration for brand in brands if brand.decoration is not None}
    if not decorations:
        return tuple(agents)
    return tuple(
        agent
        if (decoration := decorations.get(agent.brand)) is None
        else replace(
            agent,
            avatar=decoration.of(agent.avatar),
            own_avatar=decoration.of(agent.own_avatar) if agent.own_avatar else "",
        )
        for agent in agents
    )


def select_brands(brands: Sequence[Brand], chosen: Collection[str], file: str) -> tuple[Brand, ...]:
    """Return the brands with the chosen keys in the order of their `file`, or all where none is chosen.

    Raises:
        UsageError: a chosen key is no brand's.
    """
    known = [brand.key for brand in brands]
    for key in chosen:
        if key not in known:
            message = f"there is no brand {visible(key)} in {visible(file)}"
            raise UsageError(message, hint="it has: " + ", ".join(known))
    return tuple(brand for brand in brands if not chosen or brand.key in chosen)


def only_brand(brands: Sequence[Brand]) -> Brand:
    """Return the brand when there is exactly one; UsageError names those to choose from otherwise."""
    if len(brands) == 1:
        return brands[0]
    raise UsageError("which brand?", hint="say --brand with one of: " + ", ".join(brand.key for brand in brands))
