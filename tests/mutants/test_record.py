"""A recorded matrix: what it says is counted, and kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bench.verdicts import Verdict
from mutants.matrix import Red, Trial
from mutants.record import Record, RecordError, Row, read, rows
from mutants.registry import find


def row(name: str, *killed: str, alarms: tuple[str, ...] = (), also: tuple[str, ...] = ()) -> Row:
    return Row(
        mutant=name,
        role="source",
        requirements=("DB.SO.33",),
        played="2026-11-22",
        commit="0123456789",
        version="0.1",
        python="3.11.2",
        ran=("SCN-A", "SCN-B", "SCN-C"),
        killed_by=killed,
        consequences=also,
        false_alarms=alarms,
        skipped=(),
        untold=(),
    )


def test_what_is_counted() -> None:
    record = Record(
        (
            row("a", "SCN-A", "SCN-B"),
            row("b", alarms=("SCN-C",)),
            row("c", "SCN-A", also=("SCN-C",)),
        )
    )
    assert record.killed == 2
    assert record.kill_rate == pytest.approx(2 / 3)
    assert (record.right, record.failures) == (4, 5)
    assert record.precision == pytest.approx(4 / 5)
    assert record.scenarios == {"SCN-A", "SCN-B", "SCN-C"}
    assert record.proven == {"SCN-A", "SCN-B"}


def test_nothing_proves_nothing() -> None:
    assert (Record(()).kill_rate, Record(()).precision) == (0.0, 0.0)


def test_what_is_played_again_replaces_what_it_said() -> None:
    record = Record((row("b", "SCN-A"), row("gone", "SCN-A"), row("c", "SCN-A")))
    changed = record.with_rows([row("c", "SCN-B"), row("new", "SCN-C")], ["new", "c", "b"])
    assert changed.rows == (row("new", "SCN-C"), row("c", "SCN-B"), row("b", "SCN-A"))


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "matrice.json"
    assert read(file) == Record(())
    record = Record((row("a", "SCN-A"), row("b", alarms=("SCN-C",))))
    record.write(file)
    assert read(file) == record
    assert len(file.read_text(encoding="utf-8").splitlines()) == len(record.rows) + 2


@pytest.mark.parametrize("text", ["", "{}", '[{"mutant": "a"}]', '[{"mutant": 3}]', "[3]"])
def test_another_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "autre.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecordError, match=r"autre\.json"):
        read(file)


def test_a_trial_becomes_a_row() -> None:
    wrong = find("sans-acquittement")

    def red(scenario: str, verdict: Verdict = Verdict.FAIL) -> Red:
        return Red(scenario=scenario, verdict=verdict, requirements=(), blamed=(), reason="")

    trial = Trial(
        mutant=wrong,
        parts=("acknowledger",),
        ran=("SCN-A", "SCN-B", "SCN-C", "SCN-D"),
        killed_by=(red("SCN-A"),),
        consequences=(),
        false_alarms=(red("SCN-B"),),
        skipped=(red("SCN-C", Verdict.SKIP),),
        untold=(),
        directory=Path("run"),
    )
    (made,) = rows(
        [trial], played=date(2026, 11, 22), commit="0123456789", version="0.1", python="3.11.2"
    )
    assert made.mutant == "sans-acquittement"
    assert made.requirements == wrong.requirements
    assert made.played == "2026-11-22"
    assert made.ran == ("SCN-A", "SCN-B", "SCN-C", "SCN-D")
    assert (made.killed_by, made.false_alarms) == (("SCN-A",), ("SCN-B",))
    assert (made.consequences, made.skipped, made.untold) == ((), ("SCN-C",), ())
