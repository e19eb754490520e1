"""From a manifest to the bytes of its file, quickly and always the same.

Sequences are packed by hand: ten thousand references take a fraction of a second where a general
toolkit takes many. Elements are in ascending order, lengths defined, group lengths absent.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import TypeVar

from protocols.dicom import build_part10, codec_of, encode_element, encode_sequence
from protocols.errors import LocalProtocolError
from protocols.kos.model import (
    Code,
    ContentItem,
    InstanceRef,
    Issuer,
    KeyObjectRef,
    Manifest,
    OtherPatientId,
    Request,
    SeriesEvidence,
    StudyEvidence,
)
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

__all__ = ["character_set_for", "encode"]

_SEQUENCE, _ITEM = b"\x08\x00\x99\x11SQ\0\0", b"\xfe\xff\x00\xe0"
_ONLY_EXPLICIT, _ONLY_IMPLICIT = struct.Struct("<8sL4sL").pack, struct.Struct("<4sL4sL").pack
"""ReferencedSOPSequence of one item: its head and that of the item, a length after each."""

_T = TypeVar("_T")


def encode(manifest: Manifest, *, transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> bytes:
    """The Part 10 file of a manifest, in Explicit or Implicit VR Little Endian.

    Raises:
        LocalProtocolError: another transfer syntax, no legal SOP Instance UID, or a text that the
            manifest's Specific Character Set cannot write (see `character_set_for`).
    """
    if transfer_syntax not in (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN):
        raise LocalProtocolError(f"syntaxe de transfert impossible pour un KOS : {transfer_syntax}")
    writer = _Writer(
        implicit=transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN,
        codec=codec_of(manifest.specific_character_set or ""),
    )
    return build_part10(
        sop_class=manifest.sop_class or "",
        sop_instance=manifest.sop_instance or "",
        transfer_syntax=transfer_syntax,
        dataset=writer.manifest(manifest),
    )


def character_set_for(texts: Iterable[str]) -> str:
    """`ISO_IR 100` when Latin-1 writes all of `texts`, else `ISO_IR 192` (UTF-8)."""
    try:
        for text in texts:
            text.encode("latin-1")
    except UnicodeEncodeError:
        return "ISO_IR 192"
    return "ISO_IR 100"


class _Writer:
    """Encodes the pieces of one manifest in one VR style and one character set."""

    def __init__(self, *, implicit: bool, codec: str) -> None:
        self._implicit = implicit
        self._codec = codec
        self._class_elements: dict[str, bytes] = {}
        self._only = _ONLY_IMPLICIT if implicit else _ONLY_EXPLICIT
        self._instance_head = b"\x08\x00\x55\x11" + (b"" if implicit else b"UI")
        self._length_size = 4 if implicit else 2
        self._codes: dict[tuple[str | None, str | None], bytes] = {}

    def text(self, tag: int, vr: str, value: str | None) -> bytes:
        if value is None:
            return b""
        try:
            data = value.encode("ascii" if vr in ("UI", "UR") else self._codec)
        except UnicodeEncodeError as error:
            raise LocalProtocolError(
                f"({tag >> 16:04X},{tag & 0xFFFF:04X}) : {value!r} ne s'écrit pas en {self._codec}"
            ) from error
        return encode_element(tag, vr, data, implicit=self._implicit)

    def sequence(self, tag: int, items: Iterable[bytes] | None) -> bytes:
        if items is None:
            return b""
        return encode_sequence(tag, list(items), implicit=self._implicit)

    def manifest(self, m: Manifest) -> bytes:
        """All the attributes, in ascending order of tags."""
        text, sequence = self.text, self.sequence
        return b"".join(
            (
                text(0x00080005, "CS", m.specific_character_set),
                text(0x00080012, "DA", m.instance_creation_date),
                text(0x00080013, "TM", m.instance_creation_time),
                text(0x00080016, "UI", m.sop_class),
                text(0x00080018, "UI", m.sop_instance),
                text(0x00080020, "DA", m.study_date),
                text(0x00080021, "DA", m.series_date),
                text(0x00080023, "DA", m.content_date),
                text(0x00080030, "TM", m.study_time),
                text(0x00080031, "TM", m.series_time),
                text(0x00080033, "TM", m.content_time),
                text(0x00080050, "SH", m.accession_number),
                text(0x00080060, "CS", m.modality),
                text(0x00080070, "LO", m.manufacturer),
                text(0x00080080, "LO", m.institution_name),
                text(0x00080090, "PN", m.referring_physician),
                text(0x00080201, "SH", m.timezone_offset),
                text(0x00081030, "LO", m.study_description),
                text(0x0008103E, "LO", m.series_description),
                text(0x00081090, "LO", m.manufacturer_model),
                sequence(0x00081111, self._pairs(m.performed_procedure_steps)),
                text(0x00100010, "PN", m.patient_name),
                text(0x00100020, "LO", m.patient_id),
                text(0x00100021, "LO", m.issuer_of_patient_id),
                sequence(0x00100024, self._issuers(m.patient_id_qualifiers)),
                text(0x00100030, "DA", m.birth_date),
                text(0x00100040, "CS", m.sex),
                text(0x00101001, "PN", _joined(m.other_patient_names)),
                sequence(0x00101002, _each(self._other_id, m.other_patient_ids)),
                text(0x00104000, "LT", m.patient_comments),
                text(0x00181020, "LO", m.software_versions),
                text(0x0020000D, "UI", m.study_uid),
                text(0x0020000E, "UI", m.series_uid),
                text(0x00200010, "SH", m.study_id),
                text(0x00200011, "IS", m.series_number),
                text(0x00200013, "IS", m.instance_number),
                text(0x0040A040, "CS", m.value_type),
                sequence(0x0040A043, _each(self._code, m.title)),
                text(0x0040A050, "CS", m.continuity),
                sequence(0x0040A370, _each(self._request, m.requests)),
                sequence(0x0040A375, map(self._study, m.studies)),
                sequence(
                    0x0040A504,
                    _each(
                        lambda t: (
                            text(0x00080105, "CS", t.mapping_resource)
                            + text(0x0040DB00, "CS", t.identifier)
                        ),
                        m.template,
                    ),
                ),
                sequence(0x0040A525, _each(self._study, m.identical_documents)),
                sequence(0x0040A730, map(self._content, m.content)),
            )
        )

    def _code(self, code: Code) -> bytes:
        return (
            self.text(0x00080100, "SH", code.value)
            + self.text(0x00080102, "SH", code.scheme)
            + self.text(0x00080104, "LO", code.meaning)
        )

    def _issuers(self, issuers: tuple[Issuer, ...] | None) -> list[bytes] | None:
        return _each(
            lambda issuer: (
                self.text(0x00400031, "UT", issuer.local_id)
                + self.text(0x00400032, "UT", issuer.universal_id)
                + self.text(0x00400033, "CS", issuer.universal_id_type)
            ),
            issuers,
        )

    def _pairs(self, pairs: tuple[tuple[str, str], ...] | None) -> list[bytes] | None:
        return _each(lambda pair: self._reference(*pair), pairs)

    def _other_id(self, other: OtherPatientId) -> bytes:
        return (
            self.text(0x00100020, "LO", other.patient_id)
            + self.text(0x00100021, "LO", other.issuer)
            + self.text(0x00100022, "CS", other.type)
            + self.sequence(0x00100024, self._issuers(other.qualifiers))
        )

    def _request(self, request: Request) -> bytes:
        text, sequence = self.text, self.sequence
        return b"".join(
            (
                text(0x00080050, "SH", request.accession_number),
                sequence(0x00080051, self._issuers(request.accession_issuer)),
                sequence(0x00081110, self._pairs(request.referenced_studies)),
                text(0x0020000D, "UI", request.study_uid),
                text(0x00321060, "LO", request.description),
                sequence(0x00321064, _each(self._code, request.procedure_codes)),
                sequence(0x00400026, self._issuers(request.placer_issuer)),
                sequence(0x00400027, self._issuers(request.filler_issuer)),
                text(0x00401001, "SH", request.procedure_id),
                text(0x00402016, "LO", request.placer_order_number),
                text(0x00402017, "LO", request.filler_order_number),
            )
        )

    def _study(self, study: StudyEvidence) -> bytes:
        return self.sequence(0x00081115, map(self._series, study.series)) + self.text(
            0x0020000D, "UI", study.study_uid
        )

    def _series(self, series: SeriesEvidence) -> bytes:
        text = self.text
        return b"".join(
            (
                text(0x00080054, "AE", series.retrieve_ae_title),
                text(0x00080060, "CS", series.modality),
                text(0x00081190, "UR", series.retrieve_url),
                self.sequence(0x00081199, map(self._instance, series.instances)),
                text(0x0020000E, "UI", series.series_uid),
                text(0x00200011, "IS", series.series_number),
                text(0x0040E011, "UI", series.retrieve_location_uid),
            )
        )

    def _instance(self, ref: InstanceRef) -> bytes:
        encoded = self._reference(ref.sop_class, ref.sop_instance)
        if ref.key_objects:
            encoded += self.sequence(0x00081199, map(self._key_object, ref.key_objects))
        if ref.instance_number is not None:
            encoded += self.text(0x00200013, "IS", ref.instance_number)
        if ref.number_of_frames is not None:
            encoded += self.text(0x00280008, "IS", ref.number_of_frames)
        return encoded

    def _key_object(self, ref: KeyObjectRef) -> bytes:
        text_item = None
        if ref.text is not None:
            text_item = [
                self.text(0x0040A010, "CS", "CONTAINS")
                + self.text(0x0040A040, "CS", "TEXT")
                + self.text(0x0040A160, "UT", ref.text)
            ]
        return (
            self.text(0x00081150, "UI", ref.sop_class)
            + self.text(0x00081155, "UI", ref.sop_instance)
            + self.text(0x0020000E, "UI", ref.series_uid)
            + self.sequence(0x0040A043, None if ref.title is None else [self._code(ref.title)])
            + self.sequence(0x0040A730, text_item)
        )

    def _content(self, item: ContentItem) -> bytes:
        kind = (item.relationship, item.value_type)
        told = self._codes.get(kind)
        if told is None:
            told = self.text(0x0040A010, "CS", kind[0]) + self.text(0x0040A040, "CS", kind[1])
            self._codes[kind] = told
        encoded = self._sop_sequence(item.references) + told
        if item.concept is not None:
            encoded += self.sequence(0x0040A043, [self._code(item.concept)])
        if item.text is not None:
            encoded += self.text(0x0040A160, "UT", item.text)
        return encoded

    def _sop_sequence(self, references: tuple[tuple[str, str], ...]) -> bytes:
        if not references:
            return b""
        if len(references) > 1:
            return self.sequence(0x00081199, [self._reference(*pair) for pair in references])
        only = self._reference(*references[0])
        size = len(only)
        return self._only(_SEQUENCE, size + 8, _ITEM, size) + only

    def _reference(self, sop_class: str, sop_instance: str) -> bytes:
        """ReferencedSOPClassUID and ReferencedSOPInstanceUID: the hot path."""
        head = self._class_elements.get(sop_class)
        if head is None:
            head = self.text(0x00081150, "UI", sop_class) + self._instance_head
            self._class_elements[sop_class] = head
        value = sop_instance.encode("ascii", "replace")
        if len(value) % 2:
            value += b"\0"
        return head + len(value).to_bytes(self._length_size, "little") + value


def _each(function: Callable[[_T], bytes], values: Iterable[_T] | None) -> list[bytes] | None:
    return None if values is None else [function(value) for value in values]


def _joined(values: tuple[str, ...] | None) -> str | None:
    return None if values is None else "\\".join(values)
