"""What a user asks for, and what is said of a word that names nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.campaign import Options, selected_by
from bench.gate import SECURITY, Pickle, check_features
from bench.selection import SelectionError, select
from features import FEATURES


def pickle(id: str, *tags: str, domain: str = "images") -> Pickle:
    return Pickle(Path(f"features/{domain}/f.feature"), 1, id, (id, *tags))


SOME = (
    pickle("SCN-A", "DB.SO.12", "source"),
    pickle("SCN-B", "DB.SO.33", "source", domain="publication"),
    pickle("SCN-C", "DB.CO.60", "consumer", "lent"),
)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), {"SCN-A", "SCN-B", "SCN-C"}),
        (("SCN-A",), {"SCN-A"}),
        (("@SCN-A", "SCN-C"), {"SCN-A", "SCN-C"}),
        (("DB/SO.12",), {"SCN-A"}),
        (("@DB.SO.33",), {"SCN-B"}),
        (("publication",), {"SCN-B"}),
        (("source",), {"SCN-A", "SCN-B"}),
        (("lent",), {"SCN-C"}),
    ],
)
def test_words(words: tuple[str, ...], found: set[str]) -> None:
    assert select(SOME, words) == found


def test_a_family_or_the_rows_of_an_outline() -> None:
    """Up to a hyphen: 01 is not the beginning of 010."""
    every = [pickle(id) for id in ("SCN-D-01-CT", "SCN-D-01-MR", "SCN-D-010", "SCN-DD-01")]
    assert select(every, ["SCN-D-01"]) == {"SCN-D-01-CT", "SCN-D-01-MR"}
    assert select(every, ["SCN-D"]) == {"SCN-D-01-CT", "SCN-D-01-MR", "SCN-D-010"}
    assert select(every, ["SCN-D-01-CT"]) == {"SCN-D-01-CT"}


def test_a_suite_is_words() -> None:
    suites = {"nuit": ("publication", "SCN-C")}
    assert select(SOME, (), suites=suites, suite="nuit") == {"SCN-B", "SCN-C"}
    assert select(SOME, ("SCN-A",), suites=suites, suite="nuit") == {"SCN-A", "SCN-B", "SCN-C"}
    with pytest.raises(
        SelectionError, match="celles-ci le sont : consumer, nuit, securite, socle, source"
    ):
        select(SOME, (), suites=suites, suite="jour")


def test_a_role_is_a_suite_unless_the_profile_says_another() -> None:
    assert select(SOME, (), suite="source") == {"SCN-A", "SCN-B"}
    assert select(SOME, (), suite="consumer") == {"SCN-C"}
    assert select(SOME, (), suites={"source": ("SCN-B",)}, suite="source") == {"SCN-B"}


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("publicatoin", "peut-être publication"),
        ("DB.SO.14", "ne porte l'exigence DB.SO.14"),
        ("xyz", "« xyz » ne nomme aucun scénario"),
    ],
)
def test_every_word_must_name_something(word: str, told: str) -> None:
    with pytest.raises(SelectionError, match=told):
        select(SOME, ("SCN-A", word))


def test_a_report_of_the_user_is_asked_for() -> None:
    ids = {one.scenario for one in check_features(FEATURES) if one.domain != SECURITY}
    usual = selected_by(Options(features=FEATURES, steps=()))
    (provided,) = ids - usual
    with pytest.raises(SelectionError, match="--report"):
        selected_by(Options(features=FEATURES, steps=(), only=(provided,)))
    given = Options(features=FEATURES, steps=(), report=Path("cr.xml"))
    assert selected_by(given) == {provided}


def test_an_attack_is_played_by_its_suite_and_not_by_its_role() -> None:
    attack = pickle("SCN-SEC-TLS-08", "KIT-SEC-TLS-08", "source", domain="securite")
    twin = pickle("SCN-D", "KIT-SEC-TLS-01", "source")
    every = (*SOME, attack, twin)
    assert select(every, (), suite="securite") == {"SCN-SEC-TLS-08", "SCN-D"}
    assert select(every, ("TLS-08",)) == {"SCN-SEC-TLS-08"}
    assert "SCN-SEC-TLS-08" not in select(every, ()) | select(every, ("source",))
