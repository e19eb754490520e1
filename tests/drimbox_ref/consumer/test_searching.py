"""The search form: what is read of it, what is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drimbox_ref.consumer.searching import SearchRefused, read_search
from drimbox_ref.consumer.values import Search


def test_an_empty_form_sets_no_limit() -> None:
    assert read_search({"criteria": ["form"]}) == Search()


def test_every_field_is_read() -> None:
    found = read_search(
        {
            "modality": ["CT", "MR", "CT"],
            "region": ["67734004"],
            "from": ["2024-02-29"],
            "to": ["31/12/2025"],
            "accession": [" ACC-1 "],
            "issuer": ["1.2.250.1.999"],
        }
    )
    assert found == Search(
        modalities=("CT", "MR"),
        regions=("67734004",),
        date_from="20240229",
        date_to="20251231",
        accession="ACC-1",
        accession_issuer="1.2.250.1.999",
    )


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("modality", "KO", "Modalité"),
        ("region", "1", "Région"),
        ("from", "2023-02-29", "Date de début"),
        ("to", "hier", "Date de fin"),
        ("accession", "A" * 17, "accession"),
        ("accession", "A\\B", "accession"),
        ("issuer", "1" * 200, "Autorité"),
    ],
)
def test_what_cannot_be_searched_for_is_named(field: str, value: str, named: str) -> None:
    with pytest.raises(SearchRefused) as caught:
        read_search({field: [value]})
    assert named in caught.value.problems[0]


def test_an_interval_turned_round_is_refused() -> None:
    with pytest.raises(SearchRefused, match="début est après la fin"):
        read_search({"from": ["2025-01-02"], "to": ["2025-01-01"]})


@given(
    st.dictionaries(
        st.sampled_from(["modality", "region", "from", "to", "accession", "issuer"]),
        st.lists(st.text(max_size=40), max_size=3),
    )
)
def test_no_form_breaks_the_reading(fields: dict[str, list[str]]) -> None:
    with contextlib.suppress(SearchRefused):
        found = read_search(fields)
        assert len(found.accession) <= 16
        assert all(not day or len(day) == 8 for day in (found.date_from, found.date_to))
