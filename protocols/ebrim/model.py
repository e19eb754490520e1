"""The XDS objects as values. Every attribute is text as written; "" or () means absent.

Réf. IHE ITI TF Vol. 3 sections 4.2.3.2 (DocumentEntry), 4.2.3.3 (SubmissionSet), 4.2.2
(associations); the attributes kept are those of the French profile (IG-FHIR-PDSM4DMP-EEDS,
DocumentEntry and SubmissionSet models).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lxml import etree

from protocols.errors import RemoteProtocolError
from spec.xds import STABLE_DOCUMENT

__all__ = [
    "Association",
    "Author",
    "Code",
    "Defect",
    "DocumentEntry",
    "EbrimError",
    "Slot",
    "Submission",
    "SubmissionSet",
]


class EbrimError(RemoteProtocolError):
    """An element that is not the ebRIM message expected."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A named list of values."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A coded attribute: nodeRepresentation, codingScheme slot, Name."""

    code: str
    scheme: str
    display: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """One author classification. `person` is an XCN, `institutions` are XON."""

    person: str = ""
    institutions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    specialties: tuple[str, ...] = ()
    telecommunications: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionSet:
    """A RegistryPackage classified as a SubmissionSet."""

    id: str
    submission_time: str = ""
    title: str = ""
    comments: str = ""
    authors: tuple[Author, ...] = ()
    content_type: Code | None = None
    patient_id: str = ""
    source_id: str = ""
    unique_id: str = ""
    intended_recipients: tuple[str, ...] = ()
    status: str = ""
    home: str = ""
    extra_slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentEntry:
    """An ExtrinsicObject. `id` is symbolic when submitted, the entryUUID in answers."""

    id: str
    mime_type: str = ""
    object_type: str = STABLE_DOCUMENT
    creation_time: str = ""
    language_code: str = ""
    legal_authenticator: str = ""
    service_start_time: str = ""
    service_stop_time: str = ""
    source_patient_id: str = ""
    source_patient_info: tuple[str, ...] = ()
    hash: str = ""
    size: str = ""
    uri: tuple[str, ...] = ()
    repository_unique_id: str = ""
    document_availability: str = ""
    reference_ids: tuple[str, ...] = ()
    title: str = ""
    comments: str = ""
    authors: tuple[Author, ...] = ()
    class_code: Code | None = None
    type_code: Code | None = None
    format_code: Code | None = None
    facility_type: Code | None = None
    practice_setting: Code | None = None
    confidentiality_codes: tuple[Code, ...] = ()
    event_codes: tuple[Code, ...] = ()
    patient_id: str = ""
    unique_id: str = ""
    logical_id: str = ""
    """@lid"""
    version: str = ""
    """VersionInfo/@versionName"""
    status: str = ""
    home: str = ""
    extra_slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """A link between two objects, by their ids."""

    type: str
    source: str
    target: str
    id: str = ""
    slots: tuple[Slot, ...] = ()
    status: str = ""

    def value(self, name: str) -> str:
        """The first value of a slot, "" when absent."""
        for slot in self.slots:
            if slot.name == name and slot.values:
                return slot.values[0]
        return ""


@dataclass(frozen=True, slots=True)
class Defect:
    """Something in a submission that the schema or the metadata model does not allow.

    Kinds: `order` (a child after one that must follow it), `repeated` (a single-valued attribute
    twice; the first one is kept), `unknown` (a scheme or element that is not ours; dropped).
    """

    kind: Literal["order", "repeated", "unknown"]
    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A SubmitObjectsRequest, alone or in a ProvideAndRegisterDocumentSetRequest."""

    sets: tuple[SubmissionSet, ...]
    entries: tuple[DocumentEntry, ...]
    associations: tuple[Association, ...] = ()
    documents: tuple[tuple[str, etree._Element], ...] = ()
    """(entry id, `Document` element): `mtom.Package.resolve` gives its bytes."""
    defects: tuple[Defect, ...] = ()

    @property
    def submission_set(self) -> SubmissionSet:
        """The only SubmissionSet.

        Raises:
            EbrimError: none, or several.
        """
        if len(self.sets) != 1:
            raise EbrimError(f"un SubmissionSet attendu, {len(self.sets)} reçus")
        return self.sets[0]

    @property
    def order_violations(self) -> tuple[Defect, ...]:
        """Elements that the ebRIM schema wants earlier."""
        return tuple(defect for defect in self.defects if defect.kind == "order")

    def associated(self, type: str) -> tuple[Association, ...]:
        """The associations of one type."""
        return tuple(link for link in self.associations if link.type == type)
