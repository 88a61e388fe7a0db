"""The operating system's keyring: one entry per account, a limit on every call, and a clear error for every failure."""

from __future__ import annotations

import enum
import os
import secrets
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from profilectl.credentials import keyring_backends
from profilectl.credentials.formats import account_name
from profilectl.errors import CredentialsError
from profilectl.secret import Secret
from profilectl.system.memory import hide_memory
from profilectl.system.threads import run_with_deadline
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.credentials.keyring_backends import Backend

T = TypeVar("T")

_UNATTENDED: Final = 3.0  # seconds: a working keyring answers in a tenth of one
_LOOK: Final = 2.0  # seconds of them for a look at the lock, so that a frozen one is reported within 4 from the start
_ATTENDED: Final = 30.0  # seconds: time to type a password into the desktop's dialog
_SIGNING: Final = ("profilectl:audit", "checkpoints")  # service and user of the key that signs checkpoints
_TEST_LENGTH: Final = 512  # characters: an entry of X's values has about 370
_MAX_LENGTH: Final = 1280  # UTF-16 units: the 2,560 bytes of a Windows credential (CRED_MAX_CREDENTIAL_BLOB_SIZE)
_OTHER_WAYS: Final = "PROFILECTL_CREDENTIALS_FILE, credential_command or the four variables do without a keyring"
_ON_A_SERVER: Final = "put the four values into a file (chmod 600) and set PROFILECTL_CREDENTIALS_FILE"


class State(enum.Enum):
    """Why a keyring gives or takes nothing, and what to do next."""

    ABSENT = f"on a desktop, log in to its session; on a server, {_ON_A_SERVER}"
    LOCKED = f"unlock it in your desktop session and run this again; {_OTHER_WAYS}"
    TIMED_OUT = f"restart the keyring daemon or log in again; {_OTHER_WAYS}"
    NO_ENTRY = f"run `profilectl auth login`; {_OTHER_WAYS}"
    UNUSABLE = f"unset {keyring_backends.CHOICE}, or set it to one of {', '.join(keyring_backends.TRUSTED)}"
    TOO_BIG = "check that these are the four values of X's app settings, and nothing else"


_TRY_BY_HAND: Final = f"try it with the system's own keyring program; {_OTHER_WAYS}"


class KeychainError(CredentialsError):
    """A keyring that can't be used; `hint` is given where the state's own advice doesn't fit."""

    kind: ClassVar[str] = "keyring"

    def __init__(self, message: str, state: State, hint: str | None = None) -> None:
        super().__init__(message, hint=hint or state.value)
        self.state = state


# The libraries under keyring raise whatever they like, and `KeyringError` covers fewer than half of it. They are
# known by name, because most of these classes can't be imported where they can't be raised.
_STATES: Final = {
    "Untrusted": (State.UNUSABLE, "the keyring backend {text} isn't trusted with secrets"),
    "ImportError": (State.UNUSABLE, "the keyring backend {backend} isn't installed ({text})"),
    "NotThere": (State.ABSENT, "this machine has no keyring: {text}"),
    "NoKeyringError": (State.ABSENT, "this machine has no keyring"),
    "InitError": (State.ABSENT, "this machine has no keyring: making one was dismissed"),
    "SecretServiceNotAvailableException": (State.ABSENT, "this machine has no keyring: the session bus doesn't answer"),
    "Locked": (State.LOCKED, "the keyring is locked"),
    "KeyringLocked": (State.LOCKED, "the keyring is locked"),
    "LockedException": (State.LOCKED, "the keyring is locked"),
    "PromptDismissedException": (State.LOCKED, "the keyring is locked, and unlocking it was dismissed"),
    "ItemNotFoundException": (State.NO_ENTRY, "the keyring's entry is gone"),
    "PasswordDeleteError": (State.NO_ENTRY, "the keyring's entry is gone"),
    "TimeoutError": (State.TIMED_OUT, "the keyring didn't answer in time"),
    "OSError": (State.ABSENT, "this machine has no keyring: the session bus can't be reached"),
}


class Keychain:
    """The keyring of whoever runs this process; built and imported at the first call.

    Every method raises `KeychainError`, and nothing else, within the deadline.

    Args:
        attended: a person is there, so a locked keyring may open its dialog and gets 30 s instead of 3 s.
        environ: where ``PYTHON_KEYRING_BACKEND`` is looked up.
        backend: used instead of a new one.
        seconds: used instead of the 30 or 3.
    """

    def __init__(
        self,
        *,
        attended: bool = False,
        environ: Mapping[str, str] = os.environ,
        backend: Backend | None = None,
        seconds: float | None = None,
    ) -> None:
        self._attended = attended
        self._environ = environ
        self._backend = backend
        self._seconds = seconds or (_ATTENDED if attended else _UNATTENDED)
        self._hung: KeychainError | None = None  # isn't asked again, so that many accounts wait no longer than one

    @property
    def backend_name(self) -> str:
        """The store's name for people; before the first call, the one that will be tried."""
        if self._backend is not None:
            dotted = f"{type(self._backend).__module__}.{type(self._backend).__name__}"
        else:
            dotted = self._environ.get(keyring_backends.CHOICE) or keyring_backends.chosen_backend({})
        return keyring_backends.TRUSTED.get(dotted, visible(dotted))

    def probe(self) -> None:
        """Find out whether the keyring is there and open, without opening a window or touching an entry."""
        self._call(lambda _: None, look_first=True)

    def self_test(self, host: str) -> None:
        """Store, read and delete a throw-away entry, longer than a real one."""
        # Always of the same name: what a killed login left behind goes with the next.
        service, user = f"profilectl:{host}", "rehearsal"
        value = secrets.token_hex(_TEST_LENGTH // 2)

        def round_trip(backend: Backend) -> bool:
            backend.set_password(service, user, value)
            stored = backend.get_password(service, user)
            if stored is not None:
                backend.delete_password(service, user)
            return stored == value

        if not self._call(round_trip):
            message = f"{self.backend_name} doesn't keep what is stored in it"
            raise KeychainError(message, State.UNUSABLE, _TRY_BY_HAND)

    def get(self, host: str, handle: str) -> Secret | None:
        """Return an account's entry, or None when there is none."""
        address = _address(host, handle)
        value = self._call(lambda backend: backend.get_password(*address))
        return Secret(value) if value else None

    def set(self, host: str, handle: str, entry: Secret) -> None:
        """Store an account's entry, in place of the one that is there."""
        address = _address(host, handle)
        length = len(entry.reveal().encode("utf-16-le")) // 2
        if length > _MAX_LENGTH:
            message = f"the entry of {address[1]} is too big for a keyring"
            raise KeychainError(f"{message}: {length} characters (UTF-16) of at most {_MAX_LENGTH}", State.TOO_BIG)
        self._call(lambda backend: backend.set_password(*address, entry.reveal()))

    def ledger_password(self, address: str) -> Secret | None:
        """Return the password that a person stored for a ledger's address, as it is written, None without one."""
        value = self._call(lambda backend: backend.get_password("profilectl:ledger", address))
        return Secret(value) if value else None

    def signing_key(self) -> Secret | None:
        """Return the key that signs checkpoints of the record, None where there is none yet."""
        value = self._call(lambda backend: backend.get_password(*_SIGNING))
        return Secret(value) if value else None

    def set_signing_key(self, key: Secret) -> None:
        """Store the key that signs checkpoints of the record."""
        self._call(lambda backend: backend.set_password(*_SIGNING, key.reveal()))

    def directory_token(self, kind: str) -> Secret | None:
        """Return the token that a person stored for a directory of people, such as ``okta``, None without one."""
        value = self._call(lambda backend: backend.get_password("profilectl:people", kind))
        return Secret(value) if value else None

    def delete(self, host: str, handle: str) -> bool:
        """Remove an account's entry; return False when there was none."""
        address = _address(host, handle)

        def remove(backend: Backend) -> bool:
            if backend.get_password(*address) is None:
                return False
            backend.delete_password(*address)
            return True

        return self._call(remove)

    def _call(self, action: Callable[[Backend], T], *, look_first: bool = False) -> T:
        if self._hung is not None:
            raise KeychainError(self._hung.message, self._hung.state, self._hung.hint)
        hide_memory()
        end = time.monotonic() + self._seconds
        try:
            backend = run_with_deadline(self._seconds, self._built)
            if look_first or not self._attended:
                run_with_deadline(min(self._seconds, _LOOK), lambda: keyring_backends.refuse_when_locked(backend))
            return run_with_deadline(max(end - time.monotonic(), 0.0), lambda: action(backend))
        except Exception as error:  # noqa: BLE001 - whatever the libraries raise; see _STATES
            failure = self._explain(error)
            if isinstance(error, TimeoutError):
                self._hung = failure
        # Raised here, outside the handler: what the libraries raised may hold an entry, and stays behind.
        raise failure

    def _built(self) -> Backend:
        if self._backend is None:
            self._backend = keyring_backends.build_backend(keyring_backends.chosen_backend(self._environ))
        return self._backend

    def _explain(self, error: Exception) -> KeychainError:
        if isinstance(error, TimeoutError) and self._attended:
            return KeychainError(f"the keyring wasn't unlocked within {self._seconds:g} s", State.LOCKED)
        for name in (kind.__name__ for kind in type(error).__mro__):
            if name in _STATES:
                state, template = _STATES[name]
                words = {"text": visible(str(error)), "backend": self.backend_name}
                return KeychainError(template.format_map(words), state)
        reason = getattr(error, "name", None)  # of a D-Bus error: what is wrong, without what it was about
        what = visible(reason) if isinstance(reason, str) else type(error).__name__
        return KeychainError(f"{self.backend_name} failed with {what}", State.UNUSABLE, _TRY_BY_HAND)


def _address(host: str, handle: str) -> tuple[str, str]:
    """Return service and user of an account's entry."""
    # The host is part of it, so that another host never gets the token.
    return f"profilectl:{host}", f"@{account_name(handle)}"
