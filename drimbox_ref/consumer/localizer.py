"""The identity that the local PACS knows: PatientID becomes the local IPP (DB.CO.77)."""

from __future__ import annotations

from drimbox_ref.consumer.values import Call
from protocols.dicom import (
    encode_element,
    encode_sequence,
    is_implicit,
    replace_elements,
)
from protocols.hl7types import HD, DataTypeError

__all__ = ["IppLocalizer"]

_PATIENT_ID = 0x00100020
_ISSUER = 0x00100021
_QUALIFIERS = 0x00100024
_ENTITY_ID = 0x00400032
_ENTITY_TYPE = 0x00400033
_LO = 64


class IppLocalizer:
    """Replaces PatientID, and its issuer when told to; no other byte of the data set changes.

    Args:
        issuer: write the authority of the call's PatientIDIssuer as IssuerOfPatientID.
    """

    def __init__(self, *, issuer: bool) -> None:
        self._issuer = issuer

    def localize(self, dataset: bytes, transfer_syntax: str, call: Call) -> bytes:
        """The data set to store.

        Raises:
            DicomSyntaxError: not a data set.
        """
        implicit = is_implicit(transfer_syntax)
        elements: dict[int, bytes | None] = {
            _PATIENT_ID: encode_element(
                _PATIENT_ID, "LO", call.ipp.encode("ascii"), implicit=implicit
            )
        }
        if self._issuer:
            elements |= _issuer(call.ipp_issuer, implicit)
        return replace_elements(dataset, transfer_syntax=transfer_syntax, elements=elements)


def _issuer(written: str, implicit: bool) -> dict[int, bytes | None]:
    """IssuerOfPatientID and its qualifiers from `name&OID&ISO` (CX-4 of PID-3, ANS FAQ)."""
    authority = _authority(written)
    name = (authority.namespace or authority.universal_id)[:_LO].encode("ascii", "replace")
    qualifiers: bytes | None = None
    if authority.universal_id:
        item = b"".join(
            encode_element(tag, vr, text.encode("ascii", "replace"), implicit=implicit)
            for tag, vr, text in (
                (_ENTITY_ID, "UT", authority.universal_id),
                (_ENTITY_TYPE, "CS", authority.type or "ISO"),
            )
        )
        qualifiers = encode_sequence(_QUALIFIERS, [item], implicit=implicit)
    return {
        _ISSUER: encode_element(_ISSUER, "LO", name, implicit=implicit),
        _QUALIFIERS: qualifiers,
    }


def _authority(written: str) -> HD:
    """The authority; what is not a designator is a name."""
    try:
        parsed = HD.parse(written) if "&" in written else None
    except DataTypeError:
        parsed = None
    return parsed or HD("", "", written)
