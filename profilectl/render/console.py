"""What is written where: results to stdout, the rest to stderr; boxes, colours and progress on terminals only."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, TextIO, TypeVar

from msgspec import Struct

from profilectl.errors import Declined, ProfilectlError, RosterRefused
from profilectl.text.escape import isolated, visible
from profilectl.text.pasteable import pasteable
from profilectl.toml.problems import format_place, format_problem

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from profilectl.model import Problem
    from profilectl.render.json_documents import Document


_WIDEST = 100_000  # columns: no cell of a file is folded
_SLOW = 1.0  # seconds after which a person is told what is waited for
_NAMES = 3  # of what is under way that are shown beside the bar
_PAGE = 200  # rows of a table that is one of many
_COLOURS = {"error": "1;31", "refused": "1;31", "warning": "33", "hint": "36"}  # SGR codes (ECMA-48 8.3.117)

_SPACE = re.compile(r" (?=(?:[^`]*`[^`]*`)*[^`]*$)")  # outside of a command in backticks
_SGR = re.compile(r"\x1b\[[0-9;]*m")

Item = TypeVar("Item")


class _Stdout(Struct):
    """What this process has written to stdout so far."""

    is_used: bool = False


_stdout = _Stdout()


def begin_stdout() -> None:
    """Note that a command begins, which has written nothing yet."""
    _stdout.is_used = False


def stdout_is_used() -> bool:
    """Say whether the command has written anything to stdout, such as its document or a part of its lines."""
    return _stdout.is_used


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
        color_system="auto" if has_colours(stream) else None,
    )


def draw(renderable: RenderableType) -> None:
    """Draw something on stdout, which must be a terminal; no line ends in spaces."""
    with unless_nobody_reads():
        _print(renderable, sys.stdout)


def draw_aside(renderable: RenderableType) -> None:
    """Draw something on stderr, which must be a terminal, as `draw` does."""
    with suppress(OSError):  # as in `_say`
        _print(renderable, sys.stderr)


def _print(renderable: RenderableType, stream: TextIO) -> None:
    from profilectl.render.layout import Unpadded

    console(stream).print(Unpadded(renderable), crop=False, end="")


def width_of(stream: TextIO) -> int | None:
    """Return the columns of a stream's terminal, as COLUMNS or the terminal says; None where nobody says."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):  # no terminal, or no descriptor
        return None


def folded_sentence(line: str, stream: TextIO, room: int = 0) -> str:
    """Return a sentence with line breaks at spaces where its terminal would break words; as it is for anything else.

    What is to be copied stays whole: commands in backticks, and words that are longer than a line.

    Args:
        line: the sentence, safe to print.
        stream: where it is written to.
        room: columns that its last line leaves free, for an answer.
    """
    width = width_of(stream) if is_terminal(stream) else None
    if width is None or len(line.encode()) <= width - room:  # no text has more columns than bytes
        return line
    from profilectl.render.layout import most_cells

    first, *words = _SPACE.split(line.rstrip(" "))
    lines = [first]
    for number, word in enumerate(words, 1):
        longer = f"{lines[-1]} {word}"
        columns, own = (most_cells(_SGR.sub("", text)) for text in (longer, word))
        # What is too long for any line begins on this one, so that the terminal breaks it once less.
        if lines[-1].strip() and own <= width < columns + (room if number == len(words) else 0):
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines) + " " * (len(line) - len(line.rstrip(" ")))


def shown_name(name: str, stream: TextIO) -> str:
    """Return a public name for a sentence: on a terminal one that runs from right to left moves nothing around it."""
    return isolated(visible(name)) if is_terminal(stream) else visible(name)


def as_text(renderable: RenderableType) -> str:
    """Return a drawing for a file: without colour, as wide as it must be, without spaces at the end of a line."""
    from io import StringIO

    from rich.console import Console

    paper = Console(file=StringIO(), width=_WIDEST, markup=False, emoji=False, highlight=False, color_system=None)
    with paper.capture() as capture:
        paper.print(renderable, crop=False)
    return "\n".join(line.rstrip() for line in capture.get().strip("\n").splitlines())


def out(line: str) -> None:
    """Write one line that is safe to print to stdout."""
    with unless_nobody_reads():
        _stdout.is_used = True
        sys.stdout.write(line)  # not both at once: a page may have many megabytes, which would be copied
        sys.stdout.write("\n")


def out_all(lines: Iterable[str]) -> None:
    """Write lines that are safe to print to stdout; none are made any more once nobody reads them."""
    with unless_nobody_reads():
        for line in lines:
            _stdout.is_used = True
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


def info(line: str, *, strong: str = "") -> None:
    """Write one line to stderr, made visible; on a terminal its first word in colour where that says what it is.

    Of the rest the words that are `strong` are red and bold there.
    """
    shown = _with_colour(visible(pasteable(line)))
    if strong and has_colours(sys.stderr):
        shown = shown.replace(strong, f"\x1b[1;31m{strong}\x1b[0m", 1)
    _say(folded_sentence(shown, sys.stderr))


def info_aside(line: str) -> None:
    """Write one line to stderr as `info` does, dim on a terminal: what most people don't read."""
    shown = folded_sentence(visible(pasteable(line)), sys.stderr)
    _say(f"\x1b[2m{shown}\x1b[0m" if has_colours(sys.stderr) else shown)


def info_lines(text: str) -> None:
    """Write what may have several lines to stderr as `info` does, those after the first indented."""
    first, *others = text.split("\n")
    info(first)
    for line in others:
        info(f"  {line}")


def _say(line: str) -> None:
    with suppress(OSError):  # when nobody can read it, that is no reason to stop
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def has_colours(stream: TextIO) -> bool:
    """Say whether colours may be written to a stream: a person watches it, and hasn't set ``NO_COLOR``."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def _with_colour(line: str) -> str:
    word, colon, rest = line.partition(": ")
    # Written by hand: loading Rich for a word takes longer than most errors do.
    if not colon or word not in _COLOURS or not has_colours(sys.stderr):
        return line
    return f"\x1b[{_COLOURS[word]}m{word}:\x1b[0m {rest}"


def show_error(error: ProfilectlError) -> None:
    """Write to stderr what happened and what to do next; further lines of X's own words are indented."""
    problems = error.problems if isinstance(error, RosterRefused) else ()
    for problem in problems:
        show_problem(problem)
    mark = "" if isinstance(error, Declined) else "error: "  # what a person wants is no error
    info_lines(f"{mark}{error.message}")
    if not problems:  # each problem has said for itself what is wrong
        for line in _hint_lines(error):
            info(f"hint: {line}")


def _hint_lines(error: ProfilectlError) -> list[str]:
    """Return what to do next; the moment to come back is told once, by this machine's clock."""
    lines = error.hint.splitlines() if error.hint else []
    if error.retry_at is None:
        return lines
    from datetime import UTC, datetime

    from profilectl.render.moments import distance, moment

    now = datetime.now(UTC)
    when = f"run again after {moment(error.retry_at, now)} ({distance(error.retry_at, now)})"
    # What the error says of the moment itself is for JSON, in UTC and to the second.
    others = [line for line in lines if not line.startswith(("run again", "try again"))]
    return [f"{'; '.join(others)}; {when}" if others else when]


def show_problem(problem: Problem) -> None:
    """Write a problem of a file to stderr in the GNU form, its place bold on a terminal."""
    _say(folded_sentence(problem_line(problem, sys.stderr), sys.stderr))


def problem_line(problem: Problem, stream: TextIO) -> str:
    """Return a problem of a file as a line for a stream, safe to print."""
    line = visible(format_problem(problem))
    place = visible(format_place(problem))
    if not has_colours(stream):
        return line
    rest = line.removeprefix(f"{place}: ")
    word = rest.removeprefix("warning: ")
    kind = f"\x1b[{_COLOURS['warning']}mwarning:\x1b[0m " if word != rest else ""
    return f"\x1b[1m{place}:\x1b[0m {kind}{word}"


def tab_separated(cells: Iterable[str]) -> str:
    """Return a line with tabs; a backslash is doubled, or a typed one would look like what `visible` writes."""
    return "\t".join(visible(cell.replace("\\", "\\\\")) for cell in cells)


class Output(Struct, frozen=True):
    """How one command shows its result: the one place that chooses between a table, tab-separated text and JSON."""

    wants_json: bool = False  # stdout is one JSON document, and nothing else
    is_quiet: bool = False  # lines that only confirm what was done are left out
    is_sandbox: bool = False  # what is shown is about the local X

    def show(
        self,
        document: Document | Callable[[], Document],
        headers: Sequence[str] = (),
        rows: Sequence[Sequence[str]] | None = None,
        *,
        table: Callable[[], RenderableType] | None = None,
        lines: Iterable[str] = (),
        folded: bool = True,
    ) -> None:
        """Write a result to stdout in the form that was asked for.

        Args:
            document: what ``--json`` prints; a function where making it takes time.
            headers: of the columns, for the table on a terminal.
            rows: the result as cells, foreign text included: each is made visible here.
            table: draws the rows on a terminal where a plain list of them isn't enough.
            lines: sentences that are safe to print, below the rows; left out when quiet.
            folded: whether the lines fit themselves to the terminal; not those that are pasted, as into a shell.
        """
        if self.wants_json:
            # With it come json and the plan, which the help does without.
            from profilectl.render.json_documents import about_local_x, dump

            out(dump(about_local_x(document() if callable(document) else document, is_local=self.is_sandbox)))
            return
        if rows is not None:
            self.show_rows(headers, rows, table=table)
        if not self.is_quiet:
            for line in lines:
                out(folded_sentence(pasteable(line), sys.stdout) if folded else line)

    def announce(self, line: str) -> None:
        """Write what was done, a sentence that is safe to print: beside the result, which may be a JSON document."""
        if not self.is_quiet:
            if self.wants_json:
                info(line)
            else:
                out(folded_sentence(pasteable(line), sys.stdout))

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
                out(tab_separated(row))
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
            out_all(tab_separated(cells(item)) for item in items)
            return
        rest = iter(items)
        while page := [row(item) for item in islice(rest, _PAGE)]:
            self.show_rows(headers, page)


@contextmanager
def told_when_slow(line: str) -> Iterator[Callable[[], None]]:
    """Write a line to stderr, when that is a terminal, if the block takes longer than a second.

    Yields the function that begins to count: what waits for a person isn't slow.
    """
    if not is_terminal(sys.stderr):
        yield lambda: None
        return
    from threading import Event

    from profilectl.system.threads import begin

    ended = Event()

    def wait() -> None:
        if not ended.wait(_SLOW):
            info(line)

    def begin_count() -> None:
        begin(wait)

    try:
        yield begin_count
    finally:
        ended.set()


@contextmanager
def progress(names: Sequence[str]) -> Iterator[Callable[[str], None]]:
    """Show on stderr how far the work on so many things has come, and what is next.

    Yields the function to call with the name of each thing that has come to its end. A name may come several times.
    """
    if not names or not is_terminal(sys.stderr):
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    waiting = list(names)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console(sys.stderr), transient=True) as bar:
        task = bar.add_task(_next(waiting), total=len(names))

        def advance(name: str) -> None:
            if name in waiting:
                waiting.remove(name)
            bar.update(task, advance=1, description=_next(waiting))

        yield advance


def _next(waiting: Sequence[str]) -> str:
    """Return the next names of those that wait, such as ``alice, bruno …``."""
    shown = ", ".join(visible(name) for name in waiting[:_NAMES])
    return f"{shown} …" if shown else ""
