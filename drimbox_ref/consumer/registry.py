"""The DMP client of a Consumer: TD0.2, TD3.1 and TD3.2 over mutual TLS, an API token beside.

Réf.: TD0.2, TD3.1 (FindDocuments) and TD3.2 of the GIE SESAM-Vitale examples, grade: sample; IHE
ITI TF Vol. 2 3.18, 3.43, grade: standard.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from lxml import etree

from drimbox_ref.consumer.access import decide
from drimbox_ref.consumer.behalf import BehalfChannel
from drimbox_ref.consumer.ports import Uids
from drimbox_ref.consumer.values import Access, Behalf, Partial, Search
from drimbox_ref.dmp import (
    PeerUnavailable,
    refuse,
    said_by,
    understood,
)
from protocols.ebrim import (
    AdhocQuery,
    DocumentEntry,
    DocumentRequest,
    Parameter,
    build_query,
    build_retrieve,
    parse_query_response,
    parse_retrieve_response,
)
from protocols.hl7types import CX, HD, CXi
from protocols.hl7v3 import II, ExistenceTest, build_existence_test, parse_existence_answer
from spec.dmp import EXISTENCE_ACTION, KOS_TYPE_CODE
from spec.xds import Action, Query, ReferenceType, ResponseStatus, Status

__all__ = ["DmpRegistry"]

_MODALITY_SCHEMES = ("1.2.250.1.213.1.1.5.618", "1.2.840.10008.2.16.4")
"""JDV_ModaliteAcquisition_CISIS, as the ANS validator sample writes it, and DCM."""
_REGION_SCHEMES = ("1.2.250.1.213.1.1.5.695", "2.16.840.1.113883.6.96", "1.2.250.1.213.2.5")
"""JDV_RegionAnatomique_CISIS, SNOMED CT, and the CCAM OID of a DRIM-M sample. Three values of
codingScheme compete in public texts: all are asked for, values of one slot being an OR."""
_DAY = re.compile(r"\d{8}", re.ASCII)
_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+", re.ASCII)


class DmpRegistry:
    """Asks the DMP on behalf of a professional."""

    def __init__(self, channel: BehalfChannel, *, uids: Uids, installation_oid: str, name: str):
        self._channel = channel
        self._uids = uids
        self._installation = installation_oid
        self._name = name

    async def access(self, behalf: Behalf, assertion: etree._Element, *, now: datetime) -> Access:
        """TD0.2: whether this patient's DMP is open to this professional."""
        test = ExistenceTest(
            message_id=II(self._installation, str(self._uids.uuid())),
            creation_time=now.astimezone(UTC).strftime("%Y%m%d%H%M%S"),
            patient=II(behalf.patient.oid, behalf.patient.value),
            sender=self._installation,
            query_id=II(self._installation, str(self._uids.uuid())),
            sender_name=self._name,
        )
        answer = await self._channel.call(
            "patients",
            EXISTENCE_ACTION,
            build_existence_test(test),
            behalf=behalf,
            assertion=assertion,
            transaction="TD0.2",
        )
        existence = understood(lambda: parse_existence_answer(answer.body))
        if existence.target_message != test.message_id:
            raise PeerUnavailable("TD0.2 : réponse à une autre demande")
        return decide(existence, behalf.mode)

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        """TD3.1: the approved KOS of the patient that the search may concern.

        A study or accession number is asked for by reference; a publisher may have left
        referenceIdList empty, so that without an answer all are asked for and manifests decide.
        """
        references = _references(search)
        if references:
            try:
                found = await self._search(behalf, assertion, _query(behalf, search, references))
            except Partial as part:
                if part.found:
                    raise
                found = ()
            if found:
                return found
        return await self._search(behalf, assertion, _query(behalf, search))

    async def _search(
        self, behalf: Behalf, assertion: etree._Element, query: AdhocQuery
    ) -> tuple[DocumentEntry, ...]:
        answer = await self._channel.call(
            "registry",
            Action.STORED_QUERY.value,
            build_query(query),
            behalf=behalf,
            assertion=assertion,
            transaction="ITI-18",
            detail="TD3.1a",
        )
        found = understood(lambda: parse_query_response(answer.body))
        if found.status == ResponseStatus.FAILURE:
            refuse(found.errors)
        entries = tuple(
            entry
            for entry in found.entries
            if entry.type_code is not None and entry.type_code.code == KOS_TYPE_CODE[0]
        )
        if found.status == ResponseStatus.PARTIAL_SUCCESS:
            raise Partial(entries, said_by(found.errors))
        return entries

    async def fetch(self, behalf: Behalf, assertion: etree._Element, entry: DocumentEntry) -> bytes:
        """TD3.2: one document, by repository and uniqueId."""
        request = DocumentRequest(entry.repository_unique_id, entry.unique_id, entry.home)
        answer = await self._channel.call(
            "repository",
            Action.RETRIEVE.value,
            build_retrieve([request]),
            behalf=behalf,
            assertion=assertion,
            transaction="ITI-43",
            detail="TD3.2",
        )
        retrieved = understood(lambda: parse_retrieve_response(answer.body))
        elements = [
            document.element
            for document in retrieved.documents
            if document.document_unique_id == entry.unique_id and document.element is not None
        ]
        if elements:
            return understood(lambda: answer.package.resolve(elements[0]))
        if retrieved.registry.errors:
            refuse(retrieved.registry.errors)
        raise PeerUnavailable("TD3.2 : réponse sans le document demandé")


def _references(search: Search) -> tuple[tuple[str, ...], ...]:
    """Values of `$XDSDocumentEntryReferenceIdList`: one parameter for each thing asked for."""
    references: list[tuple[str, ...]] = []
    if search.study_uid:
        references.append((str(CXi(search.study_uid, None, ReferenceType.STUDY_INSTANCE_UID)),))
    issuer = _issuer(search.accession_issuer)
    if search.accession and issuer:
        # Samples of one publisher come from several issuers: only a known one can be asked for.
        references.append((str(CXi(search.accession, HD(issuer), ReferenceType.ACCESSION)),))
    return tuple(references)


def _issuer(written: str) -> str:
    """The OID in an issuer, written bare or as an HD (`name&1.2.3&ISO`); "" without one."""
    parts = re.split(r"[&^]", written)
    return next((part for part in parts if _OID.fullmatch(part)), "")


def _query(
    behalf: Behalf, search: Search, references: tuple[tuple[str, ...], ...] = ()
) -> AdhocQuery:
    patient = CX(behalf.patient.value, HD(behalf.patient.oid), "NH")
    parameters = [
        Parameter("$XDSDocumentEntryPatientId", (str(patient),)),
        Parameter("$XDSDocumentEntryStatus", (Status.APPROVED.value,), is_list=True),
        Parameter("$XDSDocumentEntryTypeCode", (_coded(*KOS_TYPE_CODE[:2]),), is_list=True),
    ]
    for codes, schemes in (
        (search.modalities, _MODALITY_SCHEMES),
        (search.regions, _REGION_SCHEMES),
    ):
        if codes:
            values = tuple(_coded(code, scheme) for code in codes for scheme in schemes)
            parameters.append(Parameter("$XDSDocumentEntryEventCodeList", values, is_list=True))
    # XDS times are UTC (EX_3.1-1070) and exam dates local: a day more on each side, then the
    # dates of the manifests decide.
    for name, date, margin in (
        ("$XDSDocumentEntryServiceStartTimeFrom", search.date_from, -1),
        ("$XDSDocumentEntryServiceStartTimeTo", search.date_to, 2),
    ):
        moment = _shifted(date, margin)
        if moment:
            parameters.append(Parameter(name, (moment,)))
    parameters += [
        Parameter("$XDSDocumentEntryReferenceIdList", values, is_list=True) for values in references
    ]
    query = Query.FIND_DOCUMENTS_BY_REFERENCE_ID if references else Query.FIND_DOCUMENTS
    return AdhocQuery(id=query, parameters=tuple(parameters))


def _coded(code: str, scheme: str) -> str:
    return f"{code}^^{scheme}"


def _shifted(date: str, days: int) -> str:
    """`YYYYMMDD` moved by some days, as a DTM; "" when it is no date."""
    if not _DAY.fullmatch(date):
        return ""
    try:
        moved = datetime.strptime(date, "%Y%m%d") + timedelta(days=days)
    except (ValueError, OverflowError):
        return ""
    return moved.strftime("%Y%m%d000000")
