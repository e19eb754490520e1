"""Who answers for a publication: one structure through report, certificate, VIHF and authors."""

from __future__ import annotations

from dataclasses import replace

from protocols.cda import Id, Organization
from spec.grade import Grade, Reference
from spec.oids import STRUCTURE_AUTHORITY
from validators.cross.comparison import broken, within
from validators.cross.exam import Exam
from validators.cross.fact import Subject, Voice
from validators.cross.rules import CROSS, FAQ_9313, IMG_KOS, Findings
from validators.examples import exam as example
from validators.examples.exam import packed
from validators.finding import Severity

__all__: list[str] = []

_CERTIFICATES = ("DB.SO.19", "DB.SO.89")
_EX_1140 = Reference("GI DMP, EX_2.1-1140, cité par des éditeurs", grade=Grade.DEMONSTRATOR)
_OTHER = "3101235550009"


def _signed_elsewhere() -> bytes:
    """The report, validated for another structure."""
    elsewhere = Organization(ids=(Id(STRUCTURE_AUTHORITY, _OTHER),), name="AUTRE")
    return example.report(legal_authenticators=(replace(example.person(), organization=elsewhere),))


@CROSS.rule(
    "CROSS-070",
    "Le certificat est celui de la structure du valideur",
    reference=FAQ_9313,
    # A warning: in EJ and EJ/EG modes the certificate is that of the legal entity.
    severity=Severity.WARNING,
    requirements=_CERTIFICATES,
    bad=packed(_signed_elsewhere()),
)
def certificate(exam: Exam) -> Findings:
    pairs = within(exam.said, Subject.STRUCTURE, (Voice.REPORT, Voice.CERTIFICATE))
    yield from broken(pairs, "Le certificat est d'une autre structure que le valideur")


@CROSS.rule(
    "CROSS-071",
    "Le VIHF nomme la structure du valideur",
    reference=FAQ_9313,
    severity=Severity.WARNING,
    requirements=_CERTIFICATES,
    bad=packed(_signed_elsewhere()),
)
def vihf(exam: Exam) -> Findings:
    pairs = within(exam.said, Subject.STRUCTURE, (Voice.REPORT, Voice.VIHF))
    yield from broken(pairs, "Le VIHF nomme une autre structure que le valideur")


@CROSS.rule(
    "CROSS-072",
    "Le certificat est celui de la structure du VIHF",
    reference=FAQ_9313,
    severity=Severity.WARNING,
    requirements=_CERTIFICATES,
    bad=packed(publication=example.acting_for(_OTHER)),
)
def vihf_certificate(exam: Exam) -> Findings:
    pairs = within(exam.said, Subject.STRUCTURE, (Voice.VIHF, Voice.CERTIFICATE))
    yield from broken(pairs, "Le certificat est d'une autre structure que le VIHF")


@CROSS.rule(
    "CROSS-073",
    "La structure du VIHF est celle d'un auteur du lot",
    reference=_EX_1140,
    requirements=("DB.SO.19",),
    bad=packed(publication=example.acting_for(_OTHER)),
)
def author(exam: Exam) -> Findings:
    pairs = within(exam.said, Subject.STRUCTURE, (Voice.SUBMISSION, Voice.VIHF))
    yield from broken(pairs, "Aucun auteur du lot n'est de la structure du VIHF")


@CROSS.rule(
    "CROSS-074",
    "La structure qui publie est l'une de celles du compte rendu",
    reference=FAQ_9313,
    severity=Severity.WARNING,
    requirements=("DB.SO.19",),
    bad=packed(
        message=example.message(example.report(), sender=_OTHER),
        manifest=example.manifest(),
    ),
)
def publisher(exam: Exam) -> Findings:
    pairs = within(exam.said, Subject.SITE, (Voice.REPORT, Voice.MESSAGE))
    yield from broken(pairs, "La structure n'est pas du compte rendu")


@CROSS.rule(
    "CROSS-075",
    "InstitutionName du KOS est l'une des structures du compte rendu",
    reference=IMG_KOS,
    severity=Severity.WARNING,
    requirements=("DB.SO.18",),
    bad=packed(manifest=example.manifest(institution_name=f"AUTRE^^^^^^^^^{_OTHER}")),
)
def institution(exam: Exam) -> Findings:
    pairs = within(exam.said, Subject.SITE, (Voice.REPORT, Voice.MANIFEST))
    yield from broken(pairs, "La structure n'est pas du compte rendu")
