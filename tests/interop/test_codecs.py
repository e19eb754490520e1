"""Our compressed images before DCMTK, and its own before us: not one value differs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from drimbox_ref.source.transcoder import PixelTranscoder
from drimbox_ref.source.values import StoredObject
from protocols.dicom import build_part10
from tests.drimbox_ref.source.test_transcoder import (
    BASELINE,
    EXPLICIT,
    JPEG_LS,
    SV1,
    image,
    read,
    stored_in,
    stored_of,
)
from tests.interop.conftest import run

pytestmark = pytest.mark.interop


def file_of(stored: StoredObject) -> bytes:
    return build_part10(
        sop_class=stored.sop_class,
        sop_instance=stored.sop_instance,
        transfer_syntax=stored.transfer_syntax,
        dataset=stored.data,
    )


def values_of(stored: int, signed: bool, samples: int) -> np.ndarray:
    generator = np.random.default_rng(11)
    low, high = (-(1 << (stored - 1)), 1 << (stored - 1)) if signed else (0, 1 << stored)
    width = 1 if stored <= 8 else 2
    ramp = np.cumsum(generator.integers(-9, 10, (2, 61, 53, samples)), axis=2)
    return (ramp % (high - low) + low).astype(f"<{'i' if signed else 'u'}{width}")


@pytest.mark.parametrize(("syntax", "program"), [(SV1, "dcmdjpeg"), (JPEG_LS, "dcmdjpls")])
@pytest.mark.parametrize(
    ("stored", "signed", "samples"),
    [(8, False, 1), (8, False, 3), (12, False, 1), (12, True, 1), (16, False, 1), (16, True, 1)],
)
def test_dcmtk_reads_what_we_write(
    tmp_path: Path, syntax: str, program: str, stored: int, signed: bool, samples: int
) -> None:
    values = values_of(stored, signed, samples)
    photometric = "RGB" if samples == 3 else "MONOCHROME2"
    ours = PixelTranscoder().transcode(
        stored_of(image(values, stored=stored, photometric=photometric)), (syntax,)
    )
    there, back = tmp_path / "there.dcm", tmp_path / "back.dcm"
    there.write_bytes(file_of(ours))
    done = run(program, there, back)
    assert done.code == 0, done.text
    theirs = pydicom.dcmread(back)
    mask = (1 << stored) - 1
    got = theirs.pixel_array.astype(np.int64).reshape(values.shape)
    assert np.array_equal(got & mask, values.astype(np.int64) & mask)


@pytest.mark.parametrize("samples", [1, 3])
def test_dcmtk_sees_the_same_picture_in_eight_bit_jpeg(tmp_path: Path, samples: int) -> None:
    ramp = np.linspace(0, 255, 64 * 64).reshape(1, 64, 64, 1).astype("u1")
    values = np.repeat(ramp, samples, axis=3)
    photometric = "RGB" if samples == 3 else "MONOCHROME2"
    ours = PixelTranscoder().transcode(
        stored_of(image(values, stored=8, photometric=photometric)), (BASELINE,)
    )
    there, back = tmp_path / "there.dcm", tmp_path / "back.dcm"
    there.write_bytes(file_of(ours))
    done = run("dcmdjpeg", there, back)
    assert done.code == 0, done.text
    got = pydicom.dcmread(back).pixel_array.astype(int).reshape(values.shape)
    assert np.abs(got - values).max() <= 6


@pytest.mark.parametrize(
    ("program", "option"), [("dcmcjpeg", "+e1"), ("dcmcjpeg", "+el"), ("dcmcjpls", "+el")]
)
@pytest.mark.parametrize(("stored", "signed"), [(8, False), (12, False), (12, True), (16, False)])
def test_we_read_what_dcmtk_writes(
    tmp_path: Path, program: str, option: str, stored: int, signed: bool
) -> None:
    """+e1 is JPEG lossless SV1; +el the general process, or JPEG-LS lossless."""
    values = values_of(stored, signed, 1)
    native = stored_of(image(values, stored=stored))
    there, back = tmp_path / "there.dcm", tmp_path / "back.dcm"
    there.write_bytes(file_of(native))
    selection = ("+sv", "1") if (program, option) == ("dcmcjpeg", "+el") else ()
    done = run(program, option, *selection, there, back)
    assert done.code == 0, done.text
    ours = PixelTranscoder().transcode(stored_in(back.read_bytes()), (EXPLICIT,))
    assert np.array_equal(read(ours).pixel_array.reshape(values.shape), values)
