"""The message that carries a report: ORU^R01 of the CI-SIS volet, version 2.1.

Réf.: CI-SIS "Transmission d'un document CDA-R2 en HL7v2" 2.1, profils-messages and meta-dmp-mss,
grade: standard; fields that the volet leaves open follow the DRIM-M_DATA messages, grade: sample.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pybase64

from protocols.hl7v2 import ENCODINGS, FieldValue, RepetitionValue, build, segment
from simulators.ris.people import Identifier, Patient, Professional, Structure
from simulators.ris.report import timestamp
from simulators.ris.subject import Subject
from spec.hl7v2 import (
    COUNTRY,
    IMAGING_REPORT,
    INS_TYPE,
    LOCAL_TYPE,
    META_DMP_MSS,
    META_SYSTEM,
    PROFILE,
    QUALIFIED,
    VERSION_ORU,
    YES_NO,
)
from spec.oids import INS_NIA, PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY

__all__ = ["Header", "Options", "Steering", "oru"]

_META_LABELS = {
    "MASQUE_PS": "Masqué aux professionnels de Santé",
    "INVISIBLE_PATIENT": "Document Non Visible par le patient",
    "INVISIBLE_REP_LEGAUX": "Non visible par les représentants Légaux du patient",
    "CONNEXION_SECRETE": "Connexion Secrete",
    "MODIF_CONF_CODE": "Modification Confidentiality Code",
    "DESTDMP": "Destinataire DMP",
    "DESTMSSANTEPS": ("Destinataire (Professionnel de Santé, organisation ou BAL applicative)"),
    "DESTMSSANTEPAT": "Destinataire Patient",
    "ACK_RECEPTION": "Accusé de réception",
    "ACK_LECTURE_MSS": "Accusé de lecture",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """MSH. Everything but the control id and the date has the value that the volet wants.

    `character_set` is MSH-18; the bytes follow it, as UTF-8 when it names nothing known.
    """

    control_id: str
    moment: datetime
    sending_application: str = "DRIMBENCH-RIS"
    sending_facility: str = "DRIMBENCH"
    receiving_application: str = "DRIMBOX"
    receiving_facility: str = "DRIMBENCH"
    processing_id: str = "T"
    version: str = VERSION_ORU
    character_set: str = "UNICODE UTF-8"
    profile: str = PROFILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """The ten `MetaDMPMSS` observations, named as the volet names them."""

    masque_ps: bool = False
    invisible_patient: bool = False
    invisible_rep_legaux: bool = False
    connexion_secrete: bool = False
    modif_conf_code: bool = False
    destdmp: bool = True
    destmssanteps: bool = False
    destmssantepat: bool = False
    ack_reception: bool = False
    ack_lecture_mss: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a scenario may vary, right or wrong.

    `identity_status` is PID-32, None to leave it out; `with_ins` False leaves the INS out of
    PID-3; `ipp` replaces the IPP of PID-3 alone. `order_control` (ORC-1) and `result_status`
    (OBX-11 of the document) must agree: NW with F, RO with C, CA with D.
    """

    identity_status: str | None = QUALIFIED
    with_ins: bool = True
    ipp: Identifier | None = None
    order_control: str = "NW"
    result_status: str = "F"
    patient_class: str = "O"
    steering: Steering = field(default_factory=Steering)


def oru(document: bytes, subject: Subject, header: Header, options: Options | None = None) -> bytes:
    """The message that carries `document`, whatever its bytes are, about `subject`.

    Raises:
        LocalProtocolError: a value cannot be written in the header's character set.
    """
    options = options or Options()
    code: FieldValue = (IMAGING_REPORT, "CR d'imagerie médicale", "LN")
    segments = [
        _msh(header),
        _pid(subject, options),
        _pv1(subject, options),
        segment("ORC", {1: options.order_control}),
        _obr(subject, code),
        segment(
            "OBX",
            {
                1: "1",
                2: "ED",
                3: code,
                5: ("", "TEXT", "XML", "Base64", pybase64.b64encode_as_string(document)),
                11: options.result_status,
            },
        ),
        _prt(subject.professional, subject.structure),
        *_meta(options.steering),
    ]
    return build(segments, encoding=ENCODINGS.get(header.character_set, "utf-8"))


def _msh(header: Header) -> list[FieldValue]:
    return segment(
        "MSH",
        {
            3: header.sending_application,
            4: header.sending_facility,
            5: header.receiving_application,
            6: header.receiving_facility,
            7: timestamp(header.moment),
            9: ("ORU", "R01", "ORU_R01"),
            10: header.control_id,
            11: header.processing_id,
            12: header.version,
            17: COUNTRY,
            18: header.character_set,
            21: tuple(header.profile.split("^")),
        },
    )


def _pid(subject: Subject, options: Options) -> list[FieldValue]:
    patient = subject.patient
    identifiers: list[RepetitionValue] = []
    if patient.ins is not None and options.with_ins:
        identifiers.append(_ins(patient.ins))
    ipp = options.ipp or patient.ipp
    if ipp is not None:
        identifiers.append(_cx(ipp, LOCAL_TYPE))
    fields: dict[int, FieldValue] = {
        1: "1",
        3: identifiers,
        5: _names(patient),
        7: patient.birth_date,
        8: patient.sex,
        18: _cx(subject.folder, "AN"),
        31: "N",
        32: options.identity_status,
    }
    if patient.birthplace_code:
        # PAM.FR: the repetition of type BDL is the birth place, XAD.9 its INSEE code.
        fields[11] = [("", "", "", "", "", "", "BDL", "", patient.birthplace_code)]
    if options.identity_status is None:
        del fields[32]
    return segment("PID", fields)


def _ins(ins: Identifier) -> RepetitionValue:
    name = ins.authority or ("ASIP-SANTE-INS-NIA" if ins.oid == INS_NIA else "ASIP-SANTE-INS-NIR")
    return (ins.value, "", "", (name, ins.oid, "ISO"), INS_TYPE)


def _cx(identifier: Identifier, kind: str) -> RepetitionValue:
    return (identifier.value, "", "", (identifier.authority, identifier.oid, "ISO"), kind)


def _names(patient: Patient) -> FieldValue:
    names: list[RepetitionValue] = [
        (patient.family, patient.given, patient.givens, "", "", "", "L")
    ]
    if patient.used_family or patient.used_given:
        names.append((patient.used_family, patient.used_given, "", "", "", "", "D"))
    return names


def _pv1(subject: Subject, options: Options) -> list[FieldValue]:
    return segment("PV1", {1: "1", 2: options.patient_class, 19: _cx(subject.visit, "VN")})


def _obr(subject: Subject, code: FieldValue) -> list[FieldValue]:
    fields: dict[int, FieldValue] = {1: "1", 4: code, 25: "F"}
    if subject.placer is not None:
        fields[2] = (subject.placer.value, subject.placer.authority, subject.placer.oid, "ISO")
    if subject.accession is not None:
        number = subject.accession
        fields[3] = (number.value, number.authority, number.oid, "ISO")
    return segment("OBR", fields)


def _prt(professional: Professional, structure: Structure) -> list[FieldValue]:
    # PS_IdNat is 8 followed by the RPPS; a bare RPPS has 11 digits (IG-FHIR-PDSM4DMP-EEDS).
    person = "RPPS" if len(professional.id) == 11 else "IDNPS"
    # Struct_IdNat is a prefix followed by the number; a bare FINESS has 9 characters.
    place = "FINEG" if len(structure.id) == 9 else "IDNST"
    return segment(
        "PRT",
        {
            2: "UC",
            4: ("SB", "Send by", "participation"),
            5: (
                professional.id,
                professional.family,
                professional.given,
                *[""] * 5,
                ("ASIP-SANTE-PS", PROFESSIONAL_AUTHORITY, "ISO"),
                "D",
                *[""] * 2,
                person,
            ),
            8: (
                structure.name,
                *[""] * 4,
                ("ASIP-SANTE-ST", STRUCTURE_AUTHORITY, "ISO"),
                place,
                *[""] * 2,
                structure.id,
            ),
        },
    )


def _meta(steering: Steering) -> list[list[FieldValue]]:
    return [
        segment(
            "OBX",
            {
                1: str(number),
                2: "CE",
                3: (code, _META_LABELS[code], META_SYSTEM),
                5: ("Y" if getattr(steering, code.lower()) else "N", "", YES_NO),
                11: "F",
            },
        )
        for number, code in enumerate(META_DMP_MSS, 2)
    ]
