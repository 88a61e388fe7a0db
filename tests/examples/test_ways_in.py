"""The other ways to profilectl: a pre-commit hook and a container. The GitHub Action is tested with the workflows."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HOOK = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())[0]
CONTAINERFILE = (ROOT / "Containerfile").read_text()


@pytest.mark.parametrize(
    ("path", "is_looked_at"),
    [
        ("roster.toml", True),
        ("teams/roster.toml", True),
        ("avatars/alice.jpg", True),
        ("teams/avatars/alice.jpg", True),
        ("old-roster.toml", False),
        ("README.md", False),
    ],
)
def test_the_hook_runs_when_the_roster_or_a_picture_changes(path, is_looked_at):
    """pre-commit searches `files` in each path that is about to be committed."""
    assert is_looked_at == bool(re.search(HOOK["files"], path))


def test_the_hook_stops_a_commit_with_a_broken_roster(machine):
    """Its entry is run in the repository, without arguments; anything but 0 stops the commit."""
    program, *words = shlex.split(HOOK["entry"])
    codes = []
    roster = machine.write_roster(machine.root / "checkout")
    for text in (roster.read_text(), "version = 2\n"):
        roster.write_text(text)
        command = [sys.executable, "-m", program, *words]
        done = subprocess.run(
            command, cwd=machine.root / "checkout", capture_output=True, text=True, timeout=60, check=False
        )
        codes.append(done.returncode)

    assert [0, 5] == codes
    assert (False, "python") == (HOOK["pass_filenames"], HOOK["language"])


def test_the_container_runs_as_nobody_who_can_change_it():
    """It has a user of its own, its ledger in a volume, and bytecode that was made before."""
    assert ["65532:65532"] == re.findall(r"^USER (.*)$", CONTAINERFILE, re.MULTILINE)
    assert ["/var/lib/profilectl"] == re.findall(r"^VOLUME (.*)$", CONTAINERFILE, re.MULTILINE)
    assert "compileall" in CONTAINERFILE


def test_what_the_container_copies_is_there():
    """What is left out is named as it is called."""
    ignored = (ROOT / ".containerignore").read_text().split()

    assert [] == [name for name in ("profilectl", "pyproject.toml", "README.md", "LICENSE") if name in ignored]
    assert {"tests", "benchmarks"} <= set(ignored)


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.stem)
def test_the_project_s_own_workflows_trust_nothing_that_can_move(path):
    """Actions are named by their commit, and a job has no right that it doesn't name."""
    text = path.read_text()
    uses = re.findall(r"uses: (.*)", text)

    assert uses
    assert [] == [action for action in uses if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}  # v[\d.]+", action)]
    assert {} == yaml.safe_load(text)["permissions"]


def test_every_python_that_is_promised_is_tried():
    """The classifiers and the matrix name the same versions."""
    classifiers = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text())
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())["jobs"]

    assert classifiers == [
        version for version in jobs["versions"]["strategy"]["matrix"]["python"] if version[-1] != "t"
    ]
