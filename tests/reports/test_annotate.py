"""Annotated messages: things named, secrets gone, hostile bytes shown all the same."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from types import SimpleNamespace

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.annotate import names
from reports.annotate.dispatch import Annotated, annotate, answer
from reports.annotate.model import Code, Facts, Field, Fields, Node, Section, Tree
from wire.exchange import Outcome, Payload, TlsInfo


def _sections(made: Annotated) -> tuple[Section, ...]:
    return (*made.request, *made.response, *made.session)


def _fields(sections: tuple[Section, ...]) -> dict[str, Field]:
    return {
        row.path: row
        for section in sections
        for block in section.blocks
        if isinstance(block, Fields)
        for row in block.rows
    }


def _facts(sections: tuple[Section, ...]) -> dict[str, str]:
    return {
        row.name: row.value
        for section in sections
        for block in section.blocks
        if isinstance(block, Facts)
        for row in block.rows
    }


def _nodes(sections: tuple[Section, ...]) -> dict[str, Node]:
    def walk(nodes: tuple[Node, ...]) -> Iterator[tuple[str, Node]]:
        for node in nodes:
            yield node.path, node
            yield from walk(node.children)

    return {
        path: node
        for section in sections
        for block in section.blocks
        if isinstance(block, Tree)
        for path, node in walk(block.nodes)
    }


def _lines(sections: tuple[Section, ...]) -> list[str]:
    return [
        "".join(token.text for token in line)
        for section in sections
        for block in section.blocks
        if isinstance(block, Code)
        for line in block.lines
    ]


def _everything(made: Annotated) -> str:
    return repr(made)


def test_hl7_fields_and_components_have_their_names(world: SimpleNamespace) -> None:
    rows = _fields(annotate(world.oru()).request)
    assert rows["PID"].name == "Patient Identification"
    assert rows["PID-3[2].1"] == Field("PID-3[2].1", "ID Number", "IPP900", 2)
    assert rows["PID-32"].name == "Identity Reliability Code"
    assert rows["MSH-1"].value == "|"
    assert rows["OBX[1]-5.4"].name == "Encoding"
    assert rows["OBX[2]-5.1"].name == "Identifier"
    assert rows["PRT-8.10"].name == "Organization Identifier"


def test_a_large_value_is_cut_with_its_size_and_digest(world: SimpleNamespace) -> None:
    value = _fields(annotate(world.oru()).request)["OBX[1]-5.5"].value
    assert len(value) < 400
    assert f"‹{len(base64.b64encode(world.CDA))} caractères, sha256 " in value


def test_the_document_carried_by_obx_5_is_shown_as_xml(world: SimpleNamespace) -> None:
    request = annotate(world.oru()).request
    assert request[1].title.startswith("Document porté par OBX[1]-5.5")
    assert '    <code code="18748-4"' not in _lines(request)
    assert any(
        '<ps3-20:accessionNumber root="1.2.4" extension="ACC900"/>' in line
        for line in _lines(request)
    )


def test_acknowledgments_say_what_they_answer(world: SimpleNamespace) -> None:
    assert answer(world.oru()) == ("AA", True)
    refusal = world.ACK.replace(b"MSA|AA", b"MSA|AE") + b"\rERR||MSH^1^12|207^erreur^HL70357|E"
    assert answer(world.oru(response=Payload.whole(refusal))) == ("AE 207", False)


def test_soap_in_mtom_is_indented_and_its_kos_is_a_tree(
    world: SimpleNamespace, tls: TlsInfo
) -> None:
    made = annotate(world.submission(0, tls))
    assert _facts(made.request)["Action"].endswith("ProvideAndRegisterDocumentSet-b")
    assert '        <xdsb:Document id="Document01">'[2:] in _lines(made.request)
    nodes = _nodes(made.request)
    assert nodes["0020,000D"].value == world.STUDY
    path = "0040,A375[1]/0008,1115[1]/0008,1190"
    assert nodes[path].value == "https://db.kit.example/wado"
    assert nodes["0008,0016"].value.endswith("(Key Object Selection Document Storage)")
    assert _facts(made.response)["Fault Subcode"] == "DMPInvalidCertificate"


def test_tls_names_the_peer(world: SimpleNamespace, tls: TlsInfo) -> None:
    facts = _facts(annotate(world.submission(0, tls)).session)
    assert facts["Version"] == "TLSv1.3"
    assert "CN=db-source.kit.example" in facts["Certificat du pair · sujet"]


def test_an_unreadable_certificate_is_told(world: SimpleNamespace) -> None:
    made = annotate(world.exchange(0, tls=TlsInfo(version="TLSv1.2", peer_chain=(b"\x30\x03abc",))))
    assert "Certificat du pair · état" in _facts(made.session)


def test_token_exchanges_show_no_secret(world: SimpleNamespace, tls: TlsInfo) -> None:
    shown = _everything(annotate(world.token(0, tls)))
    for secret in (world.TOKEN, world.jwt("refresh"), world.jwt("id"),
                   "SplxlOBeZQQYbYS6WxSbIA", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                   "5f2b9f0a77d84c1d9a"):  # fmt: skip
        assert secret not in shown
    assert "expires_in" in shown


def test_images_are_told_by_their_parts(world: SimpleNamespace, tls: TlsInfo) -> None:
    response = annotate(world.wado(0, tls)).response
    assert response[1].title == "Corps multipart · 48 parties, 25,2 Mo"
    facts = _facts(response)
    assert facts["Partie 1"].startswith("application/dicom; transfer-syntax=")
    assert facts["36 autres parties"] == "18,9 Mo"
    assert any("en-tête DICOM" in section.title for section in response)


def test_dimse_identifiers_and_answers_are_trees(world: SimpleNamespace) -> None:
    made = annotate(world.c_find(0))
    assert _nodes(made.request)["0008,0052"].value == "IMAGE"
    assert [s.title for s in made.response[1:]] == ["Correspondance 1", "Correspondance 2"]
    assert _nodes(made.response)["0010,0020"].value == "IPP900"
    assert answer(world.c_find(0)) == ("0x0000", True)


def test_a_cut_data_set_says_so(world: SimpleNamespace) -> None:
    section = annotate(world.c_store(0)).request[-1]
    assert section.note.endswith("octets de plus non conservés")


@pytest.mark.parametrize(("status", "positive"), [("200 OK", True), ("303 See Other", True),
                                                  ("401 Unauthorized", False)])  # fmt: skip
def test_http_answers_are_their_status(world: SimpleNamespace, status: str, positive: bool) -> None:
    made = world.exchange(0, response=world.answer(status))
    assert answer(made) == (status[:3], positive)


def test_a_missing_response_is_no_positive_answer_unless_answered(world: SimpleNamespace) -> None:
    assert answer(world.exchange(0)) == ("", True)
    assert answer(world.exchange(0, outcome=Outcome.TIMED_OUT)) == ("", False)


_TYPES = ("", "application/json", "text/html", "application/soap+xml", "application/dicom",
          "application/x-www-form-urlencoded", 'multipart/related; boundary="kit-limite"',
          "text/plain; charset=inconnu", "multipart/related", "\x00;=")  # fmt: skip


@given(
    body=st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)),
    seed=st.sampled_from(("", "ORU", "KOS", "FIND", "CDA", "ITI")),
    cut=st.integers(0, 2000),
    kind=st.sampled_from(_TYPES),
    protocol=st.sampled_from(("HTTP", "MLLP", "DIMSE", "TLS", "?")),
)
def test_hostile_bytes_are_always_shown(
    world: SimpleNamespace, body: bytes, seed: str, cut: int, kind: str, protocol: str
) -> None:
    sound = {"": b"", "ORU": world.ORU, "KOS": world.kos(), "FIND": world.identifier(),
             "CDA": world.CDA, "ITI": world.iti41()[1]}[seed]  # fmt: skip
    hostile = sound[:cut] + body + sound[cut:]
    payload = Payload.whole(hostile, start_line="?", head=[("Content-Type", kind)])
    made = annotate(world.exchange(0, protocol=protocol, request=payload, response=payload))
    assert made.request or not hostile


@given(
    before=st.binary(max_size=60),
    after=st.binary(max_size=60),
    kind=st.sampled_from(_TYPES),
    protocol=st.sampled_from(("HTTP", "MLLP", "DIMSE", "TLS")),
    seed=st.sampled_from((b"", b"MSH|^~\\&|A|B\rOBX|1|ST|", b'{"a": "', b"<a><b>", b"x" * 390,
                          b"\x08\x00\x52\x00CS\x04\x02")),
)  # fmt: skip
def test_no_jwt_survives_annotation(
    world: SimpleNamespace, before: bytes, after: bytes, kind: str, protocol: str, seed: bytes
) -> None:
    for suffix in (b"", b'"}', b"</b></a>"):
        body = seed + before + world.TOKEN.encode() + after + suffix
        payload = Payload.whole(body, start_line=f"GET /?x={world.TOKEN}",
                                head=[("Content-Type", kind), ("X", world.TOKEN)])  # fmt: skip
        made = annotate(world.exchange(0, protocol=protocol, request=payload))
        shown = _everything(made)
        assert world.TOKEN not in shown
        assert world.TOKEN.rpartition(".")[2][:40] not in shown
        signature = world.TOKEN.rpartition(".")[2].encode()
        assert signature[:16].hex(" ") not in shown


@given(st.one_of(st.binary(max_size=80), st.just(dns.message.make_query("a.test", "A").to_wire())))
def test_a_question_of_dns_is_read_or_shown_raw(body: bytes) -> None:
    made = names.section(body, "Requête")
    assert isinstance(made.blocks[0], Code)
    shown = "".join(token.text for line in made.blocks[0].lines for token in line)
    assert ("a.test. IN A" in shown) or b"\x01a\x04test" not in body
