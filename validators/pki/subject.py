"""Certificates: the subject of an organisation, as IGC-Santé writes it."""

from __future__ import annotations

import re

from cryptography.x509.oid import NameOID

from spec.certificates import IGC_SAMPLES, MAX_ORGANISATION_LENGTH
from spec.grade import Grade, Reference
from validators.examples import pki as example
from validators.finding import Severity
from validators.identifiers import structure_id
from validators.pki.reading import CertificateArtefact
from validators.pki.rules import CERTIFICATE, Findings
from validators.rule import Broken

__all__: list[str] = []

_TYPES = ("C", "ST", "O", "OU", "CN")
_ORDER = [
    NameOID.COUNTRY_NAME,
    NameOID.STATE_OR_PROVINCE_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.COMMON_NAME,
]
_PLACE = re.compile(r"[^\W\d_][\w' .-]* ?\((\d{2,3}|2[AB])\)")
_LISTS = Reference("DRIM-M_DATA, Liste blanche TEST", "DNCertificatOperateur", Grade.SAMPLE)


def _of_organisation(certificate: CertificateArtefact) -> bool:
    return certificate.profile is not None and certificate.profile.organisation


@CERTIFICATE.rule(
    "CERT-020",
    "Le sujet porte C=FR, ST, O, OU et CN, une fois chacun",
    reference=IGC_SAMPLES,
    bad=lambda: example.leaf(subject=example.name(ST=None)),
)
def parts(certificate: CertificateArtefact) -> Findings:
    if not _of_organisation(certificate):
        return
    for name in _TYPES:
        found = certificate.values(name)
        if len(found) != 1 or not found[0].strip() or (name == "C" and found[0] != "FR"):
            yield Broken(
                message="Cet élément du sujet doit figurer une fois, avec une valeur.",
                expected="C=FR" if name == "C" else "1",
                actual=" | ".join(found)[:200] or "absent",
                where=f"subject/{name}",
            )


@CERTIFICATE.rule(
    "CERT-021",
    "OU est l'identifiant national de la structure",
    reference=IGC_SAMPLES,
    bad=lambda: example.leaf(subject=example.name(OU="IMAGERIE")),
)
def structure(certificate: CertificateArtefact) -> Findings:
    for value in certificate.values("OU") if _of_organisation(certificate) else ():
        if not structure_id(value) or "/" in value:
            yield Broken(
                message="Ce n'est pas un identifiant national de structure.",
                expected="1 + FINESS, 3 + SIRET, 4 + RPPS-rang…",
                actual=value[:200],
                where="subject/OU",
            )


@CERTIFICATE.rule(
    "CERT-022",
    "ST est un département et son numéro",
    reference=_LISTS,
    severity=Severity.WARNING,
    bad=lambda: example.leaf(subject=example.name(ST="Île-de-France")),
)
def place(certificate: CertificateArtefact) -> Findings:
    for value in certificate.values("ST") if _of_organisation(certificate) else ():
        if _PLACE.fullmatch(value) is None:
            yield Broken(
                message="Ce département n'est pas écrit comme les autres.",
                expected="Paris (75)",
                actual=value[:200],
                where="subject/ST",
            )


@CERTIFICATE.rule(
    "CERT-023",
    "O tient en 40 caractères",
    reference=_LISTS,
    severity=Severity.WARNING,
    bad=lambda: example.leaf(
        subject=example.name(O="CENTRE D'EXEMPLE AU NOM BIEN TROP LONG POUR O")
    ),
)
def organisation(certificate: CertificateArtefact) -> Findings:
    for value in certificate.values("O") if _of_organisation(certificate) else ():
        if len(value) > MAX_ORGANISATION_LENGTH:
            yield Broken(
                message="L'IGC-Santé coupe ce nom.",
                expected=f"<= {MAX_ORGANISATION_LENGTH}",
                actual=f"{len(value)} : {value[:100]}",
                where="subject/O",
            )


@CERTIFICATE.rule(
    "CERT-024",
    "Le sujet est codé dans l'ordre C, ST, O, OU, CN",
    reference=IGC_SAMPLES,
    severity=Severity.WARNING,
    bad=lambda: example.leaf(subject=example.reversed_name()),
)
def order(certificate: CertificateArtefact) -> Findings:
    if not _of_organisation(certificate):
        return
    found = [one.oid for one in certificate.leaf.subject if one.oid in _ORDER]
    if found != sorted(found, key=_ORDER.index):
        yield Broken(
            message="Les éléments du sujet ne sont pas dans l'ordre de l'IGC-Santé.",
            expected=", ".join(_TYPES),
            actual=", ".join(_TYPES[_ORDER.index(one)] for one in found[:10]),
            where="subject",
        )
