"""What the certificate and CRL rules judge, decoded whole: nothing is left to fail later.

`cryptography` decodes lazily, so that a broken field would show inside a rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from protocols import dn, pki
from protocols.dn import DistinguishedName
from protocols.errors import RemoteProtocolError
from protocols.pki import extended_key_usage, key_usage
from spec.certificates import (
    CLIENT_AUTH,
    EMAIL_PROTECTION,
    IGC_POLICIES,
    PROFILES,
    SERVER_AUTH,
    CertificateProfile,
)
from validators.context import Context

__all__ = [
    "CertificateArtefact",
    "CertificateSyntaxError",
    "CrlArtefact",
    "authorities",
    "key_of",
    "read_certificate",
    "read_crl",
]

MAX_CERTIFICATE_SIZE = 1024 * 1024
MAX_CRL_SIZE = 32 * 1024 * 1024
MAX_CHAIN = 20
MAX_AUTHORITIES = 1000

E = TypeVar("E", bound=x509.ExtensionType)
T = TypeVar("T")


class CertificateSyntaxError(RemoteProtocolError):
    """Not a certificate or a CRL that can be read whole."""


@dataclass(frozen=True, slots=True)
class CertificateArtefact:
    """A leaf, the certificates that came after it, and which profile it seems to follow."""

    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    subject: DistinguishedName
    key_usage: frozenset[str]
    extended_key_usage: frozenset[str]
    context: Context

    @property
    def profile_name(self) -> str:
        """A key of `PROFILES`: the one that the context demands, else the one guessed, or ""."""
        return self.context.certificate_profile or self.guessed

    @property
    def profile(self) -> CertificateProfile | None:
        """What the leaf must carry; None when its usages are those of no profile."""
        return PROFILES.get(self.profile_name)

    @property
    def guessed(self) -> str:
        """By its extended usages; the policy tells an IGC-Santé server from one of the market."""
        usages = self.extended_key_usage
        if SERVER_AUTH in usages:
            return "serv-ssl" if self.is_igc else "marche"
        if CLIENT_AUTH in usages:
            return "org-auth-cli"
        return "org-sign" if EMAIL_PROTECTION in usages else ""

    @property
    def is_igc(self) -> bool:
        """One of its policies is in the IGC-Santé arc."""
        return any(policy.startswith(IGC_POLICIES) for policy in self.policies)

    @property
    def policies(self) -> tuple[str, ...]:
        """Its certificate policies, as dotted OIDs."""
        found = self.extension(x509.CertificatePolicies)
        if found is None:
            return ()
        return tuple(one.policy_identifier.dotted_string for one in found.value)

    def extension(self, kind: type[E]) -> x509.Extension[E] | None:
        """An extension of the leaf, None when it has none of that class."""
        try:
            return self.leaf.extensions.get_extension_for_class(kind)
        except x509.ExtensionNotFound:
            return None

    def values(self, type_name: str) -> tuple[str, ...]:
        """The subject's values of one type: `CN`, `OU`..."""
        return tuple(value for rdn in self.subject for kind, value in rdn if kind == type_name)


@dataclass(frozen=True, slots=True)
class CrlArtefact:
    """A revocation list and its entries."""

    crl: x509.CertificateRevocationList
    entries: tuple[x509.RevokedCertificate, ...]
    context: Context

    def extension(self, kind: type[E]) -> x509.Extension[E] | None:
        """An extension of the list, None when it has none of that class."""
        try:
            return self.crl.extensions.get_extension_for_class(kind)
        except x509.ExtensionNotFound:
            return None


def read_certificate(data: bytes, context: Context) -> CertificateArtefact:
    """Read a certificate, PEM (perhaps followed by its chain) or DER.

    Raises:
        CertificateSyntaxError: neither, over 1 MiB, more than 20 certificates, or a field of one
            that cannot be decoded.
    """
    found = _certificates(data)
    leaf = found[0]
    return CertificateArtefact(
        leaf=leaf,
        chain=tuple(found[1:]),
        subject=_decoded(lambda: dn.parse_dn(dn.dn(leaf))),
        key_usage=_decoded(lambda: key_usage(leaf)),
        extended_key_usage=_decoded(lambda: extended_key_usage(leaf)),
        context=context,
    )


def read_crl(data: bytes, context: Context) -> CrlArtefact:
    """Read a CRL, PEM or DER.

    Raises:
        CertificateSyntaxError: neither, over 32 MiB, or a field that cannot be decoded.
    """
    _check_size(data, MAX_CRL_SIZE)
    load = x509.load_pem_x509_crl if b"-----BEGIN" in data[:4096] else x509.load_der_x509_crl

    def whole() -> CrlArtefact:
        crl = load(data)
        crl.issuer.rfc4514_string()
        entries = tuple(crl)
        _fields(crl, "extensions", "last_update_utc", "next_update_utc", "signature_algorithm_oid")
        for entry in entries:
            _fields(entry, "serial_number", "revocation_date_utc", "extensions")
        return CrlArtefact(crl, entries, context)

    return _decoded(whole)


def authorities(context: Context) -> tuple[x509.Certificate, ...]:
    """The trusted authorities of the context, none when it names none or they cannot be read."""
    try:
        if not context.authorities:
            return ()
        return tuple(_certificates(context.authorities, MAX_AUTHORITIES))
    except CertificateSyntaxError:
        return ()


def key_of(certificate: x509.Certificate) -> CertificatePublicKeyTypes | None:
    """The public key, None when it cannot be decoded or is of a kind that we do not know."""
    try:
        found = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    return found if isinstance(found, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else None


def _certificates(data: bytes, most: int = MAX_CHAIN) -> list[x509.Certificate]:
    _check_size(data, MAX_CERTIFICATE_SIZE)

    def whole() -> list[x509.Certificate]:
        if b"-----BEGIN" in data[:65536]:
            found = x509.load_pem_x509_certificates(data)
        else:
            found = [pki.read_certificate(data)]
        for certificate in found[:most]:
            certificate.subject.rfc4514_string()
            certificate.issuer.rfc4514_string()
            _fields(
                certificate,
                "version",
                "serial_number",
                "not_valid_before_utc",
                "not_valid_after_utc",
                "extensions",
                "signature_algorithm_oid",
            )
        return found

    found = _decoded(whole)
    if len(found) > most:
        raise CertificateSyntaxError(f"plus de {most} certificats")
    return found


def _fields(thing: object, *names: str) -> None:
    """Decode these fields: reading one is what decodes it."""
    for name in names:
        getattr(thing, name)


def _decoded(decode: Callable[[], T]) -> T:
    try:
        return decode()
    except RemoteProtocolError as error:
        raise CertificateSyntaxError(str(error)) from None
    except (
        ValueError,
        TypeError,
        OverflowError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
    ) as error:
        raise CertificateSyntaxError(f"certificat ou CRL illisible : {error}"[:300]) from None


def _check_size(data: bytes, limit: int) -> None:
    if not data or len(data) > limit:
        raise CertificateSyntaxError(f"{len(data)} octets (limite {limit})")
