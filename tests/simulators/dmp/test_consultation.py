"""TD0.2, TD0.3, TD3.1, TD3.2, TD3.3c: who sees what, and what a status change does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from lxml import etree

from protocols import ebrim, hl7v3
from protocols.ebrim import AdhocQuery, Association, Author, Code, Parameter, Slot, SubmissionSet
from protocols.hl7v3 import ExistenceAnswer
from simulators.dmp.service import Reply, Service
from spec.dmp import HABILITATION_ACTION, HABILITATION_NAMESPACE, ServicePath, Text
from spec.oids import INS_DEMONSTRATION
from spec.xds import AssociationType, ErrorCode, Query, ResponseStatus, Status
from tests.simulators.dmp.box import (
    MATRICULE,
    STRUCTURE,
    Box,
    Certificates,
    Lot,
    Vihf,
    body_of,
    codes,
    fault_of,
    found,
    ins,
    outcome,
    read,
)


def existence(reply: Reply) -> ExistenceAnswer:
    assert reply.status == 200
    return hl7v3.parse_existence_answer(body_of(reply))


@pytest.mark.parametrize(
    ("matricule", "response", "status", "authorisation"),
    [
        (MATRICULE, "OK", "active", "VALIDE"),
        ("270108604926542", "OK", "terminated", "VALIDE"),
        ("153078987658513", "NF", "", ""),
        ("999999999999999", "NF", "", ""),
        ("265025544371476", "OK", "active", "NON_EXISTE"),
        ("138080427231017", "OK", "active", "INTERDIT"),
        ("241030750595179", "OK", "active", "EXPIRE"),
    ],
)
def test_existence(
    box: Box, matricule: str, response: str, status: str, authorisation: str
) -> None:
    answer = existence(box.exists(matricule))
    assert answer.acknowledgement == "AA"
    assert answer.response_code == response
    assert answer.patient_status == status
    assert answer.authorisation == authorisation


def test_existence_details(box: Box, make_service: Callable[..., Service]) -> None:
    ens = existence(box.exists("148026322000195"))
    assert ens.ens is True
    assert existence(box.exists("255069999999934", oid=INS_DEMONSTRATION)).response_code == "OK"
    foreign = existence(box.exists(MATRICULE, oid="1.2.3"))
    assert (foreign.acknowledgement, foreign.details[0].code) == ("AE", "KIT-DMPIdentity")
    gone = Box(make_service(inactive_structures=frozenset({STRUCTURE})), box.certificates)
    assert existence(gone.exists()).details[0].text == Text.STRUCTURE_UNKNOWN


def authorise(box: Box, vihf: Vihf, action: str = "") -> str:
    body = etree.Element(f"{{{HABILITATION_NAMESPACE}}}setAuthorization")
    if action:
        etree.SubElement(body, f"{{{HABILITATION_NAMESPACE}}}action").text = action
    data = box.request(HABILITATION_ACTION, body, vihf)
    reply = box.service.answer(ServicePath.HABILITATIONS, "application/soap+xml", data)
    if reply.status == 500:
        return fault_of(reply).subcode
    return body_of(reply).findtext("{*}output/{*}status") or ""


def test_an_authorisation_can_be_declared(box: Box) -> None:
    expired = ins("241030750595179")
    assert authorise(box, box.air(patient=expired)) == "DMPOk"
    assert existence(box.exists("241030750595179")).authorisation == "VALIDE"
    assert authorise(box, box.air(patient=expired)) == "DMPOk"
    assert authorise(box, box.air(patient=expired), "SUPPRESSION") == "DMPOk"
    assert existence(box.exists("241030750595179")).authorisation == "NON_EXISTE"
    assert authorise(box, box.air(patient=ins("138080427231017"))) == "KIT-DMPRefused"
    assert authorise(box, box.air(patient=ins("270108604926542"))) == "KIT-DMPClosed"
    assert authorise(box, box.vihf()) == "KIT-DMPRights"
    assert authorise(box, box.air(), "AUTRE") == "KIT-DMPBadRequest"


@pytest.fixture
def filled(box: Box) -> Box:
    """Three KOS of one patient: an MR, a CT masked by somebody else, an older CT."""
    assert outcome(box.publish(box.lot(1))).succeeded
    masked = Lot(box.certificates, 2, content=b"masked")
    masked.entries[0] = replace(
        masked.entries[0],
        event_codes=(Code("CT", "1.2.250.1.213.1.1.5.618", "CT"),),
        legal_authenticator="899700000777^AUTRE",
        confidentiality_codes=(Code("MASQUE_PS", "1.2.250.1.213.1.1.4.13", "masqué"),),
    )
    masked.sign()
    assert outcome(box.publish(masked)).succeeded
    third = Lot(box.certificates, 3, content=b"third")
    third.entries[0] = replace(
        third.entries[0],
        event_codes=(Code("CT", "1.2.250.1.213.1.1.5.618", "CT"),),
        service_start_time="202501",
        reference_ids=("ACC3^^^&1.2.250.1.999.2&ISO^urn:ihe:iti:xds:2013:accession",),
    )
    third.sign()
    assert outcome(box.publish(third)).succeeded
    return box


def find(*parameters: Parameter, query: str = Query.FIND_DOCUMENTS) -> AdhocQuery:
    return AdhocQuery(
        id=query,
        parameters=(
            Parameter("$XDSDocumentEntryPatientId", (ins(),)),
            Parameter("$XDSDocumentEntryStatus", (Status.APPROVED,), True),
            Parameter("$XDSDocumentEntryTypeCode", ("IMG-KOS^^1.2.250.1.213.1.1.4.12",), True),
            *parameters,
        ),
    )


def numbers(box: Box, *parameters: Parameter, vihf: Vihf | None = None) -> list[str]:
    answer = found(box.query(find(*parameters), vihf or box.air()))
    assert answer.status == ResponseStatus.SUCCESS
    assert answer.total == len(answer.entries)
    return [entry.unique_id.rpartition(".")[2] for entry in answer.entries]


def test_a_search_in_air_mode(filled: Box) -> None:
    reply = filled.query(find(), filled.air())
    assert (reply.transaction, reply.detail) == ("ITI-18", "TD3.1a")
    entry = found(reply).entries[0]
    assert entry.status == Status.APPROVED
    assert entry.repository_unique_id
    assert entry.id in reply.keys
    assert not found(reply).defects


def test_half_of_an_answer(filled: Box) -> None:
    filled.service.faults.set("partiel", "TD3.1", times=1)
    half = found(filled.query(find(), filled.air()))
    assert half.status == ResponseStatus.PARTIAL_SUCCESS
    assert [one.code for one in half.errors] == ["XDSRegistryError"]
    assert [one.unique_id.rpartition(".")[2] for one in half.entries] == ["1"]
    assert numbers(filled) == ["1", "3"]


def test_filters(filled: Box) -> None:
    event = "$XDSDocumentEntryEventCodeList"
    modality = "1.2.250.1.213.1.1.5.618"
    region = Parameter(event, ("774007^^1.2.250.1.213.1.1.5.695",), True)
    assert numbers(filled) == ["1", "3"]
    assert numbers(filled, Parameter(event, (f"MR^^{modality}",), True)) == ["1"]
    assert numbers(filled, Parameter(event, (f"MR^^{modality}", f"CT^^{modality}"), True)) == [
        "1",
        "3",
    ]
    assert numbers(filled, Parameter(event, (f"CT^^{modality}",), True), region) == []
    start = "$XDSDocumentEntryServiceStartTime"
    assert numbers(filled, Parameter(f"{start}From", ("2026",))) == ["1"]
    assert numbers(filled, Parameter(f"{start}To", ("20261121083000",))) == ["3"]
    assert numbers(filled, Parameter(f"{start}From", ("20250101",))) == ["1", "3"]


def test_masked_documents_are_their_authors(filled: Box) -> None:
    assert numbers(filled, vihf=filled.air(name_id="899700000777")) == ["1", "2", "3"]
    emergency = filled.air(access="bris_de_glace")
    assert numbers(filled, vihf=emergency) == ["1", "2", "3"]


def test_by_reference(filled: Box) -> None:
    reference = "ACC3^^^&1.2.250.1.999.2&ISO^urn:ihe:iti:xds:2013:accession"
    query = find(
        Parameter("$XDSDocumentEntryReferenceIdList", (reference,), True),
        query=Query.FIND_DOCUMENTS_BY_REFERENCE_ID,
    )
    (entry,) = found(filled.query(query, filled.air())).entries
    assert entry.unique_id.endswith(".3")
    bare = find(query=Query.FIND_DOCUMENTS_BY_REFERENCE_ID)
    assert found(filled.query(bare, filled.air())).errors[0].code == ErrorCode.MISSING_PARAMETER


def get(unique_id: str, return_type: str = "ObjectRef") -> AdhocQuery:
    return AdhocQuery(
        id=Query.GET_DOCUMENTS,
        parameters=(Parameter("$XDSDocumentEntryUniqueId", (unique_id,), True),),
        return_type=return_type,
    )


def test_a_feeder_finds_the_reference_of_its_document_and_nothing_more(filled: Box) -> None:
    unique_id = filled.lot(1).unique_id
    reply = filled.query(get(unique_id), filled.vihf())
    (ref,) = found(reply).refs
    assert reply.detail == "TD3.1b"
    assert ref.startswith("urn:uuid:")
    assert found(filled.query(get("1.2.3"), filled.vihf())).total == 0
    for query in (find(), get(unique_id, "LeafClass")):
        assert fault_of(filled.query(query, filled.vihf())).subcode == "KIT-DMPRights"
    by_uuid = AdhocQuery(
        id=Query.GET_DOCUMENTS,
        parameters=(Parameter("$XDSDocumentEntryEntryUUID", (ref,), True),),
    )
    (entry,) = found(filled.query(by_uuid, filled.air())).entries
    assert entry.unique_id == unique_id


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (AdhocQuery(id="urn:uuid:0"), ErrorCode.UNKNOWN_STORED_QUERY),
        (AdhocQuery(id=Query.FIND_DOCUMENTS), ErrorCode.MISSING_PARAMETER),
        (AdhocQuery(id=Query.GET_DOCUMENTS), ErrorCode.MISSING_PARAMETER),
        (
            find(Parameter("$XDSDocumentEntryPatientId", (ins(),))),
            ErrorCode.PARAMETER_NUMBER,
        ),
        (
            find(Parameter("$XDSDocumentEntryCreationTimeFrom", ("hier",))),
            ErrorCode.REGISTRY_ERROR,
        ),
        (
            AdhocQuery(
                id=Query.FIND_DOCUMENTS,
                parameters=(Parameter("$XDSDocumentEntryPatientId", ("^^^",)),),
            ),
            ErrorCode.REGISTRY_ERROR,
        ),
    ],
)
def test_queries_that_cannot_be_answered(filled: Box, query: AdhocQuery, code: str) -> None:
    answer = found(filled.query(query, filled.air()))
    assert answer.status == ResponseStatus.FAILURE
    assert [error.code for error in answer.errors] == [code]


def test_too_many_results(make_service: Callable[..., Service], certificates: Certificates) -> None:
    box = Box(make_service(max_results=0), certificates)
    box.publish(box.lot())
    assert found(box.query(find(), box.air())).errors[0].code == ErrorCode.TOO_MANY_RESULTS


@pytest.mark.parametrize(
    ("matricule", "access", "allowed"),
    [
        ("241030750595179", "normal", False),
        ("265025544371476", "normal", False),
        ("138080427231017", "normal", False),
        ("241030750595179", "centre_15", True),
        ("199033022011538", "centre_15", False),
        ("199033022011538", "bris_de_glace", True),
        ("116083022011613", "bris_de_glace", False),
        ("270108604926542", "normal", False),
    ],
)
def test_a_search_needs_an_open_dmp_and_an_authorisation(
    box: Box, matricule: str, access: str, allowed: bool
) -> None:
    query = AdhocQuery(
        id=Query.FIND_DOCUMENTS,
        parameters=(Parameter("$XDSDocumentEntryStatus", (Status.APPROVED,), True),),
    )
    answer = found(box.query(query, box.air(patient=ins(matricule), access=access)))
    assert (answer.status == ResponseStatus.SUCCESS) is allowed


def retrieved(reply: Reply) -> ebrim.RetrieveResponse:
    assert reply.status == 200
    return ebrim.parse_retrieve_response(body_of(reply))


def test_documents_are_read_in_air_mode(filled: Box) -> None:
    unique_id = filled.lot(1).unique_id
    reply = filled.retrieve(unique_id, vihf=filled.air())
    assert (reply.transaction, reply.detail) == ("ITI-43", "TD3.2")
    (document,) = retrieved(reply).documents
    assert document.mime_type == "application/dicom"
    assert document.element is not None
    package = read(reply)[1]
    assert package.resolve(document.element) == b"a KOS"
    (part,) = package.attachments.values()
    assert part.content_type == "application/octet-stream"
    assert fault_of(filled.retrieve(unique_id, vihf=filled.vihf())).subcode == "KIT-DMPRights"


def test_documents_that_are_not_there(filled: Box) -> None:
    good = filled.lot(1).unique_id
    masked = filled.lot(2).unique_id
    partial = retrieved(filled.retrieve(good, "1.2.3", masked, vihf=filled.air()))
    assert partial.registry.status == ResponseStatus.PARTIAL_SUCCESS
    assert [e.code for e in partial.registry.errors] == [ErrorCode.DOCUMENT_UNIQUE_ID] * 2
    assert len(partial.documents) == 1
    nothing = retrieved(filled.retrieve("1.2.3", vihf=filled.air()))
    assert nothing.registry.status == ResponseStatus.FAILURE
    elsewhere = retrieved(filled.retrieve(good, vihf=filled.air(), repository="1.2"))
    assert elsewhere.registry.errors[0].code == ErrorCode.UNKNOWN_REPOSITORY
    other = retrieved(filled.retrieve(good, vihf=filled.air(patient=ins("162018885045327"))))
    assert other.registry.errors[0].code == ErrorCode.DOCUMENT_UNIQUE_ID
    fault = fault_of(filled.retrieve("urn:uuid:1", vihf=filled.air()))
    assert fault.subcode == ErrorCode.DOCUMENT_UNIQUE_ID


def status_change(box: Box, target: str, old: str, new: str, number: int = 90) -> etree._Element:
    lot = SubmissionSet(
        id="SubmissionSet01",
        patient_id=ins(),
        source_id="1.2",
        unique_id=f"1.2.{number}",
        authors=(Author(person="899700000001^KIT"),),
    )
    change = Association(
        type=AssociationType.UPDATE_AVAILABILITY_STATUS,
        source=lot.id,
        target=target,
        slots=(Slot("OriginalStatus", (old,)), Slot("NewStatus", (new,))),
    )
    return ebrim.build_submit(lot, (), [change])


def test_a_depublished_document_is_no_longer_found(filled: Box) -> None:
    (ref,) = found(filled.query(get(filled.lot(1).unique_id), filled.vihf())).refs
    change = status_change(filled, ref, Status.APPROVED, Status.DELETED)
    reply = filled.update(change, filled.vihf())
    assert outcome(reply).succeeded
    assert (reply.transaction, reply.detail) == ("ITI-57", "TD3.3c")
    envelope, _ = read(reply)
    assert envelope.action == "urn:ihe:iti:2010:UpdateDocumentSet-Response"
    assert numbers(filled) == ["3"]
    again = status_change(filled, ref, Status.APPROVED, Status.DELETED, 91)
    assert codes(filled.update(again, filled.vihf())) == [ErrorCode.METADATA_UPDATE]


def test_status_changes_that_are_refused(filled: Box, certificates: Certificates) -> None:
    (ref,) = found(filled.query(get(filled.lot(1).unique_id), filled.vihf())).refs
    delete = status_change(filled, ref, Status.APPROVED, Status.DELETED)
    other = filled.vihf(credential=certificates.other, structure="499700000002002")
    assert codes(filled.update(delete, other)) == [ErrorCode.LOCAL_POLICY]
    unknown = status_change(filled, "urn:uuid:0", Status.APPROVED, Status.DELETED)
    assert codes(filled.update(unknown, filled.vihf())) == [ErrorCode.UNRESOLVED_REFERENCE]
    strange = status_change(filled, ref, Status.APPROVED, "urn:x")
    assert codes(filled.update(strange, filled.vihf())) == [ErrorCode.METADATA_UPDATE]
    archive = status_change(filled, ref, Status.APPROVED, Status.ARCHIVED)
    assert fault_of(filled.update(archive, filled.vihf())).subcode == "KIT-DMPRights"
    assert outcome(filled.update(archive, filled.air())).succeeded
    visibility = ebrim.build_submit(SubmissionSet(id="s", patient_id=ins()))
    assert codes(filled.update(visibility, filled.vihf())) == [ErrorCode.METADATA_UPDATE_OPERATION]
