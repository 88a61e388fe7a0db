"""Secrets don't show, in whatever way somebody tries to look."""

from __future__ import annotations

import base64
import copy
import io
import json
import logging
import pickle
import traceback
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profilectl.secret import Credentials, Secret, log_filter, scrub, scrub_json

CANARY = "canary/ü+'\"\\=%41"

# What surrounds and what is hidden share no characters, so that a hit is a leak and never a coincidence.
surroundings = st.text("ghij \n{}:", max_size=20)
values = st.text("ABC019+/=%'\"\\é€😀-_", min_size=8, max_size=40)

ENCODINGS = {
    "raw": lambda text: text,
    "percent": lambda text: quote(text, safe=""),
    "percent, slashes kept": quote,
    "percent, form": quote_plus,
    "percent, every byte, lower case": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "JSON": json.dumps,
    "JSON, not ASCII": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON, slashes escaped": lambda text: json.dumps(text).replace("/", "\\/"),
    "repr": repr,
    "repr beside a quote": lambda text: repr("\"'" + text),
    "ascii": ascii,
    "repr of bytes": lambda text: repr(text.encode()),
    "repr of bytes beside a quote": lambda text: repr(b"\"'" + text.encode()),
}


@pytest.mark.parametrize("show", [str, repr, "{}".format, "%s".__mod__, "{:>8}".format, lambda secret: f"{secret!r}"])
def test_a_secret_prints_stars(show):
    """Printing, formatting and repr show three stars, whatever the format asks for."""
    assert show(Secret(CANARY)) == "***"


@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_not_serialised(copying):
    """A pickle would be the value in a file."""
    with pytest.raises(TypeError, match="can't be pickled"):
        copying(Secret(CANARY))


def test_a_secret_is_not_empty():
    """An unset variable never passes for a secret."""
    with pytest.raises(ValueError, match="empty"):
        Secret("")


def test_secrets_compare_by_value():
    """Two secrets are equal when their values are, and never equal to a string."""
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret(CANARY + "x")
    assert Secret(CANARY) != CANARY
    assert {Secret(CANARY): 1}[Secret(CANARY)] == 1


def test_credentials_show_where_they_come_from_only():
    """The value around the secrets prints no value, and isn't turned into plain data by accident."""
    key = Secret(CANARY)
    credentials = Credentials(key, key, key, key, source="environment")
    assert "canary" not in repr(credentials)
    assert "environment" in repr(credentials)
    assert "%41" in key.tail()
    with pytest.raises(TypeError):
        msgspec.to_builtins(credentials)


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS.keys())
@given(before=surroundings, value=values, after=surroundings)
def test_scrub_finds_a_secret_in_every_encoding(encode, before, value, after):
    """An encoded secret is replaced as a whole, and what stands around it stays."""
    text = f"{before}{encode(value)}{after}"
    scrubbed = scrub(text, [Secret(value)])
    assert encode(value).strip("b\"'") not in scrubbed
    assert "***" in scrubbed
    assert scrubbed.startswith(before)
    assert scrubbed.endswith(after)


@given(before=st.binary(max_size=7), value=values, after=st.binary(max_size=7), urlsafe=st.booleans())
def test_scrub_finds_a_secret_inside_base64(before, value, after, urlsafe):
    """Wherever a secret stands in what was encoded, nothing that spells more than its edges is left."""
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    text = encode(before + value.encode() + after).decode()
    scrubbed = scrub(text, [Secret(value)])
    assert "***" in scrubbed
    assert len(scrubbed) - 3 <= len(encode(before)) + len(encode(after)) + 4


@pytest.mark.parametrize(
    "spell",
    [
        json.dumps,
        lambda text: json.dumps(json.dumps(text)),
        lambda text: json.dumps({"cut": repr(text)})[:-1],
        lambda text: '"' + "".join(f"\\u{ord(char):04x}" for char in text) + '"',
    ],
    ids=["JSON", "JSON in JSON", "repr in cut JSON", "every character escaped"],
)
def test_scrub_json_finds_a_secret_however_its_string_is_escaped(spell):
    """What a document spells is looked at, not only how it stands on the wire."""
    scrubbed = scrub_json(f"[1, {spell(CANARY)}]", [Secret(CANARY)])
    assert scrubbed.startswith("[1, ")
    assert "***" in scrubbed
    assert "canary" not in scrubbed
    assert scrub_json(spell("harmless \ud800"), [Secret(CANARY)]) == spell("harmless \ud800")


@settings(max_examples=50)
@given(text=st.text())
def test_scrub_leaves_other_text_alone(text):
    """A text without secrets comes back as it was."""
    assert scrub(text, [Secret("not-in-any-text-0123456789")]) == text
    assert scrub(text, []) == text


def test_scrub_takes_the_longest_first():
    """A secret that begins with another one leaves no tail."""
    short, long = Secret("abcdefgh"), Secret("abcdefgh12345678")
    assert scrub("<abcdefgh12345678>", [short, long]) == "<***>"


def test_log_filter_scrubs_messages_arguments_and_tracebacks():
    """Nothing reaches the log, not even a secret that was learned after the handler was set up."""
    known: list[Secret] = []
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(log_filter(known))
    logger = logging.getLogger("test_secret")
    logger.propagate = False
    logger.addHandler(handler)
    known.append(Secret(CANARY))
    try:
        {}[CANARY]
    except KeyError:
        logger.exception("sent %s to %s", quote(CANARY, safe=""), "X")
    logger.warning("plain %d", 7)
    logger.removeHandler(handler)
    assert stream.getvalue().startswith("sent *** to X\nTraceback")
    assert stream.getvalue().endswith("KeyError: '***'\nplain 7\n")


def test_a_traceback_shows_no_value():
    """A crash with a secret at hand prints its name only."""
    with pytest.raises(TypeError) as caught:
        int(Secret(CANARY))
    assert "canary" not in "".join(traceback.format_exception(caught.value))
