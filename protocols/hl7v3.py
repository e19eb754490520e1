"""HL7 v3 Patient Registry Get Demographics, as the DMP's existence test (TD0.2) writes it.

Syntax of `PRPA_IN201307UV02` (request) and `PRPA_IN201308UV02` (answer); what the codes mean is
for the DMP, its clients and the judges.

Réf. HL7 v3 Normative Edition 2009, Patient Administration, PRPA_IN201307UV02 and 308; the fixed
values and the positions of AUTORISATION, STATUT_MT and the observations follow the message
examples of the GIE SESAM-Vitale (grade `sample`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from lxml import etree

from protocols.errors import RemoteProtocolError
from protocols.xml import NS
from spec.dmp import (
    ADMINISTRATIVE_OBSERVATION_ENS,
    ADMINISTRATIVE_OBSERVATION_INTERNET,
    AUTHORISATION_KEYWORD,
    AUTHORISATION_VALUES,
    EXISTENCE_REASON,
    INTERACTION_ID,
    SYSTEM_OID,
    TREATING_PHYSICIAN_KEYWORD,
)

__all__ = [
    "II",
    "AckDetail",
    "ExistenceAnswer",
    "ExistenceTest",
    "Hl7v3Error",
    "Person",
    "build_existence_answer",
    "build_existence_test",
    "parse_existence_answer",
    "parse_existence_test",
]

_HL7_URI = "urn:hl7-org:v3"
_HL7 = f"{{{_HL7_URI}}}"
_XSI = f"{{{NS['xsi']}}}"
_NS = {"h": _HL7_URI}

_REQUEST = "PRPA_IN201307UV02"
_ANSWER = "PRPA_IN201308UV02"


class Hl7v3Error(RemoteProtocolError):
    """An element that is not the HL7 v3 message expected."""


@dataclass(frozen=True, slots=True)
class II:
    """Instance identifier: root OID and extension."""

    root: str
    extension: str = ""


@dataclass(frozen=True, slots=True)
class AckDetail:
    """One acknowledgementDetail: the DMP's error code and its text."""

    code: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """patientPerson. Birth time is `YYYYMMDD`."""

    family: str = ""
    given: str = ""
    prefix: str = ""
    gender: str = ""
    birth_time: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistenceTest:
    """TD0.2 request. Times are `YYYYMMDDHHMMSS`, UTC."""

    message_id: II
    creation_time: str
    patient: II
    sender: str
    """Root OID of the sending installation."""
    query_id: II
    sender_name: str = ""
    receiver: str = SYSTEM_OID
    receiver_name: str = "DMP"
    reason: str = EXISTENCE_REASON[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistenceAnswer:
    """TD0.2 answer. None or "" or () means absent."""

    message_id: II
    creation_time: str
    target_message: II
    acknowledgement: str = "AA"
    """acknowledgement/@typeCode: `AA`, `AE`, `AR`"""
    details: tuple[AckDetail, ...] = ()
    authorisation: str = ""
    """code of the keyword AUTORISATION"""
    treating_physician: bool | None = None
    """value of the keyword STATUT_MT"""
    response_code: str = ""
    """queryAck/queryResponseCode: `OK` or `NF`"""
    query_id: II | None = None
    patient_ids: tuple[II, ...] = ()
    patient_status: str = ""
    """`active` or `terminated`"""
    person: Person | None = None
    internet_account: bool | None = None
    ens: bool | None = None
    """RATTACHEMENT_ENS: attached to Mon espace santé"""
    sender: str = SYSTEM_OID
    sender_name: str = "DMP"
    receiver: str = ""
    receiver_name: str = ""


def _child(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, _HL7 + name, attributes)


def _ii(parent: etree._Element, name: str, value: II) -> None:
    element = _child(parent, name, root=value.root)
    if value.extension:
        element.set("extension", value.extension)


def _message(
    name: str, message_id: II, creation_time: str, *, processing: str, accept: str
) -> etree._Element:
    # lxml-stubs forget that None is the default namespace's prefix.
    nsmap = cast("dict[str, str]", {None: _HL7_URI, "xsi": NS["xsi"]})
    root = etree.Element(_HL7 + name, {"ITSVersion": "XML_1.0"}, nsmap=nsmap)
    _ii(root, "id", message_id)
    _child(root, "creationTime", value=creation_time)
    _ii(root, "interactionId", II(INTERACTION_ID, name))
    _child(root, "processingCode", code=processing)
    _child(root, "processingModeCode", code="T")
    _child(root, "acceptAckCode", code=accept)
    return root


def _device(root: etree._Element, role: str, code: str, oid: str, name: str) -> None:
    device = _child(
        _child(root, role, typeCode=code), "device", classCode="DEV", determinerCode="INSTANCE"
    )
    _ii(device, "id", II(oid))
    if name:
        _child(device, "softwareName").text = name


def build_existence_test(test: ExistenceTest) -> etree._Element:
    """`PRPA_IN201307UV02`."""
    root = _message(_REQUEST, test.message_id, test.creation_time, processing="D", accept="AL")
    _device(root, "receiver", "RCV", test.receiver, test.receiver_name)
    _device(root, "sender", "SND", test.sender, test.sender_name)
    act = _child(root, "controlActProcess", classCode="CACT", moodCode="EVN")
    _child(act, "reasonCode", code=test.reason, codeSystem=EXISTENCE_REASON[1])
    query = _child(act, "queryByParameter")
    _ii(query, "queryId", test.query_id)
    _child(query, "statusCode", code="new")
    parameter = _child(_child(query, "parameterList"), "patientIdentifier")
    _ii(parameter, "value", test.patient)
    _child(parameter, "semanticsText").text = "Patient.id"
    return root


def _root(element: etree._Element, name: str) -> None:
    if element.tag != _HL7 + name:
        raise Hl7v3Error(f"{name} attendu, reçu {element.tag}")


def _find_ii(element: etree._Element, path: str) -> II | None:
    found = element.find(path, _NS)
    return None if found is None else II(found.get("root", ""), found.get("extension", ""))


def _attribute(element: etree._Element, path: str, name: str) -> str:
    found = element.find(path, _NS)
    return "" if found is None else found.get(name, "")


def _text(element: etree._Element, path: str) -> str:
    return (element.findtext(path, "", _NS) or "").strip()


def _demanded(element: etree._Element, path: str) -> II:
    found = _find_ii(element, path)
    if found is None:
        raise Hl7v3Error("identifiant absent", where=path.replace("h:", ""))
    return found


def parse_existence_test(element: etree._Element) -> ExistenceTest:
    """The request in a `PRPA_IN201307UV02`.

    Raises:
        Hl7v3Error: another element, or no message, query or patient identifier.
    """
    _root(element, _REQUEST)
    query = "h:controlActProcess/h:queryByParameter"
    return ExistenceTest(
        message_id=_demanded(element, "h:id"),
        creation_time=_attribute(element, "h:creationTime", "value"),
        patient=_demanded(element, f"{query}/h:parameterList/h:patientIdentifier/h:value"),
        sender=_attribute(element, "h:sender/h:device/h:id", "root"),
        sender_name=_text(element, "h:sender/h:device/h:softwareName"),
        receiver=_attribute(element, "h:receiver/h:device/h:id", "root"),
        receiver_name=_text(element, "h:receiver/h:device/h:softwareName"),
        query_id=_demanded(element, f"{query}/h:queryId"),
        reason=_attribute(element, "h:controlActProcess/h:reasonCode", "code"),
    )


def build_existence_answer(answer: ExistenceAnswer) -> etree._Element:
    """`PRPA_IN201308UV02`."""
    root = _message(_ANSWER, answer.message_id, answer.creation_time, processing="P", accept="NE")
    _device(root, "receiver", "RCV", answer.receiver, answer.receiver_name)
    _device(root, "sender", "SND", answer.sender, answer.sender_name)
    if answer.authorisation:
        value = _keyword(root, AUTHORISATION_KEYWORD, "CV")
        value.set("code", answer.authorisation)
        value.set("codeSystem", AUTHORISATION_VALUES)
    if answer.treating_physician is not None:
        value = _keyword(root, TREATING_PHYSICIAN_KEYWORD, "BL")
        value.set("value", _bl(answer.treating_physician))
    acknowledgement = _child(root, "acknowledgement", typeCode=answer.acknowledgement)
    _ii(_child(acknowledgement, "targetMessage"), "id", answer.target_message)
    for detail in answer.details:
        element = _child(acknowledgement, "acknowledgementDetail", typeCode="E")
        _child(element, "code", code=detail.code)
        _child(element, "text").text = detail.text
    if answer.response_code:
        act = _child(root, "controlActProcess", classCode="CACT", moodCode="EVN")
        if answer.patient_ids:
            _registration(act, answer)
        ack = _child(act, "queryAck")
        if answer.query_id is not None:
            _ii(ack, "queryId", answer.query_id)
        _child(ack, "queryResponseCode", code=answer.response_code)
    return root


def _bl(value: bool) -> str:
    return "true" if value else "false"


def _keyword(root: etree._Element, keyword: tuple[str, str], kind: str) -> etree._Element:
    line = _child(root, "attentionLine")
    word = _child(line, "keyWordText", codeSystem=keyword[1])
    word.text = keyword[0]
    value = _child(line, "value")
    value.set(f"{_XSI}type", kind)
    return value


def _registration(act: etree._Element, answer: ExistenceAnswer) -> None:
    event = _child(
        _child(act, "subject", typeCode="SUBJ"),
        "registrationEvent",
        classCode="REG",
        moodCode="EVN",
    )
    _child(event, "statusCode", code="completed")
    patient = _child(_child(event, "subject1", typeCode="SBJ"), "patient", classCode="PAT")
    for identifier in answer.patient_ids:
        _ii(patient, "id", identifier)
    _child(patient, "statusCode", code=answer.patient_status)
    if answer.person is not None:
        _person(patient, answer.person)
    for code, value in (
        (ADMINISTRATIVE_OBSERVATION_INTERNET, answer.internet_account),
        (ADMINISTRATIVE_OBSERVATION_ENS, answer.ens),
    ):
        if value is not None:
            observation = _child(
                _child(patient, "subjectOf"),
                "administrativeObservation",
                classCode="OBS",
                moodCode="EVN",
            )
            _child(observation, "code", code=code[0], codeSystem=code[1])
            element = _child(observation, "value", value=_bl(value))
            element.set(f"{_XSI}type", "BL")
    custodian = _child(_child(event, "custodian", typeCode="CST"), "assignedEntity")
    custodian.set("classCode", "ASSIGNED")
    _ii(custodian, "id", II(SYSTEM_OID))


def _person(patient: etree._Element, value: Person) -> None:
    person = _child(patient, "patientPerson", classCode="PSN", determinerCode="INSTANCE")
    name = _child(person, "name")
    for part, text in (("prefix", value.prefix), ("given", value.given)):
        if text:
            _child(name, part).text = text
    if value.family:
        _child(name, "family", qualifier="SP").text = value.family
    if value.gender:
        _child(person, "administrativeGenderCode", code=value.gender)
    if value.birth_time:
        _child(person, "birthTime", value=value.birth_time)


def parse_existence_answer(element: etree._Element) -> ExistenceAnswer:
    """The answer in a `PRPA_IN201308UV02`.

    Raises:
        Hl7v3Error: another element, or no message id, acknowledgement or target message.
    """
    _root(element, _ANSWER)
    acknowledgement = element.find("h:acknowledgement", _NS)
    if acknowledgement is None:
        raise Hl7v3Error("acknowledgement absent", where="acknowledgement")
    keywords = {
        _text(line, "h:keyWordText"): value
        for line in element.findall("h:attentionLine", _NS)
        if (value := line.find("h:value", _NS)) is not None
    }
    authorisation = keywords.get(AUTHORISATION_KEYWORD[0])
    patient = element.find(
        "h:controlActProcess/h:subject/h:registrationEvent/h:subject1/h:patient", _NS
    )
    fields = _patient(patient) if patient is not None else _Patient()
    return ExistenceAnswer(
        message_id=_demanded(element, "h:id"),
        creation_time=_attribute(element, "h:creationTime", "value"),
        target_message=_demanded(acknowledgement, "h:targetMessage/h:id"),
        acknowledgement=acknowledgement.get("typeCode", ""),
        details=tuple(
            AckDetail(_attribute(detail, "h:code", "code"), _text(detail, "h:text"))
            for detail in acknowledgement.findall("h:acknowledgementDetail", _NS)
        ),
        authorisation="" if authorisation is None else authorisation.get("code", ""),
        treating_physician=_boolean(keywords.get(TREATING_PHYSICIAN_KEYWORD[0])),
        response_code=_attribute(
            element, "h:controlActProcess/h:queryAck/h:queryResponseCode", "code"
        ),
        query_id=_find_ii(element, "h:controlActProcess/h:queryAck/h:queryId"),
        patient_ids=fields.ids,
        patient_status=fields.status,
        person=fields.person,
        internet_account=fields.internet_account,
        ens=fields.ens,
        sender=_attribute(element, "h:sender/h:device/h:id", "root"),
        sender_name=_text(element, "h:sender/h:device/h:softwareName"),
        receiver=_attribute(element, "h:receiver/h:device/h:id", "root"),
        receiver_name=_text(element, "h:receiver/h:device/h:softwareName"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patient:
    ids: tuple[II, ...] = ()
    status: str = ""
    person: Person | None = None
    internet_account: bool | None = None
    ens: bool | None = None


def _boolean(element: etree._Element | None) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(
        "" if element is None else element.get("value", "")
    )


def _patient(patient: etree._Element) -> _Patient:
    observations = {
        _attribute(observation, "h:code", "code"): observation.find("h:value", _NS)
        for observation in patient.findall("h:subjectOf/h:administrativeObservation", _NS)
    }
    person = patient.find("h:patientPerson", _NS)
    return _Patient(
        ids=tuple(
            II(found.get("root", ""), found.get("extension", ""))
            for found in patient.findall("h:id", _NS)
        ),
        status=_attribute(patient, "h:statusCode", "code"),
        person=None
        if person is None
        else Person(
            family=_text(person, "h:name/h:family"),
            given=_text(person, "h:name/h:given"),
            prefix=_text(person, "h:name/h:prefix"),
            gender=_attribute(person, "h:administrativeGenderCode", "code"),
            birth_time=_attribute(person, "h:birthTime", "value"),
        ),
        internet_account=_boolean(observations.get(ADMINISTRATIVE_OBSERVATION_INTERNET[0])),
        ens=_boolean(observations.get(ADMINISTRATIVE_OBSERVATION_ENS[0])),
    )
