"""ORU: the data types of what it names, hierarchic designators, ranks, visit and person."""

from __future__ import annotations

import re
from collections.abc import Iterator

from protocols.hl7v2 import Segment
from validators.examples import hl7v2 as example
from validators.hl7v2.reading import Hl7Artefact
from validators.hl7v2.rules import ORU
from validators.hl7v2.sources import PAM, clause, same, volet
from validators.identifiers import is_oid
from validators.rule import Broken

__all__: list[str] = []

Findings = Iterator[Broken]

_DESIGNATORS = (("PID", 3, 4), ("PV1", 19, 4), ("PRT", 5, 9), ("PRT", 8, 6))
"""Segment, field and component that hold an assigning authority (HD)."""
_RANKS = ("PID", "PV1", "OBR")
_RANK = re.compile(r"[0-9]{1,4}", re.ASCII)
_LOCAL = "1.2.250.1.999.1.1.8121.1"


@ORU.rule(
    "ORU-190",
    "Une autorité (HD) écrit son identifiant et le type de celui-ci, ISO pour un OID",
    reference=clause("2.A.36 HD"),
    bad=lambda: example.oru({"PV1": {19: ("V900", "", "", ("RIS_EXEMPLE", _LOCAL, "DNS"), "VN")}}),
)
def designators(hl7: Hl7Artefact) -> Findings:
    for name, number, component in _DESIGNATORS:
        for part in hl7.message.all(name):
            for rank, repetition in enumerate(part.field(number).repetitions, start=1):
                authority = repetition.component(component)
                id, kind = authority.subcomponent(2).value, authority.subcomponent(3).value
                where = hl7.at(part, f"{number}[{rank}].{component}")
                if bool(id) != bool(kind):
                    yield Broken(
                        message="L'identifiant d'une autorité et son type vont ensemble.",
                        expected="nom&identifiant&type",
                        actual=authority.text,
                        where=where,
                    )
                elif is_oid(id):
                    yield from same(kind, "ISO", f"{where}.3", "Le type d'un OID")


@ORU.rule(
    "ORU-191",
    "PID-1, PV1-1 et OBR-1 sont des rangs, quand ils sont écrits",
    reference=clause("2.A.70 SI"),
    bad=lambda: example.oru({"OBR": {1: "I"}}),
)
def ranks(hl7: Hl7Artefact) -> Findings:
    for name in _RANKS:
        for part in hl7.message.all(name):
            value = part.field(1).value
            if value and _RANK.fullmatch(value) is None:
                yield Broken(
                    message="Le rang du segment n'est pas un entier.",
                    expected="0 à 9999",
                    actual=value,
                    where=hl7.at(part, "1"),
                )


@ORU.rule(
    "ORU-192",
    "PV1-19 est un numéro de venue (VN) et nomme son autorité",
    reference=PAM,
    bad=lambda: example.oru({"PV1": {19: ("V900", "", "", "", "VN")}}),
)
def visit_number(hl7: Hl7Artefact) -> Findings:
    if not hl7.value("PV1-19"):
        return
    if not hl7.value("PV1-19.1"):
        yield Broken(message="Le numéro de venue est vide.", expected="CX.1", where="PV1-19.1")
    if not hl7.value("PV1-19.4"):
        yield Broken(message="L'autorité de la venue manque.", expected="CX.4", where="PV1-19.4")
    yield from same(hl7.value("PV1-19.5"), "VN", "PV1-19.5", "Le type de l'identifiant")


@ORU.rule(
    "ORU-193",
    "OBX-3 du document reprend le système de codage d'OBR-4",
    reference=volet("profils-messages, OBX du document"),
    bad=lambda: example.oru({"OBX": {3: ("18748-4", "CR d'imagerie médicale", "TRE_A05")}}),
)
def same_coding_system(hl7: Hl7Artefact) -> Findings:
    if hl7.document is not None:
        system = hl7.document.field(3).component(3).value
        where = hl7.at(hl7.document, "3.3")
        yield from same(system, hl7.value("OBR-4.3"), where, "Le système de codage")


def _senders(hl7: Hl7Artefact) -> Iterator[Segment]:
    for part in hl7.message.all("PRT"):
        if part.field(4).component(1).value == "SB":
            yield part


@ORU.rule(
    "ORU-194",
    "PRT-4 de l'émetteur s'écrit SB^Send by^participation",
    reference=volet("profils-messages, PRT"),
    bad=lambda: example.oru({"PRT": {4: ("SB", "Sent by", "HL70912")}}),
)
def participation(hl7: Hl7Artefact) -> Findings:
    for part in _senders(hl7):
        code = part.field(4)
        for number, expected in ((2, "Send by"), (3, "participation")):
            where = hl7.at(part, f"4.{number}")
            yield from same(code.component(number).value, expected, where, "La participation")


@ORU.rule(
    "ORU-195",
    "L'émetteur a un nom : PRT-5.2 et .3 pour la personne, PRT-8.1 pour la structure",
    reference=volet("profils-messages, PRT"),
    bad=lambda: example.oru(
        {"PRT": {5: ("801234560801", "", "", "", "", "", "", "", ("", _LOCAL, "ISO"), "", "")}}
    ),
)
def names(hl7: Hl7Artefact) -> Findings:
    for part in _senders(hl7):
        for field, components in ((5, (2, 3)), (8, (1,))):
            if not part.field(field):
                continue
            for number in components:
                if not part.field(field).component(number).value:
                    yield Broken(
                        message="Le nom manque.",
                        expected="un nom",
                        where=hl7.at(part, f"{field}.{number}"),
                    )
