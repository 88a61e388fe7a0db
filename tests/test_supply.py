"""What the project says of the packages that it is made with is true, as far as that can be seen without a network."""

from __future__ import annotations

import json
import re
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.supply import (
    CONSTRAINTS,
    LICENCES,
    ROOT,
    SBOM,
    is_gpl_only,
    licence,
    licences_page,
    locked,
    runtime,
    sbom,
)

PYTHON = "Python {}.{}".format(*sys.version_info[:2])


def requirements():
    """Return each requirement of pyproject.toml, the build's and the extras' included."""
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = tables["project"]["optional-dependencies"].values()
    texts = [
        *tables["build-system"]["requires"],
        *tables["project"]["dependencies"],
        *(text for texts in extras for text in texts),
    ]
    return [Requirement(text) for text in texts if not text.startswith("profilectl")]


def test_the_lock_file_fits_the_requirements():
    """Each package that pyproject.toml names is there, in a version that it allows."""
    versions = {name: version for name, (version, _) in locked().items()}
    names = {canonicalize_name(requirement.name): requirement.specifier for requirement in requirements()}

    assert {} == {name: str(allowed) for name, allowed in names.items() if versions.get(name, "0") not in allowed}


def test_each_package_of_the_lock_file_has_its_hashes():
    """Without one, `pip install --require-hashes` refuses the whole file."""
    wrong = [
        name
        for name, (_, hashes) in locked().items()
        if not hashes or not all(re.fullmatch("[0-9a-f]{64}", digest) for digest in hashes)
    ]

    assert [] == wrong
    assert CONSTRAINTS.read_text("utf-8").count("==") == len(locked())


def test_what_is_installed_is_locked_too():
    """All that profilectl needs to run, and what that needs."""
    assert set() == set(runtime()) - locked().keys()


def test_every_licence_is_known_and_none_is_the_gpl_alone():
    """And the page lists each package."""
    licences = {name: licence(name) for name in runtime()}
    listed = set(re.findall(r"^\| ([a-z0-9-]+) \|", LICENCES.read_text("utf-8"), re.MULTILINE)) - {"package"}

    assert {} == {name: text for name, text in licences.items() if not text or is_gpl_only(text)}
    assert set() == licences.keys() - listed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GPL-3.0-only", True),
        ("AGPL-3.0-or-later", True),
        ("GNU General Public License v3 (GPLv3)", True),
        ("LGPL-3.0-only", False),
        ("MIT OR GPL-2.0-only", False),
        ("MIT", False),
    ],
)
def test_the_gpl_alone_is_told_from_other_licences(text, expected):
    """A choice, and the LGPL, are no bar."""
    assert expected == is_gpl_only(text)


def test_the_sbom_has_the_lock_file_s_packages():
    """In their versions, with their hashes."""
    document, pins = json.loads(SBOM.read_text("utf-8")), locked()
    components = {
        part["name"]: (part["version"], [row["content"] for row in part["externalReferences"][0]["hashes"]])
        for part in document["components"]
    }

    assert ("CycloneDX", "1.6") == (document["bomFormat"], document["specVersion"])
    assert set() == set(runtime()) - components.keys()
    assert {name: pins[name] for name in components} == components


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or f"{PYTHON}." not in CONSTRAINTS.read_text("utf-8").partition("\n")[0],
    reason="the lock file is of another Python or system, where other packages are needed",
)
def test_the_sbom_and_the_licences_are_as_they_are_made():
    """What `python -m tests.supply` would write of the lock file and of what is installed, to the byte."""
    assert SBOM.read_text("utf-8") == sbom(), "stale, so run: python -m tests.supply"
    assert LICENCES.read_text("utf-8") == licences_page(), "stale, so run: python -m tests.supply"
