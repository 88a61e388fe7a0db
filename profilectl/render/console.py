"""What is written where: results to stdout, the rest to stderr; boxes, colours and progress on terminals only."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, TextIO, TypeVar

from msgspec import Struct

from profilectl.errors import Declined, ProfilectlError, RosterRefused
from profilectl.text.escape import visible
from profilectl.toml.problems import format_problem

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from profilectl.render.json_documents import Document


_WIDEST = 100_000  # columns: no cell of a file is folded
_PAGE = 200  # rows of a table that is one of many

Item = TypeVar("Item")


def is_terminal(stream: TextIO) -> bool:
    """Say whether a person watches this stream on something that understands more than lines."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def console(stream: TextIO) -> Console:
    """Return a Rich console for a stream; it reads no markup or emoji codes in data, and keeps to ``NO_COLOR``."""
    from rich.console import Console

    # Made at every call: tests and the demo put other streams in the place of stdout and stderr.
    return Console(
        file=stream,
        markup=False,
        emoji=False,
        highlight=False,
        force_terminal=is_terminal(stream),  # else FORCE_COLOR and the variables of CI would make Rich draw into logs
        color_system=None if os.environ.get("NO_COLOR") or not is_terminal(stream) else "auto",
    )


def draw(renderable: RenderableType) -> None:
    """Draw something on stdout, which must be a terminal."""
    with unless_nobody_reads():
        console(sys.stdout).print(renderable)


def wrapped(line: str) -> list[str]:
    """Return a sentence as the lines that stdout's terminal has room for, broken at spaces; whole for anything else."""
    if not is_terminal(sys.stdout):
        return [line]
    from rich.cells import cell_len

    width = console(sys.stdout).width
    lines = [""]
    for word in line.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and cell_len(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def as_text(renderable: RenderableType) -> str:
    """Return a drawing for a file: without colour, as wide as it must be, without spaces at the end of a line."""
    from io import StringIO

    from rich.console import Console

    paper = Console(file=StringIO(), width=_WIDEST, markup=False, emoji=False, highlight=False, color_system=None)
    with paper.capture() as capture:
        paper.print(renderable)
    return "\n".join(line.rstrip() for line in capture.get().strip("\n").splitlines())


def out(line: str) -> None:
    """Write one line that is safe to print to stdout."""
    with unless_nobody_reads():
        sys.stdout.write(line)  # not both at once: a page may have many megabytes, which would be copied
        sys.stdout.write("\n")


def out_all(lines: Iterable[str]) -> None:
    """Write lines that are safe to print to stdout; none are made any more once nobody reads them."""
    with unless_nobody_reads():
        for line in lines:
            sys.stdout.write(line + "\n")


def flush() -> None:
    """Write what is still buffered for stdout."""
    with unless_nobody_reads():
        sys.stdout.flush()


@contextmanager
def unless_nobody_reads() -> Iterator[None]:
    """Go on quietly when the reader of a pipe has left; ProfilectlError when stdout fails otherwise."""
    try:
        yield
    except BrokenPipeError:
        # `profilectl sync | head` must end its work all the same: half a sync helps nobody.
        _write_to_nowhere()
    except OSError as error:
        raise stdout_failed(error) from None


def stdout_failed(error: OSError) -> ProfilectlError:
    """Write nothing more to stdout, which has failed with an error, and return what to raise about it."""
    _write_to_nowhere()
    return ProfilectlError(f"can't write the result to stdout: {error.strerror}")


def _write_to_nowhere() -> None:
    # At its end the interpreter flushes what is still buffered, and would fail again, with exit code 120.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def info(line: str) -> None:
    """Write one line to stderr, made visible."""
    with suppress(OSError):  # when nobody can read it, that is no reason to stop
        sys.stderr.write(visible(line) + "\n")
        sys.stderr.flush()


def show_error(error: ProfilectlError) -> None:
    """Write to stderr what happened and what to do next."""
    problems = error.problems if isinstance(error, RosterRefused) else ()
    for problem in problems:
        info(format_problem(problem))
    mark = "" if isinstance(error, Declined) else "error: "  # what a person wants is no error
    info(f"{mark}{visible(error.message)}")
    if error.hint and not problems:  # each problem has said for itself what is wrong
        for line in error.hint.splitlines():
            info(f"hint: {visible(line)}")
    if error.retry_at is not None:
        from profilectl.render.json_documents import rfc3339

        info(f"hint: try again after {rfc3339(error.retry_at)}")


class Output(Struct, frozen=True):
    """How one command shows its result: the one place that chooses between a table, tab-separated text and JSON."""

    wants_json: bool = False  # stdout is one JSON document, and nothing else
    is_quiet: bool = False  # lines that only confirm what was done are left out

    def show(
        self,
        document: Document | Callable[[], Document],
        headers: Sequence[str] = (),
        rows: Sequence[Sequence[str]] | None = None,
        *,
        table: Callable[[], RenderableType] | None = None,
        lines: Iterable[str] = (),
    ) -> None:
        """Write a result to stdout in the form that was asked for.

        Args:
            document: what ``--json`` prints; a function where making it takes time.
            headers: of the columns, for the table on a terminal.
            rows: the result as cells, foreign text included: each is made visible here.
            table: draws the rows on a terminal where a plain list of them isn't enough.
            lines: sentences that are safe to print, below the rows; left out when quiet.
        """
        if self.wants_json:
            # With it come json and the plan, which the help does without.
            from profilectl.render.json_documents import dump

            out(dump(document() if callable(document) else document))
            return
        if rows is not None:
            self.show_rows(headers, rows, table=table)
        if not self.is_quiet:
            for line in lines:
                out(line)

    def announce(self, line: str) -> None:
        """Write what was done, a sentence that is safe to print: beside the result, which may be a JSON document."""
        if not self.is_quiet:
            (info if self.wants_json else out)(line)

    def show_rows(
        self,
        headers: Sequence[str] = (),
        rows: Sequence[Sequence[str]] = (),
        *,
        table: Callable[[], RenderableType] | None = None,
        drawn: bool = False,
    ) -> None:
        """Write rows to stdout, as a table on a terminal and as tab-separated lines elsewhere; nothing for ``--json``.

        The arguments are those of `show`; what is `drawn` is a table everywhere, without colours off a terminal.
        """
        if self.wants_json or not rows:
            return
        if not (drawn or is_terminal(sys.stdout)):
            for row in rows:
                out("\t".join(visible(cell) for cell in row))
            return
        from profilectl.render.tables import listing

        drawing = listing(headers, rows) if table is None else table()
        if is_terminal(sys.stdout):
            draw(drawing)
        else:
            out(as_text(drawing))

    def show_many(
        self,
        headers: Sequence[str],
        items: Iterable[Item],
        *,
        row: Callable[[Item], Sequence[str]],
        cells: Callable[[Item], Sequence[str]],
    ) -> None:
        """Write more than fits into memory to stdout: tables of some rows each on a terminal, tabs elsewhere.

        Args:
            headers: of the tables.
            items: what is shown.
            row: makes an item's cells for people.
            cells: makes them for programs, of which nothing is left out.
        """
        if not is_terminal(sys.stdout):
            out_all("\t".join(map(visible, cells(item))) for item in items)
            return
        rest = iter(items)
        while page := [row(item) for item in islice(rest, _PAGE)]:
            self.show_rows(headers, page)


@contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[], None]]:
    """Show on stderr how far the work has come; yields the function to call after each step."""
    if total == 0 or not is_terminal(sys.stderr):
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(sys.stderr), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
