"""One instance opened for display: its description, and its frames decoded one by one.

Blocking, made for threads. What is held is one file and one decoded frame.

Réf.: DICOM PS3.3 C.7.6.3.1.2 (photometric interpretations), C.7.6.3.1.5-6 (palettes),
grade: standard.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drimbox_ref.codecs import CodecError, Pixels, shown
from drimbox_ref.viewer.description import describe
from drimbox_ref.viewer.values import Frame, NotDisplayable
from protocols.dicom import header_end, read_values, split_part10, to_json
from protocols.dicom.pixels import NATIVE, PixelLayout, frames_of, pixel_layout
from protocols.errors import RemoteProtocolError
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN

__all__ = ["OpenedImage", "open_image"]

_PALETTE = ((0x00281101, 0x00281201), (0x00281102, 0x00281202), (0x00281103, 0x00281203))
"""Descriptor and data of the red, green and blue tables."""
_MOST_BYTES = 512 * 1024 * 1024
"""Of one decoded frame: more than any mammography, less than what would hurt."""
_MOST_FRAMES = 20_000
_GREY = ("MONOCHROME1", "MONOCHROME2")
_VIDEO = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in range(100, 109))


class OpenedImage:
    """One instance, its file in memory while this is held."""

    def __init__(self, data: bytes) -> None:
        part = split_part10(data)
        self._data, self._syntax = part.dataset, part.transfer_syntax
        if self._syntax in _VIDEO:
            raise NotDisplayable("vidéo compressée (MPEG), que cette visionneuse ne lit pas")
        layout = pixel_layout(self._data, transfer_syntax=self._syntax)
        if layout is None:
            raise NotDisplayable("objet sans image")
        if layout.frame_size > _MOST_BYTES or layout.frames > _MOST_FRAMES:
            raise NotDisplayable(
                f"image démesurée ({layout.frames} × {layout.rows} × {layout.columns})"
            )
        end = header_end(self._data, transfer_syntax=self._syntax)
        self._header = self._data[:end]
        self._layout = layout
        self._frames = frames_of(self._data, transfer_syntax=self._syntax, layout=layout)

    @property
    def count(self) -> int:
        """How many frames it has."""
        return self._layout.frames

    def metadata(self) -> Mapping[str, Any]:
        """Its header in the DICOM JSON model, without pixels."""
        return to_json(self._header, transfer_syntax=self._syntax)

    def description(self) -> dict[str, Any]:
        """What the page is told of it."""
        return describe(self.metadata(), self._layout)

    def frame(self, index: int) -> Frame:
        """A frame, numbered from 0.

        Raises:
            NotDisplayable: no library reads it, or it is damaged.
            IndexError: no such frame.
        """
        layout = self._layout
        try:
            # Uncompressed pixels are written alike whatever the header.
            syntax = EXPLICIT_VR_LITTLE_ENDIAN if self._syntax in NATIVE else self._syntax
            pixels = shown(bytes(self._frames[index]), layout, syntax)
            if pixels.photometric == "PALETTE COLOR":
                return _rgb(_by_palette(pixels.values, self._header, self._syntax))
        except (CodecError, RemoteProtocolError) as error:
            raise NotDisplayable(str(error)) from error
        if layout.samples == 1:
            return _grey(pixels, layout)
        return _rgb(_colours(pixels, layout))


def open_image(path: Path) -> OpenedImage:
    """Read a Part 10 file.

    Raises:
        NotDisplayable: it has no image, or is damaged.
        OSError: unreadable.
    """
    try:
        return OpenedImage(path.read_bytes())
    except RemoteProtocolError as error:
        raise NotDisplayable(f"objet illisible : {error}") from error


def _grey(pixels: Pixels, layout: PixelLayout) -> Frame:
    if pixels.photometric not in _GREY:
        raise NotDisplayable(f"interprétation {pixels.photometric or 'absente'} non affichée")
    values = pixels.values
    if values.dtype.itemsize == 1:
        values = values.astype("<i2") if layout.signed else values
    return Frame(values.dtype.name, _bytes(values))


def _rgb(values: NDArray[np.uint8]) -> Frame:
    return Frame("rgb", _bytes(values))


def _bytes(values: NDArray[Any]) -> memoryview:
    return memoryview(np.ascontiguousarray(values).data).cast("B")


def _colours(pixels: Pixels, layout: PixelLayout) -> NDArray[np.uint8]:
    values = pixels.values[:, :, :3]
    if layout.stored > 8:
        values = values >> (layout.stored - 8)
    if pixels.photometric == "RGB":
        return np.asarray(values, dtype=np.uint8)
    if pixels.photometric != "YBR_FULL":
        raise NotDisplayable(f"couleurs {pixels.photometric or 'inconnues'} non affichées")
    y, blue, red = (values[:, :, sample].astype(np.float32) for sample in range(3))
    # PS3.3 C.7.6.3.1.2, the inverse of its equations.
    blue, red = blue - 128, red - 128
    planes = (y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue)
    colours: NDArray[np.uint8] = np.clip(np.rint(np.stack(planes, axis=-1)), 0, 255).astype("u1")
    return colours


def _by_palette(values: NDArray[Any], header: bytes, syntax: str) -> NDArray[np.uint8]:
    """Indices turned into colours; a table may begin at another value than 0."""
    tags = [tag for pair in _PALETTE for tag in pair]
    found = read_values(header, transfer_syntax=syntax, tags=tags)
    planes = []
    for descriptor_tag, table_tag in _PALETTE:
        descriptor = np.frombuffer(found.get(descriptor_tag, b"")[:6], dtype="<u2")
        if descriptor.size != 3:
            raise NotDisplayable("palette de couleurs absente ou segmentée")
        size, first, bits = (int(one) for one in descriptor)
        size = size or 1 << 16
        raw = found.get(table_tag, b"")
        # Tables of 8 bits may be written one entry a byte (PS3.3 C.7.6.3.1.6).
        wide = len(raw) >= 2 * size
        table = np.frombuffer(raw[: size * (2 if wide else 1)], dtype="<u2" if wide else "u1")
        if table.size != size:
            raise NotDisplayable("palette de couleurs tronquée ou segmentée")
        entries = table >> 8 if bits == 16 and wide else table
        rank = np.clip(values[:, :, 0].astype(np.int64) - first, 0, size - 1)
        planes.append(entries[rank].astype(np.uint8))
    return np.stack(planes, axis=-1)
