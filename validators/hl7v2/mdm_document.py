"""MDM: what it writes otherwise than ORU: event, document header, type of the observations."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spec import hl7v2 as table
from validators.examples import hl7v2 as example
from validators.finding import Severity
from validators.hl7v2.mdm import MDM
from validators.hl7v2.oru_meta import answers
from validators.hl7v2.reading import Hl7Artefact
from validators.hl7v2.sources import DATA, one_of, same, volet
from validators.identifiers import is_dtm
from validators.rule import Broken

__all__: list[str] = []

Findings = Iterator[Broken]

_STRUCTURE = volet("profils-messages, MDM_T02")
_MSH = volet("profils-messages, MSH")
_TXA = volet("profils-messages, TXA")
_LIFE = volet("evenements-declenchants")
_GRAMMAR = re.compile(
    r"MSH (SFT )*(UAC )?EVN PID (PD1 )?PV1 ORC (TQ1 (TQ2 )*)*OBR (NTE )*"
    r"TXA (CON )*(OBX (PRT )*(NTE )*)+"
)
_TYPES = tuple(f"MDM^{event}^MDM_T02" for event in table.MDM_EVENTS)


@MDM.rule(
    "MDM-001",
    "MSH-9 vaut MDM^T02, T10 ou T04, de structure MDM_T02",
    reference=_MSH,
    bad=lambda: example.mdm(event="T11"),
)
def message_type(hl7: Hl7Artefact) -> Findings:
    return one_of(hl7.value("MSH-9"), _TYPES, "MSH-9", "Le type de message")


@MDM.rule(
    "MDM-002",
    "MSH-12 vaut 2.6",
    reference=_MSH,
    bad=lambda: example.mdm({"MSH": {12: "2.5"}}),
)
def version(hl7: Hl7Artefact) -> Findings:
    return same(hl7.value("MSH-12.1"), table.VERSION_MDM, "MSH-12", "La version HL7")


@MDM.rule(
    "MDM-040",
    "Les segments sont ceux de MDM_T02, dans leur ordre, avec une seule demande",
    reference=_STRUCTURE,
    bad=lambda: example.mdm(without=("TXA",)),
)
def segment_order(hl7: Hl7Artefact) -> Findings:
    names = [part.name for part in hl7.message.segments if not part.name.startswith("Z")]
    written = "".join(f"{name} " for name in names)
    if _GRAMMAR.fullmatch(written) is None:
        yield Broken(
            message="L'enchaînement des segments n'est pas celui du profil.",
            expected="MSH EVN PID PV1 ORC [TQ1] OBR [NTE] TXA { OBX [PRT] [NTE] }",
            actual=written[:200].strip(),
            where="MSH",
        )


@MDM.rule(
    "MDM-047",
    "ORC-1 est cohérent avec l'événement (T02-NW, T10-RO, T04-CA)",
    reference=_LIFE,
    bad=lambda: example.mdm({"ORC": {1: "CA"}, "OBX": {11: "D"}}),
)
def event_and_order(hl7: Hl7Artefact) -> Findings:
    expected = table.MDM_EVENTS.get(hl7.value("MSH-9.2"))
    if expected is not None:
        yield from same(hl7.value("ORC-1"), expected, "ORC-1", "La commande")


@MDM.rule(
    "MDM-048",
    "EVN date l'événement, qui est celui de MSH-9",
    reference=_STRUCTURE,
    bad=lambda: example.mdm({"EVN": {1: "T10"}}),
)
def event(hl7: Hl7Artefact) -> Findings:
    if hl7.message.first("EVN") is None:
        return
    written = hl7.value("EVN-1")
    if written:
        yield from same(written, hl7.value("MSH-9.2"), "EVN-1", "L'événement")
    if not is_dtm(hl7.value("EVN-2.1")):
        yield Broken(
            message="La date d'enregistrement est absente ou illisible.",
            expected="AAAAMMJJHHMMSS[+-ZZZZ]",
            actual=hl7.value("EVN-2"),
            where="EVN-2",
        )


@MDM.rule(
    "MDM-071",
    "Le message porte un document et un seul",
    reference=_STRUCTURE,
    bad=lambda: example.mdm(tail=(("OBX", {1: "12", 2: "ED", 3: ("18748-4", "CR", "LN")}),)),
)
def one_document(hl7: Hl7Artefact) -> Findings:
    count = sum(
        obx.field(2).value == "ED" and obx.field(3).component(3).value != table.META_SYSTEM
        for obx in hl7.message.all("OBX")
    )
    if count > 1:
        yield Broken(
            message="Un MDM ne porte qu'un document.",
            expected="1",
            actual=str(count),
            where="OBX",
        )


@MDM.rule(
    "MDM-072",
    "TXA-1 vaut 1 et TXA-3 vaut TEXT",
    reference=_TXA,
    bad=lambda: example.mdm({"TXA": {3: "PDF"}}),
)
def text(hl7: Hl7Artefact) -> Findings:
    if hl7.message.first("TXA") is not None:
        yield from same(hl7.value("TXA-1"), "1", "TXA-1", "Le rang")
        # Letter case differs between the volet's tables: it distinguishes nothing.
        yield from same(hl7.value("TXA-3").upper(), "TEXT", "TXA-3", "La présentation")


@MDM.rule(
    "MDM-073",
    "TXA-2 est le code du document, égal à OBR-4",
    reference=_TXA,
    bad=lambda: example.mdm({"TXA": {2: "11528-7"}}),
)
def document_type(hl7: Hl7Artefact) -> Findings:
    if hl7.message.first("TXA") is not None:
        expected = hl7.value("OBR-4.1")
        yield from same(hl7.value("TXA-2.1"), expected, "TXA-2", "Le code du document")


@MDM.rule(
    "MDM-074",
    "TXA-12 est l'identifiant du CDA : son OID, ou extension^^OID^ISO",
    reference=_TXA,
    bad=lambda: example.mdm({"TXA": {12: "1.2.3"}}),
)
def document_number(hl7: Hl7Artefact) -> Findings:
    if hl7.message.first("TXA") is None:
        return
    written = hl7.value("TXA-12")
    if not written:
        yield Broken(message="L'identifiant du document manque.", where="TXA-12")
    elif hl7.cda is not None:
        expected = _numbers(hl7, "cda:id")
        if expected and written not in expected:
            yield Broken(
                message="TXA-12 n'est pas l'identifiant du document transmis.",
                expected=" | ".join(expected),
                actual=written,
                where="TXA-12",
            )


@MDM.rule(
    "MDM-075",
    "TXA-13 est l'identifiant du document remplacé, dans un remplacement et là seulement",
    reference=_TXA,
    good=lambda: example.mdm(event="T10"),
    bad=lambda: example.mdm({"TXA": {13: None}}, event="T10"),
)
def parent_number(hl7: Hl7Artefact) -> Findings:
    if hl7.message.first("TXA") is None:
        return
    written, replaces = hl7.value("TXA-13"), hl7.value("MSH-9.2") == "T10"
    if replaces != bool(written):
        yield Broken(
            message="TXA-13 et l'événement ne disent pas la même chose.",
            expected="rempli en T10, vide en T02 et T04",
            actual=written,
            where="TXA-13",
        )
    elif replaces and hl7.cda is not None:
        path = "cda:relatedDocument[@typeCode='RPLC']/cda:parentDocument/cda:id"
        expected = _numbers(hl7, path)
        if expected and written not in expected:
            yield Broken(
                message="TXA-13 n'est pas le document que le compte rendu remplace.",
                expected=" | ".join(expected),
                actual=written,
                where="TXA-13",
            )


@MDM.rule(
    "MDM-076",
    "TXA-17 vaut AU",
    reference=_TXA,
    bad=lambda: example.mdm({"TXA": {17: "IP"}}),
)
def availability(hl7: Hl7Artefact) -> Findings:
    if hl7.message.first("TXA") is not None:
        yield from same(hl7.value("TXA-17"), table.AVAILABLE, "TXA-17", "L'état du document")


@MDM.rule(
    "MDM-077",
    "Un identifiant de document est un OID seul : le DMP ne reçoit pas d'extension",
    reference=volet("profils-messages, TXA-12"),
    severity=Severity.WARNING,
    bad=lambda: example.mdm(
        {"TXA": {12: ("CR-1", "", example.DOCUMENT, "ISO")}},
        document=example.cda().replace(
            f'<id root="{example.DOCUMENT}"/>'.encode(),
            f'<id root="{example.DOCUMENT}" extension="CR-1"/>'.encode(),
        ),
    ),
)
def plain_number(hl7: Hl7Artefact) -> Findings:
    for path in ("TXA-12", "TXA-13"):
        if hl7.value(f"{path}.3"):
            yield Broken(
                message="Le DMP ne sait pas recevoir cette forme d'identifiant.",
                expected="OID",
                actual=hl7.value(path),
                where=path,
            )


@MDM.rule(
    "MDM-083",
    "Les observations MetaDMPMSS sont de type CWE et valent Y ou N",
    reference=DATA,
    bad=lambda: example.mdm(meta_edits={2: "CE"}),
)
def yes_or_no(hl7: Hl7Artefact) -> Findings:
    return answers(hl7, "CWE")


def _numbers(hl7: Hl7Artefact, path: str) -> list[str]:
    """The identifiers of the report at a path, as TXA writes them."""
    if hl7.cda is None:
        return []
    found = []
    for root in hl7.cda_values(f"{path}/@root"):
        extensions = hl7.cda_values(f"{path}[@root='{_quoted(root)}']/@extension")
        found += [f"{extension}^^{root}^ISO" for extension in extensions] or [root]
    return found


def _quoted(root: str) -> str:
    """A root that can stand between apostrophes in an XPath: an OID or a UUID, or nothing."""
    return root if re.fullmatch(r"[\w.-]{1,128}", root, re.ASCII) else ""
