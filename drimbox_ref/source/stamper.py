"""What is done to an instance before it leaves: explicit VR, and the qualified INS written in."""

from __future__ import annotations

from dataclasses import replace

from drimbox_ref.source.values import Ins, StoredObject
from protocols.dicom import (
    encode_element,
    encode_sequence,
    explicit_from_implicit,
    is_implicit,
    iter_items,
    read_texts,
    read_values,
    replace_elements,
)

__all__ = ["InsStamper"]

_UNDEFINED = 0xFFFFFFFF
_EXPLICIT_LE = "1.2.840.10008.1.2.1"
_IMPLICIT_LE = "1.2.840.10008.1.2"
_PATIENT_ID = 0x00100020
_ISSUER = 0x00100021
_TYPE = 0x00100022
_QUALIFIERS = 0x00100024
_OTHER_IDS = 0x00101002
_ENTITY_ID = 0x00400032
_ENTITY_TYPE = 0x00400033
_ISSUER_NAME = "ASIP-SANTE-INS-NIR"
"""IssuerOfPatientID of an INS in DRIM-M_DATA samples, grade: sample."""
_INS_PREFIX = "1.2.250.1.213.1.4."
"""All INS authorities, the obsolete one included."""


class InsStamper:
    """Adds the qualified INS to OtherPatientIDsSequence (DB.SO.39); PatientID stays the IPP.

    Items of other authorities stay as they are, an item of an INS authority is replaced: an
    image that holds another INS must not leave with two. Implicit VR, forbidden on WADO-RS
    (DICOM PS3.18 8.7.3), becomes explicit (DB.SO.41). No other byte changes.
    """

    def stamp(self, stored: StoredObject, ins: Ins) -> StoredObject:
        """The instance to deliver.

        Raises:
            RemoteProtocolError: the data set cannot be read.
        """
        data, syntax = stored.data, stored.transfer_syntax
        if syntax == _IMPLICIT_LE:
            data, syntax = explicit_from_implicit(data), _EXPLICIT_LE
        items = [*_kept_items(data, syntax), _ins_item(ins)]
        sequence = encode_sequence(_OTHER_IDS, items, implicit=False)
        stamped = replace_elements(data, transfer_syntax=syntax, elements={_OTHER_IDS: sequence})
        return replace(stored, data=stamped, transfer_syntax=syntax)


def _kept_items(data: bytes, syntax: str) -> list[bytes]:
    """The items already there that are not an INS, each as encoded data set."""
    value = read_values(data, transfer_syntax=syntax, tags=(_OTHER_IDS,)).get(_OTHER_IDS, b"")
    return [item for item in _items(value, syntax) if not _is_ins(item, syntax)]


def _items(value: bytes, syntax: str) -> list[bytes]:
    """The items of a sequence value, whether its length was defined or delimited."""
    return [
        value[start:end]
        for start, end in iter_items(value, 0, len(value), _UNDEFINED, implicit=is_implicit(syntax))
    ]


def _is_ins(item: bytes, syntax: str) -> bool:
    qualifiers = read_values(item, transfer_syntax=syntax, tags=(_QUALIFIERS,)).get(
        _QUALIFIERS, b""
    )
    return any(
        read_texts(one, transfer_syntax=syntax, tags=(_ENTITY_ID,))
        .get(_ENTITY_ID, "")
        .startswith(_INS_PREFIX)
        for one in _items(qualifiers, syntax)
    )


def _ins_item(ins: Ins) -> bytes:
    qualifiers = _elements(
        (_ENTITY_ID, "UT", ins.oid),
        (_ENTITY_TYPE, "CS", "ISO"),
    )
    return _elements(
        (_PATIENT_ID, "LO", ins.value),
        (_ISSUER, "LO", _ISSUER_NAME),
        (_TYPE, "CS", "TEXT"),
    ) + encode_sequence(_QUALIFIERS, [qualifiers], implicit=False)


def _elements(*elements: tuple[int, str, str]) -> bytes:
    """Explicit VR elements of ASCII texts, in tag order."""
    return b"".join(
        encode_element(tag, vr, text.encode("ascii"), implicit=False) for tag, vr, text in elements
    )
