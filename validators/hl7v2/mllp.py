"""An MLLP capture: its blocks, and what lies between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from protocols import hl7v2
from protocols.errors import RemoteProtocolError
from validators.context import Context
from validators.examples import hl7v2 as example
from validators.finding import Severity
from validators.hl7v2.encoding import MLLP as SPECIFICATION
from validators.hl7v2.framing import Capture, Fault, FaultKind, capture
from validators.hl7v2.sources import clause
from validators.rule import Broken, RuleSet

__all__ = ["MLLP", "StreamArtefact", "read"]

Findings = Iterator[Broken]

MLLP = RuleSet(
    "mllp",
    good=lambda: example.framed() + example.framed(example.ack()),
    syntax="MLLP-000",
    unreadable=example.oru,
    reference=SPECIFICATION,
    requirements=("DB.SO.03",),
)


@dataclass(frozen=True, slots=True)
class StreamArtefact:
    """A capture and the message of each block, None where there is none."""

    capture: Capture
    messages: tuple[hl7v2.Message | None, ...]

    def faults(self, kind: FaultKind) -> Iterator[Fault]:
        """The faults of one kind."""
        return (fault for fault in self.capture.faults if fault.kind is kind)


def read(data: bytes, context: Context) -> StreamArtefact:
    """Read one direction of an MLLP connection, or both one after the other.

    Raises:
        RemoteProtocolError: no block begins anywhere.
    """
    found = capture(data)
    return StreamArtefact(found, tuple(_message(block.data) for block in found.blocks))


def _message(data: bytes) -> hl7v2.Message | None:
    try:
        return hl7v2.parse(data)
    except RemoteProtocolError:
        return None


def _broken(stream: StreamArtefact, kind: FaultKind, expected: str) -> Findings:
    for fault in stream.faults(kind):
        yield Broken(
            message=f"{kind.value[0].upper()}{kind.value[1:]}.",
            expected=expected,
            actual=f"{fault.end - fault.start} octets",
            where=f"octets {fault.start}-{fault.end}",
        )


@MLLP.rule(
    "MLLP-001",
    "Aucun octet n'est hors d'un bloc",
    reference=SPECIFICATION,
    bad=lambda: b"MSH" + example.framed(),
)
def nothing_outside(stream: StreamArtefact) -> Findings:
    return _broken(stream, FaultKind.JUNK, "0x0B")


@MLLP.rule(
    "MLLP-002",
    "Aucune fin de ligne ne traîne entre les blocs",
    reference=SPECIFICATION,
    severity=Severity.WARNING,
    bad=lambda: example.framed(end=b"\x1c\r\n"),
)
def no_blank(stream: StreamArtefact) -> Findings:
    return _broken(stream, FaultKind.BLANK, "0x0B")


@MLLP.rule(
    "MLLP-003",
    "Chaque bloc se termine",
    reference=SPECIFICATION,
    bad=lambda: example.framed(end=b""),
)
def ended(stream: StreamArtefact) -> Findings:
    return _broken(stream, FaultKind.UNENDED, "0x1C 0x0D")


@MLLP.rule(
    "MLLP-004",
    "La fin d'un bloc est 0x1C suivi de 0x0D",
    reference=SPECIFICATION,
    bad=lambda: example.framed(end=b"\x1c\n"),
)
def return_behind(stream: StreamArtefact) -> Findings:
    return _broken(stream, FaultKind.NO_RETURN, "0x1C 0x0D")


@MLLP.rule(
    "MLLP-005",
    "Un bloc se termine avant que le suivant commence",
    reference=SPECIFICATION,
    bad=lambda: example.framed(end=b"") + example.framed(),
)
def not_restarted(stream: StreamArtefact) -> Findings:
    return _broken(stream, FaultKind.RESTARTED, "0x1C 0x0D")


@MLLP.rule(
    "MLLP-006",
    "Chaque bloc porte un message HL7",
    reference=SPECIFICATION,
    bad=lambda: example.framed(b""),
)
def holds_message(stream: StreamArtefact) -> Findings:
    for rank, (block, message) in enumerate(
        zip(stream.capture.blocks, stream.messages, strict=True), start=1
    ):
        if message is None:
            yield Broken(
                message="Le bloc ne porte pas de message.",
                expected="MSH",
                actual=repr(block.data[:16]),
                where=f"bloc {rank}, octet {block.start}",
            )


@MLLP.rule(
    "MLLP-007",
    "Les segments se terminent par un retour chariot",
    reference=clause("2.5.1 Segments"),
    bad=lambda: example.framed(example.oru(end="\n")),
)
def carriage_returns(stream: StreamArtefact) -> Findings:
    for rank, message in enumerate(stream.messages, start=1):
        if message is not None and message.lf_ended:
            yield Broken(
                message="Des segments se terminent par un saut de ligne.",
                expected="0x0D",
                actual="0x0A",
                where=f"bloc {rank}",
            )


@MLLP.rule(
    "MLLP-008",
    "Un message ne contient pas les octets du cadre",
    reference=SPECIFICATION,
    severity=Severity.WARNING,
    bad=lambda: example.framed(example.oru().replace(b"CLINIQUE_A", b"CLINIQUE\x1cA")),
)
def no_frame_byte(stream: StreamArtefact) -> Findings:
    for rank, block in enumerate(stream.capture.blocks, start=1):
        at = block.data.find(b"\x1c")
        if at >= 0:
            yield Broken(
                message="Un 0x1C est dans le message : un récepteur peut y voir la fin du bloc.",
                where=f"bloc {rank}, octet {block.start + 1 + at}",
            )


@MLLP.rule(
    "MLLP-009",
    "Deux messages du même émetteur n'ont pas le même MSH-10",
    reference=clause("2.14.9.10 Message Control ID"),
    severity=Severity.WARNING,
    bad=lambda: example.framed() + example.framed(),
)
def distinct_ids(stream: StreamArtefact) -> Findings:
    ids = Counter(
        (message.value("MSH-3"), message.value("MSH-4"), message.value("MSH-10"))
        for message in stream.messages
        if message is not None
    )
    for (_, _, id), count in ids.items():
        if id and count > 1:
            yield Broken(
                message="Cet identifiant sert plusieurs fois : nouvel envoi, ou doublon.",
                expected="1",
                actual=f"{id[:40]} ({count} fois)",
                where="MSH-10",
            )
