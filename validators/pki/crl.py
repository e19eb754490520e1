"""Certificate revocation lists: complete, dated, signed."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import islice

from cryptography import x509

from protocols.pki import crl_signed_by
from spec.certificates import IGC_SAMPLES
from validators.examples import pki as example
from validators.finding import Severity
from validators.pki.reading import CrlArtefact, authorities
from validators.pki.rules import CRL, Findings, rfc5280, sound_signature
from validators.rule import Broken

__all__: list[str] = []

_MANY = 20
"""Findings of one rule about entries: more would say the same again."""
_CRITICAL = {
    x509.IssuingDistributionPoint.oid,
    x509.DeltaCRLIndicator.oid,
    x509.AuthorityKeyIdentifier.oid,
    x509.CRLNumber.oid,
}


@CRL.rule(
    "CRL-001",
    "La signature emploie SHA-256 ou mieux",
    reference=IGC_SAMPLES,
    bad=lambda: example.old_hash(example.crl()),
)
def signature_algorithm(listed: CrlArtefact) -> Findings:
    return sound_signature(listed.crl.signature_algorithm_oid)


@CRL.rule(
    "CRL-002",
    "La liste dit quand viendra la suivante, après celle-ci",
    reference=rfc5280("5.1.2.5"),
    bad=lambda: example.without_next_update(),
)
def next_update(listed: CrlArtefact) -> Findings:
    begin, end = listed.crl.last_update_utc, listed.crl.next_update_utc
    if end is None or end <= begin:
        yield Broken(
            message="nextUpdate manque, ou ne suit pas thisUpdate.",
            expected=f"> {begin:%Y-%m-%d %H:%M}",
            actual="absent" if end is None else f"{end:%Y-%m-%d %H:%M}",
            where="nextUpdate",
        )


@CRL.rule(
    "CRL-003",
    "La liste porte authorityKeyIdentifier et son numéro",
    reference=rfc5280("5.2.1, 5.2.3"),
    bad=lambda: example.crl(replace={x509.CRLNumber: None}),
)
def extensions(listed: CrlArtefact) -> Findings:
    found = listed.extension(x509.AuthorityKeyIdentifier)
    if found is None or not found.value.key_identifier:
        yield Broken(
            message="Cette extension manque, ou ne porte pas keyIdentifier.",
            where="authorityKeyIdentifier",
        )
    if listed.extension(x509.CRLNumber) is None:
        yield Broken(message="Cette extension manque.", where="cRLNumber")


@CRL.rule(
    "CRL-004",
    "Aucune extension critique n'est inconnue",
    reference=rfc5280("5.2"),
    bad=lambda: example.crl(replace={x509.UnrecognizedExtension: (example.category(1), True)}),
)
def critical_extensions(listed: CrlArtefact) -> Findings:
    for extension in listed.crl.extensions:
        if extension.critical and extension.oid not in _CRITICAL:
            yield Broken(
                message="Une extension critique inconnue interdit d'employer la liste.",
                actual=extension.oid.dotted_string,
                where=extension.oid.dotted_string,
            )


@CRL.rule(
    "CRL-005",
    "La liste est complète, pas un différentiel",
    reference=rfc5280("5.2.4"),
    severity=Severity.WARNING,
    bad=lambda: example.crl(replace={x509.DeltaCRLIndicator: (x509.DeltaCRLIndicator(11), True)}),
)
def complete(listed: CrlArtefact) -> Findings:
    if listed.extension(x509.DeltaCRLIndicator) is not None:
        yield Broken(
            message="Un différentiel ne suffit pas à dire qu'un certificat est bon.",
            where="deltaCRLIndicator",
        )


@CRL.rule(
    "CRL-006",
    "Aucune révocation n'est datée après la liste",
    reference=rfc5280("5.1.2.6"),
    severity=Severity.WARNING,
    bad=lambda: example.crl(revoked_on=example.LATER),
)
def revocation_dates(listed: CrlArtefact) -> Findings:
    made = listed.crl.last_update_utc
    # An authority may round its own clock: a minute is no anomaly.
    late = (one for one in listed.entries if one.revocation_date_utc > made + timedelta(minutes=1))
    for one in islice(late, _MANY):
        yield Broken(
            message="Cette révocation est datée après la liste.",
            expected=f"<= {made:%Y-%m-%d %H:%M}",
            actual=f"{one.revocation_date_utc:%Y-%m-%d %H:%M}",
            where=f"numéro {one.serial_number:x}",
        )


@CRL.rule(
    "CRL-007",
    "Un numéro de série ne figure qu'une fois",
    reference=rfc5280("5.1.2.6"),
    severity=Severity.WARNING,
    bad=lambda: example.crl(77, 78, 77),
)
def unique(listed: CrlArtefact) -> Findings:
    counted = Counter(one.serial_number for one in listed.entries)
    repeated = ((number, count) for number, count in counted.items() if count > 1)
    for number, count in islice(repeated, _MANY):
        yield Broken(
            message="Ce numéro de série figure plusieurs fois.",
            expected="1",
            actual=str(count),
            where=f"numéro {number:x}",
        )


@CRL.rule(
    "CRL-008",
    "Seul un différentiel retire un certificat de la liste",
    reference=rfc5280("5.3.1"),
    severity=Severity.WARNING,
    bad=lambda: example.crl(reason=x509.ReasonFlags.remove_from_crl),
)
def reasons(listed: CrlArtefact) -> Findings:
    if listed.extension(x509.DeltaCRLIndicator) is not None:
        return
    removed = (one for one in listed.entries if _reason(one) is x509.ReasonFlags.remove_from_crl)
    for one in islice(removed, _MANY):
        yield Broken(
            message="removeFromCRL n'a de sens que dans un différentiel.",
            where=f"numéro {one.serial_number:x}",
        )


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None


@CRL.rule(
    "CRL-040",
    "La liste est en cours de validité",
    reference=rfc5280("6.3.3"),
    given=example.AT,
    bad=lambda: example.crl(life=timedelta(minutes=5)),
)
def in_force(listed: CrlArtefact) -> Findings:
    now = listed.context.at
    begin, end = listed.crl.last_update_utc, listed.crl.next_update_utc
    if now is not None and (now < begin or (end is not None and now > end)):
        yield Broken(
            message="Cette liste n'est pas en cours de validité.",
            expected=f"{now:%Y-%m-%d %H:%M}",
            actual=f"{begin:%Y-%m-%d %H:%M} à {end or begin:%Y-%m-%d %H:%M}",
            where="nextUpdate",
        )


@CRL.rule(
    "CRL-041",
    "La liste est signée par une autorité de confiance",
    reference=rfc5280("6.3.3"),
    given=example.TRUST,
    bad=lambda: example.crl(issuer=example.name(CN="AC ETRANGERE")),
)
def trusted(listed: CrlArtefact) -> Findings:
    known = authorities(listed.context)
    crl = listed.crl
    if known and not any(one.subject == crl.issuer and crl_signed_by(crl, one) for one in known):
        yield Broken(
            message="Aucune autorité de confiance n'a signé cette liste.",
            expected=" | ".join(one.subject.rfc4514_string() for one in known[:3]),
            actual=crl.issuer.rfc4514_string()[:300],
            where="signatureValue",
        )
