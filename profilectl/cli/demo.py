"""``demo``: the whole job on a local X, told step by step; every `profilectl` line that is shown is really run."""

from __future__ import annotations

import io
import os
import shlex
import signal
import sys
import tempfile
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import Options, command
from profilectl.errors import ExitCode, InputRefused, UsageError
from profilectl.render.consoles import is_terminal, talk, write

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Stopped(Exception):
    """A command of the story failed."""

    def __init__(self, line: str, code: int) -> None:
        super().__init__(line, code)
        self.line = line
        self.code = code


def register(app: typer.Typer) -> None:
    """Add ``demo``."""
    app.command("demo")(command(demo))


def demo(context: Context) -> None:
    """Show the whole job on a local X.

    Works in a temporary folder; needs nothing, asks nothing, leaves nothing behind.
    """
    _check_options(context.options)
    try:
        with _one_stream(is_quiet=context.is_quiet), _own_folder(), _own_environment():
            _tell()
    except _Stopped as stop:
        if stop.code not in {ExitCode.INTERRUPTED, ExitCode.TERMINATED}:
            talk(f"error: the demo stopped: `{stop.line}` ended with exit code {stop.code}")
        raise typer.Exit(stop.code) from None


def _check_options(options: Options) -> None:
    if options.json:
        raise UsageError("the demo is a story for people", hint="each command that it shows takes --json")
    if options.roster or options.brand or options.credentials_file:
        raise UsageError(
            "the demo brings a roster, a brand and credentials of its own",
            hint="--sandbox tries any other command on a local X, with your roster",
        )


@contextmanager
def _one_stream(*, is_quiet: bool) -> Iterator[None]:
    """Bring the results and the remarks of the commands together in their order; off a terminal, in one piece."""
    kept = io.StringIO()
    stage = sys.stdout if is_terminal(sys.stdout) and not is_quiet else kept
    try:
        with redirect_stdout(stage), redirect_stderr(stage):
            yield
    finally:
        if kept.getvalue() and not is_quiet:
            write(kept.getvalue().rstrip("\n"))


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
    before = _current_folder()
    try:
        os.chdir(folder.name)
        yield
    finally:
        # A signal waits until nothing is left, or it would end the removal halfway.
        earlier = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        os.chdir(before)
        folder.cleanup()
        signal.pthread_sigmask(signal.SIG_SETMASK, earlier)


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:  # removed since, or hidden from us
        return Path("/")


@contextmanager
def _own_environment() -> Iterator[None]:
    """Keep the user's roster, ledger, brand and credentials out of the story."""
    theirs = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PROFILECTL_")}
    try:
        yield
    finally:
        os.environ.update(theirs)


def _tell() -> None:
    from profilectl.cli.narration import say, show_heading
    from profilectl.cli.story import STEPS, write_roster

    write_roster()
    show_heading("profilectl decides who your customers see in X Direct Messages.")
    say("The whole job, on a local X inside this program; nothing leaves your machine.")
    for number, step in enumerate(STEPS, 1):
        write("")
        show_heading(f"{number}. {step.title}")
        say(step.why)
        for act in step.acts:
            write("")
            if callable(act):
                act()
            else:
                _type(act)
    write("")
    show_heading("Your turn")
    say("At X itself a brand needs approval for custom profiles; the README says how to ask for it.")
    write("profilectl init             writes a roster to start from")
    write("profilectl sync --sandbox   tries it on a local X; all commands take --sandbox")
    write("profilectl auth login       connects your account at X")


def _type(line: str) -> None:
    """Show a command line and do what it says."""
    from profilectl.cli.main import run
    from profilectl.cli.narration import show_prompt

    show_prompt(line)
    code = run(shlex.split(line)[1:])
    if code != ExitCode.DONE:
        raise _Stopped(line, code)
