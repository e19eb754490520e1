"""What a profile does not claim is left out, whole scenarios at once."""

from __future__ import annotations

from bench.campaign import not_claimed
from bench.profile import EMBEDDED, Claims

SOURCE = frozenset({"source"})
BY_IOCM = EMBEDDED.model_copy(update={"claims": Claims(omi=False)})


def test_who_is_told_by_iocm_alone_is_not_asked_for_omi() -> None:
    assert "claims.omi" in not_claimed(BY_IOCM, SOURCE, ["KIT-OMI"])
    assert not not_claimed(BY_IOCM, SOURCE, ["DB.SO.26"])
    assert not not_claimed(EMBEDDED, SOURCE, ["KIT-OMI"])


def test_nobody_tells_a_native_product_of_its_own_pacs() -> None:
    native = EMBEDDED.model_copy(update={"claims": Claims(mode="native", omi=False)})
    for requirements in (["KIT-OMI"], ["DB.SO.25", "DB.SO.26"]):
        assert "produit native" in not_claimed(native, SOURCE, requirements)
