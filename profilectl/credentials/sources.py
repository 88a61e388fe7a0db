"""The places credentials can come from, in their order: the first that is configured wins, and its failure is final."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from msgspec import Struct, field
from msgspec.structs import replace

from profilectl.credentials.external_command import fill, is_runnable, run_command
from profilectl.credentials.formats import account_name, from_entry, parse, secret_value
from profilectl.credentials.keyring import Keychain, KeychainError, State
from profilectl.credentials.private_files import read_private, read_stdin
from profilectl.errors import CredentialsError
from profilectl.secret import Credentials
from profilectl.system.host import expand_home
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.config import Config

VARIABLES: Final = (
    "PROFILECTL_CONSUMER_KEY",
    "PROFILECTL_CONSUMER_SECRET",
    "PROFILECTL_ACCESS_TOKEN",
    "PROFILECTL_ACCESS_TOKEN_SECRET",
)
FILE_VARIABLE: Final = "PROFILECTL_CREDENTIALS_FILE"
SYSTEMD_VARIABLE: Final = "CREDENTIALS_DIRECTORY"
_BY_SOURCE: Final = {
    "file": "one file holds one account's: name the right one with --brand and --credentials-file, or unset "
    f"{FILE_VARIABLE} and run `profilectl auth login` as @{{handle}}",
    "stdin": "stdin holds one account's: name its brand with --brand, or hand over those of @{handle}",
    "systemd": "lay one credential ready for each account, as LoadCredential=profilectl.{handle}:FILE for @{handle}",
    "command": "let credential_command print those of the account that its {{handle}} stands for",
    "keyring": "log in anew: `profilectl auth login` as @{handle}",
}
"""What helps where a source's credentials are those of another account."""


class FileSource(Struct, frozen=True):
    """A JSON file of ours."""

    path: Path
    by_systemd: bool = False
    name: ClassVar[str] = "file"

    def fetch(self) -> Credentials:
        """Read the file."""
        content = read_private(self.path, by_systemd=self.by_systemd)
        return parse(content, f"file {visible(str(self.path))}")

    inspect = fetch


class SystemdSource(FileSource, frozen=True):
    """A credential that systemd laid ready for this service (``LoadCredential=``)."""

    name: ClassVar[str] = "systemd"


class StdinSource(Struct, frozen=True):
    """JSON that is piped into the process."""

    name: ClassVar[str] = "stdin"

    def fetch(self) -> Credentials:
        """Read stdin to its end."""
        return parse(read_stdin(), "stdin")

    def inspect(self) -> None:
        """Return None: stdin can be read once only."""


class CommandSource(Struct, frozen=True):
    """A program that prints JSON."""

    argv: tuple[str, ...]
    name: ClassVar[str] = "command"

    def fetch(self) -> Credentials:
        """Run the program."""
        return parse(run_command(self.argv), f"credential_command {visible(self.argv[0])}")

    def inspect(self) -> None:
        """Raise `CredentialsError` unless the program exists."""
        # Running it might open a window: password managers ask for a master password.
        if not is_runnable(self.argv):
            raise CredentialsError(f"credential_command {visible(self.argv[0])} doesn't exist")


class EnvironmentSource(Struct, frozen=True):
    """The four variables."""

    environ: Mapping[str, str]
    name: ClassVar[str] = "environment"

    def fetch(self) -> Credentials:
        """Read the variables."""
        missing = [variable for variable in VARIABLES if not self.environ.get(variable)]
        if missing:
            there = len(VARIABLES) - len(missing)
            message = f"{there} of the four credential variables set, but not {', '.join(missing)}"
            raise CredentialsError(message, hint="set all four, or none")
        key, secret, token, token_secret = (
            secret_value(self.environ[variable], variable, "the environment") for variable in VARIABLES
        )
        return Credentials(key, secret, token, token_secret, source="environment")

    inspect = fetch


class KeyringSource(Struct, frozen=True):
    """The entry of the account in the operating system's keyring."""

    keychain: Keychain
    host: str
    handle: str
    name: ClassVar[str] = "keyring"

    def fetch(self) -> Credentials:
        """Read the entry."""
        missing = f"no credentials for @{self.handle} at {visible(self.host)}"
        try:
            entry = self.keychain.get(self.host, self.handle)
        except KeychainError as error:
            raise KeychainError(f"{missing}: {error.message}", error.state, error.hint) from None
        if entry is None:
            raise KeychainError(missing, State.NO_ENTRY)
        return from_entry(entry, host=self.host)

    inspect = fetch


Source = FileSource | StdinSource | CommandSource | EnvironmentSource | KeyringSource
"""`fetch` returns the credentials; so does `inspect`, or None where somebody would be asked or something started."""


class AccountStatus(Struct, frozen=True):
    """Where one account's credentials come from; becomes an entry of `profilectl.auth/1`."""

    handle: str
    host: str
    source: str
    backend: str | None  # of the keyring
    usable: bool  # nothing is known to be wrong; X wasn't asked
    problem: str | None = None
    hint: str | None = None
    token_tail: str | None = None  # the last four characters of the access token, None when it couldn't be seen


class Sources(Struct, frozen=True):
    """Everything that is set up to give the credentials of accounts at one host; the first configured source counts.

    The order is: option, file variable, systemd credential, command, four variables, keyring.
    """

    host: str  # of the API, with the port when there is one
    config: Config
    keychain: Keychain
    credentials_file: Path | None = None  # the option's value; ``-`` means stdin
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def find(self, handle: str) -> Credentials:
        """Return the credentials of a handle, with or without @.

        Raises:
            CredentialsError: the first configured source doesn't give them, or gives those of another account.
        """
        # No other source is tried: falling back would act with a token that nobody meant.
        source = self._source_of(handle)
        return _belonging_to(handle, source.fetch(), source.name)

    def describe(self, handle: str) -> AccountStatus:
        """Say where an account's credentials would come from and whether they could, without a prompt or the network.

        The keychain must be an unattended one, else a locked keyring opens its dialog.
        """
        source = self._source_of(handle)
        backend = self.keychain.backend_name if source.name == KeyringSource.name else None
        return _inspected(source, AccountStatus(handle.removeprefix("@"), self.host, source.name, backend, usable=True))

    def describe_anonymous(self) -> AccountStatus | None:
        """Say the same of credentials that are configured where nobody has named an account; None when there are none.

        The handle is empty when the source doesn't say whose they are, as the four variables never do.
        """
        source = self._given_source("")
        return (
            None if source is None else _inspected(source, AccountStatus("", self.host, source.name, None, usable=True))
        )

    def _source_of(self, handle: str) -> Source:
        name = account_name(handle)
        return self._given_source(name) or KeyringSource(self.keychain, self.host, name)

    def _given_source(self, name: str) -> Source | None:
        """Return the first source that somebody has set up by hand, None where only the keyring is left."""
        if self.credentials_file is not None:
            return StdinSource() if str(self.credentials_file) == "-" else FileSource(self.credentials_file)
        if self.environ.get(FILE_VARIABLE):
            return FileSource(expand_home(self.environ[FILE_VARIABLE]))
        if systemd_file := _systemd_credential(self.environ.get(SYSTEMD_VARIABLE), name):
            return SystemdSource(systemd_file, by_systemd=True)
        if self.config.credential_command:
            return CommandSource(fill(self.config.credential_command, handle=name, host=self.host))
        if any(self.environ.get(variable) for variable in VARIABLES):
            return EnvironmentSource(self.environ)
        return None


def _inspected(source: Source, status: AccountStatus) -> AccountStatus:
    try:
        credentials = source.inspect()
        if credentials is None:
            return status
        if status.handle:
            _belonging_to(status.handle, credentials, source.name)
    except CredentialsError as error:
        return replace(status, usable=False, problem=error.message, hint=error.hint)
    return replace(status, handle=status.handle or credentials.handle or "", token_tail=credentials.token.tail())


def _systemd_credential(folder: str | None, handle: str) -> Path | None:
    if not folder:
        return None
    candidates = (Path(folder) / f"profilectl.{handle}", Path(folder) / "profilectl")
    return next((path for path in candidates if os.path.lexists(path)), None)


def _belonging_to(handle: str, credentials: Credentials, source: str) -> Credentials:
    if credentials.handle is not None and account_name(credentials.handle) != account_name(handle):
        message = f"{credentials.source} holds the credentials of @{visible(credentials.handle)}, not of @{handle}"
        raise CredentialsError(message, hint=_BY_SOURCE[source].format(handle=account_name(handle)))
    return credentials
