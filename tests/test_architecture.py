"""The rules of the house, read from the code: who may import whom, and who may print, exit, or speak HTTP."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "profilectl"
GROUND = {"errors", "model", "names", "secret"}
CORE = {"basis", "changes", "guards", "settlement", "plan", "outcomes", "ports", "sync", "message"}
CORE |= {"creation", "execution"}

ALLOWED = {
    "__init__": set(),
    "__main__": {"cli"},
    "errors": {"model"},
    "model": set(),
    "names": set(),
    "secret": set(),
    "basis": {"model", "settlement"},
    "budget": {"model", "changes", "outcomes", "plan"},
    "changes": set(),
    "diagnosis": {"errors"},
    "estimation": set(),
    "feedback": GROUND,
    "survey": GROUND | {"estimation", "feedback"},
    "guards": {"model"},
    "settlement": {"model"},
    "plan": {"model", "basis", "changes", "guards", "settlement"},
    "outcomes": {"errors", "changes"},
    "ports": {"model", "settlement"},
    "creation": GROUND | CORE,
    "execution": GROUND | CORE,
    "sync": GROUND | CORE,
    "message": GROUND,
    "conduct": GROUND,
    "authority": GROUND | {"conduct"},
    "delivery": GROUND | {"contents"},
    "recovery": {"model", "settlement", "likeness"},
    "roster": GROUND,
    "pixels": GROUND,
    "avatars": GROUND | {"pixels"},
    "background": set(),
    "memory": set(),
    "picture_memory": {"model", "avatars"},
    "attachments": GROUND | {"pixels"},
    "contents": GROUND,
    "likeness": {"avatars"},
    "api": GROUND | {"background"},
    "ledger": GROUND,
    "credentials": GROUND,
    "render": GROUND | {"basis", "budget", "changes", "diagnosis", "outcomes", "plan", "estimation", "survey"},
    "sandbox": set(),
}
"""Rooms, and the rooms they may import; every room may import itself, ``cli`` may import all."""

PURE = [
    "authority",
    "conduct",
    "contents",
    "delivery",
    "plan",
    "basis",
    "budget",
    "changes",
    "diagnosis",
    "estimation",
    "feedback",
    "survey",
    "guards",
    "settlement",
    "outcomes",
    "model",
    "errors",
    "names",
    "ledger/audit",
    "message",
    "recovery",
]
IMPURE_MODULES = {"os", "time", "random", "secrets", "socket", "subprocess", "pathlib", "sqlite3", "httpx", "io"}


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def room_of(path):
    return name_of(path).split("/")[0]


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree):
    """Yield every module named by an import, with its room when it is ours."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            if node.module in {"profilectl", "profilectl.cli"}:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def our_rooms(tree):
    parts = (name.split(".") for name in imported(tree))
    return {name[1] for name in parts if name[0] == "profilectl" and len(name) > 1} - {"__version__"}


@pytest.mark.parametrize("path", [p for p in modules() if room_of(p) != "cli"], ids=name_of)
def test_rooms_import_only_what_they_may(path):
    """No room knows more of the house than the picture says."""
    room = room_of(path)

    assert our_rooms(tree_of(path)) <= ALLOWED[room] | {room}


@pytest.mark.parametrize("name", PURE)
def test_pure_rooms_stay_pure(name):
    """What decides gets files, clocks, chance and networks as arguments or not at all."""
    tops = {one.split(".")[0] for one in imported(tree_of(PACKAGE / f"{name}.py"))}

    assert set() == tops & IMPURE_MODULES


def users_of(module):
    found = (name_of(p) for p in modules() if module in {one.split(".")[0] for one in imported(tree_of(p))})
    return {name for name in found if not name.startswith("sandbox/")}


def test_httpx_stays_behind_one_door():
    """Only the client's room imports httpx; the command line hands it the sandbox's transport."""
    assert {"api", "cli/local_x"} == {
        name.split("/")[0] if name.startswith("api/") else name for name in users_of("httpx")
    }


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_only_the_command_line_and_the_consoles_speak(path):
    """Nothing below the command line prints or exits."""
    said = set(calls(tree_of(path)))
    speaks = room_of(path) in {"cli", "__main__"} or name_of(path) == "render/consoles"

    assert speaks or not said & {
        "print",
        "sys.exit",
        "exit",
        "quit",
        "os._exit",
        "sys.stdout.write",
        "sys.stderr.write",
    }


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_files_and_functions_can_be_seen_at_once(path):
    """No file has more than 300 lines, and no function more than 50."""
    functions = [n for n in ast.walk(tree_of(path)) if isinstance(n, ast.FunctionDef)]
    long = [one.name for one in functions if one.end_lineno - one.lineno >= 50]

    assert path.read_text(encoding="utf-8").count("\n") <= 300
    assert [] == long
