"""The images of an exam: synthetic anatomy, encoded once, under as many instances as asked.

About forty slices of each kind exist; a longer series goes back and forth through them, so that
1,300 images cost seconds. The same exam always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import jpeg_ls
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from protocols.dicom import build_part10, encode_element, replace_elements
from protocols.errors import LocalProtocolError
from simulators.modality.exam import Exam, Series, derived_uid
from simulators.modality.phantom import BITS_STORED, SLICES, draw
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

__all__ = ["JPEG_LS_LOSSLESS", "JPEG_LS_NEAR", "TRANSFER_SYNTAXES", "make"]

JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR = "1.2.840.10008.1.2.4.81"
"""Written with an error of none: archives keep it, DRIMboxes do not ask for it."""
TRANSFER_SYNTAXES = (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    JPEG_LS_LOSSLESS,
    JPEG_LS_NEAR,
)

_THICKNESS_MM = 2.5
_FIELD_OF_VIEW_MM = {"CT": 380.0, "MR": 240.0}
_HEAD = ("HEAD", "BRAIN", "SKULL")
_ABDOMEN = ("ABDOMEN", "ABDOMENPELVIS", "PELVIS", "LIVER", "KIDNEY")


class _Kind(NamedTuple):
    """How a modality writes its images."""

    sop_class: str
    anatomy: str
    center: int
    width: int


_KINDS = {
    "CR": _Kind("1.2.840.10008.5.1.4.1.1.1", "chest", 1400, 2900),
    "DX": _Kind("1.2.840.10008.5.1.4.1.1.1.1", "chest", 1400, 2900),
    "MG": _Kind("1.2.840.10008.5.1.4.1.1.1.2", "breast", 1200, 2600),
    "CT": _Kind("1.2.840.10008.5.1.4.1.1.2", "thorax", 40, 400),
    "MR": _Kind("1.2.840.10008.5.1.4.1.1.4", "head", 900, 2000),
    "US": _Kind("1.2.840.10008.5.1.4.1.1.6.1", "ultrasound", 800, 1900),
}
_SECONDARY_CAPTURE = _Kind("1.2.840.10008.5.1.4.1.1.7", "chest", 1400, 2900)
"""For a modality that is not drawn: its Modality attribute is kept, its IOD is not claimed."""


def make(exam: Exam) -> Iterator[bytes]:
    """The Part 10 files of all the images of an exam, series after series.

    Raises:
        LocalProtocolError: a transfer syntax that this modality does not write.
    """
    for rank, series in enumerate(exam.series):
        if series.transfer_syntax not in TRANSFER_SYNTAXES:
            raise LocalProtocolError(
                f"syntaxe de transfert non produite : {series.transfer_syntax}"
            )
        yield from _make_series(exam, rank, series)


def _make_series(exam: Exam, rank: int, series: Series) -> Iterator[bytes]:
    kind = _KINDS.get(series.modality, _SECONDARY_CAPTURE)
    implicit = series.transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN
    header = _encode(_header(exam, rank, series, kind), implicit=implicit)
    anatomy = _anatomy(series, kind)
    for index in range(series.count):
        uid = exam.instance_uid(rank, index)
        values = [(0x00080018, "UI", uid), (0x00200013, "IS", str(index + 1))]
        if series.modality in _FIELD_OF_VIEW_MM:
            half = _FIELD_OF_VIEW_MM[series.modality] / 2
            place = -index * _THICKNESS_MM
            values += [
                (0x00200032, "DS", f"-{half:g}\\-{half:g}\\{place:g}"),
                (0x00201041, "DS", f"{place:g}"),
            ]
        own = replace_elements(
            header,
            transfer_syntax=series.transfer_syntax,
            elements={
                tag: encode_element(tag, vr, value.encode("ascii"), implicit=implicit)
                for tag, vr, value in values
            },
        )
        slice_index = index % (2 * SLICES - 2)
        pixels = _pixels(
            anatomy, min(slice_index, 2 * SLICES - 2 - slice_index), exam.matrix,
            series.transfer_syntax,
        )  # fmt: skip
        yield build_part10(
            sop_class=kind.sop_class,
            sop_instance=uid,
            transfer_syntax=series.transfer_syntax,
            dataset=own + pixels,
        )


def _anatomy(series: Series, kind: _Kind) -> str:
    part = series.body_part.upper()
    if kind.anatomy == "thorax":
        return "head-ct" if part in _HEAD else "abdomen" if part in _ABDOMEN else "thorax"
    if kind.anatomy == "head":
        return "body-mr" if part in _ABDOMEN else "head"
    return kind.anatomy


@lru_cache(maxsize=256)
def _pixels(anatomy: str, index: int, matrix: int, transfer_syntax: str) -> bytes:
    """The encoded Pixel Data element of one slice."""
    raw = draw(anatomy, index, matrix).astype("<u2").tobytes()
    if transfer_syntax not in (JPEG_LS_LOSSLESS, JPEG_LS_NEAR):
        implicit = transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN
        return encode_element(0x7FE00010, "OW", raw, implicit=implicit)
    # The precision is given: derived from the pixels, it would be smaller than Bits Stored.
    stream = bytes(jpeg_ls.encode_buffer(raw, matrix, matrix, 1, BITS_STORED))
    fragments: bytes = encapsulate([stream])
    element = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff"
    return element + fragments + b"\xfe\xff\xdd\xe0\0\0\0\0"


def _encode(dataset: Any, *, implicit: bool) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian = True
    buffer.is_implicit_VR = implicit
    write_dataset(buffer, dataset)
    encoded: bytes = buffer.parent.getvalue()
    return encoded


def _header(exam: Exam, rank: int, series: Series, kind: _Kind) -> Any:
    """What all the images of a series share, the replaceable elements included."""
    patient = exam.patient
    dataset = Dataset()
    dataset.SpecificCharacterSet = exam.character_set()
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL" if kind.anatomy == "thorax" else "OTHER"]
    dataset.SOPClassUID = kind.sop_class
    dataset.SOPInstanceUID = "1.2"
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = exam.date
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = exam.time
    dataset.AccessionNumber = exam.accession
    if exam.accession_issuer_oid:
        dataset.IssuerOfAccessionNumberSequence = [_issuer(exam.accession_issuer_oid)]
    dataset.Modality = series.modality
    dataset.Manufacturer = "drimbench"
    dataset.InstitutionName = exam.institution
    dataset.ReferringPhysicianName = exam.referring_physician
    dataset.StudyDescription = exam.description
    dataset.SeriesDescription = series.description
    dataset.ManufacturerModelName = "phantom"
    dataset.PatientName = patient.name
    dataset.PatientID = patient.patient_id
    if patient.issuer:
        dataset.IssuerOfPatientID = patient.issuer
    if patient.issuer_oid:
        dataset.IssuerOfPatientIDQualifiersSequence = [_issuer(patient.issuer_oid)]
    dataset.PatientBirthDate = patient.birth_date
    dataset.PatientSex = patient.sex
    dataset.BodyPartExamined = series.body_part
    dataset.StudyInstanceUID = exam.study_uid
    dataset.SeriesInstanceUID = exam.series_uid(rank)
    dataset.StudyID = exam.study_id
    dataset.SeriesNumber = rank + 1 if series.number is None else series.number
    dataset.InstanceNumber = 1
    _add_geometry(dataset, exam, series)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows = dataset.Columns = exam.matrix
    dataset.BitsAllocated = 16
    dataset.BitsStored = BITS_STORED
    dataset.HighBit = BITS_STORED - 1
    dataset.PixelRepresentation = 0
    dataset.WindowCenter = kind.center
    dataset.WindowWidth = kind.width
    return dataset


def _add_geometry(dataset: Any, exam: Exam, series: Series) -> None:
    if series.modality not in _FIELD_OF_VIEW_MM:
        dataset.PatientOrientation = ["L", "F"]
        return
    spacing = round(_FIELD_OF_VIEW_MM[series.modality] / exam.matrix, 6)
    dataset.FrameOfReferenceUID = derived_uid(exam.study_uid, "frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.ImagePositionPatient = [0, 0, 0]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.SliceLocation = 0
    dataset.SliceThickness = _THICKNESS_MM
    dataset.PixelSpacing = [spacing, spacing]
    dataset.PatientPosition = "HFS"
    dataset.AcquisitionNumber = 1
    if series.modality == "CT":
        dataset.KVP = 120
        dataset.RescaleIntercept = -1024
        dataset.RescaleSlope = 1
        dataset.RescaleType = "HU"
    else:
        dataset.ScanningSequence = "SE"
        dataset.SequenceVariant = "NONE"
        dataset.ScanOptions = ""
        dataset.MRAcquisitionType = "2D"
        dataset.RepetitionTime = 4000
        dataset.EchoTime = 90
        dataset.EchoTrainLength = 1


def _issuer(oid: str) -> Any:
    item = Dataset()
    item.UniversalEntityID = oid
    item.UniversalEntityIDType = "ISO"
    return item
