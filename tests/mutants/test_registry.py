"""Wrong boxes have names, say what they break, and start as a box does."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.campaign import not_claimed
from bench.gate import Pickle, check_features
from bench.profile import EMBEDDED
from features import FEATURES
from mutants.__main__ import USAGE, main
from mutants.registry import Mutant, UnknownMutant, catalogue, find, mutant
from spec.requirements import is_requirement

ALL = catalogue()
ROLES = ("source", "consumer")
TAGS = [frozenset(one.tags) for one in check_features(FEATURES)]
ALONE = [
    one
    for one in check_features(FEATURES)
    if len({*ROLES}.intersection(one.tags)) == 1
    and not not_claimed(EMBEDDED, frozenset(one.tags) & {*ROLES}, filter(is_requirement, one.tags))
]
"""The scenarios that one box plays by itself, among those that bind the reference, a proxy; the
others have their wrong box in tests/independent."""


def test_there_are_many_and_their_names_differ() -> None:
    assert {role: sum(one.role == role for one in ALL) >= 30 for role in ROLES} == {
        "source": True,
        "consumer": True,
    }
    assert len({one.name for one in ALL}) == len(ALL)
    assert len({one.breaks for one in ALL}) == len(ALL)


@pytest.mark.parametrize("wrong", ALL, ids=lambda one: one.name)
def test_a_scenario_is_there_to_catch_it(wrong: Mutant) -> None:
    assert any(wrong.role in tags and not tags.isdisjoint(wrong.requirements) for tags in TAGS)


@pytest.mark.parametrize("scenario", ALONE, ids=lambda one: one.scenario)
def test_a_wrong_box_is_there_for_each_scenario(scenario: Pickle) -> None:
    aimed = [
        one.name
        for one in ALL
        if one.role in scenario.tags and not {*scenario.tags}.isdisjoint(one.requirements)
    ]
    assert aimed


def test_every_requirement_of_a_consumer_is_broken_by_a_wrong_box() -> None:
    wanted = {
        tag
        for one in ALONE
        if "consumer" in one.tags
        for tag in one.tags
        # A row of the security catalogue has the boxes of the scenarios that carry it.
        if tag not in ("consumer", one.scenario) and not tag.startswith("KIT-SEC-")
    }
    broken = {name for one in ALL if one.role == "consumer" for name in one.requirements}
    assert {name for name in broken if not name.startswith("KIT-SEC-")} == wanted


@pytest.mark.parametrize("wrong", ALL, ids=lambda one: one.name)
def test_what_it_breaks_is_one_french_sentence(wrong: Mutant) -> None:
    assert wrong.breaks.endswith(".")
    assert "\n" not in wrong.breaks


def test_declares() -> None:
    wrong = find("vihf-sans-signature")
    assert wrong.declares(("DB.SO.19",))
    assert wrong.declares(("DB.SO.33", "KIT-REPRISE"))
    assert not wrong.declares(("DB.SO.33",))


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(UnknownMutant, match="sans-acquittement"):
        find("parfaite")


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="sans-acquittement"):
        mutant("sans-acquittement", breaks="Rien.", requirements=("DB.SO.03",))


@pytest.mark.parametrize("requirements", [(), ("DB.SO.999999",)])
def test_requirements_are_those_of_the_catalogue(requirements: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="une-de-plus"):
        mutant("une-de-plus", breaks="Rien.", requirements=requirements)


def test_the_command_refuses_what_it_does_not_know(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--config", str(tmp_path / "absent.toml"), "--ready", str(tmp_path / "ready.json")]
    assert main(["parfaite", *files]) == USAGE
    assert "parfaite" in capsys.readouterr().err
    assert main(["sans-acquittement", *files]) == USAGE
    assert "absent.toml" in capsys.readouterr().err
    assert main(["sans-acquittement"]) == USAGE
