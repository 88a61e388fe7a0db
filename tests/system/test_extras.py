from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import profilectl
from profilectl.system.extras import how_to_install

PACKAGE = Path(profilectl.__file__).parent


def strings_of(path):
    return [node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)]


def test_no_hint_installs_a_package_by_its_bare_name():
    """On an index that name may be a stranger's, so one module says how an extra is added."""
    hints = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for text in strings_of(path)
        if isinstance(text, str) and re.search(r"(pip|pipx|uv tool) install\b.*\bprofilectl\b(?!'s)", text)
    }

    assert set() == hints


def test_the_command_is_the_readme_s_and_its_extra_exists():
    """From the sources, as the README installs the program."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]

    assert {"postgres", "sign", "timestamp"} <= project["optional-dependencies"].keys()
    assert "in the folder of profilectl's sources, pip install '.[sign]'" == how_to_install("sign")
    assert "pip install '.[test]'" in (Path(__file__).parents[2] / "README.md").read_text("utf-8")
