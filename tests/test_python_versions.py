"""What newer versions of Python no longer accept, read from the code, because the suite may run on an older one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = [path for folder in ("profilectl", "tests", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]


def positional_connects(text):
    """Return the lines that call `sqlite3.connect` with more than the path by position, an error from 3.15 on."""
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return [
        call.lineno
        for call in calls
        if ast.unparse(call.func).endswith("sqlite3.connect")
        and (len(call.args) > 1 or any(isinstance(argument, ast.Starred) for argument in call.args))
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sqlite_connect_gets_its_options_by_keyword(path):
    """Python 3.13 and 3.14 warn about a positional timeout, 3.15 refuses it."""
    assert [] == positional_connects(path.read_text(encoding="utf-8"))


def test_a_positional_option_is_noticed():
    """The search sees calls through another module, and arguments behind a star."""
    text = "sqlite3.connect(p, timeout=1)\nsqlite3.connect(p, 1)\nours.sqlite3.connect(*all)\nsocket.connect(a, 1)\n"

    assert [2, 3] == positional_connects(text)
