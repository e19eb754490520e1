"""What each kind of certificate carries: usages, policy, addresses, as IGC-Santé leaves do.

Profiles ORG AUTH_CLI and ORG SIGN were read from IGC-Santé test certificates that circulate in
public ANS material (white list signer, esignsante test resources, VIHF samples); grade: sample.
Left out on purpose: LDAP addresses and freshestCRL, which this PKI does not serve, and the CPS
qualifier, because our certificates follow nobody's practice statement.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

__all__ = [
    "Addresses",
    "authority_extensions",
    "crl_address",
    "key_usage",
    "leaf_extensions",
    "organisation_extensions",
    "ocsp_address",
    "organisation_name",
    "server_extensions",
    "service_extensions",
]

TEST_POLICY = "1.2.250.1.213.1.7.2.1.1.1.1"
"""Policy of every IGC-Santé test range certificate (sample: white list signer, TEST)."""

PRODUCT_CATEGORY = x509.ObjectIdentifier("1.2.250.1.71.1.2.5")
TEST_SOFTWARE_CERTIFICATE = b"\x04\x01\x83"
"""TRE_G01-CategorieProduit 83, test software certificate, as a DER OCTET STRING (sample)."""

PRODUCTION_SERVER_POLICY = "1.2.250.1.213.1.7.1.1.2.5.1"
PRODUCTION_SIGN_POLICY = "1.2.250.1.213.1.7.1.1.2.3.1"
"""SERV SSL_SERV and ORG SIGN of the range of production (sample). That of ORG AUTH_CLI was not
seen."""
PRODUCTION_SOFTWARE_CERTIFICATE = b"\x04\x01\x03"

DOMAIN_VALIDATED = "2.23.140.1.2.1"
"""Domain-validated server certificate (CA/Browser Forum Baseline Requirements 7.1.6)."""

ORGANISATION_LENGTH = 40
"""IGC-Santé cuts the organisation name there (sample: white list entries)."""

Extension = tuple[x509.ExtensionType, bool]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where an authority's CRL and certificate are served, and its answers by OCSP, in clear HTTP.

    A root answers nobody: its `ocsp` is "".
    """

    crl: str
    certificate: str
    ocsp: str = ""


def organisation_name(*, cn: str, ou: str, o: str, st: str) -> x509.Name:
    """`C, ST, O, OU, CN` in that encoding order, the organisation cut at 40 characters."""
    pairs = (
        (NameOID.COUNTRY_NAME, "FR"),
        (NameOID.STATE_OR_PROVINCE_NAME, st),
        (NameOID.ORGANIZATION_NAME, o[:ORGANISATION_LENGTH]),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, ou),
        (NameOID.COMMON_NAME, cn),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs if value])


def authority_extensions(
    public_key: rsa.RSAPublicKey, issuer_key: rsa.RSAPublicKey, *, path_length: int | None
) -> list[Extension]:
    """A certification authority: may sign certificates and CRLs, nothing else."""
    return [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (key_usage(key_cert_sign=True, crl_sign=True), True),
        *_key_identifiers(public_key, issuer_key),
    ]


def organisation_extensions(
    profile: str,
    public_key: rsa.RSAPublicKey,
    issuer_key: rsa.RSAPublicKey,
    addresses: Addresses | None,
) -> list[Extension]:
    """ORG AUTH_CLI (`auth-cli`) or ORG SIGN (`sign`); `addresses` of the issuer, if it has any."""
    if profile == "auth-cli":
        usage = key_usage(digital_signature=True)
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH
    elif profile == "sign":
        usage = key_usage(digital_signature=True, content_commitment=True)
        purpose = ExtendedKeyUsageOID.EMAIL_PROTECTION
    else:
        raise ValueError(f"unknown organisation profile: {profile!r}")
    return leaf_extensions(public_key, issuer_key, addresses, usage=usage, purposes=[purpose])


def leaf_extensions(
    public_key: rsa.RSAPublicKey,
    issuer_key: rsa.RSAPublicKey,
    addresses: Addresses | None,
    *,
    usage: x509.KeyUsage,
    purposes: list[x509.ObjectIdentifier],
    policy: str = TEST_POLICY,
    category: bytes = TEST_SOFTWARE_CERTIFICATE,
) -> list[Extension]:
    """What every leaf of IGC-Santé carries, whoever it is of."""
    extensions: list[Extension] = [
        (x509.BasicConstraints(ca=False, path_length=None), False),
        (usage, True),
        (x509.ExtendedKeyUsage(purposes), False),
        (_policy(policy), False),
        (x509.UnrecognizedExtension(PRODUCT_CATEGORY, category), False),
        *_key_identifiers(public_key, issuer_key),
    ]
    if addresses is not None:
        extensions += address_extensions(addresses)
    return extensions


def service_extensions(
    public_key: rsa.RSAPublicKey,
    issuer_key: rsa.RSAPublicKey,
    purpose: x509.ObjectIdentifier,
    *,
    critical: bool = False,
) -> list[Extension]:
    """A signer of the PKI's own, for that purpose alone: OCSP responder (RFC 6960 4.2.2.2), or
    time stamps, whose purpose is `critical` (RFC 3161 2.3)."""
    return [
        (x509.BasicConstraints(ca=False, path_length=None), False),
        (key_usage(digital_signature=True), True),
        (x509.ExtendedKeyUsage([purpose]), critical),
        *_key_identifiers(public_key, issuer_key),
    ]


def server_extensions(
    names: Iterable[str],
    public_key: rsa.RSAPublicKey,
    issuer_key: rsa.RSAPublicKey,
    *,
    client_only: bool = False,
) -> list[Extension]:
    """A market TLS server certificate for these DNS names and IP addresses; with `client_only`
    its extended usage is that of a client."""
    purpose = ExtendedKeyUsageOID.CLIENT_AUTH if client_only else ExtendedKeyUsageOID.SERVER_AUTH
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (key_usage(digital_signature=True, key_encipherment=True), True),
        (x509.ExtendedKeyUsage([purpose]), False),
        (x509.SubjectAlternativeName([_general_name(name) for name in names]), False),
        (_policy(DOMAIN_VALIDATED), False),
        *_key_identifiers(public_key, issuer_key),
    ]


def address_extensions(addresses: Addresses) -> list[Extension]:
    """CRL distribution point, caIssuers and OCSP."""
    point = x509.DistributionPoint(
        full_name=[x509.UniformResourceIdentifier(addresses.crl)],
        relative_name=None,
        reasons=None,
        crl_issuer=None,
    )
    access = [
        x509.AccessDescription(method, x509.UniformResourceIdentifier(url))
        for method, url in (
            (AuthorityInformationAccessOID.OCSP, addresses.ocsp),
            (AuthorityInformationAccessOID.CA_ISSUERS, addresses.certificate),
        )
        if url
    ]
    return [
        (x509.CRLDistributionPoints([point]), False),
        (x509.AuthorityInformationAccess(access), False),
    ]


def crl_address(certificate: x509.Certificate) -> str:
    """The first address of its CRL; "" when it names none."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return ""
    return next((name.value for point in points for name in point.full_name or ()), "")


def ocsp_address(certificate: x509.Certificate) -> str:
    """Where its status is asked for; "" when it does not say."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    except x509.ExtensionNotFound:
        return ""
    method = AuthorityInformationAccessOID.OCSP
    return next(
        (one.access_location.value for one in access.value if one.access_method == method), ""
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _policy(oid: str) -> x509.CertificatePolicies:
    return x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(oid), policy_qualifiers=None)]
    )


def _key_identifiers(public_key: rsa.RSAPublicKey, issuer_key: rsa.RSAPublicKey) -> list[Extension]:
    return [
        (x509.SubjectKeyIdentifier.from_public_key(public_key), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), False),
    ]


def key_usage(
    *,
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    """These usages and no other."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
