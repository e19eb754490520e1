"""SOAP envelopes and faults: roundtrip, ambiguity refused, hostile bytes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from protocols import soap
from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.soap import ANONYMOUS, Envelope, Fault, SoapError
from protocols.xml import NS, parse

SOAP = f'xmlns:soap="{NS["soap"]}" xmlns:wsa="{NS["wsa"]}"'
xml_text = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xD7FF), max_size=30)
maybe = st.one_of(st.none(), xml_text.map(str.strip))


def canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_tail=False)


@given(xml_text.map(str.strip), maybe, maybe, maybe, maybe)
def test_roundtrip(
    action: str, message_id: str | None, to: str | None, relates: str | None, reply: str | None
) -> None:
    body = etree.fromstring("<a xmlns='urn:x'>é</a>")
    data = soap.build(
        Envelope(
            action=action,
            message_id=message_id,
            to=to,
            relates_to=relates,
            reply_to=reply,
            body=body,
        )
    )
    read = soap.parse(data)
    fields = (read.action, read.message_id, read.to, read.relates_to, read.reply_to)
    assert fields == (action, message_id, to, relates, reply)
    assert read.body is not None
    assert canonical(read.body) == canonical(body)
    assert read.security is None


def test_the_assertion_is_carried_unchanged_and_copied() -> None:
    holder = etree.fromstring(
        f'<x xmlns:saml="{NS["saml"]}"><saml:Assertion ID="_1">\n <saml:Issuer/> </saml:Assertion>'
        "tail</x>"
    )
    read = soap.parse(soap.build(Envelope(action="a", security=holder[0])))
    assert read.security is not None
    assert read.body is None
    assert canonical(read.security) == canonical(holder[0])
    assert len(holder) == 1


def test_action_and_reply_to_must_be_understood() -> None:
    root = parse(soap.build(Envelope(action="a", message_id="urn:uuid:1", reply_to=ANONYMOUS)))
    head = root.find("soap:Header", NS)
    assert head is not None
    marked = {
        etree.QName(child).localname: child.get(f"{{{NS['soap']}}}mustUnderstand") for child in head
    }
    assert marked == {"Action": "true", "MessageID": None, "ReplyTo": "true"}


def test_absent_and_empty_headers_differ() -> None:
    read = soap.parse(
        f"<soap:Envelope {SOAP}><soap:Header><wsa:To/></soap:Header><soap:Body/>"
        "</soap:Envelope>".encode()
    )
    assert (read.to, read.action, read.reply_to) == ("", None, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<x/>", "attendue"),
        ("<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'/>", "1.1"),
        (f"<soap:Envelope {SOAP}/>", "sans Body"),
        (f"<soap:Envelope {SOAP}><soap:Body/><soap:Body/></soap:Envelope>", "2 fois"),
        (f"<soap:Envelope {SOAP}><soap:Body><a/><b/></soap:Body></soap:Envelope>", "plusieurs"),
        (
            f"<soap:Envelope {SOAP}><soap:Header><wsa:Action>1</wsa:Action><wsa:Action/>"
            "</soap:Header><soap:Body/></soap:Envelope>",
            "Action présent 2 fois",
        ),
        (
            f"<soap:Envelope {SOAP}><soap:Header><Security xmlns='{NS['wsse']}'>"
            f"<a:Assertion xmlns:a='{NS['saml']}'/><a:Assertion xmlns:a='{NS['saml']}'/>"
            "</Security></soap:Header><soap:Body/></soap:Envelope>",
            "Assertion présent 2 fois",
        ),
    ],
)
def test_what_is_not_one_clear_envelope_is_refused(text: str, message: str) -> None:
    with pytest.raises(SoapError, match=message):
        soap.parse(text.encode())


@given(xml_text, st.sampled_from(["", "DMPInvalidCertificate"]), st.sampled_from(["urn:x", ""]))
def test_fault_roundtrip(reason: str, subcode: str, namespace: str) -> None:
    fault = Fault(
        code="Sender",
        reason=reason,
        subcode=subcode,
        subcode_namespace=namespace if namespace and subcode else NS["soap"],
        detail="quoi",
    )
    read = soap.parse(soap.build_fault(fault, message_id="urn:uuid:2", relates_to="urn:uuid:1"))
    assert read.relates_to == "urn:uuid:1"
    assert read.action == soap.FAULT_ACTION
    assert soap.parse_fault(read.body) == fault


def test_another_body_is_no_fault() -> None:
    assert soap.parse_fault(None) is None
    assert soap.parse_fault(etree.fromstring("<a/>")) is None


@pytest.mark.parametrize("inside", ["", "<soap:Code><soap:Value>q:Sender</soap:Value></soap:Code>"])
def test_malformed_faults_are_refused(inside: str) -> None:
    with pytest.raises(SoapError):
        soap.parse_fault(etree.fromstring(f"<soap:Fault {SOAP}>{inside}</soap:Fault>"))


def test_an_action_is_ours_to_give() -> None:
    with pytest.raises(LocalProtocolError):
        soap.build(Envelope())


@given(st.binary(max_size=200))
def test_hostile_bytes_only_raise_remote_errors(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        soap.parse(data)


@given(st.data())
def test_damaged_envelopes_only_raise_remote_errors(draw: st.DataObject) -> None:
    whole = bytearray(soap.build_fault(Fault(code="Sender", reason="r", subcode="S")))
    for _ in range(draw.draw(st.integers(1, 3))):
        at = draw.draw(st.integers(0, len(whole) - 1))
        whole[at : at + draw.draw(st.integers(1, 20))] = draw.draw(st.binary(max_size=3))
        if not whole:
            break
    with contextlib.suppress(RemoteProtocolError):
        soap.parse_fault(soap.parse(bytes(whole)).body)
