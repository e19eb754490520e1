"""MTOM packages: roundtrip, the forms that circulate, and what cannot be put together."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from protocols import mtom, soap
from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.mtom import MtomError
from protocols.multipart import parse_content_type
from protocols.xml import NS

SAMPLE = Path("../shared/reference/ans-demonstrator-samples/XDS/publication.xml")


@given(
    st.dictionaries(
        st.text(st.sampled_from("abc01.:@-%+"), min_size=1, max_size=12),
        st.tuples(st.binary(max_size=80), st.sampled_from(["text/xml", "application/dicom"])),
        max_size=4,
    )
)
def test_roundtrip(attachments: dict[str, tuple[bytes, str]]) -> None:
    content_type, body = mtom.pack(b"<e/>", attachments, "kit-boundary", action="urn:a")
    assert parse_content_type(content_type)[1]["action"] == "urn:a"
    package = mtom.unpack(content_type, body)
    assert package.envelope == b"<e/>"
    assert {
        cid: (part.data, part.content_type) for cid, part in package.attachments.items()
    } == attachments
    for cid, (data, _) in attachments.items():
        document = etree.Element("Document")
        document.append(mtom.include(cid))
        assert package.resolve(document) == data


def test_inline_content_is_base64() -> None:
    package = mtom.unpack("application/soap+xml; charset=UTF-8", b"\n  <e/>")
    assert package.envelope == b"<e/>"
    assert not package.is_multipart
    document = etree.fromstring("<Document>\n S09\nT </Document>")
    assert package.resolve(document) == b"KOS"
    document.text = "not base64 !"
    with pytest.raises(MtomError, match="base64"):
        package.resolve(document)


def body(*parts: tuple[str, bytes]) -> bytes:
    written = b"".join(b"--b\n" + head.encode() + b"\n" + data + b"\n" for head, data in parts)
    return written + b"--b--"


def test_forms_of_the_field() -> None:
    encoded = base64.encodebytes(b"\0KOS" * 60)
    package = mtom.unpack(
        'multipart/related;boundary="b"; type="application/xop+xml"; start="<0.1>"',
        body(
            ("Content-ID: <0.2>\nContent-Transfer-Encoding: BASE64\n", encoded),
            ("Content-ID: <0.1>\n", b"  <?xml version='1.0'?><e/>"),
            ("Content-ID: urn:uuid:3\nContent-Transfer-Encoding: quoted-printable\n", b"=C3=A9"),
        ),
    )
    assert package.envelope == b"<?xml version='1.0'?><e/>"
    assert package.attachments["0.2"].data == b"\0KOS" * 60
    assert package.attachments["0.2"].encoding == "base64"
    document = etree.Element("Document")
    pointer = etree.SubElement(document, f"{{{NS['xop']}}}Include")
    pointer.set("href", "cid:urn%3Auuid%3A3")
    assert package.resolve(document) == "é".encode()


def test_without_start_the_first_part_is_the_root() -> None:
    for start in ("", '; start="<nobody>"'):
        package = mtom.unpack(
            "multipart/related; boundary=b" + start,
            body(("Content-ID: <r>\n", b"<e/>"), ("Content-ID: <1>\n", b"x")),
        )
        assert package.envelope == b"<e/>"
        assert list(package.attachments) == ["1"]


@pytest.mark.parametrize(
    ("content_type", "data", "message"),
    [
        ("image/png", b"", "attendu"),
        ("multipart/related; boundary=b", b"--b--", "sans partie"),
        ("multipart/related; boundary=b", b"--b\n\nx\n--b", "tronqué"),
        (
            "multipart/related; boundary=b",
            body(("\n", b""), ("Content-ID: <1>\n", b""), ("Content-ID: <1>\n", b"")),
            "deux parties",
        ),
        (
            "multipart/related; boundary=b",
            body(("Content-Transfer-Encoding: uuencode\n", b"")),
            "uuencode",
        ),
        (
            "multipart/related; boundary=b",
            body(("Content-Transfer-Encoding: base64\n", b"a")),
            "base64",
        ),
    ],
)
def test_what_cannot_be_put_together_is_refused(
    content_type: str, data: bytes, message: str
) -> None:
    with pytest.raises(RemoteProtocolError, match=message):
        mtom.unpack(content_type, data)


def test_pointers_that_lead_nowhere() -> None:
    package = mtom.unpack("application/soap+xml", b"<e/>")
    for href in ("cid:absent", "http://elsewhere"):
        document = etree.Element("Document")
        etree.SubElement(document, f"{{{NS['xop']}}}Include").set("href", href)
        with pytest.raises(MtomError):
            package.resolve(document)


def test_our_own_mistakes() -> None:
    with pytest.raises(LocalProtocolError, match="boundary occurs"):
        mtom.pack(b"<e/>", {"1": (b"x--kit", "text/plain")}, "kit")
    with pytest.raises(LocalProtocolError, match="two parts"):
        mtom.pack(b"<e/>", {"root@drimbench": (b"", "text/plain")}, "kit")


@given(st.text(max_size=60), st.binary(max_size=120))
def test_hostile_bytes_only_raise_remote_errors(content_type: str, data: bytes) -> None:
    for kind in (content_type, "multipart/related; boundary=b", "application/soap+xml"):
        with contextlib.suppress(RemoteProtocolError):
            mtom.unpack(kind, b"--b\n" + data)


@pytest.mark.skipif(not SAMPLE.exists(), reason="échantillon de référence absent")
def test_the_published_sample_unpacks() -> None:
    package = mtom.unpack(
        'multipart/related;boundary="MIMEBoundary_Bound"; type="application/xop+xml"; '
        'start="<0.1>"; start-info="application/soap+xml"',
        # Published re-indented by hand: put its delimiters and headers back on the margin.
        re.sub(rb"(?m)^ +(?=--MIMEBoundary|Content-[TI])", b"", SAMPLE.read_bytes()),
    )
    envelope = soap.parse(package.envelope)
    assert envelope.action == "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
    assert envelope.security is not None
    assert envelope.body is not None
    documents = {
        document.get("id"): package.resolve(document)
        for document in envelope.body.findall("xdsb:Document", NS)
    }
    digest = envelope.body.find(".//rim:Slot[@name='hash']/rim:ValueList/rim:Value", NS)
    assert digest is not None
    assert hashlib.sha1(documents["DocumentKOS"]).hexdigest() == digest.text
    assert documents["Signature01"].lstrip().startswith(b"<?xml")
