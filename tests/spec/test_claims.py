"""What a claim leaves out is data, and each omission has a reason and a source."""

from spec.claims import inapplicable
from spec.requirements import CATALOGUE


def test_a_native_product_has_no_pacs_to_ask() -> None:
    left_out = inapplicable("native")
    assert {"DB.SO.14", "DB.SO.25", "DB.SO.26", "DB.CS.05"} <= left_out.keys()
    assert "DB.SO.27" not in left_out
    assert {CATALOGUE[id].profile for id in left_out} == {"proxy"}


def test_a_proxy_hears_of_changes_by_iocm() -> None:
    assert set(inapplicable("proxy")) == {"DB.SO.27"}


def test_every_omission_says_why_and_where_that_is_written() -> None:
    for mode in ("proxy", "native"):
        for id, why in inapplicable(mode).items():
            assert why.startswith(f"produit {mode} : ")
            assert CATALOGUE[id].source in why
