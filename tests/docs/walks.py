"""Walks: the commands in a document are run one after another, and what they print is put below them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from profilectl.errors import ExitCode

STEP = re.compile(r"^(\$ (.*)\n)(?:(?!\$ |```).*\n)*", re.MULTILINE)
_WIDTH = 116  # columns of a folded document


def walk(text):
    """Return the text with what the commands in its console blocks print now; their lines begin with `$ `."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "acme")
        folder.mkdir()
        walked = lambda step: step[1] + _output(step[2], folder)  # noqa: E731 - a callback of one line
        return re.sub(r"```console\n.*?```", lambda block: STEP.sub(walked, block[0]), text, flags=re.DOTALL)


def _output(command, folder):
    wants_json = command.endswith(" --json")
    done = subprocess.run(
        ["bash", "-c", f'profilectl() {{ {sys.executable} -m profilectl "$@"; }}; {command}'],
        cwd=folder,
        env={
            "HOME": str(folder.parent),
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",  # results and talk in their order, as a terminal shows them
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if wants_json else subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    went_wrong = done.returncode == ExitCode.UNEXPECTED if wants_json else done.returncode  # documents tell of the rest
    assert not went_wrong, f"{command}\n{done.stdout}{done.stderr or ''}"
    printed = done.stdout.replace(str(folder), "/srv/acme")
    return _document(printed) if wants_json else printed


def _document(printed):
    return fold(json.loads(re.sub("sha256:[0-9a-f]{64}", "sha256:…", printed))) + "\n"


def fold(value, indent=0, lead=0):
    """Return JSON as few lines, none of them too wide: an object's short members stand side by side.

    Args:
        value: what to write.
        indent: the columns before the first character of this value's further lines.
        lead: what stands before its first line, beside those.
    """
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or indent + lead + len(flat) < _WIDTH:
        return flat
    if isinstance(value, list):
        return "[" + f",\n{' ' * (indent + 1)}".join(fold(one, indent + 1) for one in value) + "]"
    lines = [""]
    for key, one in value.items():
        member = f"{json.dumps(key)}: {fold(one, indent + 1, len(key) + 4)}"
        if lines[-1] and ("\n" in lines[-1] + member or indent + len(lines[-1] + member) + 3 >= _WIDTH):
            lines.append("")
        lines[-1] += f", {member}" if lines[-1] else member
    return "{" + f",\n{' ' * (indent + 1)}".join(lines) + "}"
