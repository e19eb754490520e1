"""Writing ebRIM: objects in the order of the schema, as a submission or inside an answer."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count

from lxml import etree

from protocols.ebrim.model import Association, Author, Code, DocumentEntry, Slot, SubmissionSet
from protocols.mtom import include
from protocols.xml import NS
from spec.xds import (
    ASSOCIATION_OBJECT_TYPE,
    SUBMISSION_SET_NODE,
    EntryScheme,
    SetScheme,
    SlotName,
)

__all__ = ["Mint", "ObjectWriter", "build_provide", "build_submit", "slot_element"]

Mint = Callable[[], str]
"""Gives ids to classifications and external identifiers."""

RIM = f"{{{NS['rim']}}}"
_LCM = f"{{{NS['lcm']}}}"
_XDSB = f"{{{NS['xdsb']}}}"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def build_submit(
    submission_set: SubmissionSet,
    entries: Sequence[DocumentEntry] = (),
    associations: Sequence[Association] = (),
    *,
    mint: Mint | None = None,
) -> etree._Element:
    """`lcm:SubmitObjectsRequest`, valid against the ebRS schema.

    Args:
        mint: ids of inner objects; `c1`, `c2`... by default, enough inside one message.
    """
    request = etree.Element(
        f"{_LCM}SubmitObjectsRequest", nsmap={"lcm": NS["lcm"], "rim": NS["rim"]}
    )
    objects = etree.SubElement(request, f"{RIM}RegistryObjectList")
    writer = ObjectWriter(objects, mint)
    writer.submission_set(submission_set)
    for entry in entries:
        writer.entry(entry)
    for association in associations:
        writer.association(association)
    return request


def build_provide(
    submission_set: SubmissionSet,
    entries: Sequence[DocumentEntry],
    associations: Sequence[Association],
    documents: Mapping[str, str | bytes],
    *,
    mint: Mint | None = None,
) -> etree._Element:
    """`xdsb:ProvideAndRegisterDocumentSetRequest`.

    Args:
        documents: entry id to the Content-ID of its part, or to bytes to write inline.
    """
    request = etree.Element(
        f"{_XDSB}ProvideAndRegisterDocumentSetRequest",
        nsmap={"xdsb": NS["xdsb"], "lcm": NS["lcm"], "rim": NS["rim"]},
    )
    request.append(build_submit(submission_set, entries, associations, mint=mint))
    for entry_id, content in documents.items():
        document = etree.SubElement(request, f"{_XDSB}Document", {"id": entry_id})
        if isinstance(content, bytes):
            document.text = base64.b64encode(content).decode("ascii")
        else:
            document.append(include(content))
    return request


def slot_element(parent: etree._Element, name: str, values: Iterable[str]) -> None:
    """One Slot with its ValueList."""
    slot = etree.SubElement(parent, f"{RIM}Slot", {"name": name})
    value_list = etree.SubElement(slot, f"{RIM}ValueList")
    for value in values:
        etree.SubElement(value_list, f"{RIM}Value").text = value


class ObjectWriter:
    """Appends registry objects to a `rim:RegistryObjectList`."""

    def __init__(self, objects: etree._Element, mint: Mint | None = None) -> None:
        self._objects = objects
        serial = count(1)
        self._mint: Mint = mint or (lambda: f"c{next(serial)}")

    def submission_set(self, value: SubmissionSet) -> None:
        """A RegistryPackage."""
        element = self._object(
            "RegistryPackage", {"id": value.id, "home": value.home, "status": value.status}
        )
        self._slots(
            element,
            (SlotName.SUBMISSION_TIME, value.submission_time),
            (SlotName.INTENDED_RECIPIENT, value.intended_recipients),
            extra=value.extra_slots,
        )
        self._names(element, value.title, value.comments)
        for author in value.authors:
            self._author(element, SetScheme.AUTHOR, author)
        self._code(element, SetScheme.CONTENT_TYPE_CODE, value.content_type)
        etree.SubElement(
            element,
            f"{RIM}Classification",
            {
                "id": self._mint(),
                "classifiedObject": value.id,
                "classificationNode": SUBMISSION_SET_NODE,
            },
        )
        self._identifier(
            element, SetScheme.PATIENT_ID, "XDSSubmissionSet.patientId", value.patient_id
        )
        self._identifier(element, SetScheme.SOURCE_ID, "XDSSubmissionSet.sourceId", value.source_id)
        self._identifier(element, SetScheme.UNIQUE_ID, "XDSSubmissionSet.uniqueId", value.unique_id)

    def entry(self, value: DocumentEntry) -> None:
        """An ExtrinsicObject."""
        element = self._object(
            "ExtrinsicObject",
            {
                "id": value.id,
                "home": value.home,
                "lid": value.logical_id,
                "objectType": value.object_type,
                "status": value.status,
                "mimeType": value.mime_type,
                "isOpaque": "false",
            },
        )
        self._slots(
            element,
            (SlotName.CREATION_TIME, value.creation_time),
            (SlotName.HASH, value.hash),
            (SlotName.LANGUAGE_CODE, value.language_code),
            (SlotName.LEGAL_AUTHENTICATOR, value.legal_authenticator),
            (SlotName.REPOSITORY_UNIQUE_ID, value.repository_unique_id),
            (SlotName.SERVICE_START_TIME, value.service_start_time),
            (SlotName.SERVICE_STOP_TIME, value.service_stop_time),
            (SlotName.SIZE, value.size),
            (SlotName.SOURCE_PATIENT_ID, value.source_patient_id),
            (SlotName.SOURCE_PATIENT_INFO, value.source_patient_info),
            (SlotName.REFERENCE_ID_LIST, value.reference_ids),
            (SlotName.URI, value.uri),
            (SlotName.DOCUMENT_AVAILABILITY, value.document_availability),
            extra=value.extra_slots,
        )
        self._names(element, value.title, value.comments)
        if value.version:
            etree.SubElement(element, f"{RIM}VersionInfo", {"versionName": value.version})
        for author in value.authors:
            self._author(element, EntryScheme.AUTHOR, author)
        self._code(element, EntryScheme.CLASS_CODE, value.class_code)
        self._code(element, EntryScheme.TYPE_CODE, value.type_code)
        for code in value.confidentiality_codes:
            self._code(element, EntryScheme.CONFIDENTIALITY_CODE, code)
        self._code(element, EntryScheme.FORMAT_CODE, value.format_code)
        self._code(element, EntryScheme.FACILITY_TYPE_CODE, value.facility_type)
        self._code(element, EntryScheme.PRACTICE_SETTING_CODE, value.practice_setting)
        for code in value.event_codes:
            self._code(element, EntryScheme.EVENT_CODE, code)
        self._identifier(
            element, EntryScheme.PATIENT_ID, "XDSDocumentEntry.patientId", value.patient_id
        )
        self._identifier(
            element, EntryScheme.UNIQUE_ID, "XDSDocumentEntry.uniqueId", value.unique_id
        )

    def association(self, value: Association) -> None:
        """An Association; one without id gets a minted one."""
        element = self._object(
            "Association",
            {
                "id": value.id or self._mint(),
                "objectType": ASSOCIATION_OBJECT_TYPE,
                "status": value.status,
                "associationType": value.type,
                "sourceObject": value.source,
                "targetObject": value.target,
            },
        )
        for slot in value.slots:
            slot_element(element, slot.name, slot.values)

    def _object(self, name: str, attributes: Mapping[str, str]) -> etree._Element:
        present = {key: value for key, value in attributes.items() if value}
        return etree.SubElement(self._objects, RIM + name, present)

    def _slots(
        self,
        parent: etree._Element,
        *slots: tuple[str, str | tuple[str, ...]],
        extra: Iterable[Slot] = (),
    ) -> None:
        for name, value in slots:
            values = (value,) if isinstance(value, str) else value
            if any(values):
                slot_element(parent, name, values)
        for slot in extra:
            slot_element(parent, slot.name, slot.values)

    def _names(self, parent: etree._Element, title: str, comments: str) -> None:
        for name, text in (("Name", title), ("Description", comments)):
            if text:
                self._localized(parent, name, text)

    def _localized(self, parent: etree._Element, name: str, text: str) -> None:
        element = etree.SubElement(parent, RIM + name)
        # Spelt as in the samples of the GIE and of DRIM-M_DATA, which clients were tested with.
        etree.SubElement(
            element,
            f"{RIM}LocalizedString",
            {"charset": "UTF8", _XML_LANG: "FR", "value": text},
        )

    def _classification(
        self, parent: etree._Element, scheme: str, representation: str
    ) -> etree._Element:
        return etree.SubElement(
            parent,
            f"{RIM}Classification",
            {
                "id": self._mint(),
                "classificationScheme": scheme,
                "classifiedObject": parent.get("id", ""),
                "nodeRepresentation": representation,
            },
        )

    def _author(self, parent: etree._Element, scheme: str, author: Author) -> None:
        element = self._classification(parent, scheme, "")
        self._slots(
            element,
            (SlotName.AUTHOR_PERSON, author.person),
            (SlotName.AUTHOR_INSTITUTION, author.institutions),
            (SlotName.AUTHOR_ROLE, author.roles),
            (SlotName.AUTHOR_SPECIALTY, author.specialties),
            (SlotName.AUTHOR_TELECOMMUNICATION, author.telecommunications),
        )

    def _code(self, parent: etree._Element, scheme: str, code: Code | None) -> None:
        if code is None:
            return
        element = self._classification(parent, scheme, code.code)
        self._slots(element, (SlotName.CODING_SCHEME, code.scheme))
        if code.display:
            self._localized(element, "Name", code.display)

    def _identifier(self, parent: etree._Element, scheme: str, name: str, value: str) -> None:
        if not value:
            return
        element = etree.SubElement(
            parent,
            f"{RIM}ExternalIdentifier",
            {
                "id": self._mint(),
                "identificationScheme": scheme,
                "registryObject": parent.get("id", ""),
                "value": value,
            },
        )
        self._localized(element, "Name", name)
