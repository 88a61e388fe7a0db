"""Assembles the commands, and turns every exception into its exit code: the only place that does."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from io import TextIOWrapper
from itertools import pairwise, takewhile
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from profilectl import __version__
from profilectl.cli.context import Context
from profilectl.cli.crash_log import write_log
from profilectl.cli.options import Options, add_command, root
from profilectl.cli.usage.parsing import StrictGroup, TyperUsageError
from profilectl.errors import Declined, ExitCode, HungUp, InputRefused, ProfilectlError, Stopped, UsageError
from profilectl.render.console import Output, begin_stdout, flush, out, show_error, stdout_failed, stdout_is_used
from profilectl.system.memory import forbid_core_dumps
from profilectl.text.pasteable import RepeatedOptions, repeat

COMMANDS = (
    "demo",
    "init",
    "roster",
    "diff",
    "sync",
    "send",
    "thread",
    "inbox",
    "feedback",
    "preview",
    "profiles",
    "offboard",
    "recover",
    "ledger",
    "audit",
    "auth",
    "doctor",
    "sandbox",
    "completion",
)
"""The commands and groups in the order of the help; each has a module of its name, with a function of its name."""

FOLDERS = {"thread": "messages.", "inbox": "messages."}
"""Where a command's module is, if not in this package itself."""

VALUED = frozenset({"--roster", "--brand", "--credentials-file", "--timeout"})
"""The global options behind which a value stands."""

_HELP = frozenset({"-h", "--help"})


class Terminated(BaseException):
    """SIGTERM or SIGHUP, raised where the program stands; like KeyboardInterrupt it isn't an error."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number)
        self.number = number


def _print_version(value: bool) -> None:
    if value:
        out(f"profilectl {__version__}")
        raise typer.Exit


def build(argv: Sequence[str] = ()) -> typer.Typer:
    """Return the command tree, or of it the one command that the words of a command line name, in its group."""
    exit_codes = "\n".join(f"  {code.value:>3}  {code.meaning}" for code in ExitCode)
    app = typer.Typer(
        name="profilectl",
        help="Decide who your customers see in X Direct Messages.",
        epilog=f"\b\nExit codes:\n{exit_codes}",
        cls=StrictGroup,
        context_settings={"help_option_names": ["-h", "--help"]},  # of every command: they ask their parent
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(root(_begin))
    # Every command's module costs milliseconds to load, so only a tree that is shown has them all.
    named, word = _named_command(argv)
    for name in (named,) if named in COMMANDS else COMMANDS:
        module = import_module(f"profilectl.cli.{FOLDERS.get(name, '')}{name}")
        if hasattr(module, "register"):  # a group, which knows its commands itself
            module.register(app, word if named in COMMANDS else None)
        else:
            add_command(app, name, getattr(module, name))
    return app


def _named_command(argv: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the first two words that may be the names of a group and its command; None from where help comes on."""
    words = _plain_words(takewhile(lambda word: word not in _HELP, argv))
    return next(words, None), next(words, None)


def _plain_words(argv: Iterable[str]) -> Iterator[str]:
    """Yield the words that are neither options nor values of the global ones."""
    words = iter(argv)
    for word in words:
        if word in VALUED:
            next(words, None)
        elif not word.startswith("-"):
            yield word


def _begin(
    ctx: typer.Context,
    options: Options,
    version: Annotated[  # noqa: ARG001 - its callback answers
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    ctx.obj = ctx.obj.overridden_by(options)


def run(argv: Sequence[str]) -> int:
    """Run the words after the program's name and return the exit code; only SystemExit leaves this function."""
    # Read from the raw words: a usage error comes up before any option has a value.
    wants_json = "--json" in argv or "--format=json" in argv or ("--format", "json") in pairwise(argv)
    is_sandbox = "--sandbox" in argv or os.environ.get("PROFILECTL_SANDBOX") == "1"
    output = Output(wants_json, is_sandbox=is_sandbox)
    with suppress(OSError, ValueError):  # a system that doesn't let us is no reason to do nothing at all
        forbid_core_dumps()
    _survive_closed_streams()
    begin_stdout()
    repeat(RepeatedOptions())  # nothing of an earlier command in this process
    try:
        _raise_on_signals()
        with _signals_unwrapped():
            return _dispatch(argv)
    except TyperUsageError as error:
        return _report_usage(error, output)
    except ProfilectlError as error:
        return report(error, output)
    except (KeyboardInterrupt, typer.Abort):
        return _report_end(Declined("interrupted"), output)
    except Terminated as end:
        stopped = HungUp if end.number == signal.SIGHUP else Stopped
        return _report_end(stopped(f"stopped by {end.number.name}"), output)
    except Exception as error:  # noqa: BLE001 - the boundary: a traceback at a user is a bug
        return _report_bug(error, output)


@contextmanager
def _signals_unwrapped() -> Iterator[None]:
    """Raise what a signal has raised, where Python 3.11 has made a RuntimeError of it: while a class was made."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error.__cause__, KeyboardInterrupt | Terminated):
            raise error.__cause__ from None
        raise


def _dispatch(argv: Sequence[str]) -> int:
    with ExitStack() as stack:
        program = typer.main.get_command(build(argv))
        result = program.main(list(argv), prog_name="profilectl", standalone_mode=False, obj=Context(stack=stack))
        flush()
    if result == ExitCode.INTERRUPTED:  # Typer turns Ctrl-C into a code
        raise KeyboardInterrupt
    return result if isinstance(result, int) else ExitCode.DONE


def _survive_closed_streams() -> None:
    """Spell out what a terminal's encoding lacks, and open the null device in the place of a closed stream."""
    # What was done at X must not end in an error about how to report it.
    # In the order of their numbers: each gets the lowest that is free, so no other file becomes stdin or stdout.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by our starter: <&- or >&-
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - as long as we live
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def report(error: ProfilectlError, output: Output) -> ExitCode:
    """Tell a person what happened and what to do next, and a script the same as JSON."""
    show_error(error)
    _show_document(error, error.exit_code, output)
    return error.exit_code


def _report_end(error: Declined, output: Output) -> ExitCode:
    """Tell that somebody ended the command; as a document, too, where nothing of a result was written yet."""
    show_error(error)
    if not stdout_is_used():
        _show_document(error, error.exit_code, output)
    return error.exit_code


def _show_document(error: ProfilectlError, code: ExitCode, output: Output) -> None:
    """Write the document of an error to stdout where one is wanted."""
    if output.wants_json:
        from profilectl.render import json_documents

        output.show(json_documents.error(error, code))


def _report_usage(error: Any, output: Output) -> ExitCode:
    """Tell what is wrong with a command line, other than what `cli.usage` has said in its own words."""
    if type(error).__name__ != "NoArgsIsHelpError":
        return report(UsageError(" ".join(error.format_message().split()).rstrip(".")), output)
    error.show()  # a group without a command shows its help
    refusal = UsageError(f"{error.ctx.command_path} needs a command", hint=f"see `{error.ctx.command_path} --help`")
    _show_document(refusal, refusal.exit_code, output)
    return ExitCode.USAGE


def _report_bug(error: Exception, output: Output) -> ExitCode:
    if isinstance(error, OSError) and _is_about_help(error):
        return report(stdout_failed(error), Output())
    if isinstance(error, FileNotFoundError) and _folder_is_gone():
        return report(InputRefused("the folder that you are in was removed", hint="go to one that exists"), output)
    where = write_log(error)
    unexpected = ProfilectlError(
        f"unexpected failure: {type(error).__name__}", hint=f"the details are in {where}: please report them"
    )
    return report(unexpected, output)


def _folder_is_gone() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _is_about_help(error: OSError) -> bool:
    """Return whether Typer was printing when this was raised."""
    # Typer prints help only: results go through `render.console`, which reports a failed stdout itself.
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code is typer.echo.__code__


def _raise_on_signals() -> None:
    signal.signal(signal.SIGTERM, _raise_terminated)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup wants it ignored
        signal.signal(signal.SIGHUP, _raise_terminated)


def _raise_terminated(number: int, _frame: FrameType | None) -> None:
    raise Terminated(signal.Signals(number))
