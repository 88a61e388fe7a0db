"""The token of a directory of people: from a private file, a command, or the keyring; never from an option."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from profilectl.credentials.external_command import run_command
from profilectl.credentials.keyring import Keychain
from profilectl.credentials.private_files import MAX_BYTES, read_private
from profilectl.errors import CredentialsError
from profilectl.secret import Secret


def find_token(kind: str, file: Path | None, command: Sequence[str], keychain: Keychain) -> Secret:
    """Return a directory's token: the first source that is configured counts, and its failure is final.

    Args:
        kind: the directory's word in config.toml, such as ``okta``.
        file: one that only this user can read, or None.
        command: a program with its arguments, that prints the token; or nothing.
        keychain: holds it under ``profilectl:people`` and the directory's word otherwise.

    Raises:
        CredentialsError: it can't be had.
    """
    if file is not None:
        return _token(read_private(file), f"the file of [people.{kind}]")
    if command:
        return _token(run_command(command), f"token_command of [people.{kind}]")
    token = keychain.directory_token(kind)
    if token is None:
        raise CredentialsError(
            f"no token for {kind}: the keyring has none under profilectl:people",
            hint=f"[people.{kind}] in config.toml may name a token_file or a token_command",
        )
    return token


def _token(content: bytes, where: str) -> Secret:
    text = content[: MAX_BYTES + 1].decode("ascii", "replace").strip()
    # What isn't a single word of visible ASCII would break the header that it is sent in.
    if not text or len(content) > MAX_BYTES or not all("!" <= char <= "~" for char in text):
        raise CredentialsError(f"{where} holds no token: one word of ASCII is expected")
    return Secret(text)
