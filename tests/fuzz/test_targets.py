"""Readers of foreign bytes under inputs that nobody has thought of, 20 seconds each.

``PROFILECTL_TEST_FUZZ_SECONDS=3600 pytest tests/fuzz`` gives each an hour; ``PROFILECTL_TEST_FUZZ_SEED`` repeats a run.
"""

from __future__ import annotations

import json
import os
import random
import time

import pytest

from profilectl.access import policy_file
from profilectl.api.wire import Answer, Unreadable
from profilectl.config import read_config
from profilectl.plan import saved
from profilectl.roster.parser import parse
from tests.fuzz.runner import check, explore
from tests.fuzz.targets import (
    ANSWERS,
    CONFIG,
    FAULTY,
    FOLDER,
    FORM,
    PLAN,
    POLICY,
    READERS,
    REQUESTS,
    ROSTER,
    TARGETS,
    as_toml,
    corpus,
    sealed,
    statuses_of,
)

SECONDS = float(os.environ.get("PROFILECTL_TEST_FUZZ_SECONDS", "20"))


@pytest.mark.parametrize(
    ("target", "path"),
    [pytest.param(target, path, id=f"{target.name}-{path.name}") for target in TARGETS for path in corpus(target.name)],
)
def test_what_broke_once(target, path):
    """Every input that has broken a reader is taken, or refused in its words."""
    check(target, path.read_bytes(), path)


@pytest.mark.parametrize(("status", "content"), REQUESTS, ids=lambda value: str(value)[:50])
def test_requests_reach_what_they_are_for(status, content):
    """What is refused at the door shows nothing of the rooms: every seed passes signature, token and parameters."""
    assert [(status, False)] == list(statuses_of(content))


@pytest.mark.parametrize("content", FAULTY, ids=range(len(FAULTY)))
def test_faults_are_met(content):
    """All calls of such a seed are let in, and the fault waits for each of them."""
    (ordered, _), *rest = statuses_of(content)

    assert ordered == 200
    assert {True} == {is_faulty for _, is_faulty in rest}
    assert 401 not in {status for status, _ in rest}


@pytest.mark.parametrize("number", range(len(READERS)))
def test_every_reader_takes_a_seed(number):
    """And then everything that is near it."""
    bodies = [*(json.dumps(document).encode() for document in ANSWERS), FORM, b""]
    answers = [Answer(status, {}, body) for body in bodies for status in (200, 204)]

    assert any(is_readable(READERS[number], answer) for answer in answers)


def is_readable(read, answer):
    try:
        read(answer)
    except Unreadable:
        return False
    return True


@pytest.mark.parametrize("document", [ROSTER, POLICY, CONFIG], ids=["roster", "policy", "config"])
def test_toml_seeds_are_taken(document):
    """By whom they are for, without a problem."""
    content = as_toml(document)
    path = FOLDER / "seed.toml"
    path.write_bytes(content)
    path.chmod(0o600)

    if document is ROSTER:
        assert parse(content.decode(), "roster.toml").agents
    elif document is POLICY:
        assert policy_file._parse(content, "policy.toml")
    else:
        assert read_config(path).accounts


def test_the_plan_is_taken():
    """Its digests are right."""
    assert "acme" in saved.from_document(sealed(dict(PLAN)), "plan.json").brands


@pytest.mark.timeout(SECONDS + 600)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_random_inputs(target):
    """No input makes a reader fail in a way that the program doesn't foresee."""
    seed = int(os.environ.get("PROFILECTL_TEST_FUZZ_SEED") or random.SystemRandom().randrange(1 << 32))

    begun = time.monotonic()
    count = explore(target, SECONDS, seed)
    pace = count / (time.monotonic() - begun)

    print(f"{target.name}: {count} inputs, {pace:.0f} a second, seed {seed}")  # noqa: T201 - shown of a failing run, and by -rP
    assert count > 0
