"""The forms in which values compare."""

from __future__ import annotations

import pytest

from validators.cross import forms


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("20261121093000+0100", "20261121083000"),
        ("202611210930+0100", "20261121083000"),
        ("20261231233000-0500", "20270101043000"),
        ("20261121093000.12+0000", "20261121093000"),
        ("20261121093000", ""),
        ("20261121", ""),
        ("20261321093000+0100", ""),
        ("00010101000000+9900", ""),
        ("", ""),
    ],
)
def test_moments(written: str, utc: str) -> None:
    assert forms.moment(written) == utc


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("1750803447", "750803447"),
        ("750803447", "750803447"),
        ("310123555000012", "10123555000012"),
        ("101235555", "101235555"),
        ("101235555/UF12", "101235555"),
        ("XXXXXXXXX", ""),
        ("", ""),
    ],
)
def test_structures(written: str, known: str) -> None:
    assert forms.structure(written) == known


def test_an_institution_of_another_authority_is_no_structure() -> None:
    known = "CENTRE^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1750803447"
    assert forms.institution_id(known) == "750803447"
    assert forms.institution_id(known.replace("71.4.2.2", "999")) == ""
    assert forms.institution_id("Centre^^^^^^^^^101235555") == "101235555"
    assert forms.institution_id("Centre") == ""


def test_names_dates_and_sex() -> None:
    assert forms.fold("  d'Arc-Élie   zoé ") == "D'ARC-ELIE ZOE"
    assert forms.used_name("", "") == forms.ABSENT
    assert forms.used_name("Lou", "") == "LOU^"
    assert forms.day("19790328120000") == "19790328"
    assert forms.day("1979") == ""
    assert [forms.gender(value) for value in ("F", "M", "U", "UN", "O", "")] == [
        "F", "M", "", "", "", "",
    ]  # fmt: skip
