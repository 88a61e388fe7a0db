"""An agent's key, made from what a list knows of a person: plain ASCII, unique, and the same at every import.

It depends on nothing but the person's own entry and on who else would get the same key, never on the order of lines:
else a sorted spreadsheet would put one person's name and picture under another's key.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from profilectl.digests import digest_of_bytes

_LONGEST: Final = 64  # as `toml.rules.check_key` has it
_DIGEST: Final = 8  # hex digits: among 20,000 people two are the same once in twenty thousand lists
# Letters that Unicode doesn't take apart into one of ASCII and a mark.
_LETTERS: Final = str.maketrans(
    {
        "ß": "ss",
        "ẞ": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ł": "l",
        "ħ": "h",
        "\u0131": "i",  # Turkish, without its dot
        "ŋ": "ng",
        "'": "",
        "\u2019": "",  # as typesetters write O'Brien
    }
)


class Person(Struct, frozen=True):
    """What a key is made from; empty where nothing is known."""

    email: str = ""
    first: str = ""
    last: str = ""
    name: str = ""  # the public one

    @property
    def identity(self) -> str:
        """What tells this person from all others."""
        return self.email.casefold() or f"{self.first}\n{self.last}\n{self.name}"

    @property
    def digest(self) -> str:
        """What the longest key of this person ends with: hex digits that stand in nobody's list."""
        return digest_of_bytes(self.identity.encode("utf-8", "surrogatepass")).rpartition(":")[2][:_DIGEST]

    @property
    def written_name(self) -> str:
        """What the list calls this person, to find the row again."""
        return self.name or f"{self.first} {self.last}".strip()


def slug(text: str) -> str:
    """Return a text as a key: small letters, digits, - and _ of ASCII; empty when it has none of these."""
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    kept = "".join(char for char in letters if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9_]+", "-", kept).strip("-_")[:_LONGEST].strip("-_")


def keys_of(people: Sequence[Person]) -> list[str]:
    """Return a key for each person, in their order: the shortest that nobody else of them would have.

    The first part of the e-mail address, else given and family name, else the public name; where two people would get
    the same, neither does, and both get a longer one.
    """
    choices = [list(_choices(person)) for person in people]
    chosen = [0] * len(people)
    while True:
        keys = [own[index] for own, index in zip(choices, chosen, strict=True)]
        counts = Counter(keys)
        shared = [
            place for place, key in enumerate(keys) if counts[key] > 1 and chosen[place] + 1 < len(choices[place])
        ]
        if not shared:
            return keys
        for place in shared:
            chosen[place] += 1


def _choices(person: Person) -> Iterator[str]:
    """Yield ever longer keys for a person; the last one holds a digest of who it is."""
    local, _, domain = person.email.partition("@")
    full_name = slug(f"{person.first} {person.last}") if person.first and person.last else ""
    words = [slug(local), full_name, slug(person.name), slug(f"{local} {domain}")]
    # Letters of another script leave nothing, or the little that isn't of it: "Алиса 2" is nobody's "2".
    given = [word for word in dict.fromkeys(words) if len(word) > 1]
    yield from given
    yield f"{(given or ['agent'])[0][: _LONGEST - _DIGEST - 1]}-{person.digest}"
