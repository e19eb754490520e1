"""What another Source serves: exams, each image stamped with an INS on its way out."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.dicom import (
    build_part10,
    encode_element,
    encode_sequence,
    is_implicit,
    replace_elements,
    split_part10,
)

__all__ = ["Image", "Offer"]

_OTHER_PATIENT_IDS = 0x00101002
_INS_ISSUER = "ASIP-SANTE-INS-NIR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image as it is delivered: its data set, and what its file says of it."""

    sop_class: str
    sop_instance: str
    transfer_syntax: str
    dataset: bytes

    def file(self) -> bytes:
        """The DICOM file."""
        return build_part10(
            sop_class=self.sop_class,
            sop_instance=self.sop_instance,
            transfer_syntax=self.transfer_syntax,
            dataset=self.dataset,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One exam that this Source serves.

    `ins` is what it writes in every image: the patient's, or somebody else's.
    """

    study_uid: str
    kos_uid: str
    ins: str
    ins_oid: str
    series: dict[str, tuple[bytes, ...]]
    """SeriesInstanceUID -> DICOM files."""

    def image(self, file: bytes) -> Image:
        """A file of this exam with the INS among its patient's other identifiers (DB.SO.39)."""
        part10 = split_part10(file)
        implicit = is_implicit(part10.transfer_syntax)
        item = b"".join(
            (
                encode_element(0x00100020, "LO", self.ins.encode(), implicit=implicit),
                encode_element(0x00100021, "LO", _INS_ISSUER.encode(), implicit=implicit),
                encode_element(0x00100022, "CS", b"TEXT", implicit=implicit),
                encode_sequence(
                    0x00100024,
                    [
                        encode_element(0x00400032, "UT", self.ins_oid.encode(), implicit=implicit)
                        + encode_element(0x00400033, "CS", b"ISO", implicit=implicit)
                    ],
                    implicit=implicit,
                ),
            )
        )
        stamp = encode_sequence(_OTHER_PATIENT_IDS, [item], implicit=implicit)
        return Image(
            sop_class=part10.sop_class,
            sop_instance=part10.sop_instance,
            transfer_syntax=part10.transfer_syntax,
            dataset=replace_elements(
                part10.dataset,
                transfer_syntax=part10.transfer_syntax,
                elements={_OTHER_PATIENT_IDS: stamp},
            ),
        )
