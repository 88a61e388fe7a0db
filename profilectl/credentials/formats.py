"""The JSON forms of one account's credentials: what people hand us, and the one entry we keep in the keyring."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from profilectl.credentials.private_files import MAX_BYTES
from profilectl.errors import CredentialsError
from profilectl.secret import Credentials, Secret
from profilectl.system.memory import hide_memory
from profilectl.text.escape import visible

KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
_ALIASES = {"access_token": "token", "access_token_secret": "token_secret"}  # as the OAuth 1.0a libraries say
_SHORTEST = 8  # characters; anything shorter would be scrubbed out of innocent words
_VERSION = 1
_HANDLE = re.compile(r"[A-Za-z0-9_]{1,50}")
_HINT = f"it must be a JSON object with {', '.join(KEYS)}"


def account_name(handle: str) -> str:
    """Return a handle the way entries and files are named after it: without @, in lower case.

    Raises:
        CredentialsError: it is no handle.
    """
    # It becomes part of file names and of a command's arguments, where "../x" or "-x" would mean something else.
    name = handle.removeprefix("@").lower()
    if not _HANDLE.fullmatch(name):
        raise CredentialsError(f"{visible(handle)!r} is no handle", hint="handles are letters, digits and _")
    return name


def secret_value(value: str, name: str, origin: str) -> Secret:
    """Return one value as a `Secret`, without the newline that editors and ``echo`` leave at its end.

    Raises:
        CredentialsError: it is shorter than 8 characters, or holds blanks or control characters. It isn't shown.
    """
    hide_memory()
    trimmed = value.removesuffix("\n").removesuffix("\r")
    if not trimmed.isprintable() or " " in trimmed:
        message = f"{name} from {origin} holds a blank or a control character"
        raise CredentialsError(message, hint="paste it again, without Ctrl-V")
    if len(trimmed) < _SHORTEST:
        message = f"{name} from {origin} is shorter than {_SHORTEST} characters"
        raise CredentialsError(message, hint="copy it again from X's app settings")
    return Secret(trimmed)


def parse(text: str | bytes, origin: str) -> Credentials:
    """Return the credentials in a JSON object with the four `KEYS` and perhaps ``handle`` and ``user_id``.

    Args:
        text: at most `MAX_BYTES`; UTF-8, a byte order mark is fine.
        origin: where it comes from, for people; becomes `Credentials.source`.

    Raises:
        CredentialsError: too long, no JSON object, or values missing or unusable. Nothing of the text is shown.
    """
    if len(text) > MAX_BYTES:
        raise CredentialsError(f"{origin} holds more than {MAX_BYTES // 1024} KiB", hint=_HINT)
    document = _object(text)
    if document is None:
        raise CredentialsError(f"{origin} holds no JSON object", hint=_HINT)
    missing = [key for key in KEYS if not isinstance(_value(document, key), str)]
    if missing:
        raise CredentialsError(f"{origin} lacks {', '.join(missing)}", hint=_HINT)
    key, secret, token, token_secret = (secret_value(_value(document, name), name, origin) for name in KEYS)
    handle, user_id = _word(document, "handle"), _word(document, "user_id")
    if handle is not None and (not _HANDLE.fullmatch(handle) or handle in {key.reveal(), token.reveal()}):
        # Not quoted: a value that was pasted into the wrong field is a secret.
        raise CredentialsError(f"the handle in {origin} is no handle", hint=_HINT)
    return Credentials(key, secret, token, token_secret, origin, handle, user_id)


def to_entry(credentials: Credentials, *, host: str, handle: str, user_id: str, created: datetime) -> Secret:
    """Return the keyring entry of an account: one JSON object with everything that `from_entry` needs."""
    # One entry, not four: a keyring replaces each by itself, and a crash in between would mix two tokens.
    document = {
        "v": _VERSION,
        "kind": "oauth1",
        "host": host,
        "handle": handle,
        "user_id": user_id,
        "consumer_key": credentials.consumer_key.reveal(),
        "consumer_secret": credentials.consumer_secret.reveal(),
        "token": credentials.token.reveal(),
        "token_secret": credentials.token_secret.reveal(),
        "created": created.isoformat(timespec="seconds"),
    }
    return Secret(json.dumps(document, separators=(",", ":")))


def from_entry(entry: Secret, *, host: str, origin: str = "keyring") -> Credentials:
    """Return the credentials in a keyring entry.

    Raises:
        CredentialsError: the entry is damaged, made by a newer profilectl, or belongs to another API host.
    """
    document = _object(entry.reveal()) or {}
    again = "run `profilectl auth login` to replace it"
    if document.get("v") != _VERSION or document.get("kind") != "oauth1":
        raise CredentialsError("the keyring entry is damaged or was written by a newer profilectl", hint=again)
    if document.get("host") != host:
        raise CredentialsError(f"the keyring entry for {host} holds a token for another host", hint=again)
    return parse(entry.reveal(), origin)


def _object(text: str | bytes) -> Mapping[str, Any] | None:
    # A JSONDecodeError carries the whole document: it must not even become the context of what is raised next.
    try:
        document = json.loads(text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _value(document: Mapping[str, Any], key: str) -> Any:
    return document.get(key, document.get(_ALIASES.get(key, key)))


def _word(document: Mapping[str, Any], key: str) -> str | None:
    value = document.get(key)
    return value.removeprefix("@") if isinstance(value, str) and value else None
