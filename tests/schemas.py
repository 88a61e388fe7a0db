"""Every document that a test sees, held against the published schemas.

Whoever reads our documents has to put up with keys that are added later, so the schemas leave that open. A test hasn't:
here every object is closed, and a key that no schema speaks of is a failure, as is anything else on stdout beside the
one document of ``--json``.
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FOLDER = resources.files("profilectl") / "schemas"

NAME = re.compile(r"profilectl\.([a-z]+)/([0-9]+)")
_DOCUMENT = '{"schema": '  # how `documents.dump` begins each
_WITHOUT_RESULT = {"--help", "--version"}  # these answer for themselves, whatever else is said


def published() -> dict[str, dict[str, Any]]:
    """Return the schemas by the documents' names, such as ``profilectl.plan/1``."""
    files = [one for one in FOLDER.iterdir() if one.name.endswith(".json")]
    return {"profilectl.{}/{}".format(*one.name.removesuffix(".json").rsplit("-", 1)): _read(one) for one in files}


def _read(file: Any) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return schema


def closed(schema: Any) -> Any:
    """Return a schema whose objects take no other keys than those it names; no document has a key "properties"."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: closed(value) for key, value in schema.items()}
    return {"additionalProperties": False} | parts if "properties" in parts else parts


@functools.cache
def _validator(name: str) -> Draft202012Validator:
    match = NAME.fullmatch(name)
    file = None if match is None else FOLDER / f"{match[1]}-{match[2]}.json"
    if file is None or not file.is_file():
        pytest.fail(f"there is no schema of {name!r}")
    return Draft202012Validator(closed(_read(file)))


def validate(document: Any) -> None:
    """Fail unless a document is exactly what its schema promises.

    The failure isn't an `Exception`: the program under test, which turns those into exit codes, must not swallow it.
    """
    if not isinstance(document, dict):
        pytest.fail(f"no document: {document!r}")
    name = str(document.get("schema"))
    if (error := best_match(_validator(name).iter_errors(document))) is not None:
        pytest.fail(f"{name} at {error.json_path}: {error.message}")


def checking(dump: Callable[[Any], str]) -> Callable[[Any], str]:
    """Return a `documents.dump` that fails on what isn't as published."""

    def checked(document: Any) -> str:
        text = dump(document)
        validate(json.loads(text))  # as its readers get it
        return text

    return checked


def check_output(words: Sequence[str], output: str | bytes) -> None:
    """Fail unless every document in what a command wrote is as published, and nothing is beside the one of ``--json``.

    Args:
        words: the command line, the program included or not.
        output: what stdout got; or a whole screen, when the words are left out.
    """
    lines = (output.decode() if isinstance(output, bytes) else output).splitlines()
    found = [line for line in lines if line.startswith(_DOCUMENT)]
    for line in found:
        if not line.isascii():
            pytest.fail(f"not ASCII: {line}")
        validate(json.loads(line))
    if wants_json(words) and (lines != found or len(found) > 1):
        pytest.fail(f"--json stands for one document and nothing else: {lines}")


def wants_json(words: Sequence[str]) -> bool:
    """Say whether a command line asks for a document."""
    asks = "--json" in words or "--format=json" in words or ("--format", "json") in pairwise(words)
    return asks and _WITHOUT_RESULT.isdisjoint(words)


class Process(subprocess.Popen):  # type: ignore[type-arg]
    """A process whose documents are checked once it has told everything; what a killed one said may be cut."""

    def communicate(self, *args: Any, **more: Any) -> tuple[Any, Any]:
        """Wait for the end, as the base class does."""
        out, err = super().communicate(*args, **more)
        if self.returncode >= 0 and out is not None:
            check_output(self.args, out)
        return out, err
