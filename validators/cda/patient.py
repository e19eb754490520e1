"""Who the report is about: identifiers and traits of the qualified identity."""

from __future__ import annotations

import re
from dataclasses import replace

from protocols.cda import Id, Patient
from spec import cda as table
from spec.oids import INS_AUTHORITIES, INS_NIR_TEST
from validators.cda.reading import CdaArtefact
from validators.cda.rules import CDA, Findings, draft, imaging, minimal
from validators.context import Context
from validators.examples import cda as example
from validators.expect import one_of, same
from validators.finding import Severity
from validators.identifiers import is_dtm, is_ins_key_right, is_matricule, is_oid
from validators.rule import Broken

__all__: list[str] = []

_INS = ("DB.SO.11",)
_NAME = minimal("recordTarget/patientRole/patient/name")
_IDS = "recordTarget/patientRole/id"
_NAMES = "recordTarget/patientRole/patient/name"
_COMMUNE = re.compile(r"\d[0-9AB]\d{3}")


def _with(**changes: object) -> bytes:
    """The example with another patient."""
    return example.document(patients=(example.patient(**changes),))


def _national(patient: Patient) -> list[Id]:
    return [one for one in patient.ids if one.root in INS_AUTHORITIES]


def _local(patient: Patient) -> list[Id]:
    return [one for one in patient.ids if one.root not in INS_AUTHORITIES]


@CDA.rule(
    "CDA-020",
    "Le compte rendu concerne un patient et un seul",
    reference=minimal("recordTarget"),
    bad=lambda: example.document(patients=(example.patient(), example.patient())),
)
def one_patient(cda: CdaArtefact) -> Findings:
    count = len(cda.report.patients)
    yield from same(str(count), "1", "recordTarget", "Le nombre de patients")


@CDA.rule(
    "CDA-021",
    "Le patient porte un matricule INS, sous l'un des OID de l'INS",
    reference=minimal("recordTarget/patientRole/id"),
    requirements=_INS,
    bad=lambda: _with(ids=(Id("1.2.250.1.213.1.4.2", example.INS), Id("1.2.3", example.IPP))),
)
def national_identifier(cda: CdaArtefact) -> Findings:
    for patient in cda.report.patients:
        found = _national(patient)
        if len(found) != 1:
            yield Broken(
                message="Le matricule INS doit figurer une fois et une seule.",
                expected=" | ".join(INS_AUTHORITIES),
                actual=" ".join(one.root or "" for one in patient.ids),
                where=_IDS,
            )


@CDA.rule(
    "CDA-022",
    "Le matricule INS a 15 caractères et une clé juste",
    reference=minimal("recordTarget/patientRole/id"),
    requirements=_INS,
    bad=lambda: _with(ids=(Id(INS_NIR_TEST, "279035121518988"), Id("1.2.3", example.IPP))),
)
def matricule(cda: CdaArtefact) -> Findings:
    for patient in cda.report.patients:
        for one in _national(patient):
            value = one.extension or ""
            if not is_matricule(value) or not is_ins_key_right(value):
                yield Broken(
                    message="Le matricule INS est mal formé ou sa clé est fausse.",
                    expected="13 caractères et une clé de 2 chiffres",
                    actual=value,
                    where=f"{_IDS}/@extension",
                )


@CDA.rule(
    "CDA-023",
    "Le patient porte l'IPP de la structure, sous l'OID de celle-ci",
    reference=imaging("En-tête, recordTarget"),
    requirements=("DB.SO.16",),
    bad=lambda: _with(ids=(Id(INS_NIR_TEST, example.INS),)),
)
def local_identifier(cda: CdaArtefact) -> Findings:
    for patient in cda.report.patients:
        found = _local(patient)
        if not any(one.extension and is_oid(one.root or "") for one in found):
            yield Broken(
                message="L'identifiant local (IPP) ou l'OID de son autorité manque.",
                actual=" ".join(f"{one.root}:{one.extension}" for one in found),
                where=_IDS,
            )


@CDA.rule(
    "CDA-024",
    "Le nom de naissance est écrit (family, BR)",
    reference=_NAME,
    bad=lambda: _with(names=example.names(("family", "PAT", "CL"), ("given", "ZOE", None))),
)
def birth_name(cda: CdaArtefact) -> Findings:
    for patient in cda.report.patients:
        if not any(patient.values("family", "BR")):
            yield Broken(
                message="Le nom de naissance manque.",
                expected="family[@qualifier='BR']",
                where=_NAMES,
            )


@CDA.rule(
    "CDA-025",
    "Le premier prénom de naissance est écrit à part (given, BR)",
    reference=_NAME,
    tolerated=True,
    bad=lambda: _with(names=example.names(("family", "PAT", "BR"), ("given", "ZOE", None))),
)
def first_given(cda: CdaArtefact) -> Findings:
    # A report of 2022 writes the list alone: its first name is still known.
    for patient in cda.report.patients:
        if not any(patient.values("given", "BR")):
            yield Broken(
                message="Le premier prénom de naissance manque.",
                expected="given[@qualifier='BR']",
                where=_NAMES,
            )


@CDA.rule(
    "CDA-026",
    "La liste des prénoms de naissance est écrite (given sans qualificatif)",
    reference=_NAME,
    bad=lambda: _with(names=example.names(("family", "PAT", "BR"), ("given", "ZOE", "BR"))),
)
def givens(cda: CdaArtefact) -> Findings:
    for patient in cda.report.patients:
        if not any(patient.values("given")):
            yield Broken(
                message="La liste des prénoms de naissance manque.",
                expected="given sans qualificatif",
                where=_NAMES,
            )


@CDA.rule(
    "CDA-027",
    "Les noms n'ont d'autre qualificatif que BR et CL",
    reference=_NAME,
    bad=lambda: _with(
        names=example.names(
            ("family", "PAT", "BR"), ("given", "ZOE", None), ("family", "PAS", "SP")
        )
    ),
)
def qualifiers(cda: CdaArtefact) -> Findings:
    for patient in cda.report.patients:
        for part in (part for name in patient.names for part in name.parts):
            if part.kind in ("family", "given") and part.qualifier is not None:
                where = f"{_NAMES}/{part.kind}/@qualifier"
                yield from one_of(part.qualifier, table.NAME_QUALIFIERS, where, "Le qualificatif")


@CDA.rule(
    "CDA-028",
    "Le sexe est un code de HL7",
    reference=minimal("administrativeGenderCode"),
    bad=lambda: _with(sex=example.code("2", table.SEX_SYSTEM)),
)
def sex(cda: CdaArtefact) -> Findings:
    where = "recordTarget/patientRole/patient/administrativeGenderCode"
    for patient in cda.report.patients:
        code = patient.sex
        yield from one_of((code and code.code) or "", table.SEXES, f"{where}/@code", "Le sexe")
        system = (code and code.system) or ""
        yield from same(system, table.SEX_SYSTEM, f"{where}/@codeSystem", "Le système")


@CDA.rule(
    "CDA-029",
    "La date de naissance est une date",
    reference=minimal("birthTime"),
    bad=lambda: _with(birth_time="28/03/1979"),
)
def birth_date(cda: CdaArtefact) -> Findings:
    for patient in cda.report.patients:
        if not is_dtm(patient.birth_time or ""):
            yield Broken(
                message="La date de naissance est absente ou illisible.",
                expected="AAAAMMJJ",
                actual=patient.birth_time or "",
                where="recordTarget/patientRole/patient/birthTime/@value",
            )


@CDA.rule(
    "CDA-030",
    "Le lieu de naissance est un code INSEE de commune",
    reference=minimal("birthplace/place/addr/county"),
    severity=Severity.WARNING,
    bad=lambda: _with(birthplace_county="PARIS"),
)
def birth_place(cda: CdaArtefact) -> Findings:
    for patient in cda.report.patients:
        value = patient.birthplace_county or ""
        if _COMMUNE.fullmatch(value) is None:
            yield Broken(
                message="Le code officiel du lieu de naissance manque ou est mal formé.",
                expected="cinq caractères (COG)",
                actual=value,
                where="recordTarget/patientRole/patient/birthplace/place/addr/county",
            )


@CDA.rule(
    "CDA-031",
    "L'INS et l'IPP sont ceux du patient du cas",
    reference=draft("DB.SO.11, DB.SO.16"),
    requirements=("DB.SO.11", "DB.SO.16"),
    given=Context(ins=example.INS, ins_oid=INS_NIR_TEST, ipp=example.IPP),
    bad=lambda: _with(
        ids=(example.patient().ids[0], replace(example.patient().ids[1], extension="X"))
    ),
)
def patient_of_case(cda: CdaArtefact) -> Findings:
    case = cda.context
    for patient in cda.report.patients:
        for one in _national(patient):
            if case.ins:
                yield from same(one.extension or "", case.ins, f"{_IDS}/@extension", "L'INS")
            if case.ins_oid:
                yield from same(one.root or "", case.ins_oid, f"{_IDS}/@root", "L'OID de l'INS")
        if case.ipp and case.ipp not in [one.extension for one in _local(patient)]:
            yield Broken(
                message="Aucun identifiant local n'est l'IPP du cas.",
                expected=case.ipp,
                actual=" ".join(one.extension or "" for one in _local(patient)),
                where=_IDS,
            )
