"""Timestamps of checkpoints (RFC 3161): an authority's word that a note was there at a moment.

`rfc3161_client` makes the query, reads the answer and follows its certificates; nothing here reads ASN.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256, sha512
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from profilectl.errors import InputRefused, UsageError
from profilectl.system.extras import how_to_install

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

_DIGESTS: Final = {"2.16.840.1.101.3.4.2.1": sha256, "2.16.840.1.101.3.4.2.3": sha512}  # NIST's ids of them


class NoTimestamp(InputRefused):
    """An answer that is no timestamp of a note."""


class Query(Struct, frozen=True):
    """What an authority is asked, and the number that its answer repeats."""

    content: bytes
    nonce: int | None


def require_library() -> None:
    """Raise UsageError where the library that reads timestamps isn't installed."""
    if not has_library():
        what = "[audit] timestamp is in config.toml, and rfc3161-client isn't installed"
        raise UsageError(what, hint=how_to_install("timestamp"))


def has_library() -> bool:
    """Say whether timestamps can be asked for and read."""
    try:
        import rfc3161_client  # noqa: F401
    except ImportError:
        return False
    return True


def query_about(note: bytes) -> Query:
    """Return what to ask an authority about a note: its SHA-256, a new number, and the certificates with the answer."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    builder = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256)
    query = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    return Query(query.as_bytes(), query.nonce)


def read_authorities(content: bytes) -> Sequence[Certificate]:
    """Return the certificates of a file in PEM; InputRefused where it holds none."""
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(content)
    except ValueError:
        raise InputRefused("holds no certificate in PEM", hint="[audit] timestamp_ca in config.toml names it") from None


def moment_of(
    answer: bytes, note: bytes, authorities: Sequence[Certificate] | None, nonce: int | None = None
) -> datetime:
    """Return when a note was there, by an authority's answer; its certificates are followed where some are believed.

    Args:
        answer: what the authority has answered, or what was kept of it.
        note: the signed note, byte for byte.
        authorities: the certificates that are believed; with None, who signed isn't looked at.
        nonce: the number that the answer has to repeat, where it is the answer to a query of now.

    Raises:
        NoTimestamp: it is none, or of another text, or nobody who is believed has signed it.
    """
    token = _decoded(answer)
    imprint = token.tst_info.message_imprint
    digest = _DIGESTS.get(imprint.hash_algorithm.dotted_string)
    if digest is None:
        raise NoTimestamp("its digest is neither SHA-256 nor SHA-512")
    if imprint.message != digest(note).digest():
        raise NoTimestamp("it is of another text")
    if nonce is not None and token.tst_info.nonce != nonce:
        raise NoTimestamp("it answers another query")
    if authorities is not None:
        _require_signed(token, imprint.message, authorities)
    return token.tst_info.gen_time.astimezone(UTC)


def _decoded(answer: bytes) -> TimeStampResponse:
    from rfc3161_client import PKIStatus, decode_timestamp_response

    try:
        token = decode_timestamp_response(answer)
        status = token.status
    except ValueError:
        raise NoTimestamp("it is no timestamp (RFC 3161)") from None
    if status != PKIStatus.GRANTED:  # with changes to what was asked, the library takes none for good
        raise NoTimestamp(f"the server gave none: {PKIStatus(status).name.lower().replace('_', ' ')}")
    return token


def _require_signed(token: TimeStampResponse, digest: bytes, authorities: Sequence[Certificate]) -> None:
    from rfc3161_client import VerificationError, VerifierBuilder

    verifier = VerifierBuilder(roots=list(authorities)).build()
    try:
        verifier.verify(token, digest)
    except (VerificationError, ValueError):  # the latter for a certificate that can't be read
        raise NoTimestamp("no certificate that [audit] timestamp_ca names stands behind it") from None
