"""Whose images these are: the INS that the Source wrote, against the one of the call (DB.CO.68).

Réf.: qualified INS in OtherPatientIDsSequence, DB.SO.39, grade: draft; its item as DRIM-M_DATA
samples write it, grade: sample.
"""

from __future__ import annotations

from collections.abc import Iterator

from drimbox_ref.consumer.files import read_head
from drimbox_ref.consumer.values import Ins, Received
from protocols.dicom import is_implicit, iter_items, read_texts, walk
from spec.oids import INS_AUTHORITIES

__all__ = ["InsCheck"]

_OTHER_IDS = 0x00101002
_PATIENT_ID = 0x00100020
_ISSUER = 0x00100021
_QUALIFIERS = 0x00100024
_ENTITY_ID = 0x00400032
_ISSUER_PREFIX = "ASIP-SANTE-INS-"
"""IssuerOfPatientID of an INS whose item has no qualifiers (samples of 2023)."""


class InsCheck:
    """Every INS of an image must be the patient's, and there must be one."""

    def check(self, image: Received, ins: Ins) -> str:
        """ "" when the image is this patient's, else what differs.

        Raises:
            DicomSyntaxError: the image cannot be read.
        """
        head = read_head(image.path, upto=_OTHER_IDS)
        found = set(_identities(head.dataset, is_implicit(head.transfer_syntax)))
        if not found:
            return "l'image ne porte pas d'INS"
        # An item without OID says only its number: the authority is not contradicted.
        others = {one for one in found if one.value != ins.value or one.oid not in ("", ins.oid)}
        return "l'image porte l'INS d'un autre patient" if others else ""


def _identities(dataset: bytes, implicit: bool) -> Iterator[Ins]:
    """The INS of OtherPatientIDsSequence, identifiers of other authorities left out."""
    for start, end in _items(dataset, _OTHER_IDS, implicit):
        item = dataset[start:end]
        syntax = _syntax(implicit)
        texts = read_texts(item, transfer_syntax=syntax, tags=(_PATIENT_ID, _ISSUER))
        value = texts.get(_PATIENT_ID, "")
        authorities = [
            read_texts(item[first:past], transfer_syntax=syntax, tags=(_ENTITY_ID,)).get(
                _ENTITY_ID, ""
            )
            for first, past in _items(item, _QUALIFIERS, implicit)
        ]
        named = [oid for oid in authorities if oid in INS_AUTHORITIES]
        if named:
            yield from (Ins(value=value, oid=oid) for oid in named)
        elif not any(authorities) and texts.get(_ISSUER, "").startswith(_ISSUER_PREFIX):
            yield Ins(value=value, oid="")


def _items(dataset: bytes, tag: int, implicit: bool) -> Iterator[tuple[int, int]]:
    for element in walk(dataset, implicit=implicit, cut=True):
        if element.tag > tag:
            return
        if element.tag == tag and element.end <= len(dataset):
            yield from iter_items(
                dataset, element.value, element.end, element.length, implicit=implicit
            )


def _syntax(implicit: bool) -> str:
    return "1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1"
