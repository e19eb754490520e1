"""Exams made of the real DICOM files that ship with pydicom, their identifiers rewritten.

The pixels and every attribute but the identifying ones are those of the file: what real
equipment writes, in the transfer syntax that it was stored in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pydicom

from protocols.dicom import (
    build_part10,
    codec_of,
    encode_element,
    encode_sequence,
    is_implicit,
    replace_elements,
    split_part10,
)
from protocols.errors import LocalProtocolError
from simulators.modality.exam import Exam, Series

__all__ = ["SERIES", "from_pydicom_files"]

SERIES: dict[str, tuple[tuple[str, ...], ...]] = {
    "CT": (
        ("dicomdirtests/98892001/CT5N/*",),
        ("CT_small.dcm",),
        ("dicomdirtests/77654033/CT2/*",),
        ("J2K_pixelrep_mismatch.dcm",),
    ),
    "MR": (
        ("dicomdirtests/98892003/MR700/*",),
        ("MR_small.dcm",),
        ("MR_small_implicit.dcm",),
        ("MR_small_jpeg_ls_lossless.dcm",),
        ("MR_small_RLE.dcm",),
    ),
    "US": (("examples_ybr_color.dcm",), ("examples_palette.dcm",), ("examples_rgb_color.dcm",)),
    "CR": (("dicomdirtests/77654033/CR[123]/*",),),
    "ECG": (("waveform_ecg.dcm",),),
    "SR": (("reportsi.dcm",), ("test-SR.dcm",)),
    "OT": (("SC_rgb_jpeg_dcmtk.dcm",), ("SC_rgb_rle.dcm",)),
}
"""By modality, the series available: file patterns in pydicom's `data/test_files`."""


def from_pydicom_files(exam: Exam) -> Iterator[bytes]:
    """The Part 10 files of an exam, each series taken from those shipped for its modality.

    The series of a modality are used in turn. `count` limits the number of images, `matrix` and
    `transfer_syntax` are ignored: the files are what they are.

    Raises:
        LocalProtocolError: no file of that modality.
    """
    used: dict[str, int] = {}
    for rank, series in enumerate(exam.series):
        available = SERIES.get(series.modality)
        if not available:
            raise LocalProtocolError(f"aucun fichier de modalité {series.modality}")
        turn = used.get(series.modality, 0)
        used[series.modality] = turn + 1
        files = _files(available[turn % len(available)])[: series.count]
        for index, path in enumerate(files):
            yield _rewritten(path.read_bytes(), exam, rank, series, index)


@lru_cache(maxsize=64)
def _files(patterns: tuple[str, ...]) -> tuple[Path, ...]:
    # Not pydicom's own look-up: it would try to download what is not in the wheel.
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    return tuple(path for pattern in patterns for path in sorted(folder.glob(pattern)))


def _rewritten(data: bytes, exam: Exam, rank: int, series: Series, index: int) -> bytes:
    file = split_part10(data)
    implicit = is_implicit(file.transfer_syntax)
    patient = exam.patient
    character_set = exam.character_set()
    codec = codec_of(character_set)
    uid = exam.instance_uid(rank, index)
    texts = [
        (0x00080005, "CS", character_set),
        (0x00080018, "UI", uid),
        (0x00080020, "DA", exam.date),
        (0x00080030, "TM", exam.time),
        (0x00080050, "SH", exam.accession),
        (0x00080080, "LO", exam.institution),
        (0x00080090, "PN", exam.referring_physician),
        (0x00081030, "LO", exam.description),
        (0x0008103E, "LO", series.description),
        (0x00100010, "PN", patient.name),
        (0x00100020, "LO", patient.patient_id),
        (0x00100021, "LO", patient.issuer),
        (0x00100030, "DA", patient.birth_date),
        (0x00100040, "CS", patient.sex),
        (0x0020000D, "UI", exam.study_uid),
        (0x0020000E, "UI", exam.series_uid(rank)),
        (0x00200010, "SH", exam.study_id),
        (0x00200011, "IS", str(rank + 1 if series.number is None else series.number)),
        (0x00200013, "IS", str(index + 1)),
    ]
    elements: dict[int, bytes | None] = {
        tag: encode_element(tag, vr, text.encode(codec), implicit=implicit)
        for tag, vr, text in texts
    }
    for tag, oid in ((0x00080051, exam.accession_issuer_oid), (0x00100024, patient.issuer_oid)):
        elements[tag] = _issuer(tag, oid, implicit=implicit) if oid else None
    # What else named the former patient.
    elements.update(dict.fromkeys((0x00101000, 0x00101001, 0x00101002, 0x00104000)))
    dataset = replace_elements(
        file.dataset, transfer_syntax=file.transfer_syntax, elements=elements
    )
    return build_part10(
        sop_class=file.sop_class,
        sop_instance=uid,
        transfer_syntax=file.transfer_syntax,
        dataset=dataset,
    )


def _issuer(tag: int, oid: str, *, implicit: bool) -> bytes:
    item = encode_element(0x00400032, "UT", oid.encode("ascii"), implicit=implicit)
    item += encode_element(0x00400033, "CS", b"ISO", implicit=implicit)
    return encode_sequence(tag, [item], implicit=implicit)
