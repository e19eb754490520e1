"""ORU: who sends the report, in the PRT segments behind the document."""

from __future__ import annotations

from collections.abc import Iterator

from protocols.hl7v2 import Segment
from spec import hl7v2 as table
from spec.grade import Grade, Reference
from spec.oids import PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY
from validators.examples import hl7v2 as example
from validators.finding import Severity
from validators.hl7v2.reading import Hl7Artefact
from validators.hl7v2.rules import ORU
from validators.hl7v2.sources import FAQ_9313, one_of, same, volet
from validators.identifiers import is_professional_id
from validators.rule import Broken

__all__: list[str] = []

Findings = Iterator[Broken]

_PRT = volet("profils-messages, PRT")


def _senders(hl7: Hl7Artefact) -> list[Segment]:
    """The SB participations right behind the document."""
    if hl7.document is None:
        return []
    found: list[Segment] = []
    for part in hl7.message.segments[hl7.document.index + 1 :]:
        if part.name != "PRT":
            break
        if part.field(4).component(1).value == "SB":
            found.append(part)
    return found


@ORU.rule(
    "ORU-060",
    "Un PRT d'émetteur (SB, UC) suit l'observation du document",
    reference=_PRT,
    bad=lambda: example.oru({"PRT": {4: ("RCT", "Result Copies To", "participation")}}),
)
def sender(hl7: Hl7Artefact) -> Findings:
    senders = _senders(hl7)
    if not senders:
        yield Broken(
            message="Aucun émetteur ne suit le document.",
            expected="PRT-4 = SB^Send by^participation",
            where="PRT",
        )
    for part in senders:
        yield from same(part.field(2).value, "UC", hl7.at(part, "2"), "L'action du PRT")


@ORU.rule(
    "ORU-061",
    "PRT-8 identifie la structure de l'émetteur",
    reference=_PRT,
    bad=lambda: example.oru({"PRT": {8: "CENTRE EXEMPLE"}}),
)
def sender_structure(hl7: Hl7Artefact) -> Findings:
    for part in _senders(hl7):
        xon = part.field(8)
        oid = xon.component(6).subcomponent(2).value
        yield from same(oid, STRUCTURE_AUTHORITY, hl7.at(part, "8.6.2"), "L'autorité")
        kind = xon.component(7).value
        yield from one_of(kind, table.STRUCTURE_ID_TYPES, hl7.at(part, "8.7"), "Le type")
        if not xon.component(10):
            yield Broken(message="L'identifiant manque.", where=hl7.at(part, "8.10"))


@ORU.rule(
    "ORU-062",
    "PRT-5 identifie le professionnel émetteur",
    reference=_PRT,
    bad=lambda: example.oru({"PRT": {5: ("801234560801", "EXEMPLE", "CLAIRE")}}),
)
def sender_person(hl7: Hl7Artefact) -> Findings:
    for part in _senders(hl7):
        xcn = part.field(5)
        if not xcn:
            continue
        if not xcn.component(1):
            yield Broken(message="L'identifiant manque.", where=hl7.at(part, "5.1"))
        oid = xcn.component(9).subcomponent(2).value
        yield from same(oid, PROFESSIONAL_AUTHORITY, hl7.at(part, "5.9.2"), "L'autorité")
        kind = xcn.component(13).value
        yield from one_of(kind, table.PERSON_ID_TYPES, hl7.at(part, "5.13"), "Le type")


@ORU.rule(
    "ORU-064",
    "L'identifiant de PRT-5 est un RPPS ou un PS_IdNat",
    reference=Reference("IG-FHIR-PDSM4DMP-EEDS", "PSIdNat", Grade.STANDARD),
    severity=Severity.WARNING,
    bad=lambda: example.oru().replace(b"|801234560801^", b"|EXEMPLE01^"),
)
def sender_number(hl7: Hl7Artefact) -> Findings:
    for part in _senders(hl7):
        written = part.field(5).component(1).value
        if written and not is_professional_id(written):
            yield Broken(
                message="Ce n'est pas un identifiant national de professionnel.",
                expected="11 chiffres, ou 8 + RPPS, 0 + ADELI…",
                actual=written[:80],
                where=hl7.at(part, "5.1"),
            )


@ORU.rule(
    "ORU-063",
    "La structure de PRT-8 est celle du legalAuthenticator du compte rendu",
    reference=FAQ_9313,
    requirements=("DB.SO.19",),
    bad=lambda: example.oru(document=example.cda(structure="750000001")),
    severity=Severity.WARNING,
)
def same_structure_as_report(hl7: Hl7Artefact) -> Findings:
    path = "cda:legalAuthenticator/cda:assignedEntity/cda:representedOrganization/cda:id/@extension"
    written = hl7.cda_values(path)
    for part in _senders(hl7):
        structure = part.field(8).component(10).value
        if written and structure and structure not in written:
            yield Broken(
                message="La structure émettrice n'est pas celle qui valide le compte rendu.",
                expected=" | ".join(written),
                actual=structure,
                where=hl7.at(part, "8.10"),
            )
