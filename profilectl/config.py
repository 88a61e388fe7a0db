"""``config.toml``, the file that profilectl writes for itself: who is logged in, and a few choices. Never a secret."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from profilectl.errors import InputRefused, RosterRefused
from profilectl.model import Prices
from profilectl.system.files import read_regular, write_private
from profilectl.system.folders import make_private_folder
from profilectl.system.host import home_folder
from profilectl.system.locks import hold_config
from profilectl.text.escape import visible
from profilectl.toml.document import decode, load
from profilectl.toml.problems import format_problem

_MAX_BYTES: Final = 1_048_576  # for some accounts and a few choices, more than enough
_HIGHEST_PRICE: Final = 1000  # of one call, in any currency
_HINT = "mend the file by hand, or move it away and log in again"
PRICED: Final = ("dm", "upload", "create", "destroy")
"""The calls that may have a price in ``[prices]``."""
_ACCOUNT_KEYS: Final = ("handle", "user_id", "host", "storage")
_AUDIT_KEYS: Final = ("key", "anchor", "signers", "timestamp", "timestamp_ca")


class LoggedIn(Struct, frozen=True):
    """One account that `profilectl auth login` has stored."""

    handle: str
    user_id: str
    host: str  # of the API, with the port when there is one
    storage: str = "keyring"


class AuditChoices(Struct, frozen=True):
    """How the record's checkpoints are signed, and where they are kept; the table ``[audit]``."""

    key: str | None = None  # a key of ssh, or "keyring"
    anchor: str | None = None  # a folder that somebody else keeps
    signers: str | None = None  # a file with the public keys that are believed; else the key's own
    timestamp: str | None = None  # the address of a server that gives timestamps (RFC 3161)
    timestamp_ca: str | None = None  # a file with the certificates that its own is traced to


class Config(Struct, frozen=True):
    """The content of ``config.toml``."""

    path: Path  # whether it exists or not
    accounts: tuple[LoggedIn, ...] = ()
    brand: str | None = None  # the one that is meant when none is named
    credential_command: tuple[str, ...] = ()  # program and arguments that print an account's credentials
    ledger: str | None = None  # a path or ``postgresql://`` URL
    audit: AuditChoices = AuditChoices()
    people: Mapping[str, Any] = field(default_factory=dict)  # directories by their word, as `people.sources` reads them
    prices: Prices | None = None  # what a person has read of X's prices

    def account(self, handle: str, host: str) -> LoggedIn | None:
        """Return the account with that handle (in any case) at that host, or None."""
        key = handle.casefold(), host
        return next((account for account in self.accounts if (account.handle.casefold(), account.host) == key), None)

    def account_of(self, user_id: str, host: str) -> LoggedIn | None:
        """Return the account with that user id at that host, whatever it was called at its login, or None."""
        key = user_id, host
        return next((account for account in self.accounts if (account.user_id, account.host) == key), None)

    def with_account(self, account: LoggedIn) -> Config:
        """Return a config that knows this account, in place of what it knew about its handle or user id."""
        others = (other for other in self.accounts if not _is_same(other, account))
        return replace(self, accounts=(*others, account))

    def without_account(self, handle: str, host: str) -> Config:
        """Return a config that doesn't know the account with that handle at that host."""
        removed = self.account(handle, host)
        return replace(self, accounts=tuple(account for account in self.accounts if account != removed))


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the file belongs: ``$XDG_CONFIG_HOME/profilectl/config.toml``, or this system's like of it.

    A relative ``XDG_CONFIG_HOME`` counts as unset (XDG Base Directory Specification).
    """
    chosen = Path(environ.get("XDG_CONFIG_HOME", ""))
    if chosen.is_absolute():
        folder = chosen / "profilectl"
    elif sys.platform == "linux":
        folder = home_folder() / ".config" / "profilectl"
    else:
        from platformdirs import user_config_path

        folder = user_config_path("profilectl", appauthor=False)
    return folder / "config.toml"


def read_config(path: Path) -> Config:
    """Return the content of the file; empty when there is none.

    Raises:
        InputRefused: it can't be read, is no file of at most 1 MiB, is no TOML, or has a key or value that
            profilectl doesn't know.
    """
    shown = visible(str(path))
    try:
        file = read_regular(path, _MAX_BYTES + 1)
        if file is None:
            raise InputRefused(f"{shown} is not a regular file", hint=_HINT)
        content, status = file
        if len(content) > _MAX_BYTES:
            raise InputRefused(f"{shown} is larger than 1 MiB", hint=_HINT)
        document = load(decode(content, str(path)), str(path))
    except (FileNotFoundError, NotADirectoryError):  # or there is no home folder
        return Config(path)
    except RosterRefused as error:  # as the reader of TOML calls every file
        raise InputRefused(format_problem(error.problems[0]), hint=_HINT) from None
    except (OSError, ValueError) as error:
        raise InputRefused(f"{shown}: {visible(str(error))}", hint=_HINT) from None
    config = _from_document(path, document)
    # Whoever can write the file could have any program run with this user's rights.
    commands = [table.get("token_command") for table in config.people.values() if isinstance(table, dict)]
    if any(commands) and _others_can_write(status):
        message = f"{shown} names a token_command, but somebody else can write the file"
        raise InputRefused(message, hint="it must belong to you, with mode 600")
    if config.credential_command and _others_can_write(status):
        message = f"{shown} names a credential_command, but somebody else can write the file"
        raise InputRefused(message, hint="it must belong to you, with mode 600")
    return config


def write_config(config: Config) -> None:
    """Replace the file by this config, all or nothing, readable by its owner only.

    The caller holds `locks.hold_config`, from before it read what it changes.

    Raises:
        InputRefused: what is there now can't be read, so it isn't overwritten; or writing failed.
    """
    import tomli_w

    read_config(config.path)  # raises for what a newer profilectl or a person wrote there, and wants to keep
    content = tomli_w.dumps(_to_document(config)).encode()
    try:
        make_private_folder(config.path.parent)
        file = config.path.resolve()  # a link into somebody's dotfiles stays a link
        write_private(file, content, durable=True, alone=True)
    except OSError as error:
        raise InputRefused(f"{visible(str(config.path))} can't be written: {error.strerror}") from None


def choose_brand(path: Path, brand: str | None) -> None:
    """Write the brand that is meant when none is named, None for none, and leave the rest as it is.

    Raises:
        TryLater: a login or logout holds the file for too long.
        InputRefused: it can't be read or written.
    """
    with hold_config(path):
        write_config(replace(read_config(path), brand=brand))


def _others_can_write(status: os.stat_result) -> bool:
    if not hasattr(os, "geteuid"):
        return False  # Windows: the profile folder's access list guards the file
    return bool(status.st_mode & 0o022) or status.st_uid not in {0, os.geteuid()}


def _is_same(account: LoggedIn, other: LoggedIn) -> bool:
    same_name = account.handle.casefold() == other.handle.casefold()
    return account.host == other.host and (same_name or account.user_id == other.user_id)


def _to_document(config: Config) -> dict[str, Any]:
    document: dict[str, Any] = {"version": 1}
    if config.brand is not None:
        document["brand"] = config.brand
    if config.ledger is not None:
        document["ledger"] = config.ledger
    if config.credential_command:
        document["credential_command"] = list(config.credential_command)
    audit = {key: value for key in _AUDIT_KEYS if (value := getattr(config.audit, key)) is not None}
    if audit:
        document["audit"] = audit
    if config.people:
        document["people"] = dict(config.people)
    if config.prices is not None:
        own = {"currency": config.prices.currency, "as_of": config.prices.as_of}
        document["prices"] = dict(config.prices.amounts) | own
    document["accounts"] = [{key: getattr(account, key) for key in _ACCOUNT_KEYS} for account in config.accounts]
    return document


def _from_document(path: Path, document: dict[str, Any]) -> Config:
    version = document.pop("version", 1)
    if version != 1:
        message = f"{visible(str(path))} was written by a newer profilectl (version {visible(str(version))})"
        raise InputRefused(message, hint="update profilectl")
    config = Config(
        path,
        accounts=_accounts(path, document.pop("accounts", [])),
        brand=_text(path, "brand", document.pop("brand", None)),
        credential_command=_command(path, document.pop("credential_command", [])),
        ledger=_text(path, "ledger", document.pop("ledger", None)),
        audit=_audit(path, document.pop("audit", {})),
        people=_people(path, document.pop("people", {})),
        prices=_prices(path, document.pop("prices", None)),
    )
    if document:
        raise _unknown(path, next(iter(document)))
    return config


def _accounts(path: Path, tables: Any) -> tuple[LoggedIn, ...]:
    if not isinstance(tables, list) or not all(_is_account(table) for table in tables):
        keys = ", ".join(_ACCOUNT_KEYS)
        raise InputRefused(f"{visible(str(path))}: accounts must be tables with {keys}", hint=_HINT)
    return tuple(LoggedIn(**table) for table in tables)


def _audit(path: Path, table: Any) -> AuditChoices:
    if not isinstance(table, dict) or not table.keys() <= set(_AUDIT_KEYS):
        raise InputRefused(f"{visible(str(path))}: audit is a table that may say {', '.join(_AUDIT_KEYS)}", hint=_HINT)
    return AuditChoices(**{key: _text(path, f"audit.{key}", table.get(key)) for key in _AUDIT_KEYS})


def _is_account(table: Any) -> bool:
    return (
        isinstance(table, dict) and set(table) == set(_ACCOUNT_KEYS) and all(isinstance(v, str) for v in table.values())
    )


def _command(path: Path, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) and word and "\0" not in word for word in value):
        message = f'{visible(str(path))}: credential_command must be a list of strings, like ["pass", "show", "x"]'
        raise InputRefused(message, hint="there is no shell: every argument is a string of its own")
    return tuple(value)


def _people(path: Path, tables: Any) -> Mapping[str, Any]:
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise InputRefused(f"{visible(str(path))}: people must be tables such as [people.okta]", hint=_HINT)
    return tables


def _prices(path: Path, table: Any) -> Prices | None:
    if table is None:
        return None
    shown = visible(str(path))
    if not isinstance(table, dict):
        raise InputRefused(f"{shown}: prices must be a table", hint="[prices], then dm = 0.015 and as_of = 2026-11-29")
    amounts, currency, as_of = dict(table), table.get("currency", "USD"), table.get("as_of")
    for key in ("currency", "as_of"):
        amounts.pop(key, None)
    if type(as_of) is not date:
        hint = "as_of = 2026-11-29, without quotes: prices change, so they have the day on which you read them"
        raise InputRefused(f"{shown}: prices.as_of must be a date", hint=hint)
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise InputRefused(f"{shown}: prices.currency must be a code of three letters", hint='such as "USD"')
    for call, amount in amounts.items():
        if call not in PRICED:
            hint = f"prices may say {', '.join(PRICED)}, currency, as_of"
            raise InputRefused(f"{shown}: unknown key prices.{visible(call)}", hint=hint)
        if type(amount) not in {int, float} or not 0 <= amount <= _HIGHEST_PRICE:
            raise InputRefused(f"{shown}: prices.{call} must be a number from 0 to {_HIGHEST_PRICE}", hint=_HINT)
    return Prices({call: float(amount) for call, amount in amounts.items()}, currency, as_of)


def _text(path: Path, key: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise InputRefused(f"{visible(str(path))}: {key} must be a string", hint=_HINT)
    return value


def _unknown(path: Path, key: str) -> InputRefused:
    from difflib import get_close_matches

    known = ("accounts", "audit", "brand", "credential_command", "ledger", "people", "prices", "version")
    close = get_close_matches(key, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"it may say {', '.join(known)}"
    return InputRefused(f"{visible(str(path))}: unknown key {visible(key)}", hint=hint)
