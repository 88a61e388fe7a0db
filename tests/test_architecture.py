"""The rules of the packages, read from the code: who imports whom, who is pure, who speaks, how large a thing grows.

Every rule is data above the test that holds it, its few exceptions included.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "profilectl"
DESIGN = PACKAGE.parent / "docs" / "design.md"

ORDER = (
    {"model"},
    {"errors", "secret", "digests"},
    {"text"},
    {"system"},
    {"toml"},
    {"config", "audit"},
    {"roster", "access", "pictures", "ledger", "api", "plan", "feedback"},
    {"people", "credentials", "sync", "messaging"},
    {"profiles", "doctor"},
    {"render", "completion"},
    {"cli"},
)
"""A module imports what stands before its own package here, or its own package; never a neighbour on the same line."""

APART = {"": {"cli", "completion"}, "sandbox": {"sandbox"}}
"""The entry point and the sandbox stand beside the order: what each of them imports."""

SANDBOX = {
    "model": {"model"},
    "http": {"model", "http", "pages"},
    "pages": {"model", "http", "pages"},
    "pytest_plugin": {"model", "http"},
}
"""The sandbox's layers, and what each of them imports of the sandbox."""

PURE = {
    "model",
    "text",
    "toml",
    "plan",
    "audit.anchors",
    "audit.chain",
    "audit.comparison",
    "audit.evidence",
    "audit.faces",
    "audit.notes",
    "audit.periods",
    "audit.pruning",
    "audit.queries",
    "audit.replay",
    "audit.tree",
    "feedback.blocks",
    "feedback.report",
    "feedback.statistics",
    "doctor.report",
    "sync.quota",
    "profiles.ownership",
    "profiles.matching",
}
IMPURE = {
    "os",
    "time",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "pathlib",
    "sqlite3",
    "httpx",
    "io",
    "shutil",
    "sys",
}
"""Modules of Python through which files, clocks, chance and networks come in."""

IMPURE_CALLS = {"open", "datetime.now", "datetime.today", "datetime.utcnow", "date.today"}

SPEAKING = {"print", "sys.exit", "exit", "quit", "os._exit", "sys.stdout.write", "sys.stderr.write"}
ASKING = {"input", "getpass.getpass", "getpass", "typer.prompt", "typer.confirm"}

MOST_MODULES = {"cli": 28}
USUAL_MOST_MODULES = 16
MOST_FUNCTION_LINES = 50
LARGEST_SHARE = 0.20  # of all lines, for one package

WRITING_FLAGS = {f"os.O_{flag}" for flag in ("WRONLY", "RDWR", "CREAT", "EXCL", "APPEND", "TRUNC", "TMPFILE")}
WRITING_CALLS = {
    *(f"os.{deed}" for deed in ("rename", "renames", "replace", "link", "symlink", "mkfifo", "mknod", "truncate")),
    *(f"os.{deed}" for deed in ("mkdir", "makedirs", "chmod", "fchmod")),
    *(f"shutil.{deed}" for deed in ("copy", "copy2", "copyfile", "copyfileobj", "copytree", "move", "make_archive")),
    *(f"tempfile.{deed}" for deed in ("mkstemp", "mkdtemp", "mktemp", "NamedTemporaryFile", "SpooledTemporaryFile")),
}
WRITING_METHODS = {"write_text", "write_bytes", "touch", "symlink_to", "hardlink_to", "rename", "mkdir", "chmod"}
"""By what a module makes or changes a file, beside `open` with a mode that isn't for reading, and ``path.replace``."""

WRITERS = {
    "system.files": None,  # the one way
    "system.folders": None,  # the folders on that way
    "system.cache": {"os.mkdir"},  # loaded at every TAB, so it makes its folder with what Python has at hand
    "ledger.location": {"folder.chmod"},  # takes rights away from the ledger's own folder, which it has judged
    "ledger.move": {"new.hardlink_to", "old.rename"},  # name SQLite's file, in folders that `location` has judged
    "sandbox.model.store": {"os.O_CREAT", "os.O_EXCL", "os.O_WRONLY"},  # imports nothing of ours; follows no link
    "cli.audit.export": {"draft.open", "page_draft.open"},  # of `private_draft`, as below
    "cli.ledger.copies": {"draft.open"},  # of `private_draft`, which gives the file its name when it is whole
    "cli.main": {"Path(os.devnull).open"},  # in the place of a stream that the starter has closed
    "render.console": {"os.O_WRONLY"},  # the null device, when nobody reads stdout any more
}
"""Who may write by itself, what of, and why; what isn't named here goes through `system.files`."""

STARTING_LIBRARIES = ("subprocess", "multiprocessing", "pty", "asyncio")
STARTING_CALLS = re.compile(r"os\.(system|popen|fork|forkpty|startfile|(exec|spawn|posix_spawn)\w*)")
"""By what a module starts another program; only `system.child` does, without our variables."""

VAGUE = {"one", "found", "told", "said", "wanted"}
"""Names of variables that say nothing of what they hold."""


@cache
def modules() -> dict[str, ast.Module]:
    """Return the syntax tree of every module by its name without ``profilectl.``; a package stands for its own file."""
    trees = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        trees["" if name == "__init__" else name] = ast.parse(path.read_text(encoding="utf-8"))
    return trees


def package_of(module: str) -> str:
    return "" if module in {"", "__main__"} else module.partition(".")[0]


@cache
def named_by_imports(module: str) -> frozenset[str]:
    """Return every dotted name that a module's imports mention, those for type checking included."""
    names = set()
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return frozenset(names)


@cache
def imports_of(module: str) -> frozenset[str]:
    """Return our modules that a module imports; one of a package counts as itself, not as its package."""
    ours = {name.removeprefix("profilectl.") for name in named_by_imports(module) if name.startswith("profilectl.")}
    known = {name for name in ours if name in modules()}
    return frozenset(name for name in known if not any(other.startswith(f"{name}.") for other in known))


def may_import(module: str) -> set[str]:
    package = package_of(module)
    if package in APART:
        return APART[package] | {""}
    level = next(index for index, packages in enumerate(ORDER) if package in packages)
    return {package, ""}.union(*ORDER[:level], {"sandbox"} if package == "cli" else set())


def violations_of_order() -> set[str]:
    return {
        f"{module} imports {other}"
        for module in modules()
        for other in imports_of(module)
        if package_of(other) not in may_import(module)
    }


def violations_of_circles() -> set[str]:
    """Name every module that imports itself over others."""
    reach: dict[str, set[str]] = {}
    for module in modules():
        seen: set[str] = set()
        ahead = list(imports_of(module))
        while ahead:
            other = ahead.pop()
            if other not in seen:
                seen.add(other)
                ahead += imports_of(other)
        reach[module] = seen
    return {f"{module} imports itself over others" for module in modules() if module in reach[module]}


def layer_of(module: str) -> str:
    return module.split(".", 2)[1]


def violations_of_the_sandbox() -> set[str]:
    return {
        f"{module} imports {other}"
        for module in modules()
        if module.startswith("sandbox.")
        for other in imports_of(module)
        if layer_of(other) not in SANDBOX[layer_of(module)]
    }


def libraries_of(module: str) -> set[str]:
    return {name.partition(".")[0] for name in named_by_imports(module)}


def users_of(*libraries: str) -> set[str]:
    return {m for m in modules() if libraries_of(m) & set(libraries)}


def violations_of_httpx() -> set[str]:
    allowed = {m for m in modules() if m.startswith("api.")} | {"cli.local_sandbox"}
    return {f"{module} imports httpx" for module in users_of("httpx") - allowed}


def violations_of_context() -> set[str]:
    """Name every module outside `cli` that knows the context of a command."""
    return {
        f"{module} names Context"
        for module, tree in modules().items()
        if package_of(module) != "cli"
        and any(isinstance(node, ast.Name) and node.id == "Context" for node in ast.walk(tree))
    }


def calls_of(tree: ast.AST) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def violations_of_purity() -> set[str]:
    pure = {m: tree for m, tree in modules().items() if any(m == name or m.startswith(f"{name}.") for name in PURE)}
    return {
        f"{module} uses {use}"
        for module, tree in pure.items()
        for use in ({name.split(".")[0] for name in named_by_imports(module)} & IMPURE)
        | (calls_of(tree) & IMPURE_CALLS)
    }


def violations_of_silence() -> set[str]:
    """Name every module below the command line that prints, ends the process, or asks."""
    speaking = {"__main__", "render.console", "completion.cached_names"}
    return {
        f"{module} calls {call}"
        for module, tree in modules().items()
        for call in calls_of(tree) & (SPEAKING | ASKING)
        if package_of(module) != "cli"
        and not (module in speaking and call in SPEAKING)
        and not (module == "credentials.prompts" and call in ASKING)
    }


def violations_of_documents() -> set[str]:
    """Name every module that builds a document of ``--json``, which render, and what must be read again, may do."""
    allowed = {"plan.saved", "sync.quota", "ledger.export"}
    return {
        f"{module} builds {node.value}"
        for module, tree in modules().items()
        if package_of(module) not in {"render", "sandbox"} and module not in allowed
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("profilectl.")
        and "/" in node.value
        and " " not in node.value
    }


def violations_of_package_size() -> set[str]:
    counts: dict[str, int] = {}
    for path in PACKAGE.rglob("*.py"):
        if path.name != "__init__.py" and path.parent != PACKAGE:
            folder = path.parent.relative_to(PACKAGE).as_posix()
            counts[folder] = counts.get(folder, 0) + 1
    return {
        f"{folder} has {count} modules"
        for folder, count in counts.items()
        if count > MOST_MODULES.get(folder, USUAL_MOST_MODULES)
    }


def violations_of_share() -> set[str]:
    lines: dict[str, int] = {}
    for path in PACKAGE.rglob("*.py"):
        package = path.relative_to(PACKAGE).parts[0]
        lines[package] = lines.get(package, 0) + path.read_text(encoding="utf-8").count("\n")
    whole = sum(lines.values())
    return {f"{package} holds too many lines" for package, count in lines.items() if count / whole > LARGEST_SHARE}


def violations_of_function_size() -> set[str]:
    return {
        f"{module}.{node.name} is too long"
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= MOST_FUNCTION_LINES
    }


def writes_of(tree: ast.AST) -> set[str]:
    """Return by what a module makes or changes files, as it is written there."""
    uses = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & WRITING_FLAGS
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            deed = name.rpartition(".")[2]
            is_path_s_replace = deed == "replace" and "." in name and len(node.args) == 1 and not node.keywords
            is_path_s_deed = deed in WRITING_METHODS and "." in name
            if (
                name in WRITING_CALLS
                or is_path_s_deed
                or is_path_s_replace
                or (deed == "open" and opens_to_write(node))
            ):
                uses.add(name)
    return uses


def opens_to_write(call: ast.Call) -> bool:
    """Say whether a call of some `open` may have a mode that isn't for reading."""
    words = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return any(
        (isinstance(word, ast.Constant) and re.fullmatch(r"[rbt]*[wxa+][wxabt+]*", str(word.value)) is not None)
        or (isinstance(word, ast.Name) and word.id == "mode")
        for word in words
    )


def violations_of_writing() -> set[str]:
    """Name every module that writes files by itself, and every exception that nobody needs any more."""
    uses = {(module, use) for module, tree in modules().items() for use in writes_of(tree)}
    allowed = {(module, use) for module, names in WRITERS.items() if names is not None for use in names}
    free = {module for module, names in WRITERS.items() if names is None}
    return {f"{module} writes with {use}" for module, use in uses - allowed if module not in free} | {
        f"{module} doesn't write with {use}" for module, use in allowed - uses
    }


def violations_of_children() -> set[str]:
    """Name every module that starts a program by itself."""
    users = users_of(*STARTING_LIBRARIES) - {"system.child"}
    return {f"{module} imports what starts programs" for module in users} | {
        f"{module} calls {call}"
        for module, tree in modules().items()
        for call in calls_of(tree)
        if STARTING_CALLS.fullmatch(call)
    }


def violations_of_threads() -> set[str]:
    """Name every module outside `system` that starts a thread by itself."""
    return {
        f"{module} uses {ast.unparse(node)}"
        for module, tree in modules().items()
        if package_of(module) not in {"system", "sandbox"}
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "threading.Thread"
    }


def violations_of_names() -> set[str]:
    """Name every module with a variable or parameter that isn't called after what it holds."""
    violations = set()
    for module, tree in modules().items():
        for node in ast.walk(tree):
            name = node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else None
            name = node.arg if isinstance(node, ast.arg) else name
            if name in VAGUE:
                violations.add(f"{module} names something {name}")
    return violations


def violations_of_bindings() -> set[str]:
    """Name every module that binds a name of its own twice: of two constants called alike the first is lost."""
    violations = set()
    for module, tree in modules().items():
        targets = [
            target
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        ]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        names += [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        violations |= {f"{module} binds {name} twice" for name in names if names.count(name) > 1}
    return violations


def violations_of_values() -> set[str]:
    """Name every frozen dataclass: it takes 1.4 ms of every start that loads it, and a Struct a fiftieth of that."""
    return {
        f"{module} makes {node.name} a frozen dataclass"
        for module, tree in modules().items()
        if package_of(module) != "sandbox"  # an annex that is loaded late
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any("dataclass" in (text := ast.unparse(each)) and "frozen=True" in text for each in node.decorator_list)
    }


RULES = {
    "a package imports only what stands before it": violations_of_order,
    "no module imports itself over others": violations_of_circles,
    "the sandbox imports only itself, its model neither http nor pages": violations_of_the_sandbox,
    "httpx is the client's": violations_of_httpx,
    "a service takes what it needs, never the context of a command": violations_of_context,
    "what decides gets files, clocks, chance and networks as arguments or not at all": violations_of_purity,
    "only the command line prints, ends the process or asks": violations_of_silence,
    "only render builds documents": violations_of_documents,
    "a package can be seen at once": violations_of_package_size,
    "no package holds a fifth of the lines": violations_of_share,
    "a function can be seen at once": violations_of_function_size,
    "files are written in system.files, with few exceptions": violations_of_writing,
    "programs are started in system.child": violations_of_children,
    "threads begin in system": violations_of_threads,
    "a variable is the noun of what it holds": violations_of_names,
    "a module's name is bound once": violations_of_bindings,
    "a frozen value is a Struct": violations_of_values,
}


def packages() -> set[str]:
    """Return the names of our packages, and of the modules that stand beside them."""
    return {package_of(module) for module in modules()} - {""}


def test_the_design_page_shows_every_package_in_its_place():
    """The picture of "How it works" names what there is, line by line in the order that the imports keep."""
    text = DESIGN.read_text(encoding="utf-8").partition("<!-- packages -->")[2].partition("<!-- end -->")[0]
    lines = [set(line[:36].split()) for line in text.splitlines() if not line.startswith("```") and line.strip()]
    *ordered, beside = lines
    levels = [level & packages() for level in reversed(ORDER)]

    assert {"sandbox"} == beside
    assert packages() == set().union(*lines)
    assert levels == [set().union(*(names for names in ordered if names <= level)) for level in levels]
    assert [names for level in levels for names in ordered if names <= level] == ordered


@pytest.mark.parametrize("rule", RULES)
def test_the_packages_keep_their_rules(rule):
    """Every module keeps every rule; what doesn't is named."""
    assert set() == RULES[rule]()
