"""One frame decompressed, one frame compressed: which library does what, and what none can do.

JPEG-LS by pyjpegls, JPEG 2000 by pylibjpeg-openjpeg, 8-bit JPEG by Pillow, JPEG lossless SV1 and
run lengths by our own. What comes out has the values that went in, but through JPEG baseline.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import jpeg_ls
import numpy as np
import openjpeg
from numpy.typing import NDArray
from PIL import Image

from protocols import jpeg_lossless
from protocols.dicom.pixels import PixelLayout, unpacked_run_lengths
from protocols.errors import LocalProtocolError, RemoteProtocolError
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN

__all__ = [
    "DECODED",
    "ENCODED",
    "JPEG_BASELINE",
    "CodecError",
    "Pixels",
    "decoded",
    "encoded",
    "shown",
]

JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
_JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
_JPEG_LOSSLESS = "1.2.840.10008.1.2.4.57"
_JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
_JPEG_LS = "1.2.840.10008.1.2.4.80"
_JPEG_LS_NEAR = "1.2.840.10008.1.2.4.81"
_JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"
_JPEG_2000 = "1.2.840.10008.1.2.4.91"
_RLE = "1.2.840.10008.1.2.5"

_QUALITY = 90
"""Of 8-bit JPEG, on Pillow's scale: ratios of 5 to 15 on ultrasound and photographs."""
_SRGB = 1
_SOF_55 = 0xF7
"""The marker of a JPEG-LS frame header."""
_SMALLEST_JPEG_2000 = 32
"""Rows and columns that the library's six resolutions need at least."""
_GREY = ("MONOCHROME1", "MONOCHROME2")

Values = NDArray[Any]
"""`(rows, columns, samples)`, of a signed or unsigned integer type."""


class CodecError(Exception):
    """A frame that no library here reads or writes, or a damaged one. French."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """A frame's values, and the photometric interpretation in which they are."""

    values: Values
    photometric: str


def decoded(frame: bytes, layout: PixelLayout, transfer_syntax: str) -> Pixels:
    """The values of a frame.

    Raises:
        CodecError: no library for that syntax or depth, a damaged frame, or bits above BitsStored
            that no compressed form would keep.
    """
    pixels = _read(frame, layout, transfer_syntax)
    return Pixels(_normal(pixels.values, layout), pixels.photometric)


def shown(frame: bytes, layout: PixelLayout, transfer_syntax: str) -> Pixels:
    """The values of a frame for the eye: bits above BitsStored (overlays of old) are left out.

    Raises:
        CodecError: no library for that syntax or depth, or a damaged frame.
    """
    pixels = _read(frame, layout, transfer_syntax)
    return Pixels(_masked(pixels.values, layout), pixels.photometric)


def _read(frame: bytes, layout: PixelLayout, transfer_syntax: str) -> Pixels:
    """What the library of that syntax makes of a frame, `(rows, columns, samples)`."""
    if layout.allocated not in (8, 16):
        raise CodecError(f"{layout.allocated} bits par échantillon")
    decoder = _DECODERS.get(transfer_syntax)
    if decoder is None:
        raise CodecError(f"syntaxe {transfer_syntax} non décodée")
    try:
        values, photometric = decoder(frame, layout)
    except (RemoteProtocolError, RuntimeError, ValueError, OSError) as error:
        raise CodecError(f"image illisible en {transfer_syntax} : {error}") from error
    shape = (layout.rows, layout.columns, layout.samples)
    if values.size != layout.rows * layout.columns * layout.samples:
        raise CodecError(f"image de forme {values.shape} au lieu de {shape}")
    return Pixels(values.reshape(shape), photometric)


def encoded(pixels: Pixels, layout: PixelLayout, transfer_syntax: str) -> tuple[bytes, str]:
    """A frame in that syntax, and the photometric interpretation that it then has.

    Raises:
        CodecError: no library for that syntax, or not for these values.
    """
    encoder = ENCODED.get(transfer_syntax)
    if encoder is None:
        raise CodecError(f"syntaxe {transfer_syntax} non produite")
    try:
        return encoder(pixels, layout)
    except (LocalProtocolError, RuntimeError, ValueError, OSError) as error:
        raise CodecError(f"image non codable en {transfer_syntax} : {error}") from error


def _normal(values: Values, layout: PixelLayout) -> Values:
    """The values in the type that the layout says, sign extended from BitsStored.

    Raises:
        CodecError: bits above BitsStored that no compressed form would keep.
    """
    width, stored = layout.allocated, layout.stored
    raw = values.astype(np.int64)
    kept = raw & ((1 << stored) - 1)
    if layout.signed:
        kept = np.where(kept >> (stored - 1), kept - (1 << stored), kept)
    spare = (raw ^ kept) & ((1 << width) - 1)
    # A signed sample may come with or without its sign extended: both say the same value.
    unextended = ((1 << width) - 1) ^ ((1 << stored) - 1)
    if np.any(spare & (spare ^ unextended)) or (not layout.signed and np.any(spare)):
        raise CodecError(f"bits utilisés au-delà des {stored} annoncés")
    return kept.astype(f"<{'i' if layout.signed else 'u'}{width // 8}")


def _masked(values: Values, layout: PixelLayout) -> Values:
    """The values in the type that the layout says, whatever the bits above BitsStored hold."""
    width, stored = layout.allocated, layout.stored
    typed = values.astype(f"<{'i' if layout.signed else 'u'}{width // 8}", copy=False)
    if stored == width:
        return typed
    if layout.signed:
        spare = width - stored
        return (typed << spare) >> spare
    return typed & ((1 << stored) - 1)


def _patterns(pixels: Pixels, layout: PixelLayout) -> Values:
    """The values as unsigned patterns of BitsStored bits, as JPEG and JPEG-LS know samples."""
    patterns = pixels.values.astype(np.int64) & ((1 << layout.stored) - 1)
    return patterns.astype(np.uint16)


# Decoders --------------------------------------------------------------------------------------


def _from_native(frame: bytes, layout: PixelLayout) -> tuple[Values, str]:
    # The sub-sampled form of YBR_FULL_422 has fewer bytes than this expects: refused by its size.
    values = np.frombuffer(frame, dtype=f"<u{layout.allocated // 8}")
    values = values[: layout.rows * layout.columns * layout.samples]
    if layout.planar and layout.samples > 1:
        values = values.reshape(layout.samples, layout.rows, layout.columns).transpose(1, 2, 0)
    return values, layout.photometric


def _from_run_lengths(frame: bytes, layout: PixelLayout) -> tuple[Values, str]:
    width, size = layout.allocated // 8, layout.rows * layout.columns
    planes = unpacked_run_lengths(frame, planes=layout.samples * width, size=size)
    values = np.zeros((size, layout.samples), dtype=np.uint16)
    for index, plane in enumerate(planes):
        sample, byte = divmod(index, width)
        values[:, sample] |= np.frombuffer(plane, dtype=np.uint8).astype(np.uint16) << (
            8 * (width - 1 - byte)
        )
    return values, layout.photometric


def _check_announced(rows: int, columns: int, layout: PixelLayout) -> None:
    """Before memory is taken for it: a stream of some bytes may announce gigabytes.

    Raises:
        ValueError: not the size that the header says.
    """
    if (rows, columns) != (layout.rows, layout.columns):
        raise ValueError(f"{rows} × {columns} annoncés au lieu de {layout.rows} × {layout.columns}")


def _jpeg_ls_size(frame: bytes) -> tuple[int, int]:
    """Rows and columns of the frame header (ISO/IEC 14495-1 C.2.2).

    Raises:
        ValueError: there is none.
    """
    position = 2
    while frame[position : position + 1] == b"\xff":
        length = int.from_bytes(frame[position + 2 : position + 4], "big")
        if frame[position + 1] == _SOF_55:
            rows, columns = struct.unpack_from(
                ">HH", frame.ljust(position + 9, b"\0"), position + 5
            )
            return rows, columns
        position += 2 + max(2, length)
    raise ValueError("en-tête JPEG-LS absent")


def _from_jpeg_ls(frame: bytes, layout: PixelLayout) -> tuple[Values, str]:
    _check_announced(*_jpeg_ls_size(frame), layout)
    values: Values = jpeg_ls.decode(np.frombuffer(frame, dtype=np.uint8))
    if layout.samples > 1 and values.shape[0] == layout.samples != layout.rows:
        values = values.transpose(1, 2, 0)
    return values, layout.photometric


def _from_jpeg_2000(frame: bytes, layout: PixelLayout) -> tuple[Values, str]:
    announced = openjpeg.get_parameters(frame)
    _check_announced(announced["rows"], announced["columns"], layout)
    values: Values = openjpeg.decode(frame)
    # The component transform is undone by the library.
    undone = layout.photometric in ("YBR_RCT", "YBR_ICT")
    return values, "RGB" if undone else layout.photometric


def _from_jpeg_lossless(frame: bytes, layout: PixelLayout) -> tuple[Values, str]:
    values, _ = jpeg_lossless.decode(frame)
    return values, layout.photometric


def _from_jpeg(frame: bytes, layout: PixelLayout) -> tuple[Values, str]:
    if layout.photometric == "RGB" and b"Adobe" not in frame[:4096]:
        # Without that mark, libjpeg would undo a transform that was never made.
        raise CodecError("JPEG en RGB sans marque")
    with Image.open(BytesIO(frame), formats=("JPEG",)) as image:
        _check_announced(image.height, image.width, layout)
        if image.mode not in ("L", "RGB"):
            raise CodecError(f"JPEG de mode {image.mode}")
        return np.asarray(image), layout.photometric if image.mode == "L" else "RGB"


_DECODERS: dict[str, Callable[[bytes, PixelLayout], tuple[Values, str]]] = {
    EXPLICIT_VR_LITTLE_ENDIAN: _from_native,
    _RLE: _from_run_lengths,
    _JPEG_LS: _from_jpeg_ls,
    _JPEG_LS_NEAR: _from_jpeg_ls,
    _JPEG_2000_LOSSLESS: _from_jpeg_2000,
    _JPEG_2000: _from_jpeg_2000,
    _JPEG_LOSSLESS: _from_jpeg_lossless,
    _JPEG_LOSSLESS_SV1: _from_jpeg_lossless,
    JPEG_BASELINE: _from_jpeg,
    _JPEG_EXTENDED: _from_jpeg,
}

DECODED = frozenset(_DECODERS)
"""What is read here; of JPEG Extended, images of 8 bits alone."""


# Encoders --------------------------------------------------------------------------------------


def _to_native(pixels: Pixels, layout: PixelLayout) -> tuple[bytes, str]:
    return pixels.values.tobytes(), pixels.photometric


def _to_jpeg_ls(pixels: Pixels, layout: PixelLayout) -> tuple[bytes, str]:
    if layout.stored < 2:
        raise CodecError("JPEG-LS commence à 2 bits")
    patterns = _patterns(pixels, layout).astype("<u1" if layout.stored <= 8 else "<u2")
    stream = jpeg_ls.encode_buffer(
        patterns.tobytes(),
        layout.rows,
        layout.columns,
        layout.samples,
        layout.stored,
        interleave_mode=2 if layout.samples > 1 else 0,
    )
    return bytes(stream), pixels.photometric


def _to_jpeg_2000(pixels: Pixels, layout: PixelLayout) -> tuple[bytes, str]:
    if min(layout.rows, layout.columns) < _SMALLEST_JPEG_2000:
        raise CodecError("image trop petite pour JPEG 2000")
    transformed = pixels.photometric == "RGB" and layout.samples == 3
    values = pixels.values if layout.samples > 1 else pixels.values[:, :, 0]
    stream: bytes = openjpeg.encode(
        np.ascontiguousarray(values),
        bits_stored=layout.stored,
        photometric_interpretation=_SRGB if transformed else 0,
    )
    return stream, "YBR_RCT" if transformed else pixels.photometric


def _to_jpeg_lossless(pixels: Pixels, layout: PixelLayout) -> tuple[bytes, str]:
    stream = jpeg_lossless.encode(_patterns(pixels, layout), precision=layout.stored)
    return stream, pixels.photometric


def _to_jpeg(pixels: Pixels, layout: PixelLayout) -> tuple[bytes, str]:
    grey = layout.samples == 1 and pixels.photometric in _GREY
    colour = layout.samples == 3 and pixels.photometric == "RGB"
    if layout.signed or layout.stored != 8 or not (grey or colour):
        raise CodecError("JPEG de base : 8 bits non signés, gris ou RGB")
    values = pixels.values.astype(np.uint8)
    image = Image.fromarray(values[:, :, 0] if grey else values)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, subsampling="4:2:2")
    return buffer.getvalue(), pixels.photometric if grey else "YBR_FULL_422"


ENCODED: dict[str, Callable[[Pixels, PixelLayout], tuple[bytes, str]]] = {
    EXPLICIT_VR_LITTLE_ENDIAN: _to_native,
    _JPEG_LOSSLESS_SV1: _to_jpeg_lossless,
    _JPEG_LS: _to_jpeg_ls,
    _JPEG_2000_LOSSLESS: _to_jpeg_2000,
    _JPEG_2000: _to_jpeg_2000,
    JPEG_BASELINE: _to_jpeg,
}
"""What can be produced; all but JPEG baseline keeps every value."""
