"""Certificate paths: from a leaf to a pinned root, valid at a given instant, not revoked.

A short RFC 5280 path check for a closed PKI: names, signatures, CA flags, path lengths, validity,
critical extensions, and revocation by CRL. Names of hosts and certificate policies are not its
affair. Réf. RFC 5280, sections 6.1 and 6.3.

`cryptography` decodes lazily: a broken field shows when it is first read, as one of several
exceptions. What a peer sends is read here, whole, so that nothing shows later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from protocols.dn import DnError, attribute, dn, same_dn
from protocols.errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "ChainError",
    "ChainFault",
    "attribute",
    "crl_signed_by",
    "dn",
    "extended_key_usage",
    "key_usage",
    "read_certificate",
    "same_dn",
    "server_names",
    "verify_chain",
]

MAX_DEPTH = 5
"""Certificates between leaf and root: IGC-Santé has one, the market's authorities two at most."""

MAX_CANDIDATES = 20
"""Intermediates that are looked at; a peer may send any number."""

_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)

_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)


_FIELDS = (
    "version",
    "serial_number",
    "not_valid_before_utc",
    "not_valid_after_utc",
    "extensions",
    "signature_algorithm_oid",
)

_UNREADABLE = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    DnError,
)


class ChainFault(StrEnum):
    """Why a path is refused."""

    MALFORMED = "malformed"
    """A certificate or CRL that cannot be decoded."""
    UNTRUSTED = "untrusted"
    """No path to a pinned root."""
    NOT_A_CA = "not-a-ca"
    """An issuer that may not issue, or not at that depth."""
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    CRITICAL_EXTENSION = "critical-extension"
    """A critical extension that this check does not understand."""
    REVOKED = "revoked"
    CRL_MISSING = "crl-missing"
    """No CRL of the leaf's issuer among those given."""
    CRL_STALE = "crl-stale"
    """Its only CRLs are past their next update, not in force yet, or not complete."""


class ChainError(RemoteProtocolError):
    """A path that does not hold. `kind` says why, `where` names the certificate."""

    def __init__(self, kind: ChainFault, message: str, *, where: str = "") -> None:
        super().__init__(message, where=where)
        self.kind = kind


def read_certificate(data: bytes) -> x509.Certificate:
    """Read a certificate that came from outside, every field decoded but the public key.

    DER, or PEM: then the first of the file.

    A key of a kind that we do not know is no fault of the certificate: it shows, as
    UnsupportedAlgorithm, to who asks for the key.

    Raises:
        ChainError: (malformed) it cannot be decoded.
    """
    try:
        if data.lstrip().startswith(b"-----BEGIN"):
            certificate = x509.load_pem_x509_certificate(data)
        else:
            certificate = x509.load_der_x509_certificate(data)
        for name in (certificate.subject, certificate.issuer):
            name.rfc4514_string()
        for field in _FIELDS:
            getattr(certificate, field)
    except _UNREADABLE as error:
        raise ChainError(ChainFault.MALFORMED, f"certificat illisible : {error}") from None
    return certificate


def verify_chain(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: datetime,
    crls: Sequence[x509.CertificateRevocationList] | None = None,
) -> None:
    """The leaf leads to one of the roots, and nothing on the way is wrong at that instant.

    Args:
        intermediates: candidates in any order; those that are of no use are ignored.
        roots: the pinned anchors. A leaf is never its own anchor.
        at: with a time zone.
        crls: None leaves revocation unchecked; else the leaf's issuer must have a current CRL
            among them, which does not list the leaf. Authorities are not looked up.

    Raises:
        ChainError: the first fault found, trust before validity before revocation.
        LocalProtocolError: `at` has no time zone.
    """
    if at.tzinfo is None:
        raise LocalProtocolError("validity needs an instant with a time zone")
    try:
        path = _path(leaf, intermediates, roots)
        for certificate in path:
            _check_validity(certificate, at)
            _check_critical_extensions(certificate)
        if crls is not None:
            _check_revocation(leaf, path[1], crls, at)
    except _UNREADABLE as error:
        raise ChainError(ChainFault.MALFORMED, f"certificat illisible : {error}") from None


def key_usage(certificate: x509.Certificate) -> frozenset[str]:
    """The key usages, by their RFC 5280 names (`digitalSignature`, `nonRepudiation`...).

    Raises:
        ChainError: (malformed) the extensions cannot be decoded.
    """
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return frozenset()
    except (ValueError, x509.DuplicateExtension) as error:
        raise ChainError(ChainFault.MALFORMED, f"extensions illisibles : {error}") from None
    return frozenset(_camel(name) for name in _KEY_USAGES if getattr(usage, name))


def extended_key_usage(certificate: x509.Certificate) -> frozenset[str]:
    """The extended key usages as dotted OIDs; empty when the extension is absent.

    Raises:
        ChainError: (malformed) the extensions cannot be decoded.
    """
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return frozenset()
    except (ValueError, x509.DuplicateExtension) as error:
        raise ChainError(ChainFault.MALFORMED, f"extensions illisibles : {error}") from None
    return frozenset(usage.dotted_string for usage in usages)


def server_names(certificate: x509.Certificate) -> frozenset[str]:
    """The hosts that it is the certificate of: DNS names and IP addresses (RFC 5280 4.2.1.6)."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    addresses = map(str, found.get_values_for_type(x509.IPAddress))
    return frozenset((*found.get_values_for_type(x509.DNSName), *addresses))


def _camel(name: str) -> str:
    if name == "content_commitment":  # RFC 5280 keeps the older name
        return "nonRepudiation"
    first, *rest = name.split("_")
    return first + "".join("CRL" if word == "crl" else word.capitalize() for word in rest)


def _path(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
) -> list[x509.Certificate]:
    """Leaf first, root last. The best refusal seen is raised when no path holds."""
    candidates = list(intermediates)[:MAX_CANDIDATES]
    refusal = ChainError(
        ChainFault.UNTRUSTED, "aucun chemin jusqu'à une racine de confiance", where=dn(leaf)
    )
    pending = [[leaf]]
    seen = 0
    while pending and seen < MAX_CANDIDATES * MAX_DEPTH:
        seen += 1
        path = pending.pop()
        for issuer, is_root in _issuers(path[-1], candidates, roots):
            if issuer in path:
                continue
            fault = _not_a_ca(issuer, below=len(path) - 1)
            if fault is not None:
                refusal = fault
            elif is_root:
                return [*path, issuer]
            elif len(path) <= MAX_DEPTH:
                pending.append([*path, issuer])
    raise refusal


def _issuers(
    certificate: x509.Certificate,
    candidates: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
) -> Iterator[tuple[x509.Certificate, bool]]:
    for group, is_root in ((candidates, False), (roots, True)):
        for issuer in group:
            if issuer.subject == certificate.issuer and _issued(certificate, issuer):
                yield issuer, is_root


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except InvalidSignature:
        return False
    return _whole_octets(certificate)


def _whole_octets(signed: x509.Certificate | x509.CertificateRevocationList) -> bool:
    """Whether the signature is a whole number of octets, as every algorithm's is.

    Its BIT STRING ends the structure, and counts its unused bits in the octet before the value.
    OpenSSL refuses another count than 0; `cryptography` does not look at it, and the same
    certificate would have several encodings. Réf. RFC 5280 4.1.1.3, X.690 8.6.2.
    """
    der = signed.public_bytes(Encoding.DER)
    return der[-len(signed.signature) - 1] == 0


def _not_a_ca(issuer: x509.Certificate, *, below: int) -> ChainError | None:
    """The refusal of an issuer with `below` authorities between it and the leaf, or None."""
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        constraints = None
    usages = key_usage(issuer)
    too_deep = (
        constraints is not None
        and constraints.path_length is not None
        and below > constraints.path_length
    )
    if constraints is None or not constraints.ca or too_deep:
        return ChainError(ChainFault.NOT_A_CA, "l'émetteur n'est pas une AC", where=dn(issuer))
    if usages and "keyCertSign" not in usages:
        return ChainError(
            ChainFault.NOT_A_CA, "l'émetteur ne peut pas signer de certificat", where=dn(issuer)
        )
    return None


def _check_validity(certificate: x509.Certificate, at: datetime) -> None:
    if at > certificate.not_valid_after_utc:
        raise ChainError(
            ChainFault.EXPIRED,
            f"certificat expiré le {certificate.not_valid_after_utc:%d/%m/%Y}",
            where=dn(certificate),
        )
    if at < certificate.not_valid_before_utc:
        raise ChainError(
            ChainFault.NOT_YET_VALID,
            f"certificat valable à partir du {certificate.not_valid_before_utc:%d/%m/%Y}",
            where=dn(certificate),
        )


def _check_critical_extensions(certificate: x509.Certificate) -> None:
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise ChainError(
                ChainFault.CRITICAL_EXTENSION,
                f"extension critique inconnue {extension.oid.dotted_string}",
                where=dn(certificate),
            )


def _check_revocation(
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    crls: Sequence[x509.CertificateRevocationList],
    at: datetime,
) -> None:
    issued = [crl for crl in crls if crl.issuer == issuer.subject and crl_signed_by(crl, issuer)]
    if not issued:
        raise ChainError(ChainFault.CRL_MISSING, f"pas de CRL de {dn(issuer)}", where=dn(leaf))
    # A revocation stays one however old the list that tells it.
    if any(crl.get_revoked_certificate_by_serial_number(leaf.serial_number) for crl in issued):
        raise ChainError(ChainFault.REVOKED, "certificat révoqué", where=dn(leaf))
    if not any(_in_force(crl, at) for crl in issued):
        raise ChainError(ChainFault.CRL_STALE, f"CRL périmée de {dn(issuer)}", where=dn(leaf))


def crl_signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """Whether that authority's key signed the list; its name is not compared."""
    try:
        key = issuer.public_key()
        return crl.is_signature_valid(key) and _whole_octets(crl)  # type: ignore[arg-type]
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def _in_force(crl: x509.CertificateRevocationList, at: datetime) -> bool:
    # A delta, or the list of some reasons only, says so by a critical extension: silence there is
    # no proof (RFC 5280 5.2).
    if at < crl.last_update_utc or any(one.critical for one in crl.extensions):
        return False
    return crl.next_update_utc is None or at <= crl.next_update_utc
