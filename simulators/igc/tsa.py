"""The time stamping authority of the test PKI: RFC 3161, one signed token per request.

Its certificate is the organisations' authority's, for time stamps alone. Nothing public says whose
time stamps a dossier should bear: this one serves to try seals, and to break them.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from datetime import timedelta
from hashlib import new, sha256

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from protocols import der
from protocols.timestamp import DIGESTS
from simulators.igc.authorities import ORGANISATIONS
from simulators.igc.credential import Credential
from simulators.igc.faults import Motive, Who
from simulators.igc.pki import DAY, Pki
from simulators.igc.signers import service_signer, spoil
from wire.faults import Struck

__all__ = ["POLICY", "TimeStamper"]

POLICY = "2.25.61143669934787120520986582598689244273"
"""Of our own (an arc that anybody may draw from a UUID): no practice statement is behind it."""
_LIFE = timedelta(days=365)
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.47"
_SHA256, _RSA_SHA256 = DIGESTS["sha256"], "1.2.840.113549.1.1.11"
_GRANTED, _REJECTED = 0, 2
_FAILURES = {
    Motive.ALGORITHM: 0,
    Motive.REQUEST: 2,
    Motive.FORMAT: 5,
    Motive.CLOCK: 14,
    Motive.POLICY: 15,
    Motive.EXTENSION: 16,
    Motive.SYSTEM: 25,
}
"""Bits of PKIFailureInfo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    algorithm: str
    digest: bytes
    nonce: int | None
    certificates: bool


class _Rejected(Exception):
    """No token; the argument is the motive."""


class TimeStamper:
    """The authority. Safe from any thread."""

    def __init__(self, pki: Pki) -> None:
        self._pki = pki
        self._lock = threading.Lock()
        self._signers: dict[Who | None, Credential] = {}
        self._serials = itertools.count(int(pki.clock().timestamp()) << 20)

    def answer(self, request: bytes, struck: Struck | None = None) -> bytes:
        """TimeStampResp, DER, for a TimeStampReq; as the fault wants it, if there is one.

        What cannot be stamped is rejected, with its reason: nothing is raised.
        """
        if struck is not None and struck.kind == "rejet":
            return _rejection(Motive(struck.text("motif")))
        try:
            asked = _read(request)
        except der.DerError:
            return _rejection(Motive.FORMAT)
        except _Rejected as error:
            return _rejection(error.args[0])
        who = Who(struck.text("qui")) if struck and struck.kind == "signataire" else None
        signer = self._signer(who)
        info = self._info(asked, struck)
        with_certificates = asked.certificates and not (struck and struck.kind == "sans-certificat")
        token, value = _signed(info, signer, with_certificates=with_certificates)
        if struck is not None and struck.kind == "alteree":
            token = spoil(token, value)
        return der.sequence(der.sequence(der.integer(_GRANTED)), token)

    def _info(self, asked: _Asked, struck: Struck | None) -> bytes:
        now, digest, nonce = self._pki.clock(), asked.digest, asked.nonce
        kind = "" if struck is None else struck.kind
        if struck is not None and kind == "horloge":
            now += timedelta(hours=struck.number("heures"))
        if kind == "empreinte":
            digest = bytes([digest[0] ^ 1]) + digest[1:]
        if kind == "rejeu":
            nonce = None
        with self._lock:
            serial = next(self._serials)
        return der.sequence(
            der.integer(1),
            der.oid(POLICY),
            der.sequence(der.algorithm(DIGESTS[asked.algorithm]), der.octets(digest)),
            der.integer(serial),
            der.time(now),
            der.sequence(der.integer(1)),  # accurate to a second
            b"" if nonce is None else der.integer(nonce),
        )

    def _signer(self, who: Who | None) -> Credential:
        with self._lock:
            known = self._signers.get(who)
            soon = self._pki.clock() + DAY
            if known is None or (who is None and known.certificate.not_valid_after_utc < soon):
                known = self._signers[who] = service_signer(
                    self._pki,
                    ORGANISATIONS,
                    "KIT HORODATAGE",
                    ExtendedKeyUsageOID.TIME_STAMPING,
                    who=who,
                    life=_LIFE,
                    critical=True,
                )
            return known


def _read(request: bytes) -> _Asked:
    """Raises DerError, or _Rejected when it is DER and asks for what we do not give."""
    fields = der.only(request, der.SEQUENCE)
    if len(fields) < 2:
        raise der.DerError("messageImprint manque")
    imprint = list(der.elements(fields[1].expect(der.SEQUENCE)))
    if fields[0].as_integer != 1 or len(imprint) != 2:
        raise _Rejected(Motive.REQUEST)
    named = list(der.elements(imprint[0].expect(der.SEQUENCE)))
    if not named:
        raise der.DerError("hashAlgorithm manque")
    names = {dotted: name for name, dotted in DIGESTS.items()}
    algorithm = names.get(named[0].as_oid)
    digest = imprint[1].expect(der.OCTET_STRING)
    if algorithm is None:
        raise _Rejected(Motive.ALGORITHM)
    if len(digest) != new(algorithm).digest_size:
        raise _Rejected(Motive.FORMAT)
    nonce, certificates = None, False
    for one in fields[2:]:
        if one.tag == der.OID:
            if one.as_oid != POLICY:
                raise _Rejected(Motive.POLICY)
        elif one.tag == der.INTEGER:
            nonce = one.as_integer
        elif one.tag == der.BOOLEAN:
            certificates = one.content != b"\0"
        elif one.tag == 0xA0:
            raise _Rejected(Motive.EXTENSION)
        else:
            raise der.DerError(f"champ inattendu de balise {one.tag:02X}")
    return _Asked(algorithm=algorithm, digest=digest, nonce=nonce, certificates=certificates)


def _rejection(motive: Motive) -> bytes:
    bit = _FAILURES[motive]
    value = (1 << (7 - bit % 8)).to_bytes(bit // 8 + 1)
    failure = der.tlv(der.BIT_STRING, bytes([7 - bit % 8]), value)
    words = der.sequence(der.tlv(der.UTF8_STRING, motive.value.encode()))
    return der.sequence(der.sequence(der.integer(_REJECTED), words, failure))


def _signed(info: bytes, signer: Credential, *, with_certificates: bool) -> tuple[bytes, bytes]:
    """TimeStampToken, a ContentInfo of SignedData (RFC 5652), and the value of its signature."""
    leaf = signer.certificate
    certificate = leaf.public_bytes(Encoding.DER)
    attributes = (
        _attribute(_CONTENT_TYPE, der.oid(_TST_INFO)),
        _attribute(_MESSAGE_DIGEST, der.octets(sha256(info).digest())),
        # ESSCertIDv2 by SHA-256, its default (RFC 5816 2.2.1).
        _attribute(
            _SIGNING_CERTIFICATE,
            der.sequence(der.sequence(der.sequence(der.octets(sha256(certificate).digest())))),
        ),
    )
    value = signer.key.sign(der.set_of(*attributes), padding.PKCS1v15(), SHA256())
    named = der.sequence(leaf.issuer.public_bytes(), der.integer(leaf.serial_number))
    brought = (certificate, *(one.public_bytes(Encoding.DER) for one in signer.chain))
    signed = der.sequence(
        der.integer(3),
        der.set_of(der.algorithm(_SHA256)),
        der.sequence(der.oid(_TST_INFO), der.context(0, der.octets(info))),
        der.set_of(*brought, tag=0xA0) if with_certificates else b"",
        der.set_of(
            der.sequence(
                der.integer(1),
                named,
                der.algorithm(_SHA256),
                der.set_of(*attributes, tag=0xA0),
                der.algorithm(_RSA_SHA256),
                der.octets(value),
            )
        ),
    )
    return der.sequence(der.oid(_SIGNED_DATA), der.context(0, signed)), value


def _attribute(dotted: str, value: bytes) -> bytes:
    return der.sequence(der.oid(dotted), der.set_of(value))
