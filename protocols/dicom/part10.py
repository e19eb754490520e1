"""The DICOM file format: preamble, File Meta Information, data set (PS3.10 section 7)."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.dicom.elements import DicomSyntaxError, encode_element, walk
from protocols.dicom.uid import is_uid
from protocols.errors import LocalProtocolError
from spec.dicom import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

__all__ = ["Part10", "build_part10", "file_meta", "split_part10"]

_PREAMBLE = bytes(128)
_MAGIC = b"DICM"


@dataclass(frozen=True, slots=True)
class Part10:
    """A DICOM file in two pieces: what its meta information says, and its data set, untouched."""

    sop_class: str
    sop_instance: str
    transfer_syntax: str
    dataset: bytes
    implementation_class: str = ""
    implementation_version: str = ""


def split_part10(data: bytes) -> Part10:
    """Separate the meta information of a file from its data set.

    The group length of the meta information is not trusted: the data set begins at the first
    element out of group 2.

    Raises:
        DicomSyntaxError: no `DICM` prefix, unreadable meta information, no Transfer Syntax UID.
    """
    if data[128:132] != _MAGIC:
        raise DicomSyntaxError("préfixe DICM absent", span=(128, 132))
    values: dict[int, bytes] = {}
    position = 132
    while position + 8 <= len(data) and data[position : position + 2] == b"\x02\x00":
        element = next(iter(walk(data, position, implicit=False, cut=True)), None)
        if element is None or element.end > len(data):
            raise DicomSyntaxError("méta-information tronquée", span=(position, len(data)))
        values.setdefault(element.tag, data[element.value : element.end])
        position = element.end
    transfer_syntax = _uid(values, 0x00020010)
    if not transfer_syntax:
        raise DicomSyntaxError("Transfer Syntax UID absent", where="(0002,0010)")
    return Part10(
        sop_class=_uid(values, 0x00020002),
        sop_instance=_uid(values, 0x00020003),
        transfer_syntax=transfer_syntax,
        dataset=data[position:],
        implementation_class=_uid(values, 0x00020012),
        implementation_version=values.get(0x00020013, b"").decode("latin-1").strip(" \0"),
    )


def _uid(values: dict[int, bytes], tag: int) -> str:
    return values.get(tag, b"").decode("latin-1").strip(" \0")


def file_meta(*, sop_class: str, sop_instance: str, transfer_syntax: str) -> bytes:
    """Everything that comes before the data set of a file: preamble, prefix, group 2.

    Raises:
        LocalProtocolError: one of the three is not a legal UID.
    """
    for uid in (sop_class, sop_instance, transfer_syntax):
        if not is_uid(uid):
            raise LocalProtocolError(f"UID illégal : {uid!r}")
    group = b"".join(
        encode_element(tag, vr, value, implicit=False)
        for tag, vr, value in (
            (0x00020001, "OB", b"\0\1"),
            (0x00020002, "UI", sop_class.encode()),
            (0x00020003, "UI", sop_instance.encode()),
            (0x00020010, "UI", transfer_syntax.encode()),
            (0x00020012, "UI", IMPLEMENTATION_CLASS_UID.encode()),
            (0x00020013, "SH", IMPLEMENTATION_VERSION_NAME.encode()),
        )
    )
    length = encode_element(0x00020000, "UL", len(group).to_bytes(4, "little"), implicit=False)
    return _PREAMBLE + _MAGIC + length + group


def build_part10(
    *, sop_class: str, sop_instance: str, transfer_syntax: str, dataset: bytes
) -> bytes:
    """A DICOM file around an encoded data set.

    Raises:
        LocalProtocolError: illegal UID.
    """
    meta = file_meta(
        sop_class=sop_class, sop_instance=sop_instance, transfer_syntax=transfer_syntax
    )
    return meta + dataset
