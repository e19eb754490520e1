"""The two rule sets of HL7 v2, and the rules that hold for any of its messages."""

from __future__ import annotations

from collections.abc import Iterator

from protocols import hl7v2
from protocols.errors import RemoteProtocolError
from protocols.hl7v2 import ENCODINGS
from spec import hl7v2 as table
from validators.examples import hl7v2 as example
from validators.finding import Severity
from validators.hl7v2.reading import Hl7Artefact, profile_of
from validators.hl7v2.sources import clause, one_of, same, volet
from validators.identifiers import is_dtm
from validators.rule import Broken, RuleSet

__all__ = ["ACK", "ORU"]

ORU = RuleSet(
    "oru",
    good=example.oru,
    syntax="ORU-000",
    unreadable=lambda: b"Ceci n'est pas un message HL7",
    reference=clause("2.14.9 MSH"),
    requirements=("DB.SO.03",),
)
ACK = RuleSet(
    "ack",
    good=example.ack,
    syntax="ACK-000",
    unreadable=lambda: b"MSA|AA|EX000001",
    reference=clause("2.14.9 MSH"),
    requirements=("DB.SO.03",),
)

_MSH = volet("profils-messages, MSH")
Findings = Iterator[Broken]


@ORU.rule(
    "ORU-001",
    "MSH-9 vaut ORU^R01^ORU_R01",
    reference=_MSH,
    bad=lambda: example.oru({"MSH": {9: ("ORU", "R01")}}),
)
def oru_type(hl7: Hl7Artefact) -> Findings:
    return same(hl7.value("MSH-9"), "ORU^R01^ORU_R01", "MSH-9", "Le type de message")


@ACK.rule(
    "ACK-001",
    "MSH-9 vaut ACK^événement^ACK, l'événement étant celui du message acquitté",
    reference=volet("acquittement"),
    bad=lambda: example.ack(edits={"MSH": {9: ("ACK", "O01", "ACK")}}),
)
def ack_type(hl7: Hl7Artefact) -> Findings:
    allowed = [f"ACK^{trigger}^ACK" for trigger in table.TRIGGER_VERSIONS]
    asked = _trigger_of(hl7.context.request)
    if asked in table.TRIGGER_VERSIONS:
        allowed = [f"ACK^{asked}^ACK"]
    return one_of(hl7.value("MSH-9"), allowed, "MSH-9", "Le type de message")


def _trigger_of(request: bytes) -> str:
    """MSH-9.2 of the message that is acknowledged, "" when it is not known."""
    try:
        return hl7v2.parse(request).value("MSH-9.2") if request else ""
    except RemoteProtocolError:
        return ""


@ORU.rule(
    "ORU-002",
    "MSH-12 vaut 2.5",
    reference=_MSH,
    bad=lambda: example.oru({"MSH": {12: "2.3.1"}}),
)
def version(hl7: Hl7Artefact) -> Findings:
    return same(hl7.value("MSH-12.1"), table.VERSION_ORU, "MSH-12", "La version HL7")


@ACK.rule(
    "ACK-002",
    "MSH-12 est la version du message acquitté : 2.5 (ORU), 2.6 (MDM), 2.5.1 (OMI)",
    reference=volet("acquittement"),
    bad=lambda: example.ack(edits={"MSH": {12: "2.6"}}),
)
def ack_version(hl7: Hl7Artefact) -> Findings:
    expected = table.TRIGGER_VERSIONS.get(hl7.value("MSH-9.2"))
    if expected is not None:
        yield from same(hl7.value("MSH-12.1"), expected, "MSH-12", "La version HL7")


@ORU.rule(
    "ORU-003",
    "MSH-17 vaut FRA",
    reference=_MSH,
    bad=lambda: example.oru({"MSH": {17: "FR"}}),
)
@ACK.rule(
    "ACK-003",
    "MSH-17 vaut FRA",
    reference=volet("acquittement"),
    bad=lambda: example.ack(edits={"MSH": {17: None}}),
)
def country(hl7: Hl7Artefact) -> Findings:
    return same(hl7.value("MSH-17"), table.COUNTRY, "MSH-17", "Le pays")


@ORU.rule(
    "ORU-004",
    "MSH-18 vaut UNICODE UTF-8 ou 8859/15",
    reference=_MSH,
    bad=lambda: example.oru({"MSH": {18: "8859/1"}}, encoding="latin-1"),
)
@ACK.rule(
    "ACK-004",
    "MSH-18 vaut UNICODE UTF-8 ou 8859/15",
    reference=volet("acquittement"),
    bad=lambda: example.ack(edits={"MSH": {18: "ASCII"}}),
)
def character_set(hl7: Hl7Artefact) -> Findings:
    value = hl7.value("MSH-18[1]")
    return one_of(value, table.CHARACTER_SETS, "MSH-18", "Le jeu de caractères")


@ORU.rule(
    "ORU-005",
    "Les octets sont ceux du jeu de caractères annoncé par MSH-18",
    reference=clause("2.14.9.18 Character Set"),
    bad=lambda: example.oru(encoding="iso8859-15"),
)
@ACK.rule(
    "ACK-005",
    "Les octets sont ceux du jeu de caractères annoncé par MSH-18",
    reference=clause("2.14.9.18 Character Set"),
    bad=lambda: example.ack(edits={"MSH": {4: "CLINIQUE É"}}).replace("É".encode(), b"\xc9"),
)
def bytes_follow_character_set(hl7: Hl7Artefact) -> Findings:
    declared = hl7.value("MSH-18[1]")
    codec = ENCODINGS.get(declared)
    if codec is None:
        return
    try:
        hl7.message.raw.decode(codec)
    except UnicodeDecodeError as error:
        yield Broken(
            message=f"L'octet {error.start} n'existe pas dans le jeu de caractères annoncé.",
            expected=declared,
            actual=f"0x{hl7.message.raw[error.start]:02X}",
            where=f"octets {error.start}-{error.end}",
        )


@ORU.rule(
    "ORU-006",
    "MSH-10 identifie le message, en vingt caractères au plus",
    reference=clause("2.14.9.10 Message Control ID"),
    bad=lambda: example.oru({"MSH": {10: None}}),
)
@ACK.rule(
    "ACK-006",
    "MSH-10 identifie l'acquittement, en vingt caractères au plus",
    reference=clause("2.14.9.10 Message Control ID"),
    bad=lambda: example.ack(edits={"MSH": {10: "X" * 21}}),
)
def control_id(hl7: Hl7Artefact) -> Findings:
    value = hl7.value("MSH-10")
    if not 1 <= len(value) <= 20:
        yield Broken(
            message="L'identifiant de message est absent ou trop long.",
            expected="1 à 20 caractères",
            actual=value,
            where="MSH-10",
        )


@ORU.rule(
    "ORU-007",
    "MSH-7 est une date et une heure",
    reference=clause("2.14.9.7 Date/Time Of Message"),
    bad=lambda: example.oru({"MSH": {7: "283084121661677"}}),
)
@ACK.rule(
    "ACK-007",
    "MSH-7 est une date et une heure",
    reference=clause("2.14.9.7 Date/Time Of Message"),
    bad=lambda: example.ack(edits={"MSH": {7: None}}),
)
def message_date(hl7: Hl7Artefact) -> Findings:
    value = hl7.value("MSH-7.1")
    if not is_dtm(value):
        yield Broken(
            message="La date du message est absente ou illisible.",
            expected="AAAAMMJJHHMMSS[+-ZZZZ]",
            actual=value,
            where="MSH-7",
        )


@ORU.rule(
    "ORU-008",
    "Les segments sont séparés par un retour chariot",
    reference=clause("2.5.1 Segments"),
    bad=lambda: example.oru(end="\n"),
)
@ACK.rule(
    "ACK-008",
    "Les segments sont séparés par un retour chariot",
    reference=clause("2.5.1 Segments"),
    bad=lambda: example.ack(end="\r\n"),
)
def carriage_returns(hl7: Hl7Artefact) -> Findings:
    if hl7.message.lf_ended:
        yield Broken(
            message="Des segments se terminent par un saut de ligne.",
            expected="0x0D",
            actual="0x0A",
            where=f"octet {hl7.message.raw.index(10)}",
        )


@ORU.rule(
    "ORU-009",
    "MSH-21 vaut 2.1^CISIS_CDA_HL7_V2",
    reference=_MSH,
    bad=lambda: example.oru({"MSH": {21: ("1.2", "CISIS_CDA_HL7_V1")}}),
)
def profile(hl7: Hl7Artefact) -> Findings:
    if not hl7.former:
        yield from same(profile_of(hl7.message), table.PROFILE, "MSH-21", "Le profil de conformité")


@ORU.rule(
    "ORU-012",
    "Le message suit la version 2.1 du volet, et non la 2.0",
    reference=volet("change-log"),
    tolerated=True,
    bad=lambda: example.oru({"MSH": {21: tuple(table.FORMER_PROFILE.split("^"))}}),
)
def current_version(hl7: Hl7Artefact) -> Findings:
    if hl7.former:
        yield Broken(
            message="Le message annonce la version 2.0 du volet ; il est jugé sur la 2.1.",
            expected=table.PROFILE,
            actual=table.FORMER_PROFILE,
            where="MSH-21",
        )


@ORU.rule(
    "ORU-010",
    "MSH-11 vaut P, T ou D",
    reference=_MSH,
    bad=lambda: example.oru({"MSH": {11: "X"}}),
)
def processing_id(hl7: Hl7Artefact) -> Findings:
    return one_of(hl7.value("MSH-11.1"), table.PROCESSING_IDS, "MSH-11", "Le mode de traitement")


@ORU.rule(
    "ORU-011",
    "MSH-3 à MSH-6 nomment les applications et les organisations",
    reference=_MSH,
    bad=lambda: example.oru({"MSH": {4: None}}),
    severity=Severity.WARNING,
)
def applications(hl7: Hl7Artefact) -> Findings:
    for number in (3, 4, 5, 6):
        if not hl7.value(f"MSH-{number}"):
            yield Broken(message="Le champ est requis et vide.", where=f"MSH-{number}")
