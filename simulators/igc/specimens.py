"""One certificate of each kind that the network knows, and one of each that it must refuse.

Profiles are those of `spec.certificates`; the wrong ones differ from a right ORG AUTH_CLI by one
thing each. The library is `cryptography` alone: what it will not sign (SHA-1) is written around it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from simulators.igc import persons, profiles
from simulators.igc.authorities import (
    AUTHORITY_LIFE,
    ORGANISATIONS,
    PERSONS,
    PRODUCTION,
    certify,
)
from simulators.igc.credential import Credential
from simulators.igc.pki import Pki

__all__ = ["SPECIMENS", "Specimen", "Structure", "reissued"]

_SHA256_RSA = bytes.fromhex("06092a864886f70d01010b")
_SHA1_RSA = bytes.fromhex("06092a864886f70d010105")


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """In whose name certificates are made."""

    cn: str
    ou: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """One certificate of a folder. `title` is French."""

    name: str
    title: str
    profile: str
    """The one that it claims, of `spec.certificates.PROFILES`."""
    make: Callable[[Pki, Structure], Credential]
    right: bool = False
    revoked: bool = False


def _auth(pki: Pki, who: Structure) -> Credential:
    return pki.auth_cli(who.cn, who.ou, key=pki.throwaway_key)


def reissued(
    pki: Pki,
    right: Credential,
    *,
    change: Callable[[x509.Extension[x509.ExtensionType]], x509.ExtensionType | None] = (
        lambda one: one.value
    ),
    key: rsa.RSAPrivateKey | None = None,
    more: tuple[x509.ExtensionType, ...] = (),
    subject: x509.Name | None = None,
    critical: bool = False,
) -> Credential:
    """The same dates, each extension as `change` makes it; None leaves it out.

    `more` are added, `critical` or not; the subject is the same unless told otherwise.
    """
    key, authority, old = key or right.key, pki.organisations, right.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject or old.subject)
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(old.not_valid_after_utc)
    )
    for one in old.extensions:
        value = change(one)
        if isinstance(one.value, x509.SubjectKeyIdentifier):
            value = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        if value is not None:
            builder = builder.add_extension(value, critical=one.critical)
    for value in more:
        builder = builder.add_extension(value, critical=critical)
    return Credential(key, builder.sign(authority.key, SHA256()), right.chain)


def _server(pki: Pki, who: Structure) -> Credential:
    right = pki.auth_cli(who.cn, who.ou)

    def change(one: x509.Extension[x509.ExtensionType]) -> x509.ExtensionType:
        if isinstance(one.value, x509.KeyUsage):
            return profiles.key_usage(digital_signature=True, key_encipherment=True)
        if isinstance(one.value, x509.ExtendedKeyUsage):
            return x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            )
        return one.value

    names = x509.SubjectAlternativeName([x509.DNSName(who.cn)])
    return reissued(pki, right, change=change, more=(names,))


def _wrong_purpose(pki: Pki, who: Structure) -> Credential:
    def change(one: x509.Extension[x509.ExtensionType]) -> x509.ExtensionType:
        server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        return server if isinstance(one.value, x509.ExtendedKeyUsage) else one.value

    return reissued(pki, _auth(pki, who), change=change)


def _without_usage(pki: Pki, who: Structure) -> Credential:
    return reissued(
        pki,
        _auth(pki, who),
        change=lambda one: None if isinstance(one.value, x509.KeyUsage) else one.value,
    )


def _short_key(pki: Pki, who: Structure) -> Credential:
    key = rsa.generate_private_key(65537, 1024)
    return reissued(pki, _auth(pki, who), key=key)


def _sha1(pki: Pki, who: Structure) -> Credential:
    """`cryptography` signs no certificate by SHA-1: both identifiers, then the value, by hand."""
    right = _auth(pki, who)
    der = right.certificate.public_bytes(Encoding.DER).replace(_SHA256_RSA, _SHA1_RSA)
    length = len(right.certificate.signature)
    tbs = right.certificate.tbs_certificate_bytes.replace(_SHA256_RSA, _SHA1_RSA)
    value = pki.organisations.key.sign(tbs, padding.PKCS1v15(), SHA1())
    certificate = x509.load_der_x509_certificate(der[:-length] + value)
    return Credential(right.key, certificate, right.chain)


def _look_alike(pki: Pki, who: Structure) -> Credential:
    """By authorities of the same names, whose keys are others."""
    twin = Pki.create(clock=pki.clock, crl_url=pki.crl_url)
    return twin.auth_cli(who.cn, who.ou, key=pki.throwaway_key)


def _too_deep(pki: Pki, who: Structure) -> Credential:
    """By an authority that the organisations' own may not make: its path length is 0."""
    right, authority, key = _auth(pki, who), pki.organisations, pki.throwaway_key
    below = x509.Name([*authority.certificate.subject][:-1]).rdns
    name = x509.Name([*below, x509.RelativeDistinguishedName([_cn("KIT AC EN TROP")])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(right.certificate.not_valid_before_utc)
        .not_valid_after(right.certificate.not_valid_after_utc + timedelta(days=1))
    )
    for value, critical in profiles.authority_extensions(
        key.public_key(), authority.key.public_key(), path_length=0
    ):
        builder = builder.add_extension(value, critical=critical)
    between = builder.sign(authority.key, SHA256())
    leaf = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=right.certificate.subject,
        public_key=right.certificate.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=right.certificate.not_valid_before_utc,
        not_valid_after=right.certificate.not_valid_after_utc,
        extensions=list(right.certificate.extensions),
    ).sign(key, SHA256())
    return Credential(right.key, leaf, (between, *right.chain))


def _of_person(pki: Pki, who: Structure) -> Credential:
    """The right name and usages, by the authority of persons, whose root is the same."""
    right = _auth(pki, who)

    def extensions(
        key: rsa.RSAPublicKey, issuer_key: rsa.RSAPublicKey, addresses: profiles.Addresses | None
    ) -> list[profiles.Extension]:
        return profiles.organisation_extensions("auth-cli", key, issuer_key, addresses)

    return pki.issue(PERSONS, right.certificate.subject, extensions, key=right.key)


def _of_production(*, sign: bool) -> Callable[[Pki, Structure], Credential]:
    """The right name, in the range of production: another root."""

    def make(pki: Pki, who: Structure) -> Credential:
        def extensions(
            key: rsa.RSAPublicKey,
            issuer_key: rsa.RSAPublicKey,
            addresses: profiles.Addresses | None,
        ) -> list[profiles.Extension]:
            made = profiles.leaf_extensions(
                key,
                issuer_key,
                addresses,
                usage=profiles.key_usage(
                    digital_signature=True, content_commitment=sign, key_encipherment=not sign
                ),
                purposes=[ExtendedKeyUsageOID.EMAIL_PROTECTION]
                if sign
                else [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
                policy=profiles.PRODUCTION_SIGN_POLICY
                if sign
                else profiles.PRODUCTION_SERVER_POLICY,
                category=profiles.PRODUCTION_SOFTWARE_CERTIFICATE,
            )
            if not sign:
                names = x509.SubjectAlternativeName([x509.DNSName(who.cn)])
                made.append((names, False))
            return made

        right = _auth(pki, who)
        return pki.issue(PRODUCTION, right.certificate.subject, extensions, key=right.key)

    return make


def _by_expired(pki: Pki, who: Structure) -> Credential:
    """By a former authority of the organisations, whose key was another: it ended yesterday."""
    right, root, key = _auth(pki, who), pki.root_credential(ORGANISATIONS), pki.throwaway_key
    now, public = pki.clock(), pki.throwaway_key.public_key()
    former = certify(
        subject=ORGANISATIONS.subject,
        public_key=public,
        issuer=root.certificate.subject,
        issuer_key=root.key,
        window=(now - AUTHORITY_LIFE, now - timedelta(days=1)),
        extensions=profiles.authority_extensions(public, root.key.public_key(), path_length=0),
    )
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
    leaf = certify(
        subject=right.certificate.subject,
        public_key=right.key.public_key(),
        issuer=former.subject,
        issuer_key=key,
        window=(right.certificate.not_valid_before_utc, right.certificate.not_valid_after_utc),
        extensions=[
            (
                issuer if isinstance(one.value, x509.AuthorityKeyIdentifier) else one.value,
                one.critical,
            )
            for one in right.certificate.extensions
        ],
    )
    return Credential(right.key, leaf, (former,))


def _cn(text: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(x509.NameOID.COMMON_NAME, text)


def _faulty(**options: bool) -> Callable[[Pki, Structure], Credential]:
    def make(pki: Pki, who: Structure) -> Credential:
        return pki.auth_cli(who.cn, who.ou, key=pki.throwaway_key, **options)  # type: ignore[arg-type]

    return make


SPECIMENS = (
    Specimen(
        name="org-auth-cli",
        title="ORG AUTH_CLI : TLS mutuel, DMP, PSC",
        profile="org-auth-cli",
        make=lambda pki, who: pki.auth_cli(who.cn, who.ou),
        right=True,
    ),
    Specimen(
        name="org-sign",
        title="ORG SIGN : VIHF, lot, liste blanche",
        profile="org-sign",
        make=lambda pki, who: pki.sign(who.cn, who.ou),
        right=True,
    ),
    Specimen(
        name="serv-ssl",
        title="SERV SSL_SERV : serveur et client, de l'IGC-Santé",
        profile="serv-ssl",
        make=_server,
        right=True,
    ),
    Specimen(
        name="marche",
        title="serveur TLS du marché",
        profile="marche",
        make=lambda pki, who: pki.server(who.cn),
        right=True,
    ),
    Specimen(
        name="expire", title="expiré hier", profile="org-auth-cli", make=_faulty(expired=True)
    ),
    Specimen(
        name="a-venir",
        title="valable demain",
        profile="org-auth-cli",
        make=_faulty(not_yet_valid=True),
    ),
    Specimen(
        name="auto-signe",
        title="signé par lui-même",
        profile="org-auth-cli",
        make=_faulty(self_signed=True),
    ),
    Specimen(
        name="du-marche",
        title="le bon nom, certifié par le marché",
        profile="org-auth-cli",
        make=lambda pki, who: pki.auth_cli(who.cn, who.ou, issuer="market", key=pki.throwaway_key),
    ),
    Specimen(
        name="revoque", title="révoqué (CRL)", profile="org-auth-cli", make=_auth, revoked=True
    ),
    Specimen(
        name="sosie",
        title="par des autorités de mêmes noms, aux autres clés",
        profile="org-auth-cli",
        make=_look_alike,
    ),
    Specimen(
        name="chaine-trop-longue",
        title="par une autorité que celle des organisations ne peut pas créer (pathlen 0)",
        profile="org-auth-cli",
        make=_too_deep,
    ),
    Specimen(
        name="usage-serveur",
        title="extendedKeyUsage serverAuth au lieu de clientAuth",
        profile="org-auth-cli",
        make=_wrong_purpose,
    ),
    Specimen(
        name="sans-key-usage", title="sans keyUsage", profile="org-auth-cli", make=_without_usage
    ),
    Specimen(
        name="rsa-1024", title="clé RSA de 1024 bits", profile="org-auth-cli", make=_short_key
    ),
    Specimen(name="sha-1", title="signé par SHA-1", profile="org-auth-cli", make=_sha1),
    Specimen(
        name="personnes",
        title="le bon nom et les bons usages, par l'autorité des personnes, de même racine",
        profile="org-auth-cli",
        make=_of_person,
    ),
    Specimen(
        name="ps-signature",
        title="signature d'un professionnel, de l'autorité des personnes",
        profile="org-sign",
        make=lambda pki, _: persons.signature(pki, persons.PERSON, pki.throwaway_key),
    ),
    Specimen(
        name="cpx",
        title="authentification d'une carte CPx, de la gamme standard",
        profile="org-auth-cli",
        make=lambda pki, _: persons.card(pki, persons.PERSON, pki.throwaway_key),
    ),
    Specimen(
        name="production",
        title="SERV SSL_SERV au bon nom, de la gamme de production : une autre racine",
        profile="serv-ssl",
        make=_of_production(sign=False),
    ),
    Specimen(
        name="production-sign",
        title="ORG SIGN au bon nom, de la gamme de production",
        profile="org-sign",
        make=_of_production(sign=True),
    ),
    Specimen(
        name="intermediaire-expire",
        title="en cours, par une ancienne autorité des organisations, expirée hier",
        profile="org-auth-cli",
        make=_by_expired,
    ),
)
"""Right ones first."""
