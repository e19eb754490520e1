"""The statistics file: the two published columns, and nobody's name."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest

from drimbox_ref.statistics import COLUMNS, write
from drimbox_ref.trail import AuditEvent, Record


def _record(event: str, outcome: int, **objects: str) -> Record:
    return Record(
        number=1,
        utc=datetime(2026, 11, 22, 9, 30, 5, tzinfo=UTC),
        event=AuditEvent(
            event=event, outcome=outcome, description="refusé ; \"à cause\" d'un\r\nretour",
            subject="99700990016", patient="236016322090504", objects=objects,
        ),
        mac="00",
    )  # fmt: skip


def _lines(*records: Record) -> list[dict[str, str]]:
    stream = io.StringIO(newline="")
    assert write(stream, records, box="kit-consumer") == len(records)
    stream.seek(0)
    return list(csv.DictReader(stream, delimiter=";"))


@pytest.mark.parametrize(
    ("outcome", "status"), [(0, "succes"), (4, "erreur"), (8, "erreur")], ids=str
)
def test_a_contextual_call_counts_for_one_and_says_how_it_ended(outcome: int, status: str) -> None:
    (line,) = _lines(_record("appel-contextuel", outcome))
    assert (line["Nombre_Appel"], line["Statut_Appel"]) == ("1", status)
    assert (line["KIT_Date"], line["KIT_Heure_UTC"]) == ("2026-11-22", "09:30:05")


@pytest.mark.parametrize("outcome", [0, 8])
def test_what_is_no_call_counts_for_none(outcome: int) -> None:
    (line,) = _lines(_record("ITI-43", outcome, operation="TD3.2"))
    assert (line["Nombre_Appel"], line["Statut_Appel"]) == ("", "")
    assert line["KIT_Statut"] == ("erreur" if outcome else "succes")
    assert line["KIT_Operation"] == "TD3.2"


def test_nobody_is_named() -> None:
    stream = io.StringIO(newline="")
    write(stream, [_record("appel-contextuel", 8, document="2.25.7")], box="kit-consumer")
    head, line = stream.getvalue().splitlines()
    assert head == ";".join(COLUMNS)
    assert line == "2026-11-22;09:30:05;kit-consumer;appel-contextuel;;erreur;1;erreur"
