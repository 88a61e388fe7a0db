"""The names that a brand's people keep private, looked for in what leaves: texts, labels and addresses.

An agent's `last` and `legal_name` are private where the public name hides them, whoever writes; so is the name that
the roster has for an agent without consent to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from msgspec import Struct

from profilectl.errors import InputRefused
from profilectl.model import Agent
from profilectl.text.ordinary_words import ordinary_words, titles
from profilectl.text.word_matching import Words, is_unspaced

_ADDRESS = re.compile(r"\S*(?:@|://|www\.)\S*", re.IGNORECASE)  # what a customer may take for an address
_SHORTEST_JOINED = 4  # letters of a family name that is found inside of an address, as in "afast@"
_SHORTEST_UNSPACED = 2  # 王 is a king as well, 王小明 is somebody


def require_privacy(sender: Agent, agents: Iterable[Agent], texts: Iterable[str]) -> None:
    """Raise InputRefused where texts hold a private name of any of these agents of one brand.

    Names are found in every case, without accents, and in scripts without spaces. An ordinary word that is a family
    name as well (May, Do, Best) counts only beside the given name or after a title. A family name that another agent
    shows publicly counts only beside the given name.

    Args:
        sender: who writes; told apart only by the order in which names are listed.
        agents: everybody of the sender's brand.
        texts: each part of a message that a customer may read.
    """
    text = _Text(texts)
    agents = tuple(agents)
    held = [(agent, fields) for agent in (sender, *agents) if (fields := list(_fields(agent, text)))]
    if not held:
        return
    public = {word for agent in agents for word in Words(agent.name).list}
    shown = {}
    for agent, fields in held:
        kept = [field for field, word in fields if word is None or word not in public]
        if kept:
            shown[agent.key] = f"{agent.key}'s {' and '.join(dict.fromkeys(kept))}"
    if shown:
        raise InputRefused(
            f"the text gives away {'; '.join(shown.values())}, which the public name keeps private",
            hint="leave it out, or agree with --allow-private",
            rule="private names",
        )


def _fields(agent: Agent, text: _Text) -> Iterator[tuple[str, str | None]]:
    """Yield the private fields that a text shows, each with the word where it is one that somebody else may show."""
    if not agent.last and not agent.legal_name and not agent.own_name:
        return
    public = Words(agent.name)
    yield from _withheld(agent, text)
    if agent.last:
        last = _Name.of(agent.last)
        if not public.holds(last.words):
            if agent.first and text.shows_together(_Name.of(agent.first), last):
                yield "last name", None
            elif text.shows_alone(last):
                yield "last name", last.words[0] if len(last.words) == 1 else None
    if agent.legal_name:
        legal = _Name.of(agent.legal_name)
        if not public.holds(legal.words):
            if len(legal.words) > 1 and text.shows_whole(legal):
                yield "legal name", None
            elif len(legal.words) == 1 and text.shows_alone(legal):
                yield "legal name", legal.words[0]


def _withheld(agent: Agent, text: _Text) -> Iterator[tuple[str, str | None]]:
    """Yield what a text shows of the name that the roster has for an agent without consent to it."""
    if not agent.own_name:
        return
    own = _Name.of(agent.own_name.partition(",")[0])  # what follows a comma is a title
    if not own.words:
        return
    given = _Name.of(own.words[0])
    if len(own.words) > 1 and text.shows_whole(own):
        yield "name without consent", None
    elif text.shows_alone(given):
        yield "name without consent", given.words[0]


class _Name(Struct, frozen=True):
    """A private name, folded."""

    words: list[str]
    letters: str
    is_unspaced: bool

    @classmethod
    def of(cls, value: str) -> _Name:
        folded = Words(value)
        return cls(folded.list, folded.letters, is_unspaced(folded.letters))


class _Text:
    """All that a message says, folded once for many names."""

    def __init__(self, texts: Iterable[str]) -> None:
        parts = [Words(text) for text in texts]
        self._row = " |".join(part.row for part in parts)  # no name begins in one part and ends in the next
        self._letters = "|".join(part.letters for part in parts)
        addresses = (match[0] for text in texts for match in _ADDRESS.finditer(text))
        self._addresses = "|".join(Words(unquote(address)).letters for address in addresses)

    def shows_whole(self, name: _Name) -> bool:
        """Say whether a name of several words stands somewhere, in its order or with the last word first."""
        orders = (name.words, [name.words[-1], *name.words[:-1]])
        return any(self._shows(words) for words in orders) or (name.is_unspaced and name.letters in self._letters)

    def shows_together(self, first: _Name, last: _Name) -> bool:
        """Say whether a given and a family name stand beside each other, in either order."""
        if self._shows(first.words + last.words) or self._shows(last.words + first.words):
            return True
        if last.is_unspaced and first.is_unspaced:
            return last.letters + first.letters in self._letters or first.letters + last.letters in self._letters
        is_long = len(last.letters) >= _SHORTEST_JOINED
        return is_long and first.letters[:1] + last.letters in self._addresses

    def shows_alone(self, name: _Name) -> bool:
        """Say whether a family name stands alone, where it can't be an ordinary word."""
        if name.is_unspaced:
            return len(name.letters) >= _SHORTEST_UNSPACED and name.letters in self._letters
        is_long = len(name.letters) >= _SHORTEST_JOINED
        if not self._holds(name.words) and not (is_long and name.letters in self._addresses):
            return False
        if len(name.words) > 1 or name.words[0] not in ordinary_words():  # a long list, and hardly ever needed
            return True
        return any(self._holds([title, *name.words]) for title in titles())

    def _shows(self, words: list[str]) -> bool:
        return self._holds(words) or "".join(words) in self._addresses

    def _holds(self, words: list[str]) -> bool:
        return f" {' '.join(words)} " in self._row
