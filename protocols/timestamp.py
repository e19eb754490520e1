"""Time stamps: a request to an authority, and what its token proves. Réf. RFC 3161, RFC 5816.

`rfc3161-client` reads the response and verifies the signature of the token. What surrounds the
signature is judged here, so that a refusal says what is wrong: the digest, the nonce, the purpose
of the authority's certificate, its path at the instant of the token, and whether it still holds
now. A token whose authority's certificate has ended since proves nothing more by itself: whoever
broke the key meanwhile could have made it (RFC 3161 4.3).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import (
    PKIStatus,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from protocols import der
from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.pki import ChainError, ChainFault, dn, read_certificate, verify_chain

__all__ = [
    "DIGESTS",
    "REPLY_TYPE",
    "REQUEST_TYPE",
    "Timestamp",
    "TimestampError",
    "TimestampFault",
    "check_reply",
    "timestamp_request",
    "verify_timestamp",
]

REQUEST_TYPE: Final = "application/timestamp-query"
REPLY_TYPE: Final = "application/timestamp-reply"
DIGESTS: Final = {
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
"""By the name that `hashlib` knows."""
TOLERANCE: Final = timedelta(minutes=5)
"""How far ahead of ours the authority's clock may be."""
_MAX_SIZE: Final = 256 * 1024


class TimestampFault(StrEnum):
    """Why a time stamp proves nothing."""

    MALFORMED = "malformed"
    REFUSED = "refused"
    """The authority gave no token."""
    DIGEST = "digest"
    """Of something else, or by an algorithm that we do not accept."""
    NONCE = "nonce"
    SIGNATURE = "signature"
    PURPOSE = "purpose"
    """Signed by a certificate that is not for time stamps, and for them alone."""
    UNTRUSTED = "untrusted"
    """No sound path to a pinned root at the instant of the token, or revoked."""
    EXPIRED = "expired"
    """Its authority's certificate had ended, or has since."""
    FUTURE = "future"


class TimestampError(RemoteProtocolError):
    """A response that proves nothing. `kind` says why."""

    def __init__(self, kind: TimestampFault, message: str, *, where: str = "") -> None:
        super().__init__(message, where=where)
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp:
    """What a verified token says."""

    instant: datetime
    digest: bytes
    serial: int
    policy: str
    signer: x509.Certificate


def timestamp_request(digest: bytes, *, algorithm: str = "sha256", nonce: int) -> bytes:
    """TimeStampReq, DER, that asks for the certificates too. `nonce` is drawn by the caller.

    Raises:
        LocalProtocolError: an algorithm that is not of `DIGESTS`, or a digest of another length.
    """
    if algorithm not in DIGESTS or len(digest) != hashlib.new(algorithm).digest_size:
        raise LocalProtocolError(f"a digest of one of {', '.join(DIGESTS)} is expected")
    imprint = der.sequence(der.algorithm(DIGESTS[algorithm]), der.octets(digest))
    certificates = der.tlv(der.BOOLEAN, b"\xff")
    return der.sequence(der.integer(1), imprint, der.integer(nonce), certificates)


def verify_timestamp(
    response: bytes,
    data: bytes,
    roots: Sequence[x509.Certificate],
    at: datetime,
    *,
    intermediates: Sequence[x509.Certificate] = (),
    nonce: int | None = None,
    crls: Sequence[x509.CertificateRevocationList] | None = None,
) -> Timestamp:
    """The token of this response is about these data, and holds at that instant.

    Args:
        response: TimeStampResp, DER.
        roots: the pinned anchors; the token brings the certificates below, or `intermediates` do.
        at: now, with a time zone.
        nonce: of the request; None when it is not known any more, as in an archive.
        crls: as `verify_chain` has them, in force at `at`.

    Raises:
        TimestampError: the first fault found.
        LocalProtocolError: `at` has no time zone.
    """
    token = _read(response)
    _check_digest(token, data)
    if nonce is not None and token.nonce != nonce:
        raise TimestampError(TimestampFault.NONCE, "le nonce n'est pas celui de la demande")
    signer = _signer(token)
    _check_purpose(signer)
    if token.instant > at + TOLERANCE:
        when = f"{token.instant:%d/%m/%Y %H:%M:%S}"
        raise TimestampError(TimestampFault.FUTURE, f"le jeton est daté de l'avenir : {when}")
    below = (*token.certificates, *intermediates)
    for moment, lists in ((token.instant, None), (max(token.instant, at), crls)):
        try:
            verify_chain(signer, below, roots, moment, lists)
        except ChainError as error:
            raise _chain_fault(error) from None
    _check_signature(token, roots, below)
    return Timestamp(
        instant=token.instant,
        digest=token.digest,
        serial=token.serial,
        policy=token.policy,
        signer=signer,
    )


def check_reply(response: bytes, data: bytes, *, nonce: int) -> None:
    """A response answers what was asked; who signed it is left to `verify_timestamp`.

    Raises:
        TimestampError: no token, or one of other data or of another request.
    """
    token = _read(response)
    _check_digest(token, data)
    if token.nonce != nonce:
        raise TimestampError(TimestampFault.NONCE, "le nonce n'est pas celui de la demande")
    _signer(token)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """A response, whole: `rfc3161-client` decodes each part when it is first read."""

    response: TimeStampResponse
    instant: datetime
    serial: int
    policy: str
    algorithm: str
    digest: bytes
    nonce: int | None
    signers: list[tuple[x509.Name, int]]
    """Issuer and number."""
    certificates: tuple[x509.Certificate, ...]


def _read(data: bytes) -> _Token:
    if len(data) > _MAX_SIZE:
        raise TimestampError(TimestampFault.MALFORMED, f"réponse de {len(data)} octets")
    try:
        response = decode_timestamp_response(data)
        if response.status != PKIStatus.GRANTED:
            why = " ".join(response.status_string) or f"statut {response.status}"
            raise TimestampError(TimestampFault.REFUSED, f"l'autorité a refusé : {why}")
        info, signed = response.tst_info, response.signed_data
        return _Token(
            response=response,
            instant=info.gen_time,
            serial=info.serial_number,
            policy=info.policy.dotted_string,
            algorithm=info.message_imprint.hash_algorithm.dotted_string,
            digest=info.message_imprint.message,
            nonce=info.nonce,
            signers=[(one.issuer, one.serial_number) for one in signed.signer_infos],
            certificates=tuple(map(read_certificate, signed.certificates)),
        )
    except (ValueError, OverflowError, ChainError) as error:
        raise TimestampError(TimestampFault.MALFORMED, f"réponse illisible : {error}") from None


def _check_digest(token: _Token, data: bytes) -> None:
    names = {dotted: name for name, dotted in DIGESTS.items()}
    name = names.get(token.algorithm)
    if name is None:
        raise TimestampError(
            TimestampFault.DIGEST,
            f"empreinte par {token.algorithm} : un de {', '.join(DIGESTS)} attendu",
        )
    expected = hashlib.new(name, data).digest()
    if token.digest != expected:
        raise TimestampError(
            TimestampFault.DIGEST,
            f"le jeton porte sur autre chose : {name} {expected.hex()} attendu, "
            f"{token.digest.hex()} trouvé",
        )


def _signer(token: _Token) -> x509.Certificate:
    """The certificate that the one SignerInfo names."""
    if len(token.signers) != 1:
        raise TimestampError(
            TimestampFault.MALFORMED, f"un seul signataire attendu, {len(token.signers)} trouvés"
        )
    for one in token.certificates:
        if (one.issuer, one.serial_number) == token.signers[0]:
            return one
    raise TimestampError(
        TimestampFault.UNTRUSTED, "le jeton n'apporte pas le certificat de son signataire"
    )


def _check_purpose(signer: x509.Certificate) -> None:
    try:
        found = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        found = None
    only = [ExtendedKeyUsageOID.TIME_STAMPING]
    if found is None or not found.critical or list(found.value) != only:
        raise TimestampError(
            TimestampFault.PURPOSE,
            "le certificat ne sert pas qu'à horodater : extendedKeyUsage critique et seul attendu",
            where=dn(signer),
        )


def _check_signature(
    token: _Token, roots: Sequence[x509.Certificate], below: Sequence[x509.Certificate]
) -> None:
    verifier = VerifierBuilder(roots=list(roots), intermediates=list(below)).build()
    try:
        verifier.verify(token.response, token.digest)
    except (VerificationError, ValueError) as error:
        raise TimestampError(
            TimestampFault.SIGNATURE, f"la signature du jeton ne tient pas : {error}"
        ) from None


def _chain_fault(error: ChainError) -> TimestampError:
    expired = error.kind is ChainFault.EXPIRED
    kind = TimestampFault.EXPIRED if expired else TimestampFault.UNTRUSTED
    return TimestampError(kind, f"certificat d'horodatage : {error.args[0]}", where=error.where)
