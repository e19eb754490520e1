"""Every rule passes its good example, fires on its bad one, and says where it comes from."""

from __future__ import annotations

import re

import pytest

from spec.requirements import is_requirement
from validators.api import KINDS, Kind, guess, rules, validate
from validators.finding import Severity
from validators.rule import Rule

EVERY = [
    pytest.param(kind, rule, id=rule.id)
    for kind in KINDS.values()
    for rule in kind.rules.rules.values()
]


@pytest.mark.parametrize(("kind", "rule"), EVERY)
def test_good_example_passes(kind: Kind, rule: Rule) -> None:
    report = validate(rule.good(), kind.name, context=rule.given)
    assert [found for found in report.findings if found.severity is Severity.ERROR] == []
    assert [found for found in report.findings if found.rule == rule.id] == []


@pytest.mark.parametrize(("kind", "rule"), EVERY)
def test_bad_example_fires(kind: Kind, rule: Rule) -> None:
    report = validate(rule.bad(), kind.name, context=rule.given)
    fired = [found for found in report.findings if found.rule == rule.id]
    assert fired, f"{rule.id} is silent; others: {sorted({f.rule for f in report.findings})}"
    assert all(found.message and found.spec for found in fired)


@pytest.mark.parametrize(("kind", "rule"), EVERY)
def test_rule_is_documented(kind: Kind, rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9]{1,7}-\d{3}", rule.id)
    assert rule.title
    assert not rule.title.endswith(".")
    assert rule.reference.document
    assert rule.requirements
    assert all(is_requirement(id) for id in rule.requirements), rule.requirements


def test_an_id_names_one_rule() -> None:
    """A rule may serve several kinds, its examples made over: it says the same in each."""
    for kind in KINDS.values():
        for rule in kind.rules.rules.values():
            first = rules()[rule.id]
            same = (rule.title, rule.reference, rule.severity, rule.tolerated)
            assert same == (first.title, first.reference, first.severity, first.tolerated)


@pytest.mark.parametrize("name", KINDS)
def test_good_example_is_recognised(name: str) -> None:
    assert guess(KINDS[name].rules.good()) == name


@pytest.mark.parametrize("name", KINDS)
def test_good_example_has_no_warning(name: str) -> None:
    report = validate(KINDS[name].rules.good(), name)
    assert [found.rule for found in report.findings if found.severity is not Severity.INFO] == []
