"""Lines of CSV (RFC 4180) that a spreadsheet shows and never calculates."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from profilectl.text.escape import visible

_FORMULA: Final = tuple("=+-@|%＝＋－＠")  # noqa: RUF001 - what spreadsheets take for an operator, wide forms included


def csv_lines(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield rows as lines without their ends, the headers first; what can't be seen in a cell is spelled out."""
    line = _Line()
    writer = csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="")
    for row in chain((headers,), rows):
        writer.writerow(map(_plain, row))
        yield line.text


class _Line:
    """Keeps what is written to it last: a writer of CSV writes a row at a time."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _plain(cell: str) -> str:
    shown = visible(cell)
    # An apostrophe makes it a text. A space before the operator is no help, as some spreadsheets drop it.
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown
