"""Data sets as bytes: files, edited headers, VR conversion, JSON."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from protocols.dicom import (
    DicomSyntaxError,
    build_part10,
    bulk_value,
    encode_element,
    encode_sequence,
    explicit_from_implicit,
    header_end,
    implicit_from_explicit,
    is_uid,
    read_texts,
    read_values,
    replace_elements,
    split_part10,
    to_json,
    walk,
)
from protocols.errors import LocalProtocolError, RemoteProtocolError

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"

LITTLE_ENDIAN_FILES = [
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "examples_rgb_color.dcm",
    "nested_priv_SQ.dcm",
    "reportsi.dcm",
    "rtplan.dcm",
    "rtdose.dcm",
    "liver_1frame.dcm",
    "waveform_ecg.dcm",
]


def read(dataset: bytes, transfer_syntax: str) -> Dataset:
    return pydicom.dcmread(
        io.BytesIO(
            build_part10(
                sop_class="1.2.3", sop_instance="1.2.4",
                transfer_syntax=transfer_syntax, dataset=dataset,
            )
        )
    )  # fmt: skip


@pytest.mark.parametrize("name", LITTLE_ENDIAN_FILES)
def test_split_agrees_with_pydicom(name: str) -> None:
    data = (FILES / name).read_bytes()
    file = split_part10(data)
    meta = pydicom.dcmread(FILES / name).file_meta
    assert file.transfer_syntax == meta.TransferSyntaxUID
    assert file.sop_class == meta.MediaStorageSOPClassUID
    assert file.sop_instance == meta.MediaStorageSOPInstanceUID
    assert data.endswith(file.dataset)


@pytest.mark.parametrize("name", LITTLE_ENDIAN_FILES)
def test_walk_sees_the_elements_that_pydicom_sees(name: str) -> None:
    file = split_part10((FILES / name).read_bytes())
    seen = [e.tag for e in walk(file.dataset, implicit=file.transfer_syntax == IMPLICIT)]
    expected = [int(e.tag) for e in pydicom.dcmread(FILES / name)]
    # pydicom drops group lengths.
    assert [tag for tag in seen if tag & 0xFFFF] == [tag for tag in expected if tag & 0xFFFF]


def test_a_file_without_prefix_or_transfer_syntax_is_refused() -> None:
    with pytest.raises(DicomSyntaxError, match="DICM"):
        split_part10(bytes(200))
    with pytest.raises(DicomSyntaxError, match="Transfer Syntax"):
        split_part10(bytes(128) + b"DICM")
    with pytest.raises(DicomSyntaxError, match="tronquée"):
        split_part10(bytes(128) + b"DICM\x02\x00\x10\x00UI\xff\x00" + b"1.2")


def test_header_end_is_where_the_pixels_begin() -> None:
    file = split_part10((FILES / "CT_small.dcm").read_bytes())
    end = header_end(file.dataset, transfer_syntax=EXPLICIT)
    assert end is not None
    assert file.dataset[end : end + 4] == b"\xe0\x7f\x10\x00"
    for cut in (0, 1, end // 2, end):
        assert header_end(file.dataset[:cut], transfer_syntax=EXPLICIT, complete=False) is None
    assert header_end(file.dataset[: end + 12], transfer_syntax=EXPLICIT, complete=False) == end
    report = split_part10((FILES / "reportsi.dcm").read_bytes())
    assert header_end(report.dataset, transfer_syntax=EXPLICIT) == len(report.dataset)
    with pytest.raises(DicomSyntaxError):
        header_end(report.dataset[:-3], transfer_syntax=EXPLICIT)


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_implicit.dcm", "rtplan.dcm"])
def test_replacing_touches_nothing_else(name: str) -> None:
    file = split_part10((FILES / name).read_bytes())
    implicit = file.transfer_syntax == IMPLICIT
    item = encode_element(0x00100020, "LO", b"279035121518989", implicit=implicit)
    edited = replace_elements(
        file.dataset,
        transfer_syntax=file.transfer_syntax,
        elements={
            0x00100020: encode_element(0x00100020, "LO", b"IPP-1", implicit=implicit),
            0x00101002: encode_sequence(0x00101002, [item], implicit=implicit),
            0x00080050: None,
        },
    )
    before, after = read(file.dataset, file.transfer_syntax), read(edited, file.transfer_syntax)
    assert after.PatientID == "IPP-1"
    assert after.OtherPatientIDsSequence[0].PatientID == "279035121518989"
    assert "AccessionNumber" not in after
    tags = [element.tag for element in walk(edited, implicit=implicit)]
    assert tags == sorted(tags)
    for dataset in (before, after):
        for keyword in ("PatientID", "OtherPatientIDsSequence", "AccessionNumber"):
            if keyword in dataset:
                del dataset[keyword]
    assert before == after
    end = header_end(edited, transfer_syntax=file.transfer_syntax)
    original = header_end(file.dataset, transfer_syntax=file.transfer_syntax)
    assert edited[end:] == file.dataset[original:]
    same = replace_elements(file.dataset, transfer_syntax=file.transfer_syntax, elements={})
    assert same == file.dataset


def test_replacing_in_a_header_whose_pixels_are_still_to_come() -> None:
    file = split_part10((FILES / "CT_small.dcm").read_bytes())
    end = header_end(file.dataset, transfer_syntax=EXPLICIT)
    element = encode_element(0x00100020, "LO", b"X", implicit=False)
    header = replace_elements(
        file.dataset[:end], transfer_syntax=EXPLICIT, elements={0x00100020: element}
    )
    whole = replace_elements(file.dataset, transfer_syntax=EXPLICIT, elements={0x00100020: element})
    assert header + file.dataset[end:] == whole


def test_a_group_length_made_wrong_is_removed() -> None:
    group_length = encode_element(0x00100000, "UL", (18).to_bytes(4, "little"), implicit=False)
    name = encode_element(0x00100010, "PN", b"DOE", implicit=False)
    edited = replace_elements(
        group_length + name,
        transfer_syntax=EXPLICIT,
        elements={0x00100020: encode_element(0x00100020, "LO", b"1", implicit=False)},
    )
    assert [element.tag for element in walk(edited, implicit=False)] == [0x00100010, 0x00100020]


@pytest.mark.parametrize("name", ["MR_small_implicit.dcm", "rtplan.dcm", "rtdose.dcm",
                                  "SC_rgb_jpeg_dcmd.dcm"])  # fmt: skip
def test_implicit_becomes_explicit_with_the_same_values(name: str) -> None:
    file = split_part10((FILES / name).read_bytes())
    assert file.transfer_syntax == IMPLICIT
    converted = explicit_from_implicit(file.dataset)
    before, after = read(file.dataset, IMPLICIT), read(converted, EXPLICIT)
    assert {int(e.tag) for e in before if e.tag.element} == {int(e.tag) for e in after}
    for element in after:
        if element.VR not in ("SQ", "OW", "OB", "UN"):
            assert element.value == before[element.tag].value
    if "PixelData" in before:
        assert after.PixelData == before.PixelData
        assert after["PixelData"].VR == "OW"
    back = implicit_from_explicit(converted)
    assert read(back, IMPLICIT) == before


def test_signed_values_follow_pixel_representation() -> None:
    for representation, vr in ((b"\0\0", b"US"), (b"\1\0", b"SS")):
        dataset = encode_element(0x00280103, "US", representation, implicit=True)
        dataset += encode_element(0x00280106, "US", b"\xff\xff", implicit=True)
        element = list(walk(explicit_from_implicit(dataset), implicit=False))[-1]
        assert (element.tag, element.vr) == (0x00280106, vr)


def test_private_and_oversized_elements_become_un() -> None:
    dataset = encode_element(0x00091001, "UN", b"secret", implicit=True)
    dataset += encode_element(0x00104000, "LT", b"x" * 70_000, implicit=True)
    converted = explicit_from_implicit(dataset)
    assert [(e.vr, e.length) for e in walk(converted, implicit=False)] == [
        (b"UN", 6),
        (b"UN", 70_000),
    ]


def test_undefined_lengths_survive_conversion() -> None:
    inner = encode_element(0x00100020, "LO", b"1234", implicit=True)
    dataset = (
        b"\x10\x00\x02\x10\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
        + inner
        + b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    )
    converted = explicit_from_implicit(dataset)
    assert read(converted, EXPLICIT).OtherPatientIDsSequence[0].PatientID == "1234"
    assert implicit_from_explicit(converted) == dataset


def test_encapsulated_pixels_have_no_implicit_form() -> None:
    file = split_part10((FILES / "MR_small_jpeg_ls_lossless.dcm").read_bytes())
    with pytest.raises(DicomSyntaxError, match="encapsulées"):
        implicit_from_explicit(file.dataset)


def test_reading_texts_and_values() -> None:
    file = split_part10((FILES / "CT_small.dcm").read_bytes())
    tags = {0x0020000D, 0x00100010, 0x00101002}
    texts = read_texts(file.dataset, transfer_syntax=EXPLICIT, tags=tags)
    expected = pydicom.dcmread(FILES / "CT_small.dcm")
    assert texts[0x0020000D] == expected.StudyInstanceUID
    assert texts[0x00100010] == str(expected.PatientName)
    values = read_values(file.dataset[:1024], transfer_syntax=EXPLICIT, tags={0x00080060})
    assert values == {0x00080060: b"CT"}


def test_json_agrees_with_pydicom() -> None:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = "ÉTÉ^ANNE"
    dataset.StudyInstanceUID = "1.2.3"
    dataset.ModalitiesInStudy = ["CT", "KO"]
    dataset.Rows = 512
    dataset.AccessionNumber = ""
    issuer = Dataset()
    issuer.UniversalEntityID = "1.2.250.1"
    dataset.IssuerOfAccessionNumberSequence = [issuer]
    for implicit in (True, False):
        buffer = pydicom.filebase.DicomBytesIO()
        buffer.is_little_endian, buffer.is_implicit_VR = True, implicit
        pydicom.filewriter.write_dataset(buffer, dataset)
        syntax = IMPLICIT if implicit else EXPLICIT
        assert to_json(buffer.parent.getvalue(), transfer_syntax=syntax) == dataset.to_json_dict()


def test_json_says_where_long_values_are() -> None:
    dataset = Dataset()
    dataset.PixelSpacing = ["0.50", "1e1"]
    dataset.InstanceNumber = "7"
    dataset.RedPaletteColorLookupTableData = bytes(range(256)) * 8
    item = Dataset()
    item.add_new(0x54000110, "OB", b"\1" * 2000)
    dataset.IconImageSequence = [Dataset(), item]
    for implicit in (True, False):
        buffer = pydicom.filebase.DicomBytesIO()
        buffer.is_little_endian, buffer.is_implicit_VR = True, implicit
        pydicom.filewriter.write_dataset(buffer, dataset)
        data, syntax = buffer.parent.getvalue(), IMPLICIT if implicit else EXPLICIT
        model = to_json(data, transfer_syntax=syntax, bulk="/b", numbers=True)
        assert model["00280030"]["Value"] == [0.5, 10.0]
        assert model["00200013"]["Value"] == [7]
        palette = model["00281201"]["BulkDataURI"]
        nested = model["00880200"]["Value"][1]["54000110"]["BulkDataURI"]
        assert (palette, nested) == ("/b/00281201", "/b/00880200/2/54000110")
        for uri, value in ((palette, bytes(range(256)) * 8), (nested, b"\1" * 2000)):
            path = uri.removeprefix("/b/")
            assert bulk_value(data, path, transfer_syntax=syntax) == value
        for path in ("00281202", "00880200/3/54000110", "00880200/2", "00880200/x/54000110", ""):
            assert bulk_value(data, path, transfer_syntax=syntax) is None


@pytest.mark.parametrize(
    ("uid", "legal"),
    [("1.2.840", True), ("2.25.0", True), ("1.02", False), ("1", False), ("1..2", False),
     ("", False), ("1.2\n", False), ("1." * 32 + "1", False), ("1." * 31 + "11", True)],
)  # fmt: skip
def test_uids(uid: str, legal: bool) -> None:
    assert is_uid(uid) is legal


def test_big_endian_is_refused_by_name() -> None:
    file = split_part10((FILES / "MR_small_bigendian.dcm").read_bytes())
    with pytest.raises(DicomSyntaxError, match=r"1\.2\.840\.10008\.1\.2\.2"):
        header_end(file.dataset, transfer_syntax=file.transfer_syntax)


def test_our_own_mistakes_are_ours() -> None:
    with pytest.raises(LocalProtocolError):
        build_part10(sop_class="x", sop_instance="1.2", transfer_syntax=EXPLICIT, dataset=b"")
    with pytest.raises(LocalProtocolError):
        encode_element(0x00100010, "PN", bytes(70_000), implicit=False)


ITEM = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
NESTED = b"\x10\x00\x02\x10SQ\0\0\xff\xff\xff\xff" + ITEM


def test_endless_nesting_is_refused() -> None:
    with pytest.raises(DicomSyntaxError):
        list(walk(NESTED * 5000, implicit=False))


hostile = st.binary(max_size=300) | st.lists(
    st.sampled_from(
        [ITEM, NESTED, b"\x10\x00\x02\x10\xff\xff\xff\xff", b"\xfe\xff\xdd\xe0\0\0\0\0",
         b"\xfe\xff\x0d\xe0\0\0\0\0",
         b"\x08\x00\x05\x00CS\x04\x00GBK ", b"\x10\x00\x10\x00PN\x02\0A "]
    ),
    max_size=30,
).map(b"".join)  # fmt: skip


@settings(max_examples=200)
@given(hostile, st.sampled_from([EXPLICIT, IMPLICIT]))
def test_hostile_bytes_never_raise_anything_else(data: bytes, syntax: str) -> None:
    for attempt in (
        lambda: split_part10(bytes(128) + b"DICM" + data),
        lambda: header_end(data, transfer_syntax=syntax),
        lambda: header_end(data, transfer_syntax=syntax, complete=False),
        lambda: replace_elements(data, transfer_syntax=syntax, elements={0x00100020: b""}),
        lambda: read_texts(data, transfer_syntax=syntax, tags={0x00100020}),
        lambda: to_json(data, transfer_syntax=syntax, bulk="/b", numbers=True),
        lambda: bulk_value(data, "10020010/1/00100020", transfer_syntax=syntax),
        lambda: explicit_from_implicit(data),
        lambda: implicit_from_explicit(data),
    ):
        with contextlib.suppress(RemoteProtocolError):
            attempt()


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.sampled_from([0x00080050, 0x00100010, 0x00100020, 0x00104000, 0x0020000D, 0x00081190]),
        st.text("ABC123^ ", max_size=20).map(str.strip),
    ),
    st.sampled_from([EXPLICIT, IMPLICIT]),
)
def test_elements_round_trip(values: dict[int, str], syntax: str) -> None:
    implicit = syntax == IMPLICIT
    vrs = {0x0020000D: "UI", 0x00081190: "UR"}
    data = b"".join(
        encode_element(tag, vrs.get(tag, "LO"), values[tag].encode(), implicit=implicit)
        for tag in sorted(values)
    )
    assert read_texts(data, transfer_syntax=syntax, tags=set(values)) == values
    assert len(data) % 2 == 0
