"""Example messages to and from the DMP, besides ITI-41: queries, retrievals, updates, TD0.2."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lxml import etree

from protocols import mtom, soap, xml
from protocols.ebrim import (
    AdhocQuery,
    Association,
    DocumentRequest,
    DocumentResponse,
    Parameter,
    RegistryError,
    RegistryResponse,
    RetrieveResponse,
    Slot,
    build_query,
    build_registry_response,
    build_retrieve,
    build_retrieve_response,
    build_submit,
)
from protocols.hl7v3 import (
    II,
    ExistenceAnswer,
    ExistenceTest,
    Person,
    build_existence_answer,
    build_existence_test,
)
from protocols.xml import NS
from spec import dmp
from spec.oids import INS_NIR_TEST
from spec.xds import Action, AssociationType, Query, ResponseStatus, SlotName, Status
from validators import package
from validators.examples import kos as manifest
from validators.examples import vihf, xds
from validators.examples.xds import Tamper
from validators.http_message import HttpMessage

__all__ = [
    "ENTRY_UUID",
    "MESSAGE_ID",
    "add_slot",
    "asked_document",
    "asked_existence",
    "asked_query",
    "entries_of",
    "existence",
    "existence_answer",
    "fault",
    "package_of",
    "parameters",
    "query",
    "query_answer",
    "reference",
    "registry_answer",
    "retrieve",
    "retrieve_answer",
    "update",
    "update_of",
]

MESSAGE_ID = "urn:uuid:6f8d6d0e-8f1d-4d53-9d0b-3f7d1d9a0002"
_ANSWER_ID = "urn:uuid:6f8d6d0e-8f1d-4d53-9d0b-3f7d1d9a0003"
ENTRY_UUID = "urn:uuid:0b7d3a52-4c1e-4f0c-9d55-3f0a2b9c0001"
_LOGICAL_ID = "urn:uuid:0b7d3a52-4c1e-4f0c-9d55-3f0a2b9c0002"
_INSTALLATION = "1.2.250.1.999.1.1.8121"
_TIME = "20261122101500"
_RIM = f"{{{NS['rim']}}}"
_QUERY = f"{{{NS['query']}}}"
_SOAP_TYPE = "application/soap+xml; charset=UTF-8"


def _envelope(
    action: str, body: etree._Element | None, tamper: Tamper | None, **more: Any
) -> bytes:
    data = soap.build(soap.Envelope(action=action, body=body, **more))
    if tamper is None:
        return data
    root = xml.parse(data)
    tamper(root)
    return xml.serialize(root)


def _request(
    service: str,
    action: str,
    body: etree._Element,
    tamper: Tamper | None,
    assertion: bytes | None,
    content_type: str = _SOAP_TYPE,
) -> bytes:
    envelope = _envelope(
        action,
        body,
        tamper,
        message_id=MESSAGE_ID,
        to=f"https://dmp.exemple.invalid{service}",
        reply_to=soap.ANONYMOUS,
        security=xml.parse(vihf.air() if assertion is None else assertion),
    )
    return HttpMessage(
        f"POST {service} HTTP/1.1",
        (("Host", "dmp.exemple.invalid"), ("Content-Type", content_type)),
        envelope,
    ).encode()


def _answer(
    action: str,
    body: etree._Element,
    tamper: Tamper | None,
    attachments: Mapping[str, tuple[bytes, str]] | None = None,
    spoil: Callable[[bytes], bytes] | None = None,
) -> bytes:
    content = _envelope(
        action,
        body,
        tamper,
        message_id=_ANSWER_ID,
        to=soap.ANONYMOUS,
        relates_to=MESSAGE_ID,
    )
    kind = _SOAP_TYPE
    if attachments is not None:
        kind, content = mtom.pack(content, attachments, "exemple-dmp")
    if spoil is not None:
        content = spoil(content)
    return HttpMessage("HTTP/1.1 200 OK", (("Content-Type", kind),), content).encode()


def _asked(element: etree._Element) -> bytes:
    """A request in its envelope, without VIHF."""
    return _envelope("urn:kit:demande", element, None, message_id=MESSAGE_ID)


def asked_query(return_type: str = "LeafClass") -> bytes:
    """The example search as an answer is judged with it, without VIHF."""
    found = AdhocQuery(id=Query.FIND_DOCUMENTS, parameters=parameters(), return_type=return_type)
    return _asked(build_query(found))


def asked_document(unique_id: str = manifest.UID) -> bytes:
    """The example retrieval as an answer is judged with it, without VIHF."""
    return _asked(build_retrieve([DocumentRequest(dmp.REPOSITORY_OID, unique_id)]))


def asked_existence(**changes: Any) -> bytes:
    """The example existence test as an answer is judged with it, without VIHF."""
    return _asked(build_existence_test(_test(**changes)))


def parameters(**changes: Parameter | None) -> tuple[Parameter, ...]:
    """Those of the example search, some replaced, or left out when None."""
    coded = f"{dmp.KOS_TYPE_CODE[0]}^^{dmp.KOS_TYPE_CODE[1]}"
    values: dict[str, Parameter | None] = {
        "patient": Parameter("$XDSDocumentEntryPatientId", (xds.PATIENT,)),
        "status": Parameter("$XDSDocumentEntryStatus", (Status.APPROVED.value,), is_list=True),
        "type": Parameter("$XDSDocumentEntryTypeCode", (coded,), is_list=True),
        "modality": Parameter(
            "$XDSDocumentEntryEventCodeList",
            ("CT^^1.2.250.1.213.1.1.5.618", "MR^^1.2.250.1.213.1.1.5.618"),
            is_list=True,
        ),
        "since": Parameter("$XDSDocumentEntryServiceStartTimeFrom", ("20241122000000",)),
        "until": Parameter("$XDSDocumentEntryServiceStartTimeTo", ("20261123000000",)),
    }
    values |= changes
    return tuple(parameter for parameter in values.values() if parameter is not None)


def query(
    tamper: Tamper | None = None,
    *,
    id: str = Query.FIND_DOCUMENTS,
    wanted: Sequence[Parameter] | None = None,
    return_type: str = "LeafClass",
    composed: bool = True,
    assertion: bytes | None = None,
    content_type: str = _SOAP_TYPE,
) -> bytes:
    """A search (TD3.1a), by default that of CT and MR manifests over two years."""
    asked = AdhocQuery(
        id=id,
        parameters=parameters() if wanted is None else tuple(wanted),
        return_type=return_type,
        composed=composed,
    )
    return _request(
        dmp.ServicePath.REGISTRY,
        Action.STORED_QUERY,
        build_query(asked),
        tamper,
        assertion,
        content_type,
    )


def reference(*wanted: Parameter, return_type: str = "ObjectRef") -> bytes:
    """The search of the reference of a document (TD3.1b)."""
    unique_id = Parameter("$XDSDocumentEntryUniqueId", (manifest.UID,), is_list=True)
    return query(
        id=Query.GET_DOCUMENTS,
        wanted=wanted or (unique_id,),
        return_type=return_type,
        assertion=vihf.vihf(),
    )


def query_answer(
    tamper: Tamper | None = None,
    *,
    message: bytes | None = None,
    status: str = ResponseStatus.SUCCESS,
    errors: Sequence[RegistryError] = (),
    refs: Sequence[str] | None = None,
    total: str | None = None,
) -> bytes:
    """The answer of a registry: the entry of a publication as it is registered, or references."""
    body = etree.Element(
        f"{_QUERY}AdhocQueryResponse",
        {"status": status, "startIndex": "0"},
        nsmap={"query": NS["query"], "rim": NS["rim"], "rs": NS["rs"]},
    )
    if errors:
        holder = build_registry_response(RegistryResponse(status=status, errors=tuple(errors)))
        body.append(holder[0])
    objects = etree.SubElement(body, f"{_RIM}RegistryObjectList")
    if refs is not None:
        for ref in refs:
            etree.SubElement(objects, f"{_RIM}ObjectRef", {"id": ref})
    elif status != ResponseStatus.FAILURE:
        for entry in entries_of(xds.iti41() if message is None else message):
            objects.append(_registered(entry))
    body.set("totalResultCount", str(len(objects)) if total is None else total)
    return _answer(Action.STORED_QUERY.answer, body, tamper)


def entries_of(message: bytes) -> list[etree._Element]:
    """The entries of a publication, but that of its signature: copies."""
    return [
        copy.deepcopy(entry)
        for entry in package.read(message).root.iter(f"{_RIM}ExtrinsicObject")
        if entry.get("id") != xds.SIGNATURE_ID
    ]


def _registered(entry: etree._Element) -> etree._Element:
    """An entry with what a registry adds to it."""
    symbolic = entry.get("id", "")
    for element in entry.iter(f"{_RIM}*"):
        for attribute in ("id", "classifiedObject", "registryObject"):
            if element.get(attribute) == symbolic:
                element.set(attribute, ENTRY_UUID)
    entry.set("lid", _LOGICAL_ID)
    entry.set("status", Status.APPROVED)
    add_slot(entry, SlotName.REPOSITORY_UNIQUE_ID, dmp.REPOSITORY_OID)
    names = [etree.QName(child).localname for child in entry]
    version = etree.Element(f"{_RIM}VersionInfo", {"versionName": "1"})
    entry.insert(max(i for i, name in enumerate(names) if name in _EARLY) + 1, version)
    return entry


_EARLY = ("Slot", "Name", "Description")


def add_slot(entry: etree._Element, name: str, *values: str) -> None:
    """Give an entry one more slot, the first of all."""
    slot = etree.Element(f"{_RIM}Slot", {"name": name})
    listed = etree.SubElement(slot, f"{_RIM}ValueList")
    for value in values:
        etree.SubElement(listed, f"{_RIM}Value").text = value
    entry.insert(0, slot)


def retrieve(
    tamper: Tamper | None = None,
    *requests: DocumentRequest,
    assertion: bytes | None = None,
    content_type: str = _SOAP_TYPE,
) -> bytes:
    """The retrieval of the example manifest (TD3.2)."""
    wanted = requests or (DocumentRequest(dmp.REPOSITORY_OID, manifest.UID),)
    return _request(
        dmp.ServicePath.REPOSITORY,
        Action.RETRIEVE,
        build_retrieve(wanted),
        tamper,
        assertion,
        content_type,
    )


def retrieve_answer(
    tamper: Tamper | None = None,
    *,
    status: str = ResponseStatus.SUCCESS,
    errors: Sequence[RegistryError] = (),
    unique_id: str = manifest.UID,
    document: bytes | None = None,
    spoil: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """The example manifest, as the DMP returns it."""
    found = (
        ()
        if status == ResponseStatus.FAILURE
        else (
            DocumentResponse(
                repository_unique_id=dmp.REPOSITORY_OID,
                document_unique_id=unique_id,
                mime_type="application/dicom",
                content="document@exemple",
            ),
        )
    )
    answer = RetrieveResponse(
        registry=RegistryResponse(status=status, errors=tuple(errors)), documents=found
    )
    data = manifest.kos() if document is None else document
    attachments = {"document@exemple": (data, "application/octet-stream")} if found else {}
    body = build_retrieve_response(answer.registry, answer.documents)
    return _answer(Action.RETRIEVE.answer, body, tamper, attachments, spoil)


def update(
    tamper: Tamper | None = None,
    *,
    lot: etree._Element | None = None,
    before: str = Status.APPROVED,
    after: str = Status.DELETED,
    target: str = ENTRY_UUID,
    type: str = AssociationType.UPDATE_AVAILABILITY_STATUS,
    assertion: bytes | None = None,
    content_type: str = _SOAP_TYPE,
) -> bytes:
    """The depublication of the example manifest (TD3.3c)."""
    link = Association(
        type=type,
        source=xds.SET_ID,
        target=target,
        id="a1",
        slots=(Slot(SlotName.ORIGINAL_STATUS, (before,)), Slot(SlotName.NEW_STATUS, (after,))),
    )
    body = build_submit(xds.submission_set(), (), (link,))
    if lot is not None:
        own = next(body.iter(f"{_RIM}RegistryPackage"))
        parent = own.getparent()
        assert parent is not None
        parent.replace(own, lot)
    return _request(
        dmp.ServicePath.REGISTRY,
        Action.UPDATE,
        body,
        tamper,
        vihf.vihf() if assertion is None else assertion,
        content_type,
    )


def package_of(message: bytes) -> etree._Element:
    """The RegistryPackage of a publication: a copy."""
    return copy.deepcopy(next(package.read(message).root.iter(f"{_RIM}RegistryPackage")))


def update_of(message: bytes) -> bytes:
    """The depublication that a publication's lot and VIHF would make."""
    return update(lot=package_of(message), assertion=vihf.assertion_of(message))


def registry_answer(
    tamper: Tamper | None = None,
    *,
    action: str = Action.PROVIDE_AND_REGISTER.answer,
    status: str = ResponseStatus.SUCCESS,
    errors: Sequence[RegistryError] = (),
    spoil: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """The outcome of a publication."""
    body = build_registry_response(RegistryResponse(status=status, errors=tuple(errors)))
    return _answer(action, body, tamper, {}, spoil)


def existence(
    tamper: Tamper | None = None,
    *,
    assertion: bytes | None = None,
    content_type: str = _SOAP_TYPE,
    **changes: Any,
) -> bytes:
    """An existence test (TD0.2)."""
    return _request(
        dmp.ServicePath.PATIENTS,
        dmp.EXISTENCE_ACTION,
        build_existence_test(_test(**changes)),
        tamper,
        assertion,
        content_type,
    )


def _test(**changes: Any) -> ExistenceTest:
    fields: dict[str, Any] = {
        "message_id": II(_INSTALLATION, "1"),
        "creation_time": _TIME,
        "patient": II(INS_NIR_TEST, manifest.INS),
        "sender": _INSTALLATION,
        "query_id": II(_INSTALLATION, "2"),
        "sender_name": "DRIMbox d'exemple",
    }
    return ExistenceTest(**(fields | changes))


def existence_answer(tamper: Tamper | None = None, **changes: Any) -> bytes:
    """The answer to an existence test: an open DMP, a valid authorisation."""
    fields: dict[str, Any] = {
        "message_id": II(dmp.SYSTEM_OID, "1"),
        "creation_time": _TIME,
        "target_message": II(_INSTALLATION, "1"),
        "authorisation": dmp.Authorisation.VALID.value,
        "treating_physician": False,
        "response_code": "OK",
        "query_id": II(_INSTALLATION, "2"),
        "patient_ids": (II(INS_NIR_TEST, manifest.INS),),
        "patient_status": "active",
        "person": Person(family="PAT-TROIS", given="DOMINIQUE", gender="F", birth_time="19790328"),
        "internet_account": False,
        "ens": True,
        "receiver": _INSTALLATION,
    }
    body = build_existence_answer(ExistenceAnswer(**(fields | changes)))
    return _answer(dmp.EXISTENCE_ANSWER_ACTION, body, tamper)


def fault(tamper: Tamper | None = None, **changes: Any) -> bytes:
    """A SOAP fault: the VIHF was signed with the wrong certificate."""
    fields: dict[str, Any] = {
        "code": "Sender",
        "reason": "Le certificat n'est pas un certificat de signature",
        "subcode": dmp.FaultSubcode.INVALID_CERTIFICATE.value,
    }
    data = soap.build_fault(
        soap.Fault(**(fields | changes)), message_id=_ANSWER_ID, relates_to=MESSAGE_ID
    )
    if tamper is not None:
        root = xml.parse(data)
        tamper(root)
        data = xml.serialize(root)
    line = "HTTP/1.1 500 Internal Server Error"
    return HttpMessage(line, (("Content-Type", _SOAP_TYPE),), data).encode()
