"""The example exam of the cross rules: artefacts that agree, and edits that set them at odds.

The exam is that of the other examples: same patient, study, accession and order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from lxml import etree

from protocols import cda
from protocols.cda import (
    Body,
    Code,
    Id,
    ImagingReport,
    NamePart,
    Order,
    Organization,
    Patient,
    PersonName,
    Professional,
    ServiceEvent,
)
from protocols.dicom import build_part10, encode_element, encode_sequence
from protocols.hl7v2 import RepetitionValue
from spec.oids import INS_NIR_TEST, PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY
from spec.vihf import AttributeName
from spec.xds import EntryScheme
from validators.examples import hl7v2, kos, wado, xds
from validators.examples.credential import STRUCTURE
from validators.zip_archive import pack

__all__ = [
    "act",
    "acting_for",
    "entry",
    "event",
    "exam",
    "image",
    "manifest",
    "message",
    "packed",
    "patient",
    "person",
    "report",
    "with_event",
    "with_report",
]

MESSAGE, MANIFEST, PUBLICATION = "message.hl7", "kos.dcm", "publication.http"
REQUEST, RESPONSE, IMAGE = "demande.http", "reponse.http", "image-1.dcm"
ANSWER = "c-find.json"

REPORT_ID = "1.2.250.1.999.1.1.8121.2.1"
_PROFESSIONAL = "801234560801"
_DCM, _LOINC, _SNOMED = "1.2.840.10008.2.16.4", "2.16.840.1.113883.6.1", "2.16.840.1.113883.6.96"
_MODALITY = Code(code="121139", system=_DCM)
_REGION = Code(code="39111-0", system=_LOINC)


def person() -> Professional:
    """Who wrote, validated and performed."""
    return Professional(
        ids=(Id(PROFESSIONAL_AUTHORITY, _PROFESSIONAL),),
        organization=Organization(ids=(Id(STRUCTURE_AUTHORITY, STRUCTURE),), name="CENTRE EXEMPLE"),
    )


def patient(**changes: Any) -> Patient:
    """The patient of the report, with some fields changed."""
    name = PersonName(
        (
            NamePart("family", "PAT-TROIS", "BR"),
            NamePart("given", "DOMINIQUE"),
            NamePart("given", "DOMINIQUE", "BR"),
        )
    )
    return replace(
        Patient(
            ids=(Id(INS_NIR_TEST, hl7v2.INS), Id(hl7v2.LOCAL, hl7v2.IPP)),
            names=(name,),
            birth_time="19790328",
            sex=Code(code="F", system="2.16.840.1.113883.5.1"),
            birthplace_county="51215",
        ),
        **changes,
    )


def act(modality: str, region: str = "67734004") -> Code:
    """The code of an act, with its modality and region."""
    return Code(
        code="24627-2",
        system=_LOINC,
        translations=(
            Code(code=modality, system=_DCM, qualifier=_MODALITY),
            Code(code=region, system=_SNOMED, qualifier=_REGION),
        ),
    )


def event(**changes: Any) -> ServiceEvent:
    """The only act of the report, with some fields changed."""
    return replace(
        ServiceEvent(
            ids=(Id(kos.STUDY),),
            code=act("CT"),
            low="20261121093000+0100",
            high="20261121094500+0100",
            performers=(person(),),
        ),
        **changes,
    )


def report(**changes: Any) -> bytes:
    """The report, with some fields of its header changed."""
    header = ImagingReport(
        realm="FR",
        id=Id(REPORT_ID),
        code=Code(code="18748-4", system=_LOINC),
        patients=(patient(),),
        authors=(person(),),
        legal_authenticators=(person(),),
        orders=(
            Order(
                ids=(Id(kos.ORDER_OID, kos.ORDER),),
                accession_numbers=(Id(kos.ACCESSION_OID, kos.ACCESSION),),
            ),
        ),
        service_events=(event(),),
        body=Body(media_type="application/pdf", representation="B64", data=b"%PDF-1.4"),
    )
    return cda.build(replace(header, **changes))


def with_event(**changes: Any) -> bytes:
    """The report with its only act changed."""
    return report(service_events=(event(**changes),))


def manifest(**changes: Any) -> bytes:
    """The manifest, whose structure is that of the report."""
    site = f"CENTRE EXEMPLE^^^^^^^^^{STRUCTURE}"
    return kos.kos(**({"institution_name": site} | changes))


def message(
    document: bytes,
    edits: Mapping[str, hl7v2.Edits] | None = None,
    *,
    sender: str = STRUCTURE,
    destination: str = "Y",
    meta: hl7v2.Edits | None = None,
) -> bytes:
    """The message that carries a report: from which structure, and whether to the DMP."""
    authority = ("ASIP-SANTE-ST", STRUCTURE_AUTHORITY, "ISO")
    xon: RepetitionValue = ("CENTRE EXEMPLE", *[""] * 4, authority, "IDNST", "", "", sender)
    segments: dict[str, hl7v2.Edits] = {"PRT": {8: xon}}
    data = hl7v2.oru(segments | dict(edits or {}), document=document, meta_edits=meta)
    return data.replace(b"^MetaDMPMSS||Y^", f"^MetaDMPMSS||{destination}^".encode())


def image(**changes: str) -> bytes:
    """An image of the example series with its patient's traits, some attributes changed.

    `uid`, `sop_class`, `study`, `series`, `modality`, `accession`, `issuer`, `ipp`, `name`,
    `birth_date` and `sex` are what can be changed.
    """
    said = {
        "uid": f"{kos.SERIES}.1",
        "sop_class": kos.instances()[0].sop_class,
        "study": kos.STUDY,
        "series": kos.SERIES,
        "modality": "CT",
        "accession": kos.ACCESSION,
        "issuer": kos.ACCESSION_OID,
        "ipp": hl7v2.IPP,
        "name": "PAT-TROIS^DOMINIQUE",
        "birth_date": "19790328",
        "sex": "F",
    } | changes

    def element(tag: int, vr: str, value: str) -> bytes:
        return encode_element(tag, vr, value.encode(), implicit=False)

    issuer = element(0x00400032, "UT", said["issuer"]) + element(0x00400033, "CS", "ISO")
    data = b"".join(
        (
            element(0x00080016, "UI", said["sop_class"]),
            element(0x00080018, "UI", said["uid"]),
            element(0x00080050, "SH", said["accession"]),
            encode_sequence(0x00080051, [issuer], implicit=False),
            element(0x00080060, "CS", said["modality"]),
            element(0x00100010, "PN", said["name"]),
            element(0x00100020, "LO", said["ipp"]),
            element(0x00100030, "DA", said["birth_date"]),
            element(0x00100040, "CS", said["sex"]),
            element(0x0020000D, "UI", said["study"]),
            element(0x0020000E, "UI", said["series"]),
        )
    )
    return build_part10(
        sop_class=said["sop_class"],
        sop_instance=said["uid"],
        transfer_syntax="1.2.840.10008.1.2.1",
        dataset=data,
    )


def entry(**changes: Any) -> dict[str, Any]:
    """The metadata of the KOS entry, with some changed."""
    return {"creation_time": "20261122091500"} | changes


def acting_for(structure: str) -> dict[str, Any]:
    """A publication whose VIHF names another structure than its certificate and authors."""
    said = xds.attributes({AttributeName.IDENTIFIANT_STRUCTURE: (structure,)})
    return {"assertion": {"attributes": said}}


def with_report() -> dict[str, Any]:
    """A publication whose envelope has an entry for the report beside that of the KOS."""

    def add(root: etree._Element) -> None:
        (entry,) = root.iterfind(f".//{{*}}ExtrinsicObject[@id='{xds.KOS_ID}']")
        copied = deepcopy(entry)
        copied.set("id", "DocumentCR")
        copied.set("mimeType", "text/xml")
        for external in copied.iterfind("{*}ExternalIdentifier"):
            if external.get("identificationScheme") == EntryScheme.UNIQUE_ID:
                external.set("value", REPORT_ID)
        entry.addnext(copied)

    return {"tamper": add, "signed_documents": {kos.UID: manifest(), REPORT_ID: report()}}


def exam(
    document: bytes | None = None,
    *,
    hl7: Mapping[str, hl7v2.Edits] | None = None,
    meta: hl7v2.Edits | None = None,
    publication: Mapping[str, Any] | None = None,
    **files: bytes | None,
) -> dict[str, bytes]:
    """Every artefact of the exam. `document` is the report that the message carries.

    `publication` is passed on to the ITI-41 example; `files` replaces artefacts, or leaves them
    out when None, by the name of their constant in lower case (`message`, `manifest`...). What a
    PACS answered (`answer`) is there only when given.
    """
    body = report() if document is None else document
    submitted = {"entry": entry(), "kos": manifest()} | dict(publication or {})
    made = {
        MESSAGE: message(body, hl7, meta=meta),
        MANIFEST: manifest(),
        PUBLICATION: xds.iti41(**submitted),
        REQUEST: wado.request(),
        RESPONSE: wado.response(),
        IMAGE: image(),
    }
    named = {
        "message": MESSAGE,
        "manifest": MANIFEST,
        "publication": PUBLICATION,
        "request": REQUEST,
        "response": RESPONSE,
        "image": IMAGE,
        "answer": ANSWER,
    }
    for key, data in files.items():
        if data is None:
            del made[named[key]]
        else:
            made[named[key]] = data
    return made


def packed(*arguments: Any, **options: Any) -> Callable[[], bytes]:
    """A maker of the archive of an exam: what a rule takes as an example."""
    return lambda: pack(exam(*arguments, **options))
