"""Reading a CDA imaging report's header.

Réf.: HL7 CDA R2 (2005), POCD_MT000040; DICOM PS3.20, grade: standard.
"""

from __future__ import annotations

import binascii

import pybase64
from lxml import etree

from protocols import xml
from protocols.cda_model import (
    Body,
    Code,
    Encounter,
    Id,
    ImagingReport,
    NamePart,
    Order,
    Organization,
    Patient,
    PersonName,
    Professional,
    RelatedDocument,
    ServiceEvent,
)
from protocols.errors import RemoteProtocolError

__all__ = ["CdaSyntaxError", "parse"]

_CDA = f"{{{xml.NS['cda']}}}"
_ACCESSION = f"{{{xml.NS['ps3-20']}}}accessionNumber"
_NAME_PARTS = ("family", "given", "prefix", "suffix", "delimiter")


class CdaSyntaxError(RemoteProtocolError):
    """Not a CDA document: not XML, or another root than ClinicalDocument."""


def parse(data: bytes) -> ImagingReport:
    """What the header of a document writes.

    Raises:
        CdaSyntaxError: not XML, or the root is not `ClinicalDocument` in `urn:hl7-org:v3`.
    """
    try:
        root = xml.parse(data)
    except xml.XmlError as error:
        raise CdaSyntaxError(str(error), where=error.where, span=error.span) from None
    if root.tag != f"{_CDA}ClinicalDocument":
        raise CdaSyntaxError(
            f"la racine est {etree.QName(root).localname}, pas ClinicalDocument", where="/*"
        )
    return ImagingReport(
        realm=_attribute(_child(root, "realmCode"), "code"),
        template_ids=_ids(root, "templateId"),
        id=_id(_child(root, "id")),
        code=_code(_child(root, "code")),
        title=_text(_child(root, "title")),
        effective_time=_value(_child(root, "effectiveTime")),
        confidentiality=_code(_child(root, "confidentialityCode")),
        language=_attribute(_child(root, "languageCode"), "code"),
        set_id=_id(_child(root, "setId")),
        version_number=_value(_child(root, "versionNumber")),
        patients=tuple(_patient(e) for e in _children(root, "recordTarget")),
        authors=tuple(
            _professional(e, _child(e, "assignedAuthor")) for e in _children(root, "author")
        ),
        custodian=_organization(
            _child(root, "custodian", "assignedCustodian", "representedCustodianOrganization")
        ),
        legal_authenticators=tuple(
            _professional(e, _child(e, "assignedEntity"))
            for e in _children(root, "legalAuthenticator")
        ),
        orders=tuple(
            _order(order)
            for link in _children(root, "inFulfillmentOf")
            for order in _children(link, "order")
        ),
        service_events=tuple(
            _service_event(event)
            for link in _children(root, "documentationOf")
            for event in _children(link, "serviceEvent")
        ),
        related_documents=tuple(_related(e) for e in _children(root, "relatedDocument")),
        encounter=_encounter(_child(root, "componentOf", "encompassingEncounter")),
        body=_body(_child(root, "component")),
    )


def _children(parent: etree._Element | None, name: str) -> list[etree._Element]:
    return [] if parent is None else parent.findall(_CDA + name)


def _child(parent: etree._Element | None, *path: str) -> etree._Element | None:
    for name in path:
        if parent is None:
            return None
        parent = parent.find(_CDA + name)
    return parent


def _attribute(element: etree._Element | None, name: str) -> str | None:
    return None if element is None else element.get(name)


def _value(element: etree._Element | None) -> str | None:
    return _attribute(element, "value")


def _text(element: etree._Element | None) -> str | None:
    """The characters inside an element, comments left out, ends trimmed."""
    if element is None:
        return None
    return str(element.xpath("string()")).strip()


def _id(element: etree._Element | None) -> Id | None:
    if element is None:
        return None
    return Id(element.get("root"), element.get("extension"), element.get("nullFlavor"))


def _ids(parent: etree._Element | None, name: str) -> tuple[Id, ...]:
    found = (_id(element) for element in _children(parent, name))
    return tuple(one for one in found if one is not None)


def _code(element: etree._Element | None, *, nested: bool = True) -> Code | None:
    """A coded value; translations of translations and qualifiers of qualifiers are not read."""
    if element is None:
        return None
    translations: tuple[Code, ...] = ()
    qualifier: Code | None = None
    if nested:
        qualifier = _code(_child(element, "qualifier", "name"), nested=False)
        translations = tuple(_translation(e) for e in _children(element, "translation"))
    return Code(
        code=element.get("code"),
        system=element.get("codeSystem"),
        display=element.get("displayName"),
        system_name=element.get("codeSystemName"),
        null_flavor=element.get("nullFlavor"),
        qualifier=qualifier,
        translations=translations,
    )


def _translation(element: etree._Element) -> Code:
    return Code(
        code=element.get("code"),
        system=element.get("codeSystem"),
        display=element.get("displayName"),
        system_name=element.get("codeSystemName"),
        null_flavor=element.get("nullFlavor"),
        qualifier=_code(_child(element, "qualifier", "name"), nested=False),
    )


def _name(element: etree._Element) -> PersonName:
    parts = []
    loose = [element.text or ""]
    for child in element:
        loose.append(child.tail or "")
        if not isinstance(child.tag, str):
            continue  # a comment or a processing instruction
        kind = etree.QName(child).localname
        if kind in _NAME_PARTS:
            parts.append(NamePart(kind, _text(child) or "", child.get("qualifier")))
    text = " ".join("".join(loose).split())
    return PersonName(tuple(parts), element.get("use"), text)


def _patient(target: etree._Element) -> Patient:
    role = _child(target, "patientRole")
    person = _child(role, "patient")
    born = _child(person, "birthplace", "place", "addr")
    return Patient(
        ids=_ids(role, "id"),
        names=tuple(_name(e) for e in _children(person, "name")),
        birth_time=_value(_child(person, "birthTime")),
        sex=_code(_child(person, "administrativeGenderCode")),
        birthplace_county=_text(_child(born, "county")),
        birthplace_city=_text(_child(born, "city")),
    )


def _organization(element: etree._Element | None) -> Organization | None:
    if element is None:
        return None
    return Organization(
        ids=_ids(element, "id"),
        name=_text(_child(element, "name")),
        industry=_code(_child(element, "standardIndustryClassCode")),
    )


def _professional(link: etree._Element, entity: etree._Element | None) -> Professional:
    name = _child(entity, "assignedPerson", "name")
    device = _child(entity, "assignedAuthoringDevice")
    return Professional(
        ids=_ids(entity, "id"),
        code=_code(_child(entity, "code")),
        name=None if name is None else _name(name),
        organization=_organization(_child(entity, "representedOrganization")),
        time=_value(_child(link, "time")),
        function=_code(_child(link, "functionCode")),
        signature=_attribute(_child(link, "signatureCode"), "code"),
        device=None if device is None else _text(_child(device, "softwareName")) or "",
    )


def _order(element: etree._Element) -> Order:
    accessions = (_id(e) for e in element.findall(_ACCESSION))
    return Order(
        ids=_ids(element, "id"),
        accession_numbers=tuple(one for one in accessions if one is not None),
    )


def _service_event(element: etree._Element) -> ServiceEvent:
    when = _child(element, "effectiveTime")
    return ServiceEvent(
        ids=_ids(element, "id"),
        code=_code(_child(element, "code")),
        low=_value(_child(when, "low")),
        high=_value(_child(when, "high")),
        performers=tuple(
            _professional(e, _child(e, "assignedEntity")) for e in _children(element, "performer")
        ),
    )


def _related(element: etree._Element) -> RelatedDocument:
    parent = _child(element, "parentDocument")
    return RelatedDocument(
        type_code=element.get("typeCode"),
        ids=_ids(parent, "id"),
        set_id=_id(_child(parent, "setId")),
        version_number=_value(_child(parent, "versionNumber")),
    )


def _encounter(element: etree._Element | None) -> Encounter | None:
    if element is None:
        return None
    when = _child(element, "effectiveTime")
    facility = _child(element, "location", "healthCareFacility")
    return Encounter(
        ids=_ids(element, "id"),
        code=_code(_child(element, "code")),
        low=_value(_child(when, "low")),
        high=_value(_child(when, "high")),
        facility_ids=_ids(facility, "id"),
        facility_code=_code(_child(facility, "code")),
        facility_name=_text(_child(facility, "location", "name")),
    )


def _body(component: etree._Element | None) -> Body | None:
    if component is None:
        return None
    if _child(component, "structuredBody") is not None:
        return Body(structured=True)
    text = _child(component, "nonXMLBody", "text")
    if text is None:
        return Body(error="ni structuredBody ni nonXMLBody/text")
    media_type, representation = text.get("mediaType"), text.get("representation")
    written = str(text.xpath("string()"))
    if representation != "B64":
        return Body(
            media_type=media_type, representation=representation, data=written.encode("utf-8")
        )
    try:
        # Official documents break their base64 into lines; anything else is a fault.
        data = pybase64.b64decode("".join(written.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        return Body(media_type=media_type, representation=representation, error=f"base64 : {error}")
    return Body(media_type=media_type, representation=representation, data=data)
