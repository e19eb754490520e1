"""What the authorities answer when a certificate's status is asked for: OCSP, RFC 6960.

Each authority has a responder that it delegates (4.2.2.2), without revocation check of its own. A
number that is not on the CRL is good, as CRL-backed responders say it: nobody keeps what was issued
in another life of the folder. Whatever is asked of an authority that is not ours is unknown.

One status per request, as `cryptography` reads it; RFC 5019 has the same bound.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import TypedDict

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256, Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from simulators.igc.authorities import AUTHORITIES, Authority
from simulators.igc.credential import Credential
from simulators.igc.faults import Betrayed, Refusal, Said, Who
from simulators.igc.pki import DAY, Pki
from simulators.igc.signers import service_signer, spoil
from wire.faults import Struck

__all__ = ["LIFE", "Responder"]

LIFE = timedelta(hours=12)
"""From thisUpdate to nextUpdate."""
_MARGIN = timedelta(minutes=1)
_RESPONDER_LIFE = timedelta(days=30)
_SIGNED_BY = {
    Betrayed.LOOK_ALIKE: Who.LOOK_ALIKE,
    Betrayed.MARKET: Who.MARKET,
    Betrayed.NO_PURPOSE: Who.NO_PURPOSE,
}
_OLD = (Betrayed.STALE, Betrayed.NO_NONCE, Betrayed.OTHER_NONCE)
_REFUSALS = {
    Refusal.TRY_LATER: ocsp.OCSPResponseStatus.TRY_LATER,
    Refusal.INTERNAL_ERROR: ocsp.OCSPResponseStatus.INTERNAL_ERROR,
    Refusal.MALFORMED: ocsp.OCSPResponseStatus.MALFORMED_REQUEST,
    Refusal.SIGNATURE_REQUIRED: ocsp.OCSPResponseStatus.SIG_REQUIRED,
    Refusal.UNAUTHORIZED: ocsp.OCSPResponseStatus.UNAUTHORIZED,
}


class _Status(TypedDict):
    serial_number: int
    cert_status: ocsp.OCSPCertStatus
    revocation_time: datetime | None
    revocation_reason: x509.ReasonFlags | None


class Responder:
    """The responders of a PKI's authorities. Safe from any thread."""

    def __init__(self, pki: Pki) -> None:
        self._pki = pki
        self._lock = threading.Lock()
        self._signers: dict[tuple[str, Who | None], Credential] = {}

    def answer(self, request: bytes, struck: Struck | None = None) -> bytes:
        """An OCSP response, DER, for an OCSP request, DER; as the fault wants it, if there is one.

        A request that cannot be read is told so (malformedRequest): nothing is raised.
        """
        if struck is not None and struck.kind == "refus":
            return _refused(_REFUSALS[Refusal(struck.text("statut"))])
        try:
            asked = ocsp.load_der_ocsp_request(request)
            issuer = self._issuer(asked)
            nonce = _nonce(asked)
        except (ValueError, NotImplementedError, x509.DuplicateExtension):
            return _refused(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
        if issuer is None:
            # Whoever is not ours: nobody could sign for it (RFC 6960 2.3).
            return _refused(ocsp.OCSPResponseStatus.UNAUTHORIZED)
        betrayed = _betrayed(struck)
        who = Who(struck.text("qui")) if struck and struck.kind == "signataire" else None
        who = who if betrayed is None else _SIGNED_BY.get(betrayed)
        if betrayed is Betrayed.OTHER_NONCE:
            nonce = x509.OCSPNonce(bytes(16))
        signer = self._signer(issuer, who)
        begin, end = self._window(struck)
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response_by_hash(
                issuer_name_hash=asked.issuer_name_hash,
                issuer_key_hash=asked.issuer_key_hash,
                algorithm=asked.hash_algorithm,
                this_update=begin,
                next_update=end,
                **self._status(issuer, asked.serial_number, begin, struck),
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
            .certificates([signer.certificate])
        )
        replayed = betrayed is Betrayed.NO_NONCE or (struck and struck.kind == "rejeu")
        if nonce is not None and not replayed:
            builder = builder.add_extension(nonce, critical=False)
        der = builder.sign(signer.key, SHA256()).public_bytes(Encoding.DER)
        if betrayed is Betrayed.SPOILT or (struck and struck.kind == "alteree"):
            return spoil(der, ocsp.load_der_ocsp_response(der).signature)
        return der

    def _issuer(self, asked: ocsp.OCSPRequest) -> Authority | None:
        for one in AUTHORITIES:
            public = self._pki.authority(one).key.public_key()
            name = _digest(asked.hash_algorithm, one.subject.public_bytes())
            # The BIT STRING alone, without its tag: RFC 6960 4.1.1.
            bits = public.public_bytes(Encoding.DER, PublicFormat.PKCS1)
            key = _digest(asked.hash_algorithm, bits)
            if (asked.issuer_name_hash, asked.issuer_key_hash) == (name, key):
                return one
        return None

    def _status(
        self, issuer: Authority, serial: int, begin: datetime, struck: Struck | None
    ) -> _Status:
        said = Said(struck.text("dit")) if struck and struck.kind == "statut" else None
        betrayed = _betrayed(struck)
        said = said if betrayed is None else Said.GOOD
        other = said is Said.OTHER or betrayed is Betrayed.OTHER
        listed = self._pki.revocation(issuer, serial)
        good, unknown = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.UNKNOWN
        at, reason = None, None
        if said is Said.REVOKED or (said in (None, Said.OTHER) and listed is not None):
            status = ocsp.OCSPCertStatus.REVOKED
            at = begin if listed is None else listed.revocation_date_utc
            reason = x509.ReasonFlags.key_compromise if listed is None else _reason(listed)
        else:
            status = unknown if said is Said.UNKNOWN else good
        return {
            "serial_number": serial + 1 if other else serial,
            "cert_status": status,
            "revocation_time": at,
            "revocation_reason": reason,
        }

    def _window(self, struck: Struck | None) -> tuple[datetime, datetime]:
        begin = self._pki.clock() - _MARGIN
        if _betrayed(struck) in _OLD:
            begin -= LIFE + DAY
        if struck is not None and struck.kind == "perimee":
            begin -= LIFE + struck.number("jours") * DAY
        if struck is not None and struck.kind == "future":
            begin += struck.number("jours") * DAY
        return begin, begin + LIFE

    def _signer(self, issuer: Authority, who: Who | None) -> Credential:
        """The responder of that authority, or the one that a fault puts in its place."""
        with self._lock:
            known = self._signers.get((issuer.name, who))
            soon = self._pki.clock() + DAY
            if known is None or (who is None and known.certificate.not_valid_after_utc < soon):
                known = self._signers[issuer.name, who] = self._make(issuer, who)
            return known

    def _make(self, issuer: Authority, who: Who | None) -> Credential:
        return service_signer(
            self._pki,
            issuer,
            "KIT REPONDEUR OCSP",
            ExtendedKeyUsageOID.OCSP_SIGNING,
            ((x509.OCSPNoCheck(), False),),
            who=who,
            life=_RESPONDER_LIFE,
        )


def _refused(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def _betrayed(struck: Struck | None) -> Betrayed | None:
    """What is wrong with an answer that says good, if it is such a one."""
    if struck is None or struck.kind != "bon-mal-prouve":
        return None
    return Betrayed(struck.text("par"))


def _nonce(asked: ocsp.OCSPRequest) -> x509.OCSPNonce | None:
    try:
        return asked.extensions.get_extension_for_class(x509.OCSPNonce).value
    except x509.ExtensionNotFound:
        return None


def _reason(listed: x509.RevokedCertificate) -> x509.ReasonFlags:
    return listed.extensions.get_extension_for_class(x509.CRLReason).value.reason


def _digest(algorithm: HashAlgorithm, data: bytes) -> bytes:
    digest = Hash(algorithm)
    digest.update(data)
    return digest.finalize()
