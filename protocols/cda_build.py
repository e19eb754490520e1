"""Writing a CDA imaging report of level 1, its elements in the order that CDA R2 wants.

The values are the caller's. Elements that CDA R2 or the French minimal structure require and that
the model does not carry (addresses, telecoms) are written with a null flavour.

Réf.: HL7 CDA R2 (2005), POCD_MT000040, grade: standard; CI-SIS "Structuration minimale",
grade: sample.
"""

from __future__ import annotations

import pybase64
from lxml import etree

from protocols import xml
from protocols.cda_model import (
    Body,
    Code,
    Encounter,
    Id,
    ImagingReport,
    Order,
    Organization,
    Patient,
    PersonName,
    Professional,
    RelatedDocument,
    ServiceEvent,
)
from protocols.errors import LocalProtocolError

__all__ = ["build"]

_CDA = f"{{{xml.NS['cda']}}}"
_PS320 = f"{{{xml.NS['ps3-20']}}}"


def build(report: ImagingReport) -> bytes:
    """The document, in UTF-8 with an XML declaration.

    Raises:
        LocalProtocolError: a value holds a character that XML forbids, or the body is structured:
            this writes documents of level 1 only.
    """
    if report.body is not None and report.body.structured:
        raise LocalProtocolError("a structured body cannot be written: level 1 only")
    try:
        return xml.serialize(_document(report))
    except ValueError as error:
        raise LocalProtocolError(f"not writable as XML: {error}") from None


def _document(report: ImagingReport) -> etree._Element:
    prefixes: dict[str | None, str] = {None: xml.NS["cda"], "ps3-20": xml.NS["ps3-20"]}
    # lxml's stubs know no default namespace.
    root = etree.Element(f"{_CDA}ClinicalDocument", nsmap=prefixes)  # type: ignore[arg-type]
    if report.realm is not None:
        _add(root, "realmCode", code=report.realm)
    # CDA R2 4.2.1: typeId is a technology-neutral constant of the standard.
    _add(root, "typeId", root="2.16.840.1.113883.1.3", extension="POCD_HD000040")
    _ids(root, "templateId", report.template_ids)
    _id(root, "id", report.id)
    _code(root, "code", report.code)
    _text(root, "title", report.title)
    _value(root, "effectiveTime", report.effective_time)
    _code(root, "confidentialityCode", report.confidentiality)
    if report.language is not None:
        _add(root, "languageCode", code=report.language)
    _id(root, "setId", report.set_id)
    _value(root, "versionNumber", report.version_number)
    for patient in report.patients:
        _patient(root, patient)
    for author in report.authors:
        _author(root, author)
    if report.custodian is not None:
        keeper = _add(_add(root, "custodian"), "assignedCustodian")
        _organization(keeper, "representedCustodianOrganization", report.custodian, contact=True)
    for signer in report.legal_authenticators:
        _participation(_add(root, "legalAuthenticator"), signer)
    for order in report.orders:
        _order(root, order)
    for event in report.service_events:
        _service_event(root, event)
    for related in report.related_documents:
        _related(root, related)
    if report.encounter is not None:
        _encounter(root, report.encounter)
    if report.body is not None:
        _body(root, report.body)
    return root


def _add(parent: etree._Element, name: str, **attributes: str | None) -> etree._Element:
    element = etree.SubElement(parent, _CDA + name)
    for key, value in attributes.items():
        if value is not None:
            element.set(key, value)
    return element


def _text(parent: etree._Element, name: str, text: str | None) -> None:
    if text is not None:
        _add(parent, name).text = text


def _value(parent: etree._Element, name: str, value: str | None) -> None:
    if value is not None:
        _add(parent, name, value=value)


def _id(parent: etree._Element, name: str, one: Id | None) -> None:
    if one is not None:
        _add(parent, name, nullFlavor=one.null_flavor, root=one.root, extension=one.extension)


def _ids(parent: etree._Element, name: str, ids: tuple[Id, ...]) -> None:
    for one in ids:
        _id(parent, name, one)


def _code(parent: etree._Element, name: str, code: Code | None) -> None:
    if code is None:
        return
    element = _add(
        parent,
        name,
        nullFlavor=code.null_flavor,
        code=code.code,
        displayName=code.display,
        codeSystem=code.system,
        codeSystemName=code.system_name,
    )
    if code.qualifier is not None:
        _code(_add(element, "qualifier"), "name", code.qualifier)
    for translation in code.translations:
        _code(element, "translation", translation)


def _name(parent: etree._Element, name: PersonName) -> None:
    element = _add(parent, "name", use=name.use)
    if name.text:
        element.text = name.text
    for part in name.parts:
        _add(element, part.kind, qualifier=part.qualifier).text = part.value


def _contact(parent: etree._Element, *, organization: bool = False) -> None:
    """Address and telecom, unknown; an organization writes them the other way round."""
    names = ("telecom", "addr") if organization else ("addr", "telecom")
    for name in names:
        _add(parent, name, nullFlavor="NAV")


def _patient(root: etree._Element, patient: Patient) -> None:
    role = _add(_add(root, "recordTarget"), "patientRole")
    _ids(role, "id", patient.ids)
    _contact(role)
    person = _add(role, "patient")
    for name in patient.names:
        _name(person, name)
    _code(person, "administrativeGenderCode", patient.sex)
    _value(person, "birthTime", patient.birth_time)
    if patient.birthplace_county is not None or patient.birthplace_city is not None:
        address = _add(_add(_add(person, "birthplace"), "place"), "addr")
        _text(address, "county", patient.birthplace_county)
        _text(address, "city", patient.birthplace_city)


def _organization(
    parent: etree._Element, name: str, organization: Organization, *, contact: bool = False
) -> None:
    element = _add(parent, name)
    _ids(element, "id", organization.ids)
    _text(element, "name", organization.name)
    if contact:
        _contact(element, organization=True)
    _code(element, "standardIndustryClassCode", organization.industry)


def _author(root: etree._Element, author: Professional) -> None:
    link = _add(root, "author")
    _code(link, "functionCode", author.function)
    _value(link, "time", author.time)
    _entity(_add(link, "assignedAuthor"), author)


def _participation(link: etree._Element, professional: Professional) -> None:
    _code(link, "functionCode", professional.function)
    _value(link, "time", professional.time)
    if professional.signature is not None:
        _add(link, "signatureCode", code=professional.signature)
    _entity(_add(link, "assignedEntity"), professional)


def _entity(entity: etree._Element, professional: Professional) -> None:
    _ids(entity, "id", professional.ids)
    _code(entity, "code", professional.code)
    _contact(entity)
    if professional.name is not None:
        _name(_add(entity, "assignedPerson"), professional.name)
    elif professional.device is not None:
        _text(_add(entity, "assignedAuthoringDevice"), "softwareName", professional.device)
    if professional.organization is not None:
        _organization(entity, "representedOrganization", professional.organization)


def _order(root: etree._Element, order: Order) -> None:
    element = _add(_add(root, "inFulfillmentOf"), "order")
    _ids(element, "id", order.ids)
    for one in order.accession_numbers:
        accession = etree.SubElement(element, f"{_PS320}accessionNumber")
        for key, value in (("root", one.root), ("extension", one.extension)):
            if value is not None:
                accession.set(key, value)


def _service_event(root: etree._Element, event: ServiceEvent) -> None:
    element = _add(_add(root, "documentationOf"), "serviceEvent", classCode="ACT")
    _ids(element, "id", event.ids)
    _code(element, "code", event.code)
    _interval(element, event.low, event.high)
    for performer in event.performers:
        _participation(_add(element, "performer", typeCode="PRF"), performer)


def _interval(parent: etree._Element, low: str | None, high: str | None) -> None:
    if low is not None or high is not None:
        when = _add(parent, "effectiveTime")
        _value(when, "low", low)
        _value(when, "high", high)


def _related(root: etree._Element, related: RelatedDocument) -> None:
    parent = _add(_add(root, "relatedDocument", typeCode=related.type_code), "parentDocument")
    _ids(parent, "id", related.ids)
    _id(parent, "setId", related.set_id)
    _value(parent, "versionNumber", related.version_number)


def _encounter(root: etree._Element, encounter: Encounter) -> None:
    element = _add(_add(root, "componentOf"), "encompassingEncounter")
    _ids(element, "id", encounter.ids)
    _code(element, "code", encounter.code)
    _interval(element, encounter.low, encounter.high)
    if encounter.facility_code is None and not encounter.facility_ids:
        return
    facility = _add(_add(element, "location"), "healthCareFacility")
    _ids(facility, "id", encounter.facility_ids)
    _code(facility, "code", encounter.facility_code)
    if encounter.facility_name is not None:
        _text(_add(facility, "location"), "name", encounter.facility_name)


def _body(root: etree._Element, body: Body) -> None:
    holder = _add(_add(root, "component"), "nonXMLBody")
    text = _add(holder, "text", mediaType=body.media_type, representation=body.representation)
    if body.data is None:
        return
    if body.representation == "B64":
        text.text = pybase64.b64encode_as_string(body.data)
    else:
        text.text = body.data.decode("utf-8")
