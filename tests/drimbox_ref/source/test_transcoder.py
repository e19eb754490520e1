"""Transcoding: every value comes back from what is lossless, the header says what was done."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from drimbox_ref.source.transcoder import PixelTranscoder
from drimbox_ref.source.values import NotTranscodable, StoredObject
from protocols.dicom import build_part10, split_part10

EXPLICIT = "1.2.840.10008.1.2.1"
BASELINE = "1.2.840.10008.1.2.4.50"
SV1 = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
J2K_LOSSLESS, J2K = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"
MPEG4 = "1.2.840.10008.1.2.4.102"
LOSSLESS = (SV1, JPEG_LS, J2K_LOSSLESS, J2K)
FILES = Path(pydicom.__file__).parent / "data" / "test_files"
CT = "1.2.840.10008.5.1.4.1.1.2"


def stored_of(dataset: Dataset) -> StoredObject:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT, "1.2.3.4"
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return stored_in(buffer.getvalue())


def stored_in(file: bytes) -> StoredObject:
    part = split_part10(file)
    return StoredObject(
        sop_class=part.sop_class,
        sop_instance=part.sop_instance,
        transfer_syntax=part.transfer_syntax,
        data=part.dataset,
    )


def read(stored: StoredObject) -> Any:
    file = build_part10(
        sop_class=stored.sop_class,
        sop_instance=stored.sop_instance,
        transfer_syntax=stored.transfer_syntax,
        dataset=stored.data,
    )
    return pydicom.dcmread(io.BytesIO(file))


def image(
    values: np.ndarray[Any, Any], *, stored: int, photometric: str = "MONOCHROME2"
) -> Dataset:
    """`values` is `(frames, rows, columns, samples)`."""
    frames, rows, columns, samples = values.shape
    dataset = Dataset()
    dataset.Modality = "CT"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = rows, columns, samples
    dataset.PhotometricInterpretation = photometric
    if samples > 1:
        dataset.PlanarConfiguration = 0
    if frames > 1:
        dataset.NumberOfFrames = frames
    dataset.BitsAllocated = values.dtype.itemsize * 8
    dataset.BitsStored, dataset.HighBit = stored, stored - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    raw = values.tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    return dataset


@st.composite
def images(draw: st.DrawFn) -> Dataset:
    """Random shapes, depths and signs, in one or several frames, grey or colour."""
    colour = draw(st.booleans())
    signed = not colour and draw(st.booleans())
    stored = 8 if colour else draw(st.integers(2, 16))
    shape = (
        draw(st.integers(1, 3)),
        draw(st.integers(32, 40)),
        draw(st.integers(32, 40)),
        3 if colour else 1,
    )
    low, high = (-(1 << (stored - 1)), 1 << (stored - 1)) if signed else (0, 1 << stored)
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    width = 1 if stored <= 8 else 2
    values = generator.integers(low, high, shape).astype(f"<{'i' if signed else 'u'}{width}")
    return image(values, stored=stored, photometric="RGB" if colour else "MONOCHROME2")


@settings(deadline=None, max_examples=60)
@given(images(), st.sampled_from(LOSSLESS))
def test_lossless_keeps_every_byte(dataset: Dataset, syntax: str) -> None:
    original = stored_of(dataset)
    there = PixelTranscoder().transcode(original, (syntax,))
    assert there.transfer_syntax == syntax
    back = PixelTranscoder().transcode(there, (EXPLICIT,))
    assert read(back).PixelData == dataset.PixelData
    if read(there).PhotometricInterpretation == dataset.PhotometricInterpretation:
        assert back.data == original.data, "nothing else changed on the way"


@pytest.mark.parametrize(
    ("syntax", "signed"), [(JPEG_LS, False), (JPEG_LS, True), (J2K_LOSSLESS, False)]
)
def test_a_stranger_reads_the_same_values(syntax: str, signed: bool) -> None:
    """pydicom's own decoding of JPEG-LS, and Pillow's of JPEG 2000."""
    low, high = (-2048, 2048) if signed else (0, 4096)
    values = np.random.default_rng(3).integers(low, high, (1, 40, 50, 1))
    dataset = image(values.astype("<i2" if signed else "<u2"), stored=12)
    there = read(PixelTranscoder().transcode(stored_of(dataset), (syntax,)))
    assert np.array_equal(there.pixel_array, values[0, :, :, 0])


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("MR_small_RLE.dcm", "MR_small.dcm"),
        ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
        ("MR_small_jp2klossless.dcm", "MR_small.dcm"),
        ("SC_rgb_rle_2frame.dcm", "SC_rgb_rle_2frame.dcm"),
        ("SC_rgb_rle_16bit_2frame.dcm", "SC_rgb_rle_16bit_2frame.dcm"),
    ],
)
def test_files_of_other_makers_are_decoded(name: str, reference: str) -> None:
    there = PixelTranscoder().transcode(stored_in((FILES / name).read_bytes()), (EXPLICIT,))
    expected = pydicom.dcmread(FILES / reference)
    assert np.array_equal(read(there).pixel_array, expected.pixel_array)


@pytest.mark.parametrize("colour", [False, True])
def test_eight_bit_jpeg_says_that_it_is_lossy(colour: bool) -> None:
    ramp = np.linspace(0, 255, 64 * 64).reshape(1, 64, 64, 1).astype("u1")
    values = np.repeat(ramp, 3, axis=3) if colour else ramp
    dataset = image(values, stored=8, photometric="RGB" if colour else "MONOCHROME2")
    there = read(PixelTranscoder().transcode(stored_of(dataset), (BASELINE,)))
    assert there.LossyImageCompression == "01"
    assert there.LossyImageCompressionMethod == "ISO_10918_1"
    assert float(there.LossyImageCompressionRatio) > 1
    assert there.PhotometricInterpretation == ("YBR_FULL_422" if colour else "MONOCHROME2")
    back = read(PixelTranscoder().transcode(stored_in_dataset(there), (EXPLICIT,)))
    difference = back.pixel_array.astype(int) - values.squeeze().astype(int)
    assert np.abs(difference).max() <= 6


def stored_in_dataset(dataset: Any) -> StoredObject:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return stored_in(buffer.getvalue())


def test_the_first_that_can_be_produced_wins() -> None:
    dataset = image(np.full((1, 4, 4, 1), 9, dtype="<u2"), stored=12)
    transcoder = PixelTranscoder()
    found = transcoder.transcode(stored_of(dataset), (MPEG4, BASELINE, JPEG_LS, EXPLICIT))
    assert found.transfer_syntax == JPEG_LS, "12 bits are not for baseline JPEG"
    assert transcoder.transcode(stored_of(dataset), ("*",)).transfer_syntax == EXPLICIT


def test_what_no_library_does_is_said() -> None:
    dataset = image(np.full((1, 4, 4, 1), 9, dtype="<u2"), stored=12)
    native = stored_of(dataset)
    with pytest.raises(NotTranscodable):
        PixelTranscoder().transcode(native, (MPEG4,))
    with pytest.raises(NotTranscodable, match="non décodée"):
        PixelTranscoder().transcode(replace(native, transfer_syntax=MPEG4), (EXPLICIT,))


def test_bits_beyond_those_announced_are_never_lost() -> None:
    """Old overlays live there: such an image stays as it is."""
    dataset = image(np.full((1, 4, 4, 1), 0x8009, dtype="<u2"), stored=12)
    with pytest.raises(NotTranscodable, match="au-delà"):
        PixelTranscoder().transcode(stored_of(dataset), LOSSLESS)


def test_small_images_leave_another_way_than_jpeg_2000() -> None:
    dataset = image(np.full((1, 31, 64, 1), 9, dtype="<u2"), stored=12)
    found = PixelTranscoder().transcode(stored_of(dataset), (J2K, SV1))
    assert found.transfer_syntax == SV1


def test_an_object_without_pixels_is_explicit() -> None:
    dataset = Dataset()
    dataset.Modality = "SR"
    stored = replace(stored_of(dataset), transfer_syntax=JPEG_LS)
    assert PixelTranscoder().transcode(stored, (J2K,)).transfer_syntax == EXPLICIT


def test_frames_one_by_one() -> None:
    values = np.arange(3 * 4 * 4).reshape(3, 4, 4, 1).astype("<u2")
    original = stored_of(image(values, stored=12))
    transcoder = PixelTranscoder()
    for stored in (original, transcoder.transcode(original, (JPEG_LS,))):
        syntax, frame = transcoder.frame(stored, 2, (EXPLICIT,))
        assert (syntax, frame) == (EXPLICIT, values[1].tobytes())
        with pytest.raises(IndexError):
            transcoder.frame(stored, 4, (EXPLICIT,))


@given(st.binary(max_size=64), st.sampled_from(LOSSLESS))
def test_a_damaged_frame_is_said(noise: bytes, syntax: str) -> None:
    good = PixelTranscoder().transcode(
        stored_of(image(np.full((1, 32, 32, 1), 9, dtype="<u2"), stored=12)), (syntax,)
    )
    at = good.data.find(b"\xfe\xff\x00\xe0", good.data.find(b"\xe0\x7f\x10\x00OB") + 20) + 8
    damaged = good.data[:at] + noise + good.data[at + len(noise) :]
    try:
        PixelTranscoder().transcode(replace(good, data=damaged), (EXPLICIT,))
    except NotTranscodable:
        return
