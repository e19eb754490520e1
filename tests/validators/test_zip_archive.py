"""ZIP archives are read without trusting them."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validators.zip_archive import MAX_MEMBERS, ZipSyntaxError, pack, unpack

FILES = {"a/b.txt": b"un", "c": bytes(1000)}


def test_round_trip_and_same_bytes() -> None:
    assert unpack(pack(FILES)) == FILES
    assert pack(FILES) == pack(dict(FILES))


def test_a_climbing_name_is_only_a_name() -> None:
    assert unpack(pack({"../../etc/passwd": b"x"})) == {"../../etc/passwd": b"x"}


def test_bombs_are_refused_before_they_inflate() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bombe", bytes(50_000_000))
    with pytest.raises(ZipSyntaxError, match="compression"):
        unpack(target.getvalue())


def test_a_lying_size_reads_no_more_than_declared() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", bytes(100_000))
    data = target.getvalue().replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with suppress(ZipSyntaxError):
        assert len(unpack(data)["x"]) <= 10


def test_too_many_members_are_refused() -> None:
    with pytest.raises(ZipSyntaxError, match="fichiers"):
        unpack(pack({str(n): b"" for n in range(MAX_MEMBERS + 1)}))


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(pack({"x": b"secret"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    with pytest.raises(ZipSyntaxError, match="chiffré"):
        unpack(bytes(data))


@settings(max_examples=300)
@given(at=st.integers(0, 2000), size=st.integers(0, 40), piece=st.binary(max_size=40))
def test_damaged_archives_raise_one_error(at: int, size: int, piece: bytes) -> None:
    data = pack(FILES)
    at %= len(data)
    with suppress(ZipSyntaxError):
        unpack(data[:at] + piece + data[at + size :])


@settings(max_examples=200)
@given(data=st.binary(max_size=300))
def test_any_bytes_raise_one_error(data: bytes) -> None:
    with suppress(ZipSyntaxError):
        unpack(b"PK\x03\x04" + data)
