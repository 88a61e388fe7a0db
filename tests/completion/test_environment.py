"""The table of environment variables, compared with what the program's source looks up."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from profilectl.completion.environment import VARIABLES

PACKAGE = Path(__file__).parent.parent.parent / "profilectl"
NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")

BY_LIBRARIES = {  # looked up on our behalf, by what we call
    "COLUMNS": "get_terminal_size",
    "NO_PROXY": "proxy_bypass",
    "SSL_CERT_DIR": "trust_env",
    "SSL_CERT_FILE": "trust_env",
}
LISTED = {name for names in VARIABLES for name in names.split(", ")}


def modules():
    """Return our modules as syntax trees; the sandbox's `environ` is that of a web server, and the table knows all."""
    paths = (path for path in PACKAGE.rglob("*.py") if "sandbox" not in path.relative_to(PACKAGE).parts[:1])
    return [ast.parse(path.read_text("utf-8")) for path in paths if path != PACKAGE / "completion" / "environment.py"]


MODULES = modules()


def nodes(kind, among=MODULES):
    return [node for module in among for node in ast.walk(module) if isinstance(node, kind)]


def words(node):
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def is_environment(node):
    return getattr(node, "attr", getattr(node, "id", "")).lstrip("_") == "environ"


def looked_up(module):
    """Yield what a module looks up in an environment: ``environ.get(X)``, ``environ[X]``, ``X in environ``."""
    for call in nodes(ast.Call, [module]):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "get" and is_environment(call.func.value):
            yield call.args[0]
    for part in nodes(ast.Subscript, [module]):
        if is_environment(part.value):
            yield part.slice
    for comparison in nodes(ast.Compare, [module]):
        if is_environment(comparison.comparators[0]):
            yield comparison.left


def meaning(name, among):
    """Return the words that a name stands for: those of its assignments, or of what a comprehension goes through."""
    values = set()
    for node in nodes(ast.Assign | ast.AnnAssign, among):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if name in {getattr(target, "id", "") for target in targets} and node.value is not None:
            values |= words(node.value)
    for node in nodes(ast.comprehension, among):
        if getattr(node.target, "id", "") == name and isinstance(node.iter, ast.Name):
            values |= meaning(node.iter.id, among)
    return values


def names_in_the_source():
    for module in MODULES:
        for expression in looked_up(module):
            name = getattr(expression, "attr", getattr(expression, "id", ""))
            values = words(expression) or meaning(name, [module]) or meaning(name, MODULES)
            assert values, f"nobody can tell which variable this is: {ast.unparse(expression)}"
            yield from (value for value in values if NAME.fullmatch(value))


def test_what_the_source_looks_up_is_in_the_table():
    """No variable has an effect that nobody was told about."""
    assert set() == set(names_in_the_source()) - LISTED


def test_our_own_names_are_in_the_table_wherever_they_stand():
    """Hints, scripts and messages name no variable of ours that there isn't."""
    named = {name for node in nodes(ast.Constant) for name in re.findall(r"PROFILECTL_[A-Z_]+", str(node.value))}

    assert set() == named - LISTED


def test_what_is_in_the_table_is_looked_up():
    """The table promises nothing: what isn't looked up by us is by a library, through a call that is there."""
    called = {node.attr for node in nodes(ast.Attribute)} | {node.id for node in nodes(ast.Name)}
    called |= {node.arg for node in nodes(ast.keyword)}

    assert set() == LISTED - set(names_in_the_source()) - set(BY_LIBRARIES)
    assert set() == set(BY_LIBRARIES.values()) - called


def test_every_sentence_can_be_put_into_a_table():
    """A sentence has no full stop, no line feed, and nothing that ends a cell of Markdown."""
    assert [] == [names for names, meaning in VARIABLES.items() if re.search(r"\.$|[\n|]", meaning)]
