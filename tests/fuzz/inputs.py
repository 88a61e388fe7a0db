"""Where inputs come from: seeds with a few edits of their bytes, and documents with other values in some places."""

from __future__ import annotations

import copy
import json
import random
import unicodedata

from hypothesis import strategies as st

WORDS = [
    b"", b"\x00", b"\xff", b"\r\n", b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b"=", b":", b",", b".", b"-", b"&", b"*",
     b"\\ud800", b"\\u0000", b"1e999", b"-1", b"9" * 40, b"NaN", b"null", b"true", b"\x1b[2J", b"\xef\xbb\xbf",
     "\u202e".encode(), "\u200d".encode(), "\U000e0001".encode(), "²".encode(), "١".encode(), "é".encode(),
]  # fmt: skip
TEXTS = st.text(max_size=60) | st.sampled_from(
    ["", " ", "\x1b]0;x\x07", "\u202eabc", "{first}", "{", "}}", "../x", "-x", "a" * 3000, "e\u0301" * 30, "\ud800",
     "0" * 30, "²"]
)  # fmt: skip
# What joiners, selectors and tags may stand beside: each kind of letter and symbol, and what only looks like one.
_MARKS = [char for char in map(chr, range(0x110000)) if unicodedata.category(char) == "Cf"]
_MARKS += "\u180b\u180c\u180d\u180f\ufe00\ufe0e\ufe0f\U000e0100\u034f\u115f\u1160\u17b4\u2800\u3164\uffa0"
_BASES = "a1>*\n\x1bé\u0301\u0627\u0628\u0651\u0710\u07ca\u0915\u094d\u0d4d\u1000\u1039\u1820\u4e2d\u2615\u2139\U0001f469\U0001f680\U0001f3fb\U0001f3f4\U0001faf9\u0378\ud800"  # noqa: E501
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def mutated(seeds):
    """Draw one of the seeds, with up to six pieces of it replaced, removed or repeated."""
    # Drawn by one number: an input takes hypothesis 0.5 ms so, and 2.2 ms where every edit is drawn (of the TOML seeds,
    # 1,000 inputs each); and bytes hardly need shrinking.
    return st.integers(0, (1 << 64) - 1).map(lambda number: _scrambled(seeds, random.Random(number)))


def joined():
    """Draw short texts of marks that show nothing and of what they may stand beside."""
    return st.integers(0, (1 << 64) - 1).map(lambda number: _joined(random.Random(number)))


def _joined(chance):
    return "".join(chance.choice(chance.choice((_MARKS, _BASES, _BASES))) for _ in range(chance.randrange(9)))


def _scrambled(seeds, chance):
    content = bytearray(chance.choice(seeds))
    for _ in range(chance.randrange(7)):
        begin = chance.randrange(len(content) + 1)
        end = min(len(content), begin + chance.randrange(chance.choice([2, 12, 400])))
        deed = chance.randrange(4)
        if deed == 0:
            content[begin:end] = bytes(content[begin:end]) * chance.choice([2, 30])
        elif deed == 1 and begin < len(content):
            content[begin] ^= 1 << chance.randrange(8)
        elif deed == 2:
            other = chance.choice(seeds)
            at = chance.randrange(len(other) + 1)
            content[begin:end] = other[at : at + chance.randrange(40)]
        else:
            content[begin:end] = (
                chance.choice(WORDS) if chance.random() < 0.7 else chance.randbytes(chance.randrange(9))
            )
    return bytes(content)


@st.composite
def edited(draw, documents, values=VALUES):
    """Draw one of the documents, with another value, or none, at up to three places of it."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(0, 3))):
        places = list(_places(document))
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        if draw(st.booleans()) or isinstance(holder, list):
            holder[key] = draw(values)
        else:
            del holder[key]
            if draw(st.booleans()):
                holder[draw(TEXTS)] = draw(values)
    return document


def as_json(documents):
    """Draw the bytes of an edited JSON document; half a surrogate pair in it is spelled as JSON can."""
    return edited(documents).map(lambda document: json.dumps(document).encode())


def _places(document):
    entries = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in list(entries):
        yield document, key
        if isinstance(value, (dict, list)):
            yield from _places(value)
