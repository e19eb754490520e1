"""The judge's reading of identifiers: OIDs, DICOM UIDs, INS matricules, HL7 dates."""

from __future__ import annotations

import re
from datetime import datetime

__all__ = [
    "dtm",
    "is_dtm",
    "is_ins_key_right",
    "is_matricule",
    "is_oid",
    "is_professional_id",
    "is_uid",
    "structure_id",
]

_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+")
_MATRICULE = re.compile(r"\d{5}(\d\d|2[AB])\d{8}")
_STRUCTURE = re.compile(r"[0-4][0-9A-Z]{8,}(/.+)?")
_PROFESSIONAL = re.compile(r"8?\d{11}|0[0-9A-Z]{9}|[13456][0-9A-Z]{8,}/.+", re.ASCII)
_DTM = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_ZONE = re.compile(r"(\.\d{1,4})?([+-]\d{4})?")


def is_oid(text: str, *, longest: int = 128) -> bool:
    """An ISO object identifier of at most `longest` characters (ITU-T X.660, no leading zero)."""
    return len(text) <= longest and _OID.fullmatch(text) is not None


def is_uid(text: str) -> bool:
    """A legal DICOM UID: 64 characters at most, no leading zero (DICOM PS3.5 section 9.1)."""
    return is_oid(text, longest=64)


def is_matricule(text: str) -> bool:
    """The shape of an INS matricule: 13 characters (Corsica: 2A, 2B) and a two-digit key."""
    return _MATRICULE.fullmatch(text) is not None


def is_ins_key_right(matricule: str) -> bool:
    """Whether the key of a well-shaped matricule is 97 minus the number modulo 97.

    Corsican departments count as 19 (2A) and 18 (2B): INSEE's rule for the NIR.
    """
    number = matricule[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(matricule[13:])


def structure_id(text: str) -> str:
    """The Struct_IdNat of `text` without its internal part, "" when it is none.

    Prefixes 0 to 4 (ADELI, FINESS, SIREN, SIRET, RPPS-rang): IG-FHIR-PDSM4DMP-EEDS,
    AuthorInstitution.
    """
    return text.partition("/")[0] if _STRUCTURE.fullmatch(text) else ""


def is_professional_id(text: str) -> bool:
    """A PS_IdNat, or the eleven digits of a bare RPPS number.

    Prefixes: 8 RPPS, 0 ADELI, and 1, 3, 4, 5, 6 for a structure's own id behind `/`:
    IG-FHIR-PDSM4DMP-EEDS, PSIdNat and IdentifiantSysteme.
    """
    return _PROFESSIONAL.fullmatch(text) is not None


def dtm(text: str) -> datetime | None:
    """The instant of an HL7 DTM of day precision or better, None when it is malformed.

    Fractions and zone are accepted and left out: the value only serves to order two of them.
    """
    digits = re.match(r"\d*", text)
    stem = digits.group() if digits else ""
    pattern = _DTM.get(len(stem))
    if pattern is None or _ZONE.fullmatch(text[len(stem) :]) is None or not text.isascii():
        return None
    try:
        return datetime.strptime(stem, pattern)
    except ValueError:
        return None


def is_dtm(text: str, *, precision: int = 0) -> bool:
    """A real date in HL7 DTM form; `precision` demands that many digits and nothing else."""
    if precision and not (len(text) == precision and text.isdigit()):
        return False
    return dtm(text) is not None
