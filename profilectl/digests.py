"""Digests as the ledger, plans and documents write them: ``sha256:`` and 64 hexadecimal digits."""

from __future__ import annotations


def digest_of_bytes(content: bytes) -> str:
    """Return the digest of a file's or a text's bytes."""
    import hashlib  # loads OpenSSL, which a command that compares nothing does without

    return "sha256:" + hashlib.sha256(content).hexdigest()


def digest_of(plain: object) -> str:
    """Return the digest of plain data, however its dictionaries are ordered."""
    import json  # compiles patterns, for a command that compares nothing as well

    return digest_of_bytes(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode())


def is_digest(text: str) -> bool:
    """Say whether a text is written as a digest is."""
    digits = text.removeprefix("sha256:")
    return len(text) == 71 and len(digits) == 64 and set(digits) <= set("0123456789abcdef")
