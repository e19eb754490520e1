"""Frame and characters: what holds for the bytes of any message before its fields are read.

Registered here for ORU and ACK; `register` gives the rules to the other kinds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from protocols.hl7v2 import ENCODINGS
from spec.grade import Grade, Reference
from validators.examples import hl7v2 as example
from validators.finding import Severity
from validators.hl7v2.framing import FaultKind
from validators.hl7v2.reading import Hl7Artefact
from validators.hl7v2.rules import ACK, ORU
from validators.hl7v2.sources import clause
from validators.rule import Broken, RuleSet

__all__ = ["MLLP", "register"]

Findings = Iterator[Broken]

MLLP = Reference("HL7 Transport Specification: MLLP", "release 1", Grade.STANDARD)
_CHARACTERS = clause("2.14.9.18 Character Set")
_BOM = b"\xef\xbb\xbf"
_TWICE = re.compile("[ÂÃ][\u0080-\u00bf]|â\u0080[\u0080-\u00bf]")
"""Two-byte UTF-8 letters, and typographic quotes, read as Latin-1 and encoded again."""
_MULTIBYTE = re.compile(rb"[\xc3-\xc5][\x80-\xbf]")


def frame(hl7: Hl7Artefact) -> Findings:
    """The message came alone in one block, begun and ended."""
    if hl7.capture is None:
        return
    for fault in hl7.capture.faults:
        if fault.kind is not FaultKind.BLANK:
            yield Broken(
                message=f"Cadre MLLP : {fault.kind.value}.",
                expected="0x0B message 0x1C 0x0D",
                where=f"octets {fault.start}-{fault.end}",
            )
    if len(hl7.capture.blocks) > 1:
        yield Broken(
            message="Le fichier porte plusieurs blocs : seul le premier message est jugé ici.",
            expected="1",
            actual=str(len(hl7.capture.blocks)),
            where=f"octet {hl7.capture.blocks[1].start}",
        )


def byte_order_mark(hl7: Hl7Artefact) -> Findings:
    """Nothing stands before MSH."""
    if hl7.message.raw.startswith(_BOM):
        yield Broken(
            message="Une marque d'ordre des octets précède MSH.",
            expected="MSH",
            actual="0xEFBBBF",
            where="octets 0-3",
        )


def plausible_characters(hl7: Hl7Artefact) -> Findings:
    """The characters read are those that were meant: one place per message is enough."""
    codec = ENCODINGS.get(hl7.value("MSH-18[1]"))
    single = codec is not None and codec != "utf-8"
    for segment in hl7.message.segments:
        if segment is hl7.document:
            continue  # half a megabyte of base64, and a report of its own
        found = _TWICE.search(segment.text)
        if found and not single:
            yield Broken(
                message="Des caractères semblent encodés deux fois en UTF-8.",
                actual=segment.text[max(0, found.start() - 10) : found.end() + 10],
                where=hl7.at(segment, "1").rpartition("-")[0],
            )
            return
        if single and _MULTIBYTE.search(segment.raw):
            yield Broken(
                message="MSH-18 annonce un octet par caractère et les octets semblent de l'UTF-8.",
                expected=hl7.value("MSH-18[1]"),
                actual="UTF-8",
                where=hl7.at(segment, "1").rpartition("-")[0],
            )
            return


def register(kind: RuleSet, prefix: str, good: Callable[[], bytes]) -> None:
    """Give a kind of message its rules 091 to 093; `good` is its example."""
    kind.rule(
        f"{prefix}-091",
        "Un cadre MLLP est entier et ne porte qu'un message",
        reference=MLLP,
        bad=lambda: example.framed(good(), end=b"\x1c"),
    )(frame)
    kind.rule(
        f"{prefix}-092",
        "Aucune marque d'ordre des octets ne précède MSH",
        reference=_CHARACTERS,
        severity=Severity.WARNING,
        bad=lambda: _BOM + good(),
    )(byte_order_mark)
    kind.rule(
        f"{prefix}-093",
        "Les caractères ne sont ni encodés deux fois, ni d'un autre jeu que MSH-18",
        reference=_CHARACTERS,
        severity=Severity.WARNING,
        bad=lambda: good().replace(b"CLINIQUE_A", "CLINIQUE_Ã\u0089".encode()),
    )(plausible_characters)


register(ORU, "ORU", example.oru)
register(ACK, "ACK", example.ack)
