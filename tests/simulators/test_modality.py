"""The modalities: images that other readers accept, always the same."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jpeg_ls
import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_frames

from protocols.errors import LocalProtocolError
from simulators.modality import (
    JPEG_LS_LOSSLESS,
    SERIES,
    TRANSFER_SYNTAXES,
    Exam,
    Patient,
    Series,
    from_pydicom_files,
    make,
)
from simulators.modality.phantom import SLICES, draw

PATIENT = Patient(name="ŒUVRE^Élise", patient_id="IPP-1", issuer_oid="1.2.250.1.9")
EXPLICIT = "1.2.840.10008.1.2.1"


def read(data: bytes) -> Any:
    return pydicom.dcmread(io.BytesIO(data))


@pytest.mark.parametrize("modality", ["CT", "MR", "DX", "MG", "US", "XA"])
@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES)
def test_every_image_names_its_exam_and_decodes(modality: str, syntax: str) -> None:
    exam = Exam(
        patient=PATIENT, study_uid="2.25.7", accession="ACN-7", accession_issuer_oid="1.2.5",
        matrix=32, series=(Series(modality=modality, count=2, transfer_syntax=syntax),),
    )  # fmt: skip
    images = [read(file) for file in make(exam)]
    assert [image.SOPInstanceUID for image in images] == [
        exam.instance_uid(0, 0),
        exam.instance_uid(0, 1),
    ]
    for number, image in enumerate(images, 1):
        assert image.file_meta.TransferSyntaxUID == syntax
        assert image.file_meta.MediaStorageSOPInstanceUID == image.SOPInstanceUID
        assert image.Modality == modality
        assert str(image.PatientName) == "ŒUVRE^Élise"
        assert (image.PatientID, image.AccessionNumber) == ("IPP-1", "ACN-7")
        assert image.IssuerOfAccessionNumberSequence[0].UniversalEntityID == "1.2.5"
        assert image.StudyInstanceUID == "2.25.7"
        assert image.SeriesInstanceUID == exam.series_uid(0)
        assert image.InstanceNumber == number
        assert image.pixel_array.shape == (32, 32)
        assert image.pixel_array.max() < 4096


def test_jpeg_ls_is_lossless_and_says_its_true_precision() -> None:
    images = []
    for syntax in (EXPLICIT, JPEG_LS_LOSSLESS):
        series = Series(count=1, transfer_syntax=syntax)
        exam = Exam(patient=PATIENT, study_uid="2.25.8", matrix=64, series=(series,))
        images.append(read(next(make(exam))))
    assert np.array_equal(images[0].pixel_array, images[1].pixel_array)
    stream = next(generate_frames(images[1].PixelData, number_of_frames=1))
    start_of_frame = stream.index(b"\xff\xf7")
    assert stream[start_of_frame + 4] == images[1].BitsStored == 12
    assert jpeg_ls.decode(np.frombuffer(stream, np.uint8)).shape == (64, 64)


def test_the_same_exam_gives_the_same_bytes() -> None:
    exam = Exam(patient=PATIENT, study_uid="2.25.9", matrix=32, series=(Series(count=3),))
    assert list(make(exam)) == list(make(exam))


def test_a_long_series_reuses_its_slices_and_nothing_else() -> None:
    count = 2 * SLICES
    exam = Exam(patient=PATIENT, study_uid="2.25.10", matrix=16, series=(Series(count=count),))
    images = [read(file) for file in make(exam)]
    assert len({image.SOPInstanceUID for image in images}) == count
    assert len({image.PixelData for image in images}) == SLICES
    assert images[SLICES].PixelData == images[SLICES - 2].PixelData
    heights = [image.ImagePositionPatient[2] for image in images]
    assert heights == sorted(heights, reverse=True)


def test_an_unknown_syntax_is_our_mistake() -> None:
    series = Series(transfer_syntax="1.2.840.10008.1.2.4.70")
    with pytest.raises(LocalProtocolError):
        list(make(Exam(patient=PATIENT, study_uid="2.25.11", series=(series,))))


def test_slices_look_like_what_they_are() -> None:
    thorax = draw("thorax", 20, 128).astype(int) - 1024
    assert thorax[64, 10] < 60  # beside the body, or its skin
    assert thorax[66, 38] < -600  # lung
    assert thorax[87, 64] > 100  # vertebra
    neighbours = [np.abs(draw("thorax", i, 64).astype(int) - draw("thorax", 20, 64)).mean()
                  for i in (21, 35)]  # fmt: skip
    assert neighbours[0] < neighbours[1]


@pytest.mark.parametrize("modality", sorted(SERIES))
def test_shipped_files_take_the_identity_of_the_exam(modality: str) -> None:
    exam = Exam(
        patient=PATIENT, study_uid="2.25.12", accession="ACN-12", accession_issuer_oid="1.2.5",
        series=tuple(Series(modality=modality, count=3) for _ in SERIES[modality]),
    )  # fmt: skip
    images = [read(file) for file in from_pydicom_files(exam)]
    assert len(images) >= len(SERIES[modality])
    assert len({image.SOPInstanceUID for image in images}) == len(images)
    assert {image.SeriesInstanceUID for image in images} == {
        exam.series_uid(rank) for rank in range(len(exam.series))
    }
    for image in images:
        assert (image.PatientID, image.AccessionNumber) == ("IPP-1", "ACN-12")
        assert str(image.PatientName) == "ŒUVRE^Élise"
        assert image.StudyInstanceUID == "2.25.12"
        assert "OtherPatientIDs" not in image
        content = {"ECG": "WaveformSequence", "SR": "ContentSequence"}.get(modality, "PixelData")
        assert image[content].value


def test_a_modality_without_files_is_said() -> None:
    with pytest.raises(LocalProtocolError):
        list(from_pydicom_files(Exam(patient=PATIENT, study_uid="2.25.13",
                                     series=(Series(modality="MG"),))))  # fmt: skip


@pytest.mark.interop
@pytest.mark.parametrize("modality", ["CT", "MR"])
@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES)
def test_dciodvfy_finds_no_error(tmp_path: Path, modality: str, syntax: str) -> None:
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy absent (extra interop)")
    series = Series(modality=modality, count=1, transfer_syntax=syntax)
    exam = Exam(patient=Patient(name="DOE^JANE", patient_id="1"), study_uid="2.25.14",
                matrix=32, series=(series,))  # fmt: skip
    path = tmp_path / "image.dcm"
    path.write_bytes(next(make(exam)))
    done = subprocess.run([program, str(path)], capture_output=True, timeout=30, check=False)
    output = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert f"{modality}Image" in output
    assert [line for line in output.splitlines() if line.startswith("Error")] == []
