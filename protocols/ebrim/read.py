"""Reading ebRIM: tolerant to order and repetition, and telling what it tolerated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from lxml import etree

from protocols.ebrim.model import (
    Association,
    Author,
    Code,
    Defect,
    DocumentEntry,
    EbrimError,
    Slot,
    Submission,
    SubmissionSet,
)
from protocols.xml import NS
from spec.schemas import registry_object_order
from spec.xds import SUBMISSION_SET_NODE, EntryScheme, SetScheme, SlotName

__all__ = ["ObjectReader", "elements", "parse_submit"]

_RIM = f"{{{NS['rim']}}}"
_LCM = f"{{{NS['lcm']}}}"
_XDSB = f"{{{NS['xdsb']}}}"

_ORDER = {name: rank for rank, name in enumerate(registry_object_order())}
"""Children of a registry object, in the order of the schema."""

_MAX_OBJECTS = 10_000
"""Registry objects in one list: a lot holds two or three."""


def parse_submit(element: etree._Element) -> Submission:
    """The submission in an `lcm:SubmitObjectsRequest` or a ProvideAndRegister request.

    Raises:
        EbrimError: another element, no RegistryObjectList, or an object without id.
    """
    documents: list[tuple[str, etree._Element]] = []
    request: etree._Element | None = element
    if element.tag == f"{_XDSB}ProvideAndRegisterDocumentSetRequest":
        request = element.find(f"{_LCM}SubmitObjectsRequest")
        for document in element.findall(f"{_XDSB}Document"):
            documents.append((document.get("id", ""), document))
    if request is None or request.tag != f"{_LCM}SubmitObjectsRequest":
        raise EbrimError(f"SubmitObjectsRequest attendu, reçu {element.tag}")
    objects = request.find(f"{_RIM}RegistryObjectList")
    if objects is None:
        raise EbrimError("SubmitObjectsRequest sans RegistryObjectList")
    reader = ObjectReader(objects)
    return Submission(
        sets=tuple(reader.sets),
        entries=tuple(reader.entries),
        associations=tuple(reader.associations),
        documents=tuple(documents),
        defects=tuple(reader.defects),
    )


def elements(parent: etree._Element) -> list[etree._Element]:
    """The child elements, without comments and processing instructions."""
    return [child for child in parent if isinstance(child.tag, str)]


class ObjectReader:
    """Everything in a `rim:RegistryObjectList`."""

    def __init__(self, objects: etree._Element) -> None:
        self.sets: list[SubmissionSet] = []
        self.entries: list[DocumentEntry] = []
        self.associations: list[Association] = []
        self.refs: list[str] = []
        self.defects: list[Defect] = []
        children = elements(objects)
        if len(children) > _MAX_OBJECTS:
            raise EbrimError(f"RegistryObjectList de {len(children)} objets")
        outside = self._outside(children)
        for child in children:
            match etree.QName(child).localname if child.tag.startswith(_RIM) else child.tag:
                case "RegistryPackage":
                    if _id(child) in outside or self._is_set(child):
                        self.sets.append(self._set(child))
                    else:
                        self._note("unknown", child, "RegistryPackage qui n'est pas un lot")
                case "ExtrinsicObject":
                    self.entries.append(self._entry(child))
                case "Association":
                    self.associations.append(self._association(child))
                case "ObjectRef":
                    self.refs.append(_id(child))
                case "Classification":
                    pass
                case other:
                    self._note("unknown", child, f"objet {other} ignoré")

    def _outside(self, children: Iterable[etree._Element]) -> set[str]:
        """Objects classified as SubmissionSet by a Classification beside them.

        ITI Vol. 3 4.2.1.2 allows it; the DMP's clients put it inside.
        """
        return {
            child.get("classifiedObject", "")
            for child in children
            if child.tag == f"{_RIM}Classification"
            and child.get("classificationNode") == SUBMISSION_SET_NODE
        }

    def _is_set(self, element: etree._Element) -> bool:
        return any(
            child.get("classificationNode") == SUBMISSION_SET_NODE
            for child in element.findall(f"{_RIM}Classification")
        )

    def _note(
        self, kind: Literal["order", "repeated", "unknown"], element: etree._Element, text: str
    ) -> None:
        self.defects.append(Defect(kind, _path(element), text))

    def _set(self, element: etree._Element) -> SubmissionSet:
        parts = _Parts(element, self.defects)
        value = SubmissionSet(
            id=_id(element),
            submission_time=parts.slot(SlotName.SUBMISSION_TIME),
            title=parts.name("Name"),
            comments=parts.name("Description"),
            authors=parts.authors(SetScheme.AUTHOR),
            content_type=parts.code(SetScheme.CONTENT_TYPE_CODE),
            patient_id=parts.identifier(SetScheme.PATIENT_ID),
            source_id=parts.identifier(SetScheme.SOURCE_ID),
            unique_id=parts.identifier(SetScheme.UNIQUE_ID),
            intended_recipients=parts.values(SlotName.INTENDED_RECIPIENT),
            status=element.get("status", ""),
            home=element.get("home", ""),
            extra_slots=parts.other_slots(),
        )
        parts.leftovers()
        return value

    def _entry(self, element: etree._Element) -> DocumentEntry:
        parts = _Parts(element, self.defects)
        version = element.find(f"{_RIM}VersionInfo")
        value = DocumentEntry(
            id=_id(element),
            mime_type=element.get("mimeType", ""),
            object_type=element.get("objectType", ""),
            creation_time=parts.slot(SlotName.CREATION_TIME),
            language_code=parts.slot(SlotName.LANGUAGE_CODE),
            legal_authenticator=parts.slot(SlotName.LEGAL_AUTHENTICATOR),
            service_start_time=parts.slot(SlotName.SERVICE_START_TIME),
            service_stop_time=parts.slot(SlotName.SERVICE_STOP_TIME),
            source_patient_id=parts.slot(SlotName.SOURCE_PATIENT_ID),
            source_patient_info=parts.values(SlotName.SOURCE_PATIENT_INFO),
            hash=parts.slot(SlotName.HASH),
            size=parts.slot(SlotName.SIZE),
            uri=parts.values(SlotName.URI),
            repository_unique_id=parts.slot(SlotName.REPOSITORY_UNIQUE_ID),
            document_availability=parts.slot(SlotName.DOCUMENT_AVAILABILITY),
            reference_ids=parts.values(SlotName.REFERENCE_ID_LIST),
            title=parts.name("Name"),
            comments=parts.name("Description"),
            authors=parts.authors(EntryScheme.AUTHOR),
            class_code=parts.code(EntryScheme.CLASS_CODE),
            type_code=parts.code(EntryScheme.TYPE_CODE),
            format_code=parts.code(EntryScheme.FORMAT_CODE),
            facility_type=parts.code(EntryScheme.FACILITY_TYPE_CODE),
            practice_setting=parts.code(EntryScheme.PRACTICE_SETTING_CODE),
            confidentiality_codes=parts.codes(EntryScheme.CONFIDENTIALITY_CODE),
            event_codes=parts.codes(EntryScheme.EVENT_CODE),
            patient_id=parts.identifier(EntryScheme.PATIENT_ID),
            unique_id=parts.identifier(EntryScheme.UNIQUE_ID),
            logical_id=element.get("lid", ""),
            version="" if version is None else version.get("versionName", ""),
            status=element.get("status", ""),
            home=element.get("home", ""),
            extra_slots=parts.other_slots(),
        )
        parts.leftovers()
        return value

    def _association(self, element: etree._Element) -> Association:
        parts = _Parts(element, self.defects)
        return Association(
            id=element.get("id", ""),
            type=element.get("associationType", ""),
            source=element.get("sourceObject", ""),
            target=element.get("targetObject", ""),
            slots=parts.other_slots(),
            status=element.get("status", ""),
        )


class _Parts:
    """The children of one registry object, taken one by one."""

    def __init__(self, element: etree._Element, defects: list[Defect]) -> None:
        self._element = element
        self._defects = defects
        self._slots: list[Slot] = []
        self._classifications: list[etree._Element] = []
        self._identifiers: list[etree._Element] = []
        self._check_order()
        for child in elements(element):
            if child.tag == f"{_RIM}Slot":
                self._slots.append(_slot(child))
            elif child.tag == f"{_RIM}Classification":
                if child.get("classificationNode") != SUBMISSION_SET_NODE:
                    self._classifications.append(child)
            elif child.tag == f"{_RIM}ExternalIdentifier":
                self._identifiers.append(child)

    def _check_order(self) -> None:
        highest, name = -1, ""
        for child in elements(self._element):
            local = etree.QName(child).localname
            rank = _ORDER.get(local)
            if rank is None:
                self._note("unknown", child, f"élément {local} ignoré")
            elif rank < highest:
                self._note("order", child, f"{local} après {name}")
            else:
                highest, name = rank, local

    def _note(
        self, kind: Literal["order", "repeated", "unknown"], element: etree._Element, text: str
    ) -> None:
        self._defects.append(Defect(kind, _path(element), text))

    def values(self, name: str) -> tuple[str, ...]:
        found = [slot for slot in self._slots if slot.name == name]
        if len(found) > 1:
            self._note("repeated", self._element, f"slot {name} présent {len(found)} fois")
        self._slots = [slot for slot in self._slots if slot.name != name]
        return found[0].values if found else ()

    def slot(self, name: str) -> str:
        values = self.values(name)
        if len(values) > 1:
            self._note("repeated", self._element, f"slot {name} à {len(values)} valeurs")
        return values[0] if values else ""

    def other_slots(self) -> tuple[Slot, ...]:
        taken, self._slots = tuple(self._slots), []
        return taken

    def name(self, tag: str) -> str:
        text = self._element.find(f"{_RIM}{tag}/{_RIM}LocalizedString")
        return "" if text is None else text.get("value", "")

    def _take(self, scheme: str) -> list[etree._Element]:
        found, self._classifications = _split(self._classifications, "classificationScheme", scheme)
        return found

    def authors(self, scheme: str) -> tuple[Author, ...]:
        return tuple(self._author(element) for element in self._take(scheme))

    def _author(self, element: etree._Element) -> Author:
        parts = _Parts(element, self._defects)
        return Author(
            person=parts.slot(SlotName.AUTHOR_PERSON),
            institutions=parts.values(SlotName.AUTHOR_INSTITUTION),
            roles=parts.values(SlotName.AUTHOR_ROLE),
            specialties=parts.values(SlotName.AUTHOR_SPECIALTY),
            telecommunications=parts.values(SlotName.AUTHOR_TELECOMMUNICATION),
        )

    def codes(self, scheme: str) -> tuple[Code, ...]:
        codes = []
        for element in self._take(scheme):
            parts = _Parts(element, self._defects)
            codes.append(
                Code(
                    element.get("nodeRepresentation", ""),
                    parts.slot(SlotName.CODING_SCHEME),
                    parts.name("Name"),
                )
            )
        return tuple(codes)

    def code(self, scheme: str) -> Code | None:
        codes = self.codes(scheme)
        if len(codes) > 1:
            name = next((m.name for e in (EntryScheme, SetScheme) for m in e if m == scheme), "")
            self._note("repeated", self._element, f"{name} présent {len(codes)} fois")
        return codes[0] if codes else None

    def identifier(self, scheme: str) -> str:
        found, self._identifiers = _split(self._identifiers, "identificationScheme", scheme)
        if len(found) > 1:
            self._note("repeated", self._element, f"identifiant présent {len(found)} fois")
        return found[0].get("value", "") if found else ""

    def leftovers(self) -> None:
        """Note what no attribute took."""
        for element in (*self._classifications, *self._identifiers):
            scheme = element.get("classificationScheme") or element.get("identificationScheme")
            self._note("unknown", element, f"schéma {scheme} inconnu")


def _split(
    elements: list[etree._Element], attribute: str, value: str
) -> tuple[list[etree._Element], list[etree._Element]]:
    """Those with that attribute value, and the others."""
    found: list[etree._Element] = []
    others: list[etree._Element] = []
    for element in elements:
        (found if element.get(attribute) == value else others).append(element)
    return found, others


def _slot(element: etree._Element) -> Slot:
    values = element.findall(f"{_RIM}ValueList/{_RIM}Value")
    return Slot(element.get("name", ""), tuple((value.text or "").strip() for value in values))


def _id(element: etree._Element) -> str:
    value = element.get("id", "")
    if not value:
        raise EbrimError(f"{etree.QName(element).localname} sans id", where=_path(element))
    return value


def _path(element: etree._Element) -> str:
    """A path a reader can follow: local names and ids, from the registry object down."""
    steps = []
    node: etree._Element | None = element
    while node is not None and etree.QName(node).localname != "RegistryObjectList":
        name = node.get("id") or node.get("name")
        local = etree.QName(node).localname
        steps.append(f"{local}[{name}]" if name else local)
        node = node.getparent()
    return "/".join(reversed(steps))
