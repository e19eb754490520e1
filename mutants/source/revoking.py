"""Sources that take an authority's silence, or anybody's word, for a good certificate."""

from __future__ import annotations

import asyncio
import http.client
from dataclasses import replace
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from drimbox_ref.revocation import Standing
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Door, Revocation
from mutants.registry import mutant
from protocols.pki import read_certificate

__all__: list[str] = []


class Brittle:
    """A `Revocation` that falls on a list that it cannot have."""

    def __init__(self, inner: Revocation) -> None:
        self._inner = inner

    async def judge(self, certificate: bytes) -> Standing:
        """As it should, when somebody knows."""
        standing = await self._inner.judge(certificate)
        if standing is Standing.UNKNOWN:
            raise LookupError("aucune CRL")
        return standing


@mutant(
    "crl-absente-fatale",
    breaks="Une CRL qui ne s'obtient pas met la Source en erreur (500).",
    requirements=("KIT-SEC-TLS-10",),
    consequences=("KIT-SEC-TLS-13",),
)
def falls_without_list(parts: Parts) -> Parts:
    """An exception that nobody catches."""
    return replace(parts, revocation=Brittle(parts.revocation))


class Trusting:
    """A `Revocation` that asks by OCSP, and believes what is said without looking who says it."""

    def __init__(self, inner: Revocation, door: Door) -> None:
        self._inner = inner
        self._door = door

    async def judge(self, certificate: bytes) -> Standing:
        """Good if an answer has that word, or none comes; else as it should."""
        leaf = read_certificate(certificate)
        if await asyncio.to_thread(self._said_good, leaf):
            return Standing.GOOD
        return await self._inner.judge(certificate)

    def _said_good(self, leaf: x509.Certificate) -> bool:
        bundle = self._door.tls().client_ca
        assert bundle is not None
        known = x509.load_pem_x509_certificates(bundle.read_bytes())
        issuer = next((one for one in known if one.subject == leaf.issuer), None)
        url = urlsplit(_responder(leaf))
        if issuer is None or not url.hostname:
            return False
        asked = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, SHA1()).build()
        line = http.client.HTTPConnection(url.hostname, url.port, timeout=5.0)
        try:
            line.request("POST", url.path, asked.public_bytes(Encoding.DER))
            answer = ocsp.load_der_ocsp_response(line.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException):
            return True
        finally:
            line.close()
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return True
        return answer.certificate_status is ocsp.OCSPCertStatus.GOOD


def _responder(leaf: x509.Certificate) -> str:
    try:
        access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return ""
    method = AuthorityInformationAccessOID.OCSP
    return next(
        (str(one.access_location.value) for one in access if one.access_method == method), ""
    )


@mutant(
    "ocsp-cru-sur-parole",
    breaks="La Source croit toute réponse OCSP, quel qu'en soit le signataire, et son absence.",
    requirements=("KIT-SEC-TLS-11",),
    # It looks nowhere else once it has its word.
    consequences=("KIT-SEC-TLS-10", "KIT-SEC-TLS-13"),
)
def believes_ocsp(parts: Parts) -> Parts:
    """Soft fail, as browsers had it."""
    return replace(parts, revocation=Trusting(parts.revocation, parts.door))
