"""OAuth 1.0a from the server's side, by hand: RFC 5849 with HMAC-SHA1, one function per section.

Written apart from the client's signer on purpose, so that both can't share a mistake. Pure: secrets and time come in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urlsplit

from profilectl.sandbox.model.errors import Refusal, Refused

TOLERANCE = 5 * 60  # seconds that a timestamp may be off
_PARAMETER = re.compile(r'([^\s=,"]+)="([^"]*)"')
_MANDATORY = ("oauth_consumer_key", "oauth_signature_method", "oauth_signature", "oauth_timestamp", "oauth_nonce")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What a signature covers; `parameters` are the decoded pairs of the query and of a form body."""

    method: str
    url: str  # as it was called, encoded; a query in it is ignored
    parameters: tuple[tuple[str, str], ...]
    authorization: str  # the header's value


@dataclass(frozen=True, slots=True)
class Claims:
    """The protocol parameters of a request, well-formed but not yet believed."""

    protocol: Mapping[str, str]
    consumer_key: str
    token: str  # empty where no token is involved
    nonce: str
    stamp: int  # epoch seconds


def escape(text: str) -> str:
    """Percent-encode UTF-8, all but the unreserved characters (3.6)."""
    return quote(text, safe="-._~")


def decode_form(text: str) -> tuple[tuple[str, str], ...]:
    """The pairs of a query or a form body (3.4.1.3.1): ``+`` is a space, a name without value has an empty one."""
    parts = (part.partition("=") for part in text.split("&") if part)
    return tuple((_decode(name.replace("+", " ")), _decode(value.replace("+", " "))) for name, _, value in parts)


def _decode(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")


def base_string_uri(url: str) -> str:
    """Scheme and host in lower case, a port only if it isn't the scheme's own, no query (3.4.1.2)."""
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in {None, _DEFAULT_PORTS.get(scheme)} else f":{parts.port}"
    return f"{scheme}://{host}{port}{parts.path or '/'}"


def normalise_parameters(parameters: Iterable[tuple[str, str]]) -> str:
    """Encoded, sorted by name and then by value, joined (3.4.1.3.2)."""
    # By encoded bytes, not by characters: the order of `é` and `~` depends on it.
    pairs = sorted((escape(name), escape(value)) for name, value in parameters)
    return "&".join(f"{name}={value}" for name, value in pairs)


def base_string(method: str, url: str, parameters: Iterable[tuple[str, str]]) -> str:
    """What is signed (3.4.1.1)."""
    return "&".join(escape(part) for part in (method.upper(), base_string_uri(url), normalise_parameters(parameters)))


def hmac_sha1(text: str, consumer_secret: str, token_secret: str = "") -> str:
    """The signature of a base string, in base64 (3.4.2)."""
    key = f"{escape(consumer_secret)}&{escape(token_secret)}"
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()).decode()


def read_claims(request: SignedRequest) -> Claims:
    """Read the Authorization header (3.5.1); Refused if not OAuth, or a parameter is missing, doubled or malformed."""
    scheme, _, rest = request.authorization.partition(" ")
    pairs = [(_decode(name), _decode(value)) for name, value in _PARAMETER.findall(rest)]
    # The realm is no protocol parameter and isn't signed (3.4.1.3.1).
    protocol = {name: value for name, value in pairs if name.lower() != "realm"}
    is_complete = (
        scheme.lower() == "oauth"
        and all(protocol.get(name) for name in _MANDATORY)
        and len({name for name, _ in pairs}) == len(pairs)
        and re.fullmatch(r"[0-9]{1,12}", protocol["oauth_timestamp"])
    )
    if not is_complete:
        raise Refused(Refusal.NO_AUTHENTICATION)
    if protocol["oauth_signature_method"] != "HMAC-SHA1" or protocol.get("oauth_version", "1.0") != "1.0":
        raise Refused(Refusal.BAD_SIGNATURE)
    key, nonce, stamp = (protocol[f"oauth_{name}"] for name in ("consumer_key", "nonce", "timestamp"))
    return Claims(protocol, key, protocol.get("oauth_token", ""), nonce, int(stamp))


def check_signature(request: SignedRequest, claims: Claims, consumer_secret: str, token_secret: str) -> None:
    """Compute the signature again and compare (3.2); Refused if another one came."""
    covered = [(name, value) for name, value in claims.protocol.items() if name != "oauth_signature"]
    text = base_string(request.method, request.url, (*request.parameters, *covered))
    expected = hmac_sha1(text, consumer_secret, token_secret)
    if not hmac.compare_digest(expected.encode(), claims.protocol["oauth_signature"].encode()):
        raise Refused(Refusal.BAD_SIGNATURE)


def check_timestamp(claims: Claims, now: float) -> None:
    """Compare the client's clock with ours, both in epoch seconds (3.3); Refused if five minutes apart."""
    if abs(claims.stamp - now) > TOLERANCE:
        raise Refused(Refusal.CLOCK_OUT_OF_BOUNDS)
