"""KOS: what the French profile IMG-KOS adds, as the official data sets show it."""

from __future__ import annotations

import re

from protocols.kos import Issuer
from spec.dicom import KEY_OBJECT_DESCRIPTION
from spec.oids import INS_AUTHORITIES
from validators.context import Context
from validators.dicom_tree import DataSet
from validators.examples import kos as example
from validators.finding import Severity
from validators.identifiers import is_ins_key_right, is_matricule, is_oid
from validators.kos.reading import Kos
from validators.kos.rules import IMG_KOS, KOS, Findings, filled
from validators.rule import Broken

__all__: list[str] = []

QUALIFIERS = 0x00100024
_INS = ("DB.SO.18", "DB.SO.11")


@KOS.rule(
    "KOS-030",
    "PatientID est un matricule INS",
    reference=IMG_KOS,
    requirements=_INS,
    bad=lambda: example.kos(patient_id="IPP900"),
)
def patient_id(kos: Kos) -> Findings:
    value = kos.root.text(0x00100020)
    if not is_matricule(value) or not is_ins_key_right(value):
        yield Broken(
            message="PatientID n'est pas un matricule INS de 15 caractères à la clé juste.",
            expected="13 caractères et une clé de 2 chiffres",
            actual=value,
            where="0010,0020",
        )


def _authorities(item: DataSet, tag: int) -> list[tuple[str, str]]:
    """Universal id and type of each qualifier of an issuer."""
    return [(one.text(0x00400032), one.text(0x00400033)) for one in item.items(tag)]


def _ins_authority(item: DataSet) -> Findings:
    written = _authorities(item, QUALIFIERS)
    if not any(oid in INS_AUTHORITIES and kind == "ISO" for oid, kind in written):
        yield Broken(
            message="L'autorité d'affectation n'est pas celle d'un INS.",
            expected=" | ".join(INS_AUTHORITIES) + ", ISO",
            actual=" | ".join(", ".join(pair) for pair in written),
            where=item.where(QUALIFIERS),
        )


@KOS.rule(
    "KOS-031",
    "L'émetteur de PatientID est une autorité de l'INS, de type ISO",
    reference=IMG_KOS,
    requirements=_INS,
    bad=lambda: example.kos(patient_id_qualifiers=(Issuer("1.2.250.1.213.1.4.2"),)),
)
def patient_issuer(kos: Kos) -> Findings:
    return _ins_authority(kos.root)


@KOS.rule(
    "KOS-032",
    "IssuerOfPatientID est renseigné",
    reference=IMG_KOS,
    severity=Severity.WARNING,
    bad=lambda: example.kos(issuer_of_patient_id=None),
)
def patient_issuer_name(kos: Kos) -> Findings:
    return filled(kos.root, 0x00100021, "IssuerOfPatientID")


@KOS.rule(
    "KOS-033",
    "OtherPatientIDsSequence répète l'INS et son autorité",
    reference=IMG_KOS,
    requirements=_INS,
    bad=lambda: example.kos(other_patient_ids=()),
)
def other_patient_ids(kos: Kos) -> Findings:
    items = kos.root.items(0x00101002)
    same = [item for item in items if item.text(0x00100020) == kos.root.text(0x00100020)]
    if not same:
        yield Broken(
            message="OtherPatientIDsSequence ne répète pas PatientID.",
            expected=kos.root.text(0x00100020),
            actual=" | ".join(item.text(0x00100020) for item in items),
            where="0010,1002",
        )
    for item in same:
        yield from _ins_authority(item)


@KOS.rule(
    "KOS-034",
    "Les traits d'identité sont renseignés",
    reference=IMG_KOS,
    requirements=_INS,
    bad=lambda: example.kos(birth_date=""),
)
def traits(kos: Kos) -> Findings:
    yield from filled(kos.root, 0x00100010, "PatientName")
    yield from filled(kos.root, 0x00100030, "PatientBirthDate")
    yield from filled(kos.root, 0x00100040, "PatientSex")


@KOS.rule(
    "KOS-035",
    "PatientName donne le nom et le premier prénom de naissance",
    reference=IMG_KOS,
    severity=Severity.WARNING,
    bad=lambda: example.kos(patient_name="PAT-TROIS"),
)
def patient_name(kos: Kos) -> Findings:
    value = kos.root.text(0x00100010)
    family, _, given = value.partition("^")
    if not (family and given):
        yield Broken(
            message="Il manque un nom ou un prénom.",
            expected="NOM^PRÉNOM",
            actual=value,
            where="0010,0010",
        )


@KOS.rule(
    "KOS-036",
    "PatientComments donne le code INSEE du lieu de naissance",
    reference=IMG_KOS,
    severity=Severity.WARNING,
    bad=lambda: example.kos(patient_comments=None),
)
def birth_place(kos: Kos) -> Findings:
    value = kos.root.text(0x00104000)
    if re.fullmatch(r"\d[0-9AB]\d{3}", value) is None:
        yield Broken(
            message="Le code INSEE du lieu de naissance manque.",
            expected="5 caractères",
            actual=value,
            where="0010,4000",
        )


@KOS.rule(
    "KOS-037",
    "Le décalage horaire est écrit",
    reference=IMG_KOS,
    severity=Severity.WARNING,
    bad=lambda: example.kos(timezone_offset=None),
)
def timezone(kos: Kos) -> Findings:
    value = kos.root.text(0x00080201)
    if re.fullmatch(r"[+-]\d{4}", value) is None:
        yield Broken(
            message="TimezoneOffsetFromUTC manque ou est illisible.",
            expected="+HHMM",
            actual=value,
            where="0008,0201",
        )


@KOS.rule(
    "KOS-038",
    "InstitutionName est un XON : nom et identifiant de structure",
    reference=IMG_KOS,
    severity=Severity.WARNING,
    bad=lambda: example.kos(institution_name="CENTRE EXEMPLE"),
)
def institution(kos: Kos) -> Findings:
    value = kos.root.text(0x00080080)
    parts = value.split("^")
    if not (parts[0].strip() and len(parts) >= 10 and parts[9]):
        yield Broken(
            message="InstitutionName ne donne pas le nom et l'identifiant de la structure.",
            expected="NOM^^^^^^^^^IDENTIFIANT",
            actual=value,
            where="0008,0080",
        )


@KOS.rule(
    "KOS-039",
    "AccessionNumber est vide à la racine",
    reference=IMG_KOS,
    bad=lambda: example.kos(accession_number=example.ACCESSION),
)
def root_accession(kos: Kos) -> Findings:
    value = kos.root.text(0x00080050)
    if value:
        yield Broken(
            message="L'Accession Number se donne dans ReferencedRequestSequence.",
            expected="vide",
            actual=value,
            where="0008,0050",
        )


@KOS.rule(
    "KOS-040",
    "La date de création de l'instance est écrite",
    reference=IMG_KOS,
    severity=Severity.WARNING,
    bad=lambda: example.kos(instance_creation_date=None),
)
def creation(kos: Kos) -> Findings:
    yield from filled(kos.root, 0x00080012, "InstanceCreationDate")
    yield from filled(kos.root, 0x00080013, "InstanceCreationTime")


@KOS.rule(
    "KOS-050",
    "ReferencedRequestSequence porte au moins une demande",
    reference=IMG_KOS,
    bad=lambda: example.kos(requests=()),
)
def has_request(kos: Kos) -> Findings:
    return filled(kos.root, 0x0040A370, "ReferencedRequestSequence")


@KOS.rule(
    "KOS-051",
    "Chaque demande porte l'Accession Number et l'OID de son autorité",
    reference=IMG_KOS,
    requirements=("DB.SO.18", "DB.SO.17"),
    bad=lambda: example.with_request(accession_issuer=None),
)
def accession(kos: Kos) -> Findings:
    for request in kos.requests:
        yield from filled(request, 0x00080050, "AccessionNumber")
        yield from _issuer(request, 0x00080051, "IssuerOfAccessionNumberSequence")


def _issuer(request: DataSet, tag: int, name: str) -> Findings:
    written = _authorities(request, tag)
    if not written or not all(is_oid(oid) and kind == "ISO" for oid, kind in written):
        yield Broken(
            message=f"{name} ne donne pas d'OID.",
            expected="OID, ISO",
            actual=" | ".join(", ".join(pair) for pair in written),
            where=request.where(tag),
        )


@KOS.rule(
    "KOS-052",
    "Chaque demande porte le numéro de demande et l'OID de son autorité",
    reference=IMG_KOS,
    bad=lambda: example.with_request(placer_order_number=""),
)
def placer_order(kos: Kos) -> Findings:
    for request in kos.requests:
        yield from filled(request, 0x00402016, "PlacerOrderNumberImagingServiceRequest")
        yield from _issuer(request, 0x00400026, "OrderPlacerIdentifierSequence")


@KOS.rule(
    "KOS-053",
    "Le manifeste, ses demandes et son évidence nomment le même examen",
    reference=IMG_KOS,
    requirements=("DB.SO.18", "DB.SO.12"),
    bad=lambda: example.with_request(study_uid=f"{example.STUDY}.2"),
)
def one_study(kos: Kos) -> Findings:
    for item in (*kos.requests, *kos.studies):
        written = item.text(0x0020000D)
        if written != kos.study:
            yield Broken(
                message="Un KOS ne porte que sur un examen.",
                expected=kos.study,
                actual=written,
                where=item.where(0x0020000D),
            )


@KOS.rule(
    "KOS-070",
    "Un item TEXT (113012) décrit l'examen et ses séries",
    reference=IMG_KOS,
    severity=Severity.WARNING,
    bad=lambda: example.kos(content=example.manifest().content[:-1]),
)
def description(kos: Kos) -> Findings:
    texts = [item for item in kos.root.items(0x0040A730) if _is_description(item)]
    if not texts:
        yield Broken(
            message="Aucun item ne décrit l'examen.",
            expected=f"TEXT {KEY_OBJECT_DESCRIPTION.value}",
            where="0040,A730",
        )
    for item in texts:
        lines = item.text(0x0040A160)
        missing = [uid for _, series in kos.series if (uid := series.text(0x0020000E)) not in lines]
        if "Examen :" not in lines or missing:
            yield Broken(
                message="La description ne nomme pas l'examen et toutes ses séries.",
                expected="Examen : …, Série-<uid> : <modalité> @ <région> : <libellé>",
                actual=lines[:200],
                where=item.where(0x0040A160),
            )


def _is_description(item: DataSet) -> bool:
    codes = [concept.text(0x00080100) for concept in item.items(0x0040A043)]
    return item.text(0x0040A040) == "TEXT" and KEY_OBJECT_DESCRIPTION.value in codes


@KOS.rule(
    "KOS-080",
    "Le patient est celui du cas",
    reference=IMG_KOS,
    requirements=_INS,
    given=Context(ins=example.INS, ins_oid="1.2.250.1.213.1.4.10"),
    bad=lambda: example.kos(patient_id="162018885045327"),
)
def patient_of_case(kos: Kos) -> Findings:
    value = kos.root.text(0x00100020)
    if kos.context.ins and value != kos.context.ins:
        yield Broken(
            message="Le KOS est celui d'un autre patient.",
            expected=kos.context.ins,
            actual=value,
            where="0010,0020",
        )
    issuers = [oid for oid, _ in _authorities(kos.root, QUALIFIERS)]
    if kos.context.ins_oid and issuers and kos.context.ins_oid not in issuers:
        yield Broken(
            message="L'autorité de l'INS n'est pas celle du cas.",
            expected=kos.context.ins_oid,
            actual=" | ".join(issuers),
            where=kos.root.where(QUALIFIERS),
        )


@KOS.rule(
    "KOS-081",
    "L'examen et l'Accession Number sont ceux du cas",
    reference=IMG_KOS,
    requirements=("DB.SO.12", "DB.SO.17", "DB.SO.18"),
    given=Context(study_uid=example.STUDY, accession=example.ACCESSION),
    bad=lambda: example.with_request(accession_number="ACN901"),
)
def exam_of_case(kos: Kos) -> Findings:
    if kos.context.study_uid and kos.study != kos.context.study_uid:
        yield Broken(
            message="Le KOS est celui d'un autre examen.",
            expected=kos.context.study_uid,
            actual=kos.study,
            where="0020,000D",
        )
    written = [request.text(0x00080050) for request in kos.requests]
    if kos.context.accession and kos.context.accession not in written:
        yield Broken(
            message="Aucune demande ne porte l'Accession Number du cas.",
            expected=kos.context.accession,
            actual=" | ".join(written),
            where="0040,A370",
        )
