"""Certificates: what every leaf must be, then the extensions of its profile."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from protocols.pki import ChainError, verify_chain
from spec.certificates import (
    IGC_POLICIES,
    IGC_SAMPLES,
    MARKET,
    MIN_EC_KEY,
    MIN_RSA_KEY,
    PRODUCT_CATEGORIES,
    PRODUCT_CATEGORY,
    PROFILES,
)
from spec.grade import Grade, Reference
from validators.context import Context
from validators.examples import pki as example
from validators.finding import Severity
from validators.pki.reading import CertificateArtefact, authorities, key_of
from validators.pki.rules import CERTIFICATE, Findings, rfc5280, sound_signature
from validators.rule import Broken

__all__: list[str] = []

_UNDERSTOOD = {
    x509.BasicConstraints.oid,
    x509.KeyUsage.oid,
    x509.ExtendedKeyUsage.oid,
    x509.SubjectAlternativeName.oid,
    x509.CertificatePolicies.oid,
}
_REQUIREMENTS = Reference("CA/Browser Forum Baseline Requirements", "6.1.5, 7.1.3", Grade.STANDARD)


@CERTIFICATE.rule(
    "CERT-001",
    "Le certificat est d'un profil du réseau, celui attendu s'il est dit",
    reference=IGC_SAMPLES,
    given=Context(certificate_profile="org-auth-cli"),
    bad=lambda: example.leaf("org-sign"),
)
def profile(certificate: CertificateArtefact) -> Findings:
    wanted, guessed = certificate.context.certificate_profile, certificate.guessed
    if not guessed or (wanted and guessed != wanted):
        expected = [wanted] if wanted in PROFILES else list(PROFILES)
        yield Broken(
            message="Les usages de ce certificat ne sont pas ceux du profil attendu.",
            expected=" | ".join(PROFILES[name].title for name in expected),
            actual=PROFILES[guessed].title
            if guessed
            else ", ".join(sorted(certificate.extended_key_usage)) or "aucun usage étendu",
            where="extendedKeyUsage",
        )


@CERTIFICATE.rule(
    "CERT-002",
    "Le certificat n'est pas celui d'une autorité",
    reference=rfc5280("4.2.1.9"),
    bad=lambda: example.leaf(
        replace={x509.BasicConstraints: (x509.BasicConstraints(True, None), True)}
    ),
)
def not_an_authority(certificate: CertificateArtefact) -> Findings:
    found = certificate.extension(x509.BasicConstraints)
    if (found is not None and found.value.ca) or "keyCertSign" in certificate.key_usage:
        yield Broken(
            message="Ce certificat pourrait en signer d'autres.",
            expected="CA:FALSE",
            actual="CA:TRUE" if found is not None and found.value.ca else "keyCertSign",
            where="basicConstraints",
        )


@CERTIFICATE.rule(
    "CERT-003",
    "La clé est RSA d'au moins 2048 bits, ou elliptique d'au moins 256",
    reference=_REQUIREMENTS,
    bad=lambda: example.weak_leaf(),
)
def key(certificate: CertificateArtefact) -> Findings:
    found = key_of(certificate.leaf)
    match found:
        case rsa.RSAPublicKey():
            good, actual = found.key_size >= MIN_RSA_KEY, f"RSA {found.key_size}"
        case ec.EllipticCurvePublicKey():
            good, actual = found.key_size >= MIN_EC_KEY, f"EC {found.key_size}"
        case _:
            good, actual = False, "d'une autre sorte"
    if not good:
        yield Broken(
            message="Cette clé est trop faible, ou d'une sorte inconnue.",
            expected=f"RSA >= {MIN_RSA_KEY} ou EC >= {MIN_EC_KEY}",
            actual=actual,
            where="subjectPublicKeyInfo",
        )


@CERTIFICATE.rule(
    "CERT-004",
    "La signature emploie SHA-256 ou mieux",
    reference=_REQUIREMENTS,
    bad=lambda: example.old_hash(example.leaf()),
)
def signature_algorithm(certificate: CertificateArtefact) -> Findings:
    return sound_signature(certificate.leaf.signature_algorithm_oid)


@CERTIFICATE.rule(
    "CERT-005",
    "keyUsage est celui du profil",
    reference=IGC_SAMPLES,
    bad=lambda: example.leaf(
        replace={x509.KeyUsage: (example.key_usage("key_encipherment"), True)}
    ),
)
def key_usage(certificate: CertificateArtefact) -> Findings:
    wanted = certificate.profile
    if wanted is None:
        return
    found = certificate.key_usage
    if not wanted.key_usage <= found <= wanted.key_usage | wanted.optional_key_usage:
        yield Broken(
            message=f"Ces usages ne sont pas ceux d'un certificat {wanted.title}.",
            expected=", ".join(sorted(wanted.key_usage)),
            actual=", ".join(sorted(found)) or "aucun",
            where="keyUsage",
        )


@CERTIFICATE.rule(
    "CERT-006",
    "keyUsage est critique",
    reference=rfc5280("4.2.1.3"),
    severity=Severity.WARNING,
    bad=lambda: example.leaf(
        replace={x509.KeyUsage: (example.key_usage("digital_signature"), False)}
    ),
)
def key_usage_critical(certificate: CertificateArtefact) -> Findings:
    found = certificate.extension(x509.KeyUsage)
    if found is not None and not found.critical:
        yield Broken(
            message="keyUsage devrait être critique.",
            expected="critique",
            actual="non critique",
            where="keyUsage",
        )


@CERTIFICATE.rule(
    "CERT-007",
    "extendedKeyUsage est celui du profil, sans autre usage",
    reference=IGC_SAMPLES,
    bad=lambda: example.leaf("serv-ssl", replace={x509.ExtendedKeyUsage: example.SERVER_ONLY}),
)
def extended_key_usage(certificate: CertificateArtefact) -> Findings:
    wanted = certificate.profile
    if wanted is None:
        return
    found = certificate.extended_key_usage
    allowed = wanted.extended_key_usage | wanted.optional_extended_key_usage
    if not wanted.extended_key_usage <= found <= allowed:
        yield Broken(
            message=f"Ces usages étendus ne sont pas ceux d'un certificat {wanted.title}.",
            expected=", ".join(sorted(wanted.extended_key_usage)),
            actual=", ".join(sorted(found)) or "aucun",
            where="extendedKeyUsage",
        )


@CERTIFICATE.rule(
    "CERT-008",
    "La politique d'un certificat d'organisation est de l'IGC-Santé",
    reference=IGC_SAMPLES,
    severity=Severity.WARNING,
    bad=lambda: example.leaf(
        replace={x509.CertificatePolicies: (example.policy("2.23.140.1.2.2"), False)}
    ),
)
def policy(certificate: CertificateArtefact) -> Findings:
    wanted = certificate.profile
    if wanted is not None and wanted.organisation and not certificate.is_igc:
        yield Broken(
            message="Aucune politique n'est de l'IGC-Santé.",
            expected=IGC_POLICIES + "…",
            actual=", ".join(certificate.policies) or "aucune",
            where="certificatePolicies",
        )


@CERTIFICATE.rule(
    "CERT-009",
    "Les noms d'un serveur sont dans subjectAltName, CN compris",
    reference=Reference("CA/Browser Forum Baseline Requirements", "7.1.4.3", Grade.STANDARD),
    good=lambda: example.leaf("marche"),
    bad=lambda: example.leaf("marche", subject=example.name(CN="db901.exemple.invalid")),
)
def server_names(certificate: CertificateArtefact) -> Findings:
    wanted = certificate.profile
    if wanted is None or not wanted.server:
        return
    found = certificate.extension(x509.SubjectAlternativeName)
    names = [] if found is None else found.value.get_values_for_type(x509.DNSName)
    for common_name in certificate.values("CN") or ("",):
        if not names or (common_name and common_name not in names):
            yield Broken(
                message="Le nom de l'hôte n'est pas dans subjectAltName.",
                expected=common_name or "un nom DNS",
                actual=", ".join(names[:10]) or "aucun",
                where="subjectAltName",
            )


@CERTIFICATE.rule(
    "CERT-010",
    "Un certificat d'organisation qui n'est pas d'un serveur n'a pas de subjectAltName",
    reference=IGC_SAMPLES,
    severity=Severity.WARNING,
    bad=lambda: example.leaf(add=[example.ALTERNATIVE]),
)
def no_alternative_name(certificate: CertificateArtefact) -> Findings:
    wanted = certificate.profile
    if wanted is None or wanted.server:
        return
    if certificate.extension(x509.SubjectAlternativeName) is not None:
        yield Broken(
            message=f"Un certificat {wanted.title} n'a pas d'autre nom.", where="subjectAltName"
        )


@CERTIFICATE.rule(
    "CERT-011",
    "L'extension authorityKeyIdentifier désigne la clé de l'émetteur",
    reference=rfc5280("4.2.1.1"),
    bad=lambda: example.leaf(replace={x509.AuthorityKeyIdentifier: None}),
)
def key_identifiers(certificate: CertificateArtefact) -> Findings:
    found = certificate.extension(x509.AuthorityKeyIdentifier)
    if found is None or not found.value.key_identifier:
        yield Broken(
            message="Cette extension manque, ou ne porte pas keyIdentifier.",
            where="authorityKeyIdentifier",
        )


@CERTIFICATE.rule(
    "CERT-012",
    "Un certificat d'organisation dit en HTTP où est sa CRL",
    reference=IGC_SAMPLES,
    bad=lambda: example.leaf(
        replace={x509.CRLDistributionPoints: (example.crl_point("ldap://igc.invalid/"), False)}
    ),
)
def crl_address(certificate: CertificateArtefact) -> Findings:
    wanted = certificate.profile
    if wanted is None or not wanted.organisation:
        return
    found = certificate.extension(x509.CRLDistributionPoints)
    addresses = [
        str(one.value)
        for point in (found.value if found else ())
        for one in point.full_name or ()
        if isinstance(one, x509.UniformResourceIdentifier)
    ]
    if not any(address.startswith("http://") for address in addresses):
        yield Broken(
            message="La révocation ne pourrait pas être vérifiée.",
            expected="http://…",
            actual=", ".join(addresses[:5]) or "aucune adresse",
            where="cRLDistributionPoints",
        )


@CERTIFICATE.rule(
    "CERT-013",
    "La catégorie de produit est celle d'un certificat logiciel",
    reference=IGC_SAMPLES,
    severity=Severity.WARNING,
    bad=lambda: example.leaf(replace={x509.UnrecognizedExtension: (example.category(0x80), False)}),
)
def category(certificate: CertificateArtefact) -> Findings:
    wanted = certificate.profile
    if wanted is None or not wanted.organisation:
        return
    written = [
        one.value.value
        for one in certificate.leaf.extensions
        if isinstance(one.value, x509.UnrecognizedExtension)
        and one.oid.dotted_string == PRODUCT_CATEGORY
    ]
    if not any(one in [bytes((4, 1, octet)) for octet in PRODUCT_CATEGORIES] for one in written):
        yield Broken(
            message="Ce n'est pas un certificat logiciel de l'IGC-Santé.",
            expected=" | ".join(f"{octet:02X}" for octet in PRODUCT_CATEGORIES),
            actual=written[0][:16].hex(" ").upper() if written else "absente",
            where=PRODUCT_CATEGORY,
        )


@CERTIFICATE.rule(
    "CERT-014",
    "Aucune extension critique n'est inconnue",
    reference=rfc5280("4.2"),
    bad=lambda: example.leaf(replace={x509.UnrecognizedExtension: (example.category(0x83), True)}),
)
def critical_extensions(certificate: CertificateArtefact) -> Findings:
    for extension in certificate.leaf.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            yield Broken(
                message="Une extension critique inconnue fait refuser le certificat.",
                actual=extension.oid.dotted_string,
                where=extension.oid.dotted_string,
            )


@CERTIFICATE.rule(
    "CERT-015",
    "La durée de validité est celle du profil : 3 ans, 398 jours pour le marché",
    reference=MARKET,
    severity=Severity.WARNING,
    bad=lambda: example.leaf(life=timedelta(days=3650)),
)
def life(certificate: CertificateArtefact) -> Findings:
    wanted = certificate.profile
    leaf = certificate.leaf
    found = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    longest = wanted.longest_days if wanted else 0
    if found < timedelta() or (longest and found > timedelta(days=longest)):
        yield Broken(
            message="Cette durée de validité n'est pas celle de ces certificats.",
            expected=f"<= {longest} jours",
            actual=f"{found.days} jours",
            where="validity",
        )


@CERTIFICATE.rule(
    "CERT-016",
    "Le numéro de série est positif et tient en 20 octets",
    reference=rfc5280("4.1.2.2"),
    bad=lambda: example.long_serial(),
)
def serial(certificate: CertificateArtefact) -> Findings:
    number = certificate.leaf.serial_number
    if number <= 0 or number.bit_length() >= 160:
        yield Broken(
            message="Ce numéro de série n'est pas admis.",
            expected="entre 1 et 2^159",
            actual=f"{number.bit_length()} bits",
            where="serialNumber",
        )


@CERTIFICATE.rule(
    "CERT-017",
    "Le certificat n'est pas signé par lui-même",
    reference=IGC_SAMPLES,
    bad=lambda: example.leaf(issuer=example.name()),
)
def not_self_issued(certificate: CertificateArtefact) -> Findings:
    if certificate.leaf.issuer == certificate.leaf.subject:
        yield Broken(
            message="Un certificat auto-signé ne prouve rien.",
            actual=certificate.leaf.subject.rfc4514_string()[:300],
            where="issuer",
        )


@CERTIFICATE.rule(
    "CERT-018",
    "Les certificats qui suivent sont ses autorités, dans l'ordre",
    reference=Reference("RFC 8446", "4.4.2", Grade.STANDARD),
    severity=Severity.WARNING,
    good=example.bundle,
    bad=lambda: example.bundle(stranger=True),
)
def chain(certificate: CertificateArtefact) -> Findings:
    path = (certificate.leaf, *certificate.chain)
    for rank, (one, above) in enumerate(pairwise(path), start=2):
        if one.issuer != above.subject:
            yield Broken(
                message="Ce certificat n'est pas l'autorité de celui qui le précède.",
                expected=one.issuer.rfc4514_string()[:300],
                actual=above.subject.rfc4514_string()[:300],
                where=f"certificat {rank}",
            )


@CERTIFICATE.rule(
    "CERT-040",
    "Le certificat est en cours de validité",
    reference=rfc5280("4.1.2.5"),
    given=example.AT,
    bad=lambda: example.leaf(life=timedelta(days=2)),
)
def in_force(certificate: CertificateArtefact) -> Findings:
    now = certificate.context.at
    begin, end = certificate.leaf.not_valid_before_utc, certificate.leaf.not_valid_after_utc
    if now is not None and not begin <= now <= end:
        yield Broken(
            message="Ce certificat n'est pas en cours de validité.",
            expected=f"{now:%Y-%m-%d %H:%M}",
            actual=f"{begin:%Y-%m-%d} à {end:%Y-%m-%d}",
            where="validity",
        )


@CERTIFICATE.rule(
    "CERT-041",
    "Le certificat mène à une autorité de confiance",
    reference=rfc5280("6.1"),
    given=example.TRUST,
    bad=lambda: example.leaf(issuer=example.name(CN="AC ETRANGERE")),
)
def trusted(certificate: CertificateArtefact) -> Findings:
    # Validity is CERT-040's affair: the path is looked at when the leaf begins.
    roots = authorities(certificate.context)
    if not roots:
        return
    moment = certificate.leaf.not_valid_before_utc
    try:
        verify_chain(certificate.leaf, certificate.chain, roots, moment)
    except ChainError as error:
        yield Broken(
            message=f"Aucun chemin ne tient jusqu'à une autorité de confiance : {error}.",
            expected=" | ".join(root.subject.rfc4514_string() for root in roots[:3]),
            actual=certificate.leaf.issuer.rfc4514_string()[:300],
            where="issuer",
        )
