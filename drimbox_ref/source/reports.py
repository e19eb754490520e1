"""How the Source reads a report message: what forbids to take it, then what it asks for.

Réf.: CI-SIS, Transmission d'un document CDA-R2 en HL7v2 2.1 (profils-messages, acquittement,
evenements-declenchants), grade: standard; draft REM DB.SO.11, DB.SO.12, grade: draft.
"""

from __future__ import annotations

import re

import pybase64

from drimbox_ref.source import report_header as header
from drimbox_ref.source.times import utc_time
from drimbox_ref.source.values import (
    Action,
    Ban,
    Coded,
    Fault,
    Ins,
    Patient,
    Refusal,
    ReportOrder,
)
from protocols import cda
from protocols.errors import RemoteProtocolError
from protocols.hl7v2 import Hl7SyntaxError, Message, parse
from protocols.hl7v2_elements import Repetition, Segment
from spec.dmp import MASKING_SCHEME, Masking
from spec.hl7v2 import (
    CHARACTER_SETS,
    DOCUMENT_STATUSES,
    INS_TYPE,
    LOCAL_TYPE,
    META_SYSTEM,
    PROCESSING_IDS,
    QUALIFIED,
    VERSION_ORU,
)
from spec.oids import INS_AUTHORITIES

__all__ = ["CisisReports"]

_VERSION_MDM = "2.6"
_PROFILE_FAMILY = "CISIS_CDA_HL7_V2"
_MDM_EVENTS = {"T02": "NW", "T10": "RO", "T04": "CA"}
_ACTIONS = {"NW": Action.CREATE, "RO": Action.REPLACE, "CA": Action.DELETE}
_MASKS = {
    "MASQUE_PS": Masking.PROFESSIONALS,
    "INVISIBLE_PATIENT": Masking.PATIENT,
    "INVISIBLE_REP_LEGAUX": Masking.LEGAL_REPRESENTATIVES,
    "INVISIBLE_REPRESENTANTS_LEGAUX": Masking.LEGAL_REPRESENTATIVES,
}
"""MetaDMPMSS codes, the one that HL7 shortened and its 1.2 spelling, and their XDS codes."""
_MASK_LABELS = {
    Masking.PROFESSIONALS: "Masqué aux professionnels de santé",
    Masking.PATIENT: "Non visible par le patient",
    Masking.LEGAL_REPRESENTATIVES: "Non visible par les représentants légaux du patient",
}
_MATRICULE = re.compile(r"\d{6}[0-9AB]\d{8}")
"""13 characters and a 2-digit key; the seventh is A or B for Corsica."""
_BLANKS = re.compile(rb"\s+|\\\.br\\")

_RESEND = "Corriger dans le RIS, puis renvoyer le compte-rendu."


class CisisReports:
    """Reads ORU^R01 and MDM^T02, T10, T04 of the CI-SIS volet 2.x."""

    def __init__(self, *, without_dmp: str) -> None:
        self._without_dmp = without_dmp

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """Faults that forbid to take responsibility for the message; empty when there is none.

        They concern the message's form only: an unqualified identity or an absent exam is for
        the administrator, not for the acknowledgement.
        """
        try:
            parsed = parse(message)
        except Hl7SyntaxError as error:
            return (Fault(code="100", where="MSH^1", text=str(error)),)
        faults = [*_header_faults(parsed), *_structure_faults(parsed)]
        if not faults:
            faults.extend(_document_faults(parsed))
        return tuple(faults)

    def read(self, message: bytes) -> ReportOrder | Refusal:
        """What a taken message asks for."""
        try:
            parsed = parse(message)
            report = cda.parse(_document_bytes(parsed))
        except RemoteProtocolError as error:
            return Refusal(
                ban=Ban.UNREADABLE, message=f"Message illisible : {error}", advice=_RESEND
            )
        identity = _ins(parsed)
        if isinstance(identity, Refusal):
            return identity
        return self._order(parsed, report, identity)

    def _order(
        self, message: Message, report: cda.ImagingReport, ins: Ins
    ) -> ReportOrder | Refusal:
        action = _ACTIONS[message.value("ORC-1")]
        written = header.written_ins(report)
        if written is not None and written != ins:
            return Refusal(
                ban=Ban.IDENTITY,
                message="L'INS du compte-rendu CDA diffère de celui du message (PID-3).",
                advice=_RESEND,
            )
        exams = header.exams(report)
        if not exams:
            return Refusal(
                ban=Ban.NO_EXAM,
                message="Aucun StudyInstanceUID dans l'en-tête du compte-rendu.",
                advice="Vérifier documentationOf/serviceEvent/id dans le compte-rendu. " + _RESEND,
            )
        metadata = _metadata(message)
        if (
            metadata.get("DESTDMP") == "N"
            and self._without_dmp == "stop"
            and action is not Action.DELETE
        ):
            return Refusal(
                ban=Ban.NO_DMP,
                message="Le compte-rendu n'est pas destiné au DMP (DESTDMP = N) : son KOS n'est "
                "pas publié non plus.",
                advice="Rien à faire si ce choix est voulu ; sinon renvoyer le compte-rendu avec "
                "DESTDMP = Y.",
            )
        return ReportOrder(
            control_id=message.value("MSH-10"),
            action=action,
            report=header.report_id(report),
            set_id=header.set_id(report),
            replaces=header.replaced(report),
            patient=_patient(message, report, ins),
            professional=header.professional(report),
            structure=header.structure(report, fallback=_sender_structure(message)),
            facility=header.facility(report),
            setting=header.setting(report),
            visit_class=message.value("PV1-2"),
            confidentiality=_confidentiality(report, metadata),
            orders=header.orders(report),
            exams=exams,
            version=header.version(report),
            sent=utc_time(message.value("MSH-7")),
        )


def _header_faults(message: Message) -> list[Fault]:
    faults = []
    kind, event = message.value("MSH-9.1"), message.value("MSH-9.2")
    version = message.value("MSH-12.1") or message.value("MSH-12")
    if kind not in ("ORU", "MDM"):
        faults.append(Fault(code="200", where="MSH^1^9", text=f"type de message {kind!r}"))
    elif event not in (("R01",) if kind == "ORU" else tuple(_MDM_EVENTS)):
        faults.append(Fault(code="201", where="MSH^1^9", text=f"événement {kind}^{event}"))
    elif version != (VERSION_ORU if kind == "ORU" else _VERSION_MDM):
        faults.append(Fault(code="203", where="MSH^1^12", text=f"version HL7 {version!r}"))
    profile = message.value("MSH-21.2").strip()
    if profile != _PROFILE_FAMILY or not message.value("MSH-21.1").strip().startswith("2."):
        text = f"version du volet {message.value('MSH-21.1')}^{profile}"
        faults.append(Fault(code="203", where="MSH^1^21", text=text))
    if not message.value("MSH-10"):
        faults.append(Fault(code="101", where="MSH^1^10", text="identifiant de message absent"))
    if message.value("MSH-11.1") not in PROCESSING_IDS:
        faults.append(Fault(code="202", where="MSH^1^11", text=message.value("MSH-11.1")))
    charset = message.value("MSH-18")
    if charset not in CHARACTER_SETS:
        code = "103" if charset else "101"
        faults.append(Fault(code=code, where="MSH^1^18", text=f"jeu de caractères {charset!r}"))
    return faults


def _structure_faults(message: Message) -> list[Fault]:
    faults = [
        Fault(code="100", where=f"{name}^1", text=f"segment {name} absent")
        for name in ("PID", "ORC", "OBR")
        if message.first(name) is None
    ]
    if _document_segment(message) is None:
        faults.append(Fault(code="100", where="OBX^1", text="OBX du document absent"))
    return faults


def _document_faults(message: Message) -> list[Fault]:
    """Faults of the order control, its coherence, and the embedded document."""
    document = _document_segment(message)
    assert document is not None
    control, status = message.value("ORC-1"), document.field(11).value
    if control not in DOCUMENT_STATUSES:
        return [Fault(code="103", where="ORC^1^1", text=f"ORC-1 {control!r}")]
    if DOCUMENT_STATUSES[control] != status:
        text = f"ORC-1 {control} ne va pas avec OBX-11 {status or 'absent'}"
        return [Fault(code="207", where="OBX^1^11", text=text, application="906")]
    event = message.value("MSH-9.2")
    if _MDM_EVENTS.get(event, control) != control:
        text = f"ORC-1 {control} ne va pas avec l'événement {event}"
        return [Fault(code="207", where="ORC^1^1", text=text, application="906")]
    if not document.field(5).component(5).raw:
        return [Fault(code="101", where="OBX^1^5^1^5", text="document absent")]
    try:
        cda.parse(_document_bytes(message))
    except RemoteProtocolError as error:
        return [Fault(code="102", where="OBX^1^5^1^5", text=str(error))]
    return []


def _document_segment(message: Message) -> Segment | None:
    """The OBX that carries the document: the first ED that is not a MetaDMPMSS text."""
    for segment in message.all("OBX"):
        if segment.field(2).value == "ED" and segment.field(3).component(3).value != META_SYSTEM:
            return segment
    return None


def _document_bytes(message: Message) -> bytes:
    """The decoded OBX-5.5.

    Raises:
        RemoteProtocolError: no document, or not base64.
    """
    segment = _document_segment(message)
    if segment is None:
        raise RemoteProtocolError("OBX du document absent")
    encoded = segment.field(5).component(5).raw
    try:
        return pybase64.b64decode(encoded, validate=True)
    except ValueError:
        # Only now: looking for them costs far more than reading what has none.
        encoded = _BLANKS.sub(b"", encoded)
    try:
        return pybase64.b64decode(encoded, validate=True)
    except ValueError:
        raise RemoteProtocolError("OBX-5.5 n'est pas du base64") from None


def _ins(message: Message) -> Ins | Refusal:
    """The INS when the identity is qualified (DB.SO.11)."""
    repetition = _identifier(message, INS_TYPE)
    if repetition is None:
        return Refusal(
            ban=Ban.INS, message="Le message ne porte pas d'INS (PID-3, type INS).", advice=_RESEND
        )
    ins = Ins(
        value=repetition.component(1).value,
        oid=repetition.component(4).subcomponent(2).value,
    )
    if ins.oid not in INS_AUTHORITIES or not _MATRICULE.fullmatch(ins.value):
        return Refusal(
            ban=Ban.INS,
            message="L'INS du message n'a pas la forme attendue (matricule de 15 caractères, "
            f"autorité INS) : autorité {ins.oid or 'absente'}.",
            advice=_RESEND,
        )
    statuses = _pid(message).field(32).repetitions
    if QUALIFIED not in {status.value for status in statuses}:
        found = ", ".join(status.value for status in statuses if status.value) or "absent"
        return Refusal(
            ban=Ban.INS,
            message=f"L'identité n'est pas qualifiée : PID-32 {found}, VALI attendu.",
            advice="Qualifier l'identité du patient dans le RIS, puis renvoyer le compte-rendu.",
        )
    return ins


def _pid(message: Message) -> Segment:
    segment = message.first("PID")
    if segment is None:
        raise RemoteProtocolError("segment PID absent")
    return segment


def _identifier(message: Message, kind: str) -> Repetition | None:
    """The first repetition of PID-3 with that CX.5: by type, never by position."""
    return next(iter(_identifiers(message, kind)), None)


def _identifiers(message: Message, kind: str) -> list[Repetition]:
    pid = message.first("PID")
    repetitions = pid.field(3).repetitions if pid else ()
    return [one for one in repetitions if one.component(5).value == kind]


def _patient(message: Message, report: cda.ImagingReport, ins: Ins) -> Patient:
    """The patient: the message first, the CDA header for the traits that it does not give."""
    pid = _pid(message)
    locals_ = _identifiers(message, LOCAL_TYPE)
    local = locals_[0] if locals_ else None
    legal = _name(pid, "L")
    used = _name(pid, "D")
    birthplace = next(
        (one for one in pid.field(11).repetitions if one.component(7).value == "BDL"), None
    )
    written = header.traits(report)
    givens = (legal[2] if legal else "") or written.birth_givens
    return Patient(
        ins=ins,
        ipp=local.component(1).value if local else "",
        ipp_oid=local.component(4).subcomponent(2).value if local else "",
        birth_family=(legal[0] if legal else "") or written.birth_family,
        birth_given=(legal[1] if legal else "") or written.birth_given,
        birth_givens=givens,
        used_family=written.used_family or (used[0] if used else ""),
        used_given=written.used_given or (used[1] if used else ""),
        birth_date=pid.field(7).value[:8] or written.birth_date,
        sex=pid.field(8).value or written.sex,
        birthplace=(birthplace.component(9).value if birthplace else "") or written.birthplace,
        other_ipps=tuple(
            (one.component(1).value, one.component(4).subcomponent(2).value) for one in locals_[1:]
        ),
    )


def _name(pid: Segment, kind: str) -> tuple[str, str, str] | None:
    """XPN.1, .2 and .3 of the name of that type."""
    for one in pid.field(5).repetitions:
        if one.component(7).value == kind:
            return (
                one.component(1).subcomponent(1).value,
                one.component(2).value,
                one.component(3).value,
            )
    return None


def _metadata(message: Message) -> dict[str, str]:
    """MetaDMPMSS observations: code to Y or N."""
    return {
        segment.field(3).component(1).value.replace(" ", ""): segment.field(5).component(1).value
        for segment in message.all("OBX")
        if segment.field(3).component(3).value == META_SYSTEM and segment.field(2).value != "ED"
    }


def _confidentiality(report: cda.ImagingReport, metadata: dict[str, str]) -> tuple[Coded, ...]:
    """The CDA's code first, then the masks that the message asks for (IG mapping page)."""
    masks = dict.fromkeys(_MASKS[code] for code in _MASKS if metadata.get(code) == "Y")
    return (
        header.confidentiality(report),
        *(
            Coded(code=mask.value, system=MASKING_SCHEME, label=_MASK_LABELS[mask])
            for mask in masks
        ),
    )


def _sender_structure(message: Message) -> tuple[str, str]:
    """Id and name of the sending organisation (PRT-8.10 and .1 of the SB participation)."""
    for segment in message.all("PRT"):
        if segment.field(4).component(1).value == "SB":
            organisation = segment.field(8)
            return organisation.component(10).value, organisation.component(1).value
    return "", ""
