"""An image made smaller at the price of its exact values, as a Source gives it to be looked at."""

from __future__ import annotations

from io import BytesIO

import openjpeg
from pydicom import dcmread
from pydicom.encaps import encapsulate

__all__ = ["JPEG_2000", "with_loss"]

JPEG_2000 = "1.2.840.10008.1.2.4.91"
_RATIO = 8
_METHOD = "ISO_15444_1"


def with_loss(file: bytes) -> bytes:
    """The same image of one frame in JPEG 2000, which says what it lost (PS3.3 C.7.6.1.1.5).

    Its SOPInstanceUID stays: it is compressed on its way out, for whoever named it.
    """
    dataset = dcmread(BytesIO(file))
    stream: bytes = openjpeg.encode(
        dataset.pixel_array, bits_stored=dataset.BitsStored, compression_ratios=[_RATIO]
    )
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEG_2000
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionRatio = str(_RATIO)
    dataset.LossyImageCompressionMethod = _METHOD
    written = BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()
