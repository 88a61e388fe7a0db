"""Checkpoints are signed by a real ssh-keygen, or with a real Ed25519 key, and only the right keys are believed."""

from __future__ import annotations

import base64
import subprocess

import pytest

from profilectl.audit.notes import Checkpoint, Signature, parse_note
from profilectl.audit.signatures import (
    NAMESPACE,
    KeyringSigner,
    Signers,
    SshSigner,
    new_seed,
    own_signers,
    read_signers,
)
from profilectl.errors import InputRefused

CHECKPOINT = Checkpoint("profilectl/ledger/ab", 7, bytes(32))
UNKNOWN = "no key that is known here has signed it"
ANOTHER_TEXT = "its signature isn't one of that text"


def key(folder, name="key", passphrase="", kind="ed25519"):
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", path], check=True)
    return path


@pytest.fixture(params=["ssh", "ecdsa", "keyring"])
def signer(request, tmp_path):
    if request.param == "keyring":
        pytest.importorskip("cryptography")
        return KeyringSigner(new_seed())
    return SshSigner(key(tmp_path, kind="ecdsa" if request.param == "ecdsa" else "ed25519"), False)


def test_what_was_signed_is_believed(signer):
    """By its own public key, from the note as it is kept."""
    signed = parse_note(signer.sign(CHECKPOINT).note().encode())
    assert CHECKPOINT == signed.checkpoint
    assert own_signers(signer.public(CHECKPOINT.origin)).refusal(signed) is None


def test_another_text_is_not(signer):
    """One more record, and the signature is none."""
    note = signer.sign(CHECKPOINT).note().replace("\n7\n", "\n8\n")
    assert ANOTHER_TEXT == own_signers(signer.public(CHECKPOINT.origin)).refusal(parse_note(note.encode()))


def test_another_key_is_not(signer, tmp_path):
    """Whoever can write to the folder has a key as well."""
    signed = SshSigner(key(tmp_path, "mallory"), False).sign(CHECKPOINT)
    assert UNKNOWN == own_signers(signer.public(CHECKPOINT.origin)).refusal(signed)


def test_a_signature_for_another_purpose_is_not(tmp_path):
    """Such as one under a commit."""
    path = key(tmp_path)
    signer = SshSigner(path, False)
    words = ["ssh-keygen", "-q", "-Y", "sign", "-f", path, "-n", "git"]
    armored = subprocess.run(words, input=CHECKPOINT.text().encode(), capture_output=True, check=True).stdout
    blob = base64.b64decode(b"".join(armored.split(b"\n")[1:-2]))
    signed = signer.sign(CHECKPOINT)
    forged = parse_note(
        signed.note().replace(signed.signatures[0].line(), Signature(CHECKPOINT.origin, b"abcd", blob).line()).encode()
    )
    assert own_signers(signer.public("")).refusal(forged) in {UNKNOWN, ANOTHER_TEXT}
    assert own_signers(signer.public("")).refusal(signed) is None


def test_a_list_names_several_keys_as_ssh_does(tmp_path):
    """With principals, comments, and keys of signed notes among them."""
    pytest.importorskip("cryptography")
    first, second = SshSigner(key(tmp_path, "a"), False), SshSigner(key(tmp_path, "b"), False)
    third = KeyringSigner(new_seed())
    lines = ["# the team", f"ann@example.com {first.public('')}", f'bob namespaces="{NAMESPACE}" {second.public("")}']
    signers = read_signers([*lines, "", third.public(CHECKPOINT.origin)])
    assert [None] * 3 == [signers.refusal(signer.sign(CHECKPOINT)) for signer in (first, second, third)]
    elsewhere = read_signers([lines[2].replace(NAMESPACE, "git")])
    assert elsewhere.refusal(second.sign(CHECKPOINT)) in {UNKNOWN, ANOTHER_TEXT}


def test_nobody_is_believed_without_keys(signer):
    """An empty list is no permission."""
    assert UNKNOWN == Signers("").refusal(signer.sign(CHECKPOINT))


def test_a_passphrase_is_asked_of_nobody(tmp_path, monkeypatch):
    """In cron it ends at once with what to do, though a program that asks in a window is configured."""
    asked = tmp_path / "asked"
    program = tmp_path / "askpass"
    program.write_text(f"#!/bin/sh\ntouch {asked}\n")
    program.chmod(0o755)
    monkeypatch.setenv("SSH_ASKPASS", str(program))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    monkeypatch.setenv("DISPLAY", ":0")
    with pytest.raises(InputRefused, match="couldn't sign with") as refusal:
        SshSigner(key(tmp_path, passphrase="secret"), False).sign(CHECKPOINT)
    assert "ssh-agent" in refusal.value.hint
    assert not asked.exists()


def test_a_key_that_is_not_there_says_how_to_make_one(tmp_path):
    """With the command."""
    with pytest.raises(InputRefused, match="couldn't sign") as refusal:
        SshSigner(tmp_path / "none", False).sign(CHECKPOINT)
    assert "ssh-keygen -t ed25519" in refusal.value.hint


def test_without_ssh_keygen_both_ways_on_are_named(tmp_path, monkeypatch):
    """Install it, or keep a key in the keyring."""
    signer = SshSigner(key(tmp_path), False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputRefused, match="no ssh-keygen") as refusal:
        signer.sign(CHECKPOINT)
    assert 'key = "keyring"' in refusal.value.hint


@pytest.mark.parametrize("line", ["a+0badc0de+AQID", "a+0badc0de+" + "Ag" * 22])
def test_a_damaged_key_of_signed_notes_is_named(line):
    """It would match nothing, and nobody would know why."""
    with pytest.raises(InputRefused, match="is no Ed25519 key of signed notes"):
        read_signers([line])
