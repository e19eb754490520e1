"""TD0.2, the request: does this patient have a DMP, and may this professional see it."""

from __future__ import annotations

from lxml import etree

from protocols.hl7v3 import II
from protocols.xml import NS
from spec.dmp import EXISTENCE_ACTION, EXISTENCE_REASON, INTERACTION_ID, SYSTEM_OID
from spec.oids import INS_AUTHORITIES
from spec.vihf import AttributeName
from validators.dmp.addressing import GIE, request_rules
from validators.dmp.reading import Message, request
from validators.examples import dmp as example
from validators.examples.xds import edit, remove
from validators.finding import Severity
from validators.identifiers import is_dtm, is_matricule, is_oid
from validators.inherit import inherit
from validators.rule import Broken, RuleSet
from validators.vihf import EVERYWHERE, VIHF
from validators.xds.assertion import parsed
from validators.xds.assertion import path as attribute_path
from validators.xds.registry import parts
from validators.xds.rules import Findings, pdsm, same, w3c
from validators.xds.values import authority

__all__ = ["EXISTENCE", "attribute", "read", "text"]

_HL7 = {"h": NS["cda"]}
_NAME = "PRPA_IN201307UV02"
_QUERY = "h:controlActProcess/h:queryByParameter"
_PATIENT = f"{_QUERY}/h:parameterList/h:patientIdentifier"

read = request(f"{{{NS['cda']}}}{_NAME}")

EXISTENCE = RuleSet(
    "td0.2",
    good=example.existence,
    syntax="TD02-000",
    unreadable=lambda: b"POST / HTTP/1.1\r\nContent-Type: application/soap+xml\r\n\r\n<Envelope",
    reference=w3c("HL7 v3 NE 2009", _NAME),
    requirements=("DMP/UX.08",),
)

request_rules(EXISTENCE, "TD02", EXISTENCE_ACTION, example.existence)
inherit(EXISTENCE, VIHF, EVERYWHERE, example=lambda data: example.existence(assertion=data))


def attribute(element: etree._Element, path: str, name: str) -> str:
    """An attribute of the first element at a path (prefix `h`), "" when there is none."""
    found = element.find(path, _HL7)
    return "" if found is None else found.get(name, "")


def text(element: etree._Element, path: str) -> str:
    """The text of the first element at a path, trimmed."""
    return (element.findtext(path, "", _HL7) or "").strip()


def _where(path: str) -> str:
    return "//" + path.replace("h:", "")


@EXISTENCE.rule(
    "TD02-020",
    "Le message est une interaction PRPA_IN201307UV02",
    reference=w3c("HL7 v3 NE 2009", _NAME),
    bad=lambda: example.existence(edit("//cda:interactionId", "extension", "PRPA_IN201305UV02")),
)
def interaction(message: Message) -> Findings:
    for path, name, expected in (
        (".", "ITSVersion", "XML_1.0"),
        ("h:interactionId", "root", INTERACTION_ID),
        ("h:interactionId", "extension", _NAME),
    ):
        written = attribute(message.body, path, name)
        yield from same(written, expected, f"{_where(path)}/@{name}", name)


@EXISTENCE.rule(
    "TD02-021",
    "Le message a un identifiant et une date",
    reference=w3c("HL7 v3 NE 2009", "MCCI"),
    bad=lambda: example.existence(creation_time="2026-11-22T10:15:00"),
)
def identified(message: Message) -> Findings:
    root = attribute(message.body, "h:id", "root")
    if not is_oid(root) or not attribute(message.body, "h:id", "extension"):
        yield Broken(
            message="L'identifiant du message est incomplet.",
            expected="OID, valeur",
            actual=root,
            where="//id",
        )
    written = attribute(message.body, "h:creationTime", "value")
    if not is_dtm(written, precision=14):
        yield Broken(
            message="creationTime est illisible.",
            expected="AAAAMMJJHHMMSS (UTC)",
            actual=written,
            where="//creationTime/@value",
        )


@EXISTENCE.rule(
    "TD02-022",
    "Le destinataire est le DMP",
    reference=GIE,
    bad=lambda: example.existence(receiver="1.2.3"),
)
def receiver(message: Message) -> Findings:
    path = "h:receiver/h:device/h:id"
    yield from same(attribute(message.body, path, "root"), SYSTEM_OID, _where(path), "receiver")


@EXISTENCE.rule(
    "TD02-023",
    "L'émetteur est l'OID de l'installation",
    reference=GIE,
    bad=lambda: example.existence(sender="drimbox"),
)
def sender(message: Message) -> Findings:
    path = "h:sender/h:device/h:id"
    written = attribute(message.body, path, "root")
    if not is_oid(written):
        yield Broken(message="Ce n'est pas un OID.", actual=written, where=_where(path))


_FIXED = (
    ("h:processingCode", "code", "D"),
    ("h:processingModeCode", "code", "T"),
    ("h:acceptAckCode", "code", "AL"),
    ("h:receiver", "typeCode", "RCV"),
    ("h:receiver/h:device", "classCode", "DEV"),
    ("h:receiver/h:device", "determinerCode", "INSTANCE"),
    ("h:sender", "typeCode", "SND"),
    ("h:sender/h:device", "classCode", "DEV"),
    ("h:sender/h:device", "determinerCode", "INSTANCE"),
    ("h:controlActProcess", "classCode", "CACT"),
    ("h:controlActProcess", "moodCode", "EVN"),
    (f"{_QUERY}/h:statusCode", "code", "new"),
)


@EXISTENCE.rule(
    "TD02-024",
    "Les codes fixes de l'interaction sont les siens",
    reference=GIE,
    severity=Severity.WARNING,
    bad=lambda: example.existence(edit("//cda:acceptAckCode", "code", "NE")),
)
def fixed(message: Message) -> Findings:
    for path, name, expected in _FIXED:
        written = attribute(message.body, path, name)
        yield from same(written, expected, f"{_where(path)}/@{name}", name)


@EXISTENCE.rule(
    "TD02-025",
    "Le motif est le test d'existence",
    reference=GIE,
    bad=lambda: example.existence(reason="AUTRE"),
)
def reason(message: Message) -> Findings:
    path = "h:controlActProcess/h:reasonCode"
    for name, expected in (("code", EXISTENCE_REASON[0]), ("codeSystem", EXISTENCE_REASON[1])):
        written = attribute(message.body, path, name)
        yield from same(written, expected, f"{_where(path)}/@{name}", "Le motif")


@EXISTENCE.rule(
    "TD02-026",
    "La requête a un identifiant",
    reference=w3c("HL7 v3 NE 2009", "QUMI"),
    bad=lambda: example.existence(remove("//cda:queryId")),
)
def query_id(message: Message) -> Findings:
    path = f"{_QUERY}/h:queryId"
    if not is_oid(attribute(message.body, path, "root")):
        yield Broken(message="queryId manque, ou sa racine n'est pas un OID.", where=_where(path))


@EXISTENCE.rule(
    "TD02-027",
    "Le patient est désigné par son INS",
    reference=pdsm("TD0.2"),
    bad=lambda: example.existence(patient=II("1.2.3", "IPP900")),
)
def patient(message: Message) -> Findings:
    path = f"{_PATIENT}/h:value"
    root = attribute(message.body, path, "root")
    extension = attribute(message.body, path, "extension")
    count = len(message.body.findall(path, _HL7))
    if count != 1 or root not in INS_AUTHORITIES or not is_matricule(extension):
        yield Broken(
            message="Ce n'est pas un INS.",
            expected="un OID de l'INS et un matricule de 15 caractères",
            actual=f"{root}, {extension}",
            where=_where(path),
        )


@EXISTENCE.rule(
    "TD02-028",
    "Le paramètre est l'identifiant du patient (Patient.id)",
    reference=GIE,
    bad=lambda: example.existence(edit("//cda:semanticsText", value="LivingSubject.id")),
)
def semantics(message: Message) -> Findings:
    path = f"{_PATIENT}/h:semanticsText"
    yield from same(text(message.body, path), "Patient.id", _where(path), "semanticsText")


@EXISTENCE.rule(
    "TD02-029",
    "Le patient est celui du VIHF",
    reference=pdsm("TD0.2"),
    bad=lambda: example.existence(patient=II("1.2.250.1.213.1.4.10", "162018885045327")),
)
def same_patient(message: Message) -> Findings:
    path = f"{_PATIENT}/h:value"
    wanted = (attribute(message.body, path, "root"), attribute(message.body, path, "extension"))
    for said in parsed(message):
        written = said.text(AttributeName.RESOURCE_ID)
        cx = parts(written)
        if written and (authority(cx[3])[0], cx[0]) != wanted:
            yield Broken(
                message="Le VIHF est celui d'un autre patient.",
                expected=f"{wanted[1]} ({wanted[0]})",
                actual=written,
                where=attribute_path(AttributeName.RESOURCE_ID),
            )
