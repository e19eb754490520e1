"""An example imaging report that is right, and edits that spoil it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from protocols import cda
from protocols.cda import Code, Id, NamePart, PersonName
from spec import cda as spec
from spec.oids import INS_NIR_TEST, PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY

__all__ = [
    "ACCESSION",
    "DOCUMENT",
    "INS",
    "IPP",
    "LEVEL_3",
    "STUDY",
    "act",
    "actor",
    "code",
    "document",
    "encounter",
    "link",
    "names",
    "order",
    "other_study",
    "patient",
    "pdf",
    "pdf_document",
    "signer",
    "structured",
]

INS = "279035121518989"
"""An ANS test identity (DMP conformity environment)."""
IPP = "IPP900"
_LOCAL = "1.2.250.1.999.1.1.8121"
DOCUMENT = f"{_LOCAL}.2.1"
STUDY = f"{_LOCAL}.5.1"
ACCESSION = "ACN900"
_STRUCTURE = "101235555"
_MOMENT = "20261122101500+0100"
_TITLE = "CR d'imagerie médicale"
_ACT = ("24727-0", "Scanner de la tête avec injection")
LEVEL_3 = tuple(Id(root) for root in (*spec.FRENCH_TEMPLATES, *spec.LEVEL_3_TEMPLATES))


def code(value: str, system: str, display: str = "", qualifier: Code | None = None) -> Code:
    """A coded value."""
    return Code(code=value, system=system, display=display or value, qualifier=qualifier)


def names(*parts: tuple[str, str, str | None]) -> tuple[PersonName, ...]:
    """A patient's name from (kind, value, qualifier)."""
    return (PersonName(tuple(NamePart(*part) for part in parts)),)


def patient(**changes: Any) -> cda.Patient:
    """The patient of the example."""
    made = cda.Patient(
        ids=(Id(INS_NIR_TEST, INS), Id(f"{_LOCAL}.1", IPP)),
        names=names(
            ("family", "PAT-TROIS", "BR"),
            ("given", "DOMINIQUE", None),
            ("given", "DOMINIQUE", "BR"),
        ),
        birth_time="19790328",
        sex=code("F", spec.SEX_SYSTEM, "Féminin"),
        birthplace_county="51215",
        birthplace_city="DOMMARTIN-LE-FRANC",
    )
    return replace(made, **changes)


def actor(**changes: Any) -> cda.Professional:
    """The radiologist."""
    made = cda.Professional(
        ids=(Id(PROFESSIONAL_AUTHORITY, "801234560801"),),
        code=code("G15_10/SM44", spec.PROFESSION_SYSTEM, "Médecin - Radio-diagnostic (SM)"),
        name=names(("given", "CLAIRE", None), ("family", "EXEMPLE", None))[0],
        organization=cda.Organization(
            ids=(Id(STRUCTURE_AUTHORITY, _STRUCTURE),),
            name="CENTRE EXEMPLE",
            industry=code("AMBULATOIRE", "1.2.250.1.213.1.1.4.9", "Ambulatoire"),
        ),
        time=_MOMENT,
    )
    return replace(made, **changes)


def signer(**changes: Any) -> cda.Professional:
    """The same, as legal authenticator."""
    return actor(**({"signature": "S"} | changes))


def _modality(value: str = "CT") -> Code:
    return code(value, spec.DCM, "", Code(code=spec.MODALITY_QUALIFIER, system=spec.DCM))


def _region(value: str = "774007") -> Code:
    return code(value, spec.SNOMED_CT, "", Code(code=spec.REGION_QUALIFIER, system=spec.LOINC))


def act(
    *,
    modality: str = "CT",
    region: str = "774007",
    ccam: str = spec.CCAM_SYSTEMS[0],
    system: str = spec.LOINC,
    **changes: Any,
) -> cda.ServiceEvent:
    """The imaging act; an empty modality, region or CCAM system leaves it out."""
    translations = [code("ACQH004", ccam)] if ccam else []
    translations += [_modality(modality)] if modality else []
    translations += [_region(region)] if region else []
    made = cda.ServiceEvent(
        ids=(Id(STUDY),),
        code=replace(code(_ACT[0], system, _ACT[1]), translations=tuple(translations)),
        low="20261122093000+0100",
        high="20261122100000+0100",
        performers=(actor(time=None),),
    )
    return replace(made, **changes)


def other_study() -> Id:
    """A study that the example does not have."""
    return Id(f"{STUDY}.9")


def order(**changes: Any) -> cda.Order:
    """The request."""
    made = cda.Order(
        ids=(Id(f"{_LOCAL}.3", "OPN900"),),
        accession_numbers=(Id(f"{_LOCAL}.4", ACCESSION),),
    )
    return replace(made, **changes)


def encounter() -> cda.Encounter:
    """The visit."""
    return cda.Encounter(
        code=code("AMB", "2.16.840.1.113883.5.4", "Ambulatoire"),
        low="20261122093000+0100",
        high="20261122101500+0100",
        facility_ids=(Id(STRUCTURE_AUTHORITY, _STRUCTURE),),
        facility_code=code("SA08", "1.2.250.1.71.4.2.4", "Cabinet de groupe"),
    )


def link(**changes: str) -> str:
    """The viewer link of the example."""
    values = {"studyUID": STUDY, "accessionNumber": ACCESSION, "idCDA": DOCUMENT} | changes
    query = "&".join(f"{name}={value}" for name, value in values.items())
    return (
        f"https://vi900.test.mesimagesmedicales.fr/IHEInvokeImageDisplay?requestType=STUDY&{query}"
    )


def pdf(
    *, part: str = "1", conformance: str = "B", uri: str | None = None, encrypted: bool = False
) -> bytes:
    """The skeleton of a PDF file that claims a PDF/A level and holds one link."""
    claim = f"<pdfaid:part>{part}</pdfaid:part>" if part else ""
    level = f"<pdfaid:conformance>{conformance}</pdfaid:conformance>" if part else ""
    target = link() if uri is None else uri
    action = f"4 0 obj <</Type/Annot/Subtype/Link/A<</S/URI/URI({target})>>>> endobj\n"
    lines = [
        "%PDF-1.4\n",
        "1 0 obj <</Type/Catalog/Pages 2 0 R/Metadata 3 0 R>> endobj\n",
        "2 0 obj <</Type/Pages/Kids[]/Count 0>> endobj\n",
        f"3 0 obj <</Type/Metadata/Subtype/XML>> stream\n{claim}{level}\nendstream endobj\n",
        action if target else "",
        f"trailer <</Root 1 0 R{'/Encrypt 9 0 R' if encrypted else ''}>>\n%%EOF\n",
    ]
    return "".join(lines).encode("ascii")


def document(*, edit: Callable[[bytes], bytes] | None = None, **changes: Any) -> bytes:
    """The report of level 1, its header changed, then its bytes edited."""
    return _built(_header(changes), edit)


def pdf_document(**changes: Any) -> bytes:
    """The report of level 1 around another PDF."""
    return document(body=_wrapped(pdf(**changes)))


def structured(
    *,
    sections: str | None = None,
    edit: Callable[[bytes], bytes] | None = None,
    **changes: Any,
) -> bytes:
    """The report of level 3: an act with its catalogue of objects, a conclusion."""
    made = _header({"template_ids": LEVEL_3, "body": None} | changes)
    body = _BODY.format(sections=_ACT_SECTION + _CONCLUSION if sections is None else sections)
    end = b"</ClinicalDocument>"
    return _built(made, edit, (end, body.encode() + end))


def _built(
    made: cda.ImagingReport,
    edit: Callable[[bytes], bytes] | None,
    put: tuple[bytes, bytes] | None = None,
) -> bytes:
    data = cda.build(made)
    if put is not None:
        data = data.replace(*put)
    return data if edit is None else edit(data)


def _wrapped(data: bytes) -> cda.Body:
    return cda.Body(media_type="application/pdf", representation="B64", data=data)


def _header(changes: Mapping[str, Any]) -> cda.ImagingReport:
    made = cda.ImagingReport(
        realm="FR",
        template_ids=tuple(Id(root) for root in (*spec.FRENCH_TEMPLATES, spec.LEVEL_1_TEMPLATE)),
        id=Id(DOCUMENT),
        code=replace(
            code("18748-4", spec.LOINC, _TITLE), translations=(code(_ACT[0], spec.LOINC),)
        ),
        title=f"{_TITLE} - {_ACT[1]}",
        effective_time=_MOMENT,
        confidentiality=code("N", "2.16.840.1.113883.5.25", "Normal"),
        language="fr-FR",
        set_id=Id(f"{_LOCAL}.2.2"),
        version_number="1",
        patients=(patient(),),
        authors=(actor(),),
        custodian=cda.Organization(
            ids=(Id(STRUCTURE_AUTHORITY, _STRUCTURE),), name="CENTRE EXEMPLE"
        ),
        legal_authenticators=(signer(),),
        orders=(order(),),
        service_events=(act(),),
        encounter=encounter(),
        body=_wrapped(pdf()),
    )
    return replace(made, **changes)


_BODY = "<component><structuredBody>{sections}</structuredBody></component>"
_CONCLUSION = (
    '<component><section><code code="19005-8" codeSystem="2.16.840.1.113883.6.1"/>'
    "<title>Conclusion</title><text>Absence d'anomalie.</text></section></component>"
)
_SERIES = (
    '<act classCode="ACT" moodCode="EVN"><id root="{series}"/>'
    '<code code="113015" codeSystem="1.2.840.10008.2.16.4"><qualifier>'
    '<name code="121139" codeSystem="1.2.840.10008.2.16.4"/>'
    '<value code="CT" codeSystem="1.2.840.10008.2.16.4"/></qualifier></code>'
    '<entryRelationship typeCode="COMP"><observation classCode="DGIMG" moodCode="EVN">'
    '<id root="{series}.1"/>'
    '<code code="1.2.840.10008.5.1.4.1.1.2" codeSystem="1.2.840.10008.2.6.1"/>'
    '<text mediaType="application/dicom"><reference value="{wado}"/></text>'
    "</observation></entryRelationship></act>"
).format(
    series=f"{STUDY}.1",
    wado=f"https://db900.test.mesimagesmedicales.fr/studies/{STUDY}/series/{STUDY}.1",
)
_CATALOG = (
    '<component><section><code code="121181" codeSystem="1.2.840.10008.2.16.4"/>'
    "<title>Catalogue</title><text>Objets DICOM</text>"
    '<entry><act classCode="ACT" moodCode="EVN">'
    f'<id root="{STUDY}"/><code code="113014" codeSystem="1.2.840.10008.2.16.4"/>'
    f'<entryRelationship typeCode="COMP">{_SERIES}</entryRelationship></act></entry>'
    "</section></component>"
)
_ACT_SECTION = (
    '<component><section><code code="55111-9" codeSystem="2.16.840.1.113883.6.1"/>'
    f"<title>Technique</title><text>Scanner</text>{_CATALOG}</section></component>"
)
