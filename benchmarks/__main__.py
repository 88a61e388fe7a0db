"""``python -m benchmarks [--short] [--json FILE] [--only NAME …]``: how fast, as ratios within one run."""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import table
from benchmarks.measure import Failed, raise_on_sigterm
from benchmarks.sizes import SIZES, Size
from benchmarks.workshop import open_workshop

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.table import Row

BENCHMARKS = ("startup", "wire", "latency", "tls", "idle", "record", "planning")


def main() -> None:
    asked = _parse(sys.argv[1:])
    size = SIZES["short" if asked.short else "tiny" if asked.tiny else "full"]
    raise_on_sigterm()
    started = time.perf_counter()
    try:
        rows = run(asked.only or BENCHMARKS, size)
    except KeyboardInterrupt:
        sys.exit(130)
    except Failed as error:
        sys.exit(f"benchmarks: {error}")
    seconds = time.perf_counter() - started
    print(table.render(rows))
    print(f"\n{table.summary(rows)}")
    print(f"\n{_remark(size)}{seconds:.0f} s; {_machine()}")
    if asked.json:
        document = table.document(rows, size, seconds)
        asked.json.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def run(names: Iterable[str], size: Size) -> list[Row]:
    """Run benchmarks by their names, and tell on stderr what is being done."""
    rows = []
    for name in names:
        started = time.perf_counter()
        with open_workshop() as workshop:
            rows += import_module(f"benchmarks.{name}").measure(workshop, size)
        print(f"{name}: measured in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    return rows


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--short", action="store_true", help="fewer agents and rounds: half a minute, coarser figures")
    sizes.add_argument(
        "--tiny", action="store_true", help="3 agents, one round: shows that it runs, times mean nothing"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there, each single run included")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    return parser.parse_args(words)


def _remark(size: Size) -> str:
    """Say how far the goals hold for what was measured: start-up weighs more where there are fewer agents."""
    return "" if size.name == "full" else f"{size.name} form, with fewer agents and rounds than the goals are about; "


def _machine() -> str:
    here = table.machine()
    load = "/".join(map(str, here["load"]))
    return f"Python {here['python']}, {here['cores']} cores, {here['processor']}, load {load}"


if __name__ == "__main__":
    main()
