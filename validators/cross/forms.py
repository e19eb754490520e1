"""The form in which values of different syntaxes compare: names, dates, sex, times, structures."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta

from spec.oids import STRUCTURE_AUTHORITY

__all__ = ["ABSENT", "day", "fold", "gender", "institution_id", "moment", "structure", "used_name"]

ABSENT = "(absent)"
"""What says that a patient has no used name: silence would compare with nothing."""

_MOMENT = re.compile(r"(\d{12}|\d{14})(?:\.\d{1,6})?([+-])(\d{2})(\d{2})", re.ASCII)
_STRUCTURE = re.compile(r"(?=.*\d)[0-9A-Z]{8,}")
_PREFIXED = {10: "12", 15: "3"}
"""Length of a FINESS (1) or SIREN (2), and of a SIRET (3), behind the prefix of Struct_IdNat."""


def fold(name: str) -> str:
    """A name without accents, case or double spaces: INS traits are written in capitals."""
    letters = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(plain.upper().split())


def used_name(family: str, given: str) -> str:
    """Used family and given names, `ABSENT` when there is neither."""
    written = f"{fold(family)}^{fold(given)}"
    return ABSENT if written == "^" else written


def day(value: str) -> str:
    """The day of a date with or without time, "" when it is shorter."""
    return value[:8] if value[:8].isdigit() and len(value) >= 8 else ""


def gender(value: str) -> str:
    """`F` or `M`; "" for what each syntax has of its own (U, UN, O)."""
    return value if value in ("F", "M") else ""


def moment(value: str) -> str:
    """A time with its offset, in UTC to the second; "" without offset or below the minute."""
    match = _MOMENT.fullmatch(value.strip())
    if match is None:
        return ""
    digits, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    try:
        local = datetime.strptime(digits.ljust(14, "0"), "%Y%m%d%H%M%S")
        utc = local.replace(tzinfo=UTC) - (offset if sign == "+" else -offset)
    except (ValueError, OverflowError):
        return ""
    return utc.strftime("%Y%m%d%H%M%S")


def structure(value: str) -> str:
    """A structure without internal part or prefix: FINESS, SIREN or SIRET alone where it is one.

    "" when it is no identifier: samples mask theirs.

    HL7 writes a FINESS as such (type FINEG) where the others write a Struct_IdNat, whose first
    character says what follows (IG-FHIR-PDSM4DMP-EEDS, AuthorInstitution).
    """
    id = value.strip().partition("/")[0]
    if not _STRUCTURE.fullmatch(id):
        return ""
    if id.isdigit() and id[:1] in _PREFIXED.get(len(id), ""):
        return id[1:]
    return id


def institution_id(value: str) -> str:
    """The structure of an XON, "" when its authority is another's.

    An XON without authority (InstitutionName of a KOS) is believed.
    """
    components = [*value.split("^"), *[""] * 10]
    authority = components[5].split("&")
    if len(authority) > 1 and authority[1] not in ("", STRUCTURE_AUTHORITY):
        return ""
    return structure(components[9])
