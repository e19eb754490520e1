"""Example certificates and CRLs: right ones, and changes that spoil them.

One published key serves the authority and every leaf: the examples protect nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from spec.certificates import PRODUCT_CATEGORY
from validators.context import Context
from validators.examples.credential import NOW, STRUCTURE, key

__all__ = [
    "ALTERNATIVE",
    "AT",
    "LATER",
    "SERVER_ONLY",
    "TRUST",
    "authority",
    "bundle",
    "category",
    "crl",
    "crl_point",
    "empty_name",
    "key_usage",
    "leaf",
    "long_serial",
    "name",
    "old_hash",
    "policy",
    "reversed_name",
    "weak_leaf",
    "with_empty_list",
    "without_next_update",
    "without_parameters",
    "without_version",
]

_AUTHORITY = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "EXEMPLE"),
        x509.NameAttribute(NameOID.COMMON_NAME, "AC ORGANISATIONS D'EXEMPLE"),
    ]
)
_HOST = "db900.test.mesimagesmedicales.fr"
_CRL = "http://igc.exemple.invalid/CRL/ACI-EL-ORG-EXEMPLE.crl"
_TEST_POLICY = "1.2.250.1.213.1.7.2.1.1.1.1"
_DOMAIN_VALIDATED = "2.23.140.1.2.1"

Extension = tuple[x509.ExtensionType, bool]
"""An extension and whether it is critical."""


def name(**changes: str | None) -> x509.Name:
    """The subject of a structure's certificate: C, ST, O, OU, CN; None takes one out."""
    found: dict[str, str | None] = {
        "C": "FR",
        "ST": "Paris (75)",
        "O": "CENTRE EXEMPLE",
        "OU": STRUCTURE,
        "CN": _HOST,
        **changes,
    }
    oids = {
        "C": NameOID.COUNTRY_NAME,
        "ST": NameOID.STATE_OR_PROVINCE_NAME,
        "O": NameOID.ORGANIZATION_NAME,
        "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "CN": NameOID.COMMON_NAME,
    }
    return x509.Name(
        [x509.NameAttribute(oids[one], text) for one, text in found.items() if text is not None]
    )


@cache
def authority() -> x509.Certificate:
    """The self-signed authority of the examples."""
    return _build(
        _AUTHORITY,
        1,
        timedelta(days=3650),
        [
            (x509.BasicConstraints(ca=True, path_length=0), True),
            (key_usage("key_cert_sign", "crl_sign"), True),
            (x509.SubjectKeyIdentifier.from_public_key(key().public_key()), False),
        ],
    )


def leaf(
    profile: str = "org-auth-cli",
    *,
    subject: x509.Name | None = None,
    replace: Mapping[type[x509.ExtensionType], Extension | None] | None = None,
    add: Sequence[Extension] = (),
    life: timedelta = timedelta(days=700),
    begin: datetime = NOW - timedelta(days=30),
    serial: int = 2026,
    issuer: x509.Name = _AUTHORITY,
    public_key: rsa.RSAPublicKey | None = None,
) -> bytes:
    """A leaf as PEM. `replace` gives other extensions by class, or takes them out (None)."""
    if subject is None:
        subject = name() if profile != "marche" else name(C=None, ST=None, O=None, OU=None)
    found = {type(extension): (extension, critical) for extension, critical in _extensions(profile)}
    for kind, extension in (replace or {}).items():
        if extension is None:
            found.pop(kind, None)
        else:
            found[kind] = extension
    if profile == "marche":
        life = min(life, timedelta(days=90))
    made = _build(
        subject,
        serial,
        life,
        [*found.values(), *add],
        begin=begin,
        issuer=issuer,
        public_key=public_key,
    )
    return made.public_bytes(Encoding.PEM)


def bundle(*, stranger: bool = False) -> bytes:
    """A leaf, then its authority or one that has nothing to do with it."""
    above = _stranger() if stranger else authority()
    return leaf() + above.public_bytes(Encoding.PEM)


def _stranger() -> x509.Certificate:
    subject = name(CN="AC ETRANGERE", OU=None)
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    return _build(subject, 3, timedelta(days=365), [(constraints, True)], issuer=subject)


def crl(
    *revoked: int,
    replace: Mapping[type[x509.ExtensionType], Extension | None] | None = None,
    revoked_on: datetime = NOW - timedelta(days=3),
    begin: datetime = NOW - timedelta(hours=1),
    life: timedelta = timedelta(days=7),
    issuer: x509.Name = _AUTHORITY,
    reason: x509.ReasonFlags | None = None,
) -> bytes:
    """A CRL as DER that lists these serial numbers, one revoked certificate when none is given."""
    found: dict[type[x509.ExtensionType], Extension] = {
        x509.CRLNumber: (x509.CRLNumber(12), False),
        x509.AuthorityKeyIdentifier: (
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key().public_key()),
            False,
        ),
    }
    for kind, extension in (replace or {}).items():
        if extension is None:
            found.pop(kind, None)
        else:
            found[kind] = extension
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer)
        .last_update(begin)
        .next_update(begin + life)
    )
    for number in revoked or (77,):
        entry = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(revoked_on)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    for extension_value, critical in found.values():
        builder = builder.add_extension(extension_value, critical)
    return builder.sign(key(), hashes.SHA256()).public_bytes(Encoding.DER)


def key_usage(*names: str) -> x509.KeyUsage:
    """A key usage of exactly these bits, by their names in `cryptography`."""
    bits = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**bits | dict.fromkeys(names, True))


def without_next_update() -> bytes:
    """A CRL that does not say when the next one comes."""
    made = crl()
    written = (NOW - timedelta(hours=1) + timedelta(days=7)).strftime("%y%m%d%H%M%SZ").encode()
    # Its length stays: the field becomes a second thisUpdate's twin, an hour before the first.
    earlier = (NOW - timedelta(hours=2)).strftime("%y%m%d%H%M%SZ").encode()
    return made.replace(written, earlier)


def old_hash(data: bytes) -> bytes:
    """A certificate (PEM) or CRL (DER) that says it is signed with SHA-1."""
    der = x509.load_pem_x509_certificate(data) if data.startswith(b"-----") else None
    whole = data if der is None else der.public_bytes(Encoding.DER)
    return whole.replace(_RSA_SHA256, _RSA_SHA1)


def weak_leaf() -> bytes:
    """A leaf whose key has 1024 bits: one of our primes serves as its modulus."""
    numbers = rsa.RSAPublicNumbers(65537, key().private_numbers().p)
    return leaf(public_key=numbers.public_key())


def long_serial() -> bytes:
    """A leaf (DER) whose serial number takes 21 octets, as no builder of ours would write it."""
    made = x509.load_pem_x509_certificate(leaf(serial=1 << 158)).public_bytes(Encoding.DER)
    der = bytearray(made)
    for place in (2, 6):  # lengths of the certificate and of what is signed in it
        der[place : place + 2] = (int.from_bytes(der[place : place + 2]) + 1).to_bytes(2)
    start = der.index(bytes((0x02, 20)))
    der[start + 1] += 1
    der.insert(start + 3, 0x11)
    return bytes(der)


def without_version(data: bytes) -> bytes:
    """A certificate (PEM) or CRL (DER) whose version is not written: version 1."""
    versions = (bytes.fromhex("a003020102"), bytes.fromhex("020101"))
    return _resigned(data, lambda tbs: tbs.removeprefix(versions[0]).removeprefix(versions[1]))


def without_parameters() -> bytes:
    """A leaf (DER) whose RSA key is encoded without its NULL parameters."""
    right, wrong = "30820122300d06092a864886f70d0101010500", "30820120300b06092a864886f70d010101"
    return _resigned(leaf(), lambda tbs: tbs.replace(bytes.fromhex(right), bytes.fromhex(wrong)))


def empty_name() -> bytes:
    """A leaf (DER) whose CN is empty, as no builder of ours would write it."""
    right = name().public_bytes()
    organisation = name(CN="?").public_bytes()
    # The last element loses its character: its four lengths, and the name's, are one less.
    attribute = bytes.fromhex("0603550403")
    wrong = organisation.replace(
        bytes.fromhex("310a3008") + attribute + b"\x0c\x01?",
        bytes.fromhex("31093007") + attribute + b"\x0c\x00",
    )
    wrong = _tlv(0x30, wrong[2:])
    return _resigned(leaf(), lambda tbs: tbs.replace(right, wrong))


def with_empty_list() -> bytes:
    """A CRL that writes its list of revoked certificates, and nothing in it."""
    listed = re.compile(rb"\x30.\x30.\x02\x01\x4d\x17\x0d\d{12}Z", re.DOTALL)
    return _resigned(crl(), lambda tbs: listed.sub(b"\x30\x00", tbs))


def _resigned(data: bytes, edit: Callable[[bytes], bytes]) -> bytes:
    """The same in DER, the octets of what is signed edited, and signed again."""
    if data.startswith(b"-----"):
        signed = x509.load_pem_x509_certificate(data).tbs_certificate_bytes
    else:
        signed = x509.load_der_x509_crl(data).tbs_certlist_bytes
    count = signed[1] & 0x7F if signed[1] & 0x80 else 0
    edited = _tlv(0x30, edit(signed[2 + count :]))
    proof = key().sign(edited, PKCS1v15(), hashes.SHA256())
    algorithm = _tlv(0x30, _RSA_SHA256 + bytes((5, 0)))
    return _tlv(0x30, edited + algorithm + _tlv(0x03, b"\x00" + proof))


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def reversed_name() -> x509.Name:
    """The subject in the reverse order."""
    return x509.Name(list(reversed(list(name()))))


def crl_point(address: str = _CRL) -> x509.CRLDistributionPoints:
    """One distribution point."""
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(address)], None, None, None)
    return x509.CRLDistributionPoints([point])


def policy(oid: str) -> x509.CertificatePolicies:
    """One policy, without qualifier."""
    return x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(oid), None)])


def category(octet: int) -> x509.UnrecognizedExtension:
    """The product category of IGC-Santé leaves."""
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(PRODUCT_CATEGORY), bytes((4, 1, octet)))


_USAGES: dict[str, tuple[tuple[str, ...], tuple[x509.ObjectIdentifier, ...]]] = {
    "org-auth-cli": (("digital_signature",), (ExtendedKeyUsageOID.CLIENT_AUTH,)),
    "org-sign": (
        ("digital_signature", "content_commitment"),
        (ExtendedKeyUsageOID.EMAIL_PROTECTION,),
    ),
    "serv-ssl": (
        ("digital_signature", "key_encipherment"),
        (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
    ),
    "marche": (("digital_signature", "key_encipherment"), (ExtendedKeyUsageOID.SERVER_AUTH,)),
}


def _extensions(profile: str) -> list[Extension]:
    usages, purposes = _USAGES[profile]
    public = key().public_key()
    found: list[Extension] = [
        (x509.BasicConstraints(ca=False, path_length=None), False),
        (key_usage(*usages), True),
        (x509.ExtendedKeyUsage(list(purposes)), False),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False),
        (crl_point(), False),
    ]
    if profile in ("serv-ssl", "marche"):
        found.append((x509.SubjectAlternativeName([x509.DNSName(_HOST)]), False))
    if profile == "marche":
        return [*found, (policy(_DOMAIN_VALIDATED), False)]
    return [*found, (policy(_TEST_POLICY), False), (category(0x83), False)]


def _build(
    subject: x509.Name,
    serial: int,
    life: timedelta,
    extensions: Sequence[Extension],
    *,
    begin: datetime = NOW - timedelta(days=30),
    issuer: x509.Name = _AUTHORITY,
    public_key: rsa.RSAPublicKey | None = None,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key or key().public_key())
        .serial_number(serial)
        .not_valid_before(begin)
        .not_valid_after(begin + life)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key(), hashes.SHA256())


LATER = NOW + timedelta(days=1)
"""After the example CRL was made."""
SERVER_ONLY: Extension = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
ALTERNATIVE: Extension = (x509.SubjectAlternativeName([x509.DNSName(_HOST)]), False)

_RSA_SHA256 = bytes.fromhex("06092a864886f70d01010b")
_RSA_SHA1 = bytes.fromhex("06092a864886f70d010105")

AT = Context(at=NOW)
"""The instant of the examples."""
TRUST = Context(at=NOW, authorities=authority().public_bytes(Encoding.PEM))
"""That instant, and the example authority."""
