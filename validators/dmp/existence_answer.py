"""TD0.2, the answer: the state of the DMP, and that of the professional's authorisation."""

from __future__ import annotations

from lxml import etree

from protocols.hl7v3 import II, AckDetail
from protocols.xml import NS
from spec.dmp import (
    ADMINISTRATIVE_OBSERVATION_ENS,
    ADMINISTRATIVE_OBSERVATION_INTERNET,
    AUTHORISATION_KEYWORD,
    AUTHORISATION_VALUES,
    EXISTENCE_ANSWER_ACTION,
    INTERACTION_ID,
    SYSTEM_OID,
    TREATING_PHYSICIAN_KEYWORD,
    Authorisation,
)
from spec.oids import INS_AUTHORITIES
from validators.context import Context
from validators.dmp.addressing import GIE, answer_rules
from validators.dmp.existence import attribute, text
from validators.dmp.reading import Message, answer, earlier
from validators.examples import dmp as example
from validators.examples.xds import Tamper, edit
from validators.finding import Severity
from validators.identifiers import is_dtm, is_matricule, is_oid
from validators.rule import Broken, RuleSet
from validators.xds.rules import Findings, pdsm, same, w3c

__all__ = ["EXISTENCE_ANSWER", "REGISTERED", "read"]

_HL7 = {"h": NS["cda"]}
_NAME = "PRPA_IN201308UV02"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_NIL, _TYPE, _TRUE = f"{_XSI}nil", f"{_XSI}type", ("true", "1")
REGISTERED = "h:controlActProcess/h:subject/h:registrationEvent/h:subject1/h:patient"
"""Where the patient stands that an answer returns, `h` being HL7 v3."""
_RESPONSE = "h:controlActProcess/h:queryAck/h:queryResponseCode"

read = answer(f"{{{NS['cda']}}}{_NAME}")

EXISTENCE_ANSWER = RuleSet(
    "td0.2-response",
    good=example.existence_answer,
    syntax="TD02-100",
    unreadable=lambda: b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n\r\n<a/>",
    reference=w3c("HL7 v3 NE 2009", _NAME),
    requirements=("DMP/UX.08",),
)


def _spoiled(tamper: Tamper | None) -> bytes:
    return example.existence_answer(tamper)


answer_rules(EXISTENCE_ANSWER, "TD02", (EXISTENCE_ANSWER_ACTION,), _spoiled)


@EXISTENCE_ANSWER.rule(
    "TD02-120",
    "Le message est une interaction PRPA_IN201308UV02, identifiée et datée",
    reference=w3c("HL7 v3 NE 2009", _NAME),
    bad=lambda: example.existence_answer(edit("//cda:interactionId", "extension", "autre")),
)
def interaction(message: Message) -> Findings:
    for name, expected in (("root", INTERACTION_ID), ("extension", _NAME)):
        written = attribute(message.body, "h:interactionId", name)
        yield from same(written, expected, f"//interactionId/@{name}", name)
    written = attribute(message.body, "h:creationTime", "value")
    if not is_dtm(written) or not is_oid(attribute(message.body, "h:id", "root")):
        yield Broken(
            message="L'identifiant ou la date du message est illisible.",
            expected="OID, AAAAMMJJHHMMSS",
            actual=written,
            where="//creationTime/@value",
        )


@EXISTENCE_ANSWER.rule(
    "TD02-121",
    "L'acquittement est AA, ou dit pourquoi il ne l'est pas",
    reference=w3c("HL7 v3 NE 2009", "MCCI, Acknowledgement"),
    good=lambda: example.existence_answer(
        acknowledgement="AE", details=(AckDetail("KIT-1", "Structure introuvable"),)
    ),
    bad=lambda: example.existence_answer(acknowledgement="AE"),
)
def acknowledgement(message: Message) -> Findings:
    kind = attribute(message.body, "h:acknowledgement", "typeCode")
    details = message.body.findall("h:acknowledgement/h:acknowledgementDetail", _HL7)
    coded = [one for one in details if attribute(one, "h:code", "code")]
    if kind not in ("AA", "AE", "AR") or (kind != "AA" and not coded):
        yield Broken(
            message="L'acquittement est inconnu, ou un refus n'est pas expliqué.",
            expected="AA, ou AE | AR et acknowledgementDetail/code",
            actual=f"{kind}, {len(coded)} détail(s)",
            where="//acknowledgement",
        )


def _target(message: Message) -> tuple[str, str]:
    path = "h:acknowledgement/h:targetMessage/h:id"
    return attribute(message.body, path, "root"), attribute(message.body, path, "extension")


@EXISTENCE_ANSWER.rule(
    "TD02-122",
    "targetMessage est l'identifiant de la demande",
    reference=w3c("HL7 v3 NE 2009", "MCCI, targetMessage"),
    given=Context(request=example.asked_existence()),
    bad=lambda: example.existence_answer(target_message=II("1.2.3", "9")),
)
def target(message: Message) -> Findings:
    asked = earlier(message.context)
    if asked is None:
        return
    expected = attribute(asked[0], "h:id", "root"), attribute(asked[0], "h:id", "extension")
    if any(expected) and _target(message) != expected:
        yield Broken(
            message="La réponse est celle d'une autre demande.",
            expected=" ".join(expected),
            actual=" ".join(_target(message)),
            where="//targetMessage/id",
        )


@EXISTENCE_ANSWER.rule(
    "TD02-123",
    "targetMessage est renseigné",
    reference=w3c("HL7 v3 NE 2009", "MCCI, targetMessage"),
    bad=lambda: example.existence_answer(edit("//cda:targetMessage/cda:id", "root", "")),
)
def names_target(message: Message) -> Findings:
    if not _target(message)[0]:
        yield Broken(message="La demande n'est pas nommée.", where="//targetMessage/id")


def _keyword(message: Message, word: str) -> list[etree._Element]:
    return [
        value
        for line in message.body.findall("h:attentionLine", _HL7)
        if text(line, "h:keyWordText") == word
        for value in line.findall("h:value", _HL7)
    ]


@EXISTENCE_ANSWER.rule(
    "TD02-124",
    "Le statut d'autorisation est l'un des quatre connus",
    reference=GIE,
    bad=lambda: example.existence_answer(authorisation="OUI"),
)
def authorisation(message: Message) -> Findings:
    for value in _keyword(message, AUTHORISATION_KEYWORD[0]):
        if value.get("code", "") not in list(Authorisation):
            yield Broken(
                message="Ce statut d'autorisation est inconnu.",
                expected=" | ".join(Authorisation),
                actual=value.get("code", ""),
                where="//attentionLine[keyWordText='AUTORISATION']/value/@code",
            )


@EXISTENCE_ANSWER.rule(
    "TD02-125",
    "Le statut d'autorisation est donné pour un DMP actif",
    reference=pdsm("TD0.2"),
    severity=Severity.WARNING,
    bad=lambda: example.existence_answer(authorisation=""),
)
def authorisation_is_given(message: Message) -> Findings:
    active = attribute(message.body, f"{REGISTERED}/h:statusCode", "code") == "active"
    if active and not _keyword(message, AUTHORISATION_KEYWORD[0]):
        yield Broken(message="AUTORISATION manque.", where="//attentionLine")


@EXISTENCE_ANSWER.rule(
    "TD02-126",
    "queryResponseCode est OK ou NF, et s'accorde avec le patient rendu",
    reference=GIE,
    bad=lambda: example.existence_answer(response_code="NF"),
)
def response(message: Message) -> Findings:
    if attribute(message.body, "h:acknowledgement", "typeCode") != "AA":
        return
    code = attribute(message.body, _RESPONSE, "code")
    found = message.body.find(REGISTERED, _HL7) is not None
    if code not in ("OK", "NF") or found != (code == "OK"):
        yield Broken(
            message="Le code de la réponse est inconnu, ou contredit ce qu'elle rend.",
            expected="OK et un patient, ou NF sans patient",
            actual=f"{code}, {'un' if found else 'aucun'} patient",
            where="//queryResponseCode/@code",
        )


@EXISTENCE_ANSWER.rule(
    "TD02-127",
    "Le DMP est actif ou fermé",
    reference=GIE,
    bad=lambda: example.existence_answer(patient_status="ouvert"),
)
def state(message: Message) -> Findings:
    path = f"{REGISTERED}/h:statusCode"
    if message.body.find(REGISTERED, _HL7) is None:
        return
    written = attribute(message.body, path, "code")
    if written not in ("active", "terminated"):
        yield Broken(
            message="Cet état du DMP est inconnu.",
            expected="active | terminated",
            actual=written,
            where="//patient/statusCode/@code",
        )


def _identifiers(message: Message) -> list[tuple[str, str]]:
    return [
        (one.get("root", ""), one.get("extension", ""))
        for one in message.body.findall(f"{REGISTERED}/h:id", _HL7)
    ]


@EXISTENCE_ANSWER.rule(
    "TD02-128",
    "Le patient rendu a un INS",
    reference=pdsm("TD0.2"),
    bad=lambda: example.existence_answer(patient_ids=(II("1.2.3", "IPP900"),)),
)
def patient(message: Message) -> Findings:
    found = _identifiers(message)
    # The obsolete INS-C is still echoed beside the INS.
    known = [one for one in found if one[0] in INS_AUTHORITIES and is_matricule(one[1])]
    if message.body.find(REGISTERED, _HL7) is not None and not known:
        yield Broken(
            message="Aucun identifiant du patient n'est un INS.",
            expected="un OID de l'INS et un matricule",
            actual=" ".join(f"{value} ({root})" for root, value in found),
            where="//patient/id",
        )


@EXISTENCE_ANSWER.rule(
    "TD02-129",
    "Le patient rendu est celui demandé",
    reference=pdsm("TD0.2"),
    given=Context(request=example.asked_existence()),
    bad=lambda: example.existence_answer(
        patient_ids=(II("1.2.250.1.213.1.4.10", "162018885045327"),)
    ),
)
def same_patient(message: Message) -> Findings:
    asked = earlier(message.context)
    found = _identifiers(message)
    if asked is None or not found:
        return
    path = "h:controlActProcess/h:queryByParameter/h:parameterList/h:patientIdentifier/h:value"
    wanted = attribute(asked[0], path, "root"), attribute(asked[0], path, "extension")
    if any(wanted) and wanted not in found:
        yield Broken(
            message="La réponse est celle d'un autre patient.",
            expected=f"{wanted[1]} ({wanted[0]})",
            actual=" ".join(f"{value} ({root})" for root, value in found),
            where="//patient/id",
        )


@EXISTENCE_ANSWER.rule(
    "TD02-130",
    "STATUT_MT est un booléen",
    reference=GIE,
    bad=lambda: example.existence_answer(
        edit("//cda:attentionLine[cda:keyWordText='STATUT_MT']/cda:value", "value", "oui")
    ),
)
def treating_physician(message: Message) -> Findings:
    for value in _keyword(message, TREATING_PHYSICIAN_KEYWORD[0]):
        if value.get("value", "") not in ("true", "false"):
            yield Broken(
                message="Ce n'est pas un booléen.",
                expected="true | false",
                actual=value.get("value", ""),
                where="//attentionLine[keyWordText='STATUT_MT']/value/@value",
            )


@EXISTENCE_ANSWER.rule(
    "TD02-131",
    "L'émetteur de la réponse est le DMP",
    reference=GIE,
    severity=Severity.WARNING,
    bad=lambda: example.existence_answer(sender="1.2.3"),
)
def sender(message: Message) -> Findings:
    written = attribute(message.body, "h:sender/h:device/h:id", "root")
    yield from same(written, SYSTEM_OID, "//sender/device/id/@root", "sender")


_FIXED = (
    (".", "ITSVersion", "XML_1.0"),
    ("h:processingCode", "code", "P"),
    ("h:processingModeCode", "code", "T"),
    ("h:acceptAckCode", "code", "NE"),
    ("h:receiver", "typeCode", "RCV"),
    ("h:receiver/h:device", "classCode", "DEV"),
    ("h:receiver/h:device", "determinerCode", "INSTANCE"),
    ("h:sender", "typeCode", "SND"),
    ("h:sender/h:device", "classCode", "DEV"),
    ("h:sender/h:device", "determinerCode", "INSTANCE"),
)
_EVENT = "h:controlActProcess/h:subject/h:registrationEvent"
_FIXED_OF_A_PATIENT = (
    ("h:controlActProcess", "classCode", "CACT"),
    ("h:controlActProcess", "moodCode", "EVN"),
    ("h:controlActProcess/h:subject", "typeCode", "SUBJ"),
    (_EVENT, "classCode", "REG"),
    (_EVENT, "moodCode", "EVN"),
    (f"{_EVENT}/h:statusCode", "code", "completed"),
    (f"{_EVENT}/h:subject1", "typeCode", "SBJ"),
    (REGISTERED, "classCode", "PAT"),
    (f"{_EVENT}/h:custodian", "typeCode", "CST"),
    (f"{_EVENT}/h:custodian/h:assignedEntity", "classCode", "ASSIGNED"),
    (f"{_EVENT}/h:custodian/h:assignedEntity/h:id", "root", SYSTEM_OID),
)
"""Only when a patient is returned: `NF` has none."""
_PERSON = f"{REGISTERED}/h:patientPerson"
_OBSERVED = f"{REGISTERED}/h:subjectOf"
_FIXED_OF_EACH = {
    _PERSON: ((".", "classCode", "PSN"), (".", "determinerCode", "INSTANCE")),
    _OBSERVED: (
        ("h:administrativeObservation", "classCode", "OBS"),
        ("h:administrativeObservation", "moodCode", "EVN"),
    ),
}


@EXISTENCE_ANSWER.rule(
    "TD02-132",
    "Les codes fixes de la réponse sont les siens",
    reference=GIE,
    severity=Severity.WARNING,
    bad=lambda: example.existence_answer(edit("//cda:acceptAckCode", "code", "AL")),
)
def fixed(message: Message) -> Findings:
    registered = message.body.find(REGISTERED, _HL7) is not None
    for path, name, expected in (*_FIXED, *(_FIXED_OF_A_PATIENT if registered else ())):
        place = f"//{path.replace('h:', '')}/@{name}"
        yield from same(attribute(message.body, path, name), expected, place, name)
    for path, codes in _FIXED_OF_EACH.items():
        for rank, one in enumerate(message.body.findall(path, _HL7), start=1):
            for inner, name, expected in codes:
                place = f"//{path.rpartition(':')[2]}[{rank}]/{inner.replace('h:', '')}/@{name}"
                yield from same(attribute(one, inner, name), expected, place, name)


@EXISTENCE_ANSWER.rule(
    "TD02-133",
    "Les mots-clés et leurs valeurs sont dans les systèmes de codage du DMP",
    reference=GIE,
    severity=Severity.WARNING,
    bad=lambda: example.existence_answer(
        edit("//cda:attentionLine/cda:keyWordText", "codeSystem", "1.2.3")
    ),
)
def keyword_systems(message: Message) -> Findings:
    systems = dict((AUTHORISATION_KEYWORD, TREATING_PHYSICIAN_KEYWORD))
    for line in message.body.findall("h:attentionLine", _HL7):
        word = text(line, "h:keyWordText")
        place = f"//attentionLine[keyWordText='{word}']"
        if line.get(_NIL) not in _TRUE and (
            word not in systems or line.find("h:value", _HL7) is None
        ):
            yield Broken(
                message="Ce mot-clé n'est pas connu du DMP, ou n'a pas de valeur.",
                expected=" | ".join(systems),
                actual=word[:80] or "absent",
                where=place,
            )
        if word in systems:
            written = attribute(line, "h:keyWordText", "codeSystem")
            yield from same(written, systems[word], f"{place}/keyWordText", "codeSystem")
        if word == AUTHORISATION_KEYWORD[0]:
            written = attribute(line, "h:value", "codeSystem")
            yield from same(written, AUTHORISATION_VALUES, f"{place}/value", "codeSystem")


@EXISTENCE_ANSWER.rule(
    "TD02-134",
    "Les indicateurs du dossier sont des booléens connus",
    reference=GIE,
    severity=Severity.WARNING,
    bad=lambda: example.existence_answer(
        edit("//cda:administrativeObservation/cda:value", "value", "oui")
    ),
)
def observations(message: Message) -> Findings:
    systems = dict((ADMINISTRATIVE_OBSERVATION_INTERNET, ADMINISTRATIVE_OBSERVATION_ENS))
    path = f"{REGISTERED}/h:subjectOf/h:administrativeObservation"
    for rank, one in enumerate(message.body.findall(path, _HL7), start=1):
        code = attribute(one, "h:code", "code")
        system = attribute(one, "h:code", "codeSystem")
        value = attribute(one, "h:value", "value")
        if systems.get(code) != system or value not in ("true", "false"):
            yield Broken(
                message="Cet indicateur est inconnu, ou n'est pas un booléen.",
                expected=" | ".join(f"{name} ({oid})" for name, oid in systems.items()),
                actual=f"{code} ({system}) = {value}",
                where=f"//administrativeObservation[{rank}]",
            )


@EXISTENCE_ANSWER.rule(
    "TD02-135",
    "Une valeur de type quelconque dit son type : CV pour un code, BL pour un booléen",
    reference=w3c("HL7 v3 NE 2009", "datatypes, ANY est abstrait"),
    bad=lambda: example.existence_answer(edit("//cda:attentionLine/cda:value", f"{_XSI}type", "")),
)
def typed(message: Message) -> Findings:
    expected = [
        *((value, "CV") for value in _keyword(message, AUTHORISATION_KEYWORD[0])),
        *((value, "BL") for value in _keyword(message, TREATING_PHYSICIAN_KEYWORD[0])),
    ]
    path = f"{_OBSERVED}/h:administrativeObservation/h:value"
    expected += [(value, "BL") for value in message.body.findall(path, _HL7)]
    for value, wanted in expected:
        parent = value.getparent()
        holder = "" if parent is None else etree.QName(parent).localname
        written = value.get(_TYPE, "").strip().rpartition(":")[2]
        yield from same(written, wanted, f"//{holder}/value/@xsi:type", "Le type")


@EXISTENCE_ANSWER.rule(
    "TD02-138",
    "Le destinataire de la réponse est identifié par un OID",
    reference=w3c("HL7 v3 NE 2009", "MCCI, Device"),
    bad=lambda: example.existence_answer(receiver="drimbox"),
)
def receiver(message: Message) -> Findings:
    written = attribute(message.body, "h:receiver/h:device/h:id", "root")
    if not is_oid(written):
        yield Broken(
            message="Ce n'est pas un OID.", actual=written, where="//receiver/device/id/@root"
        )


@EXISTENCE_ANSWER.rule(
    "TD02-139",
    "queryAck reprend l'identifiant de la requête",
    reference=w3c("HL7 v3 NE 2009", "QUQI, QueryAck"),
    severity=Severity.WARNING,
    given=Context(request=example.asked_existence()),
    bad=lambda: example.existence_answer(query_id=II("1.2.3", "9")),
)
def acknowledged_query(message: Message) -> Findings:
    asked = earlier(message.context)
    if asked is None or message.body.find("h:controlActProcess/h:queryAck", _HL7) is None:
        return
    path = "h:controlActProcess/h:queryByParameter/h:queryId"
    expected = attribute(asked[0], path, "root"), attribute(asked[0], path, "extension")
    path = "h:controlActProcess/h:queryAck/h:queryId"
    written = attribute(message.body, path, "root"), attribute(message.body, path, "extension")
    if any(expected) and written != expected:
        yield Broken(
            message="La réponse est celle d'une autre requête.",
            expected=" ".join(expected),
            actual=" ".join(written).strip() or "absent",
            where="//queryAck/queryId",
        )
