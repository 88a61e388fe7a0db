"""Checkpoints are written and read as C2SP signed-note and tlog-checkpoint say."""

from __future__ import annotations

import base64

import pytest

from profilectl.audit.notes import Checkpoint, NoNote, Signature, SignedCheckpoint, is_note, key_id, parse_note

ROOT = bytes(range(32))
BODY = "profilectl/ledger/ab\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
NOTE = f"{BODY}\n— profilectl/ledger/ab AQIDBHNpZ25lZA==\n"


def test_a_note_is_what_the_specifications_say():
    """Origin, size and root, an empty line, and a line for the signature with the key's id in front."""
    checkpoint = Checkpoint("profilectl/ledger/ab", 7, ROOT)
    signed = SignedCheckpoint(checkpoint, BODY, (Signature("profilectl/ledger/ab", b"\1\2\3\4", b"signed"),))
    assert (BODY, NOTE) == (checkpoint.text(), signed.note())
    assert signed == parse_note(NOTE.encode())
    assert is_note(NOTE.encode())


def test_a_key_id_is_that_of_the_specification():
    """The key of the example in signed-note (PeterNeumann, as in Go's sumdb/note)."""
    _, identity, encoded = ["PeterNeumann", "c74f20a3", "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"]
    key = base64.b64decode(encoded)
    assert identity == key_id("PeterNeumann", key[:1], key[1:]).hex()


def test_further_lines_and_signatures_are_kept():
    """A checkpoint may have extensions, and witnesses add their lines."""
    note = parse_note(f"{BODY}more\n\n— a AQIDBHNpZ25lZA==\n— b AQIDBHNpZ25lZA==\n".encode())
    assert (f"{BODY}more\n", ["a", "b"]) == (note.text, [signature.name for signature in note.signatures])


@pytest.mark.parametrize(
    ("note", "why"),
    [
        (BODY, "no signature below an empty line"),
        (NOTE.replace("\n7\n", "\n07\n"), "no size"),
        (NOTE.replace("\n7\n", "\n-7\n"), "no size"),
        (NOTE.replace("\n7\n", "\n٧\n"), "no size"),
        (NOTE.replace("AAECAwQF", "AAEC*wQF"), "no root"),
        (NOTE.replace("AAECAwQF", ""), "no root"),
        (NOTE.replace("— ", "- "), "no signature"),
        (NOTE.replace("AQIDBHNpZ25lZA==", "AQID"), "no signature"),
        (NOTE.replace("ledger", "led\x1bger"), "control character"),
        (NOTE.replace("profilectl/ledger/ab\n7", "7"), "no checkpoint"),
        ("\n\n\n— a AQIDBHNpZ25lZA==\n", "no checkpoint"),
    ],
)
def test_what_is_no_checkpoint_says_why(note, why):
    """Nothing of it is believed."""
    with pytest.raises(NoNote, match=why):
        parse_note(note.encode())


def test_what_is_no_text_is_no_note():
    """Such as a picture."""
    with pytest.raises(NoNote, match="isn't text"):
        parse_note(b"\xff\xd8\n\n\xe2\x80\x94 a b\n")
