"""Addresses that may be called: of X over TLS, of a sandbox on loopback, of pictures, of a timestamp server."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from msgspec import Struct

from profilectl.errors import Refused, UsageError
from profilectl.text.escape import visible

DEFAULT_URL = "https://api.x.com"
LONGEST_ADDRESS = 2000  # characters of a picture's address; X's have about 60

# ASCII only, as letters of other scripts can look the same.
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+")
_LONGEST_SHOWN = 200  # characters of an address that is refused
_NUMBER = r"[0-9]+|0x[0-9a-f]*"
_EXAMPLE = "give only scheme and host, as in https://api.x.com or http://127.0.0.1:8080"


class Address(Struct, frozen=True):
    """Scheme, host and port of the API, checked."""

    url: str  # without a trailing slash
    host: str  # without the port
    is_loopback: bool


def parse_address(url: str) -> Address:
    """Check an API address.

    Raises:
        UsageError: for anything but ``https://host[:port]``, or ``http://`` to 127.0.0.0/8, ::1 or localhost.
    """
    if "@" in url:  # wherever it stands: a password isn't repeated, not even one that makes no address
        raise UsageError("the API address carries a user name or password", hint=_EXAMPLE)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refuse(url, "isn't an address") from None
    if parts.scheme not in {"https", "http"} or not _HOST.fullmatch(host):
        raise _refuse(url, "isn't an https address")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise _refuse(url, "carries a path or a query")
    loopback = _is_loopback(host)
    if parts.scheme == "http" and not loopback:
        raise _refuse(url, "would send credentials unencrypted; http:// is for loopback addresses only")
    netloc = f"[{host}]" if ":" in host else host  # `hostname` has lost the brackets of RFC 3986 3.2.2
    return Address(f"{parts.scheme}://{netloc}" + (f":{port}" if port else ""), host, loopback)


def check_picture_url(url: str) -> str:
    """Return the address of a picture, as X names it, when it may be fetched.

    Raises:
        Refused: for anything but ``https://`` without a user name, or ``http://`` on loopback.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port  # the port is read, because only reading it shows that it's none
    except ValueError:
        host, parts = "", urlsplit("")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))
    is_safe = is_safe and bool(_HOST.fullmatch(host)) and len(url) <= LONGEST_ADDRESS
    if not is_safe or parts.username is not None or parts.password is not None:
        raise _refuse_picture(url)
    return url


def parse_timestamp_url(url: str) -> str:
    """Return the address of a timestamp server when it may be asked.

    Raises:
        UsageError: for anything but ``https://`` without a user name, or ``http://`` on loopback.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))
    is_plain = "@" not in url and not parts.fragment and len(url) <= LONGEST_ADDRESS
    if not (is_safe and is_plain and _HOST.fullmatch(host)):
        what = (
            "[audit] timestamp in config.toml is no address that may be asked"  # not repeated: it may hold a password
        )
        raise UsageError(what, hint="give one of https://, without a user name, such as https://tsa.example/tsr")
    return url


def check_fetched_url(url: str, *, by_loopback: bool) -> str:
    """Return the address of a picture when this machine may fetch it; `by_loopback`: for an X on loopback.

    A proxy resolves names itself, so of what it may call only the host as it is written can be judged here.

    Raises:
        Refused: also for an address of this machine's network, in whatever form, and a host that can't be one.
    """
    host = urlsplit(check_picture_url(url)).hostname or ""
    if not (by_loopback if _is_loopback(host) else _may_be_public(host)):
        raise _refuse_picture(url)
    return url


def is_loopback_url(url: str) -> bool:
    """Return whether a checked address names this machine."""
    return _is_loopback(urlsplit(url).hostname or "")


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public network, also where IPv6 carries one of IPv4."""
    from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        if ip in IPv6Network("64:ff9b::/96"):  # RFC 6052: a network without IPv4 reaches it there
            return is_public(str(IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip.ipv4_mapped or ip.sixtofour or ip.teredo:
            return False
    return ip.is_global and not ip.is_multicast


def _may_be_public(host: str) -> bool:
    last = host.rpartition(".")[2]
    if ":" in host or re.fullmatch(_NUMBER, last):  # resolvers take 127.1, 0177.0.0.1 and 0x7f000001 for addresses, too
        try:
            return is_public(host)
        except ValueError:
            return False
    labels = host.split(".")
    return last != "localhost" and len(host) <= 253 and all(0 < len(label) <= 63 for label in labels)  # RFC 1035 2.3.4


def _is_loopback(host: str) -> bool:
    if not host[-1:].isdigit() and ":" not in host:  # no number, so no address; top-level domains aren't numeric
        return host == "localhost"
    from ipaddress import ip_address  # 1 ms that a command at api.x.com needn't spend

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_picture(url: str) -> Refused:
    start = visible(url if len(url) <= _LONGEST_SHOWN else url[:_LONGEST_SHOWN] + "…")
    return Refused(f"the picture's address {start or '(empty)'} isn't one that may be called")


def _refuse(url: str, why: str) -> UsageError:
    return UsageError(f"the API address {visible(url)} {why}", hint=_EXAMPLE)
