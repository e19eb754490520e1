"""The messages that carry a report: ORU^R01 and MDM of the CI-SIS volet 2.1; and OMI^O23.

Réf.: CI-SIS "Transmission d'un document CDA-R2 en HL7v2" 2.1, profils-messages and meta-dmp-mss,
grade: standard; fields that the volet leaves open, and OMI^O23, follow the DRIM-M_DATA messages,
grade: sample.
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
    AVAILABLE,
    COUNTRY,
    DOCUMENT_STATUSES,
    IMAGING_REPORT,
    INS_TYPE,
    LOCAL_TYPE,
    MDM_EVENTS,
    META_DMP_MSS,
    META_SYSTEM,
    PROFILE,
    QUALIFIED,
    VERSION_MDM,
    VERSION_OMI,
    VERSION_ORU,
    YES_NO,
)
from spec.oids import INS_NIA, PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY

__all__ = ["Header", "Options", "Steering", "mdm", "omi", "oru"]

_TITLE: FieldValue = (IMAGING_REPORT, "CR d'imagerie médicale", "LN")
_IMAGING_STUDY = "34555-3"
"""OBR-4 of the public OMI^O23."""

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
    segments = [
        _msh(header, ("ORU", "R01", "ORU_R01"), header.version),
        _pid(subject, options),
        _pv1(subject, options),
        segment("ORC", {1: options.order_control}),
        _obr(subject, _TITLE),
        _document(document, options.result_status, "TEXT"),
        _prt(subject.professional, subject.structure),
        *_meta(options.steering, "CE"),
    ]
    return build(segments, encoding=_codec(header))


def mdm(
    document: bytes,
    subject: Subject,
    header: Header,
    options: Options | None = None,
    *,
    event: str = "T02",
    id: str,
    replaces: str = "",
) -> bytes:
    """The same in an MDM: `event` is T02 (create), T10 (replace) or T04 (delete).

    ORC-1 and OBX-11 are those of the event, MSH-12 is 2.6, whatever `header` and `options` say.
    `id` is that of the document, `replaces` that of the version that it replaces: OIDs.

    Raises:
        LocalProtocolError: a value cannot be written in the header's character set.
        KeyError: another event.
    """
    options = options or Options()
    control = MDM_EVENTS[event]
    moment = timestamp(header.moment)
    segments = [
        _msh(header, ("MDM", event, "MDM_T02"), VERSION_MDM),
        segment("EVN", {1: event, 2: moment}),
        _pid(subject, options),
        _pv1(subject, options),
        segment("ORC", {1: control}),
        _obr(subject, _TITLE),
        segment(
            "TXA",
            {
                1: "1",
                2: IMAGING_REPORT,
                3: "TEXT",
                4: moment,
                12: id,
                13: replaces or None,
                17: AVAILABLE,
            },
        ),
        _document(document, DOCUMENT_STATUSES[control], "text"),
        _prt(subject.professional, subject.structure),
        *_meta(options.steering, "CWE"),
    ]
    return build(segments, encoding=_codec(header))


def omi(subject: Subject, header: Header, *, study_uid: str, modality: str, ae_title: str) -> bytes:
    """The content of an exam changed: whoever published it is to ask the PACS again.

    No public text says what tells an addition from a deletion: order control and status are those
    of the one public message. `ae_title` is the PACS's.

    Raises:
        LocalProtocolError: a value cannot be written in the header's character set.
    """
    placer, accession = subject.placer, subject.accession
    order: dict[int, FieldValue] = {
        2: (placer.value, placer.authority, placer.oid, "ISO") if placer else None,
        3: (accession.value, accession.authority, accession.oid, "ISO") if accession else None,
    }
    msh = _msh(header, ("OMI", "O23", "OMI_O23"), VERSION_OMI)
    msh[17] = msh[21] = None
    segments = [
        msh,
        _pid(subject, Options()),
        _pv1(subject, Options()),
        segment("ORC", {1: "NW", **order, 5: "SC"}),
        segment("TQ1", {1: "1", 7: timestamp(header.moment)}),
        segment("OBR", {1: "1", **order, 4: (_IMAGING_STUDY, "", "LN")}),
        segment(
            "OBX",
            {1: "1", 2: "ST", 3: ("1", "Modification Examen Imagerie"), 5: "OUI", 11: "O"},
        ),
        segment(
            "IPC",
            {
                1: accession.value if accession else None,
                2: placer.value if placer else None,
                3: study_uid,
                4: placer.value if placer else None,
                5: modality,
                9: ae_title,
            },
        ),
    ]
    return build(segments, encoding=_codec(header))


def _codec(header: Header) -> str:
    return ENCODINGS.get(header.character_set, "utf-8")


def _document(document: bytes, status: str, kind: str) -> list[FieldValue]:
    return segment(
        "OBX",
        {
            1: "1",
            2: "ED",
            3: _TITLE,
            5: ("", kind, "XML", "Base64", pybase64.b64encode_as_string(document)),
            11: status,
        },
    )


def _msh(header: Header, kind: tuple[str, str, str], version: str) -> list[FieldValue]:
    return segment(
        "MSH",
        {
            3: header.sending_application,
            4: header.sending_facility,
            5: header.receiving_application,
            6: header.receiving_facility,
            7: timestamp(header.moment),
            9: kind,
            10: header.control_id,
            11: header.processing_id,
            12: version,
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
    identifiers.extend(_cx(one, LOCAL_TYPE) for one in patient.other_ipps)
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


def _meta(steering: Steering, value_type: str) -> list[list[FieldValue]]:
    return [
        segment(
            "OBX",
            {
                1: str(number),
                2: value_type,
                3: (code, _META_LABELS[code], META_SYSTEM),
                5: ("Y" if getattr(steering, code.lower()) else "N", "", YES_NO),
                11: "F",
            },
        )
        for number, code in enumerate(META_DMP_MSS, 2)
    ]
