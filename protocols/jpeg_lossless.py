"""JPEG lossless, Huffman coded, prediction by the left neighbour: what `.4.70` holds.

Written by vectors, read sample by sample. Source: ITU-T T.81 (ISO/IEC 10918-1) annexes B, C, H
and K.2; DICOM PS3.5 8.2.1 and A.4.1, grade `standard`.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

from protocols.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["JpegError", "decode", "encode"]

Samples = NDArray[np.uint16]
"""`(rows, columns, components)`."""

_SOI, _EOI, _SOF3, _DHT, _SOS, _DRI = 0xD8, 0xD9, 0xC3, 0xC4, 0xDA, 0xDD
_CATEGORIES = 17
_LONGEST_CODE = 16
_BLOCK = 1 << 16
"""Differences coded at once: what bounds the encoder's memory, whatever the image."""

_SIZES = np.array([value.bit_length() for value in range(0x8001)], dtype=np.uint8)
"""Of a difference's magnitude, the category SSSS (T.81 table H.2)."""


class JpegError(RemoteProtocolError):
    """A stream that is no JPEG, or none that is read here."""


def encode(samples: Samples, *, precision: int) -> bytes:
    """One frame as a JPEG stream, components interleaved, selection value 1.

    Raises:
        LocalProtocolError: a shape or precision (2 to 16) that JPEG lossless does not know, or a
            sample that needs more bits.
    """
    if samples.ndim != 3 or not 1 <= samples.shape[2] <= 4:
        raise LocalProtocolError(f"forme illégale : {samples.shape}")
    rows, columns, components = samples.shape
    if not (0 < rows <= 0xFFFF and 0 < columns <= 0xFFFF and 2 <= precision <= 16):
        raise LocalProtocolError(f"{rows} x {columns} sur {precision} bits")
    if precision < 16 and int(samples.max()) >> precision:
        raise LocalProtocolError(f"un échantillon dépasse {precision} bits")
    differences = _differences(samples, precision)
    sizes = _SIZES[np.abs(differences)]
    lengths = _code_lengths(np.bincount(sizes, minlength=_CATEGORIES).tolist())
    ids = range(1, components + 1)
    frame = struct.pack(">BHHB", precision, rows, columns, components)
    frame += b"".join(bytes((one, 0x11, 0)) for one in ids)
    scan = bytes((components, *(byte for one in ids for byte in (one, 0)), 1, 0, 0))
    coded = b"".join(_entropy_coded(differences, sizes, lengths))
    return b"".join(
        (
            bytes((0xFF, _SOI)),
            _segment(_SOF3, frame),
            _segment(_DHT, bytes((0, *_counts(lengths), *_by_length(lengths)))),
            _segment(_SOS, scan),
            coded.replace(b"\xff", b"\xff\x00"),
            bytes((0xFF, _EOI)),
        )
    )


def decode(stream: bytes) -> tuple[Samples, int]:
    """The samples of a stream, and their precision in bits.

    Reads the lossless process with selection value 1, one scan, no restart interval.

    Raises:
        JpegError: damaged, or another process.
    """
    tables: dict[int, list[tuple[int, int]]] = {}
    frame: tuple[int, int, int, tuple[int, ...]] | None = None
    for marker, content, position in _segments(stream):
        if marker == _DHT:
            tables.update(_read_tables(content))
        elif marker == _SOF3:
            frame = _read_frame(content)
        elif marker == _DRI and any(content):
            raise JpegError("intervalles de reprise non lus")
        elif marker == _SOS:
            if frame is None:
                raise JpegError("SOS avant SOF3")
            precision, rows, columns, ids = frame
            coders = _read_scan(content, ids, tables)
            end = stream.rfind(b"\xff\xd9")
            coded = stream[position : end if end >= position else len(stream)]
            total = rows * columns * len(ids)
            if total > 8 * len(coded):
                raise JpegError("moins d'un bit par échantillon")
            read = _read_differences(coded.replace(b"\xff\x00", b"\xff"), coders, total)
            shaped = read.reshape(rows, columns, len(ids))
            return _integrate(shaped, precision), precision
    raise JpegError("flux sans image")


# Prediction ------------------------------------------------------------------------------------


def _differences(samples: Samples, precision: int) -> NDArray[np.int32]:
    """What is coded, in the order coded: sample minus prediction, modulo 2**16 (T.81 H.1.2)."""
    values = samples.astype(np.int32)
    differences = np.empty_like(values)
    differences[:, 1:] = values[:, 1:] - values[:, :-1]
    differences[1:, 0] = values[1:, 0] - values[:-1, 0]
    differences[0, 0] = values[0, 0] - (1 << (precision - 1))
    wrapped: NDArray[np.int32] = ((differences + 0x7FFF) & 0xFFFF) - 0x7FFF
    return wrapped.ravel()


def _integrate(differences: NDArray[np.int32], precision: int) -> Samples:
    """The samples that have these differences."""
    values = differences.astype(np.int64)
    values[0, 0] += 1 << (precision - 1)
    values[:, 0] = np.cumsum(values[:, 0], axis=0)
    return (np.cumsum(values, axis=1) & 0xFFFF).astype(np.uint16)


# Entropy coding --------------------------------------------------------------------------------


def _code_lengths(frequencies: Sequence[int]) -> list[int]:
    """The code length of each category, 0 for those that do not occur.

    Huffman's, with a symbol kept back so that no code is all ones, and none longer than 16 bits
    (T.81 K.2): flattening the frequencies shortens the longest code, so it is done until it fits.
    """
    weights = list(frequencies)
    while True:
        lengths = _huffman(weights)
        if max(lengths) <= _LONGEST_CODE:
            return lengths
        weights = [(weight + 1) // 2 for weight in weights]


def _huffman(weights: Sequence[int]) -> list[int]:
    order = count()
    # The reserved symbol weighs nothing: it takes the longest code, and gets none.
    heap: list[tuple[int, int, tuple[int, ...]]] = [(0, next(order), (len(weights),))]
    heap += [(weight, next(order), (symbol,)) for symbol, weight in enumerate(weights) if weight]
    heapq.heapify(heap)
    lengths = [0] * (len(weights) + 1)
    while len(heap) > 1:
        first, _, one = heapq.heappop(heap)
        second, _, other = heapq.heappop(heap)
        merged = one + other
        for symbol in merged:
            lengths[symbol] += 1
        heapq.heappush(heap, (first + second, next(order), merged))
    return lengths[:-1]


def _counts(lengths: Sequence[int]) -> list[int]:
    """How many codes of 1, 2 ... 16 bits (BITS)."""
    return [sum(length == size for length in lengths) for size in range(1, _LONGEST_CODE + 1)]


def _by_length(lengths: Sequence[int]) -> list[int]:
    """The categories in the order of their codes (HUFFVAL)."""
    return sorted((s for s, length in enumerate(lengths) if length), key=lambda s: (lengths[s], s))


def _codes(counts: Sequence[int], values: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """`(category, code, length)`, codes given in increasing order (T.81 C.2)."""
    code, rank = 0, 0
    for size, number in enumerate(counts, 1):
        for value in values[rank : rank + number]:
            yield value, code, size
            code += 1
        rank += number
        code <<= 1


def _entropy_coded(
    differences: NDArray[np.int32], sizes: NDArray[np.uint8], lengths: Sequence[int]
) -> Iterator[bytes]:
    """The bits of the scan, most significant first, padded with ones; FF not stuffed."""
    code_of = np.zeros(_CATEGORIES, dtype=np.int64)
    for category, code, _ in _codes(_counts(lengths), _by_length(lengths)):
        code_of[category] = code
    length_of = np.array(lengths, dtype=np.int64)
    left = np.zeros(0, dtype=np.uint8)
    for start in range(0, len(differences), _BLOCK):
        block = differences[start : start + _BLOCK].astype(np.int64)
        size = sizes[start : start + _BLOCK].astype(np.int64)
        # Category 16 is one value only, 32768: no bit follows its code.
        extra = np.where(size == _LONGEST_CODE, 0, size)
        following = np.where(block < 0, block - 1, block) & ((1 << extra) - 1)
        words = (code_of[size] << extra) | following
        widths = length_of[size] + extra
        ends = np.cumsum(widths)
        places = np.repeat(ends, widths) - 1 - np.arange(ends[-1])
        bits = ((np.repeat(words, widths) >> places) & 1).astype(np.uint8)
        bits = np.concatenate((left, bits))
        whole = len(bits) - len(bits) % 8
        yield np.packbits(bits[:whole]).tobytes()
        left = bits[whole:]
    if len(left):
        padding = np.ones(8 - len(left), dtype=np.uint8)
        yield np.packbits(np.concatenate((left, padding))).tobytes()


def _read_differences(
    coded: bytes, coders: Sequence[list[tuple[int, int]]], total: int
) -> NDArray[np.int32]:
    """The differences of a scan, component by component in turn."""
    found = np.empty(total, dtype=np.int32)
    window, held, position = 0, 0, 0
    number = len(coders)
    for index in range(total):
        while held < 32:
            # Past the end, ones: what an encoder pads with.
            byte = coded[position] if position < len(coded) else 0xFF
            window = (window << 8 | byte) & 0xFFFFFFFFFFFF
            position += 1
            held += 8
        size, length = coders[index % number][window >> (held - 16) & 0xFFFF]
        if not length or position > len(coded) + 8:
            raise JpegError("code de Huffman inconnu, ou flux tronqué")
        held -= length
        if size == _LONGEST_CODE:
            found[index] = 0x8000
        elif size:
            held -= size
            value = window >> held & ((1 << size) - 1)
            found[index] = value if value >> (size - 1) else value - (1 << size) + 1
        else:
            found[index] = 0
    return found


# Segments --------------------------------------------------------------------------------------


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _segments(stream: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Marker, content and following position of each segment up to the first scan."""
    if stream[:2] != b"\xff\xd8":
        raise JpegError("SOI attendu", span=(0, 2))
    position = 2
    while True:
        while stream[position : position + 2] == b"\xff\xff":
            position += 1
        head = stream[position : position + 4]
        if len(head) < 4 or head[0] != 0xFF:
            raise JpegError("marqueur attendu", span=(position, position + 4))
        length = head[2] << 8 | head[3]
        content = stream[position + 4 : position + 2 + length]
        if length < 2 or len(content) != length - 2:
            raise JpegError("segment tronqué", span=(position, len(stream)))
        position += 2 + length
        if 0xC0 <= head[1] <= 0xCF and head[1] not in (_SOF3, _DHT, 0xC8, 0xCC):
            raise JpegError(f"procédé JPEG non lu : FF{head[1]:02X}")
        yield head[1], content, position
        if head[1] == _SOS:
            return


def _read_frame(content: bytes) -> tuple[int, int, int, tuple[int, ...]]:
    """Precision, rows, columns, component ids."""
    if len(content) < 6 or len(content) != 6 + 3 * content[5] or not 1 <= content[5] <= 4:
        raise JpegError("SOF3 illisible")
    precision, rows, columns, _ = struct.unpack(">BHHB", content[:6])
    factors = content[7::3]
    if not (2 <= precision <= 16 and rows and columns) or set(factors) != {0x11}:
        raise JpegError(f"SOF3 non lu : {rows} x {columns} sur {precision} bits")
    return precision, rows, columns, tuple(content[6::3])


def _read_scan(
    content: bytes, ids: tuple[int, ...], tables: dict[int, list[tuple[int, int]]]
) -> list[list[tuple[int, int]]]:
    """The table of each component."""
    if len(content) != 4 + 2 * len(ids) or content[0] != len(ids):
        raise JpegError("SOS illisible, ou plusieurs balayages")
    chosen, (selection, _, approximation) = content[1:-3], content[-3:]
    if selection != 1 or approximation & 0x0F:
        raise JpegError(f"prédicteur {selection} non lu")
    if tuple(chosen[::2]) != ids:
        raise JpegError("SOS nomme d'autres composantes")
    try:
        return [tables[which >> 4] for which in chosen[1::2]]
    except KeyError as missing:
        raise JpegError(f"table de Huffman {missing} absente") from None


def _read_tables(content: bytes) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Number and look-up of each table: `(category, length)` for every 16-bit window."""
    position = 0
    while position < len(content):
        counts = content[position + 1 : position + 17]
        total = sum(counts)
        values = content[position + 17 : position + 17 + total]
        if len(counts) < 16 or len(values) < total or any(v >= _CATEGORIES for v in values):
            raise JpegError("DHT illisible")
        look_up = [(0, 0)] * 0x10000
        for category, code, length in _codes(counts, values):
            if code >> length:
                raise JpegError("DHT illisible : trop de codes")
            first = code << (16 - length)
            span = 1 << (16 - length)
            look_up[first : first + span] = [(category, length)] * span
        yield content[position] & 0x0F, look_up
        position += 17 + total
