"""The documents of the DMP that are read beside the exams: reports, requests, biology reports.

Réf.: DB.CO.58, DMP/UX.15, DMP/UX.17 (types by structure), draft REM, grade: draft; typeCodes of
JDV_J07_XdsTypeCode_CISIS (ANS terminology), grade: standard; first search limited to two years on
serviceStartTime, IG-FHIR-PDSM4DMP of the ANS, grade: text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from drimbox_ref.consumer.behalf import BehalfChannel
from drimbox_ref.consumer.ports import Clock
from drimbox_ref.consumer.values import Behalf, Document, DocumentType, Partial
from drimbox_ref.dmp import refuse, said_by, understood
from protocols.ebrim import (
    AdhocQuery,
    Author,
    Code,
    DocumentEntry,
    Parameter,
    build_query,
    parse_query_response,
)
from protocols.hl7types import CX, HD, XCN, XON, CXi, DataTypeError
from spec.xds import Action, Query, ReferenceType, ResponseStatus, Status

__all__ = ["DEFAULT_TYPES", "DmpDocuments", "Shown", "author_name", "institution_name"]

_LOINC = "2.16.840.1.113883.6.1"
DEFAULT_TYPES = (
    DocumentType("18748-4", _LOINC, "Comptes rendus d'imagerie"),
    DocumentType("55115-0", _LOINC, "Demandes d'actes d'imagerie"),
    DocumentType("11502-2", _LOINC, "Comptes rendus de biologie"),
)
_LONGEST = 200
"""Characters of a peer's text that a list shows."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Document types shown to the professionals of some structures; none named: of all."""

    types: tuple[DocumentType, ...]
    structures: frozenset[str] = frozenset()


class DmpDocuments:
    """Searches the DMP for documents by type (TD3.1).

    Args:
        shown: the first whose structures name the professional's decides, so general ones go last.
        years: how far back acts are looked for; 0 for no limit.
    """

    def __init__(
        self, channel: BehalfChannel, *, clock: Clock, shown: Sequence[Shown], years: int
    ) -> None:
        self._channel = channel
        self._clock = clock
        self._shown = shown
        self._years = years

    async def find(self, behalf: Behalf, assertion: etree._Element) -> tuple[Document, ...]:
        """The approved documents of the types to show, newest first."""
        types = self._types(behalf.situation.structure)
        if not types:
            return ()
        answer = await self._channel.call(
            "registry",
            Action.STORED_QUERY.value,
            build_query(self._query(behalf, types)),
            behalf=behalf,
            assertion=assertion,
            transaction="ITI-18",
            detail="TD3.1a",
        )
        found = understood(lambda: parse_query_response(answer.body))
        if found.status == ResponseStatus.FAILURE:
            refuse(found.errors)
        documents = [
            _document(entry, type_)
            for entry in found.entries
            if (type_ := _type_of(entry, types)) is not None
        ]
        newest_first = tuple(sorted(documents, key=lambda one: one.date, reverse=True))
        if found.status == ResponseStatus.PARTIAL_SUCCESS:
            raise Partial(newest_first, said_by(found.errors))
        return newest_first

    def _types(self, structure: str) -> tuple[DocumentType, ...]:
        for shown in self._shown:
            if not shown.structures or structure in shown.structures:
                return shown.types
        return ()

    def _query(self, behalf: Behalf, types: Sequence[DocumentType]) -> AdhocQuery:
        patient = CX(behalf.patient.value, HD(behalf.patient.oid), "NH")
        codes = tuple(f"{one.code}^^{one.scheme}" for one in types)
        parameters = [
            Parameter("$XDSDocumentEntryPatientId", (str(patient),)),
            Parameter("$XDSDocumentEntryStatus", (Status.APPROVED.value,), is_list=True),
            Parameter("$XDSDocumentEntryTypeCode", codes, is_list=True),
        ]
        if self._years:
            moment = _years_before(self._clock.now(), self._years)
            parameters.append(Parameter("$XDSDocumentEntryServiceStartTimeFrom", (moment,)))
        return AdhocQuery(id=Query.FIND_DOCUMENTS, parameters=tuple(parameters))


def author_name(authors: Iterable[Author]) -> str:
    """The first author who is somebody, "" when the entry names nobody."""
    for author in authors:
        try:
            person = XCN.parse(author.person) if author.person else None
        except DataTypeError:
            continue
        if person is not None and (person.family or person.given):
            return f"{person.given} {person.family}".strip()[:_LONGEST]
    return ""


def institution_name(authors: Iterable[Author]) -> str:
    """The first structure that an author writes for, "" when the entry names none."""
    for written in (one for author in authors for one in author.institutions):
        try:
            name = XON.parse(written).name
        except DataTypeError:
            continue
        if name:
            return name[:_LONGEST]
    return ""


def _type_of(entry: DocumentEntry, types: Sequence[DocumentType]) -> DocumentType | None:
    code: Code | None = entry.type_code
    if code is None:
        return None
    return next((one for one in types if (one.code, one.scheme) == (code.code, code.scheme)), None)


def _document(entry: DocumentEntry, type_: DocumentType) -> Document:
    studies: set[str] = set()
    accessions: set[str] = set()
    for written in entry.reference_ids:
        try:
            reference = CXi.parse(written)
        except DataTypeError:
            continue
        if reference.type == ReferenceType.STUDY_INSTANCE_UID:
            studies.add(reference.id)
        elif reference.type == ReferenceType.ACCESSION:
            accessions.add(reference.id)
    return Document(
        type=type_,
        title=(entry.title or type_.label)[:_LONGEST],
        date=(entry.service_start_time or entry.creation_time)[:8],
        author=author_name(entry.authors),
        institution=institution_name(entry.authors),
        studies=frozenset(studies),
        accessions=frozenset(accessions),
        entry=entry,
    )


def _years_before(now: datetime, years: int) -> str:
    """The first of that month, so many years ago, as a DTM: no 29 February to stumble on."""
    return f"{now.year - years:04d}{now.month:02d}01000000"
