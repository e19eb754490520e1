"""The coverage gate: no orphan tag, no stale row, nothing once verified is lost."""

from __future__ import annotations

import tomllib

from drimbench.coverage import Coverage, Ratchet, faults, measure, read_ratchet, record
from spec.requirements import CATALOGUE

NOTHING = Ratchet(frozenset(), frozenset())
SOME = {id: CATALOGUE[id] for id in ("DB.SO.12", "DB.SO.24", "DB.SO.104", "DB/CO.51", "DB/RIS.01")}


def coverage(*tags: str, rules: tuple[str, ...] = ()) -> Coverage:
    return Coverage({"SCN-X-01": frozenset(tags)}, {"KOS-001": frozenset(rules)})


def test_the_gate_holds() -> None:
    assert faults(measure(), read_ratchet()) == ()


def test_the_ratchet_names_what_exists() -> None:
    ratchet = read_ratchet()
    assert len(ratchet.scenarios) >= 40
    assert len(ratchet.requirements) >= 50
    assert ratchet.requirements <= CATALOGUE.keys()


def test_orphan_tag_is_told_its_id() -> None:
    (fault,) = faults(coverage("DB.SO.12", "DB/SO.24"), NOTHING, SOME)
    assert "DB/SO.24 (SCN-X-01)" in fault
    assert "écrire DB.SO.24" in fault


def test_orphan_of_a_rule() -> None:
    (fault,) = faults(coverage("DB.SO.12", rules=("XX.01",)), NOTHING, SOME)
    assert fault == "XX.01 (KOS-001) : étiquette sans exigence"


def test_stale_row() -> None:
    (fault,) = faults(coverage(), NOTHING, SOME)
    assert fault.startswith("DB.SO.12 : vérification automatique annoncée")


def test_a_rule_is_enough() -> None:
    assert faults(coverage(rules=("DB.SO.12",)), NOTHING, SOME) == ()


def test_requirement_without_demand_may_not_be_cited() -> None:
    told = faults(coverage("DB.SO.12", "DB/CO.51", "DB.SO.104", "DB/RIS.01"), NOTHING, SOME)
    assert [fault.split(" ")[0] for fault in told] == ["DB.SO.104", "DB/CO.51"]


def test_vanished_scenario_and_requirement() -> None:
    ratchet = Ratchet(frozenset({"SCN-X-01", "SCN-X-02"}), frozenset({"DB.SO.12", "DB.SO.24"}))
    assert faults(coverage("DB.SO.12"), ratchet, SOME) == (
        "SCN-X-02 : scénario disparu",
        "DB.SO.24 : exigence qui n'est plus vérifiée",
    )


def test_the_ratchet_only_goes_up() -> None:
    old = Ratchet(frozenset({"SCN-X-02"}), frozenset({"DB.SO.24"}))
    table = tomllib.loads(record(coverage("DB.SO.12"), old))
    assert table == {
        "scenarios": ["SCN-X-01", "SCN-X-02"],
        "requirements": ["DB.SO.12", "DB.SO.24"],
    }
