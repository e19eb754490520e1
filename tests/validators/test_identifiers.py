"""The judge's reading of a professional's identifier."""

from __future__ import annotations

import pytest

from validators.identifiers import is_professional_id


@pytest.mark.parametrize(
    "text",
    ["10001234567", "810001234567", "899700367909", "0012345678", "499700366240007/CPAT00045"],
)
def test_rpps_adeli_and_a_structures_own_id(text: str) -> None:
    assert is_professional_id(text)


@pytest.mark.parametrize("text", ["", "KIT", "1000123456", "8100012345678", "499700366240007/"])
def test_anything_else(text: str) -> None:
    assert not is_professional_id(text)
