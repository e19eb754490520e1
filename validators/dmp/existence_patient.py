"""TD0.2, the answer: who the DMP says that the patient is."""

from __future__ import annotations

from lxml import etree

from protocols.hl7v3 import Person
from protocols.xml import NS
from validators.dmp.addressing import GIE
from validators.dmp.existence import attribute, text
from validators.dmp.existence_answer import EXISTENCE_ANSWER, REGISTERED
from validators.dmp.reading import Message
from validators.examples import dmp as example
from validators.examples.xds import edit
from validators.finding import Severity
from validators.identifiers import is_dtm
from validators.rule import Broken
from validators.xds.rules import Findings, w3c

__all__: list[str] = []

_HL7 = {"h": NS["cda"]}
_PERSON = f"{REGISTERED}/h:patientPerson"
_GENDERS = ("M", "F", "UN", "U")
"""HL7 AdministrativeGender (2.16.840.1.113883.5.1); `U` is what French documents write."""
_QUALIFIERS = frozenset(["AC", "AD", "BR", "CL", "IN", "LS", "NB", "PR", "SP", "TITLE", "VV"])
"""HL7 EntityNamePartQualifier (2.16.840.1.113883.5.43)."""


@EXISTENCE_ANSWER.rule(
    "TD02-136",
    "Le patient rendu a un nom, un prénom, un sexe et une date de naissance",
    reference=GIE,
    severity=Severity.WARNING,
    bad=lambda: example.existence_answer(person=Person(family="PAT-TROIS", given="DOMINIQUE")),
)
def identity(message: Message) -> Findings:
    if message.body.find(REGISTERED, _HL7) is None:
        return
    traits = {
        "name/family": bool(text(message.body, f"{_PERSON}/h:name/h:family")),
        "name/given": bool(text(message.body, f"{_PERSON}/h:name/h:given")),
        "administrativeGenderCode/@code": attribute(
            message.body, f"{_PERSON}/h:administrativeGenderCode", "code"
        )
        in _GENDERS,
        "birthTime/@value": is_dtm(attribute(message.body, f"{_PERSON}/h:birthTime", "value")),
    }
    for name, fine in traits.items():
        if not fine:
            yield Broken(
                message="Ce trait du patient manque, ou est illisible.",
                where=f"//patientPerson/{name}",
            )


@EXISTENCE_ANSWER.rule(
    "TD02-137",
    "Les parties du nom ont un qualificatif connu de HL7",
    reference=w3c("HL7 v3 NE 2009", "datatypes, EntityNamePartQualifier"),
    bad=lambda: example.existence_answer(edit("//cda:name/cda:family", "qualifier", "XX")),
)
def qualifiers(message: Message) -> Findings:
    for part in message.body.iterfind(f"{_PERSON}/h:name/*", _HL7):
        for word in part.get("qualifier", "").split():
            if word not in _QUALIFIERS:
                yield Broken(
                    message="Ce qualificatif est inconnu.",
                    expected=" | ".join(sorted(_QUALIFIERS)),
                    actual=word[:80],
                    where=f"//patientPerson/name/{etree.QName(part).localname}/@qualifier",
                )
