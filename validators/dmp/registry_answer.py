"""The outcome of ITI-41 and ITI-57, and SOAP faults, which any transaction may get."""

from __future__ import annotations

import re

from lxml import etree

from protocols.soap import FAULT_ACTION
from protocols.xml import NS
from spec.dmp import FaultSubcode
from spec.grade import Grade, Reference
from spec.xds import Action
from validators.dmp.addressing import answer_rules, fault_rules, package_rules
from validators.dmp.outcome import outcome_rules
from validators.dmp.reading import Message, answer
from validators.dmp.structure import structure_rules
from validators.examples import dmp as example
from validators.examples.xds import Tamper, edit, remove
from validators.finding import Severity
from validators.rule import Broken, RuleSet
from validators.soap import header_texts, text_of
from validators.xds.rules import Findings, iti, w3c

__all__ = ["FAULT", "REGISTRY_ANSWER", "read", "read_fault"]

_RS = f"{{{NS['rs']}}}"
_SOAP = f"{{{NS['soap']}}}"
_WSA_FAULT = "http://www.w3.org/2005/08/addressing/fault"
"""WS-Addressing 1.0 SOAP Binding section 6: the Action of its own faults."""
_QNAME = re.compile(r"(?:[^\W\d][\w.-]*:)?[^\W\d][\w.-]*")
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

read = answer(f"{_RS}RegistryResponse")
read_fault = answer(f"{_SOAP}Fault")

REGISTRY_ANSWER = RuleSet(
    "registry-response",
    good=example.registry_answer,
    syntax="REG-100",
    unreadable=lambda: b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n\r\n<a/>",
    reference=iti("Vol. 2, 3.41.4.2, 3.57.4.2"),
    requirements=("DB.SO.19",),
)


def _statusless(root: etree._Element) -> None:
    del next(root.iter(f"{_RS}RegistryResponse")).attrib["status"]


_PLAIN = "urn:ihe:iti:2010:UpdateDocumentSetResponse"


def _spoiled(tamper: Tamper | None) -> bytes:
    return example.registry_answer(tamper)


answer_rules(
    REGISTRY_ANSWER,
    "REG",
    (Action.PROVIDE_AND_REGISTER.answer, Action.UPDATE.answer, _PLAIN),
    _spoiled,
)
structure_rules(REGISTRY_ANSWER, _spoiled, faulty=_statusless)
outcome_rules(REGISTRY_ANSWER, "REG", example.registry_answer, partial=False)
# ITI-41 is answered in a package, ITI-57 in a plain envelope.
package_rules(REGISTRY_ANSWER, demanded=False)


@REGISTRY_ANSWER.rule(
    "REG-120",
    "L'Action de la réponse à ITI-57 est celle du DMP, avec un trait d'union",
    reference=Reference("GIE SESAM-Vitale, WSDL du DMP", "XDS.b_DocumentRegistry", Grade.SAMPLE),
    severity=Severity.INFO,
    bad=lambda: example.registry_answer(action=_PLAIN),
)
def hyphen(message: Message) -> Findings:
    # The WSDL of IHE has none: a client must take both.
    if _PLAIN in header_texts(message.envelope, "Action"):
        yield Broken(
            message="Le DMP écrit cette action autrement.",
            expected=Action.UPDATE.answer,
            actual=_PLAIN,
            where="//wsa:Action",
        )


FAULT = RuleSet(
    "soap-fault",
    good=example.fault,
    syntax="FAULT-100",
    unreadable=lambda: b"HTTP/1.1 500 Internal Server Error\r\n\r\n<Envelope",
    reference=w3c("SOAP 1.2 Part 1", "5.4"),
    requirements=("DB.SO.19", "DB.CO.67"),
)

fault_rules(FAULT, "FAULT", (FAULT_ACTION, _WSA_FAULT), example.fault)

_CODES = ("VersionMismatch", "MustUnderstand", "DataEncodingUnknown", "Sender", "Receiver")


def _name(text: str) -> str:
    return text.rpartition(":")[2]


@FAULT.rule(
    "FAULT-110",
    "Le code de l'erreur est l'un de ceux de SOAP",
    reference=w3c("SOAP 1.2 Part 1", "5.4.6"),
    bad=lambda: example.fault(code="Client"),
)
def code(message: Message) -> Findings:
    written = text_of(message.body.find(f"{_SOAP}Code/{_SOAP}Value"))
    if _name(written) not in _CODES:
        yield Broken(
            message="Ce code d'erreur SOAP est inconnu.",
            expected=" | ".join(_CODES),
            actual=written,
            where="//Fault/Code/Value",
        )


@FAULT.rule(
    "FAULT-111",
    "L'erreur est expliquée dans une langue",
    reference=w3c("SOAP 1.2 Part 1", "5.4.2"),
    bad=lambda: example.fault(remove("//soap:Reason")),
)
def reason(message: Message) -> Findings:
    found = message.body.findall(f"{_SOAP}Reason/{_SOAP}Text")
    if not found or not all(text_of(one) and one.get(_XML_LANG) for one in found):
        yield Broken(
            message="Le motif manque, ou sa langue.",
            expected="Text, xml:lang",
            where="//Fault/Reason",
        )


@FAULT.rule(
    "FAULT-112",
    "Le préfixe de chaque code est déclaré",
    reference=w3c("SOAP 1.2 Part 1", "5.4.1"),
    bad=lambda: example.fault(edit("//soap:Code/soap:Value", value="kit:Sender")),
)
def prefixes(message: Message) -> Findings:
    for value in message.body.iterfind(f"{_SOAP}Code//{_SOAP}Value"):
        prefix, colon, _ = text_of(value).rpartition(":")
        if colon and prefix not in value.nsmap:
            yield Broken(
                message="Ce préfixe n'est pas déclaré.",
                actual=text_of(value),
                where="//Fault/Code",
            )


@FAULT.rule(
    "FAULT-113",
    "Le sous-code est de ceux que l'on connaît du DMP",
    reference=Reference("Serveur de test du DMP, clients tiers", grade=Grade.DEMONSTRATOR),
    severity=Severity.INFO,
    bad=lambda: example.fault(subcode="DMPAutre"),
)
def subcode(message: Message) -> Findings:
    # The list is in a guide that is not public: told, so that a person looks.
    written = text_of(message.body.find(f"{_SOAP}Code/{_SOAP}Subcode/{_SOAP}Value"))
    if written and _name(written) not in list(FaultSubcode):
        yield Broken(
            message="Ce sous-code n'est pas public.",
            actual=written,
            where="//Fault/Code/Subcode",
        )


@FAULT.rule(
    "FAULT-114",
    "Un sous-code a une valeur, un nom qualifié",
    reference=w3c("SOAP 1.2 Part 1", "5.4.1.2, 5.4.1.3"),
    bad=lambda: example.fault(remove("//soap:Subcode/soap:Value")),
)
def subcode_value(message: Message) -> Findings:
    for one in message.body.iterfind(f"{_SOAP}Code//{_SOAP}Subcode"):
        written = text_of(one.find(f"{_SOAP}Value"))
        if _QNAME.fullmatch(written) is None:
            yield Broken(
                message="La valeur du sous-code manque, ou n'est pas un nom qualifié.",
                expected="préfixe:nom",
                actual=written[:80] or "absent",
                where="//Fault/Code/Subcode/Value",
            )
