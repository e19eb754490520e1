"""ACK: what a DRIMbox answers to a report."""

from __future__ import annotations

import re
from collections.abc import Iterator

from protocols import hl7v2
from protocols.errors import RemoteProtocolError
from spec import hl7v2 as table
from validators.context import Context
from validators.examples import hl7v2 as example
from validators.finding import Severity
from validators.hl7v2.reading import Hl7Artefact
from validators.hl7v2.rules import ACK
from validators.hl7v2.sources import one_of, same, volet
from validators.rule import Broken

__all__: list[str] = []

Findings = Iterator[Broken]

_ACK = volet("acquittement")
_ERRORS = volet("error-codes")
_GRAMMAR = re.compile(r"MSH (SFT )*(UAC )?MSA (ERR )*")


@ACK.rule(
    "ACK-010",
    "Les segments sont MSH, MSA et ERR, dans cet ordre",
    reference=_ACK,
    bad=lambda: example.ack(without=("MSA",)),
)
def segment_order(hl7: Hl7Artefact) -> Findings:
    names = [part.name for part in hl7.message.segments if not part.name.startswith("Z")]
    written = "".join(f"{name} " for name in names)
    if _GRAMMAR.fullmatch(written) is None:
        yield Broken(
            message="L'enchaînement des segments n'est pas celui d'un acquittement.",
            expected="MSH [SFT] MSA [ERR]",
            actual=written[:200].strip(),
            where="MSH",
        )


@ACK.rule(
    "ACK-011",
    "MSA-1 vaut AA, AE ou AR (mode original)",
    reference=_ACK,
    bad=lambda: example.ack("CA"),
)
def code(hl7: Hl7Artefact) -> Findings:
    return one_of(hl7.value("MSA-1"), table.ACK_CODES, "MSA-1", "Le code d'acquittement")


@ACK.rule(
    "ACK-012",
    "MSA-2 est l'identifiant du message acquitté",
    reference=_ACK,
    given=Context(control_id="EX000001"),
    bad=lambda: example.ack(edits={"MSA": {2: "EX000002"}}),
)
def answered(hl7: Hl7Artefact) -> Findings:
    value = hl7.value("MSA-2")
    if not value:
        yield Broken(message="MSA-2 est vide.", where="MSA-2")
    elif hl7.context.control_id:
        yield from same(value, hl7.context.control_id, "MSA-2", "Le message acquitté")


@ACK.rule(
    "ACK-013",
    "Un refus (AE, AR) dit pourquoi dans ERR",
    reference=_ACK,
    bad=lambda: example.ack("AR", without=("ERR",)),
)
def refusal_is_explained(hl7: Hl7Artefact) -> Findings:
    if hl7.value("MSA-1") in ("AE", "AR") and hl7.message.first("ERR") is None:
        yield Broken(message="Le segment ERR manque.", expected="ERR", where="ERR")


@ACK.rule(
    "ACK-014",
    "Une acceptation (AA) ne porte pas d'erreur",
    reference=_ACK,
    bad=lambda: example.ack("AE", {"MSA": {1: "AA"}}),
    severity=Severity.WARNING,
)
def acceptance_has_no_error(hl7: Hl7Artefact) -> Findings:
    if hl7.value("MSA-1") != "AA":
        return
    for rank, err in enumerate(hl7.message.all("ERR"), start=1):
        if err.field(4).value in ("E", "F", ""):
            yield Broken(
                message="Le message est accepté et une erreur est annoncée.",
                actual=err.field(3).text,
                where=f"ERR[{rank}]",
            )


@ACK.rule(
    "ACK-015",
    "ERR-3 est un code de la table 0357",
    reference=_ERRORS,
    bad=lambda: example.ack("AE", {"ERR": {3: "PID"}}),
)
def error_code(hl7: Hl7Artefact) -> Findings:
    for rank, err in enumerate(hl7.message.all("ERR"), start=1):
        value = err.field(3).component(1).value
        yield from one_of(value, tuple(table.ERROR_CODES), f"ERR[{rank}]-3.1", "Le code d'erreur")


@ACK.rule(
    "ACK-016",
    "ERR-4 vaut E, F, I ou W",
    reference=_ERRORS,
    bad=lambda: example.ack("AE", {"ERR": {4: None}}),
)
def error_severity(hl7: Hl7Artefact) -> Findings:
    for rank, err in enumerate(hl7.message.all("ERR"), start=1):
        value = err.field(4).value
        yield from one_of(value, table.ERROR_SEVERITIES, f"ERR[{rank}]-4", "La gravité")


@ACK.rule(
    "ACK-017",
    "Une erreur d'application (207) est précisée dans ERR-5 (table 0533)",
    reference=_ERRORS,
    bad=lambda: example.ack("AR", {"ERR": {3: ("207", "application error", "HL70357")}}),
)
def application_error(hl7: Hl7Artefact) -> Findings:
    for rank, err in enumerate(hl7.message.all("ERR"), start=1):
        if err.field(3).component(1).value == "207":
            value = err.field(5).component(1).value
            where = f"ERR[{rank}]-5"
            yield from one_of(value, table.APPLICATION_ERRORS, where, "L'erreur d'application")


@ACK.rule(
    "ACK-018",
    "L'acquittement répond à l'émetteur, dans le même mode de traitement",
    reference=_ACK,
    severity=Severity.WARNING,
    given=Context(request=example.oru()),
    bad=lambda: example.ack(edits={"MSH": {5: "AUTRE_RIS"}}),
)
def addressed_to_sender(hl7: Hl7Artefact) -> Findings:
    try:
        request = hl7v2.parse(hl7.context.request)
    except RemoteProtocolError:
        return
    for asked, answered in ((3, 5), (4, 6), (5, 3), (6, 4), (11, 11)):
        yield from same(
            hl7.value(f"MSH-{answered}"),
            request.value(f"MSH-{asked}"),
            f"MSH-{answered}",
            f"MSH-{answered} répond à MSH-{asked} et",
        )
