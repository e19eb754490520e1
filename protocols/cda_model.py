"""The values that a CDA imaging report's header writes.

None means that the attribute or element is absent; an empty string, that it is there and empty.
Dates stay as written (HL7 `TS`: `YYYYMMDDhhmmss+hhmm`, possibly shorter).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = [
    "Body",
    "Code",
    "Encounter",
    "Id",
    "ImagingReport",
    "NamePart",
    "Order",
    "Organization",
    "Patient",
    "PersonName",
    "Professional",
    "RelatedDocument",
    "ServiceEvent",
]


@dataclass(frozen=True, slots=True)
class Id:
    """An HL7 instance identifier (`II`)."""

    root: str | None = None
    extension: str | None = None
    null_flavor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A coded value (`CE`/`CD`).

    `qualifier` is the name of its first qualifier: what a translation of an imaging act is about
    (121139 DCM: modality; 39111-0 LOINC: body region).
    """

    code: str | None = None
    system: str | None = None
    display: str | None = None
    system_name: str | None = None
    null_flavor: str | None = None
    qualifier: Code | None = None
    translations: tuple[Code, ...] = ()

    def translated(self, qualifier: str) -> tuple[Code, ...]:
        """The translations whose qualifier's name has that code."""
        return tuple(
            one for one in self.translations if one.qualifier and one.qualifier.code == qualifier
        )


@dataclass(frozen=True, slots=True)
class NamePart:
    """One element of a person's name: `family`, `given`, `prefix`, `suffix` or `delimiter`."""

    kind: str
    value: str
    qualifier: str | None = None


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person's name, its parts in document order. `text` is characters outside any part."""

    parts: tuple[NamePart, ...] = ()
    use: str | None = None
    text: str = ""

    def values(self, kind: str, qualifier: str | None = None) -> tuple[str, ...]:
        """The values of that kind and exactly that qualifier (None: written without one)."""
        return tuple(p.value for p in self.parts if p.kind == kind and p.qualifier == qualifier)

    def first(self, kind: str) -> str | None:
        """The first value of that kind, whatever its qualifier."""
        return next((part.value for part in self.parts if part.kind == kind), None)

    @property
    def family(self) -> str | None:
        """The first family name."""
        return self.first("family")

    @property
    def given(self) -> str | None:
        """The first given name."""
        return self.first("given")

    @property
    def prefix(self) -> str | None:
        """The first prefix."""
        return self.first("prefix")


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """An organization; `industry` is `standardIndustryClassCode`."""

    ids: tuple[Id, ...] = ()
    name: str | None = None
    industry: Code | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Professional:
    """An author, legal authenticator or performer, with whom he acts for.

    `code` is profession and specialty; `function` the participation's functionCode; `time` and
    `signature` those of the participation; `device` an authoring device's name when the author
    is not a person.
    """

    ids: tuple[Id, ...] = ()
    code: Code | None = None
    name: PersonName | None = None
    organization: Organization | None = None
    time: str | None = None
    function: Code | None = None
    signature: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A `recordTarget`: every identifier and name in document order."""

    ids: tuple[Id, ...] = ()
    names: tuple[PersonName, ...] = ()
    birth_time: str | None = None
    sex: Code | None = None
    birthplace_county: str | None = None
    birthplace_city: str | None = None

    def id_of(self, *roots: str) -> Id | None:
        """The first identifier whose root is one of those given."""
        return next((one for one in self.ids if one.root in roots), None)

    def _parts(self) -> Iterator[NamePart]:
        for name in self.names:
            yield from name.parts

    def values(self, kind: str, qualifier: str | None = None) -> tuple[str, ...]:
        """The values of that kind and exactly that qualifier, through all names."""
        return tuple(p.value for p in self._parts() if p.kind == kind and p.qualifier == qualifier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An `inFulfillmentOf/order`: placer order numbers and DICOM accession numbers."""

    ids: tuple[Id, ...] = ()
    accession_numbers: tuple[Id, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEvent:
    """A `documentationOf/serviceEvent`. An imaging act's id root is its StudyInstanceUID."""

    ids: tuple[Id, ...] = ()
    code: Code | None = None
    low: str | None = None
    high: str | None = None
    performers: tuple[Professional, ...] = ()

    @property
    def id(self) -> Id | None:
        """The first identifier."""
        return self.ids[0] if self.ids else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedDocument:
    """A `relatedDocument`; `RPLC` replaces its parent."""

    type_code: str | None = None
    ids: tuple[Id, ...] = ()
    set_id: Id | None = None
    version_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Encounter:
    """The `encompassingEncounter`: kind of care, dates, and the facility where it happened."""

    ids: tuple[Id, ...] = ()
    code: Code | None = None
    low: str | None = None
    high: str | None = None
    facility_ids: tuple[Id, ...] = ()
    facility_code: Code | None = None
    facility_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What the document holds: sections (`structured`), or one encapsulated file.

    `data` is None when there is no file or its base64 cannot be decoded; `error` says why.
    """

    structured: bool = False
    media_type: str | None = None
    representation: str | None = None
    data: bytes | None = field(default=None, repr=False)
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingReport:
    """What the header of a report writes."""

    realm: str | None = None
    template_ids: tuple[Id, ...] = ()
    id: Id | None = None
    code: Code | None = None
    title: str | None = None
    effective_time: str | None = None
    confidentiality: Code | None = None
    language: str | None = None
    set_id: Id | None = None
    version_number: str | None = None
    patients: tuple[Patient, ...] = ()
    authors: tuple[Professional, ...] = ()
    custodian: Organization | None = None
    legal_authenticators: tuple[Professional, ...] = ()
    orders: tuple[Order, ...] = ()
    service_events: tuple[ServiceEvent, ...] = ()
    related_documents: tuple[RelatedDocument, ...] = ()
    encounter: Encounter | None = None
    body: Body | None = None

    @property
    def patient(self) -> Patient | None:
        """The first patient."""
        return self.patients[0] if self.patients else None

    @property
    def author(self) -> Professional | None:
        """The first author."""
        return self.authors[0] if self.authors else None

    @property
    def legal_authenticator(self) -> Professional | None:
        """The first legal authenticator."""
        return self.legal_authenticators[0] if self.legal_authenticators else None
