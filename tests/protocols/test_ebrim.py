"""ebRIM messages: valid, read back equal, tolerant to what circulates, closed to hostility."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from protocols import ebrim, mtom, soap
from protocols.ebrim import (
    AdhocQuery,
    Association,
    Author,
    Code,
    DocumentEntry,
    DocumentRequest,
    DocumentResponse,
    EbrimError,
    Parameter,
    QueryResponse,
    RegistryError,
    RegistryResponse,
    Slot,
    SubmissionSet,
)
from protocols.errors import RemoteProtocolError
from protocols.xml import NS, parse, serialize
from spec.xds import AssociationType, ErrorCode, Query, ResponseStatus, Status

REFERENCE = Path("../shared/reference")
needs_reference = pytest.mark.skipif(not REFERENCE.exists(), reason="références absentes")

word = st.text(st.sampled_from("aZ9.^&'<é-"), min_size=1, max_size=10)
maybe = st.one_of(st.just(""), word)
many = st.lists(word, max_size=3).map(tuple)
codes = st.builds(Code, word, word, maybe)
slots = st.lists(st.builds(Slot, word, many), max_size=2, unique_by=lambda s: s.name).map(tuple)
authors = st.lists(
    st.builds(
        Author,
        person=maybe,
        institutions=many,
        roles=many,
        specialties=many,
        telecommunications=many,
    ),
    max_size=2,
).map(tuple)
submission_sets = st.builds(
    SubmissionSet, id=word, submission_time=maybe, title=maybe, comments=maybe, authors=authors,
    content_type=st.one_of(st.none(), codes), patient_id=maybe, source_id=maybe, unique_id=maybe,
    intended_recipients=many, status=maybe, home=maybe, extra_slots=slots,
)  # fmt: skip
entries = st.builds(
    DocumentEntry, id=word, mime_type=maybe, object_type=maybe, creation_time=maybe,
    language_code=maybe, legal_authenticator=maybe, service_start_time=maybe,
    service_stop_time=maybe, source_patient_id=maybe, source_patient_info=many, hash=maybe,
    size=maybe, uri=many, repository_unique_id=maybe, document_availability=maybe,
    reference_ids=many, title=maybe, comments=maybe, authors=authors,
    class_code=st.one_of(st.none(), codes), type_code=st.one_of(st.none(), codes),
    format_code=st.one_of(st.none(), codes), facility_type=st.one_of(st.none(), codes),
    practice_setting=st.one_of(st.none(), codes),
    confidentiality_codes=st.lists(codes, max_size=2).map(tuple),
    event_codes=st.lists(codes, max_size=2).map(tuple), patient_id=maybe, unique_id=maybe,
    logical_id=maybe, version=maybe, status=maybe, home=maybe, extra_slots=slots,
)  # fmt: skip
associations = st.builds(
    Association, id=word, type=word, source=word, target=word, slots=slots, status=maybe
)

LOT = SubmissionSet(
    id="SubmissionSet01",
    submission_time="20260102030405",
    title="lot",
    authors=(Author(person="899700000001^KIT", institutions=("KIT^^^^^^^^^499700000001001",)),),
    content_type=Code("04", "1.2.250.1.213.2.2", "Hospitalisation de jour"),
    patient_id="279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH",
    source_id="1.2.250.1.999.1.1.1",
    unique_id="1.2.250.1.999.1.1.1.7",
)
KOS = DocumentEntry(
    id="DocumentKOS",
    mime_type="application/dicom",
    creation_time="20260102030405",
    hash="0" * 40,
    size="12",
    language_code="fr-FR",
    legal_authenticator="899700000001^KIT",
    service_start_time="20260102030405",
    source_patient_id="42^^^&1.2.3&ISO^PI",
    source_patient_info=("PID-5|PAT-TROIS^DOMINIQUE^^^^^L", "PID-8|F"),
    reference_ids=("A1^^^&1.2.3&ISO^urn:ihe:iti:xds:2013:accession",),
    title="KOS",
    authors=(Author(person="899700000001^KIT", roles=("r",), specialties=("s",)),),
    class_code=Code("31", "1.2.250.1.213.1.1.4.1", "Imagerie médicale"),
    type_code=Code("IMG-KOS", "1.2.250.1.213.1.1.4.12", "KOS"),
    format_code=Code("1.2.840.10008.5.1.4.1.1.88.59", "1.2.840.10008.2.6.1", "KOS"),
    confidentiality_codes=(Code("N", "2.16.840.1.113883.5.25", "Normal"),),
    event_codes=(Code("MR", "1.2.840.10008.2.16.4", "IRM"),),
    patient_id=LOT.patient_id,
    unique_id="1.2.826.0.1.1",
)
LINKS = (
    Association(
        id="as1",
        type=AssociationType.HAS_MEMBER,
        source="SubmissionSet01",
        target="DocumentKOS",
        slots=(Slot("SubmissionSetStatus", ("Original",)),),
    ),
)


@given(submission_sets, st.lists(entries, max_size=2), st.lists(associations, max_size=2))
def test_what_is_submitted_is_read(
    lot: SubmissionSet, documents: list[DocumentEntry], links: list[Association]
) -> None:
    data = serialize(ebrim.build_submit(lot, documents, links))
    read = ebrim.parse_submit(parse(data))
    assert read.submission_set == lot
    assert list(read.entries) == documents
    assert list(read.associations) == links
    assert not read.order_violations


def test_documents_come_as_parts_or_inline() -> None:
    request = ebrim.build_provide(LOT, [KOS], LINKS, {"DocumentKOS": "0.2", "x": b"inline"})
    envelope = soap.build(soap.Envelope(action="a", body=request))
    content_type, body = mtom.pack(envelope, {"0.2": (b"part", "application/dicom")}, "kit")
    package = mtom.unpack(content_type, body)
    element = soap.parse(package.envelope).body
    assert element is not None
    read = ebrim.parse_submit(element)
    assert {entry_id: package.resolve(e) for entry_id, e in read.documents} == {
        "DocumentKOS": b"part",
        "x": b"inline",
    }
    assert read.associated(AssociationType.HAS_MEMBER)[0].value("SubmissionSetStatus") == "Original"
    assert read.associations[0].value("absent") == ""


def test_disorder_and_repetition_are_read_and_told() -> None:
    element = ebrim.build_submit(LOT, [KOS])
    entry = element.find(".//rim:ExtrinsicObject", NS)
    assert entry is not None
    hash_slot = entry.find("rim:Slot[@name='hash']", NS)
    assert hash_slot is not None
    entry.append(hash_slot)
    class_code = entry.find("rim:Classification[@nodeRepresentation='31']", NS)
    assert class_code is not None
    entry.insert(entry.index(class_code), etree.fromstring(etree.tostring(class_code)))
    etree.SubElement(entry, f"{{{NS['rim']}}}Surprise")
    read = ebrim.parse_submit(element)
    assert read.entries == (KOS,)
    assert [d.kind for d in read.defects] == ["order", "unknown", "repeated"]
    assert read.order_violations[0].where.endswith("ExtrinsicObject[DocumentKOS]/Slot[hash]")


def test_there_is_one_submission_set() -> None:
    element = ebrim.build_submit(LOT)
    package = element.find(".//rim:RegistryPackage", NS)
    assert package is not None
    node = package.find("rim:Classification[@classificationNode]", NS)
    assert node is not None
    package.remove(node)
    folder = ebrim.parse_submit(element)
    assert folder.sets == ()
    assert folder.defects[-1].kind == "unknown"
    with pytest.raises(EbrimError, match="0 reçus"):
        _ = folder.submission_set
    package.addnext(node)
    assert ebrim.parse_submit(element).submission_set == LOT


@given(word, st.lists(st.builds(Parameter, word, many.filter(bool), st.booleans()), max_size=4))
def test_queries_roundtrip(query_id: str, parameters: list[Parameter]) -> None:
    query = AdhocQuery(id=query_id, parameters=tuple(parameters), return_type="ObjectRef")
    read = ebrim.parse_query(parse(serialize(ebrim.build_query(query))))
    assert read == query


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260101", (("20260101",), False)),
        ("('a')", (("a",), True)),
        ("( 'a' , 'b''c',12 )", (("a", "b'c", "12"), True)),
        ("('(,)')", (("(,)",), True)),
        ("''", (("",), False)),
        ("()", ((), True)),
    ],
)
def test_parameter_syntax(text: str, expected: tuple[tuple[str, ...], bool]) -> None:
    element = ebrim.build_query(AdhocQuery(id="q", parameters=(Parameter("$x", ("?",)),)))
    value = element.find(".//rim:Value", NS)
    assert value is not None
    value.text = text
    (parameter,) = ebrim.parse_query(element).parameters
    assert (parameter.values, parameter.is_list) == expected


@pytest.mark.parametrize("text", ["('a'", "('a',)", "('a''b", "'a'b", "'a','b'", "('a' 'b')", "'"])
def test_broken_quoting_is_refused(text: str) -> None:
    element = ebrim.build_query(AdhocQuery(id="q", parameters=(Parameter("$x", ("?",)),)))
    value = element.find(".//rim:Value", NS)
    assert value is not None
    value.text = text
    with pytest.raises(EbrimError):
        ebrim.parse_query(element)


def test_two_slots_of_one_name_stay_two_parameters() -> None:
    name = "$XDSDocumentEntryEventCodeList"
    query = AdhocQuery(
        id=Query.FIND_DOCUMENTS,
        parameters=(Parameter(name, ("MR^^1", "CT^^1"), True), Parameter(name, ("6^^2",), True)),
    )
    read = ebrim.parse_query(ebrim.build_query(query))
    assert [p.values for p in read.all(name)] == [("MR^^1", "CT^^1"), ("6^^2",)]
    assert read.value(name) == "MR^^1"
    assert read.value("$absent") == ""


REGISTERED = dataclasses.replace(
    KOS,
    id="urn:uuid:11111111-1111-4111-8111-111111111111",
    logical_id="urn:uuid:11111111-1111-4111-8111-111111111111",
    version="1",
    status=Status.APPROVED,
    repository_unique_id="1.2.250.1.213.4.1.1.1.2",
)
ERRORS = (RegistryError(code=ErrorCode.REGISTRY_ERROR, context="c", location="l"),)


@pytest.mark.parametrize(
    "response",
    [
        QueryResponse(entries=(REGISTERED,), associations=LINKS, sets=(LOT,), total=1),
        QueryResponse(refs=(REGISTERED.id,), total=1),
        QueryResponse(total=0),
        QueryResponse(status=ResponseStatus.FAILURE, errors=ERRORS),
    ],
)
def test_query_answers_roundtrip(response: QueryResponse) -> None:
    data = serialize(ebrim.build_query_response(response))
    assert ebrim.parse_query_response(parse(data)) == response


def test_registry_responses_roundtrip() -> None:
    failure = RegistryResponse(status=ResponseStatus.FAILURE, errors=ERRORS)
    for response in (RegistryResponse(), failure):
        data = serialize(ebrim.build_registry_response(response))
        assert ebrim.parse_registry_response(parse(data)) == response
    assert RegistryResponse().succeeded
    assert not failure.succeeded


def test_retrieve_roundtrip() -> None:
    requests = (DocumentRequest("1.2", "3.4"), DocumentRequest("1.2", "5.6", "urn:oid:7"))
    data = serialize(ebrim.build_retrieve(requests))
    assert ebrim.parse_retrieve(parse(data)) == requests
    document = DocumentResponse(
        repository_unique_id="1.2", document_unique_id="3.4", mime_type="m", content=b"KOS"
    )
    data = serialize(ebrim.build_retrieve_response(RegistryResponse(), [document]))
    read = ebrim.parse_retrieve_response(parse(data))
    assert read.registry.succeeded
    element = read.documents[0].element
    assert element is not None
    assert mtom.Package(envelope=b"").resolve(element) == b"KOS"
    assert read.documents[0].document_unique_id == "3.4"


PARSERS = [
    ebrim.parse_submit,
    ebrim.parse_query,
    ebrim.parse_query_response,
    ebrim.parse_registry_response,
    ebrim.parse_retrieve,
    ebrim.parse_retrieve_response,
]


@pytest.mark.parametrize("parser", PARSERS)
def test_another_element_is_refused(parser: object) -> None:
    assert callable(parser)
    with pytest.raises(EbrimError):
        parser(etree.Element("x"))


MESSAGES = [
    serialize(ebrim.build_submit(LOT, [KOS], LINKS)),
    serialize(ebrim.build_query(AdhocQuery(id="q", parameters=(Parameter("$x", ("a",), True),)))),
    serialize(ebrim.build_query_response(QueryResponse(entries=(REGISTERED,), total=1))),
    serialize(ebrim.build_registry_response(RegistryResponse(errors=ERRORS))),
    serialize(ebrim.build_retrieve([DocumentRequest("1", "2")])),
    serialize(ebrim.build_retrieve_response(RegistryResponse(), ())),
]


@given(st.data())
def test_damaged_messages_only_raise_remote_errors(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(MESSAGES)))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(1, 8))] = data.draw(
            st.sampled_from([b"", b"x", b'="', b"/>", b"<rim:Slot/>"])
        )
    for parser in PARSERS:
        with contextlib.suppress(RemoteProtocolError):
            parser(parse(bytes(damaged)))


@needs_reference
def test_our_messages_are_valid() -> None:
    directory = REFERENCE / "xsd" / "xds"
    provide = ebrim.build_provide(LOT, [KOS], LINKS, {"DocumentKOS": b"inline"})
    repository = etree.XMLSchema(etree.parse(directory / "XDS.b_DocumentRepository.xsd"))
    retrieved = DocumentResponse(
        repository_unique_id="1", document_unique_id="2", mime_type="m", content=b"x"
    )
    for element in (
        provide,
        ebrim.build_retrieve([DocumentRequest("1", "2", "urn:oid:3")]),
        ebrim.build_retrieve_response(RegistryResponse(errors=ERRORS), [retrieved]),
    ):
        repository.assertValid(parse(serialize(element)))
    query = etree.XMLSchema(etree.parse(directory / "query.xsd"))
    for element in (
        ebrim.build_query(AdhocQuery(id="urn:uuid:1", parameters=(Parameter("$x", ("a",)),))),
        ebrim.build_query_response(
            QueryResponse(
                entries=(REGISTERED,), associations=LINKS, sets=(LOT,), total=1, errors=ERRORS
            )
        ),
        ebrim.build_query_response(QueryResponse(refs=(REGISTERED.id,), total=1)),
    ):
        query.assertValid(parse(serialize(element)))


@needs_reference
def test_the_published_sample_is_read() -> None:
    sample = REFERENCE / "ans-demonstrator-samples" / "XDS" / "publication.xml"
    body = re.sub(rb"(?m)^ +(?=--MIMEBoundary|Content-[TI])", b"", sample.read_bytes())
    package = mtom.unpack('multipart/related; boundary="MIMEBoundary_Bound"', body)
    element = soap.parse(package.envelope).body
    assert element is not None
    read = ebrim.parse_submit(element)
    kos, signature = read.entries
    assert kos.type_code == Code(
        "IMG-KOS", "1.2.250.1.213.1.1.4.12", "Reference d'objets d'un examen d'imagerie"
    )
    assert len(kos.reference_ids) == 3
    assert signature.mime_type == "text/xml"
    assert read.submission_set.patient_id == kos.patient_id
    assert {link.type for link in read.associations} == {
        AssociationType.HAS_MEMBER,
        AssociationType.SIGNS,
    }
    assert [d.where.rpartition("[")[2] for d in read.order_violations] == [
        "urn:ihe:iti:xds:2013:referenceIdList]"
    ] * 2
