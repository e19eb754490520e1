"""How the Source reads what the PACS says of changed exams: an IOCM note, or OMI^O23.

Both say the same: this exam is no longer what it was. Neither is believed further: no public text
gives OMI^O23 an order control that tells an addition from a deletion, and an archive may go on
serving what a note rejects (113001). What the exam has become is asked of the PACS.

Réf.: ANS FAQ 8801, grade: faq; IHE RAD TF Vol. 2, 4.66, grade: standard; OMI^O23 of DRIM-M_DATA,
grade: sample.
"""

from __future__ import annotations

from drimbox_ref.source.values import Fault, Notice
from protocols import kos
from protocols.dicom import is_uid
from protocols.errors import RemoteProtocolError
from protocols.hl7v2 import Hl7SyntaxError, Message, parse
from spec.hl7v2 import VERSION_OMI

__all__ = ["PacsNotices"]

_RAD_66, _OMI = "RAD-66", "OMI^O23"
_PREFIX = slice(128, 132)


class PacsNotices:
    """Reads Key Object Selection files and OMI^O23 messages."""

    def concerns(self, message: bytes) -> bool:
        """Whether it is a DICOM file, or a message of type OMI."""
        if message[_PREFIX] == b"DICM":
            return True
        try:
            return parse(message).value("MSH-9.1") == "OMI"
        except Hl7SyntaxError:
            return False

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """Faults that forbid to take it; empty when there is none."""
        if message[_PREFIX] == b"DICM":
            try:
                found = _noted(message)
            except RemoteProtocolError as error:
                return (Fault(code="102", where="", text=str(error)),)
            return () if found else (Fault(code="101", where="0040,A375", text="aucun examen"),)
        try:
            return tuple(_omi_faults(parse(message)))
        except Hl7SyntaxError as error:
            return (Fault(code="100", where="MSH^1", text=str(error)),)

    def read(self, message: bytes) -> Notice:
        """What a taken notice is about.

        Raises:
            RemoteProtocolError: it cannot be read.
        """
        if message[_PREFIX] == b"DICM":
            return Notice(transaction=_RAD_66, studies=_noted(message))
        return Notice(transaction=_OMI, studies=_ordered(parse(message)))


def _noted(file: bytes) -> tuple[str, ...]:
    """The studies of the instances that a note names, its own when it names none."""
    note = kos.decode(file)
    named = [study.study_uid for study in note.studies] or [note.study_uid or ""]
    return tuple(uid for uid in dict.fromkeys(named) if is_uid(uid))


def _ordered(message: Message) -> tuple[str, ...]:
    """IPC-3 of each procedure step."""
    named = (step.field(3).component(1).value.strip() for step in message.all("IPC"))
    return tuple(uid for uid in dict.fromkeys(named) if is_uid(uid))


def _omi_faults(message: Message) -> list[Fault]:
    faults = []
    event = message.value("MSH-9.2")
    version = message.value("MSH-12.1") or message.value("MSH-12")
    if event != "O23":
        faults.append(Fault(code="201", where="MSH^1^9", text=f"événement OMI^{event}"))
    if version != VERSION_OMI:
        faults.append(Fault(code="203", where="MSH^1^12", text=f"version HL7 {version!r}"))
    if not message.value("MSH-10"):
        faults.append(Fault(code="101", where="MSH^1^10", text="identifiant de message absent"))
    if not _ordered(message):
        faults.append(Fault(code="101", where="IPC^1^3", text="aucun StudyInstanceUID"))
    return faults
