"""Opening an instance for display: the pixels of another reader, and what cannot be shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_color_lut, convert_color_space
from pydicom.uid import UID

from drimbox_ref.codecs import Pixels, encoded
from drimbox_ref.viewer.images import OpenedImage, open_image
from drimbox_ref.viewer.values import Frame, NotDisplayable
from protocols.dicom.pixels import PixelLayout
from tests.drimbox_ref.viewer.datasets import CT, EXPLICIT, grey, item, part10

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
MPEG4 = "1.2.840.10008.1.2.4.102"


def opened(dataset: Dataset, syntax: str = EXPLICIT) -> OpenedImage:
    return OpenedImage(part10(dataset, syntax=syntax))


def values_of(frame: Frame, rows: int, columns: int) -> Any:
    if frame.type == "rgb":
        return np.frombuffer(frame.data, dtype="u1").reshape(rows, columns, 3)
    return np.frombuffer(frame.data, dtype=np.dtype(frame.type)).reshape(rows, columns)


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small.dcm",
        "MR_small_RLE.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_implicit.dcm",
        "examples_rgb_color.dcm",
        "SC_rgb_rle.dcm",
        "SC_rgb_rle_2frame.dcm",
    ],
)
def test_pixels_are_those_of_another_reader(name: str) -> None:
    theirs = pydicom.dcmread(FILES / name)
    image = open_image(FILES / name)
    array = theirs.pixel_array
    if image.count == 1:
        array = array[None]
    assert image.count == len(array)
    for index in range(image.count):
        shown = values_of(image.frame(index), theirs.Rows, theirs.Columns)
        np.testing.assert_array_equal(shown, array[index])


def test_bits_above_those_stored_are_not_shown() -> None:
    plain = np.arange(16, dtype="<u2").reshape(4, 4)
    image = opened(grey(plain | 0xF000))
    np.testing.assert_array_equal(values_of(image.frame(0), 4, 4), plain)


def test_a_sign_is_extended_from_the_bits_stored() -> None:
    plain = np.array([[-5, 7], [-2048, 2047]], dtype="<i2")
    image = opened(grey(plain & 0x0FFF))
    np.testing.assert_array_equal(values_of(image.frame(0), 2, 2), plain)


def test_signed_bytes_are_shown_as_they_are() -> None:
    plain = np.array([[-5, 7], [-128, 127]], dtype="i1")
    frame = opened(grey(plain, stored=8)).frame(0)
    assert frame.type == "int16"
    np.testing.assert_array_equal(values_of(frame, 2, 2), plain)


def test_a_palette_gives_its_colours() -> None:
    theirs = pydicom.dcmread(FILES / "examples_palette.dcm")
    colours = apply_color_lut(theirs.pixel_array, theirs)
    frame = open_image(FILES / "examples_palette.dcm").frame(0)
    shown = values_of(frame, theirs.Rows, theirs.Columns)
    assert np.abs(shown.astype(int) - (colours >> 8).astype(int)).max() <= 1


def test_luminance_and_chrominance_become_colours() -> None:
    rng = np.random.default_rng(3)
    samples = rng.integers(0, 256, (8, 8, 3), dtype="u1")
    dataset = grey(np.zeros((8, 8), dtype="u1"), stored=8)
    dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
    dataset.PhotometricInterpretation = "YBR_FULL"
    dataset.PixelData = samples.tobytes()
    shown = values_of(opened(dataset).frame(0), 8, 8)
    theirs = convert_color_space(samples, "YBR_FULL", "RGB")
    assert np.abs(shown.astype(int) - theirs.astype(int)).max() <= 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Rows": None}, "sans image"),
        ({"PhotometricInterpretation": "HSV"}, "HSV"),
        ({"PixelData": b"\0\0"}, "plus courts"),
    ],
)
def test_what_cannot_be_shown_says_why(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    dataset = grey(np.zeros((4, 4), dtype="<u2"))
    for name, value in change.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT, "1.2.3.4"
    path = tmp_path / "image.dcm"
    dataset.save_as(path, enforce_file_format=True)
    with pytest.raises(NotDisplayable, match=said):
        open_image(path).frame(0)


def test_a_video_is_not_read() -> None:
    dataset = grey(np.zeros((4, 4), dtype="u1"), stored=8)
    dataset.PixelData = pydicom.encaps.encapsulate([b"\0\0"])
    with pytest.raises(NotDisplayable, match="vidéo"):
        opened(dataset, MPEG4)


@pytest.mark.parametrize(
    "syntax",
    ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.91"],
)
def test_a_stream_of_another_size_than_announced_is_not_decompressed(syntax: str) -> None:
    """A few bytes may announce gigabytes: what they announce is looked at first."""
    layout = PixelLayout(
        rows=64, columns=64, samples=1, planar=0, allocated=8, stored=8, signed=False,
        photometric="MONOCHROME2", frames=1,
    )  # fmt: skip
    stream, _ = encoded(Pixels(np.zeros((64, 64, 1), dtype="u1"), "MONOCHROME2"), layout, syntax)
    dataset = grey(np.zeros((32, 32), dtype="u1"), stored=8)
    dataset.PixelData = pydicom.encaps.encapsulate([stream])
    with pytest.raises(NotDisplayable, match="64 × 64 annoncés au lieu de 32 × 32"):
        opened(dataset, syntax).frame(0)


def test_a_frame_beyond_measure_is_not_opened() -> None:
    dataset = grey(np.zeros((4, 4), dtype="u1"), stored=8)
    dataset.Rows = dataset.Columns = 65535
    with pytest.raises(NotDisplayable, match="démesurée"):
        opened(dataset)


def test_bytes_that_are_no_dicom(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(b"<html>")
    with pytest.raises(NotDisplayable, match="illisible"):
        open_image(path)


def test_geometry_and_windows_are_told() -> None:
    told = opened(
        grey(
            np.zeros((2, 2), dtype="<u2"),
            ImagePositionPatient=[-1, -2, 3.5],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            PixelSpacing=[0.5, 0.25],
            RescaleSlope=2,
            RescaleIntercept=-1024,
            WindowCenter=[40, -600],
            WindowWidth=[400, 1500],
            WindowCenterWidthExplanation=["TISSUS", "POUMON"],
            PhotometricInterpretation="MONOCHROME1",
            PatientName="DUPONT^ANNE",
        )
    ).description()
    (frame,) = told["frames"]
    assert told["patientName"] == "DUPONT^ANNE"
    assert told["inverted"] is True
    assert frame["position"] == [-1, -2, 3.5]
    assert frame["spacing"] == [0.5, 0.25]
    assert (frame["slope"], frame["intercept"]) == (2, -1024)
    assert frame["windows"] == [
        {"center": 40, "width": 400, "name": "TISSUS"},
        {"center": -600, "width": 1500, "name": "POUMON"},
    ]


def test_each_frame_of_an_enhanced_image_has_its_place() -> None:
    shared = item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=[0, 1, 0, 0, 0, -1])],
        PixelMeasuresSequence=[item(PixelSpacing=[0.7, 0.7])],
        PixelValueTransformationSequence=[item(RescaleSlope=3, RescaleIntercept=1)],
    )
    own = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=[rank, 0, 9])],
            FrameVOILUTSequence=[item(WindowCenter=10 + rank, WindowWidth=20)],
        )
        for rank in range(2)
    ]
    image = opened(
        grey(
            np.zeros((2, 4, 4), dtype="<u2"),
            SharedFunctionalGroupsSequence=[shared],
            PerFrameFunctionalGroupsSequence=own,
        )
    )
    frames = image.description()["frames"]
    assert [frame["position"] for frame in frames] == [[0, 0, 9], [1, 0, 9]]
    assert [frame["windows"][0]["center"] for frame in frames] == [10, 11]
    assert {tuple(frame["orientation"]) for frame in frames} == {(0, 1, 0, 0, 0, -1)}
    assert {(frame["slope"], *frame["spacing"]) for frame in frames} == {(3, 0.7, 0.7)}


@pytest.mark.parametrize("value", ["1\\2", "a\\b\\c", "1e400\\0\\0", ""])
def test_a_geometry_that_is_none_is_left_out(value: str) -> None:
    dataset = grey(np.zeros((2, 2), dtype="<u2"))
    with pydicom.config.disable_value_validation():
        dataset.add_new(0x00200032, "LO", value)
        told = opened(dataset).description()
    assert told["frames"][0]["position"] is None
