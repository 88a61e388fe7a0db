"""Every command, started with closed streams or without a home: it ends with a code of its own and no traceback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from profilectl.errors import ExitCode

CONDITIONS = ("stdin", "stdout", "stderr", "all", "home")
_ROSTER = """version = 1
[brands.acmecare]
handle = "acmecare"
[defaults]
avatar = "a.png"
kind = "human"
[agents.alice]
name = "Alice F."
"""

# One process for all commands of a condition: each runs in a fork of it, and what they load is loaded once.
_SCRIPT = """
import importlib, json, os, pkgutil, pwd, sys
import PIL.Image, httpx, jinja2, oauthlib.oauth1, rich.console, rich.table, typer, werkzeug.routing
import profilectl
from profilectl.cli.main import build, run

for module in pkgutil.walk_packages(profilectl.__path__, "profilectl."):
    if module.name not in {"profilectl.__main__", "profilectl.sandbox.pytest_plugin"}:
        importlib.import_module(module.name)

def leaves(command, words=()):
    for name, below in getattr(command, "commands", {}).items():
        yield from leaves(below, (*words, name))
    if not hasattr(command, "commands"):
        yield words, [p.name for p in command.params if p.param_type_name == "argument" and p.required]

def nobody(*_):
    raise KeyError("nobody")

def spoil(condition, report):
    null = os.open(os.devnull, os.O_RDWR)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.dup2(report if name == "stderr" else null, number)
        if condition in {name, "all"}:
            os.close(number)
            setattr(sys, name, None)
    if condition == "home":
        pwd.getpwuid = pwd.getpwnam = nobody

def play(words, condition):
    end, report = os.pipe()
    child = os.fork()
    if child == 0:
        spoil(condition, report)
        try:
            code = int(run(words))
        except BaseException as error:
            os.write(report, repr(error).encode())
            code = 99
        os._exit(code)
    os.close(report)
    with os.fdopen(end, "rb") as said:
        text = said.read().decode("utf-8", "replace")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text

outcomes = []
for words, arguments in leaves(typer.main.get_command(build())):
    if words == ("sandbox", "serve"):  # goes on until somebody ends it
        continue
    values = ["100001" if name.endswith("id") else "alice" for name in arguments]
    if words == ("send",):
        values = ["--as", "alice", "--to", "@customer", "--human-wrote-this", "Hi"]
    for options in [["--sandbox"], []]:
        line = [*words, *values] if words[0] in {"demo", "sandbox"} else [*words, *values, *options]
        outcomes.append((line, *play(line, sys.argv[1])))
print(json.dumps(outcomes))
"""


@pytest.mark.parametrize("condition", CONDITIONS)
def test_no_command_ends_in_a_traceback(tmp_path, condition):
    """Nothing about the streams or the home folder is unexpected; the whole command tree is walked."""
    (tmp_path / "roster.toml").write_text(_ROSTER, encoding="utf-8")
    Image.new("RGB", (40, 40), "navy").save(tmp_path / "a.png")
    environ = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PROFILECTL_API_URL": "http://127.0.0.1:9",  # nobody is there
    }
    if condition != "home":
        environ["HOME"] = str(tmp_path)
    result = subprocess.run(
        [sys.executable, "-c", _SCRIPT, condition],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert 0 == result.returncode, result.stderr
    outcomes = json.loads(result.stdout)
    usual = {code.value for code in ExitCode} - {ExitCode.UNEXPECTED}
    assert [] == [outcome for outcome in outcomes if outcome[1] not in usual or "Traceback" in outcome[2]]
    assert {"sync", "send", "profiles", "auth", "doctor"} <= {line[0] for line, *_ in outcomes}


def test_without_a_home_there_is_no_configuration(tmp_path):
    """One sentence at most, and a JSON document where one was asked for."""
    (tmp_path / "roster.toml").write_text(_ROSTER, encoding="utf-8")
    Image.new("RGB", (40, 40), "navy").save(tmp_path / "a.png")
    script = (
        "import pwd, sys\n"
        "def nobody(*_): raise KeyError('nobody')\n"
        "pwd.getpwuid = pwd.getpwnam = nobody\n"
        "from profilectl.cli.main import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, "--json", "roster", "check"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (0, "profilectl.check/1") == (result.returncode, json.loads(result.stdout)["schema"])


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")
@pytest.mark.parametrize("words", [["sync", "--yes", "-q"], ["diff"], ["profiles", "list"], ["feedback", "report"]])
def test_a_shell_that_closes_stdin(tmp_path, words):
    """``<&-`` is as ``</dev/null``."""
    (tmp_path / "roster.toml").write_text(_ROSTER, encoding="utf-8")
    Image.new("RGB", (40, 40), "navy").save(tmp_path / "a.png")
    codes = []
    for stdin in ("<&-", "</dev/null"):
        result = subprocess.run(
            ["sh", "-c", f'exec "$0" -m profilectl --sandbox "$@" {stdin}', sys.executable, *words],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        codes.append((result.returncode, "unexpected" in result.stderr))
    assert codes[1] == codes[0]
    assert not codes[0][1]
