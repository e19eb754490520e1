"""The catalogue holds the official numbering, whole and without addition."""

from __future__ import annotations

import re

import pytest

from spec.grade import Grade
from spec.requirements import (
    CATALOGUE,
    Requirement,
    Status,
    Verification,
    counted,
    is_requirement,
    resolve,
)


def test_249_official_ids() -> None:
    assert len(counted()) == 249
    assert not [one.id for one in counted() if one.id.startswith("KIT-")]


def test_every_family_has_its_number() -> None:
    families = [one.family for one in counted() if one.status is not Status.OBSOLETE]
    draft_tables = {"DB/SO": 51, "DB/CO": 37, "DB/CS": 9, "DB/RIS": 16, "SSI/GEN": 21}
    assert {family: families.count(family) for family in draft_tables} == draft_tables


def test_ten_obsolete_and_six_without_text() -> None:
    by_status = [one.status for one in counted()]
    assert by_status.count(Status.OBSOLETE) == 10
    unknown = {one.id for one in counted() if one.status is Status.NOT_PUBLIC}
    assert {"DB.SO.104", "DB.SO.105", "DMP/UX.07", "DMP/UX.14", "DMP/UX.49"} <= unknown


@pytest.mark.parametrize("one", CATALOGUE.values(), ids=lambda one: one.id)
def test_row_is_complete(one: Requirement) -> None:
    assert one.level in ("DOIT", "PEUT")
    assert one.text.endswith(".")
    assert one.actor
    assert one.source
    assert one.family
    assert bool(one.reason) == (one.verification is not Verification.AUTOMATIC)
    assert bool(one.override) == bool(one.override_source)
    for proof in one.proofs:
        assert proof.kind
        assert re.fullmatch(r"[A-Z_/]+(\.\d\d)+", proof.id), proof.id
        assert proof.id.rsplit(".", 1)[0] in one.steps or proof.id in one.steps
    assert len(set(one.steps)) == len(one.steps)


def test_no_text_is_invented_where_none_is_public() -> None:
    for id in ("DB.SO.104", "DB.SO.105"):
        assert CATALOGUE[id].verification is Verification.NONE
        assert CATALOGUE[id].grade is Grade.INFERRED


def test_the_faq_overrides_the_draft() -> None:
    assert CATALOGUE["DB.SO.106"].override == "Non applicable au REM DRIM-M"
    assert CATALOGUE["DB.SO.106"].status is Status.NOT_APPLICABLE
    assert "2.10" in CATALOGUE["DMP/AIRS.03"].override


@pytest.mark.parametrize(
    ("spelling", "id"),
    [
        ("DB/SO.12", "DB.SO.12"),
        ("DB.SO.12", "DB.SO.12"),
        ("@DB.SO.12", "DB.SO.12"),
        (" db.so.12 ", "DB.SO.12"),
        ("DB.VI-SO.07", "DB.VI_SO.07"),
        ("DB/VI_SO.07", "DB.VI_SO.07"),
        ("DB.VI_SO.33", "DB.VI-SO.33"),
        ("DB.RIS.08", "DB/RIS.08"),
        ("DB.CO.51", "DB/CO.51"),
        ("DB.DMP/UX.07", "DMP/UX.07"),
        ("DB/VI-CO.03", "DB.VI-CO.41"),
        ("DB/VI-CO.30", "DB.VI-CO.42"),
        ("DB/VI-CS.27", "DB.VI-CO.27"),
        ("INS/VA1.36", "INS/va1.36"),
        ("RG-2230", "RG_2230"),
    ],
)
def test_spellings_resolve_to_one_id(spelling: str, id: str) -> None:
    found = resolve(spelling)
    assert found is not None
    assert found.id == id


@pytest.mark.parametrize("text", ["", "DB.SO", "DB.SO.999", "DB.FONC.01", "nul\0"])
def test_what_is_no_requirement_resolves_to_nothing(text: str) -> None:
    assert resolve(text) is None


def test_every_id_resolves_to_itself() -> None:
    for id in CATALOGUE:
        found = resolve(id)
        assert found is not None
        assert found.id == id


def test_a_tag_must_be_verbatim() -> None:
    assert is_requirement("DB.SO.12")
    assert not is_requirement("DB/SO.12")
