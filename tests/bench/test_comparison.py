"""Two runs side by side, and which run a user means."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.assemble import load
from bench.comparison import Change, compare
from bench.errors import BenchError
from bench.outcomes import Failure
from bench.runs import all_runs, find_run
from bench.verdicts import Verdict, merge, severity
from tests.bench.written import write_run


def test_what_moved(tmp_path: Path) -> None:
    before = write_run(
        tmp_path,
        "a",
        {"SCN-1": None, "SCN-2": Failure.NOT_MET, "SCN-3": None, "SCN-4": None},
        finding="KOS-010",
    )
    after = write_run(
        tmp_path,
        "b",
        {"SCN-1": Failure.NOT_MET, "SCN-2": None, "SCN-3": None, "SCN-5": None},
        product={"name": "KIT", "version": "2", "vendor": ""},
    )
    found = compare(load(before), load(after))
    assert {one.id: one.change for one in found.scenarios} == {
        "SCN-1": Change.WORSE,
        "SCN-2": Change.BETTER,
        "SCN-3": Change.BETTER,  # its warning is gone
        "SCN-4": Change.REMOVED,
        "SCN-5": Change.ADDED,
    }
    (worse,) = found.regressions
    assert (worse.before, worse.after) == (Verdict.WARN, Verdict.FAIL)
    assert "raté" in worse.reason
    assert [name for name, _, _ in found.context] == ["product"]
    assert ("SCN-3", "KOS-010", Change.REMOVED) in found.findings
    assert not any(scenario in ("SCN-4", "SCN-5") for scenario, _, _ in found.findings)


def test_a_run_beside_itself(tmp_path: Path) -> None:
    run = load(write_run(tmp_path, "a", {"SCN-1": None, "SCN-2": Failure.CANNOT_VERIFY}))
    found = compare(run, run)
    assert (found.scenarios, found.requirements, found.findings, found.context) == ((), (), (), ())
    assert found.same == 2


@given(st.sampled_from(Verdict), st.sampled_from(Verdict))
def test_the_worse_of_two_is_what_a_group_of_both_gets(one: Verdict, other: Verdict) -> None:
    assert merge([one, other]) is max(one, other, key=severity)


def test_which_run(tmp_path: Path) -> None:
    first = write_run(tmp_path, "20260101T000000Z-aaaa", {"SCN-1": None})
    second = write_run(tmp_path, "20260102T000000Z-bbbb", {"SCN-1": None})
    (tmp_path / "autre").mkdir()
    assert all_runs(tmp_path) == [first, second]
    assert find_run("@1", tmp_path) == second
    assert find_run("@2", tmp_path) == first
    assert find_run("20260101", tmp_path) == first
    assert find_run(str(second), Path("nulle-part")) == second
    for name, told in (("@3", "que 2"), ("2026", "plusieurs"), ("x", "ni dossier"), ("", "ni dos")):
        with pytest.raises(BenchError, match=told):
            find_run(name, tmp_path)
