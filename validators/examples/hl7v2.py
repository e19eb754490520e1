"""Example messages of the HL7 v2 rules: a report that is right, and edits that spoil it."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from protocols.hl7v2 import build, segment
from protocols.hl7v2_build import FieldValue, SegmentValue
from spec import hl7v2 as volet
from spec import oids

__all__ = [
    "ACCESSION",
    "DOCUMENT",
    "INS",
    "IPP",
    "LABELS",
    "LOCAL",
    "PARENT",
    "REPLACES",
    "STUDY",
    "ack",
    "cda",
    "framed",
    "mdm",
    "omi",
    "oru",
]

INS = "279035121518989"
"""An ANS test identity (DMP conformity environment)."""
IPP = "IPP900"
LOCAL = "1.2.250.1.999.1.1.8121.1"
STRUCTURE = "101235555"
DOCUMENT = "1.2.250.1.999.1.1.8121.2.1"
PARENT = "1.2.250.1.999.1.1.8121.2.0"
STUDY = "1.2.250.1.999.1.1.8121.5.1"
ACCESSION = "ACN900"
REPLACES = (
    '<relatedDocument typeCode="RPLC"><parentDocument>'
    f'<id root="{PARENT}"/></parentDocument></relatedDocument>'
)

LABELS = {
    "MASQUE_PS": "Masqué aux professionnels de Santé",
    "INVISIBLE_PATIENT": "Document Non Visible par le patient",
    "INVISIBLE_REP_LEGAUX": "Non visible par les représentants Légaux du patient",
    "CONNEXION_SECRETE": "Connexion Secrete",
    "MODIF_CONF_CODE": "Modification Confidentiality Code",
    "DESTDMP": "Destinataire DMP",
    "DESTMSSANTEPS": "Destinataire (Professionnel de Santé, organisation ou BAL applicative)",
    "DESTMSSANTEPAT": "Destinataire Patient",
    "ACK_RECEPTION": "Accusé de réception",
    "ACK_LECTURE_MSS": "Accusé de lecture",
}

_CDA = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:ps3-20="urn:dicom-org:ps3-20">
 <id root="1.2.250.1.999.1.1.8121.2.1"/>
 <code code="18748-4" codeSystem="2.16.840.1.113883.6.1"/>
 <recordTarget><patientRole>
  <id root="1.2.250.1.213.1.4.10" extension="{ins}"/>
  <id root="1.2.250.1.999.1.1.8121.1" extension="{ipp}"/>
 </patientRole></recordTarget>
 <legalAuthenticator><assignedEntity><representedOrganization>
  <id root="1.2.250.1.71.4.2.2" extension="{structure}"/>
 </representedOrganization></assignedEntity></legalAuthenticator>
 <inFulfillmentOf><order>
  <id root="1.2.250.1.999.1.1.8121.3" extension="OPN900"/>
  {accession}
 </order></inFulfillmentOf>
 <documentationOf><serviceEvent>
  <id root="{study}"/>
 </serviceEvent></documentationOf>
 {related}
</ClinicalDocument>
"""
_ACCESSION = '<ps3-20:accessionNumber root="1.2.250.1.999.1.1.8121.4" extension="ACN900"/>'


def cda(
    *,
    ins: str = INS,
    ipp: str = IPP,
    structure: str = STRUCTURE,
    accession: str = _ACCESSION,
    study: str = "1.2.250.1.999.1.1.8121.5.1",
    related: str = "",
) -> bytes:
    """The header of a report, reduced to what the ORU rules compare."""
    return _CDA.format(
        ins=ins, ipp=ipp, structure=structure, accession=accession, study=study, related=related
    ).encode()


Edits = Mapping[int, FieldValue]


def oru(
    edits: Mapping[str, Edits] | None = None,
    *,
    without: tuple[str, ...] = (),
    document: bytes | None = None,
    payload: str | None = None,
    meta: tuple[str, ...] = volet.META_DMP_MSS,
    meta_edits: Edits | None = None,
    end: str = "\r",
    encoding: str = "utf-8",
    tail: tuple[tuple[str, Edits], ...] = (),
) -> bytes:
    """A report message of the volet, then `edits` by segment name (the document OBX is `OBX`).

    `payload` replaces the base64 text, `meta` lists the coded observations, `meta_edits` changes
    the first of them, `tail` adds segments at the end.
    """
    segments = _report(document, payload)
    built = _written(segments, edits, without)
    built += _steering(meta, meta_edits, "CE")
    built += [segment(name, fields) for name, fields in tail]
    return build(built, encoding=encoding, end=end)


def mdm(
    edits: Mapping[str, Edits] | None = None,
    *,
    event: str = "T02",
    without: tuple[str, ...] = (),
    document: bytes | None = None,
    payload: str | None = None,
    meta: tuple[str, ...] = volet.META_DMP_MSS,
    meta_edits: Edits | None = None,
    end: str = "\r",
    encoding: str = "utf-8",
    tail: tuple[tuple[str, Edits], ...] = (),
) -> bytes:
    """The same report in an MDM: created (T02), replaced (T10) or deleted (T04)."""
    control = volet.MDM_EVENTS.get(event, "NW")
    replaced = event == "T10"
    if document is None and replaced:
        document = cda(related=REPLACES)
    segments: dict[str, dict[int, FieldValue]] = {}
    for name, fields in _report(document, payload).items():
        segments[name] = fields
        if name == "MSH":
            segments["EVN"] = {1: event, 2: "20261122101500"}
        if name == "OBR":
            segments["TXA"] = {
                1: "1",
                2: volet.IMAGING_REPORT,
                3: "TEXT",
                12: DOCUMENT,
                13: PARENT if replaced else None,
                17: volet.AVAILABLE,
            }
    segments["MSH"] |= {9: ("MDM", event, "MDM_T02"), 12: volet.VERSION_MDM}
    segments["ORC"] |= {1: control}
    segments["OBX"] |= {11: volet.DOCUMENT_STATUSES[control]}
    built = _written(segments, edits, without)
    built += _steering(meta, meta_edits, "CWE")
    built += [segment(name, fields) for name, fields in tail]
    return build(built, encoding=encoding, end=end)


def omi(
    edits: Mapping[str, Edits] | None = None,
    *,
    without: tuple[str, ...] = (),
    end: str = "\r",
    encoding: str = "utf-8",
    tail: tuple[tuple[str, Edits], ...] = (),
) -> bytes:
    """What a PACS or a RIS sends when the content of a study changed."""
    base = _report(None, None)
    header = {key: value for key, value in base["MSH"].items() if key not in (17, 21)}
    segments: dict[str, dict[int, FieldValue]] = {
        "MSH": {**header, 9: ("OMI", "O23", "OMI_O23"), 12: volet.VERSION_OMI},
        "PID": base["PID"],
        "PV1": base["PV1"],
        "ORC": {1: "NW", 2: ("OPN900", "RIS_EXEMPLE"), 3: ("FIL900", "RIS_EXEMPLE"), 5: "SC"},
        "TQ1": {1: "1", 7: "20261122093000"},
        "OBR": {
            1: "1",
            2: ("OPN900", "RIS_EXEMPLE"),
            3: ("FIL900", "RIS_EXEMPLE"),
            4: ("34555-3", "", "LN"),
        },
        "OBX": {1: "1", 2: "ST", 3: ("900", "Modification Examen Imagerie"), 5: "OUI", 11: "O"},
        "IPC": {1: ACCESSION, 2: "RP900", 3: STUDY, 4: "SPS900", 5: "CT", 9: "PACS_EXEMPLE"},
    }
    built = _written(segments, edits, without)
    built += [segment(name, fields) for name, fields in tail]
    return build(built, encoding=encoding, end=end)


def framed(
    message: bytes | None = None, *, start: bytes = b"\x0b", end: bytes = b"\x1c\r"
) -> bytes:
    """A message in its MLLP block, or in a block spoiled."""
    return start + (oru() if message is None else message) + end


def _report(document: bytes | None, payload: str | None) -> dict[str, dict[int, FieldValue]]:
    """The segments of a report before the coded observations, in their order."""
    data = base64.b64encode(cda() if document is None else document).decode()
    title = (volet.IMAGING_REPORT, "CR d'imagerie médicale", "LN")
    return {
        "MSH": {
            3: "RIS_EXEMPLE",
            4: "CLINIQUE_A",
            5: "DRIMBOX",
            6: "CLINIQUE_A",
            7: "20261122101500",
            9: ("ORU", "R01", "ORU_R01"),
            10: "EX000001",
            11: "T",
            12: volet.VERSION_ORU,
            17: volet.COUNTRY,
            18: "UNICODE UTF-8",
            21: tuple(volet.PROFILE.split("^")),
        },
        "PID": {
            1: "1",
            3: [
                (INS, "", "", ("ASIP-SANTE-INS-NIR", oids.INS_NIR_TEST, "ISO"), "INS"),
                (IPP, "", "", ("RIS_EXEMPLE", LOCAL, "ISO"), "PI"),
            ],
            5: ("PAT-TROIS", "DOMINIQUE", "DOMINIQUE", "", "", "", "L"),
            7: "19790328",
            8: "F",
            11: ("", "", "", "", "", "", "BDL", "", "51215"),
            32: volet.QUALIFIED,
        },
        "PV1": {1: "1", 2: "O", 19: ("V900", "", "", ("RIS_EXEMPLE", LOCAL, "ISO"), "VN")},
        "ORC": {1: "NW"},
        "OBR": {1: "1", 2: ("OPN900", "RIS_EXEMPLE"), 3: ("FIL900", "RIS_EXEMPLE"), 4: title},
        "OBX": {
            1: "1",
            2: "ED",
            3: title,
            5: ("", "TEXT", "XML", "Base64", data if payload is None else payload),
            11: "F",
        },
        "PRT": {
            2: "UC",
            4: ("SB", "Send by", "participation"),
            5: (
                "801234560801",
                "EXEMPLE",
                "CLAIRE",
                *[""] * 5,
                ("ASIP-SANTE-PS", oids.PROFESSIONAL_AUTHORITY, "ISO"),
                "D",
                "",
                "",
                "RPPS",
            ),
            8: (
                "CENTRE EXEMPLE",
                *[""] * 4,
                ("ASIP-SANTE-ST", oids.STRUCTURE_AUTHORITY, "ISO"),
                "FINEG",
                "",
                "",
                STRUCTURE,
            ),
        },
    }


def _written(
    segments: dict[str, dict[int, FieldValue]],
    edits: Mapping[str, Edits] | None,
    without: tuple[str, ...],
) -> list[SegmentValue]:
    for name, changes in (edits or {}).items():
        segments[name] |= changes
    return [segment(name, fields) for name, fields in segments.items() if name not in without]


def _steering(codes: tuple[str, ...], edits: Edits | None, data_type: str) -> list[SegmentValue]:
    """The coded observations; `edits` changes the first of them."""
    built: list[SegmentValue] = []
    for position, code in enumerate(codes):
        fields: dict[int, FieldValue] = {
            1: str(position + 2),
            2: data_type,
            3: (code, LABELS.get(code, code), volet.META_SYSTEM),
            5: ("Y" if code == "DESTDMP" else "N", "", volet.YES_NO),
            11: "F",
        }
        if position == 0:
            fields |= edits or {}
        built.append(segment("OBX", fields))
    return built


def ack(
    code: str = "AA",
    edits: Mapping[str, Edits] | None = None,
    *,
    without: tuple[str, ...] = (),
    end: str = "\r",
) -> bytes:
    """The acknowledgement of `oru()`, with an ERR segment when `code` is AE or AR."""
    segments: dict[str, dict[int, FieldValue]] = {
        "MSH": {
            3: "DRIMBOX",
            4: "CLINIQUE_A",
            5: "RIS_EXEMPLE",
            6: "CLINIQUE_A",
            7: "20261122101501",
            9: ("ACK", "R01", "ACK"),
            10: "DB000001",
            11: "T",
            12: volet.VERSION_ORU,
            17: volet.COUNTRY,
            18: "UNICODE UTF-8",
        },
        "MSA": {1: code, 2: "EX000001"},
    }
    if code != "AA":
        segments["ERR"] = {
            2: ("PID", "1", "32"),
            3: ("101", "required field missing", "HL70357"),
            4: "E",
        }
    for name, changes in (edits or {}).items():
        segments.setdefault(name, {}).update(changes)
    built = [segment(name, fields) for name, fields in segments.items() if name not in without]
    return build(built, end=end)
