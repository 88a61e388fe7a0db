"""``[people.okta]`` and its like in the user's config.toml: which directory is asked for whom, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from profilectl.api.urls import parse_address
from profilectl.errors import InputRefused, UsageError
from profilectl.people.importing import MAX_DELETES
from profilectl.people.mapping import COLUMNS
from profilectl.system.host import expand_home
from profilectl.text.escape import visible
from profilectl.text.suggest import did_you_mean

KINDS: Final = ("okta", "entra", "google", "zendesk")
_USUAL_URLS: Final = {"entra": "https://graph.microsoft.com", "google": "https://admin.googleapis.com"}
_KEYS: Final = ("url", "group", "user", "token_file", "token_command", "max_deletes", "map")


class Source(Struct, frozen=True):
    """One directory."""

    kind: str
    url: str
    group: str | None = None  # by its id; everybody otherwise
    user: str | None = None  # to whom Zendesk's API token belongs
    token_file: Path | None = None
    token_command: tuple[str, ...] = ()
    max_deletes: int = MAX_DELETES  # leavers whom one run may take out of the roster
    columns: Mapping[str, str] = {}  # fields of an agent by what the directory calls them


def choose(tables: Mapping[str, Any], kind: str | None, file: str) -> Source:
    """Return the directory that is meant: the one that is named, or the only one there is.

    Args:
        tables: of ``[people]``.
        kind: its word, None where none was given.
        file: what messages call config.toml.

    Raises:
        UsageError: it isn't configured, or none was named of several.
        InputRefused: its table can't be used.
    """
    if kind is not None and kind not in KINDS:
        raise UsageError(f'no directory is called "{visible(kind)}"{did_you_mean(kind, KINDS)}', hint=_listed())
    if kind is None and len(tables) > 1:
        raise UsageError("which directory isn't clear", hint=f"name one of {', '.join(map(visible, tables))}")
    kind = kind or next(iter(tables), None)
    if kind is None or kind not in tables:
        hint = f"a table [people.{visible(kind or 'okta')}] there sets it up"
        raise UsageError(f"no directory is set up in {visible(file)}", hint=hint)
    return _source(kind, tables[kind], visible(file))


def _listed() -> str:
    return f"there are {', '.join(KINDS)}"


def _source(kind: str, table: Mapping[str, Any], file: str) -> Source:
    where = f"{file}: [people.{visible(kind)}]"
    if kind not in KINDS:
        raise InputRefused(f"{where} is no directory that is known{did_you_mean(kind, KINDS)}", hint=_listed())
    for key in table:
        if key not in _KEYS:
            advice = did_you_mean(key, _KEYS)
            raise InputRefused(f"{where}: unknown key {visible(key)}{advice}", hint=f"it may say {', '.join(_KEYS)}")
    texts = {key: _text(table.get(key), key, where) for key in ("url", "group", "user", "token_file")}
    url = texts["url"] or _USUAL_URLS.get(kind)
    if url is None:
        raise InputRefused(f"{where}: url is missing", hint=f'such as url = "https://acme.{kind}.com"')
    if texts["token_file"] and table.get("token_command"):
        raise InputRefused(f"{where} has both token_file and token_command", hint="keep one of them")
    return Source(
        kind,
        parse_address(url).url,
        texts["group"],
        texts["user"],
        expand_home(texts["token_file"]) if texts["token_file"] else None,
        _command(table.get("token_command", []), where),
        _count(table.get("max_deletes", MAX_DELETES), where),
        _columns(table.get("map", {}), where),
    )


def _text(value: Any, key: str, where: str) -> str | None:
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise InputRefused(f"{where}: {key} must be a string with something in it")
    return value


def _command(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) and word and "\0" not in word for word in value):
        raise InputRefused(f"{where}: token_command must be a list of strings", hint="there is no shell")
    return tuple(value)


def _count(value: Any, where: str) -> int:
    if type(value) is not int or value < 0:
        raise InputRefused(f"{where}: max_deletes must be a whole number")
    return value


def _columns(value: Any, where: str) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(column, str) for column in value.values()):
        raise InputRefused(f'{where}: map must be a table such as {{ name = "profile.displayName" }}')
    for field in value:
        if field not in COLUMNS or field == "key":
            raise InputRefused(f"{where}: map: no field is called {visible(field)}{did_you_mean(field, COLUMNS)}")
    return value
