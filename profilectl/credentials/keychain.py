"""The operating system's keyring: one entry per account, a limit on every call, and a clear word for every failure."""

from __future__ import annotations

import enum
import os
import secrets
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from profilectl.credentials import backends
from profilectl.credentials.blob import account_name
from profilectl.credentials.deadline import run_with_deadline
from profilectl.errors import CredentialsError
from profilectl.names import visible
from profilectl.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from profilectl.credentials.backends import Backend

T = TypeVar("T")

_UNATTENDED: Final = 3.0  # seconds: a working keyring answers in a tenth of one
_ATTENDED: Final = 30.0  # seconds: time to type a password into the desktop's dialog
_MAX_LENGTH: Final = 1280  # UTF-16 units: the 2,560 bytes of a Windows credential (CRED_MAX_CREDENTIAL_BLOB_SIZE)
_OTHER_WAYS: Final = "PROFILECTL_CREDENTIALS_FILE, credential_command or the four variables do without a keyring"


class State(enum.Enum):
    """Why a keyring can't be used, and what to do next."""

    ABSENT = f"log in on a desktop session; {_OTHER_WAYS}"
    LOCKED = f"unlock it in your desktop session and run this again; {_OTHER_WAYS}"
    TIMED_OUT = f"restart the keyring daemon or log in again; {_OTHER_WAYS}"
    UNUSABLE = f"unset {backends.CHOICE}, or set it to one of {', '.join(backends.TRUSTED)}"
    FAILED = f"try it with the system's own keyring program; {_OTHER_WAYS}"
    TOO_BIG = "check that these are the four values of X's app settings, and nothing else"


class KeychainError(CredentialsError):
    """A keyring that can't be used.

    Attributes:
        state: which of the few things that can be wrong.
    """

    kind: ClassVar[str] = "keyring"

    def __init__(self, message: str, state: State) -> None:
        super().__init__(message, hint=state.value)
        self.state = state


# The libraries under keyring raise whatever they like, and `KeyringError` covers fewer than half of it. They are told
# apart by name, because most of these classes can't be imported where they can't be raised.
_STATES: Final = {
    "Untrusted": (State.UNUSABLE, "the keyring backend {text} isn't trusted with secrets"),
    "ImportError": (State.UNUSABLE, "the keyring backend {backend} isn't installed ({text})"),
    "NotThere": (State.ABSENT, "no keyring here: {text}"),
    "NoKeyringError": (State.ABSENT, "no keyring here"),
    "InitError": (State.ABSENT, "no keyring here: making one was dismissed"),
    "SecretServiceNotAvailableException": (State.ABSENT, "no keyring here: the session bus doesn't answer"),
    "Locked": (State.LOCKED, "the keyring is locked"),
    "KeyringLocked": (State.LOCKED, "the keyring is locked"),
    "LockedException": (State.LOCKED, "the keyring is locked"),
    "PromptDismissedException": (State.LOCKED, "the keyring is locked, and unlocking it was dismissed"),
    "TimeoutError": (State.TIMED_OUT, "the keyring didn't answer within {seconds:g} s"),
    "OSError": (State.ABSENT, "no keyring here: the session bus can't be reached"),
}


class Keychain:
    """The keyring of whoever runs this process; built and imported at the first call.

    Every method raises `KeychainError`, and nothing else, within the deadline. A keyring that didn't answer once isn't
    asked again, so that many accounts wait no longer than one.

    Args:
        attended: a person is there, so a locked keyring may open its dialog and gets 30 s instead of 3 s.
        environ: where ``PYTHON_KEYRING_BACKEND`` is looked up.
        backend: use this one; for tests.
        seconds: another deadline; for tests.
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
        self._hung: str | None = None

    @property
    def backend_name(self) -> str:
        """The store's name for people; before the first call, the one that will be tried."""
        if self._backend is not None:
            dotted = f"{type(self._backend).__module__}.{type(self._backend).__name__}"
        else:
            dotted = self._environ.get(backends.CHOICE) or backends.chosen_backend({})
        return backends.TRUSTED.get(dotted, visible(dotted))

    def probe(self) -> None:
        """Find out whether the keyring is there and open, without opening a window or touching an entry."""
        self._call(lambda _: None, look_first=True)

    def rehearse(self, host: str) -> None:
        """Store, read and delete a throw-away entry, so that a login fails before anything is asked."""
        service, user = f"profilectl:{host}", f"rehearsal-{secrets.token_hex(4)}"
        value = secrets.token_hex(16)

        def round_trip(backend: Backend) -> bool:
            backend.set_password(service, user, value)
            kept = backend.get_password(service, user) == value
            if kept:
                backend.delete_password(service, user)
            return kept

        if not self._call(round_trip):
            raise KeychainError(f"{self.backend_name} doesn't keep what is stored in it", State.FAILED)

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
            message = f"the entry of {address[1]} is too big for a keyring: {length} of {_MAX_LENGTH}"
            raise KeychainError(message, State.TOO_BIG)
        self._call(lambda backend: backend.set_password(*address, entry.reveal()))

    def delete(self, host: str, handle: str) -> bool:
        """Remove an account's entry; return False when there was none."""
        address = _address(host, handle)

        def remove(backend: Backend) -> bool:
            if backend.get_password(*address) is None:
                return False
            backend.delete_password(*address)
            return True

        return self._call(remove)

    def _call(self, deed: Callable[[Backend], T], *, look_first: bool = False) -> T:
        if self._hung is not None:
            raise KeychainError(self._hung, State.TIMED_OUT)

        def run() -> T:
            if self._backend is None:
                self._backend = backends.build_backend(backends.chosen_backend(self._environ))
            if look_first or not self._attended:
                backends.refuse_when_locked(self._backend)
            return deed(self._backend)

        try:
            return run_with_deadline(self._seconds, run)
        except Exception as error:  # noqa: BLE001 - the whole zoo; see _STATES
            failure = self._explain(error)
        # Raised here, outside the handler: what the libraries raised may hold an entry, and stays behind.
        if failure.state is State.TIMED_OUT:
            self._hung = failure.message
        raise failure

    def _explain(self, error: Exception) -> KeychainError:
        if isinstance(error, TimeoutError) and self._attended:
            return KeychainError(f"the keyring wasn't unlocked within {self._seconds:g} s", State.LOCKED)
        for name in (kind.__name__ for kind in type(error).__mro__):
            if name in _STATES:
                state, template = _STATES[name]
                words = {"text": visible(str(error)), "backend": self.backend_name, "seconds": self._seconds}
                return KeychainError(template.format_map(words), state)
        reason = getattr(error, "name", None)  # of a D-Bus error: what is wrong, without what it was about
        what = visible(reason) if isinstance(reason, str) else type(error).__name__
        return KeychainError(f"{self.backend_name} failed with {what}", State.FAILED)


def _address(host: str, handle: str) -> tuple[str, str]:
    """Return service and user of an account's entry; the host is part of it, so no other host ever gets the token."""
    return f"profilectl:{host}", f"@{account_name(handle)}"
