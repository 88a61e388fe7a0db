"""What an agent may write, and whether a script may do so as a person: decided before anything leaves.

These are rules of this program, not of X: whoever holds the brand's token can send without it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from msgspec import Struct

from profilectl.errors import InputRefused
from profilectl.model import Agent, Kind


class SendContext(Struct, frozen=True):
    """How a message comes to be sent.

    Attributes:
        attended: a person sits at a terminal.
        human_wrote_this: somebody vouches that a person wrote a message that a script sends.
        is_test: the recipient is one of the roster's `test_recipients`.
    """

    attended: bool
    human_wrote_this: bool = False
    is_test: bool = False


def is_honest(agent: Agent, context: SendContext) -> bool:
    """Return whether no customer takes a machine for a person: one is there, vouches or tests, or it is a bot."""
    return agent.kind is Kind.BOT or context.attended or context.human_wrote_this or context.is_test


def require_honesty(agent: Agent, context: SendContext) -> None:
    """Raise InputRefused where it isn't honest to send as the agent, see `is_honest`."""
    if not is_honest(agent, context):
        raise InputRefused(
            f"{agent.key} is a person, and no person is here: a script may only speak as a bot",
            hint="send as an agent of kind bot; or vouch with --human-wrote-this, which is recorded; "
            "or rehearse with one of the policy's test_recipients",
        )


def require_privacy(agent: Agent, text: str) -> None:
    """Raise InputRefused where the text holds the agent's `last` or `legal_name`, and the public name doesn't."""
    shown = [field for field, phrase in _hidden(agent) if _holds(text, phrase)]
    if shown:
        fields = " and ".join(dict.fromkeys(shown))
        raise InputRefused(
            f"the text gives away {agent.key}'s {fields}, which the public name keeps private",
            hint="leave it out, or agree with --allow-private",
        )


def _hidden(agent: Agent) -> Iterator[tuple[str, str]]:
    """Yield the fields that the public name hides, and what a text must not hold because of them."""
    for field, value in (("last name", agent.last), ("legal name", agent.legal_name)):
        if value and not _is_within(_words(value), _words(agent.name)):
            yield field, value
            if field == "last name" and agent.first:
                yield field, f"{agent.first} {value}"


def _holds(text: str, phrase: str) -> bool:
    """Return whether a text holds a phrase as whole words: several in any case, one as it is written or in capitals."""
    # Whose name is Fast must still be able to promise a fast answer.
    if len(_words(phrase)) > 1:
        return _is_within(_words(phrase), _words(text))
    plain = _legible(phrase)
    return not {plain, plain.upper()}.isdisjoint(_WORD.findall(_legible(text)))


_WORD = re.compile(r"[^\W_]+")  # an apostrophe ends a word, so that "Fast's" holds Fast


def _legible(text: str) -> str:
    """Return a text in its plainest form: compatibility characters resolved, accents and invisible ones gone."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if unicodedata.category(character) not in {"Mn", "Cf"})


def _words(text: str) -> list[str]:
    return _WORD.findall(_legible(text).casefold())


def _is_within(phrase: list[str], text: list[str]) -> bool:
    return any(text[start : start + len(phrase)] == phrase for start in range(len(text) - len(phrase) + 1))


def sign_off(agent: Agent) -> str:
    """Return what a message without a profile ends with: a person's initials as ``^AF``, or a bot's public name.

    The initials are those of the first and last name, else of the public name up to its first comma.
    """
    if agent.kind is Kind.BOT:  # whose public name says what it is, which initials wouldn't
        return f"^{agent.name}"
    own = [word for word in (agent.first, agent.last) if word]
    words = own if len(own) == 2 else _WORD.findall(agent.name.partition(",")[0])
    return "^" + "".join(word[0].upper() for word in words)
