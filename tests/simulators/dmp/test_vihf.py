"""Addressing headers and VIHF: the faults of the DMP, in the order of its checks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from lxml import etree

from protocols import hl7v3, saml, soap
from protocols.soap import Envelope
from protocols.xml import NS, parse, serialize
from simulators.dmp.rights import MATRIX, Grant, Profile, Transaction, grant
from simulators.dmp.service import Service
from spec.dmp import EXISTENCE_ACTION, FaultSubcode, ServicePath, Text
from spec.vihf import AttributeName, ModeAcces
from tests.simulators.dmp.box import NOW, STRUCTURE, Box, Certificates, body_of, fault_of, ins

PLAIN = "application/soap+xml"


def test_a_good_vihf_is_believed(box: Box) -> None:
    reply = box.exists()
    assert reply.status == 200
    assert reply.transaction == "TD0.2"


@pytest.mark.parametrize("missing", ["action", "message_id", "to"])
def test_missing_addressing_headers(box: Box, missing: str) -> None:
    headers = {"action": EXISTENCE_ACTION, "message_id": "urn:uuid:1", "to": "", "x": ""}
    names = {"action": "Action", "message_id": "MessageID", "to": "To"}
    root = parse(soap.build(Envelope(action=headers["action"], message_id="urn:uuid:1", to="")))
    element = root.find(f"soap:Header/wsa:{names[missing]}", NS)
    assert element is not None
    parent = element.getparent()
    assert parent is not None
    parent.remove(element)
    reply = box.service.answer(ServicePath.PATIENTS, PLAIN, serialize(root))
    fault = fault_of(reply)
    assert fault.reason == Text.ADDRESSING
    assert fault.subcode_namespace == NS["wsa"]


def test_an_action_belongs_to_one_service(box: Box) -> None:
    for action in (EXISTENCE_ACTION, "urn:unknown"):
        data = box.request(action, etree.Element("x"), box.vihf())
        reply = box.service.answer(ServicePath.REGISTRY, PLAIN, data)
        assert fault_of(reply).subcode == FaultSubcode.ACTION


@pytest.mark.parametrize("data", [b"", b"<x/>", b"not xml", b"<!DOCTYPE x><x/>"])
@pytest.mark.parametrize("path", ServicePath)
def test_what_is_no_envelope_is_a_fault_too(box: Box, path: ServicePath, data: bytes) -> None:
    assert fault_of(box.service.answer(path, PLAIN, data)).subcode == FaultSubcode.REQUEST
    assert fault_of(box.service.answer(path, "image/png", data)).subcode == FaultSubcode.REQUEST


def test_no_vihf(box: Box) -> None:
    data = box.request(EXISTENCE_ACTION, etree.Element("x"), None)
    reply = box.service.answer(ServicePath.PATIENTS, PLAIN, data)
    assert fault_of(reply).subcode == FaultSubcode.VIHF


def send(box: Box, assertion: etree._Element) -> soap.Fault:
    data = soap.build(
        Envelope(
            action=EXISTENCE_ACTION,
            message_id="urn:uuid:1",
            to="",
            security=assertion,
            body=etree.Element("x"),
        )
    )
    return fault_of(box.service.answer(ServicePath.PATIENTS, PLAIN, data))


def test_a_tampered_or_unsigned_vihf(box: Box) -> None:
    assertion = box.vihf().element()
    name_id = assertion.find(".//saml:NameID", NS)
    assert name_id is not None
    name_id.text = "899700009999"
    assert send(box, assertion).subcode == FaultSubcode.SIGNATURE
    unsigned = saml.unsigned(saml.parse(box.vihf().element()))
    assert send(box, unsigned).subcode == FaultSubcode.SIGNATURE


def test_only_a_valid_signature_certificate_signs(box: Box, certificates: Certificates) -> None:
    pki, key = certificates.pki, certificates.sign.key
    for credential in (
        certificates.auth,
        pki.sign("DRIMbox", STRUCTURE, issuer="market", key=key),
        pki.sign("DRIMbox", STRUCTURE, expired=True, key=key),
        pki.sign("DRIMbox", STRUCTURE, self_signed=True, key=key),
    ):
        fault = fault_of(box.exists(vihf=box.vihf(credential=credential)))
        assert fault.subcode == "DMPInvalidCertificate"
        assert (fault.code, fault.subcode_namespace) == ("Sender", NS["soap"])


@pytest.mark.parametrize(
    ("changes", "subcode"),
    [
        ({"issuer": "CN=Autre,C=FR"}, FaultSubcode.VIHF),
        ({"issuer": "not a dn"}, FaultSubcode.VIHF),
        ({"issued": NOW - timedelta(hours=2)}, FaultSubcode.WINDOW),
        ({"issued": NOW + timedelta(hours=2)}, FaultSubcode.WINDOW),
        ({"mode": "AUTRE"}, FaultSubcode.VIHF),
        ({"mode": "DELEGUEE"}, FaultSubcode.RIGHTS),
        ({"access": "urgence"}, FaultSubcode.VIHF),
        ({"version": "1.0"}, FaultSubcode.VIHF),
        ({"structure": "499700000002002"}, FaultSubcode.STRUCTURE),
        ({"patient": ""}, FaultSubcode.VIHF),
        ({"patient": "^^^"}, FaultSubcode.VIHF),
        ({"patient": ins("162018885045327")}, FaultSubcode.PATIENT),
        ({"roles": ()}, FaultSubcode.VIHF),
        ({"name_id": ""}, FaultSubcode.VIHF),
        *(
            ({"drop": name}, FaultSubcode.VIHF)
            for name in (
                AttributeName.VIHF_VERSION,
                AttributeName.AUTHENTIFICATION_MODE,
                AttributeName.IDENTIFIANT_STRUCTURE,
                AttributeName.SECTEUR_ACTIVITE,
                AttributeName.RESSOURCE_URN,
                AttributeName.SUBJECT_ID,
                AttributeName.LPS_ID_HOMOLOGATION_DMP,
            )
        ),
    ],
)
def test_what_a_vihf_must_say(box: Box, changes: dict[str, object], subcode: str) -> None:
    assert fault_of(box.exists(vihf=box.vihf(**changes))).subcode == subcode


def test_texts_that_clients_reported(box: Box) -> None:
    no_specialty = box.vihf(roles=(("10", "1.2.250.1.71.1.2.7"),))
    assert fault_of(box.exists(vihf=no_specialty)).reason == Text.SPECIALTY
    elsewhere = box.vihf(structure="499700000002002")
    assert fault_of(box.exists(vihf=elsewhere)).reason == Text.LEGAL_PERSON


def test_an_issuer_in_the_other_order_is_the_same(box: Box) -> None:
    reverse = ", ".join(reversed(box.certificates.sign.dn.split(",")))
    assert box.exists(vihf=box.vihf(issuer=reverse)).status == 200


def test_an_entity_speaks_for_its_establishments(
    make_service: Callable[..., Service], certificates: Certificates
) -> None:
    service = make_service(establishments={STRUCTURE: frozenset({"1750000001"})})
    box = Box(service, certificates)
    assert box.exists(vihf=box.vihf(structure="1750000001")).status == 200
    assert box.exists(vihf=box.vihf(structure="1750000002")).status == 500


def test_the_window_is_an_option(
    make_service: Callable[..., Service], certificates: Certificates
) -> None:
    box = Box(make_service(vihf_window=None), certificates)
    assert box.exists(vihf=box.vihf(issued=NOW - timedelta(days=90))).status == 200


@pytest.mark.parametrize(
    ("profile", "transaction", "cells"),
    [
        (Profile.INDIRECT, Transaction.FEED, "oui oui non"),
        (Profile.INDIRECT, Transaction.SEARCH, "non non non"),
        (Profile.INDIRECT, Transaction.READ, "non non non"),
        (Profile.INDIRECT, Transaction.FIND_REFERENCE, "oui oui non"),
        (Profile.AIR_PHYSICIAN, Transaction.FEED, "non non non"),
        (Profile.AIR_PHYSICIAN, Transaction.SEARCH, "oui oui oui"),
        (Profile.AIR_PHYSICIAN, Transaction.AUTHORISE, "oui non non"),
        (Profile.AIR_STAFF, Transaction.SEARCH, "non non non"),
        (Profile.AIR_STAFF, Transaction.EXISTENCE, "oui non non"),
        (Profile.DIRECT_CPS, Transaction.FEED, "oui oui oui"),
    ],
)
def test_rows_of_the_matrix(profile: Profile, transaction: Transaction, cells: str) -> None:
    modes = (ModeAcces.NORMAL, ModeAcces.CENTRE_15, ModeAcces.BRIS_DE_GLACE)
    assert [grant(transaction, profile, mode).value for mode in modes] == cells.split()


def test_the_matrix_is_complete() -> None:
    assert len(MATRIX) == len(Transaction) * len(Profile) * len(ModeAcces)
    assert MATRIX[Transaction.DELETE, Profile.INDIRECT, ModeAcces.NORMAL] is Grant.STRUCTURE


def test_the_answer_goes_back_to_the_request(box: Box) -> None:
    reply = box.exists()
    answer = hl7v3.parse_existence_answer(body_of(reply))
    assert answer.target_message.extension == "m1"
    assert reply.content_type.startswith("application/soap+xml")
