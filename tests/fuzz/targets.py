"""What is fuzzed: every reader of peers' bytes in `protocols`, and every kind of `validators`."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from lxml import etree

from protocols import (
    cda,
    dicomweb,
    dimse,
    dn,
    ebrim,
    hl7v2,
    hl7v3,
    jose,
    jpeg_lossless,
    kos,
    mllp,
    mtom,
    multipart,
    saml,
    soap,
    syslog,
    whitelist,
    xml,
)
from protocols.dicom import (
    build_part10,
    encode_element,
    explicit_from_implicit,
    split_part10,
    to_json,
    walk,
)
from protocols.dicom.pixels import (
    encapsulated,
    frames_of,
    pixel_layout,
    unpacked_run_lengths,
)
from protocols.ebrim import AdhocQuery, Parameter, QueryResponse, RegistryResponse
from protocols.errors import RemoteProtocolError
from protocols.hl7types import CX, HD, XCN, XON, CXi, PatientInfo
from protocols.hl7v3 import II, ExistenceAnswer, ExistenceTest
from protocols.xmlsig import verify_lot
from protocols.xsdatetime import parse_instant
from validators.api import KINDS, guess, validate
from validators.examples import hl7v2 as hl7_example
from validators.examples import kos as kos_example
from validators.examples import wado as wado_example
from validators.examples import whitelist as list_example
from validators.examples import xds as xds_example
from validators.examples.credential import key

__all__ = ["TARGETS", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """A reader and good inputs of it. It may raise RemoteProtocolError and nothing else."""

    name: str
    seeds: tuple[bytes, ...]
    read: Callable[[bytes], object]

    def try_one(self, data: bytes) -> None:
        """Read; raises what the reader should not have raised."""
        try:
            self.read(data)
        except RemoteProtocolError:
            return


def _pieces(path: str) -> tuple[bytes, ...]:
    """Elements of the example submission's envelope."""
    found = re.search(rb"<soap:Envelope.*</soap:Envelope>", xds_example.iti41(), re.DOTALL)
    assert found is not None
    elements = xml.parse(found[0]).xpath(path, namespaces=xml.NS)
    assert isinstance(elements, list)
    return tuple(etree.tostring(one) for one in elements if isinstance(one, etree._Element))


def _text(data: bytes) -> str:
    return data.decode("latin-1")


def _in_chunks(feed: Callable[[bytes], object], data: bytes) -> None:
    """In stretches of uneven sizes: a stream is cut anywhere."""
    at, size = 0, 1
    while at < len(data):
        feed(data[at : at + size])
        at, size = at + size, size * 3 % 4099 + 1


def _multipart(data: bytes) -> None:
    parser = multipart.Parser("exemple-wado")
    _in_chunks(parser.feed, data)
    parser.finish()


_STORE = dimse.Command(
    {"CommandField": 1, "MessageID": 1, "CommandDataSetType": 1, "AffectedSOPClassUID": "1.2.3"}
)
_ASKED = dimse.AssociateRequest(
    calling_ae="BOX",
    called_ae="PACS",
    contexts=(dimse.ProposedContext(1, "1.2.3", ("1.2.840.10008.1.2",)),),
    maximum_length=16_384,
)


def _association(first: bytes) -> dimse.Association:
    """An acceptor to which those bytes came first."""
    acceptor = dimse.Association(dimse.Role.ACCEPTOR, maximum_length=16_384)
    acceptor.feed(first)
    while (event := acceptor.next_event()) is not None:
        if isinstance(event, dimse.AssociateRequest):
            answers = dimse.negotiated(event.contexts, {"1.2.3": ("1.2.840.10008.1.2",)})
            acceptor.send(
                dimse.AssociateAccept(
                    calling_ae="BOX", called_ae="PACS", contexts=answers, maximum_length=0
                )
            )
    return acceptor


def _messages() -> bytes:
    """A C-STORE and the end of its association, from who asked for it."""
    asker, acceptor = dimse.Association(dimse.Role.REQUESTOR), _association(_ASKED.encode())
    asker.send(_ASKED)
    answers = dimse.negotiated(_ASKED.contexts, {"1.2.3": ("1.2.840.10008.1.2",)})
    asker.feed(
        dimse.AssociateAccept(
            calling_ae="BOX", called_ae="PACS", contexts=answers, maximum_length=200
        ).encode()
    )
    asker.next_event()
    assert asker.contexts == acceptor.contexts
    pieces = asker.message(1, _STORE, b"data set" * 60)
    return b"".join(bytes(piece) for piece in pieces) + asker.send(dimse.ReleaseRequest())


def _dimse(data: bytes) -> None:
    """The bytes as what follows an association, in uneven stretches."""
    acceptor = _association(_ASKED.encode())

    def feed(stretch: bytes) -> None:
        acceptor.feed(stretch)
        while acceptor.next_event() is not None:
            pass

    _in_chunks(feed, data)


def _walk(data: bytes) -> None:
    part = split_part10(data)
    for implicit in (False, True):
        try:
            list(walk(part.dataset, 0, len(part.dataset), implicit=implicit))
        except RemoteProtocolError:
            continue


def _to_json(data: bytes) -> None:
    part = split_part10(data)
    to_json(part.dataset, transfer_syntax=part.transfer_syntax)


def _pixels(data: bytes) -> None:
    """Described, then cut into frames, native and encapsulated."""
    part = split_part10(data)
    syntax = part.transfer_syntax
    layout = pixel_layout(part.dataset, transfer_syntax=syntax)
    if layout is not None:
        frames_of(part.dataset, transfer_syntax=syntax, layout=layout)


def _image(stream: bytes | None) -> bytes:
    """A file of one small frame, in JPEG lossless when a stream is given."""

    def short(tag: int, value: int) -> bytes:
        return encode_element(tag, "US", value.to_bytes(2, "little"), implicit=False)

    described = (
        short(0x00280002, 1)
        + encode_element(0x00280004, "CS", b"MONOCHROME2", implicit=False)
        + b"".join(short(tag, 8) for tag in (0x00280010, 0x00280011))
        + short(0x00280100, 16)
        + short(0x00280101, 12)
        + short(0x00280102, 11)
        + short(0x00280103, 0)
    )
    native = encode_element(0x7FE00010, "OW", bytes(128), implicit=False)
    return build_part10(
        sop_class="1.2.840.10008.5.1.4.1.1.2",
        sop_instance="1.2.3",
        transfer_syntax="1.2.840.10008.1.2.4.70" if stream else "1.2.840.10008.1.2.1",
        dataset=described + (encapsulated([stream]) if stream else native),
    )


_JPEG = jpeg_lossless.encode(np.arange(64, dtype=np.uint16).reshape(8, 8, 1), precision=12)


def _run_lengths(data: bytes) -> None:
    unpacked_run_lengths(data, planes=1, size=64)


def _values(data: bytes) -> None:
    text = _text(data)
    for type in (HD, CX, CXi, XCN, XON):
        try:
            type.parse(text)
        except RemoteProtocolError:
            continue
    try:
        PatientInfo.parse(text.split("~"))
    except RemoteProtocolError:
        return


def _judged(kind: str) -> Callable[[bytes], object]:
    def judge(data: bytes) -> None:
        report = validate(data, kind)
        if report.verdict not in ("pass", "warn", "fail"):
            raise AssertionError(report.verdict)

    return judge


_SYSLOG = syslog.format_message(
    syslog.Message(
        priority=85,
        time="2026-11-22T10:00:00Z",
        host="box",
        app="drimbox-source",
        id="IHE+RFC-3881",
        data={"kit@32473": {"number": "1", "mac": "ab"}},
        text=b"<AuditMessage/>",
    )
)
_HTTP = (wado_example.request(), wado_example.response())
_ENVELOPE = _pieces("/soap:Envelope")
_BODY = _pieces("/soap:Envelope/soap:Body/*")
_MTOM_TYPE = re.search(rb"Content-Type: ([^\r]*)", xds_example.iti41())


_QUERY = ebrim.build_query(AdhocQuery(id="q", parameters=(Parameter("$x", ("a", "b''c"), True),)))
_REQUESTS = (ebrim.DocumentRequest("1.2", "3.4"), ebrim.DocumentRequest("1.2", "5.6", "urn:oid:7"))
_DOCUMENT = ebrim.DocumentResponse(
    repository_unique_id="1.2", document_unique_id="3.4", mime_type="m", content=b"KOS"
)
_RETRIEVED = ebrim.build_retrieve_response(RegistryResponse(), [_DOCUMENT])
_TEST = ExistenceTest(
    message_id=II("1.2", "m"),
    creation_time="20260102030405",
    patient=II("1.2.250.1.213.1.4.10", "279035121518989"),
    sender="1.2.3",
    query_id=II("1.2", "q"),
)
_ANSWER = ExistenceAnswer(
    message_id=II("1", "2"),
    creation_time="20260102030405",
    target_message=II("1.2", "m"),
    response_code="NF",
)
_JWKS = json.dumps({"keys": [jose.SigningKey("a", key()).public_jwk]}).encode()


def _mtom(data: bytes) -> object:
    assert _MTOM_TYPE is not None
    return mtom.unpack(_text(_MTOM_TYPE[1]), data)


_PARSERS: tuple[Target, ...] = (
    Target("xml", (list_example.white_list(), *_ENVELOPE), xml.parse),
    Target("hl7v2", (hl7_example.oru(), hl7_example.ack("AE")), hl7v2.parse),
    Target(
        "mllp",
        (b"\x0b" + hl7_example.ack() + b"\x1c\r",),
        lambda data: _in_chunks(mllp.Decoder(max_size=64 * 1024).feed, data),
    ),
    Target("dimse-association", (_ASKED.encode(),), _association),
    Target("dimse", (_messages(),), _dimse),
    Target("dimse-command", (_STORE.encode(),), dimse.Command.decode),
    Target("cda", (hl7_example.cda(),), cda.parse),
    Target("hl7types", (xds_example.PATIENT.encode(), b"PID-5|A^B~PID-7|1979"), _values),
    Target("dn", (b"CN=a,OU=3101,O=x+C=FR,ST=Paris (75)",), lambda data: dn.parse_dn(_text(data))),
    Target(
        "xsdatetime",
        (b"2026-11-22T10:15:00.000Z",),
        lambda data: parse_instant(_text(data)),
    ),
    Target("multipart", (_HTTP[1].partition(b"\r\n\r\n")[2],), _multipart),
    Target(
        "content-type",
        (b'multipart/related; type="application/dicom"; boundary=x',),
        lambda data: multipart.parse_content_type(_text(data)),
    ),
    Target(
        "accept",
        (
            b'multipart/related; type="application/dicom"; '
            b"transfer-syntax=1.2.840.10008.1.2.1;q=0.9",
        ),
        lambda data: dicomweb.parse_accept([_text(data)]),
    ),
    Target("path", (wado_example.PATH.encode(),), lambda data: dicomweb.parse_path(_text(data))),
    Target("mtom", (xds_example.iti41().partition(b"\r\n\r\n")[2],), _mtom),
    Target("soap", _ENVELOPE, soap.parse),
    Target("saml", _pieces("//saml:Assertion"), lambda data: saml.parse(xml.parse(data))),
    Target(
        "saml-signature", _pieces("//saml:Assertion"), lambda data: saml.verify(xml.parse(data))
    ),
    Target("ebrim-submit", _BODY, lambda data: ebrim.parse_submit(xml.parse(data))),
    Target(
        "ebrim-query",
        (xml.serialize(_QUERY),),
        lambda data: ebrim.parse_query(xml.parse(data)),
    ),
    Target(
        "ebrim-answer",
        (xml.serialize(ebrim.build_query_response(QueryResponse(refs=("urn:uuid:1",)))), *_BODY),
        lambda data: ebrim.parse_query_response(xml.parse(data)),
    ),
    Target(
        "ebrim-retrieve",
        (xml.serialize(ebrim.build_retrieve(_REQUESTS)),),
        lambda data: ebrim.parse_retrieve(xml.parse(data)),
    ),
    Target(
        "ebrim-retrieved",
        (xml.serialize(_RETRIEVED),),
        lambda data: ebrim.parse_retrieve_response(xml.parse(data)),
    ),
    Target(
        "hl7v3-test",
        (xml.serialize(hl7v3.build_existence_test(_TEST)),),
        lambda data: hl7v3.parse_existence_test(xml.parse(data)),
    ),
    Target(
        "hl7v3-answer",
        (xml.serialize(hl7v3.build_existence_answer(_ANSWER)),),
        lambda data: hl7v3.parse_existence_answer(xml.parse(data)),
    ),
    Target("white-list", (list_example.white_list(),), whitelist.parse),
    Target("white-list-signature", (list_example.white_list(),), whitelist.verify),
    Target(
        "lot-signature",
        (xds_example.lot({kos_example.UID: kos_example.kos()}),),
        lambda data: verify_lot(data, {kos_example.UID: kos_example.kos()}),
    ),
    Target("jose", (b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",), lambda d: jose.read(_text(d))),
    Target("jwks", (_JWKS,), jose.parse_jwks),
    Target("dicom", (kos_example.kos(), wado_example.instance()), _walk),
    Target("dicom-pixels", (_image(None), _image(_JPEG)), _pixels),
    Target("jpeg-lossless", (_JPEG,), jpeg_lossless.decode),
    Target(
        "run-lengths",
        (struct.pack("<16L", 1, 64, *[0] * 14) + b"\xc1\x07",),
        _run_lengths,
    ),
    Target("dicom-json", (wado_example.instance(),), _to_json),
    Target(
        "dicom-implicit",
        (wado_example.instance(transfer_syntax="1.2.840.10008.1.2"),),
        lambda data: explicit_from_implicit(split_part10(data).dataset),
    ),
    Target("kos", (kos_example.kos(), kos_example.kos(patient_id=None)), kos.decode),
    Target(
        "kos-description",
        (b"Examen : TDM\nS\xc3\xa9rie-1.2.3 : CT @ 67734004 : Thorax",),
        lambda data: kos.parse_description(data.decode("utf-8", "replace")),
    ),
    Target("syslog", (_SYSLOG,), syslog.parse),
    Target(
        "syslog-frames",
        (syslog.frame(_SYSLOG) * 2,),
        lambda data: _in_chunks(syslog.Deframer().feed, data),
    ),
    Target("guess", tuple(kind.rules.good() for kind in KINDS.values()), guess),
)

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        *_PARSERS,
        *(
            Target(f"judge-{name}", (kind.rules.good(),), _judged(name))
            for name, kind in KINDS.items()
        ),
    )
}
