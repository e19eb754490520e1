"""Images made for the viewer's tests, one attribute at a time."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

EXPLICIT = "1.2.840.10008.1.2.1"
CT = "1.2.840.10008.5.1.4.1.1.2"


def grey(values: Any, *, stored: int = 12, **attributes: Any) -> Dataset:
    dataset = Dataset()
    array = np.asarray(values)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = array.shape[-2:]
    dataset.BitsAllocated = array.dtype.itemsize * 8
    dataset.BitsStored, dataset.HighBit = stored, stored - 1
    dataset.PixelRepresentation = int(array.dtype.kind == "i")
    if array.ndim == 3:
        dataset.NumberOfFrames = len(array)
    dataset.PixelData = array.tobytes()
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return dataset


def colour(values: Any, **attributes: Any) -> Dataset:
    """An RGB image of `(rows, columns, 3)` bytes."""
    dataset = grey(np.zeros(np.asarray(values).shape[:2], dtype="u1"), stored=8)
    dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
    dataset.PhotometricInterpretation = "RGB"
    dataset.PixelData = np.asarray(values, dtype="u1").tobytes()
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return dataset


def item(**attributes: Any) -> Dataset:
    made = Dataset()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def part10(dataset: Dataset, *, uid: str = "1.2.3.4", syntax: str = EXPLICIT) -> bytes:
    """The file of a data set."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.SOPClassUID, dataset.SOPInstanceUID = CT, uid
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
