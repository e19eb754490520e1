"""An event of the trail as a DICOM audit message, for an audit record repository.

Réf.: DICOM PS3.15 A.5.1 (schema), IHE ITI TF Vol. 2, 3.20 (ITI-20), grade: standard. Which EventID
stands for which of our events is inferred: the draft REM only says "like RAD-128, ITI-41, ITI-43".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Final

from lxml import etree

from drimbox_ref.trail import AuditEvent, Record
from protocols.syslog import Message
from protocols.xml import serialize

__all__ = ["audit_message", "syslog_message"]

_DCM, _IHE = "DCM", "IHE Transactions"
_PRIORITY = 10 * 8 + 5
"""Security, notice: ITI-20."""
_MESSAGE_ID = "IHE+RFC-3881"
_OURS = "drimbench@32473"
"""32473 is the enterprise number of examples (RFC 5612): we have none."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How an event is coded: EventID, EventActionCode, EventTypeCode."""

    id: tuple[str, str]
    action: str
    type: tuple[str, str, str]


_IMPORT, _EXPORT = ("110107", "Import"), ("110106", "Export")
_USER = ("110114", "User Authentication")
_OTHER = ("110100", "Application Activity")

_KINDS: Final = {
    ("source", "RAD-128"): _Kind(_IMPORT, "C", ("RAD-128", _IHE, "Send Imaging Result")),
    ("source", "ITI-41"): _Kind(
        _EXPORT, "R", ("ITI-41", _IHE, "Provide and Register Document Set-b")
    ),
    ("source", "ITI-43"): _Kind(_EXPORT, "R", ("ITI-43", _IHE, "Retrieve Document Set")),
    ("consumer", "ITI-43"): _Kind(_IMPORT, "C", ("ITI-43", _IHE, "Retrieve Document Set")),
    ("consumer", "UserAuthentication"): _Kind(_USER, "E", ("110122", _DCM, "Login")),
    ("consumer", "UserLogout"): _Kind(_USER, "E", ("110123", _DCM, "Logout")),
}

_STUDY = ("110180", _DCM, "Study Instance UID")
_DOCUMENT = ("9", "RFC-3881", "Report Number")
_PATIENT = ("2", "RFC-3881", "Patient Number")
_OBJECTS = {"study": _STUDY}


def syslog_message(record: Record, *, role: str, box: str) -> Message:
    """The syslog message of a record: its number and MAC come with it, so that the repository holds
    what the chain is verified against."""
    return Message(
        priority=_PRIORITY,
        time=f"{record.utc.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        host=_name(box),
        app=f"drimbox-{role}",
        id=_MESSAGE_ID,
        data={_OURS: {"number": str(record.number), "mac": record.mac}},
        text=audit_message(record, role=role, box=box),
    )


def audit_message(record: Record, *, role: str, box: str) -> bytes:
    """The XML of a record (PS3.15 A.5.1), UTF-8."""
    event = record.event
    kind = _KINDS.get((role, event.event)) or _Kind(_OTHER, "E", (event.event, _OURS, event.event))
    root = etree.Element("AuditMessage")
    identification = etree.SubElement(
        root,
        "EventIdentification",
        {
            "EventActionCode": kind.action,
            "EventDateTime": f"{record.utc.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            "EventOutcomeIndicator": str(event.outcome),
        },
    )
    _code(identification, "EventID", (kind.id[0], _DCM, kind.id[1]))
    _code(identification, "EventTypeCode", kind.type)
    if event.description:
        etree.SubElement(identification, "EventOutcomeDescription").text = _text(event.description)
    _participants(root, event, kind, box)
    etree.SubElement(root, "AuditSourceIdentification", {"AuditSourceID": _text(box)})
    if event.patient:
        _object(root, event.patient, "1", "1", _PATIENT)
    for name, value in event.objects.items():
        if value:
            _object(root, value, "2", "3", _OBJECTS.get(name, _DOCUMENT), name)
    return serialize(root)


def _participants(root: etree._Element, event: AuditEvent, kind: _Kind, box: str) -> None:
    """The box, its peer, and the professional on whose behalf it is done."""
    sending = kind.id is _EXPORT
    _participant(root, box, requestor=sending, role="source" if sending else "destination")
    if event.peer:
        _participant(
            root, event.peer, requestor=not sending, role="destination" if sending else "source"
        )
    if event.subject:
        _participant(root, event.subject, requestor=True, role="")


def _participant(root: etree._Element, user: str, *, requestor: bool, role: str) -> None:
    element = etree.SubElement(
        root,
        "ActiveParticipant",
        {"UserID": _text(user), "UserIsRequestor": "true" if requestor else "false"},
    )
    if role:
        code = ("110153", "Source") if role == "source" else ("110152", "Destination")
        _code(element, "RoleIDCode", (code[0], _DCM, code[1]))


def _object(
    root: etree._Element, id: str, kind: str, role: str, code: tuple[str, str, str], name: str = ""
) -> None:
    element = etree.SubElement(
        root,
        "ParticipantObjectIdentification",
        {
            "ParticipantObjectID": _text(id),
            "ParticipantObjectTypeCode": kind,
            "ParticipantObjectTypeCodeRole": role,
        },
    )
    _code(element, "ParticipantObjectIDTypeCode", code)
    if name:
        etree.SubElement(element, "ParticipantObjectName").text = name


def _code(parent: etree._Element, name: str, code: tuple[str, str, str]) -> None:
    value, system, label = code
    etree.SubElement(
        parent, name, {"csd-code": value, "codeSystemName": system, "originalText": label}
    )


def _text(value: str) -> str:
    """What XML can hold: its control characters are written out."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in value)


def _name(box: str) -> str:
    """A host name of printable ASCII."""
    found = "".join(char if "!" <= char <= "~" else "-" for char in box)
    return found[:255] or "drimbox"
