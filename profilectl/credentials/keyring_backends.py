"""Which keyring backends are trusted, how the right one is built, and how its lock is seen without opening a window.

The class is built directly instead of asking `keyring.get_keyring`: that would import and rate every installed backend,
follow a configuration file that may name any class, and settle for one that throws secrets away (``null``) or keeps
them in plain text.
"""

from __future__ import annotations

import importlib
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

SECRET_SERVICE: Final = "keyring.backends.SecretService.Keyring"  # noqa: S105 - a class, no password
KWALLET: Final = "keyring.backends.kwallet.DBusKeyring"
MACOS: Final = "keyring.backends.macOS.Keyring"
WINDOWS: Final = "keyring.backends.Windows.WinVaultKeyring"
PASS: Final = "keyring_pass.PasswordStoreBackend"  # noqa: S105 - a class, no password

TRUSTED: Final = {
    SECRET_SERVICE: "Secret Service",
    KWALLET: "KWallet",
    MACOS: "macOS Keychain",
    WINDOWS: "Windows Credential Manager",
    PASS: "pass",
}
CHOICE: Final = "PYTHON_KEYRING_BACKEND"
_BUS: Final = "DBUS_SESSION_BUS_ADDRESS"


class Backend(Protocol):
    """What is used of keyring's ``KeyringBackend``."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return an entry, or None when there is none."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store an entry, in place of one that is there."""

    def delete_password(self, service: str, username: str) -> None:
        """Remove an entry."""


class Untrusted(Exception):
    """The chosen backend isn't one that keeps secrets; the text names it."""


class NotThere(Exception):
    """This session has no store for secrets; the text says what is missing."""


class Locked(Exception):
    """The store is there, and locked."""


def chosen_backend(environ: Mapping[str, str]) -> str:
    """Return the dotted name of the backend to build, without importing it.

    Raises:
        Untrusted: ``PYTHON_KEYRING_BACKEND`` names a class that isn't in `TRUSTED`.
    """
    chosen = environ.get(CHOICE, "")
    if chosen and chosen not in TRUSTED:
        raise Untrusted(chosen)
    return chosen or {"darwin": MACOS, "win32": WINDOWS}.get(sys.platform, SECRET_SERVICE)


def build_backend(name: str) -> Backend:
    """Import and build a trusted backend; on a KDE desktop without a Secret Service, KWallet takes its place.

    Raises:
        NotThere: nothing on this session's bus can keep secrets.
        ImportError: the backend, or the library that it needs, isn't installed.
    """
    if name in {SECRET_SERVICE, KWALLET}:
        _join_session_bus()
    if name == SECRET_SERVICE and not _has_secret_service():
        if not _class(KWALLET).viable:
            raise NotThere("no Secret Service on the session bus")
        name = KWALLET
    backend: Backend = _class(name)()
    return backend


def refuse_when_locked(backend: Any) -> None:
    """Look at the lock of a Secret Service without asking anybody to open it; other backends can't be looked at.

    From then on the backend uses the keyring that was looked at by its own address. By the alias, gnome-keyring finds
    none now and then while two programs ask it, as one of its threads reads the alias and another replaces it.

    Raises:
        Locked: it is locked.
        NotThere: it has no default keyring yet, and making one would open a window.
    """
    if type(backend).__module__ != "keyring.backends.SecretService":
        return
    import secretstorage

    with closing(secretstorage.dbus_init()) as connection:
        collection = _default_collection(connection) or _default_collection(connection)  # see above
        if collection is None:
            raise NotThere("the Secret Service has no default keyring yet")
        if collection.is_locked():
            raise Locked
        backend.preferred_collection = collection.collection_path


def _default_collection(connection: Any) -> Any:
    """Return the Secret Service's default keyring, None if it says that it has none."""
    import secretstorage

    try:
        return secretstorage.get_collection_by_alias(connection, "default")
    except secretstorage.ItemNotFoundException:
        return None


def find_session_bus(folders: Iterable[Path]) -> str | None:
    """Return the D-Bus address of the first folder with a socket ``bus`` that belongs to us, or None."""
    # libdbus and sd-bus look there by themselves; the D-Bus library under keyring doesn't, and cron sets no address.
    for folder in folders:
        socket = folder / "bus"
        try:
            status = socket.stat()
        except OSError:
            continue
        if stat.S_ISSOCK(status.st_mode) and status.st_uid == os.getuid():
            return "unix:path=" + quote(str(socket), safe="/-_.*")
    return None


def _join_session_bus() -> None:
    if os.environ.get(_BUS):
        return
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    address = find_session_bus([*([Path(runtime)] if runtime else []), Path(f"/run/user/{os.getuid()}")])
    if address is None:
        raise NotThere("no D-Bus session bus")
    os.environ[_BUS] = address


def _has_secret_service() -> bool:
    import secretstorage

    with closing(secretstorage.dbus_init()) as connection:
        return secretstorage.check_service_availability(connection)


def _class(dotted: str) -> Any:
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)
