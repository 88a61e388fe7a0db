"""Which brands an agent belongs to, and what differs there: the field ``brands`` in its two forms.

An array names exactly the agent's brands. A table holds differences instead: the agent stays in every brand it would
be in anyway, is also in each brand that has a table of its own, and isn't in one that is set to ``false``::

    brands = ["acme"]               # acme only

    [agents.alice.brands]
    acme = { name = "Ally F." }     # all brands, with another name in acme
    beta = false                    # but not beta

"Anyway" is what ``[defaults]`` says in the same two forms, and all brands when it says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from profilectl.roster import schema
from profilectl.roster.unknown_keys import did_you_mean, read

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from profilectl.toml.positions import Path
    from profilectl.toml.problems import Findings


@dataclass(frozen=True, slots=True)
class Membership:
    """What one table's ``brands`` says."""

    listed: tuple[str, ...] | None = None  # the array form
    differences: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()

    def brands(self, default: Membership, known: Collection[str]) -> tuple[str, ...]:
        """Return the agent's brands in the order of the file."""
        if self.listed is not None:
            wanted = set(self.listed)
        else:
            anyway = set(known if default.listed is None else default.listed) - default.left_out
            wanted = (anyway | self.differences.keys()) - self.left_out
        return tuple(brand for brand in known if brand in wanted)


NOTHING_SAID = Membership()


def read_membership(value: Any, path: Path, known: Collection[str], findings: Findings) -> Membership:
    """Return what the value of ``brands`` at `path` says; brands that aren't `known` are errors."""
    if type(value) is list:
        return _listed(value, path, known, findings)
    if type(value) is dict:
        return _differing(value, path, known, findings)
    advice = f"; did you mean [{schema.shown(value)}]?" if type(value) is str else ""
    findings.error(path, f"expected an array of brands or a table, got {schema.shown(value)}{advice}")
    return NOTHING_SAID


def _listed(value: list[Any], path: Path, known: Collection[str], findings: Findings) -> Membership:
    if not value:
        findings.error(path, "names no brand; remove the agent's entry, or set `until`, to take it out everywhere")
    for index, brand in enumerate(value):
        if type(brand) is not str:
            findings.error((*path, index), f"expected the key of a brand, got {schema.shown(brand)}")
        elif known and brand not in known:
            findings.error((*path, index), _unknown(brand, known))
        elif brand in value[:index]:
            findings.error((*path, index), f'"{brand}" is named twice')
    return Membership(listed=tuple(brand for brand in value if type(brand) is str))


def _differing(value: dict[str, Any], path: Path, known: Collection[str], findings: Findings) -> Membership:
    differences: dict[str, Mapping[str, Any]] = {}
    for brand, difference in value.items():
        if known and brand not in known:
            findings.error((*path, brand), _unknown(brand, known))
        elif type(difference) is dict:
            differences[brand] = read(difference, schema.DIFFERENCE, (*path, brand), findings)
        elif difference is not False:
            findings.error((*path, brand), f"expected a table or false, got {schema.shown(difference)}")
    left_out = frozenset(brand for brand, difference in value.items() if difference is False)
    return Membership(differences=differences, left_out=left_out)


def _unknown(brand: str, known: Collection[str]) -> str:
    return f"there is no brand {schema.shown(brand)}{did_you_mean(brand, known)}"
