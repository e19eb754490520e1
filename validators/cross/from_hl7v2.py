"""What a message between RIS, PFI, PACS and DRIMbox says of an exam."""

from __future__ import annotations

from collections.abc import Iterable

from protocols.hl7v2 import Message, Repetition
from spec import hl7v2 as volet
from spec.dmp import Masking
from spec.oids import INS_AUTHORITIES
from validators.cross.fact import Facts, Speaker, Subject, Voice
from validators.cross.forms import day, fold, gender, structure

__all__ = ["MASKED", "NOTHING_MASKED", "birth_place", "facts", "is_sent_to_dmp"]

NOTHING_MASKED = "aucun masquage"
MASKED = {
    "MASQUE_PS": str(Masking.PROFESSIONALS),
    "INVISIBLE_PATIENT": str(Masking.PATIENT),
    "INVISIBLE_REP_LEGAUX": str(Masking.LEGAL_REPRESENTATIVES),
    # The code of the volet's 1.x versions, longer than its later limit of twenty characters.
    "INVISIBLE_REPRESENTANTS_LEGAUX": str(Masking.LEGAL_REPRESENTATIVES),
}
"""HL7 observation -> confidentialityCode of the DMP.

Réf.: DRIM-M_DATA, Cross-validateur, OK_HL7_XDS_invisible_masque, grade: sample.
"""
_DESTINATION = "DESTDMP"
_SENDER = "SB"


def facts(message: Message, name: str) -> Facts:
    """Everything that a message says, the report inside left out."""

    hl7 = Speaker(Voice.MESSAGE, name)
    pid = message.first("PID")
    if pid is not None:
        for rank, cx in enumerate(pid.field(3).repetitions, start=1):
            yield from _identifier(cx, hl7, f"PID-3[{rank}]")
        for rank, xpn in enumerate(pid.field(5).repetitions, start=1):
            yield from _name(xpn, hl7, f"PID-5[{rank}]")
        yield hl7.says(Subject.BIRTH_DATE, day(message.value("PID-7.1")), "PID-7")
        yield hl7.says(Subject.SEX, gender(message.value("PID-8")), "PID-8")
        yield hl7.says(Subject.BIRTH_PLACE, birth_place(pid.field(11).repetitions), "PID-11")
    for prt in message.all("PRT"):
        if prt.field(4).component(1).value == _SENDER:
            value = structure(prt.field(8).component(10).value)
            yield hl7.says(Subject.SITE, value, "PRT-8.10")
    yield from _visibility(message, hl7)
    yield from _notified(message, hl7)


def is_sent_to_dmp(message: Message) -> bool | None:
    """What DESTDMP says, None when the message has none."""
    said = dict(_flags(message)).get(_DESTINATION)
    return None if said is None else said == "Y"


def birth_place(places: Iterable[Repetition]) -> str:
    """INSEE code of the address of type BDL, "" when there is none."""
    for place in places:
        if place.component(7).value == "BDL":
            return place.component(9).value.strip()
    return ""


def _identifier(cx: Repetition, hl7: Speaker, where: str) -> Facts:
    id, kind = cx.component(1).value, cx.component(5).value
    oid = cx.component(4).subcomponent(2).value
    if kind == volet.INS_TYPE or oid in INS_AUTHORITIES:
        yield hl7.says(Subject.INS, id, f"{where}.1")
        yield hl7.says(Subject.INS_AUTHORITY, oid, f"{where}.4.2", id)
    elif kind == volet.LOCAL_TYPE:
        yield hl7.says(Subject.IPP, id, f"{where}.1")
        yield hl7.says(Subject.IPP_AUTHORITY, oid, f"{where}.4.2", id)


def _name(xpn: Repetition, hl7: Speaker, where: str) -> Facts:
    family, given, givens = (xpn.component(number).value for number in (1, 2, 3))
    if xpn.component(7).value == "L":
        yield hl7.says(Subject.BIRTH_FAMILY, fold(family), f"{where}.1")
        yield hl7.says(Subject.BIRTH_GIVEN, fold(given), f"{where}.2")
        yield hl7.says(Subject.BIRTH_GIVENS, fold(givens), f"{where}.3")


def _flags(message: Message) -> list[tuple[str, str]]:
    """The Y and N observations of MetaDMPMSS."""
    return [
        (obx.field(3).component(1).value, obx.field(5).component(1).value)
        for obx in message.all("OBX")
        if obx.field(3).component(3).value == volet.META_SYSTEM
    ]


def _visibility(message: Message, hl7: Speaker) -> Facts:
    flags = [(code, said) for code, said in _flags(message) if code in MASKED]
    masked = [MASKED[code] for code, said in flags if said == "Y"]
    for value in masked or ([NOTHING_MASKED] if flags else []):
        yield hl7.says(Subject.VISIBILITY, value, "OBX (MetaDMPMSS)")


def _notified(message: Message, hl7: Speaker) -> Facts:
    """The exam of an OMI: elsewhere no field of the volet names it (it is in the report)."""
    for ipc in message.all("IPC"):
        yield hl7.says(Subject.ACCESSION, ipc.field(1).component(1).value, "IPC-1")
        yield hl7.says(Subject.STUDY, ipc.field(3).component(1).value, "IPC-3")
    if message.first("IPC") is not None:
        yield hl7.says(Subject.ORDER, message.value("ORC-2.1"), "ORC-2.1")
