"""Where a ledger is: a file, or a PostgreSQL database that several machines share.

An address carries no secret, and says itself what it agrees to: who names a server beyond this machine gets TLS with a
certificate that is checked, because the ledger decides which profiles are destroyed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from profilectl.errors import UsageError
from profilectl.system.host import expand_home, home_folder
from profilectl.text.escape import visible

_SCHEMES: Final = frozenset({"postgresql", "postgres"})
_EXAMPLE: Final = "an address is like postgresql://ledger@db.example.com/brand; the password comes from elsewhere"
_PLAIN: Final = "allow_plain"
_SCHEMA: Final = "schema"
# what libpq may be asked by an address; whatever else it knows could run a query at the start, or name a secret
_OPTIONS: Final = frozenset({
    *("host", "hostaddr", "port", "dbname", "user", "service", "sslmode", "sslrootcert", "sslcert", "sslkey"),
    *("channel_binding", "target_session_attrs", "connect_timeout", "passfile", "gssencmode", "krbsrvname"),
})  # fmt: skip
_CHECKED: Final = "verify-full"
HOW_TO_LOG_IN: Final = "set PGPASSWORD, or write it into ~/.pgpass (chmod 600) or a service file (PGSERVICEFILE)"
_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, the BSDs
)


class PostgresAddress(Struct, frozen=True):
    """A ledger in a PostgreSQL database."""

    text: str  # the address as it was written; it holds no password
    options: tuple[tuple[str, str], ...]  # of libpq, by name
    schema: str = "profilectl"
    allows_plain: bool = False  # whether a person agreed to a connection that others can read or change

    def __str__(self) -> str:
        return self.text

    def connection_string(self) -> str:
        """Return what PostgreSQL's own programs take, such as pg_dump (libpq, "Keyword/Value Connection Strings")."""
        return " ".join(f"{name}={_in_quotes(value)}" for name, value in self.parameters().items())

    def parameters(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Return what libpq is to be called with, the kind of its TLS included.

        Raises:
            UsageError: the address asks for less than a checked certificate, and the server isn't on this machine.
        """
        parameters = dict(self.options)
        if _is_local(parameters, environ):
            return parameters
        mode = parameters.setdefault("sslmode", _CHECKED)
        if mode != _CHECKED and not self.allows_plain:
            raise UsageError(
                visible(f"{self} asks for sslmode={mode}: whoever is on the way could read or change the ledger"),
                hint=f"leave sslmode away, which means {_CHECKED}; {_PLAIN}=yes in the address agrees to it",
            )
        names_own = _has_service(parameters, environ) or environ.get("PGSSLROOTCERT") or _own_root(environ).exists()
        if mode == _CHECKED and not names_own:
            parameters.setdefault("sslrootcert", _trusted_roots(environ))
        return parameters


def parse_place(text: str) -> Path | PostgresAddress:
    """Return where a ledger is, as a person writes it: a path, or the address of a PostgreSQL database.

    Raises:
        UsageError: another kind of address, one that carries a password, or one with an option that isn't known.
    """
    scheme, separator, _ = text.partition("://")
    if not separator:
        return expand_home(text)
    if scheme not in _SCHEMES:
        raise UsageError(
            f"a ledger is kept in a file or in PostgreSQL, not at {visible(scheme)}://…",
            hint="PROFILECTL_LEDGER takes a path or postgresql://…",
        )
    return _parse(text)


def is_same_place(place: Path | PostgresAddress, other: Path | PostgresAddress) -> bool:
    """Say whether two places are one ledger, reached as safely; each machine has a login of its own in a database."""
    if isinstance(place, PostgresAddress) and isinstance(other, PostgresAddress):
        return _without_login(place) == _without_login(other)
    if isinstance(place, PostgresAddress) or isinstance(other, PostgresAddress):
        return False
    return place.absolute() == other.absolute()


def _in_quotes(value: str) -> str:
    """Return a value of a connection string, in quotes where libpq needs them: empty, spaces, quotes, backslashes."""
    if value and not re.search(r"[\s'\\]", value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _without_login(address: PostgresAddress) -> tuple[object, ...]:
    options = [option for option in address.options if option[0] not in {"user", "passfile", "sslcert", "sslkey"}]
    return options, address.schema, address.allows_plain


def is_schema_name(name: str) -> bool:
    """Say whether a schema can be named in an address: plain letters, so that it needs no quotes anywhere."""
    return re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name) is not None


def _parse(text: str) -> PostgresAddress:
    try:
        parts = urlsplit(text)
        password = parts.password
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise UsageError("the ledger's address can't be read", hint=_EXAMPLE) from None
    # it would stand in a configuration file, in the list of processes, and in every message about the ledger
    if password is not None or any("password" in name for name in options):
        raise UsageError(
            "the ledger's address carries a password",
            hint="take it out: PGPASSWORD, ~/.pgpass, PGSERVICEFILE or the keyring hold it",
        )
    plain, schema = options.pop(_PLAIN, "no"), options.pop(_SCHEMA, "profilectl")
    if unknown := sorted(set(options) - _OPTIONS):
        raise UsageError(f"the ledger's address has an unknown option {visible(unknown[0])}", hint=_EXAMPLE)
    if plain not in {"yes", "no"} or not is_schema_name(schema):
        raise UsageError(
            f"the ledger's address needs {_PLAIN}=yes or no, and a {_SCHEMA} of small letters, digits and underscores",
            hint=_EXAMPLE,
        )
    return PostgresAddress(text, tuple(sorted((_from_path(text) | options).items())), schema, plain == "yes")


def _from_path(text: str) -> dict[str, str]:
    """Return what stands before the query of an address, as options of libpq."""
    from urllib.parse import unquote

    parts = urlsplit(text)
    authority = parts.netloc.rpartition("@")[2]
    # several servers, as libpq takes them: host1:5432,host2:5433
    hosts, ports = zip(*(_split_port(server) for server in authority.split(",")), strict=True)
    values = {"user": parts.username or "", "host": ",".join(hosts), "dbname": parts.path.removeprefix("/")}
    values["port"] = ",".join(ports) if any(ports) else ""
    return {name: unquote(value) for name, value in values.items() if value.strip(",")}


def _split_port(server: str) -> tuple[str, str]:
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(\d*))?", server)
    if match is None:
        raise UsageError("the ledger's address can't be read", hint=_EXAMPLE)
    return match[1].strip("[]"), match[2] or ""


def _is_local(parameters: Mapping[str, str], environ: Mapping[str, str]) -> bool:
    """Say whether each server that may be asked is on this machine: a socket's folder, or loopback."""
    if _has_service(parameters, environ):
        return False  # its file may name any server
    # as libpq has it: an option that is there and empty hides the variable, and an address goes before its host
    hosts = parameters.get("host", environ.get("PGHOST", "")).split(",")
    addresses = parameters.get("hostaddr", environ.get("PGHOSTADDR", "")).split(",")
    servers = (address or host for host, address in zip_longest(hosts, addresses, fillvalue=""))
    return all(_is_on_this_machine(server) for server in servers)


def _has_service(parameters: Mapping[str, str], environ: Mapping[str, str]) -> bool:
    return "service" in parameters or bool(environ.get("PGSERVICE"))


def _is_on_this_machine(server: str) -> bool:
    from ipaddress import ip_address

    if not server or server == "localhost" or server.startswith("/"):  # as libpq tells sockets from names
        return True
    try:
        return ip_address(server).is_loopback
    except ValueError:
        return False


def _trusted_roots(environ: Mapping[str, str]) -> str:
    """Return the file of certificates that this machine trusts; "system" where it has none in a usual place.

    The wheels of psycopg bring an OpenSSL along that looks for the system's certificates where nobody keeps them.
    """
    if environ.get("SSL_CERT_FILE") or environ.get("SSL_CERT_DIR"):
        return "system"
    return next((path for path in _BUNDLES if Path(path).exists()), "system")


def _own_root(environ: Mapping[str, str]) -> Path:
    """Return the file in which libpq looks for the certificates that a user trusts."""
    home = environ.get("HOME")
    return (Path(home) if home else home_folder()) / ".postgresql" / "root.crt"
