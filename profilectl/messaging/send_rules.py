"""Whether a script may write as a person, and how a message is signed: decided before anything leaves.

These are rules of this program, not of X: whoever holds the brand's token can send without it.
"""

from __future__ import annotations

from msgspec import Struct

from profilectl.errors import InputRefused
from profilectl.model import Agent, Kind
from profilectl.text.initials import capital, initial, initials


class SendContext(Struct, frozen=True):
    """How a message comes to be sent.

    Attributes:
        attended: a person sits at a terminal.
        human_wrote_this: somebody vouches that a person wrote a message that a script sends.
        is_test: the recipient is one of the roster's `test_recipients`.
        is_asked: the person is shown the message, and asked whether it shall leave.
        parent: the name of the program that started this one, as the system tells it; empty where it doesn't.
        cannot_ask: why nobody can be asked, as a clause.
        roster: the text of the roster, whose digest goes on the record.
    """

    attended: bool
    human_wrote_this: bool = False
    is_test: bool = False
    is_asked: bool = False
    parent: str = ""
    roster: str = ""
    cannot_ask: str = "there is no terminal to ask on"


def is_honest(agent: Agent, context: SendContext) -> bool:
    """Return whether no customer takes a machine for a person: one is there, vouches or tests, or it is a bot."""
    return agent.kind is Kind.BOT or context.attended or context.human_wrote_this or context.is_test


def require_honesty(agent: Agent, context: SendContext) -> None:
    """Raise InputRefused where it isn't honest to send as the agent, see `is_honest`."""
    if not is_honest(agent, context):
        raise InputRefused(
            f"not sent: {agent.key} is a person, and {context.cannot_ask}",
            hint="type the text on a terminal, or use --edit there: you are asked before it leaves\n"
            "add --human-wrote-this if a person wrote it, which is recorded\n"
            "send as an agent of kind bot, or to one of the policy's test_recipients",
            rule="a script as a person",
        )


def sign_off(agent: Agent) -> str:
    """Return what a message without a profile ends with: a person's initials as ``^AF``, or a bot's public name.

    The initials are those of the first and last name, else of the public name up to its first comma; the latter also
    where the person's own name isn't agreed to, as the public one is a neutral one then. A name without any letter
    stands there whole.
    """
    if agent.kind is Kind.BOT:  # whose public name says what it is, which initials wouldn't
        return f"^{agent.name}"
    own = [initial(part) for part in (agent.first, agent.last) if part and agent.withheld != "name"]
    letters = own if len(own) == 2 and all(own) else initials(agent.name)
    return "^" + ("".join(map(capital, letters)) or agent.name)
