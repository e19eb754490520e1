"""Who the patient of the call is, and whether he agrees."""

from __future__ import annotations

import re

from spec.contextual_call import CONSENT, CONSENT_VALUES, OPPOSITION, SEXES
from spec.grade import Grade, Reference
from spec.oids import INS_AUTHORITIES, INS_NIR_TEST
from validators.call.reading import CallArtefact
from validators.call.rules import CALL, DRAFT, FAQ, OWN, Findings
from validators.context import Context
from validators.examples import call as example
from validators.expect import one_of, same
from validators.finding import Severity
from validators.identifiers import is_dtm, is_ins_key_right, is_matricule, is_oid
from validators.rule import Broken

__all__: list[str] = []

_INS = ("DB.CO.48", "DB.CO.68")
_LOCAL = ("DB.CO.48", "DB.CO.77")
_MATRICULE = "Patient.identifier.value"
_AUTHORITY = "Patient.identifier.system"
_COMMUNE = re.compile(r"\d[0-9AB]\d{3}")
_CX4 = re.compile(r"[^&^|~\\]*&([^&^|~\\]+)&ISO")
_LO = Reference("DICOM PS3.5", "6.2, LO", Grade.STANDARD)


@CALL.rule(
    "APPEL-020",
    "L'OID est l'un de ceux de l'INS",
    reference=FAQ,
    requirements=_INS,
    bad=lambda: example.call({_AUTHORITY: "1.2.250.1.213.1.4.2"}),
)
def authority(call: CallArtefact) -> Findings:
    if value := call.value(_AUTHORITY):
        yield from one_of(value, tuple(INS_AUTHORITIES), _AUTHORITY, "L'OID de l'INS")


@CALL.rule(
    "APPEL-021",
    "Le matricule INS a 15 caractères et une clé juste",
    reference=FAQ,
    requirements=_INS,
    bad=lambda: example.call({_MATRICULE: "279035121518988"}),
)
def matricule(call: CallArtefact) -> Findings:
    value = call.value(_MATRICULE)
    if value and not (is_matricule(value) and is_ins_key_right(value)):
        yield Broken(
            message="Le matricule INS est mal formé ou sa clé est fausse.",
            expected="13 caractères et une clé de 2 chiffres",
            actual=value[:80],
            where=_MATRICULE,
        )


@CALL.rule(
    "APPEL-022",
    "Le sexe est un code de HL7",
    reference=OWN,
    severity=Severity.WARNING,
    requirements=_INS,
    bad=lambda: example.call({"Patient.gender": "2"}),
)
def sex(call: CallArtefact) -> Findings:
    if value := call.value("Patient.gender"):
        yield from one_of(value, SEXES, "Patient.gender", "Le sexe")


@CALL.rule(
    "APPEL-023",
    "La date de naissance est une date",
    reference=FAQ,
    requirements=_INS,
    bad=lambda: example.call({"Patient.birthDate": "28/03/1979"}),
)
def birth_date(call: CallArtefact) -> Findings:
    value = call.value("Patient.birthDate")
    # HL7 v2 and FHIR write a date differently, and no public text chooses.
    plain = re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\1\2\3", value)
    if value and not is_dtm(plain, precision=8):
        yield Broken(
            message="La date de naissance est illisible.",
            expected="AAAAMMJJ | AAAA-MM-JJ",
            actual=value[:80],
            where="Patient.birthDate",
        )


@CALL.rule(
    "APPEL-024",
    "Le lieu de naissance est un code INSEE de commune",
    reference=FAQ,
    severity=Severity.WARNING,
    requirements=_INS,
    bad=lambda: example.call({"Address.district": "PARIS"}),
)
def birth_place(call: CallArtefact) -> Findings:
    value = call.value("Address.district")
    if value and _COMMUNE.fullmatch(value) is None:
        yield Broken(
            message="Le code officiel du lieu de naissance est mal formé.",
            expected="cinq caractères (COG)",
            actual=value[:80],
            where="Address.district",
        )


@CALL.rule(
    "APPEL-025",
    "L'IPP tient dans l'attribut DICOM qu'il remplace à l'export (64 caractères)",
    reference=_LO,
    requirements=_LOCAL,
    bad=lambda: example.call({"PatientID": "IPP\\900"}),
)
def local_identifier(call: CallArtefact) -> Findings:
    value = call.value("PatientID")
    if len(value) > 64 or "\\" in value or any(ord(char) < 0x20 for char in value):
        yield Broken(
            message="Cet IPP ne peut pas être un PatientID.",
            expected="64 caractères au plus, sans « \\ » (LO)",
            actual=value[:80],
            where="PatientID",
        )


@CALL.rule(
    "APPEL-026",
    "L'autorité de l'IPP est le CX-4 entier de PID-3",
    reference=FAQ,
    severity=Severity.WARNING,
    requirements=_LOCAL,
    bad=lambda: example.call({"PatientIDIssuer": "RIS_EXEMPLE"}),
)
def issuer(call: CallArtefact) -> Findings:
    value = call.value("PatientIDIssuer")
    found = _CX4.fullmatch(value)
    if value and (found is None or not is_oid(found[1])):
        yield Broken(
            message="La FAQ recommande les trois sous-composants de CX-4.",
            expected="nom&OID&ISO",
            actual=value[:80],
            where="PatientIDIssuer",
        )


def _consent(call: CallArtefact) -> tuple[str, str, bool]:
    """Name and value of the consent parameter, and whether the patient said no."""
    newer = call.value(CONSENT)
    if newer:
        return CONSENT, newer, newer.casefold() == "non"
    older = call.value(OPPOSITION)
    return OPPOSITION, older, older.casefold() == "oui"


@CALL.rule(
    "APPEL-027",
    "Le consentement vaut oui, non ou inconnu",
    reference=OWN,
    severity=Severity.WARNING,
    requirements=("DB.CO.48", "DB.CO.94"),
    bad=lambda: example.call({CONSENT: "peut-être"}),
)
def consent_value(call: CallArtefact) -> Findings:
    name, value, _ = _consent(call)
    if value:
        yield from one_of(value.casefold(), CONSENT_VALUES, name, "Le consentement")


@CALL.rule(
    "APPEL-028",
    "Il n'y a pas d'appel quand le patient refuse",
    reference=DRAFT,
    severity=Severity.WARNING,
    requirements=("DB.CO.48", "DB.CO.93"),
    bad=lambda: example.call({CONSENT: "non"}),
)
def consented(call: CallArtefact) -> Findings:
    name, value, refused = _consent(call)
    if refused:
        yield Broken(
            message="Le patient refuse : le RIS ne doit pas appeler (DB/RIS.15, DB/DPI.03).",
            actual=value,
            where=name,
        )


@CALL.rule(
    "APPEL-029",
    "L'INS et l'IPP sont ceux du patient du cas",
    reference=DRAFT,
    requirements=("DB.CO.48", "DB.CO.68", "DB.CO.77"),
    given=Context(ins=example.INS, ins_oid=INS_NIR_TEST, ipp=example.IPP),
    bad=lambda: example.call({_MATRICULE: "162018885045327"}),
)
def patient_of_case(call: CallArtefact) -> Findings:
    for name, expected in (
        (_MATRICULE, call.context.ins),
        (_AUTHORITY, call.context.ins_oid),
        ("PatientID", call.context.ipp),
    ):
        if expected:
            yield from same(call.value(name), expected, name, "L'identifiant du patient")
