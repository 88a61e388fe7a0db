"""Names that customers could take for one another: of agents, of the accounts, and of whom nobody may resemble."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from profilectl.model import Agent, Brand
from profilectl.text.confusables import Skeletons, skeletons
from profilectl.text.escape import visible
from profilectl.text.word_matching import Phrase, Words
from profilectl.toml.paths import dotted


class Lookalikes:
    """Finds names that look alike while the agents of a roster are read.

    Args:
        brands: all accounts of the roster.
        impersonation: names that no agent may resemble.
    """

    def __init__(self, brands: Iterable[Brand], impersonation: tuple[str, ...]) -> None:
        self._brands = tuple(brands)
        self._impersonation = impersonation
        self._first: dict[tuple[str, int, str], Agent] = {}

    def resembling(self, agent: Agent) -> Iterator[str]:
        """Yield a message for each earlier agent of the brand, and for an account, whose name looks like this one's."""
        forms = skeletons(agent.name)
        for form, skeleton in enumerate(forms):
            other = self._first.setdefault((agent.brand, form, skeleton), agent)
            if other is not agent:
                yield _resembles(agent, other)
        for form, skeleton in enumerate(forms):
            handle = self._handles[form].get(_joined(skeleton))
            if handle is not None:
                yield f'looks like the account @{handle} itself: "{visible(agent.name)}"'
                return

    def impersonated(self, name: str) -> str | None:
        """Return the protected name that stands in an agent's name, or in one that looks like it; None without one."""
        if not self._impersonation:
            return None
        texts = [Words(form) for form in skeletons(name)]
        for protected, phrases in self._protected:
            if any(phrase.found_in(text) for phrase, text in zip(phrases, texts, strict=True)):
                return protected
        return None

    @cached_property
    def _handles(self) -> tuple[dict[str, str], ...]:
        handles = [(brand.handle, skeletons(brand.handle)) for brand in self._brands if brand.handle]
        return tuple(
            {_joined(forms[form]): handle for handle, forms in handles} for form in range(len(Skeletons._fields))
        )

    @cached_property
    def _protected(self) -> tuple[tuple[str, tuple[Phrase, ...]], ...]:
        return tuple((name, tuple(map(Phrase, skeletons(name)))) for name in self._impersonation)


def _joined(skeleton: str) -> str:
    # a handle has no spaces, and an agent's name may begin with its sign
    return skeleton.replace(" ", "").removeprefix("@").replace("_", "")


def _resembles(agent: Agent, other: Agent) -> str:
    named = dotted(("agents", other.key))
    if agent.name == other.name:
        return f"the same public name as {named}"
    return f'looks like the name of {named}: "{visible(agent.name)}" and "{visible(other.name)}"'
