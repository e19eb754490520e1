"""OMI^O23: a PACS or a RIS says that the content of a study changed.

One informative message is public, without order-control semantics: what the base standard and
that message agree on is demanded, the rest is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from protocols.hl7v2 import ENCODINGS, Segment
from spec import hl7v2 as table
from spec.grade import Grade, Reference
from spec.imaging_metadata import MODALITIES
from validators.context import Context
from validators.examples import hl7v2 as example
from validators.finding import Severity
from validators.hl7v2.encoding import register
from validators.hl7v2.mdm import adopt
from validators.hl7v2.reading import Hl7Artefact, profile_of
from validators.hl7v2.sources import one_of, same
from validators.identifiers import is_uid
from validators.rule import Broken, RuleSet

__all__ = ["OMI"]

Findings = Iterator[Broken]


def _standard(section: str) -> Reference:
    return Reference("HL7 v2.5.1", section, Grade.STANDARD)


_SAMPLE = Reference("DRIM-M_DATA, OMI^O23 informatif", grade=Grade.SAMPLE)
_TLR = Reference("CI-SIS, volet Télé-radiologie 0.1.0", "flux 4", Grade.STANDARD)
_IPC = _standard("chapitre 4, IPC")
_SAME_ORDER = _standard("chapitre 4, ORC-2 et ORC-3")
_LONGEST_ACCESSION = 16
_GRAMMAR = re.compile(
    r"MSH (SFT )*(NTE )*(PID (PD1 )?(NTE )*(NK1 )*(PV1 (PV2 )?)?(IN1 (IN2 )?(IN3 )?)*(GT1 )?"
    r"(AL1 )*)?(ORC (TQ1 (TQ2 )*)*OBR (NTE )*(CTD )?(DG1 )*(OBX (NTE )*)*(IPC )+)+"
)

OMI = RuleSet(
    "omi",
    good=example.omi,
    syntax="OMI-000",
    unreadable=lambda: b"IPC|ACN900",
    reference=_standard("chapitre 2, MSH"),
    requirements=("DB.SO.13",),
)

_IPP = (example.IPP, "", "", ("RIS_EXEMPLE", example.LOCAL, "ISO"), "PI")


def _pid3(ins: str = example.INS, oid: str = "1.2.250.1.213.1.4.10", kind: str = "INS") -> bytes:
    """The example with one INS repetition changed."""
    cx = (ins, "", "", ("ASIP-SANTE-INS-NIR", oid, "ISO"), kind)
    return example.omi({"PID": {3: [cx, _IPP]}})


register(OMI, "OMI", example.omi)
adopt(
    OMI,
    "OMI",
    {
        "005": lambda: example.omi({"MSH": {4: "CLINIQUE É"}}, encoding="iso8859-15"),
        "006": lambda: example.omi({"MSH": {10: None}}),
        "007": lambda: example.omi({"MSH": {7: "283084121661677"}}),
        "008": lambda: example.omi(end="\n"),
        "010": lambda: example.omi({"MSH": {11: "X"}}),
        "011": lambda: example.omi({"MSH": {4: None}}),
        "020": lambda: _pid3(kind="NH"),
        "021": lambda: _pid3(oid="1.2.250.1.213.1.4.2"),
        "022": lambda: _pid3(ins="279035121518988"),
        "026": lambda: example.omi({"PID": {7: "28/03/1979"}}),
        "027": lambda: example.omi({"PID": {8: "2"}}),
        "030": lambda: _pid3(ins="162018885045327"),
        "191": lambda: example.omi({"OBR": {1: "I"}}),
    },
)


def _procedures(hl7: Hl7Artefact) -> Iterator[tuple[int, Segment]]:
    return enumerate(hl7.message.all("IPC"), start=1)


@OMI.rule(
    "OMI-001",
    "MSH-9 vaut OMI^O23^OMI_O23",
    reference=_standard("chapitre 4, OMI^O23"),
    bad=lambda: example.omi({"MSH": {9: ("OMI", "O23")}}),
)
def message_type(hl7: Hl7Artefact) -> Findings:
    return same(hl7.value("MSH-9"), "OMI^O23^OMI_O23", "MSH-9", "Le type de message")


@OMI.rule(
    "OMI-002",
    "MSH-12 vaut 2.5.1",
    reference=_SAMPLE,
    bad=lambda: example.omi({"MSH": {12: "2.5"}}),
)
def version(hl7: Hl7Artefact) -> Findings:
    return same(hl7.value("MSH-12.1"), table.VERSION_OMI, "MSH-12", "La version HL7")


@OMI.rule(
    "OMI-003",
    "MSH-18 est un jeu de caractères connu, et annonce ceux qui ne sont pas ASCII",
    reference=_standard("chapitre 2, MSH-18"),
    severity=Severity.WARNING,
    bad=lambda: example.omi({"MSH": {18: None, 4: "CLINIQUE É"}}),
)
def character_set(hl7: Hl7Artefact) -> Findings:
    if value := hl7.value("MSH-18[1]"):
        yield from one_of(value, tuple(ENCODINGS), "MSH-18", "Le jeu de caractères")
    elif not hl7.message.raw.isascii():
        yield Broken(
            message="Sans MSH-18, un message est en ASCII.",
            expected=" | ".join(table.CHARACTER_SETS),
            where="MSH-18",
        )


@OMI.rule(
    "OMI-004",
    "Le message n'est pas celui de la télé-radiologie",
    reference=_TLR,
    severity=Severity.WARNING,
    bad=lambda: example.omi({"MSH": {21: tuple(table.TELERADIOLOGY_PROFILE.split("^"))}}),
)
def not_teleradiology(hl7: Hl7Artefact) -> Findings:
    if profile_of(hl7.message) == table.TELERADIOLOGY_PROFILE:
        yield Broken(
            message="Ce flux va du RIS à la plateforme de télé-radiologie, pas à une DRIMbox.",
            actual=table.TELERADIOLOGY_PROFILE,
            where="MSH-21",
        )


@OMI.rule(
    "OMI-040",
    "Les segments sont ceux d'OMI_O23, dans leur ordre",
    reference=_standard("chapitre 4, OMI^O23"),
    bad=lambda: example.omi(without=("OBR",)),
)
def segment_order(hl7: Hl7Artefact) -> Findings:
    names = [part.name for part in hl7.message.segments if not part.name.startswith("Z")]
    written = "".join(f"{name} " for name in names)
    if _GRAMMAR.fullmatch(written) is None:
        yield Broken(
            message="L'enchaînement des segments n'est pas celui du standard.",
            expected="MSH [PID [PV1]] { ORC [TQ1] OBR [NTE] { [OBX] } { IPC } }",
            actual=written[:200].strip(),
            where="MSH",
        )


@OMI.rule(
    "OMI-041",
    "Le message concerne un patient et un seul",
    reference=_SAMPLE,
    bad=lambda: example.omi(without=("PID", "PV1")),
)
def one_patient(hl7: Hl7Artefact) -> Findings:
    count = len(hl7.message.all("PID"))
    yield from same(str(count), "1", "PID", "Le nombre de patients")


@OMI.rule(
    "OMI-042",
    "PID-5 donne le nom du patient",
    reference=_standard("chapitre 3, PID-5"),
    bad=lambda: example.omi({"PID": {5: ("", "DOMINIQUE")}}),
)
def name(hl7: Hl7Artefact) -> Findings:
    if hl7.message.first("PID") is not None and not hl7.value("PID-5.1"):
        yield Broken(message="Le nom du patient manque.", where="PID-5.1")


@OMI.rule(
    "OMI-043",
    "PV1-2 est une classe connue, quand PV1 est écrit",
    reference=_standard("chapitre 3, PV1-2"),
    bad=lambda: example.omi({"PV1": {2: "Z"}}),
)
def patient_class(hl7: Hl7Artefact) -> Findings:
    if hl7.message.first("PV1") is not None:
        allowed = ("B", "C", "E", "I", "N", "O", "P", "R", "U")
        yield from one_of(hl7.value("PV1-2"), allowed, "PV1-2", "La classe du patient")


@OMI.rule(
    "OMI-044",
    "ORC-1 dit ce qui est demandé",
    reference=_standard("chapitre 4, ORC-1"),
    bad=lambda: example.omi({"ORC": {1: None}}),
)
def order_control(hl7: Hl7Artefact) -> Findings:
    for rank, orc in enumerate(hl7.message.all("ORC"), start=1):
        value = orc.field(1).value
        if re.fullmatch(r"[A-Z]{2}", value) is None:
            yield Broken(
                message="ORC-1 n'est pas un code de commande (table 0119).",
                expected="NW, XO, CA…",
                actual=value[:40],
                where=f"ORC[{rank}]-1",
            )


@OMI.rule(
    "OMI-045",
    "ORC-2 et OBR-2, ORC-3 et OBR-3 sont les mêmes numéros",
    reference=_SAME_ORDER,
    bad=lambda: example.omi({"OBR": {3: ("FIL901", "RIS_EXEMPLE")}}),
)
def same_order(hl7: Hl7Artefact) -> Findings:
    requests = hl7.message.all("OBR")
    for rank, orc in enumerate(hl7.message.all("ORC"), start=1):
        if rank > len(requests):
            return
        for number in (2, 3):
            asked, written = orc.field(number).value, requests[rank - 1].field(number).value
            if asked and written:
                yield from same(written, asked, f"OBR[{rank}]-{number}", "Le numéro de demande")


@OMI.rule(
    "OMI-047",
    "Une demande a un numéro, du demandeur ou du réalisateur",
    reference=_SAME_ORDER,
    bad=lambda: example.omi({"ORC": {2: None, 3: None}, "OBR": {2: None, 3: None}}),
)
def numbered(hl7: Hl7Artefact) -> Findings:
    orders, requests = hl7.message.all("ORC"), hl7.message.all("OBR")
    for rank, (orc, obr) in enumerate(zip(orders, requests, strict=False), start=1):
        if not any(part.field(number) for part in (orc, obr) for number in (2, 3)):
            yield Broken(message="La demande n'a aucun numéro.", where=f"ORC[{rank}]-2")


@OMI.rule(
    "OMI-046",
    "OBR-4 nomme l'acte",
    reference=_standard("chapitre 4, OBR-4"),
    bad=lambda: example.omi({"OBR": {4: None}}),
)
def service(hl7: Hl7Artefact) -> Findings:
    for rank, obr in enumerate(hl7.message.all("OBR"), start=1):
        if not obr.field(4).component(1):
            yield Broken(message="Le code de l'acte est vide.", where=f"OBR[{rank}]-4.1")


@OMI.rule(
    "OMI-050",
    "IPC-1 donne l'Accession Number, qui tient dans l'attribut DICOM",
    reference=_IPC,
    bad=lambda: example.omi({"IPC": {1: None}}),
)
def accession(hl7: Hl7Artefact) -> Findings:
    for rank, ipc in _procedures(hl7):
        value = ipc.field(1).component(1).value
        if not 1 <= len(value) <= _LONGEST_ACCESSION or "\\" in value:
            yield Broken(
                message="L'Accession Number manque ou ne peut pas être celui d'un PACS.",
                expected="1 à 16 caractères (SH)",
                actual=value[:80],
                where=f"IPC[{rank}]-1.1",
            )


@OMI.rule(
    "OMI-051",
    "IPC-3 donne le StudyInstanceUID, un UID DICOM légal",
    reference=_IPC,
    requirements=("DB.SO.12", "DB.SO.13"),
    bad=lambda: example.omi({"IPC": {3: "1.2.003"}}),
)
def study(hl7: Hl7Artefact) -> Findings:
    for rank, ipc in _procedures(hl7):
        value = ipc.field(3).component(1).value
        if not is_uid(value):
            yield Broken(
                message="L'examen n'a pas un UID légal.",
                expected="UID de 64 caractères au plus, sans zéro en tête",
                actual=value[:80],
                where=f"IPC[{rank}]-3.1",
            )


@OMI.rule(
    "OMI-052",
    "IPC-2 et IPC-4 nomment la procédure et l'étape",
    reference=_IPC,
    severity=Severity.WARNING,
    bad=lambda: example.omi({"IPC": {4: None}}),
)
def procedure(hl7: Hl7Artefact) -> Findings:
    for rank, ipc in _procedures(hl7):
        for number in (2, 4):
            if not ipc.field(number):
                yield Broken(message="Le champ est requis et vide.", where=f"IPC[{rank}]-{number}")


@OMI.rule(
    "OMI-053",
    "IPC-5 est une modalité du JDV_ModaliteAcquisition, quand elle est écrite",
    reference=_SAMPLE,
    bad=lambda: example.omi({"IPC": {5: "RM"}}),
)
def modality(hl7: Hl7Artefact) -> Findings:
    for rank, ipc in _procedures(hl7):
        value = ipc.field(5).component(1).value
        if value and value not in MODALITIES:
            yield Broken(
                message="La modalité n'est pas du jeu de valeurs.",
                expected="CT, MR, CR, US…",
                actual=value[:80],
                where=f"IPC[{rank}]-5.1",
            )


@OMI.rule(
    "OMI-054",
    "L'examen et l'Accession Number sont ceux du cas",
    reference=_SAMPLE,
    requirements=("DB.SO.12", "DB.SO.13"),
    given=Context(study_uid=example.STUDY, accession=example.ACCESSION),
    bad=lambda: example.omi({"IPC": {1: "ACN901"}}),
)
def exam_of_case(hl7: Hl7Artefact) -> Findings:
    for expected, number, what in (
        (hl7.context.accession, 1, "Accession Number"),
        (hl7.context.study_uid, 3, "StudyInstanceUID"),
    ):
        written = [ipc.field(number).component(1).value for _, ipc in _procedures(hl7)]
        if expected and expected not in written:
            yield Broken(
                message=f"Aucun IPC ne nomme le {what} du cas.",
                expected=expected,
                actual=" ".join(written)[:200],
                where=f"IPC-{number}",
            )


@OMI.rule(
    "OMI-071",
    "Une observation a un type, un code et un statut",
    reference=_standard("chapitre 7, OBX"),
    bad=lambda: example.omi({"OBX": {11: None}}),
)
def observation(hl7: Hl7Artefact) -> Findings:
    for rank, obx in enumerate(hl7.message.all("OBX"), start=1):
        if obx.field(5) and not obx.field(2):
            yield Broken(message="Le type de la valeur manque.", where=f"OBX[{rank}]-2")
        if not obx.field(3).component(1):
            yield Broken(message="Le code de l'observation manque.", where=f"OBX[{rank}]-3")
        allowed = ("O", "F", "C", "D", "I", "N", "P", "R", "S", "U", "W", "X")
        yield from one_of(obx.field(11).value, allowed, f"OBX[{rank}]-11", "Le statut")


@OMI.rule(
    "OMI-055",
    "OBX-2 est un type de données de HL7 (table 0125)",
    reference=_standard("chapitre 7, OBX-2, table 0125"),
    bad=lambda: example.omi({"OBX": {2: "TEXTE"}}),
)
def observation_types(hl7: Hl7Artefact) -> Findings:
    for part in hl7.message.all("OBX"):
        value = part.field(2).value
        if part.field(5) and value not in table.VALUE_TYPES:
            yield Broken(
                message="Ce type de données n'est pas de la table 0125.",
                expected="ST, CE, NM, TX…",
                actual=value[:80] or "absent",
                where=hl7.at(part, "2"),
            )
