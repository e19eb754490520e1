"""What the RIS tells the Consumer when the radiologist asks for previous exams.

The two parameter sets that were published; the body is sent by the radiologist's workstation.

Réf.: DRIMbox project specification §4.6.1 is not public. Names as the ANS test server
TestServer-AppelContextuel (2024-12) and the ANS demonstrator (2024-07) read them, grade:
demonstrator.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal
from urllib.parse import urlencode

from simulators.ris.people import Identifier, Patient

__all__ = ["CONTENT_TYPE", "Dialect", "body", "parameters"]

Dialect = Literal["2024-12", "2024-07"]

CONTENT_TYPE = "application/x-www-form-urlencoded"

_INFORMATION: dict[Dialect, tuple[str, str]] = {
    "2024-12": ("InformationEtConsentement", "oui"),
    "2024-07": ("InformationEtOppositionConsultation", "non"),
}
"""Last mandatory parameter, and the value that lets the consultation go on. No public text gives
the values, grade: inferred."""


def parameters(
    patient: Patient,
    *,
    dialect: Dialect = "2024-12",
    information: str | None = None,
    issuer: str | None = None,
    situation: str | None = None,
    search: Iterable[tuple[str, str]] = (),
) -> tuple[tuple[str, str], ...]:
    """Name and value of each parameter, in the published order.

    `information` is the consent (2024-12) or opposition (2024-07) value, "oui" and "non" by
    default: go on. `issuer` is PatientIDIssuer, by default the whole CX-4 of PID-3 as the ANS FAQ
    recommends. `situation` is the professional's practice situation. `search` adds parameters:
    2024-07 knows StudyInstanceUID, Modality, AccessionNumber, AccessionNumberIssuer, StudyDate and
    AnatomicRegion, 2024-12 none.

    Dates are `YYYYMMDD` and sexes M, F or U, as in PID (grade: inferred).
    """
    name, default = _INFORMATION[dialect]
    ins = patient.ins or Identifier("", "")
    ipp = patient.ipp or Identifier("", "")
    values = [
        ("Patient.identifier.value", ins.value),
        ("Patient.identifier.system", ins.oid),
        ("Patient.name.family", patient.family),
        ("Patient.name.given", patient.given),
        ("Patient.gender", patient.sex),
        ("Patient.birthDate", patient.birth_date),
        ("Address.district", patient.birthplace_code),
        (name, default if information is None else information),
        ("PatientID", ipp.value),
        ("PatientIDIssuer", f"{ipp.authority}&{ipp.oid}&ISO" if issuer is None else issuer),
    ]
    if situation is not None:
        values.append(("Situation", situation))
    return (*values, *search)


def body(values: Iterable[tuple[str, str]]) -> bytes:
    """The body of the POST, in UTF-8."""
    return urlencode(list(values)).encode("ascii")
