"""``demo``: the whole job on a local X, in a temporary folder, as commands that run one after the other."""

from __future__ import annotations

import io
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer
from msgspec import Struct

from profilectl.cli.context import Context
from profilectl.cli.local_sandbox import CUSTOMER
from profilectl.cli.options import Options, add_command
from profilectl.cli.preview import show_card
from profilectl.errors import ExitCode, InputRefused, UsageError
from profilectl.render.bubbles.bubble import framed
from profilectl.render.console import console, draw, folded_sentence, info, is_terminal, out
from profilectl.system.files import write_named
from profilectl.system.folders import make_folder
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.cli.local_sandbox import LocalX
    from profilectl.sandbox.model.accounts import Account
    from profilectl.sandbox.model.messages import Message

_WIDEST: Final = 88  # columns of a sentence: a line that is pleasant to read
_PHONE: Final = 72  # columns of a conversation, as wide as the bubbles that `render.bubbles` draws
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


class Step(Struct, frozen=True):
    """One step: why, and what is done; an action is a command line to run, or a function between two commands."""

    title: str
    why: str
    actions: tuple[str | Callable[[], None], ...]


class _Stopped(Exception):
    """A command of the demo failed."""

    def __init__(self, line: str, code: int) -> None:
        super().__init__(line, code)
        self.line = line
        self.code = code


def register(app: typer.Typer, _word: str | None) -> None:
    """Add ``demo``."""
    add_command(app, "demo", demo)


def demo(context: Context) -> None:
    """Show the whole job on a local X.

    Works in a temporary folder; needs nothing, asks nothing, leaves nothing behind.
    """
    _check_options(context.options)
    try:
        with _one_stream(is_quiet=context.is_quiet), _own_folder(), _own_environment():
            _run_steps()
    except _Stopped as stop:
        # A command that a signal has ended says so itself.
        if stop.code not in {ExitCode.INTERRUPTED, ExitCode.TERMINATED}:
            info(f"error: the demo stopped: `{stop.line}` ended with exit code {stop.code}")
        raise typer.Exit(stop.code) from None


def _check_options(options: Options) -> None:
    if options.json:
        raise UsageError("demo has no JSON", hint="each command that it shows takes --json")
    if options.roster or options.brand or options.credentials_file:
        raise UsageError(
            "the demo brings a roster, a brand and credentials of its own",
            hint="--sandbox tries any other command on a local X, with your roster",
        )


def _run_steps() -> None:
    _write_roster()
    _show_line(_folded("profilectl decides who your customers see in X Direct Messages."), "bold cyan")
    _say("The whole job, on a local X inside this program; nothing leaves your machine.")
    for number, step in enumerate(STEPS, 1):
        out("")
        _show_line(_folded(f"{number}. {step.title}"), "bold cyan")
        _say(step.why)
        for action in step.actions:
            out("")
            if callable(action):
                action()
            else:
                _run_command(action)
    out("")
    _show_line("Your turn", "bold cyan")
    _say("At X itself a brand needs approval for custom profiles; the README says how to ask for it.")
    out("profilectl init             writes a roster to start from")
    out("profilectl sync --sandbox   tries it on a local X")
    out("profilectl auth login       connects your account at X")


def _folded(line: str) -> str:
    return folded_sentence(line, sys.stdout)


def _run_command(line: str) -> None:
    """Show a command line and run it."""
    from profilectl.cli.main import run

    _show_line(f"$ {line}", "bold")
    # In this process, through the same entry as a shell's: no interpreter is started for each command.
    code = run(shlex.split(line)[1:])
    if code != ExitCode.DONE:
        raise _Stopped(line, code)


# Where the demo runs


@contextmanager
def _one_stream(*, is_quiet: bool) -> Iterator[None]:
    """Write stdout and stderr of the commands into one stream in their order; off a terminal, all at the end."""
    # Two streams into a pipe or a file would come out of order, and --quiet means no output of the commands either.
    buffer = io.StringIO()
    stream = sys.stdout if is_terminal(sys.stdout) and not is_quiet else buffer
    try:
        with redirect_stdout(stream), redirect_stderr(stream):
            yield
    finally:
        if buffer.getvalue() and not is_quiet:
            out(buffer.getvalue().rstrip("\n"))


@contextmanager
def _own_folder() -> Iterator[None]:
    """Work in a temporary folder, and take it away however the work ends."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="profilectl-demo-")
    except OSError as error:
        raise InputRefused(
            f"the demo needs a temporary folder, and there is none: {error.strerror}",
            hint="TMPDIR names a folder that can be written to",
        ) from None
    try:
        before = Path.cwd()
    except OSError:  # removed since, or hidden from us
        before = Path("/")
    try:
        os.chdir(folder.name)
        yield
    finally:
        # A signal waits until nothing is left, or it would end the removal halfway.
        earlier = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
        os.chdir(before)
        folder.cleanup()
        signal.pthread_sigmask(signal.SIG_SETMASK, earlier)


@contextmanager
def _own_environment() -> Iterator[None]:
    """Keep the user's roster, ledger, brand, credentials and configuration out of the demo."""
    # Every command reads them anew, so that it is enough to take them away while the demo runs.
    names = [name for name in os.environ if name.startswith("PROFILECTL_") or name == "XDG_CONFIG_HOME"]
    removed = {name: os.environ.pop(name) for name in names}
    # The configuration may name a folder for checkpoints, which a demo mustn't write into.
    os.environ["XDG_CONFIG_HOME"] = str(Path.cwd() / "no-configuration")
    try:
        yield
    finally:
        del os.environ["XDG_CONFIG_HOME"]
        os.environ.update(removed)


# What happens between the commands


def _write_roster() -> None:
    """Write a roster with its pictures into the current folder."""
    import tomli

    from profilectl.pictures.placeholders import initials_portrait, photograph

    # Drawn portraits and one JPEG that lies on its side, so that turning it upright can be seen.
    write_named(_ROSTER, _TEXT.encode())
    for agent in tomli.loads(_TEXT)["agents"].values():
        picture = Path(agent["avatar"])
        make_folder(picture.parent)
        is_photograph = picture.suffix == ".jpg"
        write_named(picture, photograph() if is_photograph else initials_portrait(agent["name"]))


def _show_roster() -> None:
    _show_line(f"$ cat {_ROSTER}", "bold")
    out(_ROSTER.read_text(encoding="utf-8").rstrip("\n"))


def _rename() -> None:
    """Edit one line of the roster, and show it before and after."""
    before = _ROSTER.read_text(encoding="utf-8")
    after = before.replace(_BEFORE, _AFTER)
    write_named(_ROSTER, after.encode())
    _show_line(f"$ $EDITOR {_ROSTER}", "bold")
    for old, new in zip(before.splitlines(), after.splitlines(), strict=True):
        if old != new:
            _show_line(f"-{old}", "red")
            _show_line(f"+{new}", "green")


@contextmanager
def _local_x() -> Iterator[LocalX]:
    """Open the world that the commands have worked on."""
    # A context of its own, closed at once: the commands before and after open the same file.
    with ExitStack() as stack:
        yield Context(Options(sandbox=True), stack=stack).local_x


def _write_as_customer() -> None:
    """Let the customer write to the brand, and show what arrives."""
    with _local_x() as local:
        message = local.world.messages.receive(CUSTOMER, _HANDLE, _QUESTION)
    out(f"@{CUSTOMER}: {visible(message.text)}")


def _show_conversation() -> None:
    """Show the conversation as the local X has it, not as the commands have reported it."""
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
        out(f"> {visible(message.text)}\n  @{CUSTOMER}\n")
        return
    from rich.align import Align
    from rich.console import Group
    from rich.constrain import Constrain
    from rich.text import Text

    bubble = framed([visible(message.text)], _PHONE, "blue")
    draw(Constrain(Group(Align.right(bubble), Align.right(Text(f"@{CUSTOMER}  ", style="dim"))), _PHONE))


def _show_answer(local: LocalX, message: Message, brand: Account) -> None:
    """Show a message with the name and picture that X gives it: the profile's, or the brand's own."""
    from profilectl.render.bubbles.bubble import AgentCard

    # The picture is the one that X serves, re-encoded, and not the file of the roster.
    profile = None if message.profile_id is None else local.world.profiles.find(message.profile_id)
    name = brand.handle if profile is None else profile.name
    picture = None if profile is None else local.world.media.picture(profile.picture)
    show_card(AgentCard("", name, "", brand.handle, picture, "image/jpeg", message.text))


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
        "A customer has written. Exit 0 means: X confirmed Alice's profile on the answer.",
        (_write_as_customer, f'profilectl send --sandbox --as alice --to @{CUSTOMER} "{_ANSWER}" --yes'),
    ),
    Step(
        "What the customer sees",
        "Read back from the local X: the answer, with Alice's new name and her picture.",
        (_show_conversation,),
    ),
)


# How text is shown


def _say(sentences: str) -> None:
    """Write a paragraph, in lines of a pleasant length on a terminal, in one line elsewhere."""
    if not is_terminal(sys.stdout):
        out(sentences)
        return
    from rich.constrain import Constrain
    from rich.text import Text

    draw(Constrain(Text(sentences, style="dim"), _WIDEST))


def _show_line(text: str, style: str) -> None:
    """Write one line in a Rich style; a terminal may wrap it but nobody breaks it, so that it can be copied."""
    if not is_terminal(sys.stdout):
        out(text)
        return
    from rich.text import Text

    console(sys.stdout).print(Text(text, style=style), soft_wrap=True)
