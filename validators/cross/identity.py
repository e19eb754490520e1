"""An exam is of one patient: INS, five traits, used names and local identifier."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from protocols.cda import Id, NamePart, PersonName
from spec.grade import Grade, Reference
from spec.oids import INS_NIR, INS_NIR_TEST
from validators.cross.comparison import broken, equal, unanimous
from validators.cross.exam import Exam
from validators.cross.fact import Subject, Voice
from validators.cross.rules import CROSS, CROSS_VALIDATOR, IMG_KOS, Findings
from validators.examples import exam as example
from validators.examples import hl7v2, wado
from validators.examples.exam import packed
from validators.finding import Severity

__all__: list[str] = []

_INS = ("DB.SO.11", "DB.SO.18")
_OTHER = "162018885045327"
_VARIANTS = Reference(
    "DRIM-M_DATA, test à blanc, Cross-validateur", "OK_CDA_KOS_OtherPatientName", Grade.SAMPLE
)
_IMAGES = (Voice.IMAGE, Voice.RESPONSE, Voice.ANSWER)
_DOCUMENTS = tuple(voice for voice in Voice if voice not in _IMAGES)
"""Those that carry the qualified traits: images carry what the modality was told."""


def _patient(**changes: object) -> bytes:
    return example.report(patients=(example.patient(**changes),))


def _named(*parts: NamePart) -> bytes:
    """The report of a patient with more name parts."""
    (name,) = example.patient().names
    return _patient(names=(PersonName((*name.parts, *parts)),))


def _rewritten(part: NamePart) -> bytes:
    """The report of a patient whose part of that kind and qualifier is another."""
    (name,) = example.patient().names
    parts = tuple(
        part if (one.kind, one.qualifier) == (part.kind, part.qualifier) else one
        for one in name.parts
    )
    return _patient(names=(replace(name, parts=parts),))


def _one(exam: Exam, subject: Subject, message: str) -> Findings:
    """The documents agree on a trait. What images say of it is CROSS-022."""
    pairs = combinations((v for v in exam.said.voices(subject) if v in _DOCUMENTS), 2)
    yield from broken(equal(exam.said, subject, *pairs), message)


@CROSS.rule(
    "CROSS-010",
    "Le matricule INS est le même partout",
    reference=CROSS_VALIDATOR,
    requirements=(*_INS, "DB.SO.39"),
    bad=packed(_patient(ids=(Id(INS_NIR_TEST, _OTHER), Id(hl7v2.LOCAL, hl7v2.IPP)))),
)
def ins(exam: Exam) -> Findings:
    yield from broken(unanimous(exam.said, Subject.INS), "Le matricule INS diffère")


@CROSS.rule(
    "CROSS-011",
    "L'OID de l'INS est le même partout",
    reference=CROSS_VALIDATOR,
    requirements=(*_INS, "DB.SO.39"),
    bad=packed(response=wado.response([wado.instance(n, oid=INS_NIR) for n in (1, 2)])),
)
def ins_authority(exam: Exam) -> Findings:
    pairs = unanimous(exam.said, Subject.INS_AUTHORITY)
    yield from broken(pairs, "L'autorité de l'INS diffère")


@CROSS.rule(
    "CROSS-012",
    "Le nom de naissance est le même partout",
    reference=CROSS_VALIDATOR,
    requirements=_INS,
    bad=packed(_rewritten(NamePart("family", "PAT-SIX", "BR"))),
)
def birth_family(exam: Exam) -> Findings:
    return _one(exam, Subject.BIRTH_FAMILY, "Le nom de naissance diffère")


@CROSS.rule(
    "CROSS-013",
    "Le premier prénom de naissance est le même partout",
    reference=CROSS_VALIDATOR,
    requirements=_INS,
    bad=packed(_rewritten(NamePart("given", "CAMILLE", "BR"))),
)
def birth_given(exam: Exam) -> Findings:
    return _one(exam, Subject.BIRTH_GIVEN, "Le premier prénom diffère")


@CROSS.rule(
    "CROSS-014",
    "La date de naissance est la même partout",
    reference=CROSS_VALIDATOR,
    requirements=_INS,
    bad=packed(_patient(birth_time="19790329")),
)
def birth_date(exam: Exam) -> Findings:
    return _one(exam, Subject.BIRTH_DATE, "La date de naissance diffère")


@CROSS.rule(
    "CROSS-015",
    "Le sexe est le même partout",
    reference=CROSS_VALIDATOR,
    requirements=_INS,
    bad=packed(hl7={"PID": {8: "M"}}),
)
def sex(exam: Exam) -> Findings:
    return _one(exam, Subject.SEX, "Le sexe diffère")


@CROSS.rule(
    "CROSS-016",
    "Le lieu de naissance est le même partout",
    reference=IMG_KOS,
    requirements=_INS,
    bad=packed(manifest=example.manifest(patient_comments="75056")),
)
def birth_place(exam: Exam) -> Findings:
    return _one(exam, Subject.BIRTH_PLACE, "Le lieu de naissance diffère")


@CROSS.rule(
    "CROSS-017",
    "OtherPatientNames donne la liste des prénoms de naissance du compte rendu",
    reference=_VARIANTS,
    requirements=("DB.SO.18",),
    bad=packed(manifest=example.manifest(other_patient_names=("^CAMILLE",))),
)
def birth_givens(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.BIRTH_GIVENS, (Voice.REPORT, Voice.MANIFEST))
    yield from broken(pairs, "La liste des prénoms de naissance diffère")


@CROSS.rule(
    "CROSS-018",
    "OtherPatientNames donne le nom et le prénom utilisés du compte rendu, s'il en a",
    reference=_VARIANTS,
    requirements=("DB.SO.18",),
    bad=packed(_named(NamePart("family", "PAT-SIX", "CL"))),
)
def used_name(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.USED_NAME, (Voice.REPORT, Voice.MANIFEST))
    yield from broken(pairs, "Le nom utilisé diffère")


@CROSS.rule(
    "CROSS-019",
    "Les prénoms de naissance du message sont ceux du compte rendu",
    reference=CROSS_VALIDATOR,
    severity=Severity.WARNING,
    requirements=("DB.SO.03",),
    bad=packed(hl7={"PID": {5: ("PAT-TROIS", "DOMINIQUE", "DOMINIQUE LOU", "", "", "", "L")}}),
)
def message_givens(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.BIRTH_GIVENS, (Voice.MESSAGE, Voice.REPORT))
    yield from broken(pairs, "La liste des prénoms de naissance diffère")


@CROSS.rule(
    "CROSS-020",
    "L'IPP est le même partout, et celui des images",
    reference=Reference("REM DRIM-M (projet 2022-2023)", "DB.SO.16", Grade.DRAFT),
    requirements=("DB.SO.16",),
    bad=packed(image=example.image(ipp="IPP901")),
)
def ipp(exam: Exam) -> Findings:
    yield from broken(unanimous(exam.said, Subject.IPP), "L'IPP diffère")


@CROSS.rule(
    "CROSS-021",
    "L'autorité de l'IPP est la même partout",
    reference=CROSS_VALIDATOR,
    requirements=("DB.SO.16",),
    bad=packed(_patient(ids=(Id(INS_NIR_TEST, hl7v2.INS), Id("1.2.250.1.999.2", hl7v2.IPP)))),
)
def ipp_authority(exam: Exam) -> Findings:
    pairs = unanimous(exam.said, Subject.IPP_AUTHORITY)
    yield from broken(pairs, "L'autorité de l'IPP diffère")


@CROSS.rule(
    "CROSS-022",
    "Les traits des images et du PACS sont ceux du KOS ou du message",
    reference=IMG_KOS,
    severity=Severity.WARNING,
    requirements=("DB.SO.16",),
    bad=packed(image=example.image(name="PAT-SIX^CAMILLE")),
)
def image_traits(exam: Exam) -> Findings:
    """A warning: a modality may have been told another name than the qualified one."""
    for subject in (Subject.BIRTH_FAMILY, Subject.BIRTH_GIVEN, Subject.BIRTH_DATE, Subject.SEX):
        known = [
            voice
            for voice in (Voice.MANIFEST, Voice.MESSAGE, Voice.REPORT)
            if exam.said.of(subject, voice)
        ]
        for images in _IMAGES:
            pairs = [(voice, images) for voice in known[:1]]
            yield from broken(equal(exam.said, subject, *pairs), f"{subject.capitalize()} diffère")
