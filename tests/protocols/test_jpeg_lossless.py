"""JPEG lossless: every sample comes back, hostile streams are refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from protocols.errors import LocalProtocolError
from protocols.jpeg_lossless import JpegError, decode, encode


@st.composite
def images(draw: st.DrawFn) -> tuple[NDArray[np.uint16], int]:
    """Random shapes and depths: noise, ramps and extremes."""
    rows, columns = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    components, precision = draw(st.sampled_from((1, 3))), draw(st.integers(2, 16))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    high = (1 << precision) - 1
    kind = draw(st.sampled_from(("noise", "flat", "extremes")))
    shape = (rows, columns, components)
    if kind == "noise":
        samples = generator.integers(0, high + 1, shape)
    elif kind == "flat":
        samples = np.full(shape, draw(st.integers(0, high)))
    else:
        samples = generator.integers(0, 2, shape) * high
    return samples.astype(np.uint16), precision


@given(images())
def test_what_is_encoded_comes_back_exactly(image: tuple[NDArray[np.uint16], int]) -> None:
    samples, precision = image
    again, read = decode(encode(samples, precision=precision))
    assert read == precision
    assert np.array_equal(again, samples)


def test_a_difference_of_half_the_range_has_no_bits_of_its_own() -> None:
    samples = np.array([[[0x8000], [0x0000], [0x8000], [0xFFFF]]], dtype=np.uint16)
    again, _ = decode(encode(samples, precision=16))
    assert np.array_equal(again, samples)


def test_an_image_larger_than_a_block_of_the_encoder() -> None:
    samples = np.random.default_rng(5).integers(0, 4096, (300, 301, 1)).astype(np.uint16)
    again, _ = decode(encode(samples, precision=12))
    assert np.array_equal(again, samples)


def test_codes_stay_within_sixteen_bits() -> None:
    """Categories whose frequencies grow as Fibonacci's numbers ask for longer ones."""
    values: list[int] = []
    small, large = 1, 1
    for category in range(16, -1, -1):
        values += [(1 << category) - 1 if category < 16 else 0x7FFF] * min(small, 4000)
        small, large = large, small + large
    walk = np.cumsum(np.array(values, dtype=np.int64)) & 0xFFFF
    samples = walk.astype(np.uint16).reshape(1, -1, 1)
    again, _ = decode(encode(samples, precision=16))
    assert np.array_equal(again, samples)


@pytest.mark.parametrize(
    ("shape", "precision", "value"),
    [((2, 2), 8, 0), ((1, 1, 5), 8, 0), ((1, 1, 1), 1, 0), ((1, 1, 1), 17, 0), ((1, 1, 1), 8, 256)],
)
def test_what_jpeg_cannot_say_is_refused(
    shape: tuple[int, ...], precision: int, value: int
) -> None:
    with pytest.raises(LocalProtocolError):
        encode(np.full(shape, value, dtype=np.uint16), precision=precision)


@given(st.binary(max_size=200))
def test_hostile_streams_are_refused_by_name(data: bytes) -> None:
    with pytest.raises(JpegError):
        decode(b"\xff\xd8" + data)


@given(st.data())
def test_a_damaged_stream_is_read_or_refused(data: st.DataObject) -> None:
    good = bytearray(encode(np.arange(48, dtype=np.uint16).reshape(6, 8, 1), precision=8))
    place = data.draw(st.integers(0, len(good) - 1))
    good[place] ^= data.draw(st.integers(1, 255))
    try:
        samples, _ = decode(bytes(good))
    except JpegError:
        return
    assert samples.ndim == 3
