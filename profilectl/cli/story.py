"""What the demo tells: a brand with five agents, one of whom changes her name and answers a customer.

The acts work in the current folder, which the demo makes and takes away.
"""

from __future__ import annotations

import sys
import tomllib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from profilectl.cli.context import Context
from profilectl.cli.local_x import CUSTOMER
from profilectl.cli.narration import show_line, show_prompt
from profilectl.cli.options import Options
from profilectl.cli.preview import show_face
from profilectl.names import visible
from profilectl.render.consoles import console, draw, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from profilectl.cli.local_x import LocalX
    from profilectl.sandbox.accounts import Account
    from profilectl.sandbox.messages import Message

_PHONE: Final = 72  # columns of a conversation, as wide as the bubbles that `render.face` draws
_ROSTER: Final = Path("roster.toml")
_HANDLE: Final = "acmecare"
_BEFORE: Final = "Alice Fast, Care"
_AFTER: Final = "Alice F., Care"
_QUESTION: Final = "No signal since this morning. Is it just me?"
_ANSWER: Final = "Sorry! A mast near you is down until noon."

_TEXT: Final = f"""\
version = 1

[brands.acme]
handle = "{_HANDLE}"

[defaults]
kind = "human"

[agents]
alice  = {{ name = "{_BEFORE}", avatar = "avatars/alice.jpg" }}
bruno  = {{ name = "Bruno M., Billing", avatar = "avatars/bruno.png" }}
olena  = {{ name = "Олена Д., Billing", avatar = "avatars/olena.png" }}
misaki = {{ name = "美咲 (Misaki), Roaming", avatar = "avatars/misaki.png" }}
helper = {{ name = "Acme Care bot", avatar = "avatars/helper.png", kind = "bot" }}
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: why, and what is done; an act is a command line to run, or something that happens between commands."""

    title: str
    why: str
    acts: tuple[str | Callable[[], None], ...]


def write_roster() -> None:
    """Set the scene: a roster with its pictures, in the current folder."""
    from profilectl.cli.portraits import initials_portrait, photograph_like_portrait

    _ROSTER.write_text(_TEXT, encoding="utf-8")
    for agent in tomllib.loads(_TEXT)["agents"].values():
        picture = Path(agent["avatar"])
        picture.parent.mkdir(exist_ok=True)
        is_photograph = picture.suffix == ".jpg"
        picture.write_bytes(photograph_like_portrait(8) if is_photograph else initials_portrait(agent["name"]))


def _show_roster() -> None:
    show_prompt(f"cat {_ROSTER}")
    write(_ROSTER.read_text(encoding="utf-8").rstrip("\n"))


def _rename() -> None:
    """Edit one line of the roster, and show it before and after."""
    before = _ROSTER.read_text(encoding="utf-8")
    after = before.replace(_BEFORE, _AFTER)
    _ROSTER.write_text(after, encoding="utf-8")
    show_prompt(f"$EDITOR {_ROSTER}")
    for old, new in zip(before.splitlines(), after.splitlines(), strict=True):
        if old != new:
            show_line(f"-{old}", "red")
            show_line(f"+{new}", "green")


@contextmanager
def _local_x() -> Iterator[LocalX]:
    """Open the world that the commands have worked on."""
    with ExitStack() as stack:
        yield Context(Options(sandbox=True), stack=stack).local_x


def _ask() -> None:
    """Let the customer write to the brand."""
    with _local_x() as local:
        asked = local.world.messages.receive(CUSTOMER, _HANDLE, _QUESTION)
    write(f"@{CUSTOMER}: {visible(asked.text)}")


def _show_conversation() -> None:
    """Show what lies in the local X, not what the commands have said about it."""
    with _local_x() as local:
        accounts = local.world.accounts
        brand, customer = accounts.require(_HANDLE), accounts.require(CUSTOMER)
        for message in local.world.messages.between(brand.user_id, customer.user_id):
            if message.sender_id == customer.user_id:
                _show_question(message)
            else:
                _show_answer(local, message, brand)


def _show_question(message: Message) -> None:
    """Show what the customer wrote, on the right, as on the customer's own telephone."""
    if console(sys.stdout).color_system is None:
        write(f"> {visible(message.text)}\n  @{CUSTOMER}\n")
        return
    from rich.align import Align
    from rich.console import Group
    from rich.constrain import Constrain
    from rich.panel import Panel
    from rich.text import Text

    said = Panel.fit(Text(visible(message.text)), border_style="blue")
    draw(Constrain(Group(Align.right(said), Align.right(Text(f"@{CUSTOMER}  ", style="dim"))), _PHONE))


def _show_answer(local: LocalX, message: Message, brand: Account) -> None:
    """Show a message with the face that X gives it: the profile's, or the brand's own when it has none."""
    from profilectl.render.face import Face

    profile = None if message.profile_id is None else local.world.profiles.find(message.profile_id)
    name = brand.handle if profile is None else profile.name
    picture = None if profile is None else local.world.media.picture(profile.picture)
    show_face(Face("", name, "", brand.handle, picture, "image/jpeg", message.text))


STEPS: Final = (
    Step(
        "Say who your agents are",
        "The roster is a file that you keep in git: the name and the picture that customers will see, "
        "and whether a person or a bot answers.",
        (_show_roster, "profilectl roster check"),
    ),
    Step(
        "Look before anything happens",
        "X knows none of the five yet. `diff` shows what `sync` would do, no more.",
        ("profilectl diff --sandbox",),
    ),
    Step(
        "Make X equal to the roster",
        "Each agent gets a profile. Before a picture leaves, it is turned upright, cropped to a square, and rid of "
        "all that the camera wrote into it.",
        ("profilectl sync --sandbox --yes",),
    ),
    Step(
        "Change a name",
        "Alice would rather not show her surname to strangers: one line of the roster. X can't rename a profile, so ± "
        "stands for a new one in the place of the old.",
        (_rename, "profilectl diff --sandbox"),
    ),
    Step(
        "Sync again",
        "The new profile is made before the old one is retired, so Alice is never without one, and nobody else is "
        "touched. Afterwards nothing is left to do; `--exit-code` tells that to a script.",
        ("profilectl sync --sandbox --yes", "profilectl diff --sandbox --exit-code"),
    ),
    Step(
        "Answer a customer as Alice",
        "A customer has written. The answer counts as sent only when X confirms that it carries Alice's profile.",
        (_ask, f'profilectl send --sandbox --as alice --to @{CUSTOMER} "{_ANSWER}" --yes'),
    ),
    Step(
        "What the customer sees",
        "Read back from the local X: the answer, with Alice's new name and her picture.",
        (_show_conversation,),
    ),
)
