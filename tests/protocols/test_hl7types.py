"""HL7 data types of XDS metadata."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.hl7types import CX, HD, XCN, XON, CXi, DataTypeError, PatientInfo

text = st.text(st.sampled_from("AB1.^&~|\\é' "), max_size=8)
word = st.text(st.sampled_from("AB1.^&~|\\é'"), min_size=1, max_size=8)
authority = st.one_of(st.none(), st.builds(HD, word, text, text))


@given(st.builds(CX, word, authority, text, text))
def test_cx_roundtrip(value: CX) -> None:
    assert CX.parse(str(value)) == value


@given(st.builds(CXi, word, authority, text, text))
def test_cxi_roundtrip(value: CXi) -> None:
    assert CXi.parse(str(value)) == value


@given(
    st.builds(
        XCN,
        id=word,
        family=text,
        given=text,
        second=text,
        suffix=text,
        prefix=text,
        authority=authority,
        name_type=text,
        id_type=text,
    )
)
def test_xcn_roundtrip(value: XCN) -> None:
    assert XCN.parse(str(value)) == value


@given(st.builds(XON, name=word, authority=authority, id_type=text, id=text))
def test_xon_roundtrip(value: XON) -> None:
    assert XON.parse(str(value)) == value


@given(st.text(max_size=40))
def test_hostile_values_only_raise_data_type_error(value: str) -> None:
    for kind in (CX, CXi, XCN, XON, HD):
        with contextlib.suppress(DataTypeError):
            kind.parse(value)
    with contextlib.suppress(DataTypeError):
        PatientInfo.parse([value])


def test_forms_of_the_field() -> None:
    ins = CX.parse("279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH")
    assert ins == CX("279035121518989", HD("1.2.250.1.213.1.4.10"), "NH")
    assert CX.parse("2^^^&1.2&ISO^NH^^20100907").effective_date == "20100907"
    person = "899700367909^DOC0036790^KIT^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
    assert XCN.parse(person).id_type == "IDNPS"
    assert str(XCN.parse(person)) == person
    structure = "BCOM^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^499700367909006"
    assert XON.parse(structure).id == "499700367909006"
    assert str(XON.parse(structure)) == structure
    study = "1.2.3^^^^urn:ihe:iti:xds:2016:studyInstanceUID"
    assert CXi.parse(study).authority is None
    assert str(CXi.parse(study)) == study


def test_patient_info() -> None:
    values = ("PID-5|PAT-TROIS^DOMINIQUE^^^^^L", "PID-5|X", "PID-7|19790328")
    info = PatientInfo.parse(values)
    assert info.all("PID-5") == ("PAT-TROIS^DOMINIQUE^^^^^L", "X")
    assert info.values() == values
    with pytest.raises(DataTypeError):
        PatientInfo.parse(["PID5|x"])


@pytest.mark.parametrize("value", ["", "^^^&1.2&ISO", "1^^^a&b&c&d"])
def test_a_cx_needs_an_id_and_a_sane_authority(value: str) -> None:
    with pytest.raises(DataTypeError):
        CX.parse(value)
