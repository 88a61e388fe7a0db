"""A search that finds nothing proves nothing, unless it finds what is there."""

from __future__ import annotations

import base64
import json
import sys
from urllib.parse import quote

import pytest

from tests.canaries.traces import ENCODINGS, traces

_SPELLINGS = {
    "raw": str,
    "percent": quote,
    "percent, every byte, lower case": lambda text: ENCODINGS["percent"](text).lower(),
    "JSON": json.dumps,
    "repr": repr,
    "base64, at the front": lambda text: base64.b64encode(f"{text}:".encode()).decode(),
    "base64, in the middle": lambda text: base64.b64encode(f"u:{text}:v".encode()).decode(),
    "base64, at the end": lambda text: base64.b64encode(f"u{text}".encode()).decode(),
    "the first half": lambda text: text[:28],
    "the second half": lambda text: text[-28:],
}


@pytest.mark.parametrize("spell", _SPELLINGS.values(), ids=_SPELLINGS.keys())
def test_a_trace_is_found_in_every_encoding(spell, canaries):
    """Each value, in the middle of something else."""
    for name, value in canaries.plain().items():
        assert name in " ".join(traces(f"<{spell(value)}>".encode(), canaries))
    assert set() == traces(b"<***>", canaries)


def test_a_trace_is_found_wherever_a_program_leaves_it(house):
    """On stdout, on stderr, in a file, in the name of a file, and in arguments that are gone a moment later."""
    value = house.canaries.access_token
    house.home.joinpath("file").write_text(value)
    house.home.joinpath(value[:24]).touch()
    program = (sys.executable, "-c", "import sys, time; sys.stderr.write(input()); time.sleep(0.05)")

    house.run(f"'{value[:24]}'", stdin=value, program=program)

    places = {leak.split(": ")[1] if leak.startswith("'") else leak.split("/home/")[1][:4] for leak in house.leaks()}
    assert {"stderr", "/proc/…/cmdline", "file", value[:4]} <= places
