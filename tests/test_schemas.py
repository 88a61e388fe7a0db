"""The published schemas: one for every document, as strict as the code, and never in the way of what comes later."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
from dataclasses import fields
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import profilectl
from profilectl.api.endpoints import KINDS
from profilectl.doctor.report import Check, State
from profilectl.errors import ExitCode, ProfilectlError
from profilectl.feedback.blocks import Dimension
from profilectl.feedback.report import Verdict
from profilectl.model import Kind, Survey
from profilectl.plan.changes import Action
from profilectl.plan.fingerprint import Basis
from profilectl.plan.saved import Selection
from profilectl.profiles.matching import Doubt
from profilectl.roster.compliance import GapKind
from profilectl.sandbox.model import faults
from profilectl.sync.outcomes import Status
from tests import schemas

PACKAGE = Path(profilectl.__file__).parent
SCHEMAS = schemas.published()


def names_in(source):
    """Yield the names of documents that a module speaks of outside of its docstrings."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and schemas.NAME.fullmatch(node.value):
            yield node.value


def objects(schema, path=()):
    """Yield every part of a schema that describes an object, with its place."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield path, schema
        for key, value in schema.items():
            yield from objects(value, (*path, key))
    elif isinstance(schema, list):
        for place, one in enumerate(schema):
            yield from objects(one, (*path, place))


def references(schema):
    """Yield what a schema refers to."""
    text = json.dumps(schema)
    return {part.partition('"')[0] for part in text.split('"$ref": "')[1:]}


def error_classes():
    """Yield every class of errors that the package has; a room that isn't imported yet may add some."""
    for module in pkgutil.walk_packages(profilectl.__path__, "profilectl."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting = [ProfilectlError]
    while waiting:
        waiting += (one := waiting.pop()).__subclasses__()
        yield one


# What is published


def test_every_document_has_a_schema_and_every_schema_a_document():
    """What the code calls by its name is what the folder holds."""
    named = {name for path in PACKAGE.rglob("*.py") for name in names_in(path.read_text("utf-8"))}

    assert named == set(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_and_stands_alone(name):
    """One file is all that a reader needs; it says which document it is about, and refers to nothing outside."""
    schema = SCHEMAS[name]
    title, version = name.removeprefix("profilectl.").split("/")
    Draft202012Validator.check_schema(schema)

    assert "https://json-schema.org/draft/2020-12/schema" == schema["$schema"]
    assert (f"urn:profilectl:{title}:{version}", name) == (schema["$id"], schema["title"])
    assert {"const": name} == schema["properties"]["schema"]
    assert {f"#/$defs/{part}" for part in schema.get("$defs", {})} == references(schema)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_is_always_there(name):
    """What isn't known is null: nobody has to ask first whether there is such a key."""
    assert [] == [
        path
        for path, part in objects(SCHEMAS[name])
        # That it is about the local X is the one thing that is only told where it is so (contract 8).
        if part["required"] != [key for key in part["properties"] if (path, key) != ((), "sandbox")]
    ]


def test_parts_of_one_name_are_the_same_everywhere():
    """A problem is a problem, in whichever document it stands."""
    shared = {"id", "timestamp", "digest", "kind", "problem", "action"}
    forms = {
        part: {json.dumps(schema["$defs"][part]) for schema in SCHEMAS.values() if part in schema.get("$defs", {})}
        for part in shared
    }

    assert dict.fromkeys(shared, 1) == {part: len(found) for part, found in forms.items()}


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_comes_later_is_no_trouble_to_a_reader(name):
    """A published schema forbids no key, because documents are added to."""
    assert [] == [path for path, part in objects(SCHEMAS[name]) if "additionalProperties" in part]


# What the code says


def at(name, *path):
    """Return a part of a schema; through lists and references."""
    part = SCHEMAS[f"profilectl.{name}/1"]
    for step in path:
        part = part["items"] if step == "[]" else part["properties"][step]
        if "$ref" in part:
            part = SCHEMAS[f"profilectl.{name}/1"]["$defs"][part["$ref"].rpartition("/")[2]]
    return part


ENUMS = {
    ("plan", "changes", "[]", "action"): Action,
    ("sync", "results", "[]", "action"): Action,
    ("sync", "results", "[]", "status"): Status,
    ("roster", "agents", "[]", "kind"): Kind,
    ("compliance", "agents", "[]", "kind"): Kind,
    ("compliance", "agents", "[]", "missing", "[]", "code"): GapKind,
    ("compliance", "roster", "[]", "code"): GapKind,
    ("recover", "results", "[]", "why"): [*Doubt, None],
    ("doctor", "checks", "[]", "check"): Check,
    ("doctor", "checks", "[]", "state"): State,
    ("feedback", "brands", "[]", "surveys", "[]", "survey"): Survey,
    ("feedback", "brands", "[]", "surveys", "[]", "groups", "[]", "by"): Dimension,
    ("feedback", "brands", "[]", "surveys", "[]", "comparisons", "[]", "verdict"): Verdict,
    ("faults", "faults", "[]", "kind"): faults.Kind,
    ("faults", "faults", "[]", "call"): [faults.EVERY_CALL, *faults.CALLS],
}


@pytest.mark.parametrize("path", ENUMS, ids=" ".join)
def test_values_are_those_of_the_code(path):
    """Neither side can learn a word that the other doesn't know."""
    assert list(map(str, ENUMS[path])) == list(map(str, at(*path)["enum"]))


KEYS = {
    ("plan", "basis"): list(Basis.__struct_fields__),
    ("plan", "selection"): ["brands", *Selection.__struct_fields__],
    ("plan", "summary"): [*Action, "unchanged", "unmanaged"],
    ("sync", "summary"): list(Status),
    ("sync", "requests"): list(KINDS),
    ("faults", "faults", "[]"): [*(field.name for field in fields(faults.Fault)), "seen"],
}


@pytest.mark.parametrize("path", KEYS, ids=" ".join)
def test_keys_are_those_of_the_code(path):
    """Where a document is made of a value's fields, or counts the members of an enumeration."""
    assert set(KEYS[path]) == set(at(*path)["properties"])


def test_errors_are_those_of_the_code():
    """Every kind and every exit code that an error can have."""
    classes = list(error_classes())
    codes, kinds = {one.exit_code for one in classes}, {one.kind for one in classes}

    assert kinds == set(at("error", "error", "kind")["enum"])
    assert codes == set(at("error", "error", "code")["enum"])
    assert codes | {0} == set(at("doctor", "exit_code")["enum"])
    assert set(at("sync", "exit_code")["enum"]) <= set(ExitCode)
