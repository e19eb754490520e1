"""VIHF assertions: written in schema order, read whole, believed only from what is signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from protocols import saml, xml
from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.saml import Assertion, Attribute, CodedValue, SamlError
from protocols.xmlsig import SignatureError
from protocols.xsdatetime import DateTimeError
from simulators.igc import Credential, Pki
from spec.vihf import ISSUER_FORMAT, MODE_ACCES_SYSTEM, AttributeName, AuthenticationMode

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
VIHF = Assertion(
    id="_5d0e7b0e",
    issue_instant=NOW,
    issuer="CN=DRIMbox,OU=10B0127189,O=STRUCTURE,ST=Paris (75),C=FR",
    issuer_format=ISSUER_FORMAT,
    name_id="899700000001",
    authn_instant=NOW - timedelta(minutes=2),
    authn_context_class="urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient",
    attributes=(
        Attribute(AttributeName.VIHF_VERSION, ("3.0",)),
        Attribute(AttributeName.AUTHENTIFICATION_MODE, (AuthenticationMode.INDIRECTE,)),
        Attribute(
            AttributeName.PURPOSE_OF_USE,
            (
                CodedValue(
                    "PurposeOfUse", "normal", MODE_ACCES_SYSTEM, "mode acces", "Accès normal"
                ),
            ),
        ),
        Attribute(
            AttributeName.ROLE,
            (
                CodedValue("Role", "10", "1.2.250.1.71.1.2.7", display_name="Médecin"),
                CodedValue("Role", "SM28", "1.2.250.1.71.4.2.5"),
            ),
        ),
    ),
)
FULL = replace(
    VIHF,
    authn_context_decl="APP_BROWSER_AUTH",
    not_before=NOW,
    not_on_or_after=NOW + timedelta(minutes=5),
    audience=("urn:dmp",),
)


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl")


@pytest.fixture(scope="module")
def signer(pki: Pki) -> Credential:
    return pki.sign("DRIMbox", "10B0127189", "STRUCTURE")


def build(signer: Credential, assertion: Assertion = VIHF) -> etree._Element:
    return saml.build(assertion, key=signer.key, certificate=signer.certificate)


@pytest.mark.parametrize("assertion", [VIHF, FULL])
def test_round_trip(signer: Credential, assertion: Assertion) -> None:
    element = xml.parse(xml.serialize(build(signer, assertion)))
    assert saml.parse(element) == assertion
    assert saml.parse(element).certificate == signer.certificate
    verified = saml.verify(element)
    assert verified.assertion == assertion
    assert verified.certificate == signer.certificate
    assert verified.method.endswith("rsa-sha256")
    assert saml.verify_signature(element) == signer.certificate


def test_children_follow_the_schema(signer: Credential) -> None:
    names = [etree.QName(child).localname for child in build(signer, FULL)]
    assert names == [
        "Issuer", "Signature", "Subject", "Conditions", "AuthnStatement", "AttributeStatement",
    ]  # fmt: skip


def test_coded_values_are_hl7_elements(signer: Credential) -> None:
    element = build(signer)
    roles = element.findall(".//{urn:hl7-org:v3}Role")
    assert [dict(role.attrib) for role in roles][1] == {
        "code": "SM28",
        "codeSystem": "1.2.250.1.71.4.2.5",
        "{http://www.w3.org/2001/XMLSchema-instance}type": "CE",
    }
    parsed = saml.parse(element)
    assert [code.code for code in parsed.codes(AttributeName.ROLE)] == ["10", "SM28"]
    assert parsed.text("authentification_mode") == "INDIRECTE"
    assert parsed.text("absent") == ""


def test_it_verifies_in_a_soap_header(signer: Credential) -> None:
    ns = xml.NS
    envelope = etree.Element(f"{{{ns['soap']}}}Envelope", nsmap={k: ns[k] for k in ("soap", "xsi")})
    header = etree.SubElement(envelope, f"{{{ns['soap']}}}Header")
    security = etree.SubElement(header, f"{{{ns['wsse']}}}Security", nsmap={"wsse": ns["wsse"]})
    security.append(build(signer))
    arrived = xml.parse(xml.serialize(envelope))
    assert saml.verify(arrived[0][0][0]).assertion == VIHF


def test_sha1_needs_to_be_let_in(signer: Credential) -> None:
    old = saml.build(VIHF, key=signer.key, certificate=[signer.certificate], algorithm="sha1")
    with pytest.raises(SignatureError):
        saml.verify(old)
    assert saml.verify(old, legacy=True).method.endswith("rsa-sha1")


def test_an_unsigned_assertion_is_read_but_not_verified() -> None:
    element = saml.unsigned(VIHF)
    assert saml.parse(element) == VIHF
    assert saml.parse(element).certificate is None
    with pytest.raises(SignatureError):
        saml.verify(element)


def test_a_comment_does_not_cut_a_name_short(signer: Credential) -> None:
    """Comments are not signed: whole text is read before and after verification."""
    data = xml.serialize(build(signer)).replace(b"899700000001", b"8997<!-- -->00000001")
    element = xml.parse(data)
    assert saml.parse(element).name_id == "899700000001"
    assert saml.verify(element).assertion.name_id == "899700000001"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("899700000001", "899700000002"),
        ("INDIRECTE", "DIRECTE"),
        ('code="normal"', 'code="bris_de_glace"'),
        ("2026-11-22T10:00:00.000Z", "2026-11-22T11:00:00.000Z"),
    ],
)
def test_changed_after_signing(signer: Credential, old: str, new: str) -> None:
    data = xml.serialize(build(signer)).replace(old.encode(), new.encode())
    with pytest.raises(SignatureError):
        saml.verify(xml.parse(data))


def test_wrapping_is_refused(signer: Credential) -> None:
    """A forged assertion with the signed one inside: in an Object, in an Advice, as a sibling."""
    forged = saml.unsigned(replace(VIHF, name_id="0"))
    original = build(signer)
    signature = original[1]
    for place in ("Object", "Advice"):
        attack = xml.parse(etree.tostring(forged))
        taken = xml.parse(etree.tostring(signature))
        attack.insert(1, taken)
        parent = taken if place == "Object" else attack
        holder = etree.SubElement(parent, f"{{{xml.NS['ds']}}}{place}")
        holder.append(xml.parse(etree.tostring(original)))
        with pytest.raises(SignatureError):
            saml.verify(attack)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("saml:Assertion", "saml:Autre", SamlError),
        ("saml:NameID", "saml:Nom", SamlError),
        (' ID="_5d0e7b0e"', "", SamlError),
        ("2026-11-22T10:00:00.000Z", "hier", DateTimeError),
        ("<saml:Subject>", "<saml:Subject><saml:NameID/>", SamlError),
        (' Name="VIHF_Version"', "", SamlError),
        ("<Role ", '<Role xmlns="urn:autre" ', RemoteProtocolError),
        ("PurposeOfUse", "Autre", SamlError),
        ("899700000001", "<b/>", SamlError),
    ],
)
def test_what_is_not_a_vihf(old: str, new: str, error: type[Exception]) -> None:
    data = xml.serialize(saml.unsigned(VIHF)).decode().replace(old, new).encode()
    with pytest.raises(error):
        saml.parse(xml.parse(data))


def test_our_own_misuse(signer: Credential) -> None:
    with pytest.raises(LocalProtocolError):
        build(signer, replace(VIHF, id=""))
    with pytest.raises(LocalProtocolError):
        build(signer, replace(VIHF, issue_instant=NOW.replace(tzinfo=None)))


text = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20).map(
    str.strip
)


@settings(max_examples=60)
@given(name_id=text, values=st.lists(text, max_size=3), display=text)
def test_any_text_survives(name_id: str, values: list[str], display: str) -> None:
    assertion = replace(
        VIHF,
        name_id=name_id,
        attributes=(
            Attribute("a", tuple(values)),
            Attribute("r", (CodedValue("Role", "c", "s", display_name=display),)),
        ),
    )
    try:
        element = saml.unsigned(assertion)
    except ValueError:  # lxml refuses what XML 1.0 cannot hold (U+FFFE...)
        return
    assert saml.parse(xml.parse(xml.serialize(element))) == assertion


@settings(max_examples=100)
@given(data=st.data())
def test_hostile_bytes(data: st.DataObject) -> None:
    seed = xml.serialize(saml.unsigned(FULL))
    start = data.draw(st.integers(0, len(seed) - 1))
    length = data.draw(st.integers(0, 12))
    put = data.draw(st.one_of(st.binary(max_size=8), st.sampled_from([b"<a/>", b"<!---->"])))
    try:
        saml.parse(xml.parse(seed[:start] + put + seed[start + length :]))
    except RemoteProtocolError:
        return
